use super::*;
use weft_ledger::{Ledger, Snapshot};
use weft_types::testing::{certify, committee, genesis, network, statement};

/// Heights a second apart, of which every fifth is due.
struct Heights {
    held: Held,
    snapshot: Snapshot,
    next: u64,
}

impl Heights {
    fn new(interval: u64, whole_from: Millis) -> Self {
        let params = ProtocolParams {
            validity_max_ms: Millis(10_000),
            ..ProtocolParams::default()
        };
        let (ledger, _) = Ledger::genesis(&genesis(4).template).unwrap();
        Self {
            held: Held::new(Millis(interval), &params, Height::ZERO, whole_from),
            snapshot: ledger.snapshot(),
            next: 1,
        }
    }

    fn close(&mut self, certified: bool, viewed: bool) {
        let height = self.next;
        self.next += 1;
        let mut statement = statement(height);
        statement.timestamp = Millis(1_000_000 + 1_000 * height);
        if height.is_multiple_of(5) {
            self.held.due(statement.height);
        }
        let certificate = certify(&statement, &[0, 1, 2]);
        let certificate = certificate.verify(&network(), &committee(4)).unwrap();
        let view = CertifiedView {
            certificate: Arc::new(certificate),
            snapshot: self.snapshot.clone(),
        };
        if certified {
            self.held.certified(&statement, viewed.then_some(&view));
        }
    }

    fn go_on(&mut self, heights: u64) {
        (0..heights).for_each(|_| self.close(true, true));
    }

    fn views(&self) -> Vec<u64> {
        let views = self.held.views();
        views
            .iter()
            .map(|v| v.certificate.statement.height.0)
            .collect()
    }
}

#[test]
fn s2_the_newest_three_are_held_of_heights_that_were_due() {
    let mut heights = Heights::new(1, Millis::ZERO);
    heights.go_on(9);
    assert_eq!(heights.views(), [5]);
    heights.go_on(15);
    assert_eq!(heights.views(), [10, 15, 20]);
}

#[test]
fn s2_one_is_held_of_each_interval_of_time() {
    let mut heights = Heights::new(20_000, Millis::ZERO);
    heights.go_on(70);
    assert_eq!(heights.views(), [20, 40, 60]);
}

#[test]
fn s2_none_is_held_across_a_height_without_a_certificate_until_the_window_is_past_it() {
    let mut heights = Heights::new(1, Millis::ZERO);
    heights.go_on(21);
    heights.close(false, false);
    heights.go_on(12);
    assert_eq!(heights.views(), [10, 15, 20]);
    // The window of 11 s of height 35 begins after 23, the first one after the gap.
    heights.go_on(1);
    assert_eq!(heights.views(), [15, 20, 35]);
}

/// A restart has no views of the heights before it, and their certificates are on its disk.
#[test]
fn s2_a_certificate_without_a_view_is_none_that_lacks() {
    let mut heights = Heights::new(1, Millis(1_000));
    for _ in 0..7 {
        heights.close(true, false);
    }
    heights.go_on(5);
    assert_eq!(heights.views(), [10]);
    let mut after = Heights::new(1, Millis(1_004_000));
    after.go_on(20);
    assert_eq!(
        after.views(),
        [20],
        "a window from 4 s on is shown from 16 s on"
    );
}
