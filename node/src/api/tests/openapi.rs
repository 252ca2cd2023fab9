use super::harness::Node;
use serde_json::Value;
use std::path::Path;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

/// `WEFT_REWRITE=1` writes the file instead.
#[test]
fn the_committed_description_is_that_of_the_code() {
    let document = crate::api::openapi_document();
    if std::env::var_os("WEFT_REWRITE").is_some() {
        std::fs::write(COMMITTED, document).unwrap();
    }
    let committed = std::fs::read_to_string(Path::new(COMMITTED)).unwrap_or_default();
    assert!(
        committed == document,
        "docs/openapi.json differs: run this test with WEFT_REWRITE=1 and look at the difference"
    );
}

#[tokio::test]
async fn the_description_is_served_and_describes_every_route_that_is_served() {
    let node = Node::start();
    let served: Value = node.get("/openapi.json").await.json();
    assert_eq!(served["openapi"], "3.1.0");
    let router = include_str!("../../api.rs");
    let route = |text: &&str| text.starts_with('/') && !text.contains(char::is_whitespace);
    let routes: Vec<&str> = router.split('"').filter(route).collect();
    assert!(routes.len() > 30);
    let paths = served["paths"].as_object().unwrap();
    for route in &routes {
        assert!(paths.contains_key(*route), "{route} is not described");
    }
    assert_eq!(paths.len(), routes.len());
}

#[test]
fn the_operations_described_are_those_that_are_serialised() {
    let document: Value = serde_json::from_str(crate::api::openapi_document()).unwrap();
    let operations = &document["components"]["schemas"]["Operation"]["oneOf"];
    let multi_party = operations.as_array().unwrap().iter().find(|variant| {
        let name = variant.pointer("/properties/type/enum/0");
        name == Some(&Value::from("multi_party"))
    });
    let serialised = weft_types::Operation::MultiParty(vec![]);
    let serialised = serde_json::to_value(serialised).unwrap();
    let described = multi_party.unwrap()["properties"].as_object().unwrap();
    let serialised = serialised.as_object().unwrap();
    assert!(described.keys().eq(serialised.keys()));
}

#[test]
fn the_documentation_lists_every_code_of_a_problem_with_its_status() {
    let document = include_str!("../../../../docs/spec/api.md");
    for code in weft_types::api::ProblemCode::ALL {
        let retryable = if code.retryable() { "yes" } else { "no" };
        let row = format!(
            "| `{code}` | {} | {retryable} | {} |",
            code.status(),
            code.title()
        );
        assert!(document.contains(&row), "{row}");
    }
}

#[test]
fn every_reference_in_the_description_resolves() {
    let document: Value = serde_json::from_str(crate::api::openapi_document()).unwrap();
    let mut open = vec![&document];
    let mut references = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    references += 1;
                    let pointer = reference.trim_start_matches('#');
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                }
                open.extend(fields.values());
            }
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    assert!(references > 100);
}
