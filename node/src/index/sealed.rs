//! L47: what proves draws for good. A series that has its lot waits here for the certificate of a height that has it, and
//! then that height's proof of its deal is kept: once it is drawn the state has it no more.

use super::{Row, key};
use bytes::{BufMut as _, Bytes, BytesMut};
use weft_ledger::{Change, Snapshot};
use weft_types::api::{Kept, ProofBundle};
use weft_types::{Certificate, CommitIndex, Deal, DealId, Millis, Object, ObjectId};

/// Series with a lot and no certificate that covers it yet: the deal; the value is the lot's commit.
pub(super) const UNPROVEN: u8 = b'u';
/// Proofs of sealed series: the deal; the value is when its time to reveal would be over, and the bundle as JSON.
pub(super) const PROVEN: u8 = b'v';

/// The prefix of series that wait for their proof.
pub fn unproven_prefix() -> Bytes {
    key(UNPROVEN, &[])
}

/// Reads a row of [`unproven_prefix`]: the deal, and the commit of its lot.
pub fn read_unproven(key: &[u8], value: &[u8]) -> Option<(DealId, CommitIndex)> {
    let id = DealId::try_from(key.get(1..)?).ok()?;
    let commit = u64::from_be_bytes(value.try_into().ok()?);
    Some((id, CommitIndex(commit)))
}

/// The key of a series' proof.
pub fn proven_key(deal: &DealId) -> Bytes {
    key(PROVEN, &[&deal.0])
}

/// Reads a value of [`proven_key`].
pub fn read_proven(value: &[u8]) -> Option<ProofBundle> {
    serde_json::from_slice(value.get(8..)?).ok()
}

/// S2.8: whether a proof's series was due before this time.
pub(super) fn is_before(value: &[u8], time: Millis) -> bool {
    let due = value.first_chunk::<8>();
    due.is_some_and(|due| u64::from_be_bytes(*due) < time.0)
}

/// A series waits once it has its lot; whatever becomes of it then.
pub(super) fn sealed_rows(id: &DealId, change: &Change, rows: &mut Vec<Row>) {
    let lot = |object: &Option<Object>| {
        let deal = object.as_ref()?.as_deal()?;
        deal.drawing.as_ref()?.lot
    };
    if let (None, Some(lot)) = (lot(&change.before), lot(&change.after)) {
        let value = Bytes::copy_from_slice(&lot.commit.0.to_be_bytes());
        rows.push((key(UNPROVEN, &[&id.0]), Some(value)));
    }
}

/// What a certified height, with its state, means for series that wait: it has the lots of all commits up to its own. A
/// series that is in its state no more was drawn before the height ended, and has no proof here.
pub fn proofs(
    unproven: impl Iterator<Item = (DealId, CommitIndex)>,
    certificate: &Certificate,
    snapshot: &Snapshot,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for (id, _) in unproven.filter(|(_, lot)| *lot <= certificate.statement.commit) {
        rows.push((key(UNPROVEN, &[&id.0]), None));
        let object = ObjectId::Deal(id);
        let (encoded, proof) = snapshot.prove(&object);
        let found = snapshot.get(&object);
        let Some(due) = found
            .as_ref()
            .and_then(Object::as_deal)
            .and_then(|d| due(d))
        else {
            continue;
        };
        let bundle = ProofBundle {
            object,
            value: encoded.map(hex::encode),
            proof,
            certificate: certificate.to_json(),
            kept: Some(Kept::Past),
        };
        let mut value = BytesMut::new();
        value.put_u64(due.0);
        value.put_slice(&serde_json::to_vec(&bundle).expect("a bundle is JSON"));
        rows.push((proven_key(&id), Some(value.freeze())));
    }
    rows
}

/// When the time to reveal is over, as far as that is known; `None` for what is no series with a lot.
fn due(deal: &Deal) -> Option<Millis> {
    let (series, drawing) = (deal.terms.series()?, deal.drawing.as_ref()?);
    let from = drawing.reveal_from.or(drawing.lot.map(|lot| lot.at))?;
    Some(from.saturating_add(series.reveal.0))
}
