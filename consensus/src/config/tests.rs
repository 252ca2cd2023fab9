use super::*;
use weft_types::testing::{committee, network};

fn refused(change: fn(&mut CoreConfig)) -> String {
    let params = ProtocolParams::default();
    let mut config = CoreConfig::new(network().id(), Arc::new(committee(4)), None, &params);
    config.validate().expect("the defaults are valid");
    change(&mut config);
    config.validate().unwrap_err().to_string()
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    assert_eq!(
        refused(|c| c.timing.heartbeat = Millis(0)),
        "consensus: heartbeat is 0, not in 10..=1000"
    );
    assert_eq!(
        refused(|c| c.timing.fetch_timeout_max = Millis(49)),
        "consensus: fetch_timeout_max is 49, not in fetch_timeout_min..=60000"
    );
    assert_eq!(
        refused(|c| c.limits.suspended_bytes_max = 1 << 12),
        "consensus: suspended_bytes_max is 4096, not in 8 MiB..=1 TiB"
    );
    assert_eq!(
        refused(|c| c.limits.fetch_rounds_max = 301),
        "consensus: fetch_rounds_max is 301, not in 1..=window"
    );
    assert_eq!(
        refused(|c| c.own = Some(MemberIndex(4))),
        "consensus: own is 4, not in the committee"
    );
}
