use super::*;

fn secret(i: u8) -> SecretKey {
    SecretKey::from_entropy(&[i; 32])
}

#[test]
fn one_check_verifies_the_sum_of_many_signatures_of_one_message() {
    let secrets: Vec<SecretKey> = (1..=4).map(secret).collect();
    let keys: Vec<PublicKey> = secrets.iter().map(SecretKey::public).collect();
    let shares: Vec<Signature> = secrets
        .iter()
        .map(|s| s.sign(Purpose::Finality, b"statement"))
        .collect();
    let key = PublicKey::sum(&keys).unwrap();
    assert!(key.verify(
        Purpose::Finality,
        b"statement",
        &Signature::sum(&shares).unwrap()
    ));
    let missing_one = Signature::sum(&shares[..3]).unwrap();
    assert!(!key.verify(Purpose::Finality, b"statement", &missing_one));
}

#[test]
fn a_signature_for_one_purpose_is_not_valid_for_another() {
    let signature = secret(1).sign(Purpose::Possession, b"m");
    assert!(
        !secret(1)
            .public()
            .verify(Purpose::Finality, b"m", &signature)
    );
}

#[test]
fn keys_and_signatures_survive_their_bytes() {
    let key = secret(3).public();
    assert_eq!(PublicKey::from_bytes(&key.to_bytes()), Ok(key));
    assert_eq!(PublicKey::from_eip2537(&key.to_eip2537()), Ok(key));
    let signature = secret(3).sign(Purpose::Finality, b"m");
    assert_eq!(Signature::from_bytes(&signature.to_bytes()), Ok(signature));
    let of_base_chain = signature.to_eip2537();
    assert_eq!(Signature::from_eip2537(&of_base_chain), Ok(signature));
    let again = SecretKey::from_bytes(&secret(3).to_bytes()).unwrap();
    assert_eq!(again.public(), key);
}

#[test]
fn infinity_is_refused_as_key_and_as_signature() {
    let mut key = [0; 48];
    key[0] = 0xc0;
    assert_eq!(
        PublicKey::from_bytes(&key),
        Err(BlsError::Infinity("public key"))
    );
    let mut signature = [0; 96];
    signature[0] = 0xc0;
    assert_eq!(
        Signature::from_bytes(&signature),
        Err(BlsError::Infinity("signature"))
    );
    assert!(PublicKey::from_eip2537(&[0; 128]).is_err());
    assert_eq!(
        Signature::from_eip2537(&[0; 256]),
        Err(BlsError::Infinity("signature"))
    );
}

#[test]
fn a_key_outside_the_subgroup_is_refused() {
    // Compressed x-coordinates of curve points: nearly none lies in the prime-order subgroup.
    let refused = (1..=40u8)
        .filter(|x| {
            let mut bytes = [0; 48];
            bytes[0] = 0x80;
            bytes[47] = *x;
            PublicKey::from_bytes(&bytes) == Err(BlsError::NotInSubgroup("public key"))
        })
        .count();
    assert!(refused > 5, "{refused} points off the subgroup were met");
}

#[test]
fn wrong_lengths_and_a_zero_secret_are_refused() {
    assert!(PublicKey::from_bytes(&[1; 47]).is_err());
    assert!(Signature::from_bytes(&[1; 97]).is_err());
    assert!(Signature::from_eip2537(&[0; 255]).is_err());
    assert!(Signature::from_eip2537(&[1; 256]).is_err(), "padding");
    assert!(SecretKey::from_bytes(&[0; 32]).is_err());
    assert!(SecretKey::from_bytes(&[0xff; 32]).is_err());
}

#[test]
fn a_key_that_cancels_the_others_leaves_no_sum() {
    let key = secret(1).public();
    let mut negated = key.to_bytes();
    negated[0] ^= 0x20;
    let negated = PublicKey::from_bytes(&negated).unwrap();
    assert_eq!(PublicKey::sum([&key, &negated]), None);
}

#[test]
fn mock_keys_have_the_algebra_of_real_ones() {
    let secrets: Vec<SecretKey> = (0..4).map(SecretKey::mock).collect();
    let keys: Vec<PublicKey> = secrets.iter().map(SecretKey::public).collect();
    let sign = |s: &SecretKey| s.sign(Purpose::Finality, b"statement");
    let shares: Vec<Signature> = secrets.iter().map(sign).collect();
    let sum = Signature::sum(&shares).unwrap();
    let key = PublicKey::sum(&keys).unwrap();
    assert!(key.verify(Purpose::Finality, b"statement", &sum));
    assert!(!key.verify(Purpose::Finality, b"another", &sum));
    assert!(!key.verify(Purpose::Possession, b"statement", &sum));
    let missing_one = Signature::sum(&shares[..3]).unwrap();
    assert!(!key.verify(Purpose::Finality, b"statement", &missing_one));
}

#[test]
fn mock_keys_and_signatures_are_never_read_from_bytes() {
    let mock = SecretKey::mock(7);
    let (key, signature) = (mock.public(), mock.sign(Purpose::Finality, b"m"));
    assert!(key.is_mock() && !secret(1).public().is_mock());
    assert!(PublicKey::from_bytes(&key.to_bytes()).is_err());
    assert!(PublicKey::from_eip2537(&key.to_eip2537()).is_err());
    assert!(Signature::from_bytes(&signature.to_bytes()).is_err());
    let scalar = SecretKey::from_bytes(&mock.to_bytes()).map(|k| k.public().is_mock());
    assert_ne!(scalar, Ok(true));
}

#[test]
fn mock_and_real_never_mix() {
    let (real, mock) = (secret(1), SecretKey::mock(1));
    let message = b"m";
    let by_real = real.sign(Purpose::Finality, message);
    let by_mock = mock.sign(Purpose::Finality, message);
    assert!(!real.public().verify(Purpose::Finality, message, &by_mock));
    assert!(!mock.public().verify(Purpose::Finality, message, &by_real));
    for (first, second) in [(&by_real, &by_mock), (&by_mock, &by_real)] {
        assert_eq!(Signature::sum([first, second]), None);
    }
    let (real, mock) = (real.public(), mock.public());
    assert_eq!(PublicKey::sum([&real, &mock]), None);
    assert_eq!(PublicKey::sum([&mock, &real]), None);
}
