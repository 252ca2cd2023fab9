//! A bond's life after the registration: more of it, leaving, getting it back, and where a member stands. Whatever
//! changes the committee is an entry of the registry's queue, which the ledger reads here.

use super::BaseChain;
use super::abi::registry::MasternodeRegistry as Registry;
use super::endpoint::At;
use super::error::ClientError;
use super::feed::Queued;
use super::key::AccountKey;
use super::quote::RegistryCall;
use super::send::Mined;
use alloy::sol_types::SolCall;
use std::fmt;
use weft_types::{Epoch, FeedReport, MemberKeys, QueueEntry, Root, Stake, bls, ed25519};

/// Where a member stands, in the order in which it comes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberStatus {
    /// Of the genesis, which is not complete.
    Registered,
    /// Joins at an edge that applies its entry.
    Queued,
    /// In the committee.
    Active,
    /// Signs on until the edge that takes the last of its weight.
    Leaving,
    /// Out of the committee, and liable still.
    Unbonding,
    /// The bond waits to be withdrawn.
    Free,
    Withdrawn,
    /// The bond is gone.
    Slashed,
}

impl MemberStatus {
    /// Whether there is a bond that can be taken.
    pub fn is_liable(self) -> bool {
        !matches!(self, Self::Withdrawn | Self::Slashed)
    }
}

impl fmt::Display for MemberStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registered => "registered",
            Self::Queued => "queued",
            Self::Active => "active",
            Self::Leaving => "leaving",
            Self::Unbonding => "unbonding",
            Self::Free => "free",
            Self::Withdrawn => "withdrawn",
            Self::Slashed => "slashed",
        })
    }
}

/// A member, as anybody can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberState {
    pub id: u64,
    pub operator: [u8; 20],
    pub vertex_key: ed25519::PublicKey,
    /// Where others reach it, as its operator wrote it: unchecked.
    pub addresses: String,
    pub status: MemberStatus,
    /// In wei.
    pub bond: u128,
    /// In bond units: what it has, or will have, in the committee. Zero for one that leaves.
    pub weight: Stake,
    /// What counts in this epoch.
    pub effective: Stake,
    /// Its newest entry in the registry's queue, from 1.
    pub entry: Option<u64>,
    /// When the bond is free, in Unix seconds, once that is known.
    pub free_at: Option<u64>,
}

impl BaseChain {
    /// Adds to the operator's bond, in wei; the weight counts from an edge on.
    pub async fn top_up(&self, operator: &AccountKey, wei: u128) -> Result<Mined, ClientError> {
        self.have(operator, RegistryCall::TopUp(wei)).await
    }

    /// Asks to leave. There is no way back: ids and keys serve once.
    pub async fn request_exit(&self, operator: &AccountKey) -> Result<Mined, ClientError> {
        self.have(operator, RegistryCall::RequestExit).await
    }

    /// Pays the bond out to its operator.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `BondNotFree`, which names status and time.
    pub async fn withdraw_bond(&self, operator: &AccountKey) -> Result<Mined, ClientError> {
        self.have(operator, RegistryCall::WithdrawBond).await
    }

    /// The id of an operator; `None` for one that neither is of the genesis nor has registered.
    pub async fn id_of(&self, operator: [u8; 20]) -> Result<Option<u64>, ClientError> {
        let call = Registry::idOfOperatorCall {
            operator: operator.into(),
        };
        let id = self.read_registry("id", call, At::Latest).await?;
        Ok((id != 0).then_some(id))
    }

    /// The id that a vertex key was registered with; `None` for one that never was.
    pub async fn id_of_vertex_key(
        &self,
        key: ed25519::PublicKey,
    ) -> Result<Option<u64>, ClientError> {
        let call = Registry::idOfVertexKeyCall {
            vertexKey: key.0.into(),
        };
        let id = self.read_registry("id", call, At::Latest).await?;
        Ok((id != 0).then_some(id))
    }

    /// How long a bond stays liable after its member has left, in seconds.
    pub async fn unbonding_s(&self) -> Result<u64, ClientError> {
        let call = Registry::unbondingCall {};
        self.read_registry("unbonding", call, At::Latest).await
    }

    /// All members that ever registered, by id, at most `max` of them, in one state.
    pub async fn members(&self, max: u64) -> Result<Vec<MemberState>, ClientError> {
        let at = At::Block(self.endpoint.head().await?.number);
        let mut members = Vec::new();
        // The registry gives ids in turn, from 1; those of the genesis register in any order.
        let genesis = self.committee_size().await?;
        for id in 1..=max {
            match self.member(id, at).await {
                Ok(member) => members.push(member),
                Err(error) if error.refusal().is_none_or(|r| r.name != "UnknownMember") => {
                    return Err(error);
                }
                Err(_) if id > genesis => break,
                Err(_) => {}
            }
        }
        Ok(members)
    }

    /// Where a member stands.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `UnknownMember`.
    pub async fn member(&self, id: u64, at: At) -> Result<MemberState, ClientError> {
        let what = "member";
        let read = self.read_registry(what, Registry::memberCall { id }, at);
        let read = read.await?;
        let status = status(read.status);
        let bond = u128::try_from(read.bond).ok();
        let (Some(status), Some(bond)) = (status, bond) else {
            return Err(self.malformed(what, &format!("member {id} is in no known state")));
        };
        Ok(MemberState {
            id,
            operator: read.operator.into_array(),
            vertex_key: ed25519::PublicKey(read.vertexKey.0),
            addresses: read.addresses,
            status,
            bond,
            weight: Stake(read.weight),
            effective: Stake(read.effective),
            entry: (read.entryIndex != 0).then_some(read.entryIndex),
            free_at: (read.freeAt != 0).then_some(read.freeAt),
        })
    }

    /// What a unit of weight costs, in wei.
    pub async fn bond_unit(&self) -> Result<u128, ClientError> {
        let what = "bond unit";
        let unit = self.read_registry(what, Registry::bondUnitCall {}, At::Latest);
        let unit = u128::try_from(unit.await?);
        unit.map_err(|_| self.malformed(what, "it has more than 128 bits"))
    }

    /// The epoch that the registry is in.
    pub async fn epoch(&self, at: At) -> Result<Epoch, ClientError> {
        let epoch = self.read_registry("epoch", Registry::epochCall {}, at);
        Ok(Epoch(epoch.await?))
    }

    /// How many entries the queue has, and their running digest.
    pub async fn queue(&self, at: At) -> Result<FeedReport, ClientError> {
        let read = self.read_registry("queue", Registry::queueCall {}, at);
        let queue = read.await?;
        Ok(FeedReport {
            count: queue.length,
            digest: Root(queue.digest.0),
        })
    }

    /// The running digest of the first `count` entries; `None` when there are not so many.
    pub async fn queue_digest(&self, count: u64, at: At) -> Result<Option<Root>, ClientError> {
        let call = Registry::queueDigestCall { count };
        match self.read_registry("queue", call, at).await {
            Ok(digest) => Ok(Some(Root(digest.0))),
            Err(ClientError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The entries of some blocks, in their order.
    pub async fn queued_between(&self, from: u64, to: u64) -> Result<Vec<Queued>, ClientError> {
        let feed = ("queue", self.contracts.registry);
        self.placed_between(feed, (from, to), |event: &Registry::Queued, block| {
            let read = queued(event, block);
            read.map_err(|error| self.malformed("queue", &error.to_string()))
        })
        .await
    }

    async fn have(&self, key: &AccountKey, call: RegistryCall<'_>) -> Result<Mined, ClientError> {
        self.endpoint.send(key, self.order(key, call)).await
    }

    async fn read_registry<C: SolCall>(
        &self,
        what: &'static str,
        call: C,
        at: At,
    ) -> Result<C::Return, ClientError> {
        self.endpoint
            .read(what, self.contracts.registry, call, at)
            .await
    }
}

pub(crate) fn queued(event: &Registry::Queued, block: u64) -> Result<Queued, bls::BlsError> {
    Ok(Queued {
        index: event.index,
        event: entry(event)?,
        digest: Root(event.digest.0),
        block,
    })
}

/// Empty keys are those of an entry that changes a weight alone.
fn entry(event: &Registry::Queued) -> Result<QueueEntry, bls::BlsError> {
    let keys = match event.finalityKey.is_empty() {
        true => None,
        false => Some(MemberKeys {
            vertex_key: ed25519::PublicKey(event.vertexKey.0),
            finality_key: bls::PublicKey::from_eip2537(&event.finalityKey)?,
            addresses: event.addresses.clone(),
        }),
    };
    Ok(QueueEntry {
        id: event.id,
        weight: Stake(event.weight),
        slashed: event.slashed,
        keys,
    })
}

fn status(read: u8) -> Option<MemberStatus> {
    Some(match read {
        1 => MemberStatus::Registered,
        2 => MemberStatus::Queued,
        3 => MemberStatus::Active,
        4 => MemberStatus::Leaving,
        5 => MemberStatus::Unbonding,
        6 => MemberStatus::Free,
        7 => MemberStatus::Withdrawn,
        8 => MemberStatus::Slashed,
        _ => return None,
    })
}
