//! L38, L39: an edition that is sold to whoever asks, and who may. What is bought is minted to the buyer, and paid to
//! the collection's creator; whoever comes too late has paid the fee alone.

use super::Execution;
use crate::draft::Fault;
use crate::live::Objects;
use std::sync::Arc;
use weft_types::{
    Address, AllowList, Amount, AssetId, CollectionId, Edition, EditionId, FailureCode, Millis,
    MintEntry, Object, ObjectId, Places, Purchase, Role, Sale, SessionKind,
};

impl<B: Objects> Execution<'_, '_, B> {
    pub(super) fn set_sale(
        &mut self,
        actor: Address,
        id: &EditionId,
        sale: Option<&Sale>,
    ) -> Result<(), Fault> {
        let mut edition = Edition::clone(self.draft.edition(id)?);
        self.own_collection(actor, &edition.terms.collection)?;
        let subject = ObjectId::Edition(*id);
        if let Some(until) = sale.map(|sale| sale.until)
            && until != Millis::ZERO
            && until <= self.now
        {
            let code = FailureCode::ExpiryPassed;
            return Err(Fault::figures(code, Some(subject), until.0, self.now.0));
        }
        // L39: another list has other places.
        if list(sale) != list(edition.sale.as_ref()) {
            edition.bought = Places::default();
        }
        edition.sale = sale.cloned();
        self.draft.put(subject, Object::Edition(Arc::new(edition)));
        Ok(())
    }

    pub(super) fn buy(&mut self, buyer: Address, purchase: &Purchase) -> Result<(), Fault> {
        let id = &purchase.edition;
        let mut edition = Edition::clone(self.draft.edition(id)?);
        let collection_id = edition.terms.collection;
        let subject = ObjectId::Edition(*id);
        self.in_scope(buyer, &collection_id, subject)?;
        let sale = self.on_sale(id, edition.sale.as_ref())?;
        if !self.is_permitted(&collection_id)? {
            self.is_listed(buyer, &sale, &mut edition, purchase)?;
            let (seen, asked) = (purchase.price, sale.price);
            if seen != asked {
                let code = FailureCode::PriceDiffers;
                return Err(Fault::figures(code, Some(subject), seen.0, asked.0));
            }
        }
        let entry = MintEntry {
            edition: *id,
            to: buyer,
            count: purchase.count,
        };
        self.issue(edition, &entry)?;
        let Some(price) = purchase.price.0.checked_mul(purchase.count) else {
            // More than there is.
            let found = self.draft.account(buyer).balance(&AssetId::NATIVE);
            let (code, subject) = (FailureCode::InsufficientBalance, ObjectId::Account(buyer));
            return Err(Fault::figures(code, Some(subject), found.0, u64::MAX));
        };
        if price > 0 {
            let creator = self.draft.collection(&collection_id)?.creator;
            self.debit(buyer, AssetId::NATIVE, Amount(price))?;
            self.draft.credit(creator, AssetId::NATIVE, Amount(price));
        }
        Ok(())
    }

    /// L38: the sale, if it is on.
    fn on_sale(&self, id: &EditionId, sale: Option<&Sale>) -> Result<Sale, Fault> {
        let refused = |limit: Millis| {
            let (code, subject) = (FailureCode::NotOnSale, ObjectId::Edition(*id));
            Err(Fault::figures(code, Some(subject), self.now.0, limit.0))
        };
        match sale {
            None => refused(Millis::ZERO),
            Some(sale) if self.now < sale.from => refused(sale.from),
            Some(sale) if sale.until != Millis::ZERO && sale.until <= self.now => {
                refused(sale.until)
            }
            Some(sale) => Ok(sale.clone()),
        }
    }

    /// L39: whether a minter sponsors the transaction; by a session, if that may mint here.
    fn is_permitted(&self, id: &CollectionId) -> Result<bool, Fault> {
        let Some(sponsor) = self.sponsor else {
            return Ok(false);
        };
        let minter = self.draft.collection(id)?.has_role(&sponsor, Role::Minter);
        Ok(minter && self.session_may(sponsor, SessionKind::Mint, id))
    }

    /// L39: whether the buyer may buy without a permit; whose place on the list is taken by it.
    fn is_listed(
        &self,
        buyer: Address,
        sale: &Sale,
        edition: &mut Edition,
        purchase: &Purchase,
    ) -> Result<(), Fault> {
        let id = &purchase.edition;
        let subject = Some(ObjectId::Edition(*id));
        let refused = |code, found, limit| Err(Fault::figures(code, subject, found, limit));
        let Some(list) = &sale.list else {
            return match sale.by_permit {
                true => refused(FailureCode::NotAllowed, 0, 0),
                false => Ok(()),
            };
        };
        let listed = purchase.listed.as_ref();
        let Some(listed) = listed.filter(|listed| list.has(id, &buyer, listed)) else {
            return refused(FailureCode::NotAllowed, 0, 0);
        };
        if edition.bought.has(listed.place) {
            return refused(FailureCode::AlreadyBought, listed.place.into(), 0);
        }
        if purchase.count > listed.most {
            return refused(FailureCode::TooManyItems, purchase.count, listed.most);
        }
        edition.bought.insert(listed.place);
        Ok(())
    }
}

fn list(sale: Option<&Sale>) -> Option<AllowList> {
    sale.and_then(|sale| sale.list)
}
