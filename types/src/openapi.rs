//! Schemas of the identifiers for the API's description, behind the feature `openapi`. They are
//! written by hand because their JSON is a text or a number, not the structure that Rust sees.

use crate::availability::AvailabilitySignature;
use crate::bls;
use crate::ed25519;
use crate::ids::{
    Address, Amount, AssetId, BaseAddress, BridgeId, CollectionId, CommitDigest, CommitIndex,
    CommitteeDigest, ContentHash, DealId, DrawSecret, EditionId, Entropy, Epoch, GenesisDigest,
    Height, ItemId, MemberIndex, Millis, NetworkId, OffendersId, Root, RosterId, Round, Secret,
    SecretHash, SpentVoucherId, Stake, StateKey, StatementDigest, TokenId, TransactionId,
    VertexDigest, VoucherPoolId, WithdrawalId, WorkId,
};
use crate::voucher::{VoucherKey, VoucherPoint};
use std::borrow::Cow;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! schema {
    ($build:expr; $($name:ty $(as $shown:literal)?: $description:literal,)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $build.description(Some($description)).into()
            }
        }

        impl ToSchema for $name {
            $(fn name() -> Cow<'static, str> {
                $shown.into()
            })?
        }
    )*};
}

fn hex(digits: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^(0x)?[0-9a-fA-F]{{{digits}}}$")))
}

fn number() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
}

schema! { hex(64);
    NetworkId: "Names one Weft network.",
    GenesisDigest: "Digest of what a network starts with.",
    VertexDigest: "Digest of a vertex.",
    CommitDigest: "Digest of a commit.",
    TransactionId: "A transaction's identity: the digest of its body.",
    StatementDigest: "keccak256 of a statement's fixed encoding.",
    CommitteeDigest: "Digest of a committee; zero for none.",
    Root: "A root or a node of a hash tree.",
    StateKey: "A key of the state tree.",
    ContentHash: "BLAKE3 hash of content that lives beside the ledger.",
    AssetId: "A fungible asset; all zeros is the native one.",
    CollectionId: "A collection.",
    EditionId: "An edition.",
    ItemId: "A card or a ticket.",
    DealId: "A deal.",
    Entropy: "What a buyer of a pack adds to its draw.",
    DrawSecret: "What the giver of a series has committed to.",
    TokenId: "The number of an ERC-721 token, 256 bits, big-endian.",
    BridgeId: "The bridge in the ledger: there is one.",
    RosterId: "Who is in office, and who will be: there is one.",
    OffendersId: "The list of offenders: there is one.",
    WithdrawalId: "A withdrawal: its index, big-endian, after zeros.",
    WorkId: "Who has carried how much of the order in this epoch: there is one.",
    SecretHash: "SHA-256 of a secret.",
    Secret: "What opens a deal or a part of a channel that is locked by its hash.",
    VoucherPoolId: "A pool of vouchers.",
    SpentVoucherId: "The mark of a voucher that is spent.",
    ed25519::PublicKey as "Ed25519PublicKey": "An Ed25519 public key.",
}

schema! { hex(40);
    BaseAddress: "An account or a contract on the base chain.",
}

schema! { hex(96);
    bls::PublicKey as "BlsPublicKey": "A BLS12-381 public key in G1, compressed.",
    VoucherPoint: "A point of G1 of BLS12-381, compressed: a voucher, or a proof of possession.",
}

schema! { hex(192);
    VoucherKey: "The key of a pool of vouchers: a point of G2 of BLS12-381, compressed.",
    AvailabilitySignature: "A BLS12-381 signature in G2, compressed: of a member, or a sum of several.",
}

schema! { ObjectBuilder::new().schema_type(Type::String).pattern(Some("^weft1[02-9ac-hj-np-z]{58}$"));
    Address: "An account, as bech32m.",
}

schema! { number();
    Round: "A round of the DAG.",
    Epoch: "The period in which one committee is in office.",
    CommitIndex: "The place of a commit in the total order, from 1.",
    Height: "A certified commit's number, from 1; 0 is genesis.",
    Stake: "Voting weight, in whole bond units.",
    MemberIndex: "A member's place in its committee.",
    Amount: "An amount in the asset's smallest unit.",
    Millis: "Milliseconds since the Unix epoch.",
}
