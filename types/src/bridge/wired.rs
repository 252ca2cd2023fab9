//! Assets, deposits and reports to their wire messages and back.

use super::{BaseAsset, Deposit};
use crate::ids::{Address, Amount, BaseAddress, IdError, TokenId};
use crate::wire;
use bytes::Bytes;

/// A message of the bridge that is wrong in form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BridgeError {
    #[error(transparent)]
    Id(#[from] IdError),
    #[error("asset of kind {kind} names what it has not, or lacks its amount")]
    Asset { kind: u32 },
    #[error("deposit names no asset")]
    NoAsset,
}

impl From<&BaseAsset> for wire::BaseAsset {
    fn from(asset: &BaseAsset) -> Self {
        let token = |token: &BaseAddress| Bytes::copy_from_slice(&token.0);
        let mut wire = Self {
            kind: asset.kind().into(),
            ..Self::default()
        };
        match asset {
            BaseAsset::Native { amount } => wire.amount = amount.0,
            BaseAsset::Erc20 { token: t, amount } => {
                (wire.token, wire.amount) = (token(t), amount.0);
            }
            BaseAsset::Erc721 { token: t, id } => {
                (wire.token, wire.token_id) = (token(t), Bytes::copy_from_slice(&id.0));
            }
        }
        wire
    }
}

impl TryFrom<&wire::BaseAsset> for BaseAsset {
    type Error = BridgeError;

    fn try_from(wire: &wire::BaseAsset) -> Result<Self, BridgeError> {
        let amount = Amount(wire.amount);
        Ok(
            match (
                wire.kind,
                wire.token.as_ref(),
                wire.amount,
                wire.token_id.as_ref(),
            ) {
                (0, [], 1.., []) => Self::Native { amount },
                (1, token @ [_, ..], 1.., []) => Self::Erc20 {
                    token: BaseAddress::try_from(token)?,
                    amount,
                },
                (2, token @ [_, ..], 0, id) => Self::Erc721 {
                    token: BaseAddress::try_from(token)?,
                    id: TokenId::try_from(id)?,
                },
                (kind, ..) => return Err(BridgeError::Asset { kind }),
            },
        )
    }
}

impl From<&Deposit> for wire::Deposit {
    fn from(deposit: &Deposit) -> Self {
        Self {
            asset: Some((&deposit.asset).into()),
            sender: Bytes::copy_from_slice(&deposit.sender.0),
            account: Bytes::copy_from_slice(&deposit.account.0),
        }
    }
}

impl TryFrom<&wire::Deposit> for Deposit {
    type Error = BridgeError;

    fn try_from(wire: &wire::Deposit) -> Result<Self, BridgeError> {
        let asset = wire.asset.as_ref().ok_or(BridgeError::NoAsset)?;
        Ok(Self {
            asset: asset.try_into()?,
            sender: BaseAddress::try_from(wire.sender.as_ref())?,
            account: Address::try_from(wire.account.as_ref())?,
        })
    }
}
