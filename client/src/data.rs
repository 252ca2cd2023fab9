//! Posted data (docs/spec/data.md): given to members, what they sign gathered, and read by their hash.

use crate::client::{Client, Request};
use crate::error::ClientError;
use bytes::Bytes;
use weft_types::api::{ProofBundle, SignedAvailability};
use weft_types::{
    Availability, AvailabilityCertificate, Committee, ContentHash, Member, MemberIndex, MemberSet,
    NetworkId, bls,
};

/// What members of a committee have signed of data, until it is a quorum's.
pub struct Gathering {
    network: NetworkId,
    committee: Committee,
    claim: Availability,
    signed: Vec<(MemberIndex, bls::Signature)>,
    signers: MemberSet,
}

impl Gathering {
    /// Of a claim in this committee's epoch.
    pub fn new(network: NetworkId, committee: Committee, claim: Availability) -> Self {
        Self {
            network,
            committee,
            claim,
            signed: Vec::new(),
            signers: MemberSet::default(),
        }
    }

    /// Takes a member's signature, if it is one of this claim. Returns whether it is.
    pub fn add(&mut self, signed: &SignedAvailability) -> bool {
        let Some(member) = self.committee.member(signed.member) else {
            return false;
        };
        let Ok(signature) = bls::Signature::from_bytes(&signed.signature.0) else {
            return false;
        };
        let key = &member.finality_key;
        let good =
            signed.claim == self.claim && self.claim.is_signed(self.network, key, &signature);
        if good && self.signers.insert(signed.member) {
            self.signed.push((signed.member, signature));
        }
        good
    }

    pub fn is_complete(&self) -> bool {
        self.committee.is_quorum(&self.signers)
    }

    pub fn committee(&self) -> &Committee {
        &self.committee
    }

    pub fn signers(&self) -> &MemberSet {
        &self.signers
    }

    /// Members that have not signed.
    pub fn missing(&self) -> impl Iterator<Item = &Member> {
        let missing = self.committee.indices();
        let missing = missing.filter(move |i| !self.signers.contains(*i));
        missing.filter_map(move |i| self.committee.member(i))
    }

    /// What PostData takes. `None` before a quorum has signed.
    pub fn certificate(&self) -> Option<AvailabilityCertificate> {
        let complete = self.is_complete();
        let signed = complete.then_some(&self.signed)?;
        AvailabilityCertificate::gather(self.claim, signed)
    }
}

impl Client {
    /// Gives the data to each node that it knows until a quorum has signed. Returns why others have not.
    pub async fn gather(&self, bytes: &Bytes, gathering: &mut Gathering) -> Vec<ClientError> {
        let claim = gathering.claim;
        let request = Request {
            path: format!("v1/data/{}", claim.hash),
            query: vec![
                ("until", claim.until.to_string()),
                ("by", claim.by.to_string()),
            ],
            body: Some(bytes.clone()),
            put: true,
            media: "application/octet-stream",
            ..Request::default()
        };
        let mut failed = Vec::new();
        for place in 0..self.nodes() {
            if gathering.is_complete() {
                break;
            }
            match self.json_of(place, &request).await {
                Ok(signed) if gathering.add(&signed) => {}
                Ok(signed) => failed.push(ClientError::Malformed {
                    node: self.name(place),
                    reason: format!(
                        "member {} of epoch {} has signed something else",
                        signed.member, signed.claim.epoch
                    ),
                }),
                Err(error) => failed.push(error),
            }
        }
        failed
    }

    /// Posted data by their hash; what comes has that hash.
    ///
    /// # Errors
    /// When no node has them, or one answers with something else.
    pub async fn data(&self, hash: &ContentHash) -> Result<Bytes, ClientError> {
        self.hashed(format!("v1/data/{hash}"), hash).await
    }

    /// That data are posted, or are not, with a proof under the newest certificate, for [`crate::verify`].
    pub async fn data_proof(&self, hash: &ContentHash) -> Result<ProofBundle, ClientError> {
        let path = format!("v1/data/{hash}/proof");
        self.json(&Request::get(path)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::testing::{availability, committee, finality_key, network};
    use weft_types::{AvailabilitySignature, Millis};

    fn signed(i: u32) -> SignedAvailability {
        let claim = availability();
        let signature = claim.sign(network().id(), &finality_key(i as usize));
        SignedAvailability {
            member: MemberIndex(i),
            claim,
            signature: AvailabilitySignature(signature.to_bytes()),
        }
    }

    #[test]
    fn l53_a_certificate_is_gathered_of_each_member_once_and_of_nothing_else() {
        let (id, four) = (network().id(), committee(4));
        let mut gathering = Gathering::new(id, four.clone(), availability());
        let mut other = signed(1);
        other.claim.until = Millis(1);
        let mut stolen = signed(2);
        stolen.member = MemberIndex(3);
        let mut stranger = signed(2);
        stranger.member = MemberIndex(9);
        for wrong in [other, stolen, stranger] {
            assert!(!gathering.add(&wrong));
        }
        for i in [0, 0, 2] {
            assert!(gathering.add(&signed(i)));
        }
        assert_eq!(gathering.certificate(), None);
        let missing: Vec<u64> = gathering.missing().map(|m| m.id).collect();
        assert_eq!(missing, [2, 4]);
        assert!(gathering.add(&signed(3)));
        let certificate = gathering.certificate().unwrap();
        assert_eq!(certificate.check(id, &four), Ok(()));
    }
}
