//! Releases of libp2p that have to be there: older ones have weaknesses that no advisory database
//! that our checks read knows of.

use std::collections::BTreeMap;

const AT_LEAST: [(&str, [u64; 3]); 2] = [("libp2p-gossipsub", [0, 50, 1]), ("yamux", [0, 14, 1])];

/// Every version of every package in the lock file.
fn locked() -> BTreeMap<String, Vec<[u64; 3]>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    let lockfile = std::fs::read_to_string(path).expect("the workspace's lock file");
    let value = |line: &str, key: &str| {
        let rest = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        rest.strip_suffix('"').map(str::to_owned)
    };
    let mut locked: BTreeMap<String, Vec<[u64; 3]>> = BTreeMap::new();
    let mut name = String::new();
    for line in lockfile.lines() {
        if let Some(found) = value(line, "name") {
            name = found;
        } else if let Some(version) = value(line, "version") {
            let release = version.split(['-', '+']).next().unwrap_or_default();
            let numbers: Vec<u64> = release.split('.').flat_map(str::parse).collect();
            let numbers = numbers.try_into().expect("three numbers");
            locked.entry(name.clone()).or_default().push(numbers);
        }
    }
    locked
}

#[test]
fn releases_with_known_weaknesses_are_not_used() {
    let locked = locked();
    for (name, least) in AT_LEAST {
        let versions = locked.get(name).expect("a dependency");
        assert!(
            versions.iter().all(|version| *version >= least),
            "{name} {versions:?} is older than {least:?}"
        );
    }
}
