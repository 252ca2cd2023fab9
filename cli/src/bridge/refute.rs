//! `weft bridge refute`: shows that what is claimed is not so any more, and earns the claims' stakes (X5, X6).

use super::choosing::choose;
use super::kept::{Generation, Kept};
use super::way_out::{Actor, Going, LOOK_INTERVAL, PAUSE_MAX, Told};
use crate::base::{Base, hash_shown};
use crate::failure::{Failure, Kind};
use crate::output::{self, Output};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tokio::time::{Instant, sleep};
use weft_basechain::{ClaimState, ClientError, Mined, Refusal};
use weft_types::{BaseAddress, Height};

#[derive(clap::Args)]
pub struct Refute {
    /// What `weft bridge keep` has saved, of a newer checkpoint than the claims; best with --all. It is read again when it
    /// changes
    file: PathBuf,
    #[command(flatten)]
    going: Going,
    #[command(flatten)]
    base: Base,
}

/// A claim, and what this file says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Judged {
    what: &'static str,
    /// In the exit tree; of a deposit its number.
    place: u64,
    claimant: BaseAddress,
    /// Of the checkpoint that it was claimed by.
    height: Height,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_transaction: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// It is as the file has it.
    Right,
    /// The file does not say, or is older than the claim.
    Unknown,
    Wrong,
    Refuted,
    /// By somebody else.
    RefutedAlready,
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Unknown => "unknown",
            Self::Wrong => "wrong",
            Self::Refuted => "refuted",
            Self::RefutedAlready => "refuted already",
        }
    }
}

/// Whether a claim that was to be refuted is not there any more, or another one is.
pub fn is_gone(refusal: &Refusal) -> bool {
    matches!(refusal.name.as_str(), "NoClaim" | "NotRefuted")
}

pub async fn refute(arguments: &Refute, output: &Output) -> Result<(), Failure> {
    let mut source = Source::of(&arguments.file)?;
    let place = (source.kept.chain_id, source.kept.contracts);
    let actor = Actor::of(&arguments.base, place, &arguments.going).await?;
    let until = Instant::now() + arguments.going.wait();
    let told = Told::default();
    let mut all: Vec<Judged> = Vec::new();
    let (mut pause, mut looked) = (LOOK_INTERVAL, false);
    loop {
        let over = Instant::now() >= until;
        let found = match look(&actor, &mut source, (output, &told)).await {
            Ok((found, over)) => {
                pause = LOOK_INTERVAL;
                // Later ones are of this command, or said by their verdict.
                if !std::mem::replace(&mut looked, true) && !over.is_empty() {
                    output.say(format_args!(
                        "Refuted already: the claims of {}.",
                        over.join(", ")
                    ));
                }
                found
            }
            Err(failure) if over => return Err(failure),
            // Whoever looks for days looks again.
            Err(failure) => {
                output.failure(&failure);
                pause = PAUSE_MAX.min(pause * 2);
                Vec::new()
            }
        };
        for judged in found {
            all.retain(|j| {
                j.verdict == Verdict::Refuted || (j.what, j.place) != (judged.what, judged.place)
            });
            if judged.verdict == Verdict::Refuted {
                output.say(format_args!(
                    "refuted the claim of {} {}",
                    judged.what, judged.place
                ));
            }
            all.push(judged);
        }
        if over {
            return output.data(&all, |j| shown(j));
        }
        sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
    }
}

/// A file that somebody else writes anew now and then.
struct Source {
    path: PathBuf,
    read: (u64, Option<SystemTime>),
    kept: Kept,
}

impl Source {
    fn of(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            path: path.to_owned(),
            read: Self::state(path)?,
            kept: Kept::read(path)?,
        })
    }

    fn state(path: &Path) -> Result<(u64, Option<SystemTime>), Failure> {
        let named = |e| Failure::usage(format_args!("{}: {e}", path.display()));
        let metadata = std::fs::metadata(path).map_err(named)?;
        Ok((metadata.len(), metadata.modified().ok()))
    }

    /// Whole trees are hashed once for each version of the file.
    fn current(&mut self) -> Result<&Kept, Failure> {
        if Self::state(&self.path)? != self.read {
            *self = Self::of(&self.path)?;
        }
        Ok(&self.kept)
    }
}

/// All claims that are open, refuted where they are wrong by what the file says now; and those that were refuted before.
async fn look(
    actor: &Actor,
    source: &mut Source,
    (output, told): (&Output, &Told),
) -> Result<(Vec<Judged>, Vec<String>), Failure> {
    let latch = actor.chain.latch().await?;
    if latch.tripped_at.is_none() {
        return Ok((Vec::new(), Vec::new()));
    }
    let choice = choose(&actor.chain, source.current()?, &latch).await?;
    told.say(output, choice.told());
    if let Some(why) = choice.lost() {
        return Err(Failure::new(Kind::Refused, why).hint("use another file"));
    }
    let (mut all, mut over) = (Vec::new(), Vec::new());
    for place in actor.chain.claimed_exits(&latch).await? {
        match actor.chain.exit_claim(place).await? {
            Some(claim) if claim.paid => {}
            Some(claim) => all.push(of_exit(actor, choice.generation, place, &claim).await?),
            None => over.push(format!("place {place}")),
        }
    }
    for index in actor.chain.claimed_deposits(&latch).await? {
        match actor.chain.reclaim(index).await? {
            Some(claim) if claim.paid => {}
            Some(claim) => all.push(of_deposit(actor, choice.generation, index, &claim).await?),
            None => over.push(format!("deposit {index}")),
        }
    }
    Ok((all, over))
}

fn judged(what: &'static str, place: u64, claim: &ClaimState, verdict: Verdict) -> Judged {
    Judged {
        what,
        place,
        claimant: claim.claimant,
        height: claim.height,
        verdict,
        base_transaction: None,
    }
}

async fn of_exit(
    actor: &Actor,
    kept: &Generation,
    place: u64,
    claim: &ClaimState,
) -> Result<Judged, Failure> {
    let proven = kept.proven(place);
    let verdict = match &proven {
        Some(proven) if proven.leaf() == claim.what => Verdict::Right,
        Some(_) if claim.height < kept.statement.height => Verdict::Wrong,
        _ => Verdict::Unknown,
    };
    let found = judged("place", place, claim, verdict);
    match proven {
        Some(proven) if verdict == Verdict::Wrong && !actor.dry_run => {
            let made = actor.chain.refute_escape(&actor.key, &proven).await;
            let now = async || Ok(actor.chain.exit_claim(place).await?);
            outcome(found, made, now).await
        }
        _ => Ok(found),
    }
}

async fn of_deposit(
    actor: &Actor,
    kept: &Generation,
    index: u64,
    claim: &ClaimState,
) -> Result<Judged, Failure> {
    // One that is not credited here may be by a newer checkpoint.
    let verdict = match kept.statement.deposits_processed >= index {
        true => Verdict::Wrong,
        false => Verdict::Unknown,
    };
    let found = judged("deposit", index, claim, verdict);
    if verdict != Verdict::Wrong || actor.dry_run {
        return Ok(found);
    }
    let made = actor
        .chain
        .refute_reclaim(&actor.key, &kept.statement, index);
    let now = async || Ok(actor.chain.reclaim(index).await?);
    outcome(found, made.await, now).await
}

async fn outcome(
    mut found: Judged,
    made: Result<Mined, ClientError>,
    now: impl AsyncFnOnce() -> Result<Option<ClaimState>, Failure>,
) -> Result<Judged, Failure> {
    match made {
        Ok(mined) => {
            found.verdict = Verdict::Refuted;
            found.base_transaction = Some(hash_shown(&mined.hash));
        }
        // Somebody else was faster; or another claim is in its place, which the next look judges.
        Err(ClientError::Refused { refusal, .. }) if is_gone(&refusal) => {
            if now().await?.is_none() {
                found.verdict = Verdict::RefutedAlready;
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(found)
}

fn shown(all: &[Judged]) -> String {
    if all.is_empty() {
        return "no claims".to_owned();
    }
    let mut table = output::table(&["claim of", "by", "checkpoint", "it is"]);
    for judged in all {
        table.add_row([
            format!("{} {}", judged.what, judged.place),
            judged.claimant.to_string(),
            judged.height.to_string(),
            judged.verdict.words().to_owned(),
        ]);
    }
    output::fit(&table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::Root;

    fn claim() -> ClaimState {
        ClaimState {
            what: Root([1; 32]),
            claimant: BaseAddress([2; 20]),
            opened_at: 5,
            height: Height(7),
            paid: false,
        }
    }

    async fn verdict(name: &str, now: Option<ClaimState>) -> Result<Verdict, Failure> {
        let refusal = Refusal {
            name: name.to_owned(),
            arguments: vec![("index".to_owned(), "3".to_owned())],
        };
        let what = "refutation";
        let refused = Err(ClientError::Refused { what, refusal });
        let found = judged("place", 3, &claim(), Verdict::Wrong);
        let found = outcome(found, refused, async || Ok(now)).await;
        found.map(|judged| judged.verdict)
    }

    #[tokio::test]
    async fn a_claim_that_somebody_else_has_refuted_is_refuted_already() {
        for name in ["NoClaim", "NotRefuted"] {
            let gone = verdict(name, None).await.unwrap();
            assert_eq!(gone.words(), "refuted already");
            let another = verdict(name, Some(claim())).await.unwrap();
            assert_eq!(another, Verdict::Wrong, "it is judged again");
        }
        assert!(verdict("NotFinal", None).await.is_err());
    }
}
