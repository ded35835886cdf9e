//! What was read of each section, before anything is known of the others: steps with their targets still as written.
//!
//! The checks walk these and not the finished steps, because only here does every target know its place in the text.

use super::section::{Aim, Text, Written};
use crate::diagnostic::Span;
use crate::ids::StepName;
use crate::key::Key;
use crate::step::Step;
use crate::target::{StepRef, Target};
use std::collections::{BTreeMap, BTreeSet};

/// One step as read. Its targets are placeholders until `names` has resolved `aims`.
#[derive(Debug)]
pub(super) struct Draft {
    pub at: StepRef,
    /// The name in the section's header.
    pub name: Span,
    pub step: Step,
    pub aims: Vec<Slot>,
    pub prompts: Vec<Text>,
    /// `hours = "office"` of a queue.
    pub hours: Option<Text>,
    pub agents: Vec<Text>,
    /// Roles that nothing is written for, though a step of this kind needs them where calls come to it.
    pub lacks: Vec<Role>,
}

/// One place of a step that holds a target.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub role: Role,
    pub aim: Aim,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Key(Key),
    Then,
    Else,
}

impl Role {
    /// As the subject of a sentence.
    pub fn said(self) -> String {
        match self {
            Role::Key(key) => format!("key {key}"),
            Role::Then => "`then`".to_owned(),
            Role::Else => "`else`".to_owned(),
        }
    }

    /// Whom it concerns.
    pub fn callers(self) -> String {
        match self {
            Role::Key(key) => format!("callers who press {key}"),
            Role::Then | Role::Else => "callers who get here".to_owned(),
        }
    }
}

/// One line as read.
#[derive(Debug)]
pub(super) struct LineDraft {
    pub name: String,
    pub name_span: Span,
    pub numbers: Vec<Text>,
    pub start: Option<(StepRef, Aim)>,
    pub language: Text,
    pub profiles: Vec<Text>,
    pub to: Option<(StepRef, Aim)>,
    pub human: super::HumanPromise,
    /// Ages of `direct`, each with its place.
    pub ages: Vec<(u8, Span)>,
    /// Longest time of speech until a person is offered.
    pub announce_within: std::time::Duration,
    pub short_gate: bool,
}

/// The whole folder as read.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    pub lines: Vec<LineDraft>,
    pub steps: BTreeMap<StepRef, Draft>,
    /// Steps that are named in text which could not be read: not to be called missing.
    pub hinted: BTreeSet<StepRef>,
    /// Some text could not be read, so nothing can be said of the plan as a whole.
    pub damaged: bool,
}

impl Draft {
    /// Puts a resolved target into the step.
    pub fn fill(&mut self, role: Role, target: Target) {
        match (&mut self.step, role) {
            (Step::Menu(menu), Role::Key(key)) => {
                menu.keys.insert(key, target);
            }
            (Step::Play(play), Role::Then) => play.then = Some(target),
            (Step::Voicemail(voicemail), Role::Then) => voicemail.then = Some(target),
            (Step::Hours(hours), Role::Then) => hours.then = target,
            (Step::Hours(hours), Role::Else) => hours.otherwise = target,
            (Step::Queue(queue), Role::Else) => queue.otherwise = Some(target),
            _ => unreachable!("a step has only the roles it was read with"),
        }
    }
}

/// The step that a target leads to: `start` and `human` are others for each line.
pub(super) fn ends(
    written: &Written,
    from: &StepRef,
    start: Option<&StepRef>,
    human: Option<&StepRef>,
) -> Option<StepRef> {
    match written {
        Written::Step(step) => Some(step.clone()),
        Written::Repeat => Some(from.clone()),
        Written::Start => start.cloned(),
        Written::Human => human.cloned(),
        Written::Back => None,
    }
}

/// A name as sections and targets take it.
pub(super) fn is_name(name: &str) -> bool {
    let letter = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    !name.is_empty() && name.len() <= 64 && name.chars().all(letter)
}

pub(super) fn step_name(name: &str) -> StepName {
    StepName::new(name)
}
