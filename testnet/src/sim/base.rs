//! The base chain of a run: the embedded EVM chain with the real contracts, on which the committee has
//! registered and bonded. Its time is the run's; what is asked of it takes a link's time, and it can be away,
//! lose what was submitted, and be reorganised.
//!
//! **The notary.** The contract knows BLS12-381 keys alone. With mock signers a certificate is translated at
//! the border: one that verifies under the members' mock keys is signed again with the real keys of the same
//! members, which is what the same members' real shares would have summed up to; one that does not verify gets
//! a signature that does not either. So the contract's own checks decide in every run.

mod poster;
mod registry;
mod watch;

pub use poster::{Poster, Question};
pub use registry::Asked;
pub use watch::{Watch, World as Watched};

use super::cast::Cast;
use super::plan::{Plan, PlanError, Signer};
use super::rng::{Rng, Stream};
use super::time::{START, Time};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use weft_basechain::embedded::ChainConfig;
use weft_basechain::local::{LocalChain, Posting, Verdict};
use weft_basechain::{AccountKey, At, Checkpoint, DeployParams, Registration, Times};
use weft_node::replica::posting::Seen;
use weft_types::{Certificate, Committee, GenesisDigest, Height, MemberSet, bls};

/// The embedded chain's id.
pub const CHAIN_ID: u64 = 31_337;
/// Wei of a member's bond, and what each operator has.
const BOND: u128 = 1_000_000_000_000_000_000;
const BALANCE: u128 = 1_000 * BOND;
/// How long a question or an answer is under way, in microseconds.
const LINK_US: (u64, u64) = (5_000, 50_000);
/// How long a member waits for an answer that does not come, in microseconds.
pub const SILENCE_US: u64 = 1_000_000;
/// Set-ups that are kept for the runs that follow in this thread.
const KEPT_MAX: usize = 64;

/// Names a set-up: its pace, how many members, how many nodes, whether bonds change, and the network.
type SetUp = (Pace, usize, usize, bool, [u8; 32]);
/// Units that a member bonds at the most where bonds change.
const WEIGHT_MAX: u64 = 128;

/// How the base chain of a run is paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pace {
    /// Between two blocks, in milliseconds.
    pub block_ms: u64,
    /// How many blocks `finalized` is behind the head.
    pub depth: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            block_ms: 1_000,
            depth: 4,
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms:{}", self.block_ms, self.depth)
    }
}

/// Text that is no pace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("base chain {0:?} is not BLOCK:DEPTH, such as 1s:4")]
pub struct PaceError(String);

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        let parts = text.split_once(':');
        let parsed = parts.and_then(|(block, depth)| {
            Some(Self {
                block_ms: super::faults::millis(block)?,
                depth: depth.parse().ok()?,
            })
        });
        parsed.ok_or_else(|| PaceError(text.to_owned()))
    }
}

/// What posting has come to: of the blocks that stayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Checkpoints {
    pub posted: usize,
    /// Of them in final blocks.
    pub anchored: usize,
    /// Honest members' transactions that cost gas and posted nothing, because another was faster.
    pub wasted: usize,
    /// Longest time from the certificate of a due height to the block that has it or a later one.
    pub worst_delay_ms: u64,
    /// Of all honest members' transactions.
    pub gas: u64,
    /// That honest members raised because nobody posted in time.
    pub alarms: usize,
}

/// A submission whose sender waits for its block.
pub struct Waiting {
    pub machine: usize,
    pub life: u32,
    pub hash: [u8; 32],
    pub height: Height,
}

pub struct Base {
    pub pace: Pace,
    pub local: LocalChain,
    /// By node.
    operators: Vec<AccountKey>,
    registry: registry::Registry,
    /// The members' real finality keys, for the notary.
    keys: Vec<bls::SecretKey>,
    /// Whether certificates have mock signatures.
    translates: bool,
    /// Block with which the set-up ended.
    first: u64,
    rng: Rng,
    pub is_down: bool,
    /// Submissions that get lost, in a thousand.
    pub loss: u32,
    pub reorganisations: u32,
    /// That honest members have raised.
    pub alarms: usize,
    pub waiting: Vec<Waiting>,
    /// Whether an honest member has sent it, by the transaction's hash.
    sent: BTreeMap<[u8; 32], bool>,
    pub watch: Watch,
}

fn operator(member: usize) -> Option<AccountKey> {
    let mut secret = [0x0b; 32];
    secret[..8].copy_from_slice(&(member as u64 + 1).to_be_bytes());
    AccountKey::from_bytes(&secret).ok()
}

fn unusable(reason: impl fmt::Display) -> PlanError {
    PlanError::Genesis(format!("base chain: {reason}"))
}

/// A chain on which a network's members have registered with their real keys. The same network gives the same
/// chain, so that runs in one thread share the set-up.
pub fn enrolled(
    plan: &Plan,
    pace: Pace,
    network: GenesisDigest,
    members: &[Registration],
) -> Result<LocalChain, PlanError> {
    thread_local! {
        static KEPT: RefCell<BTreeMap<SetUp, LocalChain>> = RefCell::default();
    }
    let moves = !plan.churn.is_empty();
    let key = (pace, plan.nodes, plan.everybody(), moves, network.0);
    if let Some(kept) = KEPT.with_borrow(|kept| kept.get(&key).cloned()) {
        return Ok(kept);
    }
    let operators: Option<Vec<AccountKey>> = (0..plan.everybody()).map(operator).collect();
    let mut operators = operators.ok_or_else(|| unusable("no key for an operator"))?;
    let config = ChainConfig {
        chain_id: CHAIN_ID,
        seed: 1,
        genesis_timestamp: START.0 / 1000,
        balances: operators.iter().map(|o| (o.address(), BALANCE)).collect(),
        finality_depth: pace.depth,
    };
    operators.truncate(plan.nodes);
    let params = DeployParams {
        network,
        bond_unit: BOND,
        weight_min: 1,
        weight_max: if moves { WEIGHT_MAX } else { 1 },
        times: Times::testnet(0),
        backing: 0,
        curator: [0; 20],
        operators: operators.iter().map(AccountKey::address).collect(),
    };
    let members: Vec<_> = operators.into_iter().zip(members.iter().cloned()).collect();
    let local = LocalChain::enrolled(config, &params, &members).map_err(unusable)?;
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, local.clone());
    });
    Ok(local)
}

/// What a member registers.
pub fn registration(keys: &weft_node::NodeKeys, addresses: String) -> Registration {
    Registration {
        vertex_key: keys.vertex.public(),
        finality_secret: keys.finality.clone(),
        bond: BOND,
        addresses,
    }
}

impl Base {
    /// C1: with real signers the registry's committee has to be the genesis'.
    pub fn new(
        plan: &Plan,
        pace: Pace,
        local: LocalChain,
        committee: &Committee,
        keys: Vec<bls::SecretKey>,
    ) -> Result<Self, PlanError> {
        let registered = local.committee_digest();
        if plan.signer == Signer::Real && registered != Some(committee.digest()) {
            return Err(unusable("the registry's committee is not the genesis'"));
        }
        let operators: Option<Vec<AccountKey>> = (0..plan.everybody()).map(operator).collect();
        Ok(Self {
            registry: registry::Registry::default(),
            pace,
            first: local.chain().head().number(),
            local,
            operators: operators.ok_or_else(|| unusable("no key for an operator"))?,
            keys,
            translates: plan.signer == Signer::Mock,
            rng: Rng::new(plan.seed, Stream::Base),
            is_down: false,
            loss: 0,
            reorganisations: 0,
            alarms: 0,
            waiting: Vec::new(),
            sent: BTreeMap::new(),
            watch: Watch::new(pace),
        })
    }

    /// When something that is sent at `now` arrives.
    pub fn arrival(&mut self, now: Time) -> Time {
        now.after(self.rng.between(LINK_US.0, LINK_US.1))
    }

    /// Seals a block and returns its hash.
    pub fn seal(&mut self, now: Time) -> [u8; 32] {
        self.local.seal(now.wall(0).0 / 1000);
        self.read_queue();
        self.local.chain().head().hash().0
    }

    /// The newest checkpoint, and the newest final one.
    pub fn latest(&self) -> (Option<Checkpoint>, Option<Checkpoint>) {
        let at = |at| self.local.latest_checkpoint(at);
        (at(At::Latest), at(At::Finalized))
    }

    /// A certificate as the contract takes it, by the notary if need be.
    pub fn notarised(&self, cast: &Cast, certificate: &Certificate) -> Posting {
        let statement = &certificate.statement;
        let signature = if self.translates {
            let verified = certificate
                .clone()
                .verify(&cast.genesis.network, &cast.newest().committee);
            let message = verified.map_or([0; 32], |_| statement.digest().0);
            self.signature(&certificate.bitmap, &message)
        } else {
            certificate.signature.to_eip2537().to_vec()
        };
        Posting {
            statement: statement.clone(),
            bitmap: certificate.bitmap.clone(),
            signature,
        }
    }

    /// The real keys of the members in a bitmap over a message.
    fn signature(&self, bitmap: &[u8], message: &[u8; 32]) -> Vec<u8> {
        let signers = MemberSet::from_bitmap(bitmap, self.keys.len());
        let shares: Vec<bls::Signature> = signers
            .iter()
            .flat_map(MemberSet::iter)
            .map(|m| self.keys[m.as_usize()].sign(bls::Purpose::Finality, message))
            .collect();
        let sum = bls::Signature::sum(&shares);
        sum.map_or_else(Vec::new, |sum| sum.to_eip2537().to_vec())
    }

    pub fn judge(&self, posting: &Posting) -> Option<Verdict> {
        self.local.judge(posting).ok()
    }

    /// Hands a member's transaction to the chain, on which it may get lost. `None` when the chain does not
    /// take it.
    pub fn submit(&mut self, member: usize, posting: &Posting, honest: bool) -> Option<[u8; 32]> {
        let hash = self.local.submit(&self.operators[member], posting).ok()?;
        self.sent.insert(hash, honest);
        if self.rng.chance(self.loss) {
            self.local.forget(&hash);
        }
        Some(hash)
    }

    /// Takes blocks away, at most those that are not final; of their transactions about half wait again.
    pub fn reorganise(&mut self, depth: u64) {
        let chain = self.local.chain();
        let depth = depth.min(chain.head().number() - chain.finalized());
        let depth = depth.min(chain.head().number() - self.first);
        self.reorganisations += 1;
        let taken = self.local.rewind(depth).unwrap_or_default();
        for raw in taken {
            if self.rng.chance(500) {
                self.local.submit_again(&raw);
            }
        }
    }

    /// A draw for a criminal's choice.
    pub fn draw(&mut self, below: u64) -> u64 {
        self.rng.below(below)
    }

    pub fn tally(&self) -> Checkpoints {
        let chain = self.local.chain();
        let mut tally = Checkpoints {
            worst_delay_ms: self.watch.worst_delay_us / 1000,
            alarms: self.alarms,
            ..Checkpoints::default()
        };
        for number in self.first + 1..=chain.head().number() {
            for (hash, included) in self.local.block(number) {
                let honest = self.sent.get(&hash).copied().unwrap_or_default();
                let success = included.success;
                tally.posted += usize::from(success);
                tally.anchored += usize::from(success && number <= chain.finalized());
                tally.wasted += usize::from(honest && !success);
                tally.gas += if honest { included.gas_used } else { 0 };
            }
        }
        tally
    }
}

/// What a look finds, in the words of posting.
pub fn seen(latest: Option<Checkpoint>) -> Seen {
    latest.map_or_else(Seen::default, |latest| Seen {
        height: latest.height,
        block: latest.base_block,
    })
}

#[cfg(test)]
mod tests;
