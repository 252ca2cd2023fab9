//! Posted data over the API: brought to members, posted with what they sign, read, proven, and gone.

use super::harness::{CONTENT_BYTES, Node, clock, genesis, signed};
use weft_types::api::{DryRun, Object, PROTOBUF, ProblemCode, ProofBundle, SignedAvailability};
use weft_types::testing::{finality_key, user};
use weft_types::*;

const DATA: &[u8] = b"{\"batch\": 7}";

fn path(bytes: &[u8], until: Millis, by: Millis) -> String {
    let hash = ContentHash::of(bytes);
    format!("/v1/data/{hash}?until={until}&by={by}")
}

/// A node whose ledger has the clock's time.
fn started() -> Node {
    let node = Node::start();
    node.commit();
    node
}

fn soon() -> (Millis, Millis) {
    let now = clock();
    (now.saturating_add(3_600_000), now.saturating_add(60_000))
}

/// What this member and two others have signed.
fn gathered(own: &SignedAvailability) -> AvailabilityCertificate {
    let point = bls::Signature::from_bytes(&own.signature.0).unwrap();
    let network = genesis().network.id();
    let others = [1, 2].map(|i: u32| {
        let signature = own.claim.sign(network, &finality_key(i as usize));
        (MemberIndex(i), signature)
    });
    let signed = [&[(own.member, point)], &others[..]].concat();
    AvailabilityCertificate::gather(own.claim, &signed).unwrap()
}

async fn brought(node: &Node, bytes: &'static [u8]) -> SignedAvailability {
    let (until, by) = soon();
    node.put(&path(bytes, until, by), bytes).await.json()
}

#[tokio::test]
async fn l53_what_a_quorum_has_is_posted_read_and_proven_with_its_hash_alone() {
    let node = started();
    let own = brought(&node, DATA).await;
    assert_eq!(own.member, MemberIndex(0));
    assert_eq!(own.claim.size, DATA.len() as u64);
    let point = bls::Signature::from_bytes(&own.signature.0).unwrap();
    let (id, key) = (genesis().network.id(), finality_key(0).public());
    assert!(own.claim.is_signed(id, &key, &point));

    let post = signed(1, 1, vec![Operation::PostData(gathered(&own))]);
    let encoded = post.encoded().to_vec();
    let tried: DryRun = node.post("/v1/dry-run", PROTOBUF, encoded).await.json();
    assert_eq!(tried.receipt.code, 0, "{}", tried.receipt.detail);
    let status = node.done(&post).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    node.certify();

    let hash = own.claim.hash;
    let answer = node.get(&format!("/v1/data/{hash}")).await;
    assert_eq!(answer.body, DATA);
    for (bytes, there) in [(DATA, true), (b"nothing", false)] {
        let hash = ContentHash::of(bytes);
        let proof: ProofBundle = node.get(&format!("/v1/data/{hash}/proof")).await.json();
        assert_eq!(proof.object, ObjectId::Posted(hash));
        let value = proof.value.as_ref().map(|v| hex::decode(v).unwrap());
        let root = serde_json::to_value(&proof.certificate).unwrap();
        let root = root["statement"]["state_root"].as_str().unwrap().parse();
        let key = proof.object.state_key();
        let proven = proof.proof.verify(&root.unwrap(), &key, value.as_deref());
        assert_eq!((proven, value.is_some()), (Ok(()), there));
        if let Some(value) = value {
            let Ok(Object::Posted(posted)) = Object::decode(&proof.object, value.into()) else {
                panic!("a record");
            };
            assert_eq!((posted.hash, posted.poster), (hash, user(1)));
            assert_eq!(posted.until, own.claim.until);
        }
    }
    let history = node.get(&format!("/v1/accounts/{}/history", user(1))).await;
    assert!(history.text().contains("post_data"), "{}", history.text());
}

#[tokio::test]
async fn l53_too_few_signatures_and_those_of_other_data_post_nothing() {
    let node = started();
    let own = brought(&node, DATA).await;
    let mut few = gathered(&own);
    few.signers.remove(MemberIndex(2));
    let mut other = gathered(&own);
    other.claim.hash = ContentHash::of(b"other");
    for (nonce, certificate) in [(1, few), (2, other)] {
        let post = signed(1, nonce, vec![Operation::PostData(certificate)]);
        let status = node.done(&post).await;
        assert_eq!(status.code, Some(FailureCode::Unavailable.number()));
    }
}

#[tokio::test]
async fn what_has_another_hash_is_empty_too_long_or_for_a_wrong_time_is_not_signed_for() {
    let node = started();
    let (until, by) = soon();
    let long = vec![7; CONTENT_BYTES_MAX + 1];
    let far = clock().saturating_add(RETENTION_MAX.0 + 60_000);
    let later = clock().saturating_add(700_000);
    let wrong = ProblemCode::MalformedParameter;
    let other = path(b"other", until, by);
    for (path, bytes, code) in [
        (other, DATA, ProblemCode::ContentMismatch),
        (path(b"", until, by), b"", ProblemCode::ContentMismatch),
        (path(&long, until, by), &long, ProblemCode::BodyTooLarge),
        (path(DATA, Millis(1), by), DATA, wrong),
        (path(DATA, far, by), DATA, wrong),
        (path(DATA, until, Millis(1)), DATA, wrong),
        (path(DATA, until, later), DATA, wrong),
        (format!("/v1/data/{}", ContentHash::of(DATA)), DATA, wrong),
    ] {
        node.put(&path, bytes.to_vec()).await.problem(code);
    }
    assert_eq!(node.state.store.content_bytes(), 0);
    node.observe(None);
    let refused = node.put(&path(DATA, until, by), DATA).await;
    refused.problem(ProblemCode::NotAccepting);
}

#[tokio::test]
async fn l53_a_member_without_room_signs_for_nothing() {
    let node = started();
    let (until, by) = soon();
    for (n, fits) in [(1, true), (2, true), (3, false)] {
        let bytes = vec![n; CONTENT_BYTES_MAX];
        let answer = node.put(&path(&bytes, until, by), bytes).await;
        assert_eq!(answer.status.is_success(), fits);
        if !fits {
            answer.problem(ProblemCode::ContentFull);
        }
    }
    assert!(node.state.store.content_bytes() <= CONTENT_BYTES);
}

#[tokio::test]
async fn a4_posted_data_that_this_node_lacks_come_from_others_until_their_end() {
    let node = started();
    let (until, by) = soon();
    let claim = Availability {
        epoch: Epoch::ZERO,
        hash: ContentHash::of(DATA),
        size: DATA.len() as u64,
        until,
        by,
    };
    let network = genesis().network.id();
    let signatures = [1u32, 2, 3].map(|i| {
        let signature = claim.sign(network, &finality_key(i as usize));
        (MemberIndex(i), signature)
    });
    let posted = AvailabilityCertificate::gather(claim, &signatures).unwrap();
    let path = format!("/v1/data/{}", claim.hash);
    node.get(&path).await.problem(ProblemCode::ContentNotNamed);
    node.done(&signed(1, 1, vec![Operation::PostData(posted)]))
        .await;
    node.get(&path).await.problem(ProblemCode::ContentMissing);
    let hash = claim.hash;
    node.elsewhere.lock().unwrap().insert(hash, DATA.into());
    assert_eq!(node.get(&path).await.body, DATA);
    node.commit_at(until);
    node.get(&path).await.problem(ProblemCode::ContentNotNamed);
}
