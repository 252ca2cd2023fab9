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
fn the_newest_are_kept_and_the_newest_that_is_anchored() {
    let mut provables = Provables::default();
    for height in 1..=4 {
        add(&mut provables, (height * 10, 0), 25);
    }
    assert_eq!(heights(&provables), [20, 30, 40]);
    // Nothing gets onto the base chain for a long time.
    for height in 5..=40 {
        add(&mut provables, (height * 10, 0), 25);
    }
    assert_eq!(heights(&provables), [20, 350, 360, 370, 380, 390, 400]);
    assert_eq!(provables.shown().len(), PROVABLE_MAX + 1);
    add(&mut provables, (410, 0), 400);
    assert_eq!(heights(&provables), [400, 410]);
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
    assert_eq!(heights(&provables), [14, 15, 16, 17, 18, 19, 20]);
}

#[test]
fn b1_what_was_there_when_the_bridge_was_halted_stays() {
    let mut provables = Provables::default();
    for height in [10, 20, 30] {
        add(&mut provables, (height, 0), 25);
    }
    provables.hold();
    add(&mut provables, (40, 0), 35);
    assert_eq!(heights(&provables), [20, 30, 40]);
    for height in 5..=40 {
        add(&mut provables, (height * 10, 0), height * 10 - 5);
    }
    assert_eq!(heights(&provables), [20, 30, 390, 400]);
}

#[test]
fn b1_the_newest_height_of_each_number_of_deposits_stays_when_newer_ones_are_anchored() {
    let mut provables = Provables::default();
    for (height, deposits) in [
        (10, 0),
        (20, 0),
        (30, 1),
        (40, 1),
        (50, 3),
        (60, 3),
        (70, 3),
    ] {
        add(&mut provables, (height, deposits), height - 10);
    }
    assert_eq!(heights(&provables), [20, 40, 60, 70]);
    for height in 8..=100 {
        add(&mut provables, (height * 10, height), height * 10);
    }
    assert_eq!(provables.shown().len(), EARLIER_MAX + 1);
    assert_eq!(heights(&provables)[0], 680);
}
