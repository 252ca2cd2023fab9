//! `weft ticket pass`: what a holder shows at a gate.

use super::code::Written;
use super::cut_off;
use super::slot_now;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::output::Output;
use crate::wallet::Wallet;
use serde::Serialize;
use std::path::PathBuf;
use weft_client::Client;
use weft_types::api::ProofBundle;
use weft_types::{Address, ItemId, NetworkId, PassBody, TicketCode};

#[derive(clap::Args)]
pub struct ShowPass {
    item: ItemId,
    /// Account of the gate that may let in by it; without it any gate may
    #[arg(long, value_name = "ADDRESS")]
    gate: Option<Address>,
    /// Put the proof of whose the ticket is into the code, for gates that have no pack. After the cut-off it may wait a minute
    /// for one from after it
    #[arg(long)]
    proof: bool,
    /// Write the code as a picture
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Network that it is for, in hexadecimal, so that nobody has to be asked; not with --proof
    #[arg(long, value_name = "ID", conflicts_with = "proof")]
    network_id: Option<NetworkId>,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    wallet: Wallet,
}

#[derive(Serialize)]
struct Printed {
    item: ItemId,
    slot: u64,
    /// The text of the QR code.
    code: String,
    bytes: usize,
    /// Modules of the code's side.
    side: usize,
}

/// L25: after the cut-off one that gates without a network can rely on.
async fn proof_of(client: &Client, item: &ItemId, output: &Output) -> Result<ProofBundle, Failure> {
    match client.item(item).await {
        Ok(found) => {
            let edition = client.edition(&found.edition).await?;
            let collection = client.collection(&edition.collection).await?;
            cut_off::certified(client, collection.policy.cut_off, output).await?;
        }
        // One that is not there has no cut-off either.
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    Ok(client.item_proof(item).await?)
}

pub async fn show(arguments: &ShowPass, output: &Output) -> Result<(), Failure> {
    let item = arguments.item;
    let key = arguments.wallet.secret()?;
    let (network, proof) = match arguments.network_id {
        Some(network) => (network, None),
        None => {
            let client = arguments.network.client()?;
            let network = client.genesis().await?.network.id();
            let proof = match arguments.proof {
                true => Some(proof_of(&client, &item, output).await?),
                false => None,
            };
            (network, proof)
        }
    };
    if proof.as_ref().is_some_and(|proof| proof.value.is_none()) {
        let words = format_args!("there is no ticket {item}: never minted, or burned");
        return Err(Failure::new(Kind::Refused, words));
    }
    let body = PassBody {
        network,
        item,
        slot: slot_now(),
        gate: arguments.gate,
    };
    let code = TicketCode {
        item,
        pass: body.sign(&key),
        proof,
    };
    let written = Written::new(&code)?;
    if let Some(path) = &arguments.png {
        written.write_png(path)?;
    }
    let printed = Printed {
        item,
        slot: body.slot,
        bytes: written.bytes,
        side: written.side(),
        code: written.text.clone(),
    };
    output.data(&printed, |printed| {
        format!("{}\n{}", written.blocks(), printed.code)
    })?;
    output.say(format_args!(
        "{} bytes, {} modules a side. Good for half a minute: show it, or make another.",
        printed.bytes, printed.side
    ));
    Ok(())
}
