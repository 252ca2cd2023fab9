//! A card of the ledger is swapped for coin on the base chain by people who have nothing but `weft`: all or nothing.
//! Masternodes and base chain are processes.

use crate::common::{program, until};
use crate::escape::{COIN, Story, account, owner};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;
use weft_basechain::NATIVE_UNIT;
use weft_types::{BaseAddress, EditionId, ItemId, TokenId};

/// Gwei.
const PRICE: &str = "500000000";
const PRICE_WEI: u128 = 500_000_000 * NATIVE_UNIT;
/// More than what a few transactions cost in gas here.
const GAS_WEI: u128 = COIN / 100;

struct Answer {
    code: Option<i32>,
    data: Value,
    words: String,
}

impl Answer {
    fn good(self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.words);
        self.data
    }

    fn refused(self, code: i32, because: &str) {
        assert_eq!(self.code, Some(code), "{}", self.words);
        assert!(self.words.contains(because), "{}", self.words);
    }
}

/// `weft swap ...`, with the key of a user's account on the base chain where something is sent.
fn swap(story: &Story, arguments: &[&str], user: u8) -> Answer {
    let mut command = Command::new(program().path);
    command.args(["--json", "swap"]).args(arguments);
    command.args(["--dir", story.net.cluster.folder().path().to_str().unwrap()]);
    if !["show", "check", "list"].contains(&arguments[0]) {
        command.arg("--base-key");
        command.arg(story.path(&format!("base-{user}.key")));
    }
    let answer = answer(&mut command);
    println!(
        "weft swap {} (user {user})\n{}",
        arguments.join(" "),
        answer.words
    );
    answer
}

fn text<'a>(answer: &'a Value, what: &str) -> &'a str {
    answer[what].as_str().unwrap_or_else(|| panic!("{answer}"))
}

fn on_base(user: u8) -> String {
    BaseAddress(owner(user).address()).to_string()
}

async fn coins(story: &Story, user: u8) -> u128 {
    let balance = story.chain.endpoint().balance(owner(user).address());
    balance.await.unwrap()
}

/// The first user has a card, and all have coin for fees.
fn with_a_card(story: &Story) -> ItemId {
    let mut number = [0; 32];
    number[31] = 42;
    let edition = EditionId::erc721(story.token, &TokenId(number));
    let token = story.token.to_string();
    story.weft(&["deposit", "--amount", "50000000"], 1).unwrap();
    let card = ["deposit", "--erc721", &token, "--token", "42"];
    story.weft(&card, 1).unwrap();
    let to = account(2).to_string();
    let pay = ["account", "transfer", "--to", &to, "--amount", "10000000"];
    story.wallet(&pay, 1);
    ItemId::derive(&edition, 1)
}

/// Locks the card in the ledger for somebody: the hash, the secret and the deal.
fn card_locked(story: &Story, item: ItemId, (from, to): (u8, u8), time: &str) -> [String; 3] {
    let (item, to) = (item.to_string(), account(to).to_string());
    let lock = [
        "card",
        "lock",
        &item,
        "--to",
        &to,
        "--new-secret",
        "--expires",
        time,
    ];
    let locked = story.wallet(&lock, from);
    let deal = locked["deals"][0].as_str().unwrap();
    [text(&locked, "hash"), text(&locked, "secret"), deal].map(str::to_owned)
}

/// The same hash once more, for money.
fn locked_again(story: &Story, hash: &str, (from, to): (u8, u8)) -> Answer {
    let mut command = Command::new(program().path);
    command.args(["card", "lock", "--amount", "1", "--hash", hash]);
    command.args(["--to", &account(to).to_string()]);
    command.args(["--dir", story.net.cluster.folder().path().to_str().unwrap()]);
    command.arg("--key");
    command.arg(story.path(&format!("wallet-{from}.key")));
    answer(&mut command)
}

fn answer(command: &mut Command) -> Answer {
    let output = command.output().unwrap();
    Answer {
        code: output.status.code(),
        data: serde_json::from_slice(&output.stdout).unwrap_or_default(),
        words: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Until the lock is to be relied on.
async fn relied_on(story: &Story, check: &[&str], user: u8) {
    until("a lock that is deep enough", async || {
        let answer = swap(story, check, user);
        match answer.code {
            Some(4) => answer
                .words
                .contains("blocks on top of it")
                .then_some(false),
            Some(0) => Some(true),
            _ => None,
        }
        .unwrap_or_else(|| panic!("{}", answer.words))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_is_swapped_for_coin_on_the_base_chain_or_both_have_their_own_again() {
    let story = Story::begin().await;
    let item = with_a_card(&story);
    let owner_of = async || story.client.item(&item).await.unwrap().owner;

    // Both wish it: the card's owner made the secret and locks first, longer than the other locks his coin.
    let [hash, secret, deal] = card_locked(&story, item, (1, 2), "20m");
    let seller = on_base(1);
    let coin = [
        "lock",
        "--hash",
        &hash,
        "--to",
        &seller,
        "--amount",
        PRICE,
        "--expires",
        "10m",
    ];
    let shown = swap(&story, &[&coin[..], &["--dry-run"]].concat(), 2).good();
    assert!(
        shown["lock"].is_null() && shown["sent"].is_null(),
        "{shown}"
    );
    let made = swap(&story, &[&coin[..], &["--yes"]].concat(), 2).good();
    let lock = text(&made, "lock");
    let check = |amount: &'static str, apart: &'static str| {
        let terms = ["--to", &seller, "--amount", amount, "--left", "5m"];
        let order = ["--deal", &deal, "--ends", "first", "--apart", apart];
        [&["check", lock][..], &terms, &order].concat()
    };
    relied_on(&story, &check(PRICE, "5m"), 1).await;
    swap(&story, &check("500000001", "5m"), 1).refused(5, "the amount is");
    swap(&story, &check(PRICE, "15m"), 1).refused(5, "not the lock before the deal by 900 s");

    // Nobody has the coin without the secret, and nobody takes it back before its time.
    let wrong = "77".repeat(32);
    let by = |secret| ["claim", lock, "--secret", secret, "--yes"];
    swap(&story, &by(&wrong), 3).refused(2, "does not open");
    swap(&story, &["refund", lock, "--yes"], 2).refused(4, "comes back no earlier");
    let unopened = ["claim", lock, "--deal", &deal, "--yes"];
    swap(&story, &unopened, 2).refused(4, "was not opened");

    // The one claim gives the other: the coin's owner reads the secret, and has the card.
    let before = coins(&story, 1).await;
    swap(&story, &by(&secret), 1).good();
    let paid = coins(&story, 1).await;
    assert!(paid <= before + PRICE_WEI && paid + GAS_WEI > before + PRICE_WEI);
    swap(&story, &by(&secret), 3).refused(4, "is claimed already");
    let claimed = swap(&story, &["show", lock], 2).good();
    assert_eq!(text(&claimed, "state"), "claimed");
    let read = text(&claimed, "secret");
    story.wallet(&["card", "unlock", &deal, "--secret", read], 2);
    assert_eq!(owner_of().await, account(2));

    // Back again, and this time nobody claims: who has the secret shows it nowhere.
    let [hash, secret, deal] = card_locked(&story, item, (2, 1), "40s");
    let buyer = on_base(2);
    let coin = [
        "lock",
        "--hash",
        &hash,
        "--to",
        &buyer,
        "--amount",
        PRICE,
        "--expires",
        "15s",
        "--yes",
    ];
    let before = coins(&story, 1).await;
    let made = swap(&story, &coin, 1).good();
    let lock = text(&made, "lock");
    assert!(coins(&story, 1).await + PRICE_WEI <= before);
    swap(&story, &coin, 1).refused(2, "by the same hash already");
    let again = locked_again(&story, &hash, (2, 1));
    again.refused(2, "locked something by");
    tokio::time::sleep(Duration::from_secs(16)).await;
    let late = ["claim", lock, "--secret", &secret, "--yes"];
    swap(&story, &late, 2).refused(4, "is over since");
    let back = swap(&story, &["refund", lock, "--yes"], 3).good();
    assert_eq!(text(&back, "locker"), on_base(1));
    assert!(coins(&story, 1).await + GAS_WEI > before);
    swap(&story, &["refund", lock, "--yes"], 3).refused(4, "is paid back");
    until("the deal is over", async || {
        let deal = story.client.deal(&deal.parse().unwrap()).await.unwrap();
        deal.state == weft_types::api::DealState::Expired
    })
    .await;
    assert_eq!(owner_of().await, account(2));

    let listed = swap(&story, &["list", &on_base(1)], 1).good();
    let listed: Vec<_> = listed.as_array().unwrap().iter().collect();
    assert!(listed.len() >= 2, "{listed:?}");
    let last = listed.last().unwrap();
    assert_eq!(
        (text(last, "lock"), text(last, "state")),
        (lock, "refunded")
    );
    let nobodys = swap(&story, &["list", &on_base(9)], 1).good();
    assert_eq!(nobodys, serde_json::json!([]));

    // A contract of one's own serves as well, and no contract that is another.
    let own = swap(&story, &["deploy", "--yes"], 1).good();
    let elsewhere = ["show", lock, "--contract", text(&own, "contract")];
    swap(&story, &elsewhere, 1).refused(4, "there is no lock");
    let vault = BaseAddress(story.chain.contracts().vault).to_string();
    swap(&story, &["show", lock, "--contract", &vault], 1).refused(5, "another contract");
}
