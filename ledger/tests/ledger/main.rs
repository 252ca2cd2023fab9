//! The ledger from outside: one file per theme, and random histories against a plain model.

mod bridge;
mod choice;
mod model;
mod offences;
mod plan;
mod workload;
mod world;

mod auctions;
mod books;
mod channels;
mod collections;
mod cost;
mod deals;
mod draws;
mod envelope;
mod epochs;
mod exits;
mod fee_histories;
mod fees;
mod heights;
mod histories;
mod keys;
mod policies;
mod posted;
mod purchases;
mod sales;
mod secrets;
mod sessions;
mod threads;
mod tickets;
mod trading;
mod transfers;
mod vouchers;
