//! V8: who is convicted by what the vertices of a commit prove.

use crate::draft::Draft;
use crate::ledger::Observed;
use crate::live::Objects;
use std::sync::Arc;
use weft_types::{
    CommitIndex, Committee, Object, ObjectId, Offence, Offender, Offenders, OffendersId,
};

/// Convicts, in the order of the vertices, whoever they carry a proof against: once in an epoch. Those who are
/// new are returned. Proofs were checked with their vertices.
pub(crate) fn convict<B: Objects>(
    draft: &mut Draft<'_, B>,
    observed: &[Observed<'_>],
    committee: &Committee,
    commit: CommitIndex,
) -> Vec<Offender> {
    let mut offences = observed
        .iter()
        .flat_map(|vertex| vertex.offences)
        .peekable();
    // Nearly always so.
    if offences.peek().is_none() {
        return Vec::new();
    }
    let mut offenders = draft.offenders();
    let named = offences.filter_map(|offence| offender(offence, committee, commit));
    let convicted: Vec<Offender> = named.filter(|o| offenders.convict(*o)).collect();
    if !convicted.is_empty() {
        let id = ObjectId::Offenders(OffendersId::THE_ONE);
        draft.put(id, Object::Offenders(Arc::new(offenders)));
    }
    convicted
}

fn offender(offence: &Offence, committee: &Committee, commit: CommitIndex) -> Option<Offender> {
    let member = committee.member(offence.author)?;
    Some(Offender {
        id: member.id,
        epoch: offence.epoch,
        round: offence.round,
        commit,
    })
}

impl<B: Objects> Draft<'_, B> {
    pub fn offenders(&self) -> Offenders {
        let found = self.get(&ObjectId::Offenders(OffendersId::THE_ONE));
        let offenders = found.and_then(Object::as_offenders);
        offenders.map(|o| Offenders::clone(o)).unwrap_or_default()
    }
}
