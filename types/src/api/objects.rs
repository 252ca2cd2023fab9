//! The ledger's objects as JSON, and their reading from the encoding that the state tree hashes.

use super::TransactionState;
use crate::ids::{
    Address, Amount, AssetId, CollectionId, CommitIndex, ContentHash, DealId, EditionId, IdError,
    ItemId, Millis, TransactionId,
};
use crate::operation::{Bundle, OperationError, Trait, WantedItems};
use crate::state::{ObjectId, StateProof};
use crate::statement::CertificateJson;
use crate::wire;
use serde::{Deserialize, Serialize};

/// What an account holds of one asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Balance {
    /// All zeros for the native asset.
    pub asset: AssetId,
    pub amount: Amount,
}

/// An account. One that has never received anything has no balances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    pub address: Address,
    /// Ascending by asset, none zero.
    pub balances: Vec<Balance>,
}

impl Account {
    /// What the account holds of an asset.
    pub fn balance(&self, asset: AssetId) -> Amount {
        let found = self.balances.iter().find(|b| b.asset == asset);
        found.map_or(Amount::ZERO, |b| b.amount)
    }
}

/// A creator's collection of cards or tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Collection {
    pub id: CollectionId,
    pub creator: Address,
    pub name: String,
    pub description: String,
    /// Most items that may be issued; 0 for no cap over the editions' own.
    pub item_cap: u64,
    /// Items issued.
    pub issued: u64,
    /// Number of editions.
    pub editions: u64,
}

/// One card, or one kind of ticket, of which up to `cap` items are issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Edition {
    pub id: EditionId,
    pub collection: CollectionId,
    pub name: String,
    pub cap: u64,
    pub issued: u64,
    pub traits: Vec<Trait>,
    /// URL or path, for people.
    pub image: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_hash: Option<ContentHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_hash: Option<ContentHash>,
    /// The application's own key.
    pub reference: String,
}

/// Whether an item is free to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ItemState {
    Held,
    /// Given into an open deal.
    Locked,
    Burned,
}

/// A single card or ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Item {
    pub id: ItemId,
    pub edition: EditionId,
    /// Of the edition; absent when the item is read from a proof alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionId>,
    /// From 1 to the edition's cap.
    pub serial: u64,
    pub owner: Address,
    pub state: ItemState,
    /// The deal that locks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<DealId>,
    /// Free text of the collection's creator.
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_hash: Option<ContentHash>,
}

/// What became of a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DealState {
    Open,
    Taken,
    Cancelled,
    Expired,
}

/// An offer whose gives are locked until it is taken, cancelled or expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deal {
    pub id: DealId,
    pub giver: Address,
    pub gives: Bundle,
    pub wants: Bundle,
    pub wants_any: Vec<WantedItems>,
    /// Who may take it, and once taken who did; absent while anyone may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taker: Option<Address>,
    pub expires: Millis,
    pub state: DealState,
}

/// Any object of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Object {
    Account(Account),
    Collection(Collection),
    Edition(Edition),
    Item(Item),
    Deal(Deal),
}

/// One step in the life of an item or an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    pub commit: CommitIndex,
    pub timestamp: Millis,
    /// Absent for what the ledger does by itself: a deal that expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionId>,
    /// Whether the transaction applied.
    pub state: TransactionState,
    /// The kinds of operation in the transaction, each once, as in their JSON's `type`.
    pub operations: Vec<String>,
    /// The item after the step; absent in an account's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
}

/// An object with the proof that it is, or is not, in the certified state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProofBundle {
    pub object: ObjectId,
    /// The object's encoding in hexadecimal; absent when the proof is one of absence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub proof: StateProof,
    pub certificate: CertificateJson,
}

/// Bytes that are no object of their kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    #[error("object is no protobuf message: {0}")]
    Malformed(String),
    #[error("object has the unknown state {0}")]
    State(i32),
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Operation(#[from] OperationError),
}

impl Object {
    /// Reads the encoding that the state tree hashes.
    pub fn decode(id: &ObjectId, bytes: &[u8]) -> Result<Self, ObjectError> {
        fn read<M: prost::Message + Default>(bytes: &[u8]) -> Result<M, ObjectError> {
            M::decode(bytes).map_err(|e| ObjectError::Malformed(e.to_string()))
        }
        Ok(match *id {
            ObjectId::Account(id) => Self::Account((id, read::<wire::Account>(bytes)?).try_into()?),
            ObjectId::Collection(id) => {
                Self::Collection((id, read::<wire::Collection>(bytes)?).try_into()?)
            }
            ObjectId::Edition(id) => Self::Edition((id, read::<wire::Edition>(bytes)?).try_into()?),
            ObjectId::Item(id) => Self::Item((id, read::<wire::Item>(bytes)?).try_into()?),
            ObjectId::Deal(id) => Self::Deal((id, read::<wire::Deal>(bytes)?).try_into()?),
        })
    }
}

fn optional<'a, T: TryFrom<&'a [u8], Error = IdError>>(
    bytes: &'a [u8],
) -> Result<Option<T>, IdError> {
    (!bytes.is_empty()).then(|| T::try_from(bytes)).transpose()
}

fn asset(bytes: &[u8]) -> Result<AssetId, IdError> {
    Ok(optional(bytes)?.unwrap_or(AssetId::NATIVE))
}

impl TryFrom<(Address, wire::Account)> for Account {
    type Error = ObjectError;

    fn try_from((address, wire): (Address, wire::Account)) -> Result<Self, ObjectError> {
        let mut balances = Vec::with_capacity(wire.balances.len());
        for balance in &wire.balances {
            balances.push(Balance {
                asset: asset(&balance.asset)?,
                amount: Amount(balance.amount),
            });
        }
        Ok(Self { address, balances })
    }
}

impl TryFrom<(CollectionId, wire::Collection)> for Collection {
    type Error = ObjectError;

    fn try_from((id, wire): (CollectionId, wire::Collection)) -> Result<Self, ObjectError> {
        Ok(Self {
            id,
            creator: Address::try_from(wire.creator.as_ref())?,
            name: wire.name,
            description: wire.description,
            item_cap: wire.item_cap,
            issued: wire.issued,
            editions: wire.editions,
        })
    }
}

impl TryFrom<(EditionId, wire::Edition)> for Edition {
    type Error = ObjectError;

    fn try_from((id, wire): (EditionId, wire::Edition)) -> Result<Self, ObjectError> {
        let traits = wire.traits.into_iter().map(|t| Trait {
            name: t.name,
            value: t.value,
        });
        Ok(Self {
            id,
            collection: CollectionId::try_from(wire.collection.as_ref())?,
            name: wire.name,
            cap: wire.cap,
            issued: wire.issued,
            traits: traits.collect(),
            image: wire.image,
            image_hash: optional(&wire.image_hash)?,
            metadata_hash: optional(&wire.metadata_hash)?,
            reference: wire.reference,
        })
    }
}

impl TryFrom<(ItemId, wire::Item)> for Item {
    type Error = ObjectError;

    fn try_from((id, wire): (ItemId, wire::Item)) -> Result<Self, ObjectError> {
        let state = match wire::ItemState::try_from(wire.state) {
            Ok(wire::ItemState::Held) => ItemState::Held,
            Ok(wire::ItemState::Locked) => ItemState::Locked,
            Ok(wire::ItemState::Burned) => ItemState::Burned,
            Err(_) => return Err(ObjectError::State(wire.state)),
        };
        Ok(Self {
            id,
            edition: EditionId::try_from(wire.edition.as_ref())?,
            collection: None,
            serial: wire.serial,
            owner: Address::try_from(wire.owner.as_ref())?,
            state,
            deal: optional(&wire.deal)?,
            status: wire.status,
            data_hash: optional(&wire.data_hash)?,
        })
    }
}

impl TryFrom<(DealId, wire::Deal)> for Deal {
    type Error = ObjectError;

    fn try_from((id, wire): (DealId, wire::Deal)) -> Result<Self, ObjectError> {
        let state = match wire::DealState::try_from(wire.state) {
            Ok(wire::DealState::Open) => DealState::Open,
            Ok(wire::DealState::Taken) => DealState::Taken,
            Ok(wire::DealState::Cancelled) => DealState::Cancelled,
            Ok(wire::DealState::Expired) => DealState::Expired,
            Err(_) => return Err(ObjectError::State(wire.state)),
        };
        let wants_any = wire.wants_any.into_iter().map(WantedItems::try_from);
        Ok(Self {
            id,
            giver: Address::try_from(wire.giver.as_ref())?,
            gives: Bundle::try_from(wire.gives.unwrap_or_default())?,
            wants: Bundle::try_from(wire.wants.unwrap_or_default())?,
            wants_any: wants_any.collect::<Result<_, _>>()?,
            taker: optional(&wire.taker)?,
            expires: Millis(wire.expires_ms),
            state,
        })
    }
}
