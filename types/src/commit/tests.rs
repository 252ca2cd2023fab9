use super::*;
use crate::ids::{MemberIndex, Round, VertexDigest};

fn vertex(round: u64, author: u32) -> VertexRef {
    VertexRef {
        round: Round(round),
        author: MemberIndex(author),
        digest: VertexDigest([7; 32]),
    }
}

fn commit() -> Commit {
    Commit {
        index: CommitIndex(3),
        leader: vertex(5, 1),
        vertices: vec![vertex(4, 0), vertex(4, 2), vertex(5, 1)],
        timestamp: Millis(9_000),
        previous: CommitDigest([2; 32]),
        demoted: [MemberIndex(2), MemberIndex(9)].into_iter().collect(),
        convicted: [MemberIndex(9)].into_iter().collect(),
    }
}

#[test]
fn a_commit_survives_its_bytes_and_its_json() {
    let read = Commit::decode(commit().encode()).unwrap();
    assert_eq!(read, commit());
    assert_eq!(read.digest(), commit().digest());
    let json = serde_json::to_string(&commit()).unwrap();
    assert_eq!(serde_json::from_str::<Commit>(&json).unwrap(), commit());
}

#[test]
fn every_part_of_a_commit_is_in_its_digest() {
    let changes: [fn(&mut Commit); 8] = [
        |c| c.index = CommitIndex(4),
        |c| c.leader = vertex(4, 0),
        |c| c.vertices.swap(0, 1),
        |c| c.vertices.truncate(2),
        |c| c.vertices[0].digest = VertexDigest([8; 32]),
        |c| c.timestamp = Millis(9_001),
        |c| c.previous = CommitDigest([3; 32]),
        |c| c.demoted.remove(MemberIndex(2)),
    ];
    let mut digests = vec![commit().digest()];
    for change in changes {
        let mut other = commit();
        change(&mut other);
        digests.push(other.digest());
    }
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 9);
}

#[test]
fn the_digest_is_of_the_meaning_so_that_a_server_cannot_change_it() {
    let mut padded = commit().encode().to_vec();
    padded.extend_from_slice(&[0x78, 1]);
    assert_eq!(
        Commit::decode(padded.into()).unwrap().digest(),
        commit().digest()
    );
}

#[test]
fn d5_a_set_of_demoted_members_has_one_form_and_the_empty_one_takes_no_room() {
    let mut wire = wire::Commit::decode(commit().encode()).unwrap();
    assert_eq!(wire.demoted.as_ref(), [4, 2]);
    for bad in [&[4, 2, 0][..], &[0], &[1; 17]] {
        wire.demoted = Bytes::from_static(bad);
        let error = Commit::decode(wire.encode_to_vec().into()).unwrap_err();
        assert_eq!(error, CommitError::Bitmap(bad.len()));
    }
    let mut none = commit();
    none.demoted = MemberSet::default();
    let wire = wire::Commit::decode(none.encode()).unwrap();
    assert!(wire.demoted.is_empty());
    assert!(!serde_json::to_string(&none).unwrap().contains("demoted"));
}

#[test]
fn a_commit_without_leader_or_with_a_short_digest_is_refused() {
    let mut wire = wire::Commit::decode(commit().encode()).unwrap();
    wire.leader = None;
    let read = Commit::decode(wire.encode_to_vec().into());
    assert_eq!(read, Err(CommitError::NoLeader));
    let mut wire = wire::Commit::decode(commit().encode()).unwrap();
    wire.previous = Bytes::new();
    let error = Commit::decode(wire.encode_to_vec().into()).unwrap_err();
    assert_eq!(error.to_string(), "CommitDigest has 0 bytes, not 32");
}

/// As prost does it.
fn by_prost(commit: &Commit) -> Bytes {
    wire::Commit {
        index: commit.index.0,
        leader: Some((&commit.leader).into()),
        vertices: commit.vertices.iter().map(Into::into).collect(),
        timestamp_ms: commit.timestamp.0,
        previous: Bytes::copy_from_slice(&commit.previous.0),
        demoted: commit.demoted.to_shortest_bitmap().into(),
        convicted: commit.convicted.to_shortest_bitmap().into(),
    }
    .encode_to_vec()
    .into()
}

#[test]
fn the_encoding_is_what_prost_writes_of_small_and_large_and_absent_numbers() {
    assert_eq!(commit().encode(), by_prost(&commit()));
    for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
        let author = u32::try_from(number).unwrap_or(u32::MAX);
        let other = Commit {
            index: CommitIndex(number),
            leader: vertex(number, author),
            vertices: vec![vertex(0, author), vertex(number, 0), vertex(number, author)],
            timestamp: Millis(number),
            previous: CommitDigest([number as u8; 32]),
            demoted: MemberSet::default(),
            convicted: MemberSet::default(),
        };
        assert_eq!(other.encode(), by_prost(&other));
    }
}
