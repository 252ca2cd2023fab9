use super::*;
use weft_types::{Auction, DealRule};

const EXPIRES: u64 = 50_000;

fn auction(item: ItemId) -> Operation {
    let Operation::DealOpen(mut terms) = open(item) else {
        unreachable!()
    };
    terms.rule = DealRule::Auction(Auction {
        raise: 0,
        extend: Millis(20_000),
        last: Millis(80_000),
    });
    Operation::DealOpen(terms)
}

fn bid(deal: DealId, amount: u64) -> Operation {
    let amount = Amount(amount);
    Operation::Bid { deal, amount }
}

impl Indexing {
    /// An auction of an item of user 2's.
    fn auctioned(&mut self) -> (ItemId, DealId) {
        let (_, edition) = self.with_items(1);
        let item = ItemId::derive(&edition, 1);
        let opened = self.commit(vec![(2, vec![auction(item)])]);
        (item, deal_of(&opened))
    }

    fn kinds(&self, subject: ObjectId) -> Vec<String> {
        let rows = self.history(subject).into_iter();
        let names = rows.map(|(_, row)| row.kind_names().collect::<Vec<_>>().join("+"));
        names.collect()
    }

    fn of_user(&self, user: u64) -> Vec<String> {
        self.kinds(ObjectId::Account(testing::user(user)))
    }

    /// The expiries of open deals, as they stand in the list.
    fn expiries(&self) -> Vec<u64> {
        let prefix = deals_prefix(&DealScope::All, 0);
        let rest = self.rows.keys().filter_map(|k| k.strip_prefix(&prefix[..]));
        rest.map(|rest| u64::from_be_bytes(rest[..8].try_into().unwrap()))
            .collect()
    }
}

#[test]
fn l32_a_bid_is_a_step_of_who_bids_who_is_outbid_and_who_sells() {
    let mut indexing = Indexing::new();
    let (_, deal) = indexing.auctioned();
    indexing.commit(vec![(3, vec![bid(deal, 10)])]);
    indexing.commit(vec![(4, vec![bid(deal, 11)])]);
    assert_eq!(indexing.of_user(3), ["bid", "bid"]);
    assert_eq!(indexing.of_user(4), ["bid"]);
    let seller = indexing.of_user(2);
    assert_eq!(seller[1..], ["deal_open", "bid", "bid"]);
    assert_eq!(indexing.deals(DealScope::All), [1, 0, 0, 0]);
}

#[test]
fn l32_a_deal_stands_in_lists_by_its_expiry_as_bids_have_moved_it() {
    let mut indexing = Indexing::new();
    let (_, deal) = indexing.auctioned();
    assert_eq!(indexing.expiries(), [EXPIRES]);
    indexing.commit(vec![(3, vec![bid(deal, 10)])]);
    assert_eq!(indexing.expiries(), [EXPIRES]);
    let network = testing::network().id();
    let late = testing::transaction(4, 99, vec![bid(deal, 11)]);
    let late = Arc::new(late.verify(network).unwrap());
    indexing.apply(Millis(40_000), vec![late]);
    assert_eq!(indexing.expiries(), [60_000]);
}

#[test]
fn l33_a_sale_is_a_step_of_everybody_in_it_and_of_the_item() {
    let mut indexing = Indexing::new();
    let (item, deal) = indexing.auctioned();
    indexing.commit(vec![(3, vec![bid(deal, 10)])]);
    indexing.apply(Millis(EXPIRES), vec![]);
    assert_eq!(indexing.deals(DealScope::All), [0, 1, 0, 0]);
    let sold = "auction_sold".to_owned();
    assert_eq!(indexing.of_user(2).last(), Some(&sold));
    assert_eq!(indexing.of_user(3), ["bid".to_owned(), sold.clone()]);
    assert_eq!(indexing.kinds(ObjectId::Item(item)).last(), Some(&sold));
    let last = indexing.history(ObjectId::Item(item)).pop().unwrap().1;
    assert_eq!(last.item.unwrap().owner, testing::user(3));
    assert_eq!(last.transaction, None);
}

#[test]
fn l33_what_comes_back_is_an_expiry_of_the_item_and_of_the_bidder() {
    let mut indexing = Indexing::new();
    let (item, deal) = indexing.auctioned();
    indexing.commit(vec![(3, vec![bid(deal, 10)])]);
    let freeze = Operation::Freeze {
        frozen: true,
        collections: vec![],
        editions: vec![],
        items: vec![item],
    };
    indexing.commit(vec![(1, vec![freeze])]);
    indexing.apply(Millis(EXPIRES), vec![]);
    assert_eq!(indexing.deals(DealScope::All), [0, 0, 0, 1]);
    let expired = "deal_expired".to_owned();
    assert_eq!(indexing.of_user(3), ["bid".to_owned(), expired.clone()]);
    assert_eq!(indexing.kinds(ObjectId::Item(item)).last(), Some(&expired));
}
