//! The accounts of the load generator. Their keys come from its own key, so that each load finds
//! those of the one before, and the ledger does not grow with every load.

use weft_client::Draft;
use weft_types::ed25519::SecretKey;
use weft_types::hash::keccak;
use weft_types::{Address, Amount, AssetId, Operation, Payment, Transaction};

/// Payments of one funding transaction.
const PAYMENTS: usize = 200;

/// One account.
#[derive(Clone)]
pub struct Player {
    pub key: SecretKey,
    pub address: Address,
}

impl Player {
    pub fn new(key: SecretKey) -> Self {
        let address = Address::of_key(&key.public());
        Self { key, address }
    }
}

/// Account `index` of a kind.
pub fn player(source: &SecretKey, kind: &str, index: u32) -> Player {
    let secret = source.seed();
    let parts: [&[u8]; 4] = [
        b"weft/load/",
        kind.as_bytes(),
        &index.to_be_bytes(),
        secret.as_slice(),
    ];
    Player::new(SecretKey::from_seed(keccak(&parts)))
}

/// The keys alone of so many accounts of a kind.
pub fn keys(source: &SecretKey, kind: &str, count: u32) -> Vec<SecretKey> {
    let keys = (0..count).map(|index| player(source, kind, index).key);
    keys.collect()
}

pub fn players(source: &SecretKey, kind: &str, count: u32) -> Vec<Player> {
    (0..count)
        .map(|index| player(source, kind, index))
        .collect()
}

/// Transactions that give each of these accounts the same amount of the native asset.
pub fn fund(
    source: &SecretKey,
    draft: &Draft,
    players: &[Player],
    amount: Amount,
) -> Vec<Transaction> {
    let payment = |player: &Player| Payment {
        to: player.address,
        asset: AssetId::NATIVE,
        amount,
    };
    let parts = players.chunks(PAYMENTS);
    let parts = parts.map(|part| Operation::Transfer {
        payments: part.iter().map(payment).collect(),
        items: vec![],
    });
    parts.map(|op| draft.sign(source, vec![op])).collect()
}
