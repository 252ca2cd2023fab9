//! Tickets at gates that have no network: packs before, journals in between, and one account of all of it afterwards.

use crate::common::{Net, options, until};
use crate::people::{Person, Ran, people, ran, text};
use serde_json::Value;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use weft_testnet::cluster::{Fault, UpOptions};
use weft_types::{Epoch, Millis};

/// Tickets of each holder.
const TICKETS: usize = 12;
/// From the sale until tickets stay with their holders.
const CUT_OFF: Duration = Duration::from_secs(12);
const SLOT_MS: u64 = weft_types::PASS_SLOT_MS;
/// A ticket or a gate was refused: the exit code.
const NOT_IN: Option<i32> = Some(5);
const UNSETTLED: Option<i32> = Some(3);

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn rfc3339(time: Duration) -> String {
    let mut date = Command::new("date");
    let date = date.args(["-u", "-d", &format!("@{}", time.as_secs()), "+%FT%TZ"]);
    let said = date.output().unwrap().stdout;
    String::from_utf8(said).unwrap().trim().to_owned()
}

fn first<'a>(answer: &'a Value, what: &str) -> &'a str {
    answer[what][0].as_str().unwrap()
}

/// What a holder shows, made by a telephone that is off.
fn pass(holder: &Person, item: &str, network: &str) -> String {
    let pass = ["ticket", "pass", item, "--key", "wallet.key"];
    let mut pass = holder.alone(&[&pass[..], &["--network-id", network]].concat());
    ran(&mut pass).json()["code"].as_str().unwrap().to_owned()
}

/// A gate without a network: it has its files, and what the holder shows.
fn check(gate: &Person, code: &str) -> Ran {
    let check = ["ticket", "check", code, "--genesis", "genesis.json"];
    let files = ["--pack", "gate.pack", "--journal", "gate.journal"];
    ran(&mut gate.alone(&[&check[..], &files].concat()))
}

fn lets_in(gate: &Person, code: &str) {
    assert_eq!(check(gate, code).json()["admitted"], true);
}

fn refuses(gate: &Person, code: &str, words: &str) {
    let ran = check(gate, code);
    assert_eq!(ran.code, NOT_IN, "{}", ran.words);
    let told: Value = serde_json::from_str(&ran.said).unwrap();
    let reason = told["reason"].as_str().unwrap();
    assert!(reason.contains(words), "{words} in {reason}");
}

/// Sends what was let in, again while something has no outcome.
fn sent(gate: &Person) -> (Option<i32>, Value) {
    let send = ["ticket", "check", "--send", "--journal", "gate.journal"];
    for _ in 0..20 {
        let ran = ran(&mut gate.signing(&send));
        println!("{}{}", ran.said, ran.words);
        if ran.code != UNSETTLED {
            return (ran.code, serde_json::from_str(&ran.said).unwrap());
        }
        sleep(Duration::from_millis(500));
    }
    panic!("the gate comes to no end");
}

struct Event {
    creator: Person,
    holders: [Person; 2],
    gates: [Person; 2],
    genesis: String,
    network: String,
    edition: String,
    cut_off: Duration,
}

impl Event {
    /// Founded, with two gates.
    fn of(net: &Net, [creator, one, other, first_gate, second_gate]: [Person; 5]) -> Self {
        let cut_off = now() + CUT_OFF;
        let until = rfc3339(cut_off);
        let create = ["collection", "create", "--name", "Final", "--cut-off"];
        let collection = creator.sign(&[&create[..], &[&until]].concat());
        let collection = first(&collection, "collections");
        let create = ["collection", "edition", "create", "--name", "North"];
        let terms = ["--collection", collection, "--cap", "100", "--uses", "1"];
        let edition = creator.sign(&[&create[..], &terms].concat());
        let edition = first(&edition, "editions").to_owned();
        let gates = [first_gate, second_gate];
        for gate in &gates {
            let gate = gate.address.to_string();
            let grant = ["collection", "role", "grant", collection, "--of", &gate];
            creator.sign(&[&grant[..], &["--role", "gate"]].concat());
        }
        creator.sign(&["ticket", "sale", &edition, "--price", "40"]);
        Self {
            creator,
            holders: [one, other],
            gates,
            genesis: text(&net.cluster.folder().genesis()).to_owned(),
            network: net.genesis().network.id().to_string(),
            edition,
            cut_off,
        }
    }

    fn tickets(&self, holder: &Person) -> Vec<String> {
        let count = TICKETS.to_string();
        let bought = holder.sign(&["ticket", "buy", &self.edition, "--count", &count]);
        let items = bought["items"].as_array().unwrap().iter();
        items
            .map(|item| item.as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until tickets stay, and a certificate says so.
    fn cut_off(&self) {
        while now() < self.cut_off {
            sleep(Duration::from_millis(100));
        }
        // The ledger's time may be behind this clock's.
        sleep(Duration::from_secs(1));
        let to = self.creator.address.to_string();
        let pay = ["account", "transfer", "--to", &to, "--amount", "1"];
        self.holders[0].sign(&[&pay[..], &["--wait", "certified"]].concat());
    }

    /// A pack of all tickets, which is proven after the cut-off.
    fn give_pack(&self, gate: &Person, tickets: usize) {
        std::fs::copy(&self.genesis, gate.path("genesis.json")).unwrap();
        let pack = ["ticket", "pack", &self.edition, "--proofs", "all"];
        let files = ["--genesis", "genesis.json", "--out", "gate.pack"];
        let head = gate.ask(&[&pack[..], &files].concat());
        assert_eq!(head["tickets"], tickets);
        assert_eq!(head["proven"]["serials"], tickets);
        let since = Duration::from_millis(head["proven"]["since"].as_u64().unwrap());
        assert!(since >= self.cut_off, "{head}");
    }
}

/// A slot is as long as a pass may be old, and one more.
fn until_stale(made: Duration) {
    let slot = |time: Duration| time.as_millis() as u64 / SLOT_MS;
    while slot(now()) < slot(made) + 2 {
        sleep(Duration::from_millis(100));
    }
}

/// What the gates do while nobody is there to be asked. One ticket goes in at both.
fn admission(event: &Event, tickets: &[Vec<String>; 2], stale: (&str, Duration)) {
    let [one, other] = &event.holders;
    let [first, second] = &event.gates;
    let show = |holder, item| pass(holder, item, &event.network);
    for (gate, holder, items) in [(first, one, &tickets[0]), (second, other, &tickets[1])] {
        for item in &items[..TICKETS - 2] {
            lets_in(gate, &show(holder, item));
        }
    }
    let twice = show(one, &tickets[0][0]);
    refuses(first, &twice, "it went in here");
    lets_in(second, &twice);
    refuses(second, &twice, "it went in here");
    let stolen = show(other, &tickets[0][TICKETS - 1]);
    refuses(first, &stolen, "not the owner's");
    let strange = show(other, &event.edition);
    refuses(second, &strange, "not in this gate's pack");
    until_stale(stale.1);
    refuses(second, stale.0, "let it be shown anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gates_cut_off_from_the_network_let_in_by_their_packs_and_reconcile_with_a_node_down() {
    let mut net = Net::up().await;
    let people = people(&net, [1, 2, 3, 4, 5]).await;
    let event = Event::of(&net, people);
    let tickets = [0, 1].map(|i| event.tickets(&event.holders[i]));
    let last = &tickets[1][TICKETS - 1];
    let early = (pass(&event.holders[1], last, &event.network), now());
    event.cut_off();
    for gate in &event.gates {
        event.give_pack(gate, 2 * TICKETS);
    }
    net.fault(Fault::Kill, &[0, 1, 2, 3]).await;
    admission(&event, &tickets, (&early.0, early.1));

    net.up_again().await;
    let [first, second] = &event.gates;
    let (of_first, of_second) = std::thread::scope(|scope| {
        let sending = [first, second].map(|gate| scope.spawn(|| sent(gate)));
        sleep(Duration::from_millis(40));
        // The node that both talk to.
        let cluster = &net.cluster;
        scope.spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(cluster.fault(Fault::Kill, "0")).unwrap();
        });
        let [first, second] = sending.map(|gate| gate.join().unwrap());
        (first, second)
    });
    let duplicates = |(code, report): &(Option<i32>, Value)| {
        let duplicates = report["duplicates"].as_array().unwrap().clone();
        let expected = if duplicates.is_empty() {
            Some(0)
        } else {
            NOT_IN
        };
        assert_eq!(*code, expected);
        assert_eq!(
            (&report["unsettled"], &report["refused"]),
            (&0.into(), &Value::Array(vec![]))
        );
        duplicates
    };
    let found = [duplicates(&of_first), duplicates(&of_second)].concat();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["item"], tickets[0][0].as_str());
    let redeemed = [&of_first, &of_second].map(|(_, report)| report["redeemed"].as_u64().unwrap());
    assert_eq!(redeemed.iter().sum::<u64>(), 2 * (TICKETS as u64 - 2));

    // Again: the same is said, and nothing is sent.
    let purses = [first, second].map(Person::balance);
    assert_eq!((sent(first), sent(second)), (of_first, of_second));
    assert_eq!([first, second].map(Person::balance), purses);
    for (n, item) in tickets.iter().flat_map(|items| items.iter().enumerate()) {
        let shown = event.creator.ask(&["card", "show", item]);
        let was_let_in = n < TICKETS - 2;
        let used = shown["used"].as_u64().unwrap_or(0);
        assert_eq!(used, u64::from(was_let_in), "{shown}");
    }
    net.equal(&[1, 2, 3]).await;
}

/// A gate that has the genesis, who was in office, and no pack: the code brings the proof.
fn check_proof(gate: &Person, code: &str, event: &Event, committees: &[&str]) -> Ran {
    let since = rfc3339(event.cut_off);
    let check = ["ticket", "check", code, "--genesis", "genesis.json"];
    let whose = ["--edition", &event.edition, "--since", &since];
    let journal = ["--journal", "gate.journal"];
    ran(&mut gate.alone(&[&check[..], &whose, &journal, committees].concat()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_without_a_pack_lets_in_by_proofs_of_a_later_epoch_once_it_knows_the_committees() {
    let options = UpOptions {
        epoch: Some(Millis(6_000)),
        ..options()
    };
    let net = Net::up_with(options).await;
    let people = people(&net, [1, 2, 3, 4, 5]).await;
    let event = Event::of(&net, people);
    let [holder, _] = &event.holders;
    let [gate, _] = &event.gates;
    let tickets = event.tickets(holder);
    let client = net.client(&[0]);
    until("a later epoch", async || {
        client.committee().await.unwrap().epoch >= Epoch(2)
    })
    .await;
    event.cut_off();
    // A pack can be made as well, and its proofs are checked.
    event.give_pack(gate, TICKETS);
    let shown = holder.sign(&["ticket", "pass", &tickets[0], "--proof"]);
    let committees = ["committees", "--genesis", "genesis.json", "--out"];
    let told = gate.ask(&[&committees[..], &["committees.json"]].concat());
    assert!(told["epoch"].as_u64() >= Some(2), "{told}");
    net.fault(Fault::Kill, &[0, 1, 2, 3]).await;

    let code = shown["code"].as_str().unwrap();
    let unknown = check_proof(gate, code, &event, &[]);
    assert_eq!(unknown.code, NOT_IN, "{}", unknown.words);
    assert!(
        unknown
            .said
            .contains("knows who was in office up to epoch 0"),
        "{}",
        unknown.said
    );
    let known = ["--committees", "committees.json"];
    let told = check_proof(gate, code, &event, &known).json();
    assert_eq!(told["admitted"], true, "{told}");
}
