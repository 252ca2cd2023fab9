//! Until when a channel goes on off the ledger (CH5, CH6): whoever waits longer than that for the other's word may come
//! too late for the ledger's.

use crate::failure::{Failure, Kind};
use crate::sending::Session;
use crate::time;
use crate::values::from_now;
use std::time::Duration;
use weft_types::api::{Deal, DealState};
use weft_types::{Book, ChannelPart, Millis};

/// What is left at least for a transaction to be ordered: a guard looks twice in it.
const GRACE_MIN: u64 = 5_000;
/// Enough for a node that is away to be noticed, and for another to be asked.
const GRACE_MAX: u64 = 600_000;

/// The time of the ledger and of this machine: clocks differ, and nodes lag.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// The later one: what has to be done in time.
    pub now: Millis,
    /// The earlier one: what is over for certain.
    pub past: Millis,
}

impl Clock {
    pub async fn of(session: &Session) -> Result<Self, Failure> {
        let (ledger, own) = (session.client.status().await?.timestamp, Self::own().now);
        Ok(Self {
            now: own.max(ledger),
            past: own.min(ledger),
        })
    }

    /// This machine's alone.
    pub fn own() -> Self {
        let now = from_now(Duration::ZERO);
        Self { now, past: now }
    }
}

fn window(book: &Book) -> u64 {
    book.terms.channel().map_or(0, |c| c.challenge.0)
}

/// What the ledger is given: as long as the parties give each other to answer, within reason.
fn grace(book: &Book) -> u64 {
    window(book).clamp(GRACE_MIN, GRACE_MAX)
}

/// CH5: from then on a channel is closed, and nothing is paid in it: a window and some time before its end.
pub fn closes(book: &Book) -> Millis {
    let left = window(book).saturating_add(grace(book));
    Millis(book.terms.expires.0.saturating_sub(left))
}

/// CH6: from then on a part whose secret is known is claimed on the ledger.
pub fn claims(book: &Book, part: &ChannelPart) -> Millis {
    Millis(part.expires.0.saturating_sub(grace(book)))
}

/// CH5: whether the ledger would still pay out by a state that is signed now, as `deal` has the channel.
pub fn may_sign(book: &Book, deal: &Deal, last: bool, now: Millis) -> Result<(), Failure> {
    let id = deal.id;
    let refused = |words: String, hint: String| {
        Err(Failure::new(Kind::Refused, words).hint(format!("nothing was signed; {hint}")))
    };
    // One transaction ends it by a last state.
    let in_time = |end: Millis| now.saturating_add(GRACE_MIN) < end;
    if deal.state != DealState::Open {
        return refused(
            format!("channel {id} is over: the ledger has paid it out"),
            format!("`weft channel status {id}` shows by which version"),
        );
    }
    if let Some(standing) = &deal.standing {
        let shown = standing.state.as_ref().map_or(0, |s| s.version);
        let state = book.state();
        let agreed = last && state.parts.is_empty() && shown <= state.version;
        let agreed = agreed && in_time(standing.ends());
        return match agreed {
            true => Ok(()),
            false => refused(
                format!(
                    "channel {id} is closing with version {shown} until {}",
                    time::utc(standing.ends())
                ),
                format!(
                    "`weft channel challenge {id}` shows the ledger what is newer; a last state (`close --together`) is signed where no hash-locked part is open"
                ),
            ),
        };
    }
    let ends = deal.expires;
    if !in_time(ends) || (!last && now >= closes(book)) {
        return refused(
            format!(
                "channel {id} ends on {}, which is too near: the ledger may not be shown another state in time",
                time::utc(ends)
            ),
            format!("`weft channel close {id}` closes it as it stands"),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::testing::{book, deal};
    use weft_types::{ChannelState, Standing, testing};

    #[test]
    fn nothing_is_signed_that_the_ledger_would_not_pay_by() {
        // The channel ends at 90,000, with a window of 5,000, and as much before it.
        let book = book();
        assert_eq!(closes(&book), Millis(80_000));
        let may = |deal: &Deal, last, now| may_sign(&book, deal, last, Millis(now)).is_ok();
        let open = deal();
        for (now, last, expected) in [
            (79_999, false, true),
            (80_000, false, false),
            (80_000, true, true),
            (84_999, true, true),
            (85_000, true, false),
        ] {
            assert_eq!(may(&open, last, now), expected, "{now}");
        }
        for state in [DealState::Expired, DealState::Taken] {
            let over = Deal { state, ..deal() };
            assert!(!may(&over, false, 1_000) && !may(&over, true, 1_000));
        }
        let closing = |version| Deal {
            standing: Some(Box::new(Standing {
                state: Some(ChannelState {
                    version,
                    ..testing::signed_state().state
                }),
                until: Millis(60_000),
                ..Standing::default()
            })),
            ..deal()
        };
        // Parts are open, so that secrets which the ledger knows may count.
        assert!(!may(&closing(6), false, 1_000) && !may(&closing(6), true, 1_000));
        let mut settled = book.clone();
        settled.newest.as_mut().unwrap().state.parts.clear();
        let may = |deal: &Deal, last| may_sign(&settled, deal, last, Millis(1_000)).is_ok();
        assert!(!may(&closing(6), false) && may(&closing(7), true));
        assert!(!may(&closing(8), true));
        // The parts of what the ledger has been shown expire at 80,000, after the window.
        let late = may_sign(&settled, &closing(7), true, Millis(75_000));
        assert!(late.is_err());
    }
}
