//! `weft bridge reclaim`: back out of the vault what was deposited and never credited (X6).

use super::choosing::choose;
use super::kept::Kept;
use super::way_out::{Actor, Going, Patience, Standing, State, What, go_on, instant, shown};
use crate::base::Base;
use crate::failure::{Failure, Kind};
use crate::network::read_genesis;
use crate::output::Output;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use weft_basechain::{ClientError, Contracts, Deposited, Latch, NewestCounting, Refusal};
use weft_types::Height;

#[derive(clap::Args)]
pub struct Reclaim {
    /// Numbers of the key's deposits; without them all that the newest checkpoint that counts has not credited
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
    /// Claim also where the base chain does not show what its newest checkpoint has credited: the stake may be lost
    #[arg(long)]
    unchecked: bool,
    #[command(flatten)]
    going: Going,
    #[command(flatten)]
    base: Base,
}

pub async fn reclaim(arguments: &Reclaim, output: &Output) -> Result<(), Failure> {
    let (place, kept) = source(arguments)?;
    let actor = Actor::of(&arguments.base, place, &arguments.going).await?;
    let mut patience = Patience::of(&arguments.going);
    let looked = patience.asks(output, || async {
        let from = arguments.from_block;
        let own = actor.chain.deposits_of(actor.address(), from).await?;
        let latch = actor.chain.latch().await?;
        let credited = credited(arguments, &actor, kept.as_ref(), &latch).await?;
        Ok((own, latch, credited))
    });
    let (own, latch, credited) = looked.await?;
    output.say(&credited.why);
    let deposits = wanted(arguments, &actor, own, &credited)?;
    // What the last checkpoint that counts has credited changes no more once the latch is tripped.
    let known = Cell::new(latch.tripped_at.map(|_| credited.count));
    let standings = go_on(patience, output, || async {
        let latch = actor.open(output).await?;
        let count = match (known.get(), latch.tripped_at) {
            (Some(count), _) => count,
            (None, None) => 0,
            (None, Some(_)) => {
                let credited = self::credited(arguments, &actor, kept.as_ref(), &latch).await?;
                known.set(Some(credited.count));
                credited.count
            }
        };
        let refuted = actor.chain.refuted_deposits(&latch).await?;
        let look = Look {
            actor: &actor,
            latch,
            refuted,
            credited: count,
        };
        let mut standings = Vec::new();
        for deposit in &deposits {
            standings.push(look.step(deposit).await?.of(What::Deposit));
        }
        Ok(standings)
    });
    output.data(&standings.await?, |s| shown(s, "deposits"))
}

/// The contracts, and the file.
fn source(arguments: &Reclaim) -> Result<((u64, Contracts), Option<Kept>), Failure> {
    if let Some(path) = &arguments.kept {
        let kept = Kept::read(path)?;
        return Ok(((kept.chain_id, kept.contracts), Some(kept)));
    }
    let genesis = arguments.genesis.as_ref().map(|path| read_genesis(path));
    let genesis = genesis.unwrap_or_else(|| Err(Failure::usage("name --kept or --genesis")))?;
    let contracts = Contracts {
        registry: genesis.registry,
        manager: genesis.network.manager,
        vault: genesis.vault,
    };
    Ok(((genesis.network.chain_id, contracts), None))
}

/// Deposits that were credited by the newest checkpoint that counts: who claims one of them back loses the stake (X6).
struct Credited {
    count: u64,
    /// How that is known.
    why: String,
}

/// By what the base chain shows of its checkpoints, and only where it does not, by the file.
async fn credited(
    arguments: &Reclaim,
    actor: &Actor,
    kept: Option<&Kept>,
    latch: &Latch,
) -> Result<Credited, Failure> {
    let by = |count: u64, height: Height, whose: &str| Credited {
        count,
        why: format!(
            "Checkpoint {height}, the newest {whose} that counts, has credited the first {count} deposits of the vault."
        ),
    };
    let hidden = match actor.chain.newest_counting(latch).await? {
        NewestCounting::Statement(newest) => {
            return Ok(by(
                newest.deposits_processed,
                newest.height,
                "on the base chain",
            ));
        }
        NewestCounting::Nothing => {
            let why = "No checkpoint on the base chain counts: nothing was credited.".to_owned();
            return Ok(Credited { count: 0, why });
        }
        NewestCounting::Hidden(height) => height,
    };
    let choice = match kept {
        Some(kept) => Some(choose(&actor.chain, kept, latch).await?),
        None => None,
    };
    let choice = choice.filter(|c| c.lost().is_none());
    let known = choice.map(|c| {
        let statement = &c.generation.statement;
        (statement.deposits_processed, statement.height)
    });
    match known {
        Some((count, height)) if height >= hidden || arguments.unchecked => {
            Ok(by(count, height, "in the file"))
        }
        None if arguments.unchecked => Ok(Credited {
            count: 0,
            why: "Nothing says what was credited.".to_owned(),
        }),
        _ => {
            let words = format!(
                "the base chain does not show what checkpoint {hidden} has credited: who claims back a deposit that \
                 it has loses the stake"
            );
            Err(Failure::usage(words).hint(
                "name a file of that checkpoint with --kept, or another --base-rpc; --unchecked claims all the same",
            ))
        }
    }
}

fn wanted(
    arguments: &Reclaim,
    actor: &Actor,
    own: Vec<Deposited>,
    credited: &Credited,
) -> Result<Vec<Deposited>, Failure> {
    for index in &arguments.deposit {
        if !own.iter().any(|d| d.index == *index) {
            let words = format!("deposit {index} is none of {}'s", actor.address());
            return Err(Failure::usage(words));
        }
        if *index <= credited.count {
            let words = format!("deposit {index} was credited: {}", credited.why);
            return Err(Failure::new(Kind::Refused, words)
                .hint("it is in the ledger: `weft bridge exit` takes that out"));
        }
    }
    let wanted = |d: &Deposited| match arguments.deposit.is_empty() {
        true => d.index > credited.count,
        false => arguments.deposit.contains(&d.index),
    };
    Ok(own.into_iter().filter(wanted).collect())
}

/// One look at the base chain.
struct Look<'a> {
    actor: &'a Actor,
    latch: Latch,
    refuted: BTreeSet<u64>,
    credited: u64,
}

/// Why the vault does not take a step now that it should.
fn refused_now(refusal: &Refusal) -> String {
    let until = refusal.argument("until").and_then(|at| at.parse().ok());
    match (refusal.name.as_str(), until) {
        // This machine's clock is ahead of the newest block's.
        ("TooEarly", Some(until)) => format!(
            "it can be refuted until {}, and is paid with the first block after that: the base chain's newest one is older",
            instant(until)
        ),
        _ => format!("the vault refuses it now: {refusal}"),
    }
}

impl Look<'_> {
    async fn step(&self, deposit: &Deposited) -> Result<Standing, Failure> {
        let Actor { chain, key, .. } = self.actor;
        let standing = self.standing(&self.latch, deposit).await?;
        if self.actor.dry_run {
            return Ok(standing);
        }
        let made = match standing.state {
            State::Open => {
                self.actor.can_stake().await?;
                chain.reclaim_deposit(key, deposit).await
            }
            State::Payable => chain.finish_reclaim(key, deposit).await,
            _ => return Ok(standing),
        };
        match made {
            Ok(mined) => {
                let latch = chain.latch().await?;
                Ok(self.standing(&latch, deposit).await?.made(chain, &mined))
            }
            Err(ClientError::Refused { refusal, .. }) => Ok(Standing {
                next: refused_now(&refusal),
                ..standing
            }),
            Err(error) => Err(error.into()),
        }
    }

    async fn standing(&self, latch: &Latch, deposit: &Deposited) -> Result<Standing, Failure> {
        let (index, asset) = (deposit.index, deposit.event.asset);
        if latch.tripped_at.is_none() {
            return Ok(Standing::closed(index, asset, latch));
        }
        if let Some(claim) = self.actor.chain.reclaim(index).await? {
            return Ok(Standing::claimed(index, asset, &claim, latch));
        }
        let is_credited = self.refuted.contains(&index) || index <= self.credited;
        let (state, next) = match is_credited {
            true => (
                State::Lost,
                "a checkpoint has credited it: it is in the ledger",
            ),
            false => (State::Open, "claim it back, with a stake of 0.01 coin"),
        };
        Ok(Standing::new(index, asset, state, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_is_too_early_for_the_newest_block_is_told_with_its_time() {
        let refused = |name: &str, until: &str| {
            refused_now(&Refusal {
                name: name.to_owned(),
                arguments: vec![("until".to_owned(), until.to_owned())],
            })
        };
        let early = refused("TooEarly", "90");
        assert!(early.contains("1970-01-01 00:01:30Z"), "{early}");
        assert!(!early.contains("TooEarly"), "{early}");
        for (name, until) in [("TooEarly", "soon"), ("ClaimExists", "90")] {
            assert!(refused(name, until).contains(name));
        }
    }
}
