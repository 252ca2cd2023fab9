//! Objects to their wire messages and back.

use super::*;
use crate::bridge::{AppendTree, TREE_PLACES};
use crate::channel::Standing;
use crate::feed::{Feed, FeedReport};
use crate::ids::{BaseAddress, CommitIndex, Epoch, Millis, Root};
use crate::operation::decode::{asset, optional};
use crate::operation::encode::{asset_bytes, bytes, hash_bytes};
use crate::operation::{Policy, ROLE_HOLDERS_MAX, RoleHolder, Sale};
use crate::roster::{QueueEntry, Seat};
use crate::wire;
use crate::work::FeeShare;
use prost::Message;

pub(super) fn object(object: &Object) -> Bytes {
    match object {
        Object::Account(account) => wire::Account::from(account.as_ref()).encode_to_vec(),
        Object::Collection(collection) => {
            wire::Collection::from(collection.as_ref()).encode_to_vec()
        }
        Object::Edition(edition) => wire::Edition::from(edition.as_ref()).encode_to_vec(),
        Object::Item(item) => wire::Item::from(item.as_ref()).encode_to_vec(),
        Object::Deal(deal) => wire::Deal::from(deal.as_ref()).encode_to_vec(),
        Object::Bridge(bridge) => wire::Bridge::from(bridge.as_ref()).encode_to_vec(),
        Object::Roster(roster) => wire::Roster::from(roster.as_ref()).encode_to_vec(),
        Object::Withdrawal(w) => wire::Withdrawal::from(w.as_ref()).encode_to_vec(),
        Object::Offenders(o) => wire::Offenders::from(o.as_ref()).encode_to_vec(),
        Object::Work(work) => wire::Work::from(work.as_ref()).encode_to_vec(),
        Object::VoucherPool(p) => wire::VoucherPool::from(p.as_ref()).encode_to_vec(),
        Object::SpentVoucher(s) => wire::SpentVoucher::from(s.as_ref()).encode_to_vec(),
        Object::Posted(p) => wire::Posted::from(p.as_ref()).encode_to_vec(),
    }
    .into()
}

pub(super) fn decode(id: &ObjectId, bytes: Bytes) -> Result<Object, ObjectError> {
    Ok(match id {
        ObjectId::Account(_) => {
            Object::Account(Arc::new(message::<wire::Account>(bytes)?.try_into()?))
        }
        ObjectId::Collection(_) => {
            Object::Collection(Arc::new(message::<wire::Collection>(bytes)?.try_into()?))
        }
        ObjectId::Edition(_) => {
            Object::Edition(Arc::new(message::<wire::Edition>(bytes)?.try_into()?))
        }
        ObjectId::Item(_) => Object::Item(Arc::new(message::<wire::Item>(bytes)?.try_into()?)),
        ObjectId::Deal(_) => Object::Deal(Arc::new(message::<wire::Deal>(bytes)?.try_into()?)),
        ObjectId::Bridge(_) => {
            Object::Bridge(Arc::new(message::<wire::Bridge>(bytes)?.try_into()?))
        }
        ObjectId::Roster(_) => {
            Object::Roster(Arc::new(message::<wire::Roster>(bytes)?.try_into()?))
        }
        ObjectId::Offenders(_) => {
            Object::Offenders(Arc::new(message::<wire::Offenders>(bytes)?.try_into()?))
        }
        ObjectId::Work(_) => Object::Work(Arc::new(message::<wire::Work>(bytes)?.try_into()?)),
        ObjectId::VoucherPool(id) => {
            let pool = VoucherPool::try_from(message::<wire::VoucherPool>(bytes)?)?;
            if pool.key.pool() != *id {
                return Err(ObjectError::VoucherPool);
            }
            Object::VoucherPool(Arc::new(pool))
        }
        ObjectId::SpentVoucher(_) => {
            Object::SpentVoucher(Arc::new(message::<wire::SpentVoucher>(bytes)?.try_into()?))
        }
        ObjectId::Posted(_) => {
            Object::Posted(Arc::new(message::<wire::Posted>(bytes)?.try_into()?))
        }
        ObjectId::Withdrawal(id) => {
            let withdrawal = Withdrawal::try_from(message::<wire::Withdrawal>(bytes)?)?;
            let found = withdrawal.index;
            if id.index() != Some(found) {
                return Err(ObjectError::Withdrawal { found });
            }
            Object::Withdrawal(Arc::new(withdrawal))
        }
    })
}

fn message<M: Message + Default>(bytes: Bytes) -> Result<M, ObjectError> {
    M::decode(bytes).map_err(|e| ObjectError::Malformed(e.to_string()))
}

impl From<&Account> for wire::Account {
    fn from(account: &Account) -> Self {
        let balances = account.balances().map(|b| wire::Balance {
            asset: asset_bytes(&b.asset),
            amount: b.amount.0,
        });
        let address = account.exit_address();
        let places = account.exit_places().iter();
        let places = places.map(|(asset, place)| wire::ExitPlace {
            asset: asset_bytes(asset),
            place: *place,
        });
        Self {
            balances: balances.collect(),
            exit_address: address.map_or(Bytes::new(), |a| Bytes::copy_from_slice(&a.0)),
            exit_places: places.collect(),
            keys: account.keys().map(Into::into),
        }
    }
}

impl TryFrom<wire::Account> for Account {
    type Error = ObjectError;

    fn try_from(wire: wire::Account) -> Result<Self, ObjectError> {
        let mut balances = Vec::with_capacity(wire.balances.len());
        for b in &wire.balances {
            balances.push(AssetAmount {
                asset: asset(&b.asset)?,
                amount: Amount(b.amount),
            });
        }
        let mut account = Account::try_from(balances)?;
        let mut places = Vec::with_capacity(wire.exit_places.len());
        for p in &wire.exit_places {
            places.push((asset(&p.asset)?, exit_place(p.place)?));
        }
        let address = optional(&wire.exit_address)?;
        if !places.is_sorted_by(|a, b| a.0 < b.0) || (address.is_none() && !places.is_empty()) {
            return Err(ObjectError::ExitPlaces);
        }
        if let Some(address) = address {
            account.set_exit_address(address);
        }
        for (asset, place) in places {
            account.give_exit_place(asset, place);
        }
        if let Some(keys) = &wire.keys {
            account.set_keys(keys.try_into()?);
        }
        Ok(account)
    }
}

fn exit_place(place: u64) -> Result<u64, ObjectError> {
    match place {
        0..TREE_PLACES => Ok(place),
        _ => Err(ObjectError::ExitPlace(place)),
    }
}

impl From<&Collection> for wire::Collection {
    fn from(collection: &Collection) -> Self {
        Self {
            creator: bytes(&collection.creator.0),
            name: collection.name.clone(),
            description: collection.description.clone(),
            item_cap: collection.item_cap,
            issued: collection.issued,
            editions: collection.editions,
            policy: (collection.policy != Policy::default()).then(|| (&collection.policy).into()),
            roles: collection.roles.iter().map(Into::into).collect(),
            frozen: collection.frozen,
        }
    }
}

impl TryFrom<wire::Collection> for Collection {
    type Error = ObjectError;

    fn try_from(wire: wire::Collection) -> Result<Self, ObjectError> {
        let policy = wire.policy.as_ref().map(Policy::try_from).transpose()?;
        if policy == Some(Policy::default()) {
            return Err(ObjectError::Stray("collection"));
        }
        let roles = wire.roles.iter().map(RoleHolder::try_from);
        let roles: Vec<RoleHolder> = roles.collect::<Result<_, _>>()?;
        let ascending = roles.is_sorted_by(|a, b| a.account < b.account);
        let empty = roles.iter().any(|h| h.roles.is_empty());
        if !ascending || empty || roles.len() > ROLE_HOLDERS_MAX {
            return Err(ObjectError::Roles);
        }
        Ok(Self {
            policy: policy.unwrap_or_default(),
            roles,
            frozen: wire.frozen,
            creator: Address::try_from(wire.creator.as_ref())?,
            name: wire.name,
            description: wire.description,
            item_cap: wire.item_cap,
            issued: wire.issued,
            editions: wire.editions,
        })
    }
}

impl From<&Edition> for wire::Edition {
    fn from(edition: &Edition) -> Self {
        Self {
            terms: Some((&edition.terms).into()),
            issued: edition.issued,
            frozen: edition.frozen,
            sale: edition.sale.as_ref().map(Into::into),
            bought: Bytes::copy_from_slice(edition.bought.bits()),
        }
    }
}

impl TryFrom<wire::Edition> for Edition {
    type Error = ObjectError;

    fn try_from(wire: wire::Edition) -> Result<Self, ObjectError> {
        let terms = wire.terms.ok_or(ObjectError::Missing("edition's terms"))?;
        let sale = wire.sale.as_ref().map(Sale::try_from).transpose()?;
        let list = sale.as_ref().and_then(|sale| sale.list);
        let bought = Places::from_bits(&wire.bought, list.map_or(0, |list| list.count));
        Ok(Self {
            terms: terms.try_into()?,
            issued: wire.issued,
            frozen: wire.frozen,
            sale,
            bought: bought.ok_or(ObjectError::Places)?,
        })
    }
}

impl From<&Item> for wire::Item {
    fn from(item: &Item) -> Self {
        let (state, deal) = match &item.state {
            ItemState::Held => (wire::ItemState::Held, Bytes::new()),
            ItemState::Locked { deal } => (wire::ItemState::Locked, bytes(&deal.0)),
            ItemState::Burned => (wire::ItemState::Burned, Bytes::new()),
            ItemState::Redeemed => (wire::ItemState::Redeemed, Bytes::new()),
        };
        Self {
            edition: bytes(&item.edition.0),
            serial: item.serial,
            owner: bytes(&item.owner.0),
            state: state.into(),
            deal,
            status: item.status.clone(),
            data_hash: hash_bytes(&item.data_hash),
            exit_place: item.exit.map(|e| e.place),
            exit_address: item
                .exit
                .and_then(|e| e.address)
                .map_or(Bytes::new(), |a| Bytes::copy_from_slice(&a.0)),
            frozen: item.frozen,
            used: item.used,
            void: item.void.clone(),
            last_pass: item.last_pass,
        }
    }
}

impl TryFrom<wire::Item> for Item {
    type Error = ObjectError;

    fn try_from(wire: wire::Item) -> Result<Self, ObjectError> {
        let state = wire::ItemState::try_from(wire.state).map_err(|_| ObjectError::State {
            what: "item",
            found: wire.state,
        })?;
        let state = match (state, wire.deal.as_ref()) {
            (wire::ItemState::Held, []) => ItemState::Held,
            (wire::ItemState::Burned, []) => ItemState::Burned,
            (wire::ItemState::Redeemed, []) if wire.used > 0 => ItemState::Redeemed,
            (wire::ItemState::Locked, deal) => ItemState::Locked {
                deal: DealId::try_from(deal)?,
            },
            _ => return Err(ObjectError::Stray("item")),
        };
        Ok(Self {
            edition: EditionId::try_from(wire.edition.as_ref())?,
            serial: wire.serial,
            owner: Address::try_from(wire.owner.as_ref())?,
            state,
            status: wire.status,
            data_hash: optional(&wire.data_hash)?,
            frozen: wire.frozen,
            used: wire.used,
            void: wire.void,
            last_pass: wire.last_pass,
            exit: match (wire.exit_place, optional(&wire.exit_address)?) {
                (None, Some(_)) => return Err(ObjectError::Stray("item")),
                (None, None) => None,
                (Some(place), address) => Some(ItemExit {
                    place: exit_place(place)?,
                    address,
                }),
            },
        })
    }
}

impl From<&Deal> for wire::Deal {
    fn from(deal: &Deal) -> Self {
        let (state, taken_by) = match &deal.state {
            DealState::Open => (wire::DealState::Open, Bytes::new()),
            DealState::Taken { by } => (wire::DealState::Taken, bytes(&by.0)),
            DealState::Cancelled => (wire::DealState::Cancelled, Bytes::new()),
            DealState::Expired => (wire::DealState::Expired, Bytes::new()),
        };
        Self {
            giver: bytes(&deal.giver.0),
            terms: Some((&deal.terms).into()),
            state: state.into(),
            taken_by,
            bid: deal.bid.as_ref().map(Into::into),
            draw: deal.drawing.as_ref().map(Into::into),
            standing: deal.standing.as_ref().map(Into::into),
            order: deal.order.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<wire::Deal> for Deal {
    type Error = ObjectError;

    fn try_from(wire: wire::Deal) -> Result<Self, ObjectError> {
        let what = "deal";
        let state = wire::DealState::try_from(wire.state).map_err(|_| ObjectError::State {
            what,
            found: wire.state,
        })?;
        let state = match (state, wire.taken_by.as_ref()) {
            (wire::DealState::Open, []) => DealState::Open,
            (wire::DealState::Cancelled, []) => DealState::Cancelled,
            (wire::DealState::Expired, []) => DealState::Expired,
            (wire::DealState::Taken, by) => DealState::Taken {
                by: Address::try_from(by)?,
            },
            _ => return Err(ObjectError::Stray(what)),
        };
        let terms = wire.terms.ok_or(ObjectError::Missing("deal's terms"))?;
        let terms = NewDeal::try_from(terms)?;
        let bid = wire.bid.as_ref();
        let deal = Self {
            giver: Address::try_from(wire.giver.as_ref())?,
            bid: bid.map(|bid| HighestBid::read(bid, &terms)).transpose()?,
            terms,
            state,
            drawing: wire.draw.as_ref().map(TryInto::try_into).transpose()?,
            standing: wire.standing.map(Standing::try_from).transpose()?,
            order: wire.order.as_ref().map(Order::try_from).transpose()?,
        };
        super::drawing::check(&deal)?;
        super::order::check(&deal)?;
        Ok(deal)
    }
}

fn reports(feed: &Feed) -> Vec<wire::MemberReport> {
    let reports = feed.reports.iter();
    let reports = reports.map(|(member, report)| wire::MemberReport {
        member: *member,
        report: Some(report.into()),
    });
    reports.collect()
}

fn feed(
    processed: u64,
    digest: &Bytes,
    agreed: &Option<wire::FeedReport>,
    of_members: &[wire::MemberReport],
) -> Result<Feed, ObjectError> {
    let mut reports = Vec::with_capacity(of_members.len());
    for entry in of_members {
        let report = entry
            .report
            .as_ref()
            .ok_or(ObjectError::Missing("report"))?;
        reports.push((entry.member, FeedReport::try_from(report)?));
    }
    if !reports.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(ObjectError::Reports);
    }
    Ok(Feed {
        processed,
        digest: Root::try_from(digest.as_ref())?,
        agreed: agreed.as_ref().map(TryInto::try_into).transpose()?,
        reports,
    })
}

impl From<&Roster> for wire::Roster {
    fn from(roster: &Roster) -> Self {
        Self {
            epoch: roster.epoch.0,
            since_ms: roster.since.0,
            after: roster.after.0,
            seats: roster.seats.iter().map(Into::into).collect(),
            moving: roster.moving.clone(),
            processed: roster.queue.processed,
            digest: bytes(&roster.queue.digest.0),
            agreed: roster.queue.agreed.as_ref().map(Into::into),
            reports: reports(&roster.queue),
            waiting: roster.waiting.iter().map(Into::into).collect(),
            announced: roster.announced,
            announced_at_ms: roster.announced_at.0,
            ready: roster.ready.clone(),
            closed: roster.closed,
            shares: roster.shares.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<wire::Roster> for Roster {
    type Error = ObjectError;

    fn try_from(wire: wire::Roster) -> Result<Self, ObjectError> {
        let seats = wire.seats.iter().map(Seat::try_from);
        let waiting = wire.waiting.iter().map(QueueEntry::try_from);
        let shares = wire.shares.iter().map(FeeShare::try_from);
        let roster = Self {
            epoch: Epoch(wire.epoch),
            since: Millis(wire.since_ms),
            after: CommitIndex(wire.after),
            seats: seats.collect::<Result<_, _>>()?,
            moving: wire.moving,
            queue: feed(wire.processed, &wire.digest, &wire.agreed, &wire.reports)?,
            waiting: waiting.collect::<Result<_, _>>()?,
            announced: wire.announced,
            announced_at: Millis(wire.announced_at_ms),
            ready: wire.ready,
            closed: wire.closed,
            shares: shares.collect::<Result<_, _>>()?,
        };
        if !roster.seats.is_sorted_by(|a, b| a.id < b.id)
            || !roster.ready.is_sorted_by(|a, b| a < b)
            || !roster.shares.is_sorted_by(|a, b| a.member < b.member)
        {
            return Err(ObjectError::Seats);
        }
        if roster.waiting.len() as u64 > roster.queue.processed {
            return Err(ObjectError::Seats);
        }
        Ok(roster)
    }
}

impl From<&Bridge> for wire::Bridge {
    fn from(bridge: &Bridge) -> Self {
        let deposits = &bridge.deposits;
        Self {
            processed: deposits.processed,
            digest: bytes(&deposits.digest.0),
            agreed: deposits.agreed.as_ref().map(Into::into),
            reports: reports(deposits),
            withdrawals: bridge.withdrawals.count(),
            peaks: bridge.withdrawals.peaks().iter().map(bytes).collect(),
            exit_places: bridge.exit_places,
        }
    }
}

impl TryFrom<wire::Bridge> for Bridge {
    type Error = ObjectError;

    fn try_from(wire: wire::Bridge) -> Result<Self, ObjectError> {
        let peaks = wire.peaks.iter().map(|p| Root::try_from(p.as_ref()));
        let peaks: Vec<[u8; 32]> = peaks.map(|p| p.map(|p| p.0)).collect::<Result<_, _>>()?;
        let tree = AppendTree::from_parts(wire.withdrawals, peaks);
        Ok(Self {
            deposits: feed(wire.processed, &wire.digest, &wire.agreed, &wire.reports)?,
            withdrawals: tree.ok_or(ObjectError::Peaks(wire.withdrawals))?,
            exit_places: match wire.exit_places {
                0..=TREE_PLACES => wire.exit_places,
                beyond => return Err(ObjectError::ExitPlace(beyond)),
            },
        })
    }
}

impl From<&Withdrawal> for wire::Withdrawal {
    fn from(withdrawal: &Withdrawal) -> Self {
        Self {
            index: withdrawal.index,
            asset: Some((&withdrawal.asset).into()),
            recipient: Bytes::copy_from_slice(&withdrawal.recipient.0),
            account: bytes(&withdrawal.account.0),
            commit: withdrawal.commit.0,
        }
    }
}

impl TryFrom<wire::Withdrawal> for Withdrawal {
    type Error = ObjectError;

    fn try_from(wire: wire::Withdrawal) -> Result<Self, ObjectError> {
        let asset = wire.asset.as_ref().ok_or(ObjectError::Missing("asset"))?;
        Ok(Self {
            index: wire.index,
            asset: asset.try_into()?,
            recipient: BaseAddress::try_from(wire.recipient.as_ref())?,
            account: Address::try_from(wire.account.as_ref())?,
            commit: CommitIndex(wire.commit),
        })
    }
}
