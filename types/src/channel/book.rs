//! One party's book of a channel, off the ledger: the newest state that both have signed, and what was signed here
//! last. Two states of one version are never signed: the ledger would take whichever it is shown first (CH1).

use super::{CHANNEL_PARTS_MAX, ChannelError, ChannelPart, ChannelState, SignedState};
use crate::authorisation::{Authorisation, UserKey};
use crate::ids::{Address, Amount, AssetId, DealId, ItemId, Millis, NetworkId, Secret, SecretHash};
use crate::operation::{Bundle, NewDeal};
use serde::{Deserialize, Serialize};

/// Most secrets of parts that are gone, which a book keeps: another channel of the route may need them still.
const SECRETS_KEPT: usize = 256;

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
    /// Those known here, of parts that are locked or were.
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
    /// CH4: of the parts that the state pays, so that whoever signs it can claim by the same hash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
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
    #[error(
        "the state gives back {amount} that waits for the secret of {hash} and comes to you until {expires}"
    )]
    Part {
        hash: SecretHash,
        amount: Amount,
        expires: Millis,
    },
    #[error("the state pays your part with hash {0}, and the secret is not known here")]
    Unknown(SecretHash),
    #[error("the channel does not hold what would be paid")]
    Poor,
    #[error("item {0} is not yours by the newest state")]
    NotYours(ItemId),
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

    /// Signs a state for the other to sign. Secrets of the parts that it pays go with it (CH4).
    pub fn offer(&mut self, state: ChannelState, key: &UserKey) -> Result<Offer, BookError> {
        self.own(key)?;
        self.check(&state)?;
        let before = self.state();
        let gone = |s: &Secret| state.opening(std::slice::from_ref(s)).is_empty();
        let mut secrets = before.opening(&self.secrets);
        secrets.retain(gone);
        let signature = self.sign(&state, key);
        Ok(Offer {
            state,
            signature,
            secrets,
        })
    }

    /// Signs what the other has offered, by the rules of who signs (CH1 to CH4) at a time; `less` is the word that some
    /// of them ask for. What was answered last is answered again as it was: the other may not have got it.
    pub fn answer(
        &mut self,
        offer: &Offer,
        key: &UserKey,
        (now, less): (Millis, bool),
    ) -> Result<SignedState, BookError> {
        let Offer {
            state,
            signature,
            secrets,
        } = offer;
        self.own(key)?;
        if let Some(newest) = self.newest.as_ref().filter(|n| n.state == *state) {
            return Ok(newest.clone());
        }
        self.check(state)?;
        if signature.key() != self.keys()?[usize::from(!self.of_taker)]
            || !state.is_signed_by(signature)
        {
            return Err(BookError::Signature);
        }
        self.learn(&self.state().opening(secrets));
        self.judge(state, now, less)?;
        let (theirs, own) = (signature.clone(), self.sign(state, key));
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

    /// What was offered here and not answered yet, as far as is known: the other may have signed it.
    pub fn unanswered(&self) -> Option<&ChannelState> {
        let newest = self.state().version;
        self.signed.as_ref().filter(|s| s.version > newest)
    }

    /// Whose book it is.
    pub fn party(&self) -> Address {
        let taker = self.terms.taker.filter(|_| self.of_taker);
        taker.unwrap_or(self.giver)
    }

    /// Takes up secrets; returns those that were not known. Of parts that are gone the latest few hundred are kept.
    pub fn learn(&mut self, secrets: &[Secret]) -> Vec<Secret> {
        let mut new = Vec::new();
        for secret in secrets {
            if !self.secrets.contains(secret) {
                self.secrets.push(*secret);
                new.push(*secret);
            }
        }
        let beyond = self
            .secrets
            .len()
            .saturating_sub(SECRETS_KEPT + 2 * CHANNEL_PARTS_MAX);
        if beyond > 0 {
            let open = self.opening(&self.secrets);
            let mut left = beyond;
            self.secrets.retain(|s| {
                let goes = left > 0 && !open.contains(s);
                left -= usize::from(goes);
                !goes
            });
        }
        new
    }

    /// Those secrets that open a part of the newest state, or of what was signed here last.
    pub fn opening(&self, secrets: &[Secret]) -> Vec<Secret> {
        let mut open = self.state().opening(secrets);
        let signed = self.signed.iter().flat_map(|s| s.opening(secrets));
        let signed: Vec<Secret> = signed.filter(|s| !open.contains(s)).collect();
        open.extend(signed);
        open
    }

    /// Whether a part's secret is known here.
    pub fn knows(&self, part: &ChannelPart) -> bool {
        self.secrets.iter().any(|s| s.hash() == part.hash)
    }

    /// Whether a part comes to this party, once it is opened.
    pub fn comes(&self, part: &ChannelPart) -> bool {
        part.to_taker == self.of_taker
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

    /// Whether a key is the one that this party signs states by.
    fn own(&self, key: &UserKey) -> Result<(), BookError> {
        let expected = self.keys()?[usize::from(self.of_taker)];
        let found = key.address();
        match found == expected {
            true => Ok(()),
            false => Err(BookError::Key { expected, found }),
        }
    }

    fn sign(&mut self, state: &ChannelState, key: &UserKey) -> Authorisation {
        self.signed = Some(state.clone());
        state.sign(key)
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
