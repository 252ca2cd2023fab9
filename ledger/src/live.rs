//! Objects by id, for execution: one look-up instead of a walk through the tree.

use std::collections::HashMap;
use weft_types::{Object, ObjectId, RosterId};

/// Where execution reads objects from: the live ones, or a snapshot in a dry run.
pub(crate) trait Objects {
    fn get(&self, id: &ObjectId) -> Option<&Object>;
}

/// The newest state. Ids are partly of users' choice, hence the keyed hash; its order reaches nothing.
#[derive(Default)]
pub(crate) struct Live {
    objects: HashMap<ObjectId, Object>,
    /// Aside, because each step of a replica asks for it several times, and hashing its id would be a twentieth of all
    /// that a step costs.
    roster: Option<Object>,
}

const ROSTER: ObjectId = ObjectId::Roster(RosterId::THE_ONE);

impl Live {
    pub fn set(&mut self, id: ObjectId, object: Option<Object>) {
        match object {
            object if id == ROSTER => self.roster = object,
            Some(object) => drop(self.objects.insert(id, object)),
            None => drop(self.objects.remove(&id)),
        }
    }

    /// In no order.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectId, &Object)> {
        self.objects.iter()
    }
}

impl Objects for Live {
    fn get(&self, id: &ObjectId) -> Option<&Object> {
        let found = match id {
            &ROSTER => self.roster.as_ref(),
            id => self.objects.get(id),
        };
        #[cfg(feature = "testing")]
        crate::reads::note(id, found);
        found
    }
}
