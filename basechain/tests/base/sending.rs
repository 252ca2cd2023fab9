//! Transactions that compete, and one that nobody takes into a block.

use crate::support::{ETHER, anvil_with, embedded, enrolled, operator, rich, stated};
use std::time::Duration;
use tokio::task::JoinSet;
use weft_basechain::{At, ClientError, Endpoint, Pace, SubmitOutcome, serve_embedded};
use weft_types::Height;
use weft_types::testing::certify;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_members_that_post_one_height_at_once_one_posts_and_the_others_learn_it() {
    let server = serve_embedded(embedded(0, None)).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    let chain = enrolled(endpoint).await;
    for height in 1..=5 {
        let mut members = JoinSet::new();
        for i in 0..4 {
            let chain = chain.clone();
            members.spawn(async move {
                let certificate = certify(&stated(&chain, height), &[0, 1, 2, 3]);
                chain.submit(&operator(i), &certificate).await.unwrap()
            });
        }
        let outcomes = members.join_all().await;
        let posted = |o: &&SubmitOutcome| matches!(o, SubmitOutcome::Posted(_));
        assert_eq!(outcomes.iter().filter(posted).count(), 1, "{outcomes:?}");
        let known = SubmitOutcome::Superseded {
            latest: Height(height),
        };
        assert_eq!(outcomes.iter().filter(|o| **o == known).count(), 3);
    }
    assert_eq!(chain.checkpoint_count().await.unwrap(), 5);
    let latest = chain.latest_checkpoint(At::Latest).await.unwrap().unwrap();
    assert_eq!(latest.height, Height(5));
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_account_sends_many_at_once_without_a_clash_of_nonces() {
    let server = serve_embedded(embedded(0, None)).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    let mut transfers = JoinSet::new();
    for i in 0..10 {
        let endpoint = endpoint.clone();
        transfers.spawn(async move { endpoint.transfer(&rich(), [i; 20], ETHER).await.unwrap() });
    }
    transfers.join_all().await;
    for i in 0..10 {
        assert_eq!(endpoint.balance([i; 20]).await.unwrap() / ETHER, 1);
    }
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_nobody_takes_gives_its_place_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("base.journal");
    let mut config = embedded(0, Some(journal));
    config.pace = Pace {
        busy: Duration::from_secs(3600),
        ..Pace::default()
    };
    let server = serve_embedded(config.clone()).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    let endpoint = endpoint.with_mined_time_max(Duration::from_millis(200));
    for i in 1..=3 {
        let error = endpoint
            .transfer(&rich(), [i; 20], ETHER)
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::NotMined { .. }), "{error}");
    }
    // The shutdown seals what waits: the last, in the place of all.
    server.shutdown().await.unwrap();

    config.pace.busy = Duration::from_millis(5);
    let server = serve_embedded(config).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    let mut received = Vec::new();
    for i in 1..=3 {
        received.push(endpoint.balance([i; 20]).await.unwrap() / ETHER);
    }
    assert_eq!(received, [0, 0, 1]);
    server.shutdown().await.unwrap();
}

/// Neither chain makes a block meanwhile.
async fn pays_no_more_than(endpoint: Endpoint) {
    let endpoint = endpoint.with_mined_time_max(Duration::from_millis(200));
    let send = async |max| {
        let endpoint = endpoint.clone().with_fee_max(max);
        endpoint
            .transfer(&rich(), [1; 20], ETHER)
            .await
            .unwrap_err()
    };
    let ClientError::Fee { fee, max: 1, .. } = send(1).await else {
        panic!("the next block costs more");
    };
    let below = send(fee - 1).await;
    assert!(matches!(below, ClientError::Fee { .. }), "{below}");
    // The first one waits; what takes its place has to offer more.
    let waits = send(fee).await;
    assert!(matches!(waits, ClientError::NotMined { .. }), "{waits}");
    let stuck = send(fee).await;
    assert!(matches!(stuck, ClientError::Fee { .. }), "{stuck}");
    let outbids = send(2 * fee).await;
    assert!(matches!(outbids, ClientError::NotMined { .. }), "{outbids}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_that_costs_more_than_the_account_pays_at_most() {
    let mut config = embedded(0, None);
    config.pace = Pace {
        busy: Duration::from_secs(3600),
        ..Pace::default()
    };
    let server = serve_embedded(config).await.unwrap();
    pays_no_more_than(Endpoint::connect(server.rpc_url()).await.unwrap()).await;
    server.shutdown().await.unwrap();
    let anvil = anvil_with(&["--no-mining"]);
    pays_no_more_than(Endpoint::connect(&anvil.url).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_anvil_the_newest_takes_the_place_of_those_that_wait() {
    let anvil = anvil_with(&["--block-time", "4"]);
    let endpoint = Endpoint::connect(&anvil.url).await.unwrap();
    let hasty = endpoint
        .clone()
        .with_mined_time_max(Duration::from_millis(200));
    let mut mined = None;
    for i in 1..=20 {
        match hasty.transfer(&rich(), [i; 20], ETHER).await {
            Ok(_) => {
                mined = Some(i);
                break;
            }
            Err(error) => assert!(matches!(error, ClientError::NotMined { .. }), "{error}"),
        }
    }
    // A block took the one that waited then, perhaps when its time was just over; whoever was before it is in none.
    let last = mined.expect("a block within four seconds");
    assert!(last > 3, "{last}");
    let mut received = 0;
    for i in 1..=last {
        received += endpoint.balance([i; 20]).await.unwrap() / ETHER;
    }
    assert!(received <= 2, "{received} of {last}");
    assert_eq!(endpoint.balance([last; 20]).await.unwrap() / ETHER, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_behind_something_that_is_dropped_gives_way_to_the_first_nonce() {
    let anvil = anvil_with(&["--no-mining"]);
    let hasty = async || {
        let endpoint = Endpoint::connect(&anvil.url).await.unwrap();
        endpoint.with_mined_time_max(Duration::from_millis(200))
    };
    let (first, second) = (hasty().await, hasty().await);
    for endpoint in [&first, &second] {
        let waits = endpoint
            .transfer(&rich(), [1; 20], ETHER)
            .await
            .unwrap_err();
        assert!(matches!(waits, ClientError::NotMined { .. }), "{waits}");
    }
    // Above what both offer, and low again: nothing waits any more.
    second.raise_base_fee(1_000_000_000_000_000).await.unwrap();
    second.raise_base_fee(1).await.unwrap();
    let waits = second.transfer(&rich(), [2; 20], ETHER).await.unwrap_err();
    assert!(matches!(waits, ClientError::NotMined { .. }), "{waits}");
    second.raise_base_fee(1).await.unwrap();
    assert_eq!(second.balance([2; 20]).await.unwrap() / ETHER, 1);
}
