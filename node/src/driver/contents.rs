//! A4: content that the ledger names and this node lacks is asked of others: what somebody waits for at once, of all who
//! are connected; the rest now and then, of some. One question is under way at a time, and what comes is
//! believed for its hash alone.

use super::fetch::{AnswerLimits, ServeError};
use super::links::Links;
use crate::contents::{FIND_MAX, Wanted};
use crate::index;
use bytes::Bytes;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use weft_network::Handle;
use weft_storage::{Cursor, Durability, Kept, Store, StoreError};
use weft_types::{CONTENT_BYTES_MAX, CONTENTS_ASKED_MAX, ContentHash, MemberIndex, wire};

/// Between two looks at what is missing.
const INTERVAL: Duration = Duration::from_secs(2);
/// After a question that nobody could answer: whoever asks this node for what is nowhere makes it ask others
/// so often and no more.
const PAUSE: Duration = Duration::from_millis(100);
/// Members asked at each look: content that is nowhere costs each of them a few looks into an index.
const ASKED_AT_ONCE: usize = 3;

/// Answers with what is here of the content asked for, as much as fits.
pub fn answer(store: &Store, asked: &[Bytes], limits: AnswerLimits) -> Result<Bytes, ServeError> {
    let (count, max) = (asked.len(), CONTENTS_ASKED_MAX);
    if count > max {
        return Err(ServeError::TooMany { asked: count, max });
    }
    let (mut contents, mut bytes) = (Vec::new(), 0);
    for hash in asked {
        let Ok(hash) = ContentHash::try_from(hash.as_ref()) else {
            continue;
        };
        let Some(content) = store.content(&hash)? else {
            continue;
        };
        bytes += content.len();
        if bytes > limits.bytes_max {
            break;
        }
        contents.push(content);
    }
    let answer = wire::FetchResponse {
        contents,
        ..wire::FetchResponse::default()
    };
    Ok(answer.encode_to_vec().into())
}

/// What of an answer was asked for, by its hash.
fn believed(asked: &BTreeSet<ContentHash>, contents: Vec<Bytes>) -> BTreeMap<ContentHash, Bytes> {
    let short = contents
        .into_iter()
        .filter(|c| c.len() <= CONTENT_BYTES_MAX);
    let hashed = short
        .take(CONTENTS_ASKED_MAX)
        .map(|c| (ContentHash::of(&c), c));
    hashed.filter(|(hash, _)| asked.contains(hash)).collect()
}

/// The task that asks.
pub struct Puller {
    pub store: Arc<Store>,
    pub links: Links,
    /// A3: most bytes of content that are kept.
    pub bytes_max: u64,
    pub wanted: mpsc::Receiver<Wanted>,
}

impl Puller {
    /// Until `stop`, or until the store fails, which ends the node.
    pub async fn run(mut self, stop: CancellationToken) {
        let running = stop.run_until_cancelled(self.follow()).await;
        match running {
            Some(Err(error)) => tracing::error!(%error, "content cannot be kept"),
            Some(Ok(())) => stop.cancelled().await,
            None => {}
        }
    }

    /// Until nobody can want anything any more.
    async fn follow(&mut self) -> Result<(), StoreError> {
        let mut look = tokio::time::interval(INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut after = None;
        loop {
            let mut wanted = Vec::new();
            tokio::select! {
                count = self.wanted.recv_many(&mut wanted, CONTENTS_ASKED_MAX) => {
                    if count == 0 {
                        return Ok(());
                    }
                    if !self.find(wanted).await? {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
                _ = look.tick() => after = self.catch_up(after).await?,
            }
        }
    }

    /// Those who wait are answered as it comes, also when it cannot be kept.
    /// Returns whether all was found.
    async fn find(&self, wanted: Vec<Wanted>) -> Result<bool, StoreError> {
        let mut waiting: BTreeMap<ContentHash, Vec<oneshot::Sender<Bytes>>> = BTreeMap::new();
        for Wanted { hash, answer } in wanted {
            waiting.entry(hash).or_default().push(answer);
        }
        let end = Instant::now() + FIND_MAX;
        let network = self.links.get();
        for member in connected(&network) {
            let asked = waiting.keys().copied().collect();
            let found = tokio::time::timeout_at(end, self.ask(&network, member, &asked)).await;
            let Ok(found) = found else { break };
            for (hash, content) in found? {
                for answer in waiting.remove(&hash).into_iter().flatten() {
                    // Who has given up needs no answer.
                    let _ = answer.send(content.clone());
                }
            }
            if waiting.is_empty() {
                break;
            }
        }
        Ok(waiting.is_empty())
    }

    /// Asks for some of what is missing. Returns where to go on.
    async fn catch_up(&self, after: Option<Cursor>) -> Result<Option<Cursor>, StoreError> {
        if self.store.content_bytes() >= self.bytes_max {
            return Ok(None);
        }
        let store = self.store.clone();
        let missing = tokio::task::spawn_blocking(move || index::missing(&store, after));
        // The blocking pool ends with the runtime.
        let Ok(missing) = missing.await else {
            return Ok(None);
        };
        let (mut missing, next) = missing?;
        let network = self.links.get();
        for member in connected(&network).into_iter().take(ASKED_AT_ONCE) {
            if missing.is_empty() {
                break;
            }
            let found = self.ask(&network, member, &missing).await?;
            missing.retain(|hash| !found.contains_key(hash));
        }
        Ok(next)
    }

    /// What a member has of it, kept as far as there is room. One that does not answer has nothing.
    async fn ask(
        &self,
        network: &Handle,
        of: MemberIndex,
        asked: &BTreeSet<ContentHash>,
    ) -> Result<BTreeMap<ContentHash, Bytes>, StoreError> {
        let request = wire::FetchRequest {
            contents: asked.iter().map(|h| Bytes::copy_from_slice(&h.0)).collect(),
            ..wire::FetchRequest::default()
        };
        let answer = match network.fetch(of, request.encode_to_vec().into()).await {
            Ok(bytes) => wire::FetchResponse::decode(bytes).unwrap_or_default(),
            Err(error) => {
                tracing::debug!(member = %of, %error, "no answer about content");
                return Ok(BTreeMap::new());
            }
        };
        let sent = answer.contents.len();
        let found = believed(asked, answer.contents);
        if found.len() < sent {
            tracing::warn!(member = %of, sent, of_use = found.len(), "sent content that was not asked for");
        }
        let (store, bytes_max, kept) = (self.store.clone(), self.bytes_max, found.clone());
        let written = tokio::task::spawn_blocking(move || keep(&store, &kept, bytes_max));
        written.await.unwrap_or(Ok(()))?;
        Ok(found)
    }
}

fn keep(
    store: &Store,
    found: &BTreeMap<ContentHash, Bytes>,
    bytes_max: u64,
) -> Result<(), StoreError> {
    for (hash, content) in found {
        // A power loss costs another fetch.
        let kept = store.put_content(hash, content, bytes_max, Durability::Buffered)?;
        if let Kept::Full(bytes) = kept {
            tracing::debug!(%hash, bytes, bytes_max, "content is not kept: there is no room");
        }
    }
    Ok(())
}

/// Members that can be asked, in an order of chance.
fn connected(network: &Handle) -> Vec<MemberIndex> {
    let peers = network.peers().into_iter().filter(|peer| peer.connected);
    let mut members: Vec<MemberIndex> = peers.map(|peer| peer.member).collect();
    members.sort_by_cached_key(|_| rand::random::<u64>());
    members
}

#[cfg(test)]
mod tests;
