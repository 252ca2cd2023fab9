use super::*;

const A: char = 'A';
const B: char = 'B';
const C: char = 'C';

fn limits() -> Limits {
    Limits {
        redial_min: Duration::from_millis(100),
        redial_max: Duration::from_secs(10),
        ..Limits::default()
    }
}

fn dialer_of(own: Option<char>, now: Instant) -> Dialer<char> {
    let mut dialer = Dialer::new(own, &limits());
    [A, C].iter().for_each(|peer| dialer.add(*peer, now));
    dialer
}

/// The dialer of B in a committee of three.
fn dialer(now: Instant) -> Dialer<char> {
    dialer_of(Some(B), now)
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn the_lower_peer_dials_first() {
    let now = Instant::now();
    let mut dialer = dialer(now);
    assert_eq!(dialer.due(now), [C]);
    assert_eq!(dialer.next(), Some(now + ms(400)));
    assert_eq!(dialer.due(now + ms(399)), [].as_slice() as &[char]);
    assert_eq!(dialer.due(now + ms(400)), [A]);
    assert_eq!(dialer.next(), None);
}

#[test]
fn an_observer_dials_everybody_at_once() {
    let now = Instant::now();
    let mut dialer = dialer_of(None, now);
    assert_eq!(dialer.due(now), [A, C]);
}

#[test]
fn pauses_double_up_to_the_limit() {
    let now = Instant::now();
    let mut dialer = dialer(now);
    dialer.suspend(A);
    for longest in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000] {
        dialer.failed(C, now);
        let pause = dialer.next().expect("dials again") - now;
        assert!(
            pause >= ms(longest / 2) && pause <= ms(longest),
            "{pause:?}"
        );
    }
}

#[test]
fn a_good_connection_starts_the_count_anew_and_a_broken_one_does_not() {
    let now = Instant::now();
    let mut dialer = dialer(now);
    dialer.suspend(A);
    for _ in 0..6 {
        dialer.failed(C, now);
    }
    dialer.connected(C, now);
    dialer.disconnected(C, now + ms(5));
    assert!(dialer.next().expect("dials again") - now > ms(3000));

    dialer.connected(C, now);
    dialer.disconnected(C, now + GOOD);
    assert_eq!(dialer.next(), Some(now + GOOD));
}

#[test]
fn a_failed_dial_does_not_matter_while_connected() {
    let now = Instant::now();
    let mut dialer = dialer(now);
    dialer.suspend(A);
    dialer.connected(C, now);
    dialer.failed(C, now);
    assert_eq!(dialer.next(), None);
}

#[test]
fn a_suspended_member_is_dialled_at_once_when_resumed() {
    let now = Instant::now();
    let mut dialer = dialer(now);
    dialer.failed(A, now);
    dialer.failed(C, now);
    dialer.suspend(A);
    dialer.suspend(C);
    assert_eq!(dialer.next(), None);
    dialer.resume(A, now);
    assert_eq!(dialer.due(now), [A]);
}
