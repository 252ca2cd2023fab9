use super::*;

fn address(text: &str) -> Multiaddr {
    text.parse().expect("a multiaddress")
}

#[test]
fn a_host_and_a_tcp_port_are_usable_and_nothing_else() {
    let peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    for good in [
        "/ip4/127.0.0.1/tcp/0".to_owned(),
        "/ip6/::1/tcp/4000".to_owned(),
        "/dns4/node-1.example/tcp/4000".to_owned(),
        format!("/dns/node-1.example/tcp/4000/p2p/{peer}"),
    ] {
        assert!(usable(&address(&good)), "{good}");
    }
    for bad in [
        "/ip4/127.0.0.1".to_owned(),
        "/ip4/127.0.0.1/udp/4000/quic-v1".to_owned(),
        "/ip4/127.0.0.1/tcp/4000/ws".to_owned(),
        "/tcp/4000".to_owned(),
        format!("/ip4/127.0.0.1/tcp/4000/p2p/{peer}/p2p-circuit"),
    ] {
        assert!(!usable(&address(&bad)), "{bad}");
    }
}

#[test]
fn the_origin_is_an_ipv4_address_or_an_ipv6_network() {
    let cases = [
        ("/ip4/10.1.2.3/tcp/1", "10.1.2.3"),
        ("/ip6/2001:db8:1:2:3:4:5:6/tcp/1", "2001:db8:1:2::"),
        ("/ip6/::ffff:10.1.2.3/tcp/1", "10.1.2.3"),
    ];
    for (from, expected) in cases {
        let expected: IpAddr = expected.parse().expect("an IP address");
        assert_eq!(origin(&address(from)), Some(expected));
    }
    assert_eq!(origin(&address("/dns/localhost/tcp/1")), None);
}

#[tokio::test]
async fn names_are_resolved_and_addresses_kept() {
    let found = resolve(vec![
        address("/dns4/localhost/tcp/4000"),
        address("/ip4/10.0.0.1/tcp/4001"),
    ])
    .await;
    assert!(found.contains(&address("/ip4/10.0.0.1/tcp/4001")));
    assert!(found.iter().any(|found| {
        socket(found).is_some_and(|socket| socket.ip().is_loopback() && socket.port() == 4000)
    }));
}

#[test]
fn what_a_member_names_can_be_dialled() {
    let good = [
        "/ip4/127.0.0.1/tcp/7700",
        "/dns4/node.example.org/tcp/7700,http://node.example.org:8080",
        "/ip6/::1/tcp/1, /dns/a/tcp/2",
    ];
    for text in good {
        assert_eq!(check_addresses(text), Ok(()), "{text}");
    }
    let many = ["/ip4/127.0.0.1/tcp/1"; ADDRESSES_PER_MEMBER_MAX + 1].join(",");
    for (text, word) in [
        ("", "no address"),
        ("127.0.0.1:7700", "no address"),
        ("/ip4/127.0.0.1/udp/7700", "no address"),
        ("/ip4/127.0.0.1/tcp/7700,", "no address"),
        ("/ip4/0.0.0.0/tcp/7700", "nowhere"),
        ("/ip4/127.0.0.1/tcp/0", "nowhere"),
        ("http://a", "none of them"),
        ("http://a,http://b,/ip4/127.0.0.1/tcp/1", "second"),
        (&many, "the first 8"),
    ] {
        let error = check_addresses(text).unwrap_err().to_string();
        assert!(error.contains(word), "{text:?}: {error}");
    }
}
