//! L25: once a collection's cut-off has passed, what is proven of its tickets stays true, if the height is not before it. In
//! an idle network the next one comes after `finality_interval_max_ms` (F1).

use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::time;
use crate::values::from_now;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use weft_client::{Client, PageQuery};
use weft_types::{Certificate, Millis};

const PAUSE: Duration = Duration::from_millis(250);
/// For the certificate of a height.
const MORE: Duration = Duration::from_secs(10);

/// Waits for a certified height from after the cut-off, if that has passed.
pub async fn certified(client: &Client, cut_off: Millis, output: &Output) -> Result<(), Failure> {
    if cut_off == Millis::ZERO || from_now(Duration::ZERO) < cut_off {
        return Ok(());
    }
    let longest = client.genesis().await?.template.params;
    let longest = Duration::from_millis(longest.finality_interval_max_ms.0) + MORE;
    let progress = output.progress();
    let begun = Instant::now();
    while newest(client).await?.is_none_or(|newest| newest < cut_off) {
        progress.step("waiting for a certified height from after the cut-off");
        if begun.elapsed() > longest {
            let words = format!(
                "no height is certified since the cut-off, {}",
                time::utc(cut_off)
            );
            return Err(Failure::new(Kind::Unreachable, words)
                .hint("a proof from before it may not be let in; `weft status` says what holds the network up"));
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

/// The time of the newest certified height.
async fn newest(client: &Client) -> Result<Option<Millis>, Failure> {
    let certificates = client.certificates(&PageQuery::limit(1)).await?.items;
    let newest = certificates.into_iter().next();
    let newest = newest.map(Certificate::try_from).transpose();
    let newest = newest.map_err(|e| Failure::new(Kind::Failed, e))?;
    Ok(newest.map(|certificate| certificate.statement.timestamp))
}
