//! `weft data`: bytes off the ledger, their hash and a quorum's word for them on it.

use crate::content::{loaded, save};
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::sending::{Outcome, Sender};
use crate::time;
use crate::values::{from_now, lines, proof};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;
use weft_client::{Client, ClientError, Gathering, Options};
use weft_types::api::Posted;
use weft_types::{
    Amount, Availability, AvailabilityCertificate, AvailabilitySignature, Committee, ContentHash,
    Member, MemberSet, Millis, Object, ObjectId, Operation, RETENTION_MAX,
};

/// How long what members sign is good: for the uploads and the transaction.
const SIGNED_FOR: Duration = Duration::from_secs(300);
/// Before the longest time that the ledger takes, so that no difference of clocks makes it longer.
const CLOCKS: Duration = Duration::from_secs(600);

#[derive(clap::Subcommand)]
pub enum Command {
    /// Give a file to a quorum of members, and record on the ledger that they have it
    Post(Post),
    /// Fetch posted data by their hash
    Get(Get),
    /// Print the proof that data are posted, or are not, for `weft verify`
    Proof(Proof),
}

#[derive(clap::Args)]
pub struct Post {
    /// 1 byte to 256 KiB; everybody can read it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How long it is kept, 30d at most, and then ten minutes less so that no clock makes it longer; each begun day costs
    #[arg(long = "for", value_name = "DURATION", value_parser = time::some)]
    lasts: Duration,
    /// Say what it would cost; nothing is given or sent
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Get {
    #[arg(value_name = "HASH")]
    hash: ContentHash,
    /// Write to this file; without it to stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Proof {
    #[arg(value_name = "HASH")]
    hash: ContentHash,
    #[command(flatten)]
    network: Network,
}

/// What `post --dry-run` says.
#[derive(Serialize)]
struct Price {
    hash: ContentHash,
    size: u64,
    until: Millis,
    /// No more than that.
    fee: Amount,
}

/// What `post` has done.
#[derive(Serialize)]
struct Done {
    hash: ContentHash,
    size: u64,
    until: Millis,
    /// Places in the committee.
    signers: MemberSet,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Done {
    fn text(&self) -> String {
        let posted = lines(&[
            ("hash", self.hash.to_string()),
            ("bytes", self.size.to_string()),
            ("kept until", time::utc(self.until)),
            ("members that have it", self.signers.len().to_string()),
        ]);
        format!("{posted}\n{}", self.outcome.text())
    }
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Post(arguments) => post(&arguments, output).await,
        Command::Get(arguments) => get(&arguments, output).await,
        Command::Proof(arguments) => {
            let client = arguments.network.client()?;
            let bundle = client.data_proof(&arguments.hash).await?;
            proof(&bundle, "record of posted data", output)
        }
    }
}

async fn post(arguments: &Post, output: &Output) -> Result<(), Failure> {
    let file = loaded(&arguments.file)?;
    let named = |words: &str| Failure::usage(format!("{}: {words}", arguments.file.display()));
    if file.bytes.is_empty() {
        return Err(named("is empty"));
    }
    let lasts = kept_for(arguments.lasts).ok_or_else(|| named("is kept for 30 days at most"))?;
    let session = arguments.sender.session().await?;
    let network = session.client.genesis().await?.network.id();
    let office = session.client.committee().await?;
    let committee = Committee::new(office.epoch, office.members).map_err(Failure::usage)?;
    let claim = Availability {
        epoch: office.epoch,
        hash: file.hash,
        size: file.bytes.len() as u64,
        until: from_now(lasts),
        by: from_now(SIGNED_FOR),
    };
    let recorded = recorded(&session.client, &file.hash).await;
    longer(recorded.as_ref(), claim.until)?;
    if let Some(posted) = &recorded {
        output.say(format_args!(
            "The data are posted already, and kept until {}: this makes it longer.",
            time::utc(posted.until)
        ));
    }
    if arguments.dry_run {
        let price = Price {
            hash: claim.hash,
            size: claim.size,
            until: claim.until,
            fee: session.body(vec![signed_by_all(claim, &committee)]).max_fee,
        };
        return output.data(&price, Price::text);
    }
    let mut gathering = Gathering::new(network, committee, claim);
    let mut failed = session.client.gather(&file.bytes, &mut gathering).await;
    if !gathering.is_complete() {
        // Those that the nodes named here are not.
        let urls: Vec<String> = gathering.missing().filter_map(url_of).collect();
        if !urls.is_empty() {
            let others = Client::with_options(urls, Options::default())?;
            failed.extend(others.gather(&file.bytes, &mut gathering).await);
        }
    }
    let certificate = gathering.certificate();
    let certificate = certificate.ok_or_else(|| too_few(&gathering, &failed))?;
    let signers = certificate.signers;
    let operation = Operation::PostData(certificate);
    let outcome = session.send(vec![operation], output).await?;
    let done = Done {
        hash: claim.hash,
        size: claim.size,
        until: claim.until,
        signers,
        outcome,
    };
    output.data(&done, Done::text)
}

impl Price {
    fn text(&self) -> String {
        lines(&[
            ("hash", self.hash.to_string()),
            ("bytes", self.size.to_string()),
            ("kept until", time::utc(self.until)),
            ("fee at most", self.fee.to_string()),
        ])
    }
}

/// The longest that an operation with this claim is, for its fee.
fn signed_by_all(claim: Availability, committee: &Committee) -> Operation {
    Operation::PostData(AvailabilityCertificate {
        claim,
        signers: committee.indices().collect(),
        signature: AvailabilitySignature([0; AvailabilitySignature::BYTES]),
    })
}

/// As the newest certified height has it; a node that does not say leaves it to the ledger.
async fn recorded(client: &Client, hash: &ContentHash) -> Option<Posted> {
    let bundle = client.data_proof(hash).await.ok()?;
    let value = hex::decode(bundle.value?).ok()?;
    let object = Object::decode(&ObjectId::Posted(*hash), value.into()).ok()?;
    object.as_posted().map(|posted| Posted::new(*hash, posted))
}

/// L55: posted again, it has the later end of both, so that an earlier one is paid for nothing.
fn longer(recorded: Option<&Posted>, until: Millis) -> Result<(), Failure> {
    match recorded.filter(|posted| until <= posted.until) {
        None => Ok(()),
        Some(posted) => {
            let words = format!(
                "the data are posted already, and kept until {}: {} changes nothing",
                time::utc(posted.until),
                time::utc(until)
            );
            Err(Failure::new(Kind::Refused, words)
                .hint("nothing was sent; name a longer time with --for"))
        }
    }
}

/// `None` when that is longer than the ledger takes.
fn kept_for(lasts: Duration) -> Option<Duration> {
    let longest = Duration::from_millis(RETENTION_MAX.0);
    (lasts <= longest).then(|| lasts.min(longest - CLOCKS))
}

/// Of a member's API, where the registry has one.
fn url_of(member: &Member) -> Option<String> {
    let mut addresses = member.addresses.split(',').map(str::trim);
    let url = addresses.find(|a| a.starts_with("http://") || a.starts_with("https://"));
    url.map(str::to_owned)
}

fn too_few(gathering: &Gathering, failed: &[ClientError]) -> Failure {
    let committee = gathering.committee();
    let words = format!(
        "members with a stake of {} have signed that they have the data, {} is needed",
        committee.stake_of(gathering.signers()),
        committee.quorum(),
    );
    let reasons = failed.iter().map(ToString::to_string);
    let words: Vec<String> = std::iter::once(words).chain(reasons).collect();
    Failure::new(Kind::Unreachable, words.join("\n  "))
        .hint("name more members with --url; nothing was sent, and nothing is to be paid")
}

/// What comes was held against its hash.
async fn get(arguments: &Get, output: &Output) -> Result<(), Failure> {
    let data = arguments.network.client()?.data(&arguments.hash).await;
    let bytes = data.map_err(|error| match error.is_not_found() {
        true => unknown(&arguments.hash, error.into()),
        false => error.into(),
    })?;
    match &arguments.out {
        Some(path) => save(path, &bytes),
        None => output.raw(&bytes),
    }
}

/// A node says how content is named; data are posted.
fn unknown(hash: &ContentHash, failure: Failure) -> Failure {
    failure.hint(format_args!(
        "they were never posted, or their time is over: `weft data proof {hash}` shows which the ledger has; `weft data post` posts them"
    ))
}

pub fn shown(posted: &Posted) -> String {
    lines(&[
        ("data", posted.hash.to_string()),
        ("bytes", posted.size.to_string()),
        ("kept until", time::utc(posted.until)),
        ("posted by", posted.poster.to_string()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_client::Draft;
    use weft_types::testing::{availability, committee, genesis, members, user};

    #[test]
    fn the_longest_time_leaves_room_for_clocks() {
        let day = Duration::from_secs(86_400);
        assert_eq!(kept_for(7 * day), Some(7 * day));
        assert_eq!(kept_for(30 * day), Some(30 * day - CLOCKS));
        assert_eq!(kept_for(30 * day + Duration::from_millis(1)), None);
    }

    #[test]
    fn what_is_kept_as_long_already_is_not_posted_again() {
        let posted = Posted {
            hash: availability().hash,
            size: 7,
            until: Millis(9_000),
            poster: user(1),
        };
        assert!(longer(None, Millis(1)).is_ok());
        assert!(longer(Some(&posted), Millis(9_001)).is_ok());
        let refused = longer(Some(&posted), Millis(9_000)).unwrap_err().message;
        assert!(refused.contains("1970-01-01 00:00:09Z"), "{refused}");
    }

    #[test]
    fn a_price_is_no_less_than_the_fee_of_what_a_quorum_signs() {
        let (draft, four, claim) = (Draft::new(&genesis(4)), committee(4), availability());
        let fee = |operation| draft.body(user(1), vec![operation]).max_fee;
        let Operation::PostData(mut certificate) = signed_by_all(claim, &four) else {
            panic!("data are posted");
        };
        let most = fee(signed_by_all(claim, &four));
        certificate.signers = four.indices().take(3).collect();
        let less = fee(Operation::PostData(certificate));
        assert!(less <= most && less.0 + 64 > most.0, "{less} of {most}");
    }

    #[test]
    fn a_members_url_is_that_of_its_addresses() {
        let mut member = members(1).remove(0);
        assert_eq!(url_of(&member), None);
        member.addresses = "/ip4/127.0.0.1/tcp/1, https://one.example".to_owned();
        assert_eq!(url_of(&member), Some("https://one.example".to_owned()));
    }
}
