use super::*;

#[test]
fn keys_sort_by_epoch_round_author_and_digest() {
    let key = |epoch, round, author, digest| {
        let vertex = VertexRef {
            round: Round(round),
            author: MemberIndex(author),
            digest: VertexDigest([digest; 32]),
        };
        vertex_key(Epoch(epoch), &vertex)
    };
    let ascending = [
        key(0, 0, 0, 0),
        key(0, 0, 0, 9),
        key(0, 0, 300, 0),
        key(0, 1, 0, 0),
        key(0, 256, 0, 0),
        key(0, u64::MAX, 0, 0),
        key(1, 0, 0, 0),
    ];
    assert!(ascending.is_sorted());
}

#[test]
fn keys_read_back_what_was_written_and_refuse_other_lengths() {
    let vertex = VertexRef {
        round: Round(7),
        author: MemberIndex(3),
        digest: VertexDigest([5; 32]),
    };
    let key = vertex_key(Epoch(2), &vertex);
    assert_eq!(read_vertex_key(&key), Some((Epoch(2), vertex)));
    for length in 0..key.len() {
        assert_eq!(read_vertex_key(&key[..length]), None);
    }
    assert_eq!(read_number(&[0; 7]), None);
}

#[test]
fn the_end_of_a_prefix_lies_behind_all_that_begin_with_it() {
    assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
    assert_eq!(after_prefix(&[1, 0xff, 0xff]), Some(vec![2]));
    assert_eq!(after_prefix(&[0xff, 0xff]), None);
    assert_eq!(after_prefix(&[]), None);
}
