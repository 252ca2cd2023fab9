//! The Rust client of a node's HTTP API.
//!
//! A [`Client`] knows several nodes and asks the next one when one does not answer. It sends
//! transactions until it has their outcome, and to the next node whenever one has taken longer than is
//! usual: the same transaction again is the same transaction, so sending twice is safe. What it has seen once it never sees older again, whichever node answers.
//!
//! Nothing that a node says is proof. [`verify`] checks an object's proof offline, against the
//! network's genesis alone.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use weft_client::{Client, Draft, Wait};
//! use weft_types::{Amount, AssetId, Operation, Payment, ed25519::SecretKey};
//!
//! let client = Client::new(["http://127.0.0.1:8080", "http://127.0.0.1:8081"])?;
//! let draft = Draft::new(&client.genesis().await?);
//! let key = SecretKey::from_seed([7; 32]);
//! let payment = Payment {
//!     to: "weft1...".parse()?,
//!     asset: AssetId::NATIVE,
//!     amount: Amount(1_000),
//! };
//! let pay = Operation::Transfer {
//!     payments: vec![payment],
//!     items: vec![],
//! };
//! let status = client.submit(&draft.sign(&key, vec![pay]), Wait::Certified).await?;
//! println!("{} is {}", status.id, status.state.as_str());
//! # Ok(())
//! # }
//! ```

mod client;
mod content;
mod data;
mod draft;
mod error;
mod faucet;
mod options;
mod order;
mod query;
mod read;
mod sending;
mod sse;
mod stream;
mod submit;
pub mod verify;

pub use client::{Client, RESPONSE_BYTES_MAX};
pub use data::Gathering;
pub use draft::{Draft, Signer};
pub use error::ClientError;
pub use faucet::Funded;
pub use options::Options;
pub use query::{DealQuery, EditionQuery};
pub use read::PageQuery;
pub use sse::{EVENT_BYTES_MAX, SseError};
pub use stream::{EventStream, STREAM_SILENCE_MAX, StreamEvent};
pub use submit::Wait;
