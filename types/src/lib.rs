//! Weft types.
