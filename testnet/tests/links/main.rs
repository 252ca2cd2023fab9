//! Nodes in one process, over real sockets, databases and an embedded base chain, whose links a test
//! can cut.

mod cluster;
mod liars;
mod members;
mod observers;
mod recovery;
