//! An operator whose key is with a signer: what honest ones of each kind do, and what others might.

use crate::support::{ETHER, addresses, anvil, embedded, enrolled, operator, rich};
use alloy::consensus::{SignableTransaction as _, TxEip1559, TxEip2930, TxEnvelope};
use alloy::eips::eip2718::Encodable2718 as _;
use alloy::primitives::{Address, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::SignerSync as _;
use alloy::signers::local::PrivateKeySigner;
use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use weft_basechain::{
    AccountKey, At, BaseChain, ClientError, Endpoint, MemberStatus, Registration, ServerHandle,
    Signer, serve_embedded,
};
use weft_types::testing::{finality_key, vertex_key};

/// The outsider's.
const SECRET: [u8; 32] = [0x45; 32];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Web3Signer and nodes: `eth_signTransaction` gives the bytes.
    Web3,
    /// clef: methods of its own, and the bytes in an object.
    Clef,
    /// A wallet: it only sends, by itself.
    Wallet,
    /// A person who says no.
    Denies,
    /// It changes something.
    Alters(&'static str),
    /// It signs a transaction of another type.
    Older,
    /// What it answers is none.
    Answers(&'static str),
    /// It answers without an end.
    Long,
}

fn signed(request: &TransactionRequest, kind: Kind) -> String {
    let mut transaction = TxEip1559 {
        chain_id: request.chain_id.unwrap(),
        nonce: request.nonce.unwrap(),
        gas_limit: request.gas.unwrap(),
        max_fee_per_gas: request.max_fee_per_gas.unwrap(),
        max_priority_fee_per_gas: request.max_priority_fee_per_gas.unwrap(),
        to: request.to.unwrap(),
        value: request.value.unwrap(),
        input: request.input.input().unwrap().clone(),
        ..TxEip1559::default()
    };
    let mut secret = SECRET;
    match kind {
        Kind::Alters("recipient") => transaction.to = TxKind::Call(Address::ZERO),
        Kind::Alters("value") => transaction.value += U256::ONE,
        Kind::Alters("call") => transaction.input = b"other".into(),
        Kind::Alters("chain") => transaction.chain_id += 1,
        Kind::Alters("nonce") => transaction.nonce += 1,
        Kind::Alters("gas limit") => transaction.gas_limit += 1,
        Kind::Alters("fee") => transaction.max_fee_per_gas += 1,
        Kind::Alters("tip") => transaction.max_priority_fee_per_gas -= 1,
        Kind::Alters("access list") => transaction.access_list.0.push(Default::default()),
        Kind::Alters("account") => secret = [0x46; 32],
        _ => {}
    }
    let key = PrivateKeySigner::from_slice(&secret).unwrap();
    if kind == Kind::Older {
        let older = TxEip2930 {
            chain_id: transaction.chain_id,
            nonce: transaction.nonce,
            gas_price: transaction.max_fee_per_gas,
            gas_limit: transaction.gas_limit,
            to: transaction.to,
            value: transaction.value,
            input: transaction.input,
            ..TxEip2930::default()
        };
        let signature = key.sign_hash_sync(&older.signature_hash()).unwrap();
        let envelope = TxEnvelope::from(older.into_signed(signature));
        return format!("0x{}", hex::encode(envelope.encoded_2718()));
    }
    let signature = key.sign_hash_sync(&transaction.signature_hash()).unwrap();
    let envelope = TxEnvelope::from(transaction.into_signed(signature));
    format!("0x{}", hex::encode(envelope.encoded_2718()))
}

fn answer(kind: Kind, request: Value) -> Value {
    let account = PrivateKeySigner::from_slice(&SECRET).unwrap().address();
    let asked = || serde_json::from_value(request["params"][0].clone()).unwrap();
    let method = request["method"].as_str().unwrap();
    let result = match (method, kind) {
        ("eth_accounts", Kind::Clef) => None,
        ("eth_accounts", _) | ("account_list", Kind::Clef) => Some(json!([account])),
        ("eth_signTransaction", Kind::Denies) => {
            let error = json!({"code": -32000, "message": "request denied"});
            return json!({"jsonrpc": "2.0", "id": request["id"], "error": error});
        }
        ("eth_signTransaction", Kind::Web3 | Kind::Alters(_) | Kind::Older) => {
            Some(signed(&asked(), kind).into())
        }
        ("eth_signTransaction", Kind::Answers(text)) => {
            return serde_json::from_str(text).unwrap();
        }
        ("eth_signTransaction", Kind::Long) => Some("0".repeat(3 << 20).into()),
        ("eth_sendTransaction", Kind::Wallet) => Some(json!("0x00")),
        ("account_signTransaction", Kind::Clef) => {
            Some(json!({"raw": signed(&asked(), kind), "tx": {}}))
        }
        _ => None,
    };
    match result {
        Some(result) => json!({"jsonrpc": "2.0", "id": request["id"], "result": result}),
        None => {
            let error = json!({"code": -32601, "message": "the method does not exist"});
            json!({"jsonrpc": "2.0", "id": request["id"], "error": error})
        }
    }
}

/// A signer of a kind; returns its URL.
async fn serve(kind: Kind) -> String {
    let answers = move |Json(request): Json<Value>| async move { Json(answer(kind, request)) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/", post(answers)))
            .await
            .unwrap();
    });
    url
}

async fn signer(kind: Kind) -> AccountKey {
    Signer::connect(&serve(kind).await, None)
        .await
        .unwrap()
        .into()
}

/// A network whose four members are registered, and an outsider with coin.
async fn network() -> (ServerHandle, BaseChain) {
    let server = serve_embedded(embedded(0, None)).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    (server, enrolled(endpoint).await)
}

fn registration() -> Registration {
    Registration {
        vertex_key: vertex_key(4).public(),
        finality_secret: finality_key(4),
        bond: 10 * ETHER,
        addresses: addresses(4),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_bonds_and_leaves_with_a_signer_of_each_kind() {
    for kind in [Kind::Web3, Kind::Clef] {
        let (server, chain) = network().await;
        let key = signer(kind).await;
        assert_eq!(key.address(), operator(4).address());
        let registered = chain.register(&key, &registration()).await.unwrap();
        let member = chain.member(registered.id, At::Latest).await.unwrap();
        assert_eq!(member.status, MemberStatus::Queued, "{kind:?}");
        assert_eq!(member.vertex_key, vertex_key(4).public());
        assert_eq!(member.operator, key.address());
        chain.request_exit(&key).await.unwrap();
        server.shutdown().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_that_signs_something_else_is_found_out_and_nothing_is_sent() {
    let (server, chain) = network().await;
    let before = chain
        .endpoint()
        .balance(operator(4).address())
        .await
        .unwrap();
    for part in [
        "recipient",
        "value",
        "call",
        "chain",
        "nonce",
        "gas limit",
        "fee",
        "tip",
        "access list",
        "account",
    ] {
        let key = signer(Kind::Alters(part)).await;
        let refused = chain.register(&key, &registration()).await.unwrap_err();
        let words = refused.to_string();
        assert!(matches!(refused, ClientError::Signer { .. }), "{words}");
        assert!(words.contains(&format!("another {part}")), "{words}");
    }
    for (kind, words) in [
        (Kind::Older, "type 1, not 2"),
        (Kind::Answers(r#"{"result": "0x02"}"#), "cannot be read"),
        (Kind::Answers(r#"{"result": {"raw": 5}}"#), "no signed"),
        (Kind::Answers(r#"{"id": 1}"#), "is empty"),
        (Kind::Answers("5"), "is none"),
        (Kind::Long, "more than 2097152 bytes"),
    ] {
        let key = signer(kind).await;
        let refused = chain.register(&key, &registration()).await;
        let words_found = refused.unwrap_err().to_string();
        assert!(words_found.contains(words), "{words} in {words_found}");
    }
    let after = chain
        .endpoint()
        .balance(operator(4).address())
        .await
        .unwrap();
    assert_eq!(after, before);
    assert_eq!(chain.id_of(operator(4).address()).await.unwrap(), None);
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signer_that_says_no_or_only_sends_is_an_error_with_its_words() {
    let (server, chain) = network().await;
    for (kind, words) in [
        (Kind::Denies, "request denied"),
        (Kind::Wallet, "no eth_signTransaction"),
    ] {
        let key = signer(kind).await;
        let refused = chain.register(&key, &registration()).await.unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
    }
    let url = serve(Kind::Web3).await;
    let other = Signer::connect(&url, Some([9; 20])).await.unwrap_err();
    assert!(
        other.to_string().contains("does not have account"),
        "{other}"
    );
    let nobody = Signer::connect("http://127.0.0.1:9", None)
        .await
        .unwrap_err();
    assert!(matches!(nobody, ClientError::SignerAway { .. }), "{nobody}");
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anvil_signs_for_its_own_accounts() {
    let process = anvil();
    let chain = enrolled(Endpoint::connect(&process.url).await.unwrap()).await;
    let several = Signer::connect(&process.url, None).await.unwrap_err();
    assert!(
        several.to_string().contains("which of its accounts"),
        "{several}"
    );
    let key = Signer::connect(&process.url, Some(rich().address()))
        .await
        .unwrap();
    chain.register(&key.into(), &registration()).await.unwrap();
    assert!(chain.id_of(rich().address()).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_registry_would_refuse_is_known_before_it_is_sent() {
    use weft_basechain::RegistryCall;
    let (server, chain) = network().await;
    let call = registration();
    let key = operator(4);
    let quote = async |call| {
        let order = chain.order(&key, call);
        chain.endpoint().quote(&key, &order, None, None).await
    };
    let bond = quote(RegistryCall::Register(&call)).await.unwrap();
    assert!(bond.gas_limit > 100_000 && bond.fee_max() > 0, "{bond:?}");
    for call in [
        RegistryCall::RequestExit,
        RegistryCall::TopUp(ETHER),
        RegistryCall::WithdrawBond,
    ] {
        let refused = quote(call).await.unwrap_err();
        assert!(refused.refusal().is_some(), "{refused}");
    }
    let members = chain.members(100).await.unwrap();
    let ids: Vec<u64> = members.iter().map(|m| m.id).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    assert_eq!(chain.members(2).await.unwrap().len(), 2);
    let key = vertex_key(2).public();
    assert_eq!(chain.id_of_vertex_key(key).await.unwrap(), Some(3));
    assert_eq!(
        chain
            .id_of_vertex_key(vertex_key(4).public())
            .await
            .unwrap(),
        None
    );
    server.shutdown().await.unwrap();
}
