//! `weft bridge keep` believes no node: what it shows has to be signed by the genesis' committee, or be on the base chain.

use crate::running::{fails, has, weft};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use weft_types::api::{ExitProof, Exits, Holding, Withdrawals};
use weft_types::testing::{certify, genesis, statement, user};
use weft_types::{
    Amount, BaseAddress, BaseAsset, Certificate, Epoch, Exit, Statement, tree_proof, tree_root_of,
};

/// What a node answers.
#[derive(Clone)]
struct Shown {
    exits: Exits,
    certificate: Certificate,
}

type Shared = Arc<Mutex<Shown>>;

/// A holding of so much, proven under a statement that these members have signed.
fn shown(height: u64, amount: u64, signers: &[usize]) -> Shown {
    let asset = BaseAsset::Native {
        amount: Amount(amount),
    };
    let exit = Exit {
        place: 0,
        asset,
        owner: BaseAddress([7; 20]),
    };
    let siblings = tree_proof(&[exit.leaf()], 0).unwrap();
    let statement = Statement {
        network: genesis(4).network,
        exit_root: tree_root_of(exit.leaf(), 0, &siblings),
        ..statement(height)
    };
    let siblings = siblings.to_vec();
    let holding = Holding {
        asset,
        item: None,
        exit_address: Some(exit.owner),
        proof: Some(ExitProof { exit, siblings }),
    };
    Shown {
        certificate: certify(&statement, signers),
        exits: Exits {
            account: user(1),
            exit_address: Some(exit.owner),
            statement: Some(statement),
            holdings: vec![holding],
            next: None,
        },
    }
}

struct Scene {
    node: Shared,
    url: String,
    folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let node = Arc::new(Mutex::new(shown(5, 100, &[0, 1, 2])));
        let exits = async |State(node): State<Shared>| Json(node.lock().unwrap().exits.clone());
        let certificate =
            async |State(node): State<Shared>| Json(node.lock().unwrap().certificate.to_json());
        let withdrawals = async |State(node): State<Shared>| {
            let statement = node.lock().unwrap().exits.statement.clone().unwrap();
            Json(Withdrawals {
                statement,
                count: 0,
                withdrawals: vec![],
                next: None,
            })
        };
        let router = Router::new()
            .route("/v1/withdrawals", get(withdrawals))
            .route("/v1/exits/{address}", get(exits))
            .route("/v1/certificates/{height}", get(certificate))
            .with_state(node.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let folder = tempfile::tempdir().unwrap();
        let trusted = serde_json::to_string(&genesis(4)).unwrap();
        std::fs::write(folder.path().join("genesis.json"), trusted).unwrap();
        Self { node, url, folder }
    }

    fn shows(&self, shown: Shown) {
        *self.node.lock().unwrap() = shown;
    }

    fn arguments<'a>(&'a self, account: &'a str, options: &[&'a str]) -> Vec<&'a str> {
        let keep = [
            "--json",
            "bridge",
            "keep",
            "kept.json",
            "--account",
            account,
        ];
        [&keep[..], &["--url", &self.url], options].concat()
    }

    fn keeps(&self) -> Value {
        let account = user(1).to_string();
        let arguments = self.arguments(&account, &["--genesis", "genesis.json"]);
        let output = weft(&arguments, self.folder.path());
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refuses(&self, code: i32, options: &[&str]) -> String {
        let account = user(1).to_string();
        fails(code, &self.arguments(&account, options), self.folder.path())
    }

    fn file(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("kept.json")).ok()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_committee_has_signed_is_kept_and_the_file_says_how_it_is_known() {
    let scene = Scene::new().await;
    let kept = scene.keeps();
    assert_eq!(
        (&kept["height"], &kept["generations"]),
        (&5.into(), &1.into())
    );
    assert_eq!(kept["checked"]["by"], "certificate");
    scene.shows(shown(8, 60, &[1, 2, 3]));
    assert_eq!(scene.keeps()["generations"], 2);
    let file: Value = serde_json::from_str(&scene.file().unwrap()).unwrap();
    let generations = file["generations"].as_array().unwrap();
    let heights: Vec<_> = generations
        .iter()
        .map(|g| &g["statement"]["height"])
        .collect();
    assert_eq!(heights, [8, 5]);
    assert!(
        generations
            .iter()
            .all(|g| g["checked"]["by"] == "certificate")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_makes_its_statement_up_is_refused_and_nothing_is_written() {
    let scene = Scene::new().await;
    let trusted = ["--genesis", "genesis.json"];
    // Two of four are no quorum, and a sum of others' signatures is none of these.
    let mut forged = shown(5, 1_000_000, &[0, 1]);
    scene.shows(forged.clone());
    has(
        &scene.refuses(5, &trusted),
        &["certificate for height 5 does not hold"],
    );
    forged.certificate.bitmap = certify(&statement(5), &[0, 1, 2]).bitmap;
    scene.shows(forged);
    has(&scene.refuses(5, &trusted), &["does not hold"]);
    // A certificate that holds, of another statement.
    let other = shown(5, 100, &[0, 1, 2]).certificate;
    let made_up = Shown {
        certificate: other,
        ..shown(5, 1_000_000, &[3])
    };
    scene.shows(made_up);
    has(&scene.refuses(5, &trusted), &["of another statement"]);
    // Proofs that do not lead to what is signed.
    let mut beside = shown(5, 100, &[0, 1, 2]);
    beside.exits.holdings[0].proof.as_mut().unwrap().exit.asset = BaseAsset::Native {
        amount: Amount(101),
    };
    scene.shows(beside);
    has(&scene.refuses(5, &trusted), &["leads to root"]);
    let mut foreign = shown(5, 100, &[0, 1, 2]);
    foreign.exits.statement.as_mut().unwrap().network.chain_id += 1;
    scene.shows(foreign);
    has(&scene.refuses(5, &trusted), &["another network"]);
    assert_eq!(scene.file(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_anything_to_check_by_nothing_is_kept() {
    let scene = Scene::new().await;
    has(
        &scene.refuses(2, &[]),
        &["nothing says which network", "--genesis"],
    );
    // Of a later epoch the genesis does not know the committee.
    let mut later = shown(5, 100, &[0, 1, 2]);
    later.exits.statement.as_mut().unwrap().epoch = Epoch(1);
    scene.shows(later);
    let words = scene.refuses(4, &["--genesis", "genesis.json"]);
    has(&words, &["epoch 1", "--base-rpc"]);
    assert_eq!(scene.file(), None);
}
