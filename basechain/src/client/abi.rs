//! The contracts' interfaces and bytecode, from the committed artifacts. Each has a module of its
//! own, because both bring the library's types.

#![allow(missing_docs, clippy::too_many_arguments)]

pub mod registry {
    alloy::sol!(
        MasternodeRegistry,
        "contracts/artifacts/MasternodeRegistry.json"
    );
}

pub mod vault {
    alloy::sol!(Vault, "contracts/artifacts/Vault.json");

    alloy::sol! {
        interface IERC20 {
            function approve(address spender, uint256 amount) external returns (bool);
            function allowance(address owner, address spender) external view returns (uint256);
        }
        interface IERC721 {
            function approve(address to, uint256 tokenId) external;
        }
    }
}

pub mod hash_lock {
    alloy::sol!(HashLock, "contracts/artifacts/HashLock.json");
}

pub mod manager {
    alloy::sol!(
        CheckpointManager,
        "contracts/artifacts/CheckpointManager.json"
    );
}
