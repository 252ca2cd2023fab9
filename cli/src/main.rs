//! `weft`, the one program: this file reads the arguments and calls the module that does the work.
//!
//! Data go to stdout and words to stderr, so that both can be used at once. `--json` prints one JSON
//! object or array instead of a table. How a command ended is its exit code; see [`failure`].

#[allow(dead_code, reason = "its users follow")]
mod failure;
#[allow(dead_code, reason = "its users follow")]
mod output;
mod shell;

use clap::{Parser, Subcommand};
use failure::Failure;
use output::Output;
use std::process::ExitCode;

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
    /// Print a script that completes commands in a shell
    Completions(shell::Completions),
    /// Write manual pages
    Man(shell::Man),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match run(cli.command, &output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.exit_code()
        }
    }
}

fn run(command: Command, output: &Output) -> Result<(), Failure> {
    let _ = output;
    match command {
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man(arguments) => shell::man(&arguments),
    }
}
