use super::*;
use weft_types::{Round, VertexDigest};

fn vertex(author: u32, round: u64) -> VertexRef {
    VertexRef {
        round: Round(round),
        author: MemberIndex(author),
        digest: VertexDigest([1; 32]),
    }
}

/// Three authors with room for six each and for nine in all.
fn shares(held: &[(u32, u64)]) -> Shares {
    let mut shares = Shares::new(3, 6, 9);
    for (author, round) in held {
        shares.add(vertex(*author, *round), 1);
    }
    shares
}

#[test]
fn an_author_makes_room_for_itself_from_above() {
    let shares = shares(&[(0, 1), (0, 2), (0, 3), (0, 5), (0, 6), (0, 7)]);
    assert_eq!(shares.room(&vertex(0, 4), 1), Room::After(vertex(0, 7)));
    assert_eq!(shares.room(&vertex(0, 8), 1), Room::None);
    assert_eq!(shares.room(&vertex(1, 8), 1), Room::Fits);
}

#[test]
fn when_all_is_full_whoever_has_most_makes_room() {
    let six = [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (0, 6)];
    let full = shares(&[&six[..], &[(1, 1), (1, 2), (1, 3)]].concat());
    assert_eq!(full.bytes(), (9, 9));
    assert_eq!(full.room(&vertex(2, 90), 1), Room::After(vertex(0, 6)));
    assert_eq!(full.room(&vertex(1, 90), 1), Room::After(vertex(0, 6)));
    assert_eq!(full.room(&vertex(0, 90), 1), Room::None);
}

#[test]
fn nobody_is_pushed_below_an_equal_share() {
    let held = [0, 1, 2].map(|author| [1, 2, 3].map(|round| (author, round)));
    let equal = shares(&held.concat());
    assert_eq!(equal.room(&vertex(0, 90), 1), Room::None);
    assert_eq!(equal.room(&vertex(0, 2), 1), Room::After(vertex(0, 3)));
}

#[test]
fn a_flood_never_exceeds_the_bounds_and_leaves_others_their_share() {
    let mut shares = shares(&[]);
    for i in 0..1_000u64 {
        let author = if i % 10 == 0 { (i / 10 % 2) as u32 } else { 2 };
        let new = vertex(author, i * 7 % 1_000);
        while let Room::After(victim) = shares.room(&new, 1) {
            shares.remove(&victim, 1);
        }
        if shares.room(&new, 1) == Room::Fits {
            shares.add(new, 1);
        }
        assert!(shares.bytes <= 9 && shares.fullest() <= 6);
    }
    let bytes: Vec<usize> = shares.authors.iter().map(|a| a.bytes).collect();
    assert_eq!(bytes, [3, 3, 3]);
}
