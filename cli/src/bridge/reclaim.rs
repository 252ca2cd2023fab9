//! `weft bridge reclaim`: back out of the vault what was deposited and never credited (X6).

use super::kept::Kept;
use super::way_out::{Actor, Going, Standing, State, go_on, shown};
use crate::base::Base;
use crate::failure::{Failure, Kind};
use crate::network::{Network, read_genesis};
use crate::output::Output;
use std::collections::BTreeSet;
use std::path::PathBuf;
use weft_basechain::{ClientError, Contracts, Deposited, Latch};

#[derive(clap::Args)]
pub struct Reclaim {
    /// Numbers of the key's deposits; without them all that the kept file's checkpoint has not credited
    deposit: Vec<u64>,
    /// What `weft bridge keep` has saved
    #[arg(long, value_name = "FILE", required_unless_present = "genesis")]
    kept: Option<PathBuf>,
    /// The network's genesis.json, where nothing was kept
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "kept",
        requires = "deposit"
    )]
    genesis: Option<PathBuf>,
    /// The base chain's block from which on deposits are looked for
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    from_block: u64,
    #[command(flatten)]
    going: Going,
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    network: Network,
}

pub async fn reclaim(arguments: &Reclaim, output: &Output) -> Result<(), Failure> {
    let (place, credited) = source(arguments)?;
    let reached = (&arguments.base, &arguments.network);
    let actor = Actor::of(reached, place, &arguments.going).await?;
    let deposits = deposits(arguments, &actor, credited).await?;
    let standings = go_on(&arguments.going, output, || async {
        let latch = actor.open(output).await?;
        let refuted = actor.chain.refuted_deposits(&latch).await?;
        let mut standings = Vec::new();
        for deposit in &deposits {
            standings.push(step(&actor, &latch, &refuted, deposit).await?);
        }
        Ok(standings)
    });
    output.data(&standings.await?, |s| shown(s, "deposits"))
}

/// The contracts, and how many deposits are credited as far as the file knows.
fn source(arguments: &Reclaim) -> Result<((u64, Contracts), u64), Failure> {
    if let Some(path) = &arguments.kept {
        let kept = Kept::read(path)?;
        let credited = kept.statement.deposits_processed;
        return Ok(((kept.chain_id, kept.contracts), credited));
    }
    let genesis = arguments.genesis.as_ref().map(|path| read_genesis(path));
    let genesis = genesis.unwrap_or_else(|| Err(Failure::usage("name --kept or --genesis")))?;
    let contracts = Contracts {
        registry: genesis.registry,
        manager: genesis.network.manager,
        vault: genesis.vault,
    };
    Ok(((genesis.network.chain_id, contracts), 0))
}

async fn deposits(
    arguments: &Reclaim,
    actor: &Actor,
    credited: u64,
) -> Result<Vec<Deposited>, Failure> {
    let all = actor
        .chain
        .deposits_of(actor.address(), arguments.from_block)
        .await?;
    for index in &arguments.deposit {
        if !all.iter().any(|d| d.index == *index) {
            let words = format!("deposit {index} is none of {}'s", actor.address());
            return Err(Failure::usage(words));
        }
        if *index <= credited {
            let words = format!("deposit {index} was credited: the checkpoint has {credited}");
            return Err(Failure::new(Kind::Refused, words)
                .hint("it is in the ledger: `weft bridge exit` takes that out"));
        }
    }
    let wanted = |d: &Deposited| match arguments.deposit.is_empty() {
        true => d.index > credited,
        false => arguments.deposit.contains(&d.index),
    };
    Ok(all.into_iter().filter(wanted).collect())
}

async fn step(
    actor: &Actor,
    latch: &Latch,
    refuted: &BTreeSet<u64>,
    deposit: &Deposited,
) -> Result<Standing, Failure> {
    let standing = standing(actor, latch, refuted, deposit).await?;
    if actor.dry_run {
        return Ok(standing);
    }
    let made = match standing.state {
        State::Open => {
            actor.can_stake().await?;
            actor.chain.reclaim_deposit(&actor.key, deposit).await
        }
        State::Payable => actor.chain.finish_reclaim(&actor.key, deposit).await,
        _ => return Ok(standing),
    };
    match made {
        Ok(mined) => {
            let latch = actor.chain.latch().await?;
            let now = self::standing(actor, &latch, refuted, deposit).await?;
            Ok(now.made(&mined))
        }
        Err(ClientError::Refused { refusal, .. }) => Ok(Standing {
            next: format!("the vault refuses it now: {refusal}"),
            ..standing
        }),
        Err(error) => Err(error.into()),
    }
}

async fn standing(
    actor: &Actor,
    latch: &Latch,
    refuted: &BTreeSet<u64>,
    deposit: &Deposited,
) -> Result<Standing, Failure> {
    let (index, asset) = (deposit.index, deposit.deposit.asset);
    if latch.tripped_at.is_none() {
        return Ok(Standing::closed(index, asset, latch));
    }
    if let Some(claim) = actor.chain.reclaim(index).await? {
        return Ok(Standing::claimed(index, asset, &claim, latch));
    }
    Ok(if refuted.contains(&index) {
        let why = "a checkpoint has credited it: it is in the ledger";
        Standing::new(index, asset, State::Lost, why)
    } else {
        Standing::new(
            index,
            asset,
            State::Open,
            "claim it back, with a stake of 0.01 coin",
        )
    })
}
