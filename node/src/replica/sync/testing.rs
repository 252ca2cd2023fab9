//! A ledger with a certified past, and servers of it that behave in every way.

use super::{
    Answer, Archive, Ask, Closing, NoAnswer, Place, Request, Sync, SyncConfig, Synced, Terms, serve,
};
use crate::replica::heights::due_for_posting;
use crate::replica::held::Held;
use crate::view::CertifiedView;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use weft_ledger::{Ledger, Part, Piece};
use weft_storage::{CommitBatch, Durability, Store};
use weft_types::testing::{self, certify, committee, user};
use weft_types::{
    Address, Amount, AssetId, Certificate, Commit, CommitDigest, CommitIndex, Committee, Epoch,
    GenesisAccount, Height, MemberIndex, MemberSet, Millis, Operation, Payment, ProtocolParams,
    Receipt, Round, Statement, Template, Transaction, Verified, VertexDigest, VertexRef,
};

/// Ledger time between two commits, each of which is a height.
pub const STEP: u64 = 500;
/// How long a transaction may be valid here.
pub const VALIDITY: u64 = 20_000;
/// How long an answer takes, in milliseconds.
const TRIP: u64 = 20;

pub struct Chain {
    params: ProtocolParams,
    pub ledger: Ledger,
    pub commits: Vec<Commit>,
    receipts: BTreeMap<CommitIndex, Vec<Receipt>>,
    statements: BTreeMap<Height, Statement>,
    certificates: BTreeMap<Height, Certificate>,
    holding: Held,
    /// What a member holds of it.
    pub held: Vec<CertifiedView>,
    nonce: u64,
    /// Of the commits to come, and the last commit before it.
    epoch: Epoch,
    pub after: CommitIndex,
    closings: BTreeMap<Epoch, Closing>,
    sent: Vec<(CommitIndex, Arc<Verified<Transaction>>)>,
}

fn account(n: u64) -> Address {
    let mut address = [9; 32];
    address[..8].copy_from_slice(&n.to_be_bytes());
    Address(address)
}

/// The same members in each epoch.
fn committee_of(epoch: Epoch) -> Committee {
    Committee::new(epoch, testing::members(4)).unwrap()
}

impl Chain {
    /// With so many accounts beside the ten users, and with so many commits of one transfer each.
    pub fn new(accounts: u64, commits: usize) -> Self {
        let mut template: Template = testing::genesis(4).template;
        template.params.validity_max_ms = Millis(VALIDITY);
        template.params.gc_depth = 20;
        template
            .accounts
            .extend((0..accounts).map(|n| GenesisAccount {
                address: account(n),
                balance: Amount(1 + n),
            }));
        let holding = Held::new(Millis(1), &template.params, Height::ZERO, Millis::ZERO);
        let mut chain = Self {
            ledger: Ledger::genesis(&template).unwrap().0,
            params: template.params,
            statements: BTreeMap::new(),
            holding,
            commits: Vec::new(),
            receipts: BTreeMap::new(),
            certificates: BTreeMap::new(),
            held: Vec::new(),
            nonce: 0,
            epoch: Epoch::ZERO,
            after: CommitIndex::ZERO,
            closings: BTreeMap::new(),
            sent: Vec::new(),
        };
        (0..commits).for_each(|_| chain.extend(1));
        chain
    }

    pub fn terms(&self) -> Terms {
        Terms {
            network: testing::network(),
            params: self.params.clone(),
            in_office: Arc::new(committee(4)),
            committees: [(Epoch::ZERO, Arc::new(committee(4)))].into(),
            after: BTreeMap::new(),
            followed: Vec::new(),
            unchecked: false,
        }
    }

    pub fn transfer(&mut self) -> Arc<Verified<Transaction>> {
        self.nonce += 1;
        let sender = self.nonce % 10;
        let operation = Operation::Transfer {
            payments: vec![Payment {
                to: user(sender + 1),
                asset: AssetId::NATIVE,
                amount: Amount(1),
            }],
            items: Vec::new(),
        };
        let mut body = testing::body(sender, self.nonce, vec![operation]);
        body.valid_until = Millis(self.now().0 + VALIDITY / 2);
        let signed = body.sign(&[&testing::user_key(sender)]);
        Arc::new(signed.verify(testing::network().id()).unwrap())
    }

    fn now(&self) -> Millis {
        self.ledger.meta().timestamp
    }

    /// The next commit, a height, with so many transfers.
    pub fn extend(&mut self, transfers: usize) {
        self.close(transfers, true, None);
    }

    /// The same, which closes the epoch.
    pub fn close_epoch(&mut self) {
        let next = committee_of(self.epoch.next());
        self.close(1, true, Some(&next));
        let closed = Height(self.commits.len() as u64);
        let closing = Closing {
            certificate: self.certificates[&closed].clone(),
            next: next.members().to_vec(),
        };
        self.closings.insert(self.epoch, closing);
        self.epoch = self.epoch.next();
        self.after = CommitIndex(closed.0);
    }

    /// The same, and nobody ever sees a quorum sign it.
    pub fn extend_uncertified(&mut self, transfers: usize) {
        self.close(transfers, false, None);
    }

    fn close(&mut self, transfers: usize, certified: bool, next: Option<&Committee>) {
        let transactions: Vec<_> = (0..transfers).map(|_| self.transfer()).collect();
        let previous = self.commits.last();
        let index = self.ledger.meta().index.next();
        let commit = Commit {
            index,
            leader: VertexRef {
                round: Round(2 * (index.0 - self.after.0)),
                author: MemberIndex(0),
                digest: VertexDigest([1; 32]),
            },
            vertices: Vec::new(),
            timestamp: self.now().saturating_add(STEP),
            previous: previous.map_or(CommitDigest::ZERO, Commit::digest),
            demoted: MemberSet::default(),
            convicted: MemberSet::default(),
        };
        let before = previous.map_or(self.now(), |p| p.timestamp);
        let applied = self.ledger.apply(index, commit.timestamp, &transactions);
        assert_eq!(applied.receipts.len(), transfers);
        self.receipts.insert(index, applied.receipts);
        let sent = transactions.into_iter().map(|t| (index, t));
        self.sent.extend(sent);
        let height = Height(index.0);
        let interval = self.params.checkpoint_interval_ms;
        let due = due_for_posting(height, before, commit.timestamp, interval) || next.is_some();
        let roots = self.ledger.close_height(due, &mut Vec::new());
        let (network, epoch) = (testing::network(), self.epoch);
        let mut statement =
            Statement::of_commit(network, epoch, height, (&commit, commit.digest()), &roots);
        if let Some(next) = next {
            statement.next_committee = next.digest();
        }
        let certificate = certified.then(|| certify(&statement, &[0, 1, 2]));
        self.statements.insert(height, statement.clone());
        self.commits.push(commit);
        if due {
            self.holding.due(height);
        }
        if let Some(certificate) = certificate {
            self.certificates.insert(height, certificate);
            // No others are held, and each costs a pairing.
            let view = due.then(|| self.view(height));
            self.holding.certified(&statement, view.as_ref());
            self.held = self.holding.views().to_vec();
        }
    }

    /// The newest height, due or not, as a server would hold it.
    pub fn view(&self, height: Height) -> CertifiedView {
        let certificate = self.certificates[&height].clone();
        let of = committee_of(certificate.statement.epoch);
        let verified = certificate.verify(&testing::network(), &of);
        CertifiedView {
            certificate: Arc::new(verified.unwrap()),
            snapshot: self.ledger.snapshot(),
        }
    }

    /// Transactions that have had their outcome by a height and are not past their validity then.
    pub fn remembered_at(&self, height: Height) -> Vec<Arc<Verified<Transaction>>> {
        let statement = &self.statements[&height];
        let remembered = self.sent.iter().filter(|(commit, transaction)| {
            *commit <= statement.commit && transaction.body().valid_until >= statement.timestamp
        });
        remembered
            .map(|(_, transaction)| transaction.clone())
            .collect()
    }

    pub fn commit_of(&self, transaction: &Transaction) -> CommitIndex {
        let sent = self.sent.iter().find(|(_, t)| t.id() == transaction.id());
        sent.expect("it was sent").0
    }

    pub fn closing_of(&self, epoch: u64) -> Closing {
        self.closings[&Epoch(epoch)].clone()
    }

    pub fn newest_due(&self) -> Height {
        self.held.last().unwrap().certificate.statement.height
    }

    /// What a node's database has of a commit.
    pub fn write(&self, store: &Store, index: CommitIndex) {
        let commit = &self.commits[index.0 as usize - 1];
        let mut batch = CommitBatch::new(commit.clone());
        for receipt in &self.receipts[&index] {
            batch.push_receipt(receipt.transaction, receipt.encode());
        }
        let height = Height(index.0);
        batch.statement = self.statements.get(&height).cloned();
        store.write_commit(&batch, Durability::Buffered).unwrap();
        if let Some(certificate) = self.certificates.get(&height) {
            let put = store.put_certificate(certificate, Durability::Buffered);
            put.unwrap();
        }
    }

    pub fn receipts_since(&self, since: Millis, until: CommitIndex) -> Vec<Receipt> {
        let within = |c: &&Commit| c.timestamp >= since && c.index <= until;
        let commits = self.commits.iter().filter(within);
        commits
            .flat_map(|c| self.receipts[&c.index].clone())
            .collect()
    }
}

impl Archive for Chain {
    type Error = Infallible;

    fn closing(&self, epoch: Epoch) -> Result<Option<Closing>, Infallible> {
        Ok(self.closings.get(&epoch).cloned())
    }

    fn certificate(&self, height: Height) -> Result<Option<Certificate>, Infallible> {
        Ok(self.certificates.get(&height).cloned())
    }

    fn statement(&self, height: Height) -> Result<Option<Statement>, Infallible> {
        Ok(self.statements.get(&height).cloned())
    }

    fn commit(&self, index: CommitIndex) -> Result<Option<Commit>, Infallible> {
        let place = (index.0 as usize).checked_sub(1);
        Ok(place.and_then(|place| self.commits.get(place).cloned()))
    }

    fn receipts(&self, after: CommitIndex, until: CommitIndex) -> Result<Vec<Bytes>, Infallible> {
        let receipts = self.receipts.range(after.next()..=until);
        Ok(receipts.flat_map(|(_, r)| r).map(Receipt::encode).collect())
    }
}

/// How a server answers.
#[derive(Debug, Clone, Copy)]
pub enum Server {
    Honest,
    /// Changes what it answers to questions of a kind; `false`: leaves it.
    Lies(fn(&mut Answer) -> bool),
    /// Flips a bit of every answer's bytes, at a place that the number draws.
    Flips(u64),
    /// Splits whatever can be split.
    Splits,
    Stalls,
    /// Refuses everything but offers.
    Lacks,
    /// Also offers the newest height, which was not due.
    OffersAnything,
    Absent,
}

/// What came of a run.
pub struct Ran {
    pub synced: Option<Synced>,
    pub took: u64,
    pub notes: String,
    /// By server: answers that it gave, offers not counted.
    pub answers: Vec<usize>,
}

/// A node that lacks everything, among these servers, until it has everything or time is over.
pub fn run(chain: &Chain, servers: &[Server], time: u64) -> Ran {
    let mut sync = Sync::new(SyncConfig::default(), chain.terms(), None, Millis(0));
    let place = || Place {
        behind: true,
        commit: CommitIndex::ZERO,
        timestamp: Millis(0),
    };
    let mut under_way: BTreeMap<(u64, u64), (Ask, Result<Answer, NoAnswer>)> = BTreeMap::new();
    let mut ran = Ran {
        synced: None,
        took: 0,
        notes: String::new(),
        answers: vec![0; servers.len()],
    };
    let (mut now, mut number) = (0, 0);
    while now <= time && ran.synced.is_none() {
        while let Some(entry) = under_way.first_entry().filter(|e| e.key().0 <= now) {
            let (ask, answer) = entry.remove();
            if ask.request != Request::Offers {
                ran.answers[ask.of.as_usize()] += 1;
            }
            sync.answered(Millis(now), ask.id, answer);
        }
        let mut asks = Vec::new();
        ran.synced = sync
            .step(Millis(now), place, &mut asks)
            .expect("parts that fit");
        for ask in asks {
            number += 1;
            let server = servers.get(ask.of.as_usize()).unwrap_or(&Server::Absent);
            if let Some(answer) = answer(chain, *server, &ask.request, number) {
                under_way.insert((now + TRIP, number), (ask, answer));
            }
        }
        ran.notes += &sync.notes().join("\n");
        let next = under_way.keys().next().map(|(at, _)| *at);
        let deadline = sync.deadline().map(|d| d.0);
        let next = next.into_iter().chain(deadline).min().expect("behind");
        ran.took = now;
        now = next.max(now + 1);
    }
    ran
}

fn answer(
    chain: &Chain,
    server: Server,
    request: &Request,
    number: u64,
) -> Option<Result<Answer, NoAnswer>> {
    let mut held = chain.held.clone();
    if matches!(server, Server::OffersAnything) {
        let newest = Height(chain.commits.len() as u64);
        held.push(chain.view(newest));
    }
    let Ok(mut answer) = serve(chain, &held, request);
    // As it comes out of its bytes.
    let read = |bytes: Bytes| Answer::decode(request, bytes).map_err(NoAnswer::Malformed);
    match server {
        Server::Honest | Server::OffersAnything => {}
        Server::Lies(lie) => drop(lie(&mut answer)),
        Server::Flips(seed) => {
            let mut bytes = answer.encode().to_vec();
            let drawn = blake3::hash(&(seed ^ (number << 20)).to_be_bytes());
            let drawn = u64::from_be_bytes(drawn.as_bytes()[..8].try_into().unwrap());
            let place = drawn as usize % bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << (drawn >> 61);
            }
            return Some(read(bytes.into()));
        }
        Server::Splits => split(chain, &held, request, &mut answer),
        Server::Stalls if *request == Request::Offers => {}
        Server::Stalls | Server::Absent => return None,
        Server::Lacks if *request == Request::Offers => {}
        Server::Lacks => answer = Answer::Lacks,
    }
    Some(read(answer.encode()))
}

/// Makes a split of leaves, by what is below each digit.
fn split(chain: &Chain, held: &[CertifiedView], request: &Request, answer: &mut Answer) {
    let Request::State { height, prefix } = request else {
        return;
    };
    if !matches!(answer, Answer::State(Piece::Leaves(leaves)) if leaves.len() > 1) {
        return;
    }
    let part = |digit: u8| {
        let prefix = prefix.child(digit);
        let request = Request::State {
            height: *height,
            prefix: prefix.clone(),
        };
        let Ok(Answer::State(Piece::Leaves(leaves))) = serve(chain, held, &request) else {
            panic!("a part of leaves is leaves");
        };
        let root = Piece::Leaves(leaves.clone());
        let hash = super::tests::root_below(&root, &prefix);
        match leaves.len() {
            0 => Part::Empty,
            1 => Part::Leaf(hash),
            _ => Part::Branch(hash),
        }
    };
    let parts: Vec<Part> = (0..16).map(part).collect();
    *answer = Answer::State(Piece::Split(Box::new(parts.try_into().unwrap())));
}
