//! W2, W6, W7: raises alarms, and withdraws them.

use super::alarm::Evidence;
use super::notice::{Blind, Notice, Shown, Withheld};
use super::sight::{Change, Seen};
use super::waiting::Due;
use super::{ALARMS_MAX, Other, STATUS_EVERY, Watcher};
use crate::driver::take_over::synced_after;
use crate::replica::Divergence;
use crate::view::CertifiedView;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use weft_types::Height;

impl Watcher {
    /// W2: once for each statement; told before anything is written.
    pub(super) async fn raise(&mut self, other: Other) {
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
            folders: self.watch.evidence.clone(),
            agreed: self.agreed(other.height),
        };
        let alarm = evidence.alarm(&other, self.window().as_secs());
        tracing::error!("ALARM: {alarm}");
        self.tell(Notice::False(alarm.clone())).await;
        let mut written = alarm.clone();
        let put = tokio::task::spawn_blocking(move || {
            evidence.put(&other, &mut written);
            written
        });
        let alarm = put.await.unwrap_or_else(|error| super::Alarm {
            lacks: Some(format!("writing it failed: {error}")),
            ..alarm
        });
        match (&alarm.evidence, &alarm.lacks) {
            (Some(path), _) => {
                tracing::error!(evidence = %path.display(), "the alarm's evidence is written")
            }
            (None, lacks) => {
                let why = lacks.as_deref().unwrap_or_default();
                tracing::error!("there is no evidence of the alarm: {why}");
            }
        }
        self.tell(Notice::Evidence(alarm)).await;
    }

    /// W8: at each start.
    pub(super) async fn tell_what_it_believes(&self) {
        match synced_after(&self.store) {
            Ok(Some(commit)) => {
                tracing::warn!(%commit, "took over a certified state: what is up to this commit was not executed here");
                self.tell(Notice::Believes { commit }).await;
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "what this watcher has taken over is not known"),
        }
    }

    async fn tell(&self, notice: Notice) {
        // Whoever listens no longer is stopping this node.
        let _ = self.watch.notices.send(notice).await;
    }

    /// States to go on from, the newest first.
    fn agreed(&self, below: Height) -> Vec<CertifiedView> {
        let view = self.views.borrow().clone();
        let held = view.held.iter().rev().cloned();
        let all = view.certified.clone().into_iter().chain(held);
        all.filter(|v| v.certificate.statement.height < below)
            .collect()
    }

    /// BC12: from posting until final.
    pub(super) fn window(&self) -> Duration {
        Duration::from_secs(self.genesis.template.params.challenge_window_s)
    }

    /// Seconds until a time of the base chain: by its newest block, or by this machine's clock if that is ahead.
    pub(super) fn left(&self, final_at: u64) -> u64 {
        let own = SystemTime::now().duration_since(UNIX_EPOCH);
        let own = own.unwrap_or_default().as_secs();
        let now = own.max(self.sight.time().unwrap_or(0));
        final_at.saturating_sub(now)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let diverged = self.diverged.as_ref().map(|(_, until)| *until);
        let waiting = self.waiting.deadline();
        let all = [
            diverged,
            waiting,
            self.sight.deadline(),
            Some(self.status_at),
        ];
        all.into_iter().flatten().min()
    }

    /// What has fallen due with time alone.
    pub(super) async fn tell_due(&mut self, now: Instant) {
        if let Some(due) = self.waiting.due(now) {
            self.tell_withheld(due).await;
        }
        if let Some(change) = self.sight.due(now) {
            self.tell_sight(change, now).await;
        }
        if self.status_at <= now {
            self.status_at = now + STATUS_EVERY;
            self.say_status();
        }
    }

    async fn tell_withheld(&mut self, due: Due) {
        let Due {
            named,
            again,
            forgotten,
        } = due;
        let withheld = Withheld {
            height: named.checkpoint.height,
            statement: named.checkpoint.statement,
            block: named.checkpoint.base_block,
            final_at: named.final_at,
            left_s: self.left(named.final_at),
            again,
            waiting: self.waiting.len() as u64,
            forgotten,
            executed: self.views.borrow().height,
            peers: *self.peers.borrow(),
        };
        self.metrics.withheld(self.waiting.told());
        tracing::error!("ALARM: {withheld}");
        self.tell(Notice::Withheld(withheld)).await;
    }

    /// W6 is withdrawn for heights up to this one.
    pub(super) async fn tell_shown(&mut self, height: Height) {
        let missing = self.waiting.told();
        self.metrics.withheld(missing);
        tracing::info!(%height, missing, "the data of a posted checkpoint have come, and are what was posted");
        self.tell(Notice::Shown(Shown { height, missing })).await;
    }

    /// The task that reads the base chain has looked.
    pub(super) async fn looked(&mut self, seen: Seen) {
        if let Some(change) = self.sight.looked(seen) {
            self.tell_sight(change, Instant::now()).await;
        }
    }

    async fn tell_sight(&mut self, change: Change, now: Instant) {
        self.metrics.blind(self.sight.is_lost());
        match change {
            Change::Lost => {
                let blind = Blind {
                    never: self.sight.is_unseen(),
                    silent_s: self.sight.silent_for(now).as_secs(),
                    window_s: self.window().as_secs(),
                    error: self.sight.error().map(str::to_owned),
                };
                tracing::error!("ALARM: {blind}");
                self.tell(Notice::Blind(blind)).await;
            }
            Change::Found { was_told } => {
                tracing::info!("the base chain answers: posted checkpoints are compared");
                if was_told {
                    self.tell(Notice::Sees).await;
                }
            }
        }
    }

    /// What this watcher sees, and what it does not.
    fn say_status(&self) {
        let view = self.views.borrow().clone();
        let certified = view.certified.as_ref();
        let certified = certified.map_or(0, |c| c.certificate.statement.height.0);
        tracing::info!(
            height = %view.height,
            certified,
            members = *self.peers.borrow(),
            waiting = self.waiting.len(),
            base = %self.sight,
            "watching"
        );
    }
}
