//! `weft swap refund`: what nobody has claimed in time goes back.

use super::judging::Time;
use super::{Sending, Target, amount_shown, expires, known, open, send};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::time;
use crate::values::lines;
use serde::Serialize;
use weft_basechain::LockId;
use weft_types::BaseAddress;

#[derive(clap::Args)]
pub struct Refund {
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Outcome {
    lock: LockId,
    locker: BaseAddress,
    #[serde(flatten)]
    sending: Sending,
}

pub async fn refund(arguments: &Refund, output: &Output) -> Result<(), Failure> {
    let (asking, id) = (&arguments.target.asking, arguments.target.lock);
    let (account, locks) = arguments.target.connect().await?;
    let order = locks.refund_order(id);
    let mut payer = account.payer(&asking.terms, output)?;
    let lock = known(&locks, id).await?;
    let sending = match asking.earlier(&mut payer, &order).await? {
        Some(mined) => Sending::earlier(&mined),
        None => {
            open(id, &lock)?;
            let left = Time::of(&locks).await?.left(&lock.terms);
            if !left.is_zero() {
                let words = format!(
                    "lock {id} can be claimed until {}, and comes back no earlier",
                    time::utc(expires(&lock.terms))
                );
                let hint = format!("nothing was sent; that is in {} s", left.as_secs());
                return Err(Failure::new(Kind::Refused, words).hint(hint));
            }
            let words = format!(
                "About to have {} paid back to {}, who has locked it.",
                amount_shown(&lock.terms),
                lock.locker
            );
            let sent = send((asking, &mut payer), &order, &words, output);
            sent.await?.0
        }
    };
    let outcome = Outcome {
        lock: id,
        locker: lock.locker,
        sending,
    };
    output.data(&outcome, |outcome| {
        let mut rows = vec![
            ("lock", outcome.lock.to_string()),
            ("paid back to", outcome.locker.to_string()),
        ];
        rows.extend(outcome.sending.rows());
        lines(&rows)
    })
}
