//! Transactions that compete, and one that nobody takes into a block.

use crate::support::{ETHER, embedded, enrolled, operator, rich, stated};
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
