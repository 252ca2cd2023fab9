use super::*;

#[test]
fn an_address_survives_its_text() {
    let address = Address([7; 32]);
    let text = address.to_string();
    assert!(text.starts_with("weft1"), "{text}");
    assert_eq!(text.parse::<Address>(), Ok(address));
}

#[test]
fn one_changed_letter_of_an_address_is_refused() {
    let text = Address([7; 32]).to_string();
    for (i, letter) in text.char_indices().skip(5) {
        let other = if letter == 'q' { 'p' } else { 'q' };
        let mut changed = text.clone();
        changed.replace_range(i..=i, &other.to_string());
        assert!(changed.parse::<Address>().is_err(), "{changed}");
    }
}

#[test]
fn another_prefix_is_refused() {
    let foreign = bech32::encode::<bech32::Bech32m>(bech32::Hrp::parse("tari").unwrap(), &[7; 32]);
    assert!(foreign.unwrap().parse::<Address>().is_err());
}

#[test]
fn a_digest_is_read_with_and_without_0x_and_only_at_its_length() {
    let id = ItemId([0xab; 32]);
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(format!("0x{id}").parse(), Ok(id));
    let error = "abcd".parse::<ItemId>().unwrap_err();
    assert_eq!(error.to_string(), "ItemId has 2 bytes, not 32");
    assert!("zz".parse::<ItemId>().is_err());
}

#[test]
fn json_carries_numbers_as_numbers_and_digests_as_text() {
    assert_eq!(serde_json::to_string(&Round(5)).unwrap(), "5");
    let id = DealId([1; 32]);
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(json, format!("\"{id}\""));
    assert_eq!(serde_json::from_str::<DealId>(&json).unwrap(), id);
}
