use super::*;

fn add(provables: &mut Provables, (height, deposits): (u64, u64), anchored: u64) {
    let new = Provable {
        height: Height(height),
        deposits,
        trees: BaseTrees::default(),
    };
    provables.add(new, Height(anchored));
}

fn heights(provables: &Provables) -> Vec<u64> {
    provables.shown().iter().map(|p| p.height.0).collect()
}

#[test]
fn those_that_wait_and_the_newest_anchored_ones_are_kept() {
    let mut provables = Provables::default();
    for height in 1..=4 {
        add(&mut provables, (height * 10, 0), 25);
    }
    assert_eq!(heights(&provables), [10, 20, 30, 40]);
    // Nothing gets onto the base chain for a long time.
    for height in 5..=40 {
        add(&mut provables, (height * 10, 0), 25);
    }
    assert_eq!(heights(&provables), [10, 20, 350, 360, 370, 380, 390, 400]);
    for height in 41..=60 {
        add(&mut provables, (height * 10, 0), height * 10 - 10);
    }
    assert_eq!(provables.shown().len(), ANCHORED_MAX + 1);
    assert_eq!(heights(&provables)[0], 440);
}

#[test]
fn a_height_is_kept_once_and_none_is_anchored_at_first() {
    let mut provables = Provables::default();
    for height in [1, 1, 2, 1] {
        add(&mut provables, (height, 0), 0);
    }
    assert_eq!(heights(&provables), [1, 2]);
    for height in 3..=20 {
        add(&mut provables, (height, 0), 0);
    }
    assert_eq!(heights(&provables), [15, 16, 17, 18, 19, 20]);
    assert_eq!(provables.shown().len(), PROVABLE_MAX);
}

#[test]
fn b1_anchored_heights_stay_that_are_older_than_a_lost_deposit_and_the_checkpoints_lost_with_it() {
    let mut provables = Provables::default();
    // The base chain exchanges all blocks from the checkpoint of 60 on, and a deposit that was credited at 70.
    for (height, deposits) in [(40, 0), (50, 0), (60, 0), (70, 1), (80, 1)] {
        add(&mut provables, (height, deposits), height - 10);
    }
    provables.hold();
    for height in 9..=60 {
        add(&mut provables, (height * 10, 1), height * 10 - 10);
    }
    assert_eq!(heights(&provables)[..3], [40, 50, 60]);
}

#[test]
fn b1_what_was_there_when_the_bridge_was_halted_stays() {
    let mut provables = Provables::default();
    for height in [10, 20, 30] {
        add(&mut provables, (height, 0), 25);
    }
    provables.hold();
    add(&mut provables, (40, 0), 35);
    assert_eq!(heights(&provables), [10, 20, 30, 40]);
    for height in 5..=40 {
        add(&mut provables, (height * 10, 0), height * 10 - 5);
    }
    assert_eq!(heights(&provables)[..4], [10, 20, 30, 240]);
}

#[test]
fn b1_the_newest_height_of_each_number_of_deposits_stays_when_newer_ones_are_anchored() {
    let mut provables = Provables::default();
    for height in 1..=60 {
        add(&mut provables, (height, height / 20), height - 1);
    }
    assert_eq!(heights(&provables)[..3], [19, 39, 44]);
    for height in 8..=100 {
        add(&mut provables, (height * 10, height), height * 10);
    }
    assert_eq!(provables.shown().len(), EARLIER_MAX + 1);
    assert_eq!(heights(&provables)[0], 680);
}
