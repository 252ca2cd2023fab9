use super::*;
use weft_types::{CommitDigest, CommitIndex, MemberIndex, Millis, Round, VertexRef, testing};

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
    }
}

fn refused(change: impl FnOnce(&mut Evidence)) -> Option<String> {
    let mut evidence = evidence();
    change(&mut evidence);
    // As a file has it.
    let text = serde_json::to_string(&evidence).unwrap();
    let evidence = serde_json::from_str(&text).unwrap();
    check(&evidence).err().map(|failure| failure.message)
}

fn drawing(evidence: &mut Evidence) -> &mut Drawing {
    evidence.deal.drawing.as_mut().unwrap()
}

#[test]
fn a_draw_is_done_again_from_what_a_node_says() {
    let evidence = evidence();
    let verified = check(&evidence).unwrap();
    let (id, deal) = testing::drawn(3, 2);
    let drawn = deal.draw(&id, &testing::DRAW_SECRET).unwrap();
    let items: Vec<_> = verified.packs.into_iter().map(|p| p.items).collect();
    assert_eq!(items, drawn.packs);
    assert_eq!(verified.unsold, []);
    assert_eq!(refused(|_| {}), None);
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
    let commit = |e: &mut Evidence| e.commit.clone().unwrap();
    told("another commit", &|e| {
        e.commit = Some(Commit {
            index: CommitIndex(9),
            ..commit(e)
        });
    });
    told("another commit", &|e| {
        e.commit = Some(Commit {
            timestamp: Millis(9),
            ..commit(e)
        });
    });
    told("the commit's leader", &|e| {
        let leader = VertexRef {
            digest: weft_types::VertexDigest([9; 32]),
            ..commit(e).leader
        };
        e.commit = Some(Commit {
            leader,
            ..commit(e)
        });
    });
    told("was there before", &|e| {
        let leader = VertexRef {
            round: Round(42),
            ..commit(e).leader
        };
        e.commit = Some(Commit {
            leader,
            ..commit(e)
        });
    });
    told("no series", &|e| e.deal.rule = DealRule::Fixed);
}
