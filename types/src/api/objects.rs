//! The ledger's objects as JSON, and their reading from the encoding that the state tree hashes.

use super::{Bridge, Offenders, Posted, Roster, SpentVoucher, TransactionState, VoucherPool, Work};
use crate::bridge::Withdrawal;
use crate::channel::Standing;
use crate::draw::Drawn;
use crate::ids::{
    Address, Amount, AssetId, BaseAddress, CollectionId, CommitIndex, ContentHash, DealId,
    DrawSecret, EditionId, ItemId, Millis, TransactionId,
};
use crate::object::{self, Drawing, ObjectError, Order};
use crate::operation::{
    Bundle, Commission, DealRule, Guardian, NewDeal, Policy, RoleHolder, Sale, Session, Trait,
    WantedItems, is_default,
};
use crate::state::ObjectId;
use bytes::Bytes;
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
    /// Who has them on the base chain if the network ends; absent while that is nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_address: Option<BaseAddress>,
    /// Who has the say for it; absent while the key of its own address has it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Keys>,
}

/// Who has the say for an account. Keys are named by their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Keys {
    /// Has it, unless the time of a recovery has come.
    pub owner: Address,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian: Option<Guardian>,
    /// From its time on its owner has the say, and there are no sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// Ascending by key, with what they may still spend.
    pub sessions: Vec<Session>,
}

/// Another owner, unless the one before refuses it in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Recovery {
    pub owner: Address,
    pub at: Millis,
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
    /// What holds wherever its items change hands; absent while it asks nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub policy: Policy,
    /// Who does what there beside the creator, ascending by account; absent for nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleHolder>,
    /// None of its items moves, and none is minted; absent while it is not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub frozen: bool,
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
    /// None of its items moves, and none is minted; absent while it is not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub frozen: bool,
    /// How often each item is redeemed; absent: never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub uses: u32,
    /// What anybody may buy its items for; absent: they are not for sale here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale: Option<Sale>,
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
    /// It has no use left, and stays with its owner.
    Redeemed,
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
    /// Of a card that came over the bridge: who has it on the base chain if the network ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_address: Option<BaseAddress>,
    /// It neither moves nor is burned; absent while it is not. Its edition and collection can be frozen besides.
    #[serde(default, skip_serializing_if = "is_default")]
    pub frozen: bool,
    /// How often it was redeemed; absent: never. From the first time on it moves no more.
    #[serde(default, skip_serializing_if = "is_default")]
    pub used: u32,
    /// Why it is good for nothing any more; absent while it is not void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<String>,
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
    /// By now: bids move it.
    pub expires: Millis,
    /// The application's own key; absent when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission: Option<Commission>,
    /// How the deal comes to its end; absent for a fixed one.
    #[serde(default, skip_serializing_if = "DealRule::is_fixed")]
    pub rule: DealRule,
    /// Of an auction, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest_bid: Option<HighestBid>,
    /// The least that is bid next, while an auction is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_bid: Option<Amount>,
    pub state: DealState,
    /// Of a series of packs: who holds which, and how far its draw is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawing: Option<Box<Drawing>>,
    /// What was shown of it: the secret, or a channel's newest state and its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Box<Standing>>,
    /// Of an order of a book: its edition, the commit that it came in, and how many items were traded so far. What it
    /// gives and wants is of what is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Box<Order>>,
    /// L60: amounts, items and packs that a transaction counts among its `deal_entries`.
    pub entries: u64,
}

/// What an auction has come to. An auction that has expired with one has paid it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HighestBid {
    pub by: Address,
    pub amount: Amount,
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
    Bridge(Bridge),
    Roster(Roster),
    Withdrawal(Withdrawal),
    Offenders(Offenders),
    Work(Work),
    VoucherPool(VoucherPool),
    SpentVoucher(SpentVoucher),
    Posted(Posted),
}

/// One step in the life of an item or an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    pub commit: CommitIndex,
    pub timestamp: Millis,
    /// Absent for what the ledger does by itself: a deal that expired, a deposit, a share of an epoch's fees, a
    /// pool of vouchers that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TransactionId>,
    /// Whether the transaction applied.
    pub state: TransactionState,
    /// The kinds of operation in the transaction, each once, as in their JSON's `type`.
    pub operations: Vec<String>,
    /// The item as the step's commit left it; absent in an account's history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// Whose the item was, where the step changed that; absent for what was minted or came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Address>,
    /// Whose it became; absent for what was burned or went out, and where the step changed nothing of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Address>,
    /// By which deal it changed hands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<DealId>,
    /// The item's part of what the deal sold it for, in the native asset; absent for a swap, a gift, and what came with other
    /// assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
}

impl Object {
    pub fn new(id: &ObjectId, object: &object::Object) -> Self {
        match (id, object) {
            (ObjectId::Account(id), object::Object::Account(o)) => {
                Self::Account(Account::new(*id, o))
            }
            (ObjectId::Collection(id), object::Object::Collection(o)) => {
                Self::Collection(Collection::new(*id, o))
            }
            (ObjectId::Edition(id), object::Object::Edition(o)) => {
                Self::Edition(Edition::new(*id, o))
            }
            (ObjectId::Item(id), object::Object::Item(o)) => Self::Item(Item::new(*id, o)),
            (ObjectId::Deal(id), object::Object::Deal(o)) => Self::Deal(Deal::new(*id, o)),
            (ObjectId::Bridge(_), object::Object::Bridge(o)) => Self::Bridge(Bridge::new(o)),
            (ObjectId::Roster(_), object::Object::Roster(o)) => Self::Roster(Roster::new(o)),
            (ObjectId::Withdrawal(_), object::Object::Withdrawal(o)) => Self::Withdrawal(**o),
            (ObjectId::Offenders(_), object::Object::Offenders(o)) => {
                Self::Offenders(Offenders::new(o))
            }
            (ObjectId::Work(_), object::Object::Work(o)) => Self::Work(Work::new(o)),
            (ObjectId::VoucherPool(id), object::Object::VoucherPool(o)) => {
                Self::VoucherPool(VoucherPool::new(*id, o))
            }
            (ObjectId::SpentVoucher(id), object::Object::SpentVoucher(o)) => {
                Self::SpentVoucher(SpentVoucher::new(*id, o))
            }
            (ObjectId::Posted(hash), object::Object::Posted(o)) => {
                Self::Posted(Posted::new(*hash, o))
            }
            _ => unreachable!("{id} names an object of another kind"),
        }
    }

    /// Reads the encoding that the state tree hashes.
    pub fn decode(id: &ObjectId, bytes: Bytes) -> Result<Self, ObjectError> {
        Ok(Self::new(id, &object::Object::decode(id, bytes)?))
    }
}

impl Account {
    pub fn new(address: Address, account: &object::Account) -> Self {
        let balances = account.balances().map(|b| Balance {
            asset: b.asset,
            amount: b.amount,
        });
        Self {
            address,
            balances: balances.collect(),
            exit_address: account.exit_address(),
            keys: account.keys().map(|keys| Keys::new(address, keys)),
        }
    }
}

impl Keys {
    fn new(account: Address, keys: &object::Keys) -> Self {
        let recovery = keys.recovery.map(|r| Recovery {
            owner: r.owner,
            at: r.at,
        });
        Self {
            owner: keys.owner.unwrap_or(account),
            guardian: keys.guardian,
            recovery,
            sessions: keys.sessions.clone(),
        }
    }
}

impl Collection {
    pub fn new(id: CollectionId, collection: &object::Collection) -> Self {
        Self {
            id,
            creator: collection.creator,
            name: collection.name.clone(),
            description: collection.description.clone(),
            item_cap: collection.item_cap,
            issued: collection.issued,
            editions: collection.editions,
            policy: collection.policy,
            roles: collection.roles.clone(),
            frozen: collection.frozen,
        }
    }
}

impl Edition {
    pub fn new(id: EditionId, edition: &object::Edition) -> Self {
        let terms = edition.terms.clone();
        Self {
            id,
            collection: terms.collection,
            name: terms.name,
            cap: terms.cap,
            issued: edition.issued,
            traits: terms.traits,
            image: terms.image,
            image_hash: terms.image_hash,
            metadata_hash: terms.metadata_hash,
            reference: terms.reference,
            frozen: edition.frozen,
            uses: terms.uses,
            sale: edition.sale.clone(),
        }
    }
}

impl Item {
    /// The item as its encoding has it, without its collection.
    pub fn new(id: ItemId, item: &object::Item) -> Self {
        let (state, deal) = match item.state {
            object::ItemState::Held => (ItemState::Held, None),
            object::ItemState::Locked { deal } => (ItemState::Locked, Some(deal)),
            object::ItemState::Burned => (ItemState::Burned, None),
            object::ItemState::Redeemed => (ItemState::Redeemed, None),
        };
        Self {
            id,
            edition: item.edition,
            collection: None,
            serial: item.serial,
            owner: item.owner,
            state,
            deal,
            status: item.status.clone(),
            data_hash: item.data_hash,
            exit_address: item.exit.and_then(|e| e.address),
            frozen: item.frozen,
            used: item.used,
            void: item.void.clone(),
        }
    }
}

impl Deal {
    pub fn new(id: DealId, deal: &object::Deal) -> Self {
        let (state, taken_by) = match deal.state {
            object::DealState::Open => (DealState::Open, None),
            object::DealState::Taken { by } => (DealState::Taken, Some(by)),
            object::DealState::Cancelled => (DealState::Cancelled, None),
            object::DealState::Expired => (DealState::Expired, None),
        };
        let terms = deal.terms.clone();
        let entries = terms.entries();
        let least = deal.least_bid().filter(|_| state == DealState::Open);
        Self {
            id,
            giver: deal.giver,
            gives: terms.gives,
            wants: terms.wants,
            wants_any: terms.wants_any,
            taker: taken_by.or(terms.taker),
            expires: deal.expires(),
            reference: terms.reference,
            commission: terms.commission,
            rule: terms.rule,
            highest_bid: deal.bid.map(|bid| HighestBid {
                by: bid.by,
                amount: bid.amount,
            }),
            least_bid: least.and_then(|least| u64::try_from(least).ok().map(Amount)),
            state,
            drawing: deal.drawing.clone().map(Box::new),
            standing: deal.standing.clone().map(Box::new),
            order: deal.order.map(Box::new),
            entries,
        }
    }

    /// L47: what a secret draws, by the reader's own arithmetic; `None` for what is no series or has no lot.
    pub fn draw(&self, secret: &DrawSecret) -> Option<Drawn> {
        let terms = NewDeal {
            gives: self.gives.clone(),
            rule: self.rule.clone(),
            ..NewDeal::default()
        };
        let deal = object::Deal {
            giver: self.giver,
            terms,
            state: object::DealState::Open,
            bid: None,
            standing: None,
            order: None,
            drawing: self.drawing.as_deref().cloned(),
        };
        deal.draw(&self.id, secret)
    }
}
