//! Weft testnet.
