//! What a gate has let in without a network, sent when there is one: each as a transaction of its own, so that a ticket
//! that another gate has taken spoils no other.

use super::code::read;
use super::journal::{Journal, LetIn, Outcome};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::sending::{Sender, Session};
use bytes::Bytes;
use serde::Serialize;
use std::collections::BTreeSet;
use weft_client::Wait;
use weft_types::api::{Problem, Submission, TransactionState};
use weft_types::{Operation, Transaction};

/// Transactions that are sent and waited for together.
const BATCH: usize = 256;

/// What came of all that the journal holds.
#[derive(Debug, Default, Serialize)]
struct Report {
    redeemed: u64,
    /// Let in here, and taken by another gate.
    duplicates: Vec<Other>,
    refused: Vec<Other>,
    /// Refused for the gate's sake: sent again when that is mended.
    held: Vec<Other>,
    /// To be sent again, those among them.
    unsettled: usize,
}

#[derive(Debug, Serialize)]
struct Other {
    #[serde(flatten)]
    entry: LetIn,
    /// The receipt's.
    reason: String,
}

pub async fn send(journal: &mut Journal, sender: &Sender, output: &Output) -> Result<(), Failure> {
    let session = sender.session().await?;
    let (mut refused, mut tried) = (Vec::new(), BTreeSet::new());
    loop {
        let turn = journal.turn(&mut tried);
        if turn.is_empty() {
            break;
        }
        for batch in turn.chunks(BATCH) {
            refused.extend(send_batch(journal, batch, &session).await?);
        }
    }
    let report = Report::of(journal, refused);
    output.data(&report, Report::text)?;
    match report {
        Report { held, .. } if !held.is_empty() => Err(Failure::new(
            Kind::Refused,
            format_args!(
                "{} were not taken for a reason that may pass, named beside each",
                held.len()
            ),
        )
        .hint("they stay in the journal: mend it (`weft account fund` for fees, `weft collection role` for the role of a gate, --key and --account for another one, which counts once what the last one has sent is expired, in a minute), and send again")),
        Report { unsettled, .. } if unsettled > 0 => Err(Failure::new(
            Kind::Unreachable,
            format_args!("{unsettled} have no outcome yet"),
        )
        .hint("send again")),
        Report { duplicates, .. } if !duplicates.is_empty() => Err(Failure::new(
            Kind::Invalid,
            format_args!("{} had been taken by another gate", duplicates.len()),
        )),
        Report { refused, .. } if !refused.is_empty() => Err(Failure::new(
            Kind::Refused,
            format_args!("{} were refused", refused.len()),
        )),
        _ => Ok(()),
    }
}

/// Those that were sent before are sent as they were: the same bytes have one outcome. Returns those that no node has taken,
/// for the gate's sake: their bytes can still be ordered, until they expire.
async fn send_batch(
    journal: &mut Journal,
    batch: &[(usize, LetIn, Option<Vec<u8>>)],
    session: &Session,
) -> Result<Vec<Other>, Failure> {
    let mut transactions = Vec::with_capacity(batch.len());
    let mut new = Vec::new();
    for (number, entry, sent) in batch {
        let transaction = match sent {
            Some(bytes) => Transaction::decode(Bytes::copy_from_slice(bytes))
                .map_err(|e| Failure::new(Kind::Failed, format_args!("journal: {e}")))?,
            None => {
                let code = read(&entry.code)?;
                let (item, pass) = (code.item, code.pass);
                let made = session.sign(session.body(vec![Operation::Redeem { item, pass }]));
                new.push((*number, made.encoded().to_vec()));
                made
            }
        };
        transactions.push(transaction);
    }
    journal.sending(new)?;
    let answers = session.client.submit_many(&transactions, Wait::Committed);
    let answers = answers.await?;
    let outcomes = batch.iter().zip(&answers);
    let outcomes = outcomes.filter_map(|((number, ..), answer)| Some((*number, outcome(answer)?)));
    journal.settled(outcomes.collect())?;
    let refused = batch.iter().zip(&answers);
    let refused = refused.filter_map(|((_, entry, _), answer)| match answer {
        Submission::Refused(refused) if may_pass(&refused.problem) => Some(Other {
            entry: entry.clone(),
            reason: refused.problem.code.clone(),
        }),
        _ => None,
    });
    Ok(refused.collect())
}

/// Whether somebody has to mend what a node refuses; all else is sent again.
fn may_pass(problem: &Problem) -> bool {
    !problem.retryable && !["expired", "replayed"].contains(&problem.code.as_str())
}

/// `None` while there is none.
fn outcome(answer: &Submission) -> Option<Outcome> {
    match answer {
        Submission::Taken(status) => match status.state {
            TransactionState::Submitted => None,
            TransactionState::Expired => Some(Outcome::Expired),
            TransactionState::Rejected => Some(Outcome::of(
                status.code_name.as_deref().unwrap_or("unknown"),
            )),
            _ => Some(Outcome::Redeemed),
        },
        Submission::Refused(refused) if refused.problem.code == "expired" => Some(Outcome::Expired),
        Submission::Refused(_) => None,
    }
}

impl Report {
    fn of(journal: &Journal, refused: Vec<Other>) -> Self {
        let mut report = Self {
            unsettled: journal.pending().len(),
            held: refused,
            ..Self::default()
        };
        let held = journal.held().map(|(entry, reason)| Other {
            entry: entry.clone(),
            reason: reason.to_owned(),
        });
        report.held.extend(held);
        for (entry, outcome) in journal.outcomes() {
            let other = |reason: &String| Other {
                entry: entry.clone(),
                reason: reason.clone(),
            };
            match outcome {
                Outcome::Redeemed => report.redeemed += 1,
                Outcome::Duplicate { code } => report.duplicates.push(other(code)),
                Outcome::Refused { code } => report.refused.push(other(code)),
                Outcome::Expired => {}
            }
        }
        report
    }

    fn text(&self) -> String {
        let mut lines = vec![format!(
            "{} redeemed, {} taken by another gate, {} refused, {} without an outcome",
            self.redeemed,
            self.duplicates.len(),
            self.refused.len(),
            self.unsettled
        )];
        let listed = [
            ("duplicate", &self.duplicates),
            ("refused", &self.refused),
            ("not taken", &self.held),
        ];
        for (what, others) in listed {
            let others = others.iter().map(|other| {
                let at = crate::time::utc(other.entry.at);
                format!(
                    "{what}  {}  let in at {at}: {}",
                    other.entry.item, other.reason
                )
            });
            lines.extend(others);
        }
        lines.join("\n")
    }
}
