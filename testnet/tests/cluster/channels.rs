//! L41 and L42 as people have them: two parties and the files between them. One is killed and goes on from its folder; an old
//! state that the other shows the ledger loses.

use crate::common::Net;
use crate::people::{FEES, PURSE, Person, killed, people, ran, text};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

const LOCKED: u64 = 1_000_000;
const THEIRS: u64 = 400_000;
const PATIENCE: Duration = Duration::from_secs(60);

struct Channel {
    id: String,
    giver: Person,
    taker: Person,
}

impl Channel {
    fn open(giver: Person, taker: Person) -> Self {
        let (locked, theirs) = (LOCKED.to_string(), THEIRS.to_string());
        let with = taker.address.to_string();
        let open = ["channel", "open", "--with", &with, "--books", "books"];
        let terms = ["--amount", &locked, "--theirs", &theirs, "--window", "10s"];
        let opened = giver.sign(&[&open[..], &terms].concat());
        let id = opened["deals"][0].as_str().unwrap().to_owned();
        Self { id, giver, taker }
    }

    /// A command of one party, with its folder.
    fn command(&self, of: &Person, what: &str, more: &[&str]) -> std::process::Command {
        let command = ["channel", what, &self.id, "--books", "books"];
        of.signing(&[&command[..], more].concat())
    }

    fn offer(&self, from: &Person, amount: u64) -> PathBuf {
        let pay = ran(&mut self.command(from, "pay", &["--amount", &amount.to_string()]));
        assert_eq!(pay.code, Some(0), "{}", pay.words);
        from.write("offer.json", &pay.said)
    }

    fn accept(by: &Person, message: &Path) -> std::process::Command {
        by.signing(&["channel", "accept", text(message), "--books", "books"])
    }

    /// The other's answer to a message.
    fn answer(by: &Person, message: &Path) -> PathBuf {
        let answer = ran(&mut Self::accept(by, message));
        assert_eq!(answer.code, Some(0), "{}", answer.words);
        by.write("answer.json", &answer.said)
    }

    fn pay(&self, from: &Person, to: &Person, amount: u64) {
        let offer = self.offer(from, amount);
        Self::begins_nothing(to, &offer);
        Self::answer(from, &Self::answer(to, &offer));
    }

    /// CH9: a message that is not signed, here for it says another amount than was signed, leaves no file in a folder.
    fn begins_nothing(by: &Person, offer: &Path) {
        let mut forged: Value = serde_json::from_slice(&std::fs::read(offer).unwrap()).unwrap();
        forged["offer"]["state"]["to_taker"]["assets"][0]["amount"] = 1.into();
        let forged = by.write("forged.json", &forged.to_string());
        let none = by.path("none");
        let refused = ["channel", "accept", text(&forged), "--books", "none"];
        let refused = ran(&mut by.signing(&refused));
        assert_eq!(refused.code, Some(2), "{}", refused.words);
        let files = std::fs::read_dir(&none).into_iter().flatten();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        assert!(names.into_iter().all(|name| name.ends_with(".lock")));
    }

    /// The version that both have signed and what is the party's own of it, by its folder.
    fn newest(&self, of: &Person) -> (u64, u64) {
        let status = of.ask(&["channel", "status", &self.id, "--books", "books"]);
        let mine = &status["mine"]["assets"][0]["amount"];
        let version = status["newest"]["version"].as_u64().unwrap();
        (version, mine.as_u64().unwrap())
    }

    /// On the ledger.
    fn standing(&self) -> (String, Option<u64>) {
        let status = self.giver.ask(&["channel", "status", &self.id]);
        let version = &status["standing"]["state"]["version"];
        (
            status["state"].as_str().unwrap().to_owned(),
            version.as_u64(),
        )
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// How both fare when the taker shows the state that suits it best and the giver's guard has been killed.
fn story([giver, taker]: [Person; 2]) {
    let channel = Channel::open(giver, taker);
    let (giver, taker) = (&channel.giver, &channel.taker);
    channel.pay(giver, taker, 100_000);
    let (old, books) = (taker.path("old"), taker.path("books"));
    copy(&books, &old);
    channel.pay(taker, giver, 300_000);
    assert_eq!(channel.newest(taker), (2, 200_000));

    // Killed while it pays, and while it takes the answer: it goes on from its folder, and has paid once.
    let mut pay = channel.command(giver, "pay", &["--amount", "50000"]);
    assert!(killed(&mut pay, || true));
    let offer = channel.offer(giver, 50_000);
    let answer = Channel::answer(taker, &offer);
    let mut accept = Channel::accept(giver, &answer);
    assert!(killed(&mut accept, || true));
    // The other is asked again for an answer that was lost.
    let again = Channel::answer(taker, &offer);
    let taken = ran(&mut Channel::accept(giver, &again));
    let is_known = taken.words.contains("was signed already");
    assert!(taken.code == Some(0) || is_known, "{}", taken.words);
    let (version, mine) = channel.newest(giver);
    assert_eq!(channel.newest(taker), (version, LOCKED - mine));
    assert_eq!(mine, LOCKED - 250_000);

    // In another folder nothing is closed as it was opened.
    let lost = ["channel", "close", &channel.id, "--books", "elsewhere"];
    let lost = ran(&mut taker.signing(&lost));
    assert!(
        lost.code == Some(2) && lost.words.contains("--as-opened"),
        "{}",
        lost.words
    );

    let guard = || channel.command(giver, "guard", &[]).spawn().unwrap();
    let mut first = guard();
    sleep(Duration::from_secs(1));
    first.kill().unwrap();
    first.wait().unwrap();
    let close = ["channel", "close", &channel.id, "--books", "old"];
    taker.sign(&close);
    assert_eq!(channel.standing(), ("open".to_owned(), Some(1)));
    let mut second = guard();
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = second.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < end, "the guard watches for ever");
        sleep(Duration::from_millis(200));
    };
    assert!(status.success());
    let (state, standing) = channel.standing();
    assert_eq!((state.as_str(), standing), ("expired", Some(version)));

    for (person, due) in [
        (giver, PURSE - LOCKED + mine),
        (taker, PURSE + LOCKED - mine),
    ] {
        let has = person.balance();
        let fees = due.checked_sub(has);
        assert!(fees.is_some_and(|fees| fees < FEES), "{has}, not {due}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_party_of_a_channel_is_killed_goes_on_from_its_folder_and_answers_an_old_state() {
    let net = Net::up().await;
    let people = people(&net, [1, 2]).await;
    std::thread::scope(|scope| {
        scope.spawn(|| story(people)).join().unwrap();
    });
    net.equal(&[0, 1, 2, 3]).await;
}
