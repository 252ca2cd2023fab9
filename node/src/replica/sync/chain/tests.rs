use crate::replica::sync::testing::{Chain, Ran, Server, run};
use crate::replica::sync::{Answer, COMMITTEES_MAX, Closing};
use weft_types::{CommitIndex, Epoch, Stake};

/// Three epochs, and snapshots of the last one.
fn chain() -> Chain {
    let mut chain = Chain::new(100, 30);
    chain.close_epoch();
    (0..5).for_each(|_| chain.extend(1));
    chain.close_epoch();
    let (closed, before) = (chain.after, chain.newest_due());
    while chain.newest_due() == before || chain.newest_due().0 <= closed.0 {
        chain.extend(1);
    }
    chain
}

fn whole(chain: &Chain, servers: &[Server]) -> Ran {
    let ran = run(chain, servers, 120_000);
    let synced = ran
        .synced
        .as_ref()
        .unwrap_or_else(|| panic!("{}", ran.notes));
    let statement = &synced.certificate.statement;
    assert_eq!(statement.height, chain.newest_due());
    assert_eq!(synced.snapshot.root(), statement.state_root);
    ran
}

#[test]
fn s2_1_a_newcomer_follows_the_committees_to_a_state_of_a_later_epoch() {
    let chain = chain();
    let ran = whole(&chain, &[Server::Honest; 4]);
    assert!(!ran.notes.contains("lied"), "{}", ran.notes);
    let synced = ran.synced.expect("it was whole");
    assert_eq!(synced.certificate.statement.epoch, Epoch(2));
    let epochs = synced.epochs.iter().map(|o| o.committee.epoch());
    assert_eq!(epochs.collect::<Vec<_>>(), [Epoch(1), Epoch(2)]);
    for opened in &synced.epochs {
        let by = &opened.by.statement;
        assert_eq!(by.epoch.next(), opened.committee.epoch());
        assert_eq!(by.next_committee, opened.committee.digest());
    }
    // Rounds begin anew: what is older than the epoch is needed by nobody.
    assert_eq!(synced.commits[0].index, chain.after.next());
}

#[test]
fn s2_1_the_height_that_closes_an_epoch_is_taken_over_though_no_interval_begins_there() {
    let mut chain = Chain::new(100, 0);
    while chain.commits.len() < 3 {
        chain.extend(1);
    }
    chain.close_epoch();
    let ran = whole(&chain, &[Server::Honest; 4]);
    assert!(!ran.notes.contains("lied"), "{}", ran.notes);
    let synced = ran.synced.expect("it was whole");
    assert_eq!(synced.certificate.statement.commit, chain.after);
    assert_eq!(synced.commits[0].index, CommitIndex(1));
}

type Lie = fn(&mut Vec<Closing>);

/// Each way to lie about committees.
const LIES: [(&str, Lie); 6] = [
    ("another statement", |c| {
        c[0].certificate.statement.timestamp.0 += 1
    }),
    ("another stake", |c| c[0].next[1].stake = Stake(9)),
    ("a member fewer", |c| drop(c[1].next.pop())),
    ("no member", |c| c[1].next.clear()),
    ("a gap", |c| drop(c.remove(0))),
    ("the same twice", |c| {
        let first = c[0].clone();
        c.insert(0, first);
    }),
];

#[test]
fn s2_1_servers_that_lie_about_committees_are_left_and_change_nothing() {
    let chain = chain();
    macro_rules! lies {
        ($($number:literal)*) => {[$(Server::Lies(|answer| match answer {
            Answer::Closings(closings) => {
                LIES[$number].1(closings);
                true
            }
            _ => false,
        })),*]};
    }
    let liars = lies!(0 1 2 3 4 5);
    for (liar, (what, _)) in liars.into_iter().zip(LIES) {
        // Each server is the first to be asked in one of them.
        let mut notes = String::new();
        for place in 0..4 {
            let mut servers = [Server::Honest; 4];
            servers[place] = liar;
            notes += &whole(&chain, &servers).notes;
        }
        assert!(notes.contains("lied about a snapshot"), "{what}");
    }
}

#[test]
fn s2_1_committees_that_are_remembered_are_bounded() {
    let chain = chain();
    let mut terms = chain.terms();
    for epoch in 0..2 {
        terms.follow(chain.closing_of(epoch)).expect("it follows");
    }
    assert!(terms.follow(chain.closing_of(1)).is_err(), "it was there");
    assert_eq!((terms.committees.len(), terms.followed.len()), (3, 2));
    let mut chain = Chain::new(1, 1);
    let mut terms = chain.terms();
    for epoch in 0..COMMITTEES_MAX as u64 + 6 {
        chain.close_epoch();
        terms.follow(chain.closing_of(epoch)).expect("it follows");
    }
    let held = (
        terms.committees.len(),
        terms.after.len(),
        terms.followed.len(),
    );
    assert_eq!(held, (COMMITTEES_MAX, COMMITTEES_MAX, COMMITTEES_MAX));
}
