//! The binary `weft` as it is used: by a script, by an operator.

mod keep;
mod masternode;
mod running;
mod validator;
mod words;
