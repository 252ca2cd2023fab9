//! What an operator has the registry do. Everything is checked, shown and asked for before it is sent.

use super::coins;
use super::keys::{self, PasswordFile};
use super::order::{Cost, Order, show};
use super::standing::{self, Next};
use crate::base::{Base, Payer, Terms};
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::prompt;
use std::path::PathBuf;
use weft_basechain::{
    AccountKey, At, BaseChain, MemberState, MemberStatus, Mined, Order as BaseOrder, Quote,
    Registration, RegistryCall,
};
use weft_node::NodeConfig;
use weft_types::{BaseAddress, NetworkId};

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
    terms: Terms,
    #[command(flatten)]
    base: Base,
    #[command(flatten)]
    network: Network,
}

/// The registry takes any words for an address, and keeps them for good.
fn reachable(text: &str) -> Result<String, String> {
    weft_node::check_addresses(text)
        .map(|()| text.to_owned())
        .map_err(|error| error.to_string())
}

#[derive(clap::Args)]
pub struct Bond {
    /// Folder of the node, made by `weft node init`
    #[arg(long, value_name = "FOLDER")]
    node: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    /// Where others reach the node: libp2p multiaddresses, separated by commas, and one http URL at most. They cannot be
    /// changed afterwards
    #[arg(long, value_name = "ADDRESSES", value_parser = reachable)]
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

/// An account on the base chain.
struct Operator<'a> {
    chain: BaseChain,
    key: AccountKey,
    network: NetworkId,
    place: &'a Place,
}

impl<'a> Operator<'a> {
    async fn of(place: &'a Place) -> Result<Self, Failure> {
        let client = place.network.client()?;
        let (chain, key) = place.base.connect(&place.network, &client).await?;
        let network = client.genesis().await?.network.id();
        Ok(Self {
            chain,
            key,
            network,
            place,
        })
    }

    fn payer(&'a self, output: &'a Output) -> Result<Payer<'a>, Failure> {
        let account = (self.chain.endpoint(), &self.key);
        Payer::of(account, self.network, &self.place.terms, output)
    }

    fn call(&self, call: RegistryCall<'_>) -> BaseOrder {
        self.chain.order(&self.key, call)
    }

    /// What came of the same order, if an earlier command signed it and did not hear of it. A dry run does not ask.
    async fn earlier(
        &self,
        payer: &mut Payer<'_>,
        call: &BaseOrder,
    ) -> Result<Option<Mined>, Failure> {
        if self.place.dry_run {
            payer.mention();
            return Ok(None);
        }
        payer.earlier(call).await
    }

    /// Sends what was confirmed.
    async fn carry_out(
        &self,
        payer: &mut Payer<'_>,
        call: &BaseOrder,
        (order, means): (&mut Order, &[&str]),
        output: &Output,
    ) -> Result<Option<Mined>, Failure> {
        let quote = self.check(payer, order, call).await?;
        if !self.confirmed(order, means, output)? {
            return Ok(None);
        }
        let mined = payer.send(call, &quote).await?;
        order.sent = Some((&mined).into());
        Ok(Some(mined))
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
            cost: None,
            vertex_key: None,
            finality_key: None,
            addresses: None,
            sent: None,
        })
    }

    /// Whether the operator can pay, and whether the registry would take it.
    async fn check(
        &self,
        payer: &Payer<'_>,
        order: &mut Order,
        call: &BaseOrder,
    ) -> Result<Quote, Failure> {
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
        let quote = payer.quote(call).await?;
        let needs = value.saturating_add(quote.fee_max());
        if balance < needs {
            return Err(poor(needs));
        }
        order.cost = Some((&quote).into());
        Ok(quote)
    }

    /// Shows what is about to be sent and asks. `false` for a dry run.
    fn confirmed(&self, order: &Order, means: &[&str], output: &Output) -> Result<bool, Failure> {
        if self.place.dry_run {
            return Ok(false);
        }
        let coin = |text: &str| coins(text.parse().unwrap_or_default());
        output.say(format_args!(
            "About to send {} of the coin, and in fees {},\n  from the operator {}, who has {},\n  to the registry {} on chain {} ({}).",
            coin(&order.value_wei),
            order.cost.as_ref().map(Cost::words).unwrap_or_default(),
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
    let registration = Registration {
        vertex_key: keys.vertex.public(),
        finality_secret: keys.finality.clone(),
        bond: wei,
        addresses: arguments.addresses.clone(),
    };
    let call = operator.call(RegistryCall::Register(&registration));
    let mut payer = operator.payer(output)?;
    let earlier = operator.earlier(&mut payer, &call).await?;
    let mut order = operator.order("bond", wei).await?;
    order.vertex_key = Some(keys.vertex.public().to_string());
    order.finality_key = Some(hex::encode(keys.finality.public().to_bytes()));
    order.addresses = Some(arguments.addresses.clone());
    if let Some(mined) = earlier {
        return bonded(
            &operator,
            order.made_earlier(&mined),
            (mined, arguments),
            output,
        );
    }
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
    let keys = format!(
        "This bonds {} for a masternode with vertex key {}, reached at {}: who moves later exits, and bonds new keys there.",
        coins(wei),
        registration.vertex_key,
        arguments.addresses
    );
    let back = format!(
        "The bond comes back {} after it has left the committee. All of it is lost if its keys sign two things for one place: \
         they must never be on two machines that run.",
        operator.unbonding().await?
    );
    let means = (&mut order, &[keys.as_str(), &back][..]);
    match operator.carry_out(&mut payer, &call, means, output).await? {
        Some(mined) => bonded(&operator, order, (mined, arguments), output),
        None => show(&order, output),
    }
}

fn bonded(
    operator: &Operator<'_>,
    mut order: Order,
    (mined, arguments): (Mined, &Bond),
    output: &Output,
) -> Result<(), Failure> {
    let id = operator.chain.registration_of(mined)?.id;
    order.masternode = Some(id);
    output.say(format_args!(
        "Bonded as masternode {id}. Run the node (`weft node run --dir {}`): it follows, and signs from its first epoch on.",
        arguments.node.display()
    ));
    show(&order, output)
}

pub async fn top_up(arguments: &TopUp, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.place).await?;
    let wei = operator.wei(arguments.units).await?;
    let call = operator.call(RegistryCall::TopUp(wei));
    let mut payer = operator.payer(output)?;
    let earlier = operator.earlier(&mut payer, &call).await?;
    let member = operator.member().await?;
    let mut order = operator.order("top-up", wei).await?;
    order.masternode = Some(member.id);
    if let Some(mined) = earlier {
        return show(&order.made_earlier(&mined), output);
    }
    let means = format!(
        "This adds {} to the bond of masternode {}, which is {} now. It counts from one of the next epochs on, and comes \
         back with the bond. Until it counts no other is taken.",
        coins(wei),
        member.id,
        coins(member.bond)
    );
    let shown = (&mut order, &[means.as_str()][..]);
    operator.carry_out(&mut payer, &call, shown, output).await?;
    show(&order, output)
}

pub async fn exit(arguments: &Plain, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.place).await?;
    let call = operator.call(RegistryCall::RequestExit);
    let mut payer = operator.payer(output)?;
    let earlier = operator.earlier(&mut payer, &call).await?;
    let member = operator.member().await?;
    let mut order = operator.order("exit", 0).await?;
    order.masternode = Some(member.id);
    let until = format!(
        "Keep the node running until it is out of the committee: `weft masternode status {}`.",
        member.id
    );
    if let Some(mined) = earlier {
        output.say(until);
        return show(&order.made_earlier(&mined), output);
    }
    let means = format!(
        "This takes masternode {} out of the committee with one of the next epochs. There is no way back: id and keys serve \
         once. Its bond of {} is free {} after that.",
        member.id,
        coins(member.bond),
        operator.unbonding().await?
    );
    let shown = (&mut order, &[means.as_str()][..]);
    if operator
        .carry_out(&mut payer, &call, shown, output)
        .await?
        .is_some()
    {
        output.say(until);
    }
    show(&order, output)
}

pub async fn withdraw(arguments: &Plain, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.place).await?;
    let call = operator.call(RegistryCall::WithdrawBond);
    let mut payer = operator.payer(output)?;
    let earlier = operator.earlier(&mut payer, &call).await?;
    let member = operator.member().await?;
    let mut order = operator.order("withdraw", 0).await?;
    order.masternode = Some(member.id);
    if let Some(mined) = earlier {
        return show(&order.made_earlier(&mined), output);
    }
    if member.status != MemberStatus::Free {
        return Err(not_free(&member));
    }
    let means = format!(
        "This pays the bond of masternode {}, {}, to its operator.",
        member.id,
        coins(member.bond)
    );
    let shown = (&mut order, &[means.as_str()][..]);
    operator.carry_out(&mut payer, &call, shown, output).await?;
    show(&order, output)
}

fn not_free(member: &MemberState) -> Failure {
    let id = member.id;
    let gone = |what: &str| {
        let words = format!("the bond of masternode {id} {what}");
        Failure::new(Kind::Refused, words).hint(format_args!(
            "`weft masternode status {id} --history` shows when"
        ))
    };
    match member.status {
        MemberStatus::Withdrawn => gone("is paid out already"),
        MemberStatus::Slashed => gone("was taken"),
        status => {
            let words = format!("the bond of masternode {id} is not free: it is {status}");
            Failure::new(Kind::Refused, words).hint(Next::of(member, None).words)
        }
    }
}
