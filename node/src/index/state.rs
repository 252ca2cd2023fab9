//! S2.7: the rows of a state that was taken over. Lists are of what is live, so they follow from the
//! objects; only the order of collections is that of their ids, for their commits are not known.
//! Histories, sales and the last forms of ended deals begin after it.

use super::deals::deal_rows;
use super::{Indexed, Row, collection_rows, named, order_rows, owned_rows, sealed_rows};
use weft_ledger::{Applied, Change, Snapshot};
use weft_types::{Object, ObjectError, ObjectId};

/// The rows of these objects, which are all of the snapshot.
///
/// # Errors
/// When an encoding is no object's.
pub fn rows_of_state(
    objects: &[(ObjectId, bytes::Bytes)],
    snapshot: &Snapshot,
) -> Result<Vec<Row>, ObjectError> {
    let nothing = Applied::default();
    let indexed = Indexed {
        commit: snapshot.index(),
        timestamp: snapshot.timestamp(),
        transactions: &[],
        applied: &nothing,
        snapshot,
    };
    let (mut rows, mut collections) = (Vec::new(), 0);
    let mut listed: Vec<&(ObjectId, bytes::Bytes)> = objects.iter().collect();
    listed.sort_unstable_by_key(|(id, _)| *id);
    for (id, value) in listed {
        let change = Change {
            id: *id,
            before: None,
            after: Some(Object::decode(id, value.clone())?),
            retired: None,
        };
        named::rows(&change, &mut rows);
        match id {
            ObjectId::Item(_) => owned_rows(&change, &mut rows),
            ObjectId::Deal(deal) => {
                deal_rows(&indexed, deal, &change, &mut rows);
                order_rows(deal, &change, &mut rows);
                sealed_rows(deal, &change, &mut rows);
            }
            ObjectId::Collection(id) => {
                collection_rows(&indexed, id, &change, &mut collections, &mut rows);
            }
            ObjectId::Account(_)
            | ObjectId::Edition(_)
            | ObjectId::Bridge(_)
            | ObjectId::Withdrawal(_)
            | ObjectId::Roster(_)
            | ObjectId::Offenders(_)
            | ObjectId::Work(_)
            | ObjectId::VoucherPool(_)
            | ObjectId::SpentVoucher(_)
            | ObjectId::Posted(_) => {}
        }
    }
    Ok(rows)
}
