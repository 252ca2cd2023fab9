//! Weft ledger.
