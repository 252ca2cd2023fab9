//! A deposit that is sent while the bridge is halted: in the place of one that the ledger has credited and the base chain has
//! taken back, any other makes that one lost for good (B1).

use crate::base::Account;
use crate::failure::{Failure, Kind};
use weft_basechain::At;
use weft_types::{Chained as _, Deposit, FeedReport, Root};

/// What the next deposit would be to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The vault has all that is credited.
    New,
    /// Just the one that is missing, the last that is credited.
    Missing(u64),
    /// Another one in its place.
    Another(u64),
    /// More than one is missing, this one first: what they were cannot be told by the digest of all.
    Several(u64),
    /// Others are in the place of what is credited.
    Late,
}

impl Next {
    /// Of a ledger that has credited so much, and a vault whose digest of as many is this one.
    fn of(
        ledger: FeedReport,
        (vault, at_count): (FeedReport, Option<Root>),
        made: &Deposit,
    ) -> Self {
        let index = vault.count.saturating_add(1);
        match at_count {
            Some(digest) if digest == ledger.digest => Self::New,
            Some(_) => Self::Late,
            None if index != ledger.count => Self::Several(index),
            None if made.extend(&vault.digest, index) == ledger.digest => Self::Missing(index),
            None => Self::Another(index),
        }
    }

    /// In whose place it goes, if it may be sent. `number` is the one that it had, as far as its maker says it.
    fn judged(self, number: Option<u64>) -> Result<Option<u64>, Failure> {
        let refused = |words: String, hint: &str| {
            let hint = format!("nothing was sent; {hint}: docs/bridge.md, \"After a halt\"");
            Err(Failure::new(Kind::Refused, words).hint(hint))
        };
        match self {
            Self::New => Ok(None),
            Self::Missing(index) => Ok(Some(index)),
            Self::Several(index) if number == Some(index) => Ok(Some(index)),
            Self::Several(index) => refused(
                format!(
                    "several deposits that are credited are missing in the vault, deposit {index} first: another one in its place \
                     makes all of them lost for good"
                ),
                &format!(
                    "whoever made deposit {index}, as the command said then, gives it again with --missing {index}; then the next one's turn comes"
                ),
            ),
            Self::Another(index) => refused(
                format!(
                    "deposit {index} is credited and missing in the vault, and this is another one: in its place it would make \
                     that one lost for good, unless an earlier one is another already"
                ),
                "the same asset and amount, from the same account of the base chain and for the same one of the ledger, bring it back",
            ),
            Self::Late => refused(
                "the vault has others in the place of deposits that are credited: no deposit brings these back, and none is \
                 credited any more"
                    .to_owned(),
                "the network has to be wound down",
            ),
        }
    }
}

/// In whose place the deposit goes; `None` where the vault has all that is credited.
///
/// # Errors
/// When it would make another one lost, or could not be credited.
pub async fn compare(
    from: &Account,
    made: &Deposit,
    (stands_still, number): (bool, Option<u64>),
) -> Result<Option<u64>, Failure> {
    let ledger = from.client.bridge().await?.bridge.deposits;
    let vault = from.chain.deposits(At::Latest).await?;
    let at_count = from.chain.deposit_digest(ledger.count, At::Latest);
    let next = Next::of(ledger, (vault, at_count.await?), made);
    if next != Next::New && !stands_still {
        let words = "the base chain lacks deposits that are credited: this node of it lags, or it has taken some back";
        return Err(Failure::new(Kind::Refused, words)
            .hint("nothing was sent; look again in a minute: `weft bridge status`"));
    }
    next.judged(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::{Amount, BaseAddress, BaseAsset, testing};

    fn deposit(amount: u64) -> Deposit {
        let amount = Amount(amount);
        Deposit {
            asset: BaseAsset::Native { amount },
            sender: BaseAddress([1; 20]),
            account: testing::user(1),
        }
    }

    /// All of some deposits.
    fn all(amounts: &[u64]) -> FeedReport {
        let mut report = FeedReport {
            count: 0,
            digest: Deposit::digest_start(),
        };
        for amount in amounts {
            report.count += 1;
            report.digest = deposit(*amount).extend(&report.digest, report.count);
        }
        report
    }

    fn next(ledger: &[u64], vault: &[u64], made: u64) -> Next {
        let at_count = vault.get(..ledger.len()).map(|first| all(first).digest);
        Next::of(all(ledger), (all(vault), at_count), &deposit(made))
    }

    #[test]
    fn only_the_deposit_that_is_missing_goes_in_its_place() {
        assert_eq!(next(&[5, 6], &[5], 6), Next::Missing(2));
        assert_eq!(next(&[5, 6], &[5], 7), Next::Another(2));
        assert_eq!(next(&[5, 6], &[9], 6), Next::Another(2), "others before it");
        assert_eq!(next(&[5, 6], &[], 5), Next::Several(1));
        assert_eq!(next(&[5, 6], &[5, 7], 6), Next::Late);
        assert_eq!(next(&[5, 6], &[5, 6], 7), Next::New);
        assert_eq!(next(&[5, 6], &[5, 6, 7], 8), Next::New);
        let mut others = deposit(6);
        others.sender = BaseAddress([2; 20]);
        let by_another = Next::of(all(&[5, 6]), (all(&[5]), None), &others);
        assert_eq!(by_another, Next::Another(2));
    }

    #[test]
    fn what_makes_a_deposit_lost_is_not_sent() {
        for (next, number) in [
            (Next::Another(2), Some(2)),
            (Next::Late, Some(2)),
            (Next::Several(2), None),
            (Next::Several(2), Some(3)),
        ] {
            let failure = next.judged(number).unwrap_err();
            assert_eq!(failure.kind, Kind::Refused);
            assert!(failure.hint.unwrap().starts_with("nothing was sent"));
        }
        assert_eq!(Next::New.judged(None).unwrap(), None);
        assert_eq!(Next::Missing(2).judged(None).unwrap(), Some(2));
        assert_eq!(Next::Several(2).judged(Some(2)).unwrap(), Some(2));
    }
}
