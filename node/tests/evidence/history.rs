//! A short history with all that a watcher's store has of it, made by hand: vertices of four members, commits, heights
//! and their certificates.

use std::sync::Arc;
use tempfile::TempDir;
use weft_ledger::{Ledger, Office};
use weft_node::CertifiedView;
use weft_node::evidence::{Case, Reader, Record, Report, Unusable, Writer, replay, write};
use weft_node::replica::{observations, stored_objects};
use weft_storage::{CommitBatch, Durability, Store};
use weft_types::testing::{self, certify, user, vertex_key};
use weft_types::{
    Amount, AssetId, Certificate, Commit, CommitDigest, CommitIndex, Epoch, Genesis, Height,
    MemberIndex, MemberSet, Millis, Observation, Operation, Payment, Round, Statement, Transaction,
    TransactionBody, Verified, Vertex, VertexBody, VertexRef,
};

const MEMBERS: usize = 4;

pub struct History {
    _folder: TempDir,
    pub store: Store,
    pub genesis: Genesis,
    ledger: Ledger,
    round: Vec<VertexRef>,
    index: CommitIndex,
    digest: CommitDigest,
    pub now: Millis,
    /// Of heights, with their certificates by the first three members.
    pub views: Vec<CertifiedView>,
    /// The newest.
    pub statement: Option<Statement>,
}

impl History {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let genesis = testing::genesis(MEMBERS);
        let network = genesis.network.id();
        let vertices = (0..MEMBERS as u32).map(|i| {
            let vertex = Vertex::genesis(network, Epoch::ZERO, MemberIndex(i));
            vertex.reference()
        });
        Self {
            store: Store::open(&folder.path().join("db"), network).unwrap(),
            ledger: Ledger::genesis(&genesis.template).unwrap().0,
            round: vertices.collect(),
            index: CommitIndex::ZERO,
            digest: CommitDigest::ZERO,
            now: genesis.template.timestamp_ms,
            views: Vec::new(),
            statement: None,
            genesis,
            _folder: folder,
        }
    }

    /// Three heights of two transfers each, and a fourth one that is not certified.
    pub fn of_four_heights() -> Self {
        let mut history = Self::new();
        for n in 0..4 {
            history.commit(vec![history.transfer(2 * n)], false);
            history.commit(vec![history.transfer(2 * n + 1)], true);
            if n < 3 {
                history.certify();
            }
        }
        history
    }

    /// One of user 1 to user 2.
    pub fn transfer(&self, nonce: u64) -> Transaction {
        let operation = Operation::Transfer {
            payments: vec![Payment {
                to: user(2),
                asset: AssetId::NATIVE,
                amount: Amount(1_000),
            }],
            items: Vec::new(),
        };
        let body = TransactionBody {
            network: self.genesis.network.id(),
            ..testing::body(1, nonce, vec![operation])
        };
        body.sign(&[&testing::user_key(1)])
    }

    /// A round of vertices, the first of them with these transactions, committed; the end of a height or not.
    pub fn commit(&mut self, transactions: Vec<Transaction>, closes: bool) {
        self.now = self.now.saturating_add(500);
        let network = self.genesis.network.id();
        let verify = |t: Transaction| Arc::new(t.verify(network).unwrap());
        let mut transactions = Some(transactions.into_iter().map(verify).collect());
        let vertices: Vec<Verified<Vertex>> = (0..MEMBERS)
            .map(|i| self.vertex(i, transactions.take().unwrap_or_default()))
            .collect();
        self.round = vertices.iter().map(|v| v.reference()).collect();
        let commit = Commit {
            index: self.index.next(),
            leader: self.round[0],
            vertices: self.round.clone(),
            timestamp: self.now,
            previous: self.digest,
            demoted: MemberSet::default(),
            convicted: MemberSet::default(),
        };
        self.index = commit.index;
        self.digest = commit.digest();
        let all = vertices.iter().map(|v| &**v);
        self.store.put_vertices(all, Durability::Buffered).unwrap();
        self.execute(commit, &vertices, closes);
    }

    fn vertex(&self, i: usize, transactions: Vec<Arc<Verified<Transaction>>>) -> Verified<Vertex> {
        let mut parents = vec![self.round[i]];
        let others = self
            .round
            .iter()
            .copied()
            .filter(|p| p.author.as_usize() != i);
        parents.extend(others);
        let body = VertexBody {
            network: self.genesis.network.id(),
            epoch: Epoch::ZERO,
            round: Round(self.round[0].round.0 + 1),
            author: MemberIndex(i as u32),
            timestamp: self.now,
            parents,
            weak_links: Vec::new(),
            transactions: transactions.iter().map(|t| t.encoded().clone()).collect(),
            shares: Vec::new(),
            observation: Observation::default(),
            offences: Vec::new(),
        };
        Vertex::sign(body, transactions, &vertex_key(i))
    }

    fn execute(&mut self, commit: Commit, vertices: &[Verified<Vertex>], closes: bool) {
        let committee = self.genesis.committee().unwrap();
        let office = Office {
            network: self.genesis.network.id(),
            committee: &committee,
            genesis: self.genesis.template.timestamp_ms,
            contracts: self.genesis.contracts(),
            ordered: &commit.vertices,
        };
        let observed = observations(&committee, vertices);
        let all = vertices.iter().flat_map(|v| v.transactions()).flatten();
        let all: Vec<_> = all.cloned().collect();
        let seen = (&observed[..], &office);
        let mut applied = self
            .ledger
            .apply_observing(commit.index, commit.timestamp, seen, &all);
        let mut batch = CommitBatch::new(commit.clone());
        for receipt in &applied.receipts {
            batch.push_receipt(receipt.transaction, receipt.encode());
        }
        if closes {
            let roots = self.ledger.close_height(true, &mut applied.changes);
            let height = self.statement.as_ref().map_or(Height::ZERO, |s| s.height);
            let place = (&commit, self.digest);
            let network = self.genesis.network;
            let statement =
                Statement::of_commit(network, Epoch::ZERO, height.next(), place, &roots);
            batch.statement = Some(statement.clone());
            self.statement = Some(statement);
        }
        batch.objects = stored_objects(&applied.changes);
        self.store
            .write_commit(&batch, Durability::Buffered)
            .unwrap();
    }

    /// A quorum certifies the newest height.
    pub fn certify(&mut self) {
        let statement = self.statement.as_ref().unwrap();
        let certificate = certify(statement, &[0, 1, 2]);
        self.store
            .put_certificate(&certificate, Durability::Buffered)
            .unwrap();
        let committee = self.genesis.committee().unwrap();
        let certificate = certificate
            .verify(&self.genesis.network, &committee)
            .unwrap();
        self.views.push(CertifiedView {
            certificate: Arc::new(certificate),
            snapshot: self.ledger.snapshot(),
        });
    }

    /// What the last three members certify of the newest height, after a change.
    pub fn accused(&self, change: impl FnOnce(&mut Statement)) -> Certificate {
        let mut statement = self.statement.clone().unwrap();
        change(&mut statement);
        certify(&statement, &[1, 2, 3])
    }

    /// The evidence of a watcher that agreed with so many heights.
    pub fn evidence(&self, accused: &Certificate, agreed: usize) -> Vec<u8> {
        let case = Case {
            accused,
            rival: None,
            own: self.statement.as_ref(),
            agreed: agreed.checked_sub(1).map(|n| &self.views[n]),
        };
        write(Vec::new(), &self.genesis, &self.store, &case).unwrap()
    }

    pub fn replay(&self, evidence: &[u8]) -> Result<Report, Unusable> {
        replay(evidence, &self.genesis)
    }
}

/// The parts of evidence.
pub fn records(evidence: &[u8]) -> Vec<Record> {
    let mut reader = Reader::new(evidence).unwrap();
    let mut records = Vec::new();
    while records.last() != Some(&Record::End) {
        records.push(reader.take().unwrap());
    }
    records
}

pub fn bytes(records: &[Record]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new()).unwrap();
    for record in records.iter().filter(|r| **r != Record::End) {
        writer.write(record).unwrap();
    }
    writer.finish().unwrap()
}
