//! W1, W2: a watcher. An observer that holds every certificate that it hears of against its own statement of that
//! height, published ones and posted ones, and raises an alarm with evidence when they differ; and another when it cannot,
//! for want of the data (W6) or of the base chain (W7).
//!
//! It decides nothing else, and nothing of it is in the way of the replica: what it does not look at in time it looks at
//! when it is posted.

mod alarm;
mod base;
mod notice;
mod sight;
mod telling;
mod waiting;
mod weigh;

pub use alarm::{Alarm, Seen};
pub use base::{BaseWatch, OnBase};
pub use notice::{Blind, Notice, Shown, Withheld};
pub use sight::Seen as BaseSeen;

use super::inbound::Heard;
use crate::evidence::Case;
use crate::metrics::Metrics;
use crate::replica::Divergence;
use crate::view::{CertifiedView, View};
use sight::Sight;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use waiting::{Reached, Waiting};
use weft_storage::{Store, StoreError};
use weft_types::{
    Certificate, Genesis, Height, MEMBERS_MAX, MemberIndex, Statement, StatementDigest, Verified,
};
use weigh::Weighed;

/// Certificates and checkpoints on their way to a watcher.
pub const HEARD_MAX: usize = 256;
/// W1: heights that wait for their execution, of each member.
const WAITING_MAX: usize = 32;
/// W2: how long the statement is waited for of which only signatures were seen.
const STATEMENT_TIME_MAX: Duration = Duration::from_secs(10);
/// Between two differing certificates of one member that are verified.
const JUDGED_EVERY: Duration = Duration::from_millis(200);
/// W2: alarms of one run.
const ALARMS_MAX: usize = 16;
/// Between two lines of the log that say what is seen.
const STATUS_EVERY: Duration = Duration::from_secs(60);

/// What a watcher is told to do.
#[derive(Clone)]
pub struct Watch {
    /// Folders for evidence: the first that takes it.
    pub evidence: Vec<PathBuf>,
    /// A full channel holds the watcher up.
    pub notices: mpsc::Sender<Notice>,
}

/// The task.
pub struct Watcher {
    genesis: Arc<Genesis>,
    store: Arc<Store>,
    views: watch::Receiver<Arc<View>>,
    metrics: Arc<Metrics>,
    watch: Watch,
    heard: BTreeMap<MemberIndex, BTreeMap<Height, Certificate>>,
    judged: BTreeMap<MemberIndex, Instant>,
    waiting: Waiting,
    sight: Sight,
    peers: watch::Receiver<u64>,
    status_at: Instant,
    raised: BTreeSet<(Height, StatementDigest)>,
    /// F4: what the replica has stopped for, and until when its statement is waited for.
    diverged: Option<(Divergence, Instant)>,
}

/// What a watcher listens to.
pub struct Sources {
    pub published: mpsc::Receiver<Heard>,
    pub posted: mpsc::Receiver<OnBase>,
    pub base: watch::Receiver<BaseSeen>,
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

/// What a watcher has of its node.
pub struct Parts {
    pub genesis: Arc<Genesis>,
    pub store: Arc<Store>,
    pub views: watch::Receiver<Arc<View>>,
    /// How many members it is connected to.
    pub peers: watch::Receiver<u64>,
    pub metrics: Arc<Metrics>,
}

impl Watcher {
    pub fn new(parts: Parts, watch: Watch) -> Self {
        let now = Instant::now();
        let window = parts.genesis.template.params.challenge_window_s;
        let window = Duration::from_secs(window);
        Self {
            genesis: parts.genesis,
            store: parts.store,
            views: parts.views,
            metrics: parts.metrics,
            watch,
            heard: BTreeMap::new(),
            judged: BTreeMap::new(),
            waiting: Waiting::new(window),
            sight: Sight::new(window, now),
            peers: parts.peers,
            status_at: now + STATUS_EVERY,
            raised: BTreeSet::new(),
            diverged: None,
        }
    }

    pub async fn run(mut self, mut sources: Sources, stop: CancellationToken) {
        self.tell_what_it_believes().await;
        loop {
            let deadline = self.deadline();
            let late = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                () = stop.cancelled() => return,
                Some((from, certificate)) = sources.published.recv() => self.heard(from, certificate).await,
                Some(posted) = sources.posted.recv() => self.saw_posted(posted).await.map(drop),
                Ok(()) = sources.diverged.changed() => {
                    let diverged = *sources.diverged.borrow_and_update();
                    self.stopped_for(diverged);
                    Ok(())
                }
                Ok(()) = self.views.changed() => self.advance().await,
                Ok(()) = sources.base.changed() => {
                    let seen = sources.base.borrow_and_update().clone();
                    self.looked(seen).await;
                    Ok(())
                }
                () = late => self.late().await,
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

    /// A checkpoint was posted: the contract has checked who signed it. Whether it is the own statement.
    async fn saw_posted(&mut self, posted: OnBase) -> Result<bool, StoreError> {
        let height = posted.checkpoint.height;
        let weighed = match &posted.certificate {
            Some(certificate) => self.weigh(&certificate.statement)?,
            None => self.weigh_digest(height, posted.checkpoint.statement)?,
        };
        match weighed {
            Weighed::Same => return Ok(true),
            Weighed::Past => {
                tracing::info!(%height, "a posted checkpoint is older than what this watcher has executed");
            }
            Weighed::Ahead => {
                let left = Duration::from_secs(self.left(posted.final_at));
                self.waiting.add(posted, left, Instant::now());
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
        Ok(false)
    }

    /// What waited for its height to be executed.
    async fn advance(&mut self) -> Result<(), StoreError> {
        let reached = self.views.borrow().height;
        let mut shown = None;
        for _ in 0..self.waiting.len() {
            let Some(Reached { on_base, told }) = self.waiting.reached(reached) else {
                break;
            };
            let height = on_base.checkpoint.height;
            let is_own = self.saw_posted(on_base).await?;
            shown = (told && is_own).then_some(height).or(shown);
        }
        if let Some(height) = shown {
            self.tell_shown(height).await;
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
        let until = Instant::now() + STATEMENT_TIME_MAX.min(self.window() / 2);
        self.diverged = Some((divergence, until));
    }

    /// Something has fallen due.
    async fn late(&mut self) -> Result<(), StoreError> {
        let now = Instant::now();
        self.tell_due(now).await;
        match self.diverged {
            Some((_, until)) if until <= now => self.without_statement().await,
            _ => Ok(()),
        }
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
