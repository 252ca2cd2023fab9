//! The core's two sides: what goes in, what comes out.

use std::fmt;
use weft_types::{
    Commit, CommitDigest, CommitIndex, MemberIndex, MemberSet, Millis, Offence, Round, Verified,
    Vertex, VertexRef,
};

/// What a core learns from outside.
#[derive(Debug, Clone)]
pub enum Input {
    /// A vertex received or fetched, and from whom; `None` when that is no member.
    Vertex {
        vertex: Verified<Vertex>,
        from: Option<MemberIndex>,
    },
    /// The own vertex that answers [`Effect::Propose`]: signed, and on disk (V3).
    Proposed(Verified<Vertex>),
    /// R2: whether there is work that no vertex carries yet, such as transactions, shares or heights
    /// without a certificate. Stays as set until it is set otherwise.
    Unordered(bool),
    /// S1: what this member may have signed before is known now: nothing above this round. Asked for by
    /// a core that was started without [`Recovered::signed`].
    Signed(Round),
    /// S1: what this member may have signed is not known any more. Nothing is proposed until
    /// [`Input::Signed`]; a proposal that was not answered is void.
    Doubt,
    /// A member has asked this one for vertices.
    Asked {
        by: MemberIndex,
        vertices: Vec<VertexRef>,
    },
    /// A request is over: its vertices have been handed in before, or it failed. What is still
    /// missing is asked for elsewhere.
    FetchEnded(FetchId),
    /// Time has passed.
    Tick,
}

/// What a core wants done, in this order.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Make, sign and persist the own vertex, send it to every member, and hand it back as
    /// [`Input::Proposed`], at once or later. Until then no other proposal is made.
    Propose(Proposal),
    /// V4: the vertex entered the DAG, after its whole history. Persist it. Own vertices that were
    /// proposed are not repeated here.
    Accepted(Verified<Vertex>),
    /// The next commit. Persist it after the vertices accepted before it.
    Committed(OrderedCommit),
    /// An own vertex that can no longer be ordered. Its transactions may go into another.
    Expired(Verified<Vertex>),
    /// Ask a member, then hand in what it answers and [`Input::FetchEnded`].
    Fetch(FetchRequest),
    /// Pass a vertex on to a member that seems to lack it.
    Relay {
        to: MemberIndex,
        vertex: Verified<Vertex>,
    },
    /// V5: two vertices of one author and round. One pair for each author.
    Equivocation(Evidence),
    /// S1: a vertex of this round by this member's key, which has not come from here in this life and is not in
    /// the DAG.
    SignedElsewhere(Round),
}

/// What the core fixes of an own vertex; payload and signature are the replica's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub round: Round,
    /// V2: the own latest vertex, then those of the previous round by others, ascending.
    pub parents: Vec<VertexRef>,
    pub weak_links: Vec<VertexRef>,
    /// V8: what is to be ordered against others.
    pub offences: Vec<Offence>,
    /// V6: the own previous vertex's timestamp. The new one must not be behind it.
    pub timestamp_floor: Millis,
    /// R3: how many bytes of transactions it may carry, beside the protocol's own bound.
    pub payload_bytes_max: usize,
}

/// A commit with its vertices in the order of output.
#[derive(Debug, Clone)]
pub struct OrderedCommit {
    pub commit: Commit,
    /// The commit's, computed once.
    pub digest: CommitDigest,
    pub vertices: Vec<Verified<Vertex>>,
}

/// Two different vertices by one author in one round, both validly signed.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub first: Verified<Vertex>,
    pub second: Verified<Vertex>,
}

/// Names a request for as long as it is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId(pub u64);

impl fmt::Display for FetchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchRequest {
    pub id: FetchId,
    pub from: MemberIndex,
    pub wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// These vertices.
    Vertices(Vec<VertexRef>),
    /// All vertices accepted by the asked member in the rounds `after < round <= until`, in ascending
    /// order of round, cut off where the answer becomes too long. Those of round `after + 1` by the
    /// authors in `held` are left out.
    Rounds {
        after: Round,
        until: Round,
        held: MemberSet,
    },
}

/// Where the total order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCommit {
    pub index: CommitIndex,
    pub digest: CommitDigest,
    pub timestamp: Millis,
    /// `None` before the first commit of an epoch.
    pub leader: Option<VertexRef>,
    /// D5: who is out of the leader schedule above that leader's round.
    pub demoted: MemberSet,
    /// V8: of whom an offence is ordered in this epoch.
    pub convicted: MemberSet,
}

impl LastCommit {
    /// Before the first commit of a network whose ledger starts at this time.
    pub fn genesis(timestamp: Millis) -> Self {
        Self {
            index: CommitIndex::ZERO,
            digest: CommitDigest::ZERO,
            timestamp,
            leader: None,
            demoted: MemberSet::default(),
            convicted: MemberSet::default(),
        }
    }

    pub fn of(commit: &Commit) -> Self {
        Self {
            index: commit.index,
            digest: commit.digest(),
            timestamp: commit.timestamp,
            leader: Some(commit.leader),
            demoted: commit.demoted,
            convicted: commit.convicted,
        }
    }
}

/// What a core starts from. A fresh one has [`LastCommit::genesis`] and nothing else.
#[derive(Debug, Clone)]
pub struct Recovered {
    pub last: LastCommit,
    /// The stored commits of this epoch, in order, whose leaders are not below [`crate::gc_floor`] of
    /// the last one's, and the one before them, which says who was demoted then (D5). More do no
    /// harm.
    pub commits: Vec<Commit>,
    /// The stored vertices from that floor on, in any order.
    pub vertices: Vec<Verified<Vertex>>,
    /// The own latest vertex, wherever it is.
    pub own: Option<Verified<Vertex>>,
    /// V3: the highest round that the signing guard has let pass; zero if none. `None` when that is not
    /// known (S1): then nothing is proposed until [`Input::Signed`].
    pub signed: Option<Round>,
}

impl Recovered {
    /// Nothing but a place in the order.
    pub fn fresh(last: LastCommit) -> Self {
        Self {
            last,
            commits: Vec::new(),
            vertices: Vec::new(),
            own: None,
            signed: Some(Round::ZERO),
        }
    }
}

/// Something that others can fill, and how full it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    pub name: &'static str,
    pub bytes: usize,
    pub bytes_max: usize,
}

/// How a core does, for people and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Highest round signed by this member.
    pub own_round: Round,
    /// Highest round of which a quorum of vertices is here.
    pub quorum_round: Round,
    pub last: LastCommit,
    /// O2: the lowest round that can still be output.
    pub floor: Round,
    /// The first leader slot's round that is not output yet.
    pub undecided_from: Round,
    /// Vertices in the DAG, and how many of them carry payload that is not output yet.
    pub vertices: usize,
    pub unordered: usize,
    /// V5: vertices in the DAG beside the first of their author and round.
    pub versions: usize,
    /// Encoded bytes of the vertices in the DAG.
    pub dag_bytes: usize,
    /// Vertices that wait, and their bytes.
    pub suspended: usize,
    pub suspended_bytes: usize,
    /// Vertices that are being looked for.
    pub missing: usize,
    /// Members of whom nothing recent is in the DAG.
    pub silent: MemberSet,
    pub equivocators: MemberSet,
    /// The round that F+1 of stake has reached, when that is so far ahead that this member catches
    /// up instead of proposing.
    pub behind: Option<Round>,
    /// R2: nothing is unordered.
    pub resting: bool,
    pub leader_timeout: Millis,
    /// D5: members that are out of the leader schedule.
    pub demoted: MemberSet,
    /// V8: those of them of whom an offence is ordered.
    pub convicted: MemberSet,
}
