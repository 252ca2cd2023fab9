//! `weft masternode`: a bond on the base chain, from the first coin to the last.

use crate::base::Base;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::time;
use crate::values::lines;
use serde::Serialize;
use std::path::PathBuf;
use weft_basechain::{At, BaseChain, MemberState, MemberStatus, Registration};
use weft_node::{NodeConfig, NodeKeys};
use weft_types::api::Roster;
use weft_types::{BaseAddress, Millis};

/// Wei of a coin.
const COIN: u128 = 1_000_000_000_000_000_000;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Bond a node's keys: it joins the committee with one of the next epochs
    Bond(Bond),
    /// Bond more
    TopUp(TopUp),
    /// Show where a masternode stands, and what comes next
    Status(StatusArguments),
    /// Leave the committee: there is no way back with the same keys
    Exit(Confirmed),
    /// Have a bond paid out that is free
    Withdraw(Confirmed),
}

#[derive(clap::Args)]
struct Place {
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Bond {
    /// Folder of the node, made by `weft node init`
    #[arg(long, value_name = "FOLDER")]
    node: PathBuf,
    /// Where others reach the node: libp2p multiaddresses, separated by commas
    #[arg(long, value_name = "ADDRESSES")]
    addresses: String,
    /// How much, in bond units
    #[arg(long, value_name = "UNITS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    units: u64,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
pub struct TopUp {
    /// How much more, in bond units
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u64).range(1..))]
    units: u64,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
pub struct Confirmed {
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
pub struct StatusArguments {
    /// Its id in the registry; without it that of the key's account
    id: Option<u64>,
    #[command(flatten)]
    place: Place,
}

/// What is, or would be, sent to the registry.
#[derive(Serialize)]
struct Order {
    what: &'static str,
    operator: BaseAddress,
    registry: BaseAddress,
    /// In wei, as a text: it may not fit a JSON number.
    value_wei: String,
    balance_wei: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    vertex_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finality_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<String>,
    /// Absent for a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Sent>,
}

#[derive(Serialize)]
struct Sent {
    base_block: u64,
    base_transaction: String,
    gas_used: u64,
}

/// Where a masternode stands.
#[derive(Serialize)]
struct Standing {
    id: u64,
    operator: BaseAddress,
    status: String,
    bond_wei: String,
    /// In bond units: what it has or will have in the committee, and what it has now.
    weight: u64,
    weight_in_office: u64,
    /// When the bond is free, in Unix seconds, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_at: Option<u64>,
    /// As the ledger has it.
    epoch: Roster,
    next: String,
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Bond(arguments) => bond(&arguments, output).await,
        Command::TopUp(arguments) => top_up(&arguments, output).await,
        Command::Status(arguments) => status(&arguments, output).await,
        Command::Exit(arguments) => exit(&arguments, output).await,
        Command::Withdraw(arguments) => withdraw(&arguments, output).await,
    }
}

/// Who acts, and on which chain.
struct Operator {
    chain: BaseChain,
    key: weft_basechain::AccountKey,
}

impl Operator {
    async fn of(place: &Place) -> Result<Self, Failure> {
        let client = place.network.client()?;
        let (chain, key) = place.base.connect(&place.network, &client).await?;
        Ok(Self { chain, key })
    }

    async fn order(&self, what: &'static str, value: u128) -> Result<Order, Failure> {
        let operator = self.key.address();
        let balance = self.chain.endpoint().balance(operator).await?;
        if balance < value {
            let words = format!(
                "the operator {} has {} of the coin, and {} are to be bonded",
                BaseAddress(operator),
                coins(balance),
                coins(value)
            );
            return Err(Failure::usage(words).hint("nothing was sent"));
        }
        Ok(Order {
            what,
            operator: BaseAddress(operator),
            registry: BaseAddress(self.chain.contracts().registry),
            value_wei: value.to_string(),
            balance_wei: balance.to_string(),
            vertex_key: None,
            finality_key: None,
            addresses: None,
            sent: None,
        })
    }

    /// The operator's own place in the registry.
    async fn id(&self) -> Result<u64, Failure> {
        let id = self.chain.id_of(self.key.address()).await?;
        id.ok_or_else(|| {
            let operator = BaseAddress(self.key.address());
            Failure::usage(format!("{operator} has bonded nothing"))
                .hint("`weft masternode bond` does")
        })
    }

    async fn wei(&self, units: u64) -> Result<u128, Failure> {
        let unit = self.chain.bond_unit().await?;
        let wei = unit.checked_mul(u128::from(units));
        wei.ok_or_else(|| Failure::usage(format!("{units} units are more than there is")))
    }
}

fn sent(mined: &weft_basechain::Mined) -> Option<Sent> {
    Some(Sent {
        base_block: mined.block,
        base_transaction: format!("0x{}", hex::encode(mined.hash)),
        gas_used: mined.gas_used,
    })
}

async fn bond(arguments: &Bond, output: &Output) -> Result<(), Failure> {
    let config = NodeConfig::load(&arguments.node, &[]).map_err(Failure::usage)?;
    let keys = NodeKeys::load(&config.keys).map_err(Failure::usage)?;
    let keys = keys.ok_or_else(|| {
        Failure::usage(format!("there are no keys in {}", config.keys.display()))
            .hint("`weft node init` makes some")
    })?;
    let operator = Operator::of(&arguments.place).await?;
    if let Some(id) = operator.chain.id_of(operator.key.address()).await? {
        let words = format!("this operator is masternode {id} already");
        return Err(Failure::usage(words).hint(
            "nothing was sent; `weft masternode top-up` bonds more, another operator bonds anew",
        ));
    }
    let wei = operator.wei(arguments.units).await?;
    let mut order = operator.order("bond", wei).await?;
    order.vertex_key = Some(keys.vertex.public().to_string());
    order.finality_key = Some(hex::encode(keys.finality.public().to_bytes()));
    order.addresses = Some(arguments.addresses.clone());
    if !arguments.dry_run {
        let registration = Registration {
            vertex_key: keys.vertex.public(),
            finality_secret: keys.finality.clone(),
            bond: wei,
            addresses: arguments.addresses.clone(),
        };
        let registered = operator.chain.register(&operator.key, &registration);
        let registered = registered.await?;
        order.sent = sent(&registered.mined);
        output.say(format_args!(
            "Bonded as masternode {}. Run the node (`weft node run --dir {}`): it follows, and signs from its first epoch on.",
            registered.id,
            arguments.node.display()
        ));
    }
    show(&order, output)
}

async fn top_up(arguments: &TopUp, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.place).await?;
    operator.id().await?;
    let wei = operator.wei(arguments.units).await?;
    let mut order = operator.order("top-up", wei).await?;
    if !arguments.dry_run {
        order.sent = sent(&operator.chain.top_up(&operator.key, wei).await?);
    }
    show(&order, output)
}

async fn exit(arguments: &Confirmed, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.place).await?;
    operator.id().await?;
    let mut order = operator.order("exit", 0).await?;
    if !arguments.dry_run {
        order.sent = sent(&operator.chain.request_exit(&operator.key).await?);
        output.say(
            "Keep the node running until it is out of the committee: `weft masternode status`.",
        );
    }
    show(&order, output)
}

async fn withdraw(arguments: &Confirmed, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.place).await?;
    let id = operator.id().await?;
    let state = operator.chain.member(id, At::Latest).await?;
    if state.status != MemberStatus::Free {
        let words = format!(
            "the bond of masternode {id} is not free: it is {}",
            state.status
        );
        return Err(Failure::new(Kind::Refused, words).hint(next(&state, None)));
    }
    let mut order = operator.order("withdraw", 0).await?;
    if !arguments.dry_run {
        order.sent = sent(&operator.chain.withdraw_bond(&operator.key).await?);
    }
    show(&order, output)
}

async fn status(arguments: &StatusArguments, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.place).await?;
    let id = match arguments.id {
        Some(id) => id,
        None => operator.id().await?,
    };
    let state = operator.chain.member(id, At::Latest).await?;
    let client = arguments.place.network.client()?;
    let roster = client.epoch().await?;
    let duration = client.genesis().await?.template.params.epoch_duration_ms;
    let edge = roster.since.saturating_add(duration.0);
    let standing = Standing {
        id,
        operator: BaseAddress(state.operator),
        status: state.status.to_string(),
        bond_wei: state.bond.to_string(),
        weight: state.weight.0,
        weight_in_office: state.effective.0,
        free_at: state.free_at,
        next: next(&state, Some(edge)),
        epoch: roster,
    };
    output.data(&standing, |s| {
        lines(&[
            ("masternode", s.id.to_string()),
            ("operator", s.operator.to_string()),
            ("status", s.status.clone()),
            ("bond", coins(s.bond_wei.parse().unwrap_or_default())),
            ("weight", s.weight.to_string()),
            ("weight in office", s.weight_in_office.to_string()),
            ("epoch", s.epoch.epoch.to_string()),
            ("next", s.next.clone()),
        ])
    })
}

/// What comes next, and when.
fn next(state: &MemberState, edge: Option<Millis>) -> String {
    let edge = edge.map_or("the next epoch's beginning".to_owned(), |edge| {
        format!("the next epoch, not before {}", time::utc(edge))
    });
    let free = state
        .free_at
        .map(|at| time::utc(Millis(at.saturating_mul(1_000))));
    match state.status {
        MemberStatus::Registered => "the other genesis operators register".to_owned(),
        MemberStatus::Queued => format!("it joins with {edge}, if its turn has come"),
        MemberStatus::Active if state.weight != state.effective => {
            format!("its weight moves with {edge}")
        }
        MemberStatus::Active => "it stays until it leaves".to_owned(),
        MemberStatus::Leaving => format!("it leaves with {edge}; keep the node running"),
        MemberStatus::Unbonding => match free {
            Some(free) => format!("the bond is free at {free}"),
            None => "the bond becomes free".to_owned(),
        },
        MemberStatus::Free => "`weft masternode withdraw` pays the bond out".to_owned(),
        MemberStatus::Withdrawn => "nothing: the bond is paid out".to_owned(),
        MemberStatus::Slashed => "nothing: the bond is gone".to_owned(),
    }
}

fn show(order: &Order, output: &Output) -> Result<(), Failure> {
    output.data(order, |o| {
        let mut rows = vec![
            ("what", o.what.to_owned()),
            ("operator", o.operator.to_string()),
            ("registry", o.registry.to_string()),
            ("sends", coins(o.value_wei.parse().unwrap_or_default())),
            (
                "operator has",
                coins(o.balance_wei.parse().unwrap_or_default()),
            ),
        ];
        let optional = [
            ("vertex key", &o.vertex_key),
            ("finality key", &o.finality_key),
            ("addresses", &o.addresses),
        ];
        let there = optional.into_iter();
        rows.extend(there.filter_map(|(what, text)| Some((what, text.clone()?))));
        match &o.sent {
            Some(sent) => {
                rows.push(("base block", sent.base_block.to_string()));
                rows.push(("base transaction", sent.base_transaction.clone()));
            }
            None => rows.push(("sent", "nothing: this is a dry run".to_owned())),
        }
        lines(&rows)
    })
}

/// Wei as coins, without zeros at the end.
fn coins(wei: u128) -> String {
    let (whole, part) = (wei / COIN, wei % COIN);
    let text = format!("{whole}.{part:018}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_are_shown_to_the_last_wei() {
        for (wei, shown) in [
            (0, "0"),
            (1, "0.000000000000000001"),
            (COIN, "1"),
            (COIN * 3 / 2, "1.5"),
            (120 * COIN, "120"),
        ] {
            assert_eq!(coins(wei), shown);
        }
    }
}
