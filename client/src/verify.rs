//! Checks an object's proof offline. Two things are trusted: the genesis, which the caller has from
//! a source of its own, and more than two thirds of the stake that it names, and of each committee after it.
//!
//! The chain of reasons: the genesis names the first committee, and the end of each epoch the next one ([`Committees`]);
//! a quorum of the one in office signed the statement; the statement names the state root; under that root the object's
//! key has this value, or none. Every link is checked here, and nobody is asked.
//!
//! A bundle is checked as text: every field must be as a node writes it, letter case included, and
//! no other field may be there. So no byte of it can be changed without being noticed, except white
//! space between the fields.

mod committees;

pub use committees::Committees;

use bytes::Bytes;
use weft_types::api::{Object, ProofBundle};
use weft_types::{
    Certificate, CertificateError, CommitteeError, Epoch, GenesisError, Height, Millis,
    ObjectError, ObjectId, ProofError, Root,
};

/// Longest bundle in bytes. The largest object and the deepest proof take far less.
pub const BUNDLE_BYTES_MAX: usize = 1 << 20;

/// What a proof proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedObject {
    pub id: ObjectId,
    /// `None`: the state has no such object.
    pub object: Option<Object>,
    /// When this was so: what came later, the proof does not know.
    pub height: Height,
    pub timestamp: Millis,
    pub state_root: Root,
}

/// Why a bundle proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    #[error("proof has {0} bytes, more than {BUNDLE_BYTES_MAX}")]
    TooLong(usize),
    #[error("proof is no JSON of the expected form: {0}")]
    Malformed(String),
    #[error("proof is not written as a node writes it; a field is unknown or spelled otherwise")]
    NotCanonical,
    #[error("value is not hexadecimal")]
    Value,
    #[error("value is no {kind}: {error}")]
    Object { kind: ObjectId, error: ObjectError },
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    #[error("certificate is of epoch {found}, and committees are known up to epoch {newest}")]
    Epoch { found: Epoch, newest: Epoch },
    #[error("the committee after epoch {0} is not the one that was signed")]
    Next(Epoch),
    #[error(transparent)]
    Committee(#[from] CommitteeError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// Checks a bundle as a node writes it, from a file or an answer.
pub fn verify_text(text: &str, committees: &Committees) -> Result<VerifiedObject, VerifyError> {
    if text.len() > BUNDLE_BYTES_MAX {
        return Err(VerifyError::TooLong(text.len()));
    }
    let malformed = |e: serde_json::Error| VerifyError::Malformed(e.to_string());
    let bundle: ProofBundle = serde_json::from_str(text).map_err(malformed)?;
    let read: serde_json::Value = serde_json::from_str(text).map_err(malformed)?;
    if serde_json::to_value(&bundle).map_err(malformed)? != read {
        return Err(VerifyError::NotCanonical);
    }
    verify(bundle, committees)
}

/// Checks a bundle.
pub fn verify(bundle: ProofBundle, committees: &Committees) -> Result<VerifiedObject, VerifyError> {
    let value = bundle.value.as_deref().map(hex::decode);
    let value = value.transpose().map_err(|_| VerifyError::Value)?;
    let certificate = Certificate::try_from(bundle.certificate.clone())?;
    // Hexadecimal that is read the same in either case is written in one.
    if value.as_ref().map(hex::encode) != bundle.value
        || certificate.to_json() != bundle.certificate
    {
        return Err(VerifyError::NotCanonical);
    }

    let (id, root) = (bundle.object, certificate.statement.state_root);
    let key = id.state_key();
    bundle.proof.verify(&root, &key, value.as_deref())?;
    let certificate = committees.verify(certificate)?;

    let object = value.map(|bytes| Object::decode(&id, Bytes::from(bytes)));
    let object = object
        .transpose()
        .map_err(|error| VerifyError::Object { kind: id, error })?;
    Ok(VerifiedObject {
        id,
        object,
        height: certificate.statement.height,
        timestamp: certificate.statement.timestamp,
        state_root: root,
    })
}

#[cfg(test)]
mod tests;
