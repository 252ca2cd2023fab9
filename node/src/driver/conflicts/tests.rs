use super::*;
use std::sync::mpsc as blocking;
use weft_types::testing::{certify, committee, genesis, statement};

const LOOKED_AT_IN: Duration = Duration::from_secs(10);

/// Of a committee of four.
fn judge(folder: &std::path::Path) -> Judge {
    let genesis = Arc::new(genesis(4));
    let store = Arc::new(Store::open(folder, genesis.network.id()).unwrap());
    let in_office = watch::channel(Arc::new(committee(4))).1;
    let conflict = watch::Sender::new(None);
    let (commands, _inbox) = tokio::sync::mpsc::channel(1);
    Judge::new(store, genesis, in_office, conflict, commands)
}

#[test]
fn of_each_member_one_certificate_is_looked_at_at_a_time() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let _entered = runtime.enter();
    let judge = judge(folder.path());
    // The only thread is busy, so that whatever is to be looked at waits.
    let (free, held) = blocking::channel::<()>();
    let _busy = tokio::task::spawn_blocking(move || held.recv());
    let in_work = || Arc::strong_count(&judge.store) - 1;
    let certificate = certify(&statement(5), &[0, 1, 2]).encode();
    for _ in 0..3 {
        for member in 0..4 {
            judge.start(MemberIndex(member), certificate.clone());
        }
    }
    assert_eq!(in_work(), 4, "certificates are held");
    drop(free);
    let start = Instant::now();
    while in_work() > 0 {
        assert!(start.elapsed() < LOOKED_AT_IN, "they are not looked at");
        std::thread::sleep(Duration::from_millis(1));
    }
    let rest = judge.in_work.lock().unwrap();
    assert!(rest.is_empty(), "each member has its turn again");
}
