//! `weft channel`: state channels (L41 to L43). Payments in one are messages between its two parties, which go by any way:
//! each is a line of JSON on stdout of the one, and a file, or stdin, of the other's `weft channel accept`. What a party
//! signs, and until when, docs/spec/channels.md says (CH1 to CH10).

mod arguments;
mod due;
mod file;
mod guard;
mod hop;
mod secrets;
mod status;
#[cfg(test)]
mod testing;
mod words;

pub use self::arguments::Command;
use self::arguments::{Accept, Challenge, Close, Folder, Open, Pay, Settle};
use self::due::{Clock, claims, may_sign};
use self::file::Kept;
use self::guard::{guard, rejoinder, showing};
pub use self::hop::{comes_by, of_lock, paid_on};
use self::secrets::spread;
use self::status::status;
use self::words::{refused, say_cost, say_state, unsigned};
use crate::failure::{Failure, Kind};
use crate::lock::{locked_by, money_of};
use crate::market::still_open;
use crate::output::Output;
use crate::sending::{Outcome, Session};
use crate::time;
use crate::values::from_now;
use serde::{Deserialize, Serialize};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use weft_types::api::DealState;
use weft_types::{
    Address, Amount, AssetAmount, AssetId, Book, Bundle, CHALLENGE_MIN, ChannelPart, ChannelState,
    ChannelTerms, DealId, DealRule, Millis, NewDeal, Offer, Operation, Secret, SignedState,
};

/// Longest message, in bytes.
const MESSAGE_BYTES_MAX: u64 = 1 << 20;
/// How long a hash-locked payment waits if nothing else is said.
const WAITS: Duration = Duration::from_secs(12 * 3_600);
/// The longest window if nothing else is said; else a share of the channel's time.
const WINDOW: Duration = Duration::from_secs(86_400);
const WINDOWS: u32 = 10;

/// What one party sends the other.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Message {
    Offer(Offer),
    Signed(SignedState),
}

impl Message {
    fn state(&self) -> &ChannelState {
        match self {
            Self::Offer(offer) => &offer.state,
            Self::Signed(signed) => &signed.state,
        }
    }

    /// On stdout in any case: it is meant for another program.
    fn send(&self, output: &Output) -> Result<(), Failure> {
        let line = serde_json::to_string(self).map_err(std::io::Error::from)?;
        output.raw(format!("{line}\n").as_bytes())
    }
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Open(arguments) => open(arguments, output).await,
        Command::Pay(arguments) => pay(arguments, output).await,
        Command::Settle(arguments) => settle(arguments, output).await,
        Command::Accept(arguments) => accept(arguments, output).await,
        Command::Close(arguments) => close(arguments, output).await,
        Command::Challenge(arguments) => challenge(arguments, output).await,
        Command::Status(arguments) => status(&arguments, output).await,
        Command::Guard(arguments) => guard(&arguments, output).await,
    }
}

fn native(amount: u64) -> Vec<AssetAmount> {
    let of = |amount| AssetAmount {
        asset: AssetId::NATIVE,
        amount: Amount(amount),
    };
    (amount > 0).then(|| of(amount)).into_iter().collect()
}

fn millis(duration: Duration) -> Millis {
    Millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

async fn open(arguments: Open, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let mut items = arguments.give;
    items.sort_unstable();
    let lasts = arguments.expires;
    let shorter = WINDOW.min(lasts / WINDOWS);
    let window = arguments.window.unwrap_or(shorter);
    let challenge = millis(window).max(CHALLENGE_MIN);
    if window >= lasts {
        return Err(Failure::usage(
            "the window is as long as the channel, in which nothing would be paid",
        )
        .hint(
            "nothing was sent; name a shorter one with --window, or a longer time with --expires",
        ));
    }
    let terms = NewDeal {
        gives: Bundle {
            assets: native(arguments.amount),
            items,
        },
        taker: Some(arguments.with),
        expires: from_now(lasts),
        rule: DealRule::CoSigned(ChannelTerms {
            challenge,
            to_taker: Bundle {
                assets: native(arguments.theirs),
                items: vec![],
            },
            giver_key: session.key.address(),
            taker_key: arguments.their_key.unwrap_or(arguments.with),
        }),
        ..NewDeal::default()
    };
    let open = Operation::DealOpen(terms);
    let outcome = session.send(vec![open], output).await?;
    if let Some(deal) = outcome.deals.first() {
        let mut folder = arguments.folder;
        folder.as_opened = true;
        kept(&session, &folder, deal).await?.save()?;
        output.say(format_args!(
            "The other party has the channel with `weft channel status {deal}`; `weft channel pay {deal} --amount N` pays."
        ));
    }
    output.data(&outcome, Outcome::text)
}

/// A party's book, from its file, or from the ledger where one may be begun (CH9): whose was lost would sign a version twice, and
/// close by less than it has.
async fn kept(session: &Session, folder: &Folder, id: &DealId) -> Result<Kept, Failure> {
    let of_ledger = async || {
        let deal = session.client.deal(id).await?;
        if deal.taker != Some(session.address) && deal.giver != session.address {
            return Err(Failure::usage(format_args!(
                "channel {id} is between {} and another, and the key signs for {}",
                deal.giver, session.address
            ))
            .hint("name a party's key with --key FILE, or its account with --account"));
        }
        let terms = NewDeal {
            gives: deal.gives,
            wants: deal.wants,
            wants_any: deal.wants_any,
            taker: deal.taker,
            expires: deal.expires,
            rule: deal.rule,
            reference: deal.reference,
            commission: deal.commission,
        };
        let of_taker = deal.giver != session.address;
        let begins = folder.as_opened || (folder.taker_begins && of_taker);
        if !begins {
            return Err(Failure::usage(format_args!(
                "{} has no file of channel {id} and {}",
                folder.books.display(),
                session.address
            ))
            .hint("nothing was signed or sent: name the folder that has it with --books FOLDER; --as-opened begins one, as if nothing had been signed in the channel"));
        }
        let network = session.client.genesis().await?.network.id();
        let book = Book::new(network, (*id, deal.giver, terms), of_taker);
        book.map_err(refused)
    };
    Kept::open(&folder.books, (id, &session.address), of_ledger).await
}

/// Takes up secrets. A book that is not on the disk yet has no part that they open.
fn learn(kept: &mut Kept, secrets: &[Secret]) -> Result<(), Failure> {
    match kept.is_new || kept.book.learn(secrets).is_empty() {
        true => Ok(()),
        false => kept.save(),
    }
}

/// CH5: a party's book of a channel by which the ledger would still pay, and the time.
async fn living(
    session: &Session,
    folder: &Folder,
    id: &DealId,
    last: bool,
) -> Result<(Kept, Clock), Failure> {
    let kept = kept(session, folder, id).await?;
    let clock = Clock::of(session).await?;
    let deal = session.client.deal(id).await?;
    may_sign(&kept.book, &deal, last, clock.now)?;
    Ok((kept, clock))
}

/// Signs a state, writes that down, and prints it for the other party.
fn offer(
    kept: &mut Kept,
    session: &Session,
    state: ChannelState,
    output: &Output,
) -> Result<(), Failure> {
    let replaced = kept.book.unanswered().map(|s| s.version);
    let offer = kept.book.offer(state, &session.key).map_err(refused)?;
    kept.save()?;
    if let Some(version) = replaced {
        output.alarm(format_args!(
            "It replaces your unanswered offer of version {version}, and is not paid on top of it: where the other party \
             has answered that one, take its answer, and pay again."
        ));
    }
    output.say("The other party takes this message with `weft channel accept`, and sends one back that you take so.");
    Message::Offer(offer).send(output)
}

async fn pay(arguments: Pay, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let folder = &arguments.folder;
    let (mut kept, clock) = living(&session, folder, &arguments.channel, false).await?;
    let locked = arguments.hash.is_some() || arguments.behind.is_some();
    let state = match (locked, arguments.amount) {
        (true, Some(amount)) => {
            let part = part(&arguments, &kept.book, Amount(amount), &session, clock).await?;
            kept.book.locking(part).map_err(refused)?
        }
        (_, amount) => {
            let paid = match amount {
                Some(amount) => kept.book.paying(AssetId::NATIVE, Amount(amount)),
                None => Ok(kept.book.next()),
            };
            let given = paid.and_then(|state| kept.book.giving(&arguments.item, state));
            given.map_err(refused)?
        }
    };
    offer(&mut kept, &session, state, output)
}

/// A party's books of a folder, of which each could be read.
pub fn books_of(folder: &Path, party: &Address) -> Result<Vec<Book>, Failure> {
    let (mut books, failures) = file::all(folder)?;
    if let Some(failure) = failures.into_iter().next() {
        return Err(failure);
    }
    books.retain(|b| b.party() == *party);
    Ok(books)
}

/// CH8: a hash-locked payment, behind what comes by the same hash.
async fn part(
    arguments: &Pay,
    book: &Book,
    amount: Amount,
    session: &Session,
    clock: Clock,
) -> Result<ChannelPart, Failure> {
    let books = books_of(&arguments.folder.books, &book.party())?;
    let before = match (arguments.behind, arguments.hash) {
        (Some(id), hash) => {
            let deal = session.client.deal(&id).await?;
            let before = match deal.rule {
                DealRule::CoSigned(_) => hop::of_channel(&books, &id, hash),
                _ => hop::of_lock(&deal, &session.address),
            };
            Some(before?)
        }
        (None, Some(hash)) => hop::comes_by(session, &books, hash).await?,
        (None, None) => None,
    };
    let hash = arguments.hash.or(before.map(|b| b.hash));
    let hash = hash.ok_or_else(|| refused("there is no hash to pay by"))?;
    if before.is_some_and(|b| b.hash != hash) {
        return Err(refused("what comes before is by another hash"));
    }
    let expires = match (arguments.waits, before) {
        (Some(waits), _) => from_now(waits),
        (None, Some(before)) => before.half(clock.now),
        (None, None) => from_now(WAITS),
    };
    if let Some(before) = before {
        let locked = money_of(&locked_by(session, hash).await?);
        before.allows(&books, (&book.deal, amount, locked), expires)?;
    }
    Ok(ChannelPart {
        to_taker: !book.of_taker,
        asset: AssetId::NATIVE,
        amount,
        hash,
        expires,
    })
}

async fn settle(arguments: Settle, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let (id, folder) = (&arguments.channel, &arguments.folder);
    if arguments.secret.is_some_and(|s| s.hash() != arguments.hash) {
        return Err(refused("the hash is another secret's"));
    }
    // Whatever comes of it, a secret is kept.
    told(&session, folder, (id, arguments.secret.as_slice()), output).await?;
    let (mut kept, clock) = living(&session, folder, id, false).await?;
    let book = &kept.book;
    let state = book.state();
    let place = state.parts.iter().position(|p| p.hash == arguments.hash);
    let place = place.ok_or_else(|| refused("the newest state has no part with this hash"))?;
    let part = &state.parts[place];
    if book.comes(part) && book.knows(part) && clock.now >= claims(book, part) {
        // CH6: who gives the secret away now may find no time left for the ledger.
        return Err(Failure::new(
            Kind::Refused,
            format_args!(
                "the part expires on {}, too soon to wait for the other party",
                time::utc(part.expires)
            ),
        )
        .hint(format_args!(
            "nothing was signed; `weft channel close {id}` claims it on the ledger"
        )));
    }
    let settled = book.settling(place, (clock.past, arguments.less));
    let settled = settled.map_err(|error| unsigned(&error, book))?;
    offer(&mut kept, &session, settled, output)
}

fn message(from: Option<&PathBuf>) -> Result<Message, Failure> {
    let mut text = String::new();
    let read = match from.filter(|path| path.as_os_str() != "-") {
        Some(path) => {
            let file = std::fs::File::open(path)?;
            file.take(MESSAGE_BYTES_MAX).read_to_string(&mut text)
        }
        None => {
            let stdin = std::io::stdin().lock();
            stdin.take(MESSAGE_BYTES_MAX).read_to_string(&mut text)
        }
    };
    read?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format_args!("no message of a channel: {error}")))
}

async fn accept(arguments: Accept, output: &Output) -> Result<(), Failure> {
    let message = message(arguments.message.as_ref())?;
    let session = arguments.sender.session().await?;
    let (id, mut folder) = (message.state().deal, arguments.folder);
    let mut learned = arguments.secret;
    if let Message::Offer(offer) = &message {
        folder.taker_begins = offer.state.version == 1;
        // CH4: what a message brings is kept also where the state is not signed.
        let book = kept(&session, &folder, &id).await?.book;
        learned.extend(book.state().opening(&offer.secrets));
    }
    let folder = &folder;
    told(&session, folder, (&id, &learned), output).await?;
    match message {
        Message::Offer(offer) => answer(&offer, &session, (folder, arguments.less), output).await,
        Message::Signed(signed) => conclude(&signed, &session, folder, output).await,
    }
}

async fn answer(
    offer: &Offer,
    session: &Session,
    (folder, less): (&Folder, bool),
    output: &Output,
) -> Result<(), Failure> {
    let id = &offer.state.deal;
    let known = kept(session, folder, id).await?.book.newest;
    if let Some(newest) = known.filter(|n| n.state == offer.state) {
        output.say(format_args!(
            "Version {} was answered already: this is the answer again.",
            newest.state.version
        ));
        return Message::Signed(newest).send(output);
    }
    let (mut kept, clock) = living(session, folder, id, offer.state.last).await?;
    let book = &mut kept.book;
    let before = book.certain(&book.state(), clock.now).map_err(refused)?;
    let signed = book.answer(offer, &session.key, (clock.past, less));
    let signed = signed.map_err(|error| unsigned(&error, &kept.book))?;
    kept.save()?;
    say_state(&kept.book, &before, clock.now, output)?;
    if !offer.state.last {
        say_cost(session, &kept.book, clock.now, output).await;
    }
    Message::Signed(signed).send(output)
}

/// Takes down what the other has answered: it is of use as long as the ledger has not paid out.
async fn conclude(
    signed: &SignedState,
    session: &Session,
    folder: &Folder,
    output: &Output,
) -> Result<(), Failure> {
    let id = &signed.state.deal;
    let mut kept = kept(session, folder, id).await?;
    let clock = Clock::of(session).await?;
    let book = &mut kept.book;
    let before = book.certain(&book.state(), clock.now).map_err(refused)?;
    let is_new = book.newest.as_ref().is_none_or(|n| n.state != signed.state);
    if is_new {
        book.conclude(signed).map_err(refused)?;
        kept.save()?;
    }
    let deal = session.client.deal(id).await?;
    match may_sign(&kept.book, &deal, signed.state.last, clock.now) {
        Ok(()) => {
            say_state(&kept.book, &before, clock.now, output)?;
            if signed.state.last {
                output.say(format_args!(
                    "`weft channel close {id}` has the ledger pay it out, at once; until then it goes on."
                ));
            } else {
                say_cost(session, &kept.book, clock.now, output).await;
            }
            Ok(())
        }
        Err(late) if deal.state == DealState::Open => {
            say_state(&kept.book, &before, clock.now, output)?;
            output.alarm(format_args!("{}.", late.message));
            output.alarm("The state counts only if the ledger is shown it in time: `weft channel guard` does that.");
            say_cost(session, &kept.book, clock.now, output).await;
            Ok(())
        }
        Err(over) => Err(over),
    }
}

async fn close(arguments: Close, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let (id, folder) = (&arguments.channel, &arguments.folder);
    if arguments.together {
        let (mut kept, _) = living(&session, folder, id, true).await?;
        learn(&mut kept, &arguments.secret)?;
        let last = kept.book.ending();
        return offer(&mut kept, &session, last, output);
    }
    let book = told(&session, folder, (id, &arguments.secret), output).await?;
    still_open(&session.client.deal(id).await?)?;
    let now = Clock::of(&session).await?.now;
    let close = Operation::ChannelClose(showing(&book, book.newest.clone(), now));
    let outcome = session.send(vec![close], output).await?;
    output.data(&outcome, Outcome::text)
}

async fn challenge(arguments: Challenge, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let secrets = (&arguments.channel, arguments.secret.as_slice());
    let book = told(&session, &arguments.folder, secrets, output).await?;
    let deal = session.client.deal(&book.deal).await?;
    let closing = deal.standing.filter(|_| deal.state == DealState::Open);
    let now = Clock::of(&session).await?.now;
    let Some(showing) = closing.and_then(|standing| rejoinder(&book, &standing, now)) else {
        return Err(Failure::usage(
            "the channel is not closing, or the ledger has your newest state and secrets already",
        ));
    };
    let challenge = vec![Operation::ChannelChallenge(showing)];
    let outcome = session.send(challenge, output).await?;
    output.data(&outcome, Outcome::text)
}

/// A party's book, which knows these secrets from now on, as do the others of the folder.
async fn told(
    session: &Session,
    folder: &Folder,
    (id, secrets): (&DealId, &[Secret]),
    output: &Output,
) -> Result<Book, Failure> {
    let mut kept = kept(session, folder, id).await?;
    learn(&mut kept, secrets)?;
    let book = kept.book.clone();
    drop(kept);
    spread(&folder.books, secrets, output)?;
    Ok(book)
}
