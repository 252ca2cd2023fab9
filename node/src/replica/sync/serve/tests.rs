use super::*;
use std::convert::Infallible;
use weft_types::testing::{self, certify, statement};
use weft_types::{CommitDigest, MemberIndex, MemberSet, Millis, Round, VertexDigest, VertexRef};

const RECEIPTS: usize = 9_000;
const RECEIPT_BYTES: usize = 300;
const VERTICES: usize = 5_000;

/// More of everything than an answer has room for.
struct Much;

impl Archive for Much {
    type Error = Infallible;

    fn closing(&self, _: Epoch) -> Result<Option<Closing>, Infallible> {
        let next = testing::members(4).into_iter().cycle().take(128);
        Ok(Some(Closing {
            certificate: certify(&statement(1), &[0]),
            next: next.collect(),
        }))
    }

    fn certificate(&self, height: Height) -> Result<Option<Certificate>, Infallible> {
        Ok(Some(certify(&statement(height.0), &[0])))
    }

    fn statement(&self, height: Height) -> Result<Option<Statement>, Infallible> {
        Ok(Some(statement(height.0)))
    }

    fn commit(&self, index: CommitIndex) -> Result<Option<Commit>, Infallible> {
        let vertex = VertexRef {
            round: Round(u64::MAX),
            author: MemberIndex(127),
            digest: VertexDigest([1; 32]),
        };
        Ok(Some(Commit {
            index,
            leader: vertex,
            vertices: vec![vertex; VERTICES],
            timestamp: Millis(1),
            previous: CommitDigest([2; 32]),
            demoted: MemberSet::default(),
            convicted: MemberSet::default(),
        }))
    }

    fn receipts(&self, _: CommitIndex, _: CommitIndex) -> Result<Vec<Bytes>, Infallible> {
        Ok(vec![Bytes::from(vec![3; RECEIPT_BYTES]); RECEIPTS])
    }
}

fn answer(request: &Request) -> Answer {
    let Ok(answer) = serve(&Much, &[], request);
    let bytes = answer.encode().len();
    assert!(
        bytes < ANSWER_BYTES_MAX * 11 / 10,
        "{bytes} bytes to {request:?}"
    );
    answer
}

#[test]
fn s2_an_answer_ends_at_its_bytes() {
    let height = Height(1_000);
    let receipts = Request::Receipts { height, block: 0 };
    let Answer::Receipts(receipts) = answer(&receipts) else {
        panic!("receipts");
    };
    let blocks = ANSWER_BYTES_MAX / (RECEIPT_BYTES * LIST_BLOCK);
    assert_eq!(receipts.len(), blocks * LIST_BLOCK);
    let past = Request::Receipts {
        height,
        block: u64::MAX,
    };
    assert_eq!(answer(&past), Answer::Lacks);

    let Answer::Commits(commits) = answer(&Request::Commits(CommitIndex(1_000))) else {
        panic!("commits");
    };
    assert_eq!(commits.len(), ANSWER_BYTES_MAX / (128 + 56 * VERTICES));
    let Answer::Heights(heights) = answer(&Request::Heights(height)) else {
        panic!("heights");
    };
    assert_eq!(heights.len(), HEIGHTS_MAX);
}
