//! `weft collection`: collections, their editions, and whole catalogues of them.

use crate::failure::Failure;
use crate::import;
use crate::network::Network;
use crate::output::{Output, fit, one_line, table};
use crate::sending::Sender;
use crate::values::{Paging, lines, more};
use weft_types::api::{Collection, Edition, Page};
use weft_types::{CollectionId, ContentHash, EditionId, NewEdition, Operation, Trait};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Create a collection
    Create(Create),
    /// Show a collection
    Show(Show<CollectionId>),
    /// List collections
    List(List),
    /// Cards of a collection, of which copies are minted
    #[command(subcommand)]
    Edition(EditionCommand),
    /// Create an edition for each card of a catalogue (JSON, JSON lines or CSV)
    Import(import::Import),
}

#[derive(clap::Args)]
pub struct Create {
    /// Shown to people
    #[arg(long)]
    name: String,
    /// Shown to people
    #[arg(long, default_value = "")]
    description: String,
    /// Most items that can ever be issued; 0 leaves it to the editions
    #[arg(long, default_value_t = 0)]
    item_cap: u64,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Show<Id: std::str::FromStr + Clone + Send + Sync + 'static>
where
    Id::Err: std::error::Error + Send + Sync + 'static,
{
    #[arg(value_parser = parse::<Id>)]
    id: Id,
    #[command(flatten)]
    network: Network,
}

fn parse<Id: std::str::FromStr>(text: &str) -> Result<Id, Id::Err> {
    text.parse()
}

#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Subcommand)]
pub enum EditionCommand {
    /// Create an edition
    Create(Box<CreateEdition>),
    /// Show an edition
    Show(Show<EditionId>),
    /// List the editions of a collection, in the order of creation
    List(ListEditions),
}

#[derive(clap::Args)]
pub struct CreateEdition {
    #[arg(long, value_name = "ID")]
    collection: CollectionId,
    /// Shown to people
    #[arg(long)]
    name: String,
    /// Most copies that can ever be minted
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    cap: u64,
    /// A property of the card; repeat it for more
    #[arg(long = "trait", value_name = "NAME=VALUE", value_parser = name_and_value)]
    traits: Vec<Trait>,
    /// URL or path of the image
    #[arg(long, default_value = "")]
    image: String,
    /// Hash of the image, 32 bytes in hexadecimal
    #[arg(long, value_name = "HASH")]
    image_hash: Option<ContentHash>,
    /// Hash of more about the card, 32 bytes in hexadecimal
    #[arg(long, value_name = "HASH")]
    metadata_hash: Option<ContentHash>,
    /// Your own key for the card
    #[arg(long, default_value = "")]
    reference: String,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct ListEditions {
    collection: CollectionId,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    network: Network,
}

fn name_and_value(text: &str) -> Result<Trait, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok(Trait {
            name: name.to_owned(),
            value: value.to_owned(),
        }),
        _ => Err(format!("{text:?} is not NAME=VALUE")),
    }
}

pub async fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Create(arguments) => {
            let create = Operation::CreateCollection {
                name: arguments.name,
                description: arguments.description,
                item_cap: arguments.item_cap,
            };
            arguments.sender.send(create, output).await
        }
        Command::Show(arguments) => {
            let client = arguments.network.client()?;
            let collection = client.collection(&arguments.id).await?;
            output.data(&collection, shown)
        }
        Command::List(arguments) => {
            let client = arguments.network.client()?;
            let page = client.collections(&arguments.paging.query()).await?;
            output.data(&page, listed)
        }
        Command::Edition(command) => edition(command, output).await,
        Command::Import(arguments) => import::run(&arguments, output).await,
    }
}

async fn edition(command: EditionCommand, output: &Output) -> Result<(), Failure> {
    match command {
        EditionCommand::Create(arguments) => {
            let create = Operation::CreateEdition(NewEdition {
                collection: arguments.collection,
                name: arguments.name,
                cap: arguments.cap,
                traits: arguments.traits,
                image: arguments.image,
                image_hash: arguments.image_hash,
                metadata_hash: arguments.metadata_hash,
                reference: arguments.reference,
            });
            arguments.sender.send(create, output).await
        }
        EditionCommand::Show(arguments) => {
            let client = arguments.network.client()?;
            let edition = client.edition(&arguments.id).await?;
            output.data(&edition, edition_shown)
        }
        EditionCommand::List(arguments) => {
            let client = arguments.network.client()?;
            let page = arguments.paging.query();
            let page = client.collection_editions(&arguments.collection, &page);
            output.data(&page.await?, editions_listed)
        }
    }
}

pub fn shown(collection: &Collection) -> String {
    lines(&[
        ("collection", collection.id.to_string()),
        ("name", one_line(&collection.name)),
        ("description", one_line(&collection.description)),
        ("creator", collection.creator.to_string()),
        ("editions", collection.editions.to_string()),
        ("items", of_cap(collection.issued, collection.item_cap)),
    ])
}

pub fn edition_shown(edition: &Edition) -> String {
    let traits = edition
        .traits
        .iter()
        .map(|t| one_line(&format!("{}={}", t.name, t.value)));
    let hash = |hash: Option<ContentHash>| hash.map_or_else(String::new, |h| h.to_string());
    lines(&[
        ("edition", edition.id.to_string()),
        ("name", one_line(&edition.name)),
        ("collection", edition.collection.to_string()),
        ("reference", one_line(&edition.reference)),
        ("minted", of_cap(edition.issued, edition.cap)),
        ("traits", traits.collect::<Vec<_>>().join(", ")),
        ("image", one_line(&edition.image)),
        ("image hash", hash(edition.image_hash)),
        ("metadata hash", hash(edition.metadata_hash)),
    ])
}

fn of_cap(issued: u64, cap: u64) -> String {
    match cap {
        0 => format!("{issued}, no cap"),
        cap => format!("{issued} of {cap}"),
    }
}

fn listed(page: &Page<Collection>) -> String {
    let mut table = table(&["collection", "name", "editions", "items"]);
    for collection in &page.items {
        table.add_row([
            collection.id.to_string(),
            one_line(&collection.name),
            collection.editions.to_string(),
            of_cap(collection.issued, collection.item_cap),
        ]);
    }
    format!("{}{}", fit(&table), more(page))
}

fn editions_listed(page: &Page<Edition>) -> String {
    let mut table = table(&["edition", "reference", "name", "minted"]);
    for edition in &page.items {
        table.add_row([
            edition.id.to_string(),
            one_line(&edition.reference),
            one_line(&edition.name),
            of_cap(edition.issued, edition.cap),
        ]);
    }
    format!("{}{}", fit(&table), more(page))
}
