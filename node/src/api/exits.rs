//! X3: what accounts hold, as the newest checkpoint says it to the base chain: whoever keeps these proofs needs no
//! masternode any more.

use super::ApiState;
use super::answer::{Failure, Segment, not_found, parameter};
use super::reading::{Reading, from_store};
use super::rows::{RowCursor, rows};
use crate::index;
use crate::view::View;
use axum::extract::State;
use axum::response::Response;
use std::str::FromStr;
use weft_ledger::BaseTrees;
use weft_storage::{PageRequest, Store};
use weft_types::api::{ExitPlace, ExitProof, ExitTree, Exits, Holding, Problem};
use weft_types::{
    Account, Address, Amount, AssetId, BaseAsset, BridgeId, Exit, Height, Item, ItemId, Object,
    ObjectId, Statement, TREE_PLACES, erc721_of,
};

/// Checkpoints that are looked at for one whose trees are here.
const CHECKPOINTS_LOOKED_AT: usize = 16;
/// Places that a request may go through to find those of one page that are not empty.
const PLACES_WALKED_MAX: u64 = 10_000;

/// An account's holdings on the base chain
///
/// With the proofs by which the vault pays them if the network ends: under the newest checkpoint, or another one that the
/// node has (`provable` of the bridge).
#[utoipa::path(get, path = "/v1/exits/{address}", tag = "bridge",
    params(("address" = Address, Path), ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query),
        ("checkpoint" = Option<Height>, Query)),
    responses(
        (status = 200, body = Exits),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn exits(
    State(state): State<ApiState>,
    Segment(address): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let address: Address = parameter("address", &address)?;
    let (limit, after) = (reading.limit()?, reading.cursor::<After>()?);
    let wanted = reading.parameter("checkpoint")?.map(Height);
    let view = reading.view.clone();
    let page = from_store(&state, move |store| {
        let proven = proven(store, &view, wanted)?;
        let page = Paging {
            store,
            view: &view,
            trees: proven.as_ref().map(|(_, trees)| trees),
            limit,
        };
        let object = view.snapshot.get(&ObjectId::Account(address));
        let account = object.as_ref().and_then(Object::as_account).cloned();
        let account = account.unwrap_or_default();
        let (holdings, next) = page.holdings(address, &account, after)?;
        Ok(Exits {
            account: address,
            exit_address: account.exit_address(),
            statement: proven.map(|(statement, _)| statement),
            holdings,
            next,
        })
    });
    Ok(reading.answer(&page.await?))
}

/// The exit tree
///
/// What the newest checkpoint has, or the one asked for, place by place. A page may be short of `limit` while `next` is there.
#[utoipa::path(get, path = "/v1/exits/places", tag = "bridge",
    params(("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query),
        ("checkpoint" = Option<Height>, Query)),
    responses(
        (status = 200, body = ExitTree),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn places(State(state): State<ApiState>, reading: Reading) -> Result<Response, Failure> {
    let (limit, from) = (reading.limit()?, reading.cursor::<u64>()?);
    let wanted = reading.parameter("checkpoint")?.map(Height);
    let view = reading.view.clone();
    let page = from_store(&state, move |store| {
        let proven = proven(store, &view, wanted)?;
        let (statement, trees) = proven.ok_or_else(|| not_found("a checkpoint"))?;
        let object = view.snapshot.get(&ObjectId::Bridge(BridgeId::THE_ONE));
        let bridge = object.as_ref().and_then(Object::as_bridge);
        // Places that came after the checkpoint are empty in its tree.
        let places = bridge.map_or(0, |b| b.exit_places);
        let mut at = from.unwrap_or_default();
        let end = places.min(at.saturating_add(PLACES_WALKED_MAX));
        let mut exits = Vec::new();
        while at < end && exits.len() < limit {
            exits.extend(trees.exits.get(at).copied());
            at += 1;
        }
        Ok(ExitTree {
            statement,
            places,
            exits,
            next: (at < places).then(|| at.to_string()),
        })
    });
    Ok(reading.answer(&page.await?))
}

/// A place in the exit tree
///
/// What the newest checkpoint has there, or the one asked for, and its proof: by it a claim that is not so any more is refuted.
#[utoipa::path(get, path = "/v1/exits/places/{place}", tag = "bridge",
    params(("place" = u64, Path), ("checkpoint" = Option<Height>, Query)),
    responses(
        (status = 200, body = ExitPlace),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn place(
    State(state): State<ApiState>,
    Segment(place): Segment,
    reading: Reading,
) -> Result<Response, Failure> {
    let place: u64 = parameter("place", &place)?;
    if place >= TREE_PLACES {
        return Err(not_found(format_args!("place {place} of the exit tree")));
    }
    let wanted = reading.parameter("checkpoint")?.map(Height);
    let view = reading.view.clone();
    let found = from_store(&state, move |store| {
        let proven = proven(store, &view, wanted)?;
        let (statement, trees) = proven.ok_or_else(|| not_found("a checkpoint"))?;
        Ok(ExitPlace {
            place,
            statement,
            exit: trees.exits.get(place).copied(),
            siblings: trees.exits.prove(place).to_vec(),
        })
    });
    Ok(reading.answer(&found.await?))
}

/// A checkpoint with its trees: the one that is `wanted`, else the newest.
///
/// # Errors
/// When the node has not the trees of the one that is wanted.
pub fn proven(
    store: &Store,
    view: &View,
    wanted: Option<Height>,
) -> Result<Option<(Statement, BaseTrees)>, Failure> {
    let Some(wanted) = wanted else {
        return newest(store, view);
    };
    let kept = view.provable.iter().find(|p| p.height == wanted);
    let statement = store.statement(wanted)?;
    let found = statement.zip(kept.map(|kept| kept.trees.clone()));
    let missing = || not_found(format_args!("the trees of checkpoint {wanted}"));
    found.ok_or_else(missing).map(Some)
}

/// The newest checkpoint of which the trees are here: those of its height, or the newest ones if nothing has changed
/// since, as after a restart.
fn newest(store: &Store, view: &View) -> Result<Option<(Statement, BaseTrees)>, Failure> {
    let page = store.checkpoints(&PageRequest::descending(CHECKPOINTS_LOOKED_AT))?;
    for (height, _) in page.entries {
        let Some(statement) = store.statement(height)? else {
            continue;
        };
        let kept = view.provable.iter().find(|p| p.height == height);
        let now = view.snapshot.base_trees();
        let trees = [kept.map(|k| &k.trees), Some(now)];
        let mut trees = trees.into_iter().flatten();
        if let Some(trees) = trees.find(|t| t.exits.root() == statement.exit_root) {
            return Ok(Some((statement, trees.clone())));
        }
    }
    Ok(None)
}

/// The last holding of a page. As text, what it is and its key in hexadecimal.
enum After {
    Amount(AssetId),
    /// What follows the prefix in the index.
    Card(RowCursor),
}

impl FromStr for After {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (what, key) = text.split_once('-').ok_or(())?;
        match what {
            "amount" => Ok(Self::Amount(key.parse().map_err(|_| ())?)),
            "card" => Ok(Self::Card(key.parse()?)),
            _ => Err(()),
        }
    }
}

struct Paging<'a> {
    store: &'a Store,
    view: &'a View,
    trees: Option<&'a BaseTrees>,
    limit: usize,
}

impl Paging<'_> {
    fn holdings(
        &self,
        address: Address,
        account: &Account,
        after: Option<After>,
    ) -> Result<(Vec<Holding>, Option<String>), Failure> {
        let mut holdings = Vec::new();
        let cards = match after {
            Some(After::Card(cursor)) => Some(cursor),
            after => {
                let after = match after {
                    Some(After::Amount(asset)) => Some(asset),
                    _ => None,
                };
                for asset in assets(account).filter(|a| after.is_none_or(|after| *a > after)) {
                    holdings.extend(self.amount(account, &asset));
                    if holdings.len() == self.limit {
                        return Ok((holdings, Some(format!("amount-{asset}"))));
                    }
                }
                None
            }
        };
        let next = self.cards(address, cards, &mut holdings)?;
        Ok((holdings, next))
    }

    fn amount(&self, account: &Account, asset: &AssetId) -> Option<Holding> {
        let (owner, place) = (account.exit_address(), account.exit_place(asset));
        // With what deals lock.
        let now = place.and_then(|p| self.view.snapshot.base_trees().exits.get(p));
        let proof = place
            .and_then(|p| self.proof(p))
            .filter(|p| owner == Some(p.exit.owner));
        let held = account.balance(asset);
        let asset = match now {
            Some(exit) => exit.asset,
            None => BaseAsset::of_amount(asset, held)?,
        };
        let nothing = now.is_none() && held == Amount::ZERO;
        (!nothing || proof.is_some()).then_some(Holding {
            asset,
            item: None,
            exit_address: owner,
            proof,
        })
    }

    fn cards(
        &self,
        address: Address,
        after: Option<RowCursor>,
        holdings: &mut Vec<Holding>,
    ) -> Result<Option<String>, Failure> {
        let prefix = index::owned_prefix(&address);
        let request = PageRequest::ascending(self.limit - holdings.len());
        let page = rows(
            self.store,
            &prefix,
            request,
            after.as_ref().map(|c| &c.0[..]),
        )?;
        for (rest, _) in &page.rows {
            let Some((edition, serial)) = index::read_owned(rest) else {
                continue;
            };
            let id = ItemId::derive(&edition, serial);
            let object = self.view.snapshot.get(&ObjectId::Item(id));
            let item = object.as_ref().and_then(Object::as_item);
            let item = item.filter(|i| i.owner == address);
            holdings.extend(item.and_then(|item| self.card(id, item)));
        }
        Ok(page.next.map(|rest| format!("card-{rest}")))
    }

    /// `None` for an item that did not come over the bridge.
    fn card(&self, id: ItemId, item: &Item) -> Option<Holding> {
        let edition = self.view.snapshot.get(&ObjectId::Edition(item.edition))?;
        let (token, number) = erc721_of(&item.edition, &edition.as_edition()?.terms)?;
        let owner = item.exit.and_then(|e| e.address);
        let proof = item.exit.and_then(|e| self.proof(e.place));
        Some(Holding {
            asset: BaseAsset::Erc721 { token, id: number },
            item: Some(id),
            exit_address: owner,
            proof: proof.filter(|p| owner == Some(p.exit.owner)),
        })
    }

    fn proof(&self, place: u64) -> Option<ExitProof> {
        let tree = &self.trees?.exits;
        let exit: Exit = *tree.get(place)?;
        Some(ExitProof {
            exit,
            siblings: tree.prove(place).to_vec(),
        })
    }
}

/// Of which it holds something, or has: ascending, each once.
fn assets(account: &Account) -> impl Iterator<Item = AssetId> + use<> {
    let places = account.exit_places().iter().map(|(asset, _)| *asset);
    let mut assets: Vec<AssetId> = account.balances().map(|b| b.asset).chain(places).collect();
    assets.sort_unstable();
    assets.dedup();
    assets.into_iter()
}
