//! A language for drawing a DAG.
//!
//! ```text
//! members A=2 B C D       # by letters, in order; a stake other than 1 behind `=`
//! leaders A BC            # who leads round 1, round 2, ...; the rows repeat
//! gc 20                   # the GC depth, if it matters
//! reputation              # D5: demoted leaders are replaced; without it nobody is demoted
//!
//!      A     B     C      D
//! 1    *     *     *      -
//! 2    *!    ABC   BCA    +A1
//! 3    AB    AB    ABC/AC ABC+D2
//! ```
//!
//! Each row is a round, each column a member. In a cell stands what the vertex links to:
//!
//! - `-`: no vertex
//! - `*`: all first versions of the round before
//! - `ABC`: those of the round before by A, B and C. The author's own latest vertex is always its
//!   first parent, named or not.
//! - `A'`: A's second version
//! - `+D2`: a weak link to D's vertex of round 2
//! - `^2`: the own parent is that of round 2, not the latest
//! - `!`: it carries payload
//! - `%B2`: it carries the proof that B has signed two versions of round 2
//! - `@700`: its timestamp; else 1,000 + 10 a round
//! - `x/y`: two versions, x and y, of an equivocator
//! - a digit before all: `3ABC` has another digest than `ABC` and is else the same
//!
//! A vertex is named by its author and round: `B2`, and its second version `B2'`.

use super::View;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_consensus::{CoreConfig, Schedule};
use weft_types::testing::{finality_key, members, network, statement, vertex_key};
use weft_types::{
    Committee, Epoch, FinalityShare, MemberIndex, Millis, Observation, Offence, ProtocolParams,
    Round, Stake, Verified, Vertex, VertexBody, VertexRef, verify_vertex,
};

pub struct Drawing {
    pub committee: Arc<Committee>,
    pub leaders: Schedule,
    rows: Vec<Vec<MemberIndex>>,
    pub gc_depth: u64,
    vertices: BTreeMap<String, Verified<Vertex>>,
    names: BTreeMap<VertexRef, String>,
    order: Vec<String>,
}

pub fn member(letter: char) -> MemberIndex {
    MemberIndex(letter as u32 - 'A' as u32)
}

pub fn letter(member: MemberIndex) -> char {
    char::from(b'A' + member.0 as u8)
}

/// A committee with these stakes.
pub fn committee(stakes: &[u64]) -> Committee {
    let mut list = members(stakes.len());
    for (member, stake) in list.iter_mut().zip(stakes) {
        member.stake = Stake(*stake);
    }
    Committee::new(Epoch::ZERO, list).unwrap()
}

/// A share of finality: payload that costs nothing to make twice.
pub fn share() -> FinalityShare {
    thread_local! {
        static SHARE: FinalityShare = FinalityShare::sign(&statement(1), &finality_key(0));
    }
    SHARE.with(Clone::clone)
}

impl Drawing {
    pub fn new(text: &str) -> Self {
        let mut drawing = Self {
            committee: Arc::new(committee(&[1, 1, 1, 1])),
            leaders: Schedule::table(vec![vec![]]),
            rows: Vec::new(),
            gc_depth: 60,
            vertices: BTreeMap::new(),
            names: BTreeMap::new(),
            order: Vec::new(),
        };
        drawing.draw_rows(text);
        drawing
    }

    /// Draws further rows.
    pub fn draw_rows(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.split_first() {
                None => {}
                Some((&"members", rest)) => self.set_members(rest),
                Some((&"leaders", rest)) => self.set_leaders(rest),
                Some((&"reputation", _)) => {
                    self.leaders = Schedule::table_with_reputation(self.rows.clone());
                }
                Some((&"gc", rest)) => self.gc_depth = rest[0].parse().unwrap(),
                Some((first, cells)) => match first.parse::<u64>() {
                    Ok(round) => self.draw_round(round, cells),
                    Err(_) => assert_eq!(*first, "A", "a line that is no line: {line:?}"),
                },
            }
        }
    }

    fn set_members(&mut self, words: &[&str]) {
        let stake = |w: &&str| w.split_once('=').map_or(1, |(_, s)| s.parse().unwrap());
        let stakes: Vec<u64> = words.iter().map(stake).collect();
        self.committee = Arc::new(committee(&stakes));
    }

    fn set_leaders(&mut self, words: &[&str]) {
        let row = |w: &&str| w.chars().filter(|c| *c != '-').map(member).collect();
        self.rows = words.iter().map(row).collect();
        self.leaders = Schedule::table(self.rows.clone());
    }

    fn draw_round(&mut self, round: u64, cells: &[&str]) {
        assert_eq!(cells.len(), self.committee.size(), "cells of round {round}");
        for (author, cell) in self.committee.clone().indices().zip(cells) {
            for (version, text) in cell.split('/').enumerate() {
                if text != "-" {
                    let vertex = self.draw(Round(round), author, text);
                    let primes = "'".repeat(version);
                    self.add(format!("{}{round}{primes}", letter(author)), vertex);
                }
            }
        }
    }

    fn add(&mut self, name: String, vertex: Verified<Vertex>) {
        let taken = self.names.insert(vertex.reference(), name.clone());
        assert_eq!(taken, None, "{name} is drawn twice");
        self.order.push(name.clone());
        self.vertices.insert(name, vertex);
    }

    /// Makes the vertex of a cell, and checks that a verifier would take it.
    fn draw(&mut self, round: Round, author: MemberIndex, text: &str) -> Verified<Vertex> {
        let cell = Cell::parse(text);
        let previous = round.0 - 1;
        let mut parents = Vec::new();
        let mut own = None;
        for other in self.committee.indices() {
            let name = format!("{}{previous}", letter(other));
            let named = cell.parents.iter().find(|p| p.starts_with(letter(other)));
            let reference = match named {
                Some(named) => Some(self.at(&format!("{name}{}", &named[1..]))),
                None if cell.all => self.find(&name),
                None => None,
            };
            if other == author {
                own = reference;
            } else {
                parents.extend(reference);
            }
        }
        if let Some(round) = &cell.own {
            own = Some(self.at(&format!("{}{round}", letter(author))));
        }
        let latest = || {
            (0..round.0)
                .rev()
                .find_map(|r| self.find(&format!("{}{r}", letter(author))))
        };
        parents.insert(0, own.or_else(latest).expect("round 0 has all"));
        let mut weak_links: Vec<VertexRef> = cell.weak.iter().map(|w| self.at(w)).collect();
        weak_links.sort_unstable();
        let body = VertexBody {
            network: network().id(),
            epoch: Epoch::ZERO,
            round,
            author,
            timestamp: Millis(cell.timestamp.unwrap_or(1_000 + 10 * round.0) + cell.salt),
            parents,
            weak_links,
            transactions: Vec::new(),
            observation: Observation::default(),
            offences: cell.proofs.iter().map(|p| self.offence(p)).collect(),
            shares: if cell.payload {
                vec![share()]
            } else {
                Vec::new()
            },
        };
        let vertex = Vertex::sign(body, Vec::new(), &vertex_key(author.as_usize()));
        let decoded = Vertex::decode(vertex.encode()).unwrap();
        verify_vertex(decoded, network().id(), &self.committee, &|_| None)
            .unwrap_or_else(|e| panic!("cell {text} of {}: {e}", letter(author)))
    }

    fn find(&self, name: &str) -> Option<VertexRef> {
        if let Some(author) = name.strip_suffix('0').filter(|a| a.len() == 1) {
            let author = member(author.chars().next()?);
            return Some(Vertex::genesis(network().id(), Epoch::ZERO, author).reference());
        }
        self.vertices.get(name).map(|v| v.reference())
    }

    fn at(&self, name: &str) -> VertexRef {
        self.find(name)
            .unwrap_or_else(|| panic!("no vertex {name}"))
    }

    pub fn vertex(&self, name: &str) -> Verified<Vertex> {
        let vertex = self.vertices.get(name);
        vertex.unwrap_or_else(|| panic!("no vertex {name}")).clone()
    }

    /// The proof that a vertex and its second version make.
    pub fn offence(&self, name: &str) -> Offence {
        let (first, second) = (self.vertex(name), self.vertex(&format!("{name}'")));
        Offence::of(&first, &second).expect("two versions")
    }

    /// All names, in the order in which they were drawn.
    pub fn all(&self) -> Vec<String> {
        self.order.clone()
    }

    /// The name of a vertex; `?` and its place when it is not drawn.
    pub fn name(&self, vertex: &VertexRef) -> String {
        let place = format!("{}{}", letter(vertex.author), vertex.round);
        let drawn = self.names.get(vertex).cloned();
        drawn.unwrap_or(if vertex.round == Round::ZERO {
            place
        } else {
            format!("?{place}")
        })
    }

    /// Adds a vertex that a core made, under its author and round.
    pub fn adopt(&mut self, vertex: &Verified<Vertex>) {
        let name = format!("{}{}", letter(vertex.author()), vertex.round());
        self.add(name, vertex.clone());
    }

    pub fn config(&self) -> CoreConfig {
        let params = ProtocolParams {
            gc_depth: self.gc_depth,
            ..ProtocolParams::default()
        };
        CoreConfig {
            schedule: self.leaders.clone(),
            ..CoreConfig::new(network().id(), self.committee.clone(), None, &params)
        }
    }

    /// An observer that has seen nothing yet.
    pub fn observer(self) -> View {
        let config = self.config();
        View::new(self, config)
    }

    /// A member that has seen nothing yet, and has been called once.
    pub fn member(self, own: char) -> View {
        let mut config = self.config();
        config.own = Some(member(own));
        let mut view = View::new(self, config);
        view.wait(0);
        view
    }
}

#[derive(Default)]
struct Cell {
    all: bool,
    /// Letters, with a prime for the second version.
    parents: Vec<String>,
    weak: Vec<String>,
    proofs: Vec<String>,
    own: Option<String>,
    payload: bool,
    timestamp: Option<u64>,
    salt: u64,
}

impl Cell {
    fn parse(text: &str) -> Self {
        let mut cell = Self::default();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let mut more = |accept: fn(&char) -> bool| {
                let mut taken = String::new();
                while let Some(c) = rest.next_if(accept) {
                    taken.push(c);
                }
                taken
            };
            match c {
                '*' => cell.all = true,
                '!' => cell.payload = true,
                'A'..='Z' => cell.parents.push(format!("{c}{}", more(|c| *c == '\''))),
                '+' => cell
                    .weak
                    .push(more(|c| c.is_ascii_alphanumeric() || *c == '\'')),
                '%' => cell.proofs.push(more(char::is_ascii_alphanumeric)),
                '^' => cell.own = Some(more(|c| c.is_ascii_digit() || *c == '\'')),
                '@' => cell.timestamp = Some(more(char::is_ascii_digit).parse().unwrap()),
                '0'..='9' => cell.salt = u64::from(c as u8 - b'0'),
                _ => panic!("cell {text}: {c}"),
            }
        }
        cell
    }
}
