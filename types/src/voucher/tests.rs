use super::*;
use crate::testing::{network, user};

const NETWORK: NetworkId = NetworkId([9; 32]);

fn issuer(i: u8) -> IssuerKey {
    IssuerKey::from_entropy(&[i; 32])
}

fn blinding(i: u8) -> Blinding {
    Blinding::draw(|| [i; 32])
}

/// What an honest issuer makes of an account.
fn voucher(key: &IssuerKey, account: Address) -> VoucherPoint {
    let (public, blinding) = (key.public(), blinding(7));
    let signed = key.sign(&blinding.blind(NETWORK, &public, account));
    let signed = signed.expect("a point of the group");
    let voucher = blinding.unblind(NETWORK, &public, account, &signed);
    voucher.expect("signed as asked for")
}

fn infinity() -> VoucherPoint {
    let mut bytes = [0; 48];
    bytes[0] = 0xc0;
    VoucherPoint(bytes)
}

/// Points of the curve that are none of the group: nearly all with a small coordinate.
fn outside() -> Vec<VoucherPoint> {
    let points = (1..=40u8).map(|x| {
        let mut bytes = [0; 48];
        (bytes[0], bytes[47]) = (0x80, x);
        VoucherPoint(bytes)
    });
    let on_curve = |p: &VoucherPoint| raw::Signature::uncompress(&p.0).is_ok();
    let off_group = |p: &VoucherPoint| in_group(p).is_err();
    points.filter(|p| on_curve(p) && off_group(p)).collect()
}

#[test]
fn what_is_signed_blindly_is_the_signature_of_the_account() {
    let key = issuer(1);
    let account = user(4);
    let direct = key
        .0
        .sign(&message(NETWORK, &key.public(), account), VOUCHER_TAG, &[]);
    // Whatever the blinding: BLS signatures are unique, so that the voucher keeps nothing of it.
    for factor in [1, 2, 99] {
        let blinding = blinding(factor);
        let blinded = blinding.blind(NETWORK, &key.public(), account);
        assert_ne!(
            blinded.0,
            hashed(&message(NETWORK, &key.public(), account)).compress()
        );
        let signed = key.sign(&blinded).unwrap();
        let voucher = blinding.unblind(NETWORK, &key.public(), account, &signed);
        assert_eq!(voucher, Ok(VoucherPoint(direct.compress())));
    }
}

#[test]
fn a_voucher_is_of_one_key_network_and_account() {
    let key = issuer(1);
    let voucher = voucher(&key, user(4));
    let public = key.public();
    assert!(public.verify(NETWORK, user(4), &voucher));
    assert!(!public.verify(network().id(), user(4), &voucher), "network");
    assert!(!public.verify(NETWORK, user(5), &voucher), "account");
    assert!(
        !issuer(2).public().verify(NETWORK, user(4), &voucher),
        "key"
    );
    assert!(!public.proven(NETWORK, user(4), &voucher), "purpose");
}

#[test]
fn a_proof_of_possession_is_of_one_issuer_and_network() {
    let key = issuer(1);
    let proof = key.prove(NETWORK, user(1));
    let public = key.public();
    assert!(public.proven(NETWORK, user(1), &proof));
    assert!(!public.proven(NETWORK, user(2), &proof), "issuer");
    assert!(!public.proven(network().id(), user(1), &proof), "network");
    assert!(!issuer(2).public().proven(NETWORK, user(1), &proof), "key");
    assert!(!public.verify(NETWORK, user(1), &proof), "purpose");
}

#[test]
fn points_that_are_none_of_the_group_are_neither_signed_nor_taken() {
    let (key, account) = (issuer(1), user(4));
    let outside = outside();
    assert!(outside.len() > 5, "{} points were met", outside.len());
    let nonsense = [VoucherPoint([0; 48]), VoucherPoint([0xff; 48]), infinity()];
    for point in outside.iter().chain(&nonsense) {
        assert_eq!(key.sign(point), Err(VoucherError::Point));
        let taken = blinding(3).unblind(NETWORK, &key.public(), account, point);
        assert_eq!(taken, Err(VoucherError::Point));
        assert!(!key.public().verify(NETWORK, account, point));
        assert!(!key.public().proven(NETWORK, account, point));
    }
}

#[test]
fn a_key_that_is_none_of_the_group_has_no_vouchers() {
    let voucher = voucher(&issuer(1), user(4));
    let mut at_infinity = [0; 96];
    at_infinity[0] = 0xc0;
    let small = (1..=40u8).map(|x| {
        let mut bytes = [0; 96];
        (bytes[0], bytes[95]) = (0x80, x);
        bytes
    });
    for bytes in small.chain([at_infinity, [0; 96], [0xff; 96]]) {
        let key = VoucherKey(bytes);
        assert!(!key.verify(NETWORK, user(4), &voucher));
        // With the zero secret everything would be signed by infinity.
        assert!(!key.verify(NETWORK, user(4), &infinity()));
        assert!(!key.proven(NETWORK, user(4), &infinity()));
    }
}

#[test]
fn an_answer_to_another_request_is_noticed_before_it_is_spent() {
    let key = issuer(1);
    let blinded = blinding(3).blind(NETWORK, &key.public(), user(4));
    let by_another = issuer(2).sign(&blinded).unwrap();
    let of_another = key.sign(&blinding(5).blind(NETWORK, &key.public(), user(4)));
    for wrong in [by_another, of_another.unwrap(), blinded] {
        let taken = blinding(3).unblind(NETWORK, &key.public(), user(4), &wrong);
        assert_eq!(taken, Err(VoucherError::NotSigned));
    }
}

#[test]
fn zero_and_what_is_not_below_the_order_are_no_secrets() {
    let order = ORDER.to_be_bytes();
    for bytes in [[0; 32], order, [0xff; 32]] {
        assert_eq!(
            Blinding::from_bytes(&bytes).err(),
            Some(VoucherError::Secret)
        );
        assert_eq!(
            IssuerKey::from_bytes(&bytes).err(),
            Some(VoucherError::Secret)
        );
    }
    // They are drawn again.
    let mut drawn = [[0; 32], order, [3; 32]].into_iter();
    let factor = Blinding::draw(|| drawn.next().expect("the third one will do"));
    assert_eq!(*factor.to_bytes(), [3; 32]);
    let key = IssuerKey::from_bytes(&issuer(1).to_bytes()).unwrap();
    assert_eq!(key.public(), issuer(1).public());
}

#[test]
fn the_inverse_of_a_factor_undoes_it() {
    let one = scalar(&{
        let mut bytes = [0; 32];
        bytes[31] = 1;
        bytes
    });
    let point = hashed(&[5; 32]);
    for factor in [one.unwrap(), blinding(1).0, blinding(0x73).0] {
        let there = times(point, &factor);
        assert_eq!(times(there, &inverse(&factor)), point);
    }
}

/// All that the issuer sees of three buyers, and the three vouchers that were spent: whichever request is taken for
/// whichever voucher, there is exactly one factor that explains both what was asked for and what was answered. So the
/// view is as likely with any pairing. The factor is shown, which takes accounts whose hashes have known logarithms: for
/// real ones nobody can compute it, and there it is all the same, as the group has a prime order.
#[test]
fn each_request_is_explained_by_each_voucher() {
    let key = issuer(1);
    let generator = {
        let one = scalar(&{
            let mut bytes = [0; 32];
            bytes[31] = 1;
            bytes
        });
        // Any point but infinity generates the group.
        times(hashed(&[1; 32]), &one.unwrap())
    };
    let logarithms = [11, 12, 13].map(|i| blinding(i).0);
    let hashes = logarithms.clone().map(|a| times(generator, &a));
    let factors = [21, 22, 23].map(|i| blinding(i).0);
    let requests: Vec<_> = (0..3).map(|i| times(hashes[i], &factors[i])).collect();
    let answers: Vec<_> = requests.iter().map(|r| times(*r, &key.0)).collect();
    let vouchers: Vec<_> = (0..3)
        .map(|i| times(answers[i], &inverse(&factors[i])))
        .collect();
    for i in 0..3 {
        for j in 0..3 {
            // Request i and voucher j: (factor i) x (logarithm i) / (logarithm j).
            let explains = product(
                &product(&factors[i], &logarithms[i]),
                &inverse(&logarithms[j]),
            );
            assert_eq!(times(hashes[j], &explains), requests[i]);
            assert_eq!(times(vouchers[j], &explains), answers[i]);
        }
    }
}

fn product(a: &raw::SecretKey, b: &raw::SecretKey) -> raw::SecretKey {
    use k256::elliptic_curve::bigint::{NonZero, U512};
    let [a, b] = [a, b].map(|s| U256::from_be_slice(&s.to_bytes()));
    let (low, high) = a.mul_wide(&b);
    let wide: U512 = high.concat(&low);
    let order: U512 = U256::ZERO.concat(&ORDER);
    let rest = wide.rem(&NonZero::new(order).unwrap());
    raw::SecretKey::from_bytes(&rest.to_be_bytes()[32..]).unwrap()
}
