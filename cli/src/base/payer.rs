//! Sending to the base chain exactly what was confirmed, and once.
//!
//! What is signed has the nonce, the gas and the fee that were shown. It is written down before it is sent
//! ([`Outbox`]), so that a command given again finds it; and as long as it is in no block, whatever is signed instead has its
//! nonce, so that only one of both can ever happen.

use super::outbox::{Outbox, shown};
use crate::failure::{Failure, Kind};
use crate::output::Output;
use weft_basechain::{
    AccountKey, ClientError, Endpoint, MINED_TIME_MAX, Mined, Order, Quote, Signed,
};
use weft_types::{BaseAddress, NetworkId};

/// What an account pays, and whether again.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "The base chain")]
pub struct Terms {
    /// The most to pay for a unit of gas; without it twice what the next block asks for, and a tip
    #[arg(long, value_name = "GWEI", value_parser = gwei)]
    max_fee: Option<u128>,
    /// Sign anew what was signed before: in the place of what is in no block yet, so that only one of both can be; after
    /// what is in a block, once more
    #[arg(long)]
    again: bool,
}

/// An account that sends.
pub struct Payer<'a> {
    endpoint: &'a Endpoint,
    key: &'a AccountKey,
    terms: &'a Terms,
    outbox: Outbox,
    output: &'a Output,
}

const NOTHING_SENT: &str = "nothing was sent";

impl<'a> Payer<'a> {
    pub fn of(
        (endpoint, key): (&'a Endpoint, &'a AccountKey),
        network: NetworkId,
        terms: &'a Terms,
        output: &'a Output,
    ) -> Result<Self, Failure> {
        let account = BaseAddress(key.address());
        Ok(Self {
            outbox: Outbox::open(network, endpoint.chain_id(), account)?,
            endpoint,
            key,
            terms,
            output,
        })
    }

    /// Finds out what came of what an earlier command signed and did not hear of: its block, if it was this
    /// order. Then nothing is to be sent.
    ///
    /// # Errors
    /// When it is in no block yet after the usual time, or never can be.
    pub async fn earlier(&mut self, order: &Order) -> Result<Option<Mined>, Failure> {
        let Some(newest) = self.outbox.signed().last() else {
            return Ok(None);
        };
        let (same, hash) = (newest.does(order), shown(&newest.hash()));
        let what = self.outbox.what().to_owned();
        if self.terms.again {
            return self.give_up(&what, &hash).await.map(|()| None);
        }
        self.output.say(format_args!(
            "Signed before, and perhaps sent: {what}, transaction {hash}. Waiting for its block, {} s at most; nothing is signed anew.",
            MINED_TIME_MAX.as_secs()
        ));
        let attempts = self.outbox.signed().to_vec();
        let deliver = self.endpoint.deliver("the earlier transaction", &attempts);
        match deliver.await {
            Ok(mined) => {
                self.outbox.clear()?;
                self.output
                    .say(format_args!("It is in block {}.", mined.block));
                Ok(does(&attempts, &mined, order).then_some(mined))
            }
            Err(error @ ClientError::Refused { .. }) => {
                self.outbox.clear()?;
                if same {
                    return Err(Failure::from(error).hint("nothing else was sent"));
                }
                self.output.say(error);
                Ok(None)
            }
            Err(error @ ClientError::Replaced { .. }) if !same => {
                self.outbox.clear()?;
                self.output.say(error);
                Ok(None)
            }
            Err(error @ ClientError::Replaced { .. }) => {
                let failure = Failure::new(Kind::Refused, error);
                Err(failure.hint("nothing was sent; --again signs it anew"))
            }
            Err(error) => Err(unsettled(error)),
        }
    }

    /// What an earlier command signed and did not hear of, unless it is given up.
    pub fn pending(&self) -> Option<&Signed> {
        let newest = self.outbox.signed().last();
        newest.filter(|_| !self.terms.again)
    }

    /// Says what a dry run leaves as it is.
    pub fn mention(&self) {
        if let Some(newest) = self.outbox.signed().last() {
            self.output.say(format_args!(
                "Signed before, and perhaps sent: {}, transaction {}.",
                self.outbox.what(),
                shown(&newest.hash())
            ));
        }
    }

    /// `--again`: what is in a block is over, what is not loses its place.
    async fn give_up(&mut self, what: &str, hash: &str) -> Result<(), Failure> {
        let mined = self.endpoint.find_mined(self.outbox.signed()).await?;
        if mined.is_some() {
            self.output.say(format_args!(
                "Signed before, and in a block: {what}, transaction {hash}. This is another one."
            ));
            return self.outbox.clear();
        }
        self.output.say(format_args!(
            "Signed before, and in no block yet: {what}, transaction {hash}. This takes its place."
        ));
        Ok(())
    }

    /// What an order costs at most: that much is signed.
    pub async fn quote(&self, order: &Order) -> Result<Quote, Failure> {
        let signed = self.outbox.signed();
        let instead = signed.last().filter(|_| self.terms.again);
        let quote = self
            .endpoint
            .quote(self.key, order, self.terms.max_fee, instead)
            .await;
        quote.map_err(not_sent)
    }

    /// Signs, writes down and sends an order, and waits for its block.
    pub async fn send(&mut self, order: &Order, quote: &Quote) -> Result<Mined, Failure> {
        let signed = self.endpoint.sign(self.key, order, quote).await;
        self.outbox.add(order.what(), signed.map_err(not_sent)?)?;
        let attempts = self.outbox.signed().to_vec();
        match self.endpoint.deliver(order.what(), &attempts).await {
            Ok(mined) => {
                self.outbox.clear()?;
                if does(&attempts, &mined, order) {
                    return Ok(mined);
                }
                let words = format!(
                    "what was signed before came into block {} first: this was not sent, and never will be",
                    mined.block
                );
                Err(Failure::new(Kind::Refused, words).hint("repeat it if it is still to be sent"))
            }
            Err(error @ (ClientError::Refused { .. } | ClientError::Replaced { .. })) => {
                self.outbox.clear()?;
                Err(error.into())
            }
            Err(error) => Err(unsettled(error)),
        }
    }
}

/// Whether what is in a block is this order.
fn does(attempts: &[Signed], mined: &Mined, order: &Order) -> bool {
    let mut attempts = attempts.iter();
    attempts.any(|signed| signed.hash() == mined.hash && signed.does(order))
}

fn not_sent(error: ClientError) -> Failure {
    let hint = match &error {
        ClientError::Fee { .. } => {
            "nothing was sent; repeat it at the present fee, or allow more with --max-fee GWEI"
        }
        ClientError::Outdated { .. } => "nothing was sent; repeat it to see it as it is now",
        _ => NOTHING_SENT,
    };
    Failure::from(error).hint(hint)
}

/// For what is signed, and may come into a block or not.
fn unsettled(error: ClientError) -> Failure {
    Failure::from(error).hint(
        "it is signed and may still come into a block: repeat the command, which then waits for it and signs nothing anew; \
         --again takes its place, at a higher fee",
    )
}

/// Gwei with up to nine decimals, as wei.
fn gwei(text: &str) -> Result<u128, String> {
    let wrong = || "gwei, as 20 or 0.5, with up to nine decimals".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 9 {
        return Err(wrong());
    }
    let number = format!("{whole}{part:0<9}").parse::<u128>();
    number.ok().filter(|wei| *wei > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
