//! Who takes part: the committee with its keys, the genesis, and the users' transactions.
//!
//! Transactions are signed with real keys, whoever signs the vertices. A transaction is a function of
//! the network and of its number, so that runs in one process share them: what a run costs is then the
//! protocol, not the load generator.

use super::base::{self, Base};
use super::plan::{Plan, PlanError, Signer};
use super::seating::Seating;
use super::time::START;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use weft_basechain::Contracts;
use weft_node::NodeKeys;
use weft_types::{
    Address, Amount, AssetId, Committee, Epoch, Genesis, GenesisAccount, Member, Millis, Network,
    NetworkId, Operation, Payment, ProtocolParams, Stake, Template, Transaction, TransactionBody,
    TransactionId, Verified, bls, ed25519,
};

/// Users that send to each other.
const USERS: u64 = 16;
/// What each starts with; a transfer costs some hundreds.
const BALANCE: Amount = Amount(1 << 50);
/// Genesis variants: a network's id seeds its leader schedule, and a run's seed chooses one of these.
const VARIANTS: u64 = 16;
/// Transactions kept for the runs that follow in this thread.
const KEPT_MAX: usize = 1 << 17;
/// A transaction's `valid_until` moves on with windows of this length, in milliseconds.
const WINDOW_MS: u64 = 240_000;

/// Names a transaction: its network, its number, and its window of validity.
type Key = (NetworkId, u64, u64);

/// Two members have come to different committees of one epoch.
#[derive(Debug)]
pub struct OtherCommittee;

/// The committees and their world.
pub struct Cast {
    pub genesis: Arc<Genesis>,
    /// Of all nodes: first the genesis committee's, then those that join.
    pub keys: Vec<NodeKeys>,
    pub network: NetworkId,
    /// By epoch, as far as any member has come.
    seatings: Vec<Rc<Seating>>,
    /// Until the world takes it.
    pub base: Option<Base>,
}

fn seed(purpose: u8, index: u64) -> [u8; 32] {
    let mut seed = [0x5e; 32];
    seed[0] = purpose;
    seed[1..9].copy_from_slice(&index.to_be_bytes());
    seed
}

/// What a node registers where there is a base chain.
pub fn registration(plan: &Plan, node: usize) -> weft_basechain::Registration {
    let keys = keys(Signer::Real, node as u64);
    base::registration(&keys, address(plan, node as u64 + 1))
}

fn keys(signer: Signer, index: u64) -> NodeKeys {
    match signer {
        Signer::Real => NodeKeys {
            vertex: ed25519::SecretKey::from_seed(seed(1, index)),
            finality: bls::SecretKey::from_entropy(&seed(2, index)),
        },
        Signer::Mock => NodeKeys {
            vertex: ed25519::SecretKey::mock(index),
            finality: bls::SecretKey::mock(index),
        },
    }
}

/// A user's key and account.
fn user(number: u64) -> (ed25519::SecretKey, Address) {
    thread_local! {
        static USERS_OF: Vec<(ed25519::SecretKey, Address)> = (0..USERS)
            .map(|user| {
                let key = ed25519::SecretKey::from_seed(seed(3, user));
                let address = Address::of_key(&key.public());
                (key, address)
            })
            .collect();
    }
    USERS_OF.with(|users| users[(number % USERS) as usize].clone())
}

/// The registry does not take a member without an address.
pub fn address(plan: &Plan, id: u64) -> String {
    match plan.base {
        Some(_) => format!("/memory/{id}"),
        None => String::new(),
    }
}

impl Cast {
    pub fn new(plan: &Plan) -> Result<Self, PlanError> {
        let keys: Vec<NodeKeys> = (0..plan.everybody() as u64)
            .map(|i| keys(plan.signer, i))
            .collect();
        let address = |id: u64| address(plan, id);
        let member = |(keys, id): (&NodeKeys, u64)| Member {
            id,
            stake: Stake(1),
            vertex_key: keys.vertex.public(),
            finality_key: keys.finality.public(),
            addresses: address(id),
        };
        let mut params = ProtocolParams {
            byzantine_percent: plan.byzantine_percent,
            ..ProtocolParams::default()
        };
        if let Some(leaders) = plan.leaders {
            params.leaders_per_round = leaders;
        }
        if let Some(epoch) = plan.epoch {
            params.epoch_duration_ms = Millis(epoch);
        }
        let account = |i| GenesisAccount {
            address: user(i).1,
            balance: BALANCE,
        };
        let template = Template {
            name: format!("simulation {}", plan.seed % VARIANTS),
            timestamp_ms: START,
            params,
            accounts: (0..USERS).map(account).collect(),
        };
        let digest = template.digest();
        let local = plan.base.map(|pace| {
            let member = |node| registration(plan, node);
            let members: Vec<_> = (0..plan.nodes).map(member).collect();
            let local = base::enrolled(plan, pace, digest, &members)?;
            Ok::<_, PlanError>((pace, local, members))
        });
        let local = local.transpose()?;
        let contracts = match &local {
            Some((_, local, _)) => local.contracts(),
            None => Contracts {
                registry: [0x22; 20],
                manager: [0x11; 20],
                vault: [0x33; 20],
            },
        };
        let genesis = Genesis {
            network: Network {
                genesis: digest,
                chain_id: base::CHAIN_ID,
                manager: contracts.manager,
            },
            template,
            registry: contracts.registry,
            vault: contracts.vault,
            committee: keys.iter().zip(1..).take(plan.nodes).map(member).collect(),
        };
        let committee = genesis.committee();
        let committee = committee.map_err(|error| PlanError::Genesis(error.to_string()))?;
        let committee = Arc::new(committee);
        let base = local.map(|(pace, local, members)| {
            let keys = members.into_iter().map(|m| m.finality_secret).collect();
            Base::new(plan, pace, local, &committee, keys)
        });
        Ok(Self {
            base: base.transpose()?,
            network: genesis.network.id(),
            seatings: vec![Rc::new(Seating::new(committee, &keys))],
            genesis: Arc::new(genesis),
            keys,
        })
    }

    /// The committee of an epoch, if anybody has come there.
    pub fn seating(&self, epoch: Epoch) -> Option<&Rc<Seating>> {
        self.seatings.get(usize::try_from(epoch.0).ok()?)
    }

    /// The committee of the newest epoch.
    pub fn newest(&self) -> &Rc<Seating> {
        self.seatings
            .last()
            .expect("the genesis committee is there")
    }

    /// A member has come to a committee of an epoch.
    ///
    /// # Errors
    /// When another one has come to a different committee.
    pub fn seat(&mut self, committee: &Arc<Committee>) -> Result<Rc<Seating>, OtherCommittee> {
        if let Some(known) = self.seating(committee.epoch()) {
            let same = known.committee.digest() == committee.digest();
            return same.then(|| known.clone()).ok_or(OtherCommittee);
        }
        if committee.epoch() != self.newest().epoch().next() {
            return Err(OtherCommittee);
        }
        let seating = Rc::new(Seating::new(committee.clone(), &self.keys));
        self.seatings.push(seating.clone());
        Ok(seating)
    }

    /// The transaction with a number, submitted `elapsed` milliseconds after the start.
    pub fn transaction(&self, number: u64, elapsed: u64) -> Arc<Verified<Transaction>> {
        thread_local! {
            static KEPT: RefCell<HashMap<Key, Arc<Verified<Transaction>>>> = RefCell::default();
        }
        let window = elapsed / WINDOW_MS;
        let key = (self.network, number, window);
        KEPT.with_borrow_mut(|kept| {
            if kept.len() >= KEPT_MAX {
                kept.clear();
            }
            let made = kept.entry(key).or_insert_with(|| self.make(number, window));
            made.clone()
        })
    }

    fn make(&self, number: u64, window: u64) -> Arc<Verified<Transaction>> {
        let (key, sender) = user(number);
        let mut idempotency = [0; 16];
        idempotency[..8].copy_from_slice(&number.to_be_bytes());
        // At most `validity_max` after the commit, which is not before the window; and late enough for
        // whatever is submitted within it.
        let validity = self.genesis.template.params.validity_max_ms.0;
        let body = TransactionBody {
            network: self.network,
            sender,
            idempotency,
            valid_until: Millis(START.0 + window * WINDOW_MS + validity - WINDOW_MS / 8),
            max_fee: Amount(1_000_000),
            sponsor: None,
            operations: vec![Operation::Transfer {
                payments: vec![Payment {
                    to: user(number + 1).1,
                    asset: AssetId::NATIVE,
                    amount: Amount(1),
                }],
                items: Vec::new(),
            }],
            deal_entries: 0,
        };
        let signed = body.sign(&[&key]);
        let verified = signed.verify(self.network);
        Arc::new(verified.expect("an own transaction is well signed"))
    }
}

/// Transactions that were verified when they were submitted, so that a vertex that brings one again
/// does not verify it again, as a node's own mempool would.
#[derive(Default)]
pub struct Known(HashMap<TransactionId, Arc<Verified<Transaction>>>);

impl Known {
    pub fn insert(&mut self, transaction: Arc<Verified<Transaction>>) {
        self.0.insert(transaction.id(), transaction);
    }

    pub fn get(&self, transaction: &Transaction) -> Option<Arc<Verified<Transaction>>> {
        self.of(&transaction.id())
    }

    pub fn of(&self, id: &TransactionId) -> Option<Arc<Verified<Transaction>>> {
        self.0.get(id).cloned()
    }
}
