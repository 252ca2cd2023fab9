//! X2: which checkpoint of a kept file the way out goes by.

use super::kept::{Generation, Kept};
use super::way_out::instant;
use crate::failure::Failure;
use weft_basechain::{BaseChain, Counting, Latch};
use weft_types::Height;

/// The newest that counts, or will once its time for challenges is over; where none does, the newest.
#[derive(Debug)]
pub struct Choice<'a> {
    pub generation: &'a Generation,
    pub counting: Counting,
    /// Why not the newer ones.
    passed: Vec<String>,
}

/// Asks the base chain alone.
pub async fn choose<'a>(
    chain: &BaseChain,
    kept: &'a Kept,
    latch: &Latch,
) -> Result<Choice<'a>, Failure> {
    let mut judged = Vec::new();
    for generation in kept.generations() {
        let counting = chain.counting(&generation.statement, latch).await?;
        judged.push((generation, counting));
        if counts(counting) && generation.sound().is_ok() {
            break;
        }
    }
    Ok(chosen(kept, &judged, latch))
}

fn counts(counting: Counting) -> bool {
    matches!(counting, Counting::Counts | Counting::Pending { .. })
}

/// Of some generations from the newest on.
fn chosen<'a>(kept: &'a Kept, judged: &[(&'a Generation, Counting)], latch: &Latch) -> Choice<'a> {
    let mut passed = Vec::new();
    for (generation, counting) in judged {
        let height = generation.statement.height;
        match generation.sound() {
            Ok(()) if counts(*counting) => {
                return Choice {
                    generation,
                    counting: *counting,
                    passed,
                };
            }
            Ok(()) => passed.push(why_not(height, *counting, latch)),
            Err(error) => passed.push(format!("the proofs of {height} do not hold: {error}")),
        }
    }
    let counting = judged.first().map(|(_, c)| *c);
    Choice {
        generation: kept.newest(),
        counting: counting
            .filter(|c| !counts(*c))
            .unwrap_or(Counting::NotPosted),
        passed,
    }
}

/// Why a checkpoint decides nothing, in words.
pub fn why_not(height: Height, counting: Counting, latch: &Latch) -> String {
    match counting {
        Counting::Counts => format!("checkpoint {height} counts"),
        Counting::Pending { until } => {
            let until = instant(until);
            format!("checkpoint {height} has its time for challenges until {until}")
        }
        Counting::NotPosted => format!("height {height} is no checkpoint on the base chain"),
        Counting::Another => format!("the base chain has another statement for height {height}"),
        Counting::AfterLatch => {
            let newest = latch.height;
            format!("checkpoint {height} came after the latch, and none above {newest} counts")
        }
        Counting::Frozen => format!(
            "the time for challenges of checkpoint {height} was not over when the bridge was frozen"
        ),
        Counting::ForeignDeposits => {
            format!("checkpoint {height} has other deposits than the vault")
        }
    }
}

/// Why the vault does not pay by a checkpoint, and will not by waiting.
pub fn refusal(height: Height, counting: Counting, latch: &Latch) -> Option<String> {
    match counting {
        Counting::Counts | Counting::Pending { .. } | Counting::NotPosted => None,
        other => Some(why_not(height, other, latch)),
    }
}

impl Choice<'_> {
    pub fn height(&self) -> Height {
        self.generation.statement.height
    }

    /// Why nothing in the file decides anything; `None` when something does.
    pub fn lost(&self) -> Option<String> {
        (!counts(self.counting)).then(|| self.passed.join("; "))
    }

    /// From when on it counts, in Unix seconds, where that is not so yet.
    pub fn pending(&self) -> Option<u64> {
        match self.counting {
            Counting::Pending { until } => Some(until),
            _ => None,
        }
    }

    /// In words, with the reasons.
    pub fn told(&self) -> String {
        if self.lost().is_some() {
            return format!(
                "No checkpoint in the file counts: {}.",
                self.passed.join("; ")
            );
        }
        let height = self.height();
        match self.passed.is_empty() {
            true => format!("By checkpoint {height}, the newest in the file."),
            false => format!(
                "By checkpoint {height}, the newest in the file that counts: {}.",
                self.passed.join("; ")
            ),
        }
    }
}

#[cfg(test)]
mod tests;
