//! Against an embedded chain that makes no block until it is ended.

use super::*;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use weft_basechain::embedded::ChainConfig;
use weft_basechain::testing::CHAIN_ID;
use weft_basechain::{EmbeddedConfig, Pace, ServerHandle, serve_embedded};

const COIN: u128 = 1_000_000_000_000_000_000;
const TO: [u8; 20] = [0x21; 20];
const SLOW: Duration = Duration::from_secs(3_600);
const FAST: Duration = Duration::from_millis(5);

fn key() -> AccountKey {
    AccountKey::from_bytes(&[7; 32]).unwrap()
}

/// The same chain as before, where there was one that was ended in order.
async fn chain(folder: &Path, busy: Duration) -> (ServerHandle, Endpoint) {
    let config = EmbeddedConfig {
        chain: ChainConfig {
            chain_id: CHAIN_ID,
            seed: 1,
            genesis_timestamp: 1_700_000_000,
            balances: [(key().address(), 100 * COIN)].into(),
            finality_depth: 2,
        },
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        journal: Some(folder.join("base.journal")),
        pace: Pace {
            busy,
            ..Pace::default()
        },
    };
    let server = serve_embedded(config).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    let longest = match busy {
        SLOW => Duration::from_millis(200),
        _ => MINED_TIME_MAX,
    };
    (server, endpoint.with_mined_time_max(longest))
}

struct Account {
    home: tempfile::TempDir,
    key: AccountKey,
    output: Output,
}

impl Account {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            key: key(),
            output: Output::new(true),
        }
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("sent.json")
    }

    fn payer<'a>(&'a self, endpoint: &'a Endpoint, terms: &'a Terms) -> Payer<'a> {
        let account = BaseAddress(self.key.address());
        Payer {
            endpoint,
            key: &self.key,
            terms,
            outbox: Outbox::at(self.home.path(), self.file(), CHAIN_ID, account).unwrap(),
            output: &self.output,
        }
    }

    /// What a command does with an order.
    async fn send(
        &self,
        endpoint: &Endpoint,
        terms: &Terms,
        order: &Order,
    ) -> Result<(Mined, bool), Failure> {
        let mut payer = self.payer(endpoint, terms);
        if let Some(mined) = payer.earlier(order).await? {
            return Ok((mined, true));
        }
        let quote = payer.quote(order).await?;
        Ok((payer.send(order, &quote).await?, false))
    }

    fn is_forgotten(&self) -> bool {
        !self.file().exists()
    }
}

const ONCE: Terms = Terms {
    max_fee: None,
    again: false,
};
const AGAIN: Terms = Terms {
    max_fee: None,
    again: true,
};

fn has(failure: &Failure, words: &str) {
    let hint = failure.hint.as_deref().unwrap_or_default();
    let text = format!("{} {hint}", failure.message);
    assert!(text.contains(words), "{words} in {text}");
}

#[tokio::test]
async fn a_command_whose_time_was_over_is_given_again_and_sends_nothing_more() {
    let account = Account::new();
    let order = Order::transfer(TO, COIN);
    let (server, endpoint) = chain(account.home.path(), SLOW).await;
    for _ in 0..3 {
        let waits = account.send(&endpoint, &ONCE, &order).await.unwrap_err();
        has(&waits, "in no block after");
        has(&waits, "repeat the command");
    }
    // Its end seals what waits.
    server.shutdown().await.unwrap();
    let (server, endpoint) = chain(account.home.path(), FAST).await;
    let (mined, earlier) = account.send(&endpoint, &ONCE, &order).await.unwrap();
    assert!(earlier);
    assert_eq!(endpoint.balance(TO).await.unwrap(), COIN);
    assert!(account.is_forgotten());
    // What is over is another story when it is ordered again.
    let (second, earlier) = account.send(&endpoint, &ONCE, &order).await.unwrap();
    assert!(!earlier && second.hash != mined.hash);
    assert_eq!(endpoint.balance(TO).await.unwrap(), 2 * COIN);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_was_written_down_and_never_arrived_is_sent_as_it_was() {
    let account = Account::new();
    let order = Order::transfer(TO, COIN);
    let (server, endpoint) = chain(account.home.path(), FAST).await;
    let mut payer = account.payer(&endpoint, &ONCE);
    let quote = payer.quote(&order).await.unwrap();
    let signed = endpoint.sign(&account.key, &order, &quote).await.unwrap();
    payer.outbox.add("transfer", signed.clone()).unwrap();
    drop(payer);
    let (mined, earlier) = account.send(&endpoint, &ONCE, &order).await.unwrap();
    assert!(earlier && mined.hash == signed.hash());
    assert_eq!(endpoint.balance(TO).await.unwrap(), COIN);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn another_order_waits_for_what_was_signed_before() {
    let account = Account::new();
    let (first, second) = (Order::transfer(TO, COIN), Order::transfer(TO, 2 * COIN));
    let (server, endpoint) = chain(account.home.path(), SLOW).await;
    account.send(&endpoint, &ONCE, &first).await.unwrap_err();
    let waits = account.send(&endpoint, &ONCE, &second).await.unwrap_err();
    has(&waits, "the earlier transaction");
    server.shutdown().await.unwrap();
    let (server, endpoint) = chain(account.home.path(), FAST).await;
    let (_, earlier) = account.send(&endpoint, &ONCE, &second).await.unwrap();
    assert!(!earlier);
    assert_eq!(endpoint.balance(TO).await.unwrap(), 3 * COIN);
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn again_takes_the_place_of_what_waits_and_follows_what_is_in_a_block() {
    let account = Account::new();
    let order = Order::transfer(TO, COIN);
    let (server, endpoint) = chain(account.home.path(), SLOW).await;
    account.send(&endpoint, &ONCE, &order).await.unwrap_err();
    account.send(&endpoint, &AGAIN, &order).await.unwrap_err();
    server.shutdown().await.unwrap();
    let (server, endpoint) = chain(account.home.path(), FAST).await;
    assert_eq!(endpoint.balance(TO).await.unwrap(), COIN, "one of both");
    let (_, earlier) = account.send(&endpoint, &AGAIN, &order).await.unwrap();
    assert!(!earlier);
    assert_eq!(endpoint.balance(TO).await.unwrap(), 2 * COIN);
    assert!(account.is_forgotten());
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_lost_its_place_to_something_else_is_not_sent_anew_without_a_word() {
    let account = Account::new();
    let order = Order::transfer(TO, COIN);
    let (server, endpoint) = chain(account.home.path(), FAST).await;
    let mut payer = account.payer(&endpoint, &ONCE);
    let quote = payer.quote(&order).await.unwrap();
    let signed = endpoint.sign(&account.key, &order, &quote).await.unwrap();
    payer.outbox.add("transfer", signed).unwrap();
    drop(payer);
    // The account's owner sends something by other means.
    endpoint.transfer(&account.key, [9; 20], 1).await.unwrap();
    let replaced = account.send(&endpoint, &ONCE, &order).await.unwrap_err();
    has(&replaced, "something else of the account");
    has(&replaced, "--again");
    assert!(!account.is_forgotten());
    assert_eq!(endpoint.balance(TO).await.unwrap(), 0);
    account.send(&endpoint, &AGAIN, &order).await.unwrap();
    assert_eq!(endpoint.balance(TO).await.unwrap(), COIN);
    assert!(account.is_forgotten());
    server.shutdown().await.unwrap();
}

#[test]
fn gwei_have_up_to_nine_decimals() {
    assert_eq!(gwei("20"), Ok(20_000_000_000));
    assert_eq!(gwei("0.5"), Ok(500_000_000));
    assert_eq!(gwei("0.000000001"), Ok(1));
    let long = "9".repeat(40);
    for wrong in [
        "",
        "0",
        ".5",
        "1e9",
        "-1",
        "+1",
        "0.0000000001",
        "1.2.3",
        &long,
    ] {
        assert!(gwei(wrong).is_err(), "{wrong}");
    }
}
