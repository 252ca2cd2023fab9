use super::*;
use crate::authorisation::ecdsa::{p256, secp256k1};
use crate::testing::{self, network, pass, user, user_key};
use crate::transaction::{
    AUTHORISATIONS_MAX, PASSES_MAX, TRANSACTION_BYTES_MAX, Transaction, TransactionError,
    verify_transactions,
};
use crate::{Operation, wire};

const ITEM: ItemId = ItemId([7; 32]);
const SLOT: u64 = 120_000_000;

fn keys() -> [UserKey; 4] {
    [
        UserKey::from(&user_key(2)),
        UserKey::Eip191(secp256k1::SecretKey::from_bytes(&[7; 32]).unwrap()),
        UserKey::Eip712(secp256k1::SecretKey::from_bytes(&[7; 32]).unwrap()),
        UserKey::P256(p256::SecretKey::from_bytes(&[9; 32]).unwrap()),
    ]
}

fn shown() -> PassBody {
    let network = network().id();
    let gate = Some(user(3));
    PassBody {
        network,
        item: ITEM,
        slot: SLOT,
        gate,
    }
}

fn redeeming(item: ItemId, pass: Pass) -> Transaction {
    testing::transaction(3, 1, vec![Operation::Redeem { item, pass }])
}

/// Alone and with others the outcome is the same.
fn verify(transaction: Transaction) -> Result<(), TransactionError> {
    let batch = verify_transactions(vec![Some(transaction.clone())], network().id(), &|_| None);
    let alone = transaction.verify(network().id()).map(|_| ());
    assert_eq!(batch[0].is_some(), alone.is_ok());
    alone
}

#[test]
fn l36_a_pass_is_signed_by_any_scheme_for_one_item_slot_gate_and_network() {
    for key in keys() {
        let pass = shown().sign(&key);
        assert_eq!(pass.key(), key.address());
        let network = network().id();
        assert!(pass.is_signed(network, ITEM), "{key:?}");
        assert_eq!(verify(redeeming(ITEM, pass.clone())), Ok(()));
        let refused = |item, pass| verify(redeeming(item, pass)) == Err(TransactionError::Pass(0));
        assert!(refused(ItemId([8; 32]), pass.clone()), "{key:?}");
        assert!(!pass.is_signed(crate::NetworkId([9; 32]), ITEM));
        let changes: [fn(&mut Pass); 4] = [
            |p| p.slot += 1,
            |p| p.gate = None,
            |p| p.gate = Some(user(4)),
            |p| p.holder.signature = vec![1; 64].into(),
        ];
        for change in changes {
            let mut changed = pass.clone();
            change(&mut changed);
            assert!(refused(ITEM, changed), "{key:?}");
        }
    }
}

#[test]
fn a_pass_inside_a_multi_party_is_verified_too() {
    let mut wrong = pass(2, ITEM, SLOT, None);
    wrong.slot += 1;
    let party = crate::Party {
        account: user(3),
        operations: vec![Operation::Redeem {
            item: ITEM,
            pass: wrong,
        }],
    };
    let transaction = testing::transaction(3, 1, vec![Operation::MultiParty(vec![party])]);
    assert_eq!(verify(transaction), Err(TransactionError::Pass(0)));
}

#[test]
fn what_is_signed_for_a_pass_is_no_transactions_and_the_other_way() {
    let body = shown();
    let transaction = redeeming(ITEM, pass(2, ITEM, SLOT, None));
    let to_sign = transaction.body().to_sign();
    assert!(!to_sign.bytes.starts_with(Domain::PassSignature.tag()));
    assert!(!body.bytes().starts_with(Domain::TransactionSignature.tag()));
    assert_ne!(body.named().len(), to_sign.named.len());
    // The authenticator data and the hash of client data are 69 bytes at least.
    assert!(body.named().len() < 69);
}

#[test]
fn passes_survive_wire_and_json_and_are_refused_in_any_other_form() {
    for key in keys() {
        let pass = shown().sign(&key);
        let wire = wire::Pass::from(&pass);
        assert_eq!(Pass::try_from(&wire), Ok(pass.clone()));
        let json = serde_json::to_string(&pass).unwrap();
        assert_eq!(serde_json::from_str::<Pass>(&json).unwrap(), pass);
    }
    let good = wire::Pass::from(&pass(2, ITEM, SLOT, None));
    let refused = |change: fn(&mut wire::Pass)| {
        let mut wire = good.clone();
        change(&mut wire);
        Pass::try_from(&wire).unwrap_err().to_string()
    };
    assert_eq!(refused(|p| p.slot = 0), "pass's slot must not be zero");
    let zero = refused(|p| p.gate = Bytes::from_static(&[0; 32]));
    assert_eq!(zero, "pass's gate must not be zero");
    assert_eq!(refused(|p| p.holder = None), "pass's holder is missing");
    let account = refused(|p| p.holder.as_mut().unwrap().account = bytes(&user(2).0));
    assert!(account.contains("names an account"), "{account}");
    let scheme = refused(|p| p.holder.as_mut().unwrap().scheme = 9);
    assert!(scheme.contains("unknown scheme 9"), "{scheme}");
}

#[test]
fn a_transaction_has_sixteen_passes_at_most_which_always_fit_a_vertex() {
    let one = |_| Operation::Redeem {
        item: ITEM,
        pass: pass(2, ITEM, SLOT, None),
    };
    let read = |count: usize| {
        let transaction = testing::transaction(3, 1, (0..count).map(one).collect());
        Transaction::decode(transaction.encoded().clone()).map(|_| ())
    };
    assert_eq!(read(PASSES_MAX), Ok(()));
    assert_eq!(read(PASSES_MAX + 1), Err(TransactionError::Passes(17)));
    let longest = Scheme::WebAuthn.charged_bytes_max(true) as usize;
    let together = (PASSES_MAX + AUTHORISATIONS_MAX) * (longest + 60);
    assert!(together < TRANSACTION_BYTES_MAX);
}

#[test]
fn a_pass_counts_what_it_takes_to_verify_it() {
    let [ed25519, eip191, _, p256] = keys().map(|key| shown().sign(&key));
    let added = |pass: &Pass| pass.charged_bytes() - pass.bytes();
    assert_eq!(added(&ed25519), 0);
    assert!(added(&eip191) > 300 && added(&p256) > 1_100);
    let charged = |pass: &Pass| {
        let transaction = redeeming(ITEM, pass.clone());
        transaction.charged_bytes() - transaction.body().encode().len() as u64
    };
    assert_eq!(charged(&p256) - charged(&ed25519), added(&p256));
    // V9 bounds all of it.
    let whole = redeeming(ITEM, p256.clone()).authorisation_bytes();
    assert_eq!(whole, 104 + p256.charged_bytes());
}
