//! B1 over random histories of a base chain, with reorganisations around the number of confirmations: the embedded chain
//! and anvil, read by the same code, have to give the same, and what a plain model of blocks gives.

use super::{Anchor, Deposits, Lag, Look, Reading};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use weft_basechain::embedded::ChainConfig;
use weft_basechain::testing::{CHAIN_ID, Process, anvil};
use weft_basechain::{
    AccountKey, At, BaseChain, Contracts, DeployParams, EmbeddedConfig, Endpoint, Pace,
    ServerHandle, Times, serve_embedded,
};
use weft_types::{Address, Amount, BaseAsset, FeedReport, GenesisDigest, Root, SplitMix64};

const COIN: u128 = 1_000_000_000_000_000_000;
/// Base blocks on top of a block before its deposits count.
const CONFIRMATIONS: u64 = 3;
const STEPS: u64 = 14;
/// Histories on one chain: anvil, which keeps all of its blocks, is slower with each, and refuses to exchange any after some
/// tens of thousands.
const CHAIN_HISTORIES_MAX: usize = 100;
/// Pairs of chains at once: a history waits for blocks most of its time.
const PAIRS: usize = 4;
const NOTHING: FeedReport = FeedReport {
    count: 0,
    digest: Root([0; 32]),
};

/// The account that anvil funds first, and the embedded chain of this test too.
fn rich() -> AccountKey {
    let key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes).unwrap();
    AccountKey::from_bytes(&bytes).unwrap()
}

enum Kind {
    Anvil(Process),
    Embedded(ServerHandle),
}

/// A base chain under test, and what is read of it.
struct Side {
    kind: Kind,
    url: String,
    contracts: Contracts,
    chain: BaseChain,
    reading: Reading<Deposits>,
    taken: FeedReport,
    last: FeedReport,
}

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// Deposits by index and amount.
    Handed(Vec<(u64, u64)>),
    Over,
}

impl Side {
    async fn new(kind: Kind) -> Self {
        let url = match &kind {
            Kind::Anvil(process) => process.url.clone(),
            Kind::Embedded(server) => server.rpc_url().to_owned(),
        };
        let endpoint = Endpoint::connect(&url).await.unwrap();
        let params = DeployParams {
            network: GenesisDigest([9; 32]),
            bond_unit: COIN,
            weight_min: 1,
            weight_max: 100,
            times: Times::testnet(1),
            backing: 0,
            curator: rich().address(),
            operators: vec![rich().address()],
        };
        let chain = BaseChain::deploy(endpoint, &rich(), &params).await.unwrap();
        let mut side = Self {
            kind,
            url,
            contracts: chain.contracts(),
            chain,
            reading: Reading::new(CONFIRMATIONS, None),
            taken: NOTHING,
            last: NOTHING,
        };
        // The vault has to be there in the blocks that are read.
        for _ in 0..CONFIRMATIONS {
            side.empty_block().await;
        }
        side.begin().await;
        side
    }

    /// A ledger that has taken up all that is confirmed.
    async fn begin(&mut self) {
        let deep = self.head().await - CONFIRMATIONS;
        self.taken = self.chain.deposits(At::Block(deep)).await.unwrap();
        self.last = self.taken;
        self.reading = Reading::new(CONFIRMATIONS, None);
    }

    async fn head(&self) -> u64 {
        self.chain.endpoint().head().await.unwrap().number
    }

    async fn deposit(&self, amount: u64) {
        let asset = BaseAsset::Native {
            amount: Amount(amount),
        };
        let to = Address([1; 32]);
        self.chain.deposit(&rich(), &asset, to).await.unwrap();
    }

    async fn empty_block(&self) {
        let endpoint = self.chain.endpoint();
        endpoint.transfer(&rich(), [7; 20], 1).await.unwrap();
    }

    /// The newest blocks exchanged for empty ones. What the client has sent is gone with them.
    async fn reorganise(&mut self, depth: u64) {
        match &self.kind {
            Kind::Anvil(_) => self.chain.endpoint().reorganise(depth).await.unwrap(),
            Kind::Embedded(server) => server.reorganise(depth).unwrap(),
        }
        self.chain = BaseChain::connect(&self.url, self.contracts).await.unwrap();
    }

    /// All that a reader comes to now; a ledger that keeps up takes it up at once.
    async fn look(&mut self, keeps_up: bool) -> Seen {
        let mut handed = Vec::new();
        loop {
            match self.reading.look(&self.chain, self.taken).await.unwrap() {
                Look::Nothing => break,
                Look::Over(_) => return Seen::Over,
                Look::More(events) => {
                    for event in events {
                        let BaseAsset::Native { amount } = event.event.asset else {
                            panic!("{event:?}");
                        };
                        handed.push((event.index, amount.0));
                        self.last = FeedReport {
                            count: event.index,
                            digest: event.digest,
                        };
                    }
                }
            }
            if keeps_up {
                self.taken = self.last;
            }
        }
        if keeps_up {
            self.taken = self.last;
        }
        Seen::Handed(handed)
    }
}

/// Blocks with the amount that was deposited in each, and what was handed on, from a common beginning.
struct Model {
    before: u64,
    blocks: Vec<Option<u64>>,
    handed: Vec<u64>,
}

impl Model {
    fn confirmed(&self) -> Vec<u64> {
        let deep = self.blocks.len().saturating_sub(CONFIRMATIONS as usize);
        self.blocks[..deep].iter().copied().flatten().collect()
    }

    fn look(&mut self) -> Seen {
        let confirmed = self.confirmed();
        if !confirmed.starts_with(&self.handed) {
            return Seen::Over;
        }
        let new = confirmed[self.handed.len()..].iter().copied();
        let first = self.before + self.handed.len() as u64 + 1;
        let new = (first..).zip(new).collect();
        self.handed = confirmed;
        Seen::Handed(new)
    }
}

/// One history on both chains. Whether it ended with the bridge halted, and how many reorganisations there were by
/// depth.
async fn history(sides: &mut [Side; 2], seed: u64, depths: &mut BTreeMap<u64, u64>) -> bool {
    let mut rng = SplitMix64::new(seed);
    let mut draw = |below: u64| rng.draw() % below;
    let mut amount = seed.wrapping_mul(1_000) % 1_000_000_007 + 1;
    for side in sides.iter_mut() {
        // What is below is never taken back.
        for _ in 0..=CONFIRMATIONS {
            side.empty_block().await;
        }
        side.begin().await;
        assert_eq!(side.look(true).await, Seen::Handed(Vec::new()));
    }
    let mut model = Model {
        before: sides[0].taken.count,
        blocks: vec![None; CONFIRMATIONS as usize],
        handed: Vec::new(),
    };
    for step in 0..STEPS {
        let mut depth = 0;
        match draw(10) {
            0..5 => {
                amount += 1;
                model.blocks.push(Some(amount));
                for side in sides.iter() {
                    side.deposit(amount).await;
                }
            }
            5..7 => {
                model.blocks.push(None);
                for side in sides.iter() {
                    side.empty_block().await;
                }
            }
            _ => {
                let most = (CONFIRMATIONS + 1).min(model.blocks.len() as u64);
                depth = 1 + draw(most);
                *depths.entry(depth).or_default() += 1;
                for block in model.blocks.iter_mut().rev().take(depth as usize) {
                    *block = None;
                }
                for side in sides.iter_mut() {
                    side.reorganise(depth).await;
                }
            }
        }
        // A reader that looks now and then is behind by more than a block.
        if draw(3) == 0 {
            continue;
        }
        let keeps_up = draw(2) == 0;
        let expected = model.look();
        for side in sides.iter_mut() {
            let seen = side.look(keeps_up).await;
            assert_eq!(seen, expected, "seed {seed}, step {step}, {}", side.url);
        }
        if expected == Seen::Over {
            assert!(depth > CONFIRMATIONS || step > 0, "seed {seed}");
            return true;
        }
    }
    false
}

async fn sides() -> [Side; 2] {
    let embedded = serve_embedded(EmbeddedConfig {
        chain: ChainConfig {
            chain_id: CHAIN_ID,
            seed: 1,
            genesis_timestamp: 1_700_000_000,
            balances: BTreeMap::from([(rich().address(), 10_000 * COIN)]),
            finality_depth: 64,
        },
        listen: ([127, 0, 0, 1], 0).into(),
        journal: None,
        // Blocks come with transactions alone, as anvil's do.
        pace: Pace {
            busy: Duration::ZERO,
            settling: Duration::from_secs(86_400),
            idle: Duration::from_secs(86_400),
        },
    });
    let embedded = Kind::Embedded(embedded.await.unwrap());
    [
        Side::new(embedded).await,
        Side::new(Kind::Anvil(anvil())).await,
    ]
}

/// How many of the histories halted, and their reorganisations by depth.
async fn histories_of(seeds: Range<u64>) -> (u64, BTreeMap<u64, u64>) {
    let (mut halted, mut depths) = (0, BTreeMap::new());
    let mut sides = sides().await;
    for seed in seeds {
        halted += u64::from(history(&mut sides, seed, &mut depths).await);
    }
    (halted, depths)
}

async fn histories(count: u64) {
    let (mut halted, mut depths) = (0, BTreeMap::<u64, u64>::new());
    let mut firsts = (0..count).step_by(CHAIN_HISTORIES_MAX);
    let mut running = JoinSet::new();
    loop {
        for first in firsts.by_ref().take(PAIRS - running.len()) {
            let end = count.min(first + CHAIN_HISTORIES_MAX as u64);
            running.spawn(histories_of(first..end));
        }
        let Some(done) = running.join_next().await else {
            break;
        };
        let (more, by_depth) = done.unwrap();
        halted += more;
        for (depth, times) in by_depth {
            *depths.entry(depth).or_default() += times;
        }
    }
    println!("{count} histories, {halted} halted; reorganisations by depth: {depths:?}");
    // The check sees both.
    assert!(halted > 0 && halted < count, "{halted} of {count}");
    assert_eq!(depths.len() as u64, CONFIRMATIONS + 1, "{depths:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b1_random_reorganisations_are_seen_alike_on_both_chains() {
    histories(12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "10,000 histories take up to an hour"]
async fn b1_ten_thousand_random_reorganisations_are_seen_alike_on_both_chains() {
    histories(10_000).await;
}

/// The other way round than with [`CONFIRMATIONS`] at the edge: up to so many blocks nothing changes, one more halts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b1_a_reorganisation_halts_if_it_reaches_a_confirmed_deposit_and_not_before() {
    for mut side in sides().await {
        for _ in 0..=CONFIRMATIONS {
            side.empty_block().await;
        }
        side.begin().await;
        assert_eq!(side.look(true).await, Seen::Handed(Vec::new()));
        let first = side.taken.count + 1;
        side.deposit(5).await;
        for _ in 0..CONFIRMATIONS {
            assert_eq!(side.look(true).await, Seen::Handed(Vec::new()));
            side.empty_block().await;
        }
        assert_eq!(side.look(true).await, Seen::Handed(vec![(first, 5)]));
        for depth in 1..=CONFIRMATIONS {
            side.reorganise(depth).await;
            assert_eq!(side.look(true).await, Seen::Handed(Vec::new()), "{depth}");
        }
        side.reorganise(CONFIRMATIONS + 1).await;
        assert_eq!(side.look(true).await, Seen::Over);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b1_what_was_handed_on_is_not_handed_on_again_when_confirmed_blocks_without_it_are_exchanged()
 {
    for mut side in sides().await {
        let first = side.taken.count + 1;
        side.deposit(5).await;
        for _ in 0..=CONFIRMATIONS {
            side.empty_block().await;
        }
        // The ledger has not taken it up when the chain takes back what is above it.
        assert_eq!(side.look(false).await, Seen::Handed(vec![(first, 5)]));
        side.reorganise(CONFIRMATIONS + 1).await;
        assert_eq!(side.look(false).await, Seen::Handed(Vec::new()));
        side.deposit(6).await;
        for _ in 0..CONFIRMATIONS {
            side.empty_block().await;
        }
        assert_eq!(side.look(false).await, Seen::Handed(vec![(first + 1, 6)]));
        assert!(!side.reading.lags && side.reading.agrees);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b1_who_has_seen_none_of_the_blocks_that_were_exchanged_takes_the_chain_for_one_that_lags()
{
    for mut side in sides().await {
        side.deposit(5).await;
        for _ in 0..CONFIRMATIONS {
            side.empty_block().await;
        }
        // Credited by what the others have seen.
        let head = side.head().await;
        side.taken = side.chain.deposits(At::Block(head)).await.unwrap();
        side.reorganise(CONFIRMATIONS + 1).await;
        assert_eq!(side.look(false).await, Seen::Handed(Vec::new()));
        assert!(side.reading.lags && !side.reading.agrees);
        // Another deposit in its place shows that it was taken back.
        side.deposit(6).await;
        for _ in 0..CONFIRMATIONS {
            side.empty_block().await;
        }
        assert_eq!(side.look(false).await, Seen::Over);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b1_a_halt_outlives_a_restart_until_the_chain_has_the_same_deposits_again() {
    for mut side in sides().await {
        let first = side.taken.count + 1;
        side.deposit(5).await;
        for _ in 0..CONFIRMATIONS {
            side.empty_block().await;
        }
        assert_eq!(side.look(true).await, Seen::Handed(vec![(first, 5)]));
        let kept = side.reading.anchor().unwrap().encode();
        side.reorganise(CONFIRMATIONS + 1).await;
        // Down while the blocks were exchanged, or started again after it had halted.
        for _ in 0..2 {
            side.reading = Reading::new(CONFIRMATIONS, Anchor::decode(&kept));
            assert_eq!(side.look(true).await, Seen::Over);
            assert_eq!(side.reading.anchor().unwrap().encode(), kept);
            side.empty_block().await;
        }
        side.deposit(5).await;
        for _ in 0..CONFIRMATIONS {
            side.empty_block().await;
        }
        side.reading = Reading::new(CONFIRMATIONS, Anchor::decode(&kept));
        assert_eq!(side.look(true).await, Seen::Handed(Vec::new()));
        assert_ne!(side.reading.anchor().unwrap().encode(), kept);
        side.deposit(6).await;
        for _ in 0..CONFIRMATIONS {
            side.empty_block().await;
        }
        assert_eq!(side.look(true).await, Seen::Handed(vec![(first + 1, 6)]));
    }
}

#[test]
fn what_is_no_anchor_is_none() {
    for length in [0, 7, 8, 39, 41] {
        assert_eq!(Anchor::decode(&vec![1; length]), None, "{length}");
    }
    assert!(Anchor::decode(&[1; 40]).is_some());
}

#[test]
fn a_chain_that_lacks_what_is_taken_up_is_told_of_once_for_each_time() {
    let (mut lag, start) = (Lag::default(), Instant::now());
    let after = |seconds| start + Duration::from_secs(seconds);
    let told = [
        (true, 0),
        (true, 59),
        (true, 60),
        (true, 300),
        (false, 301),
        (true, 302),
        (true, 362),
    ]
    .map(|(lags, at)| lag.is_due(lags, after(at)));
    assert_eq!(told, [false, false, true, false, false, false, true]);
}
