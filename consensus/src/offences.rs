//! V8: what this member knows of others' offences, and which of them its own vertices still have to
//! carry. One proof for each author, so that a committee's size bounds it: 128 times some 210 bytes.
//!
//! Every honest member carries each proof that it has until the offender is convicted, in one own vertex
//! at a time. So a proof that any honest member has is ordered, as its vertices are, whoever else keeps
//! silent about it; and no more is sent for it than one copy a member.

use std::collections::BTreeMap;
use weft_types::{MemberIndex, MemberSet, OFFENCES_MAX, Offence, Round, Verified, Vertex};

pub(crate) struct Offences {
    /// By author, of those who are not convicted.
    known: BTreeMap<MemberIndex, Known>,
    convicted: MemberSet,
}

struct Known {
    offence: Offence,
    /// The round of the own vertex that carries it.
    carried: Option<Round>,
}

impl Offences {
    /// After a commit that says who is convicted.
    pub fn new(convicted: MemberSet) -> Self {
        Self {
            known: BTreeMap::new(),
            convicted,
        }
    }

    pub fn convicted(&self) -> MemberSet {
        self.convicted
    }

    /// R2: whether a proof waits to be ordered.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub fn learn(&mut self, offence: &Offence) {
        if !self.convicted.contains(offence.author) {
            let new = || Known {
                offence: offence.clone(),
                carried: None,
            };
            self.known.entry(offence.author).or_insert_with(new);
        }
    }

    /// The proofs for the own vertex of a round: those that no own vertex from `floor` on carries.
    pub fn carry(&mut self, round: Round, floor: Round) -> Vec<Offence> {
        let waits = |k: &&mut Known| k.carried.is_none_or(|carried| carried < floor);
        let known = self.known.values_mut().filter(waits).take(OFFENCES_MAX);
        let take = |known: &mut Known| {
            known.carried = Some(round);
            known.offence.clone()
        };
        known.map(take).collect()
    }

    /// An own vertex is in the DAG: what it carries is on its way.
    pub fn carried_by(&mut self, own: &Vertex) {
        for offence in own.offences() {
            if let Some(known) = self.known.get_mut(&offence.author) {
                known.carried = known.carried.max(Some(own.round()));
            }
        }
    }

    /// Convicts whoever these vertices, which are output, carry proofs against.
    pub fn convict(&mut self, vertices: &[Verified<Vertex>]) {
        for offence in vertices.iter().flat_map(|v| v.offences()) {
            self.convicted.insert(offence.author);
            self.known.remove(&offence.author);
        }
    }
}
