//! What became of a bond, from the registry's events: what came in, what was taken, and what its operator was paid for
//! reports. The registry's state has only what is there now.

use super::BaseChain;
use super::abi::registry::MasternodeRegistry as Registry;
use super::bonds::MemberState;
use super::error::ClientError;
use super::escape::LOG_BLOCKS_MAX;
use alloy::primitives::{Address, B256, U256};
use alloy::providers::Provider as _;
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::SolEvent as _;
use std::collections::BTreeMap;
use weft_types::Stake;

/// How far back a bond's registration is looked for, in blocks: some 280 days of 12 s.
pub const HISTORY_BLOCKS_MAX: u64 = 1_000 * LOG_BLOCKS_MAX;
/// BC20: of a bond that is taken, this part goes to the reporter.
const REPORTER_DIVISOR: u128 = 10;

/// Something that happened to a bond, or that its operator was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BondEvent {
    /// The base chain's block, and its time in Unix seconds.
    pub block: u64,
    pub at: u64,
    pub what: BondChange,
}

/// Coins are in wei.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BondChange {
    Bonded {
        wei: u128,
    },
    /// The bond is this large by now; it counts from an edge on.
    ToppedUp {
        bond: u128,
    },
    AskedToLeave,
    /// The bond was taken. A tenth of it went to the reporter, the rest is burned.
    Slashed {
        wei: u128,
        reporter: [u8; 20],
    },
    PaidOut {
        wei: u128,
    },
    /// Paid to the operator for a report that another masternode lost its bond by.
    Rewarded {
        wei: u128,
        of: u64,
    },
}

impl BaseChain {
    /// A bond's events in their order.
    ///
    /// # Errors
    /// When it registered more than [`HISTORY_BLOCKS_MAX`] ago.
    pub async fn bond_history(&self, member: &MemberState) -> Result<Vec<BondEvent>, ClientError> {
        let unit = self.bond_unit().await?;
        let head = self.endpoint.head().await?.number;
        let least = head.saturating_sub(HISTORY_BLOCKS_MAX);
        let mut found = BTreeMap::new();
        let mut to = head;
        loop {
            let from = (to + 1).saturating_sub(LOG_BLOCKS_MAX).max(least);
            for log in self.bond_logs(member, from, to).await? {
                let place = (log.block_number, log.log_index);
                let (Some(block), Some(index)) = place else {
                    return Err(self.malformed("history", "a log has no place"));
                };
                if let Some(what) = self.change(&log, member, unit)? {
                    found.insert((block, index), what);
                }
            }
            // Ids serve once, so that nothing can be before.
            let bonded = |what: &BondChange| matches!(what, BondChange::Bonded { .. });
            if found.values().any(bonded) || from == 0 {
                break;
            }
            if from == least {
                return Err(self.malformed("history", "the bond is older than is looked for"));
            }
            to = from - 1;
        }
        let mut events = Vec::with_capacity(found.len());
        for ((block, _), what) in told(found) {
            let at = self.endpoint.mined_block(block).await?.timestamp;
            events.push(BondEvent { block, at, what });
        }
        Ok(events)
    }

    async fn bond_logs(
        &self,
        member: &MemberState,
        from: u64,
        to: u64,
    ) -> Result<Vec<Log>, ClientError> {
        let id = B256::from(U256::from(member.id));
        let operator = Address::from(member.operator).into_word();
        let filter = |events: Vec<B256>| {
            Filter::new()
                .address(Address::from(self.contracts.registry))
                .event_signature(events)
                .from_block(from)
                .to_block(to)
        };
        let own = vec![
            Registry::Registered::SIGNATURE_HASH,
            Registry::BondWithdrawn::SIGNATURE_HASH,
            Registry::Slashed::SIGNATURE_HASH,
        ];
        let filters = [
            filter(own).topic1(id),
            filter(vec![Registry::Queued::SIGNATURE_HASH]).topic2(id),
            filter(vec![Registry::Slashed::SIGNATURE_HASH]).topic2(operator),
        ];
        let mut logs = Vec::new();
        for filter in &filters {
            let some = || self.endpoint.provider.get_logs(filter);
            logs.extend(self.endpoint.ask("history", some).await?);
        }
        Ok(logs)
    }

    /// What a log says of the member's bond, if anything.
    fn change(
        &self,
        log: &Log,
        member: &MemberState,
        unit: u128,
    ) -> Result<Option<BondChange>, ClientError> {
        let wei = |weight: u64| u128::from(weight).saturating_mul(unit);
        let coins = |value: U256| u128::try_from(value).unwrap_or(u128::MAX);
        let log = &log.inner;
        let what = match log.topics().first() {
            Some(&Registry::Registered::SIGNATURE_HASH) => Registry::Registered::decode_log(log)
                .map(|event| {
                    Some(BondChange::Bonded {
                        wei: wei(event.weight),
                    })
                }),
            Some(&Registry::BondWithdrawn::SIGNATURE_HASH) => {
                Registry::BondWithdrawn::decode_log(log).map(|event| {
                    let wei = coins(event.bond);
                    Some(BondChange::PaidOut { wei })
                })
            }
            Some(&Registry::Slashed::SIGNATURE_HASH) => {
                Registry::Slashed::decode_log(log).map(|event| {
                    let wei = coins(event.bond);
                    let reporter = event.reporter.into_array();
                    Some(match event.id == member.id {
                        true => BondChange::Slashed { wei, reporter },
                        false => BondChange::Rewarded {
                            wei: wei / REPORTER_DIVISOR,
                            of: event.id,
                        },
                    })
                })
            }
            // A newcomer's entry has keys, and comes with its registration.
            Some(&Registry::Queued::SIGNATURE_HASH) => {
                Registry::Queued::decode_log(log).map(|event| {
                    let weight = Stake(event.weight);
                    let own = event.finalityKey.is_empty() && !event.slashed;
                    own.then_some(match weight {
                        Stake(0) => BondChange::AskedToLeave,
                        Stake(weight) => BondChange::ToppedUp { bond: wei(weight) },
                    })
                })
            }
            _ => Ok(None),
        };
        what.map_err(|error| self.malformed("history", &error.to_string()))
    }
}

/// A slash queues a removal, and so does a payout from a network that has stopped: neither is a wish to leave.
fn told(found: BTreeMap<(u64, u64), BondChange>) -> Vec<((u64, u64), BondChange)> {
    let caused = |block: u64| {
        let of_block = found.range((block, 0)..=(block, u64::MAX));
        of_block.into_iter().any(|(_, what)| {
            matches!(
                what,
                BondChange::Slashed { .. } | BondChange::PaidOut { .. }
            )
        })
    };
    let is_told = |((block, _), what): &(&(u64, u64), &BondChange)| {
        !(matches!(what, BondChange::AskedToLeave) && caused(*block))
    };
    let told = found.iter().filter(is_told);
    told.map(|(place, what)| (*place, *what)).collect()
}
