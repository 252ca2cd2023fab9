//! A3 to A5 over real sockets and disks: content comes to every member, and outlives those that took it.

use crate::cluster::{Cluster, Running, user, within};
use std::time::Duration;
use weft_client::{Draft, Wait};
use weft_types::api::TransactionState;
use weft_types::{ContentHash, EditionId, NewEdition, ObjectId, Operation};

const IMAGE: &[u8] = b"\x89PNG\r\n\x1a\n a card";
const POLL: Duration = Duration::from_millis(50);

/// An edition that names the image, known to all members.
async fn edition(cluster: &Cluster) -> EditionId {
    let (client, draft) = (cluster.client(0), Draft::new(&cluster.genesis));
    let create = Operation::CreateCollection {
        name: "cards".to_owned(),
        description: String::new(),
        item_cap: 0,
    };
    let create = draft.sign(&user(), vec![create]);
    let status = client.submit(&create, Wait::Certified).await.unwrap();
    let created = status.receipt.unwrap().created;
    let Some(ObjectId::Collection(collection)) = created.first().copied() else {
        panic!("no collection in {created:?}");
    };
    let create = Operation::CreateEdition(NewEdition {
        collection,
        name: "card".to_owned(),
        cap: 10,
        traits: vec![],
        image: String::new(),
        image_hash: Some(ContentHash::of(IMAGE)),
        metadata_hash: None,
        reference: String::new(),
        uses: 0,
    });
    let create = draft.sign(&user(), vec![create]);
    let status = client.submit(&create, Wait::Certified).await.unwrap();
    assert_eq!(status.state, TransactionState::Certified);
    for node in &cluster.nodes {
        let seen = node.client();
        seen.has_seen(status.commit.unwrap());
        seen.status().await.unwrap();
    }
    EditionId::derive(&collection, 1)
}

async fn until_there(node: &Running, path: &str) {
    within(20, "the image", async {
        while !node.get(path).await.ends_with(" a card") {
            tokio::time::sleep(POLL).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn content_given_to_one_member_is_at_all_others_when_it_is_gone_and_after_a_restart() {
    let mut cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    let edition = edition(&cluster).await;
    let path = format!("/v1/editions/{edition}/image");
    let missing = cluster.nodes[1].get(&path).await;
    assert!(missing.contains("content-missing"), "{missing}");
    let stored = cluster.nodes[0]
        .client()
        .upload(IMAGE.into())
        .await
        .unwrap();
    assert_eq!(stored.hash, ContentHash::of(IMAGE));
    // Asked for: at once. An observer asks too.
    let observer = cluster.observe("reader").await;
    until_there(&cluster.nodes[1], &path).await;
    until_there(&observer, &path).await;
    // Not asked for: within some seconds.
    tokio::time::sleep(Duration::from_secs(7)).await;
    observer.stop().await;
    for node in std::mem::take(&mut cluster.nodes) {
        node.stop().await;
    }
    let alone = Running::start(cluster.configs[2].clone()).await;
    until_there(&alone, &path).await;
    alone.stop().await;
    cluster.stop().await;
}
