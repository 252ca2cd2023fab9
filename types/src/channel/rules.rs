//! What a party signs of what the other offers (docs/spec/channels.md). What was to come by hash-locked parts counts as
//! much as what is there already: somebody who is paid by a hash may have paid on by the same hash.

use super::{Book, BookError, ChannelPart, ChannelState};
use crate::ids::{Amount, Millis};
use crate::operation::Bundle;

impl ChannelPart {
    pub(super) fn given_back(&self) -> BookError {
        BookError::Part {
            hash: self.hash,
            amount: self.amount,
            expires: self.expires,
        }
    }
}

impl Bundle {
    fn of(&self, part: &ChannelPart) -> Amount {
        let found = self.assets.iter().find(|a| a.asset == part.asset);
        found.map_or(Amount::ZERO, |a| a.amount)
    }

    /// What is missing of another, if anything is.
    fn lacks(&self, other: &Self) -> Option<BookError> {
        for had in &other.assets {
            let now = self.assets.iter().find(|a| a.asset == had.asset);
            let found = now.map_or(Amount::ZERO, |a| a.amount);
            if found < had.amount {
                return Some(BookError::Less {
                    asset: had.asset,
                    found,
                    limit: had.amount,
                });
            }
        }
        let item = other.items.iter().find(|id| !self.items.contains(id));
        item.map(|id| BookError::Item(*id))
    }
}

impl Book {
    /// CH2 to CH4: whether the other's state may be signed in the place of the newest one.
    ///
    /// A part stays when it stands in both, and has no worse a time for this party. One that stays is on both sides of
    /// the comparison, and so on neither; one that is new is worth nothing to this party, whichever way it goes.
    pub(super) fn judge(
        &self,
        state: &ChannelState,
        now: Millis,
        less: bool,
    ) -> Result<(), BookError> {
        let before = self.state();
        let stays = |part: &ChannelPart| state.parts.iter().any(|p| self.stays(part, p));
        let changed: Vec<&ChannelPart> = before.parts.iter().filter(|p| !stays(p)).collect();
        let left = self.having(state, |_| false)?;

        // CH4: not even by `less`, for whoever means to pay is told the secret.
        let unknown = |p: &ChannelPart| !self.comes(p) && !stays(p) && !self.knows(p);
        let back = self.having(&before, unknown)?;
        let mut unpaid = changed.iter().filter(|p| unknown(p));
        if let Some(part) = unpaid.find(|p| left.of(p) < back.of(p)) {
            return Err(BookError::Unknown(part.hash));
        }
        if less {
            return Ok(());
        }
        // CH2: what is this party's whatever comes.
        if let Some(missing) = left.lacks(&self.having(&before, |_| false)?) {
            return Err(missing);
        }
        // CH3: what is still to come, and what was to come back.
        let due = |p: &ChannelPart| {
            let own = match self.comes(p) {
                true => now < p.expires,
                false => now >= p.expires || !self.knows(p),
            };
            own && !stays(p)
        };
        let coming = changed.iter().find(|p| self.comes(p) && due(p));
        match left.lacks(&self.having(&before, due)?) {
            Some(missing) => Err(coming.map_or(missing, |part| part.given_back())),
            None => Ok(()),
        }
    }

    /// Whether a part is one of before, no worse for this party.
    fn stays(&self, before: &ChannelPart, after: &ChannelPart) -> bool {
        let in_time = match self.comes(before) {
            true => after.expires >= before.expires,
            false => after.expires <= before.expires,
        };
        let (a, b) = (before, after);
        let same =
            (a.hash, a.to_taker, a.asset, a.amount) == (b.hash, b.to_taker, b.asset, b.amount);
        same && in_time
    }
}

#[cfg(test)]
mod tests;
