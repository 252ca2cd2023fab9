//! The words of Weft: identifiers, stake and quorum arithmetic, messages, certificates, proofs, their
//! encodings and the cryptography behind them.
//!
//! Everything that leaves a process is a protobuf message of `proto/` ([`wire`]). Bytes become typed
//! values by decoding, which checks form and bounds, and typed values become [`Verified`] ones by
//! the verifying functions of this crate, which check signatures. No other crate can make a
//! `Verified` value, and consensus and ledger take nothing else.
//!
//! No I/O, no clock, no async. The only randomness is inside batch verification, where it decides
//! the cost of finding a wrong signature and never the result.

pub mod api;
mod authorisation;
mod availability;
pub mod bls;
mod bridge;
mod channel;
mod commit;
mod committee;
mod content;
mod draw;
pub mod ed25519;
mod feed;
mod genesis;
pub mod hash;
mod ids;
mod list;
mod network;
mod object;
mod offence;
#[cfg(feature = "openapi")]
mod openapi;
mod operation;
mod possession;
mod receipt;
mod roster;
mod splitmix;
mod state;
mod statement;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod ticket;
mod time;
mod transaction;
mod verified;
mod vertex;
mod voucher;
pub mod wire;
mod work;

pub use authorisation::{
    Assertion, Authorisation, CLIENT_DATA_BYTES_MAX, PASS_AGE_MAX, PASS_AHEAD_MAX, PASS_SLOT_MS,
    Pass, PassBody, Scheme, ToSign, UserKey, p256, secp256k1,
};
pub use availability::{
    AVAILABILITY_CHECK_BYTES, Availability, AvailabilityCertificate, AvailabilitySignature,
    DAYS_PER_BYTE, POSTS_MAX, RETENTION_MAX, Unavailable,
};
pub use bridge::{
    AppendTree, BaseAsset, Bridge, BridgeError, DEPOSITS_MAX, Deposit, Exit, TREE_DEPTH,
    TREE_PLACES, WholeTree, Withdrawal, erc721_edition, erc721_of, tree_empty, tree_node,
    tree_proof, tree_root_of,
};
pub use channel::{
    Book, BookError, CHALLENGE_MAX, CHALLENGE_MIN, CHANNEL_PARTS_MAX, ChannelError, ChannelPart,
    ChannelState, ChannelTerms, Offer, STATES_SHOWN_MAX, Showing, SignedState, Standing,
};
pub use commit::{Commit, CommitError};
pub use committee::{
    ADDRESSES_BYTES_MAX, CommitRule, Committee, CommitteeError, FastRule, MEMBERS_MAX, Member,
    MemberSet, StakeSums,
};
pub use content::{CONTENT_BYTES_MAX, CONTENTS_ASKED_MAX};
pub use draw::{Drawn, draw_commitment};
pub use feed::{Chained, Feed, FeedReport};
pub use genesis::{FeeSchedule, Genesis, GenesisAccount, GenesisError, ProtocolParams, Template};
pub use ids::{
    Address, Amount, AssetId, BaseAddress, BridgeId, CollectionId, CommitDigest, CommitIndex,
    CommitteeDigest, ContentHash, DealId, DrawSecret, EditionId, Entropy, Epoch, GenesisDigest,
    Height, IdError, ItemId, MemberIndex, Millis, NetworkId, OffendersId, Root, RosterId, Round,
    SpentVoucherId, Stake, StateKey, StatementDigest, TokenId, TransactionId, VertexDigest,
    VoucherPoolId, WithdrawalId, WorkId,
};
pub use ids::{Secret, SecretHash};
pub use list::{LIST_BLOCK, block_root, list_proof, list_root, root_of_blocks, verify_list_proof};
pub use network::Network;
pub use object::{
    Account, Closing, Collection, Deal, DealState, Drawing, Edition, HighestBid, Item, ItemExit,
    ItemState, Keys, Lot, Object, ObjectError, Order, Pack, Places, Posted, Recovery, SpentVoucher,
    VOUCHERS_MAX, VoucherPool,
};
pub use offence::{OFFENCES_MAX, Offence, OffenceError, Offender, Offenders, SignedVersion};
pub use operation::{
    ALLOW_LIST_MAX, ALLOW_LIST_SIBLINGS_MAX, AUCTION_TIME_MAX, AllowList, AssetAmount, Auction,
    BookSide, Bundle, Commission, DEAL_ENTRY_BYTES, DealRule, GUARDIAN_DELAY_MAX, Guardian,
    ItemTransfer, KEY_CHANGES_MAX, KeyChange, LIST_MAX, Limit, ListPlace, MINTED_ITEMS_MAX,
    MintEntry, NAME_BYTES_MAX, NewDeal, NewEdition, NewVoucherPool, Operation, OperationError,
    Party, Payment, Policy, Purchase, RAISE_WHOLE, REVEAL_MAX, ROLE_HOLDERS_MAX, ROYALTY_WHOLE,
    Role, RoleHolder, Roles, Royalty, SESSION_LIST_MAX, SESSIONS_MAX, Sale, Series, Session,
    SessionKind, SessionKinds, TEXT_BYTES_MAX, TRAITS_MAX, Taking, Trait, WantedFrom, WantedItems,
};
pub use possession::Possession;
pub use receipt::{Failure, FailureCode, Receipt, ReceiptError};
pub use roster::{
    EDGES_AHEAD_MAX, ENTRIES_MAX, MemberKeys, Outlook, QueueEntry, READIES_MAX, Ready, Roster,
    RosterError, Seat, WAITING_MAX,
};
pub use splitmix::SplitMix64;
pub use state::{
    OBJECT_ID_BYTES, ObjectId, PROOF_SIBLINGS_MAX, ProofError, StateProof, empty_hash, key_bit,
    leaf_hash, node_hash, value_hash,
};
pub use statement::{
    Certificate, CertificateError, CertificateJson, FinalityShare, HeightRoots, STATEMENT_BYTES,
    Statement,
};
pub use ticket::{TICKET_CODE_BYTES_MAX, TicketCode, TicketCodeError};
pub use time::utc;
pub use transaction::{
    AUTHORISATIONS_MAX, OPERATIONS_MAX, PASSES_MAX, TRANSACTION_BYTES_MAX, Transaction,
    TransactionBody, TransactionError, verify_transactions,
};
pub use verified::Verified;
pub use vertex::{
    FINALITY_SHARES_MAX, Observation, VERTEX_BYTES_MAX, VERTEX_TRANSACTIONS_MAX, Vertex,
    VertexBody, VertexError, VertexParts, VertexRef, WEAK_LINKS_MAX, verify_vertex,
    vertex_bytes_max, vertex_transactions_max,
};
pub use voucher::{
    Blinding, IssuerKey, VOUCHER_CHECK_BYTES, VOUCHER_CHECKS_MAX, VoucherError, VoucherKey,
    VoucherPoint,
};
pub use work::{FeeShare, Work};
