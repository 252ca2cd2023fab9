//! Who has the say for an account: showing it, and changing it with the owner's key or the guardian's.

use super::Whose;
use crate::failure::Failure;
use crate::network::Network;
use crate::output::Output;
use crate::sending::Sender;
use crate::time;
use crate::values::{from_now, lines};
use crate::wallet;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;
use weft_client::Draft;
use weft_types::api::Account;
use weft_types::{
    Address, Amount, AssetAmount, AssetId, CollectionId, Guardian, KeyChange, Millis, Operation,
    Session, SessionKind,
};

#[derive(clap::Args)]
pub struct Rotate {
    /// Who has the say from now on: a key file, or a key's address
    #[arg(long, value_name = "FILE|ADDRESS", value_parser = key)]
    to: Address,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
#[group(id = "who", required = true, multiple = false, args = ["guardian", "none"])]
pub struct SetGuardian {
    /// The account that may give this one another owner
    #[arg(value_name = "ACCOUNT")]
    guardian: Option<Address>,
    /// Have no guardian
    #[arg(long)]
    none: bool,
    /// How long you have to refuse that, as in 12h or 7d
    #[arg(long, value_name = "DURATION", default_value = "7d", conflicts_with = "none", value_parser = time::parse)]
    delay: Duration,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Subcommand)]
pub enum Sessions {
    /// Let a key do some things for the account, in the place of its last session
    Add(Add),
    /// End a key's session
    End(End),
}

#[derive(clap::Args)]
pub struct Add {
    /// The key's address, or its file
    #[arg(value_name = "KEY", value_parser = key)]
    session: Address,
    /// How long, as in 90s, 12h or 7d
    #[arg(long, value_name = "DURATION", value_parser = time::some)]
    expires: Duration,
    /// What it may do: transfer, create-edition, mint, update-item, burn, deal-open, deal-take, deal-cancel, sponsor, freeze, redeem, pass, buy
    #[arg(long, value_name = "KINDS", required = true, value_delimiter = ',', value_parser = allowed)]
    allow: Vec<SessionKind>,
    /// A collection whose cards it may move, mint and change; repeat it for more. Without one it touches no cards
    #[arg(long, value_name = "ID")]
    collection: Vec<CollectionId>,
    /// How much it may spend, fees among it: in the native asset's smallest unit, or ID=AMOUNT of another; repeat it for more.
    /// Without it nothing, and no fees: a sponsor has to pay them (--sponsor of each command)
    #[arg(long, value_name = "[ID=]AMOUNT", value_parser = limit)]
    limit: Vec<(AssetId, Amount)>,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct End {
    /// The key's address, or its file
    #[arg(value_name = "KEY", value_parser = key)]
    session: Address,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Recover {
    /// The account that yours guards
    #[arg(value_name = "ACCOUNT")]
    guarded: Address,
    /// Who is to have the say there: a key's address, or its file
    #[arg(long, value_name = "ADDRESS|FILE", value_parser = key)]
    owner: Address,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Refuse {
    #[command(flatten)]
    sender: Sender,
}

/// A kind, as the command line has it.
fn allowed(text: &str) -> Result<SessionKind, String> {
    let name = |kind: SessionKind| kind.name().replace('_', "-");
    let mut all = SessionKind::ALL.iter().copied();
    let found = all.clone().find(|kind| name(*kind) == text);
    found.ok_or_else(|| {
        let names: Vec<_> = all.by_ref().map(name).collect();
        format!("a session may be for {}", names.join(", "))
    })
}

/// A key by its address or its file.
pub fn key(text: &str) -> Result<Address, String> {
    match text.parse() {
        Ok(address) => Ok(address),
        Err(_) if Path::new(text).exists() => {
            let read = wallet::read(Path::new(text));
            read.map(|key| key.address()).map_err(|f| f.message)
        }
        Err(error) => Err(format!("it is no key file, and no address: {error}")),
    }
}

fn limit(text: &str) -> Result<(AssetId, Amount), String> {
    let (asset, amount) = match text.split_once('=') {
        Some((asset, amount)) => (asset.parse().map_err(|e| format!("{e}"))?, amount),
        None => (AssetId::NATIVE, text),
    };
    match amount.parse() {
        Ok(0) | Err(_) => Err(format!("{amount:?} is no amount")),
        Ok(amount) => Ok((asset, Amount(amount))),
    }
}

pub async fn show(arguments: Whose, output: &Output) -> Result<(), Failure> {
    let (address, client) = arguments.asked()?;
    let account = client.account(&address).await?;
    output.data(&Say::of(&account, from_now(Duration::ZERO)), Say::text)
}

pub async fn rotate(arguments: Rotate, output: &Output) -> Result<(), Failure> {
    let change = KeyChange::Owner { key: arguments.to };
    set(&arguments.sender, change, output).await?;
    output.say(format_args!(
        "Sign with the new key from now on, and name the account: --key FILE --account ADDRESS. Sessions of the old one are over."
    ));
    Ok(())
}

pub async fn guardian(arguments: SetGuardian, output: &Output) -> Result<(), Failure> {
    let delay = u64::try_from(arguments.delay.as_millis()).unwrap_or(u64::MAX);
    let own = arguments.sender.session().await?.address;
    let change = match arguments.guardian {
        None => KeyChange::NoGuardian,
        Some(account) if account == own => {
            return Err(Failure::usage(
                "an account that guards itself cannot recover: its key is what is lost then",
            )
            .hint("nothing was sent; name another account, of somebody whom you trust"));
        }
        Some(account) => KeyChange::Guardian(Guardian {
            account,
            delay: Millis(delay),
        }),
    };
    set(&arguments.sender, change, output).await
}

pub async fn sessions(command: Sessions, output: &Output) -> Result<(), Failure> {
    match command {
        Sessions::Add(arguments) => {
            let session = arguments.session()?;
            let may_spend = session.left(&AssetId::NATIVE);
            let least = least_fee(&arguments.sender.network).await?;
            set(&arguments.sender, KeyChange::Session(session), output).await?;
            if let Some(words) = pays_no_fee(may_spend, least) {
                output.say(words);
            }
            Ok(())
        }
        Sessions::End(arguments) => {
            let key = arguments.session;
            set(&arguments.sender, KeyChange::EndSession { key }, output).await
        }
    }
}

/// A fee that no transaction is below.
async fn least_fee(network: &Network) -> Result<Amount, Failure> {
    let genesis = network.client()?.genesis().await?;
    let nothing = Draft::new(&genesis).body(Address([0; 32]), vec![]);
    let operation = genesis.template.params.fees.per_operation;
    Ok(nothing.max_fee.saturating_add(operation.0))
}

/// What a session is told that pays for nothing.
fn pays_no_fee(may_spend: Amount, least: Amount) -> Option<String> {
    let limit = match may_spend {
        Amount::ZERO => "none of the native asset".to_owned(),
        limit if limit < least => {
            format!("{limit} of the native asset, less than any fee, which is {least} at the least")
        }
        _ => return None,
    };
    Some(format!(
        "It may spend {limit}, and so pay no fees: what it signs is taken only with --sponsor FILE, whose account pays them. \
         Given again with --limit AMOUNT it may."
    ))
}

pub async fn recover(arguments: Recover, output: &Output) -> Result<(), Failure> {
    let (account, owner) = (arguments.guarded, arguments.owner);
    let recover = Operation::Recover { account, owner };
    arguments.sender.send(recover, output).await?;
    output.say(format_args!(
        "The owner of {account} can refuse it now: `weft account keys {account}` says until when."
    ));
    Ok(())
}

pub async fn refuse(arguments: Refuse, output: &Output) -> Result<(), Failure> {
    set(&arguments.sender, KeyChange::RefuseRecovery, output).await
}

async fn set(sender: &Sender, change: KeyChange, output: &Output) -> Result<(), Failure> {
    let changes = vec![change];
    sender.send(Operation::SetKeys { changes }, output).await
}

impl Add {
    fn session(&self) -> Result<Session, Failure> {
        let mut collections = self.collection.clone();
        collections.sort_unstable();
        collections.dedup();
        let limits = self.limit.iter();
        let limits = limits.map(|(asset, amount)| AssetAmount {
            asset: *asset,
            amount: *amount,
        });
        let mut limits: Vec<AssetAmount> = limits.collect();
        limits.sort_unstable_by_key(|l| l.asset);
        if let Some(twice) = limits.windows(2).find(|l| l[0].asset == l[1].asset) {
            let words = format!("--limit names asset {} twice", twice[0].asset);
            return Err(Failure::usage(words).hint("nothing was sent"));
        }
        Ok(Session {
            key: self.session,
            expires: from_now(self.expires),
            kinds: self.allow.iter().copied().collect(),
            collections,
            limits,
        })
    }
}

/// Who has the say now, and what may change that.
#[derive(Debug, Serialize)]
struct Say {
    address: Address,
    owner: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    guardian: Option<Guardian>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery: Option<weft_types::api::Recovery>,
    sessions: Vec<Session>,
}

impl Say {
    /// By this machine's clock: a recovery whose time has come is no longer under way.
    fn of(account: &Account, now: Millis) -> Self {
        let (address, keys) = (account.address, account.keys.as_ref());
        let recovery = keys.and_then(|k| k.recovery);
        let (due, under_way) = match recovery {
            Some(recovery) if recovery.at <= now => (Some(recovery.owner), None),
            other => (None, other),
        };
        let sessions = keys.map_or(&[][..], |k| &k.sessions);
        let live = sessions.iter().filter(|s| due.is_none() && s.expires > now);
        Self {
            address,
            owner: due.unwrap_or(keys.map_or(address, |k| k.owner)),
            guardian: keys.and_then(|k| k.guardian),
            recovery: under_way,
            sessions: live.cloned().collect(),
        }
    }

    fn text(&self) -> String {
        let mut pairs = vec![("address", self.address.to_string())];
        let own = match self.owner == self.address {
            true => "the key of its own address".to_owned(),
            false => format!("the key of {}", self.owner),
        };
        pairs.push(("owner", own));
        let guardian = self.guardian.map(|g| {
            let seconds = g.delay.0.div_ceil(1_000);
            format!("{}, who leaves {seconds} s to refuse it", g.account)
        });
        let none = || "none: `weft account guardian` names one".to_owned();
        pairs.push(("guardian", guardian.unwrap_or_else(none)));
        if let Some(recovery) = self.recovery {
            let (owner, at) = (recovery.owner, time::utc(recovery.at));
            let words = format!(
                "the key of {owner} from {at} on, unless refused: `weft account refuse-recovery`"
            );
            pairs.push(("recovery", words));
        }
        for session in &self.sessions {
            pairs.push(("session", shown(session)));
        }
        lines(&pairs)
    }
}

fn shown(session: &Session) -> String {
    let kinds: Vec<_> = session.kinds.iter().map(SessionKind::name).collect();
    let mut words = format!(
        "{} until {}: {}",
        session.key,
        time::utc(session.expires),
        kinds.join(", ")
    );
    if session.left(&AssetId::NATIVE) == Amount::ZERO {
        words += "; may pay no fees";
    }
    for limit in &session.limits {
        let amount = limit.amount;
        words += &match limit.asset {
            AssetId::NATIVE => format!("; may spend {amount}"),
            asset => format!("; may spend {amount} of {asset}"),
        };
    }
    for collection in &session.collections {
        words += &format!("; collection {collection}");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing;

    #[test]
    fn a_session_that_may_spend_less_than_any_fee_is_told_so() {
        let said = |limit| pays_no_fee(Amount(limit), Amount(290));
        assert!(said(0).unwrap().contains("none of the native asset"));
        let less = said(289).unwrap();
        for part in ["289", "less than any fee", "290", "--limit"] {
            assert!(less.contains(part), "{less}");
        }
        assert_eq!(said(290), None);
    }

    #[test]
    fn a_session_is_shown_with_what_it_may_spend_and_that_it_may_pay_no_fees_if_so() {
        let mut session = testing::session(8);
        let with = shown(&session);
        assert!(with.contains("may spend 100"), "{with}");
        assert!(!with.contains("no fees"), "{with}");
        session.limits.clear();
        let without = shown(&session);
        assert!(without.contains("may pay no fees"), "{without}");
        assert!(!without.contains("may spend"), "{without}");
    }
}
