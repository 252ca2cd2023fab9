use super::*;

#[test]
fn at_the_bound_quiet_addresses_are_forgotten() {
    let gate = Gate::new(&Limits::default());
    for n in 0..3 * ADDRESSES_MAX as u32 {
        let address = IpAddr::V4(Ipv4Addr::from_bits(n));
        assert!(gate.check_rate(address).is_ok());
        assert!(gate.rate.len() <= ADDRESSES_MAX + 1);
    }
}

#[test]
fn who_has_a_network_of_ipv6_has_one_rate() {
    let gate = Gate::new(&Limits::default());
    for n in 0..1_000u128 {
        let address = Ipv6Addr::from_bits(0x2001_0db8 << 96 | n);
        assert!(gate.check_rate(IpAddr::V6(address)).is_ok());
    }
    assert_eq!(gate.rate.len(), 1);
}
