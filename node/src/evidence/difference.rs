//! In which fields two statements differ, and what that means.

use serde::Serialize;
use weft_types::Statement;

/// A field of a statement that is not what execution gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// As in the API.
    pub field: &'static str,
    /// In plain words.
    pub of: &'static str,
    pub certified: String,
    pub executed: String,
}

/// The fields of `certified` that are not those of `executed`, in the statement's order.
pub fn differences(certified: &Statement, executed: &Statement) -> Vec<Difference> {
    let rows = fields(certified).into_iter().zip(fields(executed));
    let differing = rows.filter(|(one, other)| one.2 != other.2);
    let difference = |((field, of, certified), (_, _, executed))| Difference {
        field,
        of,
        certified,
        executed,
    };
    differing.map(difference).collect()
}

fn fields(s: &Statement) -> [(&'static str, &'static str, String); 15] {
    let network = |s: &Statement| s.network.id().to_string();
    [
        ("network", "the network", network(s)),
        ("epoch", "the epoch", s.epoch.to_string()),
        ("height", "the height's number", s.height.to_string()),
        ("timestamp", "the commit's time", s.timestamp.to_string()),
        ("commit", "which commit it is", s.commit.to_string()),
        (
            "commit_digest",
            "what was ordered",
            s.commit_digest.to_string(),
        ),
        (
            "state_root",
            "who owns what: balances, items, deals",
            s.state_root.to_string(),
        ),
        (
            "receipts_root",
            "the outcomes of transactions",
            s.receipts_root.to_string(),
        ),
        (
            "offenders_root",
            "who was convicted",
            s.offenders_root.to_string(),
        ),
        (
            "withdrawals_root",
            "what the vault is to pay out",
            s.withdrawals_root.to_string(),
        ),
        ("exit_root", "the exits", s.exit_root.to_string()),
        (
            "deposits_processed",
            "how many deposits are credited",
            s.deposits_processed.to_string(),
        ),
        (
            "deposits_digest",
            "which deposits are credited",
            s.deposits_digest.to_string(),
        ),
        (
            "registry_cursor",
            "how far the registry's queue is taken up",
            s.registry_cursor.to_string(),
        ),
        (
            "next_committee",
            "the next committee",
            s.next_committee.to_string(),
        ),
    ]
}
