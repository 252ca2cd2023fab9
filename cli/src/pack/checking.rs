//! The draw once more, from a file.
//!
//! That the outcome follows from the secret, the lot and the buyers' bytes, that the secret is the one that was committed to, and
//! that the lot is of the commit that it names, is checked in any file. All of them but the secret could be made up to suit: that
//! they are the ledger's is shown by the proof of the deal from between lot and secret ([`Proven`]), and by nothing else.

use super::proven::Proven;
use crate::committees;
use crate::failure::{Failure, Kind};
use crate::network::read_genesis;
use crate::output::Output;
use crate::values::lines;
use serde::{Deserialize, Serialize};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use weft_client::verify::Committees;
use weft_types::api::{Commit, Deal, ProofBundle};
use weft_types::{
    Address, DealId, DealRule, DrawSecret, Drawing, Height, ItemId, Lot, Series, draw_commitment,
};

/// Longest file that is read: a series of 255 cards, the commit of its lot, and a proof.
const BYTES_MAX: u64 = 1 << 21;

#[derive(clap::Args)]
pub struct Verify {
    /// As `weft pack keep` or `weft pack open` has written it; `-` reads stdin
    file: PathBuf,
    /// `genesis.json` of the network, from a source that you trust. Without it nothing is proven: only that the file fits together
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Who was in office in later epochs than the first, made by `weft committees`
    #[arg(long, value_name = "FILE", requires = "genesis")]
    committees: Option<PathBuf>,
}

/// What a draw is made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evidence {
    pub deal: Deal,
    /// The lot's; absent before there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// Of the deal with its lot, from before the secret was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofBundle>,
}

#[derive(Debug, Serialize)]
pub struct Verified {
    deal: DealId,
    /// Where the committee has certified what the draw is made from; absent where nobody is known to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_at: Option<Height>,
    packs: Vec<Opened>,
    /// Back to the giver.
    unsold: Vec<ItemId>,
}

#[derive(Debug, Serialize)]
struct Opened {
    holder: Address,
    items: Vec<ItemId>,
}

pub fn read(path: &Path) -> Result<Evidence, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {error}", path.display()));
    let mut text = String::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().take(BYTES_MAX).read_to_string(&mut text),
        false => std::fs::File::open(path)
            .and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text)),
    };
    read.map_err(|error| failed(&error))?;
    serde_json::from_str(&text).map_err(|error| {
        failed(&error)
            .hint("it reads what `weft pack keep` writes, and what `weft pack show --json` prints")
    })
}

pub fn verify(arguments: &Verify, output: &Output) -> Result<(), Failure> {
    let evidence = read(&arguments.file)?;
    let known = match &arguments.genesis {
        None => None,
        Some(path) => {
            let genesis = read_genesis(path)?;
            let later = arguments.committees.as_deref();
            Some(committees::known(&genesis, later)?)
        }
    };
    let verified = check(&evidence, known.as_ref())?;
    output.data(&verified, verified_shown)?;
    match verified.proven_at {
        Some(_) => Ok(()),
        None => Err(unproven(&evidence)),
    }
}

/// Said after what was drawn: the file alone is anybody's word.
fn unproven(evidence: &Evidence) -> Failure {
    let failure = Failure::new(
        Kind::Failed,
        "this is not proven: the file fits together, but its cards, holders, buyers' bytes and lot may be made up, so that somebody \
         chose what was drawn",
    );
    match evidence.proof {
        Some(_) => failure.hint("a proof is in it: check it with --genesis genesis.json, from a source that you trust"),
        None => failure.hint("there is no proof in it; `weft pack keep` saves one, as long as a node that was there has it"),
    }
}

/// Draws again: what a committee has certified, where committees are known and there is a proof.
pub fn check(evidence: &Evidence, committees: Option<&Committees>) -> Result<Verified, Failure> {
    let Evidence {
        deal,
        commit,
        proof,
    } = evidence;
    let false_of =
        |words: String| Failure::new(Kind::Invalid, format_args!("series {}: {words}", deal.id));
    let (DealRule::Draw(series), Some(drawing)) = (&deal.rule, &deal.drawing) else {
        return Err(Failure::usage(format_args!(
            "deal {} is no series of packs",
            deal.id
        )));
    };
    let (Some(secret), Some(lot)) = (&drawing.secret, &drawing.lot) else {
        return Err(Failure::new(
            Kind::Refused,
            format_args!("series {} is not drawn", deal.id),
        ));
    };
    let proven = committees.zip(proof.as_ref());
    let proven = proven.map(|(committees, proof)| Proven::of(proof, committees));
    let proven = proven.transpose()?;
    if let Some(proven) = &proven {
        proven.fits(deal, secret).map_err(false_of)?;
    }
    sound(deal, series, drawing, secret).map_err(|words| false_of(words.to_owned()))?;
    match (commit, &proven) {
        (Some(commit), _) => of_commit(drawing, lot, commit),
        (None, Some(_)) => Ok(()),
        (None, None) => Err("the commit of its lot is missing"),
    }
    .map_err(|words| false_of(words.to_owned()))?;
    let source = proven.as_ref().map_or(deal, |proven| &proven.deal);
    let drawn = source.draw(secret).expect("it has a lot");
    let holders = drawing.packs.iter().map(|pack| pack.holder);
    let packs = holders.zip(drawn.packs);
    let packs = packs.map(|(holder, items)| Opened { holder, items });
    Ok(Verified {
        deal: deal.id,
        proven_at: proven.map(|proven| proven.height),
        packs: packs.collect(),
        unsold: drawn.unsold,
    })
}

fn sound(
    deal: &Deal,
    series: &Series,
    drawing: &Drawing,
    secret: &DrawSecret,
) -> Result<(), &'static str> {
    let (packs, cards) = (series.packs as usize, deal.gives.items.len());
    if packs == 0 || cards % packs != 0 || drawing.packs.len() > packs {
        return Err("it has other packs than its terms");
    }
    match series.commitment == draw_commitment(&deal.giver, secret) {
        true => Ok(()),
        false => Err("its secret is not the one that was committed to"),
    }
}

fn of_commit(drawing: &Drawing, lot: &Lot, commit: &Commit) -> Result<(), &'static str> {
    let closing = drawing.closing.ok_or("its sale has no end")?;
    if commit.index != lot.commit || commit.timestamp != lot.at {
        return Err("its lot is of another commit");
    }
    if commit.leader.digest != lot.digest {
        return Err("its lot is not the digest of the commit's leader");
    }
    // Where the epoch has changed in between, rounds have begun anew; of which epoch it is a commit does not say.
    let above = commit.leader.round.0 >= closing.round.0.saturating_add(2);
    let anew = commit.leader.round.0 >= 2 && commit.leader.round < closing.round;
    match above || anew {
        true => Ok(()),
        false => Err("its lot is of a leader that was there before the last pack was sold"),
    }
}

fn verified_shown(verified: &Verified) -> String {
    let proven = match verified.proven_at {
        Some(height) => format!(
            "yes: what it is drawn from was certified at height {height}; that the secret was shown in time, the cards' owners show"
        ),
        None => "no".to_owned(),
    };
    let mut pairs = vec![("series", verified.deal.to_string()), ("proven", proven)];
    for pack in &verified.packs {
        let items: Vec<String> = pack.items.iter().map(ToString::to_string).collect();
        pairs.push(("pack", format!("{}: {}", pack.holder, items.join(", "))));
    }
    let unsold: Vec<String> = verified.unsold.iter().map(ToString::to_string).collect();
    pairs.push(("unsold", unsold.join(", ")));
    lines(&pairs)
}

#[cfg(test)]
pub(super) mod tests;
