//! V3, S1: the signing guard of this node's key. It is made for a key that says that it has never
//! signed, and else only once the others have shown what was signed.

use super::DriverError;
use crate::config::NodeConfig;
use crate::keys::NodeKeys;
use crate::replica::Lost;
use crate::replica::restore::{GuardFit, GuardFound, guard_fit, signed_in};
use std::path::{Path, PathBuf};
use weft_storage::{GuardError, GuardFloor, SigningGuard, Store};
use weft_types::{Epoch, Height, NetworkId, Round, StatementDigest, VertexDigest, ed25519};

const GUARD_FILE: &str = "signing-guard";

/// Where a node's signing guard is.
pub fn guard_file(config: &NodeConfig) -> PathBuf {
    config.data.join(GUARD_FILE)
}

pub struct Guard {
    path: PathBuf,
    network: NetworkId,
    key: ed25519::PublicKey,
    /// `None` while there is none that could be used.
    file: Option<SigningGuard>,
}

impl Guard {
    /// Opens the guard and compares it with the database. Returns the highest round of the epoch that it has let
    /// pass, or why that is not known.
    pub fn open(
        data: &Path,
        network: NetworkId,
        keys: &NodeKeys,
        store: &Store,
        epoch: Epoch,
    ) -> Result<(Self, Result<Round, Lost>), DriverError> {
        let path = data.join(GUARD_FILE);
        let key = keys.vertex.public();
        let signed = store.own_vertex()?;
        let (file, found) = match SigningGuard::open(&path, network, key) {
            Err(GuardError::Missing(_)) if signed.is_none() && keys.are_new(data) => {
                let guard = SigningGuard::create(&path, network, key, GuardFloor::default())?;
                (Some(guard), GuardFound::There(None))
            }
            Err(GuardError::Missing(_)) => (None, GuardFound::Missing),
            Err(error @ GuardError::Damaged { .. }) => {
                tracing::error!(%error, "the signing guard cannot be used");
                (None, GuardFound::Damaged)
            }
            opened => {
                let guard = opened?;
                let highest = guard.highest_vertex().map(|s| (s.epoch, s.round));
                let found = match guard.is_moved() {
                    true => GuardFound::Moved(highest),
                    false => GuardFound::There(highest),
                };
                (Some(guard), found)
            }
        };
        let mut guard = Self {
            path,
            network,
            key,
            file,
        };
        if guard.file.is_some() {
            // Said once: were the guard lost later, it would no longer be true.
            keys.no_longer_new(data)?;
        }
        let vertex = match &signed {
            Some(own) => store.vertex(own.epoch, &own.vertex)?,
            None => None,
        };
        let own = signed.map(|own| (own.epoch, own.vertex, vertex.as_ref()));
        let signed = match guard_fit(found, own) {
            GuardFit::Fits => signed_in(epoch, guard.signed()),
            GuardFit::Guard(of, own) => {
                guard.sign_vertex(of, own.round, own.digest)?;
                signed_in(epoch, Some((of, own.round)))
            }
            GuardFit::Lost(lost) => Err(lost),
        };
        Ok((guard, signed))
    }

    fn signed(&self) -> Option<(Epoch, Round)> {
        let highest = self.file.as_ref().and_then(SigningGuard::highest_vertex);
        highest.map(|s| (s.epoch, s.round))
    }

    /// Whether anything was signed before, or that is not known.
    pub fn has_signed(&self) -> bool {
        self.file.is_none() || self.signed().is_some()
    }

    /// The height up to which no statement is signed.
    pub fn height_floor(&self) -> Height {
        let floor = self.file.as_ref().map(SigningGuard::height_floor);
        floor.unwrap_or(Height::ZERO)
    }

    pub fn sign_vertex(
        &mut self,
        epoch: Epoch,
        round: Round,
        digest: VertexDigest,
    ) -> Result<(), DriverError> {
        let file = self.file.as_mut().ok_or(DriverError::NoGuard)?;
        Ok(file.sign_vertex(epoch, round, digest)?)
    }

    pub fn sign_statement(
        &mut self,
        epoch: Epoch,
        height: Height,
        digest: StatementDigest,
    ) -> Result<(), DriverError> {
        let file = self.file.as_mut().ok_or(DriverError::NoGuard)?;
        Ok(file.sign_statement(epoch, height, digest)?)
    }

    /// S1: forbids everything at or below. A missing guard is made, a damaged one set aside first.
    pub fn raise_floor(&mut self, floor: GuardFloor) -> Result<(), DriverError> {
        if let Some(file) = &mut self.file {
            return Ok(file.raise_floor(floor)?);
        }
        if self.path.exists() {
            let aside = self.path.with_added_extension("damaged");
            std::fs::rename(&self.path, &aside).map_err(|source| GuardError::Io {
                path: self.path.clone(),
                source,
            })?;
        }
        let guard = SigningGuard::create(&self.path, self.network, self.key, floor)?;
        self.file = Some(guard);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
