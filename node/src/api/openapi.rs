//! The description of the API, made from the code that serves it. `docs/openapi.json` is the
//! committed copy; a test compares the two.

use super::{
    book, bridge, chain, content, data, deals, exits, health, lists, market, objects, offenders,
    search, stream, submit, transactions, vouchers,
};
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{Modify, OpenApi, PartialSchema, ToSchema};

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
        objects::collection_proof,
        market::collection_prices,
        market::collection_trades,
        search::editions,
        objects::edition_of_id,
        objects::edition_proof,
        market::edition_prices,
        book::edition_book,
        market::edition_trades,
        objects::item,
        objects::item_history,
        objects::item_proof,
        content::item_image,
        content::edition_image,
        content::edition_metadata,
        content::get,
        content::put,
        data::put,
        data::get,
        data::posted_proof,
        deals::deals,
        objects::deal,
        objects::deal_proof,
        vouchers::pool,
        vouchers::pool_proof,
        vouchers::spent_proof,
        bridge::bridge,
        bridge::withdrawal,
        bridge::withdrawals,
        exits::exits,
        exits::places,
        exits::place,
        offenders::offenders,
        offenders::offender,
        chain::commits,
        chain::commit,
        transactions::receipts,
        chain::certificates,
        chain::certificate,
        chain::checkpoints,
        chain::committee,
        chain::epoch_end,
        chain::epoch,
        chain::vertices,
        chain::genesis,
        chain::status,
        stream::stream,
        health::healthz,
        health::readyz,
        health::metrics,
        openapi,
    ),
    components(schemas(submit::Wait, weft_types::api::DealSide)),
    modifiers(&MultiParty, &Readings),
    tags(
        (name = "transactions"), (name = "accounts"), (name = "collections"), (name = "items"),
        (name = "content"), (name = "data"), (name = "deals"), (name = "vouchers"), (name = "bridge"), (name = "chain"), (name = "stream"), (name = "node"),
    ),
)]
struct Description;

/// The body of a submission in protobuf, whose bytes JSON schemas say nothing of.
pub enum EncodedTransactions {}

impl PartialSchema for EncodedTransactions {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .description(Some("An encoded TransactionList or Transaction."))
            .into()
    }
}

impl ToSchema for EncodedTransactions {}

/// A `MultiParty` has its parties in a field, by a serialisation of its own that the derived schema
/// does not see.
struct MultiParty;

impl Modify for MultiParty {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let schemas = description.components.as_mut().map(|c| &mut c.schemas);
        let operation = schemas.and_then(|schemas| schemas.get_mut("Operation"));
        let Some(RefOr::T(Schema::OneOf(operation))) = operation else {
            return;
        };
        let is_list = |part: &RefOr<Schema>| matches!(part, RefOr::T(Schema::Array(_)));
        let derived = |variant: &RefOr<Schema>| match variant {
            RefOr::T(Schema::AllOf(parts)) => parts.items.iter().any(is_list),
            _ => false,
        };
        operation.items.retain(|variant| !derived(variant));
        let name = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["multi_party"]));
        let parties = ArrayBuilder::new().items(Ref::from_schema_name("Party"));
        let variant = ObjectBuilder::new()
            .property("type", name)
            .required("type")
            .property("parties", parties)
            .required("parties");
        operation.items.push(variant.into());
    }
}

/// Every reading takes the two parameters of [`super::reading`], and answers with its two headers.
struct Readings;

/// Paths under `/v1` whose answers come from no reading.
const NO_READINGS: [&str; 3] = ["/v1/transactions", "/v1/genesis", "/v1/stream"];

impl Modify for Readings {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut description.paths.paths {
            if !path.starts_with("/v1/") || NO_READINGS.contains(&path.as_str()) {
                continue;
            }
            for operation in [&mut item.get, &mut item.post, &mut item.put]
                .into_iter()
                .flatten()
            {
                let parameters = operation.parameters.get_or_insert_default();
                for (name, what) in [("min_commit", "commit"), ("min_height", "height")] {
                    let whole = ObjectBuilder::new().schema_type(Type::Integer);
                    let whole = whole.minimum(Some(0));
                    let parameter = ParameterBuilder::new()
                        .name(name)
                        .parameter_in(ParameterIn::Query)
                        .description(Some(format!("Read no older state than after this {what}")))
                        .schema(Some(whole));
                    parameters.push(RefOr::T(parameter.build()));
                }
            }
        }
    }
}

/// The parameters that the query of a route may have; none for a route without a description.
pub fn query_parameters(method: &Method, route: &str) -> Option<&'static BTreeSet<String>> {
    static KNOWN: OnceLock<BTreeMap<String, BTreeSet<String>>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let paths = Description::openapi().paths.paths.into_iter();
        let operations = paths.flat_map(|(path, item)| {
            let of_path = [
                (Method::GET, item.get),
                (Method::POST, item.post),
                (Method::PUT, item.put),
            ];
            let there = of_path.into_iter().filter_map(|(m, o)| Some((m, o?)));
            there.map(move |(method, operation)| (format!("{method} {path}"), operation))
        });
        let known = operations.map(|(operation, described)| {
            let parameters = described.parameters.unwrap_or_default().into_iter();
            let in_query = parameters.filter_map(|parameter| match parameter {
                RefOr::T(p) if p.parameter_in == ParameterIn::Query => Some(p.name),
                _ => None,
            });
            (operation, in_query.collect())
        });
        known.collect()
    });
    // What is not described is read as it would be with GET.
    let found = known.get(&format!("{method} {route}"));
    found.or_else(|| known.get(&format!("GET {route}")))
}

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
