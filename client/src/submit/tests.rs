use super::*;
use weft_types::{Operation, testing};

fn transaction(nonce: u64, description: usize) -> Transaction {
    let create = Operation::CreateCollection {
        name: "cards".to_owned(),
        description: "x".repeat(description),
        item_cap: 0,
    };
    testing::transaction(1, nonce, vec![create; 40])
}

#[test]
fn long_lists_are_cut_at_a_node_s_limits_and_nothing_is_left_out() {
    let small = transaction(1, 0);
    let many = vec![small; SUBMIT_TRANSACTIONS_MAX + 1];
    let places: Vec<usize> = (0..many.len()).collect();
    let lengths: Vec<usize> = parts(&places, &many).iter().map(|p| p.len()).collect();
    assert!(lengths.iter().all(|l| *l <= SUBMIT_TRANSACTIONS_MAX));

    let large = vec![transaction(2, 1_000); 400];
    let bytes = large[0].encoded().len();
    assert!(bytes * large.len() > BODY_BYTES_MAX);
    let places: Vec<usize> = (0..large.len()).collect();
    let cut = parts(&places, &large);
    assert!(cut.iter().all(|p| p.len() * bytes <= BODY_BYTES_MAX));
    assert_eq!(cut.concat(), places);
    assert!(parts(&[], &large).is_empty());
}

#[test]
fn waiting_ends_at_the_state_waited_for_or_at_an_end() {
    use TransactionState as S;
    let over = |wait: Wait| {
        let states = [
            S::Submitted,
            S::Committed,
            S::Certified,
            S::Anchored,
            S::Rejected,
            S::Expired,
        ];
        states.map(|s| wait.is_over(s))
    };
    assert_eq!(over(Wait::Submitted), [true; 6]);
    assert_eq!(over(Wait::Committed), [false, true, true, true, true, true]);
    assert_eq!(
        over(Wait::Certified),
        [false, false, true, true, true, true]
    );
}
