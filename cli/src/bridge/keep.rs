//! `weft bridge keep`: saves the proofs by which the vault pays if no masternode answers any more.

mod shown;
mod under;
mod withdrawals;

use self::withdrawals::{GivenUp, Unproven};
use super::checking::{Checker, Trusted};
use super::kept::{Checked, Content, GENERATIONS_MAX, Generation, Kept, KeptPlace, Retention};
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::time;
use crate::wallet::Wallet;
use serde::Serialize;
use shown::{missing, text};
use std::path::PathBuf;
use std::time::Duration;
use under::under;
use weft_client::{Client, PageQuery};
use weft_types::api::{Exits, Holding, PAGE_MAX};
use weft_types::{Address, CommitIndex, Exit, Height, Millis, Statement};

/// Attempts to read all pages under one checkpoint, before the next one comes.
const ATTEMPTS_MAX: u32 = 10;
/// Longest time from a statement's timestamp until it is posted, while anybody posts: an alarm comes far earlier (B2).
const POSTING_TIME_MAX: Millis = Millis(600_000);

#[derive(clap::Args)]
pub struct Keep {
    /// Where. What is there of older checkpoints stays, as far as --generations says
    file: PathBuf,
    /// Whose holdings; repeat it for more. Without it those of the key file's account
    #[arg(long, value_name = "ADDRESS", conflicts_with = "all")]
    account: Vec<Address>,
    /// Everybody's: what it takes to refute whatever is claimed wrongly
    #[arg(long)]
    all: bool,
    /// Again and again, after so long, until interrupted
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    every: Option<Duration>,
    /// How many checkpoints the file has at most: the newest may turn out to count for nothing
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=GENERATIONS_MAX as i64))]
    generations: u8,
    #[command(flatten)]
    trusted: Trusted,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    wallet: Wallet,
}

#[derive(Serialize)]
struct Outcome {
    file: PathBuf,
    /// Of the checkpoint.
    height: Height,
    /// The vault pays by no newer one (V5): what came after it is under none that is ever paid by.
    older: bool,
    /// The last commit under it, and its time: what changes afterwards takes another file.
    commit: CommitIndex,
    timestamp: Millis,
    proofs: usize,
    /// Given up and not paid for good, with their proofs.
    withdrawals: usize,
    /// Held, and under no checkpoint yet.
    unproven: usize,
    /// Given up, and under no checkpoint yet.
    unproven_withdrawals: Unproven,
    /// Held, and nobody's on the base chain.
    ownerless: usize,
    /// By what the statement is known to be the network's.
    checked: Checked,
    /// Checkpoints in the file.
    generations: usize,
    /// False when the file had all of it.
    written: bool,
}

pub async fn keep(arguments: &Keep, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    let checker = Checker::of(&arguments.trusted, &arguments.network)?;
    let Some(every) = arguments.every else {
        let outcome = once(arguments, (&client, &checker), output).await?;
        return output.data(&outcome, text);
    };
    loop {
        match once(arguments, (&client, &checker), output).await {
            Ok(outcome) if outcome.written => output.data(&outcome, text)?,
            Ok(_) => {}
            Err(failure) if failure.kind == Kind::Usage => return Err(failure),
            // The next attempt may find a node again, or an honest one; what is kept stays.
            Err(failure) => output.failure(&failure),
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

async fn once(
    arguments: &Keep,
    (client, checker): (&Client, &Checker),
    output: &Output,
) -> Result<Outcome, Failure> {
    let under = under(client, checker, output).await?;
    let (accounts, found) = if arguments.all {
        (vec![], whole(client, under).await?)
    } else {
        let mut accounts = arguments.account.clone();
        if accounts.is_empty() {
            accounts.push(arguments.wallet.address_or_own(None)?);
        }
        let found = holdings(client, under, &accounts).await?;
        (accounts, found)
    };
    let Found {
        statement,
        content,
        given_up,
        unproven,
        ownerless,
    } = found;
    let proofs = match &content {
        Content::Places(places) => places.len(),
        Content::Whole(exits, _) => exits.len(),
    };
    let checked = checker.check(client, &statement).await?;
    let (height, commit, timestamp) = (statement.height, statement.commit, statement.timestamp);
    let unproven_withdrawals = given_up.unproven;
    let withdrawals = withdrawals::unpaid(checker, given_up.proven, arguments.all).await;
    let given_up = withdrawals.len();
    let generation = Generation::new(statement, checked, content, withdrawals);
    let generation = generation.map_err(|e| Failure::new(Kind::Invalid, e))?;
    let window = checker.genesis.template.params.challenge_window_s;
    let retention = Retention {
        most: arguments.generations.into(),
        hold: Millis(
            window
                .saturating_mul(1_000)
                .saturating_add(POSTING_TIME_MAX.0),
        ),
    };
    let mut kept = Kept::new(&checker.genesis, accounts, generation);
    let written = match under {
        None => kept.write(&arguments.file, retention)?,
        Some(_) => kept.insert(&arguments.file, retention)?,
    };
    let outcome = Outcome {
        file: arguments.file.clone(),
        height,
        older: under.is_some(),
        commit,
        timestamp,
        proofs,
        withdrawals: given_up,
        unproven,
        unproven_withdrawals,
        ownerless,
        checked,
        generations: kept.generations().len(),
        written,
    };
    for words in missing(&outcome) {
        output.say(words);
    }
    Ok(outcome)
}

/// What there is under one checkpoint.
struct Found {
    statement: Statement,
    content: Content,
    given_up: GivenUp,
    unproven: usize,
    ownerless: usize,
}

fn no_checkpoint() -> Failure {
    Failure::new(
        Kind::Refused,
        "the node has no proofs under a checkpoint yet",
    )
    .hint("the first checkpoint comes within the network's interval: try again")
}

fn moved_on() -> Failure {
    let words = format!("checkpoints came faster than the pages, {ATTEMPTS_MAX} times");
    Failure::new(Kind::Unreachable, words).hint("try again")
}

async fn holdings(
    client: &Client,
    under: Option<Height>,
    accounts: &[Address],
) -> Result<Found, Failure> {
    for _ in 0..ATTEMPTS_MAX {
        if let Some(found) = holdings_once(client, under, accounts).await? {
            return Ok(found);
        }
    }
    Err(moved_on())
}

/// `None` when another checkpoint came in between.
async fn holdings_once(
    client: &Client,
    under: Option<Height>,
    accounts: &[Address],
) -> Result<Option<Found>, Failure> {
    let mut statement: Option<Statement> = None;
    let (mut places, mut unproven, mut ownerless) = (vec![], 0, 0);
    for account in accounts {
        let mut cursor = None;
        loop {
            let page = page_of(client, account, under, cursor).await?;
            let of = page.statement.ok_or_else(no_checkpoint)?;
            if *statement.get_or_insert_with(|| of.clone()) != of {
                return Ok(None);
            }
            for holding in page.holdings {
                match (holding.proof, holding.exit_address) {
                    (Some(proof), _) => places.push(KeptPlace {
                        place: proof.exit.place,
                        exit: Some(proof.exit),
                        siblings: proof.siblings,
                    }),
                    (None, Some(_)) => unproven += 1,
                    (None, None) => ownerless += 1,
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    let statement = statement.ok_or_else(no_checkpoint)?;
    let content = Content::Places(places);
    let given_up = withdrawals::gathered(client, Some(accounts), (under, &statement)).await?;
    Ok(given_up.map(|given_up| Found {
        statement,
        content,
        given_up,
        unproven,
        ownerless,
    }))
}

async fn page_of(
    client: &Client,
    account: &Address,
    under: Option<Height>,
    cursor: Option<String>,
) -> Result<Exits, Failure> {
    let page = PageQuery {
        cursor,
        limit: Some(PAGE_MAX),
    };
    Ok(client.exits(account, under, &page).await?)
}

/// All holdings of an account as they are now, whatever the checkpoints say.
pub async fn held(client: &Client, account: &Address) -> Result<Vec<Holding>, Failure> {
    let (mut holdings, mut cursor) = (vec![], None);
    loop {
        let page = page_of(client, account, None, cursor).await?;
        holdings.extend(page.holdings);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(holdings);
        }
    }
}

async fn whole(client: &Client, under: Option<Height>) -> Result<Found, Failure> {
    for _ in 0..ATTEMPTS_MAX {
        if let Some(found) = whole_once(client, under).await? {
            return Ok(found);
        }
    }
    Err(moved_on())
}

async fn whole_once(client: &Client, under: Option<Height>) -> Result<Option<Found>, Failure> {
    let mut statement: Option<Statement> = None;
    let (mut exits, mut cursor): (Vec<Exit>, _) = (vec![], None);
    loop {
        let page = PageQuery {
            cursor,
            limit: Some(PAGE_MAX),
        };
        let page = client.exit_tree(under, &page).await?;
        if *statement.get_or_insert_with(|| page.statement.clone()) != page.statement {
            return Ok(None);
        }
        exits.extend(page.exits);
        cursor = page.next;
        if cursor.is_none() {
            let given_up = withdrawals::gathered(client, None, (under, &page.statement)).await?;
            return Ok(given_up.map(|given_up| Found {
                statement: page.statement,
                content: Content::Whole(exits, page.places),
                given_up,
                unproven: 0,
                ownerless: 0,
            }));
        }
    }
}
