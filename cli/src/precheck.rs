//! Refuses, before anything is sent, what no ledger could ever apply: its fee would be paid for nothing
//! (L9). What may fail or not is sent, for the ledger alone knows; so nothing that could be applied is
//! refused here.

use crate::failure::Failure;
use std::collections::BTreeSet;
use weft_types::{
    Address, ItemId, LIST_MAX, MINTED_ITEMS_MAX, NewDeal, Operation, Taking, Transaction,
    TransactionBody,
};

pub fn check(transaction: &Transaction) -> Result<(), Failure> {
    // Form and lengths, as a node reads them.
    let read = Transaction::decode(transaction.encoded().clone());
    let body = transaction.body();
    let meaning = read.map_err(|e| e.to_string()).and_then(|_| meaning(body));
    meaning.map_err(|words| {
        Failure::usage(words).hint("nothing was sent, for it could not be applied")
    })
}

fn meaning(body: &TransactionBody) -> Result<(), String> {
    let minted = body.operations.iter().map(Operation::minted);
    let minted = minted.fold(0, u64::saturating_add);
    if minted > MINTED_ITEMS_MAX {
        return Err(format!(
            "{minted} cards are to be minted at once, and {MINTED_ITEMS_MAX} is the most: mint the rest after these"
        ));
    }
    body.operations
        .iter()
        .try_for_each(|operation| match operation {
            Operation::Burn { items } => once(items, "to be burned"),
            Operation::DealTake(Taking { items, .. }) => once(items, "given"),
            Operation::Transfer { items, .. } => {
                // What goes to its holder can go again (L10).
                let away = items.iter().filter(|t| t.to != body.sender);
                once(away.map(|t| &t.item), "transferred")
            }
            Operation::DealOpen(deal) => openable(deal, &body.sender),
            _ => Ok(()),
        })
}

fn openable(deal: &NewDeal, giver: &Address) -> Result<(), String> {
    if deal.taker == Some(*giver) {
        return Err(
            "the deal is for its own giver alone, and nobody takes his own deal".to_owned(),
        );
    }
    let picked = deal.wants_any.iter().map(|any| any.count);
    let picked = picked.fold(0, u64::saturating_add);
    if picked > LIST_MAX as u64 {
        return Err(format!(
            "{picked} cards of the taker's choice are wanted, and {LIST_MAX} is the most"
        ));
    }
    once(
        deal.gives.items.iter().chain(&deal.wants.items),
        "in one deal",
    )
}

fn once<'a>(items: impl IntoIterator<Item = &'a ItemId>, what: &str) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    match items.into_iter().find(|item| !seen.insert(*item)) {
        None => Ok(()),
        Some(twice) => Err(format!("card {twice} is {what} twice")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::{
        Amount, AssetAmount, AssetId, Bundle, EditionId, ItemTransfer, Millis, MintEntry,
        WantedFrom, WantedItems, testing,
    };

    const A: ItemId = ItemId([1; 32]);
    const B: ItemId = ItemId([2; 32]);

    fn checked(operations: Vec<Operation>) -> Result<(), String> {
        let key = testing::user_key(1);
        let transaction = testing::body(1, 1, operations).sign(&[&key]);
        check(&transaction).map_err(|failure| failure.message)
    }

    fn mint(count: u64) -> Operation {
        let (edition, to) = (EditionId([3; 32]), testing::user(1));
        let entries = vec![MintEntry { edition, to, count }; 2];
        Operation::Mint { entries }
    }

    fn transfer(to: u64) -> Operation {
        let to = testing::user(to);
        let items = vec![ItemTransfer { to, item: A }; 2];
        let payments = vec![];
        Operation::Transfer { payments, items }
    }

    fn deal(gives: &[ItemId], wants: &[ItemId], any: u64, taker: u64) -> Operation {
        let bundle = |items: &[ItemId]| Bundle {
            assets: vec![AssetAmount {
                asset: AssetId::NATIVE,
                amount: Amount(1),
            }],
            items: items.to_vec(),
        };
        let from = WantedFrom::Edition(EditionId([3; 32]));
        Operation::DealOpen(NewDeal {
            gives: bundle(gives),
            wants: bundle(wants),
            wants_any: vec![WantedItems { from, count: any }],
            taker: Some(testing::user(taker)),
            expires: Millis(1),
            ..NewDeal::default()
        })
    }

    #[test]
    fn what_nobody_could_apply_is_refused_with_the_reason() {
        let burn = Operation::Burn { items: vec![A, A] };
        let take = Operation::DealTake(Taking::new(weft_types::DealId([4; 32]), vec![A, B, A]));
        let long = Operation::UpdateItem {
            item: A,
            status: "x".repeat(1_025),
            data_hash: None,
        };
        for (operation, words) in [
            (
                mint(129),
                "258 cards are to be minted at once, and 256 is the most",
            ),
            (burn, "to be burned twice"),
            (take, "given twice"),
            (transfer(2), "transferred twice"),
            (deal(&[A, A], &[], 1, 2), "in one deal twice"),
            (deal(&[A], &[A], 1, 2), "in one deal twice"),
            (deal(&[A], &[], 257, 2), "257 cards of the taker's choice"),
            (deal(&[A], &[], 1, 1), "its own giver"),
            (long, "status has 1025 bytes, more than 1024"),
        ] {
            let refused = checked(vec![operation]).unwrap_err();
            assert!(refused.contains(words), "{words} in {refused}");
        }
        let refused = checked(vec![mint(100), mint(100)]).unwrap_err();
        assert!(refused.starts_with("400 cards"), "{refused}");
    }

    #[test]
    fn what_could_be_applied_passes() {
        for operation in [
            mint(128),
            transfer(1),
            deal(&[A], &[B], 256, 2),
            Operation::Burn { items: vec![A, B] },
        ] {
            assert_eq!(checked(vec![operation]), Ok(()));
        }
    }
}
