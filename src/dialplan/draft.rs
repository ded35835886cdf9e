//! What was read of each section, before anything is known of the others: steps with their targets still as written.
//!
//! The checks walk these and not the finished steps, because only here does every target know its place in the text.

use super::section::{Aim, Text};
use crate::diagnostic::Span;
use crate::ids::StepName;
use crate::key::Key;
use crate::saying::{Currency, Form};
use crate::step::Step;
pub(super) use crate::step::link::Role;
use crate::step::lookup::{Lookup, LookupFailure};
use crate::target::{StepRef, Target};
use crate::variable::Variable;
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
    /// Variables that are read here, each with its place.
    pub reads: Vec<(Variable, Span)>,
    /// Values that are spoken here, each with its place.
    pub values: Vec<(Form, Currency, Span)>,
    /// `language` of a set.
    pub language: Option<Text>,
    /// `url` of a look-up.
    pub url: Option<Text>,
    /// `to` and `trunk` of a dial.
    pub rung: Option<(Text, Option<Text>)>,
    /// `hours = "office"` of a queue.
    pub hours: Option<Text>,
    pub agents: Vec<Text>,
    /// What keys of a menu are for, each with its place: the words that profiles ask for, such as `complaint`.
    pub topics: Vec<(Key, Text)>,
    /// Roles that nothing is written for, though a step of this kind needs them where calls come to it.
    pub lacks: Vec<Role>,
}

/// One place of a step that holds a target.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub role: Role,
    pub aim: Aim,
}

/// A role as the subject of a sentence.
pub(super) fn said(role: &Role) -> String {
    match role {
        Role::Key(key) => format!("key {key}"),
        Role::Case(value) => format!("case \"{value}\""),
        role => format!("`{role}`"),
    }
}

/// Whom it concerns.
pub(super) fn callers(role: &Role) -> String {
    match role {
        Role::Key(key) => format!("callers who press {key}"),
        Role::Case(value) => format!("callers of whom the look-up says \"{value}\""),
        Role::Failed(LookupFailure::Late) => "callers whose look-up takes too long".to_owned(),
        Role::Failed(_) => "callers whose look-up fails".to_owned(),
        Role::Then | Role::Else | Role::Errors => "callers who get here".to_owned(),
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
    /// Longest time that a caller who does nothing may spend before help.
    pub help_within: std::time::Duration,
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
            (Step::Menu(menu), Role::Key(key)) => drop(menu.keys.insert(key, target)),
            (Step::Collect(collect), Role::Then) => collect.then = target,
            (Step::Say(say), Role::Then) => say.then = Some(target),
            (Step::Say(say), Role::Else) => say.otherwise = target,
            (Step::Set(set), Role::Then) => set.then = target,
            (Step::Callback(callback), Role::Then) => callback.then = Some(target),
            (Step::Dial(dial), Role::Then) => dial.then = Some(target),
            (Step::Dial(dial), Role::Else) => dial.otherwise = target,
            (Step::Lookup(lookup), role) => fill_lookup(lookup, role, target),
            (Step::Play(play), Role::Then) => play.then = Some(target),
            (Step::Voicemail(voicemail), Role::Then) => voicemail.then = Some(target),
            (Step::Hours(hours), Role::Then) => hours.then = target,
            (Step::Hours(hours), Role::Else) => hours.otherwise = target,
            (Step::Queue(queue), Role::Else) => queue.otherwise = Some(target),
            _ => unreachable!("a step has only the roles it was read with"),
        }
    }
}

fn fill_lookup(lookup: &mut Lookup, role: Role, target: Target) {
    match role {
        Role::Then => lookup.then = target,
        Role::Else => lookup.otherwise = target,
        Role::Failed(how) => drop(lookup.failed.insert(how, target)),
        Role::Case(value) => {
            if let Some(case) = lookup.cases.iter_mut().find(|case| case.value == value) {
                case.target = target;
            }
        }
        Role::Key(_) | Role::Errors => unreachable!("a look-up is read with no such role"),
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
