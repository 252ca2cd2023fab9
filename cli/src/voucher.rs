//! `weft voucher`: blind vouchers of a fixed worth, from the issuer's pool to the account that spends one.

mod issuing;
mod journal;
mod kept;

use self::kept::{HiddenFile, PoolFile, Signed, VoucherFile, account_key};
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::sending::{Outcome, Sender, Session, signatory};
use crate::time;
use crate::values::{from_now, lines, proof};
use std::path::PathBuf;
use std::time::Duration;
use weft_client::Draft;
use weft_types::api::VoucherPool;
use weft_types::ed25519::SecretKey;
use weft_types::{
    Address, Amount, AssetId, Genesis, IssuerKey, Millis, NewVoucherPool, Operation, Payment,
    Transaction, TransactionBody, UserKey, VoucherKey, VoucherPoint, VoucherPoolId,
};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Open a pool of vouchers, with a new key that signs them and nothing else
    Pool(Pool),
    /// Cover vouchers of your pool, and sign what holders ask for, without seeing what it is
    Issue(issuing::Issue),
    /// Ask for a voucher: an account of its own, hidden from the issuer
    Blind(Blind),
    /// Make the voucher of the issuer's answer
    Unblind(Unblind),
    /// Spend a voucher, from its own account to any other
    Spend(Spend),
    /// Show a pool
    Show(Show),
    /// Print the proof that an account's voucher is spent, or is not, for `weft verify --voucher POOL:ACCOUNT`
    Proof(Proof),
}

/// How often, and how many times, it is looked whether a voucher that was refused is proven to be spent.
const PAUSE: Duration = Duration::from_millis(250);
const PROVEN_WITHIN: u32 = 6;

#[derive(clap::Args)]
pub struct Pool {
    /// What each voucher pays, in the smallest unit
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    denomination: u64,
    /// What they pay in; without it the native asset
    #[arg(long, value_name = "ID")]
    asset: Option<AssetId>,
    /// How long they can be spent; what is not spent by then is yours again
    #[arg(long, value_name = "DURATION", value_parser = time::some)]
    lasts: Duration,
    /// File for the blind key; one that exists is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
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
    #[command(flatten)]
    network: Network,
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

#[derive(clap::Args)]
pub struct Proof {
    #[arg(value_name = "POOL")]
    pool: VoucherPoolId,
    /// That the voucher is for, as `weft voucher unblind` has said
    #[arg(value_name = "ACCOUNT")]
    account: Address,
    #[command(flatten)]
    network: Network,
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Pool(arguments) => open(&arguments, output).await,
        Command::Issue(arguments) => issuing::issue(&arguments, output).await,
        Command::Blind(arguments) => blind(&arguments, output).await,
        Command::Unblind(arguments) => unblind(&arguments, output).await,
        Command::Spend(arguments) => spend(&arguments, output).await,
        Command::Show(arguments) => {
            let client = arguments.network.client()?;
            output.data(&client.voucher_pool(&arguments.pool).await?, shown)
        }
        Command::Proof(arguments) => {
            let client = arguments.network.client()?;
            let bundle = client.spent_voucher_proof(&arguments.pool, &arguments.account);
            proof(&bundle.await?, "mark of a spent voucher", output)
        }
    }
}

async fn open(arguments: &Pool, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let genesis = session.client.genesis().await?;
    let network = genesis.network.id();
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
    let (asset, worth) = (pool.asset, pool.denomination);
    if asset == AssetId::NATIVE
        && let Err(failure) = pays_its_fee(&genesis, pool.key, worth)
    {
        output.alarm(format_args!(
            "{}: who spends one needs somebody else for the fee (--sponsor).",
            failure.message
        ));
    }
    let outcome = session.send(vec![Operation::VoucherOpen(pool)], output);
    output.data(&outcome.await?, Outcome::text)
}

async fn blind(arguments: &Blind, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    let network = client.genesis().await?.network.id();
    let pool = client.voucher_pool(&arguments.pool).await?;
    if pool.key.pool() != arguments.pool {
        return Err(Failure::usage("the node names another key than the pool's"));
    }
    still_open(&pool, from_now(Duration::ZERO))
        .map_err(|failure| failure.hint("nothing was written"))?;
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

async fn unblind(arguments: &Unblind, output: &Output) -> Result<(), Failure> {
    let hidden: HiddenFile = kept::read_secret(&arguments.secret)?;
    let answer: Signed = kept::read(&arguments.signed)?;
    let voucher = hidden.unblind(&answer)?;
    kept::write_secret(&arguments.out, &voucher)?;
    output.say(format_args!(
        "{} is the voucher: whoever has the file can spend it. Wait for others to buy and spend before you do.",
        arguments.out.display(),
    ));
    let pool = voucher.key.pool();
    let asked = match arguments.network.client() {
        Ok(client) => client.voucher_pool(&pool).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    match asked {
        Ok(pool) => {
            if let Err(failure) = payable(&pool, false) {
                output.alarm(format_args!(
                    "It pays nothing as things are: {}.",
                    failure.message
                ));
            }
        }
        Err(_) => output.say(format_args!(
            "No node has said whether it is covered: `weft voucher show {pool}` does."
        )),
    }
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
    let operations = |amount| spending(file.key, file.voucher, arguments.to, pool.asset, amount);
    let transaction = match &arguments.sponsor {
        Some(path) => {
            let sponsor = signatory(Some(path), None)?;
            session.permitted(operations(pool.denomination), sponsor.as_ref())
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
    match session.send_signed(&transaction, output).await {
        Ok(outcome) => output.data(&outcome, Outcome::text),
        Err(refused) if refused.kind == Kind::Refused => {
            Err(spent_by_now(&session, &pool).await.unwrap_or(refused))
        }
        Err(failure) => Err(failure),
    }
}

/// What was spent a moment ago is proven at the next height, and refused at once, as an account that cannot pay its fee.
async fn spent_by_now(session: &Session, pool: &VoucherPool) -> Option<Failure> {
    for _ in 0..PROVEN_WITHIN {
        tokio::time::sleep(PAUSE).await;
        let proof = session
            .client
            .spent_voucher_proof(&pool.id, &session.address);
        if proof.await.ok()?.value.is_some() {
            return payable(pool, true).err();
        }
    }
    None
}

/// L52: by this machine's clock.
fn still_open(pool: &VoucherPool, now: Millis) -> Result<(), Failure> {
    match pool.ended || pool.ends <= now {
        false => Ok(()),
        true => Err(Failure::new(
            Kind::Refused,
            format_args!("the pool ended on {}", time::utc(pool.ends)),
        )),
    }
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

/// Whether spending one costs less than it pays.
fn pays_its_fee(genesis: &Genesis, key: VoucherKey, worth: Amount) -> Result<(), Failure> {
    let spender = UserKey::Ed25519(SecretKey::from_seed([0; 32]));
    let operations = |amount| {
        let voucher = VoucherPoint([0; VoucherPoint::BYTES]);
        spending(key, voucher, spender.address(), AssetId::NATIVE, amount)
    };
    by_itself(genesis, &Draft::new(genesis), &spender, worth, operations).map(|_| ())
}

fn spending(
    key: VoucherKey,
    voucher: VoucherPoint,
    to: Address,
    asset: AssetId,
    amount: Amount,
) -> Vec<Operation> {
    let payments = vec![Payment { to, asset, amount }];
    let items = vec![];
    vec![
        Operation::VoucherSpend { key, voucher },
        Operation::Transfer { payments, items },
    ]
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
    use weft_types::testing::{genesis, user};

    pub fn pool(issued: u64, spent: u64, ended: bool) -> VoucherPool {
        let key = weft_types::testing::issuer_key(1).public();
        VoucherPool {
            id: key.pool(),
            issuer: user(1),
            key,
            asset: AssetId::NATIVE,
            denomination: Amount(9_000),
            ends: Millis(1_000),
            issued,
            spent,
            cover: Amount(0),
            ended,
        }
    }

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
        let words = |pool, spent| payable(&pool, spent).unwrap_err().message;
        assert!(payable(&pool(2, 1, false), false).is_ok());
        assert!(words(pool(2, 1, false), true).contains("is spent"));
        assert!(words(pool(2, 1, true), false).contains("ended on"));
        assert!(words(pool(2, 2, false), false).contains("covered 2"));
    }

    #[test]
    fn a_pool_that_is_over_gives_no_more_vouchers() {
        assert!(still_open(&pool(2, 1, false), Millis(999)).is_ok());
        for (pool, now) in [(pool(2, 1, false), 1_000), (pool(2, 1, true), 1)] {
            let failure = still_open(&pool, Millis(now)).unwrap_err();
            assert!(failure.message.contains("ended on"), "{}", failure.message);
        }
    }

    #[test]
    fn what_a_voucher_pays_is_held_against_the_fee_of_spending_it() {
        let key = weft_types::testing::issuer_key(1).public();
        let pays = |worth| pays_its_fee(&genesis(4), key, Amount(worth));
        assert!(pays(100_000).is_ok());
        assert!(pays(10).unwrap_err().message.contains("costs"));
    }
}
