//! The test vectors of `docs/spec/vectors`: every signed or hashed thing, from fixed seeds. Clients
//! in other languages check themselves against these files, so a change here is a change of the
//! protocol. A test fails when a file differs from what this code makes; `just vectors` writes them
//! anew. docs/spec/encoding.md says how each value is computed.

mod pass;
mod tree;

use serde_json::{Value, json};
use tree::Leaves;
use weft_types::Observation;
use weft_types::api::{AuthorisationJson, BodyJson};
use weft_types::ed25519::SecretKey;
use weft_types::hash::{Domain, blake3, keccak};
use weft_types::testing::*;
use weft_types::*;

fn hex(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(bytes)
}

fn pay(to: u64, amount: u64) -> Operation {
    Operation::Transfer {
        payments: vec![Payment {
            to: user(to),
            asset: AssetId::NATIVE,
            amount: Amount(amount),
        }],
        items: vec![],
    }
}

fn edition() -> NewEdition {
    NewEdition {
        collection: CollectionId([1; 32]),
        name: "Ärger im Anflug ✈".to_owned(),
        cap: 100,
        traits: vec![Trait {
            name: "rarity".to_owned(),
            value: "★★".to_owned(),
        }],
        image: "https://example.org/1.png".to_owned(),
        image_hash: Some(ContentHash([2; 32])),
        metadata_hash: None,
        reference: "A1-001".to_owned(),
        uses: 2,
    }
}

fn deal() -> NewDeal {
    NewDeal {
        gives: Bundle {
            assets: vec![],
            items: vec![ItemId([3; 32])],
        },
        wants: Bundle {
            assets: vec![AssetAmount {
                asset: AssetId::NATIVE,
                amount: Amount(250),
            }],
            items: vec![ItemId([4; 32])],
        },
        wants_any: vec![
            WantedItems {
                from: WantedFrom::Edition(EditionId([5; 32])),
                count: 2,
            },
            WantedItems {
                from: WantedFrom::Collection(CollectionId([6; 32])),
                count: 1,
            },
        ],
        taker: Some(user(3)),
        expires: Millis(90_000),
        ..NewDeal::default()
    }
}

/// One of each kind, by name.
fn operations() -> Vec<(&'static str, Operation)> {
    let moved = ItemTransfer {
        to: user(3),
        item: ItemId([7; 32]),
    };
    let Operation::Transfer { payments, .. } = pay(2, 5) else {
        unreachable!()
    };
    let party = |i, to| Party {
        account: user(i),
        operations: vec![pay(to, 1)],
    };
    vec![
        (
            "transfer",
            Operation::Transfer {
                payments,
                items: vec![moved],
            },
        ),
        (
            "create_collection",
            Operation::CreateCollection {
                name: "Karten".to_owned(),
                description: String::new(),
                item_cap: 0,
            },
        ),
        ("create_edition", Operation::CreateEdition(edition())),
        (
            "mint",
            Operation::Mint {
                entries: vec![MintEntry {
                    edition: EditionId([5; 32]),
                    to: user(2),
                    count: 10,
                }],
            },
        ),
        (
            "update_item",
            Operation::UpdateItem {
                item: ItemId([7; 32]),
                status: "played".to_owned(),
                data_hash: Some(ContentHash([8; 32])),
            },
        ),
        (
            "burn",
            Operation::Burn {
                items: vec![ItemId([7; 32]), ItemId([8; 32])],
            },
        ),
        ("deal_open", Operation::DealOpen(deal())),
        (
            "deal_take",
            Operation::DealTake(Taking::new(DealId([9; 32]), vec![ItemId([7; 32])])),
        ),
        (
            "withdraw",
            Operation::Withdraw {
                recipient: BaseAddress([6; 20]),
                gives: Bundle {
                    assets: vec![AssetAmount {
                        asset: AssetId::NATIVE,
                        amount: Amount(5),
                    }],
                    items: vec![ItemId([4; 32])],
                },
            },
        ),
        (
            "exit_address",
            Operation::ExitAddress {
                address: BaseAddress([6; 20]),
                items: vec![ItemId([4; 32])],
            },
        ),
        (
            "set_keys",
            Operation::SetKeys {
                changes: key_changes(),
            },
        ),
        (
            "recover",
            Operation::Recover {
                account: user(2),
                owner: user(3),
            },
        ),
        (
            "set_policy",
            Operation::SetPolicy {
                collection: CollectionId([1; 32]),
                policy: Some(policy()),
                roles: role_holders(),
            },
        ),
        (
            "freeze",
            Operation::Freeze {
                frozen: true,
                collections: vec![CollectionId([1; 32])],
                editions: vec![EditionId([5; 32])],
                items: vec![ItemId([7; 32])],
            },
        ),
        ("redeem", ticket_operations().swap_remove(0)),
        ("void", ticket_operations().swap_remove(1)),
        ("set_sale", ticket_operations().swap_remove(2)),
        ("buy", ticket_operations().swap_remove(3)),
        (
            "deal_cancel",
            Operation::DealCancel {
                deal: DealId([9; 32]),
            },
        ),
        (
            "deal_open_series",
            Operation::DealOpen(testing::series(3, 2)),
        ),
        (
            "deal_take_pack",
            Operation::DealTake(Taking::pack(DealId([9; 32]), Entropy([7; 32]))),
        ),
        (
            "reveal",
            Operation::Reveal {
                deal: DealId([9; 32]),
                secret: testing::DRAW_SECRET,
            },
        ),
        (
            "pass_pack",
            Operation::PassPack {
                deal: DealId([9; 32]),
                pack: 2,
                to: user(2),
            },
        ),
        (
            "multi_party",
            Operation::MultiParty(vec![party(1, 2), party(2, 1)]),
        ),
        ("auction", Operation::DealOpen(auction())),
        (
            "trait_offer",
            Operation::DealOpen(NewDeal {
                gives: auction().wants,
                wants_any: vec![WantedItems {
                    from: WantedFrom::Trait {
                        collection: CollectionId([6; 32]),
                        name: "rarity".to_owned(),
                        value: "★★".to_owned(),
                    },
                    count: 2,
                }],
                expires: Millis(90_000),
                ..NewDeal::default()
            }),
        ),
        (
            "bid",
            Operation::Bid {
                deal: DealId([9; 32]),
                amount: Amount(300),
            },
        ),
        (
            "deal_open_secret",
            Operation::DealOpen(NewDeal {
                rule: DealRule::Secret {
                    hash: Secret([9; 32]).hash(),
                },
                ..deal()
            }),
        ),
        (
            "deal_take_secret",
            Operation::DealTake(Taking {
                secret: Some(Secret([9; 32])),
                ..Taking::new(DealId([9; 32]), vec![])
            }),
        ),
        ("deal_open_channel", Operation::DealOpen(channel())),
        ("channel_close", Operation::ChannelClose(showing())),
        (
            "channel_challenge",
            Operation::ChannelChallenge(Showing {
                state: None,
                ..showing()
            }),
        ),
        ("voucher_open", Operation::VoucherOpen(new_voucher_pool())),
        (
            "voucher_issue",
            Operation::VoucherIssue {
                pool: issuer_key(1).public().pool(),
                count: 40,
            },
        ),
        (
            "voucher_spend",
            Operation::VoucherSpend {
                key: issuer_key(1).public(),
                voucher: voucher(1, user(1)),
            },
        ),
        (
            "post_data",
            Operation::PostData(testing::availability_certificate(
                testing::availability(),
                &[0, 1, 2],
            )),
        ),
    ]
}

fn link(round: u64, author: u32) -> VertexRef {
    VertexRef {
        round: Round(round),
        author: MemberIndex(author),
        digest: VertexDigest([round as u8; 32]),
    }
}

#[test]
fn hashes_are_as_published() {
    let domains = [
        Domain::Network,
        Domain::Genesis,
        Domain::Vertex,
        Domain::VertexSignature,
        Domain::Commit,
        Domain::Transaction,
        Domain::TransactionSignature,
        Domain::Address,
        Domain::ObjectId,
        Domain::StateKey,
        Domain::StateLeaf,
        Domain::StateNode,
        Domain::EmptyTree,
        Domain::Receipt,
        Domain::ListNode,
        Domain::Gossip,
        Domain::LeaderSchedule,
        Domain::Proposers,
        Domain::Pass,
        Domain::AllowList,
        Domain::DrawCommitment,
        Domain::DrawSeed,
        Domain::DrawNumber,
        Domain::ChannelState,
        Domain::ChannelSignature,
        Domain::Voucher,
        Domain::VoucherPool,
        Domain::Availability,
    ];
    let vector = |domain: &Domain| {
        let tag = std::str::from_utf8(domain.tag()).unwrap();
        let digest = blake3(*domain, &[b"some", b" bytes"]);
        json!({ "tag": tag, "message": hex("some bytes"), "blake3": hex(digest) })
    };
    let domains: Vec<Value> = domains.iter().map(vector).collect();
    check_vectors("hash", &json!(domains));
}

#[test]
fn addresses_are_as_published() {
    let vector = |i| {
        let key = user_public(i);
        json!({
            "seed": hex(*user_key(i).seed()),
            "scheme": Scheme::Ed25519.code(),
            "public_key": hex(key.0),
            "address": hex(user(i).0),
            "text": user(i).to_string(),
        })
    };
    check_vectors("address", &json!([vector(0), vector(1), vector(2)]));
}

#[test]
fn genesis_and_network_are_as_published() {
    let genesis = genesis(4);
    let template = serde_json::to_string(&genesis.template).unwrap();
    let network = genesis.network;
    // D6: the parameter has a place of its own among the others, and none while it is off.
    let mut two_delay = genesis.template.clone();
    two_delay.params.byzantine_percent = Some(20);
    let vectors = json!({
        "two_delay": {
            "template": serde_json::to_string(&two_delay).unwrap(),
            "digest": two_delay.digest(),
        },
        "template": template,
        "digest": genesis.template.digest(),
        "chain_id": network.chain_id,
        "manager": hex(network.manager),
        "network": network.id(),
        "genesis": genesis,
    });
    check_vectors("genesis", &vectors);
}

#[test]
fn transactions_are_as_published() {
    let mut vectors = Vec::new();
    for (name, operation) in operations() {
        let mut body = body(1, vectors.len() as u64, vec![operation]);
        let mut keys = vec![user_key(1)];
        if name == "multi_party" {
            keys.push(user_key(2));
            keys.push(user_key(4));
            body.sponsor = Some(user(4));
        }
        let transaction = body.sign(&keys.iter().collect::<Vec<_>>());
        assert!(transaction.clone().verify(network().id()).is_ok());
        let encoded = body.encode();
        let message = [Domain::TransactionSignature.tag(), &encoded].concat();
        let authorisations = transaction.authorisations().iter();
        let authorisations: Vec<_> = authorisations.map(AuthorisationJson::from).collect();
        let seeds: Vec<_> = keys.iter().map(|key| hex(*key.seed())).collect();
        vectors.push(json!({
            "name": name,
            "seeds": seeds,
            "body": BodyJson::from(&body),
            "body_bytes": hex(&encoded),
            "signed_message": hex(message),
            "authorisations": authorisations,
            "id": transaction.id(),
            "bytes": hex(transaction.encoded()),
        }));
    }
    check_vectors("transaction", &json!(vectors));
}

/// The first transaction, signed by each scheme of which a program can hold the key.
#[test]
fn authorisations_are_as_published() {
    let secret = [7; 32];
    let keys = [
        UserKey::from(&SecretKey::from_seed(secret)),
        UserKey::Eip191(secp256k1::SecretKey::from_bytes(&secret).unwrap()),
        UserKey::P256(p256::SecretKey::from_bytes(&secret).unwrap()),
        UserKey::Eip712(secp256k1::SecretKey::from_bytes(&secret).unwrap()),
    ];
    let vectors = keys.map(|key| {
        let (_, operation) = operations().remove(0);
        let mut body = body(1, 0, vec![operation]);
        body.sender = key.address();
        let transaction = body.sign_with(&[&key]);
        assert!(transaction.clone().verify(network().id()).is_ok());
        // The same key for another account: what is signed is the body, and differs by its sender alone.
        let for_another = TransactionBody {
            sender: user(2),
            ..body.clone()
        };
        let for_another = for_another.sign_for(&[(&key, user(2))]);
        assert!(for_another.clone().verify(network().id()).is_ok());
        let to_sign = body.to_sign();
        let authorisation = &transaction.authorisations()[0];
        json!({
            "secret": hex(secret),
            "address": key.address(),
            "body_bytes": hex(body.encode()),
            "id": transaction.id(),
            "signed_message": hex(to_sign.bytes),
            "named": hex(to_sign.named),
            "text": to_sign.text,
            "typed_data": to_sign.typed_data,
            "authorisation": AuthorisationJson::from(authorisation),
            "charged_bytes": authorisation.charged_bytes(),
            "for_another": {
                "authorisation": AuthorisationJson::from(&for_another.authorisations()[0]),
                "charged_bytes": for_another.authorisations()[0].charged_bytes(),
                "bytes": hex(for_another.encoded()),
            },
        })
    });
    check_vectors("authorisation", &json!(vectors));
}

#[test]
fn states_of_channels_are_as_published() {
    let signed = signed_state();
    assert!(signed.verify());
    let to_sign = signed.state.to_sign();
    let deal = Deal {
        standing: Some(standing()),
        ..Deal::open(user(1), channel())
    };
    let secret = Secret([9; 32]);
    let vectors = json!({
        "secret": { "secret": secret, "hash": secret.hash() },
        "state": signed.state,
        "bytes": hex(signed.state.encode()),
        "id": hex(signed.state.id()),
        "signed_message": hex(to_sign.bytes),
        "named": hex(to_sign.named),
        "text": to_sign.text,
        "typed_data": to_sign.typed_data,
        "signatures": signed.signatures.each_ref().map(AuthorisationJson::from),
        "closing": hex(Object::Deal(deal.into()).encode()),
    });
    check_vectors("channel", &vectors);
}

#[test]
fn vouchers_are_as_published() {
    let (key, account, network) = (issuer_key(1), user(2), network().id());
    let public = key.public();
    let blinding = Blinding::from_bytes(&[0x33; 32]).unwrap();
    let blinded = blinding.blind(network, &public, account);
    let signed = key.sign(&blinded).unwrap();
    let voucher = blinding.unblind(network, &public, account, &signed);
    let vectors = json!({
        "secret": hex(*key.to_bytes()),
        "key": public,
        "pool": public.pool(),
        "network": network,
        "issuer": user(1),
        "possession_message": hex(blake3(Domain::VoucherPool, &[&network.0, &user(1).0, &public.0])),
        "possession": key.prove(network, user(1)),
        "account": account,
        "message": hex(blake3(Domain::Voucher, &[&network.0, &public.pool().0, &account.0])),
        "blinding": hex(*blinding.to_bytes()),
        "blinded": blinded,
        "signed": signed,
        "voucher": voucher.unwrap(),
        "spent": SpentVoucherId::derive(&public.pool(), &account),
    });
    check_vectors("voucher", &vectors);
}

#[test]
fn availability_is_as_published() {
    let (claim, id) = (testing::availability(), network().id());
    let signed = |i| {
        let signature = claim.sign(id, &testing::finality_key(i));
        json!({ "secret": hex(*testing::finality_key(i).to_bytes()), "signature": hex(signature.to_bytes()) })
    };
    let certificate = testing::availability_certificate(claim, &[0, 1, 2]);
    let vectors = json!({
        "network": id,
        "claim": claim,
        "digest": hex(claim.digest(id)),
        "members": [signed(0), signed(1), signed(2)],
        "certificate": certificate,
    });
    check_vectors("availability", &vectors);
}

#[test]
fn objects_are_as_published() {
    let collection = CollectionId::derive(&user(1), &[7; 16], 0);
    let edition_id = EditionId::derive(&collection, 1);
    let item = ItemId::derive(&edition_id, 42);
    let deal_id = DealId::derive(&TransactionId([9; 32]), 3);
    let key = issuer_key(1).public();
    let spent = SpentVoucherId::derive(&key.pool(), &user(2));
    let mut vectors = json!({
        "collection": {
            "creator": user(1), "idempotency": hex([7; 16]), "operation": 0, "id": collection,
        },
        "edition": { "collection": collection, "number": 1, "id": edition_id },
        "item": { "edition": edition_id, "serial": 42, "id": item },
        "deal": { "transaction": hex([9; 32]), "operation": 3, "id": deal_id },
        "voucher_pool": { "key": key, "id": key.pool() },
        "spent_voucher": { "pool": key.pool(), "account": user(2), "id": spent },
    });
    for (name, id) in [
        ("account", ObjectId::Account(user(1))),
        ("collection", ObjectId::Collection(collection)),
        ("edition", ObjectId::Edition(edition_id)),
        ("item", ObjectId::Item(item)),
        ("deal", ObjectId::Deal(deal_id)),
        ("bridge", ObjectId::Bridge(BridgeId::THE_ONE)),
        ("withdrawal", ObjectId::Withdrawal(WithdrawalId::new(0))),
        ("roster", ObjectId::Roster(RosterId::THE_ONE)),
        ("offenders", ObjectId::Offenders(OffendersId::THE_ONE)),
        ("work", ObjectId::Work(WorkId::THE_ONE)),
        ("voucher_pool", ObjectId::VoucherPool(key.pool())),
        ("spent_voucher", ObjectId::SpentVoucher(spent)),
        ("posted", ObjectId::Posted(testing::availability().hash)),
    ] {
        let object = sample(&id);
        let value = object.encode();
        assert_eq!(Object::decode(&id, value.clone()), Ok(object.clone()));
        vectors[name]["kind"] = json!(id.kind());
        vectors[name]["state_key"] = json!(id.state_key());
        vectors[name]["object"] = json!(api::Object::new(&id, &object));
        vectors[name]["value"] = json!(hex(&value));
        vectors[name]["value_hash"] = json!(hex(value_hash(&value)));
        vectors[name]["leaf_hash"] = json!(hex(leaf_hash(&id.state_key(), &value_hash(&value))));
    }
    check_vectors("object", &vectors);
}

/// An object of the id's kind.
fn sample(id: &ObjectId) -> Object {
    match id {
        ObjectId::Bridge(_) => Object::Bridge(testing::bridge().0.into()),
        ObjectId::Roster(_) => Object::Roster(testing::roster().into()),
        ObjectId::Withdrawal(_) => Object::Withdrawal(testing::bridge().1.into()),
        ObjectId::Offenders(_) => Object::Offenders(offenders().into()),
        ObjectId::Work(_) => Object::Work(testing::work().into()),
        ObjectId::VoucherPool(_) => Object::VoucherPool(voucher_pool().into()),
        ObjectId::SpentVoucher(_) => Object::SpentVoucher(spent_voucher().into()),
        ObjectId::Posted(_) => Object::Posted(testing::posted().into()),
        ObjectId::Account(_) => {
            let mut account = Account::default();
            account.set(AssetId::NATIVE, Amount(1_000_000));
            account.set(AssetId([5; 32]), Amount(3));
            account.set_exit_address(BaseAddress([6; 20]));
            account.give_exit_place(AssetId::NATIVE, 7);
            account.give_exit_place(AssetId([5; 32]), 0);
            account.set_keys(keys());
            Object::Account(account.into())
        }
        ObjectId::Collection(_) => Object::Collection(
            Collection {
                creator: user(1),
                name: "Karten".to_owned(),
                description: "für alle".to_owned(),
                item_cap: 0,
                issued: 42,
                editions: 1,
                policy: policy(),
                roles: role_holders(),
                frozen: true,
            }
            .into(),
        ),
        ObjectId::Edition(_) => Object::Edition(
            Edition {
                terms: edition(),
                issued: 42,
                frozen: false,
                sale: Some(sale()),
                bought: {
                    let mut bought = Places::default();
                    bought.insert(1);
                    bought
                },
            }
            .into(),
        ),
        ObjectId::Item(_) => Object::Item(
            Item {
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
                data_hash: None,
                frozen: false,
                used: 0,
                void: Some("charged back".to_owned()),
                last_pass: 0,
            }
            .into(),
        ),
        ObjectId::Deal(_) => Object::Deal(
            Deal {
                giver: user(1),
                terms: deal(),
                state: DealState::Taken { by: user(3) },
                bid: None,
                drawing: None,
                standing: None,
                order: None,
            }
            .into(),
        ),
    }
}

#[test]
fn vertices_are_as_published() {
    let transaction = transaction(1, 7, vec![pay(2, 5)]);
    let body = VertexBody {
        network: network().id(),
        epoch: Epoch::ZERO,
        round: Round(5),
        author: MemberIndex(1),
        timestamp: Millis(1_000),
        parents: vec![link(4, 1), link(4, 0), link(4, 3)],
        weak_links: vec![link(2, 2)],
        transactions: vec![transaction.encoded().clone()],
        observation: Observation::default(),
        offences: Vec::new(),
        shares: vec![FinalityShare::sign(&statement(7), &finality_key(1))],
    };
    let (parents, weak_links) = (body.parents.clone(), body.weak_links.clone());
    let share = body.shares[0].clone();
    let verified = transaction.clone().verify(network().id()).unwrap();
    let vertex = Vertex::sign(body, vec![verified.into()], &vertex_key(1));
    let outer: wire::Vertex = prost::Message::decode(vertex.encode()).unwrap();
    let body_hash = blake3(Domain::VertexBody, &[&outer.body]);
    let (epoch, round, author) = (0u64.to_be_bytes(), 5u64.to_be_bytes(), 1u32.to_be_bytes());
    let parts: [&[u8]; 5] = [&network().id().0, &epoch, &round, &author, &body_hash];
    assert_eq!(
        hex(blake3(Domain::Vertex, &parts)),
        vertex.digest().to_string()
    );
    let first = |author| {
        let vertex = Vertex::genesis(network().id(), Epoch::ZERO, MemberIndex(author));
        json!({ "author": author, "bytes": hex(vertex.encode()), "digest": vertex.digest() })
    };
    let vectors = json!({
        "network": network().id(),
        "signed": {
            "seed": hex(*vertex_key(1).seed()),
            "epoch": 0, "round": 5, "author": 1, "timestamp_ms": 1_000,
            "parents": parents, "weak_links": weak_links,
            "transactions": [hex(transaction.encoded())],
            "finality_shares": [{
                "epoch": 0, "height": 7,
                "statement_digest": share.statement, "signature": hex(share.signature.to_bytes()),
            }],
            "body_bytes": hex(&outer.body),
            "body_hash": hex(body_hash),
            "digest": vertex.digest(),
            "signed_message": hex([Domain::VertexSignature.tag(), &vertex.digest().0].concat()),
            "signature": hex(&outer.signature),
            "bytes": hex(vertex.encode()),
        },
        "round_zero": [first(0), first(1)],
    });
    check_vectors("vertex", &vectors);
}

#[test]
fn offences_are_as_published() {
    let version = |timestamp| {
        let body = VertexBody {
            network: network().id(),
            epoch: Epoch::ZERO,
            round: Round(5),
            author: MemberIndex(2),
            timestamp: Millis(timestamp),
            parents: vec![link(4, 2), link(4, 0), link(4, 1)],
            weak_links: Vec::new(),
            transactions: Vec::new(),
            observation: Observation::default(),
            offences: Vec::new(),
            shares: Vec::new(),
        };
        Vertex::sign(body, Vec::new(), &vertex_key(2))
    };
    let (first, second) = (version(1_000), version(1_001));
    let offence = Offence::of(&first, &second).unwrap();
    let bytes = prost::Message::encode_to_vec(&wire::Offence::from(&offence));
    let leaf = |offender: &Offender| json!({ "offender": offender, "leaf": hex(offender.leaf()) });
    let offenders = offenders();
    let leaves: Vec<_> = offenders.list().iter().map(leaf).collect();
    let vectors = json!({
        "network": network().id(),
        "key": vertex_key(2).public(),
        "vertices": [hex(first.encode()), hex(second.encode())],
        "offence": hex(bytes),
        "offenders": leaves, "root": offenders.root(),
    });
    check_vectors("offence", &vectors);
}

#[test]
fn commits_are_as_published() {
    let commit = Commit {
        index: CommitIndex(3),
        leader: link(5, 1),
        vertices: vec![link(4, 0), link(4, 2), link(5, 1)],
        timestamp: Millis(9_000),
        previous: CommitDigest([2; 32]),
        demoted: MemberSet::default(),
        convicted: MemberSet::default(),
    };
    let demoting = Commit {
        demoted: [MemberIndex(2), MemberIndex(9)].into_iter().collect(),
        convicted: [MemberIndex(9)].into_iter().collect(),
        ..commit.clone()
    };
    let vectors = json!({
        "commit": commit, "bytes": hex(commit.encode()), "digest": commit.digest(),
        "demoting": {
            "commit": demoting, "bytes": hex(demoting.encode()), "digest": demoting.digest(),
        },
    });
    check_vectors("commit", &vectors);
}

#[test]
fn committees_are_as_published() {
    let mut members = members(4);
    members[2].stake = Stake(5);
    members[3].id = 9;
    let digest_of = |epoch| Committee::new(epoch, members.clone()).unwrap().digest();
    let committee = Committee::new(Epoch::ZERO, members.clone()).unwrap();
    let secrets: Vec<_> = (0..4).map(|i| hex(*finality_key(i).to_bytes())).collect();
    let keys: Vec<_> = members
        .iter()
        .map(|m| hex(m.finality_key.to_eip2537()))
        .collect();
    let vectors = json!({
        "members": members,
        "finality_secrets": secrets,
        "finality_keys_eip2537": keys,
        "total": committee.total(), "faulty": committee.faulty(),
        "quorum": committee.quorum(), "validity": committee.validity(),
        "digests": [
            { "epoch": 0, "digest": digest_of(Epoch(0)) },
            { "epoch": 1, "digest": digest_of(Epoch(1)) },
        ],
    });
    check_vectors("committee", &vectors);
}

#[test]
fn orders_of_proposers_are_as_published() {
    let mut members = members(7);
    members[2].stake = Stake(5);
    let stakes: Vec<_> = members.iter().map(|m| m.stake).collect();
    let order = |epoch, byte| {
        let committee = Committee::new(Epoch(epoch), members.clone()).unwrap();
        let id = TransactionId([byte; 32]);
        json!({ "epoch": epoch, "transaction": id, "order": committee.proposers(&id, 7) })
    };
    let vectors = json!({
        "tag": std::str::from_utf8(Domain::Proposers.tag()).unwrap(),
        "stakes": stakes,
        "orders": [order(0, 1), order(0, 2), order(0, 0xff), order(3, 1)],
    });
    check_vectors("proposers", &vectors);
}

#[test]
fn proofs_of_possession_are_as_published() {
    let possession = Possession {
        chain_id: 31_337,
        registry: [0x22; 20],
        operator: [0x33; 20],
        vertex_key: vertex_key(0).public(),
        finality_key: finality_key(0).public(),
    };
    let proof = possession.prove(&finality_key(0));
    assert!(possession.verify(&proof));
    let vectors = json!({
        "tag": std::str::from_utf8(bls::Purpose::Possession.tag()).unwrap(),
        "chain_id": possession.chain_id,
        "registry": hex(possession.registry), "operator": hex(possession.operator),
        "vertex_key": possession.vertex_key,
        "finality_secret": hex(*finality_key(0).to_bytes()),
        "finality_key": hex(possession.finality_key.to_bytes()),
        "digest": hex(possession.digest()),
        "proof": hex(proof.to_bytes()),
        "proof_eip2537": hex(proof.to_eip2537()),
    });
    check_vectors("possession", &vectors);
}

#[test]
fn statements_and_certificates_are_as_published() {
    let statement = statement(7);
    assert_eq!(keccak(&[&statement.encode()]), statement.digest().0);
    let committee = committee(4);
    let share = |i: usize| {
        let share = FinalityShare::sign(&statement, &finality_key(i));
        json!({ "member": i, "signature": hex(share.signature.to_bytes()) })
    };
    let certificate = |signers: &[usize]| {
        let certificate = certify(&statement, signers);
        assert!(certificate.clone().verify(&network(), &committee).is_ok());
        json!({
            "signers": signers,
            "certificate": certificate.to_json(),
            "bytes": hex(certificate.encode()),
            "signature_eip2537": hex(certificate.signature.to_eip2537()),
        })
    };
    let vectors = json!({
        "tag": std::str::from_utf8(bls::Purpose::Finality.tag()).unwrap(),
        "statement": statement,
        "encoding": hex(statement.encode()),
        "digest": statement.digest(),
        "committee": committee.members(),
        "shares": [share(0), share(1), share(2), share(3)],
        "certificates": [certificate(&[0, 1, 2]), certificate(&[0, 1, 2, 3])],
    });
    check_vectors("finality", &vectors);
}

#[test]
fn state_trees_are_as_published() {
    let key = |i: u64| ObjectId::Account(user(i)).state_key();
    let value = |i: u64| format!("value {i}").into_bytes();
    let tree = |count: u64| {
        let leaves: Leaves = (0..count).map(|i| (key(i), value(i))).collect();
        let root = tree::root(&leaves);
        let proven = |i: u64| {
            let (key, proof) = (key(i), tree::proof(&leaves, &key(i)));
            let value = leaves.get(&key);
            assert_eq!(proof.verify(&root, &key, value.map(Vec::as_slice)), Ok(()));
            let wrong = value.map_or(Some(b"x".as_slice()), |_| None);
            assert!(proof.verify(&root, &key, wrong).is_err());
            json!({ "key": key, "value": value.map(hex), "proof": proof })
        };
        let leaves: Vec<Value> = leaves
            .iter()
            .map(|(key, value)| json!({ "key": key, "value": hex(value) }))
            .collect();
        // Those in the tree, and two that are not.
        let proofs: Vec<Value> = (0..count.min(4)).chain([100, 101]).map(proven).collect();
        json!({ "leaves": leaves, "root": root, "proofs": proofs })
    };
    let trees: Vec<Value> = [0, 1, 2, 3, 16].map(tree).into();
    let vectors = json!({ "empty": hex(empty_hash()), "trees": trees });
    check_vectors("state_tree", &vectors);
}

#[test]
fn receipts_and_their_lists_are_as_published() {
    let receipt = |i: u32| {
        let failure = Failure {
            operation: 0,
            code: FailureCode::ALL[0],
            subject: Some(ObjectId::Account(user(1))),
            found: 3,
            limit: 5,
        };
        Receipt {
            transaction: TransactionId([i as u8; 32]),
            commit: CommitIndex(4),
            position: i,
            valid_until: Millis(60_000),
            fee: Amount(150),
            created: vec![ObjectId::Item(ItemId([7; 32]))],
            failure: (i == 1).then_some(failure),
        }
    };
    let list = |count: u32| {
        let entries: Vec<Vec<u8>> = (0..count).map(|i| receipt(i).encode().to_vec()).collect();
        let slices = || entries.iter().map(Vec::as_slice);
        let proof = |i| list_proof(slices(), i).unwrap();
        let proofs: Vec<Value> = (0..entries.len()).map(|i| json!(proof(i))).collect();
        json!({
            "entries": entries.iter().map(hex).collect::<Vec<_>>(),
            "root": list_root(slices()),
            "proofs": proofs,
        })
    };
    let receipts: Vec<Value> = (0..2)
        .map(|i| {
            let bytes = receipt(i).encode();
            assert_eq!(Receipt::decode(bytes.clone()), Ok(receipt(i)));
            json!({ "receipt": api::Receipt::from(&receipt(i)), "bytes": hex(bytes) })
        })
        .collect();
    let lists: Vec<Value> = [0, 1, 2, 3, 5].map(list).into();
    let vectors = json!({ "receipts": receipts, "lists": lists });
    check_vectors("receipts", &vectors);
}

#[test]
fn l47_draws_are_as_published() {
    let draws = [(1, 1, 1), (3, 2, 3), (5, 51, 5), (4, 3, 2)].map(|(packs, cards, sold)| {
        let (id, mut deal) = testing::drawn(packs, cards);
        let drawing = deal.drawing.as_mut().unwrap();
        drawing.packs.truncate(sold);
        let drawn = deal.draw(&id, &testing::DRAW_SECRET).unwrap();
        json!({
            "id": id,
            "deal": hex(Object::Deal(deal.into()).encode()),
            "packs": drawn.packs,
            "unsold": drawn.unsold,
        })
    });
    let secret = testing::DRAW_SECRET;
    let commitment = draw_commitment(&user(1), &secret);
    let vectors = json!({
        "giver": user(1),
        "secret": secret,
        "commitment": commitment,
        "draws": draws,
    });
    check_vectors("draw", &vectors);
}
