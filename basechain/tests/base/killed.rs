//! `kill -9` of a base chain that keeps a journal: what was posted is there afterwards, and who was
//! in the middle of posting gets an answer from the chain that comes back.

use crate::support::{Process, committee, embedded, enrolled, operator, stated};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use weft_basechain::{BaseChain, Endpoint, SubmitOutcome, run_embedded};
use weft_types::Height;
use weft_types::testing::certify;

/// Set for the process that serves: folder of the journal, and port.
const SERVE: &str = "WEFT_TEST_SERVE_EMBEDDED";

/// This test program again, as a process that serves a chain.
fn start(folder: &Path, port: u16) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "killed::a_killed_chain_goes_on", "--nocapture"])
        .env(SERVE, format!("{port}:{}", folder.display()));
    Process::start(command, "serving http://")
}

async fn serve(folder_and_port: &str) {
    let (port, folder) = folder_and_port.split_once(':').unwrap();
    let journal = PathBuf::from(folder).join("base.journal");
    let config = embedded(port.parse().unwrap(), Some(journal));
    let ready = |url: &str| println!("serving {url}");
    run_embedded(config, ready, std::future::pending())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_chain_goes_on() {
    if let Ok(folder_and_port) = std::env::var(SERVE) {
        return serve(&folder_and_port).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(folder.path(), 0);
    let url = process.url.clone();
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let endpoint = Endpoint::connect(&url).await.unwrap();
    let chain = enrolled(endpoint).await;

    for (round, delay) in [0, 3, 8, 15, 40].into_iter().enumerate() {
        let height = round as u64 * 2 + 1;
        let posted = submit(&chain, height).await;
        let head = chain.endpoint().head().await.unwrap();
        // The next one is on its way when the chain dies.
        let cut = tokio::spawn({
            let chain = chain.clone();
            async move { submit(&chain, height + 1).await }
        });
        tokio::time::sleep(Duration::from_millis(delay)).await;
        process.kill();
        process = start(folder.path(), port);

        let again = chain.endpoint().head().await.unwrap();
        assert!(
            again.number >= head.number,
            "round {round}: {again:?} after {head:?}"
        );
        assert_eq!(chain.committee().await.unwrap(), committee());
        let read = chain.checkpoint_in(posted, Height(height)).await.unwrap();
        assert_eq!(read.unwrap().base_block, posted, "round {round}");
        let posted = cut.await.unwrap();
        let next = Height(height + 1);
        let read = chain.checkpoint_in(posted, next).await.unwrap();
        assert_eq!(read.unwrap().base_block, posted, "round {round}");
    }
    assert_eq!(chain.checkpoint_count().await.unwrap(), 10);
}

/// Posts a height and returns its base block.
async fn submit(chain: &BaseChain, height: u64) -> u64 {
    let certificate = certify(&stated(chain, height), &[0, 1, 2, 3]);
    match chain.submit(&operator(0), &certificate).await.unwrap() {
        SubmitOutcome::Posted(mined) => mined.block,
        other => panic!("height {height}: {other:?}"),
    }
}
