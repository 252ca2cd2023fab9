//! `weft collection import` against a node that keeps editions and loses requests and answers.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use prost::Message as _;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Output;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::process::Command;
use weft_types::api::{
    Account, Balance, Collection, Content, Edition, Page, Problem, ProblemCode, Receipt,
    Submission, TransactionState, TransactionStatus,
};
use weft_types::{
    Address, Amount, AssetId, CollectionId, CommitIndex, ContentHash, EditionId, ObjectId,
    Operation, Policy, Transaction, TransactionId, testing, wire,
};

/// What goes wrong with a request that carries editions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    Request,
    Answer,
}

#[derive(Default)]
struct Ledger {
    collections: BTreeMap<CollectionId, Collection>,
    editions: Vec<Edition>,
    outcomes: BTreeMap<TransactionId, TransactionStatus>,
    /// By number of the request, from 0.
    losses: BTreeMap<u32, Loss>,
    requests: u32,
    contents: BTreeMap<ContentHash, axum::body::Bytes>,
}

type Shared = Arc<Mutex<Ledger>>;

impl Ledger {
    fn apply(&mut self, transaction: &Transaction) -> TransactionStatus {
        if let Some(known) = self.outcomes.get(&transaction.id()) {
            return known.clone();
        }
        let body = transaction.body();
        let mut created = Vec::new();
        for (number, operation) in (0..).zip(&body.operations) {
            created.push(match operation {
                Operation::CreateCollection { name, .. } => {
                    let id = CollectionId::derive(&body.sender, &body.idempotency, number);
                    let collection = Collection {
                        id,
                        creator: body.sender,
                        name: name.clone(),
                        description: String::new(),
                        item_cap: 0,
                        issued: 0,
                        editions: 0,
                        policy: Policy::default(),
                        roles: vec![],
                        frozen: false,
                    };
                    self.collections.insert(id, collection);
                    ObjectId::Collection(id)
                }
                Operation::CreateEdition(terms) => {
                    let number = self.editions.len() as u64 + 1;
                    let id = EditionId::derive(&terms.collection, number);
                    let terms = terms.clone();
                    self.editions.push(Edition {
                        id,
                        collection: terms.collection,
                        name: terms.name,
                        cap: terms.cap,
                        issued: 0,
                        traits: terms.traits,
                        image: terms.image,
                        image_hash: terms.image_hash,
                        metadata_hash: terms.metadata_hash,
                        reference: terms.reference,
                        frozen: false,
                        uses: terms.uses,
                        sale: None,
                    });
                    ObjectId::Edition(id)
                }
                other => panic!("an import sends no {other:?}"),
            });
        }
        let commit = CommitIndex(self.outcomes.len() as u64 + 1);
        let receipt = Receipt {
            transaction: transaction.id(),
            commit,
            position: 0,
            code: 0,
            code_name: "applied".to_owned(),
            operation: None,
            detail: String::new(),
            fee: Amount(3),
            created,
        };
        let status = TransactionStatus {
            commit: Some(commit),
            code: Some(0),
            receipt: Some(receipt),
            ..TransactionStatus::unordered(transaction.id(), TransactionState::Committed)
        };
        self.outcomes.insert(status.id, status.clone());
        status
    }
}

async fn submit(State(ledger): State<Shared>, body: axum::body::Bytes) -> Response {
    let list = wire::TransactionList::decode(body).unwrap();
    let decode = |bytes| Transaction::decode(bytes).unwrap();
    let transactions: Vec<Transaction> = list.transactions.into_iter().map(decode).collect();
    let mut ledger = ledger.lock().unwrap();
    let first = &transactions[0].body().operations[0];
    let mut loss = None;
    if matches!(first, Operation::CreateEdition(_)) {
        loss = ledger.losses.get(&ledger.requests).copied();
        ledger.requests += 1;
    }
    let lost = (StatusCode::INTERNAL_SERVER_ERROR, "lost").into_response();
    if loss == Some(Loss::Request) {
        return lost;
    }
    let answers = transactions
        .iter()
        .map(|t| Submission::Taken(ledger.apply(t)));
    let answers: Vec<Submission> = answers.collect();
    match loss {
        Some(_) => lost,
        None => Json(answers).into_response(),
    }
}

async fn collection(State(ledger): State<Shared>, Path(id): Path<CollectionId>) -> Response {
    match ledger.lock().unwrap().collections.get(&id) {
        Some(collection) => Json(collection.clone()).into_response(),
        None => {
            let problem = Problem::new(ProblemCode::NotFound, "no such collection");
            (StatusCode::NOT_FOUND, Json(problem)).into_response()
        }
    }
}

/// Seven a page, so that there are several.
async fn editions(
    State(ledger): State<Shared>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Json<Page<Edition>> {
    let from = query.get("cursor").map_or(0, |c| c.parse().unwrap());
    let ledger = ledger.lock().unwrap();
    let items: Vec<Edition> = ledger.editions.iter().skip(from).take(7).cloned().collect();
    let next = from + items.len();
    let next = (next < ledger.editions.len()).then(|| next.to_string());
    Json(Page { items, next })
}

/// Takes what an edition names.
async fn content(
    State(ledger): State<Shared>,
    Path(hash): Path<ContentHash>,
    body: axum::body::Bytes,
) -> Response {
    let mut ledger = ledger.lock().unwrap();
    let names = |e: &Edition| [e.image_hash, e.metadata_hash].contains(&Some(hash));
    if ContentHash::of(&body) != hash || !ledger.editions.iter().any(names) {
        let problem = Problem::new(ProblemCode::ContentNotNamed, "no edition names it");
        return (StatusCode::NOT_FOUND, Json(problem)).into_response();
    }
    let bytes = body.len() as u64;
    ledger.contents.insert(hash, body);
    let media_type = "image/png".to_owned();
    Json(Content {
        hash,
        bytes,
        media_type,
    })
    .into_response()
}

async fn account(Path(address): Path<Address>) -> Json<Account> {
    let balance = Balance {
        asset: AssetId::NATIVE,
        amount: Amount(1_000_000),
    };
    let balances = vec![balance];
    Json(Account {
        address,
        balances,
        exit_address: None,
        keys: None,
    })
}

/// A node, a key and a catalogue.
struct Scene {
    ledger: Shared,
    url: String,
    folder: TempDir,
}

impl Scene {
    async fn new(losses: &[(u32, Loss)]) -> Self {
        let ledger = Shared::default();
        ledger.lock().unwrap().losses = losses.iter().copied().collect();
        let router = Router::new()
            .route("/v1/genesis", get(async || Json(testing::genesis(4))))
            .route("/v1/transactions", post(submit))
            .route("/v1/accounts/{id}", get(account))
            .route("/v1/collections/{id}", get(collection))
            .route("/v1/collections/{id}/editions", get(editions))
            .route("/v1/content/{hash}", put(content))
            .with_state(ledger.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let scene = Self {
            ledger,
            url,
            folder: tempfile::tempdir().unwrap(),
        };
        let key = scene.path("key").display().to_string();
        let made = scene.weft(&["account", "new", "--out", &key]).await;
        assert!(made.status.success());
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn catalogue(&self, text: &str) {
        std::fs::write(self.path("cards.csv"), text).unwrap();
    }

    async fn weft(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
        command.args(arguments).output().await.unwrap()
    }

    /// Two cards a transaction. Returns the exit code, the report and the words.
    async fn import(&self) -> (i32, Value, String) {
        self.import_with("Cards", &[]).await
    }

    async fn import_with(&self, name: &str, options: &[&str]) -> (i32, Value, String) {
        let file = self.path("cards.csv").display().to_string();
        let key = self.path("key").display().to_string();
        let what = [
            "collection",
            "import",
            &file,
            "--name",
            name,
            "--batch",
            "2",
        ];
        let with = ["--url", &self.url, "--key", &key, "--json"];
        let output = self.weft(&[&what[..], &with[..], options].concat()).await;
        let words = String::from_utf8(output.stderr).unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code().unwrap(), report, words)
    }

    fn references(&self) -> Vec<String> {
        let ledger = self.ledger.lock().unwrap();
        let editions = ledger.editions.iter();
        editions.map(|e| e.reference.clone()).collect()
    }
}

fn cards(count: u32) -> String {
    let rows = (0..count).map(|i| format!("c{i},Flabébé {i}\n"));
    format!("id,name\n{}", rows.collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_keeps_the_order_and_a_second_one_sends_nothing() {
    let scene = Scene::new(&[]).await;
    scene.catalogue(&cards(40));
    let (code, report, words) = scene.import().await;
    assert_eq!(code, 0, "{words}");
    assert_eq!(
        (&report["created"], &report["fee"]),
        (&40.into(), &60.into())
    );
    let expected: Vec<String> = (0..40).map(|i| format!("c{i}")).collect();
    assert_eq!(scene.references(), expected);
    assert_eq!(scene.ledger.lock().unwrap().editions[3].name, "Flabébé 3");

    // With the state file, and without it: name and catalogue lead back to the collection.
    for _ in 0..2 {
        let (code, report, words) = scene.import().await;
        assert_eq!(code, 0, "{words}");
        assert_eq!(
            (&report["created"], &report["skipped"]),
            (&0.into(), &40.into())
        );
        std::fs::remove_file(scene.path("cards.csv.import")).unwrap();
    }
    assert_eq!(scene.references().len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_created_twice_wherever_an_import_was_stopped() {
    for loss in [Loss::Request, Loss::Answer] {
        let scene = Scene::new(&[(0, loss), (12, loss)]).await;
        scene.catalogue(&cards(40));
        let mut codes = Vec::new();
        while codes.last() != Some(&0) && codes.len() < 5 {
            codes.push(scene.import().await.0);
        }
        assert_eq!(
            (codes.first(), codes.last()),
            (Some(&1), Some(&0)),
            "{codes:?}"
        );
        let references = scene.references();
        let once: BTreeSet<&String> = references.iter().collect();
        assert_eq!((references.len(), once.len()), (40, 40));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_lines_are_named_and_the_others_created() {
    let scene = Scene::new(&[]).await;
    let long = "x".repeat(129);
    let rows = format!("a,Mew,5\nb,{long},5\nc,Mew,none\na,Mew,5\nd\ne,Mew,7\n");
    scene.catalogue(&format!("reference,name,cap\n{rows}"));
    let (code, report, words) = scene.import().await;
    assert_eq!(code, 4, "{words}");
    assert_eq!(scene.references(), ["a", "e"]);
    let refused = report["refused"].as_array().unwrap();
    let lines: Vec<&Value> = refused.iter().map(|r| &r["line"]).collect();
    assert_eq!(lines, [3, 4, 5, 6]);
    for line in [
        "line 3 (b): name has 129 bytes, more than 128",
        "line 4 (c): cap is \"none\", no whole number above 0",
        "line 5 (a): reference is that of line 2 already",
        "line 6 has 1 fields, the heading has 3",
        "4 of 6 cards were refused",
    ] {
        assert!(words.contains(line), "{line} in {words}");
    }

    // Corrected, only what was missing is sent; what has changed is said, for terms never change.
    scene.catalogue("reference,name,cap\na,Mew,6\nb,Mew,5\ne,Mew,7\n");
    let (code, report, words) = scene.import().await;
    assert_eq!(code, 5, "{words}");
    assert_eq!(scene.references(), ["a", "e", "b"]);
    assert_eq!(report["differing"], serde_json::json!(["a"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_keep_their_references_when_rows_are_added() {
    let scene = Scene::new(&[]).await;
    let first = "set,number,name\nA,1,Mew\nA,2,Abra\n";
    scene.catalogue(first);
    assert_eq!(scene.import().await.0, 0);
    // A third row that the references of the first two do not fit.
    scene.catalogue(&format!("{first}B,,Muk\nA,3,Onix\n"));
    let (code, _, words) = scene.import().await;
    assert_eq!(code, 4);
    assert!(words.contains("line 4: reference is missing"), "{words}");
    assert_eq!(scene.references(), ["A-1", "A-2", "A-3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_file_of_another_network_is_refused() {
    let scene = Scene::new(&[]).await;
    scene.catalogue(&cards(2));
    assert_eq!(scene.import().await.0, 0);
    let state = scene.path("cards.csv.import");
    let text = std::fs::read_to_string(&state).unwrap();
    let network = testing::genesis(4).network.id().to_string();
    std::fs::write(&state, text.replace(&network, &"ab".repeat(32))).unwrap();
    let (code, _, words) = scene.import().await;
    assert_eq!(code, 2);
    assert!(
        words.contains("another network") && words.contains("--state"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_changed_mapping_cannot_change_is_said() {
    let scene = Scene::new(&[]).await;
    scene.catalogue("id,name,title\na,Mew,Mew\nb,Abra,Kadabra\n");
    assert_eq!(scene.import().await.0, 0);
    let map = ["--map", "name=title,trait:Name=name"];
    let (code, report, words) = scene.import_with("Cards", &map).await;
    assert_eq!(code, 5, "{words}");
    assert_eq!(report["differing"], serde_json::json!(["a", "b"]));
    for part in [
        "2 of 2 cards exist with other terms",
        "imported with another mapping: name: name;",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
    // Nor does the collection of the state file take another name.
    let (code, _, words) = scene.import_with("Others", &[]).await;
    assert_eq!(code, 2);
    assert!(words.contains("never change"), "{words}");
    assert_eq!(scene.references().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_to_its_end_is_not_imported() {
    let scene = Scene::new(&[]).await;
    scene.catalogue("id,name\na,Mew\nb,\"Abra\nc,Muk\n");
    let (code, _, words) = scene.import().await;
    assert_eq!(code, 2);
    assert!(words.contains("line 3: a quote opens"), "{words}");
    assert!(scene.references().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn images_beside_a_catalogue_are_hashed_for_the_ledger_and_given_to_the_node() {
    let scene = Scene::new(&[]).await;
    scene.catalogue(
        "id,name,image\na,Mew,a.png\nb,Mewtwo,https://cards.example/b.png\nc,None,c.png\n",
    );
    std::fs::write(scene.path("a.png"), b"mew").unwrap();
    let folder = scene.path("").display().to_string();
    let options = ["--files", &folder];
    for (created, skipped) in [(2, 0), (0, 2)] {
        let (code, report, words) = scene.import_with("Cards", &options).await;
        assert_eq!(code, 4, "{words}");
        assert!(words.contains("c.png"), "{words}");
        let counts = ["created", "skipped", "uploaded"].map(|name| report[name].clone());
        assert_eq!(counts, [created, skipped, 1].map(Value::from));
    }
    let ledger = scene.ledger.lock().unwrap();
    let hash = ContentHash::of(b"mew");
    assert_eq!(ledger.editions[0].image_hash, Some(hash));
    assert_eq!(ledger.editions[1].image_hash, None);
    assert_eq!(ledger.contents.len(), 1);
    assert_eq!(ledger.contents[&hash], "mew");
}
