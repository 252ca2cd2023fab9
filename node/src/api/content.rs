//! Content that the ledger names by its hash (docs/spec/content.md): taken if its hash is right and something in the
//! state names it, and given as what its own bytes say, with nothing in it ever run.

use super::ApiState;
use super::answer::{Failure, Segment, not_found, parameter};
use super::body::collect;
use super::objects::{edition, find_item};
use super::reading::Reading;
use crate::index;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use weft_storage::{Durability, Kept};
use weft_types::api::{Content, Edition, Problem, ProblemCode};
use weft_types::{CONTENT_BYTES_MAX, ContentHash, EditionId, ItemId};

/// What a hash names never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// A6: whatever the bytes are, opened by themselves they are a page that loads and runs nothing.
const INERT: &str = "default-src 'none'; sandbox";

/// Bytes of any kind, whose JSON schema says nothing.
pub enum ContentBytes {}

impl PartialSchema for ContentBytes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .description(Some("The bytes themselves."))
            .into()
    }
}

impl ToSchema for ContentBytes {}

/// Stores content that the ledger names
///
/// The body is the bytes whose BLAKE3 hash is in the path, of any content type, 256 KiB at most.
#[utoipa::path(put, path = "/v1/content/{hash}", tag = "content",
    params(("hash" = ContentHash, Path)),
    request_body(content = ContentBytes, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "It was stored here before", body = Content),
        (status = 201, description = "It is stored now", body = Content),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn put(
    State(state): State<ApiState>,
    Segment(hash): Segment,
    reading: Reading,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let hash: ContentHash = parameter("hash", &hash)?;
    if reading.view.own.is_none() {
        // A4: nobody asks an observer for what it has.
        let detail = "this node is no member: content is given to members";
        return Err(Failure::new(ProblemCode::NotAccepting, detail));
    }
    check_named(&state, &hash)?;
    let received = collect(&state.gate, &headers, body, CONTENT_BYTES_MAX).await;
    let (bytes, _budget) =
        received.map_err(
            |failure| match failure.problem.is(ProblemCode::BodyTooLarge) {
                true => failure.hint("make the image or document smaller"),
                false => failure,
            },
        )?;
    let found = ContentHash::of(&bytes);
    if found != hash {
        let detail = format!("the {} bytes have the hash {found}", bytes.len());
        return Err(Failure::new(ProblemCode::ContentMismatch, detail));
    }
    let stored = Content {
        hash,
        bytes: bytes.len() as u64,
        media_type: media_type(&bytes).to_owned(),
    };
    let (store, bytes_max) = (state.store.clone(), state.content_bytes_max);
    // Whoever was told that it is stored may forget it.
    let put = move || store.put_content(&hash, &bytes, bytes_max, Durability::Synced);
    let kept = tokio::task::spawn_blocking(put);
    let mut response = reading.answer(&stored);
    match kept.await.map_err(Failure::internal)?? {
        Kept::Now => *response.status_mut() = StatusCode::CREATED,
        Kept::Before => {}
        Kept::Full(held) => {
            let detail = format!("this node stores {held} of {bytes_max} bytes");
            return Err(Failure::new(ProblemCode::ContentFull, detail));
        }
    }
    Ok(response)
}

/// Content by its hash
///
/// Of this node, or of another that has it.
#[utoipa::path(get, path = "/v1/content/{hash}", tag = "content",
    params(("hash" = ContentHash, Path)),
    responses(
        (status = 200, description = "The bytes, as what they are found to be: an image, JSON, or octets", body = ContentBytes, content_type = "application/octet-stream"),
        (status = 304, description = "The asker has them (If-None-Match)"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn get(
    State(state): State<ApiState>,
    Segment(hash): Segment,
    _reading: Reading,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let hash: ContentHash = parameter("hash", &hash)?;
    shown(&state, &hash, &headers).await
}

/// An item's image
///
/// That of its edition.
#[utoipa::path(get, path = "/v1/items/{id}/image", tag = "items",
    params(("id" = ItemId, Path)),
    responses(
        (status = 200, description = "The image, as the ledger's hash has it", body = ContentBytes, content_type = "application/octet-stream"),
        (status = 304, description = "The asker has it (If-None-Match)"),
        (status = 307, description = "The URL that the edition names, where this node lacks the bytes"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn item_image(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id: ItemId = parameter("id", &id)?;
    let item = find_item(&state, &reading.view, id).await?;
    image(&state, &edition(&reading.view, item.edition)?, &headers).await
}

/// An edition's image
#[utoipa::path(get, path = "/v1/editions/{id}/image", tag = "collections",
    params(("id" = EditionId, Path)),
    responses(
        (status = 200, description = "The image, as the ledger's hash has it", body = ContentBytes, content_type = "application/octet-stream"),
        (status = 304, description = "The asker has it (If-None-Match)"),
        (status = 307, description = "The URL that the edition names, where this node lacks the bytes"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn edition_image(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id: EditionId = parameter("id", &id)?;
    image(&state, &edition(&reading.view, id)?, &headers).await
}

/// An edition's metadata
#[utoipa::path(get, path = "/v1/editions/{id}/metadata", tag = "collections",
    params(("id" = EditionId, Path)),
    responses(
        (status = 200, description = "The bytes, as the ledger's hash has them", body = ContentBytes, content_type = "application/octet-stream"),
        (status = 304, description = "The asker has them (If-None-Match)"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn edition_metadata(
    State(state): State<ApiState>,
    Segment(id): Segment,
    reading: Reading,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id: EditionId = parameter("id", &id)?;
    let hash = edition(&reading.view, id)?.metadata_hash;
    let none = || not_found(format_args!("metadata of edition {id}"));
    shown(&state, &hash.ok_or_else(none)?, &headers).await
}

/// The bytes if they are here; else the URL, if there is one, rather than waiting for others.
async fn image(
    state: &ApiState,
    edition: &Edition,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let web = elsewhere(&edition.image);
    match (edition.image_hash, web) {
        (Some(hash), None) => shown(state, &hash, headers).await,
        (Some(hash), Some(_)) if state.store.has_content(&hash)? => {
            shown(state, &hash, headers).await
        }
        (_, Some(location)) => {
            let status = StatusCode::TEMPORARY_REDIRECT;
            Ok((status, [(header::LOCATION, location)]).into_response())
        }
        (None, None) => Err(not_found(format_args!(
            "an image of edition {}",
            edition.id
        ))),
    }
}

/// Never to anything but the web: a creator chooses this text.
fn elsewhere(image: &str) -> Option<HeaderValue> {
    let web = image.starts_with("https://") || image.starts_with("http://");
    web.then(|| HeaderValue::from_str(image).ok()).flatten()
}

/// A3: nobody stores or looks for what nothing on the ledger asks for.
fn check_named(state: &ApiState, hash: &ContentHash) -> Result<(), Failure> {
    if index::is_named(&state.store, hash)? {
        return Ok(());
    }
    let detail = format!("nothing on the ledger names {hash}");
    Err(Failure::new(ProblemCode::ContentNotNamed, detail))
}

pub async fn shown(
    state: &ApiState,
    hash: &ContentHash,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let tag = format!("\"{hash}\"");
    let etag = HeaderValue::from_str(&tag).map_err(Failure::internal)?;
    let for_ever = HeaderValue::from_static(FOR_EVER);
    let same = [(header::ETAG, etag), (header::CACHE_CONTROL, for_ever)];
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut known = known
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','));
    let is_same = |v: &str| v.trim().trim_start_matches("W/") == tag;
    if known.any(is_same) {
        return Ok((StatusCode::NOT_MODIFIED, same).into_response());
    }
    let bytes = found(state, hash).await?;
    let own = [
        (header::CONTENT_TYPE, media_type(&bytes)),
        (header::CONTENT_SECURITY_POLICY, INERT),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ];
    Ok((same, own, bytes).into_response())
}

/// Here, or at another node.
async fn found(state: &ApiState, hash: &ContentHash) -> Result<Bytes, Failure> {
    if let Some(bytes) = state.store.content(hash)? {
        return Ok(bytes);
    }
    check_named(state, hash)?;
    let found = state.contents.find(*hash).await;
    let found = found.map_err(|busy| Failure::new(ProblemCode::Overloaded, busy.to_string()))?;
    found.ok_or_else(|| {
        let detail = format!("the bytes of {hash} are neither here nor at the nodes asked");
        Failure::new(ProblemCode::ContentMissing, detail)
    })
}

/// A6: by the bytes alone, and nothing that a browser would run: a page, a script or a drawing with scripts in it
/// (SVG) is octets.
fn media_type(bytes: &[u8]) -> &'static str {
    let at = |place: usize, mark: &[u8]| bytes.get(place..).is_some_and(|b| b.starts_with(mark));
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    match first {
        Some(0x89) if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        Some(0xff) if at(0, b"\xff\xd8\xff") => "image/jpeg",
        Some(b'G') if at(0, b"GIF87a") || at(0, b"GIF89a") => "image/gif",
        Some(b'R') if at(0, b"RIFF") && at(8, b"WEBP") => "image/webp",
        Some(_) if at(4, b"ftypavif") => "image/avif",
        Some(b'{' | b'[') if serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() => {
            "application/json"
        }
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a6_bytes_are_what_they_begin_with_and_nothing_that_runs() {
        let mut webp = *b"RIFF\x10\0\0\0WEBPVP8 ";
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\nrest"[..], "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"GIF89a", "image/gif"),
            (&webp, "image/webp"),
            (b"\0\0\0\x1cftypavif", "image/avif"),
            (b" {\"name\": [1]}\n", "application/json"),
            (b"{\"name\": ", "application/octet-stream"),
            (b"", "application/octet-stream"),
            (b"\x89PN", "application/octet-stream"),
            (b"\0\0\0\x1cftypmp42", "application/octet-stream"),
            (
                b"<html><script>alert(1)</script>",
                "application/octet-stream",
            ),
            (
                b"<svg xmlns='http://www.w3.org/2000/svg'/>",
                "application/octet-stream",
            ),
            (b"function f() {}", "application/octet-stream"),
        ] {
            assert_eq!(media_type(bytes), kind, "{bytes:?}");
        }
        webp[8] = b'X';
        assert_eq!(media_type(&webp), "application/octet-stream");
    }
}
