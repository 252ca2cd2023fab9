use super::*;
use std::os::unix::fs::PermissionsExt as _;
use weft_basechain::testing::signed;

const CHAIN: u64 = 1;

/// A transaction of account `key`, which pays `value`.
fn transaction(key: u8, nonce: u64, value: u128) -> Signed {
    signed([key; 32], CHAIN, nonce, value)
}

fn account(key: u8) -> BaseAddress {
    BaseAddress(transaction(key, 0, 0).account())
}

fn open(folder: &Path) -> Result<Outbox, Failure> {
    let path = folder.join("deep/file.json");
    Outbox::at(&folder.join("deep"), path, CHAIN, account(7))
}

#[test]
fn what_is_added_is_there_for_the_next_command_and_gone_when_it_is_over() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/file.json");
    let mut outbox = open(home.path()).unwrap();
    let (first, second) = (transaction(7, 4, 1), transaction(7, 4, 2));
    outbox.add("top-up", first.clone()).unwrap();
    outbox.add("deposit", second.clone()).unwrap();
    drop(outbox);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);

    let mut outbox = open(home.path()).unwrap();
    assert_eq!(outbox.signed(), [first, second]);
    assert_eq!(outbox.what(), "deposit");
    // Another nonce is another story.
    let third = transaction(7, 5, 1);
    outbox.add("exit", third.clone()).unwrap();
    drop(outbox);
    let mut outbox = open(home.path()).unwrap();
    assert_eq!(outbox.signed(), [third]);
    outbox.clear().unwrap();
    drop(outbox);
    assert!(!path.exists());
}

#[test]
fn an_account_is_sent_for_by_one_command_at_a_time() {
    let home = tempfile::tempdir().unwrap();
    let outbox = open(home.path()).unwrap();
    let refused = open(home.path()).unwrap_err();
    assert!(refused.message.contains("another command"), "{refused:?}");
    drop(outbox);
    open(home.path()).unwrap();
}

#[test]
fn a_line_that_a_crash_cut_short_was_never_sent() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/file.json");
    let whole = transaction(7, 4, 1);
    let mut outbox = open(home.path()).unwrap();
    outbox.add("top-up", whole.clone()).unwrap();
    outbox.add("top-up", transaction(7, 4, 2)).unwrap();
    drop(outbox);
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() - 9]).unwrap();
    let mut outbox = open(home.path()).unwrap();
    assert_eq!(outbox.signed(), [whole]);
    outbox.add("top-up", transaction(7, 4, 3)).unwrap();
    drop(outbox);
    assert_eq!(open(home.path()).unwrap().signed().len(), 2);
}

#[test]
fn a_file_that_is_not_the_accounts_is_refused_and_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/file.json");
    let mut outbox = open(home.path()).unwrap();
    outbox.add("top-up", transaction(7, 4, 1)).unwrap();
    drop(outbox);
    let good = fs::read_to_string(&path).unwrap();
    let hex_of = |signed: &Signed| hex::encode(signed.encoded());
    let own = hex_of(&transaction(7, 4, 1));
    let with = |raw: &str| good.replace(&own, raw);
    let other_chain = signed([7; 32], CHAIN + 1, 4, 1);
    for (text, words) in [
        (with(&hex_of(&transaction(8, 4, 1))), "another account's"),
        (with(&hex_of(&other_chain)), "another chain"),
        (with("02ff"), "cannot be read"),
        (good.replace("\"format\":1", "\"format\":2"), "format 2"),
        (
            format!("{good}{}", with(&hex_of(&transaction(7, 5, 1)))),
            "several nonces",
        ),
        (good.repeat(SIGNED_MAX + 1), "more than 8 transactions"),
        ("{}\n".to_owned(), "missing field"),
        ("x".repeat(BYTES_MAX as usize + 1), "bytes"),
    ] {
        fs::write(&path, &text).unwrap();
        let refused = open(home.path()).unwrap_err();
        assert!(refused.message.contains(words), "{words}: {refused:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn one_nonce_is_signed_for_a_few_times_only() {
    let home = tempfile::tempdir().unwrap();
    let mut outbox = open(home.path()).unwrap();
    for value in 0..SIGNED_MAX as u128 {
        outbox.add("top-up", transaction(7, 4, value)).unwrap();
    }
    let refused = outbox.add("top-up", transaction(7, 4, 99)).unwrap_err();
    assert!(refused.message.contains("signed 8 times"), "{refused:?}");
    drop(outbox);
    assert_eq!(open(home.path()).unwrap().signed().len(), SIGNED_MAX);
}
