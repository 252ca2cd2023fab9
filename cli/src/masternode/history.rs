//! What a bond has been through, by the registry's events. A masternode earns nothing by being in office: what there is to
//! earn is a tenth of the bonds that its reports take.

use crate::failure::Failure;
use crate::output::{fit, table};
use crate::time;
use crate::values::coins;
use serde::Serialize;
use weft_basechain::{BaseChain, BondChange, BondEvent, MemberState};
use weft_types::{BaseAddress, Millis};

#[derive(Serialize)]
pub struct Happened {
    base_block: u64,
    /// In Unix seconds.
    at: u64,
    what: &'static str,
    /// What moved, or for a top-up how large the bond is by then; in wei, as a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    wei: Option<String>,
    /// Who was paid a tenth of a bond that was slashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reporter: Option<BaseAddress>,
    /// Whose bond a reward is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    #[serde(skip)]
    words: String,
}

pub async fn of(chain: &BaseChain, member: &MemberState) -> Result<Vec<Happened>, Failure> {
    let events = chain.bond_history(member).await?;
    Ok(events.iter().map(Happened::of).collect())
}

impl Happened {
    fn of(event: &BondEvent) -> Self {
        let (what, wei, words) = match event.what {
            BondChange::Bonded { wei } => ("bonded", Some(wei), format!("bonded {}", coins(wei))),
            BondChange::ToppedUp { bond } => (
                "topped up",
                Some(bond),
                format!("topped up, to {}", coins(bond)),
            ),
            BondChange::AskedToLeave => ("asked to leave", None, "asked to leave".to_owned()),
            BondChange::Slashed { wei, reporter } => (
                "slashed",
                Some(wei),
                format!(
                    "slashed: {} lost, of which a tenth went to {}",
                    coins(wei),
                    BaseAddress(reporter)
                ),
            ),
            BondChange::PaidOut { wei } => {
                ("paid out", Some(wei), format!("paid out {}", coins(wei)))
            }
            BondChange::Rewarded { wei, of } => (
                "rewarded",
                Some(wei),
                format!("rewarded {} for reporting masternode {of}", coins(wei)),
            ),
        };
        let (reporter, of) = match event.what {
            BondChange::Slashed { reporter, .. } => (Some(BaseAddress(reporter)), None),
            BondChange::Rewarded { of, .. } => (None, Some(of)),
            _ => (None, None),
        };
        Self {
            base_block: event.block,
            at: event.at,
            what,
            wei: wei.map(|wei| wei.to_string()),
            reporter,
            of,
            words,
        }
    }
}

pub fn shown(history: &[Happened]) -> String {
    let mut rows = table(&["base block", "time", "what"]);
    for happened in history {
        rows.add_row([
            happened.base_block.to_string(),
            time::utc(Millis(happened.at.saturating_mul(1_000))),
            happened.words.clone(),
        ]);
    }
    fit(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_and_earned_is_said_in_coins() {
        let coin = 1_000_000_000_000_000_000;
        let reporter = [0x77; 20];
        let said = |what| {
            let event = BondEvent {
                block: 7,
                at: 1_700_000_000,
                what,
            };
            Happened::of(&event).words
        };
        let slashed = said(BondChange::Slashed {
            wei: 3 * coin,
            reporter,
        });
        let tenth = "slashed: 3 lost, of which a tenth went to 0x7777";
        assert!(slashed.starts_with(tenth), "{slashed}");
        let rewarded = said(BondChange::Rewarded {
            wei: 3 * coin / 10,
            of: 4,
        });
        assert_eq!(rewarded, "rewarded 0.3 for reporting masternode 4");
        assert_eq!(
            said(BondChange::ToppedUp { bond: 12 * coin }),
            "topped up, to 12"
        );
    }
}
