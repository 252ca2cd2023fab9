use super::*;
use std::net::Ipv4Addr;

const SHARE: Share = Share {
    in_flight_max: 100,
    bytes_per_second: 1_000_000,
};

/// Everything ample, a request of 1,000 bytes at the least, one second's worth at once.
fn limits() -> HistoryLimits {
    HistoryLimits {
        request_cost_bytes: 1_000,
        burst: Duration::from_secs(1),
        observer: SHARE,
        address: SHARE,
        total: SHARE,
        ..HistoryLimits::default()
    }
}

struct World {
    budget: Arc<Mutex<Budget>>,
    now: Instant,
}

impl World {
    fn new(change: impl FnOnce(&mut HistoryLimits)) -> Self {
        let mut limits = limits();
        change(&mut limits);
        let now = Instant::now();
        let budget = Arc::new(Mutex::new(Budget::new(&limits, now)));
        Self { budget, now }
    }

    fn take(&self, observer: u8, address: u8) -> Result<Place, Refused> {
        let from = Ipv4Addr::new(10, 0, 0, address).into();
        Place::take(&self.budget, peer(observer), from, self.now)
    }

    /// A request that is answered at once with so many bytes.
    fn served(&self, observer: u8, address: u8, bytes: usize) -> Result<(), Refused> {
        self.take(observer, address)
            .map(|place| place.charge(bytes))
    }

    fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    fn accounts(&self) -> (usize, usize) {
        let budget = self.budget.lock().unwrap();
        (budget.addresses.len(), budget.observers.len())
    }
}

fn peer(number: u8) -> PeerId {
    let key = libp2p::identity::Keypair::ed25519_from_bytes([number + 1; 32]).unwrap();
    key.public().to_peer_id()
}

#[test]
fn an_observer_has_so_many_requests_under_way_and_others_have_theirs() {
    let world = World::new(|limits| limits.observer.in_flight_max = 2);
    let first = world.take(1, 1).unwrap();
    let _second = world.take(1, 2).unwrap();
    let busy = Refused::Busy(Whose::Observer, 2);
    assert_eq!(world.take(1, 3).unwrap_err(), busy);
    assert!(world.take(2, 1).is_ok());
    drop(first);
    assert!(world.take(1, 3).is_ok());
}

#[test]
fn new_keys_behind_one_address_share_its_places() {
    let world = World::new(|limits| limits.address.in_flight_max = 2);
    let _places = [world.take(1, 1).unwrap(), world.take(2, 1).unwrap()];
    let busy = Refused::Busy(Whose::Address, 2);
    assert_eq!(world.take(3, 1).unwrap_err(), busy);
    assert!(world.take(3, 2).is_ok());
}

#[test]
fn all_observers_together_have_so_many_places() {
    let world = World::new(|limits| limits.total.in_flight_max = 2);
    let _places = [world.take(1, 1).unwrap(), world.take(2, 2).unwrap()];
    let busy = Refused::Busy(Whose::All, 2);
    assert_eq!(world.take(3, 3).unwrap_err(), busy);
}

#[test]
fn what_was_taken_is_worked_off_at_the_shares_rate() {
    let mut world = World::new(|limits| limits.observer.bytes_per_second = 10_000);
    // One request goes beyond the second's worth, and is let through all the same.
    world.served(1, 1, 50_000).unwrap();
    let spent = |beyond| Err(Refused::Spent(Whose::Observer, beyond));
    assert_eq!(world.served(1, 1, 0), spent(40_000));
    world.wait(3_900);
    assert_eq!(world.served(1, 1, 0), spent(1_000));
    world.wait(200);
    assert_eq!(world.served(1, 1, 0), Ok(()));
    // Refusals cost nothing and help nobody.
    assert!(world.served(2, 1, 0).is_ok());
}

#[test]
fn small_answers_count_for_the_least_cost() {
    let world = World::new(|limits| limits.observer.bytes_per_second = 5_000);
    for _ in 0..5 {
        world.served(1, 1, 1).unwrap();
    }
    let spent = Refused::Spent(Whose::Observer, 0);
    assert_eq!(world.served(1, 1, 1), Err(spent));
}

#[test]
fn a_new_key_does_not_free_an_address_of_what_it_took() {
    let world = World::new(|limits| limits.address.bytes_per_second = 10_000);
    world.served(1, 1, 10_000).unwrap();
    let spent = Err(Refused::Spent(Whose::Address, 0));
    assert_eq!(world.served(2, 1, 0), spent);
    assert_eq!(world.served(2, 2, 0), Ok(()));
}

#[test]
fn all_observers_together_take_no_more_than_the_total() {
    let mut world = World::new(|limits| limits.total.bytes_per_second = 100_000);
    let mut served = 0;
    // Every address and every key is new.
    for step in 0..1_000 {
        for number in 0..10 {
            let address = (step % 25) as u8 * 10 + number;
            served += usize::from(world.served(address, address, 2_000).is_ok());
        }
        world.wait(10);
    }
    // Ten seconds' worth, the burst, and one answer too many.
    assert!((540..=552).contains(&served), "{served} of 2,000 bytes");
}

/// Time that passes in small steps is worth as much as in large ones.
#[test]
fn fractions_of_a_byte_are_not_lost() {
    let mut world = World::new(|limits| limits.observer.bytes_per_second = 1_500);
    world.served(1, 1, 3_000).unwrap();
    for _ in 0..9_900 {
        world.now += Duration::from_micros(100);
        assert!(world.served(1, 1, 0).is_err());
    }
    world.wait(11);
    assert_eq!(world.served(1, 1, 0), Ok(()));
}

#[test]
fn accounts_are_forgotten_when_nothing_is_owed() {
    let mut world = World::new(|_| {});
    for number in 0..50 {
        world.served(number, number, 1_000).unwrap();
    }
    assert_eq!(world.accounts(), (50, 50));
    world.wait(60);
    world.served(1, 1, 1_000).unwrap();
    assert_eq!(world.accounts(), (1, 1));
}

#[test]
fn an_account_is_kept_while_a_request_is_under_way() {
    let mut world = World::new(|limits| limits.observer.in_flight_max = 1);
    let place = world.take(1, 1).unwrap();
    world.wait(3_600_000);
    let busy = Refused::Busy(Whose::Observer, 1);
    assert_eq!(world.take(1, 1).unwrap_err(), busy);
    drop(place);
    assert!(world.take(1, 1).is_ok());
}
