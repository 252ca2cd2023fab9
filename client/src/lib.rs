//! Weft client.
