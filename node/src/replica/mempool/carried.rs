//! P3: which transactions other members' accepted vertices carry. Kept for some rounds in two
//! generations, of which the older one is dropped as a whole: nothing is removed one by one, and the
//! bound is plain. What is forgotten too early is proposed twice.

use std::collections::HashMap;
use weft_types::{MemberIndex, MemberSet, Round, TransactionId, Vertex};

/// Transactions of one generation: of two about 13 MiB at the most.
pub const GENERATION_MAX: usize = 65_536;

type Generation = HashMap<TransactionId, (Round, MemberIndex)>;

#[derive(Debug)]
pub struct Carried {
    hold_rounds: u64,
    young: Generation,
    old: Generation,
    /// The round of which the younger generation's first vertex was.
    since: Round,
    distrusted: MemberSet,
}

impl Carried {
    pub fn new(hold_rounds: u64) -> Self {
        Self {
            hold_rounds,
            young: Generation::new(),
            old: Generation::new(),
            since: Round::ZERO,
            distrusted: MemberSet::default(),
        }
    }

    pub fn note(&mut self, vertex: &Vertex) {
        let (round, author) = (vertex.round(), vertex.author());
        if self.distrusted.contains(author) {
            return;
        }
        if round > self.since.saturating_add(self.hold_rounds) {
            self.turn_over(round);
        }
        for transaction in vertex.transactions().iter().flatten() {
            if self.young.len() >= GENERATION_MAX {
                self.turn_over(round);
            }
            let carrier = self.young.entry(transaction.id());
            let carrier = carrier.or_insert((round, author));
            *carrier = (*carrier).max((round, author));
        }
    }

    fn turn_over(&mut self, round: Round) {
        std::mem::swap(&mut self.young, &mut self.old);
        self.young.clear();
        self.since = round;
    }

    /// Who carries a transaction in a vertex that keeps it back in the own vertex of `round`, and the last
    /// round in which it does.
    pub fn by(&self, id: &TransactionId, round: Round) -> Option<(MemberIndex, Round)> {
        let carriers = [self.young.get(id), self.old.get(id)].into_iter().flatten();
        let lasting = carriers.filter_map(|(of, author)| {
            let until = of.saturating_add(self.hold_rounds);
            let holds = until >= round && !self.distrusted.contains(*author);
            holds.then_some((*author, until))
        });
        lasting.max_by_key(|(_, until)| *until)
    }

    /// Whether this is new.
    pub fn distrust(&mut self, member: MemberIndex) -> bool {
        self.distrusted.insert(member)
    }

    pub fn forget(&mut self, id: &TransactionId) {
        self.young.remove(id);
        self.old.remove(id);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
