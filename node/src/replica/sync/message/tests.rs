use super::*;
use weft_types::{Address, testing};

fn survives(request: &Request, answer: Answer) {
    let read = Answer::decode(request, answer.encode());
    assert_eq!(read, Ok(answer));
}

#[test]
fn requests_and_answers_survive_their_bytes() {
    let prefix = Prefix::new(&[1, 15]).unwrap();
    let height = Height(7);
    let state = Request::State { height, prefix };
    let block = 3;
    let receipts = Request::Receipts { height, block };
    let requests = [
        Request::Offers,
        Request::Heights(height),
        Request::Commits(CommitIndex(9)),
        receipts.clone(),
        state.clone(),
    ];
    for request in &requests {
        assert_eq!(
            Request::from_wire(&request.to_wire()).as_ref(),
            Some(request)
        );
        survives(request, Answer::Lacks);
    }
    let certificate = testing::certify(&testing::statement(7), &[0, 1, 2]);
    survives(&requests[0], Answer::Offers(vec![certificate.clone()]));
    let of_height = CertifiedReceipts {
        certificate,
        blocks: vec![Root([1; 32]), Root([2; 32])],
        last: vec![Bytes::from_static(b"receipt")],
    };
    survives(&requests[1], Answer::Heights(vec![of_height]));
    survives(&receipts, Answer::Receipts(vec![Bytes::from(vec![1; 40])]));
    let id = ObjectId::Account(Address([4; 32]));
    let leaves = vec![(id, Bytes::from_static(b"value"))];
    survives(&state, Answer::State(Piece::Leaves(leaves)));
    survives(&state, Answer::State(Piece::Leaves(Vec::new())));
    let mut parts = Box::new([Part::Empty; PARTS]);
    (parts[3], parts[9]) = (Part::Leaf(Root([3; 32])), Part::Branch(Root([4; 32])));
    survives(&state, Answer::State(Piece::Split(parts)));
}

#[test]
fn what_is_no_answer_is_refused_before_it_takes_memory() {
    let receipts = Request::Receipts {
        height: Height(1),
        block: 0,
    };
    // A million items of no bytes.
    let many = Bytes::from([0x0a, 0].repeat(1 << 20));
    assert!(Answer::decode(&receipts, many).is_err());
    let state = Request::State {
        height: Height(1),
        prefix: Prefix::default(),
    };
    for (split, items) in [
        (Bytes::from_static(&[0; 33]), Vec::new()),
        (Bytes::from(vec![3; 16 * 33]), Vec::new()),
        (Bytes::new(), vec![Bytes::from_static(&[1; 32])]),
        (Bytes::new(), vec![Bytes::from_static(&[0xee; 40])]),
    ] {
        let answer = wire::SyncAnswer {
            items,
            split,
            leaves: false,
        };
        assert!(Answer::decode(&state, answer.encode_to_vec().into()).is_err());
    }
    let mut of_height = CertifiedReceipts {
        certificate: testing::certify(&testing::statement(7), &[0]),
        blocks: Vec::new(),
        last: vec![Bytes::new(); LIST_BLOCK],
    };
    assert!(CertifiedReceipts::decode(of_height.encode()).is_ok());
    of_height.last.push(Bytes::new());
    assert!(CertifiedReceipts::decode(of_height.encode()).is_err());
}

#[test]
fn a_request_for_nothing_or_below_no_prefix_is_none() {
    assert_eq!(Request::from_wire(&wire::SyncRequest::default()), None);
    let piece = wire::StatePiece {
        height: 1,
        prefix: Bytes::from_static(&[16]),
    };
    let what = Some(What::State(piece));
    assert_eq!(Request::from_wire(&wire::SyncRequest { what }), None);
}

/// An answer of this length to a request, most of it a field that nobody reads.
fn padded(answer: &Answer, length: usize) -> Bytes {
    let mut bytes = answer.encode().to_vec();
    let rest = length - bytes.len() - 6;
    // Field 15, of bytes, whose length is written in five.
    bytes.push(0x7a);
    for place in 0..5 {
        let more = if place < 4 { 0x80 } else { 0 };
        bytes.push((rest >> (7 * place) & 0x7f) as u8 | more);
    }
    bytes.resize(length, 7);
    bytes.into()
}

#[test]
fn s2_an_answer_is_bounded_in_bytes_and_so_is_what_is_kept_of_it() {
    let state = Request::State {
        height: Height(1),
        prefix: Prefix::default(),
    };
    let leaf = |bytes: usize| {
        let id = ObjectId::Account(Address([4; 32]));
        Answer::State(Piece::Leaves(vec![(id, Bytes::from(vec![5; bytes]))]))
    };
    let around = leaf(LENGTH_MAX).encode().len() - LENGTH_MAX;
    survives(&state, leaf(LENGTH_MAX - around));
    let longer = leaf(LENGTH_MAX - around + 1).encode();
    assert!(Answer::decode(&state, longer).is_err());

    let certificate = testing::certify(&testing::statement(7), &[0, 1, 2]);
    let offers = Answer::Offers(vec![certificate; OFFERS_MAX]);
    survives(&Request::Offers, offers.clone());
    let longer = padded(&offers, OFFERS_LENGTH_MAX + 1);
    assert!(Answer::decode(&Request::Offers, longer).is_err());

    let small = leaf(100);
    let needed = small.encode().len();
    let most = 2 * needed + PADDING_MAX;
    assert_eq!(
        Answer::decode(&state, padded(&small, most)),
        Ok(small.clone())
    );
    assert!(Answer::decode(&state, padded(&small, most + 1)).is_err());
}
