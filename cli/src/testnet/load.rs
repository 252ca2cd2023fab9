//! `weft testnet load`.

use super::{Place, shown};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use std::time::Duration;
use weft_testnet::cluster::{LOAD_ACCOUNT, account_key};
use weft_testnet::load::{Agreement, LoadError, LoadOptions, Mix, Rate, Target, run as run_load};
use weft_types::CollectionId;

#[derive(clap::Args)]
pub struct Arguments {
    /// Transactions a second, at even intervals whatever becomes of them
    #[arg(long, default_value_t = 1_000, conflicts_with = "max")]
    rate: u32,
    /// As many as go through
    #[arg(long)]
    max: bool,
    /// How long: 30s, 2m
    #[arg(long, default_value = "30s", value_parser = crate::time::parse)]
    duration: Duration,
    /// Kinds of transactions: transfer; session, which are transfers by keys that have sessions; market; steve, a
    /// market with packs and books, after which nothing may be made or lost; stadium, which
    /// asks for three times the tickets that there are; redeem, which shows tickets at gates, one in twenty of them twice;
    /// mechanisms, which is all that the others have not: channels, hash locks, vouchers, posted data, packs handed on and more
    #[arg(long, default_value = "transfer")]
    mix: Mix,
    /// Trade this collection's editions (mixes market and steve) and not some of the load's own; the testnet's account `load`
    /// has to be its creator, as of `weft collection import --key .../accounts/load.key`
    #[arg(long, value_name = "ID")]
    collection: Option<CollectionId>,
    #[command(flatten)]
    place: Place,
}

pub async fn run(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    let cluster = arguments.place.open()?;
    let options = LoadOptions {
        rate: if arguments.max {
            Rate::Max
        } else {
            Rate::PerSecond(arguments.rate)
        },
        duration: arguments.duration,
        mix: arguments.mix,
        collection: arguments.collection,
    };
    let processes = || cluster.node_processes();
    let target = Target {
        nodes: cluster.apis(),
        key: account_key(cluster.folder(), LOAD_ACCOUNT)?,
        base: cluster.base().await.ok(),
        processes: &processes,
    };
    let report = {
        let progress = output.progress();
        let say = |words: &str| progress.step(words);
        run_load(options, &target, &say).await
    };
    let report = report.map_err(failure)?;
    output.data(&report, shown::report)?;
    if output.is_json() {
        for (reason, count) in &report.reasons {
            output.say(format_args!("failed: {count} {reason}"));
        }
    }
    match &report.agreement {
        Agreement::Equal { height, state_root } => {
            if output.is_json() {
                output.say(format_args!(
                    "all nodes have state root {state_root} at height {height}"
                ));
            }
            Ok(())
        }
        Agreement::Different(words) => Err(Failure::new(
            Kind::Invalid,
            format_args!("the nodes' states differ: {words}"),
        )),
        Agreement::Unknown(words) => Err(Failure::new(
            Kind::Invalid,
            format_args!("the nodes did not come to one height: {words}"),
        )),
    }
}

fn failure(error: LoadError) -> Failure {
    let kind = match error {
        LoadError::Duration(_)
        | LoadError::Transactions(_)
        | LoadError::Rate
        | LoadError::NoCollection(_) => Kind::Usage,
        LoadError::Prepare(..) | LoadError::Collection(_) => Kind::Refused,
        LoadError::Client(_) => Kind::Unreachable,
        LoadError::Tickets(_) | LoadError::Conserved(_) => Kind::Invalid,
        LoadError::Thread(_) => Kind::Failed,
    };
    Failure::new(kind, error)
}
