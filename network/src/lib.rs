//! Weft network.
