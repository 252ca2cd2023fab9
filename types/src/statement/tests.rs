use super::*;
use crate::ids::MemberIndex;
use crate::testing::{certify, committee, network, statement};

fn refused(certificate: Certificate) -> String {
    certificate
        .verify(&network(), &committee(4))
        .unwrap_err()
        .to_string()
}

#[test]
fn a_quorum_certifies() {
    for signers in [vec![0, 1, 2, 3], vec![0, 1, 3], vec![1, 2, 3]] {
        let certificate = certify(&statement(7), &signers);
        assert!(certificate.verify(&network(), &committee(4)).is_ok());
    }
}

#[test]
fn less_than_a_quorum_does_not() {
    let error = refused(certify(&statement(7), &[0, 1]));
    assert_eq!(error, "signed stake 2 is below the quorum 3");
}

#[test]
fn a_bitmap_that_names_others_than_the_signers_is_refused() {
    let mut certificate = certify(&statement(7), &[0, 1, 2]);
    let others: MemberSet = [0, 1, 3].into_iter().map(MemberIndex).collect();
    certificate.bitmap = others.to_bitmap(4).into();
    assert_eq!(refused(certificate), CertificateError::Invalid.to_string());
}

#[test]
fn a_bitmap_with_a_stray_bit_or_of_wrong_length_is_refused() {
    for bitmap in [vec![0b1_0111], vec![0b0111, 0], vec![]] {
        let mut certificate = certify(&statement(7), &[0, 1, 2]);
        certificate.bitmap = bitmap.into();
        assert!(refused(certificate).contains("does not fit 4 members"));
    }
}

#[test]
fn another_network_and_another_epoch_are_refused() {
    let mut foreign = statement(7);
    foreign.network.chain_id += 1;
    assert!(refused(certify(&foreign, &[0, 1, 2])).contains("of network"));
    let mut later = statement(7);
    later.epoch = Epoch(1);
    assert_eq!(
        refused(certify(&later, &[0, 1, 2])),
        "certificate is of epoch 1, the committee of epoch 0"
    );
}

#[test]
fn any_changed_byte_of_a_certificate_is_refused() {
    let bytes = certify(&statement(7), &[0, 1, 2]).encode();
    for i in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[i] ^= 1;
        let verified = Certificate::decode(changed.into())
            .and_then(|c| c.verify(&network(), &committee(4)).map(|_| ()));
        assert!(verified.is_err(), "byte {i} of {}", bytes.len());
    }
}

#[test]
fn encodings_return_what_went_in() {
    let certificate = certify(&statement(7), &[0, 2, 3]);
    assert_eq!(
        Statement::decode(&certificate.statement.encode()),
        Ok(certificate.statement.clone())
    );
    assert_eq!(
        Certificate::decode(certificate.encode()),
        Ok(certificate.clone())
    );
    let json = serde_json::to_string(&certificate.to_json()).unwrap();
    let read: CertificateJson = serde_json::from_str(&json).unwrap();
    assert_eq!(Certificate::try_from(read), Ok(certificate));
}

#[test]
fn a_number_beyond_its_type_has_no_second_encoding() {
    let mut bytes = statement(7).encode();
    bytes[4 * 32] = 1;
    assert_eq!(
        Statement::decode(&bytes),
        Err(CertificateError::WordRange(4))
    );
    let mut bytes = statement(7).encode();
    bytes[2 * 32 + 11] = 1;
    assert_eq!(
        Statement::decode(&bytes),
        Err(CertificateError::WordRange(2))
    );
}
