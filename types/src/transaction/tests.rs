use super::*;
use crate::authorisation::Scheme;
use crate::channel::SignedState;
use crate::hash::Domain;
use crate::operation::{Party, Payment};
use crate::testing::{body, network, transaction, user, user_key, user_public};
use crate::{AssetId, Verified};

fn signed_message(body: &[u8]) -> Vec<u8> {
    [Domain::TransactionSignature.tag(), body].concat()
}

fn pay(to: u64) -> Operation {
    Operation::Transfer {
        payments: vec![Payment {
            to: user(to),
            asset: AssetId::NATIVE,
            amount: Amount(5),
        }],
        items: vec![],
    }
}

fn multi_party(accounts: &[u64]) -> Operation {
    let party = |i: &u64| Party {
        account: user(*i),
        operations: vec![pay(9)],
    };
    Operation::MultiParty(accounts.iter().map(party).collect())
}

fn good() -> Transaction {
    transaction(1, 7, vec![pay(2)])
}

fn verify(transaction: Transaction) -> Result<Verified<Transaction>, TransactionError> {
    transaction.verify(network().id())
}

/// The good transaction with its envelope changed.
fn envelope(change: impl Fn(&mut wire::Transaction)) -> Result<Transaction, TransactionError> {
    let mut wire = wire::Transaction::decode(good().encoded().clone()).unwrap();
    change(&mut wire);
    Transaction::decode(wire.encode_to_vec().into())
}

/// The good transaction with its authorisation before its body, as some encoder may write it.
fn wrapped_otherwise() -> Transaction {
    let good = good();
    let (body, authorisation) = good.encoded().split_at(good.encoded_body.len() + 3);
    let swapped = [authorisation, body].concat();
    let wrapped = Transaction::decode(swapped.into()).unwrap();
    assert_ne!(wrapped.encoded(), good.encoded());
    wrapped
}

/// These bytes as a body, rightly signed by user 1.
fn signed_bytes(body: Vec<u8>) -> Result<Transaction, TransactionError> {
    let signature = user_key(1).sign(&signed_message(&body));
    envelope(|t| {
        t.body = body.clone().into();
        t.authorisations[0].signature = Bytes::copy_from_slice(&signature);
    })
}

/// The good transaction's body changed and signed anew.
fn resigned(change: impl Fn(&mut wire::TransactionBody)) -> Result<Transaction, TransactionError> {
    let mut wire = wire::TransactionBody::decode(good().encoded_body).unwrap();
    change(&mut wire);
    signed_bytes(wire.encode_to_vec())
}

fn refused(transaction: Result<Transaction, TransactionError>) -> TransactionError {
    let transaction = transaction.and_then(|t| {
        // A batch judges as the single check does.
        let alone = verify(t.clone()).map(|_| ());
        let batch = verify_transactions(vec![Some(t)], network().id(), &|_| None);
        assert_eq!(batch[0].is_some(), alone.is_ok());
        alone
    });
    transaction.unwrap_err()
}

#[test]
fn a_transaction_survives_its_bytes() {
    let read = Transaction::decode(good().encoded().clone()).unwrap();
    assert_eq!(read, good());
    assert!(verify(read).is_ok());
}

#[test]
fn identity_is_the_bodys_whoever_signs_and_however_it_is_wrapped() {
    let other_signer = body(1, 7, vec![pay(2)]).sign(&[&user_key(3)]);
    assert_eq!(other_signer.id(), good().id());
    assert_ne!(transaction(1, 8, vec![pay(2)]).id(), good().id());

    let wrapped = wrapped_otherwise();
    assert_eq!(wrapped.id(), good().id());
    assert!(verify(wrapped).is_ok());
}

#[test]
fn a_field_added_to_the_body_breaks_the_signature_and_makes_another_transaction_when_signed() {
    let mut longer = good().encoded_body.to_vec();
    longer.extend_from_slice(&[0x78, 1]);
    let relayed = envelope(|t| t.body = longer.clone().into());
    assert_eq!(refused(relayed), TransactionError::Signature(0));

    let signed = signed_bytes(longer).unwrap();
    assert_eq!(signed.body(), good().body());
    assert_ne!(signed.id(), good().id());
    assert!(verify(signed).is_ok());
}

#[test]
fn any_changed_byte_is_refused() {
    let bytes = good().encoded().clone();
    for i in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[i] ^= 1;
        let verified = Transaction::decode(changed.into()).and_then(verify);
        assert!(verified.is_err(), "byte {i} of {}", bytes.len());
    }
}

#[test]
fn every_party_signs_and_nobody_else() {
    let two = |keys: &[u64]| {
        let keys: Vec<SecretKey> = keys.iter().map(|i| user_key(*i)).collect();
        let keys: Vec<&SecretKey> = keys.iter().collect();
        Ok(body(1, 7, vec![multi_party(&[2, 1])]).sign(&keys))
    };
    assert!(two(&[1, 2]).and_then(verify).is_ok());
    assert!(two(&[2, 1]).and_then(verify).is_ok());
    assert_eq!(refused(two(&[1])), TransactionError::Unsigned(user(2)));
    assert_eq!(refused(two(&[2])), TransactionError::Unsigned(user(1)));
    assert_eq!(refused(two(&[1, 2, 3])), TransactionError::Stranger(2));
    assert_eq!(refused(two(&[3, 1, 2])), TransactionError::Stranger(0));
    assert_eq!(refused(two(&[1, 2, 2])), TransactionError::Stranger(2));
    assert_eq!(refused(two(&[])), TransactionError::Unsigned(user(1)));
}

#[test]
fn a_sponsor_signs_too() {
    let mut sponsored = body(1, 7, vec![pay(2)]);
    sponsored.sponsor = Some(user(5));
    let alone = sponsored.sign(&[&user_key(1)]);
    assert_eq!(refused(Ok(alone)), TransactionError::Unsigned(user(5)));
    assert!(verify(sponsored.sign(&[&user_key(1), &user_key(5)])).is_ok());
}

#[test]
fn a_sender_who_is_no_party_of_its_multi_party_signs_all_the_same() {
    let brokered = body(1, 7, vec![multi_party(&[2, 3])]);
    assert_eq!(brokered.parties().len(), 3);
    let without = brokered.sign(&[&user_key(2), &user_key(3)]);
    assert_eq!(refused(Ok(without)), TransactionError::Unsigned(user(1)));
}

#[test]
fn a_signature_for_something_else_is_refused() {
    let untagged = user_key(1).sign(&good().encoded_body);
    let foreign_tag = [Domain::VertexSignature.tag(), &good().encoded_body[..]].concat();
    let other_body = signed_message(&body(1, 8, vec![pay(2)]).encode());
    for signature in [
        untagged,
        user_key(1).sign(&foreign_tag),
        user_key(1).sign(&other_body),
        user_key(2).sign(&signed_message(&good().encoded_body)),
    ] {
        let forged =
            envelope(|t| t.authorisations[0].signature = Bytes::copy_from_slice(&signature));
        assert_eq!(refused(forged), TransactionError::Signature(0));
    }
}

#[test]
fn another_network_is_refused() {
    let foreign = resigned(|b| b.network = vec![1; 32].into());
    assert_eq!(
        refused(foreign),
        TransactionError::Network {
            expected: network().id(),
            found: NetworkId([1; 32]),
        }
    );
}

#[test]
fn an_authorisation_of_wrong_form_is_named() {
    let refused = |change: fn(&mut wire::Authorisation)| {
        refused(envelope(|t| change(&mut t.authorisations[0]))).to_string()
    };
    assert_eq!(
        refused(|a| a.scheme = 0),
        "authorisation 0 has the unknown scheme 0"
    );
    assert_eq!(
        refused(|a| a.scheme = u32::MAX),
        "authorisation 0 has the unknown scheme 4294967295"
    );
    assert_eq!(
        refused(|a| a.public_key = Bytes::from_static(&[1; 31])),
        "authorisation 0 has a public key of 31 bytes, not 32"
    );
    assert_eq!(
        refused(|a| a.signature = Bytes::from_static(&[1; 65])),
        "authorisation 0 has a signature of 65 bytes, not 64"
    );
    assert_eq!(
        refused(|a| a.signature = Bytes::new()),
        "authorisation 0 has a signature of 0 bytes, not 64"
    );
}

#[test]
fn a_body_of_wrong_form_is_named() {
    let refused = |change: fn(&mut wire::TransactionBody)| refused(resigned(change)).to_string();
    assert_eq!(
        refused(|b| b.network = Bytes::new()),
        "NetworkId has 0 bytes, not 32"
    );
    assert_eq!(
        refused(|b| b.sender = vec![1; 33].into()),
        "Address has 33 bytes, not 32"
    );
    assert_eq!(
        refused(|b| b.sponsor = vec![1; 20].into()),
        "Address has 20 bytes, not 32"
    );
    assert_eq!(
        refused(|b| b.idempotency = vec![1; 15].into()),
        "idempotency has 15 bytes, not 16"
    );
    assert_eq!(
        refused(|b| b.operations.clear()),
        "transaction has 0 operations, not 1 to 64"
    );
    assert_eq!(
        refused(|b| b.operations[0].kind = None),
        "operation is of no known kind"
    );
}

#[test]
fn operations_are_counted_inside_multi_party_too() {
    let of = |operations| transaction(1, 7, operations);
    let read = |t: Transaction| Transaction::decode(t.encoded().clone());
    assert!(read(of(vec![pay(2); 64])).is_ok());
    let error = read(of(vec![pay(2); 65])).unwrap_err();
    assert_eq!(error, TransactionError::Operations(65));
    let mut mixed = vec![pay(2); 62];
    mixed.push(multi_party(&[2, 3]));
    assert!(read(of(mixed.clone())).is_ok());
    mixed.push(pay(2));
    let error = read(of(mixed)).unwrap_err();
    assert_eq!(error, TransactionError::Operations(65));
}

#[test]
fn too_many_authorisations_and_too_many_bytes_are_refused() {
    let many = |n| {
        envelope(|t| {
            let authorisation = t.authorisations[0].clone();
            t.authorisations = vec![authorisation; n];
        })
    };
    assert_eq!(many(0).unwrap_err(), TransactionError::Authorisations(0));
    assert!(many(AUTHORISATIONS_MAX).is_ok());
    assert_eq!(many(17).unwrap_err(), TransactionError::Authorisations(17));

    let padded = |total: usize| {
        let mut bytes = good().encoded().to_vec();
        let padding = total - bytes.len() - 4;
        bytes.push(0x7a);
        prost::encode_length_delimiter(padding, &mut bytes).unwrap();
        bytes.resize(total, 0);
        Transaction::decode(bytes.into())
    };
    assert_eq!(
        padded(TRANSACTION_BYTES_MAX + 1).unwrap_err(),
        TransactionError::TooLong(TRANSACTION_BYTES_MAX + 1)
    );
}

#[test]
fn an_envelope_has_nothing_that_nobody_pays_for() {
    let more = |bytes: &[u8]| {
        let padded = [good().encoded(), bytes].concat();
        Transaction::decode(padded.into()).unwrap_err()
    };
    assert_eq!(
        more(&[0x7a, 1, 0]),
        TransactionError::Padded(3),
        "a field that is unknown"
    );
    let again = good().encoded_body;
    let mut body = vec![0x0a];
    prost::encode_length_delimiter(again.len(), &mut body).unwrap();
    body.extend_from_slice(&again);
    assert_eq!(
        more(&body),
        TransactionError::Padded(body.len()),
        "the body twice"
    );
    let mut inside = wire::Transaction::decode(good().encoded().clone()).unwrap();
    let own = inside.authorisations.remove(0).encode_to_vec();
    let own = [own.as_slice(), &[0x7a, 1, 0]].concat();
    let mut bytes = inside.encode_to_vec();
    bytes.push(0x12);
    prost::encode_length_delimiter(own.len(), &mut bytes).unwrap();
    bytes.extend_from_slice(&own);
    let error = Transaction::decode(bytes.into()).unwrap_err();
    assert_eq!(
        error,
        TransactionError::Padded(3),
        "within an authorisation"
    );
}

#[test]
fn a_batch_puts_each_verdict_in_its_place() {
    let forged = envelope(|t| t.authorisations[0].signature = Bytes::from_static(&[1; 64]));
    let foreign = resigned(|b| b.network = vec![1; 32].into());
    let unsigned = body(1, 7, vec![multi_party(&[2])]).sign(&[&user_key(1)]);
    let other = transaction(3, 1, vec![pay(2)]);
    let batch = vec![
        Some(good()),
        None,
        Some(forged.unwrap()),
        Some(foreign.unwrap()),
        Some(unsigned),
        Some(other.clone()),
    ];
    let verified = verify_transactions(batch, network().id(), &|_| None);
    let ids: Vec<_> = verified
        .iter()
        .map(|t| t.as_ref().map(|t| t.id()))
        .collect();
    assert_eq!(
        ids,
        [Some(good().id()), None, None, None, None, Some(other.id())]
    );
}

/// Verifies with a lookup by id alone, which is all that a careless caller does.
fn with_known(
    transaction: Transaction,
) -> (
    Arc<Verified<Transaction>>,
    Option<Arc<Verified<Transaction>>>,
) {
    let known = Arc::new(verify(good()).unwrap());
    let lookup = |t: &Transaction| (t.id() == known.id()).then(|| known.clone());
    let mut verified = verify_transactions(vec![Some(transaction)], network().id(), &lookup);
    (known.clone(), verified.remove(0))
}

#[test]
fn a_known_transaction_is_not_verified_again() {
    let (known, verified) = with_known(good());
    assert!(Arc::ptr_eq(&known, &verified.unwrap()));
}

#[test]
fn a_known_body_with_a_broken_signature_is_void_all_the_same() {
    let forged = envelope(|t| t.authorisations[0].signature = Bytes::from_static(&[1; 64]));
    let (known, verified) = with_known(forged.unwrap());
    assert_eq!(verified, None);
    let stranger = body(1, 7, vec![pay(2)]).sign(&[&user_key(1), &user_key(3)]);
    assert_eq!(stranger.id(), known.id());
    assert_eq!(with_known(stranger).1, None);
}

#[test]
fn a_known_body_in_another_valid_wrapping_stands_for_itself() {
    let wrapped = wrapped_otherwise();
    let (known, verified) = with_known(wrapped.clone());
    let verified = verified.unwrap();
    assert!(!Arc::ptr_eq(&known, &verified));
    assert_eq!(verified.encoded(), wrapped.encoded());
}

#[test]
fn what_is_known_of_another_network_does_not_count_here() {
    let elsewhere = NetworkId([1; 32]);
    let foreign = resigned(|b| b.network = vec![1; 32].into()).unwrap();
    let known = Arc::new(foreign.clone().verify(elsewhere).unwrap());
    let lookup = |_: &Transaction| Some(known.clone());
    let here = verify_transactions(vec![Some(foreign)], network().id(), &lookup);
    assert_eq!(here, [None]);
}

#[test]
fn an_address_names_its_scheme_and_its_key() {
    let key = user_public(1);
    assert_eq!(Address::of_key(&key), Address::of(Scheme::Ed25519, &key.0));
    assert_ne!(Address::of_key(&key), user(2));
    assert_ne!(Address::of_key(&key).0, key.0);
}

#[test]
fn states_of_channels_are_verified_with_the_transaction_and_are_few() {
    let close = |change: &dyn Fn(&mut SignedState), times| {
        let mut shown = crate::testing::showing();
        change(shown.state.as_mut().unwrap());
        let operations = vec![Operation::ChannelClose(shown); times];
        let signed = crate::testing::transaction(1, 1, operations);
        let read = Transaction::decode(signed.encoded().clone())?;
        let batch = verify_transactions(vec![Some(read.clone())], network().id(), &|_| None);
        let alone = read.verify(network().id());
        assert_eq!(batch[0].is_some(), alone.is_ok());
        alone.map(|_| ())
    };
    assert_eq!(close(&|_| (), 4), Ok(()));
    assert_eq!(close(&|_| (), 5), Err(TransactionError::States(5)));
    // Of the second party, after the transaction's own signature and the first party's.
    let swapped = close(&|s| s.signatures[1] = s.signatures[0].clone(), 1);
    assert_eq!(swapped, Ok(()), "whose it is, the ledger knows");
    let altered = close(&|s| s.state.version += 1, 1);
    assert_eq!(altered, Err(TransactionError::State(0)));
    let elsewhere = |s: &mut SignedState| {
        s.state.network = crate::NetworkId([9; 32]);
        s.signatures = [1, 2].map(|i| s.state.sign(&UserKey::from(&user_key(i))));
    };
    let stray = TransactionError::StateNetwork(crate::NetworkId([9; 32]));
    assert_eq!(close(&elsewhere, 1), Err(stray));
}

#[test]
fn signatures_of_states_count_for_the_fee_as_authorisations_do() {
    let showing = crate::testing::showing();
    let without = crate::Showing {
        state: None,
        ..showing.clone()
    };
    let [with, without] = [showing, without].map(|shown| {
        let signed = crate::testing::transaction(1, 1, vec![Operation::ChannelClose(shown)]);
        signed.authorisation_bytes()
    });
    assert_eq!(with - without, 2 * 104);
}
