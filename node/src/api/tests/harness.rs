//! A node for tests: the real store, ledger and API, and in place of the replica a task that takes
//! what is submitted and commits it at once, or when it is told to.

use crate::api::{ApiParts, ApiState, Limits, Refusal, Submit, Submitter, router};
use crate::contents::Finder;
use crate::events::EventLog;
use crate::index::{Indexed, rows, rows_of_state};
use crate::replica::Provable;
use crate::sealed;
use crate::staging::Staging;
use crate::tracker::Tracker;
use crate::view::{CertifiedView, View};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use bytes::Bytes;
use prost::Message as _;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt as _;
use weft_http::ClientAddress;
use weft_ledger::{Ledger, Observed, Office};
use weft_storage::{CommitBatch, Durability, Import, Store};
use weft_types::api::{
    MissedCheckpoint, PROTOBUF, Problem, ProblemCode, Submission, TransactionStatus,
};
use weft_types::*;

/// Most bytes of content that a node here stores.
pub const CONTENT_BYTES: u64 = 600 << 10;

/// What the stand-in for the replica does with a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    CommitAtOnce,
    /// Takes it, and commits when [`Node::commit`] is called.
    Hold,
    Full,
    NotAccepting,
    /// Drops what it is sent, as one that stops.
    Gone,
}

struct Chain {
    ledger: Ledger,
    last: Commit,
    held: Vec<Arc<Verified<Transaction>>>,
    /// What the next commit's vertex proves against others.
    offences: Vec<Offence>,
    /// What it credits.
    deposits: Vec<Deposit>,
    /// X3: of the heights that were posted.
    provable: Vec<Provable>,
    /// To how many members the newest submission was given.
    copies: usize,
    mode: Mode,
    height: Height,
    certified: Option<CertifiedView>,
}

#[derive(Clone)]
pub struct Node {
    pub router: Router,
    pub state: ApiState,
    chain: Arc<Mutex<Chain>>,
    views: Arc<watch::Sender<Arc<View>>>,
    /// What the base chain lacks.
    pub late: Arc<watch::Sender<Option<MissedCheckpoint>>>,
    /// Content that other nodes have.
    pub elsewhere: Arc<Mutex<BTreeMap<ContentHash, Bytes>>>,
    _folder: Arc<TempDir>,
}

pub fn clock() -> Millis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Millis(since.unwrap().as_millis() as u64)
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body, when the request succeeded.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The problem of that code, in the form that RFC 9457 asks for.
    #[track_caller]
    pub fn problem(&self, code: ProblemCode) -> Problem {
        let problem = self.any_problem();
        assert_eq!(problem.code, code.as_str(), "{problem:?}");
        assert_eq!(problem.status, code.status());
        problem
    }

    #[track_caller]
    pub fn any_problem(&self) -> Problem {
        let kind = self.headers.get(header::CONTENT_TYPE).map(|v| v.as_bytes());
        let kind = kind.map(String::from_utf8_lossy);
        let text = self.text();
        assert_eq!(kind.as_deref(), Some("application/problem+json"), "{text}");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status.as_u16());
        assert!(problem.instance.is_some());
        problem
    }
}

pub fn genesis() -> Genesis {
    testing::genesis(4)
}

/// A body by user `i`, valid for a minute, that can pay for what tests do.
pub fn body(i: u64, nonce: u64, operations: Vec<Operation>) -> TransactionBody {
    TransactionBody {
        network: genesis().network.id(),
        valid_until: clock().saturating_add(60_000),
        ..testing::body(i, nonce, operations)
    }
}

pub fn signed(i: u64, nonce: u64, operations: Vec<Operation>) -> Transaction {
    body(i, nonce, operations).sign(&[&testing::user_key(i)])
}

pub fn pay(from: u64, nonce: u64, to: u64, amount: u64) -> Transaction {
    let payment = Payment {
        to: testing::user(to),
        asset: AssetId::NATIVE,
        amount: Amount(amount),
    };
    let transfer = Operation::Transfer {
        payments: vec![payment],
        items: vec![],
    };
    signed(from, nonce, vec![transfer])
}

pub fn list(transactions: &[Transaction]) -> Vec<u8> {
    let transactions = transactions.iter().map(|t| t.encoded().clone());
    wire::TransactionList {
        transactions: transactions.collect(),
    }
    .encode_to_vec()
}

impl Node {
    pub fn start() -> Self {
        Self::with_limits(Limits::default())
    }

    pub fn with_limits(limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let genesis = Arc::new(genesis());
        let store = Store::open(&folder.path().join("db"), genesis.network.id()).unwrap();
        let (ledger, _) = Ledger::genesis(&genesis.template).unwrap();
        let chain = Chain {
            last: Commit {
                index: CommitIndex::ZERO,
                leader: link(0),
                vertices: Vec::new(),
                timestamp: Millis::ZERO,
                previous: CommitDigest::ZERO,
                demoted: MemberSet::default(),
                convicted: MemberSet::default(),
            },
            ledger,
            held: Vec::new(),
            offences: Vec::new(),
            deposits: Vec::new(),
            provable: Vec::new(),
            copies: 0,
            mode: Mode::CommitAtOnce,
            height: Height::ZERO,
            certified: None,
        };
        let view = Arc::new(chain.view());
        let parts = (genesis, Arc::new(store), Arc::new(Mutex::new(chain)));
        Self::assemble(parts, view, limits, Arc::new(folder))
    }

    fn assemble(
        (genesis, store, chain): (Arc<Genesis>, Arc<Store>, Arc<Mutex<Chain>>),
        view: Arc<View>,
        limits: Limits,
        folder: Arc<TempDir>,
    ) -> Self {
        let (views, view) = watch::channel(view);
        let (_peers, peers) = watch::channel(3);
        let (submitter, submitted) = Submitter::channel();
        let late = watch::Sender::new(None);
        let (contents, mut wanted) = Finder::channel();
        let metrics = Arc::default();
        let own = Some(testing::finality_key(0));
        let staging = Staging::new(genesis.network.id(), own, Millis::ZERO);
        let parts = ApiParts {
            history_from: watch::channel(CommitIndex::ZERO).1,
            committee: watch::channel(Arc::new(weft_types::testing::committee(4))).1,
            bonds: watch::channel(BTreeMap::from([(3, true), (1, false)])).1,
            missed: late.subscribe(),
            bridge_lags: watch::channel(false).1,
            contents,
            content_bytes_max: CONTENT_BYTES,
            staging: Arc::new(staging),
            name: "tester".to_owned(),
            genesis,
            store,
            views: view,
            peers,
            tracker: Arc::new(Tracker::new(Arc::clone(&metrics))),
            events: EventLog::new(1),
            submitter,
            metrics,
            limits,
        };
        let state = ApiState::new(parts).unwrap();
        let node = Self {
            router: router(state.clone()),
            state,
            chain,
            views: Arc::new(views),
            late: Arc::new(late),
            elsewhere: Arc::default(),
            _folder: folder,
        };
        let others = node.elsewhere.clone();
        tokio::spawn(async move {
            while let Some(wanted) = wanted.recv().await {
                let content = others.lock().unwrap().get(&wanted.hash).cloned();
                if let Some(bytes) = content {
                    let _gone = wanted.answer.send(bytes);
                }
            }
        });
        tokio::spawn(node.clone().take(submitted));
        node
    }

    /// The same node after a restart: its store is all that it remembers.
    pub fn restarted(&self) -> Self {
        let state = &self.state;
        let parts = (
            state.genesis.clone(),
            state.store.clone(),
            self.chain.clone(),
        );
        let view = state.views.borrow().clone();
        Self::assemble(parts, view, state.limits, self._folder.clone())
    }

    /// The same node behind other routes.
    pub fn with_router(&self, router: Router) -> Self {
        let node = self.clone();
        Self { router, ..node }
    }

    async fn take(self, mut submitted: mpsc::Receiver<Submit>) {
        while let Some(submit) = submitted.recv().await {
            let count = submit.transactions.len();
            let mode = {
                let mut chain = self.chain.lock().unwrap();
                chain.copies = submit.copies;
                chain.mode
            };
            let full = || Refusal::Full {
                bytes: 64,
                bytes_max: 64,
            };
            let results = match mode {
                Mode::CommitAtOnce | Mode::Hold => vec![Ok(()); count],
                Mode::Full => vec![Err(full()); count],
                Mode::NotAccepting => {
                    let reason = "9 heights wait for a certificate".to_owned();
                    vec![Err(Refusal::NotAccepting(reason)); count]
                }
                Mode::Gone => continue,
            };
            let taken = results.iter().all(Result::is_ok);
            let _gone = submit.answer.send(results);
            if taken {
                self.chain.lock().unwrap().held.extend(submit.transactions);
            }
            if mode == Mode::CommitAtOnce {
                self.commit();
            }
        }
    }

    /// To how many members the newest submission was given, as the replica was told.
    pub fn copies(&self) -> usize {
        self.chain.lock().unwrap().copies
    }

    pub fn mode(&self, mode: Mode) {
        self.chain.lock().unwrap().mode = mode;
    }

    /// Commits what is held, as a driver does: store, view, tracker, events.
    pub fn commit(&self) {
        self.commit_at(clock());
    }

    pub fn commit_at(&self, timestamp: Millis) {
        let mut chain = self.chain.lock().unwrap();
        let transactions = std::mem::take(&mut chain.held);
        let commit = Commit {
            index: chain.last.index.next(),
            leader: link(chain.last.index.0 + 1),
            vertices: vec![link(chain.last.index.0 + 1)],
            timestamp: timestamp.max(chain.last.timestamp),
            previous: chain.last.digest(),
            demoted: [MemberIndex(2)].into_iter().collect(),
            convicted: MemberSet::default(),
        };
        let offences = std::mem::take(&mut chain.offences);
        let deposits = std::mem::take(&mut chain.deposits);
        let said = sayings(&chain.ledger, &deposits);
        let observed = said.iter().map(|(member, said)| Observed {
            member: *member,
            said,
            offences: if *member == 1 { &offences } else { &[] },
        });
        let observed: Vec<_> = observed.collect();
        let committee = self.state.genesis.committee().unwrap();
        let office = Office {
            network: self.state.genesis.network.id(),
            committee: &committee,
            genesis: self.state.genesis.template.timestamp_ms,
            contracts: self.state.genesis.contracts(),
            ordered: &commit.vertices,
        };
        let applied = chain.ledger.apply_observing(
            commit.index,
            commit.timestamp,
            (&observed, &office),
            &transactions,
        );
        let snapshot = chain.ledger.snapshot();
        let indexed = Indexed {
            commit: commit.index,
            timestamp: commit.timestamp,
            transactions: &transactions,
            applied: &applied,
            snapshot: &snapshot,
        };
        let mut batch = CommitBatch::new(commit.clone());
        for change in &applied.changes {
            let after = change.after.as_ref().map(Object::encode);
            batch.objects.push((change.id, after));
        }
        for receipt in &applied.receipts {
            batch.push_receipt(receipt.transaction, receipt.encode());
        }
        let store = &self.state.store;
        batch.indexes = rows(&indexed, |key| store.index(key)).unwrap();
        store.write_commit(&batch, Durability::Buffered).unwrap();
        chain.last = commit.clone();
        self.views.send_replace(Arc::new(chain.view()));
        let ids = applied.receipts.iter().map(|r| r.transaction);
        self.state
            .tracker
            .on_commit(commit.index, commit.timestamp, ids);
        self.state.events.on_commit(&commit, &indexed);
    }

    /// The node takes no more transactions, for this reason.
    pub fn halt(&self, reason: &str) {
        let mut view = View::clone(&self.views.borrow());
        view.not_accepting = Some(reason.to_owned());
        view.not_ready = Some(reason.to_owned());
        self.views.send_replace(Arc::new(view));
    }

    /// Makes it an observer, whose state may be old.
    pub fn observe(&self, not_ready: Option<&str>) {
        let mut view = View::clone(&self.views.borrow());
        view.own = None;
        view.not_accepting = Some("an observer".to_owned());
        view.not_ready = not_ready.map(str::to_owned);
        self.views.send_replace(Arc::new(view));
    }

    /// Closes a height at the newest commit, and certifies it.
    pub fn certify(&self) -> Height {
        let mut chain = self.chain.lock().unwrap();
        let roots = chain.ledger.close_height(false, &mut Vec::new());
        chain.height = chain.height.next();
        let genesis = &self.state.genesis;
        let statement = Statement {
            network: genesis.network,
            timestamp: chain.last.timestamp,
            commit: chain.last.index,
            commit_digest: chain.last.digest(),
            state_root: roots.state_root,
            receipts_root: roots.receipts_root,
            offenders_root: roots.offenders_root,
            withdrawals_root: roots.withdrawals_root,
            exit_root: roots.exit_root,
            ..testing::statement(chain.height.0)
        };
        let certificate = testing::certify(&statement, &[0, 1, 2]);
        let committee = genesis.committee().unwrap();
        let certificate = certificate.verify(&genesis.network, &committee).unwrap();
        let store = &self.state.store;
        // The statement is written with its commit; here a commit without anything carries it.
        let mut batch = CommitBatch::new(chain.last.clone());
        batch.put_statement(statement.clone());
        store.write_commit(&batch, Durability::Buffered).unwrap();
        sealed::keep(store, &certificate, &chain.ledger.snapshot()).unwrap();
        store
            .put_certificate(&certificate, Durability::Buffered)
            .unwrap();
        chain.certified = Some(CertifiedView {
            certificate: Arc::new(certificate.clone()),
            snapshot: chain.ledger.snapshot(),
        });
        self.views.send_replace(Arc::new(chain.view()));
        self.state
            .tracker
            .on_certified(statement.height, statement.commit);
        self.state.events.on_certified(&certificate);
        statement.height
    }

    /// The next commit credits it.
    pub fn deposit(&self, deposit: Deposit) {
        self.chain.lock().unwrap().deposits.push(deposit);
    }

    /// Certifies a height that is posted on the base chain at once.
    pub fn checkpoint(&self) -> Height {
        let height = self.certify();
        let store = &self.state.store;
        let stored = store.put_checkpoint(height, b"posted", Durability::Buffered);
        stored.unwrap();
        let mut chain = self.chain.lock().unwrap();
        let trees = chain.ledger.base_trees().clone();
        chain.provable.push(Provable {
            height,
            deposits: 0,
            trees,
        });
        self.views.send_replace(Arc::new(chain.view()));
        height
    }

    /// S2: the state is these objects, and the index is made of them.
    pub fn take_over(&self, objects: &[(ObjectId, Bytes)]) {
        let mut chain = self.chain.lock().unwrap();
        let params = &self.state.genesis.template.params;
        let (meta, listed) = (chain.ledger.meta(), objects.iter().cloned());
        chain.ledger = Ledger::restore(params, meta, listed, []).unwrap();
        let rows = rows_of_state(objects, &chain.ledger.snapshot()).unwrap();
        for indexes in rows.chunks(10_000) {
            let import = Import {
                indexes,
                ..Import::default()
            };
            self.state.store.import(&import).unwrap();
        }
        self.views.send_replace(Arc::new(chain.view()));
    }

    /// As after a restart: nothing is known of the past but what is stored.
    pub fn forget(&self) {
        let mut chain = self.chain.lock().unwrap();
        chain.provable.clear();
        self.views.send_replace(Arc::new(chain.view()));
    }

    /// The next commit brings the proof that a member has signed two vertices of a round.
    pub fn accuse(&self, author: usize, round: u64) {
        let offence = testing::offence(author, round);
        self.chain.lock().unwrap().offences.push(offence);
    }

    /// Marks a height as anchored on the base chain.
    pub fn anchor(&self, height: Height) {
        let statement = self.state.store.statement(height).unwrap().unwrap();
        self.state.tracker.on_anchored(height, statement.commit);
        self.state.events.on_checkpoint(height, true);
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from(IpAddr::V4(Ipv4Addr::LOCALHOST), request)
            .await
    }

    pub async fn send_from(&self, address: IpAddr, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ClientAddress(address));
        let answered = self.router.clone().oneshot(request);
        let answered = tokio::time::timeout(Duration::from_secs(30), answered);
        let (parts, body) = answered.await.unwrap().unwrap().into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    pub async fn post(&self, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, kind);
        self.send(request.body(body.into()).unwrap()).await
    }

    pub async fn put(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::put(path).body(body.into()).unwrap())
            .await
    }

    /// Posts one encoded transaction.
    pub async fn submit(&self, transaction: &Transaction) -> Answer {
        let encoded = transaction.encoded().to_vec();
        self.post("/v1/transactions", PROTOBUF, encoded).await
    }

    /// Posts one encoded transaction, which must be taken, and waits until it is committed.
    pub async fn done(&self, transaction: &Transaction) -> TransactionStatus {
        let path = "/v1/transactions?wait=committed";
        let encoded = transaction.encoded().to_vec();
        let answer = self.post(path, PROTOBUF, encoded).await;
        taken(&answer).remove(0)
    }
}

/// The states of transactions, all of which were taken.
#[track_caller]
pub fn taken(answer: &Answer) -> Vec<TransactionStatus> {
    let submissions: Vec<Submission> = answer.json();
    let status = |submission| match submission {
        Submission::Taken(status) => status,
        Submission::Refused(refused) => panic!("{}", refused.problem),
    };
    submissions.into_iter().map(status).collect()
}

/// What three of four members say who have seen the deposits, and one brings.
fn sayings(ledger: &Ledger, deposits: &[Deposit]) -> Vec<(u64, Observation)> {
    let feed = &ledger.bridge().deposits;
    let numbered = deposits.iter().zip(feed.processed + 1..);
    let report = FeedReport {
        count: feed.processed + deposits.len() as u64,
        digest: numbered.fold(feed.digest, |d, (deposit, i)| deposit.extend(&d, i)),
    };
    let report = (!deposits.is_empty()).then_some(report);
    let say = |member| {
        let deposits = if member == 3 { deposits } else { &[] };
        let said = Observation {
            report,
            deposits: deposits.to_vec(),
            ..Observation::default()
        };
        (member, said)
    };
    [1, 2, 3].map(say).to_vec()
}

fn link(round: u64) -> VertexRef {
    VertexRef {
        round: Round(round),
        author: MemberIndex(0),
        digest: VertexDigest([7; 32]),
    }
}

impl Chain {
    fn view(&self) -> View {
        let snapshot = self.ledger.snapshot();
        View {
            epoch: Epoch::ZERO,
            round: self.last.leader.round.next(),
            commit: self.last.index,
            timestamp: self.last.timestamp,
            state_root: snapshot.root(),
            snapshot,
            height: self.height,
            certified: self.certified.clone(),
            held: Arc::new([]),
            provable: self.provable.iter().cloned().collect(),
            anchored: Height::ZERO,
            own: Some(MemberIndex(0)),
            not_voting: None,
            not_accepting: None,
            not_ready: None,
            bridge_halted: None,
        }
    }
}
