//! The states that a party offers: what it has of a channel's book, changed in one way each. Whoever offers them says so
//! itself; what the other signs of them, `rules.rs` says.

use super::{Book, BookError, ChannelError, ChannelPart, ChannelState};
use crate::ids::{Amount, AssetId, ItemId, Millis};
use crate::operation::{AssetAmount, Bundle};
use std::collections::BTreeMap;

impl Book {
    /// The next state, in which this party has paid the other.
    pub fn paying(&self, asset: AssetId, amount: Amount) -> Result<ChannelState, BookError> {
        let mut state = self.next();
        let mut takers: BTreeMap<AssetId, u64> = BTreeMap::new();
        takers.extend(state.to_taker.assets.iter().map(|a| (a.asset, a.amount.0)));
        let theirs = takers.entry(asset).or_default();
        let changed = match self.of_taker {
            true => theirs.checked_sub(amount.0),
            false => theirs.checked_add(amount.0),
        };
        *theirs = changed.ok_or(BookError::Poor)?;
        takers.retain(|_, amount| *amount > 0);
        let assets = takers.into_iter().map(|(asset, amount)| AssetAmount {
            asset,
            amount: Amount(amount),
        });
        state.to_taker.assets = assets.collect();
        self.terms.accepts(&state).map_err(|_| BookError::Poor)?;
        Ok(state)
    }

    /// A state in which items of this party's have gone to the other besides.
    pub fn giving(&self, items: &[ItemId], state: ChannelState) -> Result<ChannelState, BookError> {
        let mut state = state;
        for id in items {
            let takers = &mut state.to_taker.items;
            match (takers.binary_search(id), self.of_taker) {
                (Ok(place), true) => drop(takers.remove(place)),
                (Err(place), false) if self.terms.gives.items.contains(id) => {
                    takers.insert(place, *id);
                }
                _ => return Err(BookError::NotYours(*id)),
            }
        }
        Ok(state)
    }

    /// The next state with one more hash-locked part.
    pub fn locking(&self, part: ChannelPart) -> Result<ChannelState, BookError> {
        let mut state = self.next();
        // What the taker pays is out of its share, what the giver pays out of the rest.
        if !part.to_taker {
            let takers = &mut state.to_taker.assets;
            let found = takers.iter().position(|a| a.asset == part.asset);
            let place = found.ok_or(BookError::Poor)?;
            let left = takers[place].amount.checked_sub(part.amount.0);
            takers[place].amount = left.ok_or(BookError::Poor)?;
            takers.retain(|a| a.amount > Amount::ZERO);
        }
        let place = state.parts.partition_point(|p| p.hash < part.hash);
        state.parts.insert(place, part);
        state.check()?;
        self.terms.accepts(&state)?;
        Ok(state)
    }

    /// The next state, in which a part of the one that counts is settled: paid if its secret is known, and else given
    /// back. What still comes to this party is given back with the word `less` alone (CH3).
    pub fn settling(
        &self,
        place: usize,
        (now, less): (Millis, bool),
    ) -> Result<ChannelState, BookError> {
        let mut state = self.next();
        if place >= state.parts.len() {
            return Err(BookError::Poor);
        }
        let part = state.parts.remove(place);
        let is_late = now >= part.expires;
        let paid = self.knows(&part) && (self.comes(&part) || !is_late);
        if self.comes(&part) && !paid && !is_late && !less {
            return Err(part.given_back());
        }
        if paid == part.to_taker {
            let assets = &mut state.to_taker.assets;
            match assets.binary_search_by(|a| a.asset.cmp(&part.asset)) {
                Ok(found) => {
                    let sum = assets[found].amount.checked_add(part.amount.0);
                    assets[found].amount = sum.ok_or(ChannelError::Division)?;
                }
                Err(free) => {
                    let (asset, amount) = (part.asset, part.amount);
                    assets.insert(free, AssetAmount { asset, amount });
                }
            }
        }
        Ok(state)
    }

    /// The next state, in which everything stays as it is and after which none comes.
    pub fn ending(&self) -> ChannelState {
        ChannelState {
            last: true,
            ..self.next()
        }
    }

    /// What a state leaves this party for certain at a time, whatever the other does: of the parts that come to it
    /// those whose secret it knows in time, and of those that it pays what came too late for a secret.
    pub fn certain(&self, state: &ChannelState, now: Millis) -> Result<Bundle, BookError> {
        self.having(state, |part| match self.comes(part) {
            true => self.knows(part) && now < part.expires,
            false => now >= part.expires,
        })
    }

    /// What a state leaves this party, by which of its parts it has in the end.
    pub(super) fn having(
        &self,
        state: &ChannelState,
        has: impl Fn(&ChannelPart) -> bool,
    ) -> Result<Bundle, BookError> {
        let terms = self.terms.channel().ok_or(BookError::NoChannel)?;
        let opened = |part: &ChannelPart| self.comes(part) == has(part);
        let shares = terms.divide(&self.terms.gives, Some(state), opened);
        let [giver, taker] = shares.ok_or(ChannelError::Division)?;
        Ok(if self.of_taker { taker } else { giver })
    }
}
