//! One core and a drawing: hands vertices in by name and tells what came of it by name.

use super::drawing::{Drawing, letter, member};
use weft_consensus::{
    Core, CoreConfig, Effect, FetchId, Input, LastCommit, Proposal, Recovered, Status, Wanted,
};
use weft_types::testing::{network, vertex_key};
use weft_types::{
    Commit, Epoch, Millis, Observation, Round, Verified, Vertex, VertexBody, VertexRef,
};

/// When a view's clock starts. Drawn timestamps are before it.
pub const START: Millis = Millis(100_000);

pub struct View {
    pub drawing: Drawing,
    pub config: CoreConfig,
    core: Core,
    pub now: Millis,
    effects: Vec<Effect>,
    pub stored: Vec<Verified<Vertex>>,
    pub commits: Vec<Commit>,
}

impl View {
    pub fn new(drawing: Drawing, config: CoreConfig) -> Self {
        let fresh = Recovered::fresh(LastCommit::genesis(Millis(500)));
        Self {
            core: Core::new(config.clone(), fresh, START),
            drawing,
            config,
            now: START,
            effects: Vec::new(),
            stored: Vec::new(),
            commits: Vec::new(),
        }
    }

    /// The same view with a changed configuration and nothing seen.
    pub fn with(self, change: impl FnOnce(&mut CoreConfig)) -> Self {
        let mut config = self.config;
        change(&mut config);
        Self::new(self.drawing, config)
    }

    pub fn handle(&mut self, input: Input) {
        let from = self.effects.len();
        self.core.handle(self.now, input, &mut self.effects);
        for effect in &self.effects[from..] {
            match effect {
                Effect::Accepted(vertex) => self.stored.push(vertex.clone()),
                Effect::Committed(ordered) => self.commits.push(ordered.commit.clone()),
                _ => {}
            }
        }
    }

    /// Receives vertices by name, each from its author. `...` is everything drawn, from below, and then
    /// once more what was refused at first.
    pub fn receive(&mut self, names: &str) -> &mut Self {
        if names == "..." {
            let all = self.drawing.all().join(" ");
            return self.receive(&all).receive(&all);
        }
        for name in names.split_whitespace() {
            let vertex = self.drawing.vertex(name);
            let from = Some(vertex.author());
            self.handle(Input::Vertex { vertex, from });
        }
        self
    }

    /// Receives vertices from another than their author.
    pub fn receive_from(&mut self, from: char, names: &str) -> &mut Self {
        for name in names.split_whitespace() {
            let vertex = self.drawing.vertex(name);
            let from = Some(member(from));
            self.handle(Input::Vertex { vertex, from });
        }
        self
    }

    /// Draws further rows, that may link to own vertices, and receives all vertices of them.
    pub fn draw(&mut self, rows: &str) -> &mut Self {
        let before = self.drawing.all();
        self.drawing.draw_rows(rows);
        let mut new = self.drawing.all();
        new.retain(|name| !before.contains(name));
        self.receive(&new.join(" "))
    }

    pub fn wait(&mut self, millis: u64) -> &mut Self {
        self.now = self.now.saturating_add(millis);
        self.handle(Input::Tick);
        self
    }

    /// Milliseconds until the core wants to be called.
    pub fn deadline(&self) -> Option<u64> {
        let deadline = self.core.next_deadline()?;
        Some(deadline.0.saturating_sub(self.now.0))
    }

    pub fn status(&self) -> Status {
        self.core.status()
    }

    /// R2: tells the core whether the replica has work.
    pub fn work(&mut self, work: bool) -> &mut Self {
        self.handle(Input::Unordered(work));
        self
    }

    /// S1: tells the core up to which round it may have signed.
    pub fn signed(&mut self, round: u64) -> &mut Self {
        self.handle(Input::Signed(Round(round)));
        self
    }

    /// A member asks this one for a vertex that is here.
    pub fn asked(&mut self, by: char, name: &str) -> &mut Self {
        let vertices = vec![self.drawing.vertex(name).reference()];
        let by = member(by);
        self.handle(Input::Asked { by, vertices });
        self
    }

    /// The same for a vertex as if another author had made it.
    pub fn asked_author(&mut self, by: char, author: char, name: &str) -> &mut Self {
        let reference = VertexRef {
            author: member(author),
            ..self.drawing.vertex(name).reference()
        };
        let (by, vertices) = (member(by), vec![reference]);
        self.handle(Input::Asked { by, vertices });
        self
    }

    pub fn fetch_ended(&mut self, id: u64) -> &mut Self {
        self.handle(Input::FetchEnded(FetchId(id)));
        self
    }

    /// A new core from what this one had stored. Everything else is forgotten.
    pub fn restart(&mut self) -> &mut Self {
        let last = self.commits.last();
        let own = self.config.own;
        let own = self.stored.iter().filter(|v| Some(v.author()) == own);
        let recovered = Recovered {
            last: last.map_or(LastCommit::genesis(Millis(500)), LastCommit::of),
            commits: self.commits.clone(),
            vertices: self.stored.clone(),
            own: own.max_by_key(|v| v.round()).cloned(),
            signed: Some(Round::ZERO),
        };
        self.restart_from(recovered)
    }

    pub fn restart_from(&mut self, recovered: Recovered) -> &mut Self {
        self.core = Core::new(self.config.clone(), recovered, self.now);
        self.effects.clear();
        self
    }

    /// All commits so far: the leader, then what was output, in order.
    pub fn ordered(&self) -> Vec<String> {
        let name = |commit: &Commit| {
            let vertices = commit.vertices.iter().map(|v| self.drawing.name(v));
            let vertices: Vec<String> = vertices.collect();
            format!(
                "{}: {}",
                self.drawing.name(&commit.leader),
                vertices.join(" ")
            )
        };
        self.commits.iter().map(name).collect()
    }

    /// The committed leaders so far.
    pub fn leaders(&self) -> String {
        let names = self.commits.iter().map(|c| self.drawing.name(&c.leader));
        names.collect::<Vec<_>>().join(" ")
    }

    fn told(&mut self, tell: impl Fn(&Drawing, &Effect) -> Option<String>) -> Vec<String> {
        let drawing = &self.drawing;
        let mut told = Vec::new();
        self.effects.retain(|effect| {
            let text = tell(drawing, effect);
            let keep = text.is_none();
            told.extend(text);
            keep
        });
        told
    }

    /// What was accepted since the last time this was asked.
    pub fn accepted(&mut self) -> String {
        let told = self.told(|drawing, effect| match effect {
            Effect::Accepted(vertex) => Some(drawing.name(&vertex.reference())),
            _ => None,
        });
        told.join(" ")
    }

    /// Requests since the last time: whom, and for what.
    pub fn fetches(&mut self) -> Vec<String> {
        self.told(|drawing, effect| {
            let Effect::Fetch(request) = effect else {
                return None;
            };
            let what = match &request.wanted {
                Wanted::Vertices(list) => {
                    let names: Vec<String> = list.iter().map(|v| drawing.name(v)).collect();
                    names.join(" ")
                }
                Wanted::Rounds { after, until, .. } => format!("rounds {after}..{until}"),
            };
            Some(format!("#{} {}: {what}", request.id, letter(request.from)))
        })
    }

    pub fn evidence(&mut self) -> Vec<String> {
        self.told(|drawing, effect| {
            let Effect::Equivocation(pair) = effect else {
                return None;
            };
            let (first, second) = (pair.first.reference(), pair.second.reference());
            Some(format!(
                "{} {}",
                drawing.name(&first),
                drawing.name(&second)
            ))
        })
    }

    /// The rounds of own vertices that others have shown.
    pub fn elsewhere(&mut self) -> Vec<String> {
        self.told(|_, effect| match effect {
            Effect::SignedElsewhere(round) => Some(round.to_string()),
            _ => None,
        })
    }

    pub fn relays(&mut self) -> Vec<String> {
        self.told(|drawing, effect| match effect {
            Effect::Relay { to, vertex } => {
                let name = drawing.name(&vertex.reference());
                Some(format!("{name} to {}", letter(*to)))
            }
            _ => None,
        })
    }

    pub fn expired(&mut self) -> String {
        let told = self.told(|drawing, effect| match effect {
            Effect::Expired(vertex) => Some(drawing.name(&vertex.reference())),
            _ => None,
        });
        told.join(" ")
    }

    /// Proposals since the last time.
    pub fn proposals(&mut self) -> Vec<Proposal> {
        let mut proposals = Vec::new();
        self.effects.retain(|effect| {
            if let Effect::Propose(proposal) = effect {
                proposals.push(proposal.clone());
            }
            !matches!(effect, Effect::Propose(_))
        });
        proposals
    }

    /// Answers the proposal that was asked for, if one was, and tells what it links to:
    /// `A3: A2 B2 C2 + D1`, with what it proves against whom behind `%`.
    pub fn propose(&mut self) -> Option<String> {
        let proposal = self.proposals().pop()?;
        let names = |list: &[_]| {
            let names: Vec<String> = list.iter().map(|v| self.drawing.name(v)).collect();
            names.join(" ")
        };
        let own = self.config.own.unwrap();
        let round = proposal.round;
        let mut text = format!("{}{round}: {}", letter(own), names(&proposal.parents));
        if !proposal.weak_links.is_empty() {
            text = format!("{text} + {}", names(&proposal.weak_links));
        }
        if !proposal.offences.is_empty() {
            let names = proposal.offences.iter();
            let names: Vec<String> = names
                .map(|o| format!("{}{}", letter(o.author), o.round))
                .collect();
            text = format!("{text} % {}", names.join(" "));
        }
        let vertex = sign(own.as_usize(), proposal, Vec::new(), self.now);
        self.drawing.adopt(&vertex);
        self.stored.push(vertex.clone());
        self.handle(Input::Proposed(vertex));
        Some(text)
    }
}

/// The vertex that a replica makes of a proposal.
pub fn sign(
    author: usize,
    proposal: Proposal,
    shares: Vec<weft_types::FinalityShare>,
    now: Millis,
) -> Verified<Vertex> {
    let body = VertexBody {
        network: network().id(),
        epoch: Epoch::ZERO,
        round: proposal.round,
        author: weft_types::MemberIndex(author as u32),
        timestamp: now.max(proposal.timestamp_floor),
        parents: proposal.parents,
        weak_links: proposal.weak_links,
        transactions: Vec::new(),
        observation: Observation::default(),
        offences: proposal.offences,
        shares,
    };
    Vertex::sign(body, Vec::new(), &vertex_key(author))
}
