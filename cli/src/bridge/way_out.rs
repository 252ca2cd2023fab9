//! The base chain alone: where the way out stands, and sending its steps. No masternode is asked for anything.

use crate::base::Base;
use crate::failure::{Failure, Kind};
use crate::output::{self, Output};
use crate::time;
use serde::Serialize;
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use weft_basechain::{
    AccountKey, BaseChain, CLAIM_STAKE, ClaimState, ClientError, Contracts, Latch, Mined,
};
use weft_types::{BaseAddress, BaseAsset, Height, Millis};

pub const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Longest pause after attempts that failed.
pub const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How far to go.
#[derive(clap::Args, Debug, Clone)]
pub struct Going {
    /// Show what would be done next, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on for so long, step by step, instead of ending where something has to be waited for
    #[arg(long, value_name = "TIME", value_parser = time::parse, default_value = "0s", conflicts_with = "dry_run")]
    wait: Duration,
}

impl Going {
    pub fn wait(&self) -> Duration {
        self.wait
    }
}

/// What is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Holding,
    Deposit,
    Withdrawal,
}

/// One of them on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    pub what: What,
    /// In the exit tree; of a deposit or a withdrawal its number.
    pub place: u64,
    pub asset: BaseAsset,
    pub state: State,
    /// In words.
    pub next: String,
    /// By which it is claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Height>,
    /// Unix seconds by the base chain's clock: when the next step can be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// Of the step that was made now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_transaction: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The latch is not tripped, or the checkpoint's time for challenges is not over.
    Closed,
    /// It can be claimed.
    Open,
    Claimed,
    /// Its window is over.
    Payable,
    Paid,
    /// It cannot be claimed by this file and key.
    Lost,
}

impl State {
    fn is_over(self) -> bool {
        matches!(self, Self::Paid | Self::Lost)
    }
}

/// Who acts, on which chain.
pub struct Actor {
    pub chain: BaseChain,
    pub key: AccountKey,
    pub dry_run: bool,
    /// Of the latch.
    told: Told,
}

impl Actor {
    pub async fn of(
        base: &Base,
        (chain_id, contracts): (u64, Contracts),
        going: &Going,
    ) -> Result<Self, Failure> {
        let (chain, key) = base.reach(chain_id, contracts).await?;
        Ok(Self {
            chain,
            key,
            dry_run: going.dry_run,
            told: Told::default(),
        })
    }

    pub fn address(&self) -> BaseAddress {
        BaseAddress(self.key.address())
    }

    /// The latch, tripped now if it may be.
    pub async fn open(&self, output: &Output) -> Result<Latch, Failure> {
        let latch = self.chain.latch().await?;
        if latch.tripped_at.is_some() {
            return Ok(latch);
        }
        if latch.now < latch.opens_at {
            self.told.say(output, too_early(&latch));
            return Ok(latch);
        }
        if self.dry_run {
            output.say("The latch can be tripped: the way out is open from then on, for good.");
            return Ok(latch);
        }
        match self.chain.trip(&self.key).await {
            Ok(_) => output.say("The latch is tripped: the way out is open, for good."),
            // Somebody else was faster.
            Err(ClientError::Refused { refusal, .. }) if refusal.name == "Latched" => {}
            Err(ClientError::Refused { refusal, .. }) if refusal.name == "TooEarly" => {
                let words = "The latch is not tripped yet: the base chain's newest block is too early for it, the next one may do.";
                self.told.say(output, words.to_owned());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(self.chain.latch().await?)
    }

    /// Whether a claim's stake can be paid, and its gas.
    pub async fn can_stake(&self) -> Result<(), Failure> {
        let balance = self.chain.endpoint().balance(self.key.address()).await?;
        if balance > CLAIM_STAKE {
            return Ok(());
        }
        let words = format!(
            "{} has {balance} wei, and a claim takes {CLAIM_STAKE} wei as a stake, and gas",
            self.address()
        );
        Err(Failure::new(Kind::Refused, words)
            .hint("the stake comes back with the payout; send some of the coin there first"))
    }
}

impl Standing {
    pub fn new(place: u64, asset: BaseAsset, state: State, next: impl Into<String>) -> Self {
        Self {
            what: What::Holding,
            place,
            asset,
            state,
            next: next.into(),
            checkpoint: None,
            not_before: None,
            base_transaction: None,
        }
    }

    /// While the way out is closed.
    pub fn closed(place: u64, asset: BaseAsset, latch: &Latch) -> Self {
        let opens = instant(latch.opens_at);
        let (next, not_before) = match latch.now >= latch.opens_at {
            true => ("trip the latch".to_owned(), None),
            false => {
                let words = format!("the latch opens at {opens}, unless a checkpoint is posted");
                (words, Some(latch.opens_at))
            }
        };
        Self {
            not_before,
            ..Self::new(place, asset, State::Closed, next)
        }
    }

    /// Of a claim that is the right one.
    pub fn claimed(place: u64, asset: BaseAsset, claim: &ClaimState, latch: &Latch) -> Self {
        let ends = claim.opened_at.saturating_add(latch.window_s);
        if claim.paid {
            return Self::new(place, asset, State::Paid, "nothing: it is paid");
        }
        if latch.now >= ends {
            return Self::new(place, asset, State::Payable, "have it paid");
        }
        let words = format!("it can be refuted until {}, then paid", instant(ends));
        Self {
            not_before: Some(ends),
            ..Self::new(place, asset, State::Claimed, words)
        }
    }

    pub fn of(mut self, what: What) -> Self {
        self.what = what;
        self
    }

    fn name(&self) -> String {
        match self.what {
            What::Withdrawal => format!("withdrawal {}", self.place),
            What::Holding | What::Deposit => self.place.to_string(),
        }
    }

    /// By a checkpoint.
    pub fn by(mut self, checkpoint: Height) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }

    /// After a step.
    pub fn made(mut self, chain: &BaseChain, mined: &Mined) -> Self {
        self.base_transaction = Some(format!("0x{}", hex::encode(mined.hash)));
        if chain.is_kept(mined) {
            self.next =
                "the payout was refused and is kept: `weft bridge fetch` gets it".to_owned();
        }
        self
    }
}

/// Why the latch is not tripped, and when it can be.
fn too_early(latch: &Latch) -> String {
    format!(
        "The latch is not tripped: it can be from {} on, and only if no checkpoint is posted until then.",
        instant(latch.opens_at)
    )
}

pub fn instant(seconds: u64) -> String {
    time::utc(Millis(seconds.saturating_mul(1_000)))
}

/// How long a way is gone, whatever is in it.
#[derive(Debug)]
pub struct Patience {
    until: Instant,
    pace: Pace,
    /// After the next failure.
    pause: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Between two looks, and after the first failure.
    look: Duration,
    pause_max: Duration,
}

impl Patience {
    pub fn of(going: &Going) -> Self {
        let pace = Pace {
            look: LOOK_INTERVAL,
            pause_max: PAUSE_MAX,
        };
        Self::with(going.wait, pace)
    }

    fn with(wait: Duration, pace: Pace) -> Self {
        Self {
            until: Instant::now() + wait,
            pace,
            pause: pace.look,
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// What a base chain that does not answer, or not as it should, is asked again for within the time, after pauses that get
    /// longer.
    pub async fn asks<T, F: Future<Output = Result<T, Failure>>>(
        &mut self,
        output: &Output,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, Failure> {
        self.pause = self.pace.look;
        loop {
            let failure = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let left = self.until.saturating_duration_since(Instant::now());
            if !passes(&failure) || left.is_zero() {
                return Err(failure);
            }
            let pause = self.pause.min(left);
            output.failure(&failure);
            output.say(format_args!(
                "Trying again in {} s.",
                pause.as_secs_f32().ceil()
            ));
            sleep(pause).await;
            self.pause = self.pace.pause_max.min(self.pause * 2);
        }
    }
}

/// Steps, until nothing is left to do or to wait for, or the time that was given is over.
pub async fn go_on<F: Future<Output = Result<Vec<Standing>, Failure>>>(
    mut patience: Patience,
    output: &Output,
    mut step: impl FnMut() -> F,
) -> Result<Vec<Standing>, Failure> {
    let mut told: Vec<(String, String)> = Vec::new();
    loop {
        let standings = patience.asks(output, &mut step).await?;
        let over = standings.iter().all(|s| s.state.is_over());
        if over || patience.is_over() {
            return Ok(standings);
        }
        let now: Vec<_> = standings
            .iter()
            .map(|s| (s.name(), s.next.clone()))
            .collect();
        for line in now.iter().filter(|line| !told.contains(line)) {
            output.say(format_args!("{}: {}", line.0, line.1));
        }
        told = now;
        sleep(patience.pace.look).await;
    }
}

/// Whether the same may succeed later: an endpoint that limits how often it is asked refuses too, and an account that cannot pay
/// may be sent something.
fn passes(failure: &Failure) -> bool {
    matches!(failure.kind, Kind::Unreachable | Kind::Refused)
}

/// What is said when it changes.
#[derive(Debug, Default)]
pub struct Told(RefCell<String>);

impl Told {
    pub fn say(&self, output: &Output, words: String) {
        if *self.0.borrow() != words {
            output.say(&words);
            self.0.replace(words);
        }
    }
}

/// A table of where everything stands.
pub fn shown(standings: &[Standing], what: &str) -> String {
    if standings.is_empty() {
        return format!("no {what}");
    }
    let mut table = output::table(&[what, "asset", "state", "next"]);
    for standing in standings {
        table.add_row([
            standing.name(),
            super::asset_shown(&standing.asset),
            format!("{:?}", standing.state).to_lowercase(),
            standing.next.clone(),
        ]);
    }
    output::fit(&table)
}

#[cfg(test)]
mod tests;
