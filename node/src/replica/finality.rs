//! F1-F4: from own statements and the members' shares to certificates. Shares of one statement are
//! summed and the sum is checked once, when it reaches a quorum; only a sum that fails is bisected,
//! and whoever signed wrongly is refused from then on. At most one statement per height can gather a
//! quorum, because two quorums share an honest member and an honest member signs one.

use super::posting::Due;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_consensus::Buffer;
use weft_types::bls::{PublicKey, Purpose, SecretKey, Signature};
use weft_types::{
    Certificate, Committee, FinalityShare, Height, MemberIndex, MemberSet, Millis, Network,
    Statement, StatementDigest, Verified,
};

/// Shares for heights this far above the own newest one are not kept: what is further ahead comes
/// again as certificates.
pub const SHARE_HEIGHTS_AHEAD_MAX: u64 = 1024;

/// What one share costs in memory, with its place in the tables.
const SHARE_BYTES: usize = 512;

type Shares = BTreeMap<MemberIndex, Signature>;

/// What came of a share.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// F3: a quorum signed what this node computed. With the heights due for posting (B2) that this is the
    /// first certificate for, if any.
    Certified {
        certificate: Arc<Verified<Certificate>>,
        due: Vec<Due>,
    },
    /// A certificate whose checkpoint is still due gained signers.
    Grown {
        certificate: Arc<Verified<Certificate>>,
        due: Vec<Due>,
    },
    /// F4: a quorum signed something else. This node must stop.
    Diverged {
        height: Height,
        own: StatementDigest,
        certified: StatementDigest,
        /// What shows it; none where it was shares of a statement that nobody has shown.
        by: Option<Box<Verified<Certificate>>>,
    },
}

/// The members' shares and this node's statements.
pub struct Finality {
    network: Network,
    committee: Arc<Committee>,
    /// `None` for an observer, who follows and signs nothing.
    own: Option<(MemberIndex, SecretKey)>,
    /// V3, S1: statements of heights above this are signed; none while that is not known.
    signs_above: Option<Height>,
    /// Executed here and not certified yet, with the digests.
    open: BTreeMap<Height, (Statement, StatementDigest)>,
    shares: BTreeMap<Height, BTreeMap<StatementDigest, Shares>>,
    /// Members whose share was wrong.
    refused: MemberSet,
    newest: Height,
    certified: Height,
    /// Heights not certified yet that are due for posting, and since when.
    due_heights: BTreeMap<Height, Millis>,
    /// The newest certificate that is due for posting, with its shares and the due heights.
    due: Option<(Certificate, Shares, Vec<Due>)>,
}

impl Finality {
    /// `certified` is the newest certified height in the store.
    pub fn new(
        network: Network,
        committee: Arc<Committee>,
        own: Option<(MemberIndex, SecretKey)>,
        certified: Height,
    ) -> Self {
        Self {
            network,
            committee,
            own,
            signs_above: None,
            open: BTreeMap::new(),
            shares: BTreeMap::new(),
            refused: MemberSet::default(),
            newest: certified,
            certified,
            due_heights: BTreeMap::new(),
            due: None,
        }
    }

    /// V3, S1: from now on statements of heights above this one are signed. Before this is said, none is.
    pub fn sign_above(&mut self, height: Height) {
        self.signs_above = Some(height);
    }

    /// S1: no statement is signed until that is known again.
    pub fn sign_nothing(&mut self) {
        self.signs_above = None;
    }

    /// Whether this member signs the statement of a height.
    pub fn signs(&self, height: Height) -> bool {
        self.own.is_some() && self.signs_above.is_some_and(|floor| height > floor)
    }

    /// A height was executed here: takes the statement, and returns the own share of it if this member
    /// may sign it. One that is `due` for posting goes on collecting shares once it is certified.
    pub fn close(
        &mut self,
        statement: Statement,
        due: bool,
    ) -> (Option<FinalityShare>, Vec<Outcome>) {
        let height = statement.height;
        if due {
            self.due_heights.insert(height, statement.timestamp);
        }
        self.newest = self.newest.max(height);
        if height <= self.certified {
            return (None, Vec::new());
        }
        let own = self.own.as_ref().filter(|_| self.signs(height));
        let share = own.map(|(index, key)| (*index, FinalityShare::sign(&statement, key)));
        let signed = share.as_ref().map(|(_, share)| share.statement);
        let digest = signed.unwrap_or_else(|| statement.digest());
        self.open.insert(height, (statement, digest));
        let mut outcomes = match &share {
            Some((index, share)) => self.add(*index, share),
            None => Vec::new(),
        };
        // Shares of others may have been first.
        if outcomes.is_empty() {
            outcomes = self.judge(height);
        }
        (share.map(|(_, share)| share), outcomes)
    }

    /// E3: a certificate that others have made, of a height that was executed here.
    pub fn adopt(&mut self, certificate: Verified<Certificate>) -> Vec<Outcome> {
        let (height, certified) = (certificate.statement.height, certificate.statement.digest());
        let Some(&(_, own)) = self.open.get(&height) else {
            return Vec::new();
        };
        if own != certified {
            return vec![Outcome::Diverged {
                height,
                own,
                certified,
                by: Some(Box::new(certificate)),
            }];
        }
        let due = self.cover(height);
        let certificate = Arc::new(certificate);
        vec![Outcome::Certified { certificate, due }]
    }

    /// Everything up to a height is certified; returns the heights due for posting among that.
    fn cover(&mut self, height: Height) -> Vec<Due> {
        self.certified = self.certified.max(height);
        // A certificate covers every height below it: the chain of commits is one.
        self.open = self.open.split_off(&height.next());
        self.shares = self.shares.split_off(&height.next());
        // A later certificate serves a due height that it covers just as well.
        let kept = self.due_heights.split_off(&height.next());
        let covered = std::mem::replace(&mut self.due_heights, kept).into_iter();
        covered
            .map(|(height, since)| Due { height, since })
            .collect()
    }

    /// A share from a vertex of `author`, which signed the vertex.
    pub fn add(&mut self, author: MemberIndex, share: &FinalityShare) -> Vec<Outcome> {
        let height = share.height;
        let beyond = self.newest.saturating_add(SHARE_HEIGHTS_AHEAD_MAX);
        if share.epoch != self.committee.epoch() || self.refused.contains(author) || height > beyond
        {
            return Vec::new();
        }
        if height <= self.certified {
            return self.grow(author, share).into_iter().collect();
        }
        // A member's first share of a height counts; another could only be a second statement.
        let of_height = self.shares.entry(height).or_default();
        if of_height.values().any(|s| s.contains_key(&author)) {
            return Vec::new();
        }
        of_height
            .entry(share.statement)
            .or_default()
            .insert(author, share.signature);
        self.judge(height)
    }

    /// Looks for a quorum at a height that has been executed here.
    fn judge(&mut self, height: Height) -> Vec<Outcome> {
        let Some(&(_, own)) = self.open.get(&height) else {
            return Vec::new();
        };
        let mut digests = self.shares.get(&height).into_iter().flatten();
        let quorum = digests.find_map(|(digest, shares)| {
            let signers: MemberSet = shares.keys().copied().collect();
            self.committee.is_quorum(&signers).then_some(*digest)
        });
        let Some(digest) = quorum else {
            return Vec::new();
        };
        if !self.keep_valid(height, digest) {
            return Vec::new();
        }
        if digest != own {
            let certified = digest;
            return vec![Outcome::Diverged {
                height,
                own,
                certified,
                by: None,
            }];
        }
        self.certify(height, digest).into_iter().collect()
    }

    /// Checks the sum of a statement's shares; when it fails, drops the wrong shares and refuses
    /// their authors. Whether a quorum is left.
    fn keep_valid(&mut self, height: Height, digest: StatementDigest) -> bool {
        let of_height = self.shares.get_mut(&height);
        let Some(shares) = of_height.and_then(|s| s.get_mut(&digest)) else {
            return false;
        };
        let all: Vec<(MemberIndex, Signature)> = shares.iter().map(|(m, s)| (*m, *s)).collect();
        let mut wrong = MemberSet::default();
        bisect(&self.committee, &digest, &all, &mut wrong);
        for member in wrong.iter() {
            shares.remove(&member);
            self.refused.insert(member);
        }
        let signers: MemberSet = shares.keys().copied().collect();
        self.committee.is_quorum(&signers)
    }

    fn certify(&mut self, height: Height, digest: StatementDigest) -> Option<Outcome> {
        let (statement, _) = self.open.get(&height)?.clone();
        let shares = self.shares.get(&height)?.get(&digest)?.clone();
        let certificate = assemble(statement, &shares, self.committee.size())?;
        let verified = certificate.verify(&self.network, &self.committee).ok()?;
        let due = self.cover(height);
        if !due.is_empty() {
            self.due = Some(((*verified).clone(), shares, due.clone()));
        }
        let certificate = Arc::new(verified);
        Some(Outcome::Certified { certificate, due })
    }

    /// F3: a certificate that is still to be posted goes on collecting signers, so that posting it
    /// costs less. A late share is checked alone.
    fn grow(&mut self, author: MemberIndex, share: &FinalityShare) -> Option<Outcome> {
        let (certificate, shares, due) = self.due.as_mut()?;
        let same = certificate.statement.height == share.height
            && certificate.statement.digest() == share.statement;
        if !same || shares.contains_key(&author) {
            return None;
        }
        let key = &self.committee.member(author)?.finality_key;
        if !key.verify(Purpose::Finality, &share.statement.0, &share.signature) {
            self.refused.insert(author);
            return None;
        }
        shares.insert(author, share.signature);
        let statement = certificate.statement.clone();
        *certificate = assemble(statement, shares, self.committee.size())?;
        let verified = certificate.clone().verify(&self.network, &self.committee);
        Some(Outcome::Grown {
            certificate: Arc::new(verified.ok()?),
            due: due.clone(),
        })
    }

    /// The shares that wait for their sum: of each height one of each member.
    pub fn buffer(&self) -> Buffer {
        let of_height = self.shares.values().flat_map(BTreeMap::values);
        let shares: usize = of_height.map(BTreeMap::len).sum();
        let heights = self.newest.0.saturating_sub(self.certified.0) + SHARE_HEIGHTS_AHEAD_MAX;
        let heights = usize::try_from(heights).unwrap_or(usize::MAX);
        let most = heights.saturating_mul(self.committee.size());
        Buffer {
            name: "shares",
            bytes: shares * SHARE_BYTES,
            bytes_max: most.saturating_mul(SHARE_BYTES),
        }
    }

    /// Newest certified height.
    pub fn certified(&self) -> Height {
        self.certified
    }

    /// Heights executed here that wait for a certificate.
    pub fn uncertified(&self) -> u64 {
        self.open.len() as u64
    }
}

/// The sum of the shares as a certificate; `None` without shares.
fn assemble(statement: Statement, shares: &Shares, members: usize) -> Option<Certificate> {
    let signers: MemberSet = shares.keys().copied().collect();
    Some(Certificate {
        statement,
        bitmap: signers.to_bitmap(members).into(),
        signature: Signature::sum(shares.values())?,
    })
}

/// F2: one check for all; halves a failing set until the wrong shares are alone.
fn bisect(
    committee: &Committee,
    digest: &StatementDigest,
    shares: &[(MemberIndex, Signature)],
    wrong: &mut MemberSet,
) {
    let keys = shares.iter().filter_map(|(m, _)| committee.member(*m));
    let key = PublicKey::sum(keys.map(|m| &m.finality_key));
    let sum = Signature::sum(shares.iter().map(|(_, s)| s));
    if let (Some(key), Some(sum)) = (key, sum)
        && key.verify(Purpose::Finality, &digest.0, &sum)
    {
        return;
    }
    match shares {
        [] => {}
        [(member, _)] => {
            wrong.insert(*member);
        }
        _ => {
            let (left, right) = shares.split_at(shares.len() / 2);
            bisect(committee, digest, left, wrong);
            bisect(committee, digest, right, wrong);
        }
    }
}

#[cfg(test)]
mod tests;
