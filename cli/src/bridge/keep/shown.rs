//! What is said of what was kept: what the file proves, what not, and whether it ever will.

use super::Outcome;
use crate::bridge::kept::Checked;
use crate::time;
use crate::values::lines;

/// What of the holdings and of what was given up the file does not prove, and what to do.
pub fn missing(outcome: &Outcome) -> Vec<String> {
    let Outcome {
        height,
        older,
        unproven,
        ownerless,
        ..
    } = outcome;
    let mut words = Vec::new();
    if *ownerless > 0 {
        words.push(format!(
            "{ownerless} of the holdings are nobody's on the base chain: name who has them with `weft bridge exit-address`."
        ));
    }
    if *unproven > 0 {
        words.push(match older {
            false => format!(
                "{unproven} of the holdings are under no checkpoint yet: give this command again in a while."
            ),
            true => format!(
                "{unproven} of the holdings came after checkpoint {height}: by it they are whose they were then, and the vault pays by \
                 no newer one unless the base chain has the deposits again."
            ),
        });
    }
    if outcome.unproven_withdrawals.most() > 0 {
        words.push(match older {
            false => "What was withdrawn last is under no checkpoint yet, and this file does not prove it: give this command again in a \
                      while."
                .to_owned(),
            true => format!(
                "What was withdrawn after checkpoint {height} is not paid unless the base chain has the deposits again: by this \
                 checkpoint it is the account's again, an amount among these proofs. A card is only in a file that was kept \
                 before its withdrawal, or with --all."
            ),
        });
    }
    words
}

pub fn text(outcome: &Outcome) -> String {
    let some = |n: usize| if n == 0 { String::new() } else { n.to_string() };
    let (after, holdings, withdrawals) = match outcome.older {
        false => (
            "what changes after it takes another `weft bridge keep`",
            "not in it yet",
            "withdrawals not in it yet",
        ),
        true => (
            "what changed after it is not paid by",
            "came after it",
            "withdrawals after it",
        ),
    };
    lines(&[
        ("file", outcome.file.display().to_string()),
        ("checkpoint", outcome.height.to_string()),
        (
            "reaches to",
            format!(
                "commit {}, {}: {after}",
                outcome.commit,
                time::utc(outcome.timestamp)
            ),
        ),
        ("proofs", outcome.proofs.to_string()),
        ("withdrawals", some(outcome.withdrawals)),
        (holdings, some(outcome.unproven)),
        (withdrawals, outcome.unproven_withdrawals.words()),
        ("without an owner", some(outcome.ownerless)),
        (
            "checked by",
            match outcome.checked {
                Checked::BaseChain { .. } => "the base chain, which has its digest",
                Checked::Certificate => "the signatures of the genesis' committee",
            }
            .to_owned(),
        ),
        ("checkpoints kept", outcome.generations.to_string()),
        (
            "written",
            if outcome.written {
                "yes"
            } else {
                "no: the file has this checkpoint"
            }
            .to_owned(),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::keep::withdrawals::Unproven;
    use weft_types::{CommitIndex, Height, Millis};

    fn outcome(older: bool) -> Outcome {
        Outcome {
            file: "kept.json".into(),
            height: Height(7),
            older,
            commit: CommitIndex(40),
            timestamp: Millis(1_000),
            proofs: 1,
            withdrawals: 0,
            unproven: 2,
            unproven_withdrawals: Unproven::Exactly(1),
            ownerless: 0,
            checked: Checked::Certificate,
            generations: 1,
            written: true,
        }
    }

    #[test]
    fn what_was_withdrawn_after_the_last_checkpoint_that_is_paid_by_is_the_accounts_again() {
        let said = missing(&outcome(true)).join("\n");
        for part in [
            "after checkpoint 7 is not paid",
            "it is the account's again",
            "whose they were then",
        ] {
            assert!(said.contains(part), "{said}");
        }
        let shown = text(&outcome(true));
        for words in [said, shown] {
            assert!(!words.contains("again in a while"), "{words}");
            assert!(!words.contains("not in it yet"), "{words}");
        }
    }

    #[test]
    fn what_the_next_checkpoint_will_have_is_kept_by_the_same_command_again() {
        let said = missing(&outcome(false));
        assert_eq!(said.len(), 2);
        assert!(said.iter().all(|words| words.contains("again in a while")));
        assert!(text(&outcome(false)).contains("withdrawals not in it yet"));
    }
}
