//! Secrets and states of channels, mostly such that they count.

use super::Chooser;
use crate::plan::{Channel, KEYS, Shown, Terms, USERS};
use crate::world::*;
use weft_types::testing::{network, user, user_key};
use weft_types::{
    Address, Amount, AssetAmount, AssetId, Bundle, ChannelPart, ChannelState, ChannelTerms, Deal,
    DealId, DealRule, DealState, ItemId, Millis, NewDeal, Operation, Secret, Showing, SignedState,
    UserKey,
};

fn secret(n: u8) -> Secret {
    Secret([n; 32])
}

/// The rule of a deal with these terms.
pub fn locked(terms: &Terms) -> DealRule {
    match (terms.taker, terms.secret) {
        (Some(_), Some(n)) => DealRule::Secret {
            hash: secret(n).hash(),
        },
        _ => DealRule::Fixed,
    }
}

fn native(amount: u64) -> Bundle {
    if amount > 0 {
        assets(amount)
    } else {
        Bundle::default()
    }
}

fn key(address: Address) -> UserKey {
    let known = (0..KEYS).find(|i| user(*i) == address);
    UserKey::from(&user_key(known.expect("channels have users' keys")))
}

impl Chooser<'_> {
    /// What a taker of the deal should bring, but for one time in eight.
    pub fn secret_of(&self, deal: DealId, n: u8) -> Option<Secret> {
        let mut deals = self.model.deals.iter();
        let rule = deals
            .find(|(id, _)| *id == deal)
            .map(|(_, d)| &d.terms.rule);
        let right = match rule {
            Some(DealRule::Secret { hash }) => (0..4).map(secret).find(|s| s.hash() == *hash),
            _ => None,
        };
        match n % 8 {
            0 => Some(secret(n / 64)),
            1 if n > 200 => None,
            _ => right,
        }
    }

    pub fn channel(&self, actor: Address, channel: &Channel) -> Operation {
        let mut items = self.items(actor, &channel.items);
        if !channel.amount.is_multiple_of(8) {
            items.retain(|id| self.has_no_price(id));
        }
        items.sort();
        items.dedup();
        let with = (0..USERS).map(|i| user((channel.with + i) % USERS));
        let taker = with.into_iter().find(|a| *a != actor);
        let taker = taker.expect("there are several");
        let mut gives = assets(channel.amount);
        gives.assets.extend(channel.token.map(|amount| AssetAmount {
            asset: AssetId::erc20(COINS),
            amount: Amount(amount),
        }));
        gives.items = items.clone();
        let mut to_taker = native(channel.amount * channel.theirs.0 / 4);
        to_taker.items = items.into_iter().take(channel.theirs.1).collect();
        Operation::DealOpen(NewDeal {
            gives,
            taker: Some(taker),
            expires: Millis(self.now.saturating_add_signed(channel.lasts)),
            rule: DealRule::CoSigned(ChannelTerms {
                challenge: Millis(channel.challenge),
                to_taker,
                giver_key: actor,
                taker_key: taker,
            }),
            ..NewDeal::default()
        })
    }

    /// Whether there is an open channel of the actor's.
    pub fn is_party(&self, actor: Address) -> bool {
        let mut deals = self.model.deals.iter().map(|(_, d)| d);
        deals.any(|d| {
            let party = d.giver == actor || d.terms.taker == Some(actor);
            d.state == DealState::Open && d.terms.channel().is_some() && party
        })
    }

    fn has_no_price(&self, id: &ItemId) -> bool {
        let model = self.model;
        let item = model.items.iter().find(|(other, _)| other == id);
        let edition =
            item.and_then(|(_, item)| model.editions.iter().find(|(id, _)| *id == item.edition));
        let collection = edition.and_then(|(_, edition)| {
            let id = edition.terms.collection;
            model.collections.iter().find(|(other, _)| *other == id)
        });
        collection.is_some_and(|(_, c)| {
            let policy = &c.policy;
            policy.royalty.is_none() && policy.floor_price.0 + policy.cap_price.0 == 0
        })
    }

    pub fn showing(&self, actor: Address, shown: &Shown) -> Operation {
        let mine = |d: &Deal| {
            let party = d.giver == actor || d.terms.taker == Some(actor);
            d.terms.channel().is_some() && party
        };
        let deal = match shown.wrong % 32 {
            // Somebody else's channel.
            1 => self.deal(shown.deal, |d| d.terms.channel().is_some()),
            _ => self.deal(shown.deal, mine),
        };
        let mut deals = self.model.deals.iter();
        let found = deals.find(|(id, _)| *id == deal).map(|(_, d)| d);
        let standing = found.and_then(|d| d.standing.as_ref());
        let other = shown.other_kind.is_multiple_of(8);
        let secrets: Vec<_> = shown.secrets.iter().map(|n| secret(*n)).collect();
        let mut showing = Showing {
            deal,
            state: shown.above.and_then(|above| self.state(deal, above, shown)),
            secrets,
        };
        let parts = match (&showing.state, standing) {
            (Some(signed), _) => signed.state.parts.clone(),
            (None, Some(standing)) => standing.state.clone().unwrap_or_default().parts,
            (None, None) => vec![],
        };
        // Mostly secrets that open something.
        if shown.wrong % 16 != 2 {
            let open = |s: &Secret| parts.iter().any(|p| p.hash == s.hash());
            showing.secrets.retain(open);
        }
        match standing.is_some() != other {
            true => {
                if showing.state.is_none() && showing.secrets.is_empty() {
                    showing.secrets.push(secret(shown.wrong % 4));
                }
                Operation::ChannelChallenge(showing)
            }
            false => Operation::ChannelClose(showing),
        }
    }

    fn state(&self, id: DealId, above: u64, shown: &Shown) -> Option<SignedState> {
        let mut deals = self.model.deals.iter();
        let (_, deal) = deals.find(|(other, _)| *other == id)?;
        let channel = deal.terms.channel()?;
        let last = deal.standing.as_ref().and_then(|s| s.state.as_ref());
        let held = deal.terms.gives.assets.first().map_or(0, |a| a.amount.0);
        let mut parts: Vec<ChannelPart> = vec![];
        for (to_taker, amount, n, lasts) in &shown.parts {
            parts.push(ChannelPart {
                to_taker: *to_taker,
                asset: AssetId::NATIVE,
                amount: Amount(*amount),
                hash: secret(*n).hash(),
                expires: Millis(self.now.saturating_add_signed(*lasts)),
            });
        }
        parts.sort_by_key(|p| p.hash);
        parts.dedup_by_key(|p| p.hash);
        if shown.last {
            parts.clear();
        }
        let taken: u64 = parts.iter().map(|p| p.amount.0).sum();
        // What the parts leave, or a quarter more than there is.
        let whole = if shown.theirs.0 > 4 {
            held
        } else {
            held.saturating_sub(taken)
        };
        let mut to_taker = native(whole * shown.theirs.0 / 4);
        let mut items: Vec<ItemId> = deal.terms.gives.items.clone();
        items.sort();
        to_taker.items = items.into_iter().take(shown.theirs.1).collect();
        let state = ChannelState {
            network: network().id(),
            deal: if shown.wrong % 32 == 3 {
                DealId([9; 32])
            } else {
                id
            },
            version: (last.map_or(0, |s| s.version) + above).max(1),
            to_taker,
            parts,
            last: shown.last,
        };
        let taker = match shown.wrong % 16 {
            4 => channel.giver_key,
            _ => channel.taker_key,
        };
        let signatures = [channel.giver_key, taker].map(|k| state.sign(&key(k)));
        Some(SignedState { state, signatures })
    }
}
