//! What lists are asked for.

use weft_types::api::{DealSide, DealState};
use weft_types::{Address, AssetId, CollectionId, EditionId, ItemId};

/// Which deals.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealQuery {
    /// Deals that give an item of this collection, or want any of it.
    pub collection: Option<CollectionId>,
    /// Deals that give an item of this edition, or want any of it.
    pub edition: Option<EditionId>,
    /// Offers for this item; with [`DealSide::Offer`] alone.
    pub item: Option<ItemId>,
    /// Names and values of traits that an item given has, or by which items are wanted.
    pub traits: Vec<(String, String)>,
    /// Open ones when `None`.
    pub state: Option<DealState>,
    pub giver: Option<Address>,
    /// Who alone may take it, or has taken it.
    pub taker: Option<Address>,
    /// On either side.
    pub asset: Option<AssetId>,
    /// Open deals by price, of a collection, an edition or an item; without a state.
    pub side: Option<DealSide>,
    /// By the name of its rule.
    pub rule: Option<String>,
}

impl DealQuery {
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'static str, String)> {
        let state = self.state.map(|state| match state {
            DealState::Open => "open",
            DealState::Taken => "taken",
            DealState::Cancelled => "cancelled",
            DealState::Expired => "expired",
        });
        let side = self.side.map(|side| match side {
            DealSide::Listing => "listing",
            DealSide::Offer => "offer",
        });
        let which = [
            ("collection", self.collection.map(|id| id.to_string())),
            ("edition", self.edition.map(|id| id.to_string())),
            ("item", self.item.map(|id| id.to_string())),
            ("state", state.map(str::to_owned)),
            ("giver", self.giver.map(|address| address.to_string())),
            ("taker", self.taker.map(|address| address.to_string())),
            ("asset", self.asset.map(|id| id.to_string())),
            ("side", side.map(str::to_owned)),
            ("rule", self.rule.clone()),
        ];
        let which = which.into_iter();
        let which = which.filter_map(|(name, value)| value.map(|value| (name, value)));
        which.chain(trait_parameters(&self.traits))
    }
}

/// Which editions: of a collection, or by words, or both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EditionQuery {
    pub collection: Option<CollectionId>,
    /// Some words of the name and the traits' values begin with each of these.
    pub words: Option<String>,
    /// Names and values, all of them.
    pub traits: Vec<(String, String)>,
}

impl EditionQuery {
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'static str, String)> {
        let collection = self.collection.map(|id| ("collection", id.to_string()));
        let words = self.words.clone().map(|words| ("q", words));
        let which = collection.into_iter().chain(words);
        which.chain(trait_parameters(&self.traits))
    }
}

pub(crate) fn trait_parameters(
    traits: &[(String, String)],
) -> impl Iterator<Item = (&'static str, String)> {
    let traits = traits.iter();
    traits.map(|(name, value)| ("trait", format!("{name}:{value}")))
}
