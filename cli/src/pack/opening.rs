//! The giver's part of the draw: the secret, once a height has the lot. Before it is shown the proof of the sealed series is saved:
//! with the secret it goes out of the state. Where the node keeps none, everybody else has a moment to save it too.

use super::keeping::{Kept, looked, pause};
use super::{secret, series_of};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::sending::{Outcome, Sender};
use crate::values::from_now;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;
use weft_client::Client;
use weft_types::api::DealState;
use weft_types::{DealId, Millis, Operation, draw_commitment};

/// Longest wait for a certified height with the lot.
const PROOF_MAX: Duration = Duration::from_secs(60);
/// For others who keep the proof, where the node does not.
const OTHERS: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
pub struct Open {
    deal: DealId,
    /// As `weft pack sell` has written it
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    /// Where the proof of the draw is kept, for `weft pack verify`; without it beside the secret, as FILE.drawn.json
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    sender: Sender,
}

/// Until a height has the lot and its proof is saved, and no longer.
pub async fn open(arguments: Open, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let (client, id) = (&session.client, &arguments.deal);
    let secret = secret::read(&arguments.secret)?;
    let beside = || arguments.secret.with_added_extension("drawn.json");
    let path = arguments.keep.clone().unwrap_or_else(beside);
    let mut kept = Kept::open(&path, id)?;
    let mut told = false;
    let within = loop {
        let deal = looked(client, id, output).await?;
        let (series, drawing) = series_of(&deal)?;
        if series.commitment != draw_commitment(&deal.giver, &secret) {
            return Err(Failure::usage(format_args!(
                "series {id} was committed to another secret than the one in {}",
                arguments.secret.display()
            )));
        }
        if deal.state != DealState::Open {
            let words = format!("series {id} has ended");
            return Err(Failure::new(Kind::Refused, words)
                .hint("nothing was sent; `weft pack show` has how"));
        }
        if let Some(from) = drawing.reveal_from {
            break time_for(from, series.reveal, from_now(Duration::ZERO));
        }
        if !told {
            output.say("Waiting for the end of the sale, and for a height with the lot.");
            told = true;
        }
        tokio::time::sleep(pause(&deal, kept.has_proof())).await;
    };
    if !kept.has_proof() {
        // The bond is at stake: whatever comes of the proof, the secret is shown.
        match save(&mut kept, client, id, within, output).await {
            Ok(true) => {}
            Ok(false) => output.alarm("No certified height with the lot is to be had in time: the secret is shown, and its proof is left to nodes that keep it."),
            Err(failure) => output.alarm(format_args!(
                "{}: the secret is shown, and its proof is left to nodes that keep it.",
                failure.message
            )),
        }
    }
    let deal = *id;
    let outcome = session.send(vec![Operation::Reveal { deal, secret }], output);
    output.data(&outcome.await?, Outcome::text)?;
    if kept.has_proof() {
        let finished = kept.finish(client, id).await;
        let is_drawn = finished.is_ok_and(|drawn| drawn.deal.state == DealState::Taken);
        output.say(match is_drawn {
            true => format!(
                "`weft pack verify {} --genesis genesis.json` proves the draw to anybody.",
                kept.path()
            ),
            false => format!(
                "`weft pack keep {id} --out {}` adds the secret once it is drawn.",
                kept.path()
            ),
        });
    }
    Ok(())
}

/// For the proof, and for others to have it too: half of the time to reveal is left in any case.
fn time_for(from: Millis, reveal: Millis, now: Millis) -> Duration {
    let half = from.saturating_add(reveal.0 / 2);
    Duration::from_millis(half.0.saturating_sub(now.0)).min(PROOF_MAX)
}

async fn save(
    kept: &mut Kept,
    client: &Client,
    id: &DealId,
    within: Duration,
    output: &Output,
) -> Result<bool, Failure> {
    let until = Instant::now() + within;
    while !kept.take(client, id, output).await? {
        if Instant::now() >= until {
            return Ok(false);
        }
        tokio::time::sleep(TICK).await;
    }
    if kept.stays_there() {
        return Ok(true);
    }
    let left = until.saturating_duration_since(Instant::now()).min(OTHERS);
    output.say(format_args!(
        "The secret is shown in {:.1} s: until then others can keep the proof too.",
        left.as_secs_f32()
    ));
    tokio::time::sleep(left).await;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing;

    #[test]
    fn the_proof_takes_no_more_than_half_of_the_time_to_reveal() {
        let (_, deal) = testing::drawn(3, 2);
        let from = deal.drawing.unwrap().reveal_from.unwrap();
        let after = |ms| from.saturating_add(ms);
        let time = |reveal, now| time_for(from, Millis(reveal), now).as_millis();
        assert_eq!(time(4_000, after(0)), 2_000);
        assert_eq!(time(4_000, after(500)), 1_500);
        assert_eq!(time(4_000, after(2_000)), 0);
        assert_eq!(time(4_000, after(9_000)), 0);
        assert_eq!(time(86_400_000, after(0)), 60_000);
    }
}
