//! Sending what is planned, and finding out what is there already.
//!
//! The ledger's own list of editions, by reference, says what is missing: the state file only says
//! which transactions may still be under way, and these are settled first.

use super::journal::{Journal, Sent};
use super::plan::{Card, batches};
use crate::failure::{Failure, Kind};
use crate::sending::{Session, settled};
use crate::values::from_now;
use bytes::Bytes;
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::time::Duration;
use weft_client::{ClientError, PageQuery, Wait};
use weft_types::api::{Edition, PAGE_MAX, Submission, TransactionState, TransactionStatus};
use weft_types::{
    Amount, CollectionId, EditionId, NewEdition, ObjectId, Operation, TRANSACTION_BYTES_MAX,
    Transaction,
};

/// Transactions under way at once.
const IN_FLIGHT: usize = 8;
/// Left for what a transaction says besides its operations.
const ENVELOPE_BYTES: usize = 1 << 10;
/// After a transaction's validity has passed, until it is certain that no commit can bring it:
/// nodes' clocks, and with them the commits' timestamps, may be this far behind.
const CLOCKS: Duration = Duration::from_secs(5);

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub created: u64,
    pub fee: u64,
}

/// Waits for the outcome of transactions of an import that was stopped.
pub async fn settle(session: &Session, journal: &mut Journal) -> Result<(), Failure> {
    for sent in journal.pending() {
        let known = match Transaction::decode(Bytes::from(sent.encoded.clone())) {
            Ok(transaction) => session.client.submit(&transaction, Wait::Committed).await,
            Err(error) => {
                let words = format!("the state file's transaction {}: {error}", sent.transaction);
                return Err(Failure::usage(words));
            }
        };
        match known {
            Ok(status) if status.state == TransactionState::Submitted => {
                return settled(&status, Wait::Committed);
            }
            Ok(status) if status.state.applied() => {
                session.client.has_seen(status.commit.unwrap_or_default());
                journal.outcome(status.id, status.commit, created(&status, &sent.references))?;
            }
            Ok(_) | Err(ClientError::Problem { .. }) => over(&sent, journal).await?,
            Err(error) => return Err(error.into()),
        }
    }
    session.client.has_seen(journal.seen());
    Ok(())
}

/// A node does not take the transaction any more. Another may have taken it before: once its validity
/// has passed, it is in the ledger or never will be.
async fn over(sent: &Sent, journal: &mut Journal) -> Result<(), Failure> {
    let end = sent.valid_until.saturating_add(CLOCKS.as_millis() as u64);
    let now = from_now(Duration::ZERO);
    tokio::time::sleep(Duration::from_millis(end.saturating_sub(now.0).0)).await;
    journal.outcome(sent.transaction, None, BTreeMap::new())
}

/// Editions that exist, by reference. The first of one is taken.
pub async fn existing(
    session: &Session,
    collection: &CollectionId,
) -> Result<BTreeMap<String, Edition>, Failure> {
    let mut editions = BTreeMap::new();
    let mut query = PageQuery::limit(PAGE_MAX);
    loop {
        let client = &session.client;
        let page = client.collection_editions(collection, &query).await?;
        for edition in page.items {
            editions.entry(edition.reference.clone()).or_insert(edition);
        }
        match page.next {
            None => return Ok(editions),
            next => query.cursor = next,
        }
    }
}

/// Whether the edition is as the card describes it.
pub fn is_same(edition: &Edition, card: &NewEdition) -> bool {
    edition.name == card.name
        && edition.cap == card.cap
        && edition.traits == card.traits
        && edition.image == card.image
        && edition.image_hash == card.image_hash
        && edition.metadata_hash == card.metadata_hash
}

fn operations(cards: &[Card]) -> Vec<Operation> {
    let editions = cards.iter().map(|card| card.edition.clone());
    editions.map(Operation::CreateEdition).collect()
}

/// Divides cards into transactions.
pub fn divide<'a>(session: &Session, cards: &'a [Card], most: usize) -> Vec<&'a [Card]> {
    let bytes = |card: &Card| {
        let alone = operations(std::slice::from_ref(card));
        session.body(alone).encode().len()
    };
    batches(cards, most, TRANSACTION_BYTES_MAX - ENVELOPE_BYTES, bytes)
}

/// What all of it will cost.
pub fn fee(session: &Session, batches: &[&[Card]]) -> Amount {
    let fees = batches.iter().map(|batch| {
        let body = session.body(operations(batch));
        body.max_fee.0
    });
    Amount(fees.fold(0, u64::saturating_add))
}

/// Creates the editions, some transactions at a time, in order.
pub async fn create(
    session: &Session,
    batches: &[&[Card]],
    journal: &mut Journal,
    bar: &ProgressBar,
    done: &mut Done,
) -> Result<(), Failure> {
    for window in batches.chunks(IN_FLIGHT) {
        let signed = window.iter().map(|batch| {
            let transaction = session.sign(session.body(operations(batch)));
            let references = batch.iter().map(|card| card.edition.reference.clone());
            (transaction, references.collect())
        });
        let signed: Vec<(Transaction, Vec<String>)> = signed.collect();
        journal.sending(&signed)?;
        let transactions: Vec<Transaction> = signed.iter().map(|(t, _)| t.clone()).collect();
        let answers = session
            .client
            .submit_many(&transactions, Wait::Committed)
            .await?;
        // All answers are taken before the first failure ends the import.
        let mut failed = None;
        for (answer, (batch, (_, references))) in
            answers.into_iter().zip(window.iter().zip(&signed))
        {
            match outcome(answer, batch) {
                Ok(status) => {
                    let editions = created(&status, references);
                    journal.outcome(status.id, status.commit, editions)?;
                    done.created += batch.len() as u64;
                    done.fee += status.receipt.map_or(0, |r| r.fee.0);
                    bar.inc(batch.len() as u64);
                }
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        if let Some(failure) = failed {
            return Err(failure);
        }
    }
    Ok(())
}

/// The status of a transaction that was applied.
fn outcome(answer: Submission, batch: &[Card]) -> Result<TransactionStatus, Failure> {
    match answer {
        Submission::Refused(refused) => {
            let problem = refused.problem;
            let words = format!("{problem} ({})", problem.code);
            Err(Failure::new(Kind::Refused, words).hint(problem.hint))
        }
        Submission::Taken(status) => match settled(&status, Wait::Committed) {
            Ok(()) => Ok(status),
            Err(mut failure) => {
                let receipt = status.receipt.as_ref();
                let operation = receipt.and_then(|r| r.operation).unwrap_or(0);
                if let Some(card) = batch.get(operation as usize) {
                    failure.message = format!("{}: {}", card.place, failure.message);
                }
                Err(failure)
            }
        },
    }
}

/// The editions of a receipt, by reference.
fn created(status: &TransactionStatus, references: &[String]) -> BTreeMap<String, EditionId> {
    let ids = status.receipt.iter().flat_map(|receipt| &receipt.created);
    let ids = ids.filter_map(|id| match id {
        ObjectId::Edition(id) => Some(*id),
        _ => None,
    });
    references.iter().cloned().zip(ids).collect()
}
