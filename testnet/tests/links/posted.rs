//! L53 and A4 over real sockets and disks: data that a quorum has are read while F members are down, and not proven any
//! more once their time is over.

use crate::cluster::{Cluster, Running, user, within};
use std::time::{Duration, SystemTime};
use weft_client::{Draft, Gathering, Wait};
use weft_types::api::TransactionState;
use weft_types::{Availability, Committee, ContentHash, Millis, Operation};

const DATA: &[u8] = b"a batch of another ledger";
const POLL: Duration = Duration::from_millis(200);

fn in_time(seconds: u64) -> Millis {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Millis(now.unwrap().as_millis() as u64 + seconds * 1_000)
}

/// Given to three of four, and recorded.
async fn posted(cluster: &Cluster, until: Millis) {
    let office = cluster.client(0).committee().await.unwrap();
    let claim = Availability {
        epoch: office.epoch,
        hash: ContentHash::of(DATA),
        size: DATA.len() as u64,
        until,
        by: in_time(60),
    };
    let committee = Committee::new(office.epoch, office.members).unwrap();
    let network = cluster.genesis.network.id();
    let mut gathering = Gathering::new(network, committee, claim);
    for node in &cluster.nodes[..3] {
        let failed = node.client().gather(&DATA.into(), &mut gathering).await;
        assert!(failed.is_empty(), "{failed:?}");
    }
    let certificate = gathering.certificate().expect("three are a quorum");
    let post = Operation::PostData(certificate);
    let post = Draft::new(&cluster.genesis).sign(&user(), vec![post]);
    let status = cluster.client(0).submit(&post, Wait::Certified).await;
    let status = status.unwrap();
    assert_eq!(status.state, TransactionState::Certified, "{status:?}");
    for node in &cluster.nodes {
        let seen = node.client();
        seen.has_seen(status.commit.unwrap());
        seen.status().await.unwrap();
    }
}

/// Until the node proves that the data are posted, or are not.
async fn until_proven(node: &Running, posted: bool) {
    within(90, "the proof", async {
        loop {
            let proof = node.client().data_proof(&ContentHash::of(DATA)).await;
            if proof.is_ok_and(|p| p.value.is_some() == posted) {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn l53_posted_data_are_read_with_a_signer_down_and_gone_after_their_end() {
    let mut cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    let until = in_time(40);
    posted(&cluster, until).await;
    cluster.nodes.remove(0).stop().await;
    // The last one has never been given them.
    let last = &cluster.nodes[2];
    within(20, "the data", async {
        while last.client().data(&ContentHash::of(DATA)).await.ok() != Some(DATA.into()) {
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
    until_proven(last, true).await;
    until_proven(last, false).await;
    assert!(in_time(0) >= until);
    cluster.stop().await;
}
