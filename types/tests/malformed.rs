//! Whatever bytes come, a decoder answers with a value or an error, in bounded memory. Every message
//! type is fed its good form cut at each byte, with bits flipped, fields doubled, left out, retyped,
//! and lengths that lie; what is signed must be refused in every such form that changes it.

use bytes::Bytes;
use prost::Message;
use prost::encoding::{decode_key, encode_varint, skip_field};
use std::panic::{AssertUnwindSafe, catch_unwind};
use weft_types::Observation;
use weft_types::hash::Domain;
use weft_types::testing::{
    availability, availability_certificate, certify, committee, finality_key, genesis, issuer_key,
    network, new_voucher_pool, offence, posted, spent_voucher, statement, transaction, user,
    user_key, vertex_key, voucher, voucher_pool,
};
use weft_types::*;

struct Target {
    name: &'static str,
    good: Vec<u8>,
    /// Decodes, verifies where there is a signature, and encodes again.
    read: fn(&[u8]) -> Result<Vec<u8>, String>,
    /// No changed form is valid, but for fields that nobody knows.
    signed: bool,
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

fn pay() -> Operation {
    Operation::Transfer {
        payments: vec![Payment {
            to: user(2),
            asset: AssetId([3; 32]),
            amount: Amount(5),
        }],
        items: vec![ItemTransfer {
            to: user(3),
            item: ItemId([4; 32]),
        }],
    }
}

fn link(round: u64, author: u32) -> VertexRef {
    VertexRef {
        round: Round(round),
        author: MemberIndex(author),
        digest: VertexDigest([7; 32]),
    }
}

fn receipt() -> Receipt {
    Receipt {
        transaction: TransactionId([1; 32]),
        commit: CommitIndex(4),
        position: 2,
        valid_until: Millis(60_000),
        fee: Amount(150),
        created: vec![ObjectId::Item(ItemId([7; 32]))],
        failure: Some(Failure {
            operation: 0,
            code: FailureCode::ALL[0],
            subject: Some(ObjectId::Account(user(1))),
            found: 3,
            limit: 5,
        }),
    }
}

fn account() -> Object {
    let mut account = Account::default();
    account.set(AssetId::NATIVE, Amount(10));
    account.set(AssetId([5; 32]), Amount(3));
    account.set_exit_address(BaseAddress([6; 20]));
    account.give_exit_place(AssetId::NATIVE, 7);
    account.set_keys(weft_types::testing::keys());
    Object::Account(account.into())
}

fn collection() -> Object {
    let collection = Collection {
        creator: user(1),
        name: "Karten".to_owned(),
        description: "none".to_owned(),
        item_cap: 9,
        issued: 4,
        editions: 2,
        policy: weft_types::testing::policy(),
        roles: weft_types::testing::role_holders(),
        frozen: true,
    };
    Object::Collection(collection.into())
}

fn item() -> Object {
    let item = Item {
        exit: Some(ItemExit {
            place: 8,
            address: Some(BaseAddress([6; 20])),
        }),
        edition: EditionId([5; 32]),
        serial: 42,
        owner: user(2),
        state: ItemState::Locked {
            deal: DealId([9; 32]),
        },
        status: "mint".to_owned(),
        data_hash: Some(ContentHash([6; 32])),
        frozen: true,
        used: 3,
        void: Some("charged back".to_owned()),
        last_pass: 9,
    };
    Object::Item(item.into())
}

fn edition() -> Object {
    let terms = NewEdition {
        collection: CollectionId([2; 32]),
        name: "North".to_owned(),
        cap: 9,
        traits: vec![],
        image: String::new(),
        image_hash: None,
        metadata_hash: None,
        reference: String::new(),
        uses: 2,
    };
    let mut edition = Edition {
        sale: Some(weft_types::testing::sale()),
        ..Edition::new(terms)
    };
    edition.bought.insert(3);
    Object::Edition(edition.into())
}

fn deal() -> Object {
    let one = Bundle {
        assets: vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount: Amount(250),
        }],
        items: vec![ItemId([3; 32])],
    };
    let terms = NewDeal {
        gives: one.clone(),
        wants: one,
        wants_any: vec![WantedItems {
            from: WantedFrom::Collection(CollectionId([6; 32])),
            count: 1,
        }],
        expires: Millis(90_000),
        ..NewDeal::default()
    };
    let deal = Deal {
        state: DealState::Taken { by: user(3) },
        ..Deal::open(user(1), terms)
    };
    Object::Deal(deal.into())
}

fn auction() -> Object {
    let (giver, bidder) = (user(1), user(3));
    let deal = Deal {
        bid: Some(HighestBid {
            by: bidder,
            amount: Amount(300),
            expires: Millis(95_000),
        }),
        ..Deal::open(giver, weft_types::testing::auction())
    };
    Object::Deal(deal.into())
}

/// A series that is drawn.
fn series() -> Vec<u8> {
    let (_, deal) = weft_types::testing::drawn(2, 2);
    Object::Deal(deal.into()).encode().to_vec()
}

/// From its opening to its draw.
fn transaction_of_series() -> Transaction {
    let deal = DealId([9; 32]);
    let operations = vec![
        Operation::DealOpen(weft_types::testing::series(2, 2)),
        Operation::DealTake(Taking::pack(deal, Entropy([7; 32]))),
        Operation::PassPack {
            deal,
            pack: 1,
            to: user(3),
        },
        Operation::Reveal {
            deal,
            secret: weft_types::testing::DRAW_SECRET,
        },
    ];
    transaction(1, 8, operations)
}

/// A channel that is closing.
fn closing() -> Object {
    let deal = Deal {
        standing: Some(weft_types::testing::standing()),
        ..Deal::open(user(1), weft_types::testing::channel())
    };
    Object::Deal(deal.into())
}

fn read_state(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let state = ChannelState::decode(&Bytes::copy_from_slice(bytes)).map_err(text)?;
    Ok(state.encode().to_vec())
}

/// Reads bytes as what a channel is closed with.
fn read_closing(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let wire = wire::ChannelClose::decode(bytes).map_err(text)?;
    let kind = Some(wire::operation::Kind::ChannelClose(wire));
    match Operation::try_from(wire::Operation { kind }).map_err(text)? {
        Operation::ChannelClose(shown) => Ok(wire::ChannelClose::from(&shown).encode_to_vec()),
        other => panic!("read as {}", other.name()),
    }
}

fn vertex() -> Vec<u8> {
    let transaction = transaction(1, 7, vec![pay()]);
    let body = VertexBody {
        network: network().id(),
        epoch: Epoch::ZERO,
        round: Round(5),
        author: MemberIndex(1),
        timestamp: Millis(1_000),
        parents: vec![link(4, 1), link(4, 0), link(4, 2)],
        weak_links: vec![link(2, 3)],
        transactions: vec![transaction.encoded().clone()],
        observation: Observation::default(),
        offences: vec![offence(3, 4)],
        shares: vec![FinalityShare::sign(&statement(7), &finality_key(1))],
    };
    let verified = transaction.verify(network().id()).unwrap();
    let vertex = Vertex::sign(body, vec![verified.into()], &vertex_key(1));
    vertex.encode().to_vec()
}

fn read_vertex(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let vertex = Vertex::decode(Bytes::copy_from_slice(bytes)).map_err(text)?;
    let vertex = verify_vertex(vertex, network().id(), &committee(4), &|_| None).map_err(text)?;
    Ok(vertex.encode().to_vec())
}

/// Reads bytes as the body of a vertex that its author has signed.
fn read_vertex_body(body: &[u8]) -> Result<Vec<u8>, String> {
    let unsigned = wire::Vertex {
        body: Bytes::copy_from_slice(body),
        signature: Bytes::new(),
    };
    let unsigned = Vertex::decode(unsigned.encode_to_vec().into()).map_err(text)?;
    let message = [Domain::VertexSignature.tag(), &unsigned.digest().0].concat();
    let vertex = wire::Vertex {
        body: Bytes::copy_from_slice(body),
        signature: Bytes::copy_from_slice(&vertex_key(1).sign(&message)),
    };
    read_vertex(&vertex.encode_to_vec())?;
    Ok(body.to_vec())
}

fn read_transaction(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let transaction = Transaction::decode(Bytes::copy_from_slice(bytes)).map_err(text)?;
    let transaction = transaction.verify(network().id()).map_err(text)?;
    Ok(transaction.encoded().to_vec())
}

/// Reads bytes as the body of a transaction that user 1 has signed.
fn read_transaction_body(body: &[u8]) -> Result<Vec<u8>, String> {
    let message = [Domain::TransactionSignature.tag(), body].concat();
    let transaction = wire::Transaction {
        body: Bytes::copy_from_slice(body),
        authorisations: vec![wire::Authorisation {
            scheme: 1,
            public_key: Bytes::copy_from_slice(&user_key(1).public().0),
            signature: Bytes::copy_from_slice(&user_key(1).sign(&message)),
            account: Bytes::new(),
        }],
    };
    let read = Transaction::decode(transaction.encode_to_vec().into()).map_err(text)?;
    let read = read.verify(network().id()).map_err(text)?;
    Ok(read.body().encode().to_vec())
}

/// The same, unsigned: a voucher takes long to verify.
fn read_unverified_body(body: &[u8]) -> Result<Vec<u8>, String> {
    let body = wire::TransactionBody::decode(body).map_err(text)?;
    let body = TransactionBody::try_from(body).map_err(text)?;
    Ok(body.encode().to_vec())
}

fn read_commit(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let commit = Commit::decode(Bytes::copy_from_slice(bytes)).map_err(text)?;
    Ok(commit.encode().to_vec())
}

fn read_certificate(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let certificate = Certificate::decode(Bytes::copy_from_slice(bytes)).map_err(text)?;
    let certificate = certificate
        .verify(&network(), &committee(4))
        .map_err(text)?;
    Ok(certificate.encode().to_vec())
}

fn read_certificate_json(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let json: CertificateJson = serde_json::from_slice(bytes).map_err(text)?;
    let certificate = Certificate::try_from(json).map_err(text)?;
    let certificate = certificate
        .verify(&network(), &committee(4))
        .map_err(text)?;
    serde_json::to_vec(&certificate.to_json()).map_err(text)
}

fn read_statement(bytes: &[u8]) -> Result<Vec<u8>, String> {
    Ok(Statement::decode(bytes).map_err(text)?.encode().to_vec())
}

fn read_state_proof(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let wire = wire::StateProof::decode(bytes).map_err(text)?;
    let proof = StateProof::try_from(&wire).map_err(text)?;
    Ok(wire::StateProof::from(&proof).encode_to_vec())
}

fn read_receipt(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let receipt = Receipt::decode(Bytes::copy_from_slice(bytes)).map_err(text)?;
    Ok(receipt.encode().to_vec())
}

/// Reads bytes as the object of the kind that `id` names.
fn read_object(id: ObjectId, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let object = Object::decode(&id, Bytes::copy_from_slice(bytes)).map_err(text)?;
    Ok(object.encode().to_vec())
}

fn read_submission(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let request: api::SubmitRequest = serde_json::from_slice(bytes).map_err(text)?;
    for transaction in request.transactions.iter().flatten() {
        if let Ok(api::TransactionJson::Structured {
            body,
            authorisations,
        }) = &transaction.0
        {
            body.assemble(authorisations).map_err(text)?;
        }
    }
    serde_json::to_vec(&request).map_err(text)
}

fn read_operation_json(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let operation: Operation = serde_json::from_slice(bytes).map_err(text)?;
    serde_json::to_vec(&operation).map_err(text)
}

fn read_genesis(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let json = std::str::from_utf8(bytes).map_err(text)?;
    Ok(Genesis::from_json(json).map_err(text)?.to_json().into())
}

fn targets() -> Vec<Target> {
    let vertex = vertex();
    let vertex_body = wire::Vertex::decode(vertex.as_slice()).unwrap().body;
    let transaction = transaction(1, 7, vec![pay()]);
    let vouchers = weft_types::testing::transaction(
        1,
        8,
        vec![
            Operation::VoucherOpen(new_voucher_pool()),
            Operation::VoucherIssue {
                pool: issuer_key(1).public().pool(),
                count: 4,
            },
            Operation::VoucherSpend {
                key: issuer_key(1).public(),
                voucher: voucher(1, user(1)),
            },
        ],
    );
    let commit = Commit {
        index: CommitIndex(3),
        leader: link(5, 1),
        vertices: vec![link(4, 0), link(5, 1)],
        timestamp: Millis(9_000),
        previous: CommitDigest([2; 32]),
        demoted: MemberSet::default(),
        convicted: MemberSet::default(),
    };
    let certificate = certify(&statement(7), &[0, 1, 3]);
    let proof = StateProof {
        siblings: vec![Root([1; 32]), Root([2; 32])],
        other: Some((StateKey([3; 32]), Root([4; 32]))),
    };
    let submission = api::SubmitRequest {
        transactions: Some(vec![(&transaction).into()]),
        ..Default::default()
    };
    let target = |name, good: Vec<u8>, read: fn(&[u8]) -> _, signed| Target {
        name,
        good,
        read,
        signed,
    };
    vec![
        target("vertex", vertex, read_vertex, true),
        target("vertex body", vertex_body.to_vec(), read_vertex_body, false),
        target(
            "transaction",
            transaction.encoded().to_vec(),
            read_transaction,
            true,
        ),
        target(
            "transaction body",
            transaction.body().encode().to_vec(),
            read_transaction_body,
            false,
        ),
        target(
            "body of tickets",
            weft_types::testing::body(1, 8, weft_types::testing::ticket_operations())
                .encode()
                .to_vec(),
            read_transaction_body,
            false,
        ),
        target(
            "transaction body with vouchers",
            vouchers.body().encode().to_vec(),
            read_unverified_body,
            false,
        ),
        target(
            "voucher pool",
            Object::VoucherPool(voucher_pool().into()).encode().to_vec(),
            |b| read_object(ObjectId::VoucherPool(issuer_key(1).public().pool()), b),
            false,
        ),
        target(
            "spent voucher",
            Object::SpentVoucher(spent_voucher().into())
                .encode()
                .to_vec(),
            |b| read_object(ObjectId::SpentVoucher(SpentVoucherId([1; 32])), b),
            false,
        ),
        target(
            "transaction body with data",
            weft_types::testing::transaction(
                1,
                9,
                vec![Operation::PostData(availability_certificate(
                    availability(),
                    &[0, 1, 2],
                ))],
            )
            .body()
            .encode()
            .to_vec(),
            read_unverified_body,
            false,
        ),
        target(
            "posted data",
            Object::Posted(posted().into()).encode().to_vec(),
            |b| read_object(ObjectId::Posted(ContentHash([1; 32])), b),
            false,
        ),
        target("commit", commit.encode().to_vec(), read_commit, false),
        target(
            "certificate",
            certificate.encode().to_vec(),
            read_certificate,
            true,
        ),
        target(
            "certificate as JSON",
            serde_json::to_vec(&certificate.to_json()).unwrap(),
            read_certificate_json,
            false,
        ),
        target(
            "statement",
            statement(7).encode().to_vec(),
            read_statement,
            false,
        ),
        target(
            "state proof",
            wire::StateProof::from(&proof).encode_to_vec(),
            read_state_proof,
            false,
        ),
        target(
            "operation as JSON",
            serde_json::to_vec(&pay()).unwrap(),
            read_operation_json,
            false,
        ),
        target("receipt", receipt().encode().to_vec(), read_receipt, false),
        target(
            "account",
            account().encode().to_vec(),
            |b| read_object(ObjectId::Account(user(1)), b),
            false,
        ),
        target(
            "collection",
            collection().encode().to_vec(),
            |b| read_object(ObjectId::Collection(CollectionId([1; 32])), b),
            false,
        ),
        target(
            "item",
            item().encode().to_vec(),
            |b| read_object(ObjectId::Item(ItemId([1; 32])), b),
            false,
        ),
        target(
            "edition",
            edition().encode().to_vec(),
            |b| read_object(ObjectId::Edition(EditionId([1; 32])), b),
            false,
        ),
        target(
            "deal",
            deal().encode().to_vec(),
            |b| read_object(ObjectId::Deal(DealId([1; 32])), b),
            false,
        ),
        target(
            "auction",
            auction().encode().to_vec(),
            |b| read_object(ObjectId::Deal(DealId([1; 32])), b),
            false,
        ),
        target(
            "series",
            series(),
            |b| read_object(ObjectId::Deal(DealId([9; 32])), b),
            false,
        ),
        target(
            "body with a series",
            transaction_of_series().body().encode().to_vec(),
            read_transaction_body,
            false,
        ),
        target(
            "closing channel",
            closing().encode().to_vec(),
            |b| read_object(ObjectId::Deal(DealId([1; 32])), b),
            false,
        ),
        target(
            "order",
            Object::Deal(weft_types::testing::order().into())
                .encode()
                .to_vec(),
            |b| read_object(ObjectId::Deal(DealId([1; 32])), b),
            false,
        ),
        target(
            "channel's state",
            weft_types::testing::signed_state().state.encode().to_vec(),
            read_state,
            false,
        ),
        target(
            "channel's closing",
            wire::ChannelClose::from(&weft_types::testing::showing()).encode_to_vec(),
            read_closing,
            false,
        ),
        target(
            "transactions as JSON",
            serde_json::to_vec(&submission).unwrap(),
            read_submission,
            false,
        ),
        target("genesis", genesis(1).to_json().into(), read_genesis, false),
    ]
}

/// A changed form and what was done to it.
struct Changed {
    how: String,
    bytes: Vec<u8>,
    /// Says the same as the good form: an addition that readers skip, or a repetition.
    harmless: bool,
}

/// Where the fields of a message start, where their keys end, and where they end.
fn fields(message: &[u8]) -> Vec<(usize, usize, usize)> {
    let mut rest = message;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let start = message.len() - rest.len();
        let Ok((field, wire_type)) = decode_key(&mut rest) else {
            break;
        };
        let key_end = message.len() - rest.len();
        if skip_field(wire_type, field, &mut rest, Default::default()).is_err() {
            break;
        }
        fields.push((start, key_end, message.len() - rest.len()));
    }
    fields
}

fn changes(good: &[u8]) -> Vec<Changed> {
    let mut list = Vec::new();
    let mut add = |how: String, bytes: Vec<u8>, harmless| {
        list.push(Changed {
            how,
            bytes,
            harmless,
        });
    };
    for cut in 0..good.len() {
        add(format!("cut at {cut}"), good[..cut].to_vec(), false);
    }
    for place in 0..good.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut bytes = good.to_vec();
            bytes[place] ^= mask;
            add(format!("byte {place} flipped by {mask:#x}"), bytes, false);
        }
    }
    for (start, key_end, end) in fields(good) {
        let (before, field, after) = (&good[..start], &good[start..end], &good[end..]);
        let with = |field: &[u8]| [before, field, after].concat();
        add(
            format!("field at {start} doubled"),
            with(&[field, field].concat()),
            true,
        );
        add(format!("field at {start} left out"), with(&[]), false);
        for wire_type in 0..8 {
            let mut retyped = field.to_vec();
            retyped[0] = (retyped[0] & !7) | wire_type;
            if retyped != field {
                add(
                    format!("field at {start} of wire type {wire_type}"),
                    with(&retyped),
                    false,
                );
            }
        }
        for length in [0, 1, 0x7f, u64::from(u32::MAX), 1 << 63, u64::MAX] {
            let mut lying = good[start..key_end].to_vec();
            encode_varint(length, &mut lying);
            lying.extend_from_slice(after);
            add(
                format!("field at {start} of length {length}"),
                [before, &lying].concat(),
                false,
            );
        }
    }
    let with = |more: &[u8]| [good, more].concat();
    add("an unknown field added".into(), with(&[0x78, 1]), true);
    add("a field numbered 0 added".into(), with(&[0x00, 1]), false);
    add(
        "a number of 11 bytes added".into(),
        with(&[0xff; 11]),
        false,
    );
    add(
        "groups opened without end".into(),
        vec![0x0b; 100_000],
        false,
    );
    add(
        "lists opened without end".into(),
        vec![b'['; 100_000],
        false,
    );
    add("zeros".into(), vec![0; 1_000], false);
    list
}

#[test]
fn malformed_messages_are_refused_without_panic() {
    for target in targets() {
        let read = |bytes: &[u8], how: &str| {
            catch_unwind(AssertUnwindSafe(|| (target.read)(bytes)))
                .unwrap_or_else(|_| panic!("{}, {how}: panics", target.name))
        };
        let good = read(&target.good, "as it is").unwrap();
        let (mut refused, mut read_differently) = (0, Vec::new());
        for change in changes(&target.good) {
            match read(&change.bytes, &change.how) {
                Err(_) => refused += 1,
                Ok(again) => {
                    let stable = read(&again, "read and written").unwrap();
                    assert_eq!(stable, again, "{}, {}", target.name, change.how);
                    if !change.harmless && change.bytes != target.good {
                        read_differently.push(change.how);
                    }
                }
            }
        }
        assert_ne!(good.len(), 0);
        assert!(refused >= 20, "{}: {refused} refused", target.name);
        if target.signed {
            let none: [String; 0] = [];
            assert_eq!(read_differently, none, "{}", target.name);
        }
    }
}

/// A message of `count` empty entries of one field.
fn empty_entries(field: u8, count: usize) -> Vec<u8> {
    [field << 3 | 2, 0].repeat(count)
}

#[test]
fn lists_of_millions_of_empty_entries_are_refused_before_they_are_decoded() {
    for field in [6, 7, 8, 9] {
        let body = empty_entries(field, 2_000_000);
        let vertex = wire::Vertex {
            body: body.into(),
            signature: Bytes::new(),
        };
        let error = Vertex::decode(vertex.encode_to_vec().into()).unwrap_err();
        let VertexError::TooMany { found, .. } = error else {
            panic!("field {field}: {error}")
        };
        assert_eq!(found, 2_000_000);
    }
    let error = Transaction::decode(empty_entries(2, 30_000).into()).unwrap_err();
    assert_eq!(error, TransactionError::Authorisations(30_000));
    let transaction = wire::Transaction {
        body: empty_entries(7, 30_000).into(),
        authorisations: vec![wire::Authorisation::default()],
    };
    let error = Transaction::decode(transaction.encode_to_vec().into()).unwrap_err();
    assert_eq!(error, TransactionError::Operations(30_000));
    let error = Commit::decode(empty_entries(3, 1_000_000).into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "commit of 2000000 bytes cannot hold 1000000 vertices"
    );
}

#[test]
fn operations_nested_as_deep_as_the_bytes_allow_are_refused() {
    // Each level wraps operation in party in MultiParty in operation, until 64 KiB are full.
    let mut body = Vec::new();
    let wrap = |field: u8, inner: &[u8]| {
        let mut outer = vec![field << 3 | 2];
        encode_varint(inner.len() as u64, &mut outer);
        outer.extend_from_slice(inner);
        outer
    };
    while body.len() < 60_000 {
        body = wrap(10, &wrap(1, &wrap(2, &body)));
    }
    let refused = read_transaction_body(&wrap(7, &body)).unwrap_err();
    assert!(refused.contains("recursion"), "{refused}");
}
