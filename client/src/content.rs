//! Content that the ledger names by its hash: images and metadata (docs/spec/content.md).

use crate::client::{Client, Request};
use crate::error::ClientError;
use bytes::Bytes;
use weft_types::ContentHash;
use weft_types::api::Content;

impl Client {
    /// Gives content to each node that it knows, so that it does not hang on one of them. The ledger has to
    /// name its hash before.
    ///
    /// # Errors
    /// When no node takes it: what the last one says.
    pub async fn upload(&self, bytes: Bytes) -> Result<Content, ClientError> {
        let request = Request {
            path: format!("v1/content/{}", ContentHash::of(&bytes)),
            body: Some(bytes),
            put: true,
            media: "application/octet-stream",
            fresh: true,
            ..Request::default()
        };
        let (mut stored, mut failed) = (None, ClientError::NoNodes);
        for place in 0..self.nodes() {
            match self.json_of(place, &request).await {
                Ok(content) => stored = Some(content),
                Err(error) => failed = error,
            }
        }
        stored.ok_or(failed)
    }

    /// Content by its hash; what comes has that hash.
    ///
    /// # Errors
    /// When no node has it, or one answers with something else.
    pub async fn content(&self, hash: &ContentHash) -> Result<Bytes, ClientError> {
        self.hashed(format!("v1/content/{hash}"), hash).await
    }

    /// What has that hash.
    pub(crate) async fn hashed(
        &self,
        path: String,
        hash: &ContentHash,
    ) -> Result<Bytes, ClientError> {
        let (place, bytes) = self.bytes(&Request::get(path)).await?;
        if ContentHash::of(&bytes) == *hash {
            return Ok(bytes);
        }
        Err(ClientError::Malformed {
            node: self.name(place),
            reason: format!("{} bytes that have not the hash {hash}", bytes.len()),
        })
    }
}
