//! Weft node.
