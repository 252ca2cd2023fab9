//! One party's book of a channel, off the ledger: the newest state that both have signed, and what was signed here
//! last. Two states of one version are never signed: the ledger would take whichever it is shown first.

use super::{ChannelError, ChannelPart, ChannelState, SignedState};
use crate::authorisation::{Authorisation, UserKey};
use crate::ids::{Address, Amount, AssetId, DealId, ItemId, NetworkId, Secret};
use crate::operation::{Bundle, NewDeal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a party keeps of its channel. What is signed has to be written down before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    pub network: NetworkId,
    pub deal: DealId,
    /// As the ledger has it.
    pub giver: Address,
    pub terms: NewDeal,
    /// Whether the book is the taker's.
    pub of_taker: bool,
    /// Signed by both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<SignedState>,
    /// What was signed here last; the other may have signed it too by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<ChannelState>,
    /// Those known here, of parts that are locked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
}

/// A state that one party has signed and the other may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    pub state: ChannelState,
    #[serde(with = "one")]
    pub signature: Authorisation,
}

/// Why a state is not signed, or not taken down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("the deal is no channel")]
    NoChannel,
    #[error("the state is of another channel")]
    Other,
    #[error("the key is {found}, the channel's is {expected}")]
    Key { expected: Address, found: Address },
    #[error("the signature is not the other party's over this state")]
    Signature,
    #[error("version {found} is not above {limit}, which was signed already")]
    Version { found: u64, limit: u64 },
    #[error("the channel has had its last state")]
    Over,
    #[error("the state leaves {found} of asset {asset} for certain, where it was {limit}")]
    Less {
        asset: AssetId,
        found: Amount,
        limit: Amount,
    },
    #[error("the state takes item {0}")]
    Item(ItemId),
    #[error("the channel does not hold what would be paid")]
    Poor,
}

impl Book {
    /// Of a channel that the ledger has.
    pub fn new(
        network: NetworkId,
        (deal, giver, terms): (DealId, Address, NewDeal),
        of_taker: bool,
    ) -> Result<Self, BookError> {
        terms.channel().ok_or(BookError::NoChannel)?;
        Ok(Self {
            network,
            deal,
            giver,
            terms,
            of_taker,
            newest: None,
            signed: None,
            secrets: Vec::new(),
        })
    }

    /// The state that counts, one of version zero at the beginning.
    pub fn state(&self) -> ChannelState {
        match &self.newest {
            Some(signed) => signed.state.clone(),
            None => ChannelState {
                network: self.network,
                deal: self.deal,
                to_taker: self
                    .terms
                    .channel()
                    .map_or(Bundle::default(), |c| c.to_taker.clone()),
                ..ChannelState::default()
            },
        }
    }

    /// The same with the next version that may be signed here.
    pub fn next(&self) -> ChannelState {
        let state = self.state();
        let version = self.highest().max(state.version) + 1;
        ChannelState { version, ..state }
    }

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
        let assets = takers.into_iter().map(|(asset, amount)| {
            let amount = Amount(amount);
            crate::operation::AssetAmount { asset, amount }
        });
        state.to_taker.assets = assets.collect();
        self.terms.accepts(&state).map_err(|_| BookError::Poor)?;
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

    /// The next state, in which a part of the one that counts is settled: paid if its secret is known, else given back.
    pub fn settling(&self, place: usize) -> Result<ChannelState, BookError> {
        let mut state = self.next();
        if place >= state.parts.len() {
            return Err(BookError::Poor);
        }
        let part = state.parts.remove(place);
        let paid = self.knows(&part) == part.to_taker;
        if paid {
            let assets = &mut state.to_taker.assets;
            match assets.binary_search_by(|a| a.asset.cmp(&part.asset)) {
                Ok(found) => assets[found].amount.0 += part.amount.0,
                Err(free) => {
                    let (asset, amount) = (part.asset, part.amount);
                    assets.insert(free, crate::operation::AssetAmount { asset, amount });
                }
            }
        }
        Ok(state)
    }

    /// Signs a state for the other to sign.
    pub fn offer(&mut self, state: ChannelState, key: &UserKey) -> Result<Offer, BookError> {
        self.check(&state)?;
        let signature = self.sign(&state, key)?;
        Ok(Offer { state, signature })
    }

    /// Signs what the other has offered. Unless `less` is said it leaves this party for certain what it had. What was
    /// answered last is answered again as it was: the other may not have got it.
    pub fn answer(
        &mut self,
        offer: &Offer,
        key: &UserKey,
        less: bool,
    ) -> Result<SignedState, BookError> {
        let Offer { state, signature } = offer;
        if let Some(newest) = self.newest.as_ref().filter(|n| n.state == *state) {
            return Ok(newest.clone());
        }
        self.check(state)?;
        if signature.key() != self.keys()?[usize::from(!self.of_taker)]
            || !state.is_signed_by(signature)
        {
            return Err(BookError::Signature);
        }
        if !less {
            self.no_less(state)?;
        }
        let (theirs, own) = (signature.clone(), self.sign(state, key)?);
        let signed = SignedState {
            state: state.clone(),
            signatures: match self.of_taker {
                true => [theirs, own],
                false => [own, theirs],
            },
        };
        self.newest = Some(signed.clone());
        Ok(signed)
    }

    /// Takes down what both have signed. An older one never takes a newer one's place.
    pub fn conclude(&mut self, signed: &SignedState) -> Result<(), BookError> {
        let state = &signed.state;
        self.belongs(state)?;
        if signed.keys() != self.keys()? || !signed.verify() {
            return Err(BookError::Signature);
        }
        let (found, limit) = (state.version, self.state().version);
        if found <= limit {
            return Err(BookError::Version { found, limit });
        }
        self.newest = Some(signed.clone());
        Ok(())
    }

    /// What a state leaves this party whatever the other does: parts that it pays are gone, and those that it gets are
    /// there once it knows the secret.
    pub fn certain(&self, state: &ChannelState) -> Result<Bundle, BookError> {
        let terms = self.terms.channel().ok_or(BookError::NoChannel)?;
        let opened = |part: &ChannelPart| part.to_taker != self.of_taker || self.knows(part);
        let shares = terms.divide(&self.terms.gives, Some(state), opened);
        let [giver, taker] = shares.ok_or(ChannelError::Division)?;
        Ok(if self.of_taker { taker } else { giver })
    }

    fn knows(&self, part: &ChannelPart) -> bool {
        self.secrets.iter().any(|s| s.hash() == part.hash)
    }

    fn highest(&self) -> u64 {
        self.signed.as_ref().map_or(0, |s| s.version)
    }

    fn keys(&self) -> Result<[Address; 2], BookError> {
        let terms = self.terms.channel().ok_or(BookError::NoChannel)?;
        Ok(terms.keys())
    }

    fn belongs(&self, state: &ChannelState) -> Result<(), BookError> {
        if state.deal != self.deal || state.network != self.network {
            return Err(BookError::Other);
        }
        state.check()?;
        Ok(self.terms.accepts(state)?)
    }

    /// Whether a state may be signed here.
    fn check(&self, state: &ChannelState) -> Result<(), BookError> {
        self.belongs(state)?;
        let last = self.signed.as_ref().is_some_and(|s| s.last);
        if last || self.state().last {
            return Err(BookError::Over);
        }
        let (found, limit) = (state.version, self.highest().max(self.state().version));
        match found > limit {
            true => Ok(()),
            false => Err(BookError::Version { found, limit }),
        }
    }

    fn sign(&mut self, state: &ChannelState, key: &UserKey) -> Result<Authorisation, BookError> {
        let expected = self.keys()?[usize::from(self.of_taker)];
        let found = key.address();
        if found != expected {
            return Err(BookError::Key { expected, found });
        }
        self.signed = Some(state.clone());
        Ok(state.sign(key))
    }

    fn no_less(&self, state: &ChannelState) -> Result<(), BookError> {
        let (before, after) = (self.certain(&self.state())?, self.certain(state)?);
        for had in &before.assets {
            let now = after.assets.iter().find(|a| a.asset == had.asset);
            let found = now.map_or(Amount::ZERO, |a| a.amount);
            if found < had.amount {
                return Err(BookError::Less {
                    asset: had.asset,
                    found,
                    limit: had.amount,
                });
            }
        }
        match before.items.iter().find(|id| !after.items.contains(id)) {
            Some(item) => Err(BookError::Item(*item)),
            None => Ok(()),
        }
    }
}

mod one {
    use crate::api::AuthorisationJson;
    use crate::authorisation::Authorisation;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(one: &Authorisation, to: S) -> Result<S::Ok, S::Error> {
        AuthorisationJson::from(one).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Authorisation, D::Error> {
        let json = AuthorisationJson::deserialize(from)?;
        json.read().map_err(D::Error::custom)
    }
}
