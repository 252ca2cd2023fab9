//! From the network to the replica: bytes become verified vertices on the verify pool, in parallel
//! and off the replica's thread. The pool takes a frame only when a place is free, so a flood stays in
//! the sockets of whoever sends it.

use super::engine::{Command, Commands};
use super::fetch::serve;
use crate::metrics::Metrics;
use crate::replica::Input;
use bytes::Bytes;
use dashmap::DashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use weft_network::{Event, Events, FrameKind};
use weft_storage::Store;
use weft_types::{Committee, MemberIndex, NetworkId, Vertex, VertexDigest, verify_vertex};

/// Frames that carry an encoded vertex.
pub const VERTEX_FRAME: FrameKind = FrameKind(1);
/// Publications that carry an encoded certificate.
pub const CERTIFICATE_FRAME: FrameKind = FrameKind(2);

/// Verifies what comes in.
#[derive(Clone)]
pub struct Verifier {
    network: NetworkId,
    committee: Arc<Committee>,
    places: Arc<Semaphore>,
    commands: Commands,
    metrics: Arc<Metrics>,
    in_work: Arc<DashMap<VertexDigest, ()>>,
}

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
            committee,
            // One more than cores, so that none idles while a result is handed over.
            places: Arc::new(Semaphore::new(cores + 1)),
            commands,
            metrics,
            in_work: Arc::default(),
        }
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
        let verified =
            decoded.and_then(|v| verify_vertex(v, self.network, &self.committee, &|_| None));
        self.metrics.verify(begun.elapsed());
        match verified {
            Ok(vertex) => {
                let from = Some(from);
                let input = Input::Vertex { vertex, from };
                // Closed only when the node stops.
                let _ = self.commands.blocking_send(Command(input));
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

/// Follows the network's events until it ends.
pub async fn run(
    mut events: Events,
    verifier: Verifier,
    store: Arc<Store>,
    stop: CancellationToken,
) {
    let epoch = verifier.committee.epoch();
    let serving = Arc::new(Semaphore::new(super::fetch::SERVING_MAX));
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
                    // Certificates tell an observer nothing that its own execution does not.
                    CERTIFICATE_FRAME => {}
                    FrameKind(other) => {
                        tracing::debug!(member = %from, kind = other, "frame of an unknown kind");
                    }
                }
            }
            Event::Fetch { request, reply, .. } => {
                let store = store.clone();
                // Dropping the reply refuses: the peer asks somebody else.
                let Ok(place) = serving.clone().try_acquire_owned() else {
                    continue;
                };
                tokio::task::spawn_blocking(move || {
                    match serve(&store, epoch, request) {
                        Ok(answer) => drop(reply.send(answer)),
                        Err(error) => tracing::warn!(%error, "cannot answer a fetch"),
                    }
                    drop(place);
                });
            }
            Event::PeerUp(member) => tracing::info!(%member, "connected"),
            Event::PeerDown(member) => tracing::info!(%member, "disconnected"),
        }
    }
}
