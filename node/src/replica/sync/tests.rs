use super::testing::{Chain, Server, VALIDITY, meta_after, run};
use super::*;
use weft_ledger::{Ledger, Piece, PieceError, Prefix};
use weft_types::Root;

/// Enough accounts that the state is split.
const ACCOUNTS: u64 = 30_000;

fn chain() -> Chain {
    let mut chain = Chain::new(ACCOUNTS, 80);
    // Two heights with several blocks of receipts, inside the window of the newest snapshot.
    chain.extend(150);
    chain.extend(64);
    while chain.newest_due() < Height(82) {
        chain.extend(1);
    }
    chain
}

/// The hash of leaves, as their check computes it.
pub(super) fn root_below(piece: &Piece, prefix: &Prefix) -> Root {
    match piece.check(prefix, &Root([0; 32])) {
        Err(PieceError::Root { found, .. }) => found,
        other => panic!("{other:?}"),
    }
}

/// What was taken over is what is certified, and the ledger goes on from it as the first one does.
fn expect_whole(chain: &mut Chain, synced: Synced) {
    let statement = synced.certificate.statement.clone();
    assert_eq!(statement.height, chain.newest_due());
    let since = statement.timestamp.saturating_sub(VALIDITY + 1_000);
    let receipts = chain.receipts_since(since, statement.commit);
    assert_eq!(synced.receipts, receipts);
    assert_eq!(synced.objects.len(), ACCOUNTS as usize + 12);
    assert_eq!(synced.meta, meta_after(&statement));
    let last = synced.commits.last().unwrap();
    assert_eq!(last.digest(), statement.commit_digest);
    let before = last.index.0 as usize - synced.commits.len();
    assert_eq!(synced.commits, chain.commits[before..last.index.0 as usize]);
    let floor = crate::replica::restore::first_round(last, 20);
    assert!(synced.commits[0].leader.round < floor && synced.commits[1].leader.round >= floor);

    let mut restored = Ledger::restore(
        chain.ledger.params(),
        synced.meta,
        synced.objects,
        synced.receipts,
    )
    .unwrap();
    // The commits after it are the same, and so is what is remembered.
    let again = chain.transfer();
    for ledger in [&mut restored, &mut chain.ledger] {
        while ledger.meta().index < CommitIndex(100) {
            let (index, timestamp) = (ledger.meta().index.next(), ledger.meta().timestamp);
            ledger.apply(index, timestamp, []);
        }
        let (index, timestamp) = (ledger.meta().index.next(), ledger.meta().timestamp);
        let applied = ledger.apply(index, timestamp, [&again, &again]);
        assert_eq!((applied.receipts.len(), applied.refused.len()), (1, 1));
    }
    assert_eq!(restored.snapshot().root(), chain.ledger.snapshot().root());
}

fn whole(servers: &[Server]) -> testing::Ran {
    let mut chain = chain();
    let mut ran = run(&chain, servers, 600_000);
    let synced = ran.synced.take().unwrap_or_else(|| panic!("{}", ran.notes));
    expect_whole(&mut chain, synced);
    ran
}

#[test]
fn s2_everything_that_belongs_to_a_height_is_taken_over() {
    let ran = whole(&[Server::Honest; 4]);
    assert!(!ran.notes.contains("lied"), "{}", ran.notes);
    // All of them had their part.
    assert!(ran.answers.iter().all(|n| *n > 0), "{:?}", ran.answers);
}

type Lie = fn(&mut Answer) -> bool;

/// Each way to lie in one kind of answer.
const LIES: [(&str, Lie); 12] = [
    ("an offer's signature", |a| match a {
        Answer::Offers(offers) => {
            offers[0].statement.state_root.0[0] ^= 1;
            true
        }
        _ => false,
    }),
    ("a certificate's statement", |a| match a {
        Answer::Heights(heights) => {
            heights[1].certificate.statement.timestamp.0 += 1;
            true
        }
        _ => false,
    }),
    ("another height", |a| match a {
        Answer::Heights(heights) => {
            heights.remove(1);
            true
        }
        _ => false,
    }),
    ("one receipt fewer at the end", |a| match a {
        Answer::Heights(heights) => heights
            .iter_mut()
            .any(|h| h.last.len() > 1 && h.last.pop().is_some()),
        _ => false,
    }),
    ("one block fewer", |a| match a {
        Answer::Heights(heights) => heights.iter_mut().any(|h| h.blocks.pop().is_some()),
        _ => false,
    }),
    ("a block's root", |a| match a {
        Answer::Heights(heights) => heights.iter_mut().any(|h| {
            h.blocks.iter_mut().for_each(|b| b.0[0] ^= 1);
            !h.blocks.is_empty()
        }),
        _ => false,
    }),
    ("a receipt left out", |a| match a {
        Answer::Receipts(receipts) => {
            receipts.remove(3);
            true
        }
        _ => false,
    }),
    ("a commit's timestamp", |a| match a {
        Answer::Commits(commits) => {
            commits[0].timestamp.0 += 1;
            true
        }
        _ => false,
    }),
    ("a commit left out", |a| match a {
        Answer::Commits(commits) => {
            commits.remove(1);
            true
        }
        _ => false,
    }),
    ("an object left out", |a| match a {
        Answer::State(Piece::Leaves(leaves)) => leaves.pop().is_some(),
        _ => false,
    }),
    ("a part of a split", |a| match a {
        Answer::State(Piece::Split(parts)) => {
            parts.swap(0, 1);
            true
        }
        _ => false,
    }),
    ("an answer to another question", |a| {
        *a = Answer::Receipts(vec![bytes::Bytes::from_static(&[7; 40])]);
        true
    }),
];

#[test]
fn s2_a_lie_is_found_in_the_answer_that_it_is_in_and_the_server_is_left() {
    for (what, lie) in LIES {
        let ran = whole(&[
            Server::Lies(lie),
            Server::Honest,
            Server::Honest,
            Server::Honest,
        ]);
        // A question of each kind may go to the honest ones alone.
        let alone = [
            Server::Lies(lie),
            Server::Absent,
            Server::Absent,
            Server::Absent,
        ];
        let alone = run(&chain(), &alone, 60_000);
        let lied = "member 0 lied";
        let found = ran.notes.contains(lied) || alone.notes.contains(lied);
        assert!(found, "{what}: {}", ran.notes);
        assert!(
            ran.notes.matches("lied").count() <= 1,
            "{what}: {}",
            ran.notes
        );
    }
}

#[test]
fn s2_bytes_that_are_changed_on_the_way_change_nothing() {
    for seed in 0..12 {
        let flips = Server::Flips(seed);
        let ran = whole(&[
            flips,
            Server::Honest,
            Server::Flips(seed + 100),
            Server::Honest,
        ]);
        assert!(!ran.notes.contains("member 1"), "{}", ran.notes);
        assert!(!ran.notes.contains("member 3"), "{}", ran.notes);
    }
}

#[test]
fn s2_a_server_that_does_not_answer_costs_little() {
    let quick = whole(&[Server::Honest; 4]).took;
    let slow = whole(&[
        Server::Stalls,
        Server::Honest,
        Server::Stalls,
        Server::Honest,
    ])
    .took;
    assert!(slow < quick + 3 * REQUEST, "{quick} ms and {slow} ms");
}

#[test]
fn s2_a_server_that_splits_what_fits_is_left() {
    let ran = whole(&[
        Server::Splits,
        Server::Honest,
        Server::Honest,
        Server::Honest,
    ]);
    assert!(
        ran.notes
            .contains("member 0 lied about a snapshot, and is left: split"),
        "{}",
        ran.notes
    );
    assert!(ran.answers[0] < 20, "{:?}", ran.answers);
}

#[test]
fn s2_a_height_that_was_not_due_is_not_taken_over() {
    let mut chain = chain();
    // Two of the newest height, and F + 1 of four have it.
    chain.extend(1);
    let other = Server::OffersAnything;
    let ran = run(
        &chain,
        &[other, other, Server::Honest, Server::Honest],
        600_000,
    );
    let taken = ran.synced.map(|s| s.certificate.statement.height);
    assert_eq!(taken, Some(chain.newest_due()), "{}", ran.notes);
    assert!(
        ran.notes.contains("was not due for posting"),
        "{}",
        ran.notes
    );
}

#[test]
fn s2_one_that_lacks_what_it_offers_is_asked_no_longer() {
    let ran = whole(&[Server::Lacks, Server::Honest, Server::Honest, Server::Lacks]);
    assert!(ran.answers[0] <= 4, "{:?}", ran.answers);
}

#[test]
fn s2_of_liars_alone_nothing_is_taken_over() {
    let chain = chain();
    let (_, lie) = LIES[9];
    let ran = run(&chain, &[Server::Lies(lie); 4], 60_000);
    assert!(ran.synced.is_none());
    assert!(ran.answers.iter().sum::<usize>() < 60, "{:?}", ran.answers);
    let ran = run(&chain, &[Server::Lacks; 4], 120_000);
    assert!(ran.synced.is_none());
    assert!(ran.notes.contains("nobody serves"), "{}", ran.notes);
}

#[test]
fn s2_a_node_that_is_not_far_behind_fetches_history() {
    let chain = chain();
    let last = chain.commits.last().unwrap();
    let mut sync = Sync::new(SyncConfig::default(), chain.terms(), None, Millis(0));
    for now in 0..STUCK / 500 {
        let now = Millis(now * 500);
        let place = || Place {
            behind: true,
            commit: CommitIndex(3),
            timestamp: last.timestamp.saturating_sub(100_000),
        };
        let mut asks = Vec::new();
        assert!(sync.step(now, place, &mut asks).unwrap().is_none());
        for ask in asks {
            assert_eq!(ask.request, Request::Offers);
            let Ok(offers) = serve(&chain, &chain.held, &ask.request);
            sync.answered(now, ask.id, Ok(offers));
        }
    }
    assert!(!sync.is_gathering());
}

/// A node whose history nobody serves takes over even what is near.
#[test]
fn s2_a_node_that_gets_no_history_takes_over_what_there_is() {
    let chain = chain();
    let last = chain.commits.last().unwrap();
    let mut sync = Sync::new(SyncConfig::default(), chain.terms(), None, Millis(0));
    let gathers_at = (0..60).map(|n| Millis(n * 500)).find(|now| {
        let place = || Place {
            behind: true,
            commit: CommitIndex(3),
            timestamp: last.timestamp.saturating_sub(100_000),
        };
        let mut asks = Vec::new();
        sync.step(*now, place, &mut asks).unwrap();
        for ask in asks {
            let Ok(answer) = serve(&chain, &chain.held, &ask.request);
            sync.answered(*now, ask.id, Ok(answer));
        }
        sync.is_gathering()
    });
    let at = gathers_at.expect("it gathers at last").0;
    assert!(
        (STUCK..STUCK + ASK_EVERY + 2 * OFFERS_WAIT).contains(&at),
        "{at} ms"
    );
}

/// What was asked for before may arrive, and make the snapshot needless.
#[test]
fn s2_a_node_that_has_got_further_meanwhile_does_not_go_back() {
    let chain = chain();
    let mut sync = Sync::new(SyncConfig::default(), chain.terms(), None, Millis(0));
    let target = chain.held.last().unwrap().certificate.statement.commit;
    let mut gathered = false;
    for now in (0..15_000).step_by(10) {
        let place = || Place {
            behind: true,
            commit: if gathered { target } else { CommitIndex::ZERO },
            timestamp: Millis(0),
        };
        let mut asks = Vec::new();
        let synced = sync.step(Millis(now), place, &mut asks).unwrap();
        assert!(synced.is_none());
        for ask in asks {
            let Ok(answer) = serve(&chain, &chain.held, &ask.request);
            sync.answered(Millis(now), ask.id, Ok(answer));
        }
        gathered |= sync.is_gathering();
    }
    assert!(gathered && !sync.is_gathering());
}
