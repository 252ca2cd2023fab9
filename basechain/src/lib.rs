//! Weft basechain.
