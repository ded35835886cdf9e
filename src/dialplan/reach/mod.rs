//! The proof that no caller can be trapped (DESIGN §5): every state of every call of a line is visited, with every key,
//! every silence and everything that the world can do, by the same [`Step::next`](crate::step::Step::next) that calls run.
//!
//! ```text
//! node     a state, and what can happen there; world: what leads where, without time and sound
//! graph    all of them, found in the order of the fewest acts, so that every path back is the shortest
//! silence  who does nothing: how long until help, how long until a person has been offered, and ways that never end
//! bounds   the figures of a line
//! entries  digits that are asked for before a person is offered
//! witness  a path, as the `.call` that shows it
//! ```
//! What is proved, and by what name it is broken, is [`Breach`]. Where the words and places of messages come from is the
//! business of `verdicts` beside this.

mod bounds;
mod entries;
mod graph;
mod links;
mod node;
mod silence;
mod sounds;
mod ways;
mod witness;
mod world;

pub use bounds::Bounds;
pub use witness::CALLER;

use super::{Dialplan, Line};
use crate::ids::Language;
use crate::prompt::PromptLibrary;
use crate::script::Script;
use crate::step::link::Role;
use crate::target::StepRef;
use graph::Graph;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What was found of one line.
#[derive(Debug)]
pub struct Proof {
    pub breaches: Vec<Breach>,
    pub bounds: Bounds,
    /// Steps that a call can come to, each with the languages in which it is met.
    pub reached: BTreeSet<(StepRef, Language)>,
    /// Menus that await a key before any words have offered a person.
    pub quiet_menus: BTreeSet<StepRef>,
    /// For each step that is met: how long a caller who does nothing from its beginning on waits for help, at most; `None`
    /// where help may never come.
    pub help: BTreeMap<StepRef, Option<Duration>>,
    /// Steps that ask for digits before a person was offered, or after one was asked for.
    pub early_entries: BTreeSet<StepRef>,
}

/// A way in which the promise could be broken, with the shortest call that shows it.
#[derive(Clone, Debug)]
pub struct Breach {
    pub what: Broken,
    /// The steps on the way, each with the role by which it was left. The last one is where it happens.
    pub way: Vec<(StepRef, Option<Role>)>,
    /// All links that lead straight into it: a hang-up may have several ways in, of which the call shows one.
    pub links: BTreeSet<(StepRef, Role)>,
    pub call: Script,
}

/// Which of the properties is broken (their numbers in DESIGN §5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Broken {
    /// 1: a lone zero is no person here.
    OneKey,
    /// 1: who has asked for a person whom no queue can serve now is hung up on.
    AskedAndHungUp,
    /// 2, 3: who does nothing goes round for ever. The way ends where it began: `from` is the index of its first step.
    Round { from: usize },
    /// 2: who does nothing waits longer than the line allows.
    HelpTooLate(Duration),
    /// 3: the call ends with nothing done.
    HungUp,
    /// 3: nothing more would happen.
    Stuck,
    /// 4: a flagged caller is asked for a key.
    FlaggedAsked,
    /// 6: a person is offered later than the line allows.
    ToldTooLate(Duration),
}

impl Broken {
    /// The code by which it is told. A hang-up that comes after a step which could be marked as finished is D031 instead.
    pub const fn code(self) -> &'static str {
        match self {
            Broken::OneKey => "D050",
            Broken::AskedAndHungUp | Broken::FlaggedAsked => "D033",
            Broken::Round { .. } | Broken::Stuck => "D034",
            Broken::HelpTooLate(_) => "D070",
            Broken::HungUp => "D032",
            Broken::ToldTooLate(_) => "D048",
        }
    }
}

/// Proves one line of a plan whose targets all lead somewhere.
pub fn prove(plan: &Dialplan, line: &Line, prompts: &PromptLibrary) -> Proof {
    let graph = Graph::of(plan, line, prompts);
    let silent = silence::walk(&graph);
    let mut breaches: Vec<Breach> =
        graph.broken.iter().map(|(what, path)| witness::breach(&graph, *what, path)).collect();
    links::add(&graph, &mut breaches);
    breaches.extend(silent.rounds.iter().map(|round| witness::round(&graph, round)));
    if let Some((length, path)) = silent.longest.as_ref().filter(|(length, _)| *length > line.help_within) {
        breaches.push(witness::breach(&graph, Broken::HelpTooLate(*length), path));
    }
    if let Some((length, path)) = silent.told.as_ref().filter(|(length, _)| *length > line.announce_within) {
        breaches.push(witness::breach(&graph, Broken::ToldTooLate(*length), path));
    }
    breaches.sort_by(|one, other| (one.what, &one.way).cmp(&(other.what, &other.way)));
    Proof {
        breaches,
        bounds: bounds::of(&graph, &silent),
        reached: graph.reached(),
        quiet_menus: silent.quiet_menus,
        help: silent.help,
        early_entries: entries::before_a_person(&graph),
    }
}
