//! `weft masternode fees`: what a masternode has earned in the ledger, and how its operator gets it (L23, L24). The account is
//! that of the vertex key, which signs here and leaves the machine no more than it does for a vertex.

use super::keys::{self, PasswordFile};
use crate::account::key_address;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::sending::{Outcome, Session};
use crate::values::lines;
use serde::Serialize;
use std::path::{Path, PathBuf};
use weft_node::{NodeConfig, public_vertex_key};
use weft_types::api::{Account, Roster};
use weft_types::{Address, Amount, AssetId, Epoch, KeyChange, Operation, Payment, UserKey};

#[derive(clap::Args)]
pub struct Fees {
    /// Folder of the node whose earnings they are. Its own API is asked, unless another node is named
    #[arg(long, value_name = "FOLDER")]
    node: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    /// Pay out what the account holds of the native asset to this account
    #[arg(long, value_name = "ADDRESS", conflicts_with = "owner")]
    to: Option<Address>,
    /// Give the account to another key, by its file or address: from then on that key has the say, and the node's has none.
    /// Fees go on coming in there
    #[arg(long, value_name = "FILE|ADDRESS", value_parser = key_address)]
    owner: Option<Address>,
    #[command(flatten)]
    network: Network,
}

#[derive(Serialize)]
struct Earned {
    account: Address,
    /// Who has the say for it: the address of the node's own key, or of another.
    owner: Address,
    balance: Amount,
    /// The epoch in office, whose fees are shared when it ends.
    epoch: Epoch,
    /// Of the fees of the epoch before.
    last_share: Amount,
}

impl Earned {
    fn of(account: &Account, roster: &Roster) -> Self {
        let address = account.address;
        let balance = account.balances.iter().find(|b| b.asset == AssetId::NATIVE);
        Self {
            account: address,
            owner: account.keys.as_ref().map_or(address, |keys| keys.owner),
            balance: balance.map_or(Amount::ZERO, |b| b.amount),
            epoch: roster.epoch,
            last_share: last_share(roster, address),
        }
    }

    fn text(&self) -> String {
        let owner = match self.owner == self.account {
            true => "the node's vertex key".to_owned(),
            false => format!("the key of {}", self.owner),
        };
        lines(&[
            ("account", self.account.to_string()),
            ("owner", owner),
            ("balance", self.balance.to_string()),
            ("epoch", self.epoch.to_string()),
            ("last share", self.last_share.to_string()),
        ])
    }
}

/// What an account got when the epoch in office opened.
pub fn last_share(roster: &Roster, account: Address) -> Amount {
    let share = roster.shares.iter().find(|s| s.account == account);
    share.map_or(Amount::ZERO, |s| s.amount)
}

pub async fn run(arguments: &Fees, output: &Output) -> Result<(), Failure> {
    let config = NodeConfig::load(&arguments.node, &[]).map_err(Failure::usage)?;
    let key = public_vertex_key(&config).map_err(Failure::usage)?;
    let key = key.ok_or_else(|| {
        Failure::usage(format!("there are no keys in {}", config.keys.display()))
            .hint("`weft masternode keys` makes some")
    })?;
    let address = Address::of_key(&key);
    let own = format!("http://{}", config.api_listen);
    let client = arguments.network.or_node(own).client()?;
    let (account, roster) = (client.account(&address).await?, client.epoch().await?);
    let earned = Earned::of(&account, &roster);
    if arguments.to.is_none() && arguments.owner.is_none() {
        return output.data(&earned, Earned::text);
    }
    if earned.owner != address {
        let words = format!(
            "the account {address} is no longer the node's: the key of {} has the say",
            earned.owner
        );
        return Err(Failure::new(Kind::Refused, words).hint(format_args!(
            "nothing was sent; `weft account transfer --account {address} --key FILE` pays with that key"
        )));
    }
    if arguments.network.is_unnamed() {
        let status = client.status().await?;
        if !status.accepting {
            return Err(takes_nothing(status.why_not_accepting, &arguments.node));
        }
    }
    let keys = keys::of_node(&config, &arguments.password)?;
    let session = Session::by_key(client, UserKey::from(&keys.vertex)).await?;
    let operation = match (arguments.to, arguments.owner) {
        (Some(to), _) => pay_all(&session, earned.balance, to)?,
        (None, owner) => Operation::SetKeys {
            changes: owner
                .map(|key| KeyChange::Owner { key })
                .into_iter()
                .collect(),
        },
    };
    let outcome = session.send(vec![operation], output).await?;
    output.data(&outcome, Outcome::text)
}

/// The masternode's own node takes no transactions: once it has left the committee it only follows.
fn takes_nothing(why: Option<String>, folder: &Path) -> Failure {
    let why = why.unwrap_or_else(|| "it does not say why".to_owned());
    let words = format!(
        "the node of {} takes no transactions: {why}",
        folder.display()
    );
    Failure::new(Kind::Refused, words).hint(
        "nothing was sent; name a node of the committee with --url URL, or a testnet with --dir FOLDER",
    )
}

/// All but the fee, at the most that it can be.
fn pay_all(session: &Session, balance: Amount, to: Address) -> Result<Operation, Failure> {
    let pay = |amount| Operation::Transfer {
        payments: vec![Payment {
            to,
            asset: AssetId::NATIVE,
            amount,
        }],
        items: vec![],
    };
    let fee = session.body(vec![pay(balance)]).max_fee;
    match balance.checked_sub(fee.0) {
        Some(rest) if rest > Amount::ZERO => Ok(pay(rest)),
        _ => {
            let words = format!("the account holds {balance}, and paying it out costs {fee}");
            Err(Failure::new(Kind::Refused, words).hint("nothing was sent"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_has_left_is_named_with_how_another_is_asked() {
        let why = Some("this node is an observer".to_owned());
        let failure = takes_nothing(why, Path::new("fifth"));
        assert_eq!(failure.kind, Kind::Refused);
        for part in ["fifth", "an observer"] {
            assert!(failure.message.contains(part), "{failure:?}");
        }
        let hint = failure.hint.unwrap();
        assert!(hint.contains("--url") && hint.contains("--dir"), "{hint}");
    }
}
