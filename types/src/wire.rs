//! The protobuf messages of `proto/`, as prost generates them. They carry bytes; what is checked has
//! a type of its own in this crate.

#![allow(clippy::doc_markdown)]

use prost::encoding::{DecodeContext, WireType, decode_key, encode_key, encode_varint, skip_field};

include!(concat!(env!("OUT_DIR"), "/weft.v1.rs"));

/// Appends a field of bytes that are not empty.
pub fn encode_bytes(field: u32, bytes: &[u8], to: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, to);
    encode_varint(bytes.len() as u64, to);
    to.extend_from_slice(bytes);
}

/// How often each of the fields 1 to 31 occurs at the top of a message. Costs a walk over the fields
/// and allocates nothing, where decoding allocates 50 to 200 bytes for an entry of two: what has too
/// many entries is refused before it is decoded.
pub fn occurrences(mut message: &[u8]) -> Result<[usize; 32], prost::DecodeError> {
    let mut counts = [0; 32];
    while !message.is_empty() {
        let (field, wire_type) = decode_key(&mut message)?;
        skip_field(wire_type, field, &mut message, DecodeContext::default())?;
        if let Some(count) = counts.get_mut(field as usize) {
            *count += 1;
        }
    }
    Ok(counts)
}
