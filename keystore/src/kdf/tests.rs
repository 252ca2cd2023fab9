use super::*;

fn scrypt(n: u64, r: u64, p: u64) -> Result<DerivedKey, KeystoreError> {
    Params::new(Kdf::Scrypt { n, r, p }, &[1; SALT_BYTES]).derive("scrypt", b"x")
}

#[test]
fn scrypt_that_asks_for_too_much_memory_or_work_is_refused_before_it_begins() {
    for (n, r, p) in [
        (1 << 22, 8, 1),
        (1 << 40, 1, 1),
        (u64::MAX, 1, 1),
        (2, u64::MAX, 1),
        (2, 1, u64::MAX),
        (1 << 20, 4, 8),
        (1 << 10, 1, 1 << 20),
        (0, 8, 1),
        (1, 8, 1),
        (4, 0, 1),
        (4, 8, 0),
    ] {
        let refused = scrypt(n, r, p);
        assert!(
            matches!(refused, Err(KeystoreError::Range { .. })),
            "{n} {r} {p}"
        );
    }
    let refused = scrypt(1000, 8, 1).err().unwrap().to_string();
    assert!(refused.contains("no power of two"), "{refused}");
    scrypt(16, 8, 1).unwrap();
}

#[test]
fn pbkdf2_that_takes_for_ever_is_refused() {
    for c in [0, ROUNDS_MAX + 1, u64::MAX] {
        let params = Params::new(Kdf::Pbkdf2 { c }, &[1; SALT_BYTES]);
        let refused = params.derive("pbkdf2", b"x");
        assert!(matches!(refused, Err(KeystoreError::Range { .. })), "{c}");
    }
}

#[test]
fn a_function_with_the_parameters_of_another_is_refused() {
    let params = Params::new(Kdf::Pbkdf2 { c: 1 }, &[1; SALT_BYTES]);
    for function in ["scrypt", "argon2id", ""] {
        let refused = params.derive(function, b"x");
        assert!(matches!(refused, Err(KeystoreError::Unsupported { .. })));
    }
}

#[test]
fn lengths_of_keys_and_salts_are_bounded() {
    let with = |dklen, salt: &str| {
        let params = Params::Pbkdf2 {
            dklen,
            c: 1,
            prf: PRF.to_owned(),
            salt: salt.to_owned(),
        };
        params.derive("pbkdf2", b"x").map(|_| ())
    };
    with(32, &"ab".repeat(32)).unwrap();
    for (dklen, salt) in [(16, 32), (64, 32), (32, 7), (32, 257), (32, 0)] {
        let refused = with(dklen, &"ab".repeat(salt));
        assert!(matches!(refused, Err(KeystoreError::Range { .. })));
    }
    assert!(matches!(with(32, "xyz"), Err(KeystoreError::Malformed(_))));
}
