//! `weft bridge exit-address`: names who has an account's assets on the base chain if the network ends (X3).

use super::keep::held;
use crate::failure::Failure;
use crate::output::Output;
use crate::sending::{Outcome, Sender, Session};
use crate::values::{nobodys, recipient};
use weft_types::{BaseAddress, ItemId, LIST_MAX, Operation};

#[derive(clap::Args)]
pub struct ExitAddress {
    /// On the base chain. Its key is what `weft bridge exit` takes
    #[arg(value_parser = recipient)]
    address: BaseAddress,
    #[command(flatten)]
    sender: Sender,
}

pub async fn name(arguments: ExitAddress, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let outcome = send(&session, arguments.address, output).await?;
    output.data(&outcome, Outcome::text)
}

pub async fn send(
    session: &Session,
    address: BaseAddress,
    output: &Output,
) -> Result<Outcome, Failure> {
    nobodys(&session.client.genesis().await?, address)?;
    let (operation, later) = naming(session, address).await?;
    let outcome = session.send(vec![operation], output).await?;
    if later > 0 {
        output.say(format_args!(
            "{later} more cards have another address still: give `weft bridge exit-address {address}` again."
        ));
    }
    Ok(outcome)
}

/// Cards that the account holds already keep the address that they have unless they are listed: so all are, but for as
/// many as do not fit.
pub async fn naming(
    session: &Session,
    address: BaseAddress,
) -> Result<(Operation, usize), Failure> {
    let holdings = held(&session.client, &session.address).await?;
    let other = holdings.iter().filter(|h| h.exit_address != Some(address));
    let cards: Vec<ItemId> = other.filter_map(|h| h.item).collect();
    let (now, later) = cards.split_at(cards.len().min(LIST_MAX));
    let items = now.to_vec();
    Ok((Operation::ExitAddress { address, items }, later.len()))
}
