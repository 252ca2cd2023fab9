//! What masternodes post takes the place of whatever of the account waits, also of what an earlier run of the node has sent.

use crate::support::{anvil, embedded, enrolled, operator, stated};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use weft_basechain::{At, BaseChain, ClientError, Endpoint, Pace, SubmitOutcome, serve_embedded};
use weft_types::Height;
use weft_types::testing::certify;

const GWEI: u128 = 1_000_000_000;

/// The chain for a node that starts anew: it has sent nothing yet.
async fn restarted(of: &BaseChain) -> BaseChain {
    let endpoint = Endpoint::connect(of.endpoint().url()).await.unwrap();
    with(of, endpoint.with_mined_time_max(Duration::from_millis(200))).await
}

async fn with(of: &BaseChain, endpoint: Endpoint) -> BaseChain {
    BaseChain::new(endpoint, of.contracts()).await.unwrap()
}

async fn submit(chain: &BaseChain, height: u64) -> Result<SubmitOutcome, ClientError> {
    let certificate = certify(&stated(chain, height), &[0, 1, 2, 3]);
    chain.submit(&operator(0), &certificate).await
}

/// It is taken by the pool, and no block is made.
async fn waits(chain: &BaseChain, height: u64) {
    let error = submit(chain, height).await.unwrap_err();
    assert!(matches!(error, ClientError::NotMined { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_restarted_over_a_waiting_posting_posts_after_the_pool_has_dropped_both() {
    let anvil = anvil();
    let chain = enrolled(Endpoint::connect(&anvil.url).await.unwrap()).await;
    let miner = chain.endpoint();
    miner.automine(false).await.unwrap();
    waits(&restarted(&chain).await, 1).await;
    let node = restarted(&chain).await;
    waits(&node, 2).await;
    // Base fees above what both offer, and low ones again.
    miner.raise_base_fee(10_000 * GWEI).await.unwrap();
    miner.raise_base_fee(GWEI).await.unwrap();
    assert!(node.latest_checkpoint(At::Latest).await.unwrap().is_none());

    miner.automine(true).await.unwrap();
    let posted = submit(&node, 3).await.unwrap();
    assert!(matches!(posted, SubmitOutcome::Posted(_)), "{posted:?}");
    let latest = node.latest_checkpoint(At::Latest).await.unwrap().unwrap();
    assert_eq!(latest.height, Height(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_restarted_outbids_what_an_earlier_run_has_raised() {
    let anvil = anvil();
    let chain = enrolled(Endpoint::connect(&anvil.url).await.unwrap()).await;
    chain.endpoint().automine(false).await.unwrap();
    outbids_an_earlier_run(&chain).await;
    // Only the newest is left.
    chain.endpoint().automine(true).await.unwrap();
    chain.endpoint().raise_base_fee(GWEI).await.unwrap();
    let latest = chain.latest_checkpoint(At::Latest).await.unwrap().unwrap();
    assert_eq!(latest.height, Height(9));
    assert_eq!(chain.checkpoint_count().await.unwrap(), 1);
}

/// The embedded chain does not show what waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_shown_what_waits_doubles_the_offer() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = embedded(0, Some(folder.path().join("base.journal")));
    let server = serve_embedded(config.clone()).await.unwrap();
    let enrolled = enrolled(Endpoint::connect(server.rpc_url()).await.unwrap()).await;
    server.shutdown().await.unwrap();

    let still = Duration::from_secs(3600);
    let busy = std::mem::replace(
        &mut config.pace,
        Pace {
            busy: still,
            ..Pace::default()
        },
    );
    let server = serve_embedded(config.clone()).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    outbids_an_earlier_run(&with(&enrolled, endpoint).await).await;
    server.shutdown().await.unwrap();

    config.pace = busy;
    let server = serve_embedded(config).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    let chain = with(&enrolled, endpoint).await;
    let latest = chain.latest_checkpoint(At::Latest).await.unwrap().unwrap();
    assert_eq!(
        (latest.height, chain.checkpoint_count().await.unwrap()),
        (Height(9), 1)
    );
    server.shutdown().await.unwrap();
}

/// Heights 1 to 9 are posted and wait, each in the place of those before, by three runs of one node. The third pays too little at first.
async fn outbids_an_earlier_run(chain: &BaseChain) {
    let first = restarted(chain).await;
    for height in 1..=6 {
        waits(&first, height).await;
    }
    // The very bytes of the first would be known, and are outbid.
    let node = restarted(chain).await;
    let paying = async |max| with(chain, node.endpoint().clone().with_fee_max(max)).await;
    let error = submit(&paying(1).await, 7).await.unwrap_err();
    let ClientError::Fee { fee: least, .. } = error else {
        panic!("{error}");
    };
    // Enough for a block, and less than what waits offers.
    let most = 2 * least;
    let frugal = paying(most).await;
    for _ in 0..2 {
        let error = submit(&frugal, 7).await.unwrap_err();
        let ClientError::Fee { fee, max, .. } = error else {
            panic!("{error}");
        };
        assert!(fee > max && max == most, "{fee}");
    }
    let second = restarted(chain).await;
    waits(&second, 8).await;
    waits(&second, 9).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_posting_that_waits_already_is_waited_for() {
    let anvil = anvil();
    let chain = enrolled(Endpoint::connect(&anvil.url).await.unwrap()).await;
    chain.endpoint().automine(false).await.unwrap();
    waits(&restarted(&chain).await, 1).await;
    // The same certificate at the same fees: the same bytes, which the pool has.
    let node = Endpoint::connect(&anvil.url).await.unwrap();
    let node = with(&chain, node.with_mined_time_max(Duration::from_secs(20))).await;
    let (posted, mined) = tokio::join!(submit(&node, 1), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        chain.endpoint().raise_base_fee(GWEI / 100).await
    });
    mined.unwrap();
    let posted = posted.unwrap();
    assert!(matches!(posted, SubmitOutcome::Posted(_)), "{posted:?}");
}

/// A node between, whose first answer about the account's next nonce is a block behind. Returns its address.
fn behind(upstream: &str) -> String {
    let upstream = upstream.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut told = false;
        for stream in listener.incoming() {
            let _ = pass_on(stream.unwrap(), &upstream, &mut told);
        }
    });
    url
}

/// One request and its answer; then the connection is closed.
fn pass_on(mut stream: TcpStream, upstream: &str, told: &mut bool) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let mut node = TcpStream::connect(upstream)?;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {upstream}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    node.write_all(head.as_bytes())?;
    node.write_all(&body)?;
    let mut answer = String::new();
    node.read_to_string(&mut answer)?;
    if text.contains("eth_getTransactionCount") && !std::mem::replace(told, true) {
        let (before, result) = answer.split_once("\"result\":\"0x").unwrap();
        let (nonce, after) = result.split_once('"').unwrap();
        let nonce = u64::from_str_radix(nonce, 16).unwrap() - 1;
        answer = format!("{before}\"result\":\"0x{nonce:x}\"{after}");
    }
    stream.write_all(answer.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nonce_that_is_used_meanwhile_is_asked_for_again() {
    let anvil = anvil();
    let chain = enrolled(Endpoint::connect(&anvil.url).await.unwrap()).await;
    submit(&chain, 1).await.unwrap();
    let node = Endpoint::connect(&behind(&anvil.url)).await.unwrap();
    let node = with(&chain, node).await;
    let posted = submit(&node, 2).await.unwrap();
    assert!(matches!(posted, SubmitOutcome::Posted(_)), "{posted:?}");
}
