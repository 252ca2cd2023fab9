//! `weft sim` as a script sees it: what it prints, and how it ends.

use serde_json::Value;
use std::process::{Command, Output};

fn sim(arguments: &[&str]) -> Output {
    let usual = [
        "--nodes", "4", "--rounds", "30", "--rate", "20", "--signer", "mock",
    ];
    sim_as([&usual, arguments].concat())
}

fn sim_as<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weft"))
        .arg("sim")
        .args(arguments)
        .output()
        .expect("weft runs")
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A command whose members come to disagree.
const DIVERGED: &str = "sim --nodes 4 --rounds 80 --rate 10 --latency uniform:20-200 --faults twins:2 \
                        --signer mock --settle 1s --seed 53";

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON object on stdout")
}

#[test]
fn a_clean_run_prints_its_figures_and_repeats() {
    let (first, again) = (sim(&["--json"]), sim(&["--json"]));
    assert_eq!(first.status.code(), Some(0));
    let (first, again) = (json(&first), json(&again));
    for name in [
        "nodes",
        "seed",
        "simulated_s",
        "wall_s",
        "rounds",
        "commits",
        "skipped",
        "diverged",
        "converged",
        "trace_hash",
        "submitted",
        "committed",
        "refused",
        "unsettled",
        "transactions",
        "transaction_latency_ms",
        "transaction_latency_delays",
        "commit_latency_ms",
        "commit_latency_delays",
        "bytes_sent_per_node",
        "cpu_s",
    ] {
        assert!(!first[name].is_null(), "{name}");
    }
    assert_eq!(first["trace_hash"], again["trace_hash"]);
    assert_eq!(
        (&first["diverged"], &first["converged"]),
        (&false.into(), &true.into())
    );
}

#[test]
fn wrong_use_is_code_2_and_names_the_cure() {
    for (arguments, part) in [
        (["--faults", "crush:1"], "known are crash"),
        (["--latency", "uniform:9-1"], "no range"),
        (["--latency", "/nonexistent.csv"], "known are loopback"),
        (["--leaders", "129"], "1..=128"),
        (["--two-delay", "34"], "0..=33"),
        (["--base", "often"], "such as 1s:4"),
        (["--faults", "silentposter"], "add --base"),
        (["--faults", "loss:0.5"], "no whole number"),
        (
            ["--faults", "crash:1@100s"],
            "begins after the end of the run",
        ),
        (["--seed", "-1"], "no whole number from 0 to"),
        (["--plot-from", "3"], "--plot <FILE.svg>"),
        (["--copies", "5"], "more than the 4 nodes"),
        (["--compare", "sizes"], "leave out --nodes"),
    ] {
        let output = sim(&arguments);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(words.contains(part), "{words}");
    }
}

#[test]
fn too_little_time_to_agree_is_code_4_with_the_command_that_shows_it_again() {
    let output = sim(&["--faults", "partition:2", "--settle", "1ms"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{words}");
    assert!(words.contains("weft sim --nodes 4 --rounds 30"), "{words}");
}

#[test]
fn a_comparison_that_is_not_drawn_is_not_asked_to_be() {
    let output = sim(&["--compare", "crimes", "--plot", "/nonexistent/x.svg"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains("not drawn"), "{words}");
}

/// Two of four run twice, more than the one that may be faulty.
#[test]
fn a_broken_rule_is_code_3_in_words_with_both_commits_and_marked_in_the_drawing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.svg");
    let output = Command::new(env!("CARGO_BIN_EXE_weft"))
        .args(DIVERGED.split(' '))
        .arg("--plot")
        .arg(&path)
        .output()
        .expect("weft runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(
        words.contains("two members disagree") && words.contains("another's is"),
        "{words}"
    );
    assert!(!words.contains("MemberSet") && !words.contains("Agreement"));
    let drawing = std::fs::read_to_string(path).expect("the drawing");
    assert!(drawing.contains("red ring: round") && drawing.contains(r#"<circle class="b""#));
}

#[test]
fn a_path_that_cannot_be_written_is_refused_before_the_run() {
    let output = sim(&["--plot", "/nonexistent/x.svg"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(words(&output.stderr).contains("/nonexistent/x.svg"));
}

#[test]
fn a_comparison_without_anybody_who_may_be_faulty_says_so() {
    let arguments = "--compare crimes --nodes 3 --rounds 20 --signer mock";
    let output = sim_as(arguments.split(' '));
    assert_eq!(output.status.code(), Some(0));
    assert!(words(&output.stderr).contains("of 3 members none may be faulty"));
}

#[test]
fn a_run_too_short_for_a_commit_speaks_of_no_faults() {
    for (arguments, part) in [
        ("--rate 0 --duration 1s", "nothing to commit"),
        ("--duration 100ms", "nothing was committed while the run"),
    ] {
        let whole = format!("--nodes 4 --signer mock {arguments}");
        let printed = words(&sim_as(whole.split(' ')).stdout);
        assert!(printed.contains(part), "{printed}");
        assert!(printed.contains("none") && !printed.contains("faults"));
    }
}

#[test]
fn many_runs_have_the_means_of_their_latencies_and_the_sums_of_the_rest() {
    let seeds = ["0", "1"].map(|seed| json(&sim(&["--seed", seed, "--json"])));
    let together = json(&sim(&["--runs", "2", "--json"]));
    for (name, of) in [
        ("transaction_latency_ms", "p90"),
        ("transaction_latency_delays", "p50"),
        ("commit_latency_ms", "p50"),
        ("commit_latency_delays", "p50"),
    ] {
        let figure = |report: &Value| report[name][of].as_f64().expect("a figure");
        let mean = seeds.iter().map(figure).sum::<f64>() / 2.0;
        let found = figure(&together);
        assert!((found - mean).abs() < 0.1, "{name}: {found}, not {mean}");
    }
    for name in ["skipped", "submitted", "committed", "refused", "unsettled"] {
        let figure = |report: &Value| report[name].as_u64().expect("a figure");
        let sum: u64 = seeds.iter().map(figure).sum();
        assert_eq!(figure(&together), sum, "{name}");
    }
}

#[test]
fn refused_transactions_have_their_reason() {
    let printed = words(&sim(&[]).stdout);
    assert!(printed.contains("were refused: a member takes none before"));
}

/// More than F are down for good: nothing can be committed, and that is said.
#[test]
fn a_stall_is_not_called_clean() {
    for (faults, part) in [
        (
            "crash:2",
            "2 of 4 members were down, more than the 1 that may be",
        ),
        (
            "crash:4",
            "4 of 4 members were down, more than the 1 that may be",
        ),
    ] {
        let output = sim(&["--faults", faults]);
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{words}");
        assert!(
            words.contains("NOTHING was committed") && words.contains(part),
            "{words}"
        );
        assert!(words.contains("a round is given 2 s") && !words.contains("clean"));
    }
}

#[test]
fn every_transaction_is_committed_refused_or_unsettled() {
    for faults in ["", "crash:1@500ms", "crash:4", "restart:2@1s"] {
        let report = json(&sim(&["--faults", faults, "--json"]));
        let of = |name: &str| report[name].as_u64().expect("a figure");
        let parts = of("committed") + of("refused") + of("unsettled");
        assert_eq!(of("submitted"), parts, "{faults}");
        assert!(of("submitted") > 0 && of("transactions") <= of("committed"));
    }
}

#[test]
fn a_drawing_begins_where_it_is_asked_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.svg");
    let path = path.to_str().expect("a plain path");
    assert_eq!(
        sim(&["--plot", path, "--plot-from", "7"]).status.code(),
        Some(0)
    );
    let drawing = std::fs::read_to_string(path).expect("the drawing");
    assert!(drawing.contains("rounds 7 to "));
    let beyond = sim(&["--plot", path, "--plot-from", "70000"]);
    assert_eq!(std::fs::read_to_string(path).ok(), Some(drawing));
    let none = folder.path().join("none.svg");
    let options = [
        "--plot",
        none.to_str().expect("a plain path"),
        "--plot-from",
        "70000",
    ];
    assert_eq!(sim(&options).status.code(), Some(2));
    assert!(!none.exists(), "nothing was drawn");
    let words = String::from_utf8_lossy(&beyond.stderr).into_owned();
    assert_eq!(beyond.status.code(), Some(2), "{words}");
    assert!(words.contains("nothing to draw from round 70000"));
}

#[test]
fn with_a_base_chain_a_run_prints_what_was_posted() {
    let plain = json(&sim(&["--json"]));
    assert!(plain["checkpoints"].is_null());
    let output = sim(&["--base", "500ms:2", "--json", "--faults", "silentposter:1"]);
    assert_eq!(output.status.code(), Some(0));
    let report = json(&output);
    let of = |name: &str| report["checkpoints"][name].as_u64().expect("a figure");
    assert!(of("posted") > 0 && of("anchored") == of("posted"));
    assert!(of("gas") > 0 && of("worst_delay_ms") > 0);
    assert_eq!((of("wasted"), of("alarms")), (0, 0));
}

#[test]
fn a_run_is_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.svg");
    let output = sim(&["--plot", path.to_str().expect("a plain path")]);
    assert_eq!(output.status.code(), Some(0));
    let drawing = std::fs::read_to_string(path).expect("the drawing");
    assert!(drawing.starts_with("<svg") && drawing.trim_end().ends_with("</svg>"));
    assert!(drawing.contains("class=\"c\""), "a committed leader");
}
