//! Who does nothing: ways that never end, the longest time until help, and the longest until a person has been offered.
//!
//! The part of the graph that silence can take, walked once, deepest first, without recursion: a plan may be long.

use super::graph::{Graph, Path};
use super::node::{Doing, Move, Place};
use crate::step::Step;
use crate::target::StepRef;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What was found of silent callers.
pub(super) struct Silent {
    /// Each round with the path to it: the moves from `begins` on come back to where they began.
    pub rounds: Vec<Round>,
    /// The longest time until a person, something kept, or the end of a finished service; from wherever keys can lead.
    pub longest: Option<(Duration, Path)>,
    /// The longest time until a person has been offered or reached.
    pub told: Option<(Duration, Path)>,
    pub quiet_menus: BTreeSet<StepRef>,
    /// For each step that is met: the longest time from its beginning until help; `None`: it may never come.
    pub help: BTreeMap<StepRef, Option<Duration>>,
}

pub(super) struct Round {
    pub path: Path,
    pub begins: usize,
}

/// What comes of silence at a node.
#[derive(Clone, Copy, Default)]
struct After {
    help: Duration,
    told: Duration,
    /// Silence can go round for ever from here.
    endless: bool,
    /// The moves that take longest: places among the node's own.
    help_by: Option<u32>,
    told_by: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    /// On the way that is being walked.
    Open,
    Done,
}

pub(super) fn walk(graph: &Graph<'_>) -> Silent {
    let mut search = Search {
        graph,
        marks: vec![Mark::New; graph.nodes.len()],
        after: vec![After::default(); graph.nodes.len()],
        known: BTreeSet::new(),
        rounds: Vec::new(),
    };
    for node in 0..graph.nodes.len() as u32 {
        search.walk(node);
    }
    // The first of equals: what was found first is reached by the fewest acts.
    let longest = |time: fn(&After) -> Duration, of: &mut dyn Iterator<Item = u32>| {
        let found = of.map(|node| (time(&search.after[node as usize]), node));
        found.reduce(|best, one| if one.0 > best.0 { one } else { best })
    };
    let mut everywhere = 0..graph.nodes.len() as u32;
    let mut beginnings = graph.beginnings.iter().map(|(_, first)| *first);
    let path = |(time, first): (Duration, u32), by: fn(&After) -> Option<u32>| (time, search.path(first, by));
    Silent {
        longest: longest(|after| after.help, &mut everywhere).map(|found| path(found, |after| after.help_by)),
        told: longest(|after| after.told, &mut beginnings).map(|found| path(found, |after| after.told_by)),
        quiet_menus: quiet_menus(graph),
        help: help(graph, &search.after),
        rounds: search.rounds,
    }
}

struct Search<'g, 'a> {
    graph: &'g Graph<'a>,
    marks: Vec<Mark>,
    after: Vec<After>,
    /// Rounds told already, by the steps that they pass.
    known: BTreeSet<BTreeSet<u32>>,
    rounds: Vec<Round>,
}

impl Search<'_, '_> {
    fn walk(&mut self, first: u32) {
        if self.marks[first as usize] != Mark::New {
            return;
        }
        self.marks[first as usize] = Mark::Open;
        // Each node on the way with the place of the next of its moves.
        let mut way: Vec<(u32, usize)> = vec![(first, 0)];
        while let Some(&(node, nth)) = way.last() {
            let Some((what, to)) = self.graph.ways.nth(node, nth) else {
                self.after[node as usize] = self.sum(node);
                self.marks[node as usize] = Mark::Done;
                way.pop();
                continue;
            };
            let here = way.len() - 1;
            way[here].1 = nth + 1;
            if !goes_on(what) {
                continue;
            }
            match self.marks[to as usize] {
                Mark::New => {
                    self.marks[to as usize] = Mark::Open;
                    way.push((to, 0));
                }
                Mark::Open => self.round(to, &way),
                Mark::Done => {}
            }
        }
    }

    fn round(&mut self, back_to: u32, way: &[(u32, usize)]) {
        let Some(begins) = way.iter().position(|(node, _)| *node == back_to) else { return };
        let steps: BTreeSet<u32> = way[begins..].iter().filter_map(|(node, _)| self.graph.step_number(*node)).collect();
        if !self.known.insert(steps) {
            return;
        }
        let mut path = self.graph.path_to(back_to);
        let begins_at = path.moves.len();
        for (node, nth) in &way[begins..] {
            path.moves.extend(self.graph.ways.nth(*node, nth - 1).map(|(what, _)| (*node, what)));
        }
        self.rounds.push(Round { path, begins: begins_at });
    }

    /// A node's times from those of the nodes that silence leads to. A round counts as no time: it is told as what it is.
    fn sum(&self, node: u32) -> After {
        let here = self.graph.heard_at(node);
        let mut after = After::default();
        let mut told = Duration::ZERO;
        for (nth, (what, to)) in self.graph.ways.of(node).enumerate().filter(|(_, (what, _))| goes_on(*what)) {
            let spent = spent(what, here.length);
            let next = &self.after[to as usize];
            after.endless |= next.endless || self.marks[to as usize] == Mark::Open;
            if after.help_by.is_none() || spent + next.help > after.help {
                (after.help, after.help_by) = (spent + next.help, Some(nth as u32));
            }
            if after.told_by.is_none() || spent + next.told > told {
                (told, after.told_by) = (spent + next.told, Some(nth as u32));
            }
        }
        // Who asks for a person, even by silence, need not be told of one.
        let is_asking = matches!(self.graph.nodes[node as usize].place, Place::Joining { .. });
        after.told = if is_asking { Duration::ZERO } else { here.offer.unwrap_or(told) };
        if here.offer.is_some() || is_asking {
            after.told_by = None;
        }
        after
    }

    fn path(&self, first: u32, by: fn(&After) -> Option<u32>) -> Path {
        let mut path = self.graph.path_to(first);
        let mut node = first;
        let mut seen = BTreeSet::new();
        while let Some(nth) = by(&self.after[node as usize]).filter(|_| seen.insert(node)) {
            let Some((what, to)) = self.graph.ways.nth(node, nth as usize) else { break };
            path.moves.push((node, what));
            node = to;
        }
        path
    }
}

/// The longest silent time of each step, in the worst state in which calls come to it.
fn help(graph: &Graph<'_>, after: &[After]) -> BTreeMap<StepRef, Option<Duration>> {
    let mut help: BTreeMap<StepRef, Option<Duration>> = BTreeMap::new();
    for (number, node) in graph.nodes.iter().enumerate() {
        let begins = matches!(node.place, Place::Entering { .. } | Place::Joining { .. });
        if let Some(at) = graph.step_at(number as u32).filter(|_| begins) {
            let after = &after[number];
            let known = help.entry(at.clone()).or_insert(Some(Duration::ZERO));
            *known = known.filter(|_| !after.endless).map(|longest| longest.max(after.help));
        }
    }
    help
}

/// Whether a call of which nobody does anything can take this move. A disk that cannot write only leads to a person.
fn goes_on(what: Move) -> bool {
    what.is_silent() && what != Move::CannotWrite
}

/// The time that passes at a node before it is left so, at most: a party may answer at once, a look-up as late as it fails.
fn spent(what: Move, length: Duration) -> Duration {
    use crate::step::Event::{Connected, Unspeakable};
    match what {
        Move::Step(Connected | Unspeakable) => Duration::ZERO,
        _ => length,
    }
}

/// Menus at which a caller who does nothing is first asked for a key, although nothing has offered a person yet.
fn quiet_menus(graph: &Graph<'_>) -> BTreeSet<StepRef> {
    let mut quiet = BTreeSet::new();
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    let mut open: Vec<u32> = graph.beginnings.iter().map(|(_, first)| *first).collect();
    while let Some(node) = open.pop() {
        if !seen.insert(node) || graph.heard_at(node).offer.is_some() {
            continue;
        }
        if let Place::In { at, doing: Doing::Listening(_), .. } = graph.nodes[node as usize].place
            && let Step::Menu(menu) = graph.world.step(at)
        {
            // A missing prompt is told elsewhere, and might have offered a person.
            let language = graph.world.line.language.as_str();
            let words = &menu.say;
            if !words.is_empty() && words.iter().all(|id| graph.prompts.get(language, id.as_str()).is_some()) {
                quiet.insert(graph.world.steps[at as usize].0.clone());
            }
            continue;
        }
        open.extend(graph.ways.of(node).filter(|(what, _)| goes_on(*what)).map(|(_, to)| to));
    }
    quiet
}
