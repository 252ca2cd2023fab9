//! `weft bridge refute`: shows that what is claimed is not so any more, and earns the claims' stakes (X5, X6).

use super::kept::Kept;
use super::way_out::{Actor, Going};
use crate::base::Base;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::{self, Output};
use serde::Serialize;
use std::path::{Path, PathBuf};
use tokio::time::{Duration, Instant, sleep};
use weft_basechain::{ClaimState, ClientError};
use weft_types::{BaseAddress, Height};

const LOOK_INTERVAL: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub struct Refute {
    /// What `weft bridge keep` has saved, of a newer checkpoint than the claims; best with --all
    file: PathBuf,
    #[command(flatten)]
    going: Going,
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    network: Network,
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
}

pub async fn refute(arguments: &Refute, output: &Output) -> Result<(), Failure> {
    let kept = Kept::read(&arguments.file)?;
    let place = (kept.chain_id, kept.contracts);
    let reached = (&arguments.base, &arguments.network);
    let actor = Actor::of(reached, place, &arguments.going).await?;
    let until = Instant::now() + arguments.going.wait();
    let mut all: Vec<Judged> = Vec::new();
    loop {
        let over = Instant::now() >= until;
        let found = match look(&actor, &arguments.file).await {
            Ok(found) => found,
            Err(failure) if over => return Err(failure),
            // Whoever looks for days looks again.
            Err(failure) => {
                output.failure(&failure);
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
        sleep(LOOK_INTERVAL).await;
    }
}

/// All claims that are open, refuted where they are wrong by what the file says now.
async fn look(actor: &Actor, file: &Path) -> Result<Vec<Judged>, Failure> {
    let kept = Kept::read(file)?;
    let latch = actor.chain.latch().await?;
    if latch.tripped_at.is_some() && kept.statement.height > latch.height {
        let words = format!(
            "the file's checkpoint {} came after the latch, and none above {} counts",
            kept.statement.height, latch.height
        );
        return Err(Failure::new(Kind::Refused, words).hint("use an older file"));
    }
    let mut all = Vec::new();
    for place in actor.chain.claimed_exits(&latch).await? {
        if let Some(claim) = actor.chain.exit_claim(place).await?.filter(|c| !c.paid) {
            all.push(of_exit(actor, &kept, place, &claim).await?);
        }
    }
    for index in actor.chain.claimed_deposits(&latch).await? {
        if let Some(claim) = actor.chain.reclaim(index).await?.filter(|c| !c.paid) {
            all.push(of_deposit(actor, &kept, index, &claim).await?);
        }
    }
    Ok(all)
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
    kept: &Kept,
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
            outcome(found, actor.chain.refute_escape(&actor.key, &proven).await)
        }
        _ => Ok(found),
    }
}

async fn of_deposit(
    actor: &Actor,
    kept: &Kept,
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
    outcome(found, made.await)
}

fn outcome(
    mut found: Judged,
    made: Result<weft_basechain::Mined, ClientError>,
) -> Result<Judged, Failure> {
    match made {
        Ok(mined) => {
            found.verdict = Verdict::Refuted;
            found.base_transaction = Some(format!("0x{}", hex::encode(mined.hash)));
            Ok(found)
        }
        // Somebody else was faster: there is no claim any more, or none that this refutes.
        Err(ClientError::Refused { refusal, .. })
            if matches!(refusal.name.as_str(), "NoClaim" | "NotRefuted") =>
        {
            Ok(found)
        }
        Err(error) => Err(error.into()),
    }
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
            format!("{:?}", judged.verdict).to_lowercase(),
        ]);
    }
    output::fit(&table)
}
