//! What is going to happen, and what is on its way between machines.

use super::posting::BaseEvent;
use crate::sim::envelope::Envelope;
use crate::sim::machine::Shown;
use std::rc::Rc;
use std::sync::Arc;
use weft_consensus::{FetchId, Wanted};
use weft_node::replica::sync::{self, SyncId};
use weft_types::{
    Certificate, Epoch, MemberIndex, Millis, Ready, Round, Transaction, TransactionId, Verified,
};

/// A certificate on its way, about.
const CERTIFICATE_BYTES: u64 = 512;

pub(super) enum Event {
    Arrive {
        to: usize,
        from: usize,
        packet: Packet,
    },
    /// A machine's disk is done with what stands before a message; `None` is for all members.
    Depart {
        machine: usize,
        life: u32,
        to: Option<usize>,
        packet: Packet,
    },
    Tick {
        machine: usize,
        life: u32,
    },
    /// A machine's disk is done.
    Wake {
        machine: usize,
        life: u32,
    },
    Load,
    /// A client's transaction gets to a machine.
    Submit {
        machine: usize,
        transaction: Arc<Verified<Transaction>>,
        copies: usize,
    },
    /// A client has waited for this transaction of its as long as it does.
    TimeOut(TransactionId),
    Begin(usize),
    End(usize),
    Restart {
        machine: usize,
        life: u32,
    },
    Deal,
    Look,
    /// E1: a node's bond changes.
    Churn(usize),
    /// E1: the registry's queue is shown to a machine.
    Queue(usize),
    /// B2: of a machine in a life of it, or of the base chain itself.
    Base {
        machine: usize,
        life: u32,
        event: Box<BaseEvent>,
    },
}

#[derive(Clone)]
pub(super) enum Packet {
    Vertex(Rc<Envelope>),
    Ask(Rc<Ask>),
    Answer(Rc<Answer>),
    /// S1: for a machine in a life of it.
    AskLatest {
        machine: usize,
        life: u32,
        epoch: Epoch,
        of: MemberIndex,
        /// By the asking machine's clock.
        asked: Millis,
    },
    /// With the asking member's latest vertex.
    Latest {
        epoch: Epoch,
        of: MemberIndex,
        asked: Millis,
        /// S1.9: another machine has asked with its key.
        another: bool,
        shown: Shown,
        of_asker: Option<Rc<Envelope>>,
        life: u32,
    },
    /// S2: for a machine in a life of it.
    AskSync {
        ask: Rc<sync::Ask>,
        machine: usize,
        life: u32,
    },
    Sync {
        id: SyncId,
        answer: Rc<sync::Answer>,
        bytes: u64,
        life: u32,
    },
    Ready(Ready),
    /// E3: for a machine in a life of it.
    AskClosing {
        machine: usize,
        life: u32,
        epoch: Epoch,
        after: Round,
    },
    /// E2, E3: what closed an epoch; with vertices for who has asked.
    Closing(Rc<Closing>),
}

pub(super) struct Closing {
    pub certificate: Option<Arc<Verified<Certificate>>>,
    pub vertices: Vec<Rc<Envelope>>,
    /// Of who has asked; `None` if nobody has.
    pub life: Option<u32>,
}

pub(super) struct Ask {
    pub id: FetchId,
    pub epoch: Epoch,
    pub wanted: Wanted,
    pub machine: usize,
    pub life: u32,
}

pub(super) struct Answer {
    pub id: FetchId,
    pub vertices: Vec<Rc<Envelope>>,
    pub life: u32,
}

impl Packet {
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Vertex(envelope) => envelope.bytes(),
            Self::Ask(ask) => match &ask.wanted {
                Wanted::Vertices(vertices) => 8 + 48 * vertices.len() as u64,
                Wanted::Rounds { .. } => 32,
            },
            Self::AskLatest { .. } => 8,
            Self::AskClosing { .. } => 16,
            Self::Ready(_) => 112,
            Self::Closing(closing) => {
                let vertices = closing.vertices.iter().map(|v| v.bytes() + 4);
                let certificate = closing
                    .certificate
                    .as_ref()
                    .map_or(0, |_| CERTIFICATE_BYTES);
                vertices.sum::<u64>() + certificate
            }
            Self::AskSync { .. } => 48,
            Self::Sync { bytes, .. } => *bytes,
            Self::Latest {
                shown, of_asker, ..
            } => {
                let shown = match shown {
                    Shown::Vertex(envelope) => envelope.bytes(),
                    Shown::Nothing | Shown::Recovering => 0,
                };
                8 + shown + of_asker.as_ref().map_or(0, |v| v.bytes())
            }
            Self::Answer(answer) => answer.vertices.iter().map(|v| v.bytes() + 4).sum::<u64>() + 8,
        }
    }
}
