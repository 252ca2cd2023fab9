use super::*;
use crate::bridge::{BaseAsset, Deposit};
use crate::feed::FeedReport;
use crate::offence::{Offence, SignedVersion};
use crate::roster::{MemberKeys, QueueEntry, Ready};
use crate::testing::{committee, finality_key, network, statement, vertex_key};
use crate::vertex::digest::signed_message;
use crate::vertex::{Observation, Place, VertexError, body_hash};
use crate::{
    AUTHORISATIONS_MAX, Address, Amount, BaseAddress, CommitteeDigest, Epoch, FinalityShare,
    Height, ItemId, MemberIndex, Millis, Operation, Root, Round, Scheme, Stake, TransactionBody,
    TransactionError, Vertex, VertexDigest, VertexRef, verify_vertex, wire,
};
use bytes::Bytes;
use prost::Message as _;

/// By member 1 of four, with nothing that could be left out.
fn body() -> VertexBody {
    let parent = |author| VertexRef {
        round: Round(4),
        author: MemberIndex(author),
        digest: VertexDigest([7; 32]),
    };
    VertexBody {
        network: network().id(),
        epoch: Epoch::ZERO,
        round: Round(5),
        author: MemberIndex(1),
        timestamp: Millis(1_000),
        parents: [1, 0, 2].map(parent).into(),
        weak_links: vec![],
        transactions: vec![],
        shares: vec![],
        observation: Observation::default(),
        offences: vec![],
    }
}

/// The same with the longest list of everything but transactions, and the longest numbers.
fn longest() -> VertexBody {
    let link = VertexRef {
        round: Round(u64::MAX),
        author: MemberIndex(u32::MAX),
        digest: VertexDigest([7; 32]),
    };
    let share = FinalityShare {
        epoch: Epoch(u64::MAX),
        height: Height(u64::MAX),
        ..FinalityShare::sign(&statement(7), &finality_key(1))
    };
    let deposit = Deposit {
        asset: BaseAsset::Erc20 {
            token: BaseAddress([1; 20]),
            amount: Amount(u64::MAX),
        },
        sender: BaseAddress([2; 20]),
        account: Address([3; 32]),
    };
    let report = FeedReport {
        count: u64::MAX,
        digest: Root([4; 32]),
    };
    let entry = QueueEntry {
        id: u64::MAX,
        weight: Stake(u64::MAX),
        slashed: false,
        keys: Some(MemberKeys {
            vertex_key: vertex_key(1).public(),
            finality_key: finality_key(1).public(),
            addresses: "a".repeat(ADDRESSES_BYTES_MAX),
        }),
    };
    let ready = Ready {
        member: u64::MAX,
        committee: CommitteeDigest([5; 32]),
        signature: [6; 64],
    };
    let version = SignedVersion {
        body: [8; 32],
        signature: [9; 64],
    };
    let offence = Offence {
        epoch: Epoch(u64::MAX),
        round: Round(u64::MAX),
        author: MemberIndex(u32::MAX),
        versions: [version; 2],
    };
    VertexBody {
        offences: vec![offence; OFFENCES_MAX],
        epoch: Epoch(u64::MAX),
        round: Round(u64::MAX),
        author: MemberIndex(u32::MAX),
        timestamp: Millis(u64::MAX),
        parents: vec![link; MEMBERS_MAX],
        weak_links: vec![link; WEAK_LINKS_MAX],
        shares: vec![share; FINALITY_SHARES_MAX],
        observation: Observation {
            report: Some(report),
            deposits: vec![deposit; DEPOSITS_MAX as usize],
            queue_report: Some(report),
            entries: vec![entry; ENTRIES_MAX as usize],
            readies: vec![ready; READIES_MAX],
        },
        ..body()
    }
}

/// What a committee of four says of a body with these transactions.
fn verified(transactions: Vec<Bytes>) -> Result<usize, VertexError> {
    let body = VertexBody {
        transactions,
        ..body()
    };
    let encoded = body.encode();
    let length = encoded.len();
    let digest = Place::of(&body).digest(&body_hash(&encoded));
    let signature = vertex_key(1).sign(&signed_message(&digest));
    let vertex = wire::Vertex {
        body: encoded,
        signature: Bytes::copy_from_slice(&signature),
    };
    let vertex = Vertex::decode(vertex.encode_to_vec().into())?;
    verify_vertex(vertex, network().id(), &committee(4), &|_| None).map(|_| length)
}

#[test]
fn v9_a_body_is_an_equal_share_of_the_dag() {
    let sizes = [1, 4, 10, 50, 58, 59, 128].map(vertex_bytes_max);
    let expected = [
        4_193_280, 3_355_443, 1_342_177, 268_435, 231_409, 229_376, 229_376,
    ];
    assert_eq!(sizes, expected);
    for members in 4..=58 {
        assert!(vertex_bytes_max(members) * members * DAG_ROUNDS <= DAG_BYTES);
    }
    assert_eq!(vertex_transactions_max(10), 16_384);
    assert_eq!(vertex_transactions_max(128), 3_584);
}

#[test]
fn v9_a_body_at_its_bound_is_valid_and_one_byte_more_is_not() {
    let bound = vertex_bytes_max(4);
    let without = verified(vec![Bytes::from(vec![0; 1 << 21])]).unwrap();
    let room = (1 << 21) + bound - without;
    assert_eq!(verified(vec![vec![0; room].into()]), Ok(bound));
    let longer = verified(vec![vec![0; room + 1].into()]).unwrap_err();
    let expected = format!("has 3355444 bytes, more than {bound} in a committee of 4");
    assert!(longer.to_string().ends_with(&expected), "{longer}");
}

#[test]
fn v9_transactions_are_bounded_by_the_size_of_the_committee() {
    let most = vertex_transactions_max(4);
    assert!(verified(vec![Bytes::new(); most]).is_ok());
    let check = |members, count| {
        let mut body = body();
        body.transactions = vec![Bytes::new(); count];
        let encoded = body.encode();
        let vertex = Vertex::assemble(encoded, Bytes::new(), body);
        vertex.check_limits(members)
    };
    assert_eq!(check(128, 3_584), Ok(()));
    let error = check(128, 3_585).unwrap_err().to_string();
    assert_eq!(error, "vertex holds 3585 transactions, more than 3584");
}

/// A transaction whose authorisations take as long to verify as they can.
fn slow_to_verify() -> Bytes {
    let authorisation = wire::Authorisation {
        scheme: Scheme::P256.code(),
        public_key: vec![2; 33].into(),
        signature: vec![1; 64].into(),
        account: Bytes::new(),
    };
    let one = crate::testing::transaction(
        1,
        7,
        vec![Operation::Burn {
            items: vec![ItemId([3; 32])],
        }],
    );
    let mut wire = wire::Transaction::decode(one.encoded().clone()).unwrap();
    wire.authorisations = vec![authorisation; AUTHORISATIONS_MAX];
    wire.encode_to_vec().into()
}

#[test]
fn v9_what_a_vertex_takes_to_verify_is_bounded_like_its_bytes() {
    // 16 authorisations that count 1,352 bytes each: 155 times that fits into 3,355,443.
    assert!(verified(vec![slow_to_verify(); 155]).is_ok());
    let more = verified(vec![slow_to_verify(); 156])
        .unwrap_err()
        .to_string();
    let expected = "vertex holds 3374592 bytes that signatures and deals count, more than 3355443";
    assert_eq!(more, expected);
    // The largest committees have room for ten, and what is no transaction counts nothing.
    let mut transactions = vec![Transaction::decode(slow_to_verify()).ok(); 10];
    transactions.push(None);
    assert_eq!(check_work(&transactions, 128), Ok(()));
    transactions.push(transactions[0].clone());
    assert!(check_work(&transactions, 128).is_err());
}

#[test]
fn v9_what_a_vertex_reaches_of_deals_is_bounded_like_its_bytes() {
    let burn = Operation::Burn {
        items: vec![ItemId([3; 32])],
    };
    let mut body = crate::testing::body(1, 7, vec![burn]);
    // With the signature's 104 bytes as many as the longest transaction has.
    body.deal_entries = (64 * 1024 - 104) / 40;
    let reaching = |body: &TransactionBody| {
        let signed = body.sign(&[&crate::testing::user_key(1)]);
        Transaction::decode(signed.encoded().clone())
    };
    let most = reaching(&body);
    assert_eq!(most.as_ref().map(Transaction::work_bytes), Ok(65_504));
    let mut transactions = vec![most.ok(); 3];
    assert_eq!(check_work(&transactions, 128), Ok(()));
    transactions.push(transactions[0].clone());
    assert!(check_work(&transactions, 128).is_err());
    body.deal_entries += 1;
    assert_eq!(reaching(&body), Err(TransactionError::Work(65_544)));
}

#[test]
fn v9_what_is_left_for_transactions_never_exceeds_the_bound_and_holds_the_longest_one() {
    for (mut body, members) in [(body(), 4), (longest(), 4), (body(), 128), (longest(), 128)] {
        let room = body.payload_bytes_max(members);
        assert!(room >= TRANSACTION_BYTES_MAX, "{room}");
        let most = vertex_transactions_max(members);
        let each = room / most;
        body.transactions = vec![vec![0; each].into(); most];
        body.transactions[0] = vec![0; each + room % most].into();
        let length = body.encode().len();
        let bound = vertex_bytes_max(members);
        assert!(length <= bound, "{length} of {bound}");
        assert!(length + 40_000 > bound, "{length} of {bound}");
    }
}
