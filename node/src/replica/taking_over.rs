//! S2 in the replica: when the state of a certified height is taken over, and what the replica does
//! meanwhile: it goes on receiving, asks for no history, and ends when it has everything.

use super::sync::Place;
use super::{Effect, Replica};
use weft_types::Millis;

impl Replica {
    /// Takes nothing more: it has halted, or waits to be made anew.
    pub(super) fn is_over(&self) -> bool {
        self.halted.is_some() || self.ended.is_some()
    }

    pub(super) fn step_sync(&mut self, now: Millis, out: &mut Vec<Effect>) {
        if self.is_over() {
            return;
        }
        let (core, meta, is_late) = (&self.core, self.ledger.meta(), self.edge.is_late);
        let place = || Place {
            // E3: nothing of this epoch shows how far others are, once they are in a later one.
            behind: core.behind().is_some() || is_late,
            commit: meta.index,
            timestamp: meta.timestamp,
        };
        let mut asks = Vec::new();
        let stepped = self.sync.step(now, place, &mut asks);
        out.extend(asks.into_iter().map(Effect::AskSync));
        out.extend(self.sync.notes().into_iter().map(Effect::Note));
        match stepped {
            Ok(None) => {}
            Ok(Some(synced)) => {
                self.ended = Some(synced.certificate.statement.height);
                out.push(Effect::TakeOver(Box::new(synced)));
            }
            Err(reason) => {
                let reason = format!("a snapshot does not fit its own parts: {reason}");
                self.halted = Some(reason.clone());
                out.push(Effect::Halt(reason));
            }
        }
    }

    /// How far taking over a snapshot is, for readers.
    pub(super) fn taking_over(&self) -> Option<String> {
        match self.ended {
            Some(height) => Some(format!("storing the state of height {height}")),
            None => self.sync.describe(),
        }
    }
}
