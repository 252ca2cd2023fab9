use super::*;

/// The EIP's own vectors, word for word.
const SCRYPT: &str = include_str!("../../tests/vectors/eip2335-scrypt.json");
const PBKDF2: &str = include_str!("../../tests/vectors/eip2335-pbkdf2.json");
const SECRET: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
const QUICK: Kdf = Kdf::Scrypt { n: 16, r: 1, p: 1 };

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn sealed(kdf: Kdf) -> Keystore {
    let sealing = Sealing {
        password: &password("correct horse"),
        kdf,
        public_key: &[7; 48],
        description: "a test's",
    };
    Keystore::seal(&Secret::new([5; 32]), &sealing).unwrap()
}

#[test]
fn the_vectors_of_the_eip_open_with_its_password_however_it_is_written() {
    for vector in [SCRYPT, PBKDF2] {
        let keystore = Keystore::from_json(vector.as_bytes()).unwrap();
        for typed in ["𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑", "test\tpassword🔑\u{7f}"]
        {
            let secret = keystore.open(&password(typed)).unwrap();
            assert_eq!(hex::encode(*secret), SECRET);
        }
        let wrong = keystore.open(&password("testpassword"));
        assert_eq!(wrong, Err(KeystoreError::Password));
    }
}

#[test]
fn the_vectors_survive_being_read_and_written() {
    for vector in [SCRYPT, PBKDF2] {
        let keystore = Keystore::from_json(vector.as_bytes()).unwrap();
        let written: serde_json::Value = serde_json::from_str(&keystore.to_json()).unwrap();
        let given: serde_json::Value = serde_json::from_str(vector).unwrap();
        assert_eq!(written, given);
    }
}

#[test]
fn a_sealed_secret_opens_with_its_password_alone() {
    for kdf in [QUICK, Kdf::Pbkdf2 { c: 2 }] {
        let keystore = Keystore::from_json(sealed(kdf).to_json().as_bytes()).unwrap();
        assert_eq!(
            keystore.open(&password("correct horse")).unwrap(),
            Secret::new([5; 32])
        );
        assert_eq!(keystore.public_key().unwrap(), [7; 48]);
        for wrong in ["", "correct hors", "correct horse "] {
            let refused = keystore.open(&password(wrong));
            assert_eq!(refused, Err(KeystoreError::Password), "{wrong:?}");
        }
    }
}

#[test]
fn nothing_of_two_keystores_of_one_secret_is_alike() {
    let (a, b) = (sealed(QUICK), sealed(QUICK));
    assert_ne!(a.crypto.kdf.params, b.crypto.kdf.params);
    assert_ne!(a.crypto.cipher.params, b.crypto.cipher.params);
    assert_ne!(a.crypto.cipher.message, b.crypto.cipher.message);
    assert_ne!(a.uuid, b.uuid);
    assert!(!a.to_json().contains(&"05".repeat(32)));
    assert_eq!(a.uuid.len(), 36);
    assert_eq!(&a.uuid[14..15], "4");
}

#[test]
fn a_changed_ciphertext_or_checksum_does_not_open() {
    let flip = |text: &mut String, place: usize| {
        let digit = match text.as_bytes()[place] {
            b'0' => "1",
            _ => "0",
        };
        text.replace_range(place..=place, digit);
    };
    for (checksum, place) in [(false, 0), (false, 63), (true, 0), (true, 63)] {
        let mut keystore = sealed(QUICK);
        match checksum {
            true => flip(&mut keystore.crypto.checksum.message, place),
            false => flip(&mut keystore.crypto.cipher.message, place),
        }
        let refused = keystore.open(&password("correct horse"));
        assert_eq!(refused, Err(KeystoreError::Password));
    }
}

#[test]
fn what_is_no_keystore_of_this_kind_is_refused_by_name() {
    let with = |from: &str, to: &str| {
        let text = SCRYPT.replacen(from, to, 1);
        assert_ne!(text, SCRYPT, "{from}");
        let opened = Keystore::from_json(text.as_bytes());
        opened
            .and_then(|k| k.open(&password("x")))
            .unwrap_err()
            .to_string()
    };
    for (from, to, named) in [
        ("\"version\": 4", "\"version\": 3", "version \"3\""),
        ("aes-128-ctr", "aes-128-cbc", "cipher \"aes-128-cbc\""),
        ("sha256", "sha512", "checksum \"sha512\""),
        ("\"scrypt\"", "\"argon2id\"", "key derivation \"argon2id\""),
        ("\"n\": 262144", "\"n\": 1099511627776", "scrypt n"),
        ("264daa3f", "264d", "initialisation vector has 14 bytes"),
        ("06ae90d5", "zz", "ciphertext is no hexadecimal"),
        ("\"crypto\"", "\"kripto\"", "missing field `crypto`"),
    ] {
        let refused = with(from, to);
        assert!(refused.contains(named), "{named:?} in {refused:?}");
    }
    for text in ["", "{}", "[]", "null", "abababab", "{\"crypto\":"] {
        let refused = Keystore::from_json(text.as_bytes());
        assert!(
            matches!(refused, Err(KeystoreError::Malformed(_))),
            "{text}"
        );
    }
}
