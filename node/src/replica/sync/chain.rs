//! S2.1: the committees of epochs that this node has not come to. What closes an epoch is signed by its committee and
//! names the next one by its digest. So each later committee follows from one that is known, whoever hands it out.

use super::{COMMITTEES_MAX, Terms};
use std::sync::Arc;
use weft_types::{Certificate, Committee, Member, Verified};

/// The end of an epoch as a server shows it. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    pub certificate: Certificate,
    /// The next committee.
    pub next: Vec<Member>,
}

/// An epoch, and what closed the one before.
#[derive(Debug, Clone)]
pub struct Opened {
    pub committee: Arc<Committee>,
    pub by: Arc<Verified<Certificate>>,
}

impl Terms {
    /// Takes the committee after the newest known one.
    ///
    /// # Errors
    /// What is wrong with it: no honest server sends this.
    pub fn follow(&mut self, closing: Closing) -> Result<(), String> {
        let newest = self.newest().clone();
        let by = closing.certificate.verify(&self.network, &newest);
        let by = by.map_err(|e| format!("the end of epoch {}: {e}", newest.epoch()))?;
        let next = Committee::new(newest.epoch().next(), closing.next);
        let next = next.map_err(|e| e.to_string())?;
        if by.statement.next_committee != next.digest() {
            return Err(format!(
                "the committee of epoch {} is not the one that was signed",
                next.epoch()
            ));
        }
        let (committee, epoch) = (Arc::new(next), newest.epoch().next());
        self.after.insert(epoch, by.statement.commit);
        self.committees.insert(epoch, committee.clone());
        let by = Arc::new(by);
        self.followed.push(Opened { committee, by });
        while self.committees.len() > COMMITTEES_MAX {
            self.committees.pop_first();
        }
        while self.after.len() > COMMITTEES_MAX {
            self.after.pop_first();
        }
        let surplus = self.followed.len().saturating_sub(COMMITTEES_MAX);
        self.followed.drain(..surplus);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
