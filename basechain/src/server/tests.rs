use super::*;
use crate::embedded::Record;
use crate::embedded::tests::{START, config, signed, transfer};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

/// A journal of three blocks with one transaction each, and its text.
fn recorded(folder: &Path) -> (PathBuf, String) {
    let path = folder.join("base.journal");
    let mut chain = Chain::new(config()).unwrap();
    let mut journal = Journal::open(&path, &mut chain).unwrap();
    for nonce in 0..3 {
        chain.submit(&signed(0, transfer(nonce))).unwrap();
        journal.append(&chain.seal(START + nonce)).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    (path, text)
}

/// The head after opening a journal with this text.
fn reopened(path: &Path, text: &[u8]) -> Result<u64, String> {
    fs::write(path, text).unwrap();
    let mut chain = Chain::new(config()).unwrap();
    let journal = Journal::open(path, &mut chain).map_err(|e| e.to_string())?;
    drop(journal);
    Ok(chain.head().number())
}

#[test]
fn a_journal_brings_the_chain_back_wherever_its_last_line_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (path, text) = recorded(folder.path());
    let bytes = text.as_bytes();
    let ends: Vec<usize> = text.match_indices('\n').map(|(i, _)| i).collect();
    assert_eq!(ends.len(), 4);
    for length in (0..=bytes.len()).filter(|n| n % 7 == 0 || *n == bytes.len()) {
        let lines = ends.iter().filter(|end| **end < length).count() as u64;
        assert_eq!(
            reopened(&path, &bytes[..length]),
            Ok(lines.saturating_sub(1))
        );
        // What is cut is gone from the file too, so that the next line is whole.
        let kept = ends.iter().rev().find(|end| **end < length);
        let head = ends[0] + 1;
        let expected = kept.map_or(head, |end| end + 1);
        assert_eq!(fs::metadata(&path).unwrap().len() as usize, expected);
    }
    let mut zeros = bytes[..ends[2] + 1].to_vec();
    zeros.extend([0; 300]);
    assert_eq!(reopened(&path, &zeros), Ok(2));
}

#[test]
fn a_damaged_journal_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, text) = recorded(folder.path());
    let lines: Vec<&str> = text.lines().collect();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        change(&mut lines);
        let text = lines.join("\n") + "\n";
        let error = reopened(&path, text.as_bytes()).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        error
    };
    assert!(with(&|l| l[2] = "x".to_owned()).contains("line 3 is damaged"));
    assert!(with(&|l| drop(l.remove(1))).contains("line 2: record is of block 2"));
    assert!(
        with(&|l| l[3] = l[3].replace("\"timestamp\":17", "\"timestamp\":18"))
            .contains("line 4: block 3 has hash")
    );
    assert!(with(&|l| l[0] = l[0].replace(":1,", ":2,")).contains("is version 2"));
    assert!(with(&|l| drop(l.remove(0))).contains("is no journal"));
    assert!(
        reopened(&path, b"somebody's notes")
            .unwrap_err()
            .contains("is no journal")
    );
    assert_eq!(fs::read(&path).unwrap(), b"somebody's notes");
}

#[test]
fn a_journal_belongs_to_one_configuration_and_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = recorded(folder.path());
    let open = |seed: u64| {
        let mut config = config();
        config.seed = seed;
        Journal::open(&path, &mut Chain::new(config).unwrap())
    };
    let error = open(8).unwrap_err();
    assert!(matches!(error, JournalError::OtherChain { .. }), "{error}");
    let first = open(7).unwrap();
    let error = open(7).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
    drop(first);
    assert!(open(7).is_ok());
}

fn served(journal: Option<PathBuf>, pace: Pace) -> EmbeddedConfig {
    EmbeddedConfig {
        chain: config(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        journal,
        pace,
    }
}

/// A request as it goes over the wire, and what comes back.
fn http(url: &str, request: String) -> String {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    // The server may close what is beyond its bounds before it has read all.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn post_body(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn ask(url: &str, request: String) -> String {
    let url = url.to_owned();
    spawn_blocking(move || http(&url, request)).await.unwrap()
}

async fn head(url: &str) -> u64 {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}"#;
    let answer = ask(url, post_body(body)).await;
    let (_, number) = answer.split_once(r#""result":"0x"#).expect(&answer);
    u64::from_str_radix(number.trim_end_matches(['"', '}']), 16).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_gets_an_answer_too() {
    let server = serve_embedded(served(None, Pace::default())).await.unwrap();
    let url = server.rpc_url().to_owned();
    let status = |answer: &str| answer.split(' ').nth(1).unwrap_or_default().to_owned();
    for (request, expected) in [
        (
            "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            "405",
        ),
        (
            "POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                .to_owned(),
            "404",
        ),
        ("nonsense\r\n\r\n".to_owned(), "400"),
        (post_body("{"), "200"),
        (
            post_body(r#"{"jsonrpc":"2.0","method":"eth_chainId"}"#),
            "204",
        ),
        (post_body(&" ".repeat(rpc::BODY_BYTES_MAX + 1)), "413"),
    ] {
        let answer = ask(&url, request).await;
        assert_eq!(status(&answer), expected, "{answer}");
        let says_where = answer.contains("answered at / by POST");
        assert_eq!(says_where, ["404", "405"].contains(&expected), "{answer}");
    }
    let answer = ask(&url, post_body("{")).await;
    assert!(
        answer.contains("access-control-allow-origin: *"),
        "{answer}"
    );
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_bounded_in_number_and_time() {
    let connections = ConnectionLimits {
        connections_per_address_max: 1,
        stall_max: Duration::from_millis(200),
        body_max: Duration::from_millis(200),
        ..CONNECTIONS
    };
    let config = served(None, Pace::default());
    let server = serve_within(config, connections).await.unwrap();
    let url = server.rpc_url().to_owned();
    // What is idle or half sent is closed before the client's patience is over, which is 10 s.
    let begun = Instant::now();
    for request in ["", "POST / HTTP/1.1\r\nhos"] {
        assert_eq!(ask(&url, request.to_owned()).await, "");
    }
    let half = post_body("{}").replace("length: 2", "length: 3");
    let answer = ask(&url, half).await;
    assert!(answer.contains("did not come whole"), "{answer}");
    assert!(answer.contains("\"code\":-32600"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(8));
    let address = url.strip_prefix("http://").unwrap().to_owned();
    let held = TcpStream::connect(address).unwrap();
    assert_eq!(ask(&url, post_body("{}")).await, "");
    drop(held);
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_come_with_transactions_then_until_final_then_hardly() {
    let pace = Pace {
        busy: Duration::from_millis(10),
        settling: Duration::from_millis(20),
        idle: Duration::from_secs(3600),
    };
    let server = serve_embedded(served(None, pace)).await.unwrap();
    let url = server.rpc_url().to_owned();
    assert_eq!(head(&url).await, 0);
    let raw = hex::encode(signed(0, transfer(0)));
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x{raw}"]}}"#
    );
    let answer = ask(&url, post_body(&body)).await;
    assert!(answer.contains("result"), "{answer}");
    let settled = Instant::now() + Duration::from_secs(10);
    while head(&url).await < 3 && Instant::now() < settled {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(
        head(&url).await,
        3,
        "one with the transaction, two until it is final"
    );
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_seals_what_waits_and_frees_port_and_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("base.journal");
    let slow = Pace {
        busy: Duration::from_secs(3600),
        ..Pace::default()
    };
    let server = serve_embedded(served(Some(path.clone()), slow))
        .await
        .unwrap();
    let url = server.rpc_url().to_owned();
    let raw = hex::encode(signed(0, transfer(0)));
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x{raw}"]}}"#
    );
    assert!(ask(&url, post_body(&body)).await.contains("result"));
    server.shutdown().await.unwrap();

    let mut again = served(Some(path), slow);
    again.listen = url.strip_prefix("http://").unwrap().parse().unwrap();
    let busy = again.clone();
    let (ready, was_ready) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(run_embedded(
        again,
        move |url| ready.send(url.to_owned()).unwrap(),
        async move { stopped.await.unwrap_or_default() },
    ));
    let url = was_ready.await.unwrap();
    assert_eq!(head(&url).await, 1);
    let error = serve_embedded(busy).await.unwrap_err().to_string();
    assert!(error.starts_with("cannot listen on 127.0.0.1:"), "{error}");
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_write_stops_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("base.journal");
    let mut chain = Chain::new(config()).unwrap();
    drop(Journal::open(&path, &mut chain).unwrap());
    let shared = Arc::new(Shared::new(chain));
    let producer = Producer {
        shared: Arc::clone(&shared),
        // A file that is open for reading only takes no write.
        journal: Some(Journal::read_only(&path)),
        pace: Pace::default(),
    };
    let error = producer.seal().await.err().expect("the write fails");
    assert!(matches!(error, ServeError::Journal(_)), "{error}");
    assert!(shared.read().is_err() && shared.write().is_err());
    let answer = rpc::answer(
        br#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}"#,
        &shared,
    );
    let answer = String::from_utf8(answer.unwrap()).unwrap();
    assert!(answer.contains("the chain has stopped"), "{answer}");
    let text = fs::read_to_string(&path).unwrap();
    assert!(serde_json::from_str::<Record>(text.lines().last().unwrap()).is_err());
}
