use super::*;
use crate::replica::sync::offers::OFFERS_WAIT;
use crate::replica::sync::tests::chain;
use crate::replica::sync::{LOOK, SyncConfig, serve};
use weft_types::CommitIndex;

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

fn gathers_at(told_by: u32) -> u64 {
    let at = gathering_begins(SyncConfig::default(), CommitIndex(3), told_by);
    at.expect("it gathers at last")
}

/// When a node that is near begins to gather, told by so many members that history is gone.
fn gathering_begins(config: SyncConfig, commit: CommitIndex, told_by: u32) -> Option<u64> {
    let chain = chain();
    let last = chain.commits.last().unwrap();
    let mut sync = Sync::new(config, chain.terms(), None, Millis(0));
    let place = || Place {
        behind: true,
        commit,
        timestamp: last.timestamp.saturating_sub(100_000),
    };
    let gathers_at = (0..300).map(|n| Millis(n * 100)).find(|now| {
        let mut asks = Vec::new();
        sync.step(*now, place, &mut asks).unwrap();
        for ask in asks {
            let Ok(answer) = serve(&chain, &chain.held, &ask.request);
            sync.answered(*now, ask.id, Ok(answer));
        }
        (0..told_by).for_each(|member| sync.history_gone(MemberIndex(member)));
        sync.is_gathering()
    });
    gathers_at.map(|at| at.0)
}

/// A node whose history nobody serves takes over even what is near.
#[test]
fn s2_a_node_that_gets_no_history_takes_over_what_there_is() {
    let at = gathers_at(0);
    assert!(
        (STUCK..STUCK + ASK_EVERY + 2 * OFFERS_WAIT).contains(&at),
        "{at} ms"
    );
}

/// F that lie cannot take a node's history away.
#[test]
fn s2_a_node_that_a_quorum_tells_that_history_is_gone_takes_over_at_once() {
    assert!(gathers_at(2) >= STUCK);
    let at = gathers_at(3);
    assert!(at <= OFFERS_WAIT + 2 * LOOK, "{at} ms");
}

/// Neither silence nor a quorum that lies makes it build on what it has not executed.
#[test]
fn w8_a_watcher_that_has_executed_anything_takes_over_nothing_and_a_new_one_only_what_is_gone() {
    let watches = SyncConfig {
        at_first_only: true,
        ..SyncConfig::default()
    };
    for (commit, told_by, gathers) in [
        (3, 0, false),
        (3, 4, false),
        (0, 0, false),
        (0, 2, false),
        (0, 3, true),
    ] {
        let begins = gathering_begins(watches, CommitIndex(commit), told_by);
        assert_eq!(begins.is_some(), gathers, "{commit} {told_by}");
    }
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
