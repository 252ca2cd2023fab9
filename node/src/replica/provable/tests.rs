use super::*;

fn heights(provables: &Provables) -> Vec<u64> {
    provables.shown().iter().map(|p| p.height.0).collect()
}

#[test]
fn the_newest_are_kept_and_the_newest_that_is_anchored() {
    let (mut provables, trees) = (Provables::default(), BaseTrees::default());
    for height in 1..=4 {
        provables.add(Height(height * 10), &trees, Height(25));
    }
    assert_eq!(heights(&provables), [20, 30, 40]);
    // Nothing gets onto the base chain for a long time.
    for height in 5..=40 {
        provables.add(Height(height * 10), &trees, Height(25));
    }
    assert_eq!(heights(&provables), [20, 350, 360, 370, 380, 390, 400]);
    assert_eq!(provables.shown().len(), PROVABLE_MAX + 1);
    provables.add(Height(410), &trees, Height(400));
    assert_eq!(heights(&provables), [400, 410]);
}

#[test]
fn a_height_is_kept_once_and_none_is_anchored_at_first() {
    let (mut provables, trees) = (Provables::default(), BaseTrees::default());
    for height in [1, 1, 2, 1] {
        provables.add(Height(height), &trees, Height::ZERO);
    }
    assert_eq!(heights(&provables), [1, 2]);
    for height in 3..=20 {
        provables.add(Height(height), &trees, Height::ZERO);
    }
    assert_eq!(heights(&provables), [14, 15, 16, 17, 18, 19, 20]);
}

#[test]
fn b1_what_was_there_when_the_bridge_was_halted_stays() {
    let (mut provables, trees) = (Provables::default(), BaseTrees::default());
    for height in [10, 20, 30] {
        provables.add(Height(height), &trees, Height(25));
    }
    provables.hold();
    provables.add(Height(40), &trees, Height(35));
    assert_eq!(heights(&provables), [20, 30, 40]);
    for height in 5..=40 {
        provables.add(Height(height * 10), &trees, Height(height * 10 - 5));
    }
    assert_eq!(heights(&provables), [20, 30, 390, 400]);
}
