//! CH8: a hash-locked payment behind another one by the same hash. It ends sooner, with time left to claim the one before
//! it, and no more is paid on than comes.

use crate::failure::Failure;
use crate::lock::{BETWEEN_HOPS, as_money, locked_for, money_of};
use crate::sending::Session;
use crate::time;
use weft_types::api::{Deal, DealState};
use weft_types::{
    Address, Amount, AssetId, Book, ChannelPart, DealId, DealRule, Millis, SecretHash,
};

/// What comes to a party by a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// The channel, or the lock.
    pub deal: DealId,
    pub hash: SecretHash,
    /// Of the native asset; `None` where it is not to be seen what it is worth.
    pub amount: Option<Amount>,
    pub expires: Millis,
}

/// The parts of the newest states that come to whose books these are.
fn coming(books: &[Book]) -> impl Iterator<Item = Before> {
    books.iter().flat_map(|book| {
        let comes = |p: &ChannelPart| book.comes(p) && p.asset == AssetId::NATIVE;
        let parts = book.state().parts.into_iter().filter(comes);
        let parts: Vec<Before> = parts
            .map(|part| Before {
                deal: book.deal,
                hash: part.hash,
                amount: Some(part.amount),
                expires: part.expires,
            })
            .collect();
        parts
    })
}

/// What comes to the account by a hash, over channels of the folder and by open locks; what ends first.
pub async fn comes_by(
    session: &Session,
    books: &[Book],
    hash: SecretHash,
) -> Result<Option<Before>, Failure> {
    let locks = locked_for(session, hash).await?;
    let locks = locks.iter().map(|deal| of_lock(deal, &session.address));
    let locks = locks.filter_map(Result::ok);
    let all = by_hash(books, hash).into_iter().chain(locks);
    Ok(all.min_by_key(|before| before.expires))
}

/// What comes by a hash over any channel.
fn by_hash(books: &[Book], hash: SecretHash) -> Option<Before> {
    let by_it = coming(books).filter(|before| before.hash == hash);
    by_it.min_by_key(|before| before.expires)
}

/// What comes over a channel, which is not in the books where nothing was signed in it.
pub fn of_channel(
    books: &[Book],
    id: &DealId,
    hash: Option<SecretHash>,
) -> Result<Before, Failure> {
    let parts = coming(books).filter(|b| b.deal == *id && hash.is_none_or(|h| h == b.hash));
    let parts: Vec<Before> = parts.collect();
    match parts.as_slice() {
        [before] => Ok(*before),
        [] => Err(Failure::usage(format_args!(
            "channel {id} has no hash-locked part that comes to you: nothing would pay for the next hop"
        ))),
        _ => Err(Failure::usage(format_args!(
            "channel {id} has {} parts that come to you",
            parts.len()
        ))
        .hint("say behind which with --hash HASH")),
    }
}

/// What comes by a lock (L40), less what is given for it.
pub fn of_lock(deal: &Deal, by: &Address) -> Result<Before, Failure> {
    let is_open = deal.state == DealState::Open && deal.taker == Some(*by);
    match (&deal.rule, is_open) {
        (DealRule::Secret { hash }, true) => Ok(Before {
            deal: deal.id,
            hash: *hash,
            amount: leaves(deal),
            expires: deal.expires,
        }),
        _ => Err(Failure::usage(format_args!(
            "deal {} is not locked for {by} by a hash, or is over: nothing would pay for the next hop",
            deal.id
        ))),
    }
}

/// What else comes is more than that; what else is to be given cannot be compared.
fn leaves(deal: &Deal) -> Option<Amount> {
    let wanted = as_money(&deal.wants).filter(|_| deal.wants_any.is_empty())?;
    let given = money_of(std::slice::from_ref(deal));
    let left = given.checked_sub(wanted).filter(|left| *left > 0)?;
    Some(Amount(left))
}

/// What is paid on by a hash over channels, but for one, offered or signed.
pub fn paid_on(books: &[Book], but: Option<&DealId>, hash: SecretHash) -> u64 {
    let others = books.iter().filter(|b| Some(&b.deal) != but);
    let amounts = others.map(|book| {
        let newest = book.state();
        let states = [Some(&newest), book.unanswered()];
        let parts = states.into_iter().flatten().flat_map(|s| &s.parts);
        let own = parts.filter(|p| p.hash == hash && !book.comes(p));
        own.map(|p| p.amount.0).max().unwrap_or(0)
    });
    amounts.fold(0, u64::saturating_add)
}

impl Before {
    /// When the next hop expires if nothing else is said: in half the time.
    pub fn half(&self, now: Millis) -> Millis {
        now.saturating_add(self.expires.0.saturating_sub(now.0) / 2)
    }

    /// Whether what is behind it may end then.
    pub fn ends_after(&self, expires: Millis) -> Result<(), Failure> {
        let Self { deal, hash, .. } = self;
        let between = u64::try_from(BETWEEN_HOPS.as_millis()).unwrap_or(u64::MAX);
        if expires.saturating_add(between) > self.expires {
            return Err(Failure::usage(format_args!(
                "what comes by {hash} over {deal} expires on {}, and what would be paid on only on {}",
                time::utc(self.expires),
                time::utc(expires)
            ))
            .hint("nothing was signed or sent: the hop behind has to end ten minutes sooner at least; --behind takes half the time that is left"));
        }
        Ok(())
    }

    /// Whether so much may be paid on by it in a channel, until then, beside what is locked by the same hash.
    pub fn allows(
        &self,
        books: &[Book],
        (channel, amount, locked): (&DealId, Amount, u64),
        expires: Millis,
    ) -> Result<(), Failure> {
        self.ends_after(expires)?;
        let Self { deal, hash, .. } = self;
        let Some(comes) = self.amount else {
            return Err(Failure::usage(format_args!(
                "deal {deal} locks no money for you, or wants more than that for it: nothing would pay for the next hop"
            ))
            .hint("nothing was signed"));
        };
        let paid = paid_on(books, Some(channel), *hash).saturating_add(locked);
        if paid.saturating_add(amount.0) > comes.0 {
            return Err(Failure::usage(format_args!(
                "{comes} comes by {hash} over {deal}, and {amount} would be paid on besides {paid}"
            ))
            .hint("nothing was signed"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::testing::{book, deal};
    use weft_types::{Secret, testing};

    const HOUR: u64 = 3_600_000;

    /// The taker's, to whom 50 comes by the secret of nines, and who pays 50 by that of eights.
    fn books() -> Vec<Book> {
        let mut book = book();
        let newest = book.newest.as_mut().unwrap();
        newest
            .state
            .parts
            .iter_mut()
            .for_each(|p| p.expires = Millis(HOUR));
        vec![book]
    }

    #[test]
    fn what_is_paid_on_ends_ten_minutes_sooner_and_is_no_more_than_comes() {
        let (books, hash) = (books(), Secret([9; 32]).hash());
        let before = by_hash(&books, hash).unwrap();
        assert_eq!(of_channel(&books, &before.deal, None).unwrap(), before);
        let next = DealId([2; 32]);
        let allows = |amount, expires| {
            let paid = (&next, Amount(amount), 0);
            before.allows(&books, paid, Millis(expires)).is_ok()
        };
        assert_eq!(before.half(Millis(1_000)), Millis(HOUR / 2 + 500));
        assert!(allows(50, HOUR / 2) && allows(50, HOUR - 600_000));
        // As long as the hop before, or longer.
        assert!(!allows(50, HOUR - 599_999) && !allows(50, HOUR) && !allows(50, 12 * HOUR));
        assert!(!allows(51, HOUR / 2));
    }

    #[test]
    fn what_was_paid_on_elsewhere_by_the_same_hash_counts() {
        let (mut books, hash) = (books(), Secret([9; 32]).hash());
        let before = by_hash(&books, hash).unwrap();
        let mut other = book();
        other.deal = DealId([3; 32]);
        let part = &mut other.newest.as_mut().unwrap().state.parts;
        part.retain(|p| p.hash == hash);
        (part[0].to_taker, part[0].amount) = (false, Amount(30));
        books.push(other);
        let allows = |channel, amount| {
            let paid = (&channel, Amount(amount), 0);
            before.allows(&books, paid, Millis(HOUR / 2)).is_ok()
        };
        assert!(allows(DealId([2; 32]), 20) && !allows(DealId([2; 32]), 21));
        let locked = (&DealId([2; 32]), Amount(20), 1);
        assert!(before.allows(&books, locked, Millis(HOUR / 2)).is_err());
        // Its own offer is replaced.
        assert!(allows(DealId([3; 32]), 50));
    }

    #[test]
    fn nothing_is_behind_what_does_not_come() {
        let books = books();
        // The part of eights is the taker's to pay.
        assert_eq!(by_hash(&books, Secret([8; 32]).hash()), None);
        let none = of_channel(&books, &books[0].deal, Some(Secret([8; 32]).hash()));
        assert!(none.is_err());
        assert!(of_channel(&books, &DealId([2; 32]), None).is_err());
        let hash = Secret([9; 32]).hash();
        let lock = Deal {
            rule: DealRule::Secret { hash },
            ..deal()
        };
        let before = of_lock(&lock, &testing::user(2)).unwrap();
        assert_eq!((before.hash, before.amount), (hash, Some(Amount(1_000))));
        assert!(of_lock(&lock, &testing::user(1)).is_err());
        // What it costs is not there to be paid on.
        let mut priced = lock.clone();
        priced.wants.assets = priced.gives.assets.clone();
        priced.wants.assets[0].amount = Amount(400);
        let amount = |lock: &Deal| of_lock(lock, &testing::user(2)).unwrap().amount;
        assert_eq!(amount(&priced), Some(Amount(600)));
        priced.wants.assets[0].asset = AssetId([7; 32]);
        assert_eq!(amount(&priced), None);
        assert!(of_lock(&deal(), &testing::user(2)).is_err());
    }
}
