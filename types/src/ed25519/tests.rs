use super::*;

fn check(i: u8, message: &[u8]) -> Check {
    let key = SecretKey::from_seed([i; 32]);
    Check::new(&key.public(), message, &key.sign(&[i]))
}

#[test]
fn a_batch_finds_exactly_the_invalid_signatures() {
    for culprits in [vec![], vec![0], vec![13], vec![3, 4, 19], (0..20).collect()] {
        let checks: Vec<Check> = (0..20u8)
            .map(|i| {
                check(
                    i,
                    if culprits.contains(&i) {
                        b"other"
                    } else {
                        std::slice::from_ref(&i)
                    },
                )
            })
            .collect();
        let expected: Vec<bool> = (0..20u8).map(|i| !culprits.contains(&i)).collect();
        assert_eq!(verify_all(&checks), expected);
    }
}

#[test]
fn small_order_keys_are_judged_alike_alone_and_in_a_batch() {
    // The identity point as key and R, and s = 0, satisfy the cofactored equation for any message:
    // ZIP 215 accepts them everywhere, a mix of rules would accept them in one place only.
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    let key = PublicKey(identity);
    let alone = key.verify(b"anything", &signature);
    let many = vec![Check::new(&key, b"anything", &signature); 8];
    assert!(alone);
    assert_eq!(verify_all(&many), vec![alone; 8]);
}

#[test]
fn bytes_that_are_no_point_make_an_invalid_signature_not_a_panic() {
    let key = PublicKey([2; 32]);
    assert!(!key.is_valid() && SecretKey::from_seed([1; 32]).public().is_valid());
    assert!(!key.verify(b"m", &[0xff; 64]));
    assert_eq!(
        verify_all(&vec![Check::new(&key, b"m", &[0xff; 64]); 5]),
        [false; 5]
    );
}

#[test]
fn nothing_to_verify_is_fine() {
    assert!(verify_all(&[]).is_empty());
}
