//! Another committee in place of the one before. Links with who is in both go on, whatever index they have now: streams
//! over wide areas take several round trips to come up again, and for so long nobody would hear anything.

use crate::addresses::{self, ADDRESSES_PER_MEMBER_MAX};
use crate::config::{Member, Members, Role};
use crate::link::Link;
use crate::shared::Links;
use crate::swarm::SwarmTask;
use libp2p::{Multiaddr, PeerId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;
use weft_types::MemberIndex;

/// For how long what was sent to members who are none any more goes on.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Members that are none any more, until they are disconnected.
pub(crate) type Parting = BTreeMap<PeerId, (Instant, Arc<Link>)>;

/// A wish for another committee.
#[derive(Debug)]
pub(crate) struct Seating {
    pub(crate) members: Members,
    pub(crate) done: oneshot::Sender<()>,
}

impl SwarmTask {
    pub(crate) fn seat(&mut self, members: Members) {
        self.shared
            .peers
            .set(members.values().map(|(peer, _)| *peer));
        let mut before = std::mem::take(&mut self.links);
        let mut links = Links::new();
        for (index, (peer, mut member)) in members {
            member.addresses = dialable(index, member.addresses);
            let dials = !member.addresses.is_empty();
            let link = match before.remove(&peer) {
                Some(link) => {
                    link.set_addresses(member.addresses);
                    link
                }
                None => self.welcome(peer, member),
            };
            if dials {
                self.dialer.add(peer, Instant::now());
            }
            self.links.insert(peer, link.clone());
            links.insert(index, link);
        }
        for (peer, link) in before {
            self.part(peer, link);
        }
        self.shared.inbox.seat(&links);
        self.shared.set_links(links);
    }

    fn welcome(&mut self, peer: PeerId, member: Member) -> Arc<Link> {
        let shared = &self.shared;
        let link = Link::new(peer, member, shared.role, &shared.limits, &shared.inbox);
        let link = Arc::new(link);
        if matches!(shared.role, Role::Member(_)) {
            shared.attend(&link);
        }
        if let Some((_, before)) = self.parting.remove(&peer) {
            before.ended.cancel();
        }
        // As an outsider it has few streams, and may open none of the members'.
        let _ = self.swarm.disconnect_peer_id(peer);
        link
    }

    /// What was sent last still gets out.
    fn part(&mut self, peer: PeerId, link: Arc<Link>) {
        link.gone.cancel();
        self.dialer.remove(peer);
        self.parting
            .insert(peer, (Instant::now() + LAST_WORDS, link));
    }

    /// When the next one of those who are no members any more is to be disconnected.
    pub(crate) fn parts_at(&self) -> Option<Instant> {
        self.parting.values().map(|(when, _)| *when).min()
    }

    pub(crate) fn disconnect_due(&mut self) {
        let now = Instant::now();
        let due = self.parting.extract_if(.., |_, (when, _)| *when <= now);
        for (peer, (_, link)) in due {
            link.ended.cancel();
            // As a member it may have had streams that outsiders have not.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }
}

/// Addresses of a member that this node can dial.
fn dialable(member: MemberIndex, all: Vec<Multiaddr>) -> Vec<Multiaddr> {
    let (mut good, bad): (Vec<_>, Vec<_>) = all.into_iter().partition(addresses::usable);
    if !bad.is_empty() || good.len() > ADDRESSES_PER_MEMBER_MAX {
        tracing::warn!(%member, ?bad, used = ADDRESSES_PER_MEMBER_MAX.min(good.len()), "addresses ignored");
    }
    good.truncate(ADDRESSES_PER_MEMBER_MAX);
    good
}
