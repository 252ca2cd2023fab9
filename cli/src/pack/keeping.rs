//! The file that proves a draw afterwards. Between lot and secret the deal is in the state with all that the draw is made from.
//! Once it is drawn it is in the state no more: then its proof is to be had of nodes that have kept it, as long as they do.

use super::checking::{self, Evidence};
use super::proven::sealed;
use super::{LOOK_EVERY, evidence, series_of, shown};
use crate::committees::follow;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use weft_client::Client;
use weft_client::verify::verify;
use weft_types::DealId;
use weft_types::api::{Deal, DealState, ProofBundle};

/// How long the certificate of the height with the lot may be behind the draw.
const CERTIFIED_WITHIN: Duration = Duration::from_secs(10);
/// How often, from the end of the sale until the proof is there.
const LOT_EVERY: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
pub struct Keep {
    deal: DealId,
    /// Where it is kept; a file that was begun is gone on with, and any other stays as it is
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    network: Network,
}

/// A series' file.
pub struct Kept {
    path: PathBuf,
    proof: Option<ProofBundle>,
    /// Whether it was said that what came proves nothing.
    told: bool,
}

impl Kept {
    pub fn open(path: &Path, id: &DealId) -> Result<Self, Failure> {
        let path = path.to_owned();
        if !path.exists() {
            let (proof, told) = (None, false);
            return Ok(Self { path, proof, told });
        }
        let kept = checking::read(&path)?;
        if kept.deal.id != *id {
            let words = format!("{} is of series {}", path.display(), kept.deal.id);
            return Err(
                Failure::usage(words).hint("each series has a file of its own: name a new one")
            );
        }
        let (proof, told) = (kept.proof, false);
        Ok(Self { path, proof, told })
    }

    pub fn path(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    pub fn has_proof(&self) -> bool {
        self.proof.is_some()
    }

    /// Whether the node that gave the proof has it for others too, when the series is drawn.
    pub fn stays_there(&self) -> bool {
        self.proof
            .as_ref()
            .is_some_and(|proof| proof.kept.is_some())
    }

    /// Saves the proof, if the newest certified height has the lot by now, or the node has kept it. Returns whether it has.
    pub async fn take(
        &mut self,
        client: &Client,
        id: &DealId,
        output: &Output,
    ) -> Result<bool, Failure> {
        let proof = match client.deal_proof(id).await {
            Ok(proof) => proof,
            Err(error) if error.is_retryable() || error.is_not_found() => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let Some(deal) = sealed(&proof).filter(|deal| deal.id == *id) else {
            return Ok(false);
        };
        let (committees, ends) = follow(client, &client.genesis().await?).await?;
        match verify(proof.clone(), &committees) {
            Ok(_) if ends.is_empty() => {}
            Ok(_) => output.say(format_args!(
                "It is of a later epoch than the first: who checks it needs --committees FILE too, as `weft committees` makes it."
            )),
            // Of a node that lies, or is no good: asked again.
            Err(error) => {
                if !self.told {
                    output.alarm(format_args!("What a node gave proves nothing: {error}."));
                    self.told = true;
                }
                return Ok(false);
            }
        }
        let commit = None;
        self.proof = Some(proof.clone());
        let proof = Some(proof);
        self.write(&Evidence {
            deal,
            commit,
            proof,
        })?;
        output.say(format_args!(
            "The proof of the sealed series is in {}.",
            self.path()
        ));
        Ok(true)
    }

    /// Adds what it was drawn by.
    pub async fn finish(&self, client: &Client, id: &DealId) -> Result<Evidence, Failure> {
        let proof = self.proof.clone();
        let drawn = Evidence {
            proof,
            ..evidence(client, id).await?
        };
        self.write(&drawn)?;
        Ok(drawn)
    }

    /// All of it or nothing, so that a proof is never lost.
    fn write(&self, evidence: &Evidence) -> Result<(), Failure> {
        let new = self.path.with_added_extension("new");
        let text = serde_json::to_string(evidence).map_err(std::io::Error::from)?;
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(format!("{text}\n").as_bytes())?;
            file.sync_all()
        });
        let written = written.and_then(|()| fs::rename(&new, &self.path));
        written.map_err(|e| Failure::usage(format_args!("{}: {e}", self.path())))
    }
}

/// The series by now; while no node answers, a moment later.
pub async fn looked(client: &Client, id: &DealId, output: &Output) -> Result<Deal, Failure> {
    let mut told = false;
    loop {
        match client.deal(id).await {
            Ok(deal) => return Ok(deal),
            Err(error) if error.is_retryable() => {
                if !told {
                    output.say(format_args!(
                        "{error}; trying again until somebody answers."
                    ));
                    told = true;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// How long to wait before a series is looked at again.
pub fn pause(deal: &Deal, has_proof: bool) -> Duration {
    let closing = deal.drawing.as_ref().and_then(|drawing| drawing.closing);
    match closing.is_some() && !has_proof {
        true => LOT_EVERY,
        false => LOOK_EVERY,
    }
}

pub async fn keep(arguments: &Keep, output: &Output) -> Result<(), Failure> {
    let (client, id) = (arguments.network.client()?, &arguments.deal);
    let mut kept = Kept::open(&arguments.out, id)?;
    let (mut told, mut drawn) = ("", None);
    loop {
        let deal = looked(&client, id, output).await?;
        let (_, drawing) = series_of(&deal)?;
        match deal.state {
            DealState::Open if drawing.lot.is_some() && !kept.has_proof() => {
                kept.take(&client, id, output).await?;
            }
            DealState::Open => {}
            DealState::Taken if kept.has_proof() || kept.take(&client, id, output).await? => break,
            DealState::Taken => {
                let since = *drawn.get_or_insert_with(Instant::now);
                if since.elapsed() > CERTIFIED_WITHIN {
                    return Err(too_late(id));
                }
            }
            DealState::Cancelled | DealState::Expired => {
                let words = format!("series {id} has ended, and nothing was drawn");
                return Err(Failure::new(Kind::Refused, words));
            }
        }
        let waits = match kept.has_proof() {
            true => "Waiting for the secret; the proof stays good if you come back for it later.",
            false if drawn.is_some() => "It is drawn; asking for its proof.",
            false => "Waiting for the end of the sale, and for the lot.",
        };
        if waits != told {
            output.say(waits);
            told = waits;
        }
        tokio::time::sleep(pause(&deal, kept.has_proof())).await;
    }
    let drawn = kept.finish(&client, id).await?;
    output.data(&drawn, shown::shown)?;
    output.say(format_args!(
        "`weft pack verify {} --genesis genesis.json` proves it to anybody.",
        kept.path()
    ));
    Ok(())
}

fn too_late(id: &DealId) -> Failure {
    Failure::new(
        Kind::Refused,
        format_args!("series {id} is drawn, and the node that was asked has no proof of it: its history begins later, or it keeps none for so long"),
    )
    .hint("another node may have one, and so may whoever ran `weft pack keep` or `weft pack open`; `weft pack show --json` has what a node says of it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing;

    #[test]
    fn a_file_is_gone_on_with_and_one_of_another_series_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drawn.json");
        let (id, deal) = testing::drawn(3, 2);
        let mut kept = Kept::open(&path, &id).unwrap();
        assert!(!kept.has_proof());
        let proof = checking::tests::proof_of(&id, &deal, &[0, 1, 2]);
        kept.proof = Some(proof.clone());
        let deal = Deal::new(id, &deal);
        let (commit, proof) = (None, Some(proof));
        kept.write(&Evidence {
            deal,
            commit,
            proof,
        })
        .unwrap();
        assert!(Kept::open(&path, &id).unwrap().has_proof());

        let written = fs::read(&path).unwrap();
        let refused = Kept::open(&path, &DealId([8; 32])).err().unwrap();
        assert!(
            refused.message.contains("is of series"),
            "{}",
            refused.message
        );
        fs::write(&path, "a letter").unwrap();
        assert!(Kept::open(&path, &id).is_err());
        assert_ne!(fs::read(&path).unwrap(), written);
        assert_eq!(fs::read(&path).unwrap(), b"a letter");
    }

    #[test]
    fn a_series_is_looked_at_often_only_while_its_proof_can_be_missed() {
        let (id, deal) = testing::drawn(3, 2);
        let closed = Deal::new(id, &deal);
        let mut open = closed.clone();
        open.drawing.as_mut().unwrap().closing = None;
        assert_eq!(pause(&open, false), LOOK_EVERY);
        assert_eq!(pause(&closed, false), LOT_EVERY);
        assert_eq!(pause(&closed, true), LOOK_EVERY);
    }
}
