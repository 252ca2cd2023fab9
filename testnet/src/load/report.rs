//! The figures of a load. The names of the fields are a contract.

use super::book::Book;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// What `weft testnet load --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Transactions whose time came while the load ran.
    pub offered: u64,
    /// Of those, taken by a node.
    pub submitted: u64,
    /// Of those, applied, as the client's node said.
    pub committed: u64,
    /// Of those, covered by a certificate.
    pub certified: u64,
    /// Rejected, refused, expired, or without an outcome at the end.
    pub failed: u64,
    /// Transactions a second: committed, over the time until the slowest node had executed all.
    pub tps: f64,
    /// From the moment at which each transaction was to be sent.
    pub latency_ms: Latencies,
    /// Processor time of all nodes together, in seconds of one core.
    pub cpu_s: f64,
    /// The largest resident memory of a node, in MiB.
    pub rss_mb_max: u64,
    /// Gas used by checkpoints meanwhile.
    pub base_gas: u64,
    /// Client signatures a second that the machine can check, shared by the nodes.
    pub verify_limit_tps: f64,
    pub of_limit: f64,
    /// Submission to committed of the transactions that were to be sent in each second of the load:
    /// what a fault cost, and when it was over.
    pub per_second: Vec<Quantiles>,
    /// Of mixes after which it is counted: what all accounts of the load hold, as before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conserved: Option<Conservation>,
    /// Why transactions failed, with how many.
    #[serde(skip)]
    pub reasons: BTreeMap<String, u64>,
    /// What the nodes' states came to.
    #[serde(skip)]
    pub agreement: Agreement,
}

/// What was counted through the API before and after a load, and was the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conservation {
    /// Of the native asset, as a text: it may not fit a JSON number.
    pub coin: String,
    pub items: u64,
    /// That are open in the end.
    pub deals: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latencies {
    pub committed: Quantiles,
    pub certified: Quantiles,
}

/// Milliseconds; `null` without a single sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Quantiles {
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub p99: Option<f64>,
    pub max: Option<f64>,
}

/// How the nodes' state roots compare after the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// All nodes that are up have this root at this height.
    Equal { height: u64, state_root: String },
    /// Two nodes have different roots at one height.
    Different(String),
    /// The nodes did not come to one height in time.
    Unknown(String),
}

impl Quantiles {
    pub fn of(latencies: &Histogram<u64>) -> Self {
        let at = |quantile| {
            let value = latencies.value_at_quantile(quantile);
            (!latencies.is_empty()).then(|| two_places(value as f64 / 1_000.0))
        };
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: at(1.0),
        }
    }
}

impl Latencies {
    pub fn of(book: &Book) -> Self {
        let (committed, certified) = book.latencies();
        Self {
            committed: Quantiles::of(committed),
            certified: Quantiles::of(certified),
        }
    }
}

/// Figures are measured, and have no more places than that.
pub fn two_places(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_in_milliseconds_and_null_without_samples() {
        let mut latencies = Histogram::new_with_bounds(1, 600_000_000, 3).unwrap();
        assert_eq!(Quantiles::of(&latencies), Quantiles::default());
        for ms in 1..=100 {
            latencies.record(ms * 1_000).unwrap();
        }
        let quantiles = Quantiles::of(&latencies);
        let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 0.1;
        assert!(close(quantiles.p50, 50.0) && close(quantiles.p99, 99.0));
        assert!(close(quantiles.max, 100.0), "{quantiles:?}");
    }

    #[test]
    fn the_fields_are_those_of_the_contract() {
        let report = Report {
            offered: 1,
            submitted: 1,
            committed: 1,
            certified: 1,
            failed: 0,
            tps: 1.0,
            latency_ms: Latencies {
                committed: Quantiles::default(),
                certified: Quantiles::default(),
            },
            cpu_s: 0.5,
            rss_mb_max: 1,
            base_gas: 1,
            verify_limit_tps: 2.0,
            of_limit: 0.5,
            per_second: Vec::new(),
            conserved: None,
            reasons: BTreeMap::new(),
            agreement: Agreement::Unknown(String::new()),
        };
        let json = serde_json::to_value(report).unwrap();
        let mut names: Vec<&str> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        names.sort_unstable();
        let expected = "base_gas certified committed cpu_s failed latency_ms of_limit offered \
                        per_second rss_mb_max submitted tps verify_limit_tps";
        assert_eq!(names.join(" "), expected);
        let quantiles = json["latency_ms"]["committed"].as_object().unwrap();
        assert_eq!(
            quantiles.keys().collect::<Vec<_>>(),
            ["max", "p50", "p90", "p99"]
        );
    }
}
