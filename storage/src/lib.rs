//! Weft storage.
