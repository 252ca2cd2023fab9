//! The way out without masternodes (X1 to X6): the latch, claims by the last checkpoints, and their refutation.

use super::BaseChain;
use super::abi::manager::CheckpointManager as Manager;
use super::abi::vault::{EscapeHatch, Vault};
use super::checkpoints::encode;
use super::endpoint::At;
use super::error::ClientError;
use super::feed::Deposited;
use super::key::AccountKey;
use super::send::Mined;
use super::vault::{NATIVE_UNIT, asset_words};
use alloy::primitives::{Address, B256};
use alloy::providers::Provider as _;
use alloy::rpc::types::{Filter, Log};
use alloy::sol_types::{SolCall, SolEvent};
use std::collections::BTreeSet;
use std::time::SystemTime;
use weft_types::{BaseAddress, Exit, Height, Root, Statement, TREE_DEPTH};

/// What a claim costs until it is paid or refuted, in wei.
pub const CLAIM_STAKE: u128 = 10_000_000 * NATIVE_UNIT;
/// Blocks whose logs are asked for at once.
pub const LOG_BLOCKS_MAX: u64 = 2_000;

/// X1: whether the way out is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latch {
    /// Times are Unix seconds, by the base chain's clock. `None`: the bridge works.
    pub tripped_at: Option<u64>,
    /// The newest checkpoint when it was tripped: none above it counts.
    pub height: Height,
    /// From when on anybody may trip it, unless another checkpoint is posted before.
    pub opens_at: u64,
    /// Seconds in which a claim may be refuted.
    pub window_s: u64,
    /// When the bridge was frozen by a conflict.
    pub frozen_at: Option<u64>,
    /// Seconds from a checkpoint's posting until it is final (BC12).
    pub finality_delay_s: u64,
    /// The newest block's time, or this machine's where that is later: a chain that rests has old blocks.
    pub now: u64,
}

/// Of a place of the exit tree, or of a deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimState {
    /// The leaf; of a deposit the running digest.
    pub what: Root,
    pub claimant: BaseAddress,
    /// Unix seconds.
    pub opened_at: u64,
    /// Of the checkpoint that it was claimed by; zero for a deposit.
    pub height: Height,
    pub paid: bool,
}

/// What a checkpoint has at a place of the exit tree, with the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenPlace {
    pub place: u64,
    /// `None`: nothing is there.
    pub exit: Option<Exit>,
    pub siblings: [Root; TREE_DEPTH],
    pub statement: Statement,
}

impl ProvenPlace {
    /// Zero when nothing is there.
    pub fn leaf(&self) -> Root {
        Root(self.exit.map_or([0; 32], |e| e.leaf()))
    }
}

impl BaseChain {
    /// Where the latch stands.
    pub async fn latch(&self) -> Result<Latch, ClientError> {
        let (vault, manager) = (self.contracts.vault, self.contracts.manager);
        let (what, at) = ("latch", At::Latest);
        let ask = &self.endpoint;
        let tripped = ask.read(what, vault, Vault::latchedAtCall {}, at).await?;
        let height = ask
            .read(what, vault, Vault::latchedHeightCall {}, at)
            .await?;
        let after = ask.read(what, vault, Vault::escapeAfterCall {}, at).await?;
        let window_s = ask
            .read(what, vault, Vault::escapeWindowCall {}, at)
            .await?;
        let last = ask
            .read(what, manager, Manager::lastPostedCall {}, at)
            .await?;
        let delay = ask
            .read(what, manager, Manager::finalityDelayCall {}, at)
            .await?;
        let now = ask.head().await?.timestamp.max(clock());
        let frozen = self.frozen_at().await?;
        let opens_at = last.saturating_add(delay).saturating_add(after);
        Ok(Latch {
            tripped_at: (tripped != 0).then_some(tripped),
            height: Height(height),
            opens_at: frozen.map_or(opens_at, |since| since.min(opens_at)),
            window_s,
            frozen_at: frozen,
            finality_delay_s: delay,
            now,
        })
    }

    /// Opens the way out, for good.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `TooEarly` or `Latched`.
    pub async fn trip(&self, key: &AccountKey) -> Result<Mined, ClientError> {
        self.call_escape(key, "latch", 0, Vault::tripCall {}).await
    }

    /// The claim of a place of the exit tree; `None` when there is none, or it was refuted.
    pub async fn exit_claim(&self, place: u64) -> Result<Option<ClaimState>, ClientError> {
        let call = Vault::exitsCall { index: place };
        let vault = self.contracts.vault;
        let found = self.endpoint.read("claim", vault, call, At::Latest).await?;
        Ok(claim_state(
            found.what,
            found.claimant,
            (found.openedAt, found.height),
            found.paid,
        ))
    }

    /// The claim of a deposit, likewise.
    pub async fn reclaim(&self, index: u64) -> Result<Option<ClaimState>, ClientError> {
        let call = Vault::reclaimsCall { index };
        let vault = self.contracts.vault;
        let found = self.endpoint.read("claim", vault, call, At::Latest).await?;
        Ok(claim_state(
            found.what,
            found.claimant,
            (found.openedAt, found.height),
            found.paid,
        ))
    }

    /// Claims what is at a place, with [`CLAIM_STAKE`]. The key's account has to be its owner.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the contract's reason; also when nothing is at the place.
    pub async fn escape(
        &self,
        key: &AccountKey,
        proven: &ProvenPlace,
    ) -> Result<Mined, ClientError> {
        let what = "exit";
        let nothing = || self.malformed(what, "nothing is at this place");
        let call = Vault::escapeCall {
            statement: encode(&proven.statement).into(),
            exit: exit(&proven.exit.ok_or_else(nothing)?),
            siblings: proven.siblings.map(|s| B256::from(s.0)),
        };
        self.call_escape(key, what, CLAIM_STAKE, call).await
    }

    /// X5: shows that a claim is not so any more, and earns its stake.
    pub async fn refute_escape(
        &self,
        key: &AccountKey,
        proven: &ProvenPlace,
    ) -> Result<Mined, ClientError> {
        let call = Vault::refuteEscapeCall {
            statement: encode(&proven.statement).into(),
            index: proven.place,
            leaf: B256::from(proven.leaf().0),
            siblings: proven.siblings.map(|s| B256::from(s.0)),
        };
        self.call_escape(key, "refutation", 0, call).await
    }

    /// Has a claim paid whose window is over, whoever asks.
    pub async fn finish_escape(&self, key: &AccountKey, of: &Exit) -> Result<Mined, ClientError> {
        let call = Vault::finishEscapeCall { exit: exit(of) };
        self.call_escape(key, "payout", 0, call).await
    }

    /// X6: claims back a deposit that was never credited, with [`CLAIM_STAKE`].
    pub async fn reclaim_deposit(
        &self,
        key: &AccountKey,
        of: &Deposited,
    ) -> Result<Mined, ClientError> {
        let call = Vault::reclaimDepositCall {
            deposit: deposit(of),
        };
        self.call_escape(key, "reclaim", CLAIM_STAKE, call).await
    }

    /// Shows that a deposit was credited.
    pub async fn refute_reclaim(
        &self,
        key: &AccountKey,
        statement: &Statement,
        index: u64,
    ) -> Result<Mined, ClientError> {
        let call = Vault::refuteReclaimCall {
            statement: encode(statement).into(),
            index,
        };
        self.call_escape(key, "refutation", 0, call).await
    }

    /// Has a deposit paid back whose window is over, whoever asks.
    pub async fn finish_reclaim(
        &self,
        key: &AccountKey,
        of: &Deposited,
    ) -> Result<Mined, ClientError> {
        let call = Vault::finishReclaimCall {
            deposit: deposit(of),
        };
        self.call_escape(key, "payout", 0, call).await
    }

    /// Places of the exit tree that were ever claimed.
    pub async fn claimed_exits(&self, latch: &Latch) -> Result<BTreeSet<u64>, ClientError> {
        let events: Vec<Vault::ExitClaimed> = self.since(latch).await?;
        Ok(events.iter().map(|e| e.index).collect())
    }

    /// Deposits that were ever reclaimed.
    pub async fn claimed_deposits(&self, latch: &Latch) -> Result<BTreeSet<u64>, ClientError> {
        let events: Vec<Vault::ReclaimOpened> = self.since(latch).await?;
        Ok(events.iter().map(|e| e.index).collect())
    }

    /// Of each refutation the place, and the height of the checkpoint that it was refuted by.
    pub async fn refuted_exits(&self, latch: &Latch) -> Result<Vec<(u64, Height)>, ClientError> {
        let events: Vec<Vault::ExitRefuted> = self.since(latch).await?;
        Ok(events.iter().map(|e| (e.index, Height(e.height))).collect())
    }

    /// Deposits whose reclaim was refuted.
    pub async fn refuted_deposits(&self, latch: &Latch) -> Result<BTreeSet<u64>, ClientError> {
        let events: Vec<Vault::ReclaimRefuted> = self.since(latch).await?;
        Ok(events.iter().map(|e| e.index).collect())
    }

    /// What an account has deposited, from a block on.
    pub async fn deposits_of(
        &self,
        sender: BaseAddress,
        from: u64,
    ) -> Result<Vec<Deposited>, ClientError> {
        let head = self.endpoint.head().await?.number;
        let mut found = Vec::new();
        let mut from = from;
        while from <= head {
            let to = head.min(from.saturating_add(LOG_BLOCKS_MAX - 1));
            let deposits = self.deposits_between(from, to).await?;
            found.extend(deposits.into_iter().filter(|d| d.event.sender == sender));
            from = to.saturating_add(1);
        }
        Ok(found)
    }

    /// Events of the vault since the latch was tripped.
    async fn since<E: SolEvent>(&self, latch: &Latch) -> Result<Vec<E>, ClientError> {
        let Some(tripped) = latch.tripped_at else {
            return Ok(Vec::new());
        };
        let head = self.endpoint.head().await?.number;
        let mut from = self.endpoint.first_block_at(tripped, head).await?;
        let mut events = Vec::new();
        while from <= head {
            let to = head.min(from.saturating_add(LOG_BLOCKS_MAX - 1));
            let filter = Filter::new()
                .address(Address::from(self.contracts.vault))
                .event_signature(E::SIGNATURE_HASH)
                .from_block(from)
                .to_block(to);
            let logs = || self.endpoint.provider.get_logs(&filter);
            let logs: Vec<Log> = self.endpoint.ask("claims", logs).await?;
            for log in logs {
                let event = E::decode_log(&log.inner);
                let event = event.map_err(|e| self.malformed("claims", &e.to_string()))?;
                events.push(event.data);
            }
            from = to.saturating_add(1);
        }
        Ok(events)
    }

    async fn call_escape(
        &self,
        key: &AccountKey,
        what: &'static str,
        value: u128,
        call: impl SolCall,
    ) -> Result<Mined, ClientError> {
        self.call_vault(key, what, value, call.abi_encode().into())
            .await
    }
}

fn clock() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |d| d.as_secs())
}

fn claim_state(
    what: B256,
    claimant: Address,
    (opened_at, height): (u64, u64),
    paid: bool,
) -> Option<ClaimState> {
    (opened_at != 0).then_some(ClaimState {
        what: Root(what.0),
        claimant: BaseAddress(claimant.into_array()),
        opened_at,
        height: Height(height),
        paid,
    })
}

fn exit(exit: &Exit) -> EscapeHatch::Exit {
    EscapeHatch::Exit {
        index: exit.place,
        asset: asset_words(&exit.asset),
        owner: exit.owner.0.into(),
    }
}

fn deposit(of: &Deposited) -> EscapeHatch::Deposit {
    EscapeHatch::Deposit {
        index: of.index,
        asset: asset_words(&of.event.asset),
        sender: of.event.sender.0.into(),
        account: B256::from(of.event.account.0),
    }
}
