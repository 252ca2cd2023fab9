//! Members among themselves.

use crate::cluster::{Cluster, MEMBERS, within};
use std::time::Duration;
use weft_basechain::At;
use weft_types::MemberIndex;
use weft_types::api::TransactionState;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_is_certified_and_its_state_root_stands_on_the_base_chain() {
    let cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    let state = within(20, "a transfer", cluster.transfer_at(0)).await;
    assert_eq!(state, TransactionState::Certified);
    let posted = async {
        loop {
            let latest = cluster.chain.latest_checkpoint(At::Latest).await.unwrap();
            if let Some(checkpoint) = latest {
                return checkpoint;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let checkpoint = within(30, "a checkpoint", posted).await;
    for i in 0..MEMBERS {
        let certificate = within(20, "a certificate", async {
            loop {
                match cluster.client(i).certificate(&checkpoint.height).await {
                    Ok(certificate) => return certificate,
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
        let statement = certificate.await.statement;
        assert_eq!(statement.state_root, checkpoint.state_root);
        assert_eq!(statement.digest(), checkpoint.statement);
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_members_without_a_direct_link_still_make_progress() {
    let cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    cluster.nodes[0].network.block(MemberIndex(1)).unwrap();
    cluster.nodes[1].network.block(MemberIndex(0)).unwrap();
    for i in [0, 1, 0, 1, 2, 3] {
        let state = within(20, "a transfer", cluster.transfer_at(i)).await;
        assert_eq!(state, TransactionState::Certified);
    }
    cluster.stop().await;
}
