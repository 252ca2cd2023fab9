//! Who has the registry do something: an account on the base chain, and what is sent for it. Everything is checked, shown
//! and asked for before.

use super::next::Edges;
use super::order::Order;
use super::standing;
use crate::base::{Account, Asking, Cost, Payer};
use crate::bridge::standing_still::Still;
use crate::failure::Failure;
use crate::output::Output;
use crate::values::coins;
use weft_basechain::{At, MemberState, Mined, Order as BaseOrder, Quote, RegistryCall};
use weft_types::BaseAddress;

/// An account on the base chain.
pub struct Operator<'a> {
    pub account: Account,
    asking: &'a Asking,
}

impl<'a> Operator<'a> {
    pub async fn of(asking: &'a Asking) -> Result<Self, Failure> {
        let account = asking.base.connect().await?;
        Ok(Self { account, asking })
    }

    pub fn payer(&'a self, output: &'a Output) -> Result<Payer<'a>, Failure> {
        self.account.payer(&self.asking.terms, output)
    }

    pub fn call(&self, call: RegistryCall<'_>) -> BaseOrder {
        self.account.chain.order(&self.account.key, call)
    }

    /// What came of the same order, if an earlier command signed it and did not hear of it.
    pub async fn earlier(
        &self,
        payer: &mut Payer<'_>,
        call: &BaseOrder,
    ) -> Result<Option<Mined>, Failure> {
        self.asking.earlier(payer, call).await
    }

    /// Sends what was confirmed.
    pub async fn carry_out(
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

    pub async fn order(&self, what: &'static str, wei: u128) -> Result<Order, Failure> {
        let Account { chain, key, .. } = &self.account;
        let balance = chain.endpoint().balance(key.address()).await?;
        Ok(Order {
            what,
            masternode: None,
            operator: self.account.address(),
            registry: BaseAddress(chain.contracts().registry),
            chain_id: chain.endpoint().chain_id(),
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
        let coin = |text: &str| coins(text.parse().unwrap_or_default());
        let words = || {
            let sends = format!(
                "About to send {} of the coin, and in fees {},\n  from the operator {}, who has {},\n  to the registry {} on chain {} ({}).",
                coin(&order.value_wei),
                order.cost.as_ref().map(Cost::words).unwrap_or_default(),
                order.operator,
                coin(&order.balance_wei),
                order.registry,
                order.chain_id,
                self.account.chain.endpoint().url(),
            );
            [&[sends.as_str()], means].concat().join("\n")
        };
        self.asking.confirmed(words, output)
    }

    /// The operator's own place in the registry.
    pub async fn member(&self) -> Result<MemberState, Failure> {
        let Account { chain, key, .. } = &self.account;
        let id = chain.id_of(key.address()).await?;
        let id = id.ok_or_else(|| {
            let operator = self.account.address();
            Failure::usage(format!("{operator} has bonded nothing"))
                .hint("`weft masternode bond` does")
        })?;
        Ok(chain.member(id, At::Latest).await?)
    }

    pub async fn wei(&self, units: u64) -> Result<u128, Failure> {
        let unit = self.account.chain.bond_unit().await?;
        let wei = unit.checked_mul(u128::from(units));
        wei.ok_or_else(|| Failure::usage(format!("{units} units are more than there is")))
    }

    pub async fn unbonding(&self) -> Result<String, Failure> {
        Ok(standing::duration(self.account.chain.unbonding_s().await?))
    }

    /// Says what holds changes of the committee up, where something does.
    pub async fn warn(&self, output: &Output) -> Result<(), Failure> {
        let still = Still::of(&self.account.client, &self.account.chain).await?;
        if let Some(words) = still.and_then(|s| s.for_committee()) {
            output.say(format_args!("Note: {words}."));
        }
        Ok(())
    }

    /// The edges ahead; what they would say is left out where the node does not tell them.
    pub async fn edges(&self) -> Option<Edges> {
        let asked = Edges::asked(&self.account.client).await.ok()?;
        Some(asked.1)
    }
}
