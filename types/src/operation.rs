//! The operations of the ledger, typed. What is wrong in form (a length, an empty list, a missing
//! choice) is refused where they are read (`decode.rs`), so that the ledger judges meaning only.

mod auction;
mod book;
mod commission;
mod data;
pub(crate) mod decode;
mod draw;
pub(crate) mod encode;
mod keys;
mod parties_field;
mod policy;
mod reach;
mod set;
mod ticket;
mod voucher;

pub use auction::{AUCTION_TIME_MAX, Auction, RAISE_WHOLE};
pub use book::{BookSide, Limit};
pub use commission::Commission;
pub use decode::OperationError;
pub use draw::{REVEAL_MAX, Series};
pub use keys::{
    GUARDIAN_DELAY_MAX, Guardian, KEY_CHANGES_MAX, KeyChange, SESSION_LIST_MAX, SESSIONS_MAX,
    Session, SessionKind, SessionKinds,
};
pub(crate) use policy::is_default;
pub use policy::{Policy, ROLE_HOLDERS_MAX, ROYALTY_WHOLE, Role, RoleHolder, Roles, Royalty};
pub use reach::DEAL_ENTRY_BYTES;
pub use voucher::NewVoucherPool;

pub use ticket::{ALLOW_LIST_MAX, ALLOW_LIST_SIBLINGS_MAX, AllowList, ListPlace, Purchase, Sale};

use crate::authorisation::Authorisation;
use crate::authorisation::Pass;
use crate::availability::AvailabilityCertificate;
use crate::channel::{ChannelTerms, Showing, SignedState};
use crate::ids::{
    Address, Amount, AssetId, BaseAddress, CollectionId, ContentHash, DealId, DrawSecret,
    EditionId, Entropy, IdError, ItemId, Millis, Secret, SecretHash, VoucherPoolId,
};
use crate::voucher::{VoucherKey, VoucherPoint};
use crate::wire;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest description, image or status, in bytes.
pub const TEXT_BYTES_MAX: usize = 1024;
/// Most traits of an edition.
pub const TRAITS_MAX: usize = 32;
/// Most entries in one list of an operation (payments, items, mint entries, parties).
pub const LIST_MAX: usize = 256;
/// Most items that one transaction mints; the ledger refuses more, and a client need not send it.
pub const MINTED_ITEMS_MAX: u64 = 256;

/// One step of a transaction. All steps apply, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Operation {
    Transfer {
        payments: Vec<Payment>,
        items: Vec<ItemTransfer>,
    },
    CreateCollection {
        name: String,
        description: String,
        /// 0: no cap over the editions' own.
        item_cap: u64,
    },
    CreateEdition(NewEdition),
    Mint {
        entries: Vec<MintEntry>,
    },
    UpdateItem {
        item: ItemId,
        status: String,
        data_hash: Option<ContentHash>,
    },
    Burn {
        items: Vec<ItemId>,
    },
    DealOpen(NewDeal),
    DealTake(Taking),
    DealCancel {
        deal: DealId,
    },
    /// Gives up what came over the bridge, for `recipient` to have on the base chain.
    Withdraw {
        recipient: BaseAddress,
        gives: Bundle,
    },
    /// X3: names who has on the base chain what the account holds, if the network ends. It counts for amounts, for
    /// cards that come to the account from then on, and for those listed.
    ExitAddress {
        address: BaseAddress,
        items: Vec<ItemId>,
    },
    /// L19: who has the say for the account from now on, change after change.
    SetKeys {
        changes: Vec<KeyChange>,
    },
    /// L21: another owner for an account that the actor guards.
    Recover {
        account: Address,
        /// The address of the key.
        owner: Address,
    },
    /// L25: what the collection's creator lays down for it.
    SetPolicy {
        collection: CollectionId,
        /// Whole, in the place of the last one; `None`: as it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<Policy>,
        /// Each in the place of the account's last ones; an empty set takes all away.
        #[serde(default)]
        roles: Vec<RoleHolder>,
    },
    /// L29: stops what it names, or lets it go on.
    Freeze {
        frozen: bool,
        #[serde(default)]
        collections: Vec<CollectionId>,
        #[serde(default)]
        editions: Vec<EditionId>,
        #[serde(default)]
        items: Vec<ItemId>,
    },
    /// L32: more than anybody else for what an auction sells.
    Bid {
        deal: DealId,
        amount: Amount,
    },
    /// L35: takes one use of an item, whose holder has shown a pass.
    Redeem {
        item: ItemId,
        pass: Pass,
    },
    /// L37: good for nothing any more.
    Void {
        items: Vec<ItemId>,
        /// For people.
        #[serde(default)]
        reason: String,
    },
    /// L38: what items of an edition are sold for to whoever asks.
    SetSale {
        edition: EditionId,
        /// In the place of the last one; `None`: there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sale: Option<Sale>,
    },
    Buy(Purchase),
    /// L47: draws what is in the packs of a series.
    Reveal {
        deal: DealId,
        secret: DrawSecret,
    },
    /// L46: hands on a pack that is sealed.
    PassPack {
        deal: DealId,
        /// From 0, in the order of sale.
        pack: u32,
        to: Address,
    },
    #[serde(with = "parties_field")]
    MultiParty(Vec<Party>),
    /// L42: closes a channel.
    ChannelClose(Showing),
    /// L42: answers in a channel that is closing.
    ChannelChallenge(Showing),
    /// L49: opens a pool of vouchers.
    VoucherOpen(NewVoucherPool),
    /// L50: covers more vouchers of the actor's pool.
    VoucherIssue {
        pool: VoucherPoolId,
        count: u64,
    },
    /// L51: pays the actor's voucher to it, once.
    VoucherSpend {
        key: VoucherKey,
        voucher: VoucherPoint,
    },
    /// L53: records that a quorum has data.
    PostData(AvailabilityCertificate),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Payment {
    pub to: Address,
    pub asset: AssetId,
    pub amount: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemTransfer {
    pub to: Address,
    pub item: ItemId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trait {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewEdition {
    pub collection: CollectionId,
    pub name: String,
    pub cap: u64,
    pub traits: Vec<Trait>,
    pub image: String,
    pub image_hash: Option<ContentHash>,
    pub metadata_hash: Option<ContentHash>,
    /// The application's own key.
    pub reference: String,
    /// L35: how often each item is redeemed; 0: never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub uses: u32,
}

impl NewEdition {
    /// Whether one of its traits has this name and this value.
    pub fn has_trait(&self, name: &str, value: &str) -> bool {
        let mut traits = self.traits.iter();
        traits.any(|t| t.name == name && t.value == value)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MintEntry {
    pub edition: EditionId,
    pub to: Address,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssetAmount {
    pub asset: AssetId,
    pub amount: Amount,
}

/// Assets and items that change hands together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bundle {
    pub assets: Vec<AssetAmount>,
    pub items: Vec<ItemId>,
}

impl Bundle {
    pub fn is_empty(&self) -> bool {
        self.assets.is_empty() && self.items.is_empty()
    }
}

/// Where a wanted item may come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WantedFrom {
    Edition(EditionId),
    Collection(CollectionId),
    /// L30: of the collection, and of an edition that has the trait.
    Trait {
        collection: CollectionId,
        name: String,
        value: String,
    },
}

/// Any `count` items of an edition, a collection or a trait, picked by the taker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WantedItems {
    pub from: WantedFrom,
    pub count: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewDeal {
    /// Locked until the deal is taken, cancelled or expired.
    pub gives: Bundle,
    pub wants: Bundle,
    pub wants_any: Vec<WantedItems>,
    /// `None`: anyone may take it.
    pub taker: Option<Address>,
    pub expires: Millis,
    /// The application's own key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// L31: what the application that brings the deal has of its price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission: Option<Commission>,
    #[serde(default, skip_serializing_if = "DealRule::is_fixed")]
    pub rule: DealRule,
}

/// How a deal comes to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DealRule {
    /// Whoever first gives what is wanted takes what is given.
    #[default]
    Fixed,
    /// L32: whoever has bid the most when the deal expires has what is given.
    Auction(Auction),
    /// Packs are sold sealed, and their contents drawn together.
    Draw(Series),
    /// L40: the taker has to know the secret of this hash; the giver cannot cancel.
    Secret { hash: SecretHash },
    /// L41: giver and taker divide what is given by states that both sign.
    CoSigned(ChannelTerms),
    /// L56: an order of an edition's book, which the ledger clears.
    Book,
}

impl DealRule {
    /// Of all rules.
    pub const NAMES: &[&str] = &["fixed", "auction", "draw", "secret", "co_signed", "book"];

    /// As in the `type` of its JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Auction(_) => "auction",
            Self::Draw(_) => "draw",
            Self::Secret { .. } => "secret",
            Self::CoSigned(_) => "co_signed",
            Self::Book => "book",
        }
    }

    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed)
    }
}

/// What a taker brings to a deal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Taking {
    pub deal: DealId,
    /// What fills `wants_any`, in its order.
    pub items: Vec<ItemId>,
    /// L46: of who buys a pack of a series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy: Option<Entropy>,
    /// L40: where the deal is locked by a secret's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
}

impl Taking {
    pub fn new(deal: DealId, items: Vec<ItemId>) -> Self {
        Self {
            deal,
            items,
            ..Self::default()
        }
    }

    /// One pack of a series.
    pub fn pack(deal: DealId, entropy: Entropy) -> Self {
        Self {
            deal,
            entropy: Some(entropy),
            ..Self::default()
        }
    }
}

/// One party's steps in a transaction that several have signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Party {
    pub account: Address,
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub operations: Vec<Operation>,
}

impl Operation {
    /// As in the `type` of its JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Transfer { .. } => "transfer",
            Self::CreateCollection { .. } => "create_collection",
            Self::CreateEdition(_) => "create_edition",
            Self::Mint { .. } => "mint",
            Self::UpdateItem { .. } => "update_item",
            Self::Burn { .. } => "burn",
            Self::DealOpen(_) => "deal_open",
            Self::DealTake(_) => "deal_take",
            Self::DealCancel { .. } => "deal_cancel",
            Self::Withdraw { .. } => "withdraw",
            Self::ExitAddress { .. } => "exit_address",
            Self::SetKeys { .. } => "set_keys",
            Self::Recover { .. } => "recover",
            Self::SetPolicy { .. } => "set_policy",
            Self::Freeze { .. } => "freeze",
            Self::Bid { .. } => "bid",
            Self::Redeem { .. } => "redeem",
            Self::Void { .. } => "void",
            Self::SetSale { .. } => "set_sale",
            Self::Buy(_) => "buy",
            Self::Reveal { .. } => "reveal",
            Self::PassPack { .. } => "pass_pack",
            Self::MultiParty(_) => "multi_party",
            Self::ChannelClose(_) => "channel_close",
            Self::ChannelChallenge(_) => "channel_challenge",
            Self::VoucherOpen(_) => "voucher_open",
            Self::VoucherIssue { .. } => "voucher_issue",
            Self::VoucherSpend { .. } => "voucher_spend",
            Self::PostData(_) => "post_data",
        }
    }

    /// What it is made of: those of a `MultiParty`'s parties, or itself.
    pub fn parts(&self) -> impl Iterator<Item = &Self> {
        let (alone, parties) = match self {
            Self::MultiParty(parties) => (None, &parties[..]),
            alone => (Some(alone), &[][..]),
        };
        alone
            .into_iter()
            .chain(parties.iter().flat_map(|party| &party.operations))
    }

    /// Operations that this one counts for.
    pub fn count(&self) -> usize {
        match self {
            Self::MultiParty(parties) => parties.iter().map(|p| p.operations.len()).sum(),
            _ => 1,
        }
    }

    /// States of channels in it, whose signatures are checked with the transaction's.
    pub(crate) fn states(&self) -> Vec<&SignedState> {
        match self {
            Self::ChannelClose(shown) | Self::ChannelChallenge(shown) => {
                shown.state.iter().collect()
            }
            Self::MultiParty(parties) => {
                let inner = parties.iter().flat_map(|p| &p.operations);
                inner.flat_map(Self::states).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What the signatures in it count for the fee, beside their bytes.
    pub fn signature_bytes(&self) -> u64 {
        let signatures = self.states().into_iter().flat_map(|s| &s.signatures);
        signatures.map(Authorisation::charged_bytes).sum()
    }

    /// Items that this one asks to mint.
    pub fn minted(&self) -> u64 {
        match self {
            Self::Mint { entries } => {
                let counts = entries.iter().map(|e| e.count);
                counts.fold(0, u64::saturating_add)
            }
            Self::Buy(buy) => buy.count,
            Self::MultiParty(parties) => {
                let inner = parties.iter().flat_map(|p| &p.operations);
                inner.map(Self::minted).fold(0, u64::saturating_add)
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests;
