//! Passes of each scheme of which a program can hold the key, and an allow-list.

use serde_json::json;
use weft_types::hash::Domain;
use weft_types::testing::*;
use weft_types::*;

#[test]
fn passes_are_as_published() {
    let secret = [7; 32];
    let keys = [
        UserKey::from(&ed25519::SecretKey::from_seed(secret)),
        UserKey::Eip191(secp256k1::SecretKey::from_bytes(&secret).unwrap()),
        UserKey::P256(p256::SecretKey::from_bytes(&secret).unwrap()),
        UserKey::Eip712(secp256k1::SecretKey::from_bytes(&secret).unwrap()),
    ];
    let item = ItemId([7; 32]);
    let passes = keys.iter().flat_map(|key| {
        [None, Some(user(3))].map(|gate| {
            let network = network().id();
            let body = PassBody {
                network,
                item,
                slot: 120_000_000,
                gate,
            };
            let digest = body.digest();
            json!({
                "secret": hex::encode(secret),
                "network": network,
                "item": item,
                "digest": hex::encode(digest),
                "signed_message": hex::encode([Domain::PassSignature.tag(), &digest].concat()),
                "pass": body.sign(key),
            })
        })
    });
    let edition = EditionId([5; 32]);
    let (list, entries) = allow_list(&edition, &[1, 2, 3, 4, 5]);
    let places = (0..5).map(|place| {
        json!({
            "account": user(u64::from(place) + 1),
            "entry": hex::encode(entries[place as usize]),
            "listed": list_place(&entries, place),
        })
    });
    let vectors = json!({
        "passes": passes.collect::<Vec<_>>(),
        "allow_list": {
            "edition": edition,
            "list": list,
            "places": places.collect::<Vec<_>>(),
        },
    });
    check_vectors("pass", &vectors);
}
