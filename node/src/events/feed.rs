//! What the driver tells the stream, as events with their topics.

use super::{Entry, EventLog};
use crate::index::{Indexed, collection_of};
use std::collections::BTreeSet;
use weft_ledger::Change;
use weft_types::api::{self, Event, Ordered, Topic};
use weft_types::{Certificate, Commit, DealState, Height, Object, ObjectId, Vertex};

impl EventLog {
    /// A commit is in the store and readers have its view.
    pub fn on_commit(&self, commit: &Commit, indexed: &Indexed<'_>) {
        if !self.wanted() {
            self.skip();
            return;
        }
        let changes = indexed.applied.changes.iter();
        let changes = changes.filter_map(|change| entry(indexed, change));
        let done = Event::Commit {
            index: commit.index,
            digest: commit.digest(),
            timestamp: commit.timestamp,
            vertices: commit.vertices.len() as u64,
            transactions: indexed.applied.receipts.len() as u64,
        };
        let done = Entry::new(done, [Topic::Commits]);
        let entries: Vec<Entry> = changes.chain([done]).collect();
        self.publish(entries);
    }

    /// A height has its certificate.
    pub fn on_certified(&self, certificate: &Certificate) {
        let statement = &certificate.statement;
        let event = Event::Certificate {
            height: statement.height,
            epoch: statement.epoch,
            commit: statement.commit,
            state_root: statement.state_root,
        };
        self.tell(event, Topic::Certificates);
    }

    /// A certificate is on the base chain, or is final there.
    pub fn on_checkpoint(&self, height: Height, anchored: bool) {
        self.tell(Event::Checkpoint { height, anchored }, Topic::Checkpoints);
    }

    /// A vertex has joined the DAG.
    pub fn on_vertex(&self, vertex: &Vertex) {
        let event = Event::Vertex {
            round: vertex.round(),
            author: vertex.author(),
            digest: vertex.digest(),
            parents: vertex.parents().iter().map(|p| p.digest).collect(),
            transactions: vertex.payload().len() as u64,
        };
        self.tell(event, Topic::Dag);
    }

    fn tell(&self, event: Event, topic: Topic) {
        if self.wanted() {
            self.publish([Entry::new(event, [topic])]);
        } else {
            self.skip();
        }
    }
}

/// An object as the commit left it, for everybody whom it concerns.
fn entry(indexed: &Indexed<'_>, change: &Change) -> Option<Entry> {
    fn ordered<T>(indexed: &Indexed<'_>, object: T) -> Ordered<T> {
        Ordered {
            commit: indexed.commit,
            timestamp: indexed.timestamp,
            object,
        }
    }
    let last = change.after.as_ref().or(change.retired.as_ref());
    let mut topics = BTreeSet::new();
    let event = match (change.id, last) {
        (ObjectId::Account(id), account) => {
            topics.insert(Topic::Account(id));
            // One that holds nothing any more is no object.
            let account = account.and_then(Object::as_account).cloned();
            let account = api::Account::new(id, &account.unwrap_or_default());
            Event::Account(ordered(indexed, account))
        }
        (ObjectId::Collection(id), Some(Object::Collection(collection))) => {
            topics.insert(Topic::Collection(id));
            let collection = api::Collection::new(id, collection);
            Event::Collection(ordered(indexed, collection))
        }
        (ObjectId::Edition(id), Some(Object::Edition(edition))) => {
            topics.insert(Topic::Collection(edition.terms.collection));
            Event::Edition(ordered(indexed, api::Edition::new(id, edition)))
        }
        (ObjectId::Item(id), Some(Object::Item(item))) => {
            let before = change.before.as_ref().and_then(Object::as_item);
            topics.insert(Topic::Item(id));
            topics.insert(Topic::Account(item.owner));
            topics.extend(before.map(|item| Topic::Account(item.owner)));
            let mut shown = api::Item::new(id, item);
            shown.collection = collection_of(indexed.snapshot, &item.edition);
            topics.extend(shown.collection.map(Topic::Collection));
            Event::Item(ordered(indexed, shown))
        }
        (ObjectId::Deal(id), Some(Object::Deal(deal))) => {
            topics.insert(Topic::Account(deal.giver));
            topics.extend(deal.terms.taker.map(Topic::Account));
            // The highest bidder, and whose bid it was before.
            topics.extend(deal.bid.map(|bid| Topic::Account(bid.by)));
            topics.extend(indexed.outbid(&id).map(Topic::Account));
            if let DealState::Taken { by } = deal.state {
                topics.insert(Topic::Account(by));
            }
            let items = deal.terms.gives.items.iter();
            let items = items.chain(&deal.terms.wants.items);
            topics.extend(items.copied().map(Topic::Item));
            let collections = indexed.collections_of(deal);
            topics.extend(collections.into_iter().map(Topic::Collection));
            Event::Deal(ordered(indexed, api::Deal::new(id, deal)))
        }
        _ => return None,
    };
    Some(Entry::new(event, topics))
}
