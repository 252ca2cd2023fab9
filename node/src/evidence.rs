//! What a watcher keeps when a quorum has certified another statement than its own (W3), and how anybody judges it
//! (W4). `docs/spec/watching.md` is the specification.

mod difference;
mod judging;
mod record;
mod replay;
mod stream;
mod write;

pub use difference::{Difference, differences};
pub use record::{MAGIC, Opened, RECORD_BYTES_MAX, Reader, Record, RecordError, Writer};
pub use replay::{Report, Unusable, Verdict, replay};
pub use write::{Case, WriteError, write};
