//! Nodes in one process, over real sockets, databases and an embedded base chain, whose links a test
//! can cut.

mod bridge;
mod cluster;
mod coins;
mod contents;
mod epochs;
mod go_between;
mod liars;
mod members;
mod observers;
mod posted;
mod recovery;
#[path = "../shared/sabotage.rs"]
mod sabotage;
mod slashing;
mod snapshots;
mod told_apart;
mod twin;
mod watcher;
mod watching;
mod withheld;
