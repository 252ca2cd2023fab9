//! What a Weft network is: what it starts with (genesis), and the base chain and contract that it
//! checkpoints to. Everything signed names it, so nothing signed here is valid elsewhere.

use crate::hash::{Domain, blake3};
use crate::ids::{GenesisDigest, NetworkId};
use serde::{Deserialize, Serialize};

/// The three things that tell networks apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Network {
    pub genesis: GenesisDigest,
    /// The base chain's id (EIP-155).
    pub chain_id: u64,
    /// Address of the `CheckpointManager` contract.
    #[serde(with = "hex::serde")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub manager: [u8; 20],
}

impl Network {
    /// The name in vertices and transactions.
    pub fn id(&self) -> NetworkId {
        NetworkId(blake3(
            Domain::Network,
            &[&self.genesis.0, &self.chain_id.to_be_bytes(), &self.manager],
        ))
    }
}
