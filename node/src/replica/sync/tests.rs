use super::testing::{Chain, Server, VALIDITY, run};
use super::*;
use crate::replica::whole_from;
use weft_ledger::{Ledger, Piece, PieceError, Prefix};
use weft_types::Root;

/// Enough accounts that the state is split.
const ACCOUNTS: u64 = 30_000;

pub(super) fn chain() -> Chain {
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

/// What was taken over is what is certified.
fn expect_whole(chain: &Chain, synced: &Synced) {
    let statement = &synced.certificate.statement;
    assert_eq!(statement.height, chain.newest_due());
    let since = statement.timestamp.saturating_sub(VALIDITY + 1_000);
    let receipts = chain.receipts_since(since, statement.commit);
    assert_eq!(synced.receipts, receipts);
    assert_eq!(synced.objects.len(), ACCOUNTS as usize + 12);
    assert_eq!(synced.meta, meta_at(statement));
    let last = synced.commits.last().unwrap();
    assert_eq!(last.digest(), statement.commit_digest);
    let before = last.index.0 as usize - synced.commits.len();
    assert_eq!(synced.commits, chain.commits[before..last.index.0 as usize]);
    let floor = crate::replica::restore::first_round(last, 20);
    assert!(synced.commits[0].leader.round < floor && synced.commits[1].leader.round >= floor);
}

/// The ledger goes on from it as the first one does.
fn expect_the_same_afterwards(chain: &mut Chain, synced: Synced) {
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

fn whole_of(chain: &Chain, servers: &[Server]) -> testing::Ran {
    let ran = run(chain, servers, 600_000);
    let synced = ran.synced.as_ref();
    expect_whole(chain, synced.unwrap_or_else(|| panic!("{}", ran.notes)));
    ran
}

fn whole(servers: &[Server]) -> testing::Ran {
    let mut chain = chain();
    let mut ran = whole_of(&chain, servers);
    let synced = ran.synced.take().expect("it was whole");
    expect_the_same_afterwards(&mut chain, synced);
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
const LIES: [(&str, Lie); 13] = [
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
    // Nobody could ever send such a block, and whoever sends the right one would seem to lie.
    ("the root of all blocks as that of one", |a| match a {
        Answer::Heights(heights) => heights.iter_mut().any(|h| {
            let many = !h.blocks.is_empty();
            if many {
                h.blocks = vec![h.certificate.statement.receipts_root];
                h.last.clear();
            }
            many
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
    let chain = chain();
    for (what, lie) in LIES {
        let mut servers = [Server::Honest; 4];
        servers[0] = Server::Lies(lie);
        let ran = whole_of(&chain, &servers);
        // A question of each kind may go to the honest ones alone.
        let alone = [
            Server::Lies(lie),
            Server::Absent,
            Server::Absent,
            Server::Absent,
        ];
        let alone = run(&chain, &alone, 60_000);
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
    let chain = chain();
    for seed in 0..12 {
        let flips = Server::Flips(seed);
        let ran = whole_of(
            &chain,
            &[
                flips,
                Server::Honest,
                Server::Flips(seed + 100),
                Server::Honest,
            ],
        );
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

/// S2.4: its certificates are as good as anybody's.
#[test]
fn s2_one_that_has_deleted_receipts_is_asked_for_them_in_vain_and_not_called_a_liar() {
    let forgets = |a: &mut Answer| match a {
        Answer::Heights(heights) => heights.iter_mut().any(|h| {
            h.blocks.clear();
            h.last.clear();
            true
        }),
        _ => false,
    };
    let forgets = Server::Lies(forgets);
    let ran = whole(&[forgets, Server::Honest, forgets, Server::Honest]);
    assert!(!ran.notes.contains("lied"), "{}", ran.notes);
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

/// S2.4 cannot be shown across it, so what was held before it stays, until it is out of the window.
#[test]
fn s2_a_height_without_a_certificate_leaves_the_snapshots_before_it() {
    let mut chain = chain();
    let before = chain.newest_due();
    chain.extend_uncertified(1);
    let gap = chain.commits.len() as u64;
    for _ in 0..15 {
        chain.extend(1);
    }
    assert_eq!(chain.newest_due(), before);
    let ran = run(&chain, &[Server::Honest; 4], 60_000);
    let synced = ran.synced.unwrap_or_else(|| panic!("{}", ran.notes));
    assert_eq!(synced.certificate.statement.height, before);

    // The window, the step before it, and at most one interval of posting.
    let steps = (VALIDITY + 1_000 + 5_000) / 500 + 2;
    while chain.commits.len() as u64 <= gap + steps {
        chain.extend(1);
    }
    assert!(chain.newest_due() > Height(gap));
    let ran = run(&chain, &[Server::Honest; 4], 60_000);
    let synced = ran.synced.unwrap_or_else(|| panic!("{}", ran.notes));
    assert_eq!(synced.certificate.statement.height, chain.newest_due());
}

/// The negative control: a snapshot with such a height in its window is no use to anybody.
#[test]
fn s2_a_window_with_a_height_that_has_no_certificate_cannot_be_shown() {
    let mut chain = chain();
    chain.extend_uncertified(1);
    let due = |chain: &Chain| {
        let last_two = &chain.commits[chain.commits.len() - 2..];
        last_two[0].timestamp.0 / 5_000 < last_two[1].timestamp.0 / 5_000
    };
    while !due(&chain) || chain.commits.len() < 86 {
        chain.extend(1);
    }
    chain.held = vec![chain.view(Height(chain.commits.len() as u64))];
    let ran = run(&chain, &[Server::Honest; 4], 60_000);
    assert!(ran.synced.is_none());
    assert!(ran.notes.contains("nobody serves"), "{}", ran.notes);
}

/// As a member that was there all the time.
#[test]
fn s2_after_a_restart_the_certificates_say_which_window_can_be_shown() {
    let whole = |chain: &Chain| {
        let newest = Height(chain.commits.len() as u64);
        let newest = chain.certificate(newest).unwrap().unwrap();
        let params = chain.terms().params;
        let Ok(from) = whole_from(Some(&newest), &params, |height| chain.certificate(height));
        (from, remembered_from(&newest.statement, &params))
    };
    let short = Chain::new(10, 20);
    assert_eq!(whole(&short).0, Millis::ZERO);
    let mut chain = Chain::new(10, 60);
    let (from, window) = whole(&chain);
    assert!(from < window && from > Millis::ZERO);
    chain.extend_uncertified(1);
    chain.extend(1);
    let after = chain.commits.last().unwrap().timestamp;
    chain.extend(1);
    assert_eq!(whole(&chain).0, after);
    let Ok(none) = whole_from(None, &chain.terms().params, |h| chain.certificate(h));
    assert_eq!(none, Millis::ZERO);
}
