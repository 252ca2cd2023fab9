//! W4: judges evidence offline. Nothing in a file is believed but signatures: the state has to be the one that the
//! committee has certified, the commits have to be those that the certificate in question certifies as well, and what
//! they do to that state is executed again.

use super::difference::{Difference, differences};
use super::judging::Committees;
use super::record::{Reader, Record, RecordError};
use super::stream::restore;
use crate::replica::observations;
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::Read;
use weft_consensus::LastCommit;
use weft_ledger::{Ledger, Office};
use weft_types::{
    Certificate, Commit, CommitDigest, CommitIndex, Epoch, Genesis, Height, Millis, ObjectId,
    Statement, StatementDigest, Verified, Vertex, verify_vertex,
};

/// Changed objects that a report names.
const CHANGED_MAX: usize = 1_000;

/// Evidence that shows nothing, and why.
#[derive(Debug, thiserror::Error)]
#[error("the evidence shows nothing: {0}")]
pub struct Unusable(String);

impl Unusable {
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl From<RecordError> for Unusable {
    fn from(error: RecordError) -> Self {
        Self(error.to_string())
    }
}

/// What evidence comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub epoch: Epoch,
    pub height: Height,
    /// What the certificate in question certifies.
    pub accused: StatementDigest,
    /// The ids in the registry of those who signed it.
    pub signers: Vec<u64>,
    /// The newest height before it on which all agreed; zero is the genesis.
    pub agreed: Height,
    pub commits: u64,
    pub transactions: u64,
    /// Objects that these commits changed, the first of them.
    pub changed: Vec<ObjectId>,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Verdict {
    /// Executing what it certifies gives something else, in these fields.
    False { fields: Vec<Difference> },
    /// A quorum has certified another statement of the same height as well; who signed both.
    Conflict {
        rival: StatementDigest,
        signed_both: Vec<u64>,
    },
    /// It is what execution gives: the watcher was wrong.
    True,
    /// Execution alone does not tell.
    Undecided { why: String },
}

/// Reads and judges evidence of a network that the caller knows by its genesis.
///
/// # Errors
/// When the file is damaged, was changed, or does not show what it claims.
pub fn replay(source: impl Read, genesis: &Genesis) -> Result<Report, Unusable> {
    let mut reader = Reader::new(source)?;
    let mut committees = Committees::genesis(genesis)?;
    match reader.take()? {
        Record::Network(network) if network == genesis.network => {}
        Record::Network(network) => {
            let (found, expected) = (network.id(), genesis.network.id());
            let reason = format!("it is of network {found}, the genesis is of {expected}");
            return Err(Unusable::new(reason));
        }
        _ => return Err(Unusable::new("it does not begin with a network")),
    }
    let Record::Accused(accused) = reader.take()? else {
        return Err(Unusable::new("it has no certificate in question"));
    };
    let rival = match reader.next_if(|r| matches!(r, Record::Rival(_)))? {
        Some(Record::Rival(rival)) => Some(rival),
        _ => None,
    };
    let own = match reader.next_if(|r| matches!(r, Record::Own(_)))? {
        Some(Record::Own(own)) => Some(own),
        _ => None,
    };
    while let Some(Record::Epoch(opened)) = reader.next_if(|r| matches!(r, Record::Epoch(_)))? {
        committees.open(opened)?;
    }
    let accused = committees.verify("accused", accused)?;
    if let Some(rival) = rival {
        let report = conflict(&committees, &accused, rival)?;
        return finished(reader, report);
    }
    let agreed = match reader.next_if(|r| matches!(r, Record::Agreed(_)))? {
        Some(Record::Agreed(agreed)) => Some(committees.verify("agreed", agreed)?),
        _ => None,
    };
    Execution::begin(reader, genesis, committees, accused, own, agreed)?.judge()
}

fn finished(mut reader: Reader<impl Read>, report: Report) -> Result<Report, Unusable> {
    match reader.take()? {
        Record::End => reader.ended()?,
        _ => return Err(Unusable::new("it has more than it needs")),
    }
    Ok(report)
}

/// Two quorums for one height need no execution.
fn conflict(
    committees: &Committees,
    accused: &Verified<Certificate>,
    rival: Certificate,
) -> Result<Report, Unusable> {
    let rival = committees.verify("rival", rival)?;
    let (one, other) = (&accused.statement, &rival.statement);
    if (one.epoch, one.height) != (other.epoch, other.height) || one == other {
        return Err(Unusable::new("its two certificates are no conflict"));
    }
    let signers = committees.signers(accused)?;
    let others: BTreeSet<u64> = committees.signers(&rival)?.into_iter().collect();
    let signed_both = signers.iter().copied().filter(|id| others.contains(id));
    Ok(Report {
        epoch: one.epoch,
        height: one.height,
        accused: one.digest(),
        agreed: Height::ZERO,
        commits: 0,
        transactions: 0,
        changed: Vec::new(),
        verdict: Verdict::Conflict {
            rival: other.digest(),
            signed_both: signed_both.collect(),
        },
        signers,
    })
}

/// After which commit.
struct Place {
    index: CommitIndex,
    digest: CommitDigest,
    timestamp: Millis,
    epoch: Epoch,
    /// The commit itself, once one was executed.
    commit: Option<Commit>,
}

/// From the agreed state to the commit in question.
struct Execution<'a, R> {
    reader: Reader<R>,
    genesis: &'a Genesis,
    committees: Committees,
    accused: Verified<Certificate>,
    own: Option<Statement>,
    ledger: Ledger,
    agreed: Height,
    place: Place,
    /// The receipts since then are those of the height in question.
    last_height: Height,
    before: Option<Verified<Certificate>>,
    commits: u64,
    transactions: u64,
    changed: BTreeSet<ObjectId>,
}

impl Place {
    fn genesis(genesis: &Genesis) -> Self {
        let last = LastCommit::genesis(genesis.template.timestamp_ms);
        Self {
            index: last.index,
            digest: last.digest,
            timestamp: last.timestamp,
            epoch: Epoch::ZERO,
            commit: None,
        }
    }

    fn after(agreed: &Statement) -> Self {
        Self {
            index: agreed.commit,
            digest: agreed.commit_digest,
            timestamp: agreed.timestamp,
            epoch: agreed.epoch,
            commit: None,
        }
    }
}

impl<'a, R: Read> Execution<'a, R> {
    fn begin(
        mut reader: Reader<R>,
        genesis: &'a Genesis,
        committees: Committees,
        accused: Verified<Certificate>,
        own: Option<Statement>,
        agreed: Option<Verified<Certificate>>,
    ) -> Result<Self, Unusable> {
        let params = &genesis.template.params;
        let (ledger, place, height) = match &agreed {
            Some(agreed) => {
                let agreed = &agreed.statement;
                if !Committees::is_before(agreed, &accused.statement) {
                    let reason = "its agreed height is not below the one in question";
                    return Err(Unusable::new(reason));
                }
                let ledger = restore(&mut reader, &committees, params, agreed)?;
                (ledger, Place::after(agreed), agreed.height)
            }
            None => {
                let ledger = Ledger::genesis(&genesis.template);
                let (ledger, _) = ledger.map_err(|e| Unusable::new(e.to_string()))?;
                (ledger, Place::genesis(genesis), Height::ZERO)
            }
        };
        let before = match reader.next_if(|r| matches!(r, Record::Before(_)))? {
            Some(Record::Before(before)) => Some(committees.verify("preceding", before)?),
            _ => None,
        };
        Ok(Self {
            reader,
            genesis,
            committees,
            accused,
            own,
            ledger,
            agreed: height,
            place,
            last_height: height,
            before,
            commits: 0,
            transactions: 0,
            changed: BTreeSet::new(),
        })
    }

    fn judge(mut self) -> Result<Report, Unusable> {
        let accused = self.accused.statement.clone();
        let heights = accused.height.0.saturating_sub(self.agreed.0);
        let agreed = self.place.index;
        let commits = accused.commit.0.saturating_sub(agreed.0);
        while self.place.index < accused.commit {
            self.next_commit()?;
        }
        if heights > commits {
            // F1: each height has a commit of its own.
            let fields = vec![Difference {
                field: "commit",
                of: "which commit it is",
                certified: accused.commit.to_string(),
                executed: format!("at least {}", agreed.0.saturating_add(heights)),
            }];
            return self.end(Verdict::False { fields });
        }
        if self.place.digest != accused.commit_digest {
            let why = format!(
                "it names {} as commit {}, and the file has {}: what was ordered is not shown by execution",
                accused.commit_digest, self.place.index, self.place.digest
            );
            return self.end(Verdict::Undecided { why });
        }
        let executed = self.executed();
        let executed = executed.ok_or_else(|| Unusable::new("it has no commits"))?;
        let has_receipts = self.last_height.next() == accused.height;
        let mut fields = differences(&accused, &executed);
        fields.retain(|d| d.field != "receipts_root" || has_receipts);
        // A watcher that was wrong accuses nobody by that.
        let own = self.own.as_ref().filter(|_| !fields.is_empty());
        if let Some(own) = own {
            let mut own = differences(own, &executed);
            own.retain(|d| d.field != "receipts_root" || has_receipts);
            if !own.is_empty() {
                let reason = "the watcher's own statement is not what its file gives";
                return Err(Unusable::new(reason));
            }
        }
        let verdict = match fields.is_empty() {
            false => Verdict::False { fields },
            true if has_receipts => Verdict::True,
            true => Verdict::Undecided {
                why: "but for the receipts all is as executed, and the file does not show where the height before ended".to_owned(),
            },
        };
        self.end(verdict)
    }

    /// The statement of the newest commit as a height with the number of the one in question.
    fn executed(&mut self) -> Option<Statement> {
        let roots = self.ledger.close_height(false, &mut Vec::new());
        let (network, height) = (self.genesis.network, self.accused.statement.height);
        let commit = self.place.commit.as_ref()?;
        let commit = (commit, self.place.digest);
        Some(Statement::of_commit(
            network,
            self.place.epoch,
            height,
            commit,
            &roots,
        ))
    }

    fn next_commit(&mut self) -> Result<(), Unusable> {
        let Record::Commit(commit) = self.reader.take()? else {
            let reason = format!("commit {} is missing", self.place.index.next());
            return Err(Unusable::new(reason));
        };
        let index = self.place.index.next();
        let fits = commit.index == index && commit.previous == self.place.digest;
        if !fits || commit.timestamp < self.place.timestamp {
            return Err(Unusable::new(format!(
                "commit {index} does not follow the one before"
            )));
        }
        let mut vertices = Vec::with_capacity(commit.vertices.len());
        for reference in &commit.vertices {
            let vertex = self.next_vertex(index)?;
            if vertex.reference() != *reference {
                return Err(Unusable::new(format!("commit {index} has other vertices")));
            }
            vertices.push(vertex);
        }
        self.execute(&commit, &vertices)?;
        self.place = Place {
            index,
            digest: commit.digest(),
            timestamp: commit.timestamp,
            epoch: self.place.epoch,
            commit: Some(commit),
        };
        self.pass_before()
    }

    fn next_vertex(&mut self, index: CommitIndex) -> Result<Verified<Vertex>, Unusable> {
        let Record::Vertex(bytes) = self.reader.take()? else {
            return Err(Unusable::new(format!("commit {index} lacks vertices")));
        };
        let wrong =
            |e: &dyn std::fmt::Display| Unusable::new(format!("a vertex of commit {index}: {e}"));
        let vertex = Vertex::decode(bytes).map_err(|e| wrong(&e))?;
        let committee = self.committees.of(vertex.epoch())?;
        let network = self.genesis.network.id();
        verify_vertex(vertex, network, committee, &|_| None).map_err(|e| wrong(&e))
    }

    fn execute(&mut self, commit: &Commit, vertices: &[Verified<Vertex>]) -> Result<(), Unusable> {
        let index = commit.index;
        // E2: what the ledger would not be given by a replica.
        let epoch = match self.ledger.roster() {
            Some(roster) if roster.closed => roster.epoch.next(),
            Some(roster) => roster.epoch,
            None => Epoch::ZERO,
        };
        if vertices.iter().any(|v| v.epoch() != epoch) {
            return Err(Unusable::new(format!(
                "commit {index} is not of epoch {epoch}"
            )));
        }
        let committee = self.committees.of(epoch)?;
        let all = vertices.iter().flat_map(|v| v.transactions());
        let transactions: Vec<_> = all.flatten().cloned().collect();
        let office = Office {
            network: self.genesis.network.id(),
            committee,
            genesis: self.genesis.template.timestamp_ms,
            contracts: self.genesis.contracts(),
            ordered: &commit.vertices,
        };
        let observed = observations(committee, vertices);
        let seen = (&observed[..], &office);
        let applied = self
            .ledger
            .apply_observing(index, commit.timestamp, seen, &transactions);
        self.place.epoch = epoch;
        self.commits += 1;
        self.transactions += applied.receipts.len() as u64;
        for change in &applied.changes {
            if self.changed.len() < CHANGED_MAX {
                self.changed.insert(change.id);
            }
        }
        Ok(())
    }

    /// The height before the one in question ends with this commit, if it is known to.
    fn pass_before(&mut self) -> Result<(), Unusable> {
        let ends = |c: &Verified<Certificate>| c.statement.commit == self.place.index;
        if !self.before.as_ref().is_some_and(ends) {
            return Ok(());
        }
        let before = self.before.take().map(|c| c.statement.clone());
        let roots = self.ledger.close_height(false, &mut Vec::new());
        if let Some(before) = before {
            if (before.commit_digest, before.state_root) != (self.place.digest, roots.state_root) {
                return Err(Unusable::new(
                    "the height before the one in question is false as well",
                ));
            }
            self.last_height = before.height;
        }
        Ok(())
    }

    fn end(self, verdict: Verdict) -> Result<Report, Unusable> {
        let statement = &self.accused.statement;
        let report = Report {
            epoch: statement.epoch,
            height: statement.height,
            accused: statement.digest(),
            signers: self.committees.signers(&self.accused)?,
            agreed: self.agreed,
            commits: self.commits,
            transactions: self.transactions,
            changed: self.changed.into_iter().collect(),
            verdict,
        };
        finished(self.reader, report)
    }
}
