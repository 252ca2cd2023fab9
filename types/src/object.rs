//! What the ledger holds, typed, with the encodings under the state tree's leaves. An encoding is a
//! function of the value alone: fields in order, lists in a fixed order, nothing twice. Their JSON is
//! in [`crate::api`].

use crate::bridge::{Bridge, BridgeError, Withdrawal};
use crate::channel::{ChannelError, Standing};
use crate::ids::{Address, Amount, BaseAddress, ContentHash, DealId, EditionId, IdError};
use crate::offence::{OffenceError, Offenders};
use crate::operation::{
    AssetAmount, NewDeal, NewEdition, OperationError, Policy, Role, RoleHolder, Roles, Sale,
};
use crate::roster::{Roster, RosterError};
use crate::state::ObjectId;
use crate::work::Work;
use bytes::Bytes;
use std::sync::Arc;

/// The creator's terms for editions and items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Who adds editions, mints and updates items.
    pub creator: Address,
    pub name: String,
    pub description: String,
    /// 0: no cap over the editions' own.
    pub item_cap: u64,
    /// Items ever minted.
    pub issued: u64,
    /// Also the number of the newest edition.
    pub editions: u64,
    pub policy: Policy,
    /// Ascending by account, none without a role.
    pub roles: Vec<RoleHolder>,
    /// L29: none of its items moves, and none is minted.
    pub frozen: bool,
}

/// Items of one kind: a card's print, a ticket's category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    pub terms: NewEdition,
    /// Items ever minted, also the newest item's serial.
    pub issued: u64,
    /// L29: none of its items moves, and none is minted.
    pub frozen: bool,
    /// L38: what anybody may buy its items for.
    pub sale: Option<Sale>,
    /// L39: who on the sale's list has bought.
    pub bought: Places,
}

/// A card or a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub edition: EditionId,
    /// From 1 to the edition's cap.
    pub serial: u64,
    /// While locked the giver of the deal; once burned who burned it.
    pub owner: Address,
    pub state: ItemState,
    /// The creator's words.
    pub status: String,
    pub data_hash: Option<ContentHash>,
    /// X3: of a card that came over the bridge, once somebody with an exit address has had it.
    pub exit: Option<ItemExit>,
    /// L29: it neither moves nor is burned.
    pub frozen: bool,
    /// L35: how often it was redeemed.
    pub used: u32,
    /// L37: why it is good for nothing any more; `None` while it is not void.
    pub void: Option<String>,
    /// L36: slot of the newest pass that it was redeemed by; 0: of none.
    pub last_pass: u64,
}

/// A card's place in the exit tree, and whose leaf is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemExit {
    pub place: u64,
    /// The exit address of who holds the card; `None`: it is nobody's on the base chain.
    pub address: Option<BaseAddress>,
}

/// Whether an item can move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemState {
    Held,
    /// Given in an open deal.
    Locked {
        deal: DealId,
    },
    /// For histories: a burned item is in the state no longer.
    Burned,
    /// L35: no use is left.
    Redeemed,
}

/// The one escrow. While open it owns the assets and locks the items that it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    pub giver: Address,
    pub terms: NewDeal,
    pub state: DealState,
    /// L32: of an auction; `None` before the first one.
    pub bid: Option<HighestBid>,
    /// L46: of a series of packs alone.
    pub drawing: Option<Drawing>,
    /// L40, L42: what was shown of it.
    pub standing: Option<Standing>,
    /// L56: of an order of a book alone.
    pub order: Option<Order>,
}

/// Where a deal stands. The state holds open ones only, the others are for histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DealState {
    Open,
    Taken { by: Address },
    Cancelled,
    Expired,
}

/// Any object, shared: a clone costs a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    Account(Arc<Account>),
    Collection(Arc<Collection>),
    Edition(Arc<Edition>),
    Item(Arc<Item>),
    Deal(Arc<Deal>),
    Bridge(Arc<Bridge>),
    Withdrawal(Arc<Withdrawal>),
    Roster(Arc<Roster>),
    Offenders(Arc<Offenders>),
    Work(Arc<Work>),
    VoucherPool(Arc<VoucherPool>),
    SpentVoucher(Arc<SpentVoucher>),
    Posted(Arc<Posted>),
}

/// Bytes that are no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    #[error("object is no protobuf message: {0}")]
    Malformed(String),
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Part(#[from] OperationError),
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    #[error(transparent)]
    Offenders(#[from] OffenceError),
    #[error("balances are not ascending by asset, or one is zero")]
    Balances,
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{what} has the unknown state {found}")]
    State { what: &'static str, found: i32 },
    #[error("{0} names what its state has not")]
    Stray(&'static str),
    #[error("the bridge's tree of {0} withdrawals has other peaks")]
    Peaks(u64),
    #[error(transparent)]
    Roster(#[from] RosterError),
    #[error("a roster's members are not ascending, or more entries wait than were taken up")]
    Seats,
    #[error("a deal's drawing is none of its rule and state")]
    Drawing,
    #[error("a deal's order is none of its rule and terms")]
    Order,
    #[error("work counts what no order has, or more than a committee's")]
    Work,
    #[error("a deal's bid is below the reserve, or expires when no bid of the auction could")]
    Bid,
    #[error("reports are not ascending by member")]
    Reports,
    #[error("places in the exit tree are not ascending by asset, or without an exit address")]
    ExitPlaces,
    #[error("an edition's list has other places than have bought, or one says nothing")]
    Places,
    #[error("a collection's roles are not ascending by account, too many, or one says nothing")]
    Roles,
    #[error("an account's sessions are not ascending by key or too many, or its keys say nothing")]
    Keys,
    #[error("place {0} is beyond the exit tree")]
    ExitPlace(u64),
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("withdrawal {found} stands under another index")]
    Withdrawal { found: u64 },
    #[error("a pool of vouchers has spent or covered more than it can, or pays nothing")]
    VoucherPool,
    #[error("data of {0} bytes are posted")]
    Posted(u64),
}

impl Collection {
    /// L27: whether an account has a role here. The creator has all of them.
    pub fn has_role(&self, account: &Address, role: Role) -> bool {
        self.creator == *account || self.roles_of(account).has(role)
    }

    /// What was given to an account.
    pub fn roles_of(&self, account: &Address) -> Roles {
        let found = self.holder(account).ok();
        found.map_or(Roles::default(), |place| self.roles[place].roles)
    }

    /// Replaces what was given to an account.
    pub fn set_roles(&mut self, holder: RoleHolder) {
        match (self.holder(&holder.account), holder.roles.is_empty()) {
            (Ok(place), true) => drop(self.roles.remove(place)),
            (Ok(place), false) => self.roles[place] = holder,
            (Err(_), true) => {}
            (Err(place), false) => self.roles.insert(place, holder),
        }
    }

    fn holder(&self, account: &Address) -> Result<usize, usize> {
        self.roles.binary_search_by(|h| h.account.cmp(account))
    }
}

impl Item {
    /// As it is minted.
    pub fn new(edition: EditionId, serial: u64, owner: Address) -> Self {
        Self {
            edition,
            serial,
            owner,
            state: ItemState::Held,
            status: String::new(),
            data_hash: None,
            exit: None,
            frozen: false,
            used: 0,
            void: None,
            last_pass: 0,
        }
    }
}

impl Edition {
    /// As it is created.
    pub fn new(terms: NewEdition) -> Self {
        Self {
            terms,
            issued: 0,
            frozen: false,
            sale: None,
            bought: Places::default(),
        }
    }
}

impl Object {
    /// The object's encoding: the value under its leaf.
    pub fn encode(&self) -> Bytes {
        encode::object(self)
    }

    /// Reads the object that `id` names.
    pub fn decode(id: &ObjectId, bytes: Bytes) -> Result<Self, ObjectError> {
        encode::decode(id, bytes)
    }
}

macro_rules! views {
    ($($view:ident: $kind:ident),+ $(,)?) => {
        impl Object {
            $(
                pub fn $view(&self) -> Option<&Arc<$kind>> {
                    match self {
                        Self::$kind(object) => Some(object),
                        _ => None,
                    }
                }
            )+
        }
    };
}

views! {
    as_account: Account,
    as_collection: Collection,
    as_edition: Edition,
    as_item: Item,
    as_deal: Deal,
    as_bridge: Bridge,
    as_withdrawal: Withdrawal,
    as_roster: Roster,
    as_offenders: Offenders,
    as_work: Work,
    as_voucher_pool: VoucherPool,
    as_spent_voucher: SpentVoucher,
    as_posted: Posted,
}

mod account;
mod bid;
mod deal;
mod drawing;
mod encode;
mod keys;
mod order;
mod places;
mod posted;
mod voucher;

pub use account::Account;
pub use bid::HighestBid;
pub use drawing::{Closing, Drawing, Lot, Pack};
pub use keys::{Keys, Recovery};
pub use order::Order;
pub use places::Places;
pub use posted::Posted;
pub use voucher::{SpentVoucher, VOUCHERS_MAX, VoucherPool};

#[cfg(test)]
mod tests;
