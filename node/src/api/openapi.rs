//! The description of the API, made from the code that serves it. `docs/openapi.json` is the
//! committed copy; a test compares the two.

use super::{chain, health, lists, objects, stream, submit, transactions};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::OnceLock;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Weft node",
        description = "One port, HTTP. Errors are problems after RFC 9457 with a stable `code`, a `hint` and `retryable`. Readings take `min_commit` and `min_height`, and answer with the headers `weft-commit` and `weft-height`. Lists have opaque cursors.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        submit::submit,
        transactions::transaction,
        transactions::dry_run,
        objects::account,
        objects::account_items,
        objects::account_history,
        objects::account_proof,
        lists::collections,
        objects::collection_of_id,
        lists::collection_editions,
        lists::collection_items,
        objects::edition_of_id,
        objects::item,
        objects::item_history,
        objects::item_proof,
        objects::item_image,
        lists::deals,
        objects::deal,
        objects::deal_proof,
        chain::commits,
        chain::commit,
        transactions::receipts,
        chain::certificates,
        chain::certificate,
        chain::checkpoints,
        chain::committee,
        chain::vertices,
        chain::genesis,
        chain::status,
        stream::stream,
        health::healthz,
        health::readyz,
        health::metrics,
        openapi,
    ),
    tags(
        (name = "transactions"), (name = "accounts"), (name = "collections"), (name = "items"),
        (name = "deals"), (name = "chain"), (name = "stream"), (name = "node"),
    ),
)]
struct Description;

/// The description as JSON, made once.
pub fn document() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let mut text = Description::openapi().to_pretty_json().unwrap_or_default();
        text.push('\n');
        text
    })
}

/// This description
#[utoipa::path(get, path = "/openapi.json", tag = "node", responses((status = 200, description = "OpenAPI 3.1")))]
pub async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document()).into_response()
}
