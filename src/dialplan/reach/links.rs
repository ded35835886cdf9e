//! All links in the text that lead into what is broken, so that an administrator can mend them in one go: the shortest call
//! shows only one of them.

use super::graph::Graph;
use super::node::{Move, Place};
use super::{Breach, Broken};
use crate::step::link::Role;
use crate::target::StepRef;
use std::collections::BTreeSet;

/// `breaches` are those of `graph.broken`, in the same order.
pub(super) fn add(graph: &Graph<'_>, breaches: &mut [Breach]) {
    if breaches.is_empty() {
        return;
    }
    let mut into: Vec<Vec<(u32, Move)>> = vec![Vec::new(); graph.nodes.len()];
    for from in 0..graph.nodes.len() as u32 {
        graph.ways.of(from).for_each(|(what, to)| into[to as usize].push((from, what)));
    }
    for (breach, (_, path)) in breaches.iter_mut().zip(&graph.broken) {
        let last = path.moves.last().map_or(path.first, |(node, _)| *node);
        breach.links = match breach.what {
            Broken::HungUp => back(graph, &into, last, |_, to| matches!(to, Place::Entering { .. })),
            Broken::AskedAndHungUp => back(graph, &into, last, |from, _| matches!(from, Place::Joining { .. })),
            _ => BTreeSet::new(),
        };
    }
}

/// The links on the nearest moves before `last` of which `is_end` holds: for a hang-up those that enter its step, for one
/// that comes after a wish for a person those of the queues that could not serve.
fn back(
    graph: &Graph<'_>,
    into: &[Vec<(u32, Move)>],
    last: u32,
    is_end: impl Fn(Place, Place) -> bool,
) -> BTreeSet<(StepRef, Role)> {
    let mut links = BTreeSet::new();
    let mut seen = BTreeSet::from([last]);
    let mut open = vec![last];
    while let Some(node) = open.pop() {
        for (from, what) in &into[node as usize] {
            if !is_end(graph.nodes[*from as usize].place, graph.nodes[node as usize].place) {
                if seen.insert(*from) {
                    open.push(*from);
                }
                continue;
            }
            let Some(at) = graph.step_at(*from) else { continue };
            match *what {
                Move::Step(event) => links.extend(graph.plan.step(at).map(|step| (at.clone(), step.role(event)))),
                Move::CannotServe => drop(links.insert((at.clone(), Role::Else))),
                _ => {}
            }
        }
    }
    links
}
