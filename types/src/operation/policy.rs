//! L25 to L29: what a collection's creator lays down for its items, and who does what there.

use super::decode::{at_most, between, ids};
use super::encode::bytes;
use super::set::bit_set;
use super::*;

/// Most accounts with roles in a collection.
pub const ROLE_HOLDERS_MAX: usize = 16;
/// What a royalty's parts are of.
pub const ROYALTY_WHOLE: u32 = 10_000;

/// What holds wherever items of a collection change hands. Zeros ask nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Policy {
    /// Least of the native asset for an item sold in a deal; 0: none.
    #[serde(skip_serializing_if = "is_default")]
    pub floor_price: Amount,
    /// Most of the native asset for an item sold in a deal; 0: none.
    #[serde(skip_serializing_if = "is_default")]
    pub cap_price: Amount,
    /// No item changes hands before; 0: none.
    #[serde(skip_serializing_if = "is_default")]
    pub locked_until: Millis,
    /// No item changes hands from then on; 0: none.
    #[serde(skip_serializing_if = "is_default")]
    pub cut_off: Millis,
    /// No item ever changes hands.
    #[serde(skip_serializing_if = "is_default")]
    pub personal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub royalty: Option<Royalty>,
}

/// L28: what is paid to an account out of the price of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Royalty {
    pub to: Address,
    /// Of 10,000.
    pub parts: u32,
}

/// Who has which roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleHolder {
    pub account: Address,
    pub roles: Roles,
}

bit_set! {
    /// What an account may do in a collection that it has not created.
    Role,
    /// A set of roles.
    Roles,
    Minter = 0, "minter";
    /// Redeems.
    Gate = 1, "gate";
    Freezer = 2, "freezer";
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Policy {
    /// L26: what is looser than before, as asked for and as it stands; `None`: nothing is.
    pub fn loosens(&self, before: &Self) -> Option<(u64, u64)> {
        let parts = |policy: &Self| policy.royalty.map_or(0, |r| r.parts.into());
        let raised = [
            (self.floor_price.0, before.floor_price.0),
            (self.locked_until.0, before.locked_until.0),
            (self.personal.into(), before.personal.into()),
        ];
        let lowered = [
            (self.cap_price.0, before.cap_price.0),
            (self.cut_off.0, before.cut_off.0),
        ];
        // Without one there is no end.
        let end = |n: u64| if n == 0 { u64::MAX } else { n };
        let royalty = (parts(self), parts(before));
        let looser = raised.into_iter().find(|(asked, stands)| asked < stands);
        let looser = looser.or_else(|| {
            let mut lowered = lowered.into_iter();
            lowered.find(|(asked, stands)| end(*asked) > end(*stands))
        });
        looser.or((royalty.0 > royalty.1).then_some(royalty))
    }
}

impl From<&Policy> for wire::Policy {
    fn from(policy: &Policy) -> Self {
        Self {
            floor_price: policy.floor_price.0,
            cap_price: policy.cap_price.0,
            locked_until_ms: policy.locked_until.0,
            cut_off_ms: policy.cut_off.0,
            personal: policy.personal,
            royalty: policy.royalty.map(|royalty| wire::Royalty {
                to: bytes(&royalty.to.0),
                parts: royalty.parts,
            }),
        }
    }
}

impl TryFrom<&wire::Policy> for Policy {
    type Error = OperationError;

    fn try_from(wire: &wire::Policy) -> Result<Self, OperationError> {
        Ok(Self {
            floor_price: Amount(wire.floor_price),
            cap_price: Amount(wire.cap_price),
            locked_until: Millis(wire.locked_until_ms),
            cut_off: Millis(wire.cut_off_ms),
            personal: wire.personal,
            royalty: wire.royalty.as_ref().map(TryInto::try_into).transpose()?,
        })
    }
}

impl TryFrom<&wire::Royalty> for Royalty {
    type Error = OperationError;

    fn try_from(wire: &wire::Royalty) -> Result<Self, OperationError> {
        let (to, parts) = share("royalty", &wire.to, wire.parts)?;
        Ok(Self { to, parts })
    }
}

/// Who is paid, and how many parts of 10,000.
pub(super) fn share(
    what: &'static str,
    to: &[u8],
    parts: u32,
) -> Result<(Address, u32), OperationError> {
    if !(1..=ROYALTY_WHOLE).contains(&parts) {
        return Err(OperationError::Parts(what, parts));
    }
    match Address::try_from(to)? {
        Address::ZERO => Err(OperationError::Payee(what)),
        to => Ok((to, parts)),
    }
}

impl From<&RoleHolder> for wire::RoleHolder {
    fn from(holder: &RoleHolder) -> Self {
        Self {
            account: bytes(&holder.account.0),
            roles: holder.roles.bits(),
        }
    }
}

impl TryFrom<&wire::RoleHolder> for RoleHolder {
    type Error = OperationError;

    fn try_from(wire: &wire::RoleHolder) -> Result<Self, OperationError> {
        let unknown = |bits| OperationError::Bits("roles", bits);
        Ok(Self {
            account: Address::try_from(wire.account.as_ref())?,
            roles: Roles::from_bits(wire.roles).map_err(unknown)?,
        })
    }
}

pub(super) fn set_policy(wire: &wire::SetPolicy) -> Result<Operation, OperationError> {
    at_most("roles", wire.roles.len(), ROLE_HOLDERS_MAX)?;
    if wire.policy.is_none() && wire.roles.is_empty() {
        return Err(OperationError::Missing("policy or role"));
    }
    let roles = wire.roles.iter().map(RoleHolder::try_from);
    Ok(Operation::SetPolicy {
        collection: CollectionId::try_from(wire.collection.as_ref())?,
        policy: wire.policy.as_ref().map(TryInto::try_into).transpose()?,
        roles: roles.collect::<Result<_, _>>()?,
    })
}

pub(super) fn freeze(wire: &wire::Freeze) -> Result<Operation, OperationError> {
    let named = [&wire.collections, &wire.editions, &wire.items];
    let named = named.iter().map(|list| list.len()).sum();
    between("freeze", named, 1, LIST_MAX)?;
    Ok(Operation::Freeze {
        frozen: wire.frozen,
        collections: ids(&wire.collections)?,
        editions: ids(&wire.editions)?,
        items: ids(&wire.items)?,
    })
}

#[cfg(test)]
mod tests;
