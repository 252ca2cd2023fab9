use super::*;
use crate::committee::Committee;
use crate::ids::Epoch;
use crate::statement::{Certificate, FinalityShare};
use crate::testing::{self, finality_key, vertex_key};

fn possession() -> Possession {
    Possession {
        chain_id: 31_337,
        registry: [0x22; 20],
        operator: [0x33; 20],
        vertex_key: vertex_key(0).public(),
        finality_key: finality_key(0).public(),
    }
}

#[test]
fn the_owner_of_the_key_proves_it() {
    let proof = possession().prove(&finality_key(0));
    assert!(possession().verify(&proof));
    assert!(!possession().verify(&possession().prove(&finality_key(1))));
}

#[test]
fn a_proof_is_valid_for_nobody_and_nowhere_else() {
    let proof = possession().prove(&finality_key(0));
    let changes: [fn(&mut Possession); 5] = [
        |p| p.chain_id += 1,
        |p| p.registry[19] ^= 1,
        |p| p.operator[0] ^= 1,
        |p| p.vertex_key = vertex_key(1).public(),
        |p| p.finality_key = finality_key(1).public(),
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut other = possession();
        change(&mut other);
        assert!(!other.verify(&proof), "change {i}");
    }
}

#[test]
fn a_finality_signature_is_no_proof() {
    let digest = possession().digest();
    let signature = finality_key(0).sign(bls::Purpose::Finality, &digest);
    assert!(!possession().verify(&signature));
}

/// The negative control of C2: in a committee that took a key without a proof, its owner alone makes
/// certificates of a quorum. No proof can be made for such a key, for nobody has its secret.
#[test]
fn without_the_proof_a_key_made_as_a_difference_signs_for_the_others() {
    let negated = |key: bls::PublicKey| {
        let mut bytes = key.to_bytes();
        bytes[0] ^= 0x20; // the bit that chooses between y and -y
        bls::PublicKey::from_bytes(&bytes).unwrap()
    };
    let mut members = testing::members(4);
    let attackers = finality_key(2);
    let others = [0, 1].map(|i| negated(members[i].finality_key));
    let difference = bls::PublicKey::sum([&attackers.public(), &others[0], &others[1]]).unwrap();
    members[2].finality_key = difference;
    let committee = Committee::new(Epoch::ZERO, members).unwrap();

    let statement = testing::statement(1);
    let forged = Certificate {
        signature: FinalityShare::sign(&statement, &attackers).signature,
        ..testing::certify(&statement, &[0, 1, 2])
    };
    let verified = forged.clone().verify(&testing::network(), &committee);
    assert!(verified.is_ok(), "planted: nobody asked for the proof");
    let honest = testing::committee(4);
    assert!(forged.verify(&testing::network(), &honest).is_err());

    let refused = Possession {
        finality_key: difference,
        ..possession()
    };
    assert!(!refused.verify(&refused.prove(&attackers)));
}
