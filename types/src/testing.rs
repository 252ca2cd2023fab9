//! Committees, keys and signed things for tests, made from fixed seeds. Behind the feature
//! `testing`; nothing here is for production.

mod bridge;
mod channels;
mod committee;
mod data;
mod draws;
mod finality;
mod keys;
mod market;
mod tickets;
mod transactions;
mod vouchers;

pub use bridge::*;
pub use channels::*;
pub use committee::*;
pub use data::*;
pub use draws::*;
pub use finality::*;
pub use keys::*;
pub use market::*;
pub use tickets::*;
pub use transactions::*;
pub use vouchers::*;

use serde_json::Value;
use std::path::PathBuf;

/// Compares with a committed file of `docs/spec/vectors`, or writes it when `WEFT_WRITE_VECTORS` is set.
///
/// # Panics
/// When they differ.
pub fn check_vectors(name: &str, vectors: &Value) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spec/vectors"));
    let path = folder.join(format!("{name}.json"));
    if std::env::var_os("WEFT_WRITE_VECTORS").is_some() {
        let text = format!("{vectors:#}\n");
        std::fs::create_dir_all(folder).expect("the folder of vectors");
        std::fs::write(&path, text).expect("a file of vectors");
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    // As values: the order of fields is not part of them.
    let committed: Value = serde_json::from_str(&text).unwrap_or_default();
    assert!(
        committed == *vectors,
        "{} differs from what the code makes; if the protocol was meant to change, `just vectors` \
         writes it anew",
        path.display()
    );
}
