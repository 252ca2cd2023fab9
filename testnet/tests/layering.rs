//! The arrows between the crates run one way (ARCHITECTURE.md), siblings never import siblings, and
//! what is pure stays pure. Reads what cargo says, so that a wrong line in any manifest fails here.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// Each row may import the rows above it, also for its tests, and never its own row.
const ROWS: [&[&str]; 5] = [
    &["weft-types", "weft-http", "weft-keystore"],
    &[
        "weft-consensus",
        "weft-ledger",
        "weft-storage",
        "weft-network",
        "weft-basechain",
        "weft-client",
    ],
    &["weft-node"],
    &["weft-testnet"],
    &["weft-cli"],
];
/// A masternode is no client of another.
const NEVER: (&str, &str) = ("weft-node", "weft-client");

/// Crates without I/O, clock or async, and what would bring one of them in.
const PURE: [&str; 3] = ["weft-types", "weft-consensus", "weft-ledger"];
const IMPURE: [&str; 8] = [
    "tokio", "libp2p", "rocksdb", "axum", "alloy", "reqwest", "mio", "socket2",
];

/// Oldest versions without the known ways to crash a node from afar. RustSec lists none of them:
/// gossipsub GHSA-vrx6-jcp8-vm7m and its forerunners, yamux CVE-2026-31814 and CVE-2026-32314.
const AT_LEAST: [(&str, [u64; 3]); 2] = [("libp2p-gossipsub", [0, 50, 1]), ("yamux", [0, 14, 1])];

#[derive(Debug, Clone)]
struct Import {
    from: String,
    to: String,
    /// For tests alone.
    dev: bool,
    features: Vec<String>,
}

fn import(from: &str, to: &str) -> Import {
    Import {
        from: from.to_owned(),
        to: to.to_owned(),
        dev: false,
        features: Vec::new(),
    }
}

fn row(name: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&name))
}

/// One line for each import that is against the rules, and for each crate without a place.
fn violations(crates: &BTreeSet<String>, imports: &[Import]) -> Vec<String> {
    let mut found = Vec::new();
    for name in crates {
        if row(name).is_none() {
            found.push(format!("{name} has no place in the layering"));
        }
    }
    for Import {
        from,
        to,
        dev,
        features,
    } in imports
    {
        // A crate's own test helpers, for its tests outside `src`.
        let own = *dev && from == to;
        let down = row(to).is_some() && row(to) < row(from);
        let allowed = own || (down && (from.as_str(), to.as_str()) != NEVER);
        if !allowed {
            found.push(format!("{from} imports {to}"));
        }
        if !dev && features.iter().any(|f| f == "testing") {
            found.push(format!("{from} imports the test helpers of {to}"));
        }
    }
    found
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// The workspace's crates and their imports of each other, as the manifests have them.
fn workspace() -> (BTreeSet<String>, Vec<Import>) {
    let text = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Value = serde_json::from_str(&text).expect("cargo metadata is JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut crates = BTreeSet::new();
    let mut imports = Vec::new();
    for package in list(&metadata["packages"]) {
        crates.insert(text(&package["name"]));
        for dependency in list(&package["dependencies"]) {
            if dependency["path"].is_string() {
                imports.push(Import {
                    from: text(&package["name"]),
                    to: text(&dependency["name"]),
                    dev: dependency["kind"] == "dev",
                    features: list(&dependency["features"]).iter().map(text).collect(),
                });
            }
        }
    }
    (crates, imports)
}

/// Everything that a crate builds with, itself first.
fn tree(package: &str, edges: &str) -> Vec<String> {
    let text = cargo(&["tree", "-p", package, "-e", edges, "--prefix", "none"]);
    text.lines().map(str::to_owned).collect()
}

fn impure(tree: &[String]) -> Vec<&str> {
    let names = tree.iter().filter_map(|line| line.split(' ').next());
    names.filter(|name| IMPURE.contains(name)).collect()
}

/// The packages of a lock file that are older than they must be.
fn outdated(lock: &str) -> Vec<String> {
    let lock: toml::Table = lock.parse().expect("the lock file is TOML");
    let packages = lock["package"].as_array().expect("it lists packages");
    let mut old = Vec::new();
    for (name, least) in AT_LEAST {
        let versions = packages
            .iter()
            .filter(|p| p["name"].as_str() == Some(name))
            .filter_map(|p| p["version"].as_str());
        let mut present = false;
        for version in versions {
            present = true;
            let numbers: Vec<u64> = version.split('.').map_while(|n| n.parse().ok()).collect();
            if numbers < least.to_vec() {
                old.push(format!("{name} {version}"));
            }
        }
        if !present {
            old.push(format!(
                "{name} is not there: look whether this check is still needed"
            ));
        }
    }
    old
}

#[test]
fn no_crate_imports_against_the_arrows() {
    let (crates, imports) = workspace();
    let known: BTreeSet<String> = ROWS.concat().into_iter().map(str::to_owned).collect();
    assert_eq!(crates, known);
    let none: [String; 0] = [];
    assert_eq!(violations(&crates, &imports), none);
}

#[test]
fn the_check_finds_planted_imports() {
    let (mut crates, real) = workspace();
    assert!(
        real.iter()
            .any(|i| i.from == "weft-cli" && i.to == "weft-testnet")
    );
    let planted = |from, to| {
        let mut imports = real.clone();
        imports.push(import(from, to));
        violations(&crates, &imports)
    };
    for (from, to) in [
        ("weft-types", "weft-consensus"),
        ("weft-ledger", "weft-storage"),
        ("weft-client", "weft-node"),
        ("weft-node", "weft-client"),
        ("weft-testnet", "weft-cli"),
    ] {
        assert_eq!(planted(from, to), [format!("{from} imports {to}")]);
    }
    let helpers = Import {
        features: vec!["testing".to_owned()],
        ..import("weft-node", "weft-types")
    };
    assert_eq!(
        violations(&crates, std::slice::from_ref(&helpers)),
        ["weft-node imports the test helpers of weft-types"]
    );
    let none: [String; 0] = [];
    assert_eq!(
        violations(
            &crates,
            &[Import {
                dev: true,
                ..helpers
            }]
        ),
        none
    );
    crates.insert("weft-loom".to_owned());
    assert_eq!(
        violations(&crates, &real),
        ["weft-loom has no place in the layering"]
    );
}

#[test]
fn pure_crates_reach_no_socket_no_disk_and_no_runtime() {
    for package in PURE {
        let tree = tree(package, "normal,build");
        assert!(tree[0].starts_with(package), "{tree:?}");
        assert!(impure(&tree).is_empty(), "{package}: {:?}", impure(&tree));
    }
    let node = tree("weft-node", "normal,build");
    assert!(
        impure(&node).contains(&"tokio"),
        "the check sees tokio where it is"
    );
}

#[test]
fn the_binary_is_built_without_test_helpers() {
    let tree = tree("weft-cli", "normal,build,features");
    let ours = |feature: &str| {
        let named = tree.iter().filter(|line| line.starts_with("weft-"));
        named.filter(|line| line.contains(feature)).count()
    };
    assert!(ours(" feature \"default\"") > 0, "cargo names features so");
    assert_eq!(ours(" feature \"testing\""), 0);
}

/// The libraries that tests build with other features than users do, hence a second time.
fn built_twice(normal: &[String], tests: &[String]) -> Vec<String> {
    let name = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    let shared: BTreeSet<String> = normal.iter().map(name).collect();
    let lines: BTreeSet<&str> = normal.iter().map(|l| l.trim_end_matches(" (*)")).collect();
    let differing = tests.iter().filter(|line| {
        let name = name(line);
        shared.contains(&name) && !name.starts_with("weft-")
    });
    let differing = differing.map(|line| line.trim_end_matches(" (*)"));
    let differing: BTreeSet<&str> = differing.filter(|line| !lines.contains(line)).collect();
    differing.into_iter().map(str::to_owned).collect()
}

#[test]
fn tests_build_with_the_libraries_that_users_build_with() {
    let features = |edges| {
        let lines = cargo(&[
            "tree",
            "--workspace",
            "-e",
            edges,
            "--prefix",
            "none",
            "-f",
            "{p} {f}",
        ]);
        lines.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let normal = features("normal,build");
    let none: [String; 0] = [];
    assert_eq!(built_twice(&normal, &features("normal,build,dev")), none);
    let planted = ["serde_json v1.0.1 std,unbounded_depth".to_owned()];
    assert_eq!(built_twice(&normal, &planted), planted);
}

#[test]
fn libraries_with_known_remote_crashes_are_new_enough() {
    let lock = include_str!("../../Cargo.lock");
    let none: [String; 0] = [];
    assert_eq!(outdated(lock), none);
    let planted = format!("{lock}\n[[package]]\nname = \"yamux\"\nversion = \"0.13.9\"\n");
    assert_eq!(outdated(&planted), ["yamux 0.13.9"]);
}
