use super::harness::{CONTENT_BYTES, Node, signed};
use super::world::mint;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use weft_types::api::{Content, ProblemCode};
use weft_types::*;

const IMAGE: &[u8] = b"\x89PNG\r\n\x1a\n a card";
const METADATA: &[u8] = b"{\"about\": \"a card\"}";

/// User 1's edition that names an image and metadata, and an item of it.
async fn named(node: &Node, image: &str, hashes: [Option<ContentHash>; 2]) -> (EditionId, ItemId) {
    let create = Operation::CreateCollection {
        name: "cards".to_owned(),
        description: String::new(),
        item_cap: 0,
    };
    let nonce = node.state.views.borrow().commit.0 + 1;
    let body = super::harness::body(1, nonce, vec![]);
    let collection = CollectionId::derive(&body.sender, &body.idempotency, 0);
    let edition = EditionId::derive(&collection, 1);
    let create_edition = Operation::CreateEdition(NewEdition {
        collection,
        name: "card".to_owned(),
        cap: 10,
        traits: vec![],
        image: image.to_owned(),
        image_hash: hashes[0],
        metadata_hash: hashes[1],
        reference: String::new(),
        uses: 0,
    });
    let operations = vec![create, create_edition, mint(edition, 1, 1)];
    let status = node.done(&signed(1, nonce, operations)).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    (edition, ItemId::derive(&edition, 1))
}

fn path(bytes: &[u8]) -> String {
    format!("/v1/content/{}", ContentHash::of(bytes))
}

fn hashes(image: &[u8], metadata: &[u8]) -> [Option<ContentHash>; 2] {
    [image, metadata].map(|bytes| Some(ContentHash::of(bytes)))
}

#[tokio::test]
async fn a3_what_the_ledger_names_is_stored_once_and_shown_by_hash_edition_and_item() {
    let node = Node::start();
    let (edition, item) = named(&node, "", hashes(IMAGE, METADATA)).await;
    for (bytes, kind) in [(IMAGE, "image/png"), (METADATA, "application/json")] {
        for status in [StatusCode::CREATED, StatusCode::OK] {
            let answer = node.put(&path(bytes), bytes).await;
            assert_eq!(answer.status, status, "{}", answer.text());
            let stored: Content = answer.json();
            assert_eq!(
                (stored.bytes, &*stored.media_type),
                (bytes.len() as u64, kind)
            );
        }
    }
    let again = node.restarted();
    for (path, bytes, kind) in [
        (path(IMAGE), IMAGE, "image/png"),
        (format!("/v1/editions/{edition}/image"), IMAGE, "image/png"),
        (format!("/v1/items/{item}/image"), IMAGE, "image/png"),
        (
            format!("/v1/editions/{edition}/metadata"),
            METADATA,
            "application/json",
        ),
    ] {
        let answer = again.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.body, bytes);
        // A6: nothing in it runs, whatever it is.
        for (name, value) in [
            ("content-type", kind),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("cache-control", "public, max-age=31536000, immutable"),
        ] {
            assert_eq!(answer.headers[name], value, "{path}");
        }
        let tag = answer.headers["etag"].clone();
        let known = Request::get(&path).header("if-none-match", tag);
        let known = again.send(known.body(Body::empty()).unwrap()).await;
        assert_eq!(known.status, StatusCode::NOT_MODIFIED);
        assert!(known.body.is_empty());
    }
}

#[tokio::test]
async fn a3_what_is_not_named_or_has_another_hash_or_is_too_large_is_refused() {
    let node = Node::start();
    let long = vec![7; CONTENT_BYTES_MAX + 1];
    named(&node, "", hashes(IMAGE, &long)).await;
    for (path, bytes, code) in [
        (
            path(b"rubbish"),
            &b"rubbish"[..],
            ProblemCode::ContentNotNamed,
        ),
        (path(IMAGE), METADATA, ProblemCode::ContentMismatch),
        (path(IMAGE), b"", ProblemCode::ContentMismatch),
        (path(&long), &long, ProblemCode::BodyTooLarge),
        (
            "/v1/content/77".to_owned(),
            IMAGE,
            ProblemCode::MalformedParameter,
        ),
    ] {
        node.put(&path, bytes.to_vec()).await.problem(code);
    }
    node.get(&path(b"rubbish"))
        .await
        .problem(ProblemCode::ContentNotNamed);
    assert_eq!(node.state.store.content_bytes(), 0);
    node.observe(None);
    node.put(&path(IMAGE), IMAGE)
        .await
        .problem(ProblemCode::NotAccepting);
}

#[tokio::test]
async fn a3_beyond_what_a_node_stores_content_is_refused() {
    let node = Node::start();
    let [first, second, third] = [1, 2, 3].map(|n| vec![n; CONTENT_BYTES_MAX]);
    named(&node, "", hashes(&first, &second)).await;
    named(&node, "", hashes(&third, IMAGE)).await;
    for bytes in [&first, &second] {
        let answer = node.put(&path(bytes), bytes.clone()).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    let full = node.put(&path(&third), third.clone()).await;
    assert!(full.problem(ProblemCode::ContentFull).retryable);
    assert!(node.state.store.content_bytes() <= CONTENT_BYTES);
    let metrics = node.get("/metrics").await.text();
    assert!(metrics.contains("weft_content_bytes 524288\n"), "{metrics}");
    // What is small still fits.
    assert!(node.put(&path(IMAGE), IMAGE).await.status.is_success());
}

#[tokio::test]
async fn a4_what_another_node_has_is_shown_and_what_nobody_has_is_missing() {
    let node = Node::start();
    let (edition, item) = named(&node, "", hashes(IMAGE, METADATA)).await;
    let image = format!("/v1/items/{item}/image");
    let problem = node.get(&image).await.problem(ProblemCode::ContentMissing);
    assert!(problem.retryable);
    let hash = ContentHash::of(IMAGE);
    node.elsewhere.lock().unwrap().insert(hash, IMAGE.into());
    assert_eq!(node.get(&image).await.body, IMAGE);
    let metadata = format!("/v1/editions/{edition}/metadata");
    node.get(&metadata)
        .await
        .problem(ProblemCode::ContentMissing);
}

#[tokio::test]
async fn an_image_that_is_not_here_is_where_the_edition_says() {
    let node = Node::start();
    let web = "https://cards.example/1.png";
    let (edition, item) = named(&node, web, [Some(ContentHash::of(IMAGE)), None]).await;
    for path in [
        format!("/v1/editions/{edition}/image"),
        format!("/v1/items/{item}/image"),
    ] {
        let answer = node.get(&path).await;
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(answer.headers["location"], web);
    }
    assert!(node.put(&path(IMAGE), IMAGE).await.status.is_success());
    assert_eq!(
        node.get(&format!("/v1/items/{item}/image")).await.body,
        IMAGE
    );
    let (none, _) = named(&node, "javascript:alert(1)", [None, None]).await;
    for what in ["image", "metadata"] {
        let answer = node.get(&format!("/v1/editions/{none}/{what}")).await;
        answer.problem(ProblemCode::NotFound);
    }
}
