//! `weft bridge exit`: out of the vault by kept proofs, with no masternode left (X1 to X5).

use super::kept::Kept;
use super::way_out::{Actor, Going, Standing, State, go_on, shown};
use crate::base::Base;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use std::path::PathBuf;
use weft_basechain::{At, ClaimState, ClientError, Latch, ProvenPlace};
use weft_types::{Exit as Leaf, Height};

#[derive(clap::Args)]
pub struct Exit {
    /// What `weft bridge keep` has saved
    file: PathBuf,
    /// A place of the exit tree; repeat it for more. Without it all that the key owns
    #[arg(long, value_name = "NUMBER")]
    place: Vec<u64>,
    #[command(flatten)]
    going: Going,
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    network: Network,
}

/// One run over all holdings.
struct Way<'a> {
    actor: &'a Actor,
    kept: &'a Kept,
    latch: Latch,
    /// When the file's checkpoint was posted.
    posted: Option<u64>,
    refuted: Vec<(u64, Height)>,
}

pub async fn exit(arguments: &Exit, output: &Output) -> Result<(), Failure> {
    let kept = Kept::read(&arguments.file)?;
    let place = (kept.chain_id, kept.contracts);
    let reached = (&arguments.base, &arguments.network);
    let actor = Actor::of(reached, place, &arguments.going).await?;
    let wanted = wanted(&kept, &actor, &arguments.place)?;
    let standings = go_on(&arguments.going, output, || async {
        let way = Way {
            actor: &actor,
            kept: &kept,
            latch: actor.open(output).await?,
            posted: actor
                .chain
                .posted_at(kept.statement.height, At::Latest)
                .await?,
            refuted: vec![],
        };
        way.all(&wanted).await
    });
    output.data(&standings.await?, |s| shown(s, "holdings"))
}

/// What of the file to go for: others' holdings need others' keys.
fn wanted(kept: &Kept, actor: &Actor, places: &[u64]) -> Result<Vec<Leaf>, Failure> {
    let owner = actor.address();
    let mut wanted = Vec::new();
    for place in places {
        let found = kept.exits().find(|e| e.place == *place);
        let found = found
            .ok_or_else(|| Failure::usage(format!("the file has nothing at place {place}")))?;
        if found.owner != owner {
            let words = format!(
                "place {place} is {}'s, and the key is {owner}'s",
                found.owner
            );
            return Err(Failure::usage(words));
        }
        wanted.push(*found);
    }
    if places.is_empty() {
        wanted.extend(kept.exits().filter(|e| e.owner == owner));
    }
    if wanted.is_empty() {
        let words = format!("the file has nothing that {owner} owns");
        return Err(Failure::new(Kind::Refused, words)
            .hint("use the key of the exit address that the account has named"));
    }
    Ok(wanted)
}

impl Way<'_> {
    async fn all(mut self, wanted: &[Leaf]) -> Result<Vec<Standing>, Failure> {
        self.refuted = self.actor.chain.refuted_exits(&self.latch).await?;
        let mut standings = Vec::new();
        for exit in wanted {
            standings.push(self.step(exit).await?);
        }
        Ok(standings)
    }

    /// Looks where a holding stands, and makes the next step.
    async fn step(&self, exit: &Leaf) -> Result<Standing, Failure> {
        let standing = self.standing(exit).await?;
        if self.actor.dry_run {
            return Ok(standing);
        }
        let (chain, key) = (&self.actor.chain, &self.actor.key);
        let made = match standing.state {
            State::Open => {
                self.actor.can_stake().await?;
                let proven = self.proven(exit)?;
                if chain.exit_claim(exit.place).await?.is_some() {
                    // Somebody claims it by an older checkpoint, which is not so any more.
                    chain.refute_escape(key, &proven).await?;
                }
                chain.escape(key, &proven).await
            }
            State::Payable => chain.finish_escape(key, exit).await,
            _ => return Ok(standing),
        };
        match made {
            Ok(mined) => Ok(self.standing_now(exit).await?.made(&mined)),
            Err(ClientError::Refused { refusal, .. }) => Ok(Standing {
                next: format!("the vault refuses it now: {refusal}"),
                ..standing
            }),
            Err(error) => Err(error.into()),
        }
    }

    fn proven(&self, exit: &Leaf) -> Result<ProvenPlace, Failure> {
        let proven = self.kept.proven(exit.place);
        proven.ok_or_else(|| {
            Failure::usage(format!("the file proves nothing of place {}", exit.place))
        })
    }

    /// After a step the clock has moved on.
    async fn standing_now(&self, exit: &Leaf) -> Result<Standing, Failure> {
        let latch = self.actor.chain.latch().await?;
        let claim = self.actor.chain.exit_claim(exit.place).await?;
        Ok(match claim {
            Some(claim) => Standing::claimed(exit.place, exit.asset, &claim, &latch),
            None => self.standing(exit).await?,
        })
    }

    async fn standing(&self, exit: &Leaf) -> Result<Standing, Failure> {
        let lost = |why: String| Standing::new(exit.place, exit.asset, State::Lost, why);
        let height = self.kept.statement.height;
        if self.posted.is_none() {
            return Ok(lost(format!(
                "height {height} is no checkpoint on the base chain"
            )));
        }
        if self.latch.tripped_at.is_none() {
            return Ok(Standing::closed(exit.place, exit.asset, &self.latch));
        }
        if height > self.latch.height {
            let newest = self.latch.height;
            let why = format!(
                "checkpoint {height} came after the latch, and none above {newest} counts: use an older file"
            );
            return Ok(lost(why));
        }
        let claim = self.actor.chain.exit_claim(exit.place).await?;
        Ok(self.judged(exit, claim))
    }

    /// With the latch tripped.
    fn judged(&self, exit: &Leaf, claim: Option<ClaimState>) -> Standing {
        let (place, asset, height) = (exit.place, exit.asset, self.kept.statement.height);
        let lost = |why: String| Standing::new(place, asset, State::Lost, why);
        let of_place = self.refuted.iter().filter(|(p, _)| *p == place);
        let refuted = of_place.map(|(_, by)| *by).max().unwrap_or_default();
        match claim {
            Some(claim) if claim.what.0 == exit.leaf() => {
                Standing::claimed(place, asset, &claim, &self.latch)
            }
            Some(claim) if claim.paid => lost(format!("this place was paid to {}", claim.claimant)),
            Some(claim) if claim.height >= height => lost(format!(
                "{} claims it by checkpoint {}, and this file is of {height}: it is out of date",
                claim.claimant, claim.height
            )),
            _ if refuted > height => lost(format!(
                "checkpoint {refuted} says otherwise, and this file is of {height}: it is out of date"
            )),
            Some(claim) => Standing::new(
                place,
                asset,
                State::Open,
                format!(
                    "refute the claim by checkpoint {}, and claim it",
                    claim.height
                ),
            ),
            None => Standing::new(
                place,
                asset,
                State::Open,
                "claim it, with a stake of 0.01 coin",
            ),
        }
    }
}
