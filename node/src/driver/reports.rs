//! BC20, BC21: the task that asks the base chain what [`Reporting`] wants to know, and sends what it wants sent. It decides
//! nothing. What it has seen of offenders' bonds readers are told.

use super::asking::{Asking, Decides};
use super::base::Base;
use super::clock::Clock;
use super::conflicts::Conflict;
use crate::api::claims::claim;
use crate::api::offenders::{offenders_of, prove};
use crate::metrics::{Metrics, ReportResult};
use crate::replica::reporting::{Case, Effect, Input, Reporting, Standing};
use crate::view::View;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_basechain::{At, BaseChain, ClientError, MemberStatus, Mined, Offender};
use weft_storage::{Store, StoreError};
use weft_types::api::LeafClaim;
use weft_types::{Committee, Height, MemberIndex, Millis, ed25519};

/// Between two looks at who is convicted.
const KNOWN_EVERY: Duration = Duration::from_secs(1);

/// The task that reports offences.
pub struct Reports {
    pub base: Base,
    /// Who is rewarded, if it is not the account that pays.
    pub reporter: Option<[u8; 20]>,
    pub vertex_key: Option<ed25519::PublicKey>,
    pub store: Arc<Store>,
    pub views: watch::Receiver<Arc<View>>,
    pub conflicts: watch::Receiver<Option<Arc<Conflict>>>,
    /// Of offenders by their ids, whether the registry has taken the bond.
    pub bonds: watch::Sender<BTreeMap<u64, bool>>,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
}

impl Decides for Reporting {
    type Input = Input;
    type Effect = Effect;

    fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Effect>) {
        Reporting::handle(self, now, input, out);
    }

    fn next_deadline(&self) -> Option<Millis> {
        Reporting::next_deadline(self)
    }

    fn tick() -> Input {
        Input::Tick
    }
}

/// What goes wrong with a question.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Base(#[from] ClientError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Reports {
    pub async fn run(
        self,
        mut in_office: watch::Receiver<Arc<Committee>>,
        stop: CancellationToken,
    ) {
        let pays = self.base.key.is_some();
        let (own, members) = self.place(&in_office.borrow_and_update());
        let mut asking = Asking::new(Reporting::new(own, members, pays), self.clock);
        let mut input = Input::Known(self.known());
        loop {
            for effect in asking.handle(input) {
                match effect {
                    Effect::Look(cases) => asking.ask(self.look(cases)),
                    Effect::Report(case) => asking.ask(self.report(case)),
                }
            }
            input = tokio::select! {
                () = stop.cancelled() => return,
                input = asking.next() => input,
                Ok(()) = in_office.changed() => {
                    let (own, members) = self.place(&in_office.borrow_and_update());
                    asking.part().enter(own, members);
                    Input::Tick
                }
                () = tokio::time::sleep(KNOWN_EVERY) => Input::Known(self.known()),
            };
        }
    }

    fn place(&self, committee: &Committee) -> (Option<MemberIndex>, usize) {
        let own = self.vertex_key.and_then(|key| committee.index_of(&key));
        (own, committee.size())
    }

    fn known(&self) -> Vec<Case> {
        let offenders = offenders_of(&self.views.borrow());
        let convicted = offenders.list().iter();
        let convicted = convicted.map(|o| Case::Equivocation { id: o.id });
        let conflict = self.conflicts.borrow().clone();
        let conflict = conflict.as_ref().and_then(|c| c.case());
        convicted.chain(conflict).collect()
    }

    /// One case that cannot be looked at keeps no other from its turn.
    async fn look(&self, cases: Vec<Case>) -> Input {
        let mut seen = Vec::with_capacity(cases.len());
        let mut failed = None;
        for case in cases {
            let standing = match case {
                Case::Equivocation { id } => self.stands(id).await,
                Case::Conflict { .. } => self.conflict_stands().await,
            };
            match standing {
                Ok(standing) => seen.push((case, standing)),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if seen.is_empty() => unreachable(&error),
            _ => Input::Seen(seen),
        }
    }

    /// How an offender's bond stands.
    async fn stands(&self, id: u64) -> Result<Standing, Fault> {
        let chain = self.base.chain().await?;
        let status = chain.member(id, At::Latest).await?.status;
        self.saw_bond(id, status);
        if !status.is_liable() {
            return Ok(judged(&chain, &[id]).await);
        }
        let Some((_, claim)) = self.proof(id)? else {
            return Ok(Standing::Hidden);
        };
        Ok(match self.final_from(&chain, claim.height).await? {
            Some(from) => Standing::Open { from: Some(from) },
            // Taken back by a reorganisation since.
            None => Standing::Hidden,
        })
    }

    /// When a checkpoint is final; `None` of one that was not posted.
    async fn final_from(
        &self,
        chain: &BaseChain,
        height: Height,
    ) -> Result<Option<Millis>, ClientError> {
        let posted = chain.posted_at(height, At::Latest).await?;
        let Some(posted) = posted else {
            return Ok(None);
        };
        let seconds = posted.saturating_add(chain.finality_delay().await?);
        Ok(Some(Millis(seconds.saturating_mul(1_000))))
    }

    fn saw_bond(&self, id: u64, status: MemberStatus) {
        let is_taken = status == MemberStatus::Slashed;
        let before = self.bonds.borrow().get(&id).copied();
        if before == Some(is_taken) {
            return;
        }
        if is_taken {
            tracing::warn!(member = id, "the registry has taken an offender's bond");
        }
        self.bonds.send_modify(|bonds| {
            bonds.insert(id, is_taken);
        });
        let taken = self.bonds.borrow().values().filter(|t| **t).count();
        self.metrics.slashed(taken);
    }

    /// The first conviction of a member, and its proof, once a checkpoint has it.
    fn proof(&self, id: u64) -> Result<Option<(Offender, LeafClaim)>, StoreError> {
        let view = self.views.borrow().clone();
        let offenders = offenders_of(&view);
        let mut numbered = (0..).zip(offenders.list());
        let Some((index, offender)) = numbered.find(|(_, o)| o.id == id) else {
            return Ok(None);
        };
        let prove = |commit, index| prove(&offenders, commit, index);
        let claim = claim((&self.store, &view), (offender.commit, index), prove)?;
        Ok(claim.and_then(|claim| {
            let proof = Offender {
                statement: claim.statement.clone(),
                id,
                epoch: offender.epoch.0,
                round: offender.round.0,
                index,
                siblings: claim.siblings.clone().try_into().ok()?,
            };
            Some((proof, claim))
        }))
    }

    /// How the bonds of those stand who have signed two statements.
    async fn conflict_stands(&self) -> Result<Standing, Fault> {
        let conflict = self.conflicts.borrow().clone();
        let Some(conflict) = conflict else {
            return Ok(Standing::Hidden);
        };
        let chain = self.base.chain().await?;
        if chain.frozen_at().await?.is_some() {
            self.metrics.bridge_frozen();
            let mut liable = false;
            for id in conflict.culprits() {
                liable |= chain.member(id, At::Latest).await?.status.is_liable();
            }
            if !liable {
                return Ok(judged(&chain, &conflict.culprits()).await);
            }
        }
        Ok(Standing::Open { from: None })
    }

    async fn report(&self, case: Case) -> Input {
        let sent = match case {
            Case::Equivocation { id } => self.slash(id).await,
            Case::Conflict { .. } => self.challenge().await,
        };
        match sent {
            Ok(Some(mined)) => {
                self.metrics.report(ReportResult::Reported);
                let transaction = format!("0x{}", hex::encode(mined.hash));
                tracing::info!(?case, transaction, block = mined.block, "reported");
                Input::Reported(case)
            }
            Ok(None) => Input::Refused(case),
            Err(Fault::Base(error @ ClientError::Refused { .. })) => {
                // Not final yet by the chain's clock, or somebody was faster.
                tracing::info!(?case, %error, "not reported");
                Input::Refused(case)
            }
            Err(error) => {
                self.metrics.report(ReportResult::Failed);
                unreachable(&error)
            }
        }
    }

    async fn slash(&self, id: u64) -> Result<Option<Mined>, Fault> {
        let (Some(key), Some((proof, _))) = (&self.base.key, self.proof(id)?) else {
            return Ok(None);
        };
        let chain = self.base.chain().await?;
        let reporter = self.reporter.unwrap_or_else(|| key.address());
        Ok(Some(chain.slash_offender(key, &proof, reporter).await?))
    }

    async fn challenge(&self) -> Result<Option<Mined>, Fault> {
        let conflict = self.conflicts.borrow().clone();
        let (Some(key), Some(conflict)) = (&self.base.key, conflict) else {
            return Ok(None);
        };
        let Some(pair) = conflict.pair() else {
            return Ok(None);
        };
        let chain = self.base.chain().await?;
        let reporter = self.reporter.unwrap_or_else(|| key.address());
        let sent = chain.challenge_conflict(key, pair, &conflict.committee, reporter);
        Ok(Some(sent.await?))
    }
}

/// Whether it is final that none of these has a bond left. A base chain that cannot say what is final is looked at again.
async fn judged(chain: &BaseChain, ids: &[u64]) -> Standing {
    for id in ids {
        let read = chain.member(*id, At::Finalized).await;
        if read.map_or(true, |member| member.status.is_liable()) {
            return Standing::Judged { is_final: false };
        }
    }
    Standing::Judged { is_final: true }
}

fn unreachable(error: &Fault) -> Input {
    tracing::warn!(%error, "reports to the registry");
    Input::Unreachable
}
