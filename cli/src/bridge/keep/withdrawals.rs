//! K5: the withdrawals that a file has.

use crate::bridge::checking::Checker;
use crate::bridge::kept::KeptWithdrawals;
use crate::failure::Failure;
use weft_basechain::At;
use weft_client::{Client, PageQuery};
use weft_types::api::{PAGE_MAX, ProvenWithdrawal, Withdrawals};
use weft_types::{Address, Height, Statement};

/// Those of some accounts, or everybody's, under a checkpoint; `None` when another one came in between.
pub async fn gathered(
    client: &Client,
    accounts: Option<&[Address]>,
    (under, statement): (Option<Height>, &Statement),
) -> Result<Option<Vec<ProvenWithdrawal>>, Failure> {
    let mut all = Vec::new();
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
                withdrawals,
                next,
                ..
            } = client.withdrawals(account, under, &page).await?;
            if of != *statement {
                return Ok(None);
            }
            all.extend(withdrawals);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(Some(all))
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
