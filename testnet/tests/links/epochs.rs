//! E1 to E3 between real nodes: committees change, on the base chain and between those who talk to each other.

use crate::cluster::{Cluster, MEMBERS, Running, Unusual, operator, within};
use std::time::{Duration, Instant};
use weft_basechain::{At, MemberStatus};
use weft_client::Wait;
use weft_types::api::TransactionState;
use weft_types::{Epoch, Millis, ProtocolParams};

async fn cluster(params: fn(&mut ProtocolParams)) -> Cluster {
    let unusual = Unusual {
        params,
        ..Unusual::default()
    };
    let cluster = Cluster::start_with(unusual).await;
    within(10, "connecting", cluster.connected()).await;
    cluster
}

/// Transfers one after the other, until an id is in the committee that a node tells of, or is not. The longest that one took to
/// be certified.
async fn until(cluster: &Cluster, teller: &Running, id: u64, there: bool) -> Duration {
    let (mut longest, mut to) = (Duration::ZERO, 100);
    loop {
        let committee = teller.client().committee().await;
        let committee = committee.map(|c| c.members.iter().any(|m| m.id == id));
        if committee.is_ok_and(|found| found == there) {
            return longest;
        }
        to = to % 200 + 1;
        let (transfer, begun) = (cluster.transfer(to), Instant::now());
        let state = cluster.client(1).submit(&transfer, Wait::Certified).await;
        assert_eq!(state.unwrap().state, TransactionState::Certified);
        longest = longest.max(begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_member_bonds_and_votes_and_another_leaves() {
    let mut cluster = cluster(|params| params.epoch_duration_ms = Millis(4_000)).await;
    let fifth = cluster.join(MEMBERS + 1).await;
    let longest = within(60, "joining", until(&cluster, &fifth, 5, true)).await;
    assert!(
        longest < Duration::from_secs(3),
        "a transfer took {longest:?}"
    );

    // Four of five are a quorum: without it nothing would go on.
    cluster.nodes.remove(3).stop().await;
    let state = within(20, "a transfer with four of five", cluster.transfer_at(0)).await;
    assert_eq!(state, TransactionState::Certified);
    let status = fifth.client().status().await.unwrap();
    let place = status.member.map(|m| m.0);
    assert_eq!((place, status.why_not_voting), (Some(4), None));

    let chain = &cluster.chain;
    let on_chain = async {
        while chain.member(5, At::Latest).await.unwrap().status != MemberStatus::Active {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    within(30, "the closing checkpoint", on_chain).await;
    assert!(chain.epoch(At::Latest).await.unwrap() > Epoch::ZERO);

    chain.request_exit(&operator(0)).await.unwrap();
    // Node 3 is down: of the next committee, members 2 to 5, three are a quorum.
    within(60, "leaving", until(&cluster, &fifth, 1, false)).await;
    let left = cluster.nodes[0].client().status().await.unwrap();
    assert_eq!(left.member, None, "{left:?}");
    let on_chain = async {
        while chain.member(1, At::Latest).await.unwrap().status != MemberStatus::Unbonding {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    within(30, "the next closing checkpoint", on_chain).await;
    let transfer = cluster.transfer(77);
    let state = fifth
        .client()
        .submit(&transfer, Wait::Certified)
        .await
        .unwrap()
        .state;
    assert_eq!(state, TransactionState::Certified);
    assert_eq!(MEMBERS, 4);
    fifth.stop().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_knows_only_members_who_have_all_left_finds_those_in_office() {
    let mut cluster = cluster(|params| params.epoch_duration_ms = Millis(1_000)).await;
    let mut joined = Vec::new();
    for number in MEMBERS + 1..=2 * MEMBERS {
        joined.push(cluster.join(number).await);
    }
    for number in 0..MEMBERS {
        cluster.chain.request_exit(&operator(number)).await.unwrap();
    }
    let replaced = async {
        loop {
            let committee = cluster.chain.committee().await.unwrap();
            let ids: Vec<u64> = committee.members().iter().map(|m| m.id).collect();
            if ids == [5, 6, 7, 8] {
                return committee.epoch();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let epoch = within(60, "replacing all", replaced).await;
    for node in cluster.nodes.drain(..) {
        node.stop().await;
    }
    // It has the genesis, and nothing else.
    let late = cluster.observe("late").await;
    let follows = async {
        loop {
            let status = late.client().status().await.unwrap();
            let others = joined[0].client().status().await.unwrap();
            let has_come = status.height.0 + 20 > others.height.0;
            if status.epoch >= epoch && status.epoch == others.epoch && has_come {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    within(45, "finding them", follows).await;
    late.stop().await;
    for node in joined {
        node.stop().await;
    }
    cluster.stop().await;
}
