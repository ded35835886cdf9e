//! A path of the proof as a `.call`: what the caller and the world do, and what the engine would then be heard doing, with
//! the times of the prompts' sounds. Run by `onekey test` on the same plan it goes exactly so (the tests of the proof do).

use super::graph::{Graph, Path};
use super::node::{Beginning, Doing, Move, Node, Place};
use super::silence::Round;
use super::world::one_of;
use super::{Breach, Broken};
use crate::dialplan::DirectRule;
use crate::ids::StepName;
use crate::key::{HELD, Key};
use crate::prompt::spoken;
use crate::script::{Act, AgentAct, Line, LookupSays, MESSAGE_SPOKEN, Registry, Script, What};
use crate::step::link::Role;
use crate::step::lookup::{FILLER_AFTER, FILLER_PAUSE, Lookup, LookupFailure};
use crate::step::{Event, Step};
use crate::target::StepRef;
use crate::time::Wall;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The caller of every counter-example; a number reserved for examples.
pub const CALLER: &str = "+12025550123";
/// A Monday at midnight, UTC: where the search for a fitting moment begins.
const MONDAY: i64 = 1_795_392_000;
/// A key comes this long after what it answers.
const REACTION: Duration = Duration::from_millis(1000);
/// Between two digits.
const NEXT_DIGIT: Duration = Duration::from_millis(500);

pub(super) fn breach(graph: &Graph<'_>, what: Broken, path: &Path) -> Breach {
    Breach { what, call: script(graph, what, path), way: way(graph, path), links: BTreeSet::new() }
}

pub(super) fn round(graph: &Graph<'_>, round: &Round) -> Breach {
    let before = Path { moves: round.path.moves[..round.begins].to_vec(), ..round.path.clone() };
    let from = way(graph, &before).len();
    let way = way(graph, &round.path);
    let from = from.min(way.len().saturating_sub(1));
    let what = Broken::Round { from };
    // On to what is heard a second time.
    let mut told = round.path.clone();
    if let Some((node, again)) = round.path.moves.get(round.begins).filter(|(node, _)| is_entering(graph, *node)) {
        told.moves.push((*node, *again));
    }
    Breach { what, call: script(graph, what, &told), way, links: BTreeSet::new() }
}

fn is_entering(graph: &Graph<'_>, node: u32) -> bool {
    matches!(graph.nodes[node as usize].place, Place::Entering { .. })
}

/// The steps on a path, each with the role by which it was left.
fn way(graph: &Graph<'_>, path: &Path) -> Vec<(StepRef, Option<Role>)> {
    let mut way: Vec<(StepRef, Option<Role>)> = Vec::new();
    let ends = path.moves.iter().skip(1).map(|(node, _)| Some(*node)).chain([None]);
    for ((node, what), next) in path.moves.iter().zip(ends) {
        let Some(at) = graph.step_at(*node) else { continue };
        let stays = next.is_some_and(|next| {
            graph.step_at(next) == Some(at) && !matches!(graph.nodes[next as usize].place, Place::Entering { .. })
        });
        if stays {
            continue;
        }
        let role = match what {
            Move::Step(event) => graph.plan.step(at).map(|step| step.role(*event)),
            Move::CannotServe => Some(Role::Else),
            _ => None,
        };
        way.push((at.clone(), role));
    }
    way
}

fn script(graph: &Graph<'_>, what: Broken, path: &Path) -> Script {
    let mut telling =
        Telling { graph, at: Duration::ZERO, lines: Vec::new(), entry: Vec::new(), lookups: BTreeMap::new() };
    telling.does(Act::Call);
    telling.wishes("answer".into());
    for (node, done) in &path.moves {
        telling.arrives(*node);
        telling.moves(*node, *done);
    }
    if is_hang_up(what) {
        telling.wishes("hang-up".into());
    } else if let Some(last) = graph.end_of(path) {
        telling.arrives(last);
    }
    let (caller, registry) = caller(graph, path);
    let wanted = hours_on(graph, path);
    Script {
        remarks: remarks(graph, what, &wanted),
        line: graph.world.line.name.to_string(),
        caller,
        registry,
        agents: Vec::new(),
        at: moment(graph, &wanted),
        lookups: telling.lookups,
        lines: telling.lines,
    }
}

fn is_hang_up(what: Broken) -> bool {
    matches!(what, Broken::AskedAndHungUp | Broken::HungUp)
}

fn remarks(graph: &Graph<'_>, what: Broken, hours: &BTreeMap<StepName, BTreeSet<bool>>) -> Vec<String> {
    let first = match what {
        Broken::OneKey => "A lone 0 is no person here.".to_owned(),
        Broken::AskedAndHungUp => "Who has asked for a person is hung up on.".to_owned(),
        Broken::Round { .. } => "Who does nothing goes round for ever: from here it begins again.".to_owned(),
        Broken::HelpTooLate(_) => "Who does nothing waits too long for help.".to_owned(),
        Broken::HungUp => "The call ends with nothing done.".to_owned(),
        Broken::Stuck => "Nothing more happens.".to_owned(),
        Broken::FlaggedAsked => "A caller whom the registry flags is asked for a key.".to_owned(),
        Broken::ToldTooLate(_) => "A person is offered too late.".to_owned(),
    };
    let both = hours.iter().find(|(_, said)| said.len() > 1);
    let changes = both.map(|(name, _)| format!("Hours {name} change while the call goes on."));
    let none = (both.is_none() && moment(graph, hours).is_none() && !hours.is_empty())
        .then(|| "No one moment has all these hours so; they change while the call goes on.".to_owned());
    [first].into_iter().chain(changes).chain(none).collect()
}

/// Who calls, and what the registry says of them.
fn caller(graph: &Graph<'_>, path: &Path) -> (Option<String>, Registry) {
    let carry = graph.nodes[path.first as usize].carry;
    let language = (carry.language > 0).then(|| graph.world.languages[usize::from(carry.language)].to_string());
    let human = &graph.world.line.human;
    let known = |all: &[&[DirectRule]]| {
        let fitting = || all.iter().map(|rules| one_of(rules));
        Registry::Listed {
            age: fitting().filter_map(|(age, _)| age).max(),
            flags: fitting().filter_map(|(_, flag)| flag).collect(),
            language: language.clone(),
        }
    };
    let registry = match path.beginning {
        Beginning::Unlisted => Registry::Unlisted,
        Beginning::RegistryFails => Registry::Fails,
        Beginning::Direct => known(&[&human.direct]),
        Beginning::Gentle => known(&[&human.gentle]),
        Beginning::DirectAndGentle => known(&[&human.direct, &human.gentle]),
        Beginning::Ordinary | Beginning::Withheld if language.is_none() => Registry::Ordinary,
        Beginning::Ordinary | Beginning::Withheld => Registry::Listed { age: None, flags: BTreeSet::new(), language },
    };
    ((path.beginning != Beginning::Withheld).then(|| CALLER.to_owned()), registry)
}

/// What the hours on the way must say.
fn hours_on(graph: &Graph<'_>, path: &Path) -> BTreeMap<StepName, BTreeSet<bool>> {
    let mut wanted: BTreeMap<StepName, BTreeSet<bool>> = BTreeMap::new();
    for (node, what) in &path.moves {
        let Some(Step::Hours(hours)) = graph.step_at(*node).and_then(|at| graph.plan.step(at)) else { continue };
        if let Move::Step(Event::Entered { open }) = what {
            wanted.entry(hours.name.clone()).or_default().insert(*open);
        }
    }
    wanted
}

/// A moment at which the hours say so; `None` where there is none, or where any will do.
fn moment(graph: &Graph<'_>, wanted: &BTreeMap<StepName, BTreeSet<bool>>) -> Option<String> {
    if wanted.is_empty() {
        return None;
    }
    let half_hours = (20..20 + 14 * 48).chain(0..20);
    let moments = half_hours.map(|half| MONDAY + half * 1800);
    let fits = |seconds: &i64| {
        wanted.iter().all(|(name, said)| {
            let open = graph.plan.hours(name).is_some_and(|hours| hours.open_at(Wall::from_seconds(*seconds)));
            said.len() == 1 && said.contains(&open)
        })
    };
    let seconds = moments.into_iter().find(fits)?;
    let moment = jiff::Timestamp::from_second(seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    Some(moment.strftime("%Y-%m-%d %H:%M").to_string())
}

/// The lines so far.
struct Telling<'g, 'a> {
    graph: &'g Graph<'a>,
    at: Duration,
    lines: Vec<Line>,
    /// Lines that press the digits of the present entry.
    entry: Vec<usize>,
    lookups: BTreeMap<String, Vec<LookupSays>>,
}

impl Telling<'_, '_> {
    fn does(&mut self, act: Act) {
        self.lines.push(Line { at: self.at, what: What::Does(act), number: 0 });
    }

    fn wishes(&mut self, words: String) {
        self.lines.push(Line { at: self.at, what: What::Expects(words), number: 0 });
    }

    fn says(&mut self, said: u32) {
        let words: Vec<String> = self.graph.world.said[said as usize].iter().map(ToString::to_string).collect();
        self.wishes(format!("play {}", words.join(" ")));
    }

    /// What the engine does at a node, before anything else happens there.
    fn arrives(&mut self, node: u32) {
        let Node { place, .. } = self.graph.nodes[node as usize];
        match place {
            Place::Gate { listening: false } => self.wishes(format!("play {}", spoken::SHORT_GATE)),
            Place::In { doing: Doing::Speaking(said), .. } => self.says(said),
            Place::In { doing: Doing::Recording, .. } => self.wishes("record".into()),
            Place::In { doing: Doing::LookingUp, at, .. } => {
                let name = self.graph.world.steps[at as usize].0.name.clone();
                self.wishes(format!("look up {name}"));
            }
            Place::In { doing: Doing::Ringing, at, .. } => {
                if let Step::Dial(dial) = self.graph.world.step(at) {
                    self.wishes(format!("dial {}", dial.to));
                }
            }
            _ => {}
        }
    }

    fn moves(&mut self, node: u32, what: Move) {
        let length = self.graph.heard_at(node).length;
        match what {
            Move::Human => self.presses(Key::HUMAN, length),
            Move::GateKey(key) => self.presses(key, length),
            Move::HeldZero => {
                self.at += REACTION.min(length);
                self.does(Act::Hold(Key::HUMAN, Duration::from_secs(1)));
                self.at += HELD;
            }
            Move::Step(Event::Key(key)) => self.presses_in_step(node, key, length),
            Move::CannotServe => self.cannot_serve(node),
            Move::Step(event) => self.goes_on(node, event, length),
            Move::GateGoesOn => self.at += length,
            Move::Served | Move::CannotWrite => {}
        }
    }

    fn presses(&mut self, key: Key, length: Duration) {
        self.at += REACTION.min(length);
        self.does(Act::Press(key));
    }

    fn presses_in_step(&mut self, node: u32, key: Key, length: Duration) {
        if let Place::In { at, state, .. } = self.graph.nodes[node as usize].place
            && self.graph.world.step(at).takes_zero(&state)
        {
            if state.digits == 0 {
                self.entry.clear();
            } else {
                self.at += NEXT_DIGIT;
                self.does(Act::Press(key));
                return self.entry.push(self.lines.len() - 1);
            }
            self.presses(key, length);
            return self.entry.push(self.lines.len() - 1);
        }
        self.presses(key, length);
    }

    fn cannot_serve(&mut self, node: u32) {
        let Some(Step::Queue(queue)) = self.graph.step_at(node).and_then(|at| self.graph.plan.step(at)) else { return };
        self.wishes(format!("queue {} cannot serve", queue.name));
    }

    fn goes_on(&mut self, node: u32, event: Event, length: Duration) {
        let Some(step) = self.graph.step_at(node).and_then(|at| self.graph.plan.step(at)) else { return };
        match (step, event) {
            (Step::Hours(hours), Event::Entered { open }) => {
                self.wishes(format!("hours {} {}", hours.name, if open { "open" } else { "closed" }));
            }
            (Step::Set(set), Event::Entered { .. }) => {
                if let Some(language) = &set.language {
                    self.wishes(format!("language {language}"));
                }
            }
            (Step::Collect(collect), Event::Checked { good }) => {
                self.enters(
                    &collect.check.example(self.entry.len() as u8, self.begins_with_zero(), good).unwrap_or_default(),
                );
                self.wishes(format!("entry {}", if good { "good" } else { "wrong" }));
            }
            (Step::Lookup(lookup), event) => self.looks_up(lookup, event, length),
            (Step::Dial(_), Event::Connected) => {
                self.at += REACTION;
                self.does(Act::Party(AgentAct::Answers));
                self.wishes("connect party".into());
            }
            (Step::Dial(_), Event::NotConnected) => {
                self.at += REACTION;
                self.does(Act::Party(AgentAct::Rejects));
            }
            (Step::Dial(_), Event::PartyLeft) => {
                self.at += REACTION;
                self.does(Act::Party(AgentAct::HangsUp));
            }
            (_, Event::Entered { .. } | Event::Unspeakable) => {}
            (_, Event::Recorded) => {
                self.at += MESSAGE_SPOKEN + length;
            }
            _ => self.at += length,
        }
    }

    /// The digits pressed so far are those of an entry that is right, or wrong.
    fn enters(&mut self, digits: &str) {
        for (line, digit) in self.entry.drain(..).zip(digits.chars().filter_map(Key::from_char)) {
            self.lines[line].what = What::Does(Act::Press(digit));
        }
    }

    fn begins_with_zero(&self) -> bool {
        let first = self.entry.first().map(|line| &self.lines[*line].what);
        matches!(first, Some(What::Does(Act::Press(key))) if *key == Key::HUMAN)
    }

    /// What a caller hears who waits for a look-up until its deadline.
    fn fillers(&mut self, lookup: &Lookup, deadline: Duration) {
        let began = self.at;
        let filler = self.graph.prompts.get(self.graph.world.line.language.as_str(), lookup.filler.as_str());
        let again = filler.map_or(Duration::ZERO, |prompt| prompt.facts.length) + FILLER_PAUSE;
        let mut after = FILLER_AFTER;
        while after < deadline {
            self.at = began + after;
            self.wishes(format!("play {}", lookup.filler));
            after += again;
        }
        self.at = began + deadline;
    }

    fn looks_up(&mut self, lookup: &Lookup, event: Event, length: Duration) {
        let says = match event {
            Event::Found { case } => {
                let branch = case.and_then(|case| lookup.cases.get(usize::from(case))).map(|case| case.value.as_str());
                LookupSays::Answers(lookup.answer_for(branch))
            }
            Event::LookUpFailed(how) => LookupSays::Fails(how),
            _ => return,
        };
        if event == Event::LookUpFailed(LookupFailure::Late) {
            self.fillers(lookup, length);
        }
        self.lookups.entry(lookup.name.to_string()).or_default().push(says);
    }
}
