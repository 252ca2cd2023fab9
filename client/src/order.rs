//! P1: in which order members propose a transaction, and which of them have nodes here.

use crate::client::{Client, Request};
use crate::error::ClientError;
use std::collections::BTreeMap;
use weft_types::api::NodeStatus;
use weft_types::{Committee, MemberIndex, TransactionId};

/// The committee, and where its members' nodes are among those of a client.
#[derive(Debug)]
pub(crate) struct Order {
    committee: Committee,
    places: BTreeMap<MemberIndex, usize>,
}

impl Order {
    /// Asks each node who it is. One that does not answer is nobody's, and is asked last of all.
    pub async fn of(client: &Client) -> Result<Self, ClientError> {
        let members = client.committee().await?;
        let committee = Committee::new(members.epoch, members.members);
        let committee = committee.map_err(|e| ClientError::Malformed {
            node: client.node(),
            reason: e.to_string(),
        })?;
        let mut places = BTreeMap::new();
        for place in 0..client.nodes() {
            let request = Request {
                fresh: false,
                ..Request::get("v1/status")
            };
            let status: Result<NodeStatus, _> = client.json_of(place, &request).await;
            if let Some(member) = status.ok().and_then(|status| status.member) {
                places.insert(member, place);
            }
        }
        Ok(Self { committee, places })
    }

    /// The places of all nodes, `count` of them, in a transaction's order; those of nobody come last.
    /// And how many of its first `copies` members are among them.
    pub fn route(&self, id: &TransactionId, copies: usize, count: usize) -> (Vec<usize>, usize) {
        let order = self.committee.proposers(id, self.committee.size());
        let place = |member| self.places.get(member).copied();
        let first = order.iter().take(copies).filter_map(place).count();
        let mut route: Vec<usize> = order.iter().filter_map(place).collect();
        let others: Vec<usize> = (0..count).filter(|p| !route.contains(p)).collect();
        route.extend(others);
        (route, first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing;

    #[test]
    fn nodes_are_asked_in_the_order_of_their_members_and_strangers_last() {
        let committee = testing::committee(4);
        let id = TransactionId([3; 32]);
        let order = committee.proposers(&id, 4);
        // Places 1, 2 and 3 are those of the order's second, fourth and first member; 0 and 4 nobody's.
        let places = [(order[1], 1), (order[3], 2), (order[0], 3)].into();
        let order = Order { committee, places };
        assert_eq!(order.route(&id, 2, 5), (vec![3, 1, 2, 0, 4], 2));
        assert_eq!(order.route(&id, 3, 5).1, 2, "the third has no node here");
    }
}
