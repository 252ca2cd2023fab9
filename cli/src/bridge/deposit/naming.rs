//! Naming an exit address along with a deposit (X3).

use super::{Deposit, Owner};
use crate::bridge::exit_address;
use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::sending::Session;
use crate::values::nobodys;
use weft_basechain::AccountKey;
use weft_types::api::Account;
use weft_types::{Amount, AssetId, BaseAddress, BaseAsset};

/// An exit address that is named.
pub struct Naming {
    session: Session,
    address: BaseAddress,
    /// Before the deposit: what it brings is owned from the first moment. It takes an account that can pay for it.
    pub first: bool,
}

impl Naming {
    /// `None` when nothing is to be named.
    pub async fn of(
        arguments: &Deposit,
        before: &Account,
        key: &AccountKey,
    ) -> Result<Option<Self>, Failure> {
        let address = match arguments.exit_address {
            None => return Ok(None),
            Some(Owner::Depositor) => BaseAddress(key.address()),
            Some(Owner::Named(address)) => address,
        };
        nobodys(&arguments.base.network.client()?.genesis().await?, address)?;
        if before.exit_address == Some(address) {
            return Ok(None);
        }
        let account = before.address;
        let session = Session::open(&arguments.base.network, &arguments.wallet, account).await?;
        let owner = before.keys.as_ref().map_or(account, |k| k.owner);
        let key = session.key.address();
        if key != owner {
            let words = format!(
                "{account} names its exit address itself, by the key of {owner}, and the key file is {key}'s"
            );
            return Err(
                Failure::usage(words).hint("nothing was sent; name its key with --key FILE")
            );
        }
        let (operation, _) = exit_address::naming(&session, address).await?;
        let body = session.body(vec![operation]);
        let fee = body.max_fee;
        let has = before.balance(AssetId::NATIVE);
        let comes = match arguments.asset() {
            BaseAsset::Native { amount } => amount,
            _ => Amount::ZERO,
        };
        if has.0.saturating_add(comes.0) < fee.0 {
            let words = format!(
                "naming an exit address costs up to {fee}, and {} has {has}",
                before.address
            );
            return Err(Failure::new(Kind::Refused, words)
                .hint("nothing was sent; deposit some of the coin there first"));
        }
        let first = has >= fee;
        Ok(Some(Self {
            session,
            address,
            first,
        }))
    }

    pub fn address(&self) -> BaseAddress {
        self.address
    }

    pub async fn name(&self, output: &Output) -> Result<(), Failure> {
        exit_address::send(&self.session, self.address, output).await?;
        output.say(format_args!(
            "{} is the exit address of {}.",
            self.address, self.session.address
        ));
        Ok(())
    }
}
