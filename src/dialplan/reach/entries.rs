//! Digits that are asked for before a person: on the way into the call while nobody has been offered yet, or after a caller
//! has asked for one. Who has heard that a person can be had, and then types a number, has chosen to.

use super::graph::Graph;
use super::node::{Doing, Place};
use crate::step::Step;
use crate::target::StepRef;
use std::collections::BTreeSet;

pub(super) fn before_a_person(graph: &Graph<'_>) -> BTreeSet<StepRef> {
    let asks_digits = |node: u32| match graph.nodes[node as usize].place {
        Place::In { at, doing: Doing::Listening(_), .. } => matches!(graph.world.step(at), Step::Collect(_)),
        _ => false,
    };
    let asked = (0..graph.nodes.len() as u32).filter(|node| graph.nodes[*node as usize].carry.asked);
    let entries = unoffered(graph).into_iter().chain(asked).filter(|node| asks_digits(*node));
    entries.filter_map(|node| graph.step_at(node).cloned()).collect()
}

/// What a call can come to before any words have offered a person, by keys too.
fn unoffered(graph: &Graph<'_>) -> Vec<u32> {
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    let mut open: Vec<u32> = graph.beginnings.iter().map(|(_, first)| *first).collect();
    let mut found = Vec::new();
    while let Some(node) = open.pop() {
        if graph.heard_at(node).offer.is_some() || !seen.insert(node) {
            continue;
        }
        found.push(node);
        open.extend(graph.ways.of(node).map(|(_, to)| to));
    }
    found
}
