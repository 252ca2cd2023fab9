//! What the nodes tell while a load runs. Each node's event stream says which commits it has executed
//! and which heights are certified; what a commit holds is read once, from the node that announced
//! it first. So the cost of following does not grow with the number of nodes.

use super::book::Place;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use weft_client::{Client, ClientError, Options, PageQuery, Wait};
use weft_types::api::{Event, PAGE_MAX, Receipt, Submission, Topic};
use weft_types::{CommitIndex, TransactionId};

/// Before a node that does not answer is tried again.
const PAUSE: Duration = Duration::from_millis(200);
/// How often the receipts of a commit are asked for before they are given up.
const ATTEMPTS: usize = 100;
/// Commits whose receipts are read at the same time.
const READERS: usize = 16;
/// For one answer: a node that needs longer counts as down, and others are asked.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// One thing that a node said, or did not.
#[derive(Debug)]
pub enum Note {
    Executed {
        node: usize,
        commit: CommitIndex,
        /// How many transactions are in it, where the node says so.
        transactions: Option<u64>,
    },
    Certified {
        node: usize,
        commit: CommitIndex,
    },
    Receipts {
        commit: CommitIndex,
        receipts: Vec<Outcome>,
    },
    /// The receipts of a commit cannot be had.
    Unread {
        commit: CommitIndex,
        error: String,
    },
    Answered {
        node: usize,
        places: Vec<Place>,
        answers: Result<Vec<Submission>, ClientError>,
    },
    Up(usize),
    Down(usize),
}

/// A transaction's id, and why it was rejected if it was.
pub type Outcome = (TransactionId, Result<(), String>);
pub type Notes = mpsc::Sender<Note>;

/// A client for each node alone, which asks once.
pub fn clients(urls: &[String]) -> Result<Vec<Client>, ClientError> {
    let options = Options {
        rounds: 1,
        request_timeout: ANSWER_MAX,
        ..Options::default()
    };
    let client = |url: &String| Client::with_options([url], options.clone());
    urls.iter().map(client).collect()
}

/// Follows a node's stream for good.
pub async fn follow(node: usize, client: Client, notes: Notes) {
    let mut stream = client.stream(&[Topic::Commits, Topic::Certificates]);
    let mut up = false;
    loop {
        // Says whether the node answers, also while it has nothing to tell.
        if stream.open().await.is_err() {
            up = false;
            if notes.send(Note::Down(node)).await.is_err() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        if !std::mem::replace(&mut up, true) && notes.send(Note::Up(node)).await.is_err() {
            return;
        }
        let note = match stream.next().await {
            Ok(event) => note(node, event.event),
            Err(_) => {
                up = false;
                Some(Note::Down(node))
            }
        };
        if let Some(note) = note
            && notes.send(note).await.is_err()
        {
            return;
        }
    }
}

fn note(node: usize, event: Event) -> Option<Note> {
    match event {
        Event::Commit {
            index,
            transactions,
            ..
        } => Some(Note::Executed {
            node,
            commit: index,
            transactions: Some(transactions),
        }),
        Event::Certificate { commit, .. } => Some(Note::Certified { node, commit }),
        // After a gap the next commit tells how far the node is.
        _ => None,
    }
}

/// Reads receipts and submits transactions, off the loop that keeps the books.
#[derive(Clone)]
pub struct Errands {
    pub clients: Arc<[Client]>,
    pub notes: Notes,
    readers: Arc<Semaphore>,
}

impl Errands {
    pub fn new(clients: Vec<Client>, notes: Notes) -> Self {
        Self {
            clients: clients.into(),
            notes,
            readers: Arc::new(Semaphore::new(READERS)),
        }
    }

    /// Reads what a commit holds, from `node` or any other.
    pub fn read(&self, node: usize, commit: CommitIndex) {
        let errands = self.clone();
        tokio::spawn(async move {
            let Ok(_reader) = errands.readers.acquire().await else {
                return;
            };
            let note = match errands.receipts(node, commit).await {
                Ok(receipts) => Note::Receipts { commit, receipts },
                Err(error) => Note::Unread {
                    commit,
                    error: error.to_string(),
                },
            };
            // The load may be over.
            let _ = errands.notes.send(note).await;
        });
    }

    async fn receipts(
        &self,
        node: usize,
        commit: CommitIndex,
    ) -> Result<Vec<Outcome>, ClientError> {
        let mut failure = ClientError::NoNodes;
        for attempt in 0..ATTEMPTS {
            let client = &self.clients[(node + attempt) % self.clients.len()];
            match all_receipts(client, commit).await {
                Ok(receipts) => return Ok(receipts.into_iter().map(outcome).collect()),
                Err(error) => failure = error,
            }
            if attempt % self.clients.len() == self.clients.len() - 1 {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Err(failure)
    }

    /// Sends encoded transactions to a node.
    pub fn submit(&self, node: usize, places: Vec<Place>, transactions: Vec<bytes::Bytes>) {
        let errands = self.clone();
        tokio::spawn(async move {
            let client = &errands.clients[node];
            let answers = client.submit_once(transactions, Wait::Submitted).await;
            let note = Note::Answered {
                node,
                places,
                answers,
            };
            let _ = errands.notes.send(note).await;
        });
    }
}

async fn all_receipts(client: &Client, commit: CommitIndex) -> Result<Vec<Receipt>, ClientError> {
    let mut page = PageQuery::limit(PAGE_MAX);
    let mut receipts = Vec::new();
    loop {
        let read = client.commit_receipts(&commit, &page).await?;
        receipts.extend(read.items);
        if read.next.is_none() {
            return Ok(receipts);
        }
        page.cursor = read.next;
    }
}

fn outcome(receipt: Receipt) -> Outcome {
    let failed = (receipt.code != 0).then_some(receipt.code_name);
    (receipt.transaction, failed.map_or(Ok(()), Err))
}
