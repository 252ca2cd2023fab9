//! D6 without cores: one slot, one anchor, members of one unit each, of which the last one lies. For each
//! committee, enumerated are, up to the honest members' names,
//!
//! - what each honest vertex of round r+1 votes for: v, w, neither;
//! - what each of the Q members whose vertices of round r+2 are the anchor's parents has linked to:
//!   any quorum with the own vertex in it, the liar's vertex left out or voting for any of the three.
//!   The liar, if it is one of the Q, may link to whom it likes.
//!
//! The vertices of round r+2 that the anchor does not see, and the votes that nobody links to, are taken as
//! whatever makes a direct decision. What is decided directly then, the anchor must decide too.

use crate::common::drawing::committee;
use weft_types::{CommitRule, FastRule, Stake};

const V: usize = 0;
const W: usize = 1;
const BLANK: usize = 2;

struct Model {
    rule: CommitRule,
    fast: FastRule,
    members: usize,
    quorum: usize,
    worlds: u64,
}

/// A vertex of round r+2: whose vertices of r+1 it links to, and what the liar's says, if it is one.
#[derive(Clone, Copy)]
struct View {
    honest: u32,
    liar: Option<usize>,
}

impl Model {
    fn new(members: usize) -> Self {
        let committee = committee(&vec![1; members]);
        let rule = committee.two_delay_rule(Stake(1)).unwrap();
        Self {
            fast: rule.fast.unwrap(),
            rule,
            members,
            quorum: committee.quorum().0 as usize,
            worlds: 0,
        }
    }

    /// All that a member can link to; `own` is its own vertex if it is honest.
    fn views(&self, own: Option<usize>) -> Vec<View> {
        let mut views = Vec::new();
        for honest in 0..1u32 << (self.members - 1) {
            if own.is_some_and(|own| honest >> own & 1 == 0) {
                continue;
            }
            for liar in [None, Some(V), Some(W), Some(BLANK)] {
                let view = View { honest, liar };
                let links = honest.count_ones() as usize + usize::from(liar.is_some());
                if links >= self.quorum {
                    views.push(view);
                }
            }
        }
        views
    }

    fn votes(votes: &[usize], honest: u32, for_what: usize) -> u64 {
        let says = |(i, v): (usize, &usize)| honest >> i & 1 == 1 && *v == for_what;
        votes
            .iter()
            .enumerate()
            .filter(|(i, v)| says((*i, v)))
            .count() as u64
    }

    fn certifies(&self, votes: &[usize], view: View) -> Option<usize> {
        let enough = |version: &usize| {
            let liar = u64::from(view.liar == Some(*version));
            Self::votes(votes, view.honest, *version) + liar >= self.rule.certificate.0
        };
        [V, W].into_iter().find(enough)
    }

    /// `digest_first`: which version has the smaller digest.
    fn anchor(&self, votes: &[usize], seen: &[View], digest_first: usize) -> Option<usize> {
        if let Some(version) = seen.iter().find_map(|view| self.certifies(votes, *view)) {
            return Some(version);
        }
        let honest = seen.iter().fold(0, |all, view| all | view.honest);
        let enough = |version: &usize| {
            let liar = seen.iter().any(|view| view.liar == Some(*version));
            Self::votes(votes, honest, *version) + u64::from(liar) >= self.fast.linked.0
        };
        [digest_first, 1 - digest_first].into_iter().find(enough)
    }

    /// Whether what can be decided directly is what the anchor decides.
    fn holds(&mut self, votes: &[usize], parents: &[usize], seen: &[View]) -> bool {
        self.worlds += 1;
        let all = (1 << (self.members - 1)) - 1;
        let liar = self.members - 1;
        let says = |what| Self::votes(votes, all, what) + 1;
        let mut possible = Vec::new();
        for version in [V, W] {
            let certifiable = says(version) >= self.rule.certificate.0;
            let holds = |member: usize| match parents.iter().position(|p| *p == member) {
                Some(place) if member != liar => {
                    self.certifies(votes, seen[place]) == Some(version)
                }
                _ => certifiable,
            };
            let holders = (0..self.members).filter(|m| holds(*m)).count() as u64;
            if says(version) >= self.fast.votes.0 || holders >= self.rule.slow.0 {
                possible.push(Some(version));
            }
        }
        if says(BLANK) >= self.rule.skip.0 {
            possible.push(None);
        }
        let decided = [V, W].map(|first| self.anchor(votes, seen, first));
        possible.iter().all(|p| decided.iter().all(|d| d == p))
    }

    fn each_view(&mut self, votes: &[usize], parents: &[usize], seen: &mut Vec<View>) -> bool {
        let Some(member) = parents.get(seen.len()) else {
            return self.holds(votes, parents, seen);
        };
        let own = (*member < self.members - 1).then_some(*member);
        for view in self.views(own) {
            seen.push(view);
            let holds = self.each_view(votes, parents, seen);
            seen.pop();
            if !holds {
                return false;
            }
        }
        true
    }

    /// Over everything; how many worlds, or the number of the first that does not hold.
    fn check(mut self) -> Result<u64, u64> {
        let honest = self.members - 1;
        for v in 0..=honest {
            for w in 0..=honest - v {
                let mut votes = vec![V; v];
                votes.resize(v + w, W);
                votes.resize(honest, BLANK);
                for parents in 0..1u32 << self.members {
                    if parents.count_ones() as usize != self.quorum {
                        continue;
                    }
                    let parents = (0..self.members).filter(|m| parents >> m & 1 == 1);
                    let parents: Vec<usize> = parents.collect();
                    if !self.each_view(&votes, &parents, &mut Vec::new()) {
                        return Err(self.worlds);
                    }
                }
            }
        }
        Ok(self.worlds)
    }
}

#[test]
fn d6_no_anchor_contradicts_a_direct_decision_in_any_world_of_four_or_five() {
    for members in [4, 5] {
        eprintln!(
            "{members} members: {} worlds",
            Model::new(members).check().unwrap()
        );
    }
}

/// One member of slack: a fast commit on five of six.
#[test]
#[ignore = "minutes: part of the full run"]
fn d6_no_anchor_contradicts_a_direct_decision_in_any_world_of_six() {
    eprintln!("{} worlds", Model::new(6).check().unwrap());
}

#[test]
fn d6_each_threshold_is_as_low_as_can_be_in_worlds_of_four_and_five() {
    type Change = fn(&mut Model);
    let changes: [(&str, Change); 6] = [
        ("fast - 1", |m| m.fast.votes.0 -= 1),
        ("certificate - 1", |m| m.rule.certificate.0 -= 1),
        ("slow - 1", |m| m.rule.slow.0 -= 1),
        ("skip - 1", |m| m.rule.skip.0 -= 1),
        ("linked - 1", |m| m.fast.linked.0 -= 1),
        ("linked + 1", |m| m.fast.linked.0 += 1),
    ];
    for members in [4, 5] {
        for (name, change) in changes {
            let mut model = Model::new(members);
            change(&mut model);
            let found = model.check();
            assert!(found.is_err(), "{members} members, {name}: {found:?}");
        }
    }
}
