//! Which ways of a plan the tests walk, and which none does: for each line every step that can be come to, and of each
//! step its links, and where it asks for something also silence and what is wrong.
//!
//! What a call did is told by the call itself ([`Walk`]): nothing of the plan is interpreted here a second time.

use crate::dialplan::{Dialplan, Line};
use crate::ids::LineName;
use crate::step::link::{Role, Walk};
use crate::step::{Event, Step};
use crate::target::{StepKind, StepRef, Target};
use std::collections::BTreeMap;
use std::fmt;

/// All lines of a plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Coverage {
    pub lines: BTreeMap<LineName, LineCoverage>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct LineCoverage {
    /// Calls that were made to it.
    pub calls: usize,
    /// In the order in which calls come to them.
    pub steps: Vec<StepCoverage>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct StepCoverage {
    pub at: StepRef,
    /// How often calls came to it.
    pub met: usize,
    pub ways: Vec<WayCoverage>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct WayCoverage {
    pub way: Way,
    /// How often it was walked.
    pub walked: usize,
}

/// One thing that can happen in a step and that a test can show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// A link that leads on.
    Link(Role, Target),
    /// Nothing is pressed or entered, and the caller is asked again or helped.
    Silence,
    /// A key, or an entry, that is none of those asked for.
    Wrong,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Link(Role::Key(key), _) => write!(f, "key {key}"),
            Way::Link(Role::Case(value), _) => write!(f, "case {value}"),
            Way::Link(role, _) => role.fmt(f),
            Way::Silence => f.write_str("silence"),
            Way::Wrong => f.write_str("wrong input"),
        }
    }
}

impl Coverage {
    /// Nothing is walked yet.
    pub fn of(plan: &Dialplan) -> Coverage {
        let lines = plan.lines.iter().map(|(name, line)| (name.clone(), LineCoverage::of(plan, line)));
        Coverage { lines: lines.collect() }
    }

    /// Adds one call to this line.
    pub fn add(&mut self, plan: &Dialplan, line: &str, walked: &[Walk]) {
        let Some(line) = self.lines.get_mut(line) else { return };
        line.calls += 1;
        for walk in walked {
            let Some(step) = plan.step(&walk.at) else { continue };
            let Some(covered) = line.steps.iter_mut().find(|covered| covered.at == walk.at) else { continue };
            if matches!(walk.event, Event::Entered { .. }) && (walk.to.is_none() || walk.at.kind != StepKind::Queue) {
                covered.met += 1;
            }
            for way in &mut covered.ways {
                way.walked += usize::from(is_walked(&way.way, step, walk));
            }
        }
    }

    /// What the terminal shows.
    pub fn text(&self) -> String {
        self.lines.iter().fold(String::new(), |text, (name, line)| text + &line.text(name))
    }
}

impl LineCoverage {
    fn of(plan: &Dialplan, line: &Line) -> LineCoverage {
        let steps = plan.linked(line).into_iter().filter_map(|at| {
            let ways = ways(plan.step(&at)?).into_iter().map(|way| WayCoverage { way, walked: 0 }).collect();
            Some(StepCoverage { at, met: 0, ways })
        });
        LineCoverage { calls: 0, steps: steps.collect() }
    }

    /// Steps that were met, and how many there are.
    pub fn steps_met(&self) -> (usize, usize) {
        (self.steps.iter().filter(|step| step.met > 0).count(), self.steps.len())
    }

    /// Ways that were walked, and how many there are.
    pub fn ways_walked(&self) -> (usize, usize) {
        let ways = || self.steps.iter().flat_map(|step| &step.ways);
        (ways().filter(|way| way.walked > 0).count(), ways().count())
    }

    fn text(&self, name: &LineName) -> String {
        let (met, steps) = self.steps_met();
        let (walked, ways) = self.ways_walked();
        let calls = match self.calls {
            0 => "no test calls it".to_owned(),
            1 => "1 call".to_owned(),
            calls => format!("{calls} calls"),
        };
        let mut text = format!("line {name}: {calls}; {met} of {steps} steps met, {walked} of {ways} ways walked\n");
        if self.calls == 0 {
            return text;
        }
        for step in &self.steps {
            let missing: Vec<String> =
                step.ways.iter().filter(|way| way.walked == 0).map(|way| way.way.to_string()).collect();
            let told = match (step.met, missing.is_empty()) {
                (0, _) => "not met".to_owned(),
                (_, true) => continue,
                (_, false) => format!("{} not walked", missing.join(", ")),
            };
            text.push_str(&format!("  {}: {told}\n", step.at));
        }
        text
    }
}

fn ways(step: &Step) -> Vec<Way> {
    let links = step.links().into_iter().map(|link| Way::Link(link.role, link.target));
    let asked: &[Way] = if step.asks() { &[Way::Silence, Way::Wrong] } else { &[] };
    links.chain(asked.iter().cloned()).collect()
}

fn is_walked(way: &Way, step: &Step, walk: &Walk) -> bool {
    match way {
        Way::Link(role, target) => walk.to.as_ref() == Some(target) && step.role(walk.event) == *role,
        Way::Silence => walk.is_error && walk.event == Event::Silence,
        Way::Wrong => walk.is_error && walk.event != Event::Silence,
    }
}
