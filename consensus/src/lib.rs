//! Weft consensus.
