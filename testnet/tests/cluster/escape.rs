//! X1 to X6 as users have them: all masternodes are killed, and what they held is taken out of the vault by kept proofs,
//! with nothing but `weft` and the base chain.

use crate::common::{Net, options, program};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use weft_basechain::{AccountKey, BaseChain, Contracts, NATIVE_UNIT};
use weft_client::{Client, Draft, PageQuery, Wait};
use weft_testnet::cluster::{Fault, Unusual, UpOptions};
use weft_types::api::Exits;
use weft_types::ed25519::SecretKey;
use weft_types::{
    Address, Amount, AssetId, BaseAddress, BaseAsset, EditionId, ItemId, ItemTransfer, Millis,
    Operation, Payment, TokenId,
};

pub const COIN: u128 = 1_000_000_000_000_000_000;

pub fn wallet(n: u8) -> SecretKey {
    SecretKey::from_seed([n; 32])
}

pub fn account(n: u8) -> Address {
    Address::of_key(&wallet(n).public())
}

/// A user's account on the base chain.
pub fn owner(n: u8) -> AccountKey {
    AccountKey::from_bytes(&[n; 32]).unwrap()
}

pub struct Story {
    pub net: Net,
    pub chain: BaseChain,
    pub client: Client,
    pub token: BaseAddress,
    folder: tempfile::TempDir,
}

/// Puts the test's cards on the chain, lists them, and gives the one of this number to somebody.
async fn cards(
    chain: &BaseChain,
    curator: &AccountKey,
    to: &AccountKey,
    number: u64,
) -> BaseAddress {
    let text = include_str!("../../../basechain/contracts/test/fixtures/Cards.json");
    let artifact: Value = serde_json::from_str(text).unwrap();
    let code = artifact["bytecode"].as_str().unwrap();
    let code = hex::decode(code.trim_start_matches("0x")).unwrap();
    let endpoint = chain.endpoint();
    let token = endpoint.create(curator, "cards", 0, code).await.unwrap();
    let to = hex::encode(to.address());
    let mint = hex::decode(format!("40c10f19{to:0>64}{number:064x}")).unwrap();
    let minted = endpoint.execute(curator, "mint", token, 0, mint);
    minted.await.unwrap();
    let token = BaseAddress(token);
    chain.list(curator, token, None).await.unwrap();
    token
}

impl Story {
    pub async fn begin() -> Self {
        let net = Net::up_with(UpOptions {
            escape_after: Some(Millis(6_000)),
            escape_window: Some(Millis(15_000)),
            unusual: Some(Unusual {
                genesis: |template| {
                    template.params.challenge_window_s = 1;
                    template.params.checkpoint_interval_ms = Millis(1_000);
                },
                node: |_| {},
            }),
            ..options()
        });
        let net = net.await;
        let client = net.client(&[0, 1, 2, 3]);
        let genesis = client.genesis().await.unwrap();
        let contracts = Contracts {
            registry: genesis.registry,
            manager: genesis.network.manager,
            vault: genesis.vault,
        };
        let chain = BaseChain::connect(&net.manifest.base.rpc, contracts);
        let chain = chain.await.unwrap();
        let key = net.cluster.folder().base().join("deployer.key");
        let secret = weft_node::read_secret(&key).unwrap();
        let curator = AccountKey::from_bytes(&secret).unwrap();
        for n in 1..=3 {
            let funded = chain
                .endpoint()
                .transfer(&curator, owner(n).address(), 2 * COIN);
            funded.await.unwrap();
        }
        let token = cards(&chain, &curator, &owner(1), 42).await;
        let folder = tempfile::tempdir().unwrap();
        for n in 1..=3 {
            weft_node::write_secret(&folder.path().join(format!("base-{n}.key")), &[n; 32])
                .unwrap();
            weft_node::write_secret(&folder.path().join(format!("wallet-{n}.key")), &[n; 32])
                .unwrap();
        }
        Self {
            net,
            chain,
            client,
            token,
            folder,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn run(&self, key: &SecretKey, operation: Operation) {
        let draft = Draft::new(&self.client.genesis().await.unwrap());
        let transaction = draft.sign(key, vec![operation]);
        let status = self
            .client
            .submit(&transaction, Wait::Certified)
            .await
            .unwrap();
        assert_eq!(status.code_name.as_deref(), Some("applied"), "{status:?}");
    }

    async fn deposit(&self, n: u8, asset: BaseAsset) -> u64 {
        self.chain.approve(&owner(n), &asset).await.unwrap();
        let deposited = self.chain.deposit(&owner(n), &asset, account(n)).await;
        deposited.unwrap().index
    }

    /// The first user deposits coin and a card. A stranger was there before, with next to nothing, and is the owner of none of it.
    async fn come_in(&self, card: BaseAsset) {
        let dust = BaseAsset::Native { amount: Amount(1) };
        let (stranger, first) = (owner(3), account(1));
        let dust = self.chain.deposit(&stranger, &dust, first).await;
        self.credited(dust.unwrap().index).await;
        let named = async || self.client.account(&first).await.unwrap().exit_address;
        assert_eq!(named().await, None);

        let token = self.token.to_string();
        let card_in = ["deposit", "--erc721", &token, "--token", "42"];
        let own = [&card_in[..], &["--exit-address", "self"]].concat();
        let poor = self.weft(&own, 1).unwrap_err();
        assert!(
            poor.contains("costs up to") && poor.contains("nothing was sent"),
            "{poor}"
        );
        let silent = self.weft(&["deposit", "--amount", "100"], 1).unwrap();
        assert!(silent["exit_address"].is_null(), "nobody was named");

        // Named along with a deposit that pays for it; then anew, before the card comes.
        let other = BaseAddress([8; 20]).to_string();
        let rich = ["deposit", "--amount", "50000000", "--exit-address", &other];
        assert_eq!(self.weft(&rich, 1).unwrap()["exit_address"], other);
        let own = self.weft(&own, 1).unwrap();
        assert_eq!(
            own["exit_address"],
            BaseAddress(owner(1).address()).to_string()
        );
        let page = PageQuery::default();
        let holdings = self
            .client
            .exits(&first, None, &page)
            .await
            .unwrap()
            .holdings;
        assert!(holdings.iter().any(|h| h.asset == card));
        let address = Some(BaseAddress(owner(1).address()));
        assert!(
            holdings.iter().all(|h| h.exit_address == address),
            "{holdings:?}"
        );
    }

    async fn credited(&self, deposit: u64) {
        while self.client.bridge().await.unwrap().bridge.deposits.count < deposit {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Until the newest checkpoint has all that the accounts hold as it is now.
    pub async fn settled(&self, accounts: &[u8]) {
        let done = async |n: u8| {
            let exits: Exits = self
                .client
                .exits(&account(n), None, &PageQuery::default())
                .await
                .unwrap();
            let same = exits
                .holdings
                .iter()
                .all(|h| h.proof.as_ref().is_some_and(|p| p.exit.asset == h.asset));
            same && !exits.holdings.is_empty()
        };
        for n in accounts {
            let mut looks = 0;
            while !done(*n).await {
                looks += 1;
                assert!(looks < 300, "account {n} has no proofs");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }

    /// `weft ...` with a user's key.
    pub fn wallet(&self, arguments: &[&str], user: u8) -> Value {
        let mut command = Command::new(program().path);
        command.arg("--json").args(arguments);
        command.args(["--dir", self.net.cluster.folder().path().to_str().unwrap()]);
        let key = self.path(&format!("wallet-{user}.key"));
        let output = command.arg("--key").arg(key).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {words}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// `weft bridge ...`, with JSON for an answer.
    pub fn weft(&self, arguments: &[&str], user: u8) -> Result<Value, String> {
        let mut command = Command::new(program().path);
        command.args(["--json", "bridge"]).args(arguments);
        command.args(["--dir", self.net.cluster.folder().path().to_str().unwrap()]);
        if ["keep", "exit-address", "deposit", "withdraw"].contains(&arguments[0]) {
            command
                .arg("--key")
                .arg(self.path(&format!("wallet-{user}.key")));
        }
        if !["keep", "exit-address", "withdraw", "status"].contains(&arguments[0]) {
            command
                .arg("--base-key")
                .arg(self.path(&format!("base-{user}.key")));
        }
        let output = command.output().unwrap();
        let (said, words) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        println!(
            "weft bridge {} (user {user})\n{said}{words}",
            arguments.join(" ")
        );
        match output.status.success() {
            true => Ok(serde_json::from_str(&said).unwrap()),
            false => Err(words),
        }
    }

    /// The same, again and again until all is in a state.
    async fn until(&self, arguments: &[&str], user: u8, state: &str) -> Value {
        for _ in 0..100 {
            let answer = self.weft(arguments, user).unwrap();
            if states(&answer).iter().all(|s| *s == state) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!("{arguments:?} does not come to {state}");
    }

    /// `ownerOf(42)`
    pub async fn card_owner(&self) -> [u8; 20] {
        let input = hex::decode(format!("6352211e{:064x}", 42)).unwrap();
        let word = self
            .chain
            .endpoint()
            .view(self.token.0, input)
            .await
            .unwrap();
        word[12..32].try_into().unwrap()
    }

    pub async fn coins(&self, n: u8) -> u128 {
        self.chain
            .endpoint()
            .balance(owner(n).address())
            .await
            .unwrap()
    }
}

pub fn states(answer: &Value) -> Vec<&str> {
    let all = answer.as_array().unwrap().iter();
    all.map(|s| s["state"].as_str().unwrap()).collect()
}

fn verdict(judged: &Value) -> &str {
    judged["verdict"].as_str().unwrap()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_all_masternodes_dead_owners_have_their_assets_by_kept_proofs_and_stale_claims_fall() {
    let story = Story::begin().await;
    let mut number = [0; 32];
    number[31] = 42;
    let card = BaseAsset::Erc721 {
        token: story.token,
        id: TokenId(number),
    };
    let coins = BaseAsset::Native {
        amount: Amount(50_000_000),
    };
    story.come_in(card).await;
    story.settled(&[1]).await;
    let (stale, kept, bought) = (
        story.path("stale.json"),
        story.path("kept.json"),
        story.path("bought.json"),
    );
    let saved = story.weft(&["keep", text(&stale)], 1).unwrap();
    assert_eq!(saved["proofs"], 2);
    assert_eq!(saved["checked"]["by"], "base_chain");
    story.weft(&["keep", text(&kept)], 1).unwrap();
    // Credited later than that file knows.
    let later = story.deposit(3, coins).await;
    story.credited(later).await;

    // The card is sold to the second user, who has named an address.
    let pay = Operation::Transfer {
        payments: vec![Payment {
            to: account(2),
            asset: AssetId::NATIVE,
            amount: Amount(1_000_000),
        }],
        items: vec![],
    };
    story.run(&wallet(1), pay).await;
    let address = BaseAddress(owner(2).address()).to_string();
    story.weft(&["exit-address", &address], 2).unwrap();
    let item = ItemId::derive(&EditionId::erc721(story.token, &TokenId(number)), 1);
    let give = Operation::Transfer {
        payments: vec![],
        items: vec![ItemTransfer {
            to: account(2),
            item,
        }],
    };
    story.run(&wallet(1), give).await;
    story.settled(&[1, 2]).await;
    let again = story.weft(&["keep", text(&kept)], 1).unwrap();
    assert_eq!(again["generations"], 2, "the older one stays");
    assert_eq!(
        story.weft(&["keep", text(&bought)], 2).unwrap()["proofs"],
        2
    );
    let all = story.path("all.json");
    story.weft(&["keep", text(&all), "--all"], 3).unwrap();
    let early = story.weft(&["exit", text(&kept)], 1).unwrap();
    assert_eq!(states(&early), ["closed"], "the network works");
    assert_eq!(early[0]["checkpoint"], again["height"], "the newest");

    story.net.fault(Fault::Kill, &[0, 1, 2, 3]).await;
    // One more deposit, which nobody credits any more.
    let lost = story.deposit(3, coins).await;
    let before = [
        story.coins(1).await,
        story.coins(2).await,
        story.coins(3).await,
    ];

    // The seller claims coin and card by the old file, once the latch may be tripped.
    let shown = story.weft(&["exit", text(&stale), "--dry-run"], 1).unwrap();
    assert_eq!(states(&shown), ["closed", "closed"]);
    let claimed = story.until(&["exit", text(&stale)], 1, "claimed").await;
    assert!(claimed[0]["base_transaction"].is_string());
    let nobodys = story.weft(&["exit", text(&kept)], 3).unwrap_err();
    assert!(nobodys.contains("nothing that"), "{nobodys}");

    // The buyer's own file refutes the one claim, a watcher's the other.
    let buyer = story.weft(&["exit", text(&bought)], 2).unwrap();
    assert_eq!(states(&buyer), ["claimed", "claimed"]);
    let watched = story.weft(&["refute", text(&all)], 3).unwrap();
    let verdicts: Vec<&str> = watched.as_array().unwrap().iter().map(verdict).collect();
    assert_eq!(verdicts, ["refuted", "right", "right"]);
    let late = story.weft(&["exit", text(&stale)], 1).unwrap();
    assert_eq!(states(&late), ["lost", "lost"], "out of date");
    assert!(
        late.as_array()
            .unwrap()
            .iter()
            .all(|s| s["base_transaction"].is_null())
    );

    // What is so still is claimed, and so is what was never credited; nothing twice.
    let amount = story.weft(&["exit", text(&kept)], 1).unwrap();
    assert_eq!(states(&amount), ["claimed"]);
    let reclaim = ["reclaim", "--kept", text(&stale)];
    let deposits = story.weft(&reclaim, 3).unwrap();
    assert_eq!(
        (states(&deposits), &deposits[0]["place"]),
        (vec!["claimed"], &lost.into())
    );
    let again = story.weft(&reclaim, 3).unwrap();
    assert!(again[0]["base_transaction"].is_null());
    let credited = story
        .weft(&["reclaim", "3", "--kept", text(&all)], 1)
        .unwrap_err();
    assert!(credited.contains("was credited"), "{credited}");
    let watched = story.weft(&["refute", text(&all)], 3).unwrap();
    let verdicts: Vec<&str> = watched.as_array().unwrap().iter().map(verdict).collect();
    assert!(
        !verdicts.contains(&"refuted") && !verdicts.contains(&"wrong"),
        "{verdicts:?}"
    );

    for (file, user, over) in [(&kept, 1, vec!["paid"]), (&bought, 2, vec!["paid", "paid"])] {
        let paid = story
            .weft(&["exit", text(file), "--wait", "1m"], user)
            .unwrap();
        assert_eq!(states(&paid), over);
        let again = story.weft(&["exit", text(file)], user).unwrap();
        assert_eq!(states(&again), over);
        assert!(again[0]["base_transaction"].is_null(), "paid once");
    }
    let paid = story
        .weft(&[&reclaim[..], &["--wait", "1m"]].concat(), 3)
        .unwrap();
    assert_eq!(states(&paid), ["paid"]);

    assert_eq!(story.card_owner().await, owner(2).address());
    let held = |answer: &Value| {
        let amounts = answer.as_array().unwrap().iter();
        amounts
            .filter_map(|s| s["asset"]["amount"].as_u64().map(u128::from))
            .sum::<u128>()
    };
    let stake = COIN / 100;
    // The seller has lost two stakes, the buyer and the watcher have one of them each.
    let gains = [
        held(&amount) * NATIVE_UNIT - 2 * stake,
        held(&buyer) * NATIVE_UNIT + stake,
        50_000_000 * NATIVE_UNIT + stake,
    ];
    for ((n, gain), before) in (1..).zip(gains).zip(before) {
        let now = story.coins(n).await;
        let gas = (before + gain).checked_sub(now);
        assert!(
            gas.is_some_and(|gas| gas < COIN / 200),
            "{n}: {before} + {gain}, {now}"
        );
    }
}
