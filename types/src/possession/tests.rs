use super::*;
use crate::testing::{finality_key, vertex_key};

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
