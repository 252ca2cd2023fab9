use super::*;
use crate::hash::Domain;
use crate::operation::{Operation, Payment};
use crate::testing::{
    body as transaction_body, committee, finality_key, network, statement, transaction, user,
    user_key, vertex_key,
};
use crate::{Amount, AssetId};

fn link(round: u64, author: u32) -> VertexRef {
    VertexRef {
        round: Round(round),
        author: MemberIndex(author),
        digest: VertexDigest([round as u8; 32]),
    }
}

/// What member 1 of four says in round 5, with all of round 4 for parents.
fn body() -> VertexBody {
    VertexBody {
        network: network().id(),
        epoch: Epoch::ZERO,
        round: Round(5),
        author: MemberIndex(1),
        timestamp: Millis(1_000),
        parents: vec![link(4, 1), link(4, 0), link(4, 2), link(4, 3)],
        weak_links: vec![link(2, 3), link(3, 0)],
        transactions: vec![],
        observation: Observation::default(),
        offences: Vec::new(),
        shares: vec![FinalityShare::sign(&statement(7), &finality_key(1))],
    }
}

fn pay(nonce: u64) -> Transaction {
    let payment = Payment {
        to: user(2),
        asset: AssetId::NATIVE,
        amount: Amount(5),
    };
    let transfer = Operation::Transfer {
        payments: vec![payment],
        items: vec![],
    };
    transaction(1, nonce, vec![transfer])
}

/// Of a body that can be read; any digest will do for another, which is refused before.
fn digest_of(encoded: &[u8]) -> VertexDigest {
    let body = wire::VertexBody::decode(encoded).unwrap();
    let body = VertexBody::try_from(body);
    body.map_or(VertexDigest([0; 32]), |body| {
        Place::of(&body).digest(&body_hash(encoded))
    })
}

/// A vertex message with this body, signed by member `signer`.
fn signed(body: &[u8], signer: usize) -> wire::Vertex {
    let signature = vertex_key(signer).sign(&signed_message(&digest_of(body)));
    wire::Vertex {
        body: Bytes::copy_from_slice(body),
        signature: Bytes::copy_from_slice(&signature),
    }
}

fn read(vertex: &wire::Vertex) -> Result<Verified<Vertex>, VertexError> {
    let vertex = Vertex::decode(vertex.encode_to_vec().into())?;
    verify_vertex(vertex, network().id(), &committee(4), &|_| None)
}

/// Reads the vertex with its body changed and signed by its author.
fn changed(change: impl FnOnce(&mut VertexBody)) -> Result<Verified<Vertex>, VertexError> {
    let mut body = body();
    change(&mut body);
    read(&signed(&body.encode(), body.author.as_usize()))
}

fn refused(change: fn(&mut VertexBody)) -> String {
    changed(change).unwrap_err().to_string()
}

#[test]
fn a_vertex_survives_its_bytes() {
    let transactions = vec![Arc::new(pay(1).verify(network().id()).unwrap())];
    let mut body = body();
    body.transactions = vec![pay(1).encoded().clone()];
    let own = Vertex::sign(body, transactions, &vertex_key(1));
    let vertex = Vertex::decode(own.encode()).unwrap();
    let vertex = verify_vertex(vertex, network().id(), &committee(4), &|_| None).unwrap();
    assert_eq!(vertex, own);
    assert_eq!(vertex.links().count(), 6);
    assert_eq!(vertex.voting_parents().count(), 4);
    assert_eq!(vertex.shares(), own.shares());
    assert_eq!(vertex.transactions(), own.transactions());
    assert!(own.size() >= own.encode().len());
}

#[test]
#[should_panic(expected = "the transactions that were verified")]
fn a_vertex_is_not_signed_over_other_transactions_than_those_verified() {
    let mut body = body();
    body.transactions = vec![pay(1).encoded().clone()];
    let other = Arc::new(pay(2).verify(network().id()).unwrap());
    Vertex::sign(body, vec![other], &vertex_key(1));
}

// V1.

#[test]
fn the_digest_is_of_the_bytes_received_never_of_a_re_encoding() {
    let canonical = body().encode().to_vec();
    let mut extended = canonical.clone();
    extended.extend_from_slice(&[0x78, 1]); // field 15, which nobody knows
    let mut reordered = canonical[34..].to_vec(); // the network, field 1, moved to the end
    reordered.extend_from_slice(&canonical[..34]);
    for bytes in [extended, reordered] {
        let vertex = read(&signed(&bytes, 1)).unwrap();
        assert_eq!(vertex.content.body.encode(), canonical, "the same meaning");
        assert_eq!(vertex.digest(), digest_of(&bytes));
        assert_ne!(vertex.digest(), digest_of(&canonical), "another vertex");

        let mut relayed = signed(&bytes, 1);
        relayed.body = canonical.clone().into();
        let error = read(&relayed).unwrap_err();
        assert!(matches!(error, VertexError::Signature(_)), "{error}");
        let mut relayed = signed(&canonical, 1);
        relayed.body = bytes.into();
        let error = read(&relayed).unwrap_err();
        assert!(matches!(error, VertexError::Signature(_)), "{error}");
    }
}

#[test]
fn what_a_relay_adds_around_the_body_changes_nothing() {
    let mut bytes = signed(&body().encode(), 1).encode_to_vec();
    let plain = Vertex::decode(bytes.clone().into()).unwrap();
    bytes.extend_from_slice(&[0x7a, 3, b'x', b'y', b'z']);
    let wrapped = Vertex::decode(bytes.into()).unwrap();
    assert_eq!(wrapped, plain);
    assert_eq!(wrapped.encode(), plain.encode());
    assert!(verify_vertex(wrapped, network().id(), &committee(4), &|_| None).is_ok());
}

#[test]
fn only_the_authors_signature_over_the_tagged_digest_counts() {
    let encoded = body().encode();
    let digest = digest_of(&encoded);
    let untagged = vertex_key(1).sign(&digest.0);
    let foreign_tag = [Domain::TransactionSignature.tag(), &digest.0].concat();
    let foreign_tag = vertex_key(1).sign(&foreign_tag);
    let right = signed(&encoded, 1).signature;
    for signature in [
        signed(&encoded, 2).signature,
        Bytes::copy_from_slice(&untagged),
        Bytes::copy_from_slice(&foreign_tag),
        Bytes::new(),
        right.slice(..63),
        [&right[..], &[0]].concat().into(),
    ] {
        let body = encoded.clone();
        let error = read(&wire::Vertex { body, signature }).unwrap_err();
        assert!(matches!(error, VertexError::Signature(_)), "{error}");
    }
}

#[test]
fn equivocation_is_two_digests_both_validly_signed() {
    let first = changed(|_| {}).unwrap();
    let second = changed(|b| b.timestamp = Millis(1_001)).unwrap();
    assert_eq!(
        (first.round(), first.author()),
        (second.round(), second.author())
    );
    assert_ne!(first.digest(), second.digest());
}

#[test]
fn any_changed_byte_of_a_vertex_is_refused() {
    let bytes = signed(&body().encode(), 1).encode_to_vec();
    for i in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[i] ^= 1;
        let verified = Vertex::decode(changed.into())
            .and_then(|v| verify_vertex(v, network().id(), &committee(4), &|_| None));
        assert!(verified.is_err(), "byte {i} of {}", bytes.len());
    }
}

// C1, V2.

#[test]
fn another_network_epoch_or_author_is_refused() {
    let foreign = refused(|b| b.network = NetworkId([1; 32]));
    assert!(foreign.contains(" is of network 0101"), "{foreign}");
    let later = refused(|b| b.epoch = Epoch(1));
    assert!(later.ends_with("is of epoch 1, not 0"), "{later}");
    for author in [4, 127, 128, u32::MAX] {
        let mut body = body();
        body.author = MemberIndex(author);
        let error = read(&signed(&body.encode(), 1)).unwrap_err();
        assert!(matches!(error, VertexError::UnknownAuthor(_)), "{error}");
    }
}

#[test]
fn round_zero_is_derived_and_never_received() {
    let error = changed(|b| b.round = Round::ZERO).unwrap_err();
    assert!(matches!(error, VertexError::RoundZero(_)), "{error}");
    let derived = Vertex::genesis(network().id(), Epoch::ZERO, MemberIndex(1));
    assert_eq!(
        derived,
        Vertex::genesis(network().id(), Epoch::ZERO, MemberIndex(1))
    );
    for other in [
        Vertex::genesis(NetworkId([1; 32]), Epoch::ZERO, MemberIndex(1)),
        Vertex::genesis(network().id(), Epoch(1), MemberIndex(1)),
        Vertex::genesis(network().id(), Epoch::ZERO, MemberIndex(2)),
    ] {
        assert_ne!(other.digest(), derived.digest());
    }
}

#[test]
fn the_first_parent_is_an_earlier_vertex_of_the_author() {
    let rule = "its first parent is not an earlier vertex of its author";
    assert!(refused(|b| b.parents.swap(0, 1)).ends_with(rule));
    assert!(refused(|b| b.parents[0].round = Round(5)).ends_with(rule));
    assert!(refused(|b| b.parents[0].round = Round::MAX).ends_with(rule));
    assert!(refused(|b| b.parents.clear()).ends_with("it has no parents"));
}

#[test]
fn an_older_own_parent_is_allowed_but_does_not_vote() {
    let vertex = changed(|b| b.parents[0].round = Round(1)).unwrap();
    assert_eq!(vertex.voting_parents().count(), 3);
    let short = refused(|b| {
        b.parents[0].round = Round(1);
        b.parents.pop();
    });
    assert!(
        short.ends_with("parent stake 2 is below the quorum 3"),
        "{short}"
    );
}

#[test]
fn other_parents_are_of_the_previous_round_by_distinct_members_ascending() {
    let rule = "a parent by another author is not of the previous round";
    assert!(refused(|b| b.parents[2].round = Round(3)).ends_with(rule));
    assert!(refused(|b| b.parents[2].round = Round(5)).ends_with(rule));
    let rule = "a parent is by its own author again, or by no member";
    assert!(refused(|b| b.parents[1].author = MemberIndex(1)).ends_with(rule));
    assert!(refused(|b| b.parents[3].author = MemberIndex(4)).ends_with(rule));
    let rule = "parents are not of distinct authors in ascending order";
    assert!(refused(|b| b.parents.swap(1, 2)).ends_with(rule));
    assert!(refused(|b| b.parents[2].author = MemberIndex(0)).ends_with(rule));
}

#[test]
fn parents_of_exactly_a_quorum_suffice() {
    assert!(changed(|b| b.parents.truncate(3)).is_ok());
    let short = refused(|b| b.parents.truncate(2));
    assert!(
        short.ends_with("parent stake 2 is below the quorum 3"),
        "{short}"
    );
}

#[test]
fn weak_links_are_to_older_vertices_of_members_ascending_one_a_place() {
    let rule = "a weak link is not to an older vertex of a member";
    assert!(refused(|b| b.weak_links[1].round = Round(4)).ends_with(rule));
    assert!(refused(|b| b.weak_links[1].author = MemberIndex(4)).ends_with(rule));
    let rule = "weak links are not of distinct places in ascending order";
    assert!(refused(|b| b.weak_links.swap(0, 1)).ends_with(rule));
    assert!(refused(|b| b.weak_links[1] = b.weak_links[0]).ends_with(rule));
    let both_of_an_equivocation = refused(|b| {
        b.weak_links[1] = b.weak_links[0];
        b.weak_links[1].digest = VertexDigest([9; 32]);
    });
    assert!(both_of_an_equivocation.ends_with(rule));
}

#[test]
fn the_last_round_there_is_overflows_nothing() {
    let vertex = changed(|b| {
        b.round = Round::MAX;
        b.parents
            .iter_mut()
            .for_each(|p| p.round = Round(u64::MAX - 1));
    });
    assert_eq!(vertex.unwrap().voting_parents().count(), 4);
}

#[test]
fn lists_beyond_their_limits_are_refused_with_the_figures() {
    assert_eq!(
        refused(|b| b.parents = vec![link(4, 0); 129]),
        "vertex holds 129 parents, more than 128"
    );
    assert_eq!(
        refused(|b| b.weak_links = vec![link(3, 0); 513]),
        "vertex holds 513 weak links, more than 512"
    );
    assert_eq!(
        refused(|b| b.shares = vec![b.shares[0].clone(); 257]),
        "vertex holds 257 shares, more than 256"
    );
    assert_eq!(
        refused(|b| b.transactions = vec![Bytes::new(); 16_385]),
        "vertex holds 16385 transactions, more than 16384"
    );
    let error = Vertex::decode(vec![0; VERTEX_BYTES_MAX + 1].into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "vertex has 4194305 bytes, more than 4194304"
    );
}

#[test]
fn identifiers_and_shares_of_wrong_length_are_refused() {
    let refused = |change: fn(&mut wire::VertexBody)| {
        let mut body = wire::VertexBody::decode(body().encode()).unwrap();
        change(&mut body);
        read(&signed(&body.encode_to_vec(), 1))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(|b| b.network = Bytes::new()),
        "NetworkId has 0 bytes, not 32"
    );
    assert_eq!(
        refused(|b| b.parents[0].digest = Bytes::from_static(&[0; 33])),
        "VertexDigest has 33 bytes, not 32"
    );
    assert_eq!(
        refused(|b| b.finality_shares[0].statement_digest = Bytes::new()),
        "StatementDigest has 0 bytes, not 32"
    );
    assert_eq!(
        refused(|b| b.finality_shares[0].signature = Bytes::from_static(&[0; 95])),
        "vertex is no protobuf message: BLS signature has 95 bytes, not 96"
    );
}

// O3.

#[test]
fn a_wrong_transaction_is_void_in_its_place_and_leaves_the_vertex_valid() {
    let mut forged = pay(2).encoded().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let mut foreign = transaction_body(1, 3, pay(3).body().operations.clone());
    foreign.network = NetworkId([1; 32]);
    let foreign = foreign.sign(&[&user_key(1)]);
    let vertex = changed(|b| {
        b.transactions = vec![
            pay(1).encoded().clone(),
            forged.into(),
            Bytes::new(),
            Bytes::from_static(b"no transaction"),
            foreign.encoded().clone(),
            pay(1).encoded().clone(),
        ];
    });
    let vertex = vertex.unwrap();
    let ids: Vec<_> = vertex
        .transactions()
        .iter()
        .map(|t| t.as_ref().map(|t| t.id()))
        .collect();
    let good = Some(pay(1).id());
    assert_eq!(ids, [good, None, None, None, None, good]);
}

#[test]
fn a_known_transaction_is_shared_not_verified_again() {
    let known = Arc::new(pay(1).verify(network().id()).unwrap());
    let lookup = |t: &Transaction| (t.id() == known.id()).then(|| known.clone());
    let mut body = body();
    body.transactions = vec![pay(1).encoded().clone()];
    let vertex = Vertex::decode(signed(&body.encode(), 1).encode_to_vec().into()).unwrap();
    let vertex = verify_vertex(vertex, network().id(), &committee(4), &lookup).unwrap();
    assert!(Arc::ptr_eq(
        vertex.transactions()[0].as_ref().unwrap(),
        &known
    ));
}

#[test]
fn the_order_of_references_is_round_author_digest() {
    let mut references = vec![link(2, 0), link(1, 3), link(1, 0)];
    let mut twin = link(1, 0);
    twin.digest = VertexDigest([0; 32]);
    references.push(twin);
    references.sort();
    assert_eq!(references, [twin, link(1, 0), link(1, 3), link(2, 0)]);
    assert_eq!(link(4, 1).to_string(), "1@4:04040404");
}
