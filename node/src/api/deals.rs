//! Lists of deals: by whom and what they are about, or by price.

use super::ApiState;
use super::answer::Failure;
use super::objects::{edition, find_deal};
use super::reading::{Reading, from_store};
use super::rows::{RowCursor, walk};
use super::search::has_traits;
use crate::index::{self, DealScope, PriceScope};
use crate::view::View;
use axum::extract::State;
use axum::response::Response;
use weft_storage::PageRequest;
use weft_types::api::{Deal, DealSide, DealState, Edition, Page, Problem, ProblemCode};
use weft_types::{
    Address, AssetId, CollectionId, DealId, DealRule, EditionId, ItemId, ObjectId, Trait,
    WantedFrom,
};

/// Which deals were asked for.
struct Filter {
    giver: Option<Address>,
    taker: Option<Address>,
    edition: Option<EditionId>,
    collection: Option<CollectionId>,
    asset: Option<AssetId>,
    /// Of one item given, or by which any are wanted.
    traits: Vec<Trait>,
    rule: Option<String>,
    state: DealState,
}

fn malformed(detail: impl Into<String>) -> Failure {
    Failure::new(ProblemCode::MalformedParameter, detail)
}

impl Filter {
    fn read(reading: &Reading) -> Result<Self, Failure> {
        let rule = reading.parameter::<String>("rule")?;
        if let Some(unknown) = rule.as_deref().filter(|r| !DealRule::NAMES.contains(r)) {
            let shown: String = unknown.chars().take(80).collect();
            let names = DealRule::NAMES.join(", ");
            return Err(malformed(format!("rule {shown:?}: must be one of {names}")));
        }
        Ok(Self {
            rule,
            giver: reading.parameter("giver")?,
            taker: reading.parameter("taker")?,
            edition: reading.parameter("edition")?,
            collection: reading.parameter("collection")?,
            asset: reading.parameter("asset")?,
            traits: reading.traits()?,
            state: match reading.parameter::<String>("state")?.as_deref() {
                None | Some("open") => DealState::Open,
                Some("taken") => DealState::Taken,
                Some("cancelled") => DealState::Cancelled,
                Some("expired") => DealState::Expired,
                Some(other) => {
                    let shown: String = other.chars().take(80).collect();
                    return Err(malformed(format!(
                        "state {shown:?}: must be open, taken, cancelled or expired"
                    )));
                }
            },
        })
    }

    /// The list to walk, and the number of the state in its keys: the one that is likely the shortest.
    fn list(&self) -> (DealScope, u8) {
        let foreign = self.asset.filter(|asset| *asset != AssetId::NATIVE);
        let scopes = [
            self.taker.map(DealScope::Taker),
            self.giver.map(DealScope::Giver),
            self.edition.map(DealScope::Edition),
            foreign.map(DealScope::Asset),
            self.collection.map(DealScope::Collection),
        ];
        let scope = scopes.into_iter().flatten().next();
        let state = match self.state {
            DealState::Open => 0,
            DealState::Taken => 1,
            DealState::Cancelled => 2,
            DealState::Expired => 3,
        };
        (scope.unwrap_or(DealScope::All), state)
    }

    fn passes(&self, view: &View, deal: &Deal) -> bool {
        let is = |asked: Option<Address>, is: Option<Address>| asked.is_none() || asked == is;
        let assets = deal.gives.assets.iter().chain(&deal.wants.assets);
        let mut assets = assets.map(|a| a.asset);
        deal.state == self.state
            && is(self.giver, Some(deal.giver))
            && is(self.taker, deal.taker)
            && self
                .rule
                .as_deref()
                .is_none_or(|rule| rule == deal.rule.name())
            && self.asset.is_none_or(|asset| assets.any(|a| a == asset))
            && self.is_about(view, deal)
    }

    fn is_about(&self, view: &View, deal: &Deal) -> bool {
        if self.edition.is_none() && self.collection.is_none() && self.traits.is_empty() {
            return true;
        }
        let edition_of = |item: &ItemId| {
            let object = view.snapshot.get(&ObjectId::Item(*item))?;
            edition(view, object.as_item()?.edition).ok()
        };
        let given: Vec<Edition> = deal.gives.items.iter().filter_map(edition_of).collect();
        let wants = |passes: &dyn Fn(&WantedFrom) -> bool| {
            let mut any = deal.wants_any.iter();
            any.any(|any| passes(&any.from))
        };
        // A given item that was burned since is of none; the walked list, by which it was found, has it all the same.
        let (scope, _) = self.list();
        let of_edition = self.edition.is_none_or(|id| {
            let wanted = |from: &WantedFrom| matches!(from, WantedFrom::Edition(e) if *e == id);
            scope == DealScope::Edition(id) || given.iter().any(|e| e.id == id) || wants(&wanted)
        });
        let of_collection = self.collection.is_none_or(|id| {
            let wanted = |from: &WantedFrom| match from {
                WantedFrom::Collection(collection) | WantedFrom::Trait { collection, .. } => {
                    *collection == id
                }
                WantedFrom::Edition(e) => edition(view, *e).is_ok_and(|e| e.collection == id),
            };
            let given = || given.iter().any(|e| e.collection == id);
            scope == DealScope::Collection(id) || given() || wants(&wanted)
        });
        let traits = &self.traits;
        let by_trait = |from: &WantedFrom| match from {
            WantedFrom::Trait { name, value, .. } => {
                traits.iter().all(|t| (&t.name, &t.value) == (name, value))
            }
            _ => false,
        };
        let given = || given.iter().any(|e| has_traits(&e.traits, traits));
        let with_traits = traits.is_empty() || given() || wants(&by_trait);
        of_edition && of_collection && with_traits
    }
}

/// Deals
///
/// Open ones unless another `state` is asked for; those that expire last come first unless
/// `order=asc`. `collection`, `edition`: gives an item of it, or wants any of it. `taker`: who alone may take it, or has.
/// `asset`: on either side. `trait=NAME:VALUE`, several times for several: gives an item whose edition has them all, or wants
/// items by it. `rule`: how it comes to its end. An auction has its highest bid and the least that is bid next, and expires by what bids have made of that.
/// `side=listing`: open to anybody, items for the native asset alone, the cheapest item first; of an `edition` or a
/// `collection`. `side=offer`: the native asset alone for items, the highest price of an item first; for any of an
/// `edition` or a `collection`, or for this very `item`. A list by price takes neither `state` nor `order`.
/// A page may be short of `limit` while `next` is there.
#[utoipa::path(get, path = "/v1/deals", tag = "deals",
    params(
        ("collection" = Option<CollectionId>, Query), ("edition" = Option<EditionId>, Query),
        ("item" = Option<ItemId>, Query), ("giver" = Option<Address>, Query),
        ("taker" = Option<Address>, Query), ("asset" = Option<AssetId>, Query),
        ("state" = Option<DealState>, Query), ("trait" = Option<Vec<String>>, Query),
        ("side" = Option<DealSide>, Query), ("rule" = Option<String>, Query),
        ("cursor" = Option<String>, Query), ("limit" = Option<usize>, Query), ("order" = Option<String>, Query),
    ),
    responses(
        (status = 200, body = Page<Deal>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn deals(State(state): State<ApiState>, reading: Reading) -> Result<Response, Failure> {
    let mut filter = Filter::read(&reading)?;
    let by_price = match side(&reading)? {
        None => {
            reading.without("item", "only with side=offer")?;
            None
        }
        Some(side) => {
            for name in ["state", "order"] {
                reading.without(name, "a list by price has open deals in one order")?;
            }
            let item = reading.parameter("item")?;
            Some(price_scope(side, &mut filter, item)?)
        }
    };
    let cursor = reading.cursor::<RowCursor>()?;
    let limit = reading.limit()?;
    let order = match by_price {
        Some(_) => PageRequest::ascending(limit),
        None => reading.order()?,
    };
    let view = reading.view.clone();
    let page = from_store(&state, move |store| {
        let prefix = match &by_price {
            Some(scope) => index::prices_prefix(scope),
            None => {
                let (scope, state) = filter.list();
                index::deals_prefix(&scope, state)
            }
        };
        walk(store, &prefix, (&order, limit), cursor, |rest| {
            let id: Option<DealId> = match &by_price {
                Some(scope) => index::read_price(scope, rest).map(|(_, id)| id),
                None => index::read_deal(rest),
            };
            let deal = match id {
                Some(id) => find_deal(store, &view, &id)?,
                None => None,
            };
            Ok(deal.filter(|deal| filter.passes(&view, deal)))
        })
    });
    Ok(reading.answer(&page.await?))
}

fn side(reading: &Reading) -> Result<Option<DealSide>, Failure> {
    match reading.parameter::<String>("side")?.as_deref() {
        None => Ok(None),
        Some("listing") => Ok(Some(DealSide::Listing)),
        Some("offer") => Ok(Some(DealSide::Offer)),
        Some(other) => {
            let shown: String = other.chars().take(80).collect();
            Err(malformed(format!(
                "side {shown:?}: must be listing or offer"
            )))
        }
    }
}

/// What the list is of; the filter need not ask for it again.
fn price_scope(
    side: DealSide,
    filter: &mut Filter,
    item: Option<ItemId>,
) -> Result<PriceScope, Failure> {
    let (edition, collection) = (filter.edition.take(), filter.collection.take());
    match (side, edition, collection, item) {
        (DealSide::Listing, Some(id), None, None) => Ok(PriceScope::ListingsOfEdition(id)),
        (DealSide::Listing, None, Some(id), None) => Ok(PriceScope::ListingsOfCollection(id)),
        (DealSide::Offer, Some(id), None, None) => Ok(PriceScope::OffersForEdition(id)),
        (DealSide::Offer, None, Some(id), None) => Ok(PriceScope::OffersForCollection(id)),
        (DealSide::Offer, None, None, Some(id)) => Ok(PriceScope::OffersForItem(id)),
        (DealSide::Listing, ..) => Err(malformed(
            "side=listing: of either an edition or a collection",
        )),
        (DealSide::Offer, ..) => Err(malformed(
            "side=offer: for either an edition, a collection or an item",
        )),
    }
}
