use super::*;
use crate::testing::{genesis, user, user_key};

#[test]
fn a_genesis_survives_its_json() {
    let genesis = genesis(4);
    assert_eq!(Genesis::from_json(&genesis.to_json()), Ok(genesis));
}

#[test]
fn a_changed_parameter_no_longer_fits_the_network() {
    let mut genesis = genesis(4);
    genesis.template.params.gc_depth += 1;
    let error = Genesis::from_json(&genesis.to_json()).unwrap_err();
    assert!(matches!(error, GenesisError::Digest { .. }), "{error}");
}

#[test]
fn a_value_out_of_range_is_named() {
    let mut template = genesis(4).template;
    template.params.finality_interval_ms = Millis(0);
    assert_eq!(
        template.validate().unwrap_err().to_string(),
        "genesis: finality_interval_ms is 0, not in 1..=60000"
    );
}

#[test]
fn an_account_twice_and_an_impossible_supply_are_refused() {
    let account = |n, balance| GenesisAccount {
        address: Address([n; 32]),
        balance: Amount(balance),
    };
    let mut template = genesis(4).template;
    template.accounts = vec![account(1, 5), account(1, 5)];
    assert_eq!(
        template.validate(),
        Err(GenesisError::DuplicateAccount(Address([1; 32])))
    );
    template.accounts = vec![account(1, u64::MAX), account(2, 1)];
    assert_eq!(template.validate(), Err(GenesisError::Supply));
}

#[test]
fn an_unknown_field_is_refused() {
    let text = genesis(4)
        .to_json()
        .replacen("\"gc_depth\"", "\"gc_deepness\"", 1);
    assert!(matches!(
        Genesis::from_json(&text),
        Err(GenesisError::Malformed(_))
    ));
}

#[test]
fn a_fee_grows_with_operations_bytes_and_items_and_never_wraps() {
    let fees = ProtocolParams::default().fees;
    assert_eq!(fees.fee(2, 300, 5), Amount(100 + 2 * 50 + 300 + 5 * 10));
    assert_eq!(fees.fee(1, 200, u64::MAX), Amount::MAX);
}

#[test]
fn a_fee_is_for_operations_bytes_and_minted_items() {
    let mint = Operation::Mint {
        entries: vec![crate::MintEntry {
            edition: crate::EditionId([3; 32]),
            to: user(1),
            count: 5,
        }],
    };
    let mut body = crate::testing::body(1, 1, vec![mint]);
    let fees = ProtocolParams::default().fees;
    let mut charged = |entries| {
        body.deal_entries = entries;
        let transaction = body.sign(&[&user_key(1)]);
        let bytes = transaction.charged_bytes();
        assert_eq!(fees.of(&transaction), fees.fee(1, bytes, 5));
        bytes - body.encode().len() as u64
    };
    // The signature, and each entry of a deal that it may reach.
    assert_eq!((charged(0), charged(3)), (104, 104 + 3 * 40));
}
