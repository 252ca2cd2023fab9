//! V4: how many links each author can have looked for that only it, or few others, name.

use super::want::Standing;
use weft_types::{MemberIndex, MemberSet};

pub(super) struct Budget {
    /// By author: what it pays for.
    open: Vec<usize>,
    most: usize,
}

impl Budget {
    pub fn new(members: usize, most: usize) -> Self {
        Self {
            open: vec![0; members],
            most,
        }
    }

    /// Has one of these members pay for one more.
    pub fn charge(&mut self, members: &MemberSet) -> Standing {
        let room = |m: &MemberIndex| self.open[m.as_usize()] < self.most;
        let Some(payer) = members.iter().find(room) else {
            return Standing::Unpaid;
        };
        self.open[payer.as_usize()] += 1;
        Standing::Paid(payer)
    }

    /// Something is no longer paid for.
    pub fn free(&mut self, standing: Standing) {
        if let Standing::Paid(payer) = standing {
            self.open[payer.as_usize()] -= 1;
        }
    }
}
