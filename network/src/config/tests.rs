use super::*;
use weft_types::ed25519::SecretKey;

fn member(index: u32) -> Member {
    Member {
        index: MemberIndex(index),
        vertex_key: SecretKey::from_seed([index as u8; 32]).public().0,
        addresses: Vec::new(),
    }
}

/// Member 1 of three.
fn config() -> NetworkConfig {
    NetworkConfig {
        network_id: "00c0ffee".to_owned(),
        role: Role::Member(MemberIndex(1)),
        seed: IdentitySeed::new([1; 32]),
        listen: Vec::new(),
        committee: (0..3).map(member).collect(),
        limits: Limits::default(),
    }
}

fn check(config: &NetworkConfig) -> Result<Vec<MemberIndex>, String> {
    let own = identity::keypair(&config.seed).public().to_peer_id();
    let members = config.validate(own).map_err(|error| error.to_string())?;
    Ok(members.into_keys().collect())
}

/// The error after a change to a good configuration.
fn problem(change: impl FnOnce(&mut NetworkConfig)) -> String {
    let mut config = config();
    change(&mut config);
    check(&config).expect_err("a bad configuration")
}

#[test]
fn a_members_identity_is_its_vertex_key() {
    let seed = IdentitySeed::new([7; 32]);
    let vertex_key = SecretKey::from_seed([7; 32]).public().0;
    let peer = identity::keypair(&seed).public().to_peer_id();
    assert_eq!(identity::peer_of(&vertex_key), Some(peer));
}

#[test]
fn the_other_members_are_the_peers() {
    assert_eq!(check(&config()), Ok(vec![MemberIndex(0), MemberIndex(2)]));
}

#[test]
fn a_member_with_a_key_that_is_no_point_is_left_out() {
    let mut config = config();
    let no_point = (0..=255u8)
        .map(|first| {
            let mut key = [0; 32];
            key[0] = first;
            key
        })
        .find(|key| identity::peer_of(key).is_none())
        .expect("half of all encodings are no points");
    config.committee[2].vertex_key = no_point;
    assert_eq!(check(&config), Ok(vec![MemberIndex(0)]));
}

#[test]
fn bad_configurations_are_named() {
    let cases = [
        (
            problem(|c| c.network_id = "Weft".to_owned()),
            "network_id: \"Weft\" is not 1 to 64 lower-case hexadecimal digits",
        ),
        (
            problem(|c| c.network_id.clear()),
            "network_id: \"\" is not 1 to 64",
        ),
        (
            problem(|c| c.role = Role::Member(MemberIndex(3))),
            "committee: this node, member 3, is not in it",
        ),
        (
            problem(|c| c.role = Role::Member(MemberIndex(2))),
            "seed: the seed is not that of member 2",
        ),
        (
            problem(|c| c.role = Role::Observer),
            "seed: an observer may not use the key of member 1",
        ),
        (
            problem(|c| c.committee[2].index = MemberIndex(0)),
            "committee: member 0 is named twice",
        ),
        (
            problem(|c| c.committee[2].vertex_key = c.committee[0].vertex_key),
            "committee: members 0 and 2 have the same vertex key",
        ),
        (
            problem(|c| c.limits.outgoing_bytes_max = 1000),
            "outgoing_bytes_max: 1000 is below",
        ),
        (
            problem(|c| c.limits.frame_bytes_max = 0),
            "frame_bytes_max: 0 is not within 1..=",
        ),
        (
            problem(|c| c.limits.redial_max = std::time::Duration::from_millis(1)),
            "redial_max: 1ms is below redial_min, 100ms",
        ),
        (
            problem(|c| c.limits.silence_max = std::time::Duration::from_secs(9)),
            "silence_max: 9s is below twice ping_interval, 10s",
        ),
    ];
    for (found, expected) in cases {
        let expected = format!("network configuration: {expected}");
        assert!(found.starts_with(&expected), "{found}");
    }
}

#[test]
fn a_seed_is_not_shown() {
    assert_eq!(
        format!("{:?}", IdentitySeed::new([0x5a; 32])),
        "IdentitySeed(..)"
    );
}
