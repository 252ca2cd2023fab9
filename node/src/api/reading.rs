//! Readings. Each sees one [`View`], answers with the commit and height that it saw, and may be told
//! to be no older than others have been: `min_commit` and `min_height` wait a moment for this node
//! to get there. So a client reads its own writes, and never goes back in time when it changes from
//! one node to another.

use super::ApiState;
use super::answer::{Failure, Query, json, parameter};
use crate::view::View;
use axum::extract::{FromRequestParts, Query as Pairs};
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;
use weft_storage::{Cursor, PageRequest};
use weft_types::api::{COMMIT_HEADER, HEIGHT_HEADER, PAGE_DEFAULT, PAGE_MAX, Page, ProblemCode};
use weft_types::{CommitIndex, Height, Millis, Trait};

/// One reading: the view, and the query that it came with.
pub struct Reading {
    pub view: Arc<View>,
    query: HashMap<String, String>,
    /// What [`REPEATED`] was given as.
    traits: Vec<String>,
}

/// The one parameter that may be there several times.
pub const REPEATED: &str = "trait";
/// Most traits that may be asked for together.
const TRAITS_ASKED_MAX: usize = 8;

impl FromRequestParts<ApiState> for Reading {
    type Rejection = Failure;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &ApiState,
    ) -> Result<Self, Self::Rejection> {
        let Query(query) = Query::of(parts)?;
        let number = |name: &str| {
            let text = query.get(name);
            text.map(|t| parameter::<u64>(name, t)).transpose()
        };
        let commit = CommitIndex(number("min_commit")?.unwrap_or(0));
        let height = Height(number("min_height")?.unwrap_or(0));
        let mut views = state.views.clone();
        let there = views.wait_for(|v| v.commit >= commit && v.height >= height);
        let there = tokio::time::timeout(state.limits.reading_wait_max, there);
        let view = match there.await {
            Ok(Ok(view)) => view.clone(),
            _ => {
                let view = state.views.borrow();
                let detail = format!(
                    "commit {commit} and height {height} were asked for, this node is at commit {} \
                     and height {}",
                    view.commit, view.height
                );
                return Err(Failure::new(ProblemCode::NotReached, detail));
            }
        };
        let all = Pairs::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let all = all.map(|pairs| pairs.0).unwrap_or_default().into_iter();
        let traits = all.filter(|(name, text)| name == REPEATED && !text.is_empty());
        Ok(Self {
            view,
            query,
            traits: traits.map(|(_, text)| text).collect(),
        })
    }
}

impl Reading {
    /// A parameter of the query.
    pub fn parameter<T>(&self, name: &str) -> Result<Option<T>, Failure>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        let text = self.query.get(name).filter(|t| !t.is_empty());
        text.map(|t| parameter(name, t)).transpose()
    }

    /// The traits that were asked for, each `NAME:VALUE`.
    pub fn traits(&self) -> Result<Vec<Trait>, Failure> {
        let wrong = |detail: String| Failure::new(ProblemCode::MalformedParameter, detail);
        if self.traits.len() > TRAITS_ASKED_MAX {
            let count = self.traits.len();
            return Err(wrong(format!(
                "trait: {count} times, at most {TRAITS_ASKED_MAX} are taken"
            )));
        }
        let read = self.traits.iter().map(|text| {
            let pair = text.split_once(':');
            let (name, value) =
                pair.ok_or_else(|| wrong("trait: must be NAME:VALUE".to_owned()))?;
            Ok(Trait {
                name: name.to_owned(),
                value: value.to_owned(),
            })
        });
        read.collect()
    }

    /// Whether a parameter is there.
    pub fn has(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|text| !text.is_empty())
    }

    /// Refuses a parameter that would do nothing beside another one.
    pub fn without(&self, name: &str, because: &str) -> Result<(), Failure> {
        if !self.has(name) {
            return Ok(());
        }
        let detail = format!("{name}: {because}");
        Err(Failure::new(ProblemCode::MalformedParameter, detail))
    }

    /// How many entries were asked for.
    pub fn limit(&self) -> Result<usize, Failure> {
        let limit = self.parameter::<usize>("limit")?.unwrap_or(PAGE_DEFAULT);
        if (1..=PAGE_MAX).contains(&limit) {
            return Ok(limit);
        }
        let detail = format!("limit {limit}: must be 1 to {PAGE_MAX}");
        Err(Failure::new(ProblemCode::MalformedParameter, detail))
    }

    /// Where to go on, as the caller's own type of cursor.
    pub fn cursor<T: std::str::FromStr>(&self) -> Result<Option<T>, Failure> {
        let text = self.query.get("cursor").filter(|t| !t.is_empty());
        text.map(|t| {
            t.parse().map_err(|_| {
                let shown: String = t.chars().take(80).collect();
                Failure::new(ProblemCode::InvalidCursor, format!("cursor {shown:?}"))
            })
        })
        .transpose()
    }

    /// The newest first, unless `order=asc` is asked for.
    pub fn order(&self) -> Result<PageRequest, Failure> {
        let limit = self.limit()?;
        match self.query.get("order").map(String::as_str) {
            None | Some("" | "desc") => Ok(PageRequest::descending(limit)),
            Some("asc") => Ok(PageRequest::ascending(limit)),
            Some(other) => {
                let shown: String = other.chars().take(80).collect();
                let detail = format!("order {shown:?}: must be asc or desc");
                Err(Failure::new(ProblemCode::MalformedParameter, detail))
            }
        }
    }

    /// A page of a numbered list.
    pub fn page(&self) -> Result<PageRequest, Failure> {
        Ok(self.order()?.after(self.cursor::<Cursor>()?))
    }

    /// A JSON answer that says what was seen.
    pub fn answer<T: Serialize>(&self, value: &T) -> Response {
        let mut response = json(value);
        let headers = response.headers_mut();
        headers.insert(COMMIT_HEADER, HeaderValue::from(self.view.commit.0));
        headers.insert(HEIGHT_HEADER, HeaderValue::from(self.view.height.0));
        response
    }
}

/// Says that an answer has seen this commit as well, which readings of the view may not have yet.
pub fn has_seen(mut response: Response, commit: Option<CommitIndex>) -> Response {
    let headers = response.headers_mut();
    let said = headers.get(COMMIT_HEADER).and_then(|v| v.to_str().ok());
    let said = said.and_then(|v| v.parse().ok()).map(CommitIndex);
    if let Some(commit) = commit.filter(|commit| said.is_none_or(|said| said < *commit)) {
        headers.insert(COMMIT_HEADER, HeaderValue::from(commit.0));
    }
    response
}

/// A page of the store, entry by entry.
pub fn page_of<T, U>(
    page: weft_storage::Page<T>,
    map: impl FnMut(T) -> Result<U, Failure>,
) -> Result<Page<U>, Failure> {
    Ok(Page {
        items: page
            .entries
            .into_iter()
            .map(map)
            .collect::<Result<_, _>>()?,
        next: page.next.map(|c| c.to_string()),
    })
}

/// The time for judging validity: the clock, but never behind the ledger's own time.
pub fn now(view: &View) -> Millis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let clock = since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
    Millis(clock).max(view.timestamp)
}

/// Reads that touch many entries run beside the tasks that answer others, a few at a time.
pub async fn from_store<T: Send + 'static>(
    state: &ApiState,
    read: impl FnOnce(&weft_storage::Store) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let turn = state.gate.lists.acquire().await;
    let _turn = turn.map_err(Failure::internal)?;
    let store = state.store.clone();
    let read = tokio::task::spawn_blocking(move || read(&store));
    read.await.map_err(Failure::internal)?
}
