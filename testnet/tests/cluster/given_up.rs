//! K5 with processes: what was given up for the base chain and not paid yet, when all masternodes die.

use crate::escape::{Story, owner, states, text};
use serde_json::Value;
use std::time::Duration;
use weft_basechain::{At, NATIVE_UNIT};
use weft_testnet::cluster::Fault;
use weft_types::BaseAddress;

/// Until a checkpoint has the withdrawal.
async fn posted(story: &Story, index: u64) {
    for _ in 0..200 {
        let status = story.client.withdrawal(&index).await.unwrap();
        if status.claim.is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("withdrawal {index} comes under no checkpoint");
}

fn withdraw(story: &Story, to: u8, amount: u64) -> u64 {
    let to = BaseAddress(owner(to).address()).to_string();
    let amount = amount.to_string();
    let answer = story.weft(&["withdraw", "--to", &to, "--amount", &amount], 1);
    answer.unwrap()["withdrawals"][0].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn k5_with_all_masternodes_dead_withdrawals_are_paid_once_by_the_kept_file_alone() {
    let story = Story::begin().await;
    let deposit = ["deposit", "--amount", "90000000", "--exit-address", "self"];
    story.weft(&deposit, 1).unwrap();
    // One is paid while there are masternodes, two are not; the last one is in no checkpoint that is kept.
    let early = withdraw(&story, 2, 1_000_000);
    posted(&story, early).await;
    let paid = story.weft(&["claim", &early.to_string(), "--wait", "30"], 3);
    assert!(paid.unwrap()["base_transaction"].is_string());
    let first = withdraw(&story, 2, 20_000_000);
    let second = withdraw(&story, 1, 30_000_000);
    posted(&story, second).await;
    story.settled(&[1]).await;
    let (kept, all) = (story.path("kept.json"), story.path("all.json"));
    let saved = story.weft(&["keep", text(&kept)], 1).unwrap();
    assert!(saved["withdrawals"].as_u64() >= Some(2), "{saved}");
    let saved = story.weft(&["keep", text(&all), "--all"], 3).unwrap();
    assert_eq!(saved["withdrawals"], 3);
    let late = withdraw(&story, 2, 1_000_000);
    story.net.fault(Fault::Kill, &[0, 1, 2, 3]).await;

    let before = [story.coins(1).await, story.coins(2).await];
    let held = story.chain.kept_for(BaseAddress(owner(2).address()), None);
    assert_eq!(held.await.unwrap().0, 0);
    // Anybody has the one paid, by a file of everybody's; the account itself the other one.
    let claim = |index: u64, file| {
        let index = index.to_string();
        story.weft(&["claim", &index, "--kept", file, "--wait", "30"], 3)
    };
    let paid = claim(first, text(&all)).unwrap();
    assert_eq!(
        paid["recipient"],
        BaseAddress(owner(2).address()).to_string()
    );
    let twice = claim(first, text(&all)).unwrap_err();
    assert!(twice.contains("is paid already"), "{twice}");
    let missing = claim(late, text(&kept)).unwrap_err();
    assert!(missing.contains("the file has no withdrawal"), "{missing}");
    assert!(!story.chain.is_paid(late, At::Latest).await.unwrap());

    let own = |answer: &Value, state: &str| {
        let all = answer.as_array().unwrap().clone();
        let given_up = all.iter().filter(|s| s["what"] == "withdrawal");
        let mine = given_up.clone().find(|s| s["place"] == second).unwrap();
        assert_eq!(mine["state"], state, "{answer}");
        mine["base_transaction"].is_string()
    };
    let exit = ["exit", text(&kept)];
    let shown = story
        .weft(&[&exit[..], &["--dry-run"]].concat(), 1)
        .unwrap();
    assert!(!own(&shown, "payable"));
    assert!(own(&story.weft(&exit, 1).unwrap(), "paid"), "paid now");
    assert!(!own(&story.weft(&exit, 1).unwrap(), "paid"), "and once");

    // Nothing was lost: what the account still held leaves by the way out, the late one with it.
    let done = story
        .weft(&[&exit[..], &["--wait", "90s"]].concat(), 1)
        .unwrap();
    assert!(states(&done).iter().all(|s| *s == "paid"), "{done}");
    let after = [story.coins(1).await, story.coins(2).await];
    assert_eq!(after[1] - before[1], 20_000_000 * NATIVE_UNIT);
    let rest = 90_000_000 - 51_000_000;
    let gain = after[0] - before[0];
    let most = (30_000_000 + rest) * NATIVE_UNIT;
    // Less fees in the ledger, and gas.
    assert!(
        gain < most && most - gain < 5_000_000 * NATIVE_UNIT,
        "{gain} of {most}"
    );
}
