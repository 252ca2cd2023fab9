//! `--churn`: who joins, leaves and changes its bond, and when.
//!
//! A list of `NAME[:AMOUNT]@START`. Nodes are numbered: first the genesis committee, then those that join, in the
//! order in which they do. Who leaves is the oldest member, so that enough of both replaces everybody; whose bond is
//! raised is the newest. A committee follows as the budget of an edge lets it (E1).

use super::faults::millis;
use std::fmt;
use std::str::FromStr;

/// Most nodes that one item of the list is about.
const AMOUNT_MAX: u32 = 128;
/// Most items.
const CHURN_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Join,
    Leave,
    TopUp,
}

/// Each move's name, and what it is.
const NAMES: [(Move, &str, &str); 3] = [
    (
        Move::Join,
        "join",
        "nodes bond that have followed as observers",
    ),
    (
        Move::Leave,
        "leave",
        "members ask for their bond, the oldest first",
    ),
    (
        Move::TopUp,
        "topup",
        "members bond one unit more, the newest first",
    ),
];

/// So many nodes do it at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Churn {
    pub does: Move,
    pub amount: u32,
    /// In milliseconds of simulated time.
    pub start: u64,
}

/// A `--churn` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "churn {text:?} is not NAME[:1..=128]@START with NAME of join, leave, topup, such as join:2@5s"
)]
pub struct ChurnError {
    text: String,
}

/// One line for each move, for a help text.
pub fn help() -> String {
    let line = |(_, name, what): &(Move, &str, &str)| format!("  {name:<11} {what} [1]");
    NAMES.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A comma-separated list; empty is none.
pub fn parse(text: &str) -> Result<Vec<Churn>, ChurnError> {
    let items = text.split(',').map(str::trim).filter(|i| !i.is_empty());
    let churn: Vec<Churn> = items.map(str::parse).collect::<Result<_, _>>()?;
    if churn.len() > CHURN_MAX {
        let text = format!("{} items, more than {CHURN_MAX}", churn.len());
        return Err(ChurnError { text });
    }
    Ok(churn)
}

impl FromStr for Churn {
    type Err = ChurnError;

    fn from_str(text: &str) -> Result<Self, ChurnError> {
        let parsed = || {
            let (what, start) = text.split_once('@')?;
            let (name, amount) = match what.split_once(':') {
                Some((name, amount)) => (name, amount.parse().ok()?),
                None => (what, 1),
            };
            let (does, ..) = NAMES.iter().find(|(_, known, _)| *known == name)?;
            (1..=AMOUNT_MAX).contains(&amount).then_some(())?;
            Some(Self {
                does: *does,
                amount,
                start: millis(start)?,
            })
        };
        parsed().ok_or_else(|| ChurnError {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Churn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = NAMES.iter().find(|(does, ..)| *does == self.does);
        let name = found.map_or("", |(_, name, _)| name);
        write!(f, "{name}:{}@{}ms", self.amount, self.start)
    }
}

/// A node's bond changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// In milliseconds.
    pub at: u64,
    pub node: usize,
    pub does: Move,
    /// From now on, in bond units.
    pub weight: u64,
}

/// Who does what, by time, and what everybody has bonded in the end. `None` when too few are there to do it, or
/// nobody would be left.
pub fn changes(nodes: usize, churn: &[Churn]) -> Option<(Vec<Change>, Vec<u64>)> {
    let mut sorted = churn.to_vec();
    sorted.sort_by_key(|c| c.start);
    let mut weights = vec![1; nodes];
    let mut changes = Vec::new();
    for Churn {
        does,
        amount,
        start,
    } in sorted
    {
        let mut from = weights.len();
        for _ in 0..amount {
            let (node, weight) = match does {
                Move::Join => {
                    weights.push(0);
                    (weights.len() - 1, 1)
                }
                Move::Leave => (weights.iter().position(|w| *w > 0)?, 0),
                Move::TopUp => {
                    from = weights[..from].iter().rposition(|w| *w > 0)?;
                    (from, weights[from] + 1)
                }
            };
            weights[node] = weight;
            changes.push(Change {
                at: start,
                node,
                does,
                weight,
            });
        }
    }
    weights.iter().any(|w| *w > 0).then_some((changes, weights))
}

/// Nodes that join.
pub fn joins(churn: &[Churn]) -> usize {
    let joins = churn.iter().filter(|c| c.does == Move::Join);
    joins.map(|c| c.amount as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_survives_its_text_and_what_is_none_is_refused() {
        let text = "join:2@1s,leave@2.5s,topup:3@0ms";
        let churn = parse(text).unwrap();
        assert_eq!((churn[1].amount, churn[1].start), (1, 2_500));
        let again: Vec<String> = churn.iter().map(Churn::to_string).collect();
        assert_eq!(parse(&again.join(",")), Ok(churn));
        for text in [
            "join",
            "join:0@1s",
            "join:129@1s",
            "jon@1s",
            "join:x@1s",
            "join@x",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains("such as join:2@5s"), "{error}");
        }
    }

    #[test]
    fn the_oldest_leave_the_newest_bond_more_and_somebody_stays() {
        let of = |text| changes(4, &parse(text).unwrap());
        let (moves, weights) = of("leave:2@2s,join:2@1s,topup:2@3s").unwrap();
        let moves: Vec<_> = moves.iter().map(|c| (c.at, c.node, c.weight)).collect();
        let expected = [
            (1000, 4, 1),
            (1000, 5, 1),
            (2000, 0, 0),
            (2000, 1, 0),
            (3000, 5, 2),
            (3000, 4, 2),
        ];
        assert_eq!(moves, expected);
        assert_eq!(weights, [0, 0, 1, 1, 2, 2]);
        assert_eq!(of("leave:4@1s"), None);
        assert_eq!(of("leave:5@1s"), None);
        assert_eq!(of("topup:5@1s"), None);
    }
}
