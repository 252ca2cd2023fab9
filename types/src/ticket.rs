//! What the holder of a ticket shows in a QR code: which item, the pass (L36), and for gates that have no pack the
//! proof of whose it is. Nothing here is trusted: whoever reads it checks the pass and the proof.

use crate::api::ProofBundle;
use crate::authorisation::Pass;
use crate::ids::{IdError, ItemId, NetworkId};
use crate::operation::OperationError;
use crate::operation::encode::bytes;
use crate::state::{ObjectId, ProofError, StateProof};
use crate::statement::{Certificate, CertificateError, STATEMENT_BYTES};
use crate::wire;
use bytes::{BufMut as _, Bytes};
use prost::Message as _;

/// Longest code in bytes: what the largest QR code holds as text of its 45 characters.
pub const TICKET_CODE_BYTES_MAX: usize = 2_800;

const WORD_BYTES: usize = 32;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketCode {
    pub item: ItemId,
    pub pass: Pass,
    /// Of the item; `None`: the gate has a pack.
    pub proof: Option<ProofBundle>,
}

/// Bytes that are no code.
#[derive(Debug, thiserror::Error)]
pub enum TicketCodeError {
    #[error("code has {0} bytes, more than {TICKET_CODE_BYTES_MAX}")]
    TooLong(usize),
    #[error("code is no protobuf message: {0}")]
    Malformed(#[from] prost::DecodeError),
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Pass(#[from] OperationError),
    #[error("code has no pass")]
    NoPass,
    #[error("proof's statement is not 17 words")]
    Statement,
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("proof's value is not hexadecimal, or there is none: the item does not exist")]
    Value,
}

impl TicketCode {
    /// Whether the pass is signed for this item.
    pub fn is_signed(&self, network: NetworkId) -> bool {
        self.pass.is_signed(network, self.item)
    }

    /// # Errors
    /// When the proof is one of absence, or not as a node writes it.
    pub fn encode(&self) -> Result<Bytes, TicketCodeError> {
        let proof = self.proof.as_ref().map(folded).transpose()?;
        let wire = wire::TicketCode {
            item: bytes(&self.item.0),
            pass: Some((&self.pass).into()),
            proof,
        };
        Ok(wire.encode_to_vec().into())
    }

    /// Nothing is verified yet.
    pub fn decode(bytes: Bytes) -> Result<Self, TicketCodeError> {
        if bytes.len() > TICKET_CODE_BYTES_MAX {
            return Err(TicketCodeError::TooLong(bytes.len()));
        }
        let wire = wire::TicketCode::decode(bytes)?;
        let item = ItemId::try_from(wire.item.as_ref())?;
        let pass = wire.pass.as_ref().ok_or(TicketCodeError::NoPass)?;
        let proof = wire.proof.map(|proof| unfolded(item, &proof)).transpose()?;
        Ok(Self {
            item,
            pass: Pass::try_from(pass)?,
            proof,
        })
    }
}

/// The statement's words without their leading zeros: numbers are short in it.
fn folded(bundle: &ProofBundle) -> Result<wire::TicketProof, TicketCodeError> {
    let value = bundle.value.as_deref().ok_or(TicketCodeError::Value)?;
    let value = hex::decode(value).map_err(|_| TicketCodeError::Value)?;
    let certificate = Certificate::try_from(bundle.certificate.clone())?;
    let mut statement = Vec::with_capacity(STATEMENT_BYTES);
    for word in certificate.statement.encode().chunks(WORD_BYTES) {
        let zeros = word.iter().take_while(|byte| **byte == 0).count();
        statement.put_u8((word.len() - zeros) as u8);
        statement.put_slice(&word[zeros..]);
    }
    let encoded = wire::Certificate::decode(certificate.encode())?;
    Ok(wire::TicketProof {
        value: value.into(),
        path: Some(wire::StateProof::from(&bundle.proof)),
        statement: statement.into(),
        bitmap: encoded.bitmap,
        signature: encoded.signature,
    })
}

fn unfolded(item: ItemId, proof: &wire::TicketProof) -> Result<ProofBundle, TicketCodeError> {
    let mut statement = Vec::with_capacity(STATEMENT_BYTES);
    let mut rest = proof.statement.as_ref();
    while let Some((length, more)) = rest.split_first() {
        let length = usize::from(*length);
        let word = more
            .split_at_checked(length)
            .filter(|_| length <= WORD_BYTES);
        let (word, after) = word.ok_or(TicketCodeError::Statement)?;
        if statement.len() >= STATEMENT_BYTES {
            return Err(TicketCodeError::Statement);
        }
        statement.resize(statement.len() + WORD_BYTES - length, 0);
        statement.extend_from_slice(word);
        rest = after;
    }
    let certificate = wire::Certificate {
        statement: statement.into(),
        bitmap: proof.bitmap.clone(),
        signature: proof.signature.clone(),
    };
    let certificate = Certificate::decode(certificate.encode_to_vec().into())?;
    let path = proof.path.as_ref().ok_or(TicketCodeError::Value)?;
    Ok(ProofBundle {
        object: ObjectId::Item(item),
        value: Some(hex::encode(&proof.value)),
        proof: StateProof::try_from(path)?,
        certificate: certificate.to_json(),
        kept: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{EditionId, Root};
    use crate::testing::{certify, network, pass, statement, user};
    use crate::{Item, Object, leaf_hash, value_hash};

    /// User 2's ticket, the only object there is.
    fn code() -> TicketCode {
        let item = ItemId([7; 32]);
        let value = Object::Item(Item::new(EditionId([5; 32]), 3, user(2)).into()).encode();
        let mut statement = statement(7);
        let key = ObjectId::Item(item).state_key();
        statement.state_root = Root(leaf_hash(&key, &value_hash(&value)));
        let siblings = vec![];
        let proof = StateProof {
            siblings,
            other: None,
        };
        TicketCode {
            item,
            pass: pass(2, item, 120_000_000, Some(user(3))),
            proof: Some(ProofBundle {
                object: ObjectId::Item(item),
                value: Some(hex::encode(value)),
                proof,
                certificate: certify(&statement, &[0, 1, 3]).to_json(),
                kept: None,
            }),
        }
    }

    #[test]
    fn codes_survive_their_encoding_and_a_proof_is_short() {
        let whole = code();
        let encoded = whole.encode().unwrap();
        // Without siblings; a state of 2^17 objects has some 20 of 32 bytes more.
        assert!(encoded.len() < 900, "{}", encoded.len());
        assert_eq!(TicketCode::decode(encoded).unwrap(), whole);
        let short = TicketCode {
            proof: None,
            ..whole
        };
        let encoded = short.encode().unwrap();
        assert!(encoded.len() < 190, "{}", encoded.len());
        assert_eq!(TicketCode::decode(encoded).unwrap(), short);
        assert!(short.is_signed(network().id()));
    }

    #[test]
    fn a_code_cut_short_or_with_a_bit_changed_is_refused_or_another() {
        let whole = code();
        let encoded = whole.encode().unwrap();
        for cut in 0..encoded.len() {
            let read = TicketCode::decode(encoded.slice(..cut));
            assert!(read.map_or(true, |read| read != whole), "cut at {cut}");
        }
        for place in 0..encoded.len() {
            let mut bytes = encoded.to_vec();
            bytes[place] ^= 1;
            let read = TicketCode::decode(bytes.into());
            assert!(read.map_or(true, |read| read != whole), "byte {place}");
        }
        let long = vec![0; TICKET_CODE_BYTES_MAX + 1];
        assert!(TicketCode::decode(long.into()).is_err());
    }
}
