use super::*;

fn load(
    toml: &str,
    environment: &[(&str, &str)],
    flags: &[Override],
) -> Result<NodeConfig, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(CONFIG_FILE), toml).unwrap();
    let environment = environment.iter().map(|(k, v)| (k.into(), v.into()));
    NodeConfig::load_with(folder.path(), environment, flags).map_err(|e| e.to_string())
}

#[test]
fn flags_are_stronger_than_the_environment_and_that_than_the_file() {
    let file = "name = 'file'\nbase_rpc = 'http://file'\nlog = 'file'";
    let environment = [("WEFT_BASE_RPC", "http://env"), ("WEFT_LOG", "env")];
    let config = load(file, &environment, &[("log", "flag".to_owned())]).unwrap();
    assert_eq!(config.name, "file");
    assert_eq!(config.base_rpc, "http://env");
    assert_eq!(config.log, "flag");
}

#[test]
fn paths_are_relative_to_the_folder_of_the_file() {
    let config = load("genesis = 'g.json'\nkeys = '/etc/weft/keys'", &[], &[]).unwrap();
    assert!(config.genesis.is_absolute() && config.genesis.ends_with("g.json"));
    assert_eq!(config.keys, Path::new("/etc/weft/keys"));
}

#[test]
fn numbers_come_from_the_environment_too() {
    let config = load("", &[("WEFT_API_RATE_MAX", "7")], &[]).unwrap();
    assert_eq!(config.api_rate_max.get(), 7);
}

#[test]
fn variables_that_are_no_settings_are_ignored_and_named_with_the_nearest_one() {
    assert!(load("", &[("WEFT_API_LISTN", "here")], &[]).is_ok());
    let names = [
        "WEFT_API_LISTN",
        "WEFT_SERVICE_HOST",
        "WEFT_ANVIL",
        "WEFT_LOG",
        "HOME",
    ];
    let names = names.map(OsString::from).into_iter();
    let unknown = unknown_among(names, &["WEFT_ANVIL"]);
    let shown: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "WEFT_API_LISTN is no setting of a node and is ignored; was WEFT_API_LISTEN meant?",
            "WEFT_SERVICE_HOST is no setting of a node and is ignored",
        ]
    );
}

#[test]
fn variables_that_are_no_unicode_are_refused_only_where_they_are_settings() {
    use std::os::unix::ffi::OsStringExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(CONFIG_FILE), "").unwrap();
    let with = |name: &str| {
        let value = OsString::from_vec(vec![0xff]);
        let environment = [(OsString::from(name), value)].into_iter();
        NodeConfig::load_with(folder.path(), environment, &[])
    };
    assert!(with("OTHER").is_ok());
    let refused = with("WEFT_NAME").unwrap_err().to_string();
    assert!(refused.starts_with("WEFT_NAME"), "{refused}");
}

/// A value of each setting that cannot be used, and a part of the reason.
const WRONG: [(&str, &str, &str); 9] = [
    ("reporter", "0x12", "no address"),
    ("name", "", "length"),
    ("api_listen", "here", "socket address"),
    ("p2p_listen", "here", "multiaddr"),
    ("p2p_listen", "/ip4/127.0.0.1/udp/7", "tcp/PORT"),
    ("base_rpc", "no url", "no http or https URL"),
    ("base_rpc", "ftp://x", "the scheme must be http or https"),
    ("log_format", "xml", "neither \"pretty\" nor \"json\""),
    ("log", "=", "filter"),
];

#[test]
fn a_wrong_value_is_blamed_on_its_source_with_the_reason_and_the_default() {
    for (key, value, reason) in WRONG {
        let usual = usual(key);
        let has = |refused: &str, origin: &str| {
            for part in [origin, reason] {
                assert!(refused.contains(part), "{part:?} in {refused}");
            }
        };
        let file = load(&format!("\n{key} = {value:?}"), &[], &[]).unwrap_err();
        has(&file, CONFIG_FILE);
        assert!(file.contains(key), "{file}");
        let variable = format!("WEFT_{}", key.to_uppercase());
        let refused = load("", &[(&variable, value)], &[]).unwrap_err();
        has(&refused, &format!("{variable}={value:?}: "));
        assert!(refused.contains(&usual), "{refused}");
        let refused = load("", &[], &[(key, value.to_owned())]).unwrap_err();
        has(
            &refused,
            &format!("--{}={value:?}: ", key.replace('_', "-")),
        );
    }
}

#[test]
fn numbers_out_of_range_are_named_with_the_range() {
    let small = load("", &[("WEFT_MEMPOOL_BYTES_MAX", "5")], &[]).unwrap_err();
    assert!(small.contains("1048576 to 4294967296"), "{small}");
    let none = load("api_rate_max = 0", &[], &[]).unwrap_err();
    assert!(none.contains("api_rate_max"), "{none}");
}

#[test]
fn a_wrong_file_is_shown_with_its_line() {
    for toml in ["name = 'x'\nnmae = 'x'", "name = 'x'\n[[["] {
        let refused = load(toml, &[], &[]).unwrap_err();
        assert!(
            refused.contains("weft.toml: TOML parse error at line 2"),
            "{refused}"
        );
    }
    let missing = NodeConfig::load(Path::new("/nonexistent"), &[]).unwrap_err();
    assert!(missing.to_string().contains("weft node init"), "{missing}");
}

#[test]
fn the_default_survives_its_own_text() {
    let text = NodeConfig::default().to_toml();
    assert_eq!(load(&text, &[], &[]).unwrap().name, "weft");
}
