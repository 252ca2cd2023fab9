//! Who has the registry do something: an account on the base chain, and what is sent for it. Everything is checked, shown
//! and asked for before.

use super::coins;
use super::next::Edges;
use super::order::{Cost, Order};
use super::standing;
use crate::base::{Base, Payer, Terms};
use crate::failure::Failure;
use crate::network::Network;
use crate::output::Output;
use crate::prompt;
use weft_basechain::{
    AccountKey, At, BaseChain, MemberState, Mined, Order as BaseOrder, Quote, RegistryCall,
};
use weft_client::Client;
use weft_types::{BaseAddress, NetworkId};

/// Who acts, and whether for good.
#[derive(clap::Args)]
pub struct Place {
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

/// An account on the base chain.
pub struct Operator<'a> {
    pub chain: BaseChain,
    pub key: AccountKey,
    client: Client,
    network: NetworkId,
    place: &'a Place,
}

impl<'a> Operator<'a> {
    pub async fn of(place: &'a Place) -> Result<Self, Failure> {
        let client = place.network.client()?;
        let (chain, key) = place.base.connect(&place.network, &client).await?;
        let network = client.genesis().await?.network.id();
        Ok(Self {
            chain,
            key,
            client,
            network,
            place,
        })
    }

    pub fn payer(&'a self, output: &'a Output) -> Result<Payer<'a>, Failure> {
        let account = (self.chain.endpoint(), &self.key);
        Payer::of(account, self.network, &self.place.terms, output)
    }

    pub fn call(&self, call: RegistryCall<'_>) -> BaseOrder {
        self.chain.order(&self.key, call)
    }

    /// What came of the same order, if an earlier command signed it and did not hear of it. A dry run does not ask.
    pub async fn earlier(
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
    pub async fn member(&self) -> Result<MemberState, Failure> {
        let id = self.chain.id_of(self.key.address()).await?;
        let id = id.ok_or_else(|| {
            let operator = BaseAddress(self.key.address());
            Failure::usage(format!("{operator} has bonded nothing"))
                .hint("`weft masternode bond` does")
        })?;
        Ok(self.chain.member(id, At::Latest).await?)
    }

    pub async fn wei(&self, units: u64) -> Result<u128, Failure> {
        let unit = self.chain.bond_unit().await?;
        let wei = unit.checked_mul(u128::from(units));
        wei.ok_or_else(|| Failure::usage(format!("{units} units are more than there is")))
    }

    pub async fn unbonding(&self) -> Result<String, Failure> {
        Ok(standing::duration(self.chain.unbonding_s().await?))
    }

    /// The edges ahead; what they would say is left out where the node does not tell them.
    pub async fn edges(&self) -> Option<Edges> {
        let asked = Edges::asked(&self.client).await.ok()?;
        Some(asked.1)
    }
}
