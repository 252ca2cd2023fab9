//! S2: a disk whose content was taken over, and what others are answered from.

use super::{Disk, StoredCommit};
use bytes::Bytes;
use std::convert::Infallible;
use std::sync::Arc;
use weft_node::replica::restore::first_round;
use weft_node::replica::sync::{Archive, Closing, Synced};
use weft_types::{Certificate, Commit, CommitIndex, Epoch, Height, Receipt, Round, Statement};

impl Disk {
    /// S2: what is taken over stands in the place of what was here, but for the vertices that are needed
    /// still, the own latest one among them. All or nothing, and durable.
    pub fn take_over(&mut self, synced: Synced, gc_depth: u64) {
        let floor = synced.commits.last().map(|c| first_round(c, gc_depth));
        let (floor, own) = (floor.unwrap_or(Round::ZERO), self.own);
        let of = synced.certificate.statement.epoch;
        self.vertices.retain(|(epoch, round), vertices| {
            let kept = *epoch == of && *round >= floor;
            vertices.retain(|v| kept || Some((*epoch, v.reference())) == own);
            !vertices.is_empty()
        });
        let statements = synced.heights.iter().map(|c| c.statement.clone());
        self.before.statements = statements.map(|s| (s.height, s)).collect();
        self.before.objects = synced.objects.into_iter().collect();
        let first = synced.commits.first().map(|c| c.index);
        let (before, mut receipts): (Vec<_>, Vec<_>) = synced
            .receipts
            .into_iter()
            .partition(|r| first.is_none_or(|first| r.commit < first));
        self.before.receipts = before;
        let certified = &synced.certificate.statement;
        let stored = synced.commits.into_iter().map(|commit| StoredCommit {
            changes: Vec::new(),
            receipts: receipts
                .extract_if(.., |r| r.commit == commit.index)
                .collect(),
            meta: synced.meta,
            statement: (commit.index == certified.commit).then(|| Arc::new(certified.clone())),
            commit,
        });
        self.commits = stored.collect();
        let epochs = synced.epochs.into_iter();
        self.epochs
            .extend(epochs.map(|o| (o.committee.epoch(), (o.committee, o.by))));
        let heights = synced.heights.into_iter();
        self.certificates = heights.map(|c| (c.statement.height, c)).collect();
        self.pending.clear();
    }
}

/// S2: what others are answered from.
impl Archive for Disk {
    type Error = Infallible;

    fn closing(&self, epoch: Epoch) -> Result<Option<Closing>, Infallible> {
        let opened = self.epochs.get(&epoch.next());
        Ok(opened.map(|(committee, by)| Closing {
            certificate: (***by).clone(),
            next: committee.members().to_vec(),
        }))
    }

    fn certificate(&self, height: Height) -> Result<Option<Certificate>, Infallible> {
        let certificate = self.certificates.get(&height);
        Ok(certificate.map(|c| (***c).clone()))
    }

    fn statement(&self, height: Height) -> Result<Option<Statement>, Infallible> {
        if let Some(statement) = self.before.statements.get(&height) {
            return Ok(Some(statement.clone()));
        }
        let statements = self.commits.iter().filter_map(|c| c.statement.as_deref());
        Ok(statements.rev().find(|s| s.height == height).cloned())
    }

    fn commit(&self, index: CommitIndex) -> Result<Option<Commit>, Infallible> {
        let place = self
            .commits
            .binary_search_by_key(&index, |c| c.commit.index);
        Ok(place.ok().map(|place| self.commits[place].commit.clone()))
    }

    fn receipts(&self, after: CommitIndex, until: CommitIndex) -> Result<Vec<Bytes>, Infallible> {
        let within = |r: &&Receipt| after < r.commit && r.commit <= until;
        let first = self.commits.partition_point(|c| c.commit.index <= after);
        let commits = self.commits[first..].iter();
        let commits = commits.take_while(|c| c.commit.index <= until);
        let before = self.before.receipts.iter().filter(within);
        let receipts = before.chain(commits.flat_map(|c| &c.receipts));
        Ok(receipts.map(Receipt::encode).collect())
    }
}
