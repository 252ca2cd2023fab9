//! `weft voucher`: blind vouchers of a fixed worth, from the issuer's pool to the account that spends one.

mod kept;

use self::kept::{HiddenFile, PoolFile, Request, Signed, VoucherFile, account_key};
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::sending::{Outcome, Sender, Session};
use crate::time;
use crate::values::{from_now, lines};
use crate::wallet;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;
use weft_client::{Draft, Signer};
use weft_types::api::VoucherPool;
use weft_types::{
    Address, Amount, AssetId, Genesis, IssuerKey, NewVoucherPool, Operation, Payment, Transaction,
    TransactionBody, UserKey, VoucherPoolId,
};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Open a pool of vouchers, with a new key that signs them and nothing else
    Pool(Pool),
    /// Cover vouchers of your pool, and sign what holders ask for, without seeing what it is
    Issue(Issue),
    /// Ask for a voucher: an account of its own, hidden from the issuer
    Blind(Blind),
    /// Make the voucher of the issuer's answer
    Unblind(Unblind),
    /// Spend a voucher, from its own account to any other
    Spend(Spend),
    /// Show a pool
    Show(Show),
}

#[derive(clap::Args)]
pub struct Pool {
    /// What each voucher pays, in the smallest unit
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    denomination: u64,
    /// What they pay in; without it the native asset
    #[arg(long, value_name = "ID")]
    asset: Option<AssetId>,
    /// How long they can be spent; what is not spent by then is yours again
    #[arg(long, value_name = "DURATION", value_parser = time::parse)]
    lasts: Duration,
    /// File for the blind key; one that exists is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Issue {
    /// Requests of holders; each answer is written beside it, as FILE.signed
    #[arg(value_name = "FILE")]
    requests: Vec<PathBuf>,
    /// The pool's blind key, made by `weft voucher pool`
    #[arg(long, value_name = "FILE")]
    pool_key: PathBuf,
    /// Vouchers to cover now; without it as many as there are requests. Cover in large lots ahead of time, and 0 here, so
    /// that others cannot see when vouchers are sold
    #[arg(long, value_name = "COUNT")]
    cover: Option<u64>,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Blind {
    #[arg(value_name = "POOL")]
    pool: VoucherPoolId,
    /// File for what stays secret; one that exists is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// File for what the issuer is given
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Unblind {
    /// What stayed secret
    #[arg(value_name = "SECRET")]
    secret: PathBuf,
    /// The issuer's answer
    #[arg(value_name = "SIGNED")]
    signed: PathBuf,
    /// File for the voucher; one that exists is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(clap::Args)]
pub struct Spend {
    /// The voucher, made by `weft voucher unblind`
    #[arg(value_name = "FILE")]
    voucher: PathBuf,
    /// Who is paid; one that is known to be yours says that the voucher was
    #[arg(long, value_name = "ADDRESS")]
    to: Address,
    /// Key file of who pays the fee; without it the voucher does
    #[arg(long, value_name = "FILE")]
    sponsor: Option<PathBuf>,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Show {
    #[arg(value_name = "POOL")]
    pool: VoucherPoolId,
    #[command(flatten)]
    network: Network,
}

/// What `issue` has done.
#[derive(Serialize)]
struct Issued {
    pool: VoucherPoolId,
    covered: u64,
    signed: Vec<PathBuf>,
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Pool(arguments) => open(&arguments, output).await,
        Command::Issue(arguments) => issue(&arguments, output).await,
        Command::Blind(arguments) => blind(&arguments, output).await,
        Command::Unblind(arguments) => unblind(&arguments, output),
        Command::Spend(arguments) => spend(&arguments, output).await,
        Command::Show(arguments) => {
            let client = arguments.network.client()?;
            output.data(&client.voucher_pool(&arguments.pool).await?, shown)
        }
    }
}

async fn open(arguments: &Pool, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let network = session.client.genesis().await?.network.id();
    let key = IssuerKey::from_entropy(&rand::random());
    // Before the pool is there: a pool whose key is lost locks nothing, but is of no use.
    kept::write_secret(&arguments.out, &PoolFile::new(network, &key))?;
    let pool = NewVoucherPool {
        key: key.public(),
        proof: key.prove(network, session.address),
        asset: arguments.asset.unwrap_or(AssetId::NATIVE),
        denomination: Amount(arguments.denomination),
        ends: from_now(arguments.lasts),
    };
    let outcome = session.send(vec![Operation::VoucherOpen(pool)], output);
    output.data(&outcome.await?, Outcome::text)
}

async fn issue(arguments: &Issue, output: &Output) -> Result<(), Failure> {
    let file: PoolFile = kept::read_secret(&arguments.pool_key)?;
    let key = file.key()?;
    let public = key.public();
    let mut answers = Vec::new();
    // All of them before anything is covered.
    for path in &arguments.requests {
        let request: Request = kept::read(path)?;
        if (request.network, request.key) != (file.network, public) {
            let words = format!("{} asks another pool", path.display());
            return Err(Failure::usage(words));
        }
        let signed = key.sign(&request.blinded).map_err(Failure::usage)?;
        let answer = Signed {
            network: request.network,
            key: request.key,
            signed,
        };
        answers.push((path.with_added_extension("signed"), answer));
    }
    let pool = public.pool();
    let count = arguments.cover.unwrap_or(answers.len() as u64);
    if count > 0 {
        let session = arguments.sender.session().await?;
        let cover = Operation::VoucherIssue { pool, count };
        session.send(vec![cover], output).await?;
    }
    for (path, answer) in &answers {
        kept::write(path, answer)?;
    }
    let issued = Issued {
        pool,
        covered: count,
        signed: answers.into_iter().map(|(path, _)| path).collect(),
    };
    output.data(&issued, |issued| {
        let mut pairs = vec![
            ("pool", issued.pool.to_string()),
            ("covered", issued.covered.to_string()),
        ];
        let signed = issued.signed.iter();
        pairs.extend(signed.map(|path| ("signed", path.display().to_string())));
        lines(&pairs)
    })
}

async fn blind(arguments: &Blind, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    let network = client.genesis().await?.network.id();
    let pool = client.voucher_pool(&arguments.pool).await?;
    if pool.key.pool() != arguments.pool {
        return Err(Failure::usage("the node names another key than the pool's"));
    }
    let hidden = HiddenFile::draw(network, pool.key);
    let request = hidden.request()?;
    kept::write_secret(&arguments.out, &hidden)?;
    kept::write(&arguments.request, &request)?;
    output.say(format_args!(
        "Give {} to the issuer, and keep {} to yourself.\nAt most {} vouchers of this pool are not spent yet: with fewer than a few others yours is easily guessed.",
        arguments.request.display(),
        arguments.out.display(),
        pool.issued - pool.spent.min(pool.issued),
    ));
    output.data(&request, |request| {
        lines(&[("blinded", request.blinded.to_string())])
    })
}

fn unblind(arguments: &Unblind, output: &Output) -> Result<(), Failure> {
    let hidden: HiddenFile = kept::read_secret(&arguments.secret)?;
    let answer: Signed = kept::read(&arguments.signed)?;
    let voucher = hidden.unblind(&answer)?;
    kept::write_secret(&arguments.out, &voucher)?;
    output.say(format_args!(
        "{} is the voucher: whoever has the file can spend it. Wait for others to buy and spend before you do.",
        arguments.out.display(),
    ));
    let account = account_key(&voucher.account_key)?.address();
    output.data(&account, |account| {
        lines(&[("account", account.to_string())])
    })
}

async fn spend(arguments: &Spend, output: &Output) -> Result<(), Failure> {
    let file: VoucherFile = kept::read_secret(&arguments.voucher)?;
    let key = account_key(&file.account_key)?;
    let session = Session::by_key(arguments.network.client()?, key.clone()).await?;
    let genesis = session.client.genesis().await?;
    if genesis.network.id() != file.network {
        return Err(Failure::usage("the voucher is of another network"));
    }
    let pool = session.client.voucher_pool(&file.key.pool()).await?;
    let proof = session
        .client
        .spent_voucher_proof(&pool.id, &session.address);
    payable(&pool, proof.await?.value.is_some())?;
    let operations = |amount| {
        let voucher = Operation::VoucherSpend {
            key: file.key,
            voucher: file.voucher,
        };
        let payment = Payment {
            to: arguments.to,
            asset: pool.asset,
            amount,
        };
        let payments = vec![payment];
        let items = vec![];
        vec![voucher, Operation::Transfer { payments, items }]
    };
    let transaction = match &arguments.sponsor {
        Some(path) => {
            let sponsor = wallet::read(path)?;
            sponsored(
                &session.draft,
                &key,
                &sponsor,
                operations(pool.denomination),
            )
        }
        None if pool.asset != AssetId::NATIVE => {
            return Err(
                Failure::usage("fees are not paid in what this voucher pays")
                    .hint("let somebody else pay the fee: --sponsor FILE"),
            );
        }
        None => by_itself(
            &genesis,
            &session.draft,
            &key,
            pool.denomination,
            operations,
        )?,
    };
    let outcome = session.send_signed(&transaction, output).await?;
    output.data(&outcome, Outcome::text)
}

/// What a voucher that pays nothing any more would be told as an account that cannot pay its fee.
fn payable(pool: &VoucherPool, spent: bool) -> Result<(), Failure> {
    let words = match (spent, pool.ended, pool.spent >= pool.issued) {
        (true, ..) => "the voucher is spent".to_owned(),
        (_, true, _) => format!("the pool ended on {}", time::utc(pool.ends)),
        (.., true) => format!(
            "the issuer has covered {} vouchers, and all of them are paid",
            pool.issued
        ),
        _ => return Ok(()),
    };
    Err(Failure::new(Kind::Refused, words).hint("nothing was sent"))
}

fn sponsored(
    draft: &Draft,
    key: &UserKey,
    sponsor: &UserKey,
    operations: Vec<Operation>,
) -> Transaction {
    let draft = draft.clone().sponsored_by(sponsor.address());
    let signers: Vec<Signer> = [key, sponsor].map(|k| k.scheme().into()).to_vec();
    let body = draft.body_signed_by(key.address(), operations, &signers);
    body.sign_for(&[(key, key.address()), (sponsor, sponsor.address())])
}

/// Pays on all that the fee leaves, so that nothing remains of the account.
fn by_itself(
    genesis: &Genesis,
    draft: &Draft,
    key: &UserKey,
    worth: Amount,
    operations: impl Fn(Amount) -> Vec<Operation>,
) -> Result<Transaction, Failure> {
    let body = draft.body_by(key, operations(worth));
    let fees = &genesis.template.params.fees;
    // Of the longest numbers; shorter ones make it less, and that is tried as long as it holds.
    let mut fee = fees.of(&body.sign_for(&[(key, body.sender)]));
    let mut found = None;
    while let Some(left) = worth.checked_sub(fee.0).filter(|left| *left > Amount::ZERO) {
        let body = TransactionBody {
            max_fee: fee,
            operations: operations(left),
            ..body.clone()
        };
        let transaction = body.sign_for(&[(key, body.sender)]);
        let exact = fees.of(&transaction);
        if exact <= fee {
            found = Some(transaction);
        }
        if exact >= fee {
            break;
        }
        fee = exact;
    }
    found.ok_or_else(|| {
        let words = format!("the voucher pays {worth}, and spending it costs {fee}");
        Failure::usage(words).hint("let somebody else pay the fee: --sponsor FILE")
    })
}

pub fn shown(pool: &VoucherPool) -> String {
    lines(&[
        ("voucher pool", pool.id.to_string()),
        ("issuer", pool.issuer.to_string()),
        ("key", pool.key.to_string()),
        ("asset", pool.asset.to_string()),
        ("each pays", pool.denomination.to_string()),
        ("ends", time::utc(pool.ends)),
        ("covered", pool.issued.to_string()),
        ("spent", pool.spent.to_string()),
        ("holds", pool.cover.to_string()),
        ("ended", if pool.ended { "yes" } else { "no" }.to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::ed25519::SecretKey;
    use weft_types::testing::{genesis, user};

    #[test]
    fn what_a_voucher_pays_on_and_its_fee_are_all_that_it_is_worth() {
        let genesis = genesis(4);
        let (draft, key) = (
            Draft::new(&genesis),
            UserKey::Ed25519(SecretKey::from_seed([5; 32])),
        );
        let operations = |amount| {
            let payment = Payment {
                to: user(1),
                asset: AssetId::NATIVE,
                amount,
            };
            vec![Operation::Transfer {
                payments: vec![payment],
                items: vec![],
            }]
        };
        // Around where an amount takes a byte more.
        for worth in (500..600).chain(16_500..17_200).map(Amount) {
            let made = by_itself(&genesis, &draft, &key, worth, operations);
            let transaction = made.expect("it is worth more than the fee");
            let fee = genesis.template.params.fees.of(&transaction);
            let Operation::Transfer { payments, .. } = &transaction.body().operations[0] else {
                panic!("one payment");
            };
            let paid = payments[0].amount;
            assert!(paid.0 + fee.0 <= worth.0, "{paid} and {fee} of {worth}");
            assert!(paid.0 + fee.0 + 2 > worth.0, "{paid} and {fee} of {worth}");
            assert!(fee <= transaction.body().max_fee);
        }
        let little = by_itself(&genesis, &draft, &key, Amount(200), operations);
        assert!(little.err().unwrap().message.contains("costs"));
    }

    #[test]
    fn a_voucher_that_pays_nothing_is_refused_with_the_reason() {
        let key = weft_types::testing::issuer_key(1).public();
        let pool = |issued, spent, ended| VoucherPool {
            id: key.pool(),
            issuer: user(1),
            key,
            asset: AssetId::NATIVE,
            denomination: Amount(9_000),
            ends: weft_types::Millis(1),
            issued,
            spent,
            cover: Amount(0),
            ended,
        };
        let words = |pool, spent| payable(&pool, spent).unwrap_err().message;
        assert!(payable(&pool(2, 1, false), false).is_ok());
        assert!(words(pool(2, 1, false), true).contains("is spent"));
        assert!(words(pool(2, 1, true), false).contains("ended on"));
        assert!(words(pool(2, 2, false), false).contains("covered 2"));
    }
}
