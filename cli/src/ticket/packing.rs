//! `weft ticket pack`: what a gate needs to check tickets without a network. A node says which tickets there are and whose;
//! of as many as are asked for the proofs are fetched and checked, of those it lists and of those it leaves out.

use super::check::good;
use super::cut_off;
use super::pack::{Head, Proven, write};
use crate::committees::follow;
use crate::failure::{Failure, Kind};
use crate::network::{Network, read_genesis, same_network};
use crate::output::Output;
use crate::time;
use crate::values::from_now;
use rand::seq::SliceRandom as _;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use weft_client::verify::{VerifyError, verify};
use weft_client::{Client, PageQuery};
use weft_types::api::{Account, Item, ItemState, Object, PAGE_MAX};
use weft_types::{
    Address, CollectionId, EditionId, Genesis, ItemId, Millis, ObjectId, SessionKind,
};

/// Readings on their way at a time.
const AT_ONCE: usize = 32;

#[derive(clap::Args)]
#[command(after_help = "\
What a pack proves: of each serial whose proof was checked, that the ticket was as listed, or that there was none, at
the height of its certificate. With --proofs all that is so of every serial that was ever issued: nothing is left out
and nothing is made up. With fewer a node that lies about one in a hundred is caught by 300 in 19 of 20 cases. Which keys
have the say for an account is taken from the node.")]
pub struct Download {
    edition: EditionId,
    /// File to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Serials of this gate's tickets, as FIRST-LAST: a ticket of one gate alone cannot go in twice
    #[arg(long, value_name = "FIRST-LAST", value_parser = range)]
    serials: Option<(u64, u64)>,
    /// Serials whose proof is fetched and checked, chosen by chance: a number, or `all`
    #[arg(long, default_value = "300", value_parser = proofs)]
    proofs: u64,
    /// `genesis.json` of the network, from a source that you trust
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    #[command(flatten)]
    network: Network,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let parts = text.split_once('-');
    let parts = parts.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    let parts = parts.filter(|(first, last)| 0 < *first && first <= last);
    parts.ok_or_else(|| format!("{text:?} are no serials; 1-500 are"))
}

fn proofs(text: &str) -> Result<u64, String> {
    match text {
        "all" => Ok(u64::MAX),
        text => text
            .parse()
            .map_err(|_| format!("{text:?} is no number, nor `all`")),
    }
}

pub async fn download(arguments: &Download, output: &Output) -> Result<(), Failure> {
    let genesis = Arc::new(read_genesis(&arguments.genesis)?);
    let client = Arc::new(arguments.network.client()?);
    let network = genesis.network.id();
    same_network(&client, &genesis).await?;
    let edition = client.edition(&arguments.edition).await?;
    if edition.uses == 0 {
        let words = format_args!(
            "edition {} has no tickets: nothing of it is redeemed",
            edition.id
        );
        return Err(Failure::usage(words));
    }
    let (first, last) = arguments.serials.unwrap_or((1, u64::MAX));
    let last = last.min(edition.issued);
    if u32::try_from(last).is_err() {
        return Err(Failure::usage(
            "a pack's serials are below 2^32: name fewer with --serials",
        ));
    }
    let collection = client.collection(&edition.collection).await?;
    cut_off::certified(&client, collection.policy.cut_off, output).await?;
    let progress = output.progress();
    progress.step("reading the tickets");
    let mut items = items(&client, edition.collection, edition.id).await?;
    items.retain(|serial, _| (first..=last).contains(serial));
    let serials = (first..=last).collect();
    progress.step("checking proofs");
    let proven = check(
        (&client, &genesis),
        edition.id,
        &items,
        (serials, arguments.proofs),
    )
    .await?;
    // What no gate may let in is left out.
    items.retain(|_, item| good(item).is_ok());
    progress.step("reading whose they are");
    let keys = keys(&client, edition.collection, &items).await?;
    let mut entries = Vec::with_capacity(items.len());
    for (serial, item) in &items {
        let serial = u32::try_from(*serial).map_err(Failure::usage)?;
        entries.extend(keys[&item.owner].iter().map(|key| (serial, *key)));
    }
    let made = from_now(Duration::ZERO);
    let mut head = Head::new(network, edition.id, edition.uses, edition.issued, made);
    (head.tickets, head.proven) = (items.len() as u64, proven);
    write(&arguments.out, &head, entries)?;
    drop(progress);
    if let Some(words) = still_moving(collection.policy.cut_off, head.proven.since.unwrap_or(made))
    {
        output.alarm(words);
    }
    output.data(&head, |head| {
        let since = head.proven.since.map_or_else(|| "-".to_owned(), time::utc);
        format!(
            "tickets: {}, of serials {first} to {last}; proven: {} of these serials, as of {since}",
            head.tickets, head.proven.serials
        )
    })?;
    if head.proven.serials <= last.saturating_sub(first) {
        output.say("The rest is the node's word: --proofs all proves every serial.");
    }
    Ok(())
}

/// Why a pack that was made as of some time may be out of date when gates open.
fn still_moving(cut_off: Millis, since: Millis) -> Option<String> {
    let until = match cut_off {
        Millis::ZERO => "and no cut-off ends that".to_owned(),
        cut_off if since < cut_off => format!("until {}", time::utc(cut_off)),
        _ => return None,
    };
    Some(format!(
        "WARNING: tickets can change hands after this pack is made, {until}: who has one by then is not let in without a network."
    ))
}

async fn items(
    client: &Client,
    collection: CollectionId,
    edition: EditionId,
) -> Result<BTreeMap<u64, Item>, Failure> {
    let mut items = BTreeMap::new();
    let mut query = PageQuery::limit(PAGE_MAX);
    loop {
        let page = client.collection_items(&collection, Some(&edition), &[], &query);
        let page = page.await?;
        let found = page.items.into_iter();
        items.extend(
            found
                .filter(|i| i.edition == edition)
                .map(|i| (i.serial, i)),
        );
        match page.next {
            None => return Ok(items),
            next => query.cursor = next,
        }
    }
}

/// Fetches proofs of some serials, and compares what they prove with what was said.
async fn check(
    (client, genesis): (&Arc<Client>, &Arc<Genesis>),
    edition: EditionId,
    items: &BTreeMap<u64, Item>,
    (mut serials, count): (Vec<u64>, u64),
) -> Result<Proven, Failure> {
    serials.shuffle(&mut rand::rng());
    serials.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    let said = serials.iter().map(|serial| {
        let id = ItemId::derive(&edition, *serial);
        (id, items.get(serial).cloned())
    });
    let said: Vec<(ItemId, Option<Item>)> = said.collect();
    let (client, genesis) = (client.clone(), genesis.clone());
    let (committees, _) = follow(&client, &genesis).await?;
    let committees = Arc::new(committees);
    let checked = at_once(said, move |(id, said)| {
        let (client, genesis) = (client.clone(), genesis.clone());
        let committees = committees.clone();
        async move {
            let bundle = client.item_proof(&id).await?;
            let proven = match verify(bundle.clone(), &committees) {
                // One has begun since.
                Err(VerifyError::Epoch { .. }) => {
                    verify(bundle, &follow(&client, &genesis).await?.0)
                }
                proven => proven,
            };
            let proven = proven.map_err(|e| {
                Failure::new(Kind::Invalid, format_args!("the proof of {id} proves nothing: {e}"))
            })?;
            let found = match proven.object {
                Some(Object::Item(item)) if proven.id == ObjectId::Item(id) => Some(item),
                None if proven.id == ObjectId::Item(id) => None,
                _ => {
                    let words = format_args!("the proof of {id} is of something else");
                    return Err(Failure::new(Kind::Invalid, words));
                }
            };
            match agree(said.as_ref(), found.as_ref()) {
                true => Ok((proven.height, proven.timestamp)),
                false => Err(Failure::new(
                    Kind::Invalid,
                    format_args!("the node lists {id} otherwise than is proven"),
                )
                .hint("has it changed hands while the pack was made? Make it after the policy's cut-off, or name another node")),
            }
        }
    })
    .await?;
    let heights: Vec<_> = checked.iter().map(|(height, _)| *height).collect();
    let heights = heights.iter().min().zip(heights.iter().max());
    Ok(Proven {
        serials: checked.len() as u64,
        heights: heights.map(|(lowest, highest)| (*lowest, *highest)),
        since: checked.iter().map(|(_, timestamp)| *timestamp).min(),
    })
}

/// Whether a ticket is as a node has said, in what a gate goes by.
fn agree(said: Option<&Item>, proven: Option<&Item>) -> bool {
    let known = |item: Option<&Item>| {
        let there = item.filter(|item| item.state != ItemState::Burned);
        there.map(|item| (item.owner, good(item).is_ok(), item.used))
    };
    known(said) == known(proven)
}

/// The keys that may show each owner's tickets, as they are now.
async fn keys(
    client: &Arc<Client>,
    collection: CollectionId,
    items: &BTreeMap<u64, Item>,
) -> Result<BTreeMap<Address, Vec<Address>>, Failure> {
    let owners: BTreeSet<Address> = items.values().map(|item| item.owner).collect();
    let now = from_now(Duration::ZERO);
    let client = client.clone();
    let found = at_once(owners.into_iter().collect(), move |owner: Address| {
        let client = client.clone();
        async move {
            let account = match client.account(&owner).await {
                Ok(account) => Some(account),
                // Who holds tickets alone has no account.
                Err(error) if error.is_not_found() => None,
                Err(error) => return Err(Failure::from(error)),
            };
            Ok((owner, showing(owner, account.as_ref(), &collection, now)))
        }
    });
    Ok(found.await?.into_iter().collect())
}

/// The owner's, and those of sessions for passes.
fn showing(
    owner: Address,
    account: Option<&Account>,
    collection: &CollectionId,
    now: weft_types::Millis,
) -> Vec<Address> {
    let Some(keys) = account.and_then(|account| account.keys.as_ref()) else {
        return vec![owner];
    };
    let sessions = keys.sessions.iter().filter(|session| {
        session.expires > now
            && session.kinds.has(SessionKind::Pass)
            && session.collections.contains(collection)
    });
    let sessions = sessions.map(|session| session.key);
    std::iter::once(keys.owner).chain(sessions).collect()
}

/// Runs one reading for each, some at a time; the first failure ends all.
async fn at_once<T, R, F>(list: Vec<T>, read: impl Fn(T) -> F) -> Result<Vec<R>, Failure>
where
    F: Future<Output = Result<R, Failure>> + Send + 'static,
    R: Send + 'static,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    let mut done = Vec::with_capacity(list.len());
    for one in list {
        let place = places.clone().acquire_owned().await;
        let reading = read(one);
        running.spawn(async move {
            let outcome = reading.await;
            drop(place);
            outcome
        });
        while let Some(outcome) = running.try_join_next() {
            done.push(joined(outcome)?);
        }
    }
    while let Some(outcome) = running.join_next().await {
        done.push(joined(outcome)?);
    }
    Ok(done)
}

fn joined<R>(outcome: Result<Result<R, Failure>, tokio::task::JoinError>) -> Result<R, Failure> {
    outcome.map_err(|e| Failure::new(Kind::Failed, e))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_from_before_the_cut_off_comes_with_a_warning() {
        let since = Millis(1_000_000);
        let warned = |cut_off| still_moving(Millis(cut_off), since);
        assert!(warned(0).unwrap().contains("no cut-off"));
        let until = warned(1_000_001).unwrap();
        assert!(until.contains("until 1970-01-01 00:16:40Z"), "{until}");
        assert_eq!(warned(1_000_000), None);
    }
}
