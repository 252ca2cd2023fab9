//! `weft channel guard`: does for a party what has to be done in time on the ledger, while the other is away or lies. What
//! it does next follows from the book, the ledger's channel and the time alone.

use super::arguments::Guard;
use super::due::{Clock, claims, closes};
use super::file;
use super::words::say_cost;
use super::{kept, secrets};
use crate::failure::Failure;
use crate::output::Output;
use crate::sending::{Outcome, Session};
use crate::time;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use weft_types::api::{Deal, DealState};
use weft_types::{
    Book, ChannelState, DealId, Millis, Operation, Secret, SecretHash, Showing, SignedState,
    Standing,
};

/// How often a guard looks.
const EVERY: Duration = Duration::from_secs(2);

/// What is to be done about a channel.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Nothing,
    /// It is closing, and there is something to show.
    Answer(Showing),
    /// It is not closing, and has to.
    Close(Showing, Reason),
    Over,
}

/// Why a channel is closed.
#[derive(Debug, PartialEq, Eq)]
pub enum Reason {
    /// CH5: its end is near.
    Ends(Millis),
    /// CH6: that of a part is, whose secret is known.
    Part(SecretHash, Millis),
}

/// What a guard does next.
pub fn step(book: &Book, deal: &Deal, now: Millis) -> Step {
    if deal.state != DealState::Open {
        return Step::Over;
    }
    if let Some(standing) = &deal.standing {
        return rejoinder(book, standing, now).map_or(Step::Nothing, Step::Answer);
    }
    // Without one it ends as it was opened, by itself.
    let Some(newest) = book.newest.as_ref().filter(|_| now < deal.expires) else {
        return Step::Nothing;
    };
    let mut parts = newest.state.parts.iter();
    let claimed =
        parts.find(|p| book.comes(p) && book.knows(p) && now < p.expires && now >= claims(book, p));
    let reason = match claimed {
        Some(part) => Reason::Part(part.hash, part.expires),
        None if now >= closes(book) => Reason::Ends(deal.expires),
        None => return Step::Nothing,
    };
    Step::Close(showing(book, Some(newest.clone()), now), reason)
}

/// A state with the secrets that are known of its parts and not too late.
pub fn showing(book: &Book, state: Option<SignedState>, now: Millis) -> Showing {
    let secrets = match &state {
        Some(signed) => in_time(&signed.state, &book.secrets, now),
        None => vec![],
    };
    Showing {
        deal: book.deal,
        state,
        secrets,
    }
}

fn in_time(state: &ChannelState, secrets: &[Secret], now: Millis) -> Vec<Secret> {
    let waits = |s: &&Secret| {
        let mut parts = state.parts.iter();
        parts.any(|p| p.hash == s.hash() && now < p.expires)
    };
    secrets.iter().filter(waits).copied().collect()
}

/// What there is to show the ledger of a channel that is closing.
pub fn rejoinder(book: &Book, standing: &Standing, now: Millis) -> Option<Showing> {
    let shown = standing.state.as_ref().map_or(0, |s| s.version);
    let newest = book.newest.as_ref().filter(|s| s.state.version > shown);
    let stands = newest.map(|s| &s.state).or(standing.state.as_ref());
    let mut secrets = stands.map_or(vec![], |state| in_time(state, &book.secrets, now));
    secrets.retain(|s| !standing.secrets.contains(s));
    let showing = Showing {
        deal: book.deal,
        state: newest.cloned(),
        secrets,
    };
    (showing.state.is_some() || !showing.secrets.is_empty()).then_some(showing)
}

pub async fn guard(arguments: &Guard, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let folder = &arguments.folder.books;
    if let Some(id) = &arguments.channel {
        kept(&session, &arguments.folder, id).await?.save()?;
    }
    let all = watched(
        folder,
        &session,
        arguments.channel,
        &mut BTreeSet::new(),
        output,
    )?;
    if all.is_empty() {
        return Err(Failure::usage(format_args!(
            "{} has no channel of {}",
            folder.display(),
            session.address
        ))
        .hint("name a channel, or another folder with --books FOLDER"));
    }
    for book in &all {
        let deal = session.client.deal(&book.deal).await;
        if deal.is_ok_and(|deal| deal.state == DealState::Open) {
            say_cost(&session, book, Clock::own().now, output).await;
        }
    }
    match arguments.channel {
        Some(_) => output.say("Watching the channel; end it with Ctrl-C."),
        None => output.say("Watching all channels of the folder; end it with Ctrl-C."),
    }
    let (mut over, mut said) = (BTreeSet::<DealId>::new(), BTreeSet::new());
    loop {
        // Anew each time: payments go on beside it.
        let mut books = watched(folder, &session, arguments.channel, &mut said, output)?;
        books.retain(|b| !over.contains(&b.deal));
        for book in &books {
            match look(&session, folder, book, output).await {
                Ok(false) => {}
                Ok(true) if arguments.channel.is_some() => {
                    output.say("The channel is over.");
                    return Ok(());
                }
                Ok(true) => {
                    output.say(format_args!("Channel {} is over.", book.deal));
                    over.insert(book.deal);
                }
                // A node that is away for a while ends no guard.
                Err(failure) => output.say(format_args!("{}: trying again.", failure.message)),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The books of a party that are watched. A file that is none is told once, and the others are watched all the same.
fn watched(
    folder: &Path,
    session: &Session,
    named: Option<DealId>,
    said: &mut BTreeSet<String>,
    output: &Output,
) -> Result<Vec<Book>, Failure> {
    let (mut books, failures) = file::all(folder)?;
    for failure in failures {
        if said.insert(failure.message.clone()) {
            output.alarm(format_args!("{}: not watched.", failure.message));
        }
    }
    books.retain(|b| b.party() == session.address && named.is_none_or(|id| id == b.deal));
    Ok(books)
}

/// Looks after a channel once; whether it is over.
async fn look(
    session: &Session,
    folder: &Path,
    book: &Book,
    output: &Output,
) -> Result<bool, Failure> {
    let deal = session.client.deal(&book.deal).await?;
    // CH7: what was shown here opens parts elsewhere.
    let shown = deal.standing.as_ref().map_or(&[][..], |s| &s.secrets);
    secrets::spread(folder, shown, output)?;
    let clock = Clock::of(session).await.unwrap_or(Clock::own());
    let (operation, words) = match step(book, &deal, clock.now) {
        Step::Nothing => return Ok(false),
        Step::Over => return Ok(true),
        Step::Answer(showing) => {
            let words = match showing.state {
                Some(_) => "was closing with an older state, which was answered",
                None => "is closing, and the ledger has the secrets of its parts by now",
            };
            (Operation::ChannelChallenge(showing), words.to_owned())
        }
        Step::Close(showing, reason) => {
            let words = match reason {
                Reason::Ends(at) => format!("ends on {}, and is closed", time::utc(at)),
                Reason::Part(hash, at) => format!(
                    "is closed to claim the part with hash {hash}, which expires on {}",
                    time::utc(at)
                ),
            };
            (Operation::ChannelClose(showing), words)
        }
    };
    let outcome = session.send(vec![operation], output).await?;
    output.alarm(format_args!("Channel {} {words}.", book.deal));
    output.data(&outcome, Outcome::text)?;
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::testing::{book, deal};
    use weft_types::testing;

    /// Of the newest state's parts the one that comes to the taker.
    const COMES: Secret = Secret([9; 32]);

    fn standing(version: u64) -> Standing {
        Standing {
            state: Some(ChannelState {
                version,
                ..testing::signed_state().state
            }),
            until: Millis(60_000),
            ..Standing::default()
        }
    }

    #[test]
    fn an_older_state_is_answered_and_the_newest_is_not() {
        let mut book = book();
        let now = Millis(1_000);
        let answer = rejoinder(&book, &standing(6), now).unwrap();
        assert_eq!(answer.state, book.newest);
        assert_eq!(rejoinder(&book, &standing(7), now), None);
        // A secret is shown as long as it opens something, once.
        book.secrets = vec![COMES, Secret([1; 32])];
        let answer = rejoinder(&book, &standing(7), now).unwrap();
        assert_eq!((answer.state, answer.secrets), (None, vec![COMES]));
        assert_eq!(rejoinder(&book, &standing(7), Millis(80_000)), None);
        let mut known = standing(7);
        known.secrets = vec![COMES];
        assert_eq!(rejoinder(&book, &known, now), None);
    }

    #[test]
    fn a_guard_closes_before_the_end_of_the_channel_or_of_what_it_can_claim() {
        // Parts expire at 80,000, the channel at 90,000; the window is 5,000, and so is what is left beside it.
        let unknown = book();
        let mut known = book();
        known.learn(&[COMES]);
        let mut other = book();
        other.learn(&[Secret([8; 32])]);
        let mut unsigned = book();
        unsigned.newest = None;
        let end = Some(Reason::Ends(Millis(90_000)));
        let part = Some(Reason::Part(COMES.hash(), Millis(80_000)));
        for (name, book, now, closes) in [
            ("nothing is due", &unknown, 79_999, None),
            ("the channel ends", &unknown, 80_000, end),
            (
                "the last moment",
                &unknown,
                89_999,
                Some(Reason::Ends(Millis(90_000))),
            ),
            ("the ledger pays it out", &unknown, 90_000, None),
            ("there is time for the other's word", &known, 74_999, None),
            ("the part expires", &known, 75_000, part),
            (
                "the part is lost, and the channel ends",
                &known,
                80_000,
                Some(Reason::Ends(Millis(90_000))),
            ),
            ("the part is the other's", &other, 79_999, None),
            ("as it was opened", &unsigned, 89_000, None),
        ] {
            let found = step(book, &deal(), Millis(now));
            match closes {
                None => assert_eq!(found, Step::Nothing, "{name}"),
                Some(reason) => {
                    let showing = showing(book, book.newest.clone(), Millis(now));
                    assert_eq!(found, Step::Close(showing, reason), "{name}");
                }
            }
        }
        let Step::Close(shown, _) = step(&known, &deal(), Millis(75_000)) else {
            panic!("the guard waits");
        };
        assert_eq!(
            (shown.state, shown.secrets),
            (known.newest.clone(), vec![COMES])
        );
    }

    #[test]
    fn a_guard_answers_while_a_channel_closes_and_ends_with_it() {
        let book = book();
        let closing = |version| Deal {
            standing: Some(Box::new(standing(version))),
            ..deal()
        };
        for (deal, now, answers) in [
            (closing(6), 1_000, true),
            (closing(7), 1_000, false),
            // Beyond the end of the channel the window goes on.
            (closing(6), 95_000, true),
        ] {
            let found = step(&book, &deal, Millis(now));
            assert_eq!(matches!(found, Step::Answer(_)), answers, "{found:?}");
        }
        for state in [DealState::Taken, DealState::Expired] {
            let over = Deal {
                state,
                ..closing(6)
            };
            assert_eq!(step(&book, &over, Millis(1_000)), Step::Over);
        }
    }
}
