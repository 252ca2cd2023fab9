//! Accounts under keys of every kind, on a network that runs.

use crate::common::{Net, is_certified};
use weft_client::{Draft, Wait};
use weft_types::{
    Address, Amount, AssetId, Operation, Party, Payment, Transaction, UserKey, p256, secp256k1,
};

fn pay(to: Address, amount: u64) -> Operation {
    Operation::Transfer {
        payments: vec![Payment {
            to,
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }],
        items: vec![],
    }
}

async fn done(net: &Net, transaction: &Transaction) {
    let status = net.client(&[0]).submit(transaction, Wait::Certified).await;
    let status = status.unwrap();
    assert!(is_certified(status.state), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_kind_pay_each_other_and_sign_one_trade_together() {
    let net = Net::up().await;
    let draft = Draft::new(&net.client(&[0]).genesis().await.unwrap());
    let wallet = secp256k1::SecretKey::from_bytes(&[7; 32]).unwrap();
    let keys = [
        UserKey::from(&net.dev_key(0)),
        UserKey::Eip191(wallet.clone()),
        UserKey::P256(p256::SecretKey::from_bytes(&[7; 32]).unwrap()),
        UserKey::Eip712(wallet),
    ];
    // Each pays the next one, who has nothing else; the wallet has one account for both of its schemes.
    let amounts = [1_000_000, 600_000, 200_000];
    for ((from, to), amount) in keys.iter().zip(&keys[1..]).zip(amounts) {
        let payment = draft.sign(from, vec![pay(to.address(), amount)]);
        done(&net, &payment).await;
    }

    let [dev, _, passkey, wallet] = &keys;
    let party = |key: &UserKey, to: &UserKey| Party {
        account: key.address(),
        operations: vec![pay(to.address(), 5)],
    };
    let trade = Operation::MultiParty(vec![party(dev, wallet), party(wallet, passkey)]);
    let schemes = [dev.scheme(), wallet.scheme(), passkey.scheme()];
    let body = draft.body_signed_by(passkey.address(), vec![trade], &schemes);
    done(&net, &body.sign_with(&[wallet, passkey, dev])).await;

    // All nodes have verified all of it.
    net.equal(&[0, 1, 2, 3]).await;
    for node in 0..4 {
        let account = net.client(&[node]).account(&passkey.address()).await;
        let balance = account.unwrap().balance(AssetId::NATIVE);
        // What it was paid less what it has paid, and two fees.
        assert!((390_000..400_000).contains(&balance.0), "{balance}");
    }
}
