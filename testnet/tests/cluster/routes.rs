//! L40 as people have it: A pays C by way of B with two hash-locked deals. Somebody dies at each step, in the middle of it or
//! before, and both hops are taken in the end, or both are back.

use crate::common::Net;
use crate::people::{FEES, PURSE, Person, killed, people, ran};
use serde_json::Value;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use weft_testnet::cluster::Fault;
use weft_types::{Object, Secret};

/// What A locks for B, and B for C.
const FIRST: u64 = 1_000_000;
const SECOND: u64 = 900_000;
const WATCHER: &str = "watcher.key";
const OVER_AFTER: Duration = Duration::from_secs(60);

/// When a command is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Before it can have sent anything.
    AtOnce,
    /// Once the ledger has what it has sent; it waits for the certificate still.
    Sent,
}

/// Who dies at what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dies {
    Nobody,
    /// Killed, and never back.
    ALocking(When),
    BBeforeLocking,
    /// Killed, and back.
    BLocking(When),
    CBeforeUnlocking,
    /// Killed, and never back.
    CUnlocking(When),
    /// Killed, and back.
    BUnlocking(When),
    /// Once he has locked, and never back: a watcher has a session of his.
    BForGood,
}

const DEATHS: [Dies; 12] = [
    Dies::Nobody,
    Dies::ALocking(When::AtOnce),
    Dies::ALocking(When::Sent),
    Dies::BBeforeLocking,
    Dies::BLocking(When::AtOnce),
    Dies::BLocking(When::Sent),
    Dies::CBeforeUnlocking,
    Dies::CUnlocking(When::AtOnce),
    Dies::CUnlocking(When::Sent),
    Dies::BUnlocking(When::AtOnce),
    Dies::BUnlocking(When::Sent),
    Dies::BForGood,
];

impl Dies {
    /// Whether both hops are taken in spite of it.
    fn is_paid(self) -> bool {
        use When::{AtOnce, Sent};
        match self {
            Self::BBeforeLocking | Self::CBeforeUnlocking => false,
            Self::ALocking(AtOnce) | Self::BLocking(AtOnce) | Self::CUnlocking(AtOnce) => false,
            Self::ALocking(Sent) | Self::BLocking(Sent) | Self::CUnlocking(Sent) => true,
            Self::Nobody | Self::BUnlocking(_) | Self::BForGood => true,
        }
    }

    /// When each hop comes back: soon where it is waited for, and the second one before the first, with time for B in between.
    fn expiries(self) -> [&'static str; 2] {
        match self.is_paid() {
            true => ["1h", "30m"],
            false => ["24s", "12s"],
        }
    }
}

struct Route {
    people: [Person; 3],
    secret: Secret,
    dies: Dies,
}

/// How a route has ended.
#[derive(Debug)]
struct End {
    /// Whether both hops were taken.
    is_paid: bool,
    was_killed: bool,
}

/// The deals of a rule with secrets in a state, by who gives or who takes.
fn deals(person: &Person, by: &str, state: &str) -> Vec<Value> {
    let address = person.address.to_string();
    let list = ["card", "deals", by, &address, "--state", state];
    let list = person.ask(&[&list[..], &["--rule", "secret"]].concat());
    list["items"].as_array().unwrap().clone()
}

fn id(deal: &Value) -> &str {
    deal["id"].as_str().unwrap()
}

/// The deal that is open for somebody, once there is one.
fn offered(person: &Person) -> Option<Value> {
    for _ in 0..20 {
        if let Some(deal) = deals(person, "--taker", "open").pop() {
            return Some(deal);
        }
        sleep(Duration::from_millis(200));
    }
    None
}

impl Route {
    /// Locks by the route's hash.
    fn lock(&self, from: usize, amount: u64) -> Command {
        let to = self.people[from + 1].address.to_string();
        let (amount, hash) = (amount.to_string(), self.secret.hash().to_string());
        let lock = ["card", "lock", "--amount", &amount, "--to", &to];
        let terms = ["--hash", &hash, "--expires", self.dies.expiries()[from]];
        // Seconds between the hops, and not ten minutes, where the end of both is waited for.
        let hops: &[&str] = if self.dies.is_paid() {
            &[]
        } else {
            &["--more"]
        };
        self.people[from].signing(&[&lock[..], &terms, hops, &["--wait", "certified"]].concat())
    }

    fn unlock(&self, by: usize, deal: &Value, secret: &str) -> Command {
        let unlock = ["card", "unlock", id(deal), "--secret", secret];
        self.people[by].signing(&[&unlock[..], &["--wait", "certified"]].concat())
    }

    /// For B, by himself or his watcher.
    fn claim(&self, deal: &Value, secret: &str) -> Command {
        if self.dies != Dies::BForGood {
            return self.unlock(1, deal, secret);
        }
        let unlock = ["card", "unlock", id(deal), "--secret", secret];
        let b = self.people[1].address.to_string();
        let by = ["--key", WATCHER, "--account", &b];
        self.people[1].asking(&[&unlock[..], &by].concat())
    }

    /// B gives a watcher's key what it takes to claim, and to pay the fee.
    fn give_session(&self) {
        let [_, b, _] = &self.people;
        weft_node::write_secret(&b.path(WATCHER), &[0xee; 32]).unwrap();
        let add = ["account", "session", "add", WATCHER, "--expires", "1h"];
        let may = ["--allow", "deal-take", "--limit", "20000"];
        b.sign(&[&add[..], &may].concat());
    }

    /// Everybody does what is his, as far as he lives.
    fn go(&self) -> End {
        let [_, b, c] = &self.people;
        let dies = self.dies;
        let mut was_killed = false;
        let mut kill = |mut command, when, by: usize, state| {
            let giver = &self.people[by];
            let sent = || when == When::AtOnce || !deals(giver, "--giver", state).is_empty();
            was_killed |= killed(&mut command, sent);
        };
        let first = self.lock(0, FIRST);
        match dies {
            Dies::ALocking(when) => kill(first, when, 0, "open"),
            _ => drop(ran(&mut { first }).json()),
        }
        if dies == Dies::BForGood {
            self.give_session();
        }
        if offered(b).is_some() {
            let second = self.lock(1, SECOND);
            match dies {
                Dies::BBeforeLocking => {}
                Dies::BLocking(when) => kill(second, when, 1, "open"),
                _ => drop(ran(&mut { second }).json()),
            }
        }
        let for_c = match dies {
            Dies::BBeforeLocking | Dies::CBeforeUnlocking => None,
            _ => offered(c),
        };
        if let Some(deal) = for_c {
            let unlock = self.unlock(2, &deal, &self.secret.to_string());
            match dies {
                Dies::CUnlocking(when) => kill(unlock, when, 1, "taken"),
                _ => drop(ran(&mut { unlock }).json()),
            }
        }
        // From here on B, or who watches for him, knows no more than the ledger says of his deals.
        if let (Dies::BUnlocking(when), Some((deal, secret))) = (dies, self.due()) {
            kill(self.claim(&deal, &secret), when, 0, "taken");
        }
        let end = Instant::now() + OVER_AFTER;
        while !self.is_over() {
            assert!(Instant::now() < end, "{dies:?}: a hop is open for ever");
            if let Some((deal, secret)) = self.due() {
                // What was sent before it was killed may come first, and then there is nothing left to take.
                let unlocked = ran(&mut self.claim(&deal, &secret));
                let words = &unlocked.words;
                let is_late = matches!(dies, Dies::BUnlocking(_)) && words.contains("not open");
                assert!(unlocked.code == Some(0) || is_late, "{dies:?}: {words}");
            }
            sleep(Duration::from_millis(500));
        }
        End {
            is_paid: self.is_paid(),
            was_killed,
        }
    }

    /// What B can claim: the first hop, by the secret that the second one was taken with.
    fn due(&self) -> Option<(Value, String)> {
        let b = &self.people[1];
        let taken = deals(b, "--giver", "taken").pop()?;
        let secret = taken["standing"]["secrets"][0].as_str()?.to_owned();
        Some((deals(b, "--taker", "open").pop()?, secret))
    }

    fn is_over(&self) -> bool {
        let givers = &self.people[..2];
        givers
            .iter()
            .all(|p| deals(p, "--giver", "open").is_empty())
    }

    /// Whether both hops were taken; fails unless it is both or neither, and everybody has what follows from it.
    fn is_paid(&self) -> bool {
        let dies = self.dies;
        let taken = |p: &Person| deals(p, "--giver", "taken").len();
        let [first, second] = [taken(&self.people[0]), taken(&self.people[1])];
        assert_eq!(
            first, second,
            "{dies:?}: one hop is taken, the other is back"
        );
        let is_paid = first == 1;
        let gains = match is_paid {
            true => [PURSE - FIRST, PURSE + FIRST - SECOND, PURSE + SECOND],
            false => [PURSE; 3],
        };
        for (person, due) in self.people.iter().zip(gains) {
            let has = person.balance();
            let fees = due.checked_sub(has);
            assert!(
                fees.is_some_and(|fees| fees < FEES),
                "{dies:?}: {has}, not {due}"
            );
        }
        is_paid
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_of_two_locks_pays_everybody_or_nobody_whoever_dies_at_whatever_step() {
    let net = Net::up().await;
    let everybody: [u8; 3 * DEATHS.len()] = std::array::from_fn(|n| n as u8 + 1);
    let mut everybody = people(&net, everybody).await.into_iter();
    let mut secrets = 1..;
    let routes = DEATHS.map(|dies| Route {
        people: std::array::from_fn(|_| everybody.next().unwrap()),
        secret: Secret([secrets.next().unwrap(); 32]),
        dies,
    });
    let ends: Vec<End> = std::thread::scope(|scope| {
        let threads: Vec<_> = routes.iter().map(|r| scope.spawn(|| r.go())).collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect()
    });
    for (route, end) in routes.iter().zip(&ends) {
        println!("{:?}: {end:?}", route.dies);
        assert_eq!(end.is_paid, route.dies.is_paid(), "{:?}", route.dies);
    }
    let killed = ends.iter().filter(|end| end.was_killed).count();
    assert!(
        killed >= 4,
        "of eight that are to be killed {killed} were at work"
    );

    net.equal(&[0, 1, 2, 3]).await;
    net.fault(Fault::Kill, &[0, 1, 2, 3]).await;
    let genesis = net.genesis();
    let issued = genesis
        .template
        .accounts
        .iter()
        .map(|a| u128::from(a.balance.0));
    let issued: u128 = issued.sum();
    for node in 0..4 {
        let objects = net.stored(node);
        assert!(!objects.iter().any(|(_, o)| matches!(o, Object::Deal(_))));
        assert_eq!(crate::common::coins(&objects), issued, "node {node}");
    }
}
