//! `weft ticket check`: who is let in at a gate without connectivity. Nobody is asked: the pass is checked with the
//! gate's clock, whose the ticket is with a pack or with the proof in the code, and that it is not let in twice here
//! with the gate's journal. What another gate has let in, this one cannot know; it is found when both have sent.

use super::code::{Shown, read};
use super::journal::{Journal, LetIn};
use super::pack::Pack;
use super::reconnect;
use crate::committees;
use crate::failure::{Failure, Kind};
use crate::network::read_genesis;
use crate::output::Output;
use crate::sending::Sender;
use crate::time;
use crate::values::from_now;
use serde::Serialize;
use std::io::BufRead as _;
use std::path::PathBuf;
use std::time::Duration;
use weft_client::verify::{Committees, VerifyError, verify};
use weft_types::api::{Item, ItemState, Object, ProofBundle};
use weft_types::{
    Address, EditionId, ItemId, Millis, NetworkId, PASS_SLOT_MS, TICKET_CODE_BYTES_MAX, TicketCode,
};

#[derive(clap::Args)]
#[command(after_help = "\
Exit codes: 0 everybody was let in, or everything sent was redeemed; 5 somebody was not let in, or a ticket that
was let in had been taken by another gate; 4 the ledger has refused something else, or has not taken it for a reason that
may pass; 3 something is not sent yet.")]
pub struct Check {
    /// What the holder's QR code says; `-` reads one a line from stdin
    #[arg(required_unless_present = "send", conflicts_with = "send")]
    shown: Option<Shown>,
    /// Who was let in: each gate has its own
    #[arg(long, value_name = "FILE")]
    journal: PathBuf,
    /// `genesis.json` of the network, from a source that you trust
    #[arg(long, value_name = "FILE", required_unless_present = "send")]
    genesis: Option<PathBuf>,
    /// Tickets and whose they are, made by `weft ticket pack`
    #[arg(long, value_name = "FILE")]
    pack: Option<PathBuf>,
    /// Without a pack: edition whose tickets are let in; repeat it for more
    #[arg(long, value_name = "ID", conflicts_with = "pack")]
    edition: Vec<EditionId>,
    /// Without a pack: proofs are of this time or later, when tickets no more changed hands (the policy's cut-off)
    #[arg(long, value_name = "TIME", value_parser = time::instant, requires = "edition")]
    since: Option<Millis>,
    /// Without a pack: who was in office in later epochs than the first, made by `weft committees`
    #[arg(long, value_name = "FILE", conflicts_with = "pack")]
    committees: Option<PathBuf>,
    /// Without a pack: how often a ticket is good
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    uses: u32,
    /// The gate's account: a pass for another gate's is not let in
    #[arg(long, value_name = "ADDRESS")]
    gate: Option<Address>,
    /// How many slots of 15 seconds a pass may be older or newer than the gate's clock, and one less
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    slots: u64,
    /// Send what was let in, now that there is a network, with the gate's key
    #[arg(long)]
    send: bool,
    #[command(flatten)]
    sender: Sender,
}

/// What a gate says to somebody.
#[derive(Debug, Serialize)]
struct Told {
    admitted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<ItemId>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub async fn run(arguments: &Check, output: &Output) -> Result<(), Failure> {
    let mut journal = Journal::open(&arguments.journal)?;
    if arguments.send {
        return reconnect::send(&mut journal, &arguments.sender, output).await;
    }
    let gate = Gate::of(arguments)?;
    let mut refused = 0;
    let mut one = |text: &str| -> Result<(), Failure> {
        let told = gate.admit(text, &mut journal, from_now(Duration::ZERO))?;
        refused += u64::from(!told.admitted);
        output.data(&told, shown)
    };
    match &arguments.shown {
        Some(Shown::Stdin) => {
            let longest = 2 * TICKET_CODE_BYTES_MAX;
            for line in std::io::stdin().lock().lines() {
                let line = line?;
                // What is longer is no ticket, and is not kept.
                one(line.get(..longest).unwrap_or(&line))?;
            }
        }
        Some(Shown::Text(text)) => one(text)?,
        None => {}
    }
    match refused {
        0 => Ok(()),
        refused => Err(Failure::new(
            Kind::Invalid,
            format_args!("{refused} not let in"),
        )),
    }
}

fn shown(told: &Told) -> String {
    let item = told
        .item
        .map_or_else(|| "-".to_owned(), |id| id.to_string());
    match &told.reason {
        None => format!("LET IN  {item}"),
        Some(reason) => format!("NOT IN  {item}: {reason}"),
    }
}

/// What a gate knows without a network.
struct Gate {
    network: NetworkId,
    committees: Committees,
    pack: Option<Pack>,
    editions: Vec<EditionId>,
    since: Millis,
    uses: u32,
    account: Option<Address>,
    slots: u64,
}

impl Gate {
    fn of(arguments: &Check) -> Result<Self, Failure> {
        let missing = || Failure::usage("a gate needs --genesis FILE");
        let genesis = read_genesis(arguments.genesis.as_deref().ok_or_else(missing)?)?;
        let pack = arguments.pack.as_deref().map(Pack::read).transpose()?;
        let network = genesis.network.id();
        if pack
            .as_ref()
            .is_some_and(|pack| pack.head.network != network)
        {
            return Err(Failure::usage(
                "the pack is of another network than the genesis",
            ));
        }
        if pack.is_none() && (arguments.edition.is_empty() || arguments.since.is_none()) {
            let words = "a gate needs --pack FILE, or --edition ID and --since TIME for proofs";
            return Err(Failure::usage(words));
        }
        let uses = pack.as_ref().map_or(arguments.uses, |pack| pack.head.uses);
        Ok(Self {
            network,
            committees: committees::known(&genesis, arguments.committees.as_deref())?,
            pack,
            editions: arguments.edition.clone(),
            since: arguments.since.unwrap_or_default(),
            uses,
            account: arguments.gate,
            slots: arguments.slots,
        })
    }

    /// Lets in, or says why not. Who is let in stands in the journal before he hears of it.
    fn admit(&self, text: &str, journal: &mut Journal, now: Millis) -> Result<Told, Failure> {
        let code = match read(text) {
            Ok(code) => code,
            Err(failure) => {
                return Ok(Told {
                    admitted: false,
                    item: None,
                    reason: Some(failure.message),
                });
            }
        };
        let reason = self.judge(&code, journal, now).err();
        if reason.is_none() {
            journal.let_in(LetIn {
                item: code.item,
                slot: code.pass.slot,
                at: now,
                code: text.trim().to_owned(),
            })?;
        }
        Ok(Told {
            admitted: reason.is_none(),
            item: Some(code.item),
            reason,
        })
    }

    fn judge(&self, code: &TicketCode, journal: &Journal, now: Millis) -> Result<(), String> {
        let pass = &code.pass;
        if pass.slot.abs_diff(now.0 / PASS_SLOT_MS) >= self.slots {
            return Err(format!(
                "its pass is of {}, and it is {}: let it be shown anew",
                time::utc(pass.begins()),
                time::utc(now)
            ));
        }
        if pass.gate.is_some() && pass.gate != self.account {
            return Err("its pass is for another gate".to_owned());
        }
        if !code.is_signed(self.network) {
            return Err("its pass is not signed for this ticket".to_owned());
        }
        let used = match (&self.pack, &code.proof) {
            (Some(pack), _) => {
                let ticket = pack.ticket(&code.item);
                let (_, keys) = ticket.ok_or("it is not in this gate's pack")?;
                let is_owners = keys.contains(&pass.key());
                is_owners
                    .then_some(0)
                    .ok_or("its pass is not the owner's")?
            }
            (None, Some(proof)) => self.proven(code, proof)?,
            (None, None) => return Err("it has no proof, and this gate no pack".to_owned()),
        };
        let before: Vec<&LetIn> = journal.with(&code.item).collect();
        if let Some(last) = before.last()
            && used as usize + before.len() >= self.uses as usize
        {
            return Err(format!("it went in here at {}", time::utc(last.at)));
        }
        match before.iter().any(|other| other.slot >= pass.slot) {
            true => Err("this pass has let somebody in".to_owned()),
            false => Ok(()),
        }
    }

    /// How often the ticket was redeemed, if the proof in the code is of its owner after the cut-off.
    fn proven(&self, code: &TicketCode, proof: &ProofBundle) -> Result<u32, String> {
        let proven = verify(proof.clone(), &self.committees);
        let proven = proven.map_err(|error| match error {
            VerifyError::Epoch { found, newest } => format!(
                "its proof is of epoch {found}, and this gate knows who was in office up to epoch {newest}: `weft committees` tells more"
            ),
            error => format!("its proof proves nothing: {error}"),
        })?;
        let Some(Object::Item(item)) = proven.object else {
            return Err("its proof is of something else".to_owned());
        };
        if item.id != code.item || !self.editions.contains(&item.edition) {
            return Err("its proof is of another ticket, or it is of no edition let in".to_owned());
        }
        if proven.timestamp < self.since {
            return Err(format!(
                "its proof is of {}, and may have changed hands since",
                time::utc(proven.timestamp)
            ));
        }
        if item.owner != code.pass.key() {
            return Err("its pass is not the owner's".to_owned());
        }
        good(&item)?;
        match item.used < self.uses {
            true => Ok(item.used),
            false => Err("no use is left".to_owned()),
        }
    }
}

/// Whether a ticket is good at all.
pub fn good(item: &Item) -> Result<(), String> {
    if let Some(reason) = &item.void {
        return Err(format!("it is void: {reason}"));
    }
    match item.state {
        _ if item.frozen => Err("it is frozen".to_owned()),
        ItemState::Held => Ok(()),
        ItemState::Locked => Err("it is for sale in an open deal".to_owned()),
        ItemState::Burned => Err("it is burned".to_owned()),
        ItemState::Redeemed => Err("no use is left".to_owned()),
    }
}

#[cfg(test)]
mod tests;
