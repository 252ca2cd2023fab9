//! Assets of the base chain on their way into the ledger and back, between real nodes.

use crate::cluster::{Cluster, MEMBERS, operator, user, within};
use std::time::Duration;
use weft_basechain::{AccountKey, Claim, ClientError};
use weft_client::{Client, Draft, Wait};
use weft_types::api::ItemState;
use weft_types::ed25519::SecretKey;
use weft_types::{
    Address, Amount, AssetId, BaseAddress, BaseAsset, Bundle, EditionId, ItemId, ItemTransfer,
    Operation, TokenId,
};

pub fn trader(n: u8) -> SecretKey {
    SecretKey::from_seed([n; 32])
}

pub fn account(key: &SecretKey) -> Address {
    Address::of_key(&key.public())
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

pub async fn credited(client: &Client, index: u64) {
    while client.bridge().await.unwrap().bridge.deposits.count < index {
        pause().await;
    }
}

pub async fn run(cluster: &Cluster, key: &SecretKey, operation: Operation) {
    let transaction = Draft::new(&cluster.genesis).sign(key, vec![operation]);
    let status = cluster
        .client(0)
        .submit(&transaction, Wait::Certified)
        .await
        .unwrap();
    assert_eq!(status.code_name.as_deref(), Some("applied"), "{status:?}");
}

/// Asks for a withdrawal's proof until there is one, and has the vault pay it.
pub async fn paid(cluster: &Cluster, index: u64) {
    let client = cluster.client(1);
    let claim = loop {
        let status = client.withdrawal(&index).await.unwrap();
        match status.claim {
            Some(claim) => {
                break Claim {
                    withdrawal: status.withdrawal,
                    siblings: claim.siblings.try_into().unwrap(),
                    statement: claim.statement,
                };
            }
            None => pause().await,
        }
    };
    loop {
        match cluster.chain.withdraw(&operator(1), &claim).await {
            Ok(_) => break,
            Err(ClientError::Refused { refusal, .. }) if refusal.name == "NotFinal" => {
                pause().await
            }
            Err(error) => panic!("{error}"),
        }
    }
    let again = cluster
        .chain
        .withdraw(&operator(1), &claim)
        .await
        .unwrap_err();
    assert_eq!(
        again.refusal().map(|r| r.name.as_str()),
        Some("AlreadyPaid")
    );
}

/// Puts the test's card contract on the chain, lists it, and gives the first card to an operator.
async fn cards(cluster: &Cluster, owner: &AccountKey) -> BaseAddress {
    let text = include_str!("../../../basechain/contracts/test/fixtures/Cards.json");
    let token = minted(cluster, text, owner, 42).await;
    let curator = operator(MEMBERS);
    cluster.chain.list(&curator, token, None).await.unwrap();
    token
}

/// Puts a contract of the fixtures on the chain, and mints an amount, or the card of that number.
pub async fn minted(
    cluster: &Cluster,
    artifact: &str,
    owner: &AccountKey,
    what: u128,
) -> BaseAddress {
    let artifact: serde_json::Value = serde_json::from_str(artifact).unwrap();
    let code = artifact["bytecode"]
        .as_str()
        .unwrap()
        .trim_start_matches("0x");
    let (endpoint, curator) = (cluster.chain.endpoint(), operator(MEMBERS));
    let code = hex::decode(code).unwrap();
    let token = endpoint.create(&curator, "tokens", 0, code).await.unwrap();
    let to = hex::encode(owner.address());
    let mint = hex::decode(format!("40c10f19{to:0>64}{what:064x}")).unwrap();
    endpoint
        .execute(&curator, "mint", token, 0, mint)
        .await
        .unwrap();
    BaseAddress(token)
}

/// `ownerOf(42)`
async fn owner(cluster: &Cluster, token: BaseAddress) -> [u8; 20] {
    let input = hex::decode(format!("6352211e{:064x}", 42)).unwrap();
    let word = cluster.chain.endpoint().view(token.0, input).await.unwrap();
    word[12..32].try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_comes_in_is_traded_twice_and_its_last_owner_takes_it_out() {
    let cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    let depositor = operator(0);
    let token = within(30, "the cards", cards(&cluster, &depositor)).await;
    let mut number = [0; 32];
    number[31] = 42;
    let id = TokenId(number);
    let asset = BaseAsset::Erc721 { token, id };
    let (first, second) = (trader(1), trader(2));
    cluster.chain.approve(&depositor, &asset).await.unwrap();
    let deposit = cluster.chain.deposit(&depositor, &asset, account(&user()));
    let deposit = within(30, "the deposit", deposit).await.unwrap();
    let client = cluster.client(2);
    within(60, "the credit", credited(&client, deposit.index)).await;

    let item = ItemId::derive(&EditionId::erc721(token, &id), 1);
    let give = |to: &SecretKey| Operation::Transfer {
        payments: vec![],
        items: vec![ItemTransfer {
            to: account(to),
            item,
        }],
    };
    run(&cluster, &user(), give(&first)).await;
    let fee = Operation::Transfer {
        payments: [&first, &second]
            .map(|to| weft_types::Payment {
                to: account(to),
                asset: AssetId::NATIVE,
                amount: Amount(10_000),
            })
            .to_vec(),
        items: vec![],
    };
    run(&cluster, &user(), fee).await;
    run(&cluster, &first, give(&second)).await;
    let recipient = BaseAddress([0xab; 20]);
    let withdraw = Operation::Withdraw {
        recipient,
        gives: Bundle {
            assets: vec![],
            items: vec![item],
        },
    };
    run(&cluster, &second, withdraw).await;
    assert_eq!(
        owner(&cluster, token).await,
        cluster.chain.contracts().vault
    );
    within(60, "the payout", paid(&cluster, 0)).await;
    assert_eq!(owner(&cluster, token).await, recipient.0);
    let left = client.item(&item).await.unwrap();
    assert_eq!(left.state, ItemState::Burned, "it has left the ledger");
    cluster.stop().await;
}
