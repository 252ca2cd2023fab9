//! Vouchers over the API, from the pool to the spending, with all that the issuer sees of it.

use super::harness::{Node, body, genesis, signed};
use axum::http::StatusCode;
use serde_json::{Value, json};
use weft_types::api::{ProblemCode, ProofBundle, VoucherPool};
use weft_types::ed25519::SecretKey;
use weft_types::testing::{issuer_key, user, user_key};
use weft_types::{
    Address, Amount, AssetId, Blinding, FailureCode, IssuerKey, Millis, NetworkId, NewVoucherPool,
    Operation, Payment, ProofError, SpentVoucherId, Transaction, VoucherKey, VoucherPoint,
};

const WORTH: u64 = 9_000;

fn network() -> NetworkId {
    genesis().network.id()
}

fn open(issuer: u64) -> Operation {
    let key = issuer_key(1);
    Operation::VoucherOpen(NewVoucherPool {
        key: key.public(),
        proof: key.prove(network(), user(issuer)),
        asset: AssetId::NATIVE,
        denomination: Amount(WORTH),
        ends: Millis(u64::MAX),
    })
}

fn cover(count: u64) -> Operation {
    Operation::VoucherIssue {
        pool: issuer_key(1).public().pool(),
        count,
    }
}

async fn shown(node: &Node) -> VoucherPool {
    let pool = issuer_key(1).public().pool();
    node.get(&format!("/v1/voucher-pools/{pool}")).await.json()
}

/// A buyer, with an account that nobody has heard of.
struct Buyer {
    account: SecretKey,
    blinding: Blinding,
}

impl Buyer {
    fn new(i: u8) -> Self {
        Self {
            account: SecretKey::from_seed([i; 32]),
            blinding: Blinding::draw(|| [i ^ 0x55; 32]),
        }
    }

    fn address(&self) -> Address {
        Address::of_key(&self.account.public())
    }

    fn request(&self, key: &VoucherKey) -> VoucherPoint {
        self.blinding.blind(network(), key, self.address())
    }

    fn voucher(&self, key: &VoucherKey, answer: &VoucherPoint) -> VoucherPoint {
        let voucher = self
            .blinding
            .unblind(network(), key, self.address(), answer);
        voucher.expect("the issuer has signed what it was given")
    }

    /// Pays somebody, and the fee, out of the voucher.
    fn spend(&self, key: VoucherKey, voucher: VoucherPoint, to: Address) -> Transaction {
        let payment = Payment {
            to,
            asset: AssetId::NATIVE,
            amount: Amount(1_000),
        };
        let onward = Operation::Transfer {
            payments: vec![payment],
            items: vec![],
        };
        let mut body = body(0, 1, vec![Operation::VoucherSpend { key, voucher }, onward]);
        body.sender = self.address();
        body.sign(&[&self.account])
    }
}

#[tokio::test]
async fn three_buyers_spend_from_fresh_accounts_what_the_issuer_cannot_tell_apart() {
    let node = Node::start();
    let issuer: IssuerKey = issuer_key(1);
    let key = issuer.public();
    node.done(&signed(1, 1, vec![open(1), cover(3)])).await;

    let buyers = [3, 4, 5].map(Buyer::new);
    let requests = buyers.each_ref().map(|b| b.request(&key));
    let answers = requests.map(|r| issuer.sign(&r).expect("a point of the group"));
    // Spent in another order than bought.
    let mut spent = Vec::new();
    for (i, nonce) in [(2, 1), (0, 2), (1, 3)] {
        let voucher = buyers[i].voucher(&key, &answers[i]);
        let transaction = buyers[i].spend(key, voucher, user(7));
        let status = node.done(&transaction).await;
        assert_eq!(status.code, Some(0), "{nonce}: {:?}", status.detail);
        spent.push((buyers[i].address(), voucher));
    }
    let pool = shown(&node).await;
    assert_eq!((pool.issued, pool.spent, pool.cover), (3, 3, Amount(0)));

    // All that the issuer has: requests, its answers, and on the ledger accounts with vouchers. Each answer is the key's
    // product with its request, and each voucher with the hash of its account. So for each of the nine pairs there is
    // one factor that leads from the account to the request, and the same leads from the voucher to the answer. That
    // factor is shown where hashes have known logarithms (`each_request_is_explained_by_each_voucher`); what can be seen
    // here is that nothing of one is in the other.
    for (request, answer) in requests.iter().zip(&answers) {
        assert_eq!(issuer.sign(request), Ok(*answer));
        for (account, voucher) in &spent {
            assert!(key.verify(network(), *account, voucher));
            assert!(!key.verify(network(), *account, answer));
            assert_ne!((request.0, answer.0), (voucher.0, voucher.0));
        }
    }
    // A buyer who had drawn any other factor would hold the same voucher.
    for (account, voucher) in &spent {
        let other = Blinding::draw(|| [0x11; 32]);
        let signed = issuer
            .sign(&other.blind(network(), &key, *account))
            .unwrap();
        assert_eq!(
            other.unblind(network(), &key, *account, &signed),
            Ok(*voucher)
        );
    }
}

#[tokio::test]
async fn a_pool_is_shown_and_proven_and_so_is_that_a_voucher_is_spent_or_not() {
    let node = Node::start();
    let key = issuer_key(1).public();
    node.done(&signed(1, 1, vec![open(1), cover(2)])).await;
    let buyer = Buyer::new(9);
    let answer = issuer_key(1).sign(&buyer.request(&key)).unwrap();
    let voucher = buyer.voucher(&key, &answer);
    node.done(&buyer.spend(key, voucher, user(7))).await;
    node.certify();
    let pool = shown(&node).await;
    assert_eq!(pool.id, key.pool());
    assert_eq!((pool.issuer, pool.key), (user(1), key));
    assert_eq!((pool.issued, pool.spent, pool.ended), (2, 1, false));
    assert_eq!(pool.cover, Amount(WORTH));

    let path = format!("/v1/voucher-pools/{}", key.pool());
    let proof: ProofBundle = node.get(&format!("{path}/proof")).await.json();
    assert!(holds(&proof).is_ok() && proof.value.is_some());
    for (account, spent) in [(buyer.address(), true), (user(1), false)] {
        let proof: ProofBundle = node.get(&format!("{path}/spent/{account}")).await.json();
        assert_eq!(
            *proof.object.bytes(),
            SpentVoucherId::derive(&key.pool(), &account).0
        );
        assert!(holds(&proof).is_ok());
        assert_eq!(proof.value.is_some(), spent);
    }
}

fn holds(bundle: &ProofBundle) -> Result<(), ProofError> {
    let json = serde_json::to_value(&bundle.certificate).unwrap();
    let root = json["statement"]["state_root"].as_str().unwrap();
    let value = bundle.value.as_ref().map(|v| hex::decode(v).unwrap());
    let key = bundle.object.state_key();
    bundle
        .proof
        .verify(&root.parse().unwrap(), &key, value.as_deref())
}

#[tokio::test]
async fn what_is_wrong_with_a_voucher_is_said_before_it_is_ordered_or_after() {
    let node = Node::start();
    let key = issuer_key(1).public();
    node.done(&signed(1, 1, vec![open(1), cover(9)])).await;
    let buyer = Buyer::new(9);
    let answer = issuer_key(1).sign(&buyer.request(&key)).unwrap();
    let voucher = buyer.voucher(&key, &answer);
    // Somebody else's, and the blinded one.
    let spend = |voucher| vec![Operation::VoucherSpend { key, voucher }];
    for (sender, voucher) in [(3, voucher), (3, answer)] {
        let refused = node.submit(&signed(sender, 1, spend(voucher))).await;
        let problem = refused.problem(ProblemCode::SignatureInvalid);
        assert!(problem.detail.contains("does not verify"), "{problem:?}");
    }
    node.done(&buyer.spend(key, voucher, user(7))).await;
    let mut again = body(0, 9, spend(voucher));
    again.sender = buyer.address();
    again.sponsor = Some(user(3));
    let again = again.sign(&[&buyer.account, &user_key(3)]);
    let status = node.done(&again).await;
    assert_eq!(status.code, Some(FailureCode::VoucherSpent.number()));
    let unknown = node
        .get(&format!("/v1/voucher-pools/{}", AssetId([7; 32])))
        .await;
    unknown.problem(ProblemCode::NotFound);
    let path = format!("/v1/voucher-pools/{}/spent/nobody", key.pool());
    node.get(&path)
        .await
        .problem(ProblemCode::MalformedParameter);
}

#[tokio::test]
async fn at_a_pools_end_its_issuer_learns_where_the_money_came_from() {
    let node = Node::start();
    let key = issuer_key(1);
    let ends = super::harness::clock().saturating_add(30_000);
    let open = Operation::VoucherOpen(NewVoucherPool {
        key: key.public(),
        proof: key.prove(network(), user(1)),
        asset: AssetId::NATIVE,
        denomination: Amount(WORTH),
        ends,
    });
    node.done(&signed(1, 1, vec![open, cover(2)])).await;
    node.commit_at(ends);
    let pool = shown(&node).await;
    assert_eq!((pool.ended, pool.cover), (true, Amount(0)));
    let path = format!("/v1/accounts/{}/history", user(1));
    let answer = node.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK);
    let history: Value = answer.json();
    let kinds = |n: usize| history["items"][n]["operations"].clone();
    assert_eq!(kinds(0), json!(["voucher_pool_ended"]));
    assert_eq!(kinds(1), json!(["voucher_open", "voucher_issue"]));
}
