//! L56: what a deal is that stands in an edition's book.

use super::*;

/// Which side of a book an order stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum BookSide {
    /// Coin for items.
    Bid,
    /// Items for coin.
    Ask,
}

/// What an order's terms say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub side: BookSide,
    /// Of each item: at most of a bid, at least of an ask.
    pub price: Amount,
    /// 1 to 256.
    pub count: u64,
}

impl NewDeal {
    /// An order that bids for items of an edition.
    ///
    /// `None` when the coin for all of them does not fit 64 bits.
    pub fn bid(edition: EditionId, price: Amount, count: u64, expires: Millis) -> Option<Self> {
        let from = WantedFrom::Edition(edition);
        Some(Self {
            gives: coin(price, count)?,
            wants_any: vec![WantedItems { from, count }],
            expires,
            rule: DealRule::Book,
            ..Self::default()
        })
    }

    /// An order that asks for coin for items, which are of one edition.
    ///
    /// `None` when the coin for all of them does not fit 64 bits.
    pub fn ask(items: Vec<ItemId>, price: Amount, expires: Millis) -> Option<Self> {
        Some(Self {
            wants: coin(price, items.len() as u64)?,
            gives: Bundle {
                assets: Vec::new(),
                items,
            },
            expires,
            rule: DealRule::Book,
            ..Self::default()
        })
    }

    /// `None`: it is no order of a book.
    pub fn limit(&self) -> Option<Limit> {
        let DealRule::Book = self.rule else {
            return None;
        };
        let (side, paid, count) = match self.wants_any.first() {
            Some(wanted) => (BookSide::Bid, &self.gives, wanted.count),
            None => (BookSide::Ask, &self.wants, self.gives.items.len() as u64),
        };
        let amount = paid.assets.first()?.amount.0;
        Some(Limit {
            side,
            price: Amount(amount.checked_div(count)?),
            count,
        })
    }

    /// The terms of an order say what is bid for items of one edition, or asked for items; nothing else.
    pub(super) fn check_order(&self) -> Result<(), OperationError> {
        let wrong = |what| Err(OperationError::Book(what));
        let (gives, wants) = (&self.gives, &self.wants);
        let (paid, count) = match &self.wants_any[..] {
            [] if !gives.assets.is_empty() || !wants.items.is_empty() => {
                return wrong("that asks gives items for coin, and nothing else");
            }
            [] => (wants, gives.items.len() as u64),
            [wanted] => {
                let WantedFrom::Edition(_) = wanted.from else {
                    return wrong("that bids wants items of an edition");
                };
                if !gives.items.is_empty() || !wants.is_empty() {
                    return wrong("that bids gives coin for items, and nothing else");
                }
                if self.commission.is_some() {
                    return wrong("that bids names no commission, which the seller would owe");
                }
                (gives, wanted.count)
            }
            _ => return wrong("wants items of one edition"),
        };
        let [part] = &paid.assets[..] else {
            return wrong("has one amount");
        };
        if part.asset != AssetId::NATIVE {
            return wrong("has an amount of the native asset");
        }
        if !(1..=LIST_MAX as u64).contains(&count) {
            return wrong("is for 1 to 256 items");
        }
        if part.amount.0 % count != 0 {
            return wrong("has a whole price for each item");
        }
        if self.taker.is_some() {
            return wrong("is for nobody alone");
        }
        Ok(())
    }
}

/// So many times a price.
fn coin(price: Amount, count: u64) -> Option<Bundle> {
    let amount = Amount(price.0.checked_mul(count)?);
    Some(Bundle {
        assets: vec![AssetAmount {
            asset: AssetId::NATIVE,
            amount,
        }],
        items: Vec::new(),
    })
}

impl Limit {
    /// The terms of what is left of an order when so many items of it are traded, and which of what it gave they were;
    /// `None`: nothing is.
    pub fn rest(&self, terms: &NewDeal, traded: u64, sold: &[ItemId]) -> Option<NewDeal> {
        let left = self.count.checked_sub(traded).filter(|left| *left > 0)?;
        let mut terms = terms.clone();
        let paid = match self.side {
            BookSide::Bid => {
                terms.wants_any.first_mut()?.count = left;
                &mut terms.gives
            }
            BookSide::Ask => {
                terms.gives.items.retain(|item| !sold.contains(item));
                &mut terms.wants
            }
        };
        paid.assets.first_mut()?.amount = Amount(self.price.0.checked_mul(left)?);
        Some(terms)
    }
}

#[cfg(test)]
mod tests;
