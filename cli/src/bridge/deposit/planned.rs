//! A deposit that is only shown.

use crate::account::or_none;
use crate::base::{Cost, Sent};
use crate::bridge::asset_shown;
use crate::values::lines;
use serde::Serialize;
use weft_types::{Address, BaseAddress, BaseAsset};

#[derive(Serialize)]
pub struct Planned {
    asset: BaseAsset,
    account: Address,
    depositor: BaseAddress,
    vault: BaseAddress,
    /// Which of those that the vault lacks it would be; absent for a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<u64>,
    /// What is sent first, and costs so much; an approval is followed by the deposit.
    first: &'static str,
    #[serde(flatten)]
    cost: Cost,
    /// That the account has, or is to name.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_address: Option<BaseAddress>,
}

impl Planned {
    pub fn new(
        made: &weft_types::Deposit,
        (vault, missing): (BaseAddress, Option<u64>),
        (first, cost): (&'static str, Cost),
        exit_address: Option<BaseAddress>,
    ) -> Self {
        Self {
            asset: made.asset,
            account: made.account,
            depositor: made.sender,
            vault,
            missing,
            first,
            cost,
            exit_address,
        }
    }

    pub fn text(&self) -> String {
        let missing = self.missing.map_or_else(String::new, |index| {
            format!("deposit {index}, which the vault lacks")
        });
        let mut rows = vec![
            ("asset", asset_shown(&self.asset)),
            ("account", self.account.to_string()),
            ("depositor", self.depositor.to_string()),
            ("vault", self.vault.to_string()),
            ("brings back", missing),
            ("exit address", or_none(self.exit_address)),
            ("first", self.first.to_owned()),
        ];
        rows.extend(self.cost.rows());
        rows.extend(Sent::rows(None));
        lines(&rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::{Amount, testing};

    #[test]
    fn a_dry_run_says_what_it_would_cost_and_that_nothing_was_sent() {
        let amount = Amount(5);
        let made = weft_types::Deposit {
            asset: BaseAsset::Native { amount },
            sender: BaseAddress([1; 20]),
            account: testing::user(1),
        };
        let vault = BaseAddress([3; 20]);
        let text = |missing| {
            let first = ("deposit", Cost::for_tests(100, 2_000_000_000));
            Planned::new(&made, (vault, missing), first, None).text()
        };
        for part in [
            "5 gwei",
            "100 gas at 2 gwei",
            "nonce",
            "sent          nothing",
        ] {
            assert!(text(None).contains(part), "{}", text(None));
        }
        assert!(!text(None).contains("brings back"));
        assert!(text(Some(2)).contains("deposit 2, which the vault lacks"));
    }
}
