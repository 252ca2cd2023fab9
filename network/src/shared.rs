use crate::config::Role;
use crate::history::History;
use crate::inbox::Inbox;
use crate::limits::Limits;
use crate::link::Link;
use crate::outbox::Outbox;
use crate::peers::Peers;
use crate::seating::Seating;
use crate::status::Counters;
use crate::substreams::{Channel, Open, OpenError};
use crate::tasks::Tasks;
use crate::{reader, writer};
use libp2p::{Multiaddr, PeerId, Stream};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use weft_types::MemberIndex;

/// The members other than this node.
pub(crate) type Links = BTreeMap<MemberIndex, Arc<Link>>;

/// What the handle, the swarm's task and the links' tasks have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) own: PeerId,
    pub(crate) role: Role,
    pub(crate) limits: Limits,
    pub(crate) peers: Peers,
    pub(crate) links: RwLock<Arc<Links>>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) history: History,
    /// Publications on their way to the swarm's task.
    pub(crate) publications: Outbox,
    pub(crate) counters: Counters,
    pub(crate) observers: AtomicUsize,
    pub(crate) outsiders: AtomicUsize,
    pub(crate) listening: Mutex<Vec<Multiaddr>>,
    pub(crate) opens: mpsc::Sender<(PeerId, Open)>,
    pub(crate) seatings: mpsc::Sender<Seating>,
    /// Some link was blocked or unblocked.
    pub(crate) blocks: Notify,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: Tasks,
}

impl Shared {
    /// A new stream to the member, on a connection that stands.
    pub(crate) async fn open(&self, link: &Link, channel: Channel) -> Result<Stream, OpenError> {
        if link.is_blocked() {
            return Err(OpenError::NotConnected);
        }
        let (reply, opened) = oneshot::channel();
        let open = Open { channel, reply };
        let sent = self.opens.send((link.peer, open)).await;
        sent.map_err(|_| OpenError::Lost)?;
        opened.await.unwrap_or(Err(OpenError::Lost))
    }

    /// The links of the committee that this node has.
    pub(crate) fn links(&self) -> Arc<Links> {
        let links = self.links.read();
        links.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_links(&self, links: Links) {
        *self.links.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(links);
    }

    /// Runs the tasks of a link between members, until it is gone.
    pub(crate) fn attend(self: &Arc<Self>, link: &Arc<Link>) {
        let writer = writer::run(self.clone(), link.clone());
        self.spawn_lasting("writer", link.ended.clone(), writer);
        let reader = reader::run(self.clone(), link.clone());
        self.spawn_lasting("reader", link.gone.clone(), reader);
    }

    /// Runs a task that has no end of its own before `until`. If it ends all the same, by a panic, the whole
    /// network stops, and the node sees the end of its events: half a network is worse than none.
    pub(crate) fn spawn_lasting(
        self: &Arc<Self>,
        name: &'static str,
        until: CancellationToken,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let lasting = Lasting {
            name,
            until: until.clone(),
            shared: self.clone(),
        };
        self.tasks.spawn(async move {
            let _lasting = lasting;
            until.run_until_cancelled(task).await;
        });
    }

    /// Ends all tasks, and the events.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
        self.inbox.close();
    }
}

/// Notices the end of a task that should not end.
struct Lasting {
    name: &'static str,
    until: CancellationToken,
    shared: Arc<Shared>,
}

impl Drop for Lasting {
    fn drop(&mut self) {
        if !self.until.is_cancelled() && !self.shared.stop.is_cancelled() {
            tracing::error!(task = self.name, "a network task died: the network stops");
            self.shared.stop();
        }
    }
}
