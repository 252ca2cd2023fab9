use super::*;
use crate::is_keystore;

/// The vectors of the definition.
const PBKDF2: &str = include_str!("../../tests/vectors/web3-pbkdf2.json");
const SCRYPT: &str = include_str!("../../tests/vectors/web3-scrypt.json");
const SECRET: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

fn open_with(text: &str, password: &str) -> Result<Secret, KeystoreError> {
    open(text.as_bytes(), &Password::new(password).unwrap())
}

#[test]
fn the_vectors_of_the_definition_open() {
    for vector in [PBKDF2, SCRYPT, &PBKDF2.replace("\"crypto\"", "\"Crypto\"")] {
        let secret = open_with(vector, "testpassword").unwrap();
        assert_eq!(hex::encode(*secret), SECRET);
        let wrong = open_with(vector, "testpasswore");
        assert_eq!(wrong, Err(KeystoreError::Password));
    }
}

#[test]
fn a_password_counts_as_it_was_typed() {
    assert_eq!(
        open_with(PBKDF2, "testpassword\t"),
        Err(KeystoreError::Password)
    );
    assert_eq!(
        open_with(PBKDF2, "𝔱𝔢𝔰𝔱password"),
        Err(KeystoreError::Password)
    );
}

#[test]
fn other_versions_and_ciphers_are_refused_by_name() {
    for (from, to, named) in [
        ("\"version\": 3", "\"version\": 4", "version \"4\""),
        ("aes-128-ctr", "aes-128-cbc", "cipher"),
        ("\"c\": 262144", "\"c\": 99999999999", "count of rounds"),
    ] {
        let text = PBKDF2.replace(from, to);
        assert_ne!(text, PBKDF2);
        let refused = open_with(&text, "testpassword").unwrap_err().to_string();
        assert!(refused.contains(named), "{named:?} in {refused:?}");
    }
    assert!(matches!(
        open_with("{}", "x"),
        Err(KeystoreError::Malformed(_))
    ));
}

#[test]
fn a_plain_key_is_told_from_a_keystore() {
    assert!(is_keystore(b" \n{\"version\": 3}"));
    assert!(!is_keystore(b"abababab"));
    assert!(!is_keystore(b""));
}
