//! K5: the withdrawals that a file has.

use crate::bridge::checking::Checker;
use crate::bridge::kept::KeptWithdrawals;
use crate::failure::Failure;
use serde::Serialize;
use weft_basechain::At;
use weft_client::{Client, PageQuery};
use weft_types::api::{PAGE_MAX, ProvenWithdrawal, Withdrawals};
use weft_types::{Address, Height, Statement};

/// Most withdrawals under no checkpoint that are looked at one by one for whose they are.
const LOOKED_AT_MAX: u64 = 1_000;

/// What was given up.
pub struct GivenUp {
    /// Under a checkpoint.
    pub proven: Vec<ProvenWithdrawal>,
    /// How many are under none yet.
    pub unproven: Unproven,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unproven {
    Exactly(u64),
    /// So many of everybody's, too many to be looked at.
    AtMost(u64),
    /// The node does not say it: what it proves is kept all the same.
    Unknown,
}

impl Unproven {
    pub fn most(self) -> u64 {
        match self {
            Self::Exactly(count) | Self::AtMost(count) => count,
            Self::Unknown => 0,
        }
    }

    pub fn words(self) -> String {
        match self {
            Self::Exactly(0) => String::new(),
            Self::Exactly(count) => count.to_string(),
            Self::AtMost(count) => format!("{count} at most"),
            Self::Unknown => "not known".to_owned(),
        }
    }
}

/// Those of some accounts, or everybody's, under a checkpoint; `None` when another one came in between.
pub async fn gathered(
    client: &Client,
    accounts: Option<&[Address]>,
    (under, statement): (Option<Height>, &Statement),
) -> Result<Option<GivenUp>, Failure> {
    let (mut all, mut proven_of_all) = (Vec::new(), 0);
    let whose: Vec<Option<&Address>> = match accounts {
        Some(accounts) => accounts.iter().map(Some).collect(),
        None => vec![None],
    };
    for account in whose {
        let mut cursor = None;
        loop {
            let page = PageQuery {
                cursor,
                limit: Some(PAGE_MAX),
            };
            let Withdrawals {
                statement: of,
                count,
                withdrawals,
                next,
            } = client.withdrawals(account, under, &page).await?;
            if of != *statement {
                return Ok(None);
            }
            all.extend(withdrawals);
            proven_of_all = count;
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(Some(GivenUp {
        proven: all,
        unproven: unproven(client, accounts, proven_of_all)
            .await
            .unwrap_or(Unproven::Unknown),
    }))
}

/// Those that came after the first `proven` of everybody's.
async fn unproven(
    client: &Client,
    accounts: Option<&[Address]>,
    proven: u64,
) -> Result<Unproven, Failure> {
    let all = client.bridge().await?.bridge.withdrawals;
    let since = all.saturating_sub(proven);
    let Some(accounts) = accounts else {
        return Ok(Unproven::Exactly(since));
    };
    if since > LOOKED_AT_MAX {
        return Ok(Unproven::AtMost(since));
    }
    let mut count = 0;
    for index in proven..all {
        let of = client.withdrawal(&index).await?.withdrawal.account;
        count += u64::from(accounts.contains(&of));
    }
    Ok(Unproven::Exactly(count))
}

/// Leaves out what is paid for good, as far as the base chain says it: a file of an account that withdraws every day would
/// grow for ever. A whole tree has no gaps.
pub async fn unpaid(
    checker: &Checker,
    mut proven: Vec<ProvenWithdrawal>,
    whole: bool,
) -> KeptWithdrawals {
    if !whole
        && !proven.is_empty()
        && let Some(chain) = checker.chain().await
    {
        let mut left = Vec::new();
        for of in proven {
            // One that the base chain does not say anything of is kept.
            let paid = chain.is_paid(of.withdrawal.index, At::Finalized).await;
            if !paid.unwrap_or(false) {
                left.push(of);
            }
        }
        proven = left;
    }
    KeptWithdrawals::new(proven, whole)
}
