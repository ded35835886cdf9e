//! What was written, as a whole: lines, steps and queues of one folder, checked before anything uses them.
//!
//! `load` makes it from files and tells everything that is wrong; `report` is what `onekey check` and `explain` print.

pub mod codes;
mod draft;
mod hours;
mod lines;
mod load;
mod names;
mod near;
mod paths;
mod profiles;
mod queues;
pub mod report;
mod section;
#[cfg(test)]
pub mod small;
mod spoken;
mod steps;
mod syntax;

pub use load::load;
pub use spoken::prompt_trouble;

use crate::ids::{AgentId, Language, LineName, QueueName, StepName};
use crate::prompt::PromptLibrary;
use crate::step::Step;
use crate::step::hours::Hours;
use crate::step::queue::Queue;
use crate::target::StepRef;
use std::collections::{BTreeMap, BTreeSet};

/// What the checker knows of the world besides the files.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub prompts: &'a PromptLibrary,
    /// `registry.thresholds`: the ages that the registry can tell. Default 60, 65.
    pub registry_thresholds: Vec<u8>,
    /// Agents' accounts; `None` where they are not known (`onekey check` without a store): nothing is said of agents then.
    pub agents: Option<BTreeSet<AgentId>>,
}

/// A whole, checked dialplan. Only `load` (beside this) makes one, so every reference in it leads somewhere.
#[derive(Debug)]
pub struct Dialplan {
    pub lines: BTreeMap<LineName, Line>,
    /// Each dialled number and the line it reaches.
    pub numbers: BTreeMap<String, LineName>,
    pub steps: BTreeMap<StepRef, Step>,
}

/// `[line.NAME]`: what is dialled and where it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub name: LineName,
    pub numbers: Vec<String>,
    pub start: StepRef,
    pub language: Language,
    pub profiles: Vec<String>,
    pub human: HumanPromise,
}

/// `[line.NAME.human]`: the one-key promise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HumanPromise {
    pub to: QueueName,
    /// Callers whom any of these fits meet no menu.
    pub direct: Vec<DirectRule>,
    /// Number withheld, or the registry late or down.
    pub unknown_caller: Welcome,
    /// Looked up well, but not listed.
    pub unlisted_caller: Welcome,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DirectRule {
    /// `age >= 65`
    AgeAtLeast(u8),
    /// `flag assist`
    Flag(String),
}

/// How a caller is met of whom nobody can say whether the registry flags them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Welcome {
    /// Straight to the queue.
    HumanFirst,
    /// One prompt of at most 8 s that names the human key; silence leads to a person, any menu key goes on.
    ShortGate,
    /// The line's start.
    Ordinary,
}

impl Dialplan {
    /// The line that a dialled number reaches.
    pub fn line_for(&self, dialled: &str) -> Option<&Line> {
        self.lines.get(self.numbers.get(dialled)?)
    }

    pub fn step(&self, at: &StepRef) -> Option<&Step> {
        self.steps.get(at)
    }

    pub fn queue(&self, name: &QueueName) -> Option<&Queue> {
        self.steps.values().find_map(|step| match step {
            Step::Queue(queue) if queue.name == *name => Some(queue),
            _ => None,
        })
    }

    /// All queues of the plan.
    pub fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.steps.values().filter_map(|step| match step {
            Step::Queue(queue) => Some(queue),
            _ => None,
        })
    }

    pub fn hours(&self, name: &StepName) -> Option<&Hours> {
        self.steps.values().find_map(|step| match step {
            Step::Hours(hours) if hours.name == *name => Some(hours),
            _ => None,
        })
    }
}
