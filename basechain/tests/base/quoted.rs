//! What was quoted is what is signed, and what is signed has one outcome.

use crate::support::{ETHER, anvil_with, embedded, rich};
use std::time::Duration;
use weft_basechain::{ClientError, Endpoint, Order, Pace, Quote, ServerHandle, serve_embedded};

const TO: [u8; 20] = [0x21; 20];

async fn chain() -> (ServerHandle, Endpoint) {
    let server = serve_embedded(embedded(0, None)).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    (server, endpoint)
}

async fn quote(endpoint: &Endpoint, order: &Order) -> Quote {
    endpoint.quote(&rich(), order, None, None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_signed_has_the_nonce_gas_and_fee_that_were_quoted() {
    let (server, endpoint) = chain().await;
    let order = Order::transfer(TO, ETHER);
    let quote = quote(&endpoint, &order).await;
    let before = endpoint.balance(rich().address()).await.unwrap();
    let signed = endpoint.sign(&rich(), &order, &quote).await.unwrap();
    assert_eq!((signed.nonce(), signed.fee()), (quote.nonce, quote.fee));
    assert!(signed.does(&order));
    assert_eq!(endpoint.balance(TO).await.unwrap(), 0, "nothing is sent");

    // However often it is delivered, it is one transaction.
    let attempts = [signed];
    assert_eq!(endpoint.find_mined(&attempts).await.unwrap(), None);
    let mined = endpoint.deliver("transfer", &attempts).await.unwrap();
    for _ in 0..2 {
        let again = endpoint.deliver("transfer", &attempts).await.unwrap();
        assert_eq!(again, mined);
    }
    assert_eq!(endpoint.balance(TO).await.unwrap(), ETHER);
    let after = endpoint.balance(rich().address()).await.unwrap();
    assert!(before - after <= ETHER + quote.fee_max());
    let found = endpoint.find_mined(&attempts).await.unwrap();
    assert_eq!(found, Some(mined.hash));
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_changed_since_the_quote_is_not_signed() {
    let (server, endpoint) = chain().await;
    let order = Order::transfer(TO, ETHER);
    let shown = quote(&endpoint, &order).await;
    let refused = async |quote: &Quote| endpoint.sign(&rich(), &order, quote).await.unwrap_err();
    let mut dearer = shown;
    dearer.gas_limit = 20_000;
    let words = refused(&dearer).await.to_string();
    assert!(words.contains("by now, and was 20000"), "{words}");

    endpoint.transfer(&rich(), TO, 1).await.unwrap();
    let words = refused(&shown).await.to_string();
    assert!(
        words.contains("next nonce is 1 by now, and was 0"),
        "{words}"
    );
    server.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_that_has_risen_above_the_quote_is_not_paid() {
    let anvil = anvil_with(&[]);
    let endpoint = Endpoint::connect(&anvil.url).await.unwrap();
    let order = Order::transfer(TO, ETHER);
    let shown = quote(&endpoint, &order).await;
    endpoint.raise_base_fee(4 * shown.fee).await.unwrap();
    let refused = endpoint.sign(&rich(), &order, &shown).await.unwrap_err();
    let ClientError::Fee { fee, max, .. } = refused else {
        panic!("{refused}");
    };
    assert!(fee > max && max == shown.fee, "{fee} {max}");
    // Whoever allows more is shown that, and is refused where it is not enough.
    let key = rich();
    let allowed = |max| endpoint.quote(&key, &order, Some(max), None);
    let little = allowed(fee - 1).await.unwrap_err();
    assert!(matches!(little, ClientError::Fee { .. }), "{little}");
    let enough = allowed(2 * fee).await.unwrap();
    assert_eq!(enough.fee, 2 * fee);
    assert_eq!(enough.fee_max(), 2 * fee * u128::from(enough.gas_limit));
    let signed = endpoint.sign(&rich(), &order, &enough).await.unwrap();
    endpoint.deliver("transfer", &[signed]).await.unwrap();
    assert_eq!(endpoint.balance(TO).await.unwrap(), ETHER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_the_place_of_another_leaves_it_no_block() {
    let mut config = embedded(0, None);
    config.pace = Pace {
        busy: Duration::from_secs(2),
        ..Pace::default()
    };
    let server = serve_embedded(config).await.unwrap();
    let endpoint = Endpoint::connect(server.rpc_url()).await.unwrap();
    let hasty = endpoint
        .clone()
        .with_mined_time_max(Duration::from_millis(100));
    let (first, second) = (Order::transfer(TO, 1), Order::transfer(TO, 2));
    let shown = quote(&endpoint, &first).await;
    let first = endpoint.sign(&rich(), &first, &shown).await.unwrap();
    let waits = hasty.deliver("transfer", std::slice::from_ref(&first));
    let waits = waits.await.unwrap_err();
    assert!(matches!(waits, ClientError::NotMined { .. }), "{waits}");

    let instead = Some(&first);
    let key = rich();
    let cheap = endpoint.quote(&key, &second, Some(shown.fee), instead);
    let cheap = cheap.await.unwrap_err();
    assert!(matches!(cheap, ClientError::Fee { .. }), "{cheap}");
    let quote = endpoint.quote(&key, &second, None, instead);
    let quote = quote.await.unwrap();
    assert_eq!(quote.nonce, first.nonce());
    assert!(quote.fee > first.fee(), "{quote:?}");
    let second = endpoint.sign(&rich(), &second, &quote).await.unwrap();
    let both = [first.clone(), second.clone()];
    let mined = endpoint.deliver("transfer", &both).await.unwrap();
    assert_eq!(mined.hash, second.hash());
    assert_eq!(endpoint.balance(TO).await.unwrap(), 2);
    // Whoever asks for the first alone learns that it never will be.
    let replaced = endpoint.deliver("transfer", &[first]).await.unwrap_err();
    let nonce = quote.nonce;
    assert_eq!(
        replaced,
        ClientError::Replaced {
            what: "transfer",
            nonce
        }
    );
    server.shutdown().await.unwrap();
}
