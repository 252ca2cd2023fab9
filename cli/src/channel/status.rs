//! A channel by its file and by the ledger.

use super::arguments::Status;
use super::{file, refused, words};
use crate::failure::Failure;
use crate::output::Output;
use crate::time;
use crate::values::lines;
use serde::Serialize;
use weft_types::api::DealState;
use weft_types::{Address, Book, Bundle, ChannelState, DealId, DealRule, Millis, Standing};

#[derive(Serialize)]
struct Shown {
    deal: DealId,
    /// On the ledger.
    state: DealState,
    giver: Address,
    taker: Option<Address>,
    expires: Millis,
    /// Once it is closing, or closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Box<Standing>>,
    /// Of the newest state in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<ChannelState>,
    /// What that leaves the file's party for certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    mine: Option<Bundle>,
}

pub async fn status(arguments: &Status, output: &Output) -> Result<(), Failure> {
    let deal = arguments.network.client()?.deal(&arguments.channel).await?;
    if !matches!(deal.rule, DealRule::CoSigned(_)) {
        return Err(refused(format_args!("deal {} is no channel", deal.id)));
    }
    let book = file::look(&arguments.folder.books, &arguments.channel)?;
    let newest = book.as_ref().map(Book::state);
    let mine = book
        .as_ref()
        .zip(newest.as_ref())
        .map(|(b, s)| b.certain(s));
    let shown = Shown {
        deal: deal.id,
        state: deal.state,
        giver: deal.giver,
        taker: deal.taker,
        expires: deal.expires,
        standing: deal.standing,
        newest,
        mine: mine.transpose().map_err(refused)?,
    };
    output.data(&shown, text)
}

fn text(shown: &Shown) -> String {
    let standing = shown.standing.as_ref();
    let ledger = match (shown.state, standing) {
        (DealState::Open, None) => "open".to_owned(),
        (DealState::Open, Some(standing)) => format!(
            "closing with version {} until {}",
            standing.state.as_ref().map_or(0, |s| s.version),
            time::utc(standing.ends())
        ),
        _ => "paid out".to_owned(),
    };
    let newest = shown.newest.as_ref();
    lines(&[
        ("channel", shown.deal.to_string()),
        ("state", ledger),
        ("giver", shown.giver.to_string()),
        (
            "taker",
            shown.taker.map_or(String::new(), |t| t.to_string()),
        ),
        ("expires", time::utc(shown.expires)),
        (
            "version",
            newest.map_or(String::new(), |s| s.version.to_string()),
        ),
        (
            "hash-locked parts",
            newest.map_or(String::new(), |s| s.parts.len().to_string()),
        ),
        (
            "yours for certain",
            shown.mine.as_ref().map_or(String::new(), words),
        ),
    ])
}
