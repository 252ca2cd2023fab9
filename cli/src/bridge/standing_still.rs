//! Whether the bridge takes and pays anything at all, and what to do when it does not.

use crate::failure::{Failure, Kind};
use serde::Serialize;
use weft_basechain::{BaseChain, Latch};
use weft_client::Client;
use weft_types::api::BridgeStatus;

/// Why it stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Still {
    /// X1: for good, since then, in Unix seconds.
    Latched { since: u64 },
    /// BC21: two certificates for one height were shown.
    Frozen { since: u64 },
    /// B1, as the node says it.
    Halted { reason: String },
    /// B1: the node's base chain lacks deposits that are credited, and nothing shows yet that it has taken them back.
    Lags,
}

impl Still {
    /// By a node and the base chain.
    pub async fn of(client: &Client, chain: &BaseChain) -> Result<Option<Self>, Failure> {
        let status = client.bridge().await?;
        Ok(Self::judged(&status, Some(&chain.latch().await?)))
    }

    /// What lasts longest comes first. Without the base chain latch and freeze are not known.
    pub fn judged(status: &BridgeStatus, latch: Option<&Latch>) -> Option<Self> {
        if let Some(since) = latch.and_then(|l| l.tripped_at) {
            return Some(Self::Latched { since });
        }
        if let Some(since) = latch.and_then(|l| l.frozen_at) {
            return Some(Self::Frozen { since });
        }
        match &status.halted {
            Some(reason) => Some(Self::Halted {
                reason: reason.clone(),
            }),
            None => status.lags.then_some(Self::Lags),
        }
    }

    pub fn words(&self) -> String {
        let at = super::way_out::instant;
        match self {
            Self::Latched { since } => {
                format!("the way out is open since {}, for good", at(*since))
            }
            Self::Frozen { since } => format!(
                "the bridge is frozen since {}: two certificates for one height were shown",
                at(*since)
            ),
            Self::Halted { reason } => format!("the bridge is halted: {reason}"),
            Self::Lags => {
                "the node's base chain has had fewer deposits than are credited for a minute and more: it lags, or has taken \
                 some back"
                    .to_owned()
            }
        }
    }

    /// What it is to who joins, leaves or bonds more; `None` where the committee changes all the same.
    pub fn for_committee(&self) -> Option<String> {
        let then = match self {
            Self::Latched { .. } => return None,
            Self::Frozen { .. } => {
                "no checkpoint is posted any more, and the committee changes no more"
            }
            Self::Halted { .. } => {
                "changes of the committee wait until the operators have looked: docs/bridge.md, \"After a halt\""
            }
            Self::Lags => "changes of the committee wait until it has them",
        };
        Some(format!("{}; {then}", self.words()))
    }

    /// What it is to a withdrawal that is under no checkpoint yet, or under one that has deposits which the base chain lacks.
    pub fn for_withdrawal(&self) -> String {
        let then = match self {
            Self::Latched { .. } | Self::Frozen { .. } => {
                "nothing is paid by a checkpoint that comes now: by the last one that counts the asset is the account's again, and \
                 `weft bridge exit` takes it out"
            }
            Self::Halted { .. } | Self::Lags => {
                "it is not paid until the base chain has the deposits again; if it never has, the asset is the account's again by \
                 the last checkpoint that the vault pays by: docs/bridge.md, \"After a halt\""
            }
        };
        format!("{}; {then}", self.words())
    }

    /// What a user does.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Latched { .. } => {
                "`weft bridge exit` takes out of the vault what was there before, `reclaim` deposits that were never credited"
            }
            Self::Frozen { .. } => {
                "no checkpoint is posted any more; once the latch is tripped `weft bridge exit` takes out what the last one says"
            }
            Self::Halted { .. } | Self::Lags => {
                "deposits are not credited and withdrawals not paid until the operators have looked: docs/bridge.md, \
                 \"After a halt\". Another node may say otherwise: --url; --while-halted sends it all the same"
            }
        }
    }
}

/// Nothing is sent while the bridge stands still: it would be neither credited nor paid.
///
/// # Errors
/// With the reason. What a node alone says can be overridden.
pub fn refuse(still: Option<Still>, while_halted: bool, what: &str) -> Result<(), Failure> {
    match still {
        None => Ok(()),
        Some(Still::Halted { .. } | Still::Lags) if while_halted => Ok(()),
        Some(still) => {
            let words = format!("nothing to {what} now: {}", still.words());
            Err(Failure::new(Kind::Refused, words)
                .hint(format_args!("nothing was sent; {}", still.advice())))
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use weft_types::api::Bridge;
    use weft_types::{BaseAddress, Height};

    pub fn status(halted: Option<&str>) -> BridgeStatus {
        BridgeStatus {
            vault: BaseAddress([3; 20]),
            manager: BaseAddress([1; 20]),
            registry: BaseAddress([2; 20]),
            challenge_window_s: 1,
            bridge: Bridge::new(&weft_types::Bridge::default()),
            halted: halted.map(str::to_owned),
            lags: false,
            provable: vec![],
        }
    }

    pub fn latch(tripped_at: Option<u64>, frozen_at: Option<u64>) -> Latch {
        Latch {
            tripped_at,
            height: Height(7),
            opens_at: 0,
            window_s: 10,
            frozen_at,
            finality_delay_s: 1,
            now: 2_000,
        }
    }

    #[test]
    fn who_joins_or_leaves_is_told_that_a_halted_or_frozen_bridge_changes_no_committee() {
        let told = |halted, latch| {
            let still = Still::judged(&status(halted), Some(&latch));
            still.and_then(|s| s.for_committee())
        };
        let halted = told(Some("taken back"), latch(None, None)).unwrap();
        assert!(
            halted.contains("taken back; changes of the committee wait"),
            "{halted}"
        );
        let frozen = told(None, latch(None, Some(5))).unwrap();
        assert!(frozen.contains("the committee changes no more"), "{frozen}");
        // Checkpoints are posted after the latch too.
        assert_eq!(told(None, latch(Some(6), None)), None);
        assert_eq!(told(None, latch(None, None)), None);
    }

    #[test]
    fn a_withdrawal_is_not_paid_while_the_bridge_is_halted_nor_after_a_freeze_or_the_latch() {
        let told = |halted, latch| {
            let still = Still::judged(&status(halted), Some(&latch));
            still.unwrap().for_withdrawal()
        };
        let halted = told(Some("taken back"), latch(None, None));
        assert!(halted.contains("taken back; it is not paid"), "{halted}");
        for latch in [latch(None, Some(5)), latch(Some(6), None)] {
            let words = told(None, latch);
            assert!(words.contains("`weft bridge exit`"), "{words}");
        }
    }

    #[test]
    fn a_bridge_that_stands_still_refuses_and_only_what_a_node_says_can_be_overridden() {
        let halted = status(Some("taken back"));
        let lags = BridgeStatus {
            lags: true,
            ..status(None)
        };
        let cases = [
            (Still::judged(&status(None), Some(&latch(None, None))), None),
            (Still::judged(&halted, None), Some(true)),
            (Still::judged(&lags, None), Some(true)),
            (
                Still::judged(&halted, Some(&latch(None, Some(5)))),
                Some(false),
            ),
            (
                Still::judged(&halted, Some(&latch(Some(6), Some(5)))),
                Some(false),
            ),
        ];
        for (still, refused) in cases {
            let Some(may) = refused else {
                assert_eq!(still, None);
                continue;
            };
            let failure = refuse(still.clone(), false, "deposit").unwrap_err();
            assert_eq!(failure.kind, Kind::Refused);
            assert!(failure.hint.unwrap().starts_with("nothing was sent"));
            assert_eq!(refuse(still, true, "deposit").is_ok(), may);
        }
    }
}
