//! What is known of one vertex that is looked for, and whom to ask for it next.

use super::room::Room;
use crate::config::{CoreConfig, sabotaged};
use crate::interface::FetchId;
use weft_types::{MemberIndex, MemberSet, Millis, VertexRef};

/// Longest pause before members are asked once more, in milliseconds.
pub(super) const PAUSE_MAX: u64 = 2_000;
/// The same for what is unproven: as soon as another names it, it is asked for at once.
const PAUSE_UNPROVEN_MAX: u64 = 8_000;
/// The first pause.
const PAUSE_MIN: u64 = 250;

#[derive(Debug, Clone)]
pub(super) struct Want {
    /// Whom to ask first.
    pub sender: Option<MemberIndex>,
    /// Members that have shown that they have it.
    pub holders: MemberSet,
    pub standing: Standing,
    pub asked: MemberSet,
    /// All that may be asked have been, and are asked again after a pause.
    pub paused: bool,
    /// How often all have been asked that may be.
    pub attempts: u32,
    pub next: Turn,
}

/// Who vouches for a vertex that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Somebody honest has it.
    Proven,
    /// One of its holders, out of whose budget it is looked for.
    Paid(MemberIndex),
    /// No holder has room for it.
    Unpaid,
}

impl Want {
    pub fn is_proven(&self) -> bool {
        self.standing == Standing::Proven
    }
}

/// What is next for a vertex that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Due(Millis),
    /// A request for it is under way.
    Asked(FetchId),
    Busy,
    Above,
}

pub(super) enum Next {
    Ask(MemberIndex),
    /// As soon as a member has room that may be asked.
    Busy,
    /// In so many milliseconds.
    Later(u64),
}

/// Whom to ask for a vertex: a member that was not asked yet and has room, mute ones last.
pub(super) fn next(
    config: &CoreConfig,
    want: &mut Want,
    vertex: &VertexRef,
    room: &Room,
    mute: &MemberSet,
) -> Next {
    let believed = sabotaged!(config, EverybodyAsked);
    let proven = want.is_proven() || believed;
    let start = usize::from(vertex.digest.0[0]);
    let size = config.committee.size();
    let rotation = (0..size).map(|i| MemberIndex(((start + i) % size) as u32));
    let holders = rotation.clone().filter(|m| want.holders.contains(*m));
    let order = want.sender.into_iter().chain(holders);
    let order = order.chain(rotation.filter(|_| proven));
    let mut order: Vec<MemberIndex> = order.filter(|m| Some(*m) != config.own).collect();
    if want.standing == Standing::Unpaid && !believed {
        order.clear();
    }
    // After the pause from the beginning; but who has shown it meanwhile comes first.
    let asked = want.asked;
    let fresh = |m: &MemberIndex| !asked.contains(*m);
    if want.paused && !order.iter().any(fresh) {
        want.asked = MemberSet::default();
        want.paused = false;
    }
    order.retain(|m| !want.asked.contains(*m));
    let free = |m: &&MemberIndex| room.has(**m, proven);
    let answers = |m: &&MemberIndex| free(m) && !mute.contains(**m);
    if let Some(member) = order.iter().find(answers).or(order.iter().find(free)) {
        want.paused = false;
        return Next::Ask(*member);
    }
    if !order.is_empty() {
        return Next::Busy;
    }
    want.paused = true;
    want.attempts = want.attempts.saturating_add(1);
    let longest = if proven {
        PAUSE_MAX
    } else {
        PAUSE_UNPROVEN_MAX
    };
    Next::Later(pause(want.attempts, longest))
}

/// The pause after all have been asked `attempts` times, in milliseconds.
pub(super) fn pause(attempts: u32, longest: u64) -> u64 {
    let doubled = PAUSE_MIN.saturating_mul(1 << attempts.min(16).saturating_sub(1));
    doubled.min(longest)
}
