//! A channel by the ledger, and by the files of its parties that are in the folder.

use super::arguments::Status;
use super::due::{Clock, closes};
use super::file;
use super::words::{of_part, refused, words};
use crate::failure::Failure;
use crate::output::Output;
use crate::time;
use crate::values::lines;
use serde::Serialize;
use weft_types::api::DealState;
use weft_types::{
    Address, Book, Bundle, ChannelState, DealId, DealRule, Millis, SecretHash, Standing,
};

#[derive(Serialize)]
struct Shown {
    deal: DealId,
    /// On the ledger.
    state: DealState,
    giver: Address,
    taker: Option<Address>,
    expires: Millis,
    /// How long a state can be answered.
    window: Millis,
    /// What both divide.
    holds: Bundle,
    /// Once it is closing, or closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Box<Standing>>,
    /// Of the newest state in the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<ChannelState>,
    /// What that leaves the party for certain whose file alone is there, while the ledger has not paid out.
    #[serde(skip_serializing_if = "Option::is_none")]
    mine: Option<Bundle>,
    parties: Vec<Party>,
}

/// By one party's file.
#[derive(Serialize)]
struct Party {
    of: Address,
    version: u64,
    mine: Bundle,
    /// What it has offered, and has no answer to.
    #[serde(skip_serializing_if = "Option::is_none")]
    offered: Option<u64>,
    /// Of the parts that come to it, those whose secret it knows.
    known: Vec<SecretHash>,
    #[serde(skip)]
    parts: Vec<String>,
    /// From then on nothing is paid any more.
    closes: Millis,
}

impl Party {
    fn of(book: &Book, now: Millis) -> Result<Self, Failure> {
        let state = book.state();
        let known = state
            .parts
            .iter()
            .filter(|p| book.comes(p) && book.knows(p));
        Ok(Self {
            of: book.party(),
            version: state.version,
            mine: book.certain(&state, now).map_err(refused)?,
            offered: book.unanswered().map(|s| s.version),
            known: known.map(|p| p.hash).collect(),
            parts: state.parts.iter().map(|p| of_part(book, p, now)).collect(),
            closes: closes(book),
        })
    }
}

pub async fn status(arguments: &Status, output: &Output) -> Result<(), Failure> {
    let deal = arguments.network.client()?.deal(&arguments.channel).await?;
    let DealRule::CoSigned(terms) = &deal.rule else {
        return Err(refused(format_args!("deal {} is no channel", deal.id)));
    };
    let now = Clock::own().now;
    let (mut books, failures) = file::all(&arguments.folder.books)?;
    for failure in failures {
        output.alarm(failure.message);
    }
    books.retain(|b| b.deal == deal.id);
    let newest = books.iter().max_by_key(|b| b.state().version);
    let parties = books.iter().map(|b| Party::of(b, now));
    let parties = parties.collect::<Result<Vec<_>, _>>()?;
    // What it was paid out by, the ledger says.
    let mine = match (parties.as_slice(), deal.state) {
        ([party], DealState::Open) => Some(party.mine.clone()),
        _ => None,
    };
    let shown = Shown {
        deal: deal.id,
        state: deal.state,
        giver: deal.giver,
        taker: deal.taker,
        expires: deal.expires,
        window: terms.challenge,
        holds: deal.gives,
        standing: deal.standing,
        newest: newest.map(Book::state),
        mine,
        parties,
    };
    output.data(&shown, text)
}

fn text(shown: &Shown) -> String {
    let standing = shown.standing.as_ref();
    let version = standing.and_then(|s| s.state.as_ref()).map(|s| s.version);
    let version = version.map_or("as it was opened".to_owned(), |n| {
        format!("with version {n}")
    });
    let ledger = match (shown.state, standing) {
        (DealState::Open, None) => "open".to_owned(),
        (DealState::Open, Some(standing)) => {
            format!("closing {version} until {}", time::utc(standing.ends()))
        }
        _ => format!("paid out {version}"),
    };
    let taker = shown.taker.map_or(String::new(), |t| t.to_string());
    let channel = lines(&[
        ("channel", shown.deal.to_string()),
        ("state", ledger),
        ("holds", words(&shown.holds)),
        ("giver", shown.giver.to_string()),
        ("taker", taker),
        ("window", format!("{} s", shown.window.0.div_ceil(1_000))),
        ("expires", time::utc(shown.expires)),
    ]);
    let mut all = vec![channel];
    all.extend(shown.parties.iter().map(|p| of_party(p, shown.state)));
    all.join("\n\n")
}

fn of_party(party: &Party, state: DealState) -> String {
    let is_open = state == DealState::Open;
    let offered = party.offered.map(|n| format!("version {n}"));
    let (mine, closes) = match is_open {
        true => (words(&party.mine), time::utc(party.closes)),
        false => (String::new(), String::new()),
    };
    let file = lines(&[
        ("file of", party.of.to_string()),
        ("version", party.version.to_string()),
        ("without an answer", offered.unwrap_or_default()),
        ("yours for certain", mine),
        ("paid in until", closes),
    ]);
    let parts = party.parts.iter().filter(|_| is_open);
    let lines: Vec<String> = std::iter::once(file)
        .chain(parts.map(|p| format!("  {p}")))
        .collect();
    lines.join("\n")
}
