//! `weft swap claim`: shows a lock's secret, so that its recipient is paid.

use super::judging::{Time, shallow};
use super::{Sending, Target, amount_shown, expires, known, open, send};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::time;
use crate::values::lines;
use serde::Serialize;
use weft_basechain::{HashLocked, HashLocks, LockId};
use weft_client::Client;
use weft_types::{BaseAddress, DealId, Secret, SecretHash};

#[derive(clap::Args)]
#[group(id = "by", required = true, multiple = false, args = ["secret", "deal"])]
pub struct Claim {
    /// 32 bytes in hexadecimal; public from then on
    #[arg(long, value_name = "SECRET")]
    secret: Option<Secret>,
    /// A deal of the ledger that was opened with the same secret, which is read there
    #[arg(long, value_name = "DEAL")]
    deal: Option<DealId>,
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Outcome {
    lock: LockId,
    recipient: BaseAddress,
    hash: SecretHash,
    #[serde(flatten)]
    sending: Sending,
}

/// The secret that a deal was opened with.
async fn shown(client: &Client, id: &DealId) -> Result<Secret, Failure> {
    let deal = client.deal(id).await?;
    let standing = deal.standing.as_ref();
    let secret = standing.and_then(|standing| standing.secrets.first());
    secret.copied().ok_or_else(|| {
        Failure::new(
            Kind::Refused,
            format_args!("deal {id} was not opened with a secret, or not yet"),
        )
        .hint("nothing was sent")
    })
}

/// Refuses what the contract would refuse, before the secret leaves this machine.
fn fits(id: LockId, lock: &HashLocked, secret: Secret, now: &Time) -> Result<(), Failure> {
    open(id, lock)?;
    if secret.hash() != lock.terms.hash {
        let words = format!(
            "the secret's hash {} does not open lock {id}",
            secret.hash()
        );
        return Err(Failure::usage(words).hint("nothing was sent, so that the secret is still one"));
    }
    if now.left(&lock.terms).is_zero() {
        let words = format!(
            "lock {id} is over since {}: it comes back to {}",
            time::utc(expires(&lock.terms)),
            lock.locker
        );
        return Err(Failure::new(Kind::Refused, words)
            .hint("nothing was sent, so that the secret is still one"));
    }
    Ok(())
}

async fn words(
    locks: &HashLocks,
    (id, lock): (LockId, &HashLocked),
    (now, confirmations): (&Time, u64),
) -> Result<String, Failure> {
    let mut words = format!(
        "About to have {} paid to {} by the secret of lock {id}, which is public from then on: it opens whatever is locked by \
         the same hash.",
        amount_shown(&lock.terms),
        lock.terms.recipient
    );
    if !locks.is_deep(id, confirmations).await? {
        words.push_str(&format!("\nWARNING: {}", shallow(confirmations)));
    }
    if let Some(close) = now.close(&lock.terms) {
        words.push_str(&format!("\nWARNING: {close}"));
    }
    Ok(words)
}

pub async fn claim(arguments: &Claim, output: &Output) -> Result<(), Failure> {
    let (asking, id) = (&arguments.target.asking, arguments.target.lock);
    let (account, locks) = arguments.target.connect().await?;
    let secret = match (arguments.secret, arguments.deal) {
        (Some(secret), _) => secret,
        (None, Some(deal)) => shown(&account.client, &deal).await?,
        (None, None) => return Err(Failure::usage("there is no secret to claim by")),
    };
    let order = locks.claim_order(id, secret);
    let mut payer = account.payer(&asking.terms, output)?;
    let lock = known(&locks, id).await?;
    let sending = match asking.earlier(&mut payer, &order).await? {
        Some(mined) => Sending::earlier(&mined),
        None => {
            let now = Time::of(&locks).await?;
            fits(id, &lock, secret, &now)?;
            let params = account.client.genesis().await?.template.params;
            let words = words(&locks, (id, &lock), (&now, params.base_confirmations));
            let words = words.await?;
            let sent = send((asking, &mut payer), &order, &words, output);
            sent.await?.0
        }
    };
    let outcome = Outcome {
        lock: id,
        recipient: lock.terms.recipient,
        hash: lock.terms.hash,
        sending,
    };
    output.data(&outcome, |outcome| {
        let mut rows = vec![
            ("lock", outcome.lock.to_string()),
            ("paid to", outcome.recipient.to_string()),
        ];
        rows.extend(outcome.sending.rows());
        lines(&rows)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::locked;
    use super::*;
    use weft_basechain::LockState;

    #[test]
    fn a_secret_leaves_only_for_an_open_lock_that_it_opens_in_time() {
        let (id, lock) = (LockId([7; 32]), locked(LockState::Open));
        let (right, wrong) = (Secret([5; 32]), Secret([6; 32]));
        let at = |seconds| Time(seconds);
        let expiry = lock.terms.expiry;
        assert!(fits(id, &lock, right, &at(expiry - 1)).is_ok());
        let late = fits(id, &lock, right, &at(expiry)).unwrap_err();
        assert!(late.message.contains("is over since"), "{late:?}");
        let other = fits(id, &lock, wrong, &at(0)).unwrap_err();
        assert!(other.message.contains("does not open"), "{other:?}");
        let over = locked(LockState::Refunded);
        assert!(fits(id, &over, right, &at(0)).is_err());
    }
}
