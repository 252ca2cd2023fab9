//! B1: events that a contract numbers and digests: the vault's deposits, the entries of the registry's queue.

use super::BaseChain;
use super::error::ClientError;
use alloy::primitives::Address;
use alloy::providers::Provider as _;
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent;
use weft_types::{Deposit, QueueEntry, Root};

/// An event with its place on the base chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed<T> {
    /// From 1.
    pub index: u64,
    pub event: T,
    /// The running digest up to this one, as the contract has it.
    pub digest: Root,
    /// Number of its block.
    pub block: u64,
}

pub type Deposited = Placed<Deposit>;
pub type Queued = Placed<QueueEntry>;

impl BaseChain {
    /// The events of a contract in some blocks, in the order of their numbers.
    pub(super) async fn placed_between<E: SolEvent, T>(
        &self,
        (what, contract): (&'static str, [u8; 20]),
        (from, to): (u64, u64),
        placed: impl Fn(&E, u64) -> Result<Placed<T>, ClientError>,
    ) -> Result<Vec<Placed<T>>, ClientError> {
        let filter = Filter::new()
            .address(Address::from(contract))
            .event_signature(E::SIGNATURE_HASH)
            .from_block(from)
            .to_block(to);
        let logs = || self.endpoint.provider.get_logs(&filter);
        let logs = self.endpoint.ask(what, logs).await?;
        let mut events = Vec::with_capacity(logs.len());
        for log in logs {
            let event = E::decode_log(&log.inner);
            let event = event.map_err(|error| self.malformed(what, &error.to_string()))?;
            events.push(placed(&event, log.block_number.unwrap_or(to))?);
        }
        events.sort_by_key(|e| e.index);
        Ok(events)
    }

    pub(super) fn malformed(&self, what: &'static str, reason: &str) -> ClientError {
        ClientError::Malformed {
            url: self.endpoint.url().to_owned(),
            what,
            reason: reason.to_owned(),
        }
    }
}
