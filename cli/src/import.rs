//! `weft collection import`: an edition for each card of a catalogue.
//!
//! Everything is read, mapped and checked before anything is sent. A card that cannot become an edition
//! is refused by its place, the rest is created; a file that cannot be read to its end is refused as a
//! whole. Running it again creates what is missing, and says what exists with other terms.

mod files;
mod journal;
mod mapping;
mod plan;
mod report;
mod send;
mod source;
mod target;

use crate::failure::{Failure, Kind};
use crate::output::Output;
use crate::sending::{Sender, Session};
use indicatif::{ProgressBar, ProgressStyle};
use journal::Journal;
use mapping::{Mapping, Source, Wanted};
use plan::{Plan, Refusal};
use report::Report;
use send::Done;
use source::Format;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;
use target::target;
use weft_types::hash::keccak;
use weft_types::{AssetId, CollectionId, OPERATIONS_MAX};

/// Longest catalogue, in bytes: it is held in memory some times over.
const CATALOGUE_BYTES_MAX: u64 = 256 << 20;

const EXAMPLES: &str = "\
Examples:
  weft collection import cards.json --name \"First set\" --dry-run
  weft collection import cards.csv --collection ID --delimiter tab --cap 500
  weft collection import cards.json --name \"First set\" \\
      --map 'name=name.en,image=https://cards.example/{image},reference={set}-{number},trait:Rarity=rarity'

The state file lists what was sent and the id of each edition by reference. Running the same command
again, after a failure or with a longer catalogue, creates what is missing and nothing twice. Exit code
4 says that lines were refused; all others were created.";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Import {
    /// The catalogue: JSON (an array of objects), JSON lines or CSV with a heading
    file: PathBuf,
    /// Collection to add to; you must have created it
    #[arg(long, value_name = "ID")]
    collection: Option<CollectionId>,
    /// Name of a new collection
    #[arg(long, conflicts_with = "collection")]
    name: Option<String>,
    /// Description of a new collection
    #[arg(long, default_value = "", conflicts_with = "collection")]
    description: String,
    /// Which field becomes what: name, image, cap, reference, image_hash, metadata_hash, metadata (a file,
    /// with --files) and trait:NAME, each from a FIELD (nested ones with dots), a template such as {set}-{number}, or @row for a digest
    /// of the row; what is not named is found by the usual names
    #[arg(
        long,
        value_name = "TARGET=FIELD,...",
        default_value = "",
        hide_default_value = true
    )]
    map: Wanted,
    /// Folder with the images and metadata that the catalogue names: their hashes become part of the editions,
    /// their bytes go to the nodes
    #[arg(long, value_name = "FOLDER")]
    files: Option<PathBuf>,
    /// Most copies of each card for which the catalogue has no figure
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    cap: u64,
    /// What the file is, where its name does not say
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Between the fields of CSV: one character, or `tab`
    #[arg(long, default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// Editions of one transaction
    #[arg(long, default_value_t = OPERATIONS_MAX as u64, value_parser = clap::value_parser!(u64).range(1..=OPERATIONS_MAX as u64))]
    batch: u64,
    /// State file; without it FILE.import
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Show what would be created and refused; send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    sender: Sender,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\n' | b'\r') => Ok(*one),
        _ => Err(format!("{text:?} is neither one ASCII character nor `tab`")),
    }
}

/// A catalogue that was read, with what it becomes of a collection still to be known.
struct Catalogue {
    rows: Vec<source::Row>,
    refused: Vec<Refusal>,
    mapping: Mapping,
    digest: [u8; 32],
}

pub async fn run(arguments: &Import, output: &Output) -> Result<(), Failure> {
    let begun = Instant::now();
    let catalogue = read(arguments)?;
    let mut report = Report {
        collection: arguments.collection,
        dry_run: arguments.dry_run,
        mapping: String::new(),
        cards: (catalogue.rows.len() + catalogue.refused.len()) as u64,
        created: 0,
        skipped: 0,
        uploaded: 0,
        differing: vec![],
        first_mapping: None,
        refused: vec![],
        left_out: BTreeMap::new(),
        fee: 0,
        seconds: 0.0,
        state: None,
    };
    let ended = match arguments.dry_run {
        true => {
            report.map(&catalogue.mapping, output);
            let plan = catalogue.plan(arguments, arguments.collection.unwrap_or_default());
            report.created = plan.cards.len() as u64;
            report.take(plan);
            Ok(())
        }
        false => import(arguments, catalogue, &mut report, output).await,
    };
    report.seconds = begun.elapsed().as_secs_f64();
    if ended.is_err() && report.created == 0 {
        return ended;
    }
    output.data(&report, Report::text)?;
    report.complain(output);
    if let Err(failure) = ended {
        output.failure(&failure);
        return Err(Failure::new(
            failure.kind,
            format_args!("{} of {} cards are created", report.created, report.cards),
        )
        .hint("the same command again goes on there, and creates nothing twice"));
    }
    report.verdict()
}

fn read(arguments: &Import) -> Result<Catalogue, Failure> {
    let path = &arguments.file;
    let named =
        |words: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {words}", path.display()));
    let file = File::open(path).map_err(|e| named(&e))?;
    let mut bytes = Vec::new();
    let read = file.take(CATALOGUE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|e| named(&e))?;
    if bytes.len() as u64 > CATALOGUE_BYTES_MAX {
        let words = format!("has more than {CATALOGUE_BYTES_MAX} bytes");
        return Err(named(&words).hint("divide it; the parts can go into one collection"));
    }
    let format = arguments
        .format
        .unwrap_or_else(|| Format::guess(path, &bytes));
    let rows = source::rows(path, &bytes, format, arguments.delimiter)?;
    let (rows, refused): (Vec<_>, Vec<_>) = rows.into_iter().partition(Result::is_ok);
    let rows: Vec<source::Row> = rows.into_iter().flatten().collect();
    let refused: Vec<Refusal> = refused.into_iter().filter_map(Result::err).collect();
    if rows.is_empty() {
        let first = refused.first().map(|r| format!(": {r}"));
        return Err(named(&format_args!(
            "has no cards{}",
            first.unwrap_or_default()
        )));
    }
    let mapping = Mapping::find(arguments.map.clone(), &rows, arguments.cap);
    Ok(Catalogue {
        mapping: mapping.map_err(|e| named(&e))?,
        rows,
        refused,
        digest: keccak(&[&bytes]),
    })
}

impl Catalogue {
    fn plan(self, arguments: &Import, collection: CollectionId) -> Plan {
        let mut plan = Plan::new(&self.rows, self.refused, &self.mapping, collection);
        if let Some(folder) = &arguments.files {
            files::attach(&mut plan, folder);
        }
        plan
    }
}

async fn import(
    arguments: &Import,
    mut catalogue: Catalogue,
    report: &mut Report,
    output: &Output,
) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let state = arguments.state.clone();
    let state = state.unwrap_or_else(|| beside(&arguments.file));
    let mut journal = Journal::open(&state)?;
    if let Some(header) = journal.header() {
        resume(arguments, &mut catalogue.mapping, &header.reference, &state)?;
    }
    report.map(&catalogue.mapping, output);
    let first = journal.header().and_then(|h| h.mapping.clone());
    report.first_mapping = first.filter(|first| *first != report.mapping);
    let collection = target(arguments, &session, &mut journal, &state, &catalogue).await?;
    report.collection = Some(collection);
    report.state = Some(state);

    if !journal.pending().is_empty() {
        output.say("An import was stopped here before: waiting for what it had sent.");
    }
    send::settle(&session, &mut journal).await?;
    let existing = send::existing(&session, &collection).await?;
    let mut plan = catalogue.plan(arguments, collection);
    let cards = std::mem::take(&mut plan.cards);
    report.take(plan);
    let (mut missing, mut given) = (Vec::new(), Vec::new());
    for mut card in cards {
        let files = std::mem::take(&mut card.files);
        match existing.get(&card.edition.reference) {
            None => {
                missing.push(card);
                given.extend(files);
            }
            Some(edition) => {
                report.skipped += 1;
                match send::is_same(edition, &card.edition) {
                    true => given.extend(files),
                    false => report.differing.push(card.edition.reference),
                }
            }
        }
    }

    let batches = send::divide(&session, &missing, arguments.batch as usize);
    can_pay(&session, send::fee(&session, &batches).0).await?;
    let bar = ProgressBar::new(missing.len() as u64);
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} editions, {per_sec}, {eta} to go");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut done = Done::default();
    let sent = send::create(&session, &batches, &mut journal, &bar, &mut done).await;
    bar.finish_and_clear();
    (report.created, report.fee) = (done.created, done.fee);
    sent?;
    let bar = ProgressBar::new(given.len() as u64);
    let uploaded = files::upload(&session, &given, &bar).await;
    bar.finish_and_clear();
    report.uploaded = uploaded?;
    Ok(())
}

/// Cards keep the references of the first run, even where rows that were added since would suggest
/// others: else all of them would be created again.
fn resume(
    arguments: &Import,
    mapping: &mut Mapping,
    reference: &str,
    state: &Path,
) -> Result<(), Failure> {
    let named = |words: &dyn std::fmt::Display| {
        let words = format!("state file {}: {words}", state.display());
        Failure::usage(words).hint("name another with --state FILE to begin anew")
    };
    let is: Source = reference.parse().map_err(|e: String| named(&e))?;
    if arguments.map.names_reference() && mapping.reference != is {
        let words = format!("cards are named by {is}, not by {}", mapping.reference);
        return Err(named(&words));
    }
    mapping.reference = is;
    Ok(())
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".import");
    PathBuf::from(name)
}

async fn can_pay(session: &Session, fee: u64) -> Result<(), Failure> {
    let account = session.client.account(&session.address).await?;
    let balance = account.balance(AssetId::NATIVE).0;
    if balance >= fee {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Refused,
        format_args!(
            "the import costs {fee}, and {} holds {balance}",
            session.address
        ),
    )
    .hint("fund it with `weft account fund`, or have somebody transfer to it"))
}
