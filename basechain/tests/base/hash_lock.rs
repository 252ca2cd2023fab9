//! H1 to H8 told to the embedded chain: what a secret opens, and what comes back.

use crate::support::{CHAIN_ID, ETHER, embedded, fund, operator, rich};
use std::time::{Duration, SystemTime};
use tokio::time::sleep;
use weft_basechain::{
    AccountKey, At, ClientError, Endpoint, HashLocks, LockId, LockState, LockTerms, Mined, Order,
    serve_embedded,
};
use weft_types::{BaseAddress, Secret};

const SECRET: Secret = Secret([5; 32]);
const LEFT: u64 = 12;

struct Story {
    locks: HashLocks,
    locker: AccountKey,
}

impl Story {
    async fn send(&self, order: &Order) -> Result<Mined, ClientError> {
        let (endpoint, key) = (self.locks.endpoint(), &self.locker);
        let quote = endpoint.quote(key, order, None, None).await?;
        let signed = endpoint.sign(key, order, &quote).await?;
        endpoint.deliver(order.what(), &[signed]).await
    }

    async fn refused(&self, order: &Order) -> String {
        let error = self.send(order).await.unwrap_err();
        error.refusal().expect("a refusal").name.clone()
    }

    async fn lock(&self, terms: &LockTerms) -> LockId {
        let mined = self.send(&self.locks.lock_order(terms)).await.unwrap();
        self.locks.made(&mined).unwrap()
    }

    async fn state(&self, id: LockId) -> LockState {
        let found = self.locks.find(id, At::Latest).await.unwrap();
        found.expect("a lock").state
    }

    async fn balance(&self, of: &AccountKey) -> u128 {
        let balance = self.locks.endpoint().balance(of.address()).await;
        balance.unwrap()
    }
}

fn terms(to: &AccountKey, amount: u128) -> LockTerms {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    LockTerms {
        hash: SECRET.hash(),
        recipient: BaseAddress(to.address()),
        expiry: now.unwrap().as_secs() + LEFT,
        token: None,
        amount,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_is_claimed_by_its_secret_in_time_or_comes_back_and_neither_twice() {
    let server = serve_embedded(embedded(0, None)).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    assert_eq!(endpoint.chain_id(), CHAIN_ID);
    fund(&endpoint).await;
    let story = Story {
        locks: HashLocks::deploy(endpoint, &rich()).await.unwrap(),
        locker: operator(0),
    };
    let (locks, recipient) = (&story.locks, operator(1));
    let agreed = terms(&recipient, ETHER);
    let id = story.lock(&agreed).await;
    let found = locks.find(id, At::Latest).await.unwrap().unwrap();
    assert_eq!((found.terms, found.state), (agreed, LockState::Open));
    assert_eq!(found.locker, BaseAddress(story.locker.address()));
    let nobodys = LockId([9; 32]);
    assert_eq!(locks.find(nobodys, At::Latest).await.unwrap(), None);

    // Deep once so many blocks are on top of it.
    assert!(locks.is_deep(id, 0).await.unwrap());
    assert!(!locks.is_deep(id, 1_000).await.unwrap());
    let kept = story.lock(&terms(&recipient, 2 * ETHER)).await;
    assert!(locks.is_deep(id, 1).await.unwrap());
    // Where the contract was not yet, nothing was locked.
    let head = locks.endpoint().head().await.unwrap().number;
    assert!(!locks.is_deep(id, head).await.unwrap());

    let wrong = locks.claim_order(id, Secret([6; 32]));
    assert_eq!(story.refused(&wrong).await, "WrongSecret");
    assert_eq!(story.refused(&locks.refund_order(id)).await, "TooEarly");
    let unknown = locks.claim_order(nobodys, SECRET);
    assert_eq!(story.refused(&unknown).await, "UnknownLock");
    let before = story.balance(&recipient).await;
    let claim = locks.claim_order(id, SECRET);
    story.send(&claim).await.unwrap();
    assert_eq!(story.balance(&recipient).await, before + ETHER);
    assert_eq!(story.state(id).await, LockState::Claimed(SECRET));
    assert_eq!(story.refused(&claim).await, "AlreadyClaimed");

    sleep(Duration::from_secs(LEFT + 1)).await;
    let late = locks.claim_order(kept, SECRET);
    assert_eq!(story.refused(&late).await, "TooLate");
    let before = story.balance(&story.locker).await;
    let refund = locks.refund_order(kept);
    story.send(&refund).await.unwrap();
    assert_eq!(story.state(kept).await, LockState::Refunded);
    assert!(
        story.balance(&story.locker).await > before + ETHER,
        "less the gas"
    );
    assert_eq!(story.refused(&refund).await, "AlreadyRefunded");
    assert_eq!(story.balance(&recipient).await, 1_001 * ETHER);
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_locked_after_an_approval_and_another_contract_is_refused() {
    let server = serve_embedded(embedded(0, None)).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    let text = include_str!("../../contracts/test/fixtures/Coins.json");
    let artifact: serde_json::Value = serde_json::from_str(text).unwrap();
    let code = artifact["bytecode"].as_str().unwrap();
    let code = hex::decode(code.trim_start_matches("0x")).unwrap();
    let token = endpoint.create(&rich(), "coins", 0, code).await.unwrap();
    let story = Story {
        locks: HashLocks::deploy(endpoint.clone(), &rich()).await.unwrap(),
        locker: rich(),
    };
    let mint = format!("40c10f19{:0>64}{:064x}", hex::encode(rich().address()), 10);
    let mint = hex::decode(mint).unwrap();
    endpoint
        .execute(&rich(), "mint", token, 0, mint)
        .await
        .unwrap();

    let (locks, recipient) = (&story.locks, operator(1));
    let locker = BaseAddress(story.locker.address());
    let agreed = LockTerms {
        token: Some(BaseAddress(token)),
        ..terms(&recipient, 7)
    };
    assert_eq!(
        story.refused(&locks.lock_order(&agreed)).await,
        "TransferRefused"
    );
    let approval = locks.approval_order(locker, &agreed).await.unwrap();
    story
        .send(&approval.expect("nothing is allowed yet"))
        .await
        .unwrap();
    assert_eq!(locks.approval_order(locker, &agreed).await.unwrap(), None);
    let id = story.lock(&agreed).await;
    assert_eq!(
        locks.find(id, At::Latest).await.unwrap().unwrap().terms,
        agreed
    );
    story.send(&locks.claim_order(id, SECRET)).await.unwrap();
    let of = format!("70a08231{:0>64}", hex::encode(recipient.address()));
    let held = endpoint
        .view(token, hex::decode(of).unwrap())
        .await
        .unwrap();
    assert_eq!(held.last(), Some(&7));

    let foreign = HashLocks::connect(endpoint.clone(), token)
        .await
        .unwrap_err();
    assert!(
        matches!(foreign, ClientError::ForeignCode { .. }),
        "{foreign}"
    );
    let nothing = HashLocks::connect(endpoint, [9; 20]).await.unwrap_err();
    assert!(
        matches!(nothing, ClientError::NoContract { .. }),
        "{nothing}"
    );
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_signed_is_known_again_though_its_expiry_would_be_another_by_now() {
    let server = serve_embedded(embedded(0, None)).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    let locks = HashLocks::deploy(endpoint.clone(), &rich()).await.unwrap();
    let first = terms(&operator(1), ETHER);
    let order = locks.lock_order(&first);
    let quote = endpoint.quote(&rich(), &order, None, None).await.unwrap();
    let signed = endpoint.sign(&rich(), &order, &quote).await.unwrap();
    let later = LockTerms {
        expiry: first.expiry + 9,
        ..first
    };
    assert_eq!(locks.signed_before(&signed, &later), Some(first));
    let other = LockTerms { amount: 1, ..later };
    assert_eq!(locks.signed_before(&signed, &other), None);
    let token = Some(BaseAddress([3; 20]));
    assert_eq!(
        locks.signed_before(&signed, &LockTerms { token, ..later }),
        None
    );
    server.shutdown().await.unwrap();
}
