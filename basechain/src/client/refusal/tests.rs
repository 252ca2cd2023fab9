use super::*;
use crate::client::abi::{manager::CheckpointManager, registry::MasternodeRegistry};
use alloy::primitives::{Address, B256};
use alloy::sol_types::SolError as _;

#[test]
fn errors_of_both_contracts_are_decoded_with_their_figures() {
    let quorum = CheckpointManager::QuorumNotReached {
        signed: 2,
        total: 3,
    };
    let refusal = Refusal::decode(&quorum.abi_encode());
    assert_eq!(refusal.to_string(), "QuorumNotReached(signed: 2, total: 3)");
    assert_eq!(refusal.argument("total"), Some("3"));
    assert_eq!(refusal.argument("others"), None);

    let root = CheckpointManager::ZeroRoot {
        field: "stateRoot".to_owned(),
    };
    assert_eq!(
        Refusal::decode(&root.abi_encode()).to_string(),
        "ZeroRoot(field: stateRoot)"
    );

    let key = MasternodeRegistry::DuplicateVertexKey {
        vertexKey: B256::repeat_byte(0xab),
        id: 3,
    };
    let expected = format!(
        "DuplicateVertexKey(vertexKey: 0x{}, id: 3)",
        "ab".repeat(32)
    );
    assert_eq!(Refusal::decode(&key.abi_encode()).to_string(), expected);

    let outsider = MasternodeRegistry::NotGenesisOperator {
        sender: Address::ZERO,
    };
    let expected = format!("NotGenesisOperator(sender: {})", Address::ZERO);
    assert_eq!(
        Refusal::decode(&outsider.abi_encode()).to_string(),
        expected
    );
}

#[test]
fn what_is_no_known_error_is_shown_as_it_came() {
    assert_eq!(
        Refusal::decode(&[]).to_string(),
        "Reverted(reason: none given)"
    );
    assert_eq!(
        Refusal::decode(&[1, 2]).to_string(),
        "UnknownError(reason: 0x0102)"
    );
    let long = Refusal::decode(&[7; 500]).to_string();
    assert_eq!(
        long,
        format!("UnknownError(reason: 0x{})", "07".repeat(UNKNOWN_BYTES_MAX))
    );
    let cut = &CheckpointManager::QuorumNotReached {
        signed: 2,
        total: 3,
    }
    .abi_encode()[..20];
    assert!(
        Refusal::decode(cut)
            .to_string()
            .starts_with("UnknownError(reason: 0x")
    );
    let reason = alloy::sol_types::Revert::from("no");
    assert_eq!(
        Refusal::decode(&reason.abi_encode()).to_string(),
        "Error(reason: no)"
    );
}
