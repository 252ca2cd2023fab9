//! The whole bridge, as a node and the base chain have it.

use super::steps::Silence;
use crate::bridge::standing_still::Still;
use crate::failure::Failure;
use crate::values::lines;
use serde::Serialize;
use weft_basechain::{At, BaseChain, Latch};
use weft_types::api::{Bridge, BridgeStatus};
use weft_types::{FeedReport, Root};

/// What the base chain says.
pub struct Vault {
    latch: Latch,
    deposits: FeedReport,
    /// The running digest of as many as the ledger has credited; `None` when there are not so many.
    credited: Option<Root>,
}

impl Vault {
    pub async fn of(chain: &BaseChain, credited: u64) -> Result<Self, Failure> {
        Ok(Self {
            latch: chain.latch().await?,
            deposits: chain.deposits(At::Latest).await?,
            credited: chain.deposit_digest(credited, At::Latest).await?,
        })
    }
}

/// Whether the vault has what the ledger has credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Agreement {
    Same,
    Fewer,
    Others,
}

impl Agreement {
    fn of(ledger: FeedReport, vault: Option<Root>) -> Self {
        match vault {
            None => Self::Fewer,
            Some(digest) if digest == ledger.digest => Self::Same,
            Some(_) => Self::Others,
        }
    }

    fn words(self, credited: u64) -> String {
        match self {
            Self::Same => "yes: what is credited is in the vault".to_owned(),
            Self::Fewer => "NO: the vault has fewer than are credited: this node of the base chain lags, or the base chain has \
                            taken some back"
                .to_owned(),
            Self::Others => format!(
                "NO: the vault's first {credited} are others than those that are credited: the base chain has taken some back"
            ),
        }
    }
}

#[derive(Serialize)]
pub struct Whole {
    #[serde(flatten)]
    status: BridgeStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    stands_still: Option<Still>,
    /// Of the vault; absent where the base chain does not say it, as are latch and freeze in `stands_still` then.
    #[serde(skip_serializing_if = "Option::is_none")]
    vault_deposits: Option<FeedReport>,
    /// Of those that are credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    vault_has: Option<Agreement>,
    #[serde(skip)]
    silence: Option<Silence>,
}

impl Whole {
    pub fn of(status: BridgeStatus, vault: Result<Vault, Silence>) -> Self {
        let ledger = status.bridge.deposits;
        let known = vault.as_ref().ok();
        Self {
            stands_still: Still::judged(&status, known.map(|v| &v.latch)),
            vault_deposits: known.map(|v| v.deposits),
            vault_has: known.map(|v| Agreement::of(ledger, v.credited)),
            silence: vault.err(),
            status,
        }
    }

    /// What to do where the base chain that is asked here has all that is credited.
    fn lifted(&self) -> Option<&'static str> {
        let agree = self.vault_has == Some(Agreement::Same);
        match self.stands_still.as_ref().filter(|_| agree)? {
            Still::Halted { .. } => Some(
                "this base chain has what is credited: once the network's base_confirmations are on top of it start the masternode \
                 again, with this base chain if its own is another: docs/bridge.md, \"After a halt\"",
            ),
            Still::Lags => {
                Some("this base chain has what is credited: the node's own one lags, or is another")
            }
            Still::Latched { .. } | Still::Frozen { .. } => None,
        }
    }

    /// What to do where it has others in their place: what the advice of a halt has of --while-halted is not so then.
    fn lost(&self) -> Option<&'static str> {
        let others = self.vault_has == Some(Agreement::Others);
        let halted = matches!(self.stands_still, Some(Still::Halted { .. } | Still::Lags));
        (others && halted).then_some(
            "no deposit brings back what is credited, and none is credited any more: `deposit --while-halted` is refused too, and \
             what `withdraw --while-halted` gives up is not paid. If another JSON-RPC of the base chain (--base-rpc) says the \
             same, the network has to be wound down: docs/bridge.md, \"After a halt\"",
        )
    }

    /// Whether it stands still, and what to do.
    fn still(&self) -> (String, &'static str) {
        let unknown = |silence: Silence| {
            let why = silence.advice();
            format!("whether it is latched or frozen is not known: {why}")
        };
        match (&self.stands_still, self.silence) {
            (Some(still), None) => {
                let known = self.lifted().or_else(|| self.lost());
                (still.words(), known.unwrap_or(still.advice()))
            }
            (Some(still), Some(silence)) => (
                format!("{}; {}", still.words(), unknown(silence)),
                still.advice(),
            ),
            (None, None) => ("no".to_owned(), ""),
            (None, Some(silence)) => (format!("not halted; {}", unknown(silence)), ""),
        }
    }
}

fn feed(report: FeedReport) -> String {
    format!("{}, digest {}", report.count, report.digest)
}

pub fn shown(whole: &Whole) -> String {
    let status = &whole.status;
    let Bridge {
        deposits,
        agreed,
        reports,
        withdrawals,
        ..
    } = &status.bridge;
    let (still, advice) = whole.still();
    lines(&[
        ("deposits credited", feed(*deposits)),
        (
            "deposits in the vault",
            whole
                .vault_deposits
                .map_or_else(|| "not known".to_owned(), feed),
        ),
        (
            "both agree",
            whole
                .vault_has
                .map_or_else(String::new, |has| has.words(deposits.count)),
        ),
        (
            "agreed up to",
            agreed.map_or("-".to_owned(), |a| a.count.to_string()),
        ),
        ("members that report more", reports.len().to_string()),
        ("withdrawals requested", withdrawals.to_string()),
        ("vault", status.vault.to_string()),
        (
            "time for challenges",
            format!("{} s", status.challenge_window_s),
        ),
        ("stands still", still),
        ("what to do", advice.to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(count: u64, byte: u8) -> FeedReport {
        FeedReport {
            count,
            digest: Root([byte; 32]),
        }
    }

    fn whole(vault: Result<Vault, Silence>) -> Whole {
        let bridge = weft_types::Bridge::default();
        let mut status = crate::bridge::standing_still::tests::status(None);
        status.bridge = Bridge::new(&bridge);
        status.bridge.deposits = report(2, 7);
        Whole::of(status, vault)
    }

    fn vault(deposits: FeedReport, credited: Option<Root>) -> Vault {
        Vault {
            latch: crate::bridge::standing_still::tests::latch(None, None),
            deposits,
            credited,
        }
    }

    #[test]
    fn a_vault_that_has_fewer_deposits_or_others_than_are_credited_is_told_of() {
        let said = |deposits, credited| shown(&whole(Ok(vault(deposits, credited))));
        assert!(said(report(2, 7), Some(Root([7; 32]))).contains("yes: what is credited"));
        assert!(said(report(3, 8), Some(Root([7; 32]))).contains("yes: what is credited"));
        assert!(said(report(1, 6), None).contains("NO: the vault has fewer"));
        assert!(said(report(3, 8), Some(Root([6; 32]))).contains("NO: the vault's first 2"));
    }

    #[test]
    fn a_halted_node_whose_chain_agrees_again_is_to_be_started_again_and_one_with_others_in_their_place_is_lost()
     {
        let said = |credited| {
            let known = vault(report(2, 7), credited);
            let mut whole = whole(Ok(known));
            whole.stands_still = Some(Still::Halted {
                reason: "taken back".to_owned(),
            });
            shown(&whole)
        };
        assert!(said(Some(Root([7; 32]))).contains("start the masternode again"));
        let fewer = said(None);
        assert!(fewer.contains("until the operators have looked"), "{fewer}");
        let others = said(Some(Root([6; 32])));
        for part in ["`deposit --while-halted` is refused too", "wound down"] {
            assert!(others.contains(part), "{others}");
        }
        assert!(!others.contains("sends it all the same"), "{others}");
    }

    #[test]
    fn a_base_chain_that_does_not_answer_leaves_open_whether_the_bridge_stands_still() {
        for silence in [Silence::Away, Silence::Unnamed] {
            let shown = shown(&whole(Err(silence)));
            assert!(shown.contains("not halted; whether it is latched or frozen is not known"));
            assert!(
                shown.contains("deposits in the vault     not known"),
                "{shown}"
            );
        }
    }
}
