//! E2: what the store remembers of epochs, for certificates of earlier ones: their committees, and what opened them.

use super::DriverError;
use super::restore::Standing;
use crate::evidence::Opened;
use crate::replica::sync::{COMMITTEES_MAX, Closing};
use bytes::Bytes;
use std::sync::Arc;
use weft_storage::{Durability, Store, StoreError};
use weft_types::{Certificate, Committee, Epoch, Genesis, Height, Verified};

fn name(epoch: Epoch) -> String {
    format!("epoch/{epoch}")
}

/// Remembers an epoch, synced: nothing is signed in it before.
pub fn remember(store: &Store, committee: &Committee, by: &Certificate) -> Result<(), DriverError> {
    let opened = Opened {
        members: committee.members().to_vec(),
        by: by.to_json(),
    };
    let value = serde_json::to_vec(&opened).map_err(|e| inconsistent(&e))?;
    store.put_meta(&name(committee.epoch()), &value, Durability::Synced)?;
    Ok(())
}

/// What a store remembers of epochs up to one, into another store.
pub fn copy(from: &Store, to: &Store, until: Epoch) -> Result<(), DriverError> {
    let first = until.0.saturating_sub(COMMITTEES_MAX as u64);
    for epoch in (first..=until.0).map(Epoch) {
        if let Some(value) = from.meta(&name(epoch))? {
            to.put_meta(&name(epoch), &value, Durability::Buffered)?;
        }
    }
    Ok(())
}

/// The committees of the epochs before one, the genesis' first, as far as they are here.
pub fn before(
    store: &Store,
    genesis: &Genesis,
    epoch: Epoch,
) -> Result<Vec<Arc<Committee>>, DriverError> {
    let mut committees = Vec::new();
    let first = epoch.0.saturating_sub(COMMITTEES_MAX as u64);
    for epoch in (first..epoch.0).map(Epoch) {
        let committee = match (epoch, read(store, epoch)?) {
            (Epoch::ZERO, _) => genesis.committee().map_err(|e| inconsistent(&e))?,
            (_, Some(opened)) => {
                Committee::new(epoch, opened.members).map_err(|e| inconsistent(&e))?
            }
            (_, None) => continue,
        };
        committees.push(Arc::new(committee));
    }
    Ok(committees)
}

/// E3: the encoded certificate that closed an epoch, if it is here.
pub fn closing(store: &Store, epoch: Epoch) -> Result<Option<Bytes>, StoreError> {
    let opened = opened(store, epoch.saturating_add(1))?;
    let certificate = opened.and_then(|opened| Certificate::try_from(opened.by).ok());
    Ok(certificate.map(|certificate| certificate.encode()))
}

/// S2.1: how an epoch ended, if it is here.
pub fn ended(store: &Store, epoch: Epoch) -> Result<Option<Closing>, StoreError> {
    let Some(value) = store.meta(&name(epoch.saturating_add(1)))? else {
        return Ok(None);
    };
    let opened: Option<Opened> = serde_json::from_slice(&value).ok();
    Ok(opened.and_then(|opened| {
        Some(Closing {
            certificate: Certificate::try_from(opened.by).ok()?,
            next: opened.members,
        })
    }))
}

/// B2: the certificates that closed epochs above a height, ascending: the base chain may lack them.
pub fn closings(
    store: &Store,
    genesis: &Genesis,
    standing: &Standing,
    anchored: Height,
) -> Result<Vec<Verified<Certificate>>, DriverError> {
    let mut closings = Vec::new();
    for committee in &standing.earlier {
        let Some(opened) = read(store, committee.epoch().next())? else {
            continue;
        };
        if opened.by.statement.height > anchored {
            let certificate = Certificate::try_from(opened.by).map_err(|e| inconsistent(&e))?;
            let verified = certificate.verify(&genesis.network, committee);
            closings.push(verified.map_err(|e| inconsistent(&e))?);
        }
    }
    Ok(closings)
}

/// The committee of an epoch, as far as it is here.
pub fn committee(
    store: &Store,
    genesis: &Genesis,
    epoch: Epoch,
) -> Result<Option<Committee>, StoreError> {
    if epoch == Epoch::ZERO {
        return Ok(genesis.committee().ok());
    }
    let opened = opened(store, epoch)?;
    Ok(opened.and_then(|opened| Committee::new(epoch, opened.members).ok()))
}

/// What the store remembers of an epoch after the first.
pub fn opened(store: &Store, epoch: Epoch) -> Result<Option<Opened>, StoreError> {
    let value = store.meta(&name(epoch))?;
    Ok(value.and_then(|value| serde_json::from_slice(&value).ok()))
}

fn read(store: &Store, epoch: Epoch) -> Result<Option<Opened>, DriverError> {
    let value = store.meta(&name(epoch))?;
    let opened = value.map(|value| serde_json::from_slice(&value));
    opened.transpose().map_err(|e| inconsistent(&e))
}

fn inconsistent(error: &dyn std::fmt::Display) -> DriverError {
    DriverError::Inconsistent(error.to_string())
}
