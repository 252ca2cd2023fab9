//! Objects by id, for execution: one look-up instead of a walk through the tree.

use std::collections::HashMap;
use weft_types::{Object, ObjectId};

/// Where execution reads objects from: the live ones, or a snapshot in a dry run.
pub(crate) trait Objects {
    fn get(&self, id: &ObjectId) -> Option<&Object>;
}

/// The newest state. Ids are partly of users' choice, hence the keyed hash; its order reaches nothing.
#[derive(Default)]
pub(crate) struct Live {
    objects: HashMap<ObjectId, Object>,
}

impl Live {
    pub fn set(&mut self, id: ObjectId, object: Option<Object>) {
        match object {
            Some(object) => drop(self.objects.insert(id, object)),
            None => drop(self.objects.remove(&id)),
        }
    }
}

impl Objects for Live {
    fn get(&self, id: &ObjectId) -> Option<&Object> {
        self.objects.get(id)
    }
}
