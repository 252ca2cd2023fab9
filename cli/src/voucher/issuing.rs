//! The issuer's part: cover on the ledger, and blind signatures beside it, no more of these than of the other.

use super::journal::Journal;
use super::kept::{self, PoolFile, Request, Signed};
use super::still_open;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::sending::Sender;
use crate::values::{from_now, lines};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;
use weft_types::api::VoucherPool;
use weft_types::{Operation, VoucherPoolId};

#[derive(clap::Args)]
pub struct Issue {
    /// Requests of holders; each answer is written beside it, as FILE.signed
    #[arg(value_name = "FILE")]
    requests: Vec<PathBuf>,
    /// The pool's blind key, made by `weft voucher pool`; what it has signed is kept beside it, in FILE.journal
    #[arg(long, value_name = "FILE")]
    pool_key: PathBuf,
    /// Vouchers to cover now; without it as many as there are requests that were not signed before. Cover in large lots ahead
    /// of time, and 0 here, so that others cannot see when vouchers are sold. More than is covered is never signed
    #[arg(long, value_name = "COUNT")]
    cover: Option<u64>,
    #[command(flatten)]
    sender: Sender,
}

/// What `issue` has done.
#[derive(Serialize)]
struct Issued {
    pool: VoucherPoolId,
    covered: u64,
    signed: Vec<PathBuf>,
}

pub async fn issue(arguments: &Issue, output: &Output) -> Result<(), Failure> {
    let file: PoolFile = kept::read_secret(&arguments.pool_key)?;
    let key = file.key()?;
    let public = key.public();
    let mut journal = Journal::beside(&arguments.pool_key)?;
    let (mut answers, mut asked) = (Vec::new(), Vec::new());
    // All of them before anything is covered.
    for path in &arguments.requests {
        let request: Request = kept::read(path)?;
        if (request.network, request.key) != (file.network, public) {
            let words = format!("{} asks another pool", path.display());
            return Err(Failure::usage(words));
        }
        let signed = key.sign(&request.blinded).map_err(Failure::usage)?;
        let answer = Signed {
            network: request.network,
            key: request.key,
            signed,
        };
        asked.push(request.blinded);
        answers.push((path.with_added_extension("signed"), answer));
    }
    let new = journal.new_among(&asked);
    let pool = public.pool();
    let count = arguments.cover.unwrap_or(new.len() as u64);
    let told = match arguments.sender.network.client() {
        Ok(client) => client.voucher_pool(&pool).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    match told {
        Ok(pool) => {
            if pool.issued > 0 && journal.signed() == 0 {
                output.alarm(format_args!(
                    "WARNING: {} vouchers are covered, and beside the key stands no journal of what it has signed: if it is lost, \
                     or with another copy of the key, more may be signed than are covered.",
                    pool.issued
                ));
            }
            let counts = (journal.signed(), new.len() as u64, count);
            still_open(&pool, from_now(Duration::ZERO))
                .and_then(|()| coverable(&pool, counts))
                .map_err(nothing_done)?;
        }
        // A machine without a network may have the key.
        Err(failure) if count == 0 && failure.kind != Kind::Refused => output.alarm(format_args!(
            "{}: nobody has said whether these vouchers are covered.",
            failure.message
        )),
        Err(failure) => return Err(failure),
    }
    if count > 0 {
        let session = arguments.sender.session().await?;
        let cover = Operation::VoucherIssue { pool, count };
        session.send(vec![cover], output).await?;
    }
    journal.add(&new)?;
    for (path, answer) in &answers {
        kept::write(path, answer)?;
    }
    if new.len() < answers.len() {
        output.say(format_args!(
            "{} of these were signed before: they are the same vouchers again.",
            answers.len() - new.len()
        ));
    }
    let issued = Issued {
        pool,
        covered: count,
        signed: answers.into_iter().map(|(path, _)| path).collect(),
    };
    output.data(&issued, |issued| {
        let mut pairs = vec![
            ("pool", issued.pool.to_string()),
            ("covered", issued.covered.to_string()),
        ];
        let signed = issued.signed.iter();
        pairs.extend(signed.map(|path| ("signed", path.display().to_string())));
        lines(&pairs)
    })
}

/// Whether all that the key has signed, and is to sign, is covered: what was paid is signed in any case.
fn coverable(pool: &VoucherPool, counts: (u64, u64, u64)) -> Result<(), Failure> {
    let (before, new, cover) = counts;
    let signed = before.max(pool.spent).saturating_add(new);
    let covered = pool.issued.saturating_add(cover);
    if new == 0 || signed <= covered {
        return Ok(());
    }
    let words = format!(
        "the key would have signed {signed} in all, and {covered} are covered: who spends last would be paid nothing"
    );
    Err(Failure::new(Kind::Refused, words).hint(format_args!(
        "nothing was sent, and nothing signed; --cover {} is enough",
        signed - pool.issued
    )))
}

fn nothing_done(failure: Failure) -> Failure {
    match failure.hint {
        Some(_) => failure,
        None => failure.hint("nothing was sent, and nothing signed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voucher::tests::pool;

    #[test]
    fn no_more_is_signed_than_is_covered() {
        let told =
            |pool: &VoucherPool, counts| coverable(pool, counts).map_err(|f| f.hint.unwrap());
        let three = pool(3, 3, false);
        assert_eq!(told(&three, (3, 1, 1)), Ok(()));
        assert_eq!(told(&three, (3, 0, 0)), Ok(()));
        assert!(told(&three, (3, 1, 0)).unwrap_err().contains("--cover 1 "));
        // A journal that was lost: what is spent was signed.
        assert!(told(&three, (0, 2, 1)).unwrap_err().contains("--cover 2 "));
        let ahead = pool(10, 0, false);
        assert_eq!(told(&ahead, (8, 2, 0)), Ok(()));
        assert!(told(&ahead, (9, 2, 0)).unwrap_err().contains("--cover 1 "));
    }
}
