//! JSON of a state's signatures, as of a transaction's.

use crate::api::AuthorisationJson;
use crate::authorisation::Authorisation;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

pub fn serialize<S: Serializer>(
    signatures: &[Authorisation; 2],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    signatures
        .each_ref()
        .map(AuthorisationJson::from)
        .serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<[Authorisation; 2], D::Error> {
    let [giver, taker] = <[AuthorisationJson; 2]>::deserialize(deserializer)?;
    let read = |json: &AuthorisationJson| json.read().map_err(D::Error::custom);
    Ok([read(&giver)?, read(&taker)?])
}
