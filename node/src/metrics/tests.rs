use super::*;
use std::collections::BTreeSet;

/// Names with their families' suffixes, as a scraper sees them.
fn names(metrics: &Metrics) -> BTreeSet<String> {
    let mut text = String::new();
    text::encode(&mut text, &metrics.registry).unwrap();
    let types = text.lines().filter_map(|l| l.strip_prefix("# TYPE "));
    types
        .map(|line| match line.split_once(' ') {
            Some((name, "counter")) => format!("{name}_total"),
            Some((name, _)) => name.to_owned(),
            None => panic!("a TYPE line without a type: {line}"),
        })
        .collect()
}

#[test]
fn the_documentation_lists_exactly_the_metrics_there_are() {
    let document = include_str!("../../../docs/spec/api.md");
    let listed: BTreeSet<String> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `weft_")?.split('`').next())
        .map(|name| format!("weft_{name}"))
        .collect();
    let metrics = Metrics::new();
    metrics.request("GET", "/v1/status", 200, Duration::ZERO);
    assert_eq!(listed, names(&metrics));
}

#[test]
fn what_is_fed_is_rendered() {
    let metrics = Metrics::new();
    metrics.committed(3, 1, Duration::from_millis(2));
    metrics.request("GET", "/v1/status", 200, Duration::from_millis(1));
    let mut text = String::new();
    text::encode(&mut text, &metrics.registry).unwrap();
    for line in [
        "weft_commits_total 1",
        "weft_transactions_total{result=\"applied\"} 3",
        "weft_http_requests_total{method=\"GET\",route=\"/v1/status\",status=\"200\"} 1",
        "weft_execute_seconds_count 1",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

#[test]
fn a_running_process_has_resident_memory() {
    assert!(resident_bytes() > 1 << 20);
}
