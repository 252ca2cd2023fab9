//! K5: withdrawals that are paid by kept proofs, with no masternode left.

use super::choosing::why_not;
use super::kept::{Generation, Kept};
use super::way_out::{Actor, Standing, State, What, instant};
use crate::failure::Failure;
use std::collections::BTreeMap;
use weft_basechain::{At, BaseChain, Claim, ClientError, Counting, Latch, Refusal};
use weft_types::{BaseAddress, Height, Statement, Withdrawal};

/// What a file is worth for one withdrawal.
#[derive(Debug)]
pub enum Proof {
    /// The vault pays by it.
    By(Box<Claim>),
    /// It will, from then on, in Unix seconds.
    Later { height: Height, until: u64 },
    /// Nothing in the file does: why.
    Nothing(String),
}

/// All of a file's checkpoints as the base chain has them now, from the newest on.
pub struct Judged<'a> {
    generations: Vec<(&'a Generation, Counting)>,
    latch: Latch,
}

impl<'a> Judged<'a> {
    pub async fn of(chain: &BaseChain, kept: &'a Kept, latch: Latch) -> Result<Self, Failure> {
        let counting = async |statement: &Statement| Ok(chain.counting(statement, &latch).await?);
        Self::asking(kept, latch, counting).await
    }

    async fn asking(
        kept: &'a Kept,
        latch: Latch,
        counting: impl AsyncFn(&Statement) -> Result<Counting, Failure>,
    ) -> Result<Self, Failure> {
        let mut generations = Vec::new();
        for generation in kept.generations() {
            generations.push((generation, counting(&generation.statement).await?));
        }
        Ok(Self { generations, latch })
    }

    /// By any checkpoint that counts: a leaf keeps its place for good, so an older one is as good as the newest.
    pub fn proof(&self, index: u64) -> Proof {
        let mut later: Option<(u64, Height)> = None;
        let mut reasons = Vec::new();
        for (generation, counting) in &self.generations {
            let height = generation.statement.height;
            if !generation.withdrawals().any(|w| w.index == index) {
                continue;
            }
            let Some(claim) = generation.claim(index) else {
                reasons.push(format!("the proofs of {height} do not hold"));
                continue;
            };
            match *counting {
                Counting::Counts => return Proof::By(Box::new(claim)),
                Counting::Pending { until } => {
                    later = Some(later.map_or((until, height), |l| l.min((until, height))));
                }
                counting => reasons.push(why_not(height, counting, &self.latch)),
            }
        }
        match later {
            Some((until, height)) => Proof::Later { height, until },
            None if reasons.is_empty() => {
                Proof::Nothing(format!("the file has no withdrawal {index}"))
            }
            None => Proof::Nothing(reasons.join("; ")),
        }
    }

    /// Of an account's file all that it gave up, of a whole tree what is for this recipient.
    pub fn wanted(&self, kept: &Kept, recipient: BaseAddress) -> Vec<Withdrawal> {
        let is_whole = kept.accounts.is_empty();
        let mut wanted = BTreeMap::new();
        for (generation, _) in &self.generations {
            for withdrawal in generation.withdrawals() {
                if !is_whole || withdrawal.recipient == recipient {
                    wanted.entry(withdrawal.index).or_insert(*withdrawal);
                }
            }
        }
        wanted.into_values().collect()
    }

    /// Looks where a withdrawal stands, and has it paid if that can be.
    pub async fn step(&self, actor: &Actor, of: &Withdrawal) -> Result<Standing, Failure> {
        let standing = |state, next: String| {
            Standing::new(of.index, of.asset, state, next).of(What::Withdrawal)
        };
        let paid = || standing(State::Paid, "nothing: it is paid".to_owned());
        if actor.chain.is_paid(of.index, At::Latest).await? {
            return Ok(paid());
        }
        let claim = match self.proof(of.index) {
            Proof::By(claim) => claim,
            Proof::Nothing(why) => return Ok(standing(State::Lost, why)),
            Proof::Later { height, until } => {
                let words = format!(
                    "checkpoint {height} has its time for challenges until {}, then it is paid",
                    instant(until)
                );
                return Ok(Standing {
                    not_before: Some(until),
                    ..standing(State::Closed, words).by(height)
                });
            }
        };
        let height = claim.statement.height;
        if actor.dry_run {
            return Ok(standing(State::Payable, "have it paid".to_owned()).by(height));
        }
        match actor.chain.withdraw(&actor.key, &claim).await {
            Ok(mined) => Ok(paid().by(height).made(&actor.chain, &mined)),
            Err(ClientError::Refused { refusal, .. }) if refusal.name == "AlreadyPaid" => {
                Ok(paid())
            }
            Err(ClientError::Refused { refusal, .. }) => {
                let words = refused_now(height, &refusal);
                Ok(standing(State::Payable, words).by(height))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What a refusal says of a checkpoint whose deposits are not the vault's; `None` of another refusal.
pub fn taken_back(height: Height, refusal: &Refusal) -> Option<String> {
    let figure = |name| refusal.argument(name).unwrap_or("?");
    let differ = match refusal.name.as_str() {
        "UnknownDeposit" => format!(
            "counts {} deposits, and the vault has {}",
            figure("index"),
            figure("count")
        ),
        "ForeignDeposits" => format!(
            "counts {} deposits, and those of the vault are others",
            figure("processed")
        ),
        _ => return None,
    };
    Some(format!(
        "checkpoint {height} {differ}: the base chain has taken deposits back that were credited"
    ))
}

/// Why the vault does not take a step now that it should.
pub fn refused_now(height: Height, refusal: &Refusal) -> String {
    match refusal.name.as_str() {
        // This machine's clock is ahead of the newest block's.
        "TooEarly" | "NotFinal" => {
            "its time is over with the next block, then it is paid".to_owned()
        }
        "AlreadyRefuted" => format!(
            "it was refuted already, by checkpoint {}, and this file is of {height}: it is out of date",
            refusal.argument("height").unwrap_or("?")
        ),
        _ => taken_back(height, refusal)
            .unwrap_or_else(|| format!("the vault refuses it now: {refusal}")),
    }
}

#[cfg(test)]
mod tests;
