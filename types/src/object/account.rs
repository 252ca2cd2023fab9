//! An account: its balances, who has the say for it, and where its amounts stand in the exit tree.

use super::{Keys, ObjectError};
use crate::ids::{Amount, AssetId, BaseAddress};
use crate::operation::AssetAmount;
use std::sync::Arc;

/// Balances, each of one asset. One that holds nothing, has no exit address and whose keys are as they were from the
/// beginning is no object of the state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    native: Amount,
    /// Ascending by asset, none zero, without the native one.
    others: Vec<AssetAmount>,
    exit: Option<Box<AccountExit>>,
    /// L18: `None` while the key of its own address has the say alone. Shared, because whatever an account is paid
    /// copies it.
    keys: Option<Arc<Keys>>,
}

/// X3: whose the account's amounts are on the base chain if the network ends.
#[derive(Debug, Clone, PartialEq, Eq)]
struct AccountExit {
    address: BaseAddress,
    /// In the exit tree, ascending by asset. Each is the asset's for good, also while nothing is held of it.
    places: Vec<(AssetId, u64)>,
}

impl Account {
    pub fn balance(&self, asset: &AssetId) -> Amount {
        if *asset == AssetId::NATIVE {
            return self.native;
        }
        match self.search(asset) {
            Ok(i) => self.others[i].amount,
            Err(_) => Amount::ZERO,
        }
    }

    /// Replaces a balance.
    pub fn set(&mut self, asset: AssetId, amount: Amount) {
        if asset == AssetId::NATIVE {
            self.native = amount;
            return;
        }
        match (self.search(&asset), amount) {
            (Ok(i), Amount::ZERO) => drop(self.others.remove(i)),
            (Ok(i), amount) => self.others[i].amount = amount,
            (Err(_), Amount::ZERO) => {}
            (Err(i), amount) => self.others.insert(i, AssetAmount { asset, amount }),
        }
    }

    /// Whether it is no object of the state. One with keys is one, or the key of its address would have the say again
    /// once it has given all away.
    pub fn is_empty(&self) -> bool {
        let holds = self.native != Amount::ZERO || !self.others.is_empty();
        !holds && self.exit.is_none() && self.keys.is_none()
    }

    /// L18: who has the say, `None` while that is the key of its own address alone.
    pub fn keys(&self) -> Option<&Keys> {
        self.keys.as_deref()
    }

    /// Replaces who has the say.
    pub fn set_keys(&mut self, keys: Keys) {
        self.keys = (keys != Keys::default()).then(|| Arc::new(keys));
    }

    /// X3: who has its amounts on the base chain if the network ends.
    pub fn exit_address(&self) -> Option<BaseAddress> {
        self.exit.as_ref().map(|e| e.address)
    }

    /// Replaces the exit address; places stay.
    pub fn set_exit_address(&mut self, address: BaseAddress) {
        match &mut self.exit {
            Some(exit) => exit.address = address,
            None => {
                let places = Vec::new();
                self.exit = Some(Box::new(AccountExit { address, places }));
            }
        }
    }

    /// Where in the exit tree the amount of an asset stands.
    pub fn exit_place(&self, asset: &AssetId) -> Option<u64> {
        let places = &self.exit.as_ref()?.places;
        let found = places.binary_search_by(|(a, _)| a.cmp(asset)).ok()?;
        Some(places[found].1)
    }

    /// All its places, ascending by asset.
    pub fn exit_places(&self) -> &[(AssetId, u64)] {
        self.exit.as_ref().map_or(&[], |e| &e.places)
    }

    /// Gives the amount of an asset its place, for good.
    ///
    /// # Panics
    /// When it has one, or the account has no exit address.
    pub fn give_exit_place(&mut self, asset: AssetId, place: u64) {
        let exit = self.exit.as_mut().expect("places follow an exit address");
        let found = exit.places.binary_search_by(|(a, _)| a.cmp(&asset));
        let at = found.expect_err("a place is given once");
        exit.places.insert(at, (asset, place));
    }

    /// What it holds, ascending by asset, the native one first.
    pub fn balances(&self) -> impl Iterator<Item = AssetAmount> + '_ {
        let native = AssetAmount {
            asset: AssetId::NATIVE,
            amount: self.native,
        };
        let native = (self.native != Amount::ZERO).then_some(native);
        native.into_iter().chain(self.others.iter().cloned())
    }

    fn search(&self, asset: &AssetId) -> Result<usize, usize> {
        self.others.binary_search_by(|b| b.asset.cmp(asset))
    }
}

impl TryFrom<Vec<AssetAmount>> for Account {
    type Error = ObjectError;

    fn try_from(mut balances: Vec<AssetAmount>) -> Result<Self, ObjectError> {
        let ascending = balances.windows(2).all(|w| w[0].asset < w[1].asset);
        if !ascending || balances.iter().any(|b| b.amount == Amount::ZERO) {
            return Err(ObjectError::Balances);
        }
        let native = match balances.first() {
            Some(first) if first.asset == AssetId::NATIVE => balances.remove(0).amount,
            _ => Amount::ZERO,
        };
        Ok(Self {
            native,
            others: balances,
            exit: None,
            keys: None,
        })
    }
}
