//! L60: how much of deals is reached, and what it counts.

use super::{Bug, Model};
use weft_types::{DealId, DealRule, DealState, Operation, Showing, TransactionBody};

impl Model {
    /// A deal that is not there is reached for nothing.
    pub fn reach(&self, operation: &Operation) -> u128 {
        if self.bug(Bug::FewerEntriesDo) {
            return 0;
        }
        let (id, part) = match operation {
            Operation::DealTake(taking) if taking.entropy.is_none() => (taking.deal, 1),
            Operation::DealCancel { deal } | Operation::Reveal { deal, .. } => (*deal, 1),
            Operation::ChannelClose(Showing {
                deal,
                state: Some(shown),
                ..
            })
            | Operation::ChannelChallenge(Showing {
                deal,
                state: Some(shown),
                ..
            }) if shown.state.last => (*deal, 1),
            Operation::DealTake(taking) => (taking.deal, 2),
            Operation::Bid { deal, .. } => (*deal, 2),
            Operation::PassPack { deal, .. } => (*deal, 8),
            Operation::ChannelClose(shown) | Operation::ChannelChallenge(shown) => (shown.deal, 8),
            _ => return 0,
        };
        self.entries(&id).div_ceil(part)
    }

    fn entries(&self, id: &DealId) -> u128 {
        let mut deals = self.deals.iter();
        let open = deals.find(|(other, deal)| other == id && deal.state == DealState::Open);
        let Some((_, deal)) = open else { return 0 };
        let (gives, wants) = (&deal.terms.gives, &deal.terms.wants);
        let packs = match &deal.terms.rule {
            DealRule::Draw(series) => u128::from(series.packs),
            _ => 0,
        };
        packs
            + [gives, wants]
                .map(|b| (b.assets.len() + b.items.len()) as u128)
                .iter()
                .sum::<u128>()
    }

    pub fn named_bytes(&self, body: &TransactionBody) -> u128 {
        match self.bug(Bug::EntriesAreFree) {
            true => 0,
            false => 40 * u128::from(body.deal_entries),
        }
    }
}
