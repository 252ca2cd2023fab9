use super::*;
use crate::config::IdentitySeed;
use crate::identity::keypair;

fn peer(number: u8) -> PeerId {
    keypair(&IdentitySeed::new([number; 32]))
        .public()
        .to_peer_id()
}

fn from(host: &str) -> Multiaddr {
    format!("{host}/tcp/4000").parse().expect("an address")
}

fn id(number: usize) -> ConnectionId {
    ConnectionId::new_unchecked(number)
}

/// Peer 1 is a member.
fn admission() -> Behaviour {
    let limits = Limits {
        handshakes_per_address_max: 2,
        outsiders_max: 3,
        outsiders_per_address_max: 2,
        connections_per_peer_max: 2,
        ..Limits::default()
    };
    let members = Peers::default();
    members.set([peer(1)]);
    Behaviour::new(members, &limits)
}

#[test]
fn one_address_cannot_take_all_handshakes() {
    let mut admission = admission();
    let (one, other) = (from("/ip4/10.0.0.1"), from("/ip4/10.0.0.2"));
    assert_eq!(admission.greet(id(1), &one), Ok(()));
    assert_eq!(admission.greet(id(2), &one), Ok(()));
    assert_eq!(admission.greet(id(3), &one), Err(Refused::Handshakes(2)));
    assert_eq!(admission.greet(id(4), &other), Ok(()));
    admission.handshakes.leave(id(1));
    assert_eq!(admission.greet(id(5), &one), Ok(()));
}

#[test]
fn handshakes_from_many_addresses_are_bounded() {
    let mut admission = admission();
    for number in 0..8 {
        let host = from(&format!("/ip4/10.0.0.{number}"));
        assert_eq!(admission.greet(id(number), &host), Ok(()));
    }
    let host = from("/ip4/10.0.1.1");
    assert_eq!(
        admission.greet(id(9), &host),
        Err(Refused::AllHandshakes(8))
    );
}

#[test]
fn outsiders_are_bounded_per_address_and_in_all_and_members_are_not() {
    let mut admission = admission();
    let (one, two) = (from("/ip4/10.0.0.1"), from("/ip4/10.0.0.2"));
    admission.stands(id(1), peer(11), &one);
    admission.stands(id(2), peer(12), &one);
    assert_eq!(admission.admit(&peer(13), &one), Err(Refused::Address(2)));
    assert_eq!(admission.admit(&peer(13), &two), Ok(()));
    admission.stands(id(3), peer(13), &two);
    assert_eq!(admission.admit(&peer(14), &two), Err(Refused::Outsiders(3)));
    assert_eq!(admission.admit(&peer(1), &one), Ok(()));

    admission.ended(id(1), peer(11));
    assert_eq!(admission.admit(&peer(14), &two), Ok(()));
    assert_eq!(admission.outsiders(), 2);
}

#[test]
fn connections_of_one_peer_are_bounded_for_members_too() {
    let mut admission = admission();
    let host = from("/ip4/10.0.0.1");
    admission.stands(id(1), peer(1), &host);
    assert_eq!(admission.admit(&peer(1), &host), Ok(()));
    admission.stands(id(2), peer(1), &host);
    assert_eq!(admission.admit(&peer(1), &host), Err(Refused::Peer(2)));
    admission.ended(id(1), peer(1));
    assert_eq!(admission.admit(&peer(1), &host), Ok(()));
}

#[test]
fn nothing_is_remembered_of_peers_that_left() {
    let mut admission = admission();
    for number in 0..200 {
        let host = from(&format!("/ip6/2001:db8:{number}::1"));
        admission.greet(id(number), &host).expect("a free place");
        admission.handshakes.leave(id(number));
        admission.stands(id(number), peer(number as u8), &host);
        admission.ended(id(number), peer(number as u8));
    }
    assert!(admission.peers.is_empty());
    for places in [&admission.handshakes, &admission.outsiders] {
        assert!(places.all.is_empty() && places.per_address.is_empty());
    }
}

#[test]
fn one_customers_ipv6_addresses_count_as_one() {
    let mut admission = admission();
    for number in 1..=2 {
        let host = from(&format!("/ip6/2001:db8::{number}"));
        admission.stands(id(number), peer(10 + number as u8), &host);
    }
    let host = from("/ip6/2001:db8::dead:beef");
    assert_eq!(admission.admit(&peer(20), &host), Err(Refused::Address(2)));
}
