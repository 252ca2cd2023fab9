//! The registry: becoming a masternode, and who is one. What comes after is in `bonds.rs`.
//!
//! What the registry says is unchecked input: it cannot check an Ed25519 key or a list of addresses,
//! and the node that answers may lie. A committee is taken only if its members make one, its keys are
//! keys, and its digest is the one that the contract computed.

use super::BaseChain;
use super::abi::registry::MasternodeRegistry as Registry;
use super::endpoint::At;
use super::error::ClientError;
use super::key::AccountKey;
use super::quote::RegistryCall;
use super::send::Mined;
use alloy::primitives::{Address, B256, Bytes};
use alloy::sol_types::{SolCall as _, SolEvent as _};
use weft_types::bls;
use weft_types::ed25519;
use weft_types::{Committee, CommitteeDigest, Epoch, MEMBERS_MAX, Member, Possession, Stake};

/// What an operator registers.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Signs vertices, and is the libp2p identity.
    pub vertex_key: ed25519::PublicKey,
    /// Signs finality; only its public key and a proof of possession leave.
    pub finality_secret: bls::SecretKey,
    /// In wei: a whole number of bond units.
    pub bond: u128,
    /// Comma-separated libp2p multiaddresses and at most one `http` URL.
    pub addresses: String,
}

/// A masternode that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    pub id: u64,
    pub weight: u64,
    pub mined: Mined,
}

impl BaseChain {
    /// Bonds the operator's account as a masternode.
    pub async fn register(
        &self,
        operator: &AccountKey,
        registration: &Registration,
    ) -> Result<Registered, ClientError> {
        let order = self.order(operator, RegistryCall::Register(registration));
        let mined = self.endpoint.send(operator, order).await?;
        self.registration_of(mined)
    }

    /// The masternode that a transaction registered.
    ///
    /// # Errors
    /// When it registered none.
    pub fn registration_of(&self, mined: Mined) -> Result<Registered, ClientError> {
        let registry = Address::from(self.contracts.registry);
        let mut events = mined.logs.iter().filter(|log| log.address == registry);
        let event = events.find_map(|log| Registry::Registered::decode_log(log).ok());
        let event = event.ok_or_else(|| ClientError::Malformed {
            url: self.endpoint.url().to_owned(),
            what: "registration",
            reason: "the receipt has no Registered event".to_owned(),
        })?;
        Ok(Registered {
            id: event.id,
            weight: event.weight,
            mined,
        })
    }

    /// The committee of the current epoch, which is epoch 0 until one is closed.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `GenesisIncomplete` until all its operators have registered.
    pub async fn committee(&self) -> Result<Committee, ClientError> {
        // All reads are of one state.
        let at = At::Block(self.endpoint.head().await?.number);
        let registry = self.contracts.registry;
        let endpoint = &self.endpoint;
        let read = endpoint.read("committee", registry, Registry::committeeCall {}, at);
        let committee = read.await?;
        let (size, weights) = (committee.ids.len(), committee.weights.len());
        if size > MEMBERS_MAX || weights != size {
            return Err(ClientError::Committee(format!(
                "it has {size} members with {weights} weights, more than {MEMBERS_MAX} or not as many"
            )));
        }
        let mut members = Vec::with_capacity(committee.ids.len());
        for (id, weight) in committee.ids.into_iter().zip(committee.weights) {
            let read = endpoint.read("member", registry, Registry::memberCall { id }, at);
            members.push(member(id, weight, read.await?)?);
        }
        let epoch = Epoch(committee.epoch_);
        let read = Committee::new(epoch, members);
        let read = read.map_err(|error| ClientError::Committee(error.to_string()))?;
        let expected = CommitteeDigest(committee.digest.0);
        let found = read.digest();
        if found != expected {
            return Err(ClientError::CommitteeDigest { expected, found });
        }
        Ok(read)
    }

    /// C1: the digest of an epoch's committee, `None` for one that has not begun.
    pub async fn committee_digest(
        &self,
        epoch: Epoch,
    ) -> Result<Option<CommitteeDigest>, ClientError> {
        let call = Registry::committeeDigestCall { epoch: epoch.0 };
        let registry = self.contracts.registry;
        let read = self
            .endpoint
            .read("committee digest", registry, call, At::Latest);
        let digest = read.await?;
        Ok((!digest.is_zero()).then_some(CommitteeDigest(digest.0)))
    }

    /// How many members the committee has; before the genesis is complete, how many it will have.
    pub async fn committee_size(&self) -> Result<u64, ClientError> {
        let call = Registry::committeeSizeCall {};
        let read = self
            .endpoint
            .read("committee size", self.contracts.registry, call, At::Latest);
        Ok(u64::try_from(read.await?).unwrap_or(u64::MAX))
    }
}

/// What the registry is called with to become a masternode.
pub(crate) fn register_input(
    chain_id: u64,
    registry: [u8; 20],
    operator: &AccountKey,
    registration: &Registration,
) -> Bytes {
    let possession = Possession {
        chain_id,
        registry,
        operator: operator.address(),
        vertex_key: registration.vertex_key,
        finality_key: registration.finality_secret.public(),
    };
    let proof = possession.prove(&registration.finality_secret);
    let call = Registry::registerCall {
        vertexKey: B256::from(registration.vertex_key.0),
        finalityKey: possession.finality_key.to_eip2537().into(),
        possession: proof.to_eip2537().into(),
        addresses: registration.addresses.clone(),
    };
    call.abi_encode().into()
}

fn member(id: u64, weight: u64, read: Registry::Member) -> Result<Member, ClientError> {
    let unusable = |reason: String| ClientError::Committee(format!("member {id}: {reason}"));
    let vertex_key = ed25519::PublicKey(read.vertexKey.0);
    if !vertex_key.is_valid() {
        return Err(unusable(format!("{vertex_key} is no Ed25519 key")));
    }
    let finality_key = bls::PublicKey::from_eip2537(&read.finalityKey);
    Ok(Member {
        id,
        stake: Stake(weight),
        vertex_key,
        finality_key: finality_key.map_err(|error| unusable(error.to_string()))?,
        addresses: read.addresses,
    })
}

#[cfg(test)]
mod tests;
