//! Images and metadata: bytes beside the ledger, which has their hashes.

use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::{Output, fit, table};
use bytes::Bytes;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use weft_client::Client;
use weft_types::api::Content;
use weft_types::{CONTENT_BYTES_MAX, ContentHash, EditionId};

#[derive(clap::Args)]
pub struct Upload {
    /// Images or documents whose hashes the ledger names, of 256 KiB at most
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Send only what is the image or metadata of this edition
    #[arg(long, value_name = "ID")]
    edition: Option<EditionId>,
    /// Print the hashes, for an edition's terms; send nothing
    #[arg(long, conflicts_with = "edition")]
    dry_run: bool,
    #[command(flatten)]
    network: Network,
}

#[derive(clap::Args)]
pub struct Get {
    hash: ContentHash,
    /// Write to this file; without it to stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    network: Network,
}

/// A file as nodes take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    pub hash: ContentHash,
    pub bytes: Bytes,
}

/// Reads a file that is no longer than content may be.
pub fn load(path: &Path) -> Result<Loaded, String> {
    let named = |words: &dyn std::fmt::Display| format!("{}: {words}", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| named(&e))?;
    let read = file
        .take(CONTENT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes);
    read.map_err(|e| named(&e))?;
    if bytes.len() > CONTENT_BYTES_MAX {
        return Err(named(&format_args!(
            "has more than {CONTENT_BYTES_MAX} bytes, the most that nodes store"
        )));
    }
    Ok(Loaded {
        hash: ContentHash::of(&bytes),
        bytes: bytes.into(),
    })
}

/// The same, where only files can be wrong.
pub fn loaded(path: &Path) -> Result<Loaded, Failure> {
    load(path).map_err(Failure::usage)
}

/// Writes a new file.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = File::create_new(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|e| Failure::usage(format_args!("{}: {e}", path.display())))
}

/// Gives content to the nodes, and says which file it is that they refuse.
pub async fn give(client: &Client, path: &Path, content: Loaded) -> Result<Content, Failure> {
    client.upload(content.bytes).await.map_err(|error| {
        let mut failure = Failure::from(error);
        failure.message = format!("{}: {}", path.display(), failure.message);
        failure
    })
}

pub async fn upload(arguments: Upload, output: &Output) -> Result<(), Failure> {
    let files = arguments.files.iter();
    let files: Vec<(&PathBuf, Loaded)> = files
        .map(|path| Ok((path, loaded(path)?)))
        .collect::<Result<_, Failure>>()?;
    if arguments.dry_run {
        let hashes: Vec<_> = files.iter().map(|(path, f)| (*path, f.hash)).collect();
        return output.data(&hashes, |hashes| {
            let line =
                |(path, hash): &(&PathBuf, ContentHash)| format!("{hash}  {}", path.display());
            hashes.iter().map(line).collect::<Vec<_>>().join("\n")
        });
    }
    let client = arguments.network.client()?;
    if let Some(id) = arguments.edition {
        let edition = client.edition(&id).await?;
        let named = [edition.image_hash, edition.metadata_hash];
        if let Some((path, file)) = files.iter().find(|(_, f)| !named.contains(&Some(f.hash))) {
            let words = format!(
                "{}: edition {id} names nothing of hash {}",
                path.display(),
                file.hash
            );
            return Err(Failure::new(Kind::Refused, words).hint("nothing was sent"));
        }
    }
    let mut stored = Vec::with_capacity(files.len());
    let mut refused = None;
    for (path, file) in files {
        match give(&client, path, file).await {
            Ok(content) => stored.push(content),
            Err(failure) => refused = refused.or(Some(failure)),
        }
    }
    if !stored.is_empty() {
        output.data(&stored, |stored| listed(stored))?;
    }
    refused.map_or(Ok(()), Err)
}

fn listed(stored: &[Content]) -> String {
    let mut table = table(&["hash", "bytes", "type"]);
    for content in stored {
        table.add_row([
            content.hash.to_string(),
            content.bytes.to_string(),
            content.media_type.clone(),
        ]);
    }
    fit(&table)
}

/// What comes was held against its hash.
pub async fn get(arguments: Get, output: &Output) -> Result<(), Failure> {
    let client = arguments.network.client()?;
    let bytes = client.content(&arguments.hash).await?;
    match &arguments.out {
        Some(path) => save(path, &bytes),
        None => output.raw(&bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_what_nodes_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("card.png");
        save(&path, &vec![7; CONTENT_BYTES_MAX]).unwrap();
        let file = load(&path).unwrap();
        assert_eq!(file.hash, ContentHash::of(&file.bytes));
        assert!(save(&path, b"again").is_err(), "nothing is written over");
        let longer = folder.path().join("poster.png");
        save(&longer, &vec![7; CONTENT_BYTES_MAX + 1]).unwrap();
        assert!(load(&longer).unwrap_err().contains("poster.png"));
    }
}
