//! Typed operations to their wire messages.

use super::*;

pub(crate) fn bytes(id: &[u8; 32]) -> Bytes {
    Bytes::copy_from_slice(id)
}

pub(crate) fn asset_bytes(asset: &AssetId) -> Bytes {
    match *asset {
        AssetId::NATIVE => Bytes::new(),
        asset => bytes(&asset.0),
    }
}

pub(crate) fn hash_bytes(hash: &Option<ContentHash>) -> Bytes {
    hash.map_or(Bytes::new(), |h| bytes(&h.0))
}

fn item_bytes(items: &[ItemId]) -> Vec<Bytes> {
    items.iter().map(|i| bytes(&i.0)).collect()
}

impl From<&Trait> for wire::Trait {
    fn from(t: &Trait) -> Self {
        Self {
            name: t.name.clone(),
            value: t.value.clone(),
        }
    }
}

impl From<&Bundle> for wire::Bundle {
    fn from(bundle: &Bundle) -> Self {
        let assets = bundle.assets.iter().map(|a| wire::AssetAmount {
            asset: asset_bytes(&a.asset),
            amount: a.amount.0,
        });
        Self {
            assets: assets.collect(),
            items: item_bytes(&bundle.items),
        }
    }
}

impl From<&WantedItems> for wire::WantedItems {
    fn from(wanted: &WantedItems) -> Self {
        let mut wire = Self {
            count: wanted.count,
            ..Self::default()
        };
        match &wanted.from {
            WantedFrom::Edition(edition) => wire.edition = bytes(&edition.0),
            WantedFrom::Collection(collection) => wire.collection = bytes(&collection.0),
            WantedFrom::Trait {
                collection,
                name,
                value,
            } => {
                wire.r#trait = Some(wire::WantedTrait {
                    collection: bytes(&collection.0),
                    name: name.clone(),
                    value: value.clone(),
                });
            }
        }
        wire
    }
}

impl From<&NewDeal> for wire::DealOpen {
    fn from(deal: &NewDeal) -> Self {
        Self {
            gives: Some((&deal.gives).into()),
            wants: Some((&deal.wants).into()),
            wants_any: deal.wants_any.iter().map(Into::into).collect(),
            taker: deal.taker.map_or(Bytes::new(), |t| bytes(&t.0)),
            expires_ms: deal.expires.0,
            reference: deal.reference.clone(),
            commission: deal.commission.as_ref().map(Into::into),
            rule: match &deal.rule {
                DealRule::Fixed => None,
                DealRule::Auction(auction) => Some(wire::deal_open::Rule::Auction(auction.into())),
                DealRule::Draw(series) => Some(wire::deal_open::Rule::Draw(series.into())),
                DealRule::Secret { hash } => {
                    let hash = bytes(&hash.0);
                    Some(wire::deal_open::Rule::Secret(wire::SecretLock { hash }))
                }
                DealRule::CoSigned(terms) => Some(wire::deal_open::Rule::CoSigned(terms.into())),
                DealRule::Book => Some(wire::deal_open::Rule::Book(wire::Book {})),
            },
        }
    }
}

impl From<&Taking> for wire::DealTake {
    fn from(taking: &Taking) -> Self {
        Self {
            deal: bytes(&taking.deal.0),
            items: item_bytes(&taking.items),
            entropy: taking.entropy.map_or(Bytes::new(), |e| bytes(&e.0)),
            secret: taking.secret.map_or(Bytes::new(), |s| bytes(&s.0)),
        }
    }
}

impl From<&NewEdition> for wire::CreateEdition {
    fn from(edition: &NewEdition) -> Self {
        Self {
            collection: bytes(&edition.collection.0),
            name: edition.name.clone(),
            cap: edition.cap,
            traits: edition.traits.iter().map(Into::into).collect(),
            image: edition.image.clone(),
            image_hash: hash_bytes(&edition.image_hash),
            metadata_hash: hash_bytes(&edition.metadata_hash),
            reference: edition.reference.clone(),
            uses: edition.uses,
        }
    }
}

fn transfer(payments: &[Payment], items: &[ItemTransfer]) -> wire::Transfer {
    let payments = payments.iter().map(|p| wire::Payment {
        to: bytes(&p.to.0),
        asset: asset_bytes(&p.asset),
        amount: p.amount.0,
    });
    let items = items.iter().map(|i| wire::ItemTransfer {
        to: bytes(&i.to.0),
        item: bytes(&i.item.0),
    });
    wire::Transfer {
        payments: payments.collect(),
        items: items.collect(),
    }
}

fn mint(entries: &[MintEntry]) -> wire::Mint {
    let entries = entries.iter().map(|e| wire::MintEntry {
        edition: bytes(&e.edition.0),
        to: bytes(&e.to.0),
        count: e.count,
    });
    wire::Mint {
        entries: entries.collect(),
    }
}

fn multi_party(parties: &[Party]) -> wire::MultiParty {
    let parties = parties.iter().map(|p| wire::Party {
        account: bytes(&p.account.0),
        operations: p.operations.iter().map(Into::into).collect(),
    });
    wire::MultiParty {
        parties: parties.collect(),
    }
}

impl From<&Operation> for wire::Operation {
    fn from(operation: &Operation) -> Self {
        use wire::operation::Kind;
        let kind = match operation {
            Operation::Transfer { payments, items } => Kind::Transfer(transfer(payments, items)),
            Operation::CreateCollection {
                name,
                description,
                item_cap,
            } => Kind::CreateCollection(wire::CreateCollection {
                name: name.clone(),
                description: description.clone(),
                item_cap: *item_cap,
            }),
            Operation::CreateEdition(edition) => Kind::CreateEdition(edition.into()),
            Operation::Mint { entries } => Kind::Mint(mint(entries)),
            Operation::UpdateItem {
                item,
                status,
                data_hash,
            } => Kind::UpdateItem(wire::UpdateItem {
                item: bytes(&item.0),
                status: status.clone(),
                data_hash: hash_bytes(data_hash),
            }),
            Operation::Burn { items } => Kind::Burn(wire::Burn {
                items: item_bytes(items),
            }),
            Operation::DealOpen(deal) => Kind::DealOpen(deal.into()),
            Operation::DealTake(taking) => Kind::DealTake(taking.into()),
            Operation::Withdraw { recipient, gives } => Kind::Withdraw(wire::Withdraw {
                recipient: Bytes::copy_from_slice(&recipient.0),
                gives: Some(gives.into()),
            }),
            Operation::ExitAddress { address, items } => Kind::ExitAddress(wire::ExitAddress {
                address: Bytes::copy_from_slice(&address.0),
                items: item_bytes(items),
            }),
            Operation::DealCancel { deal } => Kind::DealCancel(wire::DealCancel {
                deal: bytes(&deal.0),
            }),
            Operation::SetKeys { changes } => Kind::SetKeys(wire::SetKeys {
                changes: changes.iter().map(Into::into).collect(),
            }),
            Operation::Recover { account, owner } => Kind::Recover(wire::Recover {
                account: bytes(&account.0),
                owner: bytes(&owner.0),
            }),
            Operation::SetPolicy {
                collection,
                policy,
                roles,
            } => Kind::SetPolicy(wire::SetPolicy {
                collection: bytes(&collection.0),
                policy: policy.as_ref().map(Into::into),
                roles: roles.iter().map(Into::into).collect(),
            }),
            Operation::Freeze {
                frozen,
                collections,
                editions,
                items,
            } => Kind::Freeze(wire::Freeze {
                frozen: *frozen,
                collections: collections.iter().map(|c| bytes(&c.0)).collect(),
                editions: editions.iter().map(|e| bytes(&e.0)).collect(),
                items: item_bytes(items),
            }),
            Operation::Bid { deal, amount } => Kind::Bid(wire::Bid {
                deal: bytes(&deal.0),
                amount: amount.0,
            }),
            Operation::Redeem { item, pass } => Kind::Redeem(wire::Redeem {
                item: bytes(&item.0),
                pass: Some(pass.into()),
            }),
            Operation::Void { items, reason } => Kind::Void(wire::Void {
                items: item_bytes(items),
                reason: reason.clone(),
            }),
            Operation::SetSale { edition, sale } => Kind::SetSale(wire::SetSale {
                edition: bytes(&edition.0),
                sale: sale.as_ref().map(Into::into),
            }),
            Operation::Buy(buy) => Kind::Buy(buy.into()),
            Operation::Reveal { deal, secret } => Kind::Reveal(wire::Reveal {
                deal: bytes(&deal.0),
                secret: bytes(&secret.0),
            }),
            Operation::PassPack { deal, pack, to } => Kind::PassPack(wire::PassPack {
                deal: bytes(&deal.0),
                pack: *pack,
                to: bytes(&to.0),
            }),
            Operation::MultiParty(parties) => Kind::MultiParty(multi_party(parties)),
            Operation::ChannelClose(shown) => Kind::ChannelClose(shown.into()),
            Operation::ChannelChallenge(shown) => Kind::ChannelChallenge(shown.into()),
            Operation::VoucherOpen(pool) => Kind::VoucherOpen(pool.into()),
            Operation::VoucherIssue { pool, count } => {
                Kind::VoucherIssue(voucher::issue_to_wire(pool, *count))
            }
            Operation::VoucherSpend { key, voucher } => {
                Kind::VoucherSpend(voucher::spend_to_wire(key, voucher))
            }
            Operation::PostData(certificate) => Kind::PostData(certificate.into()),
        };
        Self { kind: Some(kind) }
    }
}
