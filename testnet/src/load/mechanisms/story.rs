//! A few transactions, each after the one before.

use crate::load::accounts::Player;
use crate::load::sign::reaching;
use std::collections::VecDeque;
use weft_client::Draft;
use weft_types::{DealId, Operation, Transaction};

/// One transaction: who sends it, who signs it too, and what it does, about the story's deal if there is one.
struct Step {
    sender: Player,
    signs_too: Option<Player>,
    does: Box<dyn FnOnce(DealId) -> Operation + Send>,
}

pub struct Story {
    next: Step,
    rest: VecDeque<Step>,
    /// What it has opened last.
    deal: DealId,
    entries: u64,
    /// Place of its last transaction, or of what it waits for.
    after: Option<u32>,
    /// From this place on it goes on.
    pub due: u32,
    /// Whom no other story may have meanwhile.
    ward: Option<Box<Player>>,
}

/// What becomes of a story.
pub enum Then {
    GoesOn(Box<Story>),
    Over { ward: Option<Box<Player>> },
}

impl Step {
    fn new(sender: &Player, does: impl FnOnce(DealId) -> Operation + Send + 'static) -> Self {
        Self {
            sender: sender.clone(),
            signs_too: None,
            does: Box::new(does),
        }
    }
}

impl Story {
    pub fn begin(sender: &Player, operation: Operation) -> Self {
        Self {
            next: Step::new(sender, |_| operation),
            rest: VecDeque::new(),
            deal: DealId::default(),
            entries: 0,
            after: None,
            due: 0,
            ward: None,
        }
    }

    /// Another one signs the beginning.
    pub fn with(mut self, other: &Player) -> Self {
        self.next.signs_too = Some(other.clone());
        self
    }

    /// Nobody else has this account until it is over; what another one has done with it comes before.
    pub fn having(mut self, ward: Box<Player>, after: Option<u32>) -> Self {
        (self.ward, self.after) = (Some(ward), after);
        self
    }

    pub fn then(
        mut self,
        sender: &Player,
        does: impl FnOnce(DealId) -> Operation + Send + 'static,
    ) -> Self {
        self.rest.push_back(Step::new(sender, does));
        self
    }

    /// The next transaction, and what has to be committed before it.
    pub fn go_on(mut self, place: u32, draft: &Draft) -> ((Transaction, Vec<u32>), Then) {
        let Step {
            sender,
            signs_too,
            does,
        } = self.next;
        let operation = does(self.deal);
        let draft = reaching(draft, &operation, self.entries);
        let opened = (0..)
            .zip(operation.parts())
            .find_map(|(n, part)| match part {
                Operation::DealOpen(terms) => Some((n, terms.entries())),
                _ => None,
            });
        let body = draft.body(sender.address, vec![operation]);
        let signers = [Some(&sender), signs_too.as_ref()];
        let keys: Vec<_> = signers.into_iter().flatten().map(|p| &p.key).collect();
        let transaction = body.sign(&keys);
        if let Some((part, entries)) = opened {
            self.deal = DealId::derive(&transaction.id(), part);
            self.entries = entries;
        }
        let made = (transaction, Vec::from_iter(self.after.replace(place)));
        let then = match self.rest.pop_front() {
            Some(next) => Then::GoesOn(Box::new(Self { next, ..self })),
            None => Then::Over { ward: self.ward },
        };
        (made, then)
    }
}
