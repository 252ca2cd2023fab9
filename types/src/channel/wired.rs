//! What stands of channels in operations and objects, to wire messages and back.

use super::{
    CHALLENGE_MAX, CHALLENGE_MIN, CHANNEL_PARTS_MAX, ChannelError, ChannelState, ChannelTerms,
    STATES_SHOWN_MAX, Showing, SignedState, Standing,
};
use crate::authorisation::Authorisation;
use crate::ids::{Address, DealId, Millis, Secret};
use crate::operation::encode::bytes;
use crate::operation::{Bundle, NewDeal, OperationError};
use crate::wire;
use bytes::Bytes;

pub(super) fn bundle(what: &'static str, wire: wire::Bundle) -> Result<Bundle, ChannelError> {
    let bundle = Bundle::try_from(wire).map_err(|e| ChannelError::Malformed(e.to_string()))?;
    match bundle.is_canonical() {
        true => Ok(bundle),
        false => Err(ChannelError::Order(what)),
    }
}

impl TryFrom<wire::CoSigned> for ChannelTerms {
    type Error = ChannelError;

    fn try_from(wire: wire::CoSigned) -> Result<Self, ChannelError> {
        if !(CHALLENGE_MIN.0..=CHALLENGE_MAX.0).contains(&wire.challenge_ms) {
            return Err(ChannelError::Window(wire.challenge_ms));
        }
        Ok(Self {
            challenge: Millis(wire.challenge_ms),
            to_taker: bundle("what is the taker's", wire.to_taker.unwrap_or_default())?,
            giver_key: Address::try_from(wire.giver_key.as_ref())?,
            taker_key: Address::try_from(wire.taker_key.as_ref())?,
        })
    }
}

impl From<&ChannelTerms> for wire::CoSigned {
    fn from(terms: &ChannelTerms) -> Self {
        Self {
            challenge_ms: terms.challenge.0,
            to_taker: Some((&terms.to_taker).into()),
            giver_key: bytes(&terms.giver_key.0),
            taker_key: bytes(&terms.taker_key.0),
        }
    }
}

impl NewDeal {
    /// L41: all that bytes alone say of a channel.
    pub(crate) fn check_channel(&self, terms: &ChannelTerms) -> Result<(), OperationError> {
        self.check_taker()?;
        if !self.wants.is_empty() || !self.wants_any.is_empty() {
            return Err(ChannelError::Wants.into());
        }
        match terms.shares(&self.gives, None, &[]) {
            Some(_) => Ok(()),
            None => Err(ChannelError::Division.into()),
        }
    }

    /// L40, L41: who the taker is stands in the terms.
    pub(crate) fn check_taker(&self) -> Result<(), OperationError> {
        match self.taker {
            Some(_) => Ok(()),
            None => Err(OperationError::Missing("the taker that the rule asks for")),
        }
    }
}

fn secrets(list: &[Bytes]) -> Result<Vec<Secret>, ChannelError> {
    if list.len() > CHANNEL_PARTS_MAX {
        return Err(ChannelError::Parts(list.len()));
    }
    let secrets = list.iter().map(|s| Secret::try_from(s.as_ref()));
    Ok(secrets.collect::<Result<_, _>>()?)
}

/// Reads what a party shows.
pub(crate) fn showing(
    deal: &Bytes,
    state: Option<wire::SignedState>,
    shown: &[Bytes],
) -> Result<Showing, OperationError> {
    Ok(Showing {
        deal: DealId::try_from(deal.as_ref())?,
        state: state.map(SignedState::try_from).transpose()?,
        secrets: secrets(shown)?,
    })
}

impl TryFrom<wire::SignedState> for SignedState {
    type Error = ChannelError;

    fn try_from(wire: wire::SignedState) -> Result<Self, ChannelError> {
        let found = wire.signatures.len();
        let [giver, taker] = wire.signatures.as_slice() else {
            return Err(ChannelError::Signatures(found));
        };
        let read = |place: usize, wire: &wire::Authorisation| {
            let read = Authorisation::from_wire(place, wire).ok();
            // Which accounts they are of, the channel's terms say.
            let read = read.filter(|a| a.account.is_none());
            read.ok_or(ChannelError::Signature(place))
        };
        Ok(Self {
            state: ChannelState::decode(&wire.state)?,
            signatures: [read(0, giver)?, read(1, taker)?],
        })
    }
}

impl From<&SignedState> for wire::SignedState {
    fn from(signed: &SignedState) -> Self {
        Self {
            state: signed.state.encode(),
            signatures: signed.signatures.iter().map(|a| a.to_wire()).collect(),
        }
    }
}

macro_rules! shown {
    ($($message:ident),*) => {$(
        impl From<&Showing> for wire::$message {
            fn from(shown: &Showing) -> Self {
                Self {
                    deal: bytes(&shown.deal.0),
                    state: shown.state.as_ref().map(Into::into),
                    secrets: shown.secrets.iter().map(|s| bytes(&s.0)).collect(),
                }
            }
        }
    )*};
}

shown!(ChannelClose, ChannelChallenge);

impl From<&Standing> for wire::Standing {
    fn from(standing: &Standing) -> Self {
        let [shown_by_giver, shown_by_taker] = standing.shown;
        Self {
            state: standing
                .state
                .as_ref()
                .map_or(Bytes::new(), ChannelState::encode),
            until_ms: standing.until.0,
            shown_by_giver,
            shown_by_taker,
            secrets: standing.secrets.iter().map(|s| bytes(&s.0)).collect(),
        }
    }
}

impl TryFrom<wire::Standing> for Standing {
    type Error = ChannelError;

    fn try_from(wire: wire::Standing) -> Result<Self, ChannelError> {
        let standing = Self {
            state: match wire.state.as_ref() {
                [] => None,
                _ => Some(ChannelState::decode(&wire.state)?),
            },
            until: Millis(wire.until_ms),
            shown: [wire.shown_by_giver, wire.shown_by_taker],
            secrets: secrets(&wire.secrets)?,
        };
        let too_often = standing.shown.iter().any(|n| *n > STATES_SHOWN_MAX);
        match too_often || standing == Self::default() {
            true => Err(ChannelError::Standing),
            false => Ok(standing),
        }
    }
}
