//! What is refused before any node is asked.

use super::*;
use weft_http::testing::ask;
use weft_types::testing;

/// A faucet whose nodes do not answer.
async fn start() -> SocketAddr {
    let limits = FaucetLimits::default();
    let one = NonZeroU32::MIN;
    let faucet = Faucet {
        client: Client::with_options(["http://127.0.0.1:9"], Options::default()).unwrap(),
        draft: Draft::new(&testing::genesis(4)),
        key: testing::user_key(1),
        limits,
        by_address: RateLimiter::dashmap(Quota::per_minute(limits.per_address_minute)),
        in_all: RateLimiter::direct(Quota::per_second(one)),
        clock: DefaultClock::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = ConnectionLimits {
        stall_max: Duration::from_millis(200),
        ..CONNECTIONS
    };
    let stop = CancellationToken::new();
    tokio::spawn(weft_http::serve(
        listener,
        router(faucet),
        connections,
        stop,
    ));
    address
}

fn posted(path: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn whatever_is_wrong_is_a_problem_that_says_how_to_ask() {
    let address = start().await;
    let json = |body: &str| posted("/v1/faucet", "application/json", body);
    let to = testing::user(5);
    let cases = [
        (
            posted("/", "application/json", "{}"),
            ProblemCode::UnknownRoute,
        ),
        (
            "GET /v1/faucet HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            ProblemCode::MethodNotAllowed,
        ),
        (
            posted("/v1/faucet", "text/plain", "{}"),
            ProblemCode::UnsupportedMediaType,
        ),
        (json("{"), ProblemCode::MalformedBody),
        (json("{}"), ProblemCode::MalformedBody),
        (json(r#"{"address":"weft1x"}"#), ProblemCode::MalformedBody),
        (
            json(&format!(r#"{{"address":"{to}","amounts":1}}"#)),
            ProblemCode::MalformedBody,
        ),
        (
            json(&format!(r#"{{"address":"{to}","amount":0}}"#)),
            ProblemCode::MalformedParameter,
        ),
        (json(&" ".repeat(1 << 20)), ProblemCode::BodyTooLarge),
    ];
    for (request, code) in cases {
        let answer = ask(address, &request).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect(&answer);
        let problem: Problem = serde_json::from_str(body).expect(&answer);
        assert_eq!(problem.code, code.as_str(), "{answer}");
        assert!(head.contains(PROBLEM_JSON), "{head}");
        // A faucet has no /openapi.json.
        assert_eq!(problem.hint, FORM);
        assert!(!problem.detail.is_empty());
    }
}

#[tokio::test]
async fn a_rate_says_when_to_come_again_and_a_half_request_is_closed() {
    let address = start().await;
    let body = format!(r#"{{"address":"{}"}}"#, testing::user(5));
    let request = posted("/v1/faucet", "application/json", &body);
    let (first, second) = tokio::join!(ask(address, &request), ask(address, &request));
    let limited = [first, second].concat();
    assert!(limited.contains("retry-after: 1\r\n"), "{limited}");
    assert!(limited.contains("as long as Retry-After says"), "{limited}");
    assert_eq!(ask(address, "POST /v1/fau").await, "");
}
