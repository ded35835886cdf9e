//! What was written, as a whole: lines, steps and queues of one folder, checked before anything uses them.
//!
//! `load` makes it from files and tells everything that is wrong; `report` is what `onekey check` and `explain` print,
//! `schema` what editors ask.

pub mod codes;
mod collects;
mod dials;
mod draft;
mod hours;
mod lines;
mod load;
mod lookups;
mod names;
mod near;
pub mod profiles;
mod queues;
pub mod reach;
pub mod report;
mod says;
pub mod schema;
mod section;
#[cfg(test)]
pub mod small;
mod spoken;
mod steps;
mod syntax;
mod values;
mod verdicts;

pub use load::{load, load_unproved};
pub use spoken::prompt_trouble;
pub use values::is_below;

pub use profiles::Judged;

use reach::Bounds;

use crate::ids::{AgentId, Language, LineName, QueueName, StepName};
use crate::prompt::PromptLibrary;
use crate::step::Step;
use crate::step::hours::Hours;
use crate::step::queue::Queue;
use crate::target::{StepKind, StepRef, Target};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// What the checker knows of the world besides the files.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub prompts: &'a PromptLibrary,
    /// `registry.thresholds`: the ages that the registry can tell. Default 60, 65.
    pub registry_thresholds: Vec<u8>,
    /// Agents' accounts; `None` where they are not known (`onekey check` without a store): nothing is said of agents then.
    pub agents: Option<BTreeSet<AgentId>>,
    /// `lookup.allow` of the settings: beginnings of URLs that look-ups may ask; `None` where the settings are not known.
    pub lookup_urls: Option<Vec<String>>,
    /// Trunks through which numbers can be dialled; `None` where the settings are not known.
    pub trunks: Option<BTreeSet<String>>,
    /// Profiles by which every line is judged, besides those that it names itself (`onekey check --profile`).
    pub profiles: Vec<String>,
}

impl<'a> Facts<'a> {
    /// What is known where there are only prompts: no settings, no store.
    pub fn of(prompts: &'a PromptLibrary) -> Facts<'a> {
        Facts {
            prompts,
            registry_thresholds: vec![60, 65],
            agents: None,
            lookup_urls: None,
            trunks: None,
            profiles: Vec::new(),
        }
    }
}

/// A whole, checked dialplan. Only `load` (beside this) makes one, so every reference in it leads somewhere.
pub struct Dialplan {
    pub lines: BTreeMap<LineName, Line>,
    /// Each dialled number and the line it reaches.
    pub numbers: BTreeMap<String, LineName>,
    pub steps: BTreeMap<StepRef, Step>,
    /// What was proved of each line.
    pub bounds: BTreeMap<LineName, Bounds>,
    /// How each line fares by each of its profiles.
    pub judged: BTreeMap<LineName, Vec<Judged>>,
}

/// Only how large it is: every call holds the whole plan, and would print it.
impl std::fmt::Debug for Dialplan {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Dialplan({} lines, {} steps)", self.lines.len(), self.steps.len())
    }
}

/// `[line.NAME]`: what is dialled and where it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub name: LineName,
    pub numbers: Vec<String>,
    pub start: StepRef,
    pub language: Language,
    pub profiles: Vec<String>,
    /// Longest time of speech until a person is offered, default 30 s.
    pub announce_within: Duration,
    /// Longest time that a caller who does nothing may spend before help, default 180 s.
    pub help_within: Duration,
    pub human: HumanPromise,
}

/// `[line.NAME.human]`: the one-key promise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HumanPromise {
    pub to: QueueName,
    /// Callers whom any of these fits meet no menu.
    pub direct: Vec<DirectRule>,
    /// Callers whom any of these fits have twice the time, one error more, and slower prompts where there are such.
    pub gentle: Vec<DirectRule>,
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

/// How long the short gate waits for a key after its words.
pub const GATE_LISTENS: Duration = Duration::from_secs(3);

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

impl Line {
    /// The queue of the human key, as a step.
    pub fn person(&self) -> StepRef {
        StepRef::queue(&self.human.to)
    }
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
        match self.step(&StepRef::queue(name))? {
            Step::Queue(queue) => Some(queue),
            _ => None,
        }
    }

    /// All queues of the plan.
    pub fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.steps.values().filter_map(|step| match step {
            Step::Queue(queue) => Some(queue),
            _ => None,
        })
    }

    pub fn hours(&self, name: &StepName) -> Option<&Hours> {
        match self.step(&StepRef::new(StepKind::Hours, name.as_str()))? {
            Step::Hours(hours) => Some(hours),
            _ => None,
        }
    }

    /// Every step to which links lead from a line's start, and from the queue of its human key; each before those that it
    /// leads to. Some of them no call may ever come to.
    pub fn linked(&self, line: &Line) -> Vec<StepRef> {
        let mut known = BTreeSet::new();
        let mut found = Vec::new();
        let mut open = VecDeque::from([line.start.clone(), line.person()]);
        while let Some(at) = open.pop_front() {
            let Some(step) = self.step(&at).filter(|_| known.insert(at.clone())) else { continue };
            found.push(at);
            open.extend(step.links().into_iter().filter_map(|link| match link.target {
                Target::Step(to) => Some(to),
                Target::Repeat | Target::Start | Target::Human => None,
            }));
        }
        found
    }
}
