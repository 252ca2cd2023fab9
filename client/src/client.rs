//! One request, asked of one node after another until it is answered. An answer that says no is an
//! answer; only what may be different later or elsewhere is asked again. The node that answered last
//! is asked first the next time.

use crate::error::ClientError;
use crate::options::Options;
use crate::order::Order;
use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, Url};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;
use weft_types::CommitIndex;
use weft_types::api::{COMMIT_HEADER, PROTOBUF, Problem};

/// Longest answer that is read, in bytes.
pub const RESPONSE_BYTES_MAX: usize = 32 << 20;
/// How much of a foreign answer an error quotes, in characters.
const EXCERPT_CHARACTERS: usize = 200;

/// A client of the nodes of one network. Clones share connections and what they have seen.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    nodes: Vec<Url>,
    options: Options,
    /// The node that answered last.
    preferred: AtomicUsize,
    /// The newest commit that any answer has shown.
    seen: AtomicU64,
    /// How long outcomes take as a rule, in microseconds; 0 when none has come.
    usual: AtomicU64,
    /// Whose nodes these are, once it was asked for.
    order: OnceCell<Order>,
}

/// What is asked for.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// Below the node's URL, without a slash in front.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    /// Posted, or put; without it the request is a GET.
    pub body: Option<Bytes>,
    pub put: bool,
    /// The body's content type.
    pub media: &'static str,
    /// Whether the answer must be no older than what was seen before.
    pub fresh: bool,
}

impl Request {
    /// A reading that is never older than an earlier one.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            fresh: true,
            ..Self::default()
        }
    }

    pub fn post(path: impl Into<String>, body: Bytes) -> Self {
        Self {
            path: path.into(),
            body: Some(body),
            media: PROTOBUF,
            ..Self::default()
        }
    }
}

impl Client {
    /// With the default options.
    ///
    /// # Errors
    /// When there is no URL, or one is not `http://host[:port][/path]`.
    pub fn new<U: AsRef<str>>(nodes: impl IntoIterator<Item = U>) -> Result<Self, ClientError> {
        Self::with_options(nodes, Options::default())
    }

    pub fn with_options<U: AsRef<str>>(
        nodes: impl IntoIterator<Item = U>,
        options: Options,
    ) -> Result<Self, ClientError> {
        let nodes = nodes.into_iter().map(|url| parse(url.as_ref()));
        let nodes: Vec<Url> = nodes.collect::<Result<_, _>>()?;
        let Some(first) = nodes.first() else {
            return Err(ClientError::NoNodes);
        };
        // The library asks for cryptography, which plain connections never use.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .tls_certs_only([])
            .user_agent(concat!("weft-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .tcp_nodelay(true);
        // A proxy set for the machine cannot reach nodes on the machine.
        if nodes.iter().all(is_loopback) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|e| ClientError::Url {
            url: first.to_string(),
            reason: chain(&e),
        })?;
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                nodes,
                options,
                preferred: AtomicUsize::new(0),
                seen: AtomicU64::new(0),
                usual: AtomicU64::new(0),
                order: OnceCell::new(),
            }),
        })
    }

    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The newest commit that any answer has shown: later readings are not older.
    pub fn seen(&self) -> CommitIndex {
        CommitIndex(self.inner.seen.load(Ordering::Relaxed))
    }

    /// Makes later readings no older than a commit that the caller knows of from elsewhere.
    pub fn has_seen(&self, commit: CommitIndex) {
        self.inner.seen.fetch_max(commit.0, Ordering::Relaxed);
    }

    pub(crate) async fn bytes(&self, request: &Request) -> Result<(usize, Bytes), ClientError> {
        let ask = |place| async move {
            let response = self.open(place, request).await?;
            Ok((place, self.body(place, response).await?))
        };
        self.with_retries(ask).await
    }

    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<T, ClientError> {
        self.with_retries(|place| self.json_of(place, request))
            .await
    }

    /// What one node answers, asked once.
    pub(crate) async fn json_of<T: DeserializeOwned>(
        &self,
        place: usize,
        request: &Request,
    ) -> Result<T, ClientError> {
        let response = self.open(place, request).await?;
        let body = self.body(place, response).await?;
        serde_json::from_slice(&body).map_err(|e| ClientError::Malformed {
            node: self.name(place),
            reason: e.to_string(),
        })
    }

    /// How many nodes it knows.
    pub(crate) fn nodes(&self) -> usize {
        self.inner.nodes.len()
    }

    /// The place of the node that answered last.
    pub(crate) fn preferred(&self) -> usize {
        self.inner.preferred.load(Ordering::Relaxed)
    }

    pub(crate) fn prefer(&self, place: usize) {
        self.inner.preferred.store(place, Ordering::Relaxed);
    }

    /// How long outcomes take as a rule: an eighth for each new one.
    pub(crate) fn usual(&self) -> Option<Duration> {
        let usual = self.inner.usual.load(Ordering::Relaxed);
        (usual > 0).then(|| Duration::from_micros(usual))
    }

    pub(crate) fn took(&self, latency: Duration) {
        let usual = self.usual().unwrap_or(latency);
        let smoothed = ((7 * usual + latency) / 8).as_micros();
        let smoothed = u64::try_from(smoothed).unwrap_or(u64::MAX).max(1);
        self.inner.usual.store(smoothed, Ordering::Relaxed);
    }

    /// Whose nodes these are. Asked for once; `None` while not enough of them answer.
    pub(crate) async fn order(&self) -> Option<&Order> {
        self.inner
            .order
            .get_or_try_init(|| Order::of(self))
            .await
            .ok()
    }

    /// An answer whose body the caller reads.
    pub(crate) async fn response(
        &self,
        request: &Request,
        last_event: Option<&str>,
    ) -> Result<(String, Response), ClientError> {
        let ask = |place| async move {
            let (timeout, http) = (self.options().request_timeout, self.build(place, request));
            let http = match last_event {
                Some(id) => http.header("last-event-id", id),
                None => http,
            };
            let checked = tokio::time::timeout(timeout, async {
                let response = http.send().await;
                let response = response.map_err(|e| self.failed(place, &e))?;
                self.check(place, response).await
            });
            let response = checked.await.map_err(|_| self.timed_out(place))??;
            Ok((self.name(place), response))
        };
        self.with_retries(ask).await
    }

    /// Asks the nodes in turn, all of them `rounds` times at most. (Not an `AsyncFn`: of its futures
    /// the compiler cannot tell that they may move between threads, so no call could be spawned.)
    async fn with_retries<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        ask: impl Fn(usize) -> F,
    ) -> Result<T, ClientError> {
        let inner = &*self.inner;
        let first = inner.preferred.load(Ordering::Relaxed);
        let (count, rounds) = (inner.nodes.len(), inner.options.rounds.max(1));
        let mut round = 0;
        loop {
            let mut failure = ClientError::NoNodes;
            for offset in 0..count {
                let place = (first + offset) % count;
                match ask(place).await {
                    Ok(answer) => {
                        inner.preferred.store(place, Ordering::Relaxed);
                        return Ok(answer);
                    }
                    Err(error) if error.is_retryable() => failure = error,
                    Err(error) => return Err(error),
                }
            }
            round += 1;
            if round >= rounds {
                return Err(failure);
            }
            let pause = inner.options.pause(round - 1, failure.retry_after());
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends to one node, and reads what is no success as an error.
    async fn open(&self, place: usize, request: &Request) -> Result<Response, ClientError> {
        let timeout = self.options().request_timeout;
        let response = self.build(place, request).timeout(timeout).send().await;
        let response = response.map_err(|e| self.failed(place, &e))?;
        self.check(place, response).await
    }

    fn build(&self, place: usize, request: &Request) -> reqwest::RequestBuilder {
        let mut url = self.inner.nodes[place].clone();
        url.set_path(&format!("{}{}", url.path(), request.path));
        let seen = self.seen();
        let fresh = (request.fresh && seen.0 > 0).then(|| ("min_commit", seen.to_string()));
        if fresh.is_some() || !request.query.is_empty() {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in request.query.iter().chain(&fresh) {
                pairs.append_pair(name, value);
            }
        }
        match &request.body {
            None => self.inner.http.get(url),
            Some(body) => {
                let http = &self.inner.http;
                let http = match request.put {
                    true => http.put(url),
                    false => http.post(url),
                };
                http.header(CONTENT_TYPE, request.media).body(body.clone())
            }
        }
    }

    async fn check(&self, place: usize, response: Response) -> Result<Response, ClientError> {
        if response.status().is_success() {
            let seen = response.headers().get(COMMIT_HEADER);
            if let Some(commit) = seen.and_then(|v| v.to_str().ok()?.parse().ok()) {
                self.has_seen(CommitIndex(commit));
            }
            return Ok(response);
        }
        let (node, status) = (self.name(place), response.status().as_u16());
        let retry_after = retry_after(response.headers());
        let body = self.body(place, response).await?;
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => ClientError::Problem {
                node,
                problem: Box::new(problem),
                retry_after,
            },
            Err(_) => ClientError::Status {
                node,
                status,
                excerpt: excerpt(&body),
            },
        })
    }

    async fn body(&self, place: usize, mut response: Response) -> Result<Bytes, ClientError> {
        let mut body = BytesMut::new();
        loop {
            let piece = response.chunk().await;
            match piece.map_err(|e| self.failed(place, &e))? {
                None => return Ok(body.freeze()),
                Some(piece) if body.len() + piece.len() <= RESPONSE_BYTES_MAX => {
                    body.extend_from_slice(&piece);
                }
                Some(_) => {
                    return Err(ClientError::TooLong {
                        node: self.name(place),
                        limit: RESPONSE_BYTES_MAX,
                    });
                }
            }
        }
    }

    /// The node that answered last.
    pub fn node(&self) -> String {
        self.name(self.preferred())
    }

    pub(crate) fn name(&self, place: usize) -> String {
        let url = self.inner.nodes[place].as_str();
        url.trim_end_matches('/').to_owned()
    }

    fn timed_out(&self, place: usize) -> ClientError {
        ClientError::TimedOut {
            node: self.name(place),
            after: self.options().request_timeout,
        }
    }

    fn failed(&self, place: usize, error: &reqwest::Error) -> ClientError {
        if error.is_timeout() && !error.is_connect() {
            return self.timed_out(place);
        }
        ClientError::Unreachable {
            node: self.name(place),
            reason: chain(error),
        }
    }
}

/// A node's URL, with a path that ends in a slash.
fn parse(text: &str) -> Result<Url, ClientError> {
    let refused = |reason: String| ClientError::Url {
        url: text.chars().take(EXCERPT_CHARACTERS).collect(),
        reason,
    };
    let mut url = Url::parse(text).map_err(|e| refused(e.to_string()))?;
    if url.scheme() != "http" {
        let reason = format!("its scheme is {:?}, and only http is spoken", url.scheme());
        return Err(refused(reason));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has a query or a fragment".to_owned()));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * EXCERPT_CHARACTERS)]);
    text.chars().take(EXCERPT_CHARACTERS).collect()
}

/// An error's words with those of its causes, the last of which says what happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests;
