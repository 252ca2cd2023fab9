//! From the network to the replica: bytes become verified vertices on the verify pool, in parallel
//! and off the replica's thread. The pool takes a frame only when a place is free, so a flood stays in
//! the sockets of whoever sends it.

use super::clock::Clock;
use super::conflicts::Judge;
use super::engine::{COMMANDS_BYTES_MAX, Command, Commands, Room};
use super::epochs;
use super::fetch::{
    AnswerLimits, MEMBERS, OBSERVERS, ServeError, Shows, Source, asked_for, asks_latest, serve,
    told_ready,
};
use crate::metrics::Metrics;
use crate::replica::Input;
use crate::replica::copies::Askers;
use crate::view::View;
use bytes::Bytes;
use dashmap::DashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use weft_network::{Event, Events, FrameKind};
use weft_storage::Store;
use weft_types::{
    Certificate, Committee, Genesis, MemberIndex, NetworkId, Verified, Vertex, VertexDigest,
    VertexError, verify_vertex,
};

/// Frames that carry an encoded vertex.
pub const VERTEX_FRAME: FrameKind = FrameKind(1);
/// Publications that carry an encoded certificate.
pub const CERTIFICATE_FRAME: FrameKind = FrameKind(2);

/// Verifies what comes in.
#[derive(Clone)]
pub struct Verifier {
    network: NetworkId,
    /// In office.
    committee: Arc<RwLock<Arc<Committee>>>,
    places: Arc<Semaphore>,
    /// For the bytes of what is verified and waits for the replica.
    room: Arc<Semaphore>,
    commands: Commands,
    metrics: Arc<Metrics>,
    in_work: Arc<DashMap<VertexDigest, ()>>,
    /// W1: a watcher looks at every certificate.
    certificates: Option<mpsc::Sender<Heard>>,
}

/// W1: a certificate that was published, and who has passed it on.
pub type Heard = (MemberIndex, Certificate);

/// Longest certificate that a watcher looks at, in bytes.
const CERTIFICATE_BYTES_MAX: usize = 4 << 10;

impl Verifier {
    pub fn new(
        network: NetworkId,
        committee: Arc<Committee>,
        commands: Commands,
        metrics: Arc<Metrics>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            network,
            committee: Arc::new(RwLock::new(committee)),
            // One more than cores, so that none idles while a result is handed over.
            places: Arc::new(Semaphore::new(cores + 1)),
            room: Arc::new(Semaphore::new(COMMANDS_BYTES_MAX)),
            commands,
            metrics,
            in_work: Arc::default(),
            certificates: None,
        }
    }

    /// W1: every certificate that is published is handed on, as long as there is room.
    #[must_use]
    pub fn watched(mut self, certificates: Option<mpsc::Sender<Heard>>) -> Self {
        self.certificates = certificates;
        self
    }

    /// E3: certificates tell a node nothing that its own execution does not, but for one that closes its epoch.
    pub fn certificate(&self, from: MemberIndex, bytes: Bytes) {
        let length = bytes.len();
        let Ok(certificate) = Certificate::decode(bytes) else {
            return;
        };
        if let Some(watcher) = self.certificates.as_ref()
            && length <= CERTIFICATE_BYTES_MAX
        {
            // One that does not fit comes from others as well, and is on the base chain if it counts.
            let _ = watcher.try_send((from, certificate.clone()));
        }
        let statement = &certificate.statement;
        let closes = !statement.next_committee.is_zero();
        if closes && statement.epoch == self.committee().epoch() {
            let certificate = Box::new(certificate);
            let closing = Input::Closing { from, certificate };
            // A replica that is busy asks, if it is not told.
            let _ = self.commands.try_send(Command(closing, None));
        }
    }

    /// E2: from now on vertices are of this committee's epoch.
    pub fn enter(&self, committee: Arc<Committee>) {
        *self
            .committee
            .write()
            .unwrap_or_else(PoisonError::into_inner) = committee;
    }

    fn committee(&self) -> Arc<Committee> {
        let committee = self.committee.read();
        committee.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Verifies a vertex on the pool and hands it to the replica; returns as soon as a place on the
    /// pool was free.
    pub async fn vertex(&self, from: MemberIndex, bytes: Bytes) {
        self.start(from, vec![bytes]).await;
    }

    /// Verifies an answer's vertices in their order; returns when all are with the replica.
    pub async fn vertices(&self, from: MemberIndex, vertices: Vec<Bytes>) {
        if let Some(work) = self.start(from, vertices).await {
            let _ = work.await;
        }
    }

    /// Verifies a vertex on the pool and gives it back; `None` when it is refused.
    pub async fn checked(&self, from: MemberIndex, bytes: Bytes) -> Option<Verified<Vertex>> {
        let place = self.places.clone().acquire_owned().await.ok()?;
        let this = self.clone();
        let checked = tokio::task::spawn_blocking(move || {
            let verified = this.decode_and_verify(bytes);
            drop(place);
            verified
        });
        match checked.await.ok()? {
            Ok(vertex) => Some(vertex),
            Err(error) => {
                tracing::warn!(member = %from, %error, "refused a vertex");
                None
            }
        }
    }

    fn decode_and_verify(&self, bytes: Bytes) -> Result<Verified<Vertex>, VertexError> {
        let vertex = Vertex::decode(bytes)?;
        verify_vertex(vertex, self.network, &self.committee(), &|_| None)
    }

    async fn start(&self, from: MemberIndex, vertices: Vec<Bytes>) -> Option<JoinHandle<()>> {
        let place = self.places.clone().acquire_owned().await.ok()?;
        let this = self.clone();
        Some(tokio::task::spawn_blocking(move || {
            for bytes in vertices {
                this.verify(from, bytes);
            }
            drop(place);
        }))
    }

    fn verify(&self, from: MemberIndex, bytes: Bytes) {
        let begun = Instant::now();
        let decoded = Vertex::decode(bytes);
        let digest = decoded.as_ref().map(Vertex::digest).ok();
        // The same vertex comes from several peers; it is verified once at a time.
        if digest.is_some_and(|digest| self.in_work.insert(digest, ()).is_some()) {
            return;
        }
        let committee = self.committee();
        let verified = decoded.and_then(|v| verify_vertex(v, self.network, &committee, &|_| None));
        self.metrics.verify(begun.elapsed());
        match verified {
            Ok(vertex) => {
                let room = self.room_for(&vertex);
                let from = Some(from);
                let input = Input::Vertex { vertex, from };
                // Closed only when the node stops.
                let _ = self.commands.blocking_send(Command(input, room));
            }
            // E3: it has not come so far, and asks.
            Err(VertexError::Epoch { found, .. }) if found < committee.epoch() => {}
            // E3: this node has not. A replica that is busy hears of it again.
            Err(VertexError::Epoch { found, .. }) if found > committee.epoch() => {
                let _ = self.commands.try_send(Command(Input::Later { from }, None));
            }
            Err(error) => {
                tracing::warn!(member = %from, %error, "refused a vertex");
            }
        }
        if let Some(digest) = digest {
            self.in_work.remove(&digest);
        }
    }
}

impl Verifier {
    /// Waits, on the blocking pool, for room for a vertex.
    fn room_for(&self, vertex: &Vertex) -> Option<Room> {
        let bytes = u32::try_from(vertex.size().min(COMMANDS_BYTES_MAX)).unwrap_or(u32::MAX);
        let room = self.room.clone().acquire_many_owned(bytes);
        tokio::runtime::Handle::current().block_on(room).ok()
    }
}

/// Answers out of the store, on the blocking pool.
#[derive(Clone)]
struct Server {
    store: Arc<Store>,
    commands: Commands,
    views: watch::Receiver<Arc<View>>,
    /// S1: whether the latest own vertex of the store is the latest that was signed.
    knows_signed: Arc<AtomicBool>,
    in_office: watch::Receiver<Arc<Committee>>,
    /// S1.9: by the one clock that never goes back.
    askers: Arc<Mutex<Askers>>,
    clock: Clock,
    genesis: Arc<Genesis>,
}

impl Server {
    /// S1: how a member of the committee in office is answered if it asks for the latest vertex.
    fn shows(&self, request: &Bytes, by: MemberIndex) -> Option<Shows> {
        let (process, epoch) = asks_latest(request)?;
        let committee = self.in_office.borrow().clone();
        let member = committee.member(by)?;
        let to = match committee.epoch() == epoch {
            true => Some(by),
            // E3: places are those of the epoch that is asked for.
            false => epochs::committee(&self.store, &self.genesis, epoch)
                .ok()
                .flatten()
                .and_then(|committee| committee.index_of(&member.vertex_key)),
        };
        let mut askers = self.askers.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Shows {
            to,
            knows_signed: self.knows_signed.load(Ordering::SeqCst),
            another: askers.asked(member.id, process, self.clock.now()),
        })
    }

    fn start(
        &self,
        request: Bytes,
        reply: oneshot::Sender<Bytes>,
        limits: AnswerLimits,
        asker: Option<MemberIndex>,
        place: OwnedSemaphorePermit,
    ) {
        let this = self.clone();
        tokio::task::spawn_blocking(move || {
            // Whoever asked may have given up while the request waited.
            if !reply.is_closed() {
                if let Some(ready) = told_ready(&request) {
                    // Told again if there is no room.
                    let _ = this.commands.try_send(Command(Input::Ready(ready), None));
                    drop(reply.send(Bytes::new()));
                    return;
                }
                let view = this.views.borrow().clone();
                if let Some(by) = asker {
                    let vertices = asked_for(&request, view.epoch);
                    // A hint: a replica that is busy does without.
                    let _ = this
                        .commands
                        .try_send(Command(Input::Asked { by, vertices }, None));
                }
                let shows = asker.and_then(|by| this.shows(&request, by));
                let source = Source {
                    store: &this.store,
                    held: &view.held,
                };
                match serve(&source, request, limits, shows) {
                    Ok(answer) => drop(reply.send(answer)),
                    Err(ServeError::Store(error)) => {
                        tracing::warn!(%error, "cannot answer a fetch");
                    }
                    Err(error) => tracing::debug!(%error, "refused a fetch"),
                }
            }
            drop(place);
        });
    }
}

/// What answers and verifies.
#[derive(Clone)]
pub struct Inbound {
    pub verifier: Verifier,
    pub store: Arc<Store>,
    pub views: watch::Receiver<Arc<View>>,
    pub knows_signed: Arc<AtomicBool>,
    pub in_office: watch::Receiver<Arc<Committee>>,
    pub clock: Clock,
    pub genesis: Arc<Genesis>,
    /// F4: looks at certificates.
    pub judge: Judge,
}

/// Follows the network's events until it ends.
pub async fn run(mut events: Events, inbound: Inbound, stop: CancellationToken) {
    let Inbound {
        verifier,
        store,
        views,
        knows_signed,
        in_office,
        clock,
        genesis,
        judge,
    } = inbound;
    let server = Server {
        store,
        commands: verifier.commands.clone(),
        views,
        knows_signed,
        in_office,
        askers: Arc::default(),
        clock,
        genesis,
    };
    let members = Arc::new(Semaphore::new(MEMBERS.serving_max));
    let observers = Arc::new(Semaphore::new(OBSERVERS.serving_max));
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => None,
        };
        let Some(event) = event else {
            return;
        };
        match event {
            Event::Frame { from, kind, bytes } | Event::Gossip { from, kind, bytes } => {
                match kind {
                    VERTEX_FRAME => verifier.vertex(from, bytes).await,
                    CERTIFICATE_FRAME => {
                        verifier.certificate(from, bytes.clone());
                        judge.start(from, bytes);
                    }
                    FrameKind(other) => {
                        tracing::debug!(member = %from, kind = other, "frame of an unknown kind");
                    }
                }
            }
            Event::Fetch {
                from,
                request,
                reply,
            } => {
                // Dropping the reply refuses: the peer asks somebody else.
                if let Ok(place) = members.clone().try_acquire_owned() {
                    server.start(request, reply, MEMBERS, Some(from), place);
                }
            }
            Event::History { request, reply } => {
                // Few wait here: the network has let so many through.
                let (server, observers) = (server.clone(), observers.clone());
                tokio::spawn(async move {
                    if let Ok(place) = observers.acquire_owned().await {
                        server.start(request, reply, OBSERVERS, None, place);
                    }
                });
            }
            Event::PeerUp(member) => tracing::info!(%member, "connected"),
            Event::PeerDown(member) => tracing::info!(%member, "disconnected"),
        }
    }
}

#[cfg(test)]
mod tests;
