//! `weft channel`: state channels (L41 to L43). Payments in one are messages between its two parties, which go by any way:
//! each is a line of JSON on stdout of the one, and a file, or stdin, of the other's `weft channel accept`.

mod arguments;
mod file;
mod status;

pub use self::arguments::Command;
use self::arguments::{Accept, Close, Folder, Guard, Open, Pay, Settle};
use self::file::Kept;
use self::status::status;
use crate::failure::Failure;
use crate::output::Output;
use crate::sending::{Outcome, Session};
use crate::values::from_now;
use serde::{Deserialize, Serialize};
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;
use weft_types::api::DealState;
use weft_types::{
    Amount, AssetAmount, AssetId, Book, Bundle, ChannelPart, ChannelState, ChannelTerms, DealId,
    DealRule, Millis, NewDeal, Offer, Operation, Secret, Showing, SignedState, Standing,
};

/// Longest message, in bytes.
const MESSAGE_BYTES_MAX: u64 = 1 << 20;
/// How often a guard looks.
const GUARD_EVERY: Duration = Duration::from_secs(2);

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
        Command::Challenge(arguments) => {
            let session = arguments.sender.session().await?;
            let mut kept = kept(&session, &arguments.folder, &arguments.channel).await?;
            learn(&mut kept, &arguments.secret)?;
            match answer(&session, &kept.book, output).await? {
                Some(outcome) => output.data(&outcome, Outcome::text),
                None => Err(Failure::usage(
                    "the channel is not closing, or the ledger has your newest state and secrets already",
                )),
            }
        }
        Command::Status(arguments) => status(&arguments, output).await,
        Command::Guard(arguments) => guard(&arguments, output).await,
    }
}

fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error).hint("nothing was signed or sent")
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
    let terms = NewDeal {
        gives: Bundle {
            assets: native(arguments.amount),
            items,
        },
        taker: Some(arguments.with),
        expires: from_now(arguments.expires),
        rule: DealRule::CoSigned(ChannelTerms {
            challenge: millis(arguments.window),
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
        // Every command makes the file from the ledger where there is none yet.
        kept(&session, &arguments.folder, deal).await?.save()?;
        output.say(format_args!(
            "The other party has the channel with `weft channel status {deal}`; `weft channel pay {deal} --amount N` pays."
        ));
    }
    output.data(&outcome, Outcome::text)
}

/// A party's book, from its file or from the ledger.
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
        let network = session.client.genesis().await?.network.id();
        let book = Book::new(network, (*id, deal.giver, terms), of_taker);
        book.map_err(refused)
    };
    Kept::open(&folder.books, id, of_ledger).await
}

/// Takes up secrets.
fn learn(kept: &mut Kept, secrets: &[Secret]) -> Result<(), Failure> {
    let new: Vec<Secret> = secrets
        .iter()
        .filter(|s| !kept.book.secrets.contains(s))
        .copied()
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    kept.book.secrets.extend(new);
    kept.save()
}

/// Signs a state, writes that down, and prints it for the other party.
fn offer(
    kept: &mut Kept,
    session: &Session,
    state: ChannelState,
    output: &Output,
) -> Result<(), Failure> {
    let offer = kept.book.offer(state, &session.key).map_err(refused)?;
    kept.save()?;
    output.say("The other party takes this message with `weft channel accept`, and sends one back that you take so.");
    Message::Offer(offer).send(output)
}

async fn pay(arguments: Pay, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let mut kept = kept(&session, &arguments.folder, &arguments.channel).await?;
    let amount = Amount(arguments.amount);
    let state = match arguments.hash {
        None => kept.book.paying(AssetId::NATIVE, amount),
        Some(hash) => kept.book.locking(ChannelPart {
            to_taker: !kept.book.of_taker,
            asset: AssetId::NATIVE,
            amount,
            hash,
            expires: from_now(arguments.waits),
        }),
    };
    offer(&mut kept, &session, state.map_err(refused)?, output)
}

async fn settle(arguments: Settle, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let mut kept = kept(&session, &arguments.folder, &arguments.channel).await?;
    learn(&mut kept, arguments.secret.as_slice())?;
    let state = kept.book.state();
    let place = state.parts.iter().position(|p| p.hash == arguments.hash);
    let place = place.ok_or_else(|| refused("the newest state has no part with this hash"))?;
    let state = kept.book.settling(place).map_err(refused)?;
    offer(&mut kept, &session, state, output)
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
    let mut kept = kept(&session, &arguments.folder, &message.state().deal).await?;
    learn(&mut kept, &arguments.secret)?;
    match &message {
        Message::Offer(offer) => {
            let signed = kept.book.answer(offer, &session.key, arguments.less);
            let signed = signed.map_err(refused)?;
            kept.save()?;
            say_state(&kept.book, output)?;
            Message::Signed(signed).send(output)
        }
        Message::Signed(signed) => {
            kept.book.conclude(signed).map_err(refused)?;
            kept.save()?;
            say_state(&kept.book, output)
        }
    }
}

fn say_state(book: &Book, output: &Output) -> Result<(), Failure> {
    let state = book.state();
    let mine = book.certain(&state).map_err(refused)?;
    output.say(format_args!(
        "Version {} has both signatures; of it {} is yours.",
        state.version,
        words(&mine)
    ));
    Ok(())
}

async fn close(arguments: Close, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let mut kept = kept(&session, &arguments.folder, &arguments.channel).await?;
    learn(&mut kept, &arguments.secret)?;
    if arguments.together {
        let last = ChannelState {
            last: true,
            ..kept.book.next()
        };
        return offer(&mut kept, &session, last, output);
    }
    let close = Operation::ChannelClose(showing(&kept.book, kept.book.newest.clone()));
    let outcome = session.send(vec![close], output).await?;
    output.data(&outcome, Outcome::text)
}

/// A state with the secrets that are known of its parts and not too late.
fn showing(book: &Book, state: Option<SignedState>) -> Showing {
    let now = from_now(Duration::ZERO);
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
fn rejoinder(book: &Book, standing: &Standing, now: Millis) -> Option<Showing> {
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

/// Shows the ledger what is newer than what it has, where it is closing; `None` when there is nothing.
async fn answer(
    session: &Session,
    book: &Book,
    output: &Output,
) -> Result<Option<Outcome>, Failure> {
    let deal = session.client.deal(&book.deal).await?;
    let closing = deal.standing.filter(|_| deal.state == DealState::Open);
    let now = from_now(Duration::ZERO);
    let Some(showing) = closing.and_then(|standing| rejoinder(book, &standing, now)) else {
        return Ok(None);
    };
    let challenge = vec![Operation::ChannelChallenge(showing)];
    session.send(challenge, output).await.map(Some)
}

async fn guard(arguments: &Guard, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    output.say("Watching the channel; end it with Ctrl-C.");
    loop {
        // Anew each time: payments go on beside it.
        let book = kept(&session, &arguments.folder, &arguments.channel)
            .await?
            .book;
        match answer(&session, &book, output).await {
            Ok(Some(outcome)) => {
                output.alarm("The channel was closing with an older state, which was answered.");
                output.data(&outcome, Outcome::text)?;
            }
            Ok(None) => {}
            // A node that is away for a while ends no guard.
            Err(failure) => output.say(format_args!("{}: trying again.", failure.message)),
        }
        let deal = session.client.deal(&arguments.channel).await;
        if let Ok(deal) = deal
            && deal.state != DealState::Open
        {
            output.say("The channel is over.");
            return Ok(());
        }
        tokio::time::sleep(GUARD_EVERY).await;
    }
}

fn words(bundle: &Bundle) -> String {
    let assets = bundle.assets.iter().map(|a| match a.asset {
        AssetId::NATIVE => a.amount.to_string(),
        asset => format!("{} of asset {asset}", a.amount),
    });
    let items = bundle.items.iter().map(|item| format!("item {item}"));
    let parts: Vec<String> = assets.chain(items).collect();
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing;

    fn book() -> Book {
        let deal = (DealId([9; 32]), testing::user(1), testing::channel());
        let mut book = Book::new(testing::network().id(), deal, true).unwrap();
        book.newest = Some(testing::signed_state());
        book
    }

    #[test]
    fn an_older_state_is_answered_and_the_newest_is_not() {
        let mut book = book();
        let standing = |version| Standing {
            state: Some(ChannelState {
                version,
                ..testing::signed_state().state
            }),
            until: Millis(60_000),
            ..Standing::default()
        };
        let now = Millis(1_000);
        let answer = rejoinder(&book, &standing(6), now).unwrap();
        assert_eq!(answer.state, book.newest);
        assert_eq!(rejoinder(&book, &standing(7), now), None);
        // A secret is shown as long as it opens something, once.
        book.secrets = vec![Secret([9; 32]), Secret([1; 32])];
        let answer = rejoinder(&book, &standing(7), now).unwrap();
        assert_eq!(
            (answer.state, answer.secrets),
            (None, vec![Secret([9; 32])])
        );
        assert_eq!(rejoinder(&book, &standing(7), Millis(80_000)), None);
        let mut known = standing(7);
        known.secrets = vec![Secret([9; 32])];
        assert_eq!(rejoinder(&book, &known, now), None);
    }
}
