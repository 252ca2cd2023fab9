//! Two apps' networks on one machine: each with its own name, parameters, accounts and id.

use crate::common::{Net, options, start};
use serde_json::json;
use weft_client::{ClientError, Wait};
use weft_testnet::cluster::{OwnTemplate, UpOptions};
use weft_types::api::ProblemCode;
use weft_types::ed25519::SecretKey;
use weft_types::{Address, Amount, AssetId};

/// Of one masternode, whose fees are the app's own.
async fn network(name: &str, per_transaction: u64, account: Address) -> Net {
    let template = json!({
        "name": name,
        "params": {"fees": {"per_transaction": per_transaction}},
        "accounts": [{"address": account, "balance": 77}],
    });
    let template: OwnTemplate = serde_json::from_value(template).unwrap();
    Net::up_with(UpOptions {
        nodes: Some(1),
        template: Some(template),
        ..options()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_apps_have_networks_of_their_own_beside_each_other() {
    let account = Address::of_key(&SecretKey::from_seed([9; 32]).public());
    let cards = network("cards", 5, account).await;
    let tickets = network("tickets", 6, account).await;
    let mut ids = Vec::new();
    for (net, name, fee) in [(&cards, "cards", 5), (&tickets, "tickets", 6)] {
        let genesis = net.client(&[0]).genesis().await.unwrap();
        assert_eq!(genesis.template.name, name);
        assert_eq!(genesis.template.params.fees.per_transaction, Amount(fee));
        let held = net.client(&[0]).account(&account).await.unwrap();
        assert_eq!(held.balance(AssetId::NATIVE), Amount(77));
        net.pay(&[0], 3).await;
        ids.push(genesis.network.id());
    }
    assert_ne!(ids[0], ids[1]);

    // What was signed for one of them is nothing to the other.
    let payment = cards.payment(&[0], 4).await;
    let refused = tickets.client(&[0]).submit(&payment, Wait::Certified).await;
    let Err(ClientError::Problem { problem, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(problem.is(ProblemCode::WrongNetwork), "{problem:?}");

    // A network keeps what it began with.
    let other = UpOptions {
        template: Some(OwnTemplate::usual()),
        ..UpOptions::default()
    };
    let fixed = start(cards.cluster.folder(), &other).await.unwrap_err();
    assert!(fixed.to_string().contains("\"cards\""), "{fixed}");
}
