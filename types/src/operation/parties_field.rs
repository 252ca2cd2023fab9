//! JSON of `MultiParty`: an object with a field, because a list cannot carry the `type` tag.

use super::Party;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
struct Parties<P> {
    parties: P,
}

pub fn serialize<S: Serializer>(parties: &[Party], serializer: S) -> Result<S::Ok, S::Error> {
    Parties { parties }.serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Party>, D::Error> {
    Ok(Parties::deserialize(deserializer)?.parties)
}
