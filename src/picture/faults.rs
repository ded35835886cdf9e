//! What the proof found broken, marked where it is to be mended, by the codes that `onekey explain` knows.

use super::Picture;
use crate::dialplan::Dialplan;
use crate::dialplan::reach::{Breach, Broken, Proof};
use crate::step::Step;
use crate::step::link::Role;
use crate::step::queue::Queue;
use crate::target::{StepRef, Target};
use std::collections::BTreeSet;

pub(super) fn mark(picture: &mut Picture, plan: &Dialplan, proof: &Proof) {
    for breach in &proof.breaches {
        mark_breach(picture, plan, breach);
    }
    queues_in_a_circle(picture, plan);
}

fn mark_breach(picture: &mut Picture, plan: &Dialplan, breach: &Breach) {
    let (last, code) = (breach.way.last().map(|(at, _)| at), breach.what.code());
    match breach.what {
        Broken::HungUp => {
            for (at, role) in &breach.links {
                let is_unfinished = plan.step(at).is_some_and(Step::is_unfinished);
                link(picture, at, role, if is_unfinished { "D031" } else { code });
            }
            if breach.links.is_empty() {
                begins(picture, code);
            }
        }
        Broken::AskedAndHungUp => breach.links.iter().for_each(|(at, role)| link(picture, at, role, code)),
        Broken::Round { from } => {
            for (at, role) in &breach.way[from..] {
                match role {
                    Some(role) => link(picture, at, role, code),
                    None => section(picture, Some(at), code),
                }
            }
        }
        Broken::ToldTooLate(_) => begins(picture, code),
        Broken::HelpTooLate(_) => {
            begins(picture, code);
            breach.way.iter().for_each(|(at, _)| section(picture, Some(at), code));
        }
        Broken::OneKey | Broken::Stuck | Broken::FlaggedAsked => section(picture, last, code),
    }
}

/// The row of a link, or its whole card where the link is no row of its own.
fn link(picture: &mut Picture, at: &StepRef, role: &Role, code: &'static str) {
    let Some(card) = picture.cards.iter_mut().find(|card| card.at.as_ref() == Some(at)) else { return };
    match card.rows.iter_mut().find(|row| row.role.as_ref() == Some(role)) {
        Some(row) => row.codes.insert(code),
        None => card.codes.insert(code),
    };
}

/// A section, or the line where no section is to blame.
fn section(picture: &mut Picture, at: Option<&StepRef>, code: &'static str) {
    match picture.cards.iter_mut().find(|card| at.is_some() && card.at.as_ref() == at) {
        Some(card) => {
            card.codes.insert(code);
        }
        None => begins(picture, code),
    }
}

/// The line's first row: where its calls start.
fn begins(picture: &mut Picture, code: &'static str) {
    if let Some(row) = picture.cards.first_mut().and_then(|card| card.rows.first_mut()) {
        row.codes.insert(code);
    }
}

/// No call goes round in such a circle (a call-back is promised), so the proof does not see it; the checker refuses it.
fn queues_in_a_circle(picture: &mut Picture, plan: &Dialplan) {
    for first in plan.queues() {
        let mut seen = BTreeSet::new();
        let mut queue = first;
        while let Some(next) = next_queue(plan, queue).filter(|_| seen.insert(&queue.name)) {
            queue = next;
            if queue.name == first.name {
                link(picture, &Step::Queue(first.clone()).at(), &Role::Else, "D035");
                break;
            }
        }
    }
}

fn next_queue<'p>(plan: &'p Dialplan, queue: &Queue) -> Option<&'p Queue> {
    let Some(Target::Step(at)) = &queue.otherwise else { return None };
    match plan.step(at) {
        Some(Step::Queue(next)) => Some(next),
        _ => None,
    }
}
