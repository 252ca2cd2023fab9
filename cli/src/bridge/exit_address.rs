//! `weft bridge exit-address`: names who has an account's assets on the base chain if the network ends (X3).

use super::keep::held;
use crate::failure::Failure;
use crate::output::Output;
use crate::sending::Sender;
use weft_types::{BaseAddress, ItemId, LIST_MAX, Operation};

#[derive(clap::Args)]
pub struct ExitAddress {
    /// On the base chain. Its key is what `weft bridge exit` takes
    address: BaseAddress,
    #[command(flatten)]
    sender: Sender,
}

/// Cards that the account holds already keep the address that they have unless they are listed: so all are.
pub async fn name(arguments: ExitAddress, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let holdings = held(&session.client, &session.address).await?;
    let address = arguments.address;
    let other = holdings.iter().filter(|h| h.exit_address != Some(address));
    let cards: Vec<ItemId> = other.filter_map(|h| h.item).collect();
    let (now, later) = cards.split_at(cards.len().min(LIST_MAX));
    let operation = Operation::ExitAddress {
        address,
        items: now.to_vec(),
    };
    let outcome = session.send(vec![operation], output).await?;
    if !later.is_empty() {
        output.say(format_args!(
            "{} more cards have another address still: give this command again.",
            later.len()
        ));
    }
    output.data(&outcome, crate::sending::Outcome::text)
}
