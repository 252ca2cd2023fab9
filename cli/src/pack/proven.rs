//! What the committee has certified of a series: its deal with the lot, from before the secret was shown. Contents, holders, their
//! bytes and the lot are in it, and so is what binds the secret: with that the draw follows, and nobody is believed but the committee.
//! That the secret was shown in time is not in it: a series that was undone had the same proof.

use crate::committees::LATER_COMMITTEES;
use crate::failure::{Failure, Kind};
use weft_client::verify::{Committees, VerifyError, verify};
use weft_types::api::{Deal, DealState, Object, ProofBundle};
use weft_types::{DrawSecret, Drawing, Height, ObjectId};

pub struct Proven {
    pub deal: Deal,
    pub height: Height,
}

/// What a proof says, if nobody is asked whether it is one: a deal with its lot.
pub fn sealed(proof: &ProofBundle) -> Option<Deal> {
    let ObjectId::Deal(id) = proof.object else {
        return None;
    };
    let value = hex::decode(proof.value.as_ref()?).ok()?;
    let object = weft_types::Object::decode(&proof.object, value.into()).ok()?;
    let deal = Deal::new(id, object.as_deal()?);
    deal.drawing.as_ref()?.lot?;
    Some(deal)
}

impl Proven {
    pub fn of(proof: &ProofBundle, committees: &Committees) -> Result<Self, Failure> {
        let verified = verify(proof.clone(), committees).map_err(|error| {
            let words = format_args!("the proof in it proves nothing: {error}");
            let failure = Failure::new(Kind::Invalid, words);
            match error {
                VerifyError::Epoch { .. } => failure.hint(LATER_COMMITTEES),
                _ => failure,
            }
        })?;
        match verified.object {
            Some(Object::Deal(deal)) => Ok(Self {
                deal,
                height: verified.height,
            }),
            _ => Err(Failure::new(
                Kind::Invalid,
                format_args!("the proof in it is of {}, and of no deal", verified.id),
            )),
        }
    }

    /// Whether it is what a deal was before it was drawn.
    ///
    /// # Errors
    /// With what differs.
    pub fn fits(&self, told: &Deal, secret: &DrawSecret) -> Result<(), String> {
        let proven = &self.deal;
        if told.id != proven.id {
            return Err(format!("the proof in it is of deal {}", proven.id));
        }
        let (Some(was), Some(is)) = (&proven.drawing, &told.drawing) else {
            return Err("the proof in it is of no series of packs".to_owned());
        };
        if was.lot.is_none() {
            return Err(
                "the proof in it is from before the lot, so that it says nothing of what was drawn"
                    .to_owned(),
            );
        }
        let holders =
            |drawing: &Drawing| drawing.packs.iter().map(|p| p.holder).collect::<Vec<_>>();
        let bytes = |drawing: &Drawing| drawing.packs.iter().map(|p| p.entropy).collect::<Vec<_>>();
        let parts = [
            ("giver", told.giver == proven.giver),
            ("cards and bond", told.gives == proven.gives),
            ("price", told.wants == proven.wants),
            (
                "number of packs, commitment or time to reveal",
                told.rule == proven.rule,
            ),
            ("number of packs sold", was.packs.len() == is.packs.len()),
            ("holders", holders(was) == holders(is)),
            ("buyers' bytes", bytes(was) == bytes(is)),
            ("end of the sale", was.closing == is.closing),
            ("lot", was.lot == is.lot),
            ("other terms", *told == self.drawn(told, secret)),
        ];
        match parts.iter().find(|(_, same)| !same) {
            None => Ok(()),
            Some((part, _)) => Err(format!(
                "the committee has certified something else: its {part}"
            )),
        }
    }

    /// The deal once it is drawn, by whoever has shown the secret.
    fn drawn(&self, told: &Deal, secret: &DrawSecret) -> Deal {
        let mut deal = self.deal.clone();
        deal.state = DealState::Taken;
        deal.taker = told.taker;
        if let Some(drawing) = &mut deal.drawing {
            drawing.secret = Some(*secret);
            // It is known with the first commit behind the height that is proven here.
            let told = told.drawing.as_ref().and_then(|d| d.reveal_from);
            drawing.reveal_from = drawing.reveal_from.or(told);
        }
        deal
    }
}
