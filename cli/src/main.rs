//! `weft`, the one program: this file reads the arguments and calls the module that does the work.
//!
//! Data go to stdout and words to stderr, so that both can be used at once. `--json` prints one JSON
//! object or array instead of a table. How a command ended is its exit code; see [`failure`].

mod account;
mod base;
mod book;
mod bridge;
mod card;
mod channel;
mod collection;
mod committees;
mod content;
mod data;
mod failure;
mod import;
mod lock;
mod logging;
mod market;
mod masternode;
mod network;
mod node;
mod output;
mod pack;
mod precheck;
mod prompt;
mod search;
mod sending;
mod shell;
mod signals;
mod sim;
mod swap;
mod testnet;
mod ticket;
mod time;
mod values;
mod verify;
mod voucher;
mod wallet;
mod watch;

use clap::{Parser, Subcommand};
use failure::Failure;
use output::Output;
use std::process::ExitCode;

/// Vertices and commits are many small pieces that come and go: an eighth of a node's time less than
/// with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(
    name = "weft",
    version,
    about = "A Layer-2 cluster for collectible cards and tickets",
    after_help = failure::EXIT_CODES,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// Print data as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A network of masternodes on this machine
    #[command(subcommand)]
    Testnet(testnet::Command),
    /// Simulate a network: one seed, one history
    Sim(sim::Sim),
    /// One masternode
    #[command(subcommand)]
    Node(node::Command),
    /// Follow a network, and raise an alarm when a quorum certifies what execution does not give
    Watch(watch::Arguments),
    /// A masternode's keys and bond, from joining to leaving
    #[command(subcommand)]
    Masternode(masternode::Command),
    /// Keys, balances, payments
    #[command(subcommand)]
    Account(account::Command),
    /// Collections, their editions, and catalogues
    #[command(subcommand)]
    Collection(collection::Command),
    /// Cards: minting, showing, giving, trading
    #[command(subcommand)]
    Card(card::Command),
    /// Tickets: selling, showing and redeeming them, also at gates without a network
    #[command(subcommand)]
    Ticket(ticket::Command),
    /// Packs of cards: sold sealed, drawn together, verified by anybody
    #[command(subcommand)]
    Pack(pack::Command),
    /// Orders that trade at one price
    #[command(subcommand)]
    Book(book::Command),
    /// Channels: payments between two, off the ledger
    #[command(subcommand)]
    Channel(channel::Command),
    /// Vouchers of a fixed worth, of which the issuer cannot tell who spends which
    #[command(subcommand)]
    Voucher(voucher::Command),
    /// Data off the ledger, with a quorum's word for them on it
    #[command(subcommand)]
    Data(data::Command),
    /// Assets between the ledger and the base chain
    #[command(subcommand)]
    Bridge(bridge::Command),
    /// Download who was in office in each epoch, to check proofs of later epochs offline
    Committees(committees::Download),
    /// Swaps with the base chain: coin or tokens there that a secret opens, as it does `weft card lock` here
    #[command(subcommand)]
    Swap(swap::Command),
    /// Check a proof offline
    Verify(verify::Verify),
    /// Print a script that completes commands in a shell
    Completions(shell::Completions),
    /// Write manual pages
    Man(shell::Man),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match run(cli.command, &output) {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            failure.exit_code()
        }
    }
}

fn run(command: Command, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        Command::Sim(arguments) => return sim::run(&arguments, output),
        command => run_plainly(command, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn run_plainly(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Verify(arguments) => return verify::run(&arguments, output),
        Command::Completions(arguments) => return shell::completions(&arguments, output),
        Command::Man(arguments) => return shell::man(&arguments, output),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match command {
            Command::Testnet(command) => testnet::run(command, output).await,
            Command::Node(command) => node::run(command, output).await,
            Command::Watch(arguments) => watch::run(arguments, output).await,
            Command::Masternode(command) => masternode::run(command, output).await,
            Command::Account(command) => account::run(command, output).await,
            Command::Channel(command) => channel::run(command, output).await,
            Command::Collection(command) => collection::run(command, output).await,
            Command::Card(command) => card::run(command, output).await,
            Command::Ticket(command) => ticket::run(command, output).await,
            Command::Pack(command) => pack::run(command, output).await,
            Command::Book(command) => book::run(command, output).await,
            Command::Voucher(command) => voucher::run(command, output).await,
            Command::Data(command) => data::run(command, output).await,
            Command::Committees(arguments) => committees::download(&arguments, output).await,
            Command::Bridge(command) => bridge::run(command, output).await,
            Command::Swap(command) => swap::run(command, output).await,
            Command::Sim(_) | Command::Verify(_) | Command::Completions(_) | Command::Man(_) => {
                Ok(())
            }
        }
    })
}
