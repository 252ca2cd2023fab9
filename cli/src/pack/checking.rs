//! The draw once more, from what a node says of a series: so a node that says otherwise is found out.
//!
//! It shows that the outcome follows from the secret, the lot and the buyers' bytes; that the secret is the one that was
//! committed to; and that the lot is of the commit that it names, far enough above the end of the sale. That these are the
//! ledger's is in the deal's proof while it waits for its secret, and in the receipts of what was sent.

use crate::failure::{Failure, Kind};
use crate::values::lines;
use serde::{Deserialize, Serialize};
use weft_types::api::{Commit, Deal};
use weft_types::{
    Address, DealId, DealRule, DrawSecret, Drawing, ItemId, Lot, Series, draw_commitment,
};

/// What a draw is made from.
#[derive(Serialize, Deserialize)]
pub struct Evidence {
    pub deal: Deal,
    /// The lot's; absent before there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
}

#[derive(Debug, Serialize)]
pub struct Verified {
    deal: DealId,
    packs: Vec<Opened>,
    /// Back to the giver.
    unsold: Vec<ItemId>,
}

#[derive(Debug, Serialize)]
struct Opened {
    holder: Address,
    items: Vec<ItemId>,
}

pub fn check(evidence: &Evidence) -> Result<Verified, Failure> {
    let Evidence { deal, commit } = evidence;
    let false_of =
        |words: &str| Failure::new(Kind::Invalid, format_args!("series {}: {words}", deal.id));
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
    sound(deal, series, drawing, secret).map_err(false_of)?;
    let commit = commit
        .as_ref()
        .ok_or_else(|| false_of("the commit of its lot is missing"))?;
    of_commit(drawing, lot, commit).map_err(false_of)?;
    let drawn = deal.draw(secret).expect("it has a lot");
    let holders = drawing.packs.iter().map(|pack| pack.holder);
    let packs = holders.zip(drawn.packs);
    let packs = packs.map(|(holder, items)| Opened { holder, items });
    Ok(Verified {
        deal: deal.id,
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
    // Where the epoch has changed in between, rounds have begun anew.
    let above = commit.leader.round.0 >= closing.round.0.saturating_add(2);
    let anew = commit.leader.round.0 >= 2 && commit.leader.round < closing.round;
    match above || anew {
        true => Ok(()),
        false => Err("its lot is of a leader that was there before the last pack was sold"),
    }
}

pub fn verified_shown(verified: &Verified) -> String {
    let mut pairs = vec![("series", verified.deal.to_string())];
    for pack in &verified.packs {
        let items: Vec<String> = pack.items.iter().map(ToString::to_string).collect();
        pairs.push(("pack", format!("{}: {}", pack.holder, items.join(", "))));
    }
    let unsold: Vec<String> = verified.unsold.iter().map(ToString::to_string).collect();
    pairs.push(("unsold", unsold.join(", ")));
    lines(&pairs)
}

#[cfg(test)]
mod tests;
