//! `weft masternode keys`, and the keys of a node for other verbs.

use crate::failure::Failure;
use crate::output::Output;
use crate::prompt;
use crate::values::lines;
use serde::Serialize;
use std::path::{Path, PathBuf};
use weft_keystore::{Kdf, Password};
use weft_node::{KeyError, KeyFiles, Keystores, Made, NodeConfig, NodeKeys};

#[derive(clap::Args)]
pub struct Keys {
    /// Folder of the node, made by `weft node init --no-keys`
    #[arg(long, value_name = "FOLDER")]
    node: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    /// What makes guessing the password slow: scrypt takes 256 MiB of memory for a second, at each start too
    #[arg(long, value_enum, default_value_t = Slow::Scrypt)]
    kdf: Slow,
}

#[derive(clap::Args)]
pub struct PasswordFile {
    /// File with the password of the node's keystores, which is asked for without it
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Slow {
    Scrypt,
    Pbkdf2,
}

#[derive(Serialize)]
struct Shown {
    folder: PathBuf,
    /// What was made now: `both`, `rest` of an attempt that was interrupted, or `nothing`.
    made: &'static str,
    vertex_key: String,
    finality_key: String,
}

pub fn run(arguments: &Keys, output: &Output) -> Result<(), Failure> {
    let config = NodeConfig::load(&arguments.node, &[]).map_err(|error| {
        Failure::usage(error).hint("add --no-keys to it: the keys come from here")
    })?;
    let keystores = Keystores::in_folder(&config.keys);
    let file = arguments.password.password_file.as_deref();
    let file = file.or(config.password_file.as_deref());
    let what = "the node's keys";
    let password = match KeyFiles::find(&config.keys) {
        Ok(None) => prompt::new_password(file, what, "--password-file")?,
        Ok(Some(KeyFiles::Plain)) => {
            let words = format!("there are plain keys in {} already", config.keys.display());
            return Err(Failure::usage(words).hint(
                "nothing was made: a key is never overwritten; choose another node's folder",
            ));
        }
        Ok(Some(KeyFiles::Keystores)) | Err(KeyError::Half { .. }) => {
            prompt::password(file, what, "--password-file")?
        }
        Err(error) => return Err(Failure::usage(error)),
    };
    let kdf = match arguments.kdf {
        Slow::Scrypt => Kdf::SCRYPT,
        Slow::Pbkdf2 => Kdf::PBKDF2,
    };
    let (keys, made) = keystores
        .make(&config.data, &password, kdf)
        .map_err(refused)?;
    let shown = Shown {
        folder: config.keys.clone(),
        made: match made {
            Made::Both => "both",
            Made::Rest => "rest",
            Made::Nothing => "nothing",
        },
        vertex_key: keys.vertex.public().to_string(),
        finality_key: hex::encode(keys.finality.public().to_bytes()),
    };
    output.data(&shown, |s| {
        lines(&[
            ("folder", s.folder.display().to_string()),
            ("vertex key", s.vertex_key.clone()),
            ("finality key", s.finality_key.clone()),
        ])
    })?;
    output.say(words(made));
    Ok(())
}

fn refused(error: KeyError) -> Failure {
    let lost = matches!(error, KeyError::Half { .. });
    let failure = Failure::usage(error);
    match lost {
        true => failure.hint(
            "nothing was made: another key in its place would not be the one that was bonded. Without a copy of it the seat \
             is lost, not the bond: `weft masternode exit`",
        ),
        false => failure,
    }
}

fn words(made: Made) -> &'static str {
    match made {
        Made::Both => {
            "Both keys are new. Keep a copy of the folder, and the password apart from it: without either the seat is lost, \
             not the bond. Never run two nodes with them: that is slashed."
        }
        Made::Rest => {
            "The vertex key was there, of an attempt that was interrupted; the finality key is new."
        }
        Made::Nothing => "Both keys were there, and the password opens them: nothing was made.",
    }
}

/// The keys of a node's folder, plain or with a password from wherever one is named.
pub fn of_node(config: &NodeConfig, password: &PasswordFile) -> Result<NodeKeys, Failure> {
    let found = KeyFiles::find(&config.keys).map_err(Failure::usage)?;
    let keys = match found {
        None => None,
        Some(KeyFiles::Plain) => NodeKeys::load(&config.keys).map_err(Failure::usage)?,
        Some(KeyFiles::Keystores) => {
            let file = password.password_file.as_deref();
            let password = node_password(file.or(config.password_file.as_deref()))?;
            let keystores = Keystores::in_folder(&config.keys);
            Some(keystores.open(&password).map_err(Failure::usage)?)
        }
    };
    keys.ok_or_else(|| {
        Failure::usage(format!("there are no keys in {}", config.keys.display()))
            .hint("`weft masternode keys` makes some")
    })
}

fn node_password(file: Option<&Path>) -> Result<Password, Failure> {
    prompt::password(file, "the node's keys", "--password-file")
}
