//! B1 with processes: masternodes and anvil, which exchanges its newest blocks.

use crate::common::{Net, options, program, until};
use std::process::Command;
use std::time::Duration;
use weft_basechain::{AccountKey, At, BaseChain, Deposited};
use weft_testnet::cluster::{Base, Fault, LOAD_ACCOUNT, UpOptions};
use weft_types::{Amount, AssetId, BaseAddress, BaseAsset};

const NODES: [usize; 4] = [0, 1, 2, 3];
/// What a testnet's genesis says.
const CONFIRMATIONS: u64 = 2;

/// Anvil's second development account, with the same key everywhere.
fn payer() -> AccountKey {
    let key = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
    let mut bytes = [0; 32];
    hex::decode_to_slice(key, &mut bytes).unwrap();
    AccountKey::from_bytes(&bytes).unwrap()
}

struct Bridged {
    net: Net,
}

impl Bridged {
    async fn up() -> Self {
        let options = UpOptions {
            base: Some(Base::Anvil),
            ..options()
        };
        let net = Net::up_with(options).await;
        let genesis = net.client(&[0]).genesis().await.unwrap();
        let params = genesis.template.params;
        assert_eq!(params.base_confirmations, CONFIRMATIONS);
        Self { net }
    }

    /// Connected anew: what was sent before may be gone.
    async fn base(&self) -> BaseChain {
        self.net.cluster.base().await.unwrap()
    }

    async fn deposit(&self, amount: u64) -> Deposited {
        let asset = BaseAsset::Native {
            amount: Amount(amount),
        };
        let account = self.net.dev_address(3);
        let base = self.base().await;
        base.deposit(&payer(), &asset, account).await.unwrap()
    }

    /// How many blocks there are from one on.
    async fn depth(&self, block: u64) -> u64 {
        let head = self.base().await.endpoint().head().await.unwrap().number;
        head + 1 - block
    }

    /// Exchanges all of them, unless others come meanwhile. How many there were.
    async fn exchange_from(&self, block: u64) -> u64 {
        let depth = self.depth(block).await;
        let base = self.base().await;
        base.endpoint().reorganise(depth).await.unwrap();
        depth
    }

    /// Deposits that the vault has.
    async fn deposited(&self) -> u64 {
        self.base().await.deposits(At::Latest).await.unwrap().count
    }

    async fn credited(&self, node: usize) -> u64 {
        let bridge = self.net.client(&[node]).bridge().await.unwrap();
        bridge.bridge.deposits.count
    }

    async fn halted(&self, node: usize) -> Option<String> {
        self.net.client(&[node]).bridge().await.unwrap().halted
    }

    async fn nobody_halts(&self) {
        for node in NODES {
            assert_eq!(self.halted(node).await, None, "node {node}");
        }
    }

    /// Trades at each node, and the same state at all.
    async fn trades(&self) {
        for node in NODES {
            self.net.pay(&[node], 3).await;
        }
        self.net.equal(&NODES).await;
        let status = self.net.cluster.status().await.unwrap();
        assert!(status.nodes.iter().all(|n| n.alive), "{status:?}");
    }

    /// `weft bridge deposit` and `withdraw` send nothing, and say what to do.
    fn commands_refuse(&self) {
        let folder = self.net.cluster.folder();
        let key = folder.account_key(LOAD_ACCOUNT);
        let base_key = folder.base().join("deployer.key");
        let to = BaseAddress([9; 20]).to_string();
        let base_key = ["--base-key", base_key.to_str().unwrap()];
        let deposit = [&["deposit", "--amount", "5"][..], &base_key].concat();
        for arguments in [&["withdraw", "--to", &to, "--amount", "5"][..], &deposit] {
            let mut command = Command::new(program().path);
            command.arg("bridge").args(arguments).arg("--key").arg(&key);
            let output = command.arg("--dir").arg(folder.path()).output().unwrap();
            let words = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(4), "{words}");
            let all = ["the bridge is halted", "nothing was sent", "--while-halted"];
            assert!(all.iter().all(|w| words.contains(w)), "{words}");
        }
    }

    /// `weft bridge keep` takes an older checkpoint, which the vault pays by, while the newest is in its window.
    async fn proofs_that_count_are_kept(&self) {
        let folder = self.net.cluster.folder().path();
        until("a newest checkpoint that pays nothing yet", async || {
            self.trades().await;
            let mut command = Command::new(program().path);
            command
                .args(["bridge", "keep", "--all", "--dir"])
                .arg(folder);
            let output = command.arg(folder.join("kept.json")).output().unwrap();
            let words = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{words}");
            words.contains("the newest that the vault pays by")
        })
        .await;
    }

    async fn balance(&self) -> Amount {
        let address = self.net.dev_address(3);
        let account = self.net.client(&[1]).account(&address).await.unwrap();
        account.balance(AssetId::NATIVE)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b1_exchanged_blocks_change_nothing_up_to_the_confirmations_and_halt_the_bridge_beyond() {
    let bridged = Bridged::up().await;
    let before = bridged.balance().await;

    // Deposits that nobody counts yet are taken back; one that others' blocks have come upon meanwhile stays.
    let (mut stayed, mut taken) = (0, 0);
    for _ in 0..20 {
        let deposit = bridged.deposit(100).await;
        if bridged.depth(deposit.block).await <= CONFIRMATIONS {
            bridged.exchange_from(deposit.block).await;
        }
        let there = bridged.deposited().await;
        taken += u64::from(there == stayed);
        stayed = there;
        if taken == 2 {
            break;
        }
    }
    assert_eq!(taken, 2, "no quiet moment");
    bridged.trades().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    bridged.nobody_halts().await;
    assert_eq!(bridged.credited(0).await, stayed);

    // The next one comes in as ever.
    let deposit = bridged.deposit(7_000).await;
    for node in NODES {
        until("the credit", async || {
            bridged.credited(node).await == stayed + 1
        })
        .await;
    }
    let with = Amount(before.0 + 100 * stayed + 7_000);
    assert_eq!(bridged.balance().await, with);
    bridged.nobody_halts().await;

    // Now that it is in the ledger, and each member has read it itself, it is taken back on the base chain. Who has it by
    // the others alone takes the chain for one that lags.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let depth = bridged.exchange_from(deposit.block).await;
    assert!(depth > CONFIRMATIONS, "{depth}");
    for node in NODES {
        until("the halt", async || bridged.halted(node).await.is_some()).await;
        let reason = bridged.halted(node).await.unwrap();
        assert!(reason.contains("has taken back blocks"), "{reason}");
        let log = bridged.net.cluster.folder().log(&format!("node-{node}"));
        let log = std::fs::read_to_string(log).unwrap();
        assert!(log.contains("the bridge is halted"), "node {node}");
    }
    bridged.trades().await;
    bridged.commands_refuse();
    bridged.proofs_that_count_are_kept().await;
    bridged.net.fault(Fault::Kill, &[3]).await;
    bridged.net.fault(Fault::Restart, &[3]).await;
    until("the halt after a restart", async || {
        let status = bridged.net.client(&[3]).bridge().await;
        status.is_ok_and(|s| s.halted.is_some())
    })
    .await;

    // Nothing is credited any more, and nothing was taken from anybody.
    bridged.deposit(9_000).await;
    let checkpoints = bridged.base().await.checkpoint_count().await.unwrap();
    bridged.trades().await;
    until("a checkpoint after it", async || {
        bridged.trades().await;
        bridged.base().await.checkpoint_count().await.unwrap() > checkpoints
    })
    .await;
    assert_eq!(bridged.credited(2).await, stayed + 1);
    assert_eq!(bridged.balance().await, with);
}
