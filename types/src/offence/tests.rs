use super::*;
use crate::ids::{CommitIndex, Millis, VertexDigest};
use crate::testing::{committee, members, network, vertex_key};
use crate::vertex::{Observation, VertexBody, VertexError, VertexRef, verify_vertex};
use crate::{Committee, Root, tree_proof, tree_root_of, wire};
use bytes::Bytes;
use prost::Message as _;

fn body(round: u64, author: u32) -> VertexBody {
    let link = |author| VertexRef {
        round: Round(round - 1),
        author: MemberIndex(author),
        digest: VertexDigest([author as u8; 32]),
    };
    let others = (0..4).filter(|m| *m != author);
    VertexBody {
        network: network().id(),
        epoch: Epoch::ZERO,
        round: Round(round),
        author: MemberIndex(author),
        timestamp: Millis(1_000),
        parents: [author].into_iter().chain(others).map(link).collect(),
        weak_links: Vec::new(),
        transactions: Vec::new(),
        shares: Vec::new(),
        observation: Observation::default(),
        offences: Vec::new(),
    }
}

fn sign(body: VertexBody) -> Vertex {
    let key = vertex_key(body.author.as_usize());
    Vertex::clone(&Vertex::sign(body, Vec::new(), &key))
}

/// A vertex of round 5, and the same a millisecond later.
fn pair(author: u32) -> [Vertex; 2] {
    let mut later = body(5, author);
    later.timestamp = Millis(1_001);
    [sign(body(5, author)), sign(later)]
}

fn offence(author: u32) -> Offence {
    let [first, second] = pair(author);
    Offence::of(&first, &second).unwrap()
}

fn carrying(offences: Vec<Offence>) -> Result<(), VertexError> {
    let carrier = VertexBody {
        offences,
        ..body(9, 0)
    };
    let bytes = sign(carrier).encode();
    let vertex = Vertex::decode(bytes)?;
    verify_vertex(vertex, network().id(), &committee(4), &|_| None).map(drop)
}

fn refused(change: impl Fn(&mut Offence)) -> String {
    let mut offence = offence(2);
    change(&mut offence);
    carrying(vec![offence]).unwrap_err().to_string()
}

#[test]
fn two_versions_prove_an_offence_in_either_order_and_alike() {
    let [first, second] = pair(2);
    let offence = Offence::of(&first, &second).unwrap();
    assert_eq!(Offence::of(&second, &first), Some(offence.clone()));
    assert_eq!((offence.round, offence.author), (Round(5), MemberIndex(2)));
    carrying(vec![offence]).unwrap();
}

#[test]
fn a_proof_survives_its_encoding_and_is_small() {
    let wire = wire::Offence::from(&offence(3));
    assert_eq!(Offence::try_from(&wire), Ok(offence(3)));
    assert_eq!(wire.encoded_len(), 204);
}

#[test]
fn one_vertex_or_two_of_different_rounds_or_an_unsigned_one_prove_nothing() {
    let [first, _] = pair(2);
    assert_eq!(Offence::of(&first, &first), None);
    assert_eq!(Offence::of(&first, &sign(body(6, 2))), None);
    assert_eq!(Offence::of(&first, &sign(body(5, 3))), None);
    let unsigned = Vertex::genesis(network().id(), Epoch::ZERO, MemberIndex(2));
    assert_eq!(Offence::of(&unsigned, &unsigned), None);
}

#[test]
fn whoever_did_not_sign_both_is_not_accused() {
    let rule = "an offence is not signed by its author";
    assert!(refused(|o| o.author = MemberIndex(1)).ends_with(rule));
    assert!(refused(|o| o.round = Round(6)).ends_with(rule));
    assert!(refused(|o| o.versions[1].signature[3] ^= 1).ends_with(rule));
    assert!(refused(|o| o.versions[0].signature = o.versions[1].signature).ends_with(rule));
    // A hash that nobody signed, beside one that somebody did.
    assert!(refused(|o| o.versions[0].body = [0; 32]).ends_with(rule));
}

#[test]
fn a_proof_has_one_form_and_is_of_this_epoch() {
    let rule = "an offence's versions are not two in ascending order";
    assert!(refused(|o| o.versions.swap(0, 1)).ends_with(rule));
    assert!(refused(|o| o.versions[1] = o.versions[0]).ends_with(rule));
    let rule = "an offence is of another epoch, or of round 0";
    assert!(refused(|o| o.epoch = Epoch(1)).ends_with(rule));
    assert!(refused(|o| o.round = Round::ZERO).ends_with(rule));
    assert!(refused(|o| o.author = MemberIndex(4)).ends_with("an offence is by no member"));
}

#[test]
fn a_proof_for_another_network_is_none_here() {
    let elsewhere = |mut body: VertexBody| {
        body.network.0[0] ^= 1;
        sign(body)
    };
    let mut later = body(5, 2);
    later.timestamp = Millis(1_001);
    let offence = Offence::of(&elsewhere(body(5, 2)), &elsewhere(later)).unwrap();
    let error = carrying(vec![offence]).unwrap_err().to_string();
    assert!(error.ends_with("an offence is not signed by its author"));
}

#[test]
fn offences_are_few_of_distinct_authors_ascending() {
    carrying(vec![offence(1), offence(2), offence(3)]).unwrap();
    let rule = "offences are not of distinct authors in ascending order";
    for wrong in [[2, 1], [2, 2]] {
        let error = carrying(wrong.map(offence).to_vec()).unwrap_err();
        assert!(error.to_string().ends_with(rule), "{error}");
    }
    let error = carrying(vec![offence(1); 5]).unwrap_err().to_string();
    assert_eq!(error, "vertex holds 5 offences, more than 4");
}

#[test]
fn hashes_and_signatures_of_wrong_length_are_refused() {
    let mut wire = wire::Offence::from(&offence(1));
    wire.second_signature = Bytes::from_static(&[0; 63]);
    let error = Offence::try_from(&wire).unwrap_err().to_string();
    assert_eq!(error, "signature of an offence has 63 bytes, not 64");
    wire.first_body = Bytes::new();
    let error = Offence::try_from(&wire).unwrap_err().to_string();
    assert_eq!(error, "body hash of an offence has 0 bytes, not 32");
}

fn offender(id: u64, epoch: u64, round: u64) -> Offender {
    Offender {
        id,
        epoch: Epoch(epoch),
        round: Round(round),
        commit: CommitIndex(round),
    }
}

#[test]
fn each_member_is_convicted_once_an_epoch() {
    let mut offenders = Offenders::default();
    assert!(offenders.convict(offender(7, 0, 5)));
    assert!(!offenders.convict(offender(7, 0, 6)));
    assert!(offenders.convict(offender(3, 0, 6)));
    assert!(offenders.convict(offender(7, 1, 2)));
    assert!(!offenders.convict(offender(9, 0, 9)), "its epoch is over");
    assert_eq!(offenders.list().len(), 3);
    assert!(offenders.is_convicted(7, Epoch(1)) && !offenders.is_convicted(3, Epoch(1)));
}

#[test]
fn members_that_an_earlier_epoch_has_convicted_are_carried_into_the_next_by_their_ids() {
    let mut offenders = Offenders::default();
    for (id, epoch) in [(4, 0), (9, 0), (2, 3), (4, 3), (3, 4)] {
        assert!(offenders.convict(offender(id, epoch, 3)));
    }
    let members = members(4)[1..].to_vec();
    let places = |epoch| {
        let committee = Committee::new(Epoch(epoch), members.clone()).expect("a committee");
        let carried = offenders.carried_into(&committee);
        carried.iter().map(|m| m.0).collect::<Vec<u32>>()
    };
    // Of ids 2, 3 and 4; who is convicted in the epoch itself is so by its commits.
    assert_eq!(places(0), Vec::<u32>::new());
    assert_eq!(places(3), [2]);
    assert_eq!(places(4), [0, 2]);
    assert_eq!(places(5), [0, 1, 2]);
}

#[test]
fn the_root_of_nobody_is_not_zero_and_each_offender_is_proven_under_the_root_of_all() {
    let mut offenders = Offenders::default();
    assert_ne!(offenders.root(), Root::ZERO);
    for id in 0..5 {
        assert!(offenders.convict(offender(id, 0, 9 - id)));
    }
    let leaves: Vec<_> = offenders.list().iter().map(Offender::leaf).collect();
    for (index, leaf) in leaves.iter().enumerate() {
        let siblings = tree_proof(&leaves, index).unwrap();
        let root = tree_root_of(*leaf, index as u64, &siblings);
        assert_eq!(root, offenders.root());
    }
}

#[test]
fn a_list_survives_its_encoding_and_one_that_repeats_is_none() {
    let mut offenders = Offenders::default();
    for (id, epoch) in [(4, 0), (1, 0), (4, 2)] {
        offenders.convict(offender(id, epoch, 3));
    }
    let mut wire = wire::Offenders::from(&offenders);
    assert_eq!(Offenders::try_from(wire.clone()), Ok(offenders));
    wire.offenders.push(wire.offenders[2]);
    let error = Offenders::try_from(wire).unwrap_err().to_string();
    assert_eq!(
        error,
        "member 4 is convicted twice in epoch 2, or epochs do not ascend"
    );
}
