//! What an operator has the registry do. Everything is checked, shown and asked for before it is sent.

use super::coins;
use super::keys::{self, PasswordFile};
use super::standing::{self, Next};
use crate::base::Base;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::prompt;
use crate::values::lines;
use serde::Serialize;
use std::path::PathBuf;
use weft_basechain::{
    AccountKey, At, BaseChain, MemberState, MemberStatus, Mined, Registration, RegistryCall,
};
use weft_node::NodeConfig;
use weft_types::BaseAddress;

/// Who acts, and whether for good.
#[derive(clap::Args)]
struct Place {
    /// Show what would be sent, and send nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Send without a question
    #[arg(long)]
    yes: bool,
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
    #[command(flatten)]
    password: PasswordFile,
    /// Where others reach the node: libp2p multiaddresses, separated by commas
    #[arg(long, value_name = "ADDRESSES")]
    addresses: String,
    /// How much, in bond units
    #[arg(long, value_name = "UNITS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    units: u64,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
pub struct TopUp {
    /// How much more, in bond units
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u64).range(1..))]
    units: u64,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
pub struct Plain {
    #[command(flatten)]
    place: Place,
}

/// What is, or would be, sent to the registry.
#[derive(Serialize)]
struct Order {
    what: &'static str,
    /// Absent for one that is still to be registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    masternode: Option<u64>,
    operator: BaseAddress,
    registry: BaseAddress,
    chain_id: u64,
    /// In wei, as a text, as is all coin here: it may not fit a JSON number.
    value_wei: String,
    balance_wei: String,
    /// The most that it costs beside. Absent when nothing is to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_max_wei: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vertex_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finality_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<String>,
    /// Absent when nothing was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Sent>,
}

#[derive(Serialize)]
struct Sent {
    base_block: u64,
    base_transaction: String,
    gas_used: u64,
}

impl From<&Mined> for Sent {
    fn from(mined: &Mined) -> Self {
        Self {
            base_block: mined.block,
            base_transaction: format!("0x{}", hex::encode(mined.hash)),
            gas_used: mined.gas_used,
        }
    }
}

/// An account on the base chain.
struct Operator<'a> {
    chain: BaseChain,
    key: AccountKey,
    place: &'a Place,
}

impl<'a> Operator<'a> {
    async fn of(place: &'a Place) -> Result<Self, Failure> {
        let client = place.network.client()?;
        let (chain, key) = place.base.connect(&place.network, &client).await?;
        Ok(Self { chain, key, place })
    }

    async fn order(&self, what: &'static str, wei: u128) -> Result<Order, Failure> {
        let operator = self.key.address();
        let balance = self.chain.endpoint().balance(operator).await?;
        Ok(Order {
            what,
            masternode: None,
            operator: BaseAddress(operator),
            registry: BaseAddress(self.chain.contracts().registry),
            chain_id: self.chain.endpoint().chain_id(),
            value_wei: wei.to_string(),
            balance_wei: balance.to_string(),
            fee_max_wei: None,
            vertex_key: None,
            finality_key: None,
            addresses: None,
            sent: None,
        })
    }

    /// Whether the operator can pay, and whether the registry would take it.
    async fn check(&self, order: &mut Order, call: RegistryCall<'_>) -> Result<(), Failure> {
        let wei = |text: &str| text.parse::<u128>().unwrap_or_default();
        let (value, balance) = (wei(&order.value_wei), wei(&order.balance_wei));
        let poor = |needs: u128| {
            let words = format!(
                "the operator {} has {} of the coin, and needs {}",
                order.operator,
                coins(balance),
                coins(needs)
            );
            Failure::usage(words).hint("nothing was sent")
        };
        if balance < value {
            return Err(poor(value));
        }
        let quote = self.chain.quote(&self.key, call).await;
        let fee = quote
            .map_err(|e| Failure::from(e).hint("nothing was sent"))?
            .fee_max;
        if balance < value.saturating_add(fee) {
            return Err(poor(value.saturating_add(fee)));
        }
        order.fee_max_wei = Some(fee.to_string());
        Ok(())
    }

    /// Shows what is about to be sent and asks. `false` for a dry run.
    fn confirmed(&self, order: &Order, means: &[&str], output: &Output) -> Result<bool, Failure> {
        if self.place.dry_run {
            return Ok(false);
        }
        let coin = |text: &str| coins(text.parse().unwrap_or_default());
        output.say(format_args!(
            "About to send {} of the coin, and {} at most in fees,\n  from the operator {}, who has {},\n  to the registry {} on chain {} ({}).",
            coin(&order.value_wei),
            order.fee_max_wei.as_deref().map(coin).unwrap_or_default(),
            order.operator,
            coin(&order.balance_wei),
            order.registry,
            order.chain_id,
            self.chain.endpoint().url(),
        ));
        for line in means {
            output.say(line);
        }
        prompt::confirm("Send it?", self.place.yes)?;
        Ok(true)
    }

    /// The operator's own place in the registry.
    async fn member(&self) -> Result<MemberState, Failure> {
        let id = self.chain.id_of(self.key.address()).await?;
        let id = id.ok_or_else(|| {
            let operator = BaseAddress(self.key.address());
            Failure::usage(format!("{operator} has bonded nothing"))
                .hint("`weft masternode bond` does")
        })?;
        Ok(self.chain.member(id, At::Latest).await?)
    }

    async fn wei(&self, units: u64) -> Result<u128, Failure> {
        let unit = self.chain.bond_unit().await?;
        let wei = unit.checked_mul(u128::from(units));
        wei.ok_or_else(|| Failure::usage(format!("{units} units are more than there is")))
    }

    async fn unbonding(&self) -> Result<String, Failure> {
        Ok(standing::duration(self.chain.unbonding_s().await?))
    }
}

pub async fn bond(arguments: &Bond, output: &Output) -> Result<(), Failure> {
    let config = NodeConfig::load(&arguments.node, &[]).map_err(Failure::usage)?;
    let keys = keys::of_node(&config, &arguments.password)?;
    let operator = Operator::of(&arguments.place).await?;
    let wei = operator.wei(arguments.units).await?;
    let mut order = operator.order("bond", wei).await?;
    order.vertex_key = Some(keys.vertex.public().to_string());
    order.finality_key = Some(hex::encode(keys.finality.public().to_bytes()));
    order.addresses = Some(arguments.addresses.clone());
    if let Some(id) = operator.chain.id_of(operator.key.address()).await? {
        let member = operator.chain.member(id, At::Latest).await?;
        if member.vertex_key != keys.vertex.public() {
            let words = format!("this operator is masternode {id} already, with other keys");
            return Err(
                Failure::usage(words).hint("nothing was sent; another operator bonds these keys")
            );
        }
        order.masternode = Some(id);
        output.say(format_args!(
            "This operator has bonded these keys already, as masternode {id}: nothing was sent. `weft masternode top-up` bonds more."
        ));
        return show(&order, output);
    }
    let registration = Registration {
        vertex_key: keys.vertex.public(),
        finality_secret: keys.finality.clone(),
        bond: wei,
        addresses: arguments.addresses.clone(),
    };
    operator
        .check(&mut order, RegistryCall::Register(&registration))
        .await?;
    let keys = format!(
        "This bonds {} for a masternode with vertex key {}, reached at {}.",
        coins(wei),
        registration.vertex_key,
        arguments.addresses
    );
    let back = format!(
        "The bond comes back {} after it has left the committee. All of it is lost if its keys sign two things for one place: \
         they must never be on two machines that run.",
        operator.unbonding().await?
    );
    if operator.confirmed(&order, &[&keys, &back], output)? {
        let registered = operator
            .chain
            .register(&operator.key, &registration)
            .await?;
        order.masternode = Some(registered.id);
        order.sent = Some((&registered.mined).into());
        output.say(format_args!(
            "Bonded as masternode {}. Run the node (`weft node run --dir {}`): it follows, and signs from its first epoch on.",
            registered.id,
            arguments.node.display()
        ));
    }
    show(&order, output)
}

pub async fn top_up(arguments: &TopUp, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.place).await?;
    let member = operator.member().await?;
    let wei = operator.wei(arguments.units).await?;
    let mut order = operator.order("top-up", wei).await?;
    order.masternode = Some(member.id);
    operator.check(&mut order, RegistryCall::TopUp(wei)).await?;
    let means = format!(
        "This adds {} to the bond of masternode {}, which is {} now. It counts from one of the next epochs on, and comes \
         back with the bond.",
        coins(wei),
        member.id,
        coins(member.bond)
    );
    if operator.confirmed(&order, &[&means], output)? {
        order.sent = Some((&operator.chain.top_up(&operator.key, wei).await?).into());
    }
    show(&order, output)
}

pub async fn exit(arguments: &Plain, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.place).await?;
    let member = operator.member().await?;
    let mut order = operator.order("exit", 0).await?;
    order.masternode = Some(member.id);
    operator
        .check(&mut order, RegistryCall::RequestExit)
        .await?;
    let means = format!(
        "This takes masternode {} out of the committee with one of the next epochs. There is no way back: id and keys serve \
         once. Its bond of {} is free {} after that.",
        member.id,
        coins(member.bond),
        operator.unbonding().await?
    );
    if operator.confirmed(&order, &[&means], output)? {
        order.sent = Some((&operator.chain.request_exit(&operator.key).await?).into());
        output.say(format_args!(
            "Keep the node running until it is out of the committee: `weft masternode status {}`.",
            member.id
        ));
    }
    show(&order, output)
}

pub async fn withdraw(arguments: &Plain, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.place).await?;
    let member = operator.member().await?;
    if member.status != MemberStatus::Free {
        let words = format!(
            "the bond of masternode {} is not free: it is {}",
            member.id, member.status
        );
        return Err(Failure::new(Kind::Refused, words).hint(Next::of(&member, None).words));
    }
    let mut order = operator.order("withdraw", 0).await?;
    order.masternode = Some(member.id);
    operator
        .check(&mut order, RegistryCall::WithdrawBond)
        .await?;
    let means = format!(
        "This pays the bond of masternode {}, {}, to its operator.",
        member.id,
        coins(member.bond)
    );
    if operator.confirmed(&order, &[&means], output)? {
        order.sent = Some((&operator.chain.withdraw_bond(&operator.key).await?).into());
    }
    show(&order, output)
}

fn show(order: &Order, output: &Output) -> Result<(), Failure> {
    output.data(order, |o| {
        let coin = |text: &str| coins(text.parse().unwrap_or_default());
        let mut rows = vec![("what", o.what.to_owned())];
        let id = o.masternode.map(|id| id.to_string());
        rows.extend(id.map(|id| ("masternode", id)));
        rows.extend([
            ("operator", o.operator.to_string()),
            ("registry", o.registry.to_string()),
            ("sends", coin(&o.value_wei)),
            ("operator has", coin(&o.balance_wei)),
        ]);
        let optional = [
            ("fee at most", &o.fee_max_wei.as_deref().map(coin)),
            ("vertex key", &o.vertex_key),
            ("finality key", &o.finality_key),
            ("addresses", &o.addresses),
        ];
        rows.extend(
            optional
                .into_iter()
                .filter_map(|(name, text)| Some((name, text.clone()?))),
        );
        match &o.sent {
            Some(sent) => {
                rows.push(("base block", sent.base_block.to_string()));
                rows.push(("base transaction", sent.base_transaction.clone()));
            }
            None => rows.push(("sent", "nothing".to_owned())),
        }
        lines(&rows)
    })
}
