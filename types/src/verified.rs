//! Parse into proof: bytes become a `Vertex`, a `Transaction` or a `Certificate`, and only the
//! verifying functions of this crate make a `Verified` one. Consensus and ledger accept nothing else.

use std::ops::Deref;

/// A value whose signatures and form have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
