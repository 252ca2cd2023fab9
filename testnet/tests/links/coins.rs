//! The coin and tokens of the base chain on their way into the ledger, through two hands, and back: nothing is made or lost
//! on either side.

use crate::bridge::{account, credited, minted, paid, run, trader};
use crate::cluster::{Cluster, MEMBERS, operator, user, within};
use weft_basechain::NATIVE_UNIT;
use weft_node::NodeConfig;
use weft_storage::{PageRequest, Store};
use weft_types::ed25519::SecretKey;
use weft_types::{
    Amount, AssetAmount, AssetId, BaseAddress, BaseAsset, Bundle, Genesis, Object, Operation,
    Payment,
};

const RECIPIENT: BaseAddress = BaseAddress([0xcd; 20]);
/// Of a token's smallest amounts in one unit of the ledger.
const UNIT: u64 = 1_000_000_000;
const DEPOSITS: [u64; 2] = [5_000_000, 5_000_001];
const WITHDRAWN: u64 = 4_000_000;

fn brought() -> u64 {
    DEPOSITS.iter().sum()
}

fn pays(to: &SecretKey, asset: AssetId, amount: u64) -> Operation {
    Operation::Transfer {
        payments: vec![Payment {
            to: account(to),
            asset,
            amount: Amount(amount),
        }],
        items: vec![],
    }
}

/// Comes in by two deposits, goes through two hands, and in part out again.
async fn round_trip(cluster: &Cluster, asset: AssetId, part: impl Fn(Amount) -> BaseAsset) {
    let [first, second] = [trader(1), trader(2)];
    let payer = operator(0);
    for (deposit, index) in DEPOSITS.into_iter().zip(1..) {
        let asset = part(Amount(deposit));
        cluster.chain.approve(&payer, &asset).await.unwrap();
        let deposit = cluster.chain.deposit(&payer, &asset, account(&first));
        assert_eq!(within(30, "a deposit", deposit).await.unwrap().index, index);
    }
    for i in 0..MEMBERS {
        within(60, "the credit", credited(&cluster.client(i), 2)).await;
        let held = cluster.client(i).account(&account(&first)).await.unwrap();
        assert_eq!(held.balance(asset), Amount(brought()), "node {i}");
    }
    // Fees are paid in coin.
    for to in [&first, &second] {
        run(cluster, &user(), pays(to, AssetId::NATIVE, 10_000)).await;
    }
    run(cluster, &first, pays(&second, asset, 4_500_000)).await;
    run(cluster, &second, pays(&user(), asset, 400_000)).await;
    let withdraw = Operation::Withdraw {
        recipient: RECIPIENT,
        gives: Bundle {
            assets: vec![AssetAmount {
                asset,
                amount: Amount(WITHDRAWN),
            }],
            items: vec![],
        },
    };
    run(cluster, &second, withdraw).await;
    within(60, "the payout", paid(cluster, 0)).await;
}

/// What all accounts of a member's ledger hold of an asset; there are no deals.
fn held_in_all(config: &NodeConfig, genesis: &Genesis, asset: AssetId) -> u64 {
    let store = Store::open(&config.data.join("db"), genesis.network.id()).unwrap();
    let page = store.objects(&PageRequest::ascending(10_000)).unwrap();
    assert_eq!(page.next, None);
    let objects = page.entries.into_iter();
    let objects = objects.map(|(id, value)| Object::decode(&id, value).unwrap());
    let balances = objects.filter_map(|object| match object {
        Object::Account(account) => Some(account.balance(&asset).0),
        Object::Deal(_) => panic!("a deal"),
        _ => None,
    });
    balances.sum()
}

/// Stops the cluster and looks at every member's ledger.
async fn hold(cluster: Cluster, asset: AssetId, expected: u64) {
    let (configs, genesis) = (cluster.configs.clone(), cluster.genesis.clone());
    let folder = cluster.stop_nodes().await;
    for config in &configs {
        assert_eq!(held_in_all(config, &genesis, asset), expected);
    }
    drop(folder);
}

/// `balanceOf(owner)`
async fn token_balance(cluster: &Cluster, token: BaseAddress, owner: [u8; 20]) -> u128 {
    let input = hex::decode(format!("70a08231{:0>64}", hex::encode(owner))).unwrap();
    let word = cluster.chain.endpoint().view(token.0, input).await.unwrap();
    u128::from_be_bytes(word[16..32].try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_comes_in_goes_through_two_hands_and_is_paid_out_and_none_is_made_or_lost() {
    let cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    let text = include_str!("../../../basechain/contracts/test/fixtures/Coins.json");
    let payer = operator(0);
    let supply = u128::from(brought() + 7) * u128::from(UNIT);
    let token = within(30, "minting", minted(&cluster, text, &payer, supply)).await;
    let curator = operator(MEMBERS);
    cluster
        .chain
        .list(&curator, token, Some(UNIT))
        .await
        .unwrap();
    let asset = AssetId::erc20(token);
    round_trip(&cluster, asset, |amount| BaseAsset::Erc20 { token, amount }).await;

    let vault = cluster.chain.contracts().vault;
    let unit = u128::from(UNIT);
    let left = brought() - WITHDRAWN;
    let balances = [
        (operator(0).address(), 7 * unit),
        (vault, u128::from(left) * unit),
        (RECIPIENT.0, u128::from(WITHDRAWN) * unit),
    ];
    for (owner, expected) in balances {
        assert_eq!(token_balance(&cluster, token, owner).await, expected);
    }
    assert_eq!(balances.iter().map(|(_, b)| b).sum::<u128>(), supply);
    hold(cluster, asset, left).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coin_comes_in_goes_through_two_hands_and_is_paid_out_and_none_is_made_or_lost() {
    let cluster = within(60, "the start", Cluster::start()).await;
    within(20, "connecting", cluster.connected()).await;
    let endpoint = cluster.chain.endpoint();
    let vault = cluster.chain.contracts().vault;
    let before = endpoint.balance(vault).await.unwrap();
    round_trip(&cluster, AssetId::NATIVE, |amount| BaseAsset::Native {
        amount,
    })
    .await;
    let endpoint = cluster.chain.endpoint();
    let left = brought() - WITHDRAWN;
    let vault = endpoint.balance(vault).await.unwrap();
    assert_eq!(vault - before, u128::from(left) * NATIVE_UNIT);
    let out = endpoint.balance(RECIPIENT.0).await.unwrap();
    assert_eq!(out, u128::from(WITHDRAWN) * NATIVE_UNIT);
    let accounts = cluster.genesis.template.accounts.iter();
    let genesis: u64 = accounts.map(|a| a.balance.0).sum();
    hold(cluster, AssetId::NATIVE, genesis + left).await;
}
