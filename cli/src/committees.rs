//! `weft committees`: who was in office in each epoch, for who checks proofs of later epochs without a network. The file
//! holds the ends of epochs, and is checked from the genesis on whenever it is read: it can be short, and never wrong.

use crate::failure::{Failure, Kind};
use crate::network::{Network, read_genesis, same_network};
use crate::output::Output;
use crate::values::lines;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use weft_client::Client;
use weft_client::verify::Committees;
use weft_types::api::EpochEnd;
use weft_types::{Epoch, Genesis, NetworkId};

/// Longest file in bytes: a year of days with 128 members each is a third of it.
const BYTES_MAX: u64 = 64 << 20;

/// For who has a proof of an epoch that is not known.
pub const LATER_COMMITTEES: &str =
    "`weft committees` makes a file of later committees, for --committees";

#[derive(clap::Args)]
#[command(after_help = "\
Each committee signs which one follows it, from that of the genesis on: no node has to be trusted. The file knows the
epochs that were over when it was made; later ones need another.")]
pub struct Download {
    /// `genesis.json` of the network, from a source that you trust
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    network: Network,
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Kept {
    network: NetworkId,
    /// Of epoch 0 and those after it.
    ends: Vec<EpochEnd>,
}

/// Up to whom it goes.
#[derive(Serialize)]
struct Told {
    network: NetworkId,
    epoch: Epoch,
    members: usize,
}

pub async fn download(arguments: &Download, output: &Output) -> Result<(), Failure> {
    let genesis = read_genesis(&arguments.genesis)?;
    let client = arguments.network.client()?;
    let network = genesis.network.id();
    same_network(&client, &genesis).await?;
    let (committees, ends) = follow(&client, &genesis).await?;
    let kept = serde_json::to_vec(&Kept { network, ends }).map_err(std::io::Error::from)?;
    let out = &arguments.out;
    let named = |e: std::io::Error| Failure::usage(format_args!("{}: {e}", out.display()));
    std::fs::write(out, kept).map_err(named)?;
    let newest = committees.newest();
    let told = Told {
        network,
        epoch: newest.epoch(),
        members: newest.size(),
    };
    output.data(&told, |told| {
        lines(&[
            ("network", told.network.to_string()),
            ("newest epoch", told.epoch.to_string()),
            ("members then", told.members.to_string()),
        ])
    })
}

/// All committees up to the one in office, as a network that is there shows them, and what they follow from.
pub async fn follow(
    client: &Client,
    genesis: &Genesis,
) -> Result<(Committees, Vec<EpochEnd>), Failure> {
    let mut committees = Committees::genesis(genesis).map_err(Failure::usage)?;
    let in_office = client.committee().await?.epoch;
    let mut ends = Vec::new();
    while committees.newest().epoch() < in_office {
        let epoch = committees.newest().epoch();
        let end = match client.epoch_end(epoch).await {
            Err(error) if error.is_not_found() => {
                let words = format_args!("the node no longer has the end of epoch {epoch}");
                return Err(Failure::new(Kind::Refused, words).hint("name another with --url"));
            }
            end => end?,
        };
        committees.follow(&end).map_err(|error| {
            let words = format_args!("the end of epoch {epoch} proves nothing: {error}");
            Failure::new(Kind::Invalid, words).hint("do not trust the node that it is from")
        })?;
        ends.push(end);
    }
    Ok((committees, ends))
}

/// The genesis' committee, and those in a file if there is one.
pub fn known(genesis: &Genesis, file: Option<&Path>) -> Result<Committees, Failure> {
    let mut committees = Committees::genesis(genesis).map_err(Failure::usage)?;
    let Some(path) = file else {
        return Ok(committees);
    };
    let wrong = |kind, why: &dyn std::fmt::Display| {
        Failure::new(kind, format_args!("{}: {why}", path.display()))
            .hint("make it anew with `weft committees`")
    };
    let length = std::fs::metadata(path).map_err(|e| wrong(Kind::Usage, &e))?;
    if length.len() > BYTES_MAX {
        return Err(wrong(Kind::Usage, &"it is too long for committees"));
    }
    let text = std::fs::read(path).map_err(|e| wrong(Kind::Usage, &e))?;
    let kept: Kept = serde_json::from_slice(&text).map_err(|e| wrong(Kind::Usage, &e))?;
    if kept.network != genesis.network.id() {
        let words = "it is of another network than the genesis";
        return Err(wrong(Kind::Usage, &words));
    }
    for end in &kept.ends {
        committees.follow(end).map_err(|error| {
            let words = format_args!("the end of epoch {}: {error}", committees.newest().epoch());
            wrong(Kind::Invalid, &words)
        })?;
    }
    Ok(committees)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use weft_types::{Committee, Statement, testing};

    /// A file of so many ends, in which the same members go on.
    pub fn written(path: &Path, ends: u64) {
        let genesis = testing::genesis(4);
        let members = testing::committee(4).members().to_vec();
        let end = |epoch: u64| {
            let next = Committee::new(Epoch(epoch + 1), members.clone()).unwrap();
            let statement = Statement {
                network: genesis.network,
                epoch: Epoch(epoch),
                next_committee: next.digest(),
                ..testing::statement(2 + epoch)
            };
            EpochEnd {
                certificate: testing::certify(&statement, &[0, 1, 3]).to_json(),
                next: members.clone(),
            }
        };
        let kept = Kept {
            network: genesis.network.id(),
            ends: (0..ends).map(end).collect(),
        };
        std::fs::write(path, serde_json::to_vec(&kept).unwrap()).unwrap();
    }

    #[test]
    fn a_file_is_followed_from_the_genesis_on_and_not_where_it_was_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("committees.json");
        let genesis = testing::genesis(4);
        written(&path, 3);
        let committees = known(&genesis, Some(&path)).unwrap();
        assert_eq!(committees.newest().epoch(), Epoch(3));
        let alone = known(&genesis, None).unwrap();
        assert_eq!(alone.newest().epoch(), Epoch(0));

        let text = std::fs::read_to_string(&path).unwrap();
        let refused = |text: &str| {
            std::fs::write(&path, text).unwrap();
            known(&genesis, Some(&path)).unwrap_err().kind
        };
        let heavier = text.replacen("\"stake\":1", "\"stake\":2", 1);
        assert_ne!(heavier, text);
        assert_eq!(refused(&heavier), Kind::Invalid);
        let mut without_first: Kept = serde_json::from_str(&text).unwrap();
        without_first.ends.remove(0);
        let without_first = serde_json::to_string(&without_first).unwrap();
        assert_eq!(refused(&without_first), Kind::Invalid);
        let mut other: Kept = serde_json::from_str(&text).unwrap();
        other.network = NetworkId([1; 32]);
        let other = serde_json::to_string(&other).unwrap();
        assert_eq!(refused(&other), Kind::Usage);
        assert_eq!(refused(&text[..text.len() - 2]), Kind::Usage);
    }
}
