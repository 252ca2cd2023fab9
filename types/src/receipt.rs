//! What became of a transaction. A receipt exists for every transaction that paid its fee: either all
//! of its operations were applied, or none was and the failure says which one, why, and the figures.
//! The figures are hashed, the words are not.

use crate::ids::{Amount, CommitIndex, IdError, Millis, TransactionId};
use crate::operation::Role;
use crate::operation::encode::bytes;
use crate::state::ObjectId;
use crate::time::utc_exact;
use crate::wire;
use bytes::Bytes;
use prost::Message as _;
use std::fmt;

/// The outcome of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub transaction: TransactionId,
    pub commit: CommitIndex,
    /// Among the receipts of the commit, from 0.
    pub position: u32,
    /// The transaction's own: until then its digest is remembered (O4).
    pub valid_until: Millis,
    /// What was paid, applied or not.
    pub fee: Amount,
    /// Objects created, in order.
    pub created: Vec<ObjectId>,
    /// `None`: every operation was applied.
    pub failure: Option<Failure>,
}

/// Why no operation of a transaction was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The one that failed, from 0; those inside a `MultiParty` count one by one.
    pub operation: u32,
    pub code: FailureCode,
    /// The object that it is about, `None` for the transaction itself.
    pub subject: Option<ObjectId>,
    /// What there was.
    pub found: u64,
    /// What was needed, or allowed.
    pub limit: u64,
}

macro_rules! failure_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// Why an operation failed. Numbers and names are stable; docs/spec/ledger.md lists them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        pub enum FailureCode {
            $($(#[$doc])* $name = $code,)*
        }

        impl FailureCode {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The number on the wire.
            pub fn number(self) -> u32 {
                self as u32
            }

            /// The name in JSON.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

failure_codes! {
    /// The subject is not in the state: never made, or burned.
    NotFound = 1, "not_found";
    /// The item belongs to another account.
    NotOwner = 2, "not_owner";
    /// The item is given in an open deal.
    ItemLocked = 3, "item_locked";
    /// The account holds `found`, less than the `limit` needed.
    InsufficientBalance = 4, "insufficient_balance";
    /// Another account created the collection.
    NotCreator = 5, "not_creator";
    /// Minting would make `found` items of `limit` allowed.
    CapReached = 6, "cap_reached";
    /// The sender has used the same idempotency for this object before.
    AlreadyExists = 7, "already_exists";
    /// The deal was taken, cancelled, or has expired, or there never was one.
    DealNotOpen = 8, "deal_not_open";
    /// The deal, or the account's session, would expire at `found`, not after the commit's timestamp `limit`.
    ExpiryPassed = 9, "expiry_passed";
    /// Only its giver cancels a deal.
    NotGiver = 10, "not_giver";
    /// The deal is for another account.
    NotTaker = 11, "not_taker";
    /// Nobody takes his own deal.
    OwnDeal = 12, "own_deal";
    /// The taker named `found` items where the deal wants `limit`.
    WrongItemCount = 13, "wrong_item_count";
    /// The item is not of the edition or collection that is wanted in its place.
    WrongItem = 14, "wrong_item";
    /// The item stands twice in one deal.
    DuplicateItem = 15, "duplicate_item";
    /// There are `found` items where `limit` are allowed.
    TooManyItems = 16, "too_many_items";
    /// The asset or item did not come over the bridge, so that the base chain has none to pay out.
    NotBridged = 17, "not_bridged";
    /// The address on the base chain is a contract of the network, which can do nothing with what it is given.
    ContractAddress = 18, "contract_address";
    /// The session that signs for the account may spend `found` more, less than the `limit` needed.
    SessionLimit = 19, "session_limit";
    /// The item or collection is none that the session may deal with.
    SessionScope = 20, "session_scope";
    /// The key has no session of the account.
    NoSession = 21, "no_session";
    /// The account would have `found` sessions of `limit` allowed.
    TooManySessions = 22, "too_many_sessions";
    /// The owner would have `found` ms to refuse a recovery, less than the `limit` of the network.
    DelayTooShort = 23, "delay_too_short";
    /// No recovery of the account is under way.
    NoRecovery = 24, "no_recovery";
    /// Another account guards this one, or none.
    NotGuardian = 25, "not_guardian";
    /// The account has the roles `found` in the collection, and `limit` is needed.
    NoRole = 26, "no_role";
    /// A part of the policy would be `found`, looser than the `limit` that stands.
    PolicyLoosened = 27, "policy_loosened";
    /// The collection would have roles for `found` accounts of `limit` allowed.
    TooManyRoles = 28, "too_many_roles";
    /// The collection's items never change hands.
    Personal = 29, "personal";
    /// At `found` the collection's items do not change hands yet, but from `limit` on.
    TransfersLocked = 30, "transfers_locked";
    /// At `found` the collection's items change hands no longer: it is over since `limit`.
    TransfersOver = 31, "transfers_over";
    /// A freezer of the collection has stopped it.
    Frozen = 32, "frozen";
    /// A side of the deal is sold for `found` of the native asset, below the floor `limit`.
    PriceTooLow = 33, "price_too_low";
    /// A side of the deal is sold for `found` of the native asset, above the cap `limit`.
    PriceTooHigh = 34, "price_too_high";
    /// Items with a cap price are sold with or for something that has none.
    PriceUnclear = 35, "price_unclear";
    /// A royalty and the deal's commission together are `found` parts of its price, more than the whole `limit`.
    SharesTooHigh = 36, "shares_too_high";
    /// Deals with this rule are not taken, or take no bids.
    WrongRule = 37, "wrong_rule";
    /// The bid is `found`, less than the `limit` that the auction asks for.
    BidTooLow = 38, "bid_too_low";
    /// An auction with a bid is not cancelled.
    HasBid = 39, "has_bid";
    /// The auction's last moment would be `found`, later than the `limit`.
    AuctionTooLong = 40, "auction_too_long";
    /// Items of the edition are not redeemed.
    NotRedeemable = 41, "not_redeemable";
    /// The item was redeemed `found` times, all of the `limit` that it is good for.
    NoUseLeft = 42, "no_use_left";
    /// The item was redeemed `found` times, and moves no more.
    ItemUsed = 43, "item_used";
    /// The collection's creator has declared the item void.
    ItemVoid = 44, "item_void";
    /// The pass is not signed by the owner's key, nor by one with a session for it.
    NotHolder = 45, "not_holder";
    /// The pass is of `found`, too long before the commit's timestamp `limit`, or after it.
    PassStale = 46, "pass_stale";
    /// The pass is of slot `found`, not after slot `limit` of the last one that the item was redeemed by.
    PassSpent = 47, "pass_spent";
    /// The pass is for another gate.
    WrongGate = 48, "wrong_gate";
    /// At `found` the edition is not for sale: not before or no more from `limit` on, or not at all.
    NotOnSale = 49, "not_on_sale";
    /// The edition is sold to others: by permit, or to who is on its list.
    NotAllowed = 50, "not_allowed";
    /// The buyer has seen the price `found`, and `limit` is asked.
    PriceDiffers = 51, "price_differs";
    /// Place `found` of the edition's list has bought.
    AlreadyBought = 52, "already_bought";
    /// The sale of the series is over: its packs are neither bought nor handed on.
    SaleOver = 53, "sale_over";
    /// `found` packs of the series are sold, so that it is not cancelled.
    PacksSold = 54, "packs_sold";
    /// A pack is bought with the buyer's entropy, and nothing else is.
    WrongEntropy = 55, "wrong_entropy";
    /// There is no pack `found`, for `limit` are sold.
    NoPack = 56, "no_pack";
    /// Another account holds the pack.
    NotPackHolder = 57, "not_pack_holder";
    /// The series has no lot yet, or none under a height.
    NoLot = 58, "no_lot";
    /// The secret is missing, comes too late, or is none that opens anything here.
    WrongSecret = 59, "wrong_secret";
    /// The deal cannot be cancelled before its time.
    DealBound = 60, "deal_bound";
    /// The channel is between two others.
    NotParty = 61, "not_party";
    /// The channel's state is signed by another key than the channel's.
    WrongSigner = 62, "wrong_signer";
    /// The state is of another channel, or divides what the channel does not hold.
    WrongState = 63, "wrong_state";
    /// The state has the version `found`, no newer than `limit`, which was shown.
    StaleState = 64, "stale_state";
    /// Nobody has begun to close the channel.
    NotClosing = 65, "not_closing";
    /// The channel is closing already.
    AlreadyClosing = 66, "already_closing";
    /// The party would have shown `found` states of `limit` allowed.
    ShownTooOften = 67, "shown_too_often";
    /// The collection asks something of prices or has a royalty, and a channel has no price.
    PricedItem = 68, "priced_item";
    /// Another account opened the pool.
    NotIssuer = 69, "not_issuer";
    /// The account has spent its voucher of the pool.
    VoucherSpent = 70, "voucher_spent";
    /// At `found` the pool pays no more: it is over since `limit`.
    PoolEnded = 71, "pool_ended";
    /// The pool has paid `found` vouchers, and has covered no more than `limit`.
    NotCovered = 72, "not_covered";
    /// The pool would have covered `found` vouchers of `limit` allowed.
    TooManyVouchers = 73, "too_many_vouchers";
    /// A stake of `found` has signed that it has the data, `limit` is needed, or the signatures are not over this.
    Unavailable = 74, "unavailable";
    /// It was signed in epoch `found`, and it is `limit`.
    OtherEpoch = 75, "other_epoch";
    /// The data have `found` bytes, `limit` are allowed.
    DataTooLarge = 76, "data_too_large";
    /// The data are kept until `found`, and at most until `limit` by now.
    Retention = 77, "retention";
    /// The transaction reaches `found` entries of deals, and has named `limit`.
    DealEntries = 78, "deal_entries";
}

/// Bytes that are no receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    #[error("receipt is no protobuf message: {0}")]
    Malformed(String),
    #[error(transparent)]
    Id(#[from] IdError),
    #[error("receipt names an object by {0} bytes that are no kind and id")]
    Object(usize),
    #[error("receipt has the unknown code {0}")]
    Code(u32),
}

impl Receipt {
    pub fn is_applied(&self) -> bool {
        self.failure.is_none()
    }

    /// The encoding, of which the receipts root is made.
    pub fn encode(&self) -> Bytes {
        let id = |id: &ObjectId| Bytes::copy_from_slice(&id.to_bytes());
        wire::Receipt {
            transaction: bytes(&self.transaction.0),
            commit: self.commit.0,
            position: self.position,
            valid_until_ms: self.valid_until.0,
            fee: self.fee.0,
            created: self.created.iter().map(id).collect(),
            failure: self.failure.map(|f| wire::Failure {
                operation: f.operation,
                code: f.code.number(),
                subject: f.subject.as_ref().map_or(Bytes::new(), id),
                found: f.found,
                limit: f.limit,
            }),
        }
        .encode_to_vec()
        .into()
    }

    pub fn decode(bytes: Bytes) -> Result<Self, ReceiptError> {
        let wire =
            wire::Receipt::decode(bytes).map_err(|e| ReceiptError::Malformed(e.to_string()))?;
        let created = wire.created.iter().map(|id| object(id));
        Ok(Self {
            transaction: TransactionId::try_from(wire.transaction.as_ref())?,
            commit: CommitIndex(wire.commit),
            position: wire.position,
            valid_until: Millis(wire.valid_until_ms),
            fee: Amount(wire.fee),
            created: created.collect::<Result<_, _>>()?,
            failure: wire.failure.map(Failure::try_from).transpose()?,
        })
    }
}

impl TryFrom<wire::Failure> for Failure {
    type Error = ReceiptError;

    fn try_from(wire: wire::Failure) -> Result<Self, ReceiptError> {
        let code = FailureCode::ALL.iter().find(|c| c.number() == wire.code);
        let subject = match wire.subject.as_ref() {
            [] => None,
            bytes => Some(object(bytes)?),
        };
        Ok(Self {
            operation: wire.operation,
            code: *code.ok_or(ReceiptError::Code(wire.code))?,
            subject,
            found: wire.found,
            limit: wire.limit,
        })
    }
}

fn object(bytes: &[u8]) -> Result<ObjectId, ReceiptError> {
    ObjectId::from_bytes(bytes).ok_or(ReceiptError::Object(bytes.len()))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, limit, .. } = self;
        let at = |time: &u64| utc_exact(Millis(*time));
        write!(f, "operation {}: ", self.operation)?;
        match &self.subject {
            Some(subject) => write!(f, "{subject} ")?,
            None => f.write_str("the transaction ")?,
        }
        match self.code {
            FailureCode::NotFound => f.write_str("does not exist"),
            FailureCode::NotOwner => f.write_str("belongs to another account"),
            FailureCode::ItemLocked => f.write_str("is locked in an open deal"),
            FailureCode::InsufficientBalance => write!(f, "holds {found}, {limit} are needed"),
            FailureCode::NotCreator => f.write_str("was created by another account"),
            FailureCode::CapReached => write!(f, "would have {found} items, {limit} are allowed"),
            FailureCode::AlreadyExists => f.write_str("exists already"),
            FailureCode::DealNotOpen => f.write_str("is not open"),
            FailureCode::ExpiryPassed => {
                write!(f, "would expire at {}, but it is {} already", at(found), at(limit))
            }
            FailureCode::NotGiver => f.write_str("was opened by another account"),
            FailureCode::NotTaker => f.write_str("is for another account"),
            FailureCode::OwnDeal => f.write_str("would be taken by its own giver"),
            FailureCode::WrongItemCount => write!(f, "wants {limit} picked items, not {found}"),
            FailureCode::WrongItem => f.write_str("is not of the kind wanted in its place"),
            FailureCode::DuplicateItem => f.write_str("stands twice in the deal"),
            FailureCode::NotBridged => {
                f.write_str("names what did not come over the bridge, and cannot leave by it")
            }
            FailureCode::ContractAddress => f.write_str(
                "names a contract of the network on the base chain, which could never take it out again",
            ),
            FailureCode::SessionLimit => write!(
                f,
                "lets the session spend {found} more, {limit} are needed"
            ),
            FailureCode::SessionScope => f.write_str("is none that the session may deal with"),
            FailureCode::NoSession => f.write_str("has no session with this key"),
            FailureCode::TooManySessions => {
                write!(f, "would have {found} sessions, {limit} are allowed")
            }
            FailureCode::DelayTooShort => write!(
                f,
                "would have {found} ms to refuse a recovery, {limit} are the least"
            ),
            FailureCode::NoRecovery => f.write_str("has no recovery under way"),
            FailureCode::NotGuardian => f.write_str("is not guarded by this account"),
            FailureCode::NoRole => {
                let needed = Role::ALL.iter().find(|r| u64::from(r.bit()) == *limit);
                let needed = needed.map_or("unknown", |r| r.name());
                write!(f, "has not given this account the role {needed}")
            }
            FailureCode::PolicyLoosened => write!(
                f,
                "has items, and its policy would be looser: {found} in the place of {limit}"
            ),
            FailureCode::TooManyRoles => {
                write!(f, "would have {found} accounts with roles, {limit} are allowed")
            }
            FailureCode::Personal => f.write_str("has personal items, which never change hands"),
            FailureCode::TransfersLocked => write!(
                f,
                "has items that change hands from {} on, and not at {}",
                at(limit),
                at(found)
            ),
            FailureCode::TransfersOver => write!(
                f,
                "has items that change hands no more since {}, and not at {}",
                at(limit),
                at(found)
            ),
            FailureCode::Frozen => f.write_str("is frozen"),
            FailureCode::PriceTooLow => {
                write!(f, "would sell items for {found}, {limit} is the least")
            }
            FailureCode::PriceTooHigh => {
                write!(f, "would sell items for {found}, {limit} is the most")
            }
            FailureCode::PriceUnclear => f.write_str(
                "would sell items with a cap price together with or for something that has none",
            ),
            FailureCode::SharesTooHigh => write!(
                f,
                "would cost its seller more than its price: a royalty and the commission are {found} parts of {limit}"
            ),
            FailureCode::WrongRule => f.write_str("has a rule by which it does not go this way"),
            FailureCode::BidTooLow => write!(f, "asks for a bid of {limit} or more, not {found}"),
            FailureCode::HasBid => f.write_str("has a bid, and goes on until it expires"),
            FailureCode::AuctionTooLong => {
                write!(f, "could be open until {}, {} is the latest", at(found), at(limit))
            }
            FailureCode::NotRedeemable => f.write_str("has items that are not redeemed"),
            FailureCode::NoUseLeft => {
                write!(f, "was redeemed {found} times, and is good for {limit}")
            }
            FailureCode::ItemUsed => {
                write!(f, "was redeemed {found} times, and stays with its owner")
            }
            FailureCode::ItemVoid => f.write_str("is void"),
            FailureCode::NotHolder => f.write_str("is another's than the pass's signer's"),
            FailureCode::PassStale => write!(
                f,
                "has a pass of {}, and it is {}: too old, or ahead",
                at(found),
                at(limit)
            ),
            FailureCode::PassSpent => write!(
                f,
                "was redeemed by a pass of slot {limit}, and slot {found} is not after it"
            ),
            FailureCode::WrongGate => f.write_str("has a pass for another gate"),
            FailureCode::NotOnSale => match limit {
                0 => f.write_str("is not for sale"),
                limit if found < limit => {
                    write!(f, "is for sale from {} on, and it is {}", at(limit), at(found))
                }
                limit => write!(f, "was for sale until {}, and it is {}", at(limit), at(found)),
            },
            FailureCode::NotAllowed => {
                f.write_str("is sold by permit, or to accounts on its list alone")
            }
            FailureCode::PriceDiffers => write!(f, "costs {limit}, and not {found}"),
            FailureCode::AlreadyBought => {
                write!(f, "has a list whose place {found} has bought")
            }
            FailureCode::SaleOver => f.write_str("has packs for sale no longer"),
            FailureCode::PacksSold => write!(f, "has sold {found} packs"),
            FailureCode::WrongEntropy => f.write_str("is taken with entropy where it is a series of packs, and without where it is none"),
            FailureCode::NoPack => write!(f, "has sold {limit} packs, and none is number {found}"),
            FailureCode::NotPackHolder => f.write_str("has a pack that another account holds"),
            FailureCode::NoLot => f.write_str("has no lot under a height yet"),
            FailureCode::WrongSecret => f.write_str("is not opened by this secret, or by none"),
            FailureCode::DealBound => f.write_str("cannot be cancelled before its time"),
            FailureCode::NotParty => f.write_str("is a channel between two others"),
            FailureCode::WrongSigner => f.write_str("has a state that another key has signed"),
            FailureCode::WrongState => {
                f.write_str("is another channel, or does not hold what the state divides")
            }
            FailureCode::StaleState => write!(
                f,
                "was shown version {limit} already, and {found} is no newer"
            ),
            FailureCode::NotClosing => f.write_str("is not closing"),
            FailureCode::AlreadyClosing => f.write_str("is closing already"),
            FailureCode::ShownTooOften => write!(
                f,
                "would have been shown {found} states by this party, {limit} are allowed"
            ),
            FailureCode::PricedItem => {
                f.write_str("has a floor, a cap or a royalty, and a channel has no price")
            }
            FailureCode::NotIssuer => f.write_str("was opened by another account"),
            FailureCode::VoucherSpent => f.write_str("stands for a voucher that is spent"),
            FailureCode::PoolEnded => {
                write!(f, "pays no more since {}, and not at {}", at(limit), at(found))
            }
            FailureCode::NotCovered => write!(
                f,
                "has paid {found} vouchers, and its issuer has covered no more than {limit}"
            ),
            FailureCode::TooManyVouchers => {
                write!(f, "would have covered {found} vouchers, {limit} are allowed")
            }
            FailureCode::Unavailable => write!(
                f,
                "are signed for by a stake of {found}, {limit} is needed, or a signature is not over this"
            ),
            FailureCode::OtherEpoch => {
                write!(f, "are signed for in epoch {found}, and it is {limit}")
            }
            FailureCode::DataTooLarge => write!(f, "have {found} bytes, {limit} are allowed"),
            FailureCode::Retention => {
                write!(f, "would be kept until {}, {} is the latest", at(found), at(limit))
            }
            FailureCode::DealEntries => write!(
                f,
                "brings the deals' entries that the transaction reaches to {found}, and it names {limit}"
            ),
            FailureCode::TooManyItems => write!(f, "has {found} items, {limit} are allowed"),
        }
    }
}

#[cfg(test)]
mod tests;
