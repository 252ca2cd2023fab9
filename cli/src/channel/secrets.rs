//! CH7: a secret that is known in one channel is known in all others of the folder that have a part of its hash.

use super::due::claims;
use super::file::{self, Kept};
use crate::failure::Failure;
use crate::output::Output;
use crate::time;
use std::path::Path;
use weft_types::Secret;

/// Gives secrets to all books of a folder that they open something of, and says what can be claimed by them. No book is
/// held meanwhile by who calls this.
pub fn spread(folder: &Path, secrets: &[Secret], output: &Output) -> Result<(), Failure> {
    if secrets.is_empty() {
        return Ok(());
    }
    for book in file::all(folder)?.0 {
        let opening = book.opening(secrets);
        if opening.iter().all(|s| book.secrets.contains(s)) {
            continue;
        }
        let Some(mut kept) = Kept::again(folder, &book)? else {
            continue;
        };
        let new = kept.book.learn(&opening);
        kept.save()?;
        let book = &kept.book;
        for part in book.state().parts.iter().filter(|p| book.comes(p)) {
            let Some(secret) = new.iter().find(|s| s.hash() == part.hash) else {
                continue;
            };
            output.alarm(format_args!(
                "The secret {secret} is known by now: by it {} of channel {deal} is {}'s. \
                 `weft channel settle {deal} --hash {}` claims it from the other party, a guard on the ledger from {} on.",
                part.amount,
                book.party(),
                part.hash,
                time::utc(claims(book, part)),
                deal = book.deal,
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::{Book, DealId, testing};

    #[tokio::test]
    async fn a_secret_comes_to_the_channels_that_have_a_part_of_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let terms = |deal| (deal, testing::user(1), testing::channel());
        let [with, without] = [9, 7].map(|n| {
            let network = testing::network().id();
            Book::new(network, terms(DealId([n; 32])), true).unwrap()
        });
        let with = Book {
            newest: Some(testing::signed_state()),
            ..with
        };
        for book in [&with, &without] {
            let party = testing::user(2);
            let new = async || Ok(book.clone());
            let kept = Kept::open(folder.path(), (&book.deal, &party), new).await;
            kept.unwrap().save().unwrap();
        }
        let secrets = [Secret([9; 32]), Secret([1; 32])];
        for _ in 0..2 {
            spread(folder.path(), &secrets, &Output::new(false)).unwrap();
            let (books, _) = file::all(folder.path()).unwrap();
            let known: Vec<_> = books.iter().map(|b| b.secrets.len()).collect();
            let expected: Vec<_> = books
                .iter()
                .map(|b| usize::from(b.deal == with.deal))
                .collect();
            assert_eq!(known, expected);
        }
    }
}
