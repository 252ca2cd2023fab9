use super::*;
use crate::testing::{availability, availability_certificate, committee, finality_key, network};

const NETWORK: NetworkId = NetworkId([9; 32]);

#[test]
fn l53_a_quorums_signatures_of_the_same_make_a_certificate() {
    let (four, id) = (committee(4), network().id());
    for signers in [&[0, 1, 2][..], &[1, 2, 3], &[0, 1, 2, 3]] {
        let certificate = availability_certificate(availability(), signers);
        assert_eq!(certificate.check(id, &four), Ok(()), "{signers:?}");
    }
    let two = availability_certificate(availability(), &[0, 3]);
    let refused = Unavailable {
        signed: Stake(2),
        quorum: Stake(3),
    };
    assert_eq!(two.check(id, &four), Err(refused));
    // Two who say that they were three.
    let mut lie = two;
    lie.signers.insert(MemberIndex(1));
    let signed = Stake(3);
    assert_eq!(lie.check(id, &four), Err(Unavailable { signed, ..refused }));
}

#[test]
fn a_certificate_is_of_one_network_and_all_that_it_says() {
    let four = committee(4);
    let good = availability_certificate(availability(), &[0, 1, 2]);
    assert!(good.check(NETWORK, &four).is_err(), "network");
    for change in [
        (|c| c.epoch = Epoch(1)) as fn(&mut Availability),
        |c| c.hash = ContentHash([3; 32]),
        |c| c.size += 1,
        |c| c.until = c.until.next(),
        |c| c.by = c.by.next(),
    ] {
        let mut other = good.clone();
        change(&mut other.claim);
        assert!(other.check(network().id(), &four).is_err(), "{other:?}");
    }
}

#[test]
fn a_signer_that_the_committee_has_not_and_what_is_no_point_verify_nothing() {
    let (four, id) = (committee(4), network().id());
    let mut stranger = availability_certificate(availability(), &[0, 1, 2, 3]);
    stranger.signers.insert(MemberIndex(4));
    assert!(stranger.check(id, &four).is_err());
    for bytes in [[0; 96], [0xff; 96]] {
        let mut broken = availability_certificate(availability(), &[0, 1, 2]);
        broken.signature = AvailabilitySignature(bytes);
        assert!(broken.check(id, &four).is_err());
    }
    assert_eq!(AvailabilityCertificate::gather(availability(), &[]), None);
}

#[test]
fn a_members_signature_is_its_own_and_for_nothing_else() {
    let (claim, id) = (availability(), network().id());
    let signature = claim.sign(id, &finality_key(1));
    assert!(claim.is_signed(id, &finality_key(1).public(), &signature));
    assert!(!claim.is_signed(id, &finality_key(2).public(), &signature));
    let digest = claim.digest(id);
    let key = finality_key(1).public();
    assert!(!key.verify(bls::Purpose::Finality, &digest, &signature));
}

#[test]
fn l54_each_begun_day_from_the_earliest_commit_is_paid_for() {
    let certificate = |size, until| AvailabilityCertificate {
        claim: Availability {
            size,
            until: Millis(until),
            ..availability()
        },
        ..availability_certificate(availability(), &[0])
    };
    let valid_until = Millis(10 * DAY_MS + 600_000);
    for (until, days) in [
        (0, 1),
        (10 * DAY_MS, 1),
        (11 * DAY_MS, 1),
        (11 * DAY_MS + 1, 2),
        (40 * DAY_MS, 30),
    ] {
        assert_eq!(certificate(1, until).days(valid_until), days, "{until}");
    }
    let bytes = |size| certificate(size, 40 * DAY_MS).retention_bytes(valid_until);
    assert_eq!((bytes(1), bytes(16), bytes(17)), (2, 30, 32));
    // What nobody can pay.
    let never = certificate(u64::MAX, u64::MAX);
    assert_eq!(never.retention_bytes(Millis(0)), u64::MAX.div_ceil(16));
}
