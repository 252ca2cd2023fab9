//! Who was in office in each epoch, from the genesis on: what ends an epoch is signed by its committee and names the next
//! one by its digest (E2). So whoever hands the ends out can leave some out, and can make none up.

use super::VerifyError;
use weft_types::api::EpochEnd;
use weft_types::{Certificate, Committee, Epoch, Genesis, Network, Verified};

/// The committees that are known: the genesis', and those that follow from it.
#[derive(Debug, Clone)]
pub struct Committees {
    network: Network,
    first: Committee,
    later: Vec<Committee>,
}

impl Committees {
    /// That of the genesis alone.
    pub fn genesis(genesis: &Genesis) -> Result<Self, VerifyError> {
        genesis.validate()?;
        Ok(Self {
            network: genesis.network,
            first: genesis.committee()?,
            later: Vec::new(),
        })
    }

    pub fn newest(&self) -> &Committee {
        self.later.last().unwrap_or(&self.first)
    }

    /// Takes the committee after the newest one.
    pub fn follow(&mut self, end: &EpochEnd) -> Result<(), VerifyError> {
        let newest = self.newest();
        let by = Certificate::try_from(end.certificate.clone())?;
        let by = by.verify(&self.network, newest)?;
        let next = Committee::new(newest.epoch().next(), end.next.clone())?;
        if by.statement.next_committee != next.digest() {
            return Err(VerifyError::Next(newest.epoch()));
        }
        self.later.push(next);
        Ok(())
    }

    /// Whether a quorum of the committee of its epoch has signed a certificate.
    pub fn verify(&self, certificate: Certificate) -> Result<Verified<Certificate>, VerifyError> {
        let (found, newest) = (certificate.statement.epoch, self.newest().epoch());
        let committee = self.of(found).ok_or(VerifyError::Epoch { found, newest })?;
        Ok(certificate.verify(&self.network, committee)?)
    }

    fn of(&self, epoch: Epoch) -> Option<&Committee> {
        let mut all = std::iter::once(&self.first).chain(&self.later);
        all.find(|committee| committee.epoch() == epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_types::{CertificateError, CommitteeDigest, Member, Statement, testing};

    /// The end of an epoch of the tests' members, who name `named` and are followed by `next`.
    fn end(epoch: u64, named: CommitteeDigest, next: Vec<Member>, signers: &[usize]) -> EpochEnd {
        let statement = Statement {
            network: testing::genesis(4).network,
            epoch: Epoch(epoch),
            next_committee: named,
            ..testing::statement(9 + epoch)
        };
        EpochEnd {
            certificate: testing::certify(&statement, signers).to_json(),
            next,
        }
    }

    fn next(epoch: u64) -> (CommitteeDigest, Vec<Member>) {
        let members = testing::committee(4).members().to_vec();
        let committee = Committee::new(Epoch(epoch), members.clone()).unwrap();
        (committee.digest(), members)
    }

    #[test]
    fn each_committee_follows_from_the_one_before_and_signs_for_its_epoch_alone() {
        let mut committees = Committees::genesis(&testing::genesis(4)).unwrap();
        let of_epoch = |epoch| {
            let end = end(epoch, CommitteeDigest([0; 32]), vec![], &[0, 1, 2]);
            Certificate::try_from(end.certificate).unwrap()
        };
        for epoch in 0..3 {
            let unknown = committees.verify(of_epoch(epoch + 1)).unwrap_err();
            let (found, newest) = (Epoch(epoch + 1), Epoch(epoch));
            assert_eq!(unknown, VerifyError::Epoch { found, newest });
            let (digest, members) = next(epoch + 1);
            let end = end(epoch, digest, members, &[0, 1, 2]);
            committees.follow(&end).unwrap();
            assert!(committees.follow(&end).is_err(), "of an epoch that is over");
        }
        assert_eq!(committees.newest().epoch(), Epoch(3));
        for epoch in 0..4 {
            assert!(committees.verify(of_epoch(epoch)).is_ok());
        }
    }

    #[test]
    fn what_no_quorum_has_signed_is_not_followed() {
        let mut committees = Committees::genesis(&testing::genesis(4)).unwrap();
        let (digest, mut members) = next(1);
        let weak = committees.follow(&end(0, digest, members.clone(), &[0, 1]));
        let quorum = CertificateError::Quorum {
            signed: 2,
            quorum: 3,
        };
        assert_eq!(weak, Err(VerifyError::Certificate(quorum)));
        members[3].finality_key = testing::finality_key(7).public();
        let other = committees.follow(&end(0, digest, members, &[0, 1, 2]));
        assert_eq!(other, Err(VerifyError::Next(Epoch(0))));
        assert_eq!(committees.newest().epoch(), Epoch(0));
    }
}
