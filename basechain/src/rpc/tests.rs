use super::*;
use crate::embedded::tests::{START, chain, creation, signed, transfer, user};
use alloy::primitives::{Bytes, U256, bytes};
use serde_json::json;

/// Init code of a contract whose code logs one topic and its call data: LOG1 with topic 7.
const LOGGER: Bytes = bytes!("600d600c5f39600d5ff3fefe365f5f376007365fa100000000000000");

fn shared() -> Shared {
    Shared::new(chain())
}

fn text(body: &str, shared: &Shared) -> Value {
    let answer = answer(body.as_bytes(), shared).expect("an answer");
    serde_json::from_slice(&answer).expect("JSON")
}

/// The result of a request, or its error.
fn ask(shared: &Shared, method: &str, params: Value) -> Result<Value, Value> {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let mut answer = text(&request.to_string(), shared);
    match answer.get_mut("result") {
        Some(result) => Ok(result.take()),
        None => Err(answer["error"].take()),
    }
}

fn send(shared: &Shared, raw: Vec<u8>) -> Value {
    ask(shared, "eth_sendRawTransaction", json!([Bytes::from(raw)])).unwrap()
}

fn seal(shared: &Shared) {
    shared.write().unwrap().seal(START);
}

/// The error's code.
fn refused(shared: &Shared, method: &str, params: Value) -> i64 {
    ask(shared, method, params).unwrap_err()["code"]
        .as_i64()
        .unwrap()
}

#[test]
fn a_malformed_body_gets_the_error_that_names_the_cause() {
    let shared = shared();
    let nested = "[".repeat(100_000);
    let batch = format!("[{}]", vec!["1"; BATCH_MAX + 1].join(","));
    for (body, code) in [
        ("", -32700),
        ("{", -32700),
        ("\u{0}", -32700),
        (nested.as_str(), -32700),
        ("1", -32600),
        ("null", -32600),
        ("[]", -32600),
        (batch.as_str(), -32600),
        ("{}", -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, -32600),
        (
            r#"{"jsonrpc":"2.0","id":[],"method":"eth_chainId"}"#,
            -32600,
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"eth_sign"}"#, -32601),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}"#,
            -32602,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}"#,
            -32602,
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"eth_getBalance"}"#,
            -32602,
        ),
    ] {
        let answer = text(body, &shared);
        assert_eq!(answer["error"]["code"], code, "{body:.80}: {answer}");
        assert!(answer["error"]["message"].is_string());
    }
}

#[test]
fn wrong_parameters_are_refused_and_named() {
    let shared = shared();
    let address = user(0).address();
    for (method, params) in [
        ("eth_getBalance", json!(["0x12"])),
        ("eth_getBalance", json!([address, "newest"])),
        ("eth_getBalance", json!([address, "latest", {}])),
        ("eth_getBlockByNumber", json!([-1, false])),
        ("eth_getBlockByNumber", json!(["0x0", "yes"])),
        ("eth_getBlockByHash", json!(["0x0"])),
        ("eth_getStorageAt", json!([address])),
        ("eth_sendRawTransaction", json!(["0x"])),
        ("eth_sendRawTransaction", json!(["0x02ff"])),
        ("eth_sendRawTransaction", json!([7])),
        (
            "eth_call",
            json!([{"to": address, "input": "0x01", "data": "0x02"}]),
        ),
        ("eth_call", json!([{"to": address, "chainId": "0x1"}])),
        ("eth_call", json!([{"to": address}, "latest", {"0x00": {}}])),
        ("eth_call", json!(["call"])),
        (
            "eth_getLogs",
            json!([{"fromBlock": "0x2", "toBlock": "0x1"}]),
        ),
        ("eth_getLogs", json!([{"topics": [[[]]]}])),
        ("eth_feeHistory", json!(["0x1", "latest", [50, 10]])),
        ("eth_feeHistory", json!(["0x1", "latest", [101]])),
    ] {
        let error = ask(&shared, method, params.clone()).unwrap_err();
        assert_eq!(error["code"], -32602, "{method} {params}: {error}");
    }
    let error = ask(&shared, "eth_getBalance", json!([])).unwrap_err();
    assert_eq!(error["message"], "parameter 0 (address) is missing");
}

#[test]
fn no_changed_byte_of_a_request_brings_the_chain_down() {
    let shared = shared();
    let raw = Bytes::from(signed(0, transfer(0)));
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]},
        {"jsonrpc": "2.0", "id": 2, "method": "eth_getLogs",
         "params": [{"fromBlock": "0x0", "toBlock": "latest", "topics": [null, ["0x00"]]}]},
        {"jsonrpc": "2.0", "id": 3, "method": "eth_call",
         "params": [{"from": user(0).address(), "gas": "0x5208", "value": "0x1"}, "finalized"]},
        {"jsonrpc": "2.0", "id": 4, "method": "eth_feeHistory", "params": ["0x5", "latest", [5]]},
    ]);
    let body = batch.to_string().into_bytes();
    for place in 0..body.len() {
        for change in [b'\0', b'"', b'9', b'x', b'[', 0xff] {
            let mut changed = body.clone();
            changed[place] = change;
            if let Some(answer) = answer(&changed, &shared) {
                serde_json::from_slice::<Value>(&answer).expect("JSON");
            }
        }
    }
    assert!(shared.read().is_ok());
}

#[test]
fn notifications_get_no_answer_and_batches_keep_their_order() {
    let shared = shared();
    let notification = r#"{"jsonrpc":"2.0","method":"eth_chainId"}"#;
    assert_eq!(answer(notification.as_bytes(), &shared), None);
    let only = format!("[{notification},{notification}]");
    assert_eq!(answer(only.as_bytes(), &shared), None);
    let mixed = format!(
        r#"[{{"jsonrpc":"2.0","id":"a","method":"eth_chainId"}},{notification},7,
            {{"jsonrpc":"2.0","id":null,"method":"net_version"}}]"#
    );
    let answers = text(&mixed, &shared);
    assert_eq!(
        answers[0],
        json!({"jsonrpc": "2.0", "id": "a", "result": "0x7a69"})
    );
    assert_eq!(answers[1]["error"]["code"], -32600);
    assert_eq!(
        answers[2],
        json!({"jsonrpc": "2.0", "id": null, "result": "31337"})
    );
    assert_eq!(answers.as_array().unwrap().len(), 3);
}

#[test]
fn a_transaction_is_found_waiting_and_mined_with_its_receipt() {
    let shared = shared();
    let hash = send(&shared, signed(0, transfer(0)));
    let waiting = ask(&shared, "eth_getTransactionByHash", json!([hash])).unwrap();
    assert_eq!(waiting["blockHash"], Value::Null);
    assert_eq!(waiting["from"], json!(user(0).address()));
    let receipt = ask(&shared, "eth_getTransactionReceipt", json!([hash])).unwrap();
    assert_eq!(receipt, Value::Null);
    let count = |block: &str| {
        ask(
            &shared,
            "eth_getTransactionCount",
            json!([user(0).address(), block]),
        )
        .unwrap()
    };
    assert_eq!(
        (count("latest"), count("pending")),
        (json!("0x0"), json!("0x1"))
    );

    seal(&shared);
    let block = ask(&shared, "eth_getBlockByNumber", json!(["latest", true])).unwrap();
    let mined = ask(&shared, "eth_getTransactionByHash", json!([hash])).unwrap();
    assert_eq!(block["transactions"][0], mined);
    assert_eq!(mined["blockHash"], block["hash"]);
    let receipt = ask(&shared, "eth_getTransactionReceipt", json!([hash])).unwrap();
    assert_eq!(
        (&receipt["status"], &receipt["gasUsed"]),
        (&json!("0x1"), &json!("0x5208"))
    );
    let by_hash = ask(&shared, "eth_getBlockByHash", json!([block["hash"], false])).unwrap();
    assert_eq!(by_hash["transactions"], json!([hash]));
    assert_eq!(count("latest"), "0x1");
    assert_eq!(count("earliest"), "0x0");
    let future = ask(&shared, "eth_getBlockByNumber", json!(["0x99", true])).unwrap();
    assert_eq!(future, Value::Null);
}

#[test]
fn a_refused_transaction_says_why() {
    let shared = shared();
    send(&shared, signed(0, transfer(0)));
    let again = json!([Bytes::from(signed(0, transfer(0)))]);
    let error = ask(&shared, "eth_sendRawTransaction", again).unwrap_err();
    assert_eq!(error, json!({"code": -32000, "message": "already known"}));
}

#[test]
fn logs_are_found_by_address_topic_and_range() {
    let shared = shared();
    send(&shared, signed(0, creation(0, LOGGER)));
    seal(&shared);
    let head = ask(&shared, "eth_getBlockByNumber", json!(["latest", false])).unwrap();
    let hash = &head["transactions"][0];
    let receipt = ask(&shared, "eth_getTransactionReceipt", json!([hash])).unwrap();
    let contract = receipt["contractAddress"].clone();
    let code = ask(&shared, "eth_getCode", json!([contract])).unwrap();
    assert_eq!(code, "0x365f5f376007365fa100000000");

    for nonce in 1..4 {
        let mut call = transfer(nonce);
        call.gas_limit = 60_000;
        call.value = Default::default();
        call.input = vec![nonce as u8; 3].into();
        call.to = alloy::primitives::TxKind::Call(contract.as_str().unwrap().parse().unwrap());
        send(&shared, signed(0, call));
        if nonce > 1 {
            seal(&shared);
        }
    }
    let topic = format!("0x{:064x}", 7);
    let find = |filter: Value| {
        let logs = ask(&shared, "eth_getLogs", json!([filter])).unwrap();
        let data = |log: &Value| log["data"].as_str().unwrap().to_owned();
        logs.as_array()
            .unwrap()
            .iter()
            .map(data)
            .collect::<Vec<_>>()
    };
    let all = find(json!({"fromBlock": "earliest", "address": contract, "topics": [topic]}));
    assert_eq!(all, ["0x010101", "0x020202", "0x030303"]);
    assert_eq!(
        find(json!({"address": contract})),
        ["0x030303"],
        "the head by default"
    );
    assert_eq!(find(json!({"fromBlock": "0x1", "toBlock": "0x2"})).len(), 2);
    assert_eq!(find(json!({"blockHash": head["hash"]})).len(), 0);
    assert_eq!(
        find(json!({"fromBlock": "0x0", "address": user(0).address()})).len(),
        0
    );
    assert_eq!(
        find(json!({"fromBlock": "0x0", "topics": [format!("0x{:064x}", 8)]})).len(),
        0
    );
    assert_eq!(
        find(json!({"fromBlock": "0x50", "toBlock": "0x60"})).len(),
        0
    );
    let logs = ask(
        &shared,
        "eth_getLogs",
        json!([{"fromBlock": "0x2", "toBlock": "0x2"}]),
    )
    .unwrap();
    assert_eq!(
        (&logs[1]["logIndex"], &logs[1]["transactionIndex"]),
        (&json!("0x1"), &json!("0x1"))
    );
}

#[test]
fn a_query_beyond_a_bound_is_refused() {
    let shared = shared();
    for _ in 0..logs::LOG_BLOCKS_MAX {
        seal(&shared);
    }
    let all = json!([{"fromBlock": "earliest"}]);
    assert_eq!(refused(&shared, "eth_getLogs", all), -32005);
    let old = json!([user(0).address(), "0x1"]);
    assert_eq!(refused(&shared, "eth_getBalance", old), 4444);
    let future = json!([user(0).address(), "0xffffff"]);
    assert_eq!(refused(&shared, "eth_getBalance", future), -32001);
    let unknown = json!([{"blockHash": format!("0x{:064x}", 1)}]);
    assert_eq!(refused(&shared, "eth_getLogs", unknown), -32001);
    let percentiles = json!(["0x1", "latest", vec![1; 101]]);
    assert_eq!(refused(&shared, "eth_feeHistory", percentiles), -32005);
}

#[test]
fn a_revert_carries_its_reason_and_its_data() {
    // Error("no") as the revert data of init code.
    let data = "08c379a0000000000000000000000000000000000000000000000000000000000000002000000000000000000000000000000000000000000000000000000000000000026e6f000000000000000000000000000000000000000000000000000000000000";
    let code = format!("0x6064600c5f3960645ffdfefe{data}");
    let shared = shared();
    for method in ["eth_call", "eth_estimateGas"] {
        let error = ask(&shared, method, json!([{"data": code}])).unwrap_err();
        assert_eq!(error["code"], 3);
        assert_eq!(error["message"], "execution reverted: no");
        assert_eq!(error["data"], format!("0x{data}"));
    }
}

#[test]
fn a_call_sees_the_time_of_its_block_and_a_pending_one_the_time_of_the_next() {
    // Init code that returns the block's time.
    let call = json!({"data": "0x425f5260205ff3"});
    let shared = shared();
    let time = |block: &str| {
        let word = ask(&shared, "eth_call", json!([call, block])).unwrap();
        let word: U256 = serde_json::from_value(word).unwrap();
        word.to::<u64>()
    };
    let before = now();
    assert_eq!((time("latest"), time("0x0")), (START, START));
    assert!((before..=now()).contains(&time("pending")));
    shared.write().unwrap().seal(before + 1_000);
    assert_eq!(time("pending"), before + 1_000, "time never goes back");
}

#[test]
fn fees_are_what_the_blocks_say() {
    let shared = shared();
    send(&shared, signed(0, transfer(0)));
    seal(&shared);
    let history = ask(&shared, "eth_feeHistory", json!(["0x10", "latest", [50]])).unwrap();
    assert_eq!(history["oldestBlock"], "0x0");
    assert_eq!(history["baseFeePerGas"].as_array().unwrap().len(), 3);
    assert_eq!(history["reward"], json!([["0x0"], ["0x3b9aca00"]]));
    assert_eq!(history["gasUsedRatio"][1], 21_000.0 / 30_000_000.0);
    let next = shared.read().unwrap().next_base_fee();
    assert_eq!(history["baseFeePerGas"][2], format!("{next:#x}"));
    let price = ask(&shared, "eth_gasPrice", json!([])).unwrap();
    assert_eq!(price, format!("{:#x}", next + fees::TIP));
}
