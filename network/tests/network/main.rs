//! Nodes with real sockets on the loopback device, one behaviour each test. Ports are chosen by the
//! system, and everything that is waited for has a time-out.

mod common;
mod fetches;
mod frames;
mod history;
mod links;
mod lockfile;
mod observers;
mod outsiders;
mod proxy;
mod seating;
mod start;
