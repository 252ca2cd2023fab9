//! What a network starts with. `genesis.json` is all that a light client needs: it fixes parameters,
//! the first ledger, the base chain's contracts and the first committee.

use crate::committee::{Committee, CommitteeError, Member};
use crate::hash::{Domain, blake3};
use crate::ids::{Address, Amount, BaseAddress, Epoch, GenesisDigest, Millis};
use crate::network::Network;
use crate::operation::Operation;
use crate::transaction::Transaction;
use serde::{Deserialize, Serialize};

/// Shortest time in which an owner can refuse a recovery, unless a network says otherwise: an hour.
const GUARDIAN_DELAY_MIN: Millis = Millis(3_600_000);

/// Rules that every node of a network shares, hashed into its genesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProtocolParams {
    /// Leader slots a round, at most one for each member that is not demoted (D5). Default 128: every
    /// member leads every round.
    pub leaders_per_round: u32,
    /// Rounds behind a committed leader whose vertices can still be output (O2).
    pub gc_depth: u64,
    /// Shortest time between two heights (F1).
    pub finality_interval_ms: Millis,
    /// Longest time between two heights while the ledger rests (F1).
    pub finality_interval_max_ms: Millis,
    /// Time between two checkpoints (B2).
    pub checkpoint_interval_ms: Millis,
    /// E1: time between an epoch's beginning and the announcement of the next committee. Default a day.
    pub epoch_duration_ms: Millis,
    /// B1: base blocks on top of a block before its deposits count.
    pub base_confirmations: u64,
    /// Seconds between a checkpoint's posting and the first payout by it: time for a challenge.
    pub challenge_window_s: u64,
    /// Heights without a certificate at which members stop taking transactions (F4).
    pub uncertified_heights_max: u64,
    /// Transactions in one vertex, in bytes.
    pub vertex_payload_bytes_max: u64,
    /// Longest time between a commit and the `valid_until` of its transactions (O3).
    pub validity_max_ms: Millis,
    /// L19: shortest time in which an owner can refuse a recovery. Absent by default: an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardian_delay_min_ms: Option<Millis>,
    /// D6: commits after two message delays, in a network where at most this part of the stake, in per
    /// cent, lies, and others among the faulty only crash: 0 to 33. Absent by default: after three,
    /// and all that are faulty may lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byzantine_percent: Option<u32>,
    pub fees: FeeSchedule,
}

/// What a transaction pays, in units of the native asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeeSchedule {
    pub per_transaction: Amount,
    pub per_operation: Amount,
    /// Of the body, and what each authorisation counts ([`crate::Authorisation::charged_bytes`]).
    pub per_byte: Amount,
    /// For each item that is to be minted, because every node keeps it from then on.
    pub per_item: Amount,
}

impl FeeSchedule {
    /// The fee of a transaction with this many operations, charged bytes and items to mint. What does
    /// not fit 64 bits is the largest amount, which nobody can pay.
    pub fn fee(&self, operations: u64, bytes: u64, items: u64) -> Amount {
        let part = |price: Amount, n: u64| price.0.saturating_mul(n);
        self.per_transaction
            .saturating_add(part(self.per_operation, operations))
            .saturating_add(part(self.per_byte, bytes))
            .saturating_add(part(self.per_item, items))
    }

    /// The fee of a transaction: a function of its body and of who must sign it, so that nobody on
    /// the way can change it.
    pub fn of(&self, transaction: &Transaction) -> Amount {
        let body = transaction.body();
        let operations = body.operations.iter().map(|o| o.count() as u64).sum();
        let minted = body.operations.iter().map(Operation::minted);
        let minted = minted.fold(0, u64::saturating_add);
        self.fee(operations, transaction.charged_bytes(), minted)
    }
}

impl Default for ProtocolParams {
    fn default() -> Self {
        Self {
            leaders_per_round: 128,
            gc_depth: 60,
            finality_interval_ms: Millis(250),
            finality_interval_max_ms: Millis(60_000),
            checkpoint_interval_ms: Millis(5_000),
            epoch_duration_ms: Millis(86_400_000),
            base_confirmations: 2,
            challenge_window_s: 10,
            uncertified_heights_max: 120,
            vertex_payload_bytes_max: 1 << 20,
            validity_max_ms: Millis(600_000),
            guardian_delay_min_ms: None,
            byzantine_percent: None,
            fees: FeeSchedule {
                per_transaction: Amount(100),
                per_operation: Amount(50),
                per_byte: Amount(1),
                per_item: Amount(10),
            },
        }
    }
}

/// A value out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    #[error("genesis: {field} is {value}, not in {range}")]
    Range {
        field: &'static str,
        value: u64,
        range: &'static str,
    },
    #[error("genesis: account {0} appears twice")]
    DuplicateAccount(Address),
    #[error("genesis: balances add up to more than 2^64 - 1")]
    Supply,
    #[error("genesis: {0}")]
    Committee(#[from] CommitteeError),
    #[error("genesis: digest is {found}, not the {expected} that it claims")]
    Digest {
        expected: GenesisDigest,
        found: GenesisDigest,
    },
    #[error("genesis is no JSON of the expected form: {0}")]
    Malformed(String),
}

impl ProtocolParams {
    /// L19: shortest time in which an owner can refuse a recovery.
    pub fn guardian_delay_min(&self) -> Millis {
        self.guardian_delay_min_ms.unwrap_or(GUARDIAN_DELAY_MIN)
    }

    /// Names the first field that is out of its range.
    pub fn validate(&self) -> Result<(), GenesisError> {
        let check = |field, value, low: u64, high: u64, range| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(GenesisError::Range {
                field,
                value,
                range,
            })
        };
        let leaders = u64::from(self.leaders_per_round);
        check("leaders_per_round", leaders, 1, 128, "1..=128")?;
        check("gc_depth", self.gc_depth, 10, 10_000, "10..=10000")?;
        let epoch = self.epoch_duration_ms.0;
        let longest = 30 * 86_400_000;
        check(
            "epoch_duration_ms",
            epoch,
            1_000,
            longest,
            "1000..=2592000000",
        )?;
        let confirmations = self.base_confirmations;
        check("base_confirmations", confirmations, 1, 1_000, "1..=1000")?;
        let window = self.challenge_window_s;
        check("challenge_window_s", window, 0, 2_592_000, "0..=2592000")?;
        let interval = self.finality_interval_ms.0;
        check("finality_interval_ms", interval, 1, 60_000, "1..=60000")?;
        let longest = self.finality_interval_max_ms.0;
        check(
            "finality_interval_max_ms",
            longest,
            interval,
            86_400_000,
            "finality_interval_ms..=86400000",
        )?;
        let interval = self.checkpoint_interval_ms.0;
        check(
            "checkpoint_interval_ms",
            interval,
            100,
            86_400_000,
            "100..=86400000",
        )?;
        let heights = self.uncertified_heights_max;
        check("uncertified_heights_max", heights, 4, 10_000, "4..=10000")?;
        let bytes = self.vertex_payload_bytes_max;
        check(
            "vertex_payload_bytes_max",
            bytes,
            65_536,
            3 << 20,
            "65536..=3145728",
        )?;
        let validity = self.validity_max_ms.0;
        check("validity_max_ms", validity, 1_000, 600_000, "1000..=600000")?;
        let delay = self.guardian_delay_min().0;
        check(
            "guardian_delay_min_ms",
            delay,
            1_000,
            86_400_000,
            "1000..=86400000",
        )?;
        let byzantine = u64::from(self.byzantine_percent.unwrap_or(0));
        check("byzantine_percent", byzantine, 0, 33, "0..=33")
    }
}

/// An account that the network starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GenesisAccount {
    pub address: Address,
    pub balance: Amount,
}

/// The part that is fixed before the contracts are deployed, and named by them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Template {
    pub name: String,
    /// The first ledger time.
    pub timestamp_ms: Millis,
    pub params: ProtocolParams,
    pub accounts: Vec<GenesisAccount>,
}

impl Template {
    /// The digest that contracts and statements name.
    ///
    /// # Panics
    /// Never: the template's types all have a JSON form.
    pub fn digest(&self) -> GenesisDigest {
        let json = serde_json::to_vec(self).expect("a template has a JSON form");
        GenesisDigest(blake3(Domain::Genesis, &[&json]))
    }

    pub fn validate(&self) -> Result<(), GenesisError> {
        self.params.validate()?;
        let mut addresses: Vec<Address> = self.accounts.iter().map(|a| a.address).collect();
        addresses.sort_unstable();
        if let Some(pair) = addresses.windows(2).find(|p| p[0] == p[1]) {
            return Err(GenesisError::DuplicateAccount(pair[0]));
        }
        let balances = self.accounts.iter().map(|a| a.balance.0);
        balances
            .into_iter()
            .try_fold(0u64, u64::checked_add)
            .map(|_| ())
            .ok_or(GenesisError::Supply)
    }
}

/// The whole of `genesis.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Genesis {
    pub template: Template,
    pub network: Network,
    /// Address of the `MasternodeRegistry` contract.
    #[serde(with = "hex::serde")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub registry: [u8; 20],
    /// Address of the `Vault` contract.
    #[serde(with = "hex::serde")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub vault: [u8; 20],
    /// The committee of epoch 0, as the registry has it.
    pub committee: Vec<Member>,
}

impl Genesis {
    /// Reads and validates `genesis.json`.
    pub fn from_json(text: &str) -> Result<Self, GenesisError> {
        let genesis: Self =
            serde_json::from_str(text).map_err(|e| GenesisError::Malformed(e.to_string()))?;
        genesis.validate()?;
        Ok(genesis)
    }

    /// # Panics
    /// Never: the types of a genesis all have a JSON form.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a genesis has a JSON form");
        text.push('\n');
        text
    }

    /// L17: what is a contract of the network, and so nobody that an asset could be paid to.
    pub fn contracts(&self) -> [BaseAddress; 3] {
        [self.registry, self.network.manager, self.vault].map(BaseAddress)
    }

    pub fn validate(&self) -> Result<(), GenesisError> {
        self.template.validate()?;
        let found = self.template.digest();
        let expected = self.network.genesis;
        if found != expected {
            return Err(GenesisError::Digest { expected, found });
        }
        self.committee().map(|_| ())
    }

    /// The committee of epoch 0.
    pub fn committee(&self) -> Result<Committee, GenesisError> {
        Ok(Committee::new(Epoch::ZERO, self.committee.clone())?)
    }
}

#[cfg(test)]
mod tests;
