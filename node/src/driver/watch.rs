//! W1, W2: a watcher. An observer that holds every certificate that it hears of against its own statement of that
//! height, published ones and posted ones, and raises an alarm with evidence when they differ.
//!
//! It decides nothing else, and nothing of it is in the way of the replica: what it does not look at in time it looks at
//! when it is posted.

mod alarm;
mod base;
mod weigh;

pub use alarm::{Alarm, Seen};
pub use base::{BaseWatch, OnBase};

use super::inbound::Heard;
use crate::evidence::Case;
use crate::metrics::Metrics;
use crate::replica::Divergence;
use crate::view::{CertifiedView, View};
use alarm::Evidence;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use weft_storage::{Store, StoreError};
use weft_types::{
    Certificate, Genesis, Height, MEMBERS_MAX, MemberIndex, Statement, StatementDigest, Verified,
};
use weigh::Weighed;

/// Certificates and checkpoints on their way to a watcher.
pub const HEARD_MAX: usize = 256;
/// W1: heights that wait for their execution, of each member.
const WAITING_MAX: usize = 32;
/// W1: posted heights that wait for their execution.
const POSTED_MAX: usize = 1024;
/// W2: how long the statement is waited for of which only signatures were seen.
const STATEMENT_TIME_MAX: Duration = Duration::from_secs(10);
/// Between two differing certificates of one member that are verified.
const JUDGED_EVERY: Duration = Duration::from_millis(200);
/// W2: alarms of one run.
const ALARMS_MAX: usize = 16;

/// What a watcher is told to do.
#[derive(Clone)]
pub struct Watch {
    /// Where evidence is put.
    pub evidence: PathBuf,
    pub alarms: mpsc::Sender<Alarm>,
}

/// The task.
pub struct Watcher {
    pub genesis: Arc<Genesis>,
    pub store: Arc<Store>,
    pub views: watch::Receiver<Arc<View>>,
    pub metrics: Arc<Metrics>,
    pub watch: Watch,
    heard: BTreeMap<MemberIndex, BTreeMap<Height, Certificate>>,
    judged: BTreeMap<MemberIndex, Instant>,
    posted: BTreeMap<Height, OnBase>,
    raised: BTreeSet<(Height, StatementDigest)>,
    /// F4: what the replica has stopped for, and until when its statement is waited for.
    diverged: Option<(Divergence, Instant)>,
}

/// What a watcher listens to.
pub struct Sources {
    pub published: mpsc::Receiver<Heard>,
    pub posted: mpsc::Receiver<OnBase>,
    pub diverged: watch::Receiver<Option<Divergence>>,
}

/// A statement that is not the own one.
struct Other {
    height: Height,
    certified: StatementDigest,
    /// Unless only its digest is known.
    certificate: Option<Verified<Certificate>>,
    own: Option<Statement>,
    seen: Seen,
}

impl Watcher {
    pub fn new(
        genesis: Arc<Genesis>,
        store: Arc<Store>,
        views: watch::Receiver<Arc<View>>,
        metrics: Arc<Metrics>,
        watch: Watch,
    ) -> Self {
        Self {
            genesis,
            store,
            views,
            metrics,
            watch,
            heard: BTreeMap::new(),
            judged: BTreeMap::new(),
            posted: BTreeMap::new(),
            raised: BTreeSet::new(),
            diverged: None,
        }
    }

    pub async fn run(mut self, mut sources: Sources, stop: CancellationToken) {
        loop {
            let deadline = self.diverged.as_ref().map(|(_, until)| *until);
            let late = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                () = stop.cancelled() => return,
                Some((from, certificate)) = sources.published.recv() => self.heard(from, certificate).await,
                Some(posted) = sources.posted.recv() => self.saw_posted(posted).await,
                Ok(()) = sources.diverged.changed() => {
                    let diverged = *sources.diverged.borrow_and_update();
                    self.stopped_for(diverged);
                    Ok(())
                }
                Ok(()) = self.views.changed() => self.advance().await,
                () = late => self.without_statement().await,
            };
            if let Err(error) = done {
                tracing::warn!(%error, "a certificate was not held against the own statement");
            }
        }
    }

    /// A certificate was published.
    async fn heard(
        &mut self,
        from: MemberIndex,
        certificate: Certificate,
    ) -> Result<(), StoreError> {
        let height = certificate.statement.height;
        match self.weigh(&certificate.statement)? {
            Weighed::Same | Weighed::Past => Ok(()),
            Weighed::Ahead => {
                // Whoever passes on is in the committee, which bounds them; but a name is only a number here.
                if from.as_usize() < MEMBERS_MAX {
                    let of_member = self.heard.entry(from).or_default();
                    of_member.insert(height, certificate);
                    while of_member.len() > WAITING_MAX {
                        of_member.pop_first();
                    }
                }
                Ok(())
            }
            Weighed::Other(own) => {
                let now = Instant::now();
                let judged = self.judged.get(&from);
                if judged.is_some_and(|at| now < *at + JUDGED_EVERY) {
                    return Ok(());
                }
                self.judged.insert(from, now);
                match self.verified(certificate)? {
                    Some(certificate) => {
                        let other = Other {
                            height,
                            certified: certificate.statement.digest(),
                            certificate: Some(certificate),
                            own: own.map(|own| *own),
                            seen: Seen::Published,
                        };
                        self.raise(other).await;
                    }
                    None => tracing::debug!(%height, member = %from, "a certificate that is none"),
                }
                Ok(())
            }
        }
    }

    /// A checkpoint was posted: the contract has checked who signed it.
    async fn saw_posted(&mut self, posted: OnBase) -> Result<(), StoreError> {
        let height = posted.checkpoint.height;
        let weighed = match &posted.certificate {
            Some(certificate) => self.weigh(&certificate.statement)?,
            None => self.weigh_digest(height, posted.checkpoint.statement)?,
        };
        match weighed {
            Weighed::Same => {}
            Weighed::Past => {
                tracing::info!(%height, "a posted checkpoint is older than what this watcher has executed");
            }
            Weighed::Ahead => {
                self.posted.insert(height, posted);
                while self.posted.len() > POSTED_MAX {
                    self.posted.pop_first();
                }
            }
            Weighed::Other(own) => {
                let certificate = match posted.certificate.clone() {
                    Some(certificate) => self.verified(certificate)?,
                    None => None,
                };
                let other = Other {
                    height,
                    certified: posted.checkpoint.statement,
                    certificate,
                    own: own.map(|own| *own),
                    seen: Seen::Posted {
                        block: posted.checkpoint.base_block,
                        final_at: posted.final_at,
                    },
                };
                self.raise(other).await;
            }
        }
        Ok(())
    }

    /// What waited for its height to be executed.
    async fn advance(&mut self) -> Result<(), StoreError> {
        let reached = self.views.borrow().height;
        let posted = self.posted.first_key_value();
        let waiting = posted.map_or(0, |_| self.posted.len());
        for _ in 0..waiting {
            let first = self.posted.first_key_value().map(|(height, _)| *height);
            if first.is_none_or(|height| height > reached) {
                break;
            }
            if let Some((_, posted)) = self.posted.pop_first() {
                self.saw_posted(posted).await?;
            }
        }
        let members: Vec<MemberIndex> = self.heard.keys().copied().collect();
        for from in members {
            let later = self
                .heard
                .entry(from)
                .or_default()
                .split_off(&reached.next());
            let due = self.heard.insert(from, later).unwrap_or_default();
            for (_, certificate) in due {
                self.heard(from, certificate).await?;
            }
        }
        Ok(())
    }

    /// F4: the replica has seen a quorum's signatures, of a statement that it does not know.
    fn stopped_for(&mut self, diverged: Option<Divergence>) {
        let Some(divergence) = diverged else {
            return;
        };
        let Divergence {
            height,
            own,
            certified,
        } = divergence;
        tracing::error!(
            %height, %certified, %own,
            "ALARM: a quorum has signed another statement than execution gives"
        );
        self.diverged = Some((divergence, Instant::now() + STATEMENT_TIME_MAX));
    }

    /// Nobody has shown the statement.
    async fn without_statement(&mut self) -> Result<(), StoreError> {
        let Some((divergence, _)) = self.diverged.take() else {
            return Ok(());
        };
        let other = Other {
            height: divergence.height,
            certified: divergence.certified,
            certificate: None,
            own: self.store.statement(divergence.height)?,
            seen: Seen::Signed,
        };
        self.raise(other).await;
        Ok(())
    }

    /// W2: once for each statement.
    async fn raise(&mut self, other: Other) {
        let known = !self.raised.insert((other.height, other.certified));
        if known || self.raised.len() > ALARMS_MAX {
            return;
        }
        let of_replica =
            |d: &Divergence| (d.height, d.certified) == (other.height, other.certified);
        if self.diverged.as_ref().is_some_and(|(d, _)| of_replica(d)) {
            self.diverged = None;
        }
        self.metrics.alarm(other.height, other.certified);
        let evidence = Evidence {
            genesis: self.genesis.clone(),
            store: self.store.clone(),
            folder: self.watch.evidence.clone(),
            agreed: self.agreed(other.height),
        };
        let window = self.genesis.template.params.challenge_window_s;
        let written = tokio::task::spawn_blocking(move || evidence.alarm(other, window)).await;
        match written {
            Ok(alarm) => {
                tracing::error!("ALARM: {alarm}");
                let _ = self.watch.alarms.send(alarm).await;
            }
            Err(error) => tracing::error!(%error, "the alarm's evidence was not written"),
        }
    }

    /// States to go on from, the newest first.
    fn agreed(&self, below: Height) -> Vec<CertifiedView> {
        let view = self.views.borrow().clone();
        let held = view.held.iter().rev().cloned();
        let all = view.certified.clone().into_iter().chain(held);
        all.filter(|v| v.certificate.statement.height < below)
            .collect()
    }
}

impl Other {
    fn case<'a>(
        &'a self,
        accused: &'a Certificate,
        rival: Option<&'a Certificate>,
        agreed: Option<&'a CertifiedView>,
    ) -> Case<'a> {
        Case {
            accused,
            rival,
            own: self.own.as_ref(),
            agreed,
        }
    }
}
