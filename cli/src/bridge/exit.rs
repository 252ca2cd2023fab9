//! `weft bridge exit`: out of the vault by kept proofs, with no masternode left (X1 to X5).

use super::choosing::{Choice, choose};
use super::kept::{Generation, Kept};
use super::kept_payouts::{Judged, refused_now};
use super::refute::is_gone;
use super::way_out::{Actor, Going, Patience, Standing, State, Told, go_on, instant, shown};
use crate::base::Base;
use crate::failure::Failure;
use crate::output::Output;
use std::path::PathBuf;
use weft_basechain::{ClaimState, ClientError, Latch, ProvenPlace};
use weft_types::{Exit as Leaf, Height};

#[derive(clap::Args)]
pub struct Exit {
    /// What `weft bridge keep` has saved: of its checkpoints the newest that counts is taken
    file: PathBuf,
    /// A place of the exit tree; repeat it for more. Without it all that the key owns, and all withdrawals of the file's
    /// accounts
    #[arg(long, value_name = "NUMBER")]
    place: Vec<u64>,
    #[command(flatten)]
    going: Going,
    #[command(flatten)]
    base: Base,
}

const LEFT_ALONE: &str = "The latch is left as it is: withdrawals are paid whether or not it is tripped, and there is nothing else.";

/// One run over all holdings.
struct Way<'a> {
    actor: &'a Actor,
    choice: Choice<'a>,
    latch: Latch,
    refuted: Vec<(u64, Height)>,
}

pub async fn exit(arguments: &Exit, output: &Output) -> Result<(), Failure> {
    let kept = Kept::read(&arguments.file)?;
    let place = (kept.chain_id, kept.contracts);
    let actor = Actor::of(&arguments.base, place, &arguments.going).await?;
    let told = Told::default();
    let standings = go_on(Patience::of(&arguments.going), output, || async {
        let before = actor.chain.latch().await?;
        let mut standings = given_up(arguments, &kept, &actor, before).await?;
        let choice = choose(&actor.chain, &kept, &before).await?;
        let wants = |choice: &Choice<'_>| wanted(choice.generation, &actor, &arguments.place);
        if wants(&choice)?.is_empty() {
            if before.tripped_at.is_none() && !standings.is_empty() {
                told.say(output, LEFT_ALONE.to_owned());
            }
            return some_of(standings, &actor, choice.height());
        }
        let latch = actor.open(output).await?;
        let choice = match latch.tripped_at == before.tripped_at {
            true => choice,
            false => choose(&actor.chain, &kept, &latch).await?,
        };
        let way = Way {
            actor: &actor,
            refuted: actor.chain.refuted_exits(&latch).await?,
            choice,
            latch,
        };
        told.say(output, way.choice.told());
        standings.extend(way.all(&wants(&way.choice)?).await?);
        some_of(standings, &actor, way.choice.height())
    });
    output.data(&standings.await?, |s| shown(s, "holdings"))
}

/// K5: withdrawals first, for they need nobody's leave and no latch.
async fn given_up(
    arguments: &Exit,
    kept: &Kept,
    actor: &Actor,
    latch: Latch,
) -> Result<Vec<Standing>, Failure> {
    let mut standings = Vec::new();
    if !arguments.place.is_empty() {
        return Ok(standings);
    }
    let judged = Judged::of(&actor.chain, kept, latch).await?;
    for withdrawal in judged.wanted(kept, actor.address()) {
        standings.push(judged.step(actor, &withdrawal).await?);
    }
    Ok(standings)
}

fn some_of(
    standings: Vec<Standing>,
    actor: &Actor,
    height: Height,
) -> Result<Vec<Standing>, Failure> {
    if !standings.is_empty() {
        return Ok(standings);
    }
    let owner = actor.address();
    let words = format!("the file has nothing that {owner} owns by checkpoint {height}");
    Err(Failure::usage(words).hint("use the key of the exit address that the account has named"))
}

/// What of the proofs to go for: others' holdings need others' keys.
fn wanted(of: &Generation, actor: &Actor, places: &[u64]) -> Result<Vec<Leaf>, Failure> {
    let (owner, height) = (actor.address(), of.statement.height);
    let mut wanted = Vec::new();
    for place in places {
        let found = of.exits().find(|e| e.place == *place);
        let found = found.ok_or_else(|| {
            Failure::usage(format!(
                "the file has nothing at place {place} of checkpoint {height}"
            ))
        })?;
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
        wanted.extend(of.exits().filter(|e| e.owner == owner));
    }
    Ok(wanted)
}

impl Way<'_> {
    async fn all(&self, wanted: &[Leaf]) -> Result<Vec<Standing>, Failure> {
        let mut standings = Vec::new();
        for exit in wanted {
            let standing = self.step(exit).await?;
            standings.push(standing.by(self.choice.height()));
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
                    match chain.refute_escape(key, &proven).await {
                        Err(ClientError::Refused { refusal, .. }) if is_gone(&refusal) => {}
                        refuted => {
                            refuted?;
                        }
                    }
                }
                chain.escape(key, &proven).await
            }
            State::Payable => chain.finish_escape(key, exit).await,
            _ => return Ok(standing),
        };
        match made {
            Ok(mined) => Ok(self.standing_now(exit).await?.made(chain, &mined)),
            Err(ClientError::Refused { refusal, .. }) => Ok(Standing {
                next: refused_now(self.choice.height(), &refusal),
                ..standing
            }),
            Err(error) => Err(error.into()),
        }
    }

    fn proven(&self, exit: &Leaf) -> Result<ProvenPlace, Failure> {
        let proven = self.choice.generation.proven(exit.place);
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
        if let Some(why) = self.choice.lost() {
            return Ok(Standing::new(exit.place, exit.asset, State::Lost, why));
        }
        if self.latch.tripped_at.is_none() {
            return Ok(Standing::closed(exit.place, exit.asset, &self.latch));
        }
        let claim = self.actor.chain.exit_claim(exit.place).await?;
        Ok(self.judged(exit, claim))
    }

    /// With the latch tripped.
    fn judged(&self, exit: &Leaf, claim: Option<ClaimState>) -> Standing {
        let (place, asset, height) = (exit.place, exit.asset, self.choice.height());
        let lost = |why: String| Standing::new(place, asset, State::Lost, why);
        let of_place = self.refuted.iter().filter(|(p, _)| *p == place);
        let refuted = of_place.map(|(_, by)| *by).max().unwrap_or_default();
        let next = match claim {
            Some(claim) if claim.what.0 == exit.leaf() => {
                return Standing::claimed(place, asset, &claim, &self.latch);
            }
            Some(claim) if claim.paid => {
                return lost(format!("this place was paid to {}", claim.claimant));
            }
            Some(claim) if claim.height >= height => {
                return lost(format!(
                    "{} claims it by checkpoint {}, and this file is of {height}: it is out of date",
                    claim.claimant, claim.height
                ));
            }
            _ if refuted > height => {
                return lost(format!(
                    "checkpoint {refuted} says otherwise, and this file is of {height}: it is out of date"
                ));
            }
            Some(claim) => format!(
                "refute the claim by checkpoint {}, and claim it",
                claim.height
            ),
            None => "claim it, with a stake of 0.01 coin".to_owned(),
        };
        let Some(until) = self.choice.pending() else {
            return Standing::new(place, asset, State::Open, next);
        };
        let words = format!(
            "checkpoint {height} has its time for challenges until {}, then: {next}",
            instant(until)
        );
        Standing {
            not_before: Some(until),
            ..Standing::new(place, asset, State::Closed, words)
        }
    }
}
