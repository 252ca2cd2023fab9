use super::*;

#[test]
fn a_list_survives_its_text() {
    let text = "crash:1,equivocate:1@0ms,partition@5s+10s,loss:30@1.5s,skew,loss:1/2@3s";
    let faults = parse(text).unwrap();
    assert_eq!(faults.len(), 6);
    assert_eq!(faults[2], Fault::new(Kind::Partition).during(5_000, 10_000));
    assert_eq!((faults[3].amount, faults[3].start), (30, Some(1_500)));
    assert_eq!(
        (faults[5].amount, faults[5].of, faults[5].members()),
        (1, 2, 2)
    );
    let again: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert_eq!(parse(&again.join(",")), Ok(faults));
}

#[test]
fn faults_begin_at_edges_and_befall_who_has_a_role_there() {
    let faults =
        parse("crash:2join@close3+1s,pause@open,wipe:leave@announce,loss:30@close+2s").unwrap();
    let edge = |moment, number| Some(Edge { moment, number });
    assert_eq!((faults[0].amount, faults[0].role), (2, Some(Role::Join)));
    assert_eq!(
        (faults[0].edge, faults[0].length),
        (edge(Moment::Close, 3), Some(1_000))
    );
    assert_eq!(
        (faults[1].edge, faults[1].role),
        (edge(Moment::Open, 1), None)
    );
    assert_eq!((faults[2].amount, faults[2].role), (1, Some(Role::Leave)));
    assert_eq!((faults[0].members(), faults[0].members_at_edge()), (0, 2));
    let again: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert_eq!(parse(&again.join(",")), Ok(faults));
    for (text, part) in [
        ("crash@close0", "NAME[:AMOUNT"),
        ("crash@closed", "NAME[:AMOUNT"),
        ("crash:join@1s", "has a role"),
        ("loss:5join@close", "has a role"),
        ("twins@close", "cannot begin at the edge"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    let mut names: Vec<&str> = NAMES.iter().map(|(_, name, ..)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), NAMES.len());
    for (kind, name, ..) in NAMES {
        assert_eq!(parse(name).unwrap(), [Fault::new(kind)]);
    }
}

#[test]
fn what_is_no_fault_is_refused_with_what_would_be_one() {
    for (text, part) in [
        ("crush", "known are crash, restart"),
        ("crash:x", "\"x\" is no whole number"),
        ("loss:0.5", "\"0.5\" is no whole number"),
        ("crash@soon", "NAME[:AMOUNT"),
        ("crash@1s+x", "NAME[:AMOUNT"),
        ("loss:101", "1..=100"),
        ("crash:0", "1..=128"),
        ("basedown:1", "no amount"),
        ("loss:1/0", "0 is not in 1..=128"),
        ("loss:1/x", "\"x\" is no whole number"),
        ("crash:1/2", "befalls no links"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}
