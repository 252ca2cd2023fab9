//! S2.6: which heights' snapshots are offered, by whom, and which one is taken over.

use super::Place;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_types::{Certificate, Committee, Height, MemberIndex, MemberSet, Millis, Verified};

/// How long further offers are waited for after the first one, in milliseconds.
pub const OFFERS_WAIT: u64 = 200;
/// The same, for one that only members with F of stake or less hold.
pub const OFFERS_WAIT_LONG: u64 = 15_000;

struct Offer {
    certificate: Arc<Verified<Certificate>>,
    by: MemberSet,
}

/// Bounded by what a server offers at a time, since offers are forgotten when they are asked for again.
#[derive(Default)]
pub struct Offers {
    offers: BTreeMap<Height, Offer>,
    /// When the first one came.
    first: Option<Millis>,
}

impl Offers {
    /// Whether the height is offered already, with this statement: then this server offers it too.
    pub fn joins(&mut self, certificate: &Certificate, by: MemberIndex) -> bool {
        let offer = self.offers.get_mut(&certificate.statement.height);
        let same = offer.filter(|o| o.certificate.statement == certificate.statement);
        same.map(|offer| offer.by.insert(by)).is_some()
    }

    /// Whether it is the first one.
    pub fn insert(
        &mut self,
        certificate: Verified<Certificate>,
        by: MemberIndex,
        now: Millis,
    ) -> bool {
        let height = certificate.statement.height;
        let offer = Offer {
            certificate: Arc::new(certificate),
            by: [by].into_iter().collect(),
        };
        self.offers.insert(height, offer);
        let first = self.first.is_none();
        self.first.get_or_insert(now);
        first
    }

    /// A server offers nothing any longer, or not this height.
    pub fn withdraw(&mut self, server: MemberIndex, height: Option<Height>) {
        let of = |h: &Height| height.is_none_or(|height| height == *h);
        for (_, offer) in self.offers.iter_mut().filter(|(h, _)| of(h)) {
            offer.by.remove(server);
        }
    }

    /// But for those of a height: servers let go of old ones.
    pub fn forget(&mut self, kept: Option<Height>) {
        self.offers.retain(|offered, _| Some(*offered) == kept);
    }

    pub fn holders(&self, height: Height) -> MemberSet {
        let offer = self.offers.get(&height);
        offer.map(|o| o.by).unwrap_or_default()
    }

    /// The newest one that is worth it and that some honest server holds, for members with more than F of
    /// stake do; after a while any. One that only liars hold could be handed out slowly for ever.
    pub fn choose(
        &self,
        committee: &Committee,
        now: Millis,
        place: Place,
        from: Millis,
    ) -> Option<Arc<Verified<Certificate>>> {
        let first = self.first?;
        if now < first.saturating_add(OFFERS_WAIT) {
            return None;
        }
        let alone = now >= first.saturating_add(OFFERS_WAIT_LONG);
        let serves = |offer: &&Offer| {
            let statement = &offer.certificate.statement;
            let held = committee.is_validity(&offer.by) || (alone && !offer.by.is_empty());
            held && statement.timestamp >= from && statement.commit > place.commit
        };
        let offer = self.offers.values().rev().find(serves);
        offer.map(|o| o.certificate.clone())
    }
}
