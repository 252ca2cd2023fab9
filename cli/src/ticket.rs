//! `weft ticket`: from the sale to the gate. What a gate without connectivity needs is in `pack`, what it does in
//! `check`, what its holder shows in `pass`.

mod check;
mod code;
mod cut_off;
mod journal;
mod pack;
mod packing;
mod pass;
mod reconnect;
mod sale;

use crate::failure::Failure;
use crate::output::Output;
use crate::sending::Sender;
use crate::values::from_now;
use code::Shown;
use std::time::Duration;
use weft_types::{ItemId, Operation, PASS_SLOT_MS};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Put an edition up for sale, or end its sale
    Sale(Box<sale::SetSale>),
    /// Buy tickets of an edition that is for sale
    Buy(Box<sale::Buy>),
    /// Show a ticket at a gate: a QR code that is good for half a minute
    Pass(pass::ShowPass),
    /// Redeem a ticket whose pass was shown, as a gate that is connected
    Redeem(Redeem),
    /// Declare tickets void, for good: for refunds and chargebacks
    Void(Void),
    /// Download what a gate needs to check tickets without a network
    Pack(packing::Download),
    /// Check shown tickets without a network, or send what was let in
    Check(check::Check),
}

#[derive(clap::Args)]
pub struct Redeem {
    /// What the holder's QR code says; `-` reads stdin
    shown: Shown,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Void {
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<ItemId>,
    /// Why, for people; it stands in the tickets
    #[arg(long, default_value = "")]
    reason: String,
    #[command(flatten)]
    sender: Sender,
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Sale(arguments) => sale::set(*arguments, output).await,
        Command::Buy(arguments) => sale::buy(*arguments, output).await,
        Command::Pass(arguments) => pass::show(&arguments, output).await,
        Command::Redeem(arguments) => {
            let code = arguments.shown.code()?;
            let redeem = Operation::Redeem {
                item: code.item,
                pass: code.pass,
            };
            arguments.sender.send(redeem, output).await
        }
        Command::Void(arguments) => {
            let (items, reason) = (arguments.items, arguments.reason);
            let void = Operation::Void { items, reason };
            arguments.sender.send(void, output).await
        }
        Command::Pack(arguments) => packing::download(&arguments, output).await,
        Command::Check(arguments) => check::run(&arguments, output).await,
    }
}

/// The slot of a pass that is signed now, by this machine's clock.
fn slot_now() -> u64 {
    from_now(Duration::ZERO).0 / PASS_SLOT_MS
}
