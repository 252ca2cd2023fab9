//! From the wire, with every bound of form.

use super::*;
use crate::channel::ChannelError;

/// An operation wrong in form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    #[error("operation is of no known kind")]
    Unknown,
    #[error(transparent)]
    Id(#[from] IdError),
    #[error("{what} has {found} entries, not {least} to {limit}")]
    Count {
        what: &'static str,
        found: usize,
        least: usize,
        limit: usize,
    },
    #[error("{what} has {found} bytes, more than {limit}")]
    Text {
        what: &'static str,
        found: usize,
        limit: usize,
    },
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} must not be zero")]
    Zero(&'static str),
    #[error("wanted items name none of edition, collection and trait, or more than one")]
    WantedFrom,
    #[error("{0} are not ascending, or one stands there twice")]
    Order(&'static str),
    #[error("{0} have the unknown bits {1:#x}")]
    Bits(&'static str, u32),
    #[error("guardian's delay is {found} ms, more than {limit}")]
    Delay { found: u64, limit: u64 },
    #[error("{0} has {1} parts, not 1 to {ROYALTY_WHOLE}")]
    Parts(&'static str, u32),
    #[error("{0}'s account must not be zero")]
    Payee(&'static str),
    #[error("an auction {0}: this one differs")]
    Auction(&'static str),
    #[error("pass has no signature: {0}")]
    Pass(String),
    #[error("pass names an account for its key, which the item's owner is")]
    PassAccount,
    #[error("a deal is no series of packs: {0}")]
    Series(&'static str),
    #[error("an order of a book {0}: this one differs")]
    Book(&'static str),
    #[error("a MultiParty stands inside another")]
    Nested,
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("signers of data are none, or no bitmap of {0} bytes")]
    Signers(usize),
}

pub(super) fn between(
    what: &'static str,
    found: usize,
    least: usize,
    limit: usize,
) -> Result<(), OperationError> {
    if (least..=limit).contains(&found) {
        return Ok(());
    }
    Err(OperationError::Count {
        what,
        found,
        least,
        limit,
    })
}

pub(super) fn count(what: &'static str, found: usize, limit: usize) -> Result<(), OperationError> {
    between(what, found, 1, limit)
}

pub(super) fn at_most(
    what: &'static str,
    found: usize,
    limit: usize,
) -> Result<(), OperationError> {
    between(what, found, 0, limit)
}

pub(super) fn text(
    what: &'static str,
    value: String,
    limit: usize,
) -> Result<String, OperationError> {
    if value.len() <= limit {
        return Ok(value);
    }
    Err(OperationError::Text {
        what,
        found: value.len(),
        limit,
    })
}

pub(crate) fn positive(what: &'static str, n: u64) -> Result<u64, OperationError> {
    if n == 0 {
        return Err(OperationError::Zero(what));
    }
    Ok(n)
}

pub(crate) fn asset(bytes: &[u8]) -> Result<AssetId, IdError> {
    match bytes {
        [] => Ok(AssetId::NATIVE),
        bytes => AssetId::try_from(bytes),
    }
}

/// An identifier that may be left out.
pub(crate) fn optional<'a, T: TryFrom<&'a [u8], Error = IdError>>(
    bytes: &'a [u8],
) -> Result<Option<T>, IdError> {
    match bytes {
        [] => Ok(None),
        bytes => T::try_from(bytes).map(Some),
    }
}

pub(super) fn ids<T>(list: &[Bytes]) -> Result<Vec<T>, IdError>
where
    T: for<'a> TryFrom<&'a [u8], Error = IdError>,
{
    list.iter().map(|id| T::try_from(id.as_ref())).collect()
}

impl TryFrom<wire::Operation> for Operation {
    type Error = OperationError;

    fn try_from(wire: wire::Operation) -> Result<Self, OperationError> {
        use wire::operation::Kind;
        Ok(match wire.kind.ok_or(OperationError::Unknown)? {
            Kind::Transfer(t) => transfer(t)?,
            Kind::CreateCollection(c) => {
                positive("length of the collection's name", c.name.len() as u64)?;
                Self::CreateCollection {
                    name: text("name", c.name, NAME_BYTES_MAX)?,
                    description: text("description", c.description, TEXT_BYTES_MAX)?,
                    item_cap: c.item_cap,
                }
            }
            Kind::CreateEdition(e) => Self::CreateEdition(e.try_into()?),
            Kind::Mint(m) => {
                count("mint", m.entries.len(), LIST_MAX)?;
                let entries = m.entries.into_iter().map(MintEntry::try_from);
                Self::Mint {
                    entries: entries.collect::<Result<_, _>>()?,
                }
            }
            Kind::UpdateItem(u) => Self::UpdateItem {
                item: ItemId::try_from(u.item.as_ref())?,
                status: text("status", u.status, TEXT_BYTES_MAX)?,
                data_hash: optional(&u.data_hash)?,
            },
            Kind::Burn(b) => {
                count("burn", b.items.len(), LIST_MAX)?;
                Self::Burn {
                    items: ids(&b.items)?,
                }
            }
            Kind::DealOpen(d) => Self::DealOpen(d.try_into()?),
            Kind::DealTake(t) => Self::DealTake(t.try_into()?),
            Kind::DealCancel(c) => Self::DealCancel {
                deal: DealId::try_from(c.deal.as_ref())?,
            },
            Kind::Withdraw(w) => {
                let gives = Bundle::try_from(w.gives.unwrap_or_default())?;
                if gives.is_empty() {
                    return Err(OperationError::Missing("what is withdrawn"));
                }
                Self::Withdraw {
                    recipient: somebody("recipient", &w.recipient)?,
                    gives,
                }
            }
            Kind::ExitAddress(e) => {
                at_most("cards of the exit address", e.items.len(), LIST_MAX)?;
                Self::ExitAddress {
                    address: somebody("exit address", &e.address)?,
                    items: ids(&e.items)?,
                }
            }
            Kind::SetKeys(s) => {
                count("changes of keys", s.changes.len(), KEY_CHANGES_MAX)?;
                let changes = s.changes.into_iter().map(KeyChange::try_from);
                Self::SetKeys {
                    changes: changes.collect::<Result<_, _>>()?,
                }
            }
            Kind::Recover(r) => Self::Recover {
                account: Address::try_from(r.account.as_ref())?,
                owner: keys::key("new owner", &r.owner)?,
            },
            Kind::SetPolicy(s) => policy::set_policy(&s)?,
            Kind::Freeze(f) => policy::freeze(&f)?,
            Kind::Bid(b) => Self::Bid {
                deal: DealId::try_from(b.deal.as_ref())?,
                amount: Amount(positive("bid", b.amount)?),
            },
            Kind::Redeem(r) => ticket::redeem(&r)?,
            Kind::Void(v) => ticket::void(v)?,
            Kind::SetSale(s) => ticket::set_sale(&s)?,
            Kind::Buy(b) => Self::Buy((&b).try_into()?),
            Kind::Reveal(r) => Self::Reveal {
                deal: DealId::try_from(r.deal.as_ref())?,
                secret: DrawSecret::try_from(r.secret.as_ref())?,
            },
            Kind::PassPack(p) => Self::PassPack {
                deal: DealId::try_from(p.deal.as_ref())?,
                pack: p.pack,
                to: Address::try_from(p.to.as_ref())?,
            },
            Kind::VoucherOpen(v) => Self::VoucherOpen((&v).try_into()?),
            Kind::VoucherIssue(v) => voucher::issue(&v)?,
            Kind::VoucherSpend(v) => voucher::spend(&v)?,
            Kind::PostData(p) => Self::PostData((&p).try_into()?),
            Kind::MultiParty(m) => {
                count(
                    "parties",
                    m.parties.len(),
                    crate::transaction::AUTHORISATIONS_MAX,
                )?;
                let parties = m.parties.into_iter().map(Party::try_from);
                Self::MultiParty(parties.collect::<Result<_, _>>()?)
            }
            Kind::ChannelClose(c) => {
                Self::ChannelClose(crate::channel::showing(&c.deal, c.state, &c.secrets)?)
            }
            Kind::ChannelChallenge(c) => {
                let shown = crate::channel::showing(&c.deal, c.state, &c.secrets)?;
                if shown.state.is_none() && shown.secrets.is_empty() {
                    return Err(OperationError::Missing("what a challenge shows"));
                }
                Self::ChannelChallenge(shown)
            }
        })
    }
}

pub(super) fn transfer(wire: wire::Transfer) -> Result<Operation, OperationError> {
    count("transfer", wire.payments.len() + wire.items.len(), LIST_MAX)?;
    let mut payments = Vec::with_capacity(wire.payments.len());
    for payment in &wire.payments {
        payments.push(Payment {
            to: Address::try_from(payment.to.as_ref())?,
            asset: asset(&payment.asset)?,
            amount: Amount(positive("payment", payment.amount)?),
        });
    }
    let mut items = Vec::with_capacity(wire.items.len());
    for item in &wire.items {
        items.push(ItemTransfer {
            to: Address::try_from(item.to.as_ref())?,
            item: ItemId::try_from(item.item.as_ref())?,
        });
    }
    Ok(Operation::Transfer { payments, items })
}

impl TryFrom<wire::CreateEdition> for NewEdition {
    type Error = OperationError;

    fn try_from(wire: wire::CreateEdition) -> Result<Self, OperationError> {
        at_most("traits", wire.traits.len(), TRAITS_MAX)?;
        positive("length of the edition's name", wire.name.len() as u64)?;
        let mut traits = Vec::with_capacity(wire.traits.len());
        for t in wire.traits {
            traits.push(Trait {
                name: text("trait", t.name, NAME_BYTES_MAX)?,
                value: text("trait", t.value, NAME_BYTES_MAX)?,
            });
        }
        Ok(Self {
            collection: CollectionId::try_from(wire.collection.as_ref())?,
            name: text("name", wire.name, NAME_BYTES_MAX)?,
            cap: positive("cap", wire.cap)?,
            traits,
            image: text("image", wire.image, TEXT_BYTES_MAX)?,
            image_hash: optional(&wire.image_hash)?,
            metadata_hash: optional(&wire.metadata_hash)?,
            reference: text("reference", wire.reference, NAME_BYTES_MAX)?,
            uses: wire.uses,
        })
    }
}

impl TryFrom<wire::MintEntry> for MintEntry {
    type Error = OperationError;

    fn try_from(wire: wire::MintEntry) -> Result<Self, OperationError> {
        Ok(Self {
            edition: EditionId::try_from(wire.edition.as_ref())?,
            to: Address::try_from(wire.to.as_ref())?,
            count: positive("count", wire.count)?,
        })
    }
}

impl TryFrom<wire::Bundle> for Bundle {
    type Error = OperationError;

    fn try_from(wire: wire::Bundle) -> Result<Self, OperationError> {
        at_most("bundle", wire.assets.len() + wire.items.len(), LIST_MAX)?;
        let mut assets = Vec::with_capacity(wire.assets.len());
        for a in &wire.assets {
            assets.push(AssetAmount {
                asset: asset(&a.asset)?,
                amount: Amount(positive("amount", a.amount)?),
            });
        }
        Ok(Self {
            assets,
            items: ids(&wire.items)?,
        })
    }
}

impl TryFrom<wire::WantedItems> for WantedItems {
    type Error = OperationError;

    fn try_from(wire: wire::WantedItems) -> Result<Self, OperationError> {
        let (edition, collection) = (optional(&wire.edition)?, optional(&wire.collection)?);
        let from = match (edition, collection, wire.r#trait) {
            (Some(edition), None, None) => WantedFrom::Edition(edition),
            (None, Some(collection), None) => WantedFrom::Collection(collection),
            (None, None, Some(of)) => {
                positive("length of the trait's name", of.name.len() as u64)?;
                WantedFrom::Trait {
                    collection: CollectionId::try_from(of.collection.as_ref())?,
                    name: text("trait", of.name, NAME_BYTES_MAX)?,
                    value: text("trait", of.value, NAME_BYTES_MAX)?,
                }
            }
            _ => return Err(OperationError::WantedFrom),
        };
        Ok(Self {
            from,
            count: positive("count", wire.count)?,
        })
    }
}

impl TryFrom<wire::DealOpen> for NewDeal {
    type Error = OperationError;

    fn try_from(wire: wire::DealOpen) -> Result<Self, OperationError> {
        at_most("wanted items", wire.wants_any.len(), LIST_MAX)?;
        let gives = Bundle::try_from(wire.gives.unwrap_or_default())?;
        if gives.is_empty() {
            return Err(OperationError::Missing("what the deal gives"));
        }
        let wants_any = wire.wants_any.into_iter().map(WantedItems::try_from);
        let deal = Self {
            gives,
            wants: Bundle::try_from(wire.wants.unwrap_or_default())?,
            wants_any: wants_any.collect::<Result<_, _>>()?,
            taker: optional(&wire.taker)?,
            expires: Millis(wire.expires_ms),
            reference: text("reference", wire.reference, NAME_BYTES_MAX)?,
            commission: wire
                .commission
                .as_ref()
                .map(TryInto::try_into)
                .transpose()?,
            rule: match wire.rule {
                None => DealRule::Fixed,
                Some(wire::deal_open::Rule::Auction(auction)) => {
                    DealRule::Auction((&auction).into())
                }
                Some(wire::deal_open::Rule::Draw(draw)) => DealRule::Draw((&draw).try_into()?),
                Some(wire::deal_open::Rule::Secret(lock)) => DealRule::Secret {
                    hash: SecretHash::try_from(lock.hash.as_ref())?,
                },
                Some(wire::deal_open::Rule::CoSigned(terms)) => {
                    DealRule::CoSigned(terms.try_into()?)
                }
                Some(wire::deal_open::Rule::Book(_)) => DealRule::Book,
            },
        };
        match &deal.rule {
            DealRule::Fixed => {}
            DealRule::Auction(auction) => deal.check_auction(auction)?,
            DealRule::Draw(series) => deal.check_series(series)?,
            DealRule::Secret { .. } => deal.check_taker()?,
            DealRule::CoSigned(terms) => deal.check_channel(terms)?,
            DealRule::Book => deal.check_order()?,
        }
        Ok(deal)
    }
}

impl TryFrom<wire::DealTake> for Taking {
    type Error = OperationError;

    fn try_from(wire: wire::DealTake) -> Result<Self, OperationError> {
        at_most("deal's items", wire.items.len(), LIST_MAX)?;
        Ok(Self {
            deal: DealId::try_from(wire.deal.as_ref())?,
            items: ids(&wire.items)?,
            entropy: optional(&wire.entropy)?,
            secret: optional(&wire.secret)?,
        })
    }
}

impl TryFrom<wire::Party> for Party {
    type Error = OperationError;

    fn try_from(wire: wire::Party) -> Result<Self, OperationError> {
        count(
            "operations of a party",
            wire.operations.len(),
            crate::transaction::OPERATIONS_MAX,
        )?;
        let mut operations = Vec::with_capacity(wire.operations.len());
        for operation in wire.operations {
            // Looked at before it is converted, so that nesting never recurses.
            if matches!(operation.kind, Some(wire::operation::Kind::MultiParty(_))) {
                return Err(OperationError::Nested);
            }
            operations.push(Operation::try_from(operation)?);
        }
        Ok(Self {
            account: Address::try_from(wire.account.as_ref())?,
            operations,
        })
    }
}

/// An address on the base chain that somebody may have the key of.
fn somebody(what: &'static str, bytes: &[u8]) -> Result<BaseAddress, OperationError> {
    let address = BaseAddress::try_from(bytes)?;
    match address == BaseAddress::ZERO {
        true => Err(OperationError::Zero(what)),
        false => Ok(address),
    }
}
