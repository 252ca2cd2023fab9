//! Everything ends at once.

use crate::common::{Net, is_certified};
use weft_client::Wait;
use weft_testnet::cluster::Fault;
use weft_types::AssetId;
use weft_types::api::Submission;

#[tokio::test(flavor = "multi_thread")]
async fn after_the_end_of_all_nodes_every_certified_payment_is_there() {
    let mut net = Net::up().await;
    let mut payments = Vec::new();
    for amount in 1..=40 {
        payments.push(net.payment(&[0], amount).await);
    }
    let client = net.client(&[0, 1, 2, 3]);
    let answers = client
        .submit_many(&payments, Wait::Certified)
        .await
        .unwrap();
    let certified = |a: &Submission| matches!(a, Submission::Taken(s) if is_certified(s.state));
    assert!(answers.iter().all(certified), "{answers:?}");
    // More is on its way when the end comes.
    let late = net.payment(&[0], 99).await;
    client.submit(&late, Wait::Submitted).await.unwrap();
    net.fault(Fault::Kill, &[0, 1, 2, 3]).await;
    let balance = async |net: &Net, node| {
        let account = net.client(&[node]).account(&net.dev_address(1)).await;
        account.unwrap().balance(AssetId::NATIVE)
    };

    net.up_again().await;
    // Sent again, whatever became of it: the same transaction, applied once.
    let status = net
        .client(&[2])
        .submit(&late, Wait::Certified)
        .await
        .unwrap();
    assert!(is_certified(status.state), "{status:?}");
    net.equal(&[0, 1, 2, 3]).await;
    net.assert_no_fork(&[0, 1, 2, 3]).await;
    for node in 0..4 {
        let client = net.client(&[node]);
        for payment in &payments {
            let status = client.transaction(&payment.id()).await.unwrap();
            assert!(is_certified(status.state), "node {node}: {status:?}");
        }
        let expected = 1_000_000_000_000 + (1..=40).sum::<u64>() + 99;
        assert_eq!(balance(&net, node).await.0, expected, "node {node}");
    }
}
