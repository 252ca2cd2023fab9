//! What an operator has the registry do. Everything is checked, shown and asked for before it is sent.

use super::keys::{self, PasswordFile};
use super::operator::Operator;
use super::order::{Order, show};
use super::refusing::{bonds_no_more, leaves_already, not_free, takes_no_more};
use crate::base::{Account, Asking};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::values::coins;
use std::path::PathBuf;
use weft_basechain::{At, MemberStatus, Mined, Registration, RegistryCall};
use weft_node::NodeConfig;

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
    asking: Asking,
}

#[derive(clap::Args)]
pub struct TopUp {
    /// How much more, in bond units
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u64).range(1..))]
    units: u64,
    #[command(flatten)]
    asking: Asking,
}

#[derive(clap::Args)]
pub struct Plain {
    #[command(flatten)]
    asking: Asking,
}

pub async fn bond(arguments: &Bond, output: &Output) -> Result<(), Failure> {
    let config = NodeConfig::load(&arguments.node, &[]).map_err(Failure::usage)?;
    let keys = keys::of_node(&config, &arguments.password)?;
    let operator = Operator::of(&arguments.asking).await?;
    let Account { chain, key, .. } = &operator.account;
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
    if let Some(id) = chain.id_of(key.address()).await? {
        let member = chain.member(id, At::Latest).await?;
        if member.vertex_key != keys.vertex.public() {
            let words = format!("this operator is masternode {id} already, with other keys");
            return Err(
                Failure::usage(words).hint("nothing was sent; another account bonds these keys")
            );
        }
        if let Some(failure) = bonds_no_more(&member, operator.edges().await.as_ref()) {
            return Err(failure);
        }
        order.masternode = Some(id);
        output.say(format_args!(
            "This operator has bonded these keys already, as masternode {id}: nothing was sent. `weft masternode top-up` bonds more."
        ));
        return show(&order, output);
    }
    operator.warn(output).await?;
    let vertex_key = registration.vertex_key;
    if let Some(id) = chain.id_of_vertex_key(vertex_key).await? {
        let words =
            format!("these keys are masternode {id}'s, of another account: keys serve once");
        return Err(Failure::new(Kind::Refused, words)
            .hint("nothing was sent; `weft masternode keys` makes new ones, in another folder"));
    }
    let keys = format!(
        "This bonds {} for a masternode with vertex key {}, reached at {}. Accounts and keys serve once: who comes \
         back, or is reached elsewhere later, exits, and bonds new keys from another account.",
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
    let id = operator.account.chain.registration_of(mined)?.id;
    order.masternode = Some(id);
    output.say(format_args!(
        "Bonded as masternode {id}. Run the node (`weft node run --dir {}`): it follows, and signs from its first epoch on.",
        arguments.node.display()
    ));
    show(&order, output)
}

pub async fn top_up(arguments: &TopUp, output: &Output) -> Result<(), Failure> {
    let operator = Operator::of(&arguments.asking).await?;
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
    if let Some(failure) = takes_no_more(&member, operator.edges().await.as_ref()) {
        return Err(failure);
    }
    operator.warn(output).await?;
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
    let operator = Operator::of(&arguments.asking).await?;
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
    if let Some(failure) = leaves_already(&member, operator.edges().await.as_ref()) {
        return Err(failure);
    }
    operator.warn(output).await?;
    let means = format!(
        "This takes masternode {} out of the committee with one of the next epochs. There is no way back: account and keys \
         serve once, and who comes back bonds new keys from another account. Its bond of {} is free {} after that.",
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
    let operator = Operator::of(&arguments.asking).await?;
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
        return Err(not_free(&member, operator.edges().await.as_ref()));
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
