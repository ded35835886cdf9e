//! All states of a line's calls and the moves between them, found in the order of the fewest acts.
//!
//! A breadth-first search with weights 0 and 1: acts (a key, something that fails) weigh 1, what goes by itself nothing.
//! So the path by which a state was found first is the shortest call that leads there.

use super::node::{Beginning, Doing, Move, Node, Place, Wrong};
use super::sounds::{Heard, Longest, heard};
use super::ways::Ways;
use super::world::World;
use super::{Broken, Proof};
use crate::dialplan::{Dialplan, GATE_LISTENS, Line};
use crate::ids::Language;
use crate::prompt::{PromptLibrary, spoken};
use crate::step::Step;
use crate::target::{StepKind, StepRef};
use crate::variable::Word;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

pub(super) struct Graph<'a> {
    pub plan: &'a Dialplan,
    pub prompts: &'a PromptLibrary,
    pub world: World<'a>,
    pub nodes: Vec<Node>,
    /// Where the moves of each node lead.
    pub ways: Ways,
    /// How each node was found: from which, by what; nothing for beginnings.
    found: Vec<Option<(u32, Move)>>,
    acts: Vec<u32>,
    pub beginnings: Vec<(Beginning, u32)>,
    /// The first path to each thing that is wrong.
    pub broken: Vec<(Broken, Path)>,
    sounds: BTreeMap<(u32, u8, bool), Heard>,
}

/// A call: how it begins, and what happens.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub beginning: Beginning,
    pub first: u32,
    /// Each move with the node that it was made at.
    pub moves: Vec<(u32, Move)>,
}

impl<'a> Graph<'a> {
    pub fn of(plan: &'a Dialplan, line: &'a Line, prompts: &'a PromptLibrary) -> Graph<'a> {
        let mut graph = Graph {
            plan,
            prompts,
            world: World::new(plan, line, languages(plan, line, prompts)),
            nodes: Vec::new(),
            ways: Ways::default(),
            found: Vec::new(),
            acts: Vec::new(),
            beginnings: Vec::new(),
            broken: Vec::new(),
            sounds: BTreeMap::new(),
        };
        graph.explore();
        graph.measure();
        graph
    }

    fn explore(&mut self) {
        let mut numbers: BTreeMap<Node, u32> = BTreeMap::new();
        let mut open: VecDeque<u32> = VecDeque::new();
        let mut done: Vec<bool> = Vec::new();
        let mut told: BTreeSet<(Broken, u32)> = BTreeSet::new();
        for (beginning, node) in self.world.beginnings() {
            let number = *numbers.entry(node).or_insert_with(|| self.add(node, None, 0));
            self.beginnings.push((beginning, number));
            done.resize(self.nodes.len(), false);
            open.push_back(number);
        }
        let mut next = Vec::new();
        while let Some(number) = open.pop_front() {
            if std::mem::replace(&mut done[number as usize], true) {
                continue;
            }
            let node = self.nodes[number as usize];
            self.world.moves(node, &mut next);
            self.ways.begin(number);
            for (what, to) in next.drain(..) {
                let to = match to {
                    Ok(to) => to,
                    Err(wrong) => {
                        self.is_wrong(number, what, wrong, &mut told);
                        continue;
                    }
                };
                let acts = self.acts[number as usize] + u32::from(what.is_act());
                let to = *numbers.entry(to).or_insert_with(|| self.add(to, Some((number, what)), acts));
                done.resize(self.nodes.len(), false);
                self.ways.push(number, what, to);
                if acts < self.acts[to as usize] {
                    (self.acts[to as usize], self.found[to as usize]) = (acts, Some((number, what)));
                }
                if !done[to as usize] {
                    if what.is_act() { open.push_back(to) } else { open.push_front(to) }
                }
            }
            if self.ways.is_empty(number) && matches!(node.place, Place::In { doing: Doing::Nothing, .. }) {
                self.is_stuck(number, &mut told);
            }
        }
    }

    fn add(&mut self, node: Node, found: Option<(u32, Move)>, acts: u32) -> u32 {
        self.nodes.push(node);
        self.ways.add_node();
        self.found.push(found);
        self.acts.push(acts);
        self.nodes.len() as u32 - 1
    }

    /// Each thing that is wrong is told once for the step where it is.
    fn is_wrong(&mut self, at: u32, what: Move, wrong: Wrong, told: &mut BTreeSet<(Broken, u32)>) {
        let broken = match wrong {
            Wrong::OneKey => Broken::OneKey,
            Wrong::AskedAndHungUp => Broken::AskedAndHungUp,
            Wrong::HungUp => Broken::HungUp,
            Wrong::FlaggedAsked => Broken::FlaggedAsked,
        };
        if told.insert((broken, self.step_number(at).unwrap_or(u32::MAX))) {
            let mut path = self.path_to(at);
            path.moves.push((at, what));
            self.broken.push((broken, path));
        }
    }

    fn is_stuck(&mut self, at: u32, told: &mut BTreeSet<(Broken, u32)>) {
        if told.insert((Broken::Stuck, self.step_number(at).unwrap_or(u32::MAX))) {
            self.broken.push((Broken::Stuck, self.path_to(at)));
        }
    }

    /// The shortest call that leads to a node.
    pub fn path_to(&self, node: u32) -> Path {
        let mut moves = Vec::new();
        let mut at = node;
        while let Some((from, what)) = self.found[at as usize] {
            moves.push((from, what));
            at = from;
        }
        moves.reverse();
        let known = self.beginnings.iter().find(|(_, first)| *first == at);
        Path { beginning: known.map_or(Beginning::Ordinary, |(beginning, _)| *beginning), first: at, moves }
    }

    /// Where a path leads, if its last move may be made.
    pub fn end_of(&self, path: &Path) -> Option<u32> {
        let Some((last, what)) = path.moves.last() else { return Some(path.first) };
        self.ways.of(*last).find(|(known, _)| known == what).map(|(_, to)| to)
    }

    /// The sounds of everything that is said, in each language in which it is said.
    fn measure(&mut self) {
        let mut known = Longest::new();
        let of_line = self.world.line.language.clone();
        for node in &self.nodes {
            let Place::In { doing: Doing::Speaking(said), .. } = node.place else { continue };
            let key = (said, node.carry.language, node.carry.gentle);
            self.sounds.entry(key).or_insert_with(|| {
                let language = &self.world.languages[usize::from(node.carry.language)];
                let words = &self.world.said[said as usize];
                heard(words, (language.as_str(), of_line.as_str(), node.carry.gentle), self.prompts, &mut known)
            });
        }
    }

    /// What is heard at a node before it goes on by itself.
    pub fn heard_at(&self, node: u32) -> Heard {
        let Node { place, carry } = self.nodes[node as usize];
        let silence = |length| Heard { length, offer: None };
        match place {
            Place::In { doing: Doing::Speaking(said), .. } => {
                self.sounds.get(&(said, carry.language, carry.gentle)).copied().unwrap_or_default()
            }
            Place::In { doing: Doing::Listening(millis), .. } => silence(Duration::from_millis(millis.into())),
            Place::In { doing: Doing::Recording, at, .. } => silence(match self.world.step(at) {
                Step::Voicemail(voicemail) => voicemail.silence,
                Step::Callback(callback) => callback.silence,
                _ => Duration::ZERO,
            }),
            Place::In { doing: Doing::LookingUp, at, .. } => silence(match self.world.step(at) {
                Step::Lookup(lookup) => lookup.deadline,
                _ => Duration::ZERO,
            }),
            Place::In { doing: Doing::Ringing, at, .. } => silence(match self.world.step(at) {
                Step::Dial(dial) => dial.ring_timeout,
                _ => Duration::ZERO,
            }),
            Place::Gate { listening: false } => {
                let words = [Word::Prompt(crate::ids::PromptId::new(spoken::SHORT_GATE))];
                let language = self.world.line.language.as_str();
                heard(&words, (language, language, false), self.prompts, &mut Longest::new())
            }
            Place::Gate { listening: true } => silence(GATE_LISTENS),
            _ => Heard::default(),
        }
    }

    /// The number of the step where a node is.
    pub fn step_number(&self, node: u32) -> Option<u32> {
        match self.nodes[node as usize].place {
            Place::Entering { at, .. } | Place::In { at, .. } | Place::Joining { queue: at } => Some(at),
            Place::Gate { .. } | Place::Person | Place::Kept | Place::Ended => None,
        }
    }

    pub fn step_at(&self, node: u32) -> Option<&'a StepRef> {
        self.step_number(node).map(|at| self.world.steps[at as usize].0)
    }

    /// Steps that are met, with the languages of the calls that meet them; the hours that queues ask count as met.
    pub fn reached(&self) -> BTreeSet<(StepRef, Language)> {
        let mut met: BTreeSet<(u32, u8)> = BTreeSet::new();
        for (number, node) in self.nodes.iter().enumerate() {
            met.extend(self.step_number(number as u32).map(|at| (at, node.carry.language)));
        }
        let mut reached = BTreeSet::new();
        for (at, language) in met {
            let (name, step) = self.world.steps[at as usize];
            let language = &self.world.languages[usize::from(language)];
            reached.insert((name.clone(), language.clone()));
            if let Some(hours) = step.hours() {
                let hours = StepRef::new(StepKind::Hours, hours.as_str());
                reached.insert((hours, language.clone()));
            }
        }
        reached
    }
}

/// The line's own language first, then what its steps can set, then what the registry may say of a caller.
fn languages(plan: &Dialplan, line: &Line, prompts: &PromptLibrary) -> Vec<Language> {
    let set = plan.steps.values().filter_map(|step| match step {
        Step::Set(set) => set.language.clone(),
        _ => None,
    });
    let others: BTreeSet<Language> =
        set.chain(prompts.languages().cloned()).filter(|other| *other != line.language).collect();
    [line.language.clone()].into_iter().chain(others).take(usize::from(u8::MAX)).collect()
}

impl Proof {
    /// Steps that calls of the line can come to.
    pub fn steps(&self) -> impl Iterator<Item = &StepRef> {
        self.reached.iter().map(|(at, _)| at)
    }
}
