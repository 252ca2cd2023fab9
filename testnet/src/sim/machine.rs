//! One running copy of a masternode: the real replica, its disk and its guard, its clock, and the inputs
//! that wait while it is busy or paused. A node has one machine; a twin has two.

use super::base::Poster;
use super::crimes::Criminal;
use super::disk::{Disk, Guard};
use super::envelope::Envelope;
use super::seating::Seating;
use super::time::Time;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use weft_consensus::FetchId;
use weft_node::replica::copies::Askers;
use weft_node::replica::sync::{Answer, SyncId};
use weft_node::replica::{Confirmed, Replica};
use weft_types::{
    Certificate, Epoch, Height, MemberIndex, Millis, QueueEntry, Ready, Transaction, Verified,
    VertexRef,
};

/// Inputs that wait for a machine; what comes beyond that is lost, as from a socket that nobody reads.
pub const INBOX_MAX: usize = 100_000;

/// What a machine is going to handle.
pub enum Work {
    Vertex {
        envelope: Rc<Envelope>,
        from: usize,
    },
    FetchEnded(FetchId),
    Asked {
        by: MemberIndex,
        vertices: Vec<VertexRef>,
    },
    Latest {
        epoch: Epoch,
        of: MemberIndex,
        shown: Shown,
        asked: Millis,
        another: bool,
    },
    /// Given to so many members.
    Submit(Arc<Verified<Transaction>>, usize),
    Sync {
        id: SyncId,
        answer: Rc<Answer>,
    },
    Tick,
    Anchored(Height),
    /// E1: entries of the registry's queue that lie deep enough.
    Queue(Rc<[Confirmed<QueueEntry>]>),
    Ready(Ready),
    /// E3: what closed an epoch.
    Closing {
        certificate: Arc<Verified<Certificate>>,
        from: usize,
    },
}

/// S1: a member's answer when it is asked for its latest vertex.
#[derive(Clone)]
pub enum Shown {
    Vertex(Rc<Envelope>),
    Nothing,
    Recovering,
}

pub struct Machine {
    /// The node's number.
    pub member: usize,
    /// The committee that it knows to be in office.
    pub seating: Rc<Seating>,
    /// `None` while it is down.
    pub replica: Option<Replica>,
    pub disk: Disk,
    pub guard: Guard,
    /// Counts crashes: what was under way for an earlier life is void.
    pub life: u32,
    /// S1: whether the latest own vertex on its disk is the latest that it has signed.
    pub knows_signed: bool,
    /// It has signed a vertex in this life and epoch.
    pub has_signed: bool,
    /// S1.9: who has asked it.
    pub askers: Askers,
    /// Until when its disk holds it up.
    pub busy: Time,
    pub inbox: VecDeque<Work>,
    pub paused: bool,
    /// A copy that does not run yet.
    pub asleep: bool,
    /// How far its clock is ahead, in milliseconds.
    pub skew: i64,
    /// Longest sync, in microseconds.
    pub sync_max: u64,
    /// When the next tick is scheduled.
    pub tick_at: Option<Time>,
    pub crime: Option<Criminal>,
    /// B2: its part in posting, if there is a base chain.
    pub poster: Option<Poster>,
    /// Why it does not start, or has stopped.
    pub stopped: Option<String>,
    /// An old copy of its database.
    pub copy: Option<Disk>,
    /// It was hit by a fault of its own at some time, so that nothing is owed to it.
    pub hit: bool,
}

impl Machine {
    pub fn new(member: usize, seating: Rc<Seating>, disk: Disk, guard: Guard) -> Self {
        Self {
            member,
            seating,
            replica: None,
            disk,
            guard,
            life: 0,
            knows_signed: true,
            has_signed: false,
            askers: Askers::default(),
            busy: Time::default(),
            inbox: VecDeque::new(),
            paused: false,
            asleep: false,
            skew: 0,
            sync_max: 0,
            tick_at: None,
            crime: None,
            poster: None,
            stopped: None,
            copy: None,
            hit: false,
        }
    }

    pub fn epoch(&self) -> Epoch {
        self.seating.epoch()
    }

    /// Its place in the committee that it knows to be in office; `None`: it follows as an observer.
    pub fn place(&self) -> Option<MemberIndex> {
        self.seating.place(self.member)
    }

    pub fn is_honest(&self) -> bool {
        self.crime.is_none()
    }

    pub fn is_up(&self) -> bool {
        self.replica.is_some()
    }

    /// Whether what arrives now has to wait.
    pub fn must_wait(&self, now: Time) -> bool {
        self.paused || self.busy > now || !self.inbox.is_empty()
    }
}
