//! F1-F4 in the replica: which commits are heights and due for posting, the own signature under them, and
//! what becomes of certificates.

use super::finality::Outcome;
use super::{Divergence, Effect, Provable, Replica};
use crate::view::CertifiedView;
use weft_ledger::Change;
use weft_types::{Certificate, Commit, CommitDigest, Height, Millis, Root, Statement, Verified};

/// Of the newest height executed here.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastHeight {
    pub height: Height,
    pub timestamp: Millis,
    pub state_root: Root,
}

/// B2: whether a height is the first of all, or of its checkpoint interval. Known from heights and
/// timestamps alone, so that every member and every restart agrees.
pub(super) fn due_for_posting(
    height: Height,
    previous: Millis,
    timestamp: Millis,
    interval: Millis,
) -> bool {
    height == Height(1) || timestamp.0 / interval.0 > previous.0 / interval.0
}

impl Replica {
    /// F1: the statement of this commit if it is a height, and whether it is due for posting. What the height itself
    /// changes is added to the commit's changes.
    pub(super) fn close_height(
        &mut self,
        commit: &Commit,
        digest: CommitDigest,
        changes: &mut Vec<Change>,
    ) -> Option<(Statement, bool)> {
        let params = &self.genesis.template.params;
        let last = self.last_height;
        let since = commit.timestamp.saturating_sub(last.timestamp.0);
        let height = last.height.next();
        let interval = params.checkpoint_interval_ms;
        let due = due_for_posting(height, last.timestamp, commit.timestamp, interval);
        let meta = self.ledger.meta();
        let closes = self.is_closed();
        let due = due || closes;
        let worth = meta.changed || (due && meta.unposted);
        let in_time = worth && since >= params.finality_interval_ms;
        if !(closes || in_time || since >= params.finality_interval_max_ms) {
            return None;
        }
        let roots = self.ledger.close_height(due, changes);
        let (network, epoch) = (self.genesis.network, self.committee.epoch());
        let statement = Statement::of_commit(network, epoch, height, (commit, digest), &roots);
        self.last_height = LastHeight {
            height: statement.height,
            timestamp: statement.timestamp,
            state_root: statement.state_root,
        };
        Some((statement, due))
    }

    /// F2: signs a statement, guarded, and carries the share in the next own vertex; not one that may have
    /// been signed before (S1).
    pub(super) fn sign_statement(
        &mut self,
        statement: Statement,
        due: bool,
        out: &mut Vec<Effect>,
    ) {
        let (share, outcomes) = self.finality.close(statement, due);
        // Guarded before anything carries it.
        if let Some(share) = &share {
            out.push(Effect::GuardStatement {
                epoch: share.epoch,
                height: share.height,
                digest: share.statement,
            });
        }
        if let Some(share) = share {
            self.outbox.push(share);
        }
        self.conclude(outcomes, out);
    }

    pub(super) fn conclude(&mut self, outcomes: Vec<Outcome>, out: &mut Vec<Effect>) {
        for outcome in outcomes {
            match outcome {
                Outcome::Certified { certificate, due } => {
                    self.note_closing(&certificate);
                    let height = certificate.statement.height;
                    self.outbox.certified(height);
                    let later = self.snapshots.split_off(&height.next());
                    let view = self
                        .snapshots
                        .remove(&height)
                        .map(|snapshot| CertifiedView {
                            certificate: certificate.clone(),
                            snapshot,
                        });
                    self.snapshots = later;
                    if let (Some(view), false) = (&view, due.is_empty()) {
                        let provable = Provable {
                            height,
                            deposits: certificate.statement.deposits_processed,
                            trees: view.snapshot.base_trees().clone(),
                        };
                        self.provables.add(provable, self.anchored);
                    }
                    self.held.certified(&certificate.statement, view.as_ref());
                    let snapshot = view.as_ref().map(|view| view.snapshot.clone());
                    self.certified = view.or(self.certified.take());
                    out.push(Effect::Certified {
                        certificate,
                        due,
                        snapshot,
                    });
                }
                Outcome::Grown { certificate, due } => {
                    out.push(Effect::Certified {
                        certificate,
                        due,
                        snapshot: None,
                    });
                }
                Outcome::Diverged {
                    height,
                    own,
                    certified,
                    by,
                } => {
                    out.extend(by.map(Effect::Contradiction));
                    let reason = format!(
                        "height {height}: a quorum certified statement {certified}, this node \
                         computed {own}; it stops rather than follow or fork"
                    );
                    out.push(Effect::Diverged(Divergence {
                        height,
                        own,
                        certified,
                    }));
                    self.halt(reason, out);
                    return;
                }
            }
        }
    }

    /// F4: a quorum has certified another statement than the own one, of a height that is certified here, too, perhaps.
    pub(super) fn contradicted(
        &mut self,
        certificate: Box<Verified<Certificate>>,
        out: &mut Vec<Effect>,
    ) {
        let statement = &certificate.statement;
        let reason = format!(
            "height {}: a quorum certified statement {}, this node has another; it stops, since nobody \
             can say which is the true one",
            statement.height,
            statement.digest()
        );
        out.push(Effect::Contradiction(certificate));
        self.halt(reason, out);
    }

    fn halt(&mut self, reason: String, out: &mut Vec<Effect>) {
        self.halted = Some(reason.clone());
        out.push(Effect::Halt(reason));
    }
}
