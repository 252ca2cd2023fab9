//! Auctions: whoever bids the most has the cards when the deal expires.

use super::{Brought, bundle, still_open};
use crate::failure::Failure;
use crate::output::Output;
use crate::sending::Sender;
use crate::time;
use crate::values::from_now;
use std::time::Duration;
use weft_types::api::{Deal, DealState};
use weft_types::{
    Address, Amount, DealId, DealRule, ItemId, Millis, NewDeal, Operation, RAISE_WHOLE,
};

#[derive(clap::Args)]
pub struct Auction {
    /// What is sold, together
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<ItemId>,
    /// The least that it is sold for, in the native asset's smallest unit
    #[arg(long, value_name = "AMOUNT", value_parser = clap::value_parser!(u64).range(1..))]
    reserve: u64,
    /// When it ends, as in 90s, 10m, 12h or 7d
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = super::some_time)]
    expires: Duration,
    /// By how many parts of 10,000 each bid is above the last one, at least
    #[arg(long, value_name = "PARTS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(0..=i64::from(RAISE_WHOLE)))]
    raise: u32,
    /// After a bid it goes on for so long at least
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = time::parse)]
    extend: Duration,
    /// How far beyond --expires bids can move the end
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = time::parse)]
    overtime: Duration,
    #[command(flatten)]
    brought: Brought,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Bid {
    deal: DealId,
    /// In the smallest unit of what the auction wants; it is yours again when somebody bids more
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    amount: u64,
    #[command(flatten)]
    sender: Sender,
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub async fn auction(arguments: Auction, output: &Output) -> Result<(), Failure> {
    let expires = from_now(arguments.expires);
    let rule = weft_types::Auction {
        raise: arguments.raise,
        extend: Millis(millis(arguments.extend)),
        last: expires.saturating_add(millis(arguments.overtime)),
    };
    let open = Operation::DealOpen(NewDeal {
        gives: bundle(None, arguments.items),
        wants: bundle(Some(arguments.reserve), vec![]),
        expires,
        reference: arguments.brought.reference,
        commission: arguments.brought.commission,
        rule: DealRule::Auction(rule),
        ..NewDeal::default()
    });
    arguments.sender.send(open, output).await
}

/// Looks at the auction first, so that what cannot be bid is said with the reason and costs no fee.
pub async fn bid(arguments: &Bid, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let (id, amount) = (arguments.deal, Amount(arguments.amount));
    let deal = session.client.deal(&id).await?;
    biddable(&deal, &session.address, amount)?;
    let outcome = session
        .send(vec![Operation::Bid { deal: id, amount }], output)
        .await?;
    output.data(&outcome, crate::sending::Outcome::text)
}

/// Whether `by` may bid so much, as far as the node knows.
pub(super) fn biddable(deal: &Deal, by: &Address, amount: Amount) -> Result<(), Failure> {
    still_open(deal)?;
    let id = deal.id;
    let Some(least) = deal.least_bid else {
        return Err(
            Failure::usage(format_args!("deal {id} is no auction: nobody bids for it"))
                .hint(format_args!("`weft card deal {id}` shows what it wants")),
        );
    };
    if deal.giver == *by {
        return Err(Failure::usage(format_args!(
            "deal {id} is one of the key's own account {by}, and nobody bids for what he sells"
        ))
        .hint("name the bidder's key with --key FILE"));
    }
    if amount < least {
        return Err(Failure::usage(format_args!(
            "{amount} is too little: {least} is the least by now"
        ))
        .hint(format_args!("`weft card deal {id}` shows the highest bid")));
    }
    Ok(())
}

pub(super) fn rule(rule: &weft_types::Auction) -> String {
    let percent = f64::from(rule.raise) * 100.0 / f64::from(RAISE_WHOLE);
    let extend = rule.extend.0 as f64 / 1_000.0;
    format!(
        "auction: {percent} % more each time, open for {extend} s after a bid, until {} at the latest",
        time::utc(rule.last)
    )
}

/// Highest and next bid, empty where there is none.
pub(super) fn bids(deal: &Deal) -> [String; 2] {
    if !matches!(deal.rule, DealRule::Auction(_)) {
        return [String::new(), String::new()];
    }
    let highest = deal.highest_bid.map_or("none".to_owned(), |bid| {
        let back = if deal.state == DealState::Expired {
            ", paid back"
        } else {
            ""
        };
        format!("{} by {}{back}", bid.amount, bid.by)
    });
    let next = deal.least_bid.map(|least| format!("{least} or more"));
    [highest, next.unwrap_or_default()]
}

/// What an open auction is to be had for.
pub(super) fn wanted(deal: &Deal) -> Option<String> {
    let least = deal.least_bid?;
    Some(format!("a bid of {least} or more"))
}
