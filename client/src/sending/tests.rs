use super::*;

#[test]
fn a_node_has_four_times_the_usual_within_bounds_and_twice_as_long_in_the_next_round() {
    let seconds = Duration::from_secs_f64;
    assert_eq!(patience(None, 0, 3), PATIENCE_FIRST);
    assert_eq!(patience(Some(seconds(0.02)), 0, 3), PATIENCE_MIN);
    assert_eq!(patience(Some(seconds(0.5)), 2, 3), seconds(2.0));
    assert_eq!(patience(Some(seconds(0.5)), 3, 3), seconds(4.0));
    assert_eq!(patience(Some(seconds(30.0)), 0, 3), PATIENCE_MAX);
    assert_eq!(patience(Some(seconds(30.0)), 9, 3), NODE_WAIT);
    assert_eq!(patience(None, usize::MAX, 1), NODE_WAIT);
}
