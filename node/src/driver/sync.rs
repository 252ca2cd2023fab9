//! S2 in the driver: a member's answers to the replica, and others' questions out of the store.

use super::engine::{Command, Commands};
use super::epochs;
use super::fetch::ServeError;
use crate::replica::Input;
use crate::replica::sync::{Answer, Archive, Ask, Closing, NoAnswer, Request, serve};
use crate::view::CertifiedView;
use bytes::Bytes;
use prost::Message as _;
use weft_network::Handle;
use weft_storage::{PageRequest, Store, StoreError};
use weft_types::{Certificate, Commit, CommitIndex, Epoch, Height, Statement, wire};

/// Receipts read at a time.
const PAGE_ENTRIES: usize = 4096;

/// What a database answers from.
impl Archive for Store {
    type Error = StoreError;

    fn closing(&self, epoch: Epoch) -> Result<Option<Closing>, StoreError> {
        epochs::ended(self, epoch)
    }

    fn certificate(&self, height: Height) -> Result<Option<Certificate>, StoreError> {
        self.certificate(height)
    }

    fn statement(&self, height: Height) -> Result<Option<Statement>, StoreError> {
        self.statement(height)
    }

    fn commit(&self, index: CommitIndex) -> Result<Option<Commit>, StoreError> {
        self.commit(index)
    }

    fn receipts(&self, after: CommitIndex, until: CommitIndex) -> Result<Vec<Bytes>, StoreError> {
        let mut receipts = Vec::new();
        let mut cursor = None;
        loop {
            let page = PageRequest::ascending(PAGE_ENTRIES).after(cursor);
            let page = self.receipts_between(after.next(), until, &page)?;
            for id in page.entries {
                receipts.extend(self.receipt(&id)?);
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(receipts);
            }
        }
    }
}

/// Answers a part of a snapshot.
pub fn answer(
    store: &Store,
    held: &[CertifiedView],
    request: &wire::SyncRequest,
) -> Result<Bytes, ServeError> {
    let request = Request::from_wire(request).ok_or(ServeError::Nothing)?;
    let answer = serve(store, held, &request)?;
    let answer = wire::FetchResponse {
        sync: answer.encode(),
        ..wire::FetchResponse::default()
    };
    Ok(answer.encode_to_vec().into())
}

/// Asks a member, and hands what it answers to the replica.
pub async fn ask_sync(network: Handle, commands: Commands, ask: Ask) {
    let Ask { id, of, request } = ask;
    let asked = wire::FetchRequest {
        sync: Some(request.to_wire()),
        ..wire::FetchRequest::default()
    };
    let answer = match network.fetch(of, asked.encode_to_vec().into()).await {
        Ok(bytes) => read(&request, bytes),
        Err(error) => {
            tracing::debug!(member = %of, %error, "no answer about a snapshot");
            Err(NoAnswer::Failed)
        }
    };
    let _ = commands
        .send(Command(Input::Sync { id, answer }, None))
        .await;
}

fn read(request: &Request, bytes: Bytes) -> Result<Answer, NoAnswer> {
    // A member of an earlier build answers as if it had been asked for no vertices.
    let answer = wire::FetchResponse::decode(bytes).unwrap_or_default();
    Answer::decode(request, answer.sync).map_err(NoAnswer::Malformed)
}
