//! V8: the proofs that a vertex carries.

use super::{Vertex, VertexError};
use crate::committee::Committee;
use crate::ids::NetworkId;

impl Vertex {
    /// V8: one wrong proof and the vertex is refused as a whole, by everybody: none of them can make an honest
    /// member's vertex be refused, for it carries only what it has checked.
    pub(super) fn check_offences(
        &self,
        network: NetworkId,
        committee: &Committee,
    ) -> Result<(), VertexError> {
        let vertex = self.reference();
        let refused = |reason| Err(VertexError::Offences { vertex, reason });
        let offences = self.offences();
        if !offences.is_sorted_by(|a, b| a.author < b.author) {
            return refused("offences are not of distinct authors in ascending order");
        }
        let mut faults = offences.iter().filter_map(|o| o.fault(network, committee));
        faults.next().map_or(Ok(()), refused)
    }
}
