use super::*;
use weft_types::testing::{finality_key, statement};

fn outbox(heights: std::ops::Range<u64>) -> Outbox {
    let share = FinalityShare::sign(&statement(1), &finality_key(0));
    let mut outbox = Outbox::default();
    for height in heights.map(Height) {
        outbox.push(FinalityShare {
            height,
            ..share.clone()
        });
    }
    outbox
}

#[test]
fn what_a_certificate_covers_goes_unless_the_next_vertex_takes_it_anyway() {
    let most = FINALITY_SHARES_MAX as u64;
    let mut few = outbox(0..most);
    few.certified(Height(most));
    assert_eq!(few.take(FINALITY_SHARES_MAX).len(), FINALITY_SHARES_MAX);
    assert!(few.is_empty());

    let mut many = outbox(0..3 * most);
    many.certified(Height(most - 1));
    assert_eq!(many.take(1)[0].height, Height(most - 1));
    many.certified(Height(3 * most));
    assert_eq!(many.take(1)[0].height, Height(2 * most));
}

#[test]
fn at_its_bound_the_oldest_shares_go() {
    let mut outbox = outbox(0..SHARES_MAX as u64 + 5);
    let buffer = outbox.buffer();
    assert_eq!(buffer.bytes, buffer.bytes_max);
    assert_eq!(outbox.take(1)[0].height, Height(5));
}
