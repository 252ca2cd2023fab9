//! `weft collection`: collections, their editions, and whole catalogues of them.

mod policy;

use crate::content;
use crate::failure::Failure;
use crate::import;
use crate::network::Network;
use crate::output::{Output, fit, one_line, table};
use crate::sending::{Outcome, Sender};
use crate::values::{Paging, lines, more, proof};
use std::path::PathBuf;
use weft_types::api::{Collection, Edition, Page};
use weft_types::{
    CollectionId, ContentHash, EditionId, Millis, NewEdition, Operation, Sale, Trait,
};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Create a collection
    Create(Box<Create>),
    /// Show a collection
    Show(Show<CollectionId>),
    /// Print the proof of a collection under the newest certificate, for `weft verify`
    Proof(Show<CollectionId>),
    /// List collections
    List(List),
    /// Lay down when, for what and whether cards change hands, and what royalty is paid
    Policy(Box<policy::SetPolicy>),
    /// Say who mints, redeems and freezes beside you
    #[command(subcommand)]
    Role(policy::RoleCommand),
    /// Cards of a collection, of which copies are minted
    #[command(subcommand)]
    Edition(EditionCommand),
    /// Create an edition for each card of a catalogue (JSON, JSON lines or CSV)
    Import(import::Import),
    /// Give images and documents to the nodes, whose hashes editions or cards name
    Upload(content::Upload),
    /// Fetch an image or document by its hash, and check it
    Content(content::Get),
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
    #[command(flatten)]
    rules: policy::Rules,
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
    /// Those with words in name or description that begin so, whatever their case and accents
    #[arg(long, value_name = "WORDS")]
    search: Option<String>,
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
    /// Print the proof of an edition under the newest certificate, for `weft verify`
    Proof(Show<EditionId>),
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
    /// The image: its hash goes on the ledger, its bytes to the nodes
    #[arg(long, value_name = "FILE", conflicts_with = "image_hash")]
    image_file: Option<PathBuf>,
    /// More about the card, in the same way
    #[arg(long, value_name = "FILE", conflicts_with = "metadata_hash")]
    metadata_file: Option<PathBuf>,
    /// Your own key for the card
    #[arg(long, default_value = "")]
    reference: String,
    /// How often each of them is redeemed at a gate, if they are tickets
    #[arg(long, default_value_t = 0, value_name = "TIMES")]
    uses: u32,
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
            match arguments.rules.is_empty() {
                true => arguments.sender.send(create, output).await,
                false => policy::create(create, &arguments.rules, &arguments.sender, output).await,
            }
        }
        Command::Policy(arguments) => policy::set(*arguments, output).await,
        Command::Role(command) => policy::roles(command, output).await,
        Command::Show(arguments) => {
            let client = arguments.network.client()?;
            let collection = client.collection(&arguments.id).await?;
            output.data(&collection, shown)
        }
        Command::Proof(arguments) => {
            let client = arguments.network.client()?;
            let bundle = client.collection_proof(&arguments.id).await?;
            proof(&bundle, "collection", output)
        }
        Command::List(arguments) => {
            let client = arguments.network.client()?;
            let page = arguments.paging.query();
            let page = match &arguments.search {
                Some(words) => client.find_collections(words, &page).await?,
                None => client.collections(&page).await?,
            };
            output.data(&page, listed)
        }
        Command::Edition(command) => edition(command, output).await,
        Command::Import(arguments) => import::run(&arguments, output).await,
        Command::Upload(arguments) => content::upload(arguments, output).await,
        Command::Content(arguments) => content::get(arguments, output).await,
    }
}

async fn edition(command: EditionCommand, output: &Output) -> Result<(), Failure> {
    match command {
        EditionCommand::Create(arguments) => create_edition(*arguments, output).await,
        EditionCommand::Show(arguments) => {
            let client = arguments.network.client()?;
            let edition = client.edition(&arguments.id).await?;
            output.data(&edition, edition_shown)
        }
        EditionCommand::Proof(arguments) => {
            let client = arguments.network.client()?;
            let bundle = client.edition_proof(&arguments.id).await?;
            proof(&bundle, "edition", output)
        }
        EditionCommand::List(arguments) => {
            let client = arguments.network.client()?;
            let page = arguments.paging.query();
            let page = client.collection_editions(&arguments.collection, &page);
            output.data(&page.await?, editions_listed)
        }
    }
}

async fn create_edition(arguments: CreateEdition, output: &Output) -> Result<(), Failure> {
    let files = [arguments.image_file, arguments.metadata_file];
    let [image, metadata] = files.map(|path| {
        let path = path?;
        Some(content::loaded(&path).map(|file| (path, file)))
    });
    let (image, metadata) = (image.transpose()?, metadata.transpose()?);
    let hash = |file: &Option<(PathBuf, content::Loaded)>| file.as_ref().map(|(_, f)| f.hash);
    let create = Operation::CreateEdition(NewEdition {
        collection: arguments.collection,
        name: arguments.name,
        cap: arguments.cap,
        traits: arguments.traits,
        image: arguments.image,
        image_hash: arguments.image_hash.or(hash(&image)),
        metadata_hash: arguments.metadata_hash.or(hash(&metadata)),
        reference: arguments.reference,
        uses: arguments.uses,
    });
    let session = arguments.sender.session().await?;
    let outcome = session.send(vec![create], output).await?;
    output.data(&outcome, Outcome::text)?;
    for (path, file) in image.into_iter().chain(metadata) {
        let given = content::give(&session.client, &path, file).await;
        given.map_err(|failure| {
            failure.hint("the edition is there; send the file again with `weft collection upload`")
        })?;
    }
    Ok(())
}

pub fn shown(collection: &Collection) -> String {
    let mut pairs = vec![
        ("collection", collection.id.to_string()),
        ("name", one_line(&collection.name)),
        ("description", one_line(&collection.description)),
        ("creator", collection.creator.to_string()),
        ("editions", collection.editions.to_string()),
        ("items", of_cap(collection.issued, collection.item_cap)),
    ];
    pairs.extend(policy::shown(collection));
    lines(&pairs)
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
        ("frozen", frozen(edition.frozen)),
        ("uses of each", uses(edition.uses)),
        (
            "for sale",
            edition.sale.as_ref().map_or_else(String::new, sale),
        ),
    ])
}

fn uses(uses: u32) -> String {
    match uses {
        0 => String::new(),
        uses => uses.to_string(),
    }
}

fn sale(sale: &Sale) -> String {
    let mut words = format!("for {} each", sale.price);
    if sale.from != Millis::ZERO {
        words += &format!(", from {}", crate::time::utc(sale.from));
    }
    if sale.until != Millis::ZERO {
        words += &format!(", until {}", crate::time::utc(sale.until));
    }
    if let Some(list) = &sale.list {
        words += &format!(", to {} accounts of its list", list.count);
    } else if sale.by_permit {
        words += ", by permit";
    }
    words
}

/// What is said of a card or an edition that is frozen.
pub fn frozen(frozen: bool) -> String {
    let words = if frozen {
        "by a freezer of the collection"
    } else {
        ""
    };
    words.to_owned()
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

pub fn editions_listed(page: &Page<Edition>) -> String {
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
