//! A node that answers by a script: one answer after the other, the last one for ever.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use prost::Message as _;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use weft_client::Options;
use weft_types::api::{PROBLEM_JSON, Problem};
use weft_types::{Transaction, TransactionId, wire};

/// Options with which nothing takes long.
pub fn options() -> Options {
    Options {
        connect_timeout: Duration::from_millis(500),
        request_timeout: Duration::from_millis(500),
        rounds: 3,
        backoff: Duration::from_millis(5),
        backoff_max: Duration::from_millis(20),
        outcome_timeout: Duration::from_secs(10),
        copies: 1,
    }
}

#[derive(Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    delay: Duration,
}

impl Answer {
    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: vec![],
            body: body.to_owned(),
            delay: Duration::ZERO,
        }
    }

    pub fn json<T: Serialize>(value: &T) -> Self {
        let text = serde_json::to_string(value).unwrap();
        Self::text(200, &text).header("content-type", "application/json")
    }

    pub fn problem(problem: &Problem) -> Self {
        let answer = Self::json(problem).header("content-type", PROBLEM_JSON);
        Self {
            status: problem.status,
            ..answer
        }
    }

    /// A stream that ends after these bytes.
    pub fn events(text: &str) -> Self {
        Self::text(200, text).header("content-type", "text/event-stream")
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

#[derive(Clone)]
pub struct Asked {
    /// With the query.
    pub path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    /// Empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The transactions in the body.
    pub fn transactions(&self) -> Vec<TransactionId> {
        let list = wire::TransactionList::decode(self.body.clone()).unwrap();
        let read = |bytes| Transaction::decode(bytes).unwrap().id();
        list.transactions.into_iter().map(read).collect()
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    asked: Vec<Asked>,
}

pub struct Stub {
    url: String,
    script: Arc<Mutex<Script>>,
    task: JoinHandle<()>,
}

impl Stub {
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script {
            answers: answers.into_iter().collect(),
            asked: vec![],
        }));
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(script.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, script, task }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Stops listening; returns the URL at which nobody is now.
    pub fn stop(self) -> String {
        self.task.abort();
        self.url
    }

    pub fn requests(&self) -> Vec<Asked> {
        self.script.lock().unwrap().asked.clone()
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let asked = Asked {
        path: head.uri.to_string(),
        headers: head.headers,
        body: to_bytes(body, 16 << 20).await.unwrap(),
    };
    let answer = {
        let mut script = script.lock().unwrap();
        script.asked.push(asked);
        match script.answers.len() {
            0 | 1 => script.answers.front().cloned(),
            _ => script.answers.pop_front(),
        }
    };
    let answer = answer.expect("the script has an answer");
    tokio::time::sleep(answer.delay).await;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}
