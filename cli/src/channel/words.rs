//! What is said of a channel's state.

use super::guard::showing;
use crate::failure::Failure;
use crate::output::Output;
use crate::sending::Session;
use crate::time;
use weft_types::{AssetId, Book, BookError, Bundle, ChannelPart, Millis, Operation};

pub fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error).hint("nothing was signed or sent")
}

/// Why the other's message is not signed, and what to do about it.
pub fn unsigned(error: &BookError, book: &Book) -> Failure {
    let own = book.unanswered().map(|s| s.version);
    let hint = match (error, own) {
        (BookError::Version { found, .. }, Some(own)) if *found <= own => format!(
            "you have offered version {own} yourself, and have no answer to it: the channel's giver offers again what was \
             to be signed, the taker takes that first, and only then offers its own"
        ),
        (BookError::Version { .. }, _) => {
            "the message is an older one: have the other party offer again".to_owned()
        }
        (BookError::Part { .. }, _) => {
            "whoever has paid on by the same hash would be paid no more for it; --less signs it all the same".to_owned()
        }
        (BookError::Unknown(_), _) => {
            "without it nothing can be claimed by the same hash from who pays you: the other's `weft channel settle \
             --secret` brings it, or --secret names it"
                .to_owned()
        }
        (BookError::Less { .. } | BookError::Item(_), _) => {
            "--less signs it, where that is what was agreed".to_owned()
        }
        _ => return refused(error),
    };
    let words = match error {
        BookError::Part {
            hash,
            amount,
            expires,
        } => format!(
            "the state gives back {amount} that comes to you by the secret of {hash} until {}",
            time::utc(*expires)
        ),
        _ => error.to_string(),
    };
    Failure::usage(words).hint(format_args!("nothing was signed; {hint}"))
}

pub fn words(bundle: &Bundle) -> String {
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

/// A part as its party sees it.
pub fn of_part(book: &Book, part: &ChannelPart, now: Millis) -> String {
    let asset = match part.asset {
        AssetId::NATIVE => String::new(),
        asset => format!(" of asset {asset}"),
    };
    let way = if book.comes(part) {
        "to you"
    } else {
        "from you"
    };
    let known = if book.knows(part) {
        ", which is known"
    } else {
        ""
    };
    let until = match now < part.expires {
        true => format!("until {}", time::utc(part.expires)),
        false => format!("too late since {}", time::utc(part.expires)),
    };
    format!(
        "{}{asset} {way} by the secret of {}{known}, {until}",
        part.amount, part.hash
    )
}

/// CH10: what showing the ledger the newest state costs, where the account that pays for it holds less.
pub async fn say_cost(session: &Session, book: &Book, now: Millis, output: &Output) {
    let Some(newest) = &book.newest else {
        return;
    };
    let close = Operation::ChannelClose(showing(book, Some(newest.clone()), now));
    // Whoever cannot be asked now says nothing of it.
    let Ok(cost) = session.cost(vec![close]).await else {
        return;
    };
    if cost.holds < cost.fee {
        output.alarm(format_args!(
            "WARNING: closing channel {} costs {}, and {} holds {}: without it nobody shows the ledger what is yours. \
             `weft account fund` it, or have another one pay with --sponsor.",
            book.deal, cost.fee, cost.payer, cost.holds
        ));
    }
}

/// What the newest state leaves its party, and how much more or less of the native asset that is than before.
pub fn say_state(
    book: &Book,
    before: &Bundle,
    now: Millis,
    output: &Output,
) -> Result<(), Failure> {
    let state = book.state();
    let mine = book.certain(&state, now).map_err(refused)?;
    let native = |bundle: &Bundle| {
        let found = bundle.assets.iter().find(|a| a.asset == AssetId::NATIVE);
        found.map_or(0, |a| a.amount.0)
    };
    let (had, has) = (native(before), native(&mine));
    let change = match has.abs_diff(had) {
        0 => "as much money as before".to_owned(),
        n if has > had => format!("{n} more than before"),
        n => format!("{n} less than before"),
    };
    output.say(format_args!(
        "Version {} has both signatures; of it {} is yours, {change}.",
        state.version,
        words(&mine)
    ));
    for part in &state.parts {
        output.say(format_args!("  {}", of_part(book, part, now)));
    }
    Ok(())
}
