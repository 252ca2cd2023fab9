//! V7 told to two chains: a card that refuses to move is kept, and fetched once it moves again.

use crate::support::{anvil, embedded, enrolled_with, operator, params, rich, stated};
use std::time::Duration;
use weft_basechain::{
    BaseChain, ClientError, DeployParams, Endpoint, SubmitOutcome, Times, serve_embedded,
};
use weft_types::testing::certify;
use weft_types::{Address, Amount, BaseAddress, BaseAsset, Deposit, Statement, TokenId};

const AFTER_S: u64 = 2;
const WINDOW_S: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payout_that_was_refused_is_kept_and_fetched_by_its_recipient_alone_on_both_chains() {
    let server = serve_embedded(embedded(0, None)).await.unwrap();
    tell(server.rpc_url()).await;
    server.shutdown().await.unwrap();
    let anvil = anvil();
    tell(&anvil.url).await;
}

fn reason<T: std::fmt::Debug>(result: Result<T, ClientError>) -> String {
    let error = result.unwrap_err();
    error.refusal().expect("a refusal").name.clone()
}

/// A contract of cards, on the vault's list.
struct Cards<'a>(&'a BaseChain, BaseAddress);

impl Cards<'_> {
    async fn new(chain: &BaseChain) -> Cards<'_> {
        let text = include_str!("../../contracts/test/fixtures/Cards.json");
        let artifact: serde_json::Value = serde_json::from_str(text).unwrap();
        let code = artifact["bytecode"].as_str().unwrap();
        let code = hex::decode(code.trim_start_matches("0x")).unwrap();
        let token = chain.endpoint().create(&rich(), "cards", 0, code).await;
        let token = BaseAddress(token.unwrap());
        chain.list(&rich(), token, None).await.unwrap();
        Cards(chain, token)
    }

    async fn call(&self, what: &'static str, input: &str) {
        let input = hex::decode(input).unwrap();
        let (endpoint, key) = (self.0.endpoint(), rich());
        let called = endpoint.execute(&key, what, self.1.0, 0, input);
        called.await.unwrap();
    }

    /// `mint`
    async fn mint(&self, to: [u8; 20], number: u8) {
        let to = hex::encode(to);
        self.call("mint", &format!("40c10f19{to:0>64}{number:064x}"))
            .await;
    }

    /// `stick`: whether transfers are refused.
    async fn stick(&self, stuck: bool) {
        self.call("stick", &format!("ee7b1adc{:064x}", u8::from(stuck)))
            .await;
    }

    /// `ownerOf`
    async fn owner(&self, number: u8) -> [u8; 20] {
        let input = hex::decode(format!("6352211e{number:064x}")).unwrap();
        let word = self.0.endpoint().view(self.1.0, input).await.unwrap();
        word[12..32].try_into().unwrap()
    }
}

async fn tell(url: &str) {
    let endpoint = Endpoint::connect(url).await.unwrap();
    let times = Times {
        escape_after_s: AFTER_S,
        escape_window_s: WINDOW_S,
        ..params().times
    };
    let params = DeployParams { times, ..params() };
    let chain = enrolled_with(endpoint, &params).await;
    let cards = Cards::new(&chain).await;
    let (owner, other) = (operator(2), operator(3));
    cards.mint(owner.address(), 42).await;
    let mut id = TokenId([0; 32]);
    id.0[31] = 42;
    let card = BaseAsset::Erc721 { token: cards.1, id };
    chain.approve(&owner, &card).await.unwrap();
    let deposit = chain
        .deposit(&owner, &card, Address([3; 32]))
        .await
        .unwrap();
    let statement = Statement {
        deposits_digest: Deposit::digest_start(),
        ..stated(&chain, 1)
    };
    let certificate = certify(&statement, &[0, 1, 2, 3]);
    let posted = chain.submit(&operator(0), &certificate).await.unwrap();
    assert!(matches!(posted, SubmitOutcome::Posted(_)), "{posted:?}");
    tokio::time::sleep(Duration::from_secs(AFTER_S + 1)).await;
    chain.trip(&other).await.unwrap();
    chain.reclaim_deposit(&owner, &deposit).await.unwrap();
    tokio::time::sleep(Duration::from_secs(WINDOW_S + 1)).await;

    let to = BaseAddress(other.address());
    let nothing = reason(chain.fetching(&owner, &card, to).await);
    assert_eq!(nothing, "NothingToClaim", "it is not paid yet");
    cards.stick(true).await;
    let paid = chain.finish_reclaim(&other, &deposit).await.unwrap();
    assert!(chain.is_kept(&paid));
    let refused = reason(chain.fetch(&owner, &card, to).await);
    assert_eq!(refused, "TransferRefused");
    cards.stick(false).await;
    let foreign = reason(chain.fetching(&other, &card, to).await);
    assert_eq!(foreign, "NothingToClaim", "it is another's");
    assert!(chain.fetching(&owner, &card, to).await.unwrap() > 21_000);
    let fetched = chain.fetch(&owner, &card, to).await.unwrap();
    assert!(!chain.is_kept(&fetched));
    assert_eq!(cards.owner(42).await, other.address());
    assert_eq!(
        reason(chain.fetch(&owner, &card, to).await),
        "NothingToClaim"
    );
    let coin = chain.kept_for(BaseAddress(owner.address()), None).await;
    assert_eq!(coin, Ok(Amount::ZERO), "the stake was paid");
}
