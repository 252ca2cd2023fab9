//! Faults at the edge of an epoch: `@announce`, `@close` and `@open`, with the edge's number if it is not the first,
//! and whom they befall of those who stay, join or leave there.

use std::fmt;

/// What happens at an edge, at the first honest member to which it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// A commit announces the next committee (E1).
    Announce,
    /// A commit closes the epoch (E2).
    Close,
    /// The next epoch is opened (E2).
    Open,
}

const MOMENTS: [(Moment, &str); 3] = [
    (Moment::Announce, "announce"),
    (Moment::Close, "close"),
    (Moment::Open, "open"),
];
/// The last edge that can be named.
const EDGE_MAX: u32 = 9_999;

/// A moment of one edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    pub moment: Moment,
    /// From 1: the end of the first epoch.
    pub number: u32,
}

/// What becomes of a member at an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Stay,
    Join,
    Leave,
}

const ROLES: [(Role, &str); 3] = [
    (Role::Stay, "stay"),
    (Role::Join, "join"),
    (Role::Leave, "leave"),
];

/// For a help text.
pub const HELP: &str = "With --epoch a fault may begin at the edge of an epoch: @announce, @close or @open, at the first \
edge, or with its number such as @close2. Of faults that befall members a role after the amount says which: \
stay, join or leave, such as crash:1join@open+2s. They are drawn there, and hit within four message delays";

impl Edge {
    /// `None` for what names no edge.
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| c.is_ascii_digit());
        let (name, number) = text.split_at(digits.unwrap_or(text.len()));
        let (moment, _) = MOMENTS.iter().find(|(_, known)| *known == name)?;
        let number = match number {
            "" => 1,
            number => number.parse().ok().filter(|n| (1..=EDGE_MAX).contains(n))?,
        };
        Some(Self {
            moment: *moment,
            number,
        })
    }
}

impl Role {
    /// What is left of an amount, and the role after it if there is one.
    pub fn split(text: &str) -> (&str, Option<Self>) {
        let found = ROLES.iter().find_map(|(role, name)| {
            let amount = text.strip_suffix(name)?;
            Some((amount, *role))
        });
        found.map_or((text, None), |(amount, role)| (amount, Some(role)))
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = MOMENTS.iter().find(|(moment, _)| *moment == self.moment);
        write!(f, "{}{}", name.map_or("", |(_, name)| name), self.number)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ROLES.iter().find(|(role, _)| role == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}
