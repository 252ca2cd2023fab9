//! A card of the base chain in the hands of people who have nothing but `weft`: it comes in, is sold twice, and its last
//! owner has it on the base chain. Masternodes and base chain are processes.

use crate::common::coins;
use crate::escape::{Story, account, owner};
use serde_json::Value;
use weft_basechain::NATIVE_UNIT;
use weft_testnet::cluster::Fault;
use weft_types::api::ItemState;
use weft_types::{BaseAddress, EditionId, ItemId, Object, ObjectId, TokenId};

const PRICE: &str = "1000000";

fn first<'a>(answer: &'a Value, what: &str) -> &'a str {
    answer[what][0].as_str().unwrap()
}

/// One lists it, another buys it.
fn sold(story: &Story, item: &str, from: u8, to: u8) {
    let list = ["card", "list", item, "--price", PRICE];
    let deal = story.wallet(&list, from);
    story.wallet(&["card", "buy", first(&deal, "deals")], to);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_is_deposited_sold_twice_and_owned_by_the_last_buyer_on_the_base_chain() {
    let story = Story::begin().await;
    let mut number = [0; 32];
    number[31] = 42;
    let edition = EditionId::erc721(story.token, &TokenId(number));
    let id = ItemId::derive(&edition, 1);
    let (item, token) = (id.to_string(), story.token.to_string());
    let vault = story.chain.contracts().vault;
    assert_eq!(story.card_owner().await, owner(1).address());
    let coin = ["deposit", "--amount", "50000000"];
    story.weft(&coin, 1).unwrap();
    let card = ["deposit", "--erc721", &token, "--token", "42"];
    let came = story.weft(&card, 1).unwrap();
    assert_eq!(came["credited"], true);
    assert_eq!(story.card_owner().await, vault);
    for n in [2, 3] {
        let to = account(n).to_string();
        let pay = ["account", "transfer", "--to", &to, "--amount", "10000000"];
        story.wallet(&pay, 1);
    }
    sold(&story, &item, 1, 2);
    sold(&story, &item, 2, 3);
    assert_eq!(story.client.item(&id).await.unwrap().owner, account(3));

    let to = BaseAddress(owner(3).address()).to_string();
    let not_his = story.weft(&["withdraw", "--to", &to, "--item", &item], 1);
    assert!(not_his.unwrap_err().contains("belongs to another account"));
    let contract = BaseAddress(vault).to_string();
    let nowhere = story.weft(&["withdraw", "--to", &contract, "--item", &item], 3);
    assert!(nowhere.unwrap_err().contains("the network's vault"));
    let gone = story
        .weft(&["withdraw", "--to", &to, "--item", &item], 3)
        .unwrap();
    let index = gone["withdrawals"][0].to_string();
    assert_eq!(story.card_owner().await, vault, "burned is not yet paid");

    // Each step is seen; whoever pays the gas has it paid, once.
    let mut seen = Vec::new();
    for _ in 0..100 {
        let now = story.weft(&["status", &index], 3).unwrap();
        let state = now["state"].as_str().unwrap().to_owned();
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        if now["state"] == "payable" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let order = ["requested", "certified", "posted", "payable"];
    assert!(
        seen.is_sorted_by_key(|s| order.iter().position(|o| o == s)),
        "{seen:?}"
    );
    assert_eq!(seen.last().map(String::as_str), Some("payable"));
    let paid = story.weft(&["claim", &index, "--wait", "30"], 2).unwrap();
    assert_eq!(story.card_owner().await, owner(3).address());
    let status = story.weft(&["status", &index], 3).unwrap();
    assert_eq!(status["state"], "paid");
    assert_eq!(status["base_transaction"], paid["base_transaction"]);
    let steps = status["steps"].as_array().unwrap();
    assert!(
        steps.len() == 5 && steps.iter().all(|s| s["done"] == true),
        "{steps:?}"
    );
    let again = story.weft(&["claim", &index], 2).unwrap_err();
    assert!(again.contains("is paid already"), "{again}");
    let left = story.client.item(&id).await.unwrap();
    assert_eq!(left.state, ItemState::Burned);

    // On both sides there is what there was: no card more or less, and the coin of the vault is that of the ledger.
    let held = story.chain.endpoint().balance(vault).await.unwrap();
    story.net.equal(&[0, 1, 2, 3]).await;
    story.net.fault(Fault::Kill, &[0, 1, 2, 3]).await;
    for node in 0..4 {
        let objects = story.net.stored(node);
        assert_eq!(coins(&objects) * NATIVE_UNIT, held, "node {node}");
        let gone = |(other, object): &(ObjectId, Object)| {
            *other != ObjectId::Item(id) && !matches!(object, Object::Deal(_))
        };
        assert!(objects.iter().all(gone), "node {node} has card or deal");
    }
}
