use super::*;
use weft_types::Amount;

fn read(text: &str) -> Result<OwnTemplate, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.json");
    fs::write(&path, text).unwrap();
    OwnTemplate::read(&path).map_err(|e| e.to_string())
}

#[test]
fn what_a_file_says_is_over_what_is_usual() {
    let text =
        r#"{"name": "cards", "params": {"validity_max_ms": 60000, "fees": {"per_item": 7}}}"#;
    let own = read(text).unwrap();
    let mut template = Template {
        name: "testnet".to_owned(),
        timestamp_ms: Millis(1),
        params: params(),
        accounts: Vec::new(),
    };
    own.apply(&mut template).unwrap();
    let usual = params();
    assert_eq!(template.name, "cards");
    assert_eq!(template.params.validity_max_ms, Millis(60_000));
    assert_eq!(template.params.fees.per_item, Amount(7));
    assert_eq!(template.params.fees.per_byte, usual.fees.per_byte);
    assert_eq!(template.params.gc_depth, usual.gc_depth);
}

#[test]
fn what_is_no_template_is_refused_with_the_reason() {
    for (text, reason) in [
        ("", "EOF"),
        ("{}", "missing field `name`"),
        (r#"{"name": ""}"#, "`name` is 1 to 64"),
        (r#"{"name": "a\u0007"}"#, "`name` is 1 to 64"),
        (r#"{"name": "a", "speed": 1}"#, "unknown field `speed`"),
        (
            r#"{"name": "a", "params": {"speed": 1}}"#,
            "unknown field `speed`",
        ),
        (
            r#"{"name": "a", "params": {"fees": {"per_word": 1}}}"#,
            "unknown field `per_word`",
        ),
        (
            r#"{"name": "a", "params": {"gc_depth": "x"}}"#,
            "invalid type",
        ),
        (
            r#"{"name": "a", "params": {"byzantine_percent": 50}}"#,
            "byzantine_percent is 50, not in",
        ),
        (
            r#"{"name": "a", "accounts": [{"address": "x", "balance": 1}]}"#,
            "template.json",
        ),
    ] {
        let refused = read(text).unwrap_err();
        assert!(refused.contains(reason), "{text}: {refused}");
    }
    let long = format!(r#"{{"name": "{}"}}"#, "a".repeat(1 << 20));
    assert!(read(&long).unwrap_err().contains("bytes"));
}

#[test]
fn the_usual_one_can_be_read_and_changes_nothing() {
    let usual = OwnTemplate::usual();
    let again = read(&serde_json::to_string_pretty(&usual).unwrap()).unwrap();
    assert_eq!(again, usual);
    let mut template = Template {
        name: setup::NAME.to_owned(),
        timestamp_ms: Millis(1),
        params: params(),
        accounts: Vec::new(),
    };
    let before = template.clone();
    usual.apply(&mut template).unwrap();
    assert_eq!(template, before);
}
