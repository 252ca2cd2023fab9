//! E2 from outside: which epoch a commit is of, and by what an epoch is opened.

use super::{Oracle, Rule};
use crate::sim::time::Time;
use weft_types::{Certificate, CommitIndex, Committee, Epoch};

impl Oracle {
    /// E2: an epoch begins after the commit that closes the one before, and nothing else does.
    pub(super) fn check_epoch(&mut self, at: Time, node: usize, epoch: Epoch, commit: CommitIndex) {
        let expected = self.order.last().map_or(Epoch::ZERO, |last| {
            let closing = last.statement.as_deref();
            match closing.is_some_and(|s| !s.next_committee.is_zero()) {
                true => last.epoch.next(),
                false => last.epoch,
            }
        });
        if epoch != expected {
            let what = format!("commit {commit} is of epoch {epoch}, not of {expected}");
            self.violation(Rule::Epochs, at, node, what);
        }
    }

    /// E2: an honest member opens an epoch.
    pub fn opened(&mut self, at: Time, node: usize, committee: &Committee, by: &Certificate) {
        let (epoch, statement) = (committee.epoch(), &by.statement);
        if statement.epoch.next() != epoch || statement.next_committee != committee.digest() {
            let what = format!(
                "opened epoch {epoch} by height {} of epoch {}, which names another committee",
                statement.height, statement.epoch
            );
            self.violation(Rule::Epochs, at, node, what);
        }
        if self.stated_at(statement.height) != Some(statement) {
            let what = format!(
                "opened epoch {epoch} by height {}, which nobody has closed so",
                statement.height
            );
            self.violation(Rule::Epochs, at, node, what);
        }
    }
}
