//! The figures of a line (DESIGN §5, property 7): what is printed of it when it is well, and what profiles are judged by.

use super::graph::Graph;
use super::node::{Doing, Move, Place};
use super::silence::Silent;
use crate::step::Step;
use crate::target::StepRef;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What is true of every call of a line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bounds {
    /// States and moves that were visited.
    pub states: usize,
    pub moves: usize,
    /// Most keys that a person is away, where a key can be held.
    pub keys_to_person_max: u32,
    /// The same for phones that cannot tell a held key.
    pub keys_without_hold_max: u32,
    /// The longest time that a caller who does nothing spends before help.
    pub silent_longest: Duration,
    /// The longest time until such a caller has been offered a person, or reached one.
    pub told_after: Duration,
    /// Menus on the shortest way to each menu, itself counted: 1 is the first.
    pub levels: BTreeMap<StepRef, u32>,
    /// The menu with the most options, and how many.
    pub most_options: Option<(StepRef, u32)>,
}

impl Bounds {
    pub fn deepest_menu(&self) -> u32 {
        self.levels.values().copied().max().unwrap_or(0)
    }
}

pub(super) fn of(graph: &Graph<'_>, silent: &Silent) -> Bounds {
    let levels = levels(graph);
    let options = levels.keys().filter_map(|at| match graph.plan.step(at) {
        Some(Step::Menu(menu)) => Some((at.clone(), menu.keys.len() as u32)),
        _ => None,
    });
    let enters_digits = graph.nodes.iter().any(|node| match node.place {
        Place::In { at, state, doing: Doing::Listening(_) } => {
            graph.world.step(at).takes_zero(&state) && state.digits > 0
        }
        _ => false,
    });
    Bounds {
        states: graph.nodes.len(),
        moves: graph.ways.count(),
        keys_to_person_max: 1,
        // In the middle of an entry: `star` begins it anew, then the lone zero.
        keys_without_hold_max: if enters_digits { 2 } else { 1 },
        silent_longest: silent.longest.as_ref().map_or(Duration::ZERO, |(length, _)| *length),
        told_after: silent.told.as_ref().map_or(Duration::ZERO, |(length, _)| *length),
        most_options: options.reduce(|most, one| if one.1 > most.1 { one } else { most }),
        levels,
    }
}

/// Breadth-first with weights 0 and 1: a menu weighs 1.
fn levels(graph: &Graph<'_>) -> BTreeMap<StepRef, u32> {
    let mut best: Vec<u32> = vec![u32::MAX; graph.nodes.len()];
    let mut open: VecDeque<u32> = VecDeque::new();
    for (_, first) in &graph.beginnings {
        best[*first as usize] = weight(graph, *first);
        open.push_back(*first);
    }
    while let Some(node) = open.pop_front() {
        for (what, to) in graph.ways.of(node) {
            // What a person's absence leads to is no level of the menus.
            if what == Move::CannotServe {
                continue;
            }
            let level = best[node as usize] + weight(graph, to);
            if level < best[to as usize] {
                best[to as usize] = level;
                if weight(graph, to) == 0 { open.push_front(to) } else { open.push_back(to) }
            }
        }
    }
    let mut levels = BTreeMap::new();
    for (number, level) in best.into_iter().enumerate().filter(|(_, level)| *level != u32::MAX) {
        let Some(at) = graph.step_at(number as u32).filter(|at| at.kind == crate::target::StepKind::Menu) else {
            continue;
        };
        let known = levels.entry(at.clone()).or_insert(level);
        *known = level.min(*known);
    }
    levels
}

fn weight(graph: &Graph<'_>, node: u32) -> u32 {
    let Place::Entering { at, .. } = graph.nodes[node as usize].place else { return 0 };
    u32::from(matches!(graph.world.step(at), Step::Menu(_)))
}
