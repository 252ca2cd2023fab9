//! Data to post, with the mistakes that are asked for.

use super::Chooser;
use crate::plan::data::Post;
use weft_types::testing::{availability, availability_certificate};
use weft_types::{Availability, ContentHash, Epoch, MemberIndex, Millis, Operation};

impl Chooser<'_> {
    pub(super) fn post(&self, post: &Post) -> Operation {
        let at = |later| Millis(self.now.saturating_add_signed(later));
        let claim = Availability {
            hash: ContentHash::of(&[post.data]),
            // Mostly the one that it has.
            size: match post.size {
                0 => 5 + u64::from(post.data),
                size => size,
            },
            until: at(post.lasts),
            by: at(post.by),
            epoch: match post.wrong {
                1 => Epoch(1),
                _ => Epoch::ZERO,
            },
        };
        let signers = (0..4usize).filter(|i| post.signers >> i & 1 == 1);
        let signers: Vec<usize> = signers.collect();
        // Of something else.
        let signed = match post.wrong {
            2 => availability(),
            _ => claim,
        };
        let mut certificate = availability_certificate(signed, &signers);
        certificate.claim = claim;
        if post.signers >> 4 & 1 == 1 {
            certificate.signers.insert(MemberIndex(4));
        }
        Operation::PostData(certificate)
    }
}
