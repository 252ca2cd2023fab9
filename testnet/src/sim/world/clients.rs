//! The load; what clients do that know the order of members (P1), and what is owed to them (P4).

use super::{Event, Phase, Work, World};
use crate::sim::clients::{Clients, Offer};
use crate::sim::oracle::Rule;
use std::sync::Arc;
use weft_node::replica::Executed;
use weft_types::{Transaction, TransactionId, Verified};

/// A client whose member has left turns to another one after so long, in microseconds.
const RETRY_US: u64 = 50_000;

impl World {
    /// The next transaction, to an honest member that is up: a client would not wait for another.
    pub(super) fn load(&mut self) {
        if self.phase != Phase::Faults {
            return;
        }
        if self.clients.is_some() {
            self.offer();
            return self.next_load();
        }
        let reachable = self.reachable();
        if !reachable.is_empty() {
            let machine = reachable[self.load_rng.place(reachable.len())];
            let transaction = self.cast.transaction(self.submitted, self.now.0 / 1000);
            self.submitted += 1;
            self.known.insert(transaction.clone());
            self.take(machine, Work::Submit(transaction, 1));
        } else {
            self.meter.unreached += 1;
        }
        self.next_load();
    }

    /// Machines that a client would give a transaction to.
    fn reachable(&self) -> Vec<usize> {
        let reachable = |m: &usize| {
            let machine = &self.machines[*m];
            machine.is_honest() && machine.is_up() && !machine.paused && self.accepts(*m)
        };
        let firsts = self.machines_of.iter().map(|m| m[0]);
        firsts.filter(reachable).collect()
    }

    /// Where the committee changes, a client asks first who takes transactions.
    fn accepts(&self, machine: usize) -> bool {
        let replica = self.machines[machine].replica.as_ref();
        self.plan.epoch.is_none() || replica.is_some_and(|r| r.not_accepting().is_none())
    }

    /// Clients of a member that has left give their transactions to another one.
    pub(super) fn give_elsewhere(&mut self, machine: usize) {
        if self.machines[machine].place().is_some() || self.clients.is_some() {
            return;
        }
        for id in self.meter.left(machine) {
            let reachable = self.reachable();
            let place = self.churn_rng.place(reachable.len());
            if let Some(machine) = reachable.get(place)
                && let Some(transaction) = self.known.of(&id)
            {
                let machine = *machine;
                let submit = Event::Submit {
                    machine,
                    transaction,
                    copies: 1,
                };
                self.queue.push(self.now.after(RETRY_US), submit);
            }
        }
    }

    fn next_load(&mut self) {
        // Spread evenly, each a little by chance, so that no load keeps step with the rounds.
        let mean = 1_000_000 / u64::from(self.plan.rate);
        let pause = self.load_rng.between(0, 2 * mean).max(1);
        self.queue.push(self.now.after(pause), Event::Load);
    }

    /// A client's next transaction goes to the first members of its order.
    pub(super) fn offer(&mut self) {
        let transaction = self.cast.transaction(self.submitted, self.now.0 / 1000);
        self.submitted += 1;
        self.known.insert(transaction.clone());
        let id = transaction.id();
        let Some(copies) = self.clients.as_ref().map(|c| c.copies) else {
            return;
        };
        let due = self.owes(&id, copies).then(|| {
            let rounds = Clients::rounds_max(copies);
            self.top.saturating_add(rounds)
        });
        if let Some(clients) = &mut self.clients {
            clients.offer(Offer {
                transaction: transaction.clone(),
                since: self.now,
                round: self.top,
                given: copies,
                due,
                refused: false,
            });
            let timeout = clients.timeout();
            self.queue.push(self.now.after(timeout), Event::TimeOut(id));
        }
        let seating = self.cast.newest().clone();
        let first = seating.committee.proposers(&id, copies);
        for node in first.into_iter().filter_map(|m| seating.node(m)) {
            self.give(node, &transaction, copies);
        }
    }

    /// P4: whether more than F of stake is given it, and nothing but members stands in its way.
    fn owes(&self, id: &TransactionId, copies: usize) -> bool {
        let seating = self.cast.newest();
        let given = seating.committee.proposers(id, copies);
        let nodes = given.iter().filter_map(|m| seating.node(*m));
        let sound = nodes.into_iter().any(|node| {
            let place = self.machines_of[node][0];
            let machine = &self.machines[place];
            machine.is_honest() && !self.victims.iter().flatten().any(|v| *v == place)
        });
        sound && self.is_calm() && seating.committee.is_validity(&given.into_iter().collect())
    }

    /// Each way to a member takes up to a mean delay.
    fn give(&mut self, node: usize, transaction: &Arc<Verified<Transaction>>, copies: usize) {
        let longest = self.clients.as_ref().map_or(0, |c| c.way);
        let at = self.now.after(self.load_rng.between(0, longest));
        let submit = Event::Submit {
            machine: self.machines_of[node][0],
            transaction: transaction.clone(),
            copies,
        };
        self.queue.push(at, submit);
    }

    pub(super) fn submit(
        &mut self,
        machine: usize,
        transaction: Arc<Verified<Transaction>>,
        copies: usize,
    ) {
        let crime = self.machines[machine].crime.as_ref();
        if crime.is_none_or(|crime| !crime.drops_transactions(self.now)) {
            self.take(machine, Work::Submit(transaction, copies));
        }
    }

    /// A client that has waited long enough gives its transaction to the next member, which it tells of
    /// no other.
    pub(super) fn time_out(&mut self, id: &TransactionId) {
        let Some(clients) = &mut self.clients else {
            return;
        };
        let timeout = clients.timeout();
        let Some(offer) = clients.open(id) else {
            return;
        };
        let (next, transaction) = (offer.given, offer.transaction.clone());
        offer.given += 1;
        let seating = self.cast.newest().clone();
        let members = seating.committee.size();
        let order = seating.committee.proposers(id, members);
        if let Some(node) = seating.node(order[next % members]) {
            self.give(node, &transaction, 1);
        }
        if next + 1 < 2 * members {
            self.queue
                .push(self.now.after(timeout), Event::TimeOut(*id));
        }
    }

    /// P4: who is refused by a member that it can rely on is promised nothing.
    pub(super) fn note_answer(&mut self, id: &TransactionId, taken: bool) {
        let offer = self.clients.as_mut().and_then(|c| c.open(id));
        if let Some(offer) = offer.filter(|_| !taken) {
            offer.due = None;
            offer.refused = true;
        }
    }

    /// A commit that nobody honest has made before.
    pub(super) fn note_order(&mut self, executed: &Executed) {
        self.meter.ordered += executed.transactions.len() as u64;
        self.meter.applied += executed.applied.receipts.len() as u64;
        if let Some(clients) = &mut self.clients {
            for receipt in &executed.applied.receipts {
                clients.ordered(&receipt.transaction, self.now, self.top);
            }
        }
    }

    /// P4: looks for transactions whose rounds are over.
    pub(super) fn look_for_inclusion(&mut self) {
        let overdue = self.clients.as_mut().map(|c| c.overdue(self.top));
        for (id, due) in overdue.unwrap_or_default() {
            let what = format!("transaction {id} is not ordered, and was due in round {due}");
            self.oracle.violation(Rule::Inclusion, self.now, 0, what);
        }
    }
}
