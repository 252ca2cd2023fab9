//! V8: who is convicted, by whom and with which effect. That all convict alike is in the commits, whose digests
//! agree; what is looked at here is whether they are right.

use super::World;
use crate::sim::oracle::Rule;
use weft_node::replica::Executed;
use weft_types::MemberIndex;

impl World {
    /// An honest machine has made a commit.
    pub(super) fn check_convictions(&mut self, member: usize, executed: &Executed) {
        let (commit, now) = (&executed.commit, self.now);
        let convicted = commit.convicted;
        let Some(seating) = self.cast.seating(executed.view.epoch).cloned() else {
            return;
        };
        // Both are read off the same vertices, by the core and by the ledger.
        let new = |id: u64| {
            let members = seating.committee.members();
            let place = members.iter().position(|m| m.id == id)?;
            Some(MemberIndex(place as u32))
        };
        let recorded = executed.applied.convicted.iter().map(|o| new(o.id));
        let all = recorded.flatten().all(|m| convicted.contains(m));
        if !all {
            let what = format!("commit {} and the ledger convict others", commit.index);
            self.oracle.violation(Rule::Conviction, now, member, what);
        }
        let most = seating.committee.faulty();
        if seating.committee.stake_of(&convicted) > most {
            return;
        }
        for convict in convicted.iter() {
            if !commit.demoted.contains(convict) {
                let what = format!("commit {} lets the convicted {convict} lead", commit.index);
                self.oracle.violation(Rule::Conviction, now, member, what);
            }
        }
        for offender in &executed.applied.convicted {
            let accused = new(offender.id).and_then(|place| seating.node(place));
            let Some(accused) = accused.filter(|m| self.is_innocent(*m)) else {
                continue;
            };
            let what = format!(
                "convicted of round {} by commit {}",
                offender.round, commit.index
            );
            self.oracle.violation(Rule::Accusation, now, accused, what);
        }
    }

    pub(super) fn is_innocent(&self, member: usize) -> bool {
        let mut machines = self.machines_of[member].iter();
        machines.all(|m| self.machines[*m].is_honest())
    }
}
