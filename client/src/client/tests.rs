use super::*;

#[test]
fn urls_of_nodes_are_read_and_others_refused_with_the_reason() {
    let name = |text| parse(text).map(|url| url.to_string());
    assert_eq!(name("http://h:80/weft").unwrap(), "http://h/weft/");
    assert_eq!(
        name("http://127.0.0.1:8080").unwrap(),
        "http://127.0.0.1:8080/"
    );
    for (text, reason) in [
        ("https://h", "\"https\""),
        ("127.0.0.1:8080", "relative URL"),
        ("http://h?x=1", "a query"),
        ("", "relative URL"),
    ] {
        let refused = parse(text).unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
    let none: [&str; 0] = [];
    assert!(matches!(Client::new(none), Err(ClientError::NoNodes)));
}

#[test]
fn nodes_on_this_machine_are_recognised() {
    for (text, expected) in [
        ("http://127.0.0.1:1", true),
        ("http://[::1]:1", true),
        ("http://localhost", true),
        ("http://192.0.2.1", false),
        ("http://localhost.example.org", false),
    ] {
        assert_eq!(is_loopback(&parse(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn pauses_double_within_their_bounds_and_heed_what_the_node_asks() {
    let options = Options::default();
    for round in 0..40 {
        let pause = options.pause(round, None);
        assert!(pause <= options.backoff_max);
        assert!(pause >= (options.backoff * (1 << round.min(16)) / 2).min(options.backoff_max));
    }
    let asked = Duration::from_secs(2);
    assert_eq!(options.pause(0, Some(asked)), asked);
    let too_long = Duration::from_secs(3_600);
    assert_eq!(options.pause(0, Some(too_long)), options.backoff_max);
}
