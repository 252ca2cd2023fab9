use super::*;
use weft_types::api::ProofBundle;
use weft_types::{
    CommitDigest, CommitIndex, DealState, Entropy, Genesis, MemberIndex, Millis, Object, ObjectId,
    Root, Round, StateProof, Statement, VertexDigest, VertexRef, leaf_hash, testing, value_hash,
};

/// That of the deal before its secret was shown, as the only object there is, signed by these members.
pub fn proof_of(id: &DealId, deal: &weft_types::Deal, signers: &[usize]) -> ProofBundle {
    let mut sealed = deal.clone();
    sealed.state = DealState::Open;
    let drawing = sealed.drawing.as_mut().unwrap();
    // As the first height with the lot has it.
    (drawing.reveal_from, drawing.secret) = (None, None);
    proof_as_it_is(id, sealed, signers)
}

fn proof_as_it_is(id: &DealId, deal: weft_types::Deal, signers: &[usize]) -> ProofBundle {
    let object = ObjectId::Deal(*id);
    let value = Object::Deal(deal.into()).encode();
    let statement = Statement {
        network: testing::genesis(4).network,
        state_root: Root(leaf_hash(&object.state_key(), &value_hash(&value))),
        ..testing::statement(9)
    };
    ProofBundle {
        object,
        value: Some(hex::encode(&value)),
        proof: StateProof {
            siblings: vec![],
            other: None,
        },
        certificate: testing::certify(&statement, signers).to_json(),
        kept: None,
    }
}

fn evidence() -> Evidence {
    let (id, deal) = testing::drawn(3, 2);
    let lot = deal.drawing.as_ref().unwrap().lot.unwrap();
    let leader = VertexRef {
        round: Round(43),
        author: MemberIndex(1),
        digest: lot.digest,
    };
    let commit = Commit {
        index: lot.commit,
        digest: CommitDigest([1; 32]),
        previous: CommitDigest([2; 32]),
        timestamp: lot.at,
        leader,
        vertices: vec![leader],
        demoted: vec![],
        convicted: vec![],
    };
    Evidence {
        deal: Deal::new(id, &deal),
        commit: Some(commit),
        proof: Some(proof_of(&id, &deal, &[0, 1, 3])),
    }
}

/// After a change to the file, by the genesis or by nothing.
fn checked(
    change: impl FnOnce(&mut Evidence),
    genesis: Option<&Genesis>,
) -> Result<Verified, Failure> {
    let mut evidence = evidence();
    change(&mut evidence);
    // As a file has it.
    let text = serde_json::to_string(&evidence).unwrap();
    let known = genesis.map(|genesis| Committees::genesis(genesis).unwrap());
    check(&serde_json::from_str(&text).unwrap(), known.as_ref())
}

fn refused(change: impl FnOnce(&mut Evidence)) -> Option<String> {
    checked(change, None).err().map(|failure| failure.message)
}

fn drawing(evidence: &mut Evidence) -> &mut Drawing {
    evidence.deal.drawing.as_mut().unwrap()
}

fn commit(evidence: &mut Evidence) -> &mut Commit {
    evidence.commit.as_mut().unwrap()
}

#[test]
fn a_draw_is_done_again_and_proven_by_the_genesis_alone() {
    let genesis = testing::genesis(4);
    let (id, deal) = testing::drawn(3, 2);
    let drawn = deal.draw(&id, &testing::DRAW_SECRET).unwrap();
    let without_commit = |e: &mut Evidence| e.commit = None;
    for (verified, height) in [
        (checked(|_| {}, Some(&genesis)), Some(Height(9))),
        (checked(without_commit, Some(&genesis)), Some(Height(9))),
        (checked(|_| {}, None), None),
        (checked(|e| e.proof = None, Some(&genesis)), None),
    ] {
        let verified = verified.unwrap();
        assert_eq!(verified.proven_at, height);
        let items: Vec<_> = verified.packs.into_iter().map(|p| p.items).collect();
        assert_eq!(items, drawn.packs);
        assert_eq!(verified.unsold, []);
    }
}

#[test]
fn a_file_that_fits_together_and_is_not_proven_is_said_to_prove_nothing() {
    let with = unproven(&evidence());
    let mut evidence = evidence();
    evidence.proof = None;
    let without = unproven(&evidence);
    for failure in [&with, &without] {
        assert_eq!(failure.kind, Kind::Failed);
        assert!(
            failure.message.contains("not proven"),
            "{}",
            failure.message
        );
    }
    assert!(with.hint.unwrap().contains("--genesis"));
    assert!(without.hint.unwrap().contains("weft pack keep"));
}

/// Each of these fits together, so that without the proof nobody notices.
#[test]
fn a_forged_draw_is_noticed_by_its_proof() {
    let genesis = testing::genesis(4);
    let told = |words: &str, change: &dyn Fn(&mut Evidence)| {
        assert!(
            checked(change, None).is_ok(),
            "{words}: it does not fit together"
        );
        let failure = checked(change, Some(&genesis)).unwrap_err();
        assert_eq!(failure.kind, Kind::Invalid);
        assert!(failure.message.contains(words), "{}", failure.message);
    };
    told("buyers' bytes", &|e| {
        drawing(e).packs[1].entropy = Entropy([0xee; 32])
    });
    told("holders", &|e| {
        drawing(e).packs[0].holder = testing::user(8)
    });
    told("cards and bond", &|e| {
        e.deal.gives.items[2] = ItemId([0xee; 32])
    });
    told("cards and bond", &|e| e.deal.gives.items.swap(0, 5));
    told("is of deal", &|e| e.deal.id = DealId([8; 32]));
    told("number of packs sold", &|e| {
        drawing(e).packs.pop();
    });
    told("its lot", &|e| {
        let digest = VertexDigest([0xee; 32]);
        drawing(e).lot.as_mut().unwrap().digest = digest;
        commit(e).leader.digest = digest;
    });
    told("end of the sale", &|e| {
        drawing(e).closing.as_mut().unwrap().round = Round(900)
    });
    told("price", &|e| e.deal.wants.assets.clear());
    told("other terms", &|e| e.deal.expires = Millis(1));
    // A secret, and its commitment with it.
    told("commitment", &|e| {
        let secret = DrawSecret([0xee; 32]);
        let commitment = draw_commitment(&e.deal.giver, &secret);
        drawing(e).secret = Some(secret);
        if let DealRule::Draw(series) = &mut e.deal.rule {
            series.commitment = commitment;
        }
    });
}

#[test]
fn a_proof_that_is_none_is_told() {
    let genesis = testing::genesis(4);
    let (id, deal) = testing::drawn(3, 2);
    let told = |words: &str, proof: ProofBundle| {
        let failure = checked(|e| e.proof = Some(proof), Some(&genesis)).unwrap_err();
        assert_eq!(failure.kind, Kind::Invalid);
        assert!(failure.message.contains(words), "{}", failure.message);
    };
    told("proves nothing", proof_of(&id, &deal, &[0, 1]));
    let other = |change: &dyn Fn(&mut weft_types::Deal)| {
        let mut other = deal.clone();
        change(&mut other);
        proof_of(&id, &other, &[0, 1, 3])
    };
    let genuine = proof_of(&id, &deal, &[0, 1, 3]);
    // What was certified of one deal, with the value of another.
    told(
        "proves nothing",
        ProofBundle {
            value: other(&|deal| deal.giver = testing::user(7)).value,
            ..genuine.clone()
        },
    );
    told("is of deal", proof_of(&DealId([8; 32]), &deal, &[0, 1, 3]));
    told(
        "before the lot",
        other(&|deal| deal.drawing.as_mut().unwrap().lot = None),
    );
    let mut none = genuine;
    none.value = None;
    told("proves nothing", none);

    let mut elsewhere = genesis.clone();
    elsewhere.network.chain_id += 1;
    let failure = checked(|_| {}, Some(&elsewhere)).unwrap_err();
    assert!(failure.message.contains("network"), "{}", failure.message);
}

#[test]
fn what_does_not_fit_together_is_told() {
    let told = |words: &str, change: &dyn Fn(&mut Evidence)| {
        let message = refused(change).expect("refused");
        assert!(message.contains(words), "{message}");
    };
    told("not drawn", &|e| drawing(e).secret = None);
    told("committed to", &|e| {
        drawing(e).secret = Some(DrawSecret([1; 32]));
    });
    told("committed to", &|e| e.deal.giver = testing::user(7));
    told("other packs", &|e| e.deal.gives.items.truncate(5));
    told("commit of its lot is missing", &|e| e.commit = None);
    told("another commit", &|e| commit(e).index = CommitIndex(9));
    told("another commit", &|e| commit(e).timestamp = Millis(9));
    told("the commit's leader", &|e| {
        commit(e).leader.digest = VertexDigest([9; 32]);
    });
    told("was there before", &|e| commit(e).leader.round = Round(42));
    told("no series", &|e| e.deal.rule = DealRule::Fixed);
}
