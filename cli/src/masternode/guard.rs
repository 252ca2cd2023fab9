//! `weft masternode guard`: what a node's key has signed at most, as a file that another machine can take in.

use crate::failure::{Failure, Kind};
use crate::network::read_genesis;
use crate::output::Output;
use crate::values::lines;
use serde::Serialize;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use weft_keystore::files::write_private;
use weft_node::{NodeConfig, guard_file, public_vertex_key};
use weft_storage::{EXPORT_BYTES_MAX, GuardError, GuardExport, SigningGuard};
use weft_types::NetworkId;
use weft_types::ed25519::PublicKey;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Write down the highest that the key may have signed; the node must not run, and must not run again
    Export(Export),
    /// Forbid all that an export says, beside what is forbidden here already; the node must not run
    Import(Import),
}

#[derive(clap::Args)]
pub struct Export {
    /// Folder of the node
    #[arg(long, value_name = "FOLDER")]
    node: PathBuf,
    /// File to write; one that exists stays as it is
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(clap::Args)]
pub struct Import {
    /// File made by `weft masternode guard export`
    file: PathBuf,
    /// Folder of the node
    #[arg(long, value_name = "FOLDER")]
    node: PathBuf,
}

/// What a guard forbids.
#[derive(Serialize)]
struct Shown {
    guard: PathBuf,
    network: String,
    vertex_key: String,
    /// No vertex of this place or a lower one is signed; absent when nothing was ever signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    round: Option<u64>,
    /// No statement of this height or a lower one is signed.
    height: u64,
}

/// Whose guard it is.
struct Owner {
    guard: PathBuf,
    network: NetworkId,
    key: PublicKey,
}

impl Owner {
    fn of(folder: &Path) -> Result<Self, Failure> {
        let config = NodeConfig::load(folder, &[]).map_err(Failure::usage)?;
        let key = public_vertex_key(&config).map_err(Failure::usage)?;
        let key = key.ok_or_else(|| {
            Failure::usage(format!("there are no keys in {}", config.keys.display()))
                .hint("the guard belongs to a key: put the keys there first")
        })?;
        Ok(Self {
            guard: guard_file(&config),
            network: read_genesis(&config.genesis)?.network.id(),
            key,
        })
    }

    fn show(&self, export: &GuardExport, output: &Output) -> Result<(), Failure> {
        let place = export.floor.vertex;
        let shown = Shown {
            guard: self.guard.clone(),
            network: export.network.to_string(),
            vertex_key: export.vertex_key.to_string(),
            epoch: place.map(|(epoch, _)| epoch.0),
            round: place.map(|(_, round)| round.0),
            height: export.floor.height.0,
        };
        output.data(&shown, |s| {
            let number = |n: Option<u64>| n.map_or("none".to_owned(), |n| n.to_string());
            lines(&[
                ("guard", s.guard.display().to_string()),
                ("network", s.network.clone()),
                ("vertex key", s.vertex_key.clone()),
                ("epoch", number(s.epoch)),
                ("round", number(s.round)),
                ("height", s.height.to_string()),
            ])
        })
    }
}

pub fn run(command: &Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Export(arguments) => export(arguments, output),
        Command::Import(arguments) => import(arguments, output),
    }
}

fn export(arguments: &Export, output: &Output) -> Result<(), Failure> {
    let owner = Owner::of(&arguments.node)?;
    let guard = SigningGuard::open(&owner.guard, owner.network, owner.key);
    let mut guard = guard.map_err(|e| failure(&e))?;
    let export = guard.hand_over().map_err(|e| failure(&e))?;
    let text = format!("{}\n", export.to_json());
    write_private(&arguments.out, text.as_bytes()).map_err(Failure::usage)?;
    owner.show(&export, output)?;
    output.say(format_args!(
        "Do not start this node again: what it signed then would not be in {}. On the other machine: \
         weft masternode guard import",
        arguments.out.display()
    ));
    Ok(())
}

fn import(arguments: &Import, output: &Output) -> Result<(), Failure> {
    let owner = Owner::of(&arguments.node)?;
    let named =
        |e: &dyn std::fmt::Display| Failure::usage(format!("{}: {e}", arguments.file.display()));
    let mut text = Vec::new();
    let file = std::fs::File::open(&arguments.file).map_err(|e| named(&e))?;
    let read = file
        .take(EXPORT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut text);
    read.map_err(|e| named(&e))?;
    let export = GuardExport::from_json(&text).map_err(|e| named(&e))?;
    if let Some(folder) = owner.guard.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let guard = SigningGuard::import(&owner.guard, owner.network, owner.key, &export);
    owner.show(&guard.map_err(|e| failure(&e))?.export(), output)?;
    output.say(
        "Nothing at or below that is signed here. The node asks the others what they have seen of its key before it signs \
         above.",
    );
    Ok(())
}

fn failure(error: &GuardError) -> Failure {
    let kind = match error {
        GuardError::Io { .. } | GuardError::Write { .. } => Kind::Failed,
        _ => Kind::Usage,
    };
    let failure = Failure::new(kind, error);
    match error {
        GuardError::Locked(_) => failure.hint("end the node first"),
        GuardError::Missing(_) => {
            failure.hint("its keys have never signed here, or the guard is lost: then there is nothing to carry, and the node asks the others")
        }
        GuardError::Damaged { .. } => {
            failure.hint("the node finds out by itself what was signed, when it is started")
        }
        _ => failure,
    }
}
