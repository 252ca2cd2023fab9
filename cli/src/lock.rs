//! `weft card lock` and `weft card unlock`: deals that only a secret opens (L40), hop by hop of a route, or one side of a
//! swap with another network.

use crate::channel::{books_of, comes_by, of_lock, paid_on};
use crate::failure::{Failure, Kind};
use crate::market::still_open;
use crate::output::Output;
use crate::sending::{Outcome, Sender, Session};
use crate::time;
use crate::values::{from_now, lines};
use rand::random;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;
use weft_client::{DealQuery, PageQuery};
use weft_types::api::{Deal, DealState, PAGE_MAX, Page};
use weft_types::{
    Address, Amount, AssetAmount, AssetId, Bundle, DealId, DealRule, ItemId, Millis, NewDeal,
    Operation, Secret, SecretHash, Taking,
};

/// What must be left of a lock when its secret is sent: ordered too late it takes nothing, and is public all the same.
const TO_BE_ORDERED: Duration = Duration::from_secs(5);
/// What must be left of the hop before when the next one ends.
pub(crate) const BETWEEN_HOPS: Duration = Duration::from_secs(600);

#[derive(clap::Args)]
#[group(id = "by", required = true, multiple = false, args = ["hash", "new_secret", "behind"])]
pub struct Lock {
    /// A card that you lock; repeat it for more
    #[arg(value_name = "ITEM", required_unless_present = "amount")]
    items: Vec<ItemId>,
    /// Money that you lock
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    amount: Option<u64>,
    /// Who alone has it, with the secret
    #[arg(long, value_name = "ADDRESS")]
    to: Address,
    /// SHA-256 of a secret that somebody else has made
    #[arg(long, value_name = "HASH")]
    hash: Option<SecretHash>,
    /// Make a secret, and print it: whoever knows it can have everything that is locked by its hash
    #[arg(long)]
    new_secret: bool,
    /// One hop further behind this deal, which is for you: by the same hash, in half the time
    #[arg(long, value_name = "DEAL", conflicts_with = "expires")]
    behind: Option<DealId>,
    /// When it comes back, as in 90s, 10m, 12h or 7d
    #[arg(long, value_name = "DURATION", default_value = "2d", value_parser = crate::market::some_time)]
    expires: Duration,
    /// Money that you want for it besides
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    price: Option<u64>,
    /// Lock it although you have locked or paid on something by the same hash already, for whoever shows the secret has all of
    /// it, or although it ends later than what comes to you by it, or is more
    #[arg(long, conflicts_with = "new_secret")]
    more: bool,
    /// Folder of the files of channels, where something may be paid on by the same hash
    #[arg(long, value_name = "FOLDER", default_value = ".weft/channels")]
    books: PathBuf,
    #[command(flatten)]
    sender: Sender,
}

#[derive(clap::Args)]
pub struct Unlock {
    deal: DealId,
    /// 32 bytes in hexadecimal; public from then on
    #[arg(long, value_name = "SECRET")]
    secret: Secret,
    /// Send it also when it may be ordered too late: the secret is public then, and takes nothing
    #[arg(long)]
    late: bool,
    #[command(flatten)]
    sender: Sender,
}

/// What came of a lock.
#[derive(Serialize)]
struct Locked {
    hash: SecretHash,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<Secret>,
    expires: Millis,
    #[serde(flatten)]
    outcome: Outcome,
}

fn money(amount: Option<u64>) -> Vec<AssetAmount> {
    let of = |amount| AssetAmount {
        asset: AssetId::NATIVE,
        amount: Amount(amount),
    };
    amount.map(of).into_iter().collect()
}

/// The hash and the expiry of the hop behind a deal.
fn behind(deal: &Deal, by: &Address, now: Millis) -> Result<(SecretHash, Millis), Failure> {
    let DealRule::Secret { hash } = deal.rule else {
        return Err(Failure::usage(format_args!(
            "deal {} has no secret",
            deal.id
        )));
    };
    if deal.state != DealState::Open || deal.taker != Some(*by) {
        return Err(Failure::usage(format_args!(
            "deal {} is not open for {by}: nothing would pay for the next hop",
            deal.id
        )));
    }
    let left = deal.expires.0.saturating_sub(now.0) / 2;
    if u128::from(left) < BETWEEN_HOPS.as_millis() {
        return Err(Failure::usage(format_args!(
            "deal {} ends at {}: too soon to lock something behind it",
            deal.id,
            time::utc(deal.expires)
        )));
    }
    Ok((hash, now.saturating_add(left)))
}

/// What the session's account has locked by a hash, and is still open.
pub async fn locked_by(session: &Session, hash: SecretHash) -> Result<Vec<Deal>, Failure> {
    let by = DealQuery {
        giver: Some(session.address),
        ..DealQuery::default()
    };
    locked(session, by, hash).await
}

/// What is locked for it.
pub async fn locked_for(session: &Session, hash: SecretHash) -> Result<Vec<Deal>, Failure> {
    let of = DealQuery {
        taker: Some(session.address),
        ..DealQuery::default()
    };
    locked(session, of, hash).await
}

async fn locked(session: &Session, of: DealQuery, hash: SecretHash) -> Result<Vec<Deal>, Failure> {
    let query = DealQuery {
        rule: Some("secret".to_owned()),
        ..of
    };
    let mut found = Vec::new();
    let mut page = PageQuery::limit(PAGE_MAX);
    loop {
        let Page { items, next, .. } = session.client.deals(&query, &page).await?;
        let by_it = |deal: &Deal| matches!(deal.rule, DealRule::Secret { hash: h } if h == hash);
        found.extend(items.into_iter().filter(by_it));
        match next {
            None => return Ok(found),
            next => page.cursor = next,
        }
    }
}

/// What deals give of the native asset.
pub fn money_of(deals: &[Deal]) -> u64 {
    let given = deals.iter().flat_map(|deal| &deal.gives.assets);
    let native = given.filter(|a| a.asset == AssetId::NATIVE);
    native.fold(0, |sum, a| sum.saturating_add(a.amount.0))
}

/// What a bundle of the native asset alone is worth.
pub fn as_money(bundle: &Bundle) -> Option<u64> {
    let mut assets = bundle.assets.iter();
    let is_money = bundle.items.is_empty() && assets.all(|a| a.asset == AssetId::NATIVE);
    is_money.then(|| bundle.assets.iter().map(|a| a.amount.0).sum())
}

/// CH8, H13: no more is locked on by a hash than comes by it. Where that is not to be seen, as with cards, it is locked once.
fn no_more(
    (hash, new): (SecretHash, &Bundle),
    comes: Option<Amount>,
    (locked, paid): (&[Deal], u64),
) -> Result<(), Failure> {
    let more = |words: String| {
        Err(Failure::usage(words).hint(
            "nothing was sent; one secret opens all of it. If a command's answer was lost, that is its lock; --more locks once more",
        ))
    };
    let is_money = locked.iter().all(|deal| as_money(&deal.gives).is_some());
    match (comes, as_money(new), locked.first()) {
        (Some(comes), Some(new), _) if is_money => {
            let besides = money_of(locked).saturating_add(paid);
            if besides.saturating_add(new) <= comes.0 {
                return Ok(());
            }
            more(format!(
                "{comes} comes by {hash}, and {new} would be locked besides {besides}"
            ))
        }
        (.., Some(deal)) => more(format!(
            "you have locked something by {hash} already, in deal {}",
            deal.id
        )),
        _ if paid > 0 => more(format!("you pay {paid} on by {hash} in a channel")),
        _ => Ok(()),
    }
}

pub async fn lock(arguments: Lock, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let secret = arguments.new_secret.then(|| Secret(random()));
    let given = arguments.hash.or(secret.map(|s| s.hash()));
    let before = match arguments.behind {
        Some(id) => Some(session.client.deal(&id).await?),
        None => None,
    };
    let (hash, expires) = match (&before, given) {
        (Some(deal), _) => behind(deal, &session.address, from_now(Duration::ZERO))?,
        (None, Some(hash)) => (hash, from_now(arguments.expires)),
        (None, None) => return Err(Failure::usage("there is no hash to lock by")),
    };
    let gives = Bundle {
        assets: money(arguments.amount),
        items: arguments.items,
    };
    if secret.is_none() && !arguments.more {
        let books = books_of(&arguments.books, &session.address)?;
        let comes = match &before {
            Some(deal) => Some(of_lock(deal, &session.address)?),
            None => comes_by(&session, &books, hash).await?,
        };
        if let Some(comes) = &comes {
            comes.ends_after(expires)?;
        }
        let locked = locked_by(&session, hash).await?;
        let paid = paid_on(&books, None, hash);
        let comes = comes.and_then(|comes| comes.amount);
        no_more((hash, &gives), comes, (&locked, paid))?;
    }
    let open = Operation::DealOpen(NewDeal {
        gives,
        wants: Bundle {
            assets: money(arguments.price),
            items: vec![],
        },
        taker: Some(arguments.to),
        expires,
        rule: DealRule::Secret { hash },
        ..NewDeal::default()
    });
    let outcome = session.send(vec![open], output).await?;
    let locked = Locked {
        hash,
        secret,
        expires,
        outcome,
    };
    output.data(&locked, |locked| {
        let secret = locked.secret.map_or(String::new(), |s| s.to_string());
        let lock = lines(&[
            ("hash", locked.hash.to_string()),
            ("secret", secret),
            ("expires", time::utc(locked.expires)),
        ]);
        format!("{}\n{lock}", locked.outcome.text())
    })
}

/// Whether a secret opens a deal for somebody. What the ledger would refuse makes the secret public too, and with it
/// somebody else can take the hop before.
fn opens(deal: &Deal, secret: &Secret, by: &Address) -> Result<(), Failure> {
    let unsent = "nothing was sent, so that the secret is still one";
    if !matches!(deal.rule, DealRule::Secret { hash } if hash == secret.hash()) {
        return Err(Failure::usage(format_args!(
            "the secret's hash {} does not lock deal {}",
            secret.hash(),
            deal.id
        ))
        .hint(unsent));
    }
    still_open(deal)?;
    if deal.taker != Some(*by) {
        return Err(Failure::usage(format_args!(
            "deal {} is for another account, and the key is of {by}",
            deal.id
        ))
        .hint(unsent));
    }
    Ok(())
}

fn in_time(deal: &Deal, now: Millis) -> Result<(), Failure> {
    if u128::from(deal.expires.0.saturating_sub(now.0)) >= TO_BE_ORDERED.as_millis() {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Refused,
        format_args!(
            "deal {} ends at {}, and may be over before this is ordered",
            deal.id,
            time::utc(deal.expires)
        ),
    )
    .hint("nothing was sent, so that the secret is still one; where it is public already, send it with --late"))
}

pub async fn unlock(arguments: Unlock, output: &Output) -> Result<(), Failure> {
    let session = arguments.sender.session().await?;
    let deal = session.client.deal(&arguments.deal).await?;
    let now = from_now(Duration::ZERO);
    opens(&deal, &arguments.secret, &session.address)?;
    if !arguments.late {
        in_time(&deal, now)?;
    }
    let take = Operation::DealTake(Taking {
        secret: Some(arguments.secret),
        ..Taking::new(arguments.deal, vec![])
    });
    let outcome = session.send(vec![take], output).await?;
    output.data(&outcome, Outcome::text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing::user;

    fn deal(expires: u64) -> Deal {
        let terms = NewDeal {
            taker: Some(user(2)),
            expires: Millis(expires),
            rule: DealRule::Secret {
                hash: Secret([5; 32]).hash(),
            },
            ..NewDeal::default()
        };
        let open = weft_types::Deal::open(user(1), terms);
        Deal::new(DealId([1; 32]), &open)
    }

    #[test]
    fn the_next_hop_has_half_the_time_and_never_less_than_is_safe() {
        let (by, now) = (user(2), Millis(1_000_000));
        let (hash, expires) = behind(&deal(3_000_000), &by, now).unwrap();
        assert_eq!((hash, expires), (Secret([5; 32]).hash(), Millis(2_000_000)));
        assert!(behind(&deal(2_000_000), &by, now).is_err());
        assert!(behind(&deal(3_000_000), &user(3), now).is_err());
        let fixed = Deal {
            rule: DealRule::Fixed,
            ..deal(3_000_000)
        };
        assert!(behind(&fixed, &by, now).is_err());
    }

    #[test]
    fn no_more_is_locked_on_than_comes_by_the_same_hash() {
        let hash = Secret([5; 32]).hash();
        let coin = |amount| Bundle {
            assets: money(Some(amount)),
            items: vec![],
        };
        let card = Bundle {
            assets: vec![],
            items: vec![ItemId([7; 32])],
        };
        let giving = |gives: &Bundle| Deal {
            gives: gives.clone(),
            ..deal(3_000_000)
        };
        let comes = Some(Amount(500));
        let allowed = |new: &Bundle, comes, locked: &[Deal], paid| {
            no_more((hash, new), comes, (locked, paid)).is_ok()
        };
        assert!(allowed(&coin(500), comes, &[], 0));
        assert!(!allowed(&coin(501), comes, &[], 0));
        let some = [giving(&coin(480))];
        assert!(allowed(&coin(20), comes, &some, 0));
        assert!(!allowed(&coin(21), comes, &some, 0));
        assert!(!allowed(&coin(20), comes, &some, 1));
        // A card has no worth that could be compared: once, and not again.
        assert!(allowed(&card, comes, &[], 0));
        assert!(!allowed(&card, comes, &some, 0));
        assert!(!allowed(&coin(1), comes, &[giving(&card)], 0));
        assert!(allowed(&coin(1), None, &[], 0));
        assert!(!allowed(&coin(1), None, &some, 0) && !allowed(&coin(1), None, &[], 5));
    }

    #[test]
    fn a_secret_is_not_shown_where_it_would_take_nothing() {
        let (taker, secret) = (user(2), Secret([5; 32]));
        let open = deal(3_000_000);
        assert!(opens(&open, &secret, &taker).is_ok());
        assert!(opens(&open, &Secret([6; 32]), &taker).is_err());
        assert!(opens(&open, &secret, &user(1)).is_err());
        let over = Deal {
            state: DealState::Expired,
            ..open.clone()
        };
        assert!(opens(&over, &secret, &taker).is_err());
        assert!(in_time(&open, Millis(2_995_000)).is_ok());
        assert!(in_time(&open, Millis(2_995_001)).is_err());
        assert!(in_time(&open, Millis(4_000_000)).is_err());
    }
}
