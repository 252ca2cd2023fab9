use super::*;

#[test]
fn a_masternode_is_named_by_id_operator_or_vertex_key() {
    assert_eq!("7".parse(), Ok(Who::Id(7)));
    let operator = format!("0x{}", "01".repeat(20));
    assert_eq!(operator.parse(), Ok(Who::Operator(BaseAddress([1; 20]))));
    assert_eq!(
        "02".repeat(32).parse(),
        Ok(Who::VertexKey(ed25519::PublicKey([2; 32])))
    );
    for wrong in ["", "-1", "0x12", "x", &"zz".repeat(32), &"01".repeat(31)] {
        assert!(wrong.parse::<Who>().is_err(), "{wrong}");
    }
}

#[test]
fn durations_are_said_in_their_largest_whole_unit() {
    for (seconds, said) in [
        (0, "0 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (604_800, "7 days"),
    ] {
        assert_eq!(duration(seconds), said);
    }
}
