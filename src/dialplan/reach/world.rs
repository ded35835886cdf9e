//! The states of a call and what can happen in each: the journey of `call`, without its time, its sound and its names.
//!
//! What a step does is the step's own `next`; what is modelled here is how a call carries it out: who goes straight to a
//! person, what a queue that cannot serve leads to, what is kept. Each rule names the place in `call` that it follows; the
//! tests of the proof run the engine itself against it.

use super::node::{Beginning, Carry, Doing, Move, Moves, Node, Place, Wrong};
use crate::dialplan::{Dialplan, DirectRule, Line, Welcome};
use crate::ids::{Language, QueueName};
use crate::key::Key;
use crate::step::lookup::LookupFailure;
use crate::step::{Edge, Event, Step, StepState};
use crate::target::{StepKind, StepRef, Target};
use crate::variable::{Variable, Word};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A plan and a line of it, with numbers for names.
pub(super) struct World<'a> {
    pub line: &'a Line,
    pub steps: Vec<(&'a StepRef, &'a Step)>,
    numbers: BTreeMap<&'a StepRef, u32>,
    pub languages: Vec<Language>,
    pub said: Vec<Vec<Word>>,
    said_numbers: BTreeMap<Vec<Word>, u32>,
    tried: Vec<BTreeSet<u32>>,
    /// Whether any step asks if there is a number to call back.
    asks_number: bool,
    /// For each step with hours: what they can say.
    hours: Vec<&'static [bool]>,
}

impl<'a> World<'a> {
    pub fn new(plan: &'a Dialplan, line: &'a Line, languages: Vec<Language>) -> World<'a> {
        let steps: Vec<(&StepRef, &Step)> = plan.steps.iter().collect();
        let can_be = |step: &Step| -> &'static [bool] {
            match step.hours().and_then(|name| plan.hours(name)).map(|hours| hours.always()) {
                None | Some(Some(true)) => &[true],
                Some(Some(false)) => &[false],
                Some(None) => &[true, false],
            }
        };
        World {
            line,
            numbers: steps.iter().enumerate().map(|(number, (at, _))| (*at, number as u32)).collect(),
            asks_number: steps.iter().any(|(at, _)| at.kind == StepKind::Callback),
            hours: steps.iter().map(|(_, step)| can_be(step)).collect(),
            steps,
            languages,
            said: Vec::new(),
            said_numbers: BTreeMap::new(),
            tried: vec![BTreeSet::new()],
        }
    }

    pub fn number(&self, at: &StepRef) -> Option<u32> {
        self.numbers.get(at).copied()
    }

    pub fn step(&self, number: u32) -> &'a Step {
        self.steps[number as usize].1
    }

    fn queue(&self, name: &QueueName) -> Option<u32> {
        self.number(&StepRef::queue(name))
    }

    /// Every kind of caller, as the call is answered (`call/welcome.rs`).
    pub fn beginnings(&mut self) -> Vec<(Beginning, Node)> {
        let human = &self.line.human;
        let mut kinds = vec![Beginning::Ordinary, Beginning::Unlisted, Beginning::Withheld, Beginning::RegistryFails];
        if !human.direct.is_empty() {
            kinds.push(Beginning::Direct);
        }
        if !human.direct.is_empty() && !human.gentle.is_empty() && !self.direct_is_gentle() {
            kinds.push(Beginning::DirectAndGentle);
        }
        if !human.gentle.is_empty() {
            kinds.push(Beginning::Gentle);
        }
        let mut all = Vec::new();
        for kind in kinds {
            // Only a listed caller's language is known.
            let is_listed = !matches!(kind, Beginning::Unlisted | Beginning::Withheld | Beginning::RegistryFails);
            let languages = if is_listed { self.languages.len() } else { 1 };
            for language in 0..languages {
                all.push((kind, self.beginning(kind, language as u8)));
            }
        }
        all
    }

    fn beginning(&mut self, kind: Beginning, language: u8) -> Node {
        let human = &self.line.human;
        let carry = Carry {
            language,
            flagged: matches!(kind, Beginning::Direct | Beginning::DirectAndGentle),
            gentle: match kind {
                Beginning::Direct => self.direct_is_gentle(),
                Beginning::Gentle | Beginning::DirectAndGentle => true,
                _ => false,
            },
            reachable: kind != Beginning::Withheld || !self.asks_number,
            asked: false,
            done: false,
            overflowed: false,
            tried: 0,
        };
        let way = match kind {
            Beginning::Direct | Beginning::DirectAndGentle => Welcome::HumanFirst,
            Beginning::Withheld | Beginning::RegistryFails => human.unknown_caller,
            Beginning::Unlisted => human.unlisted_caller,
            Beginning::Ordinary | Beginning::Gentle => Welcome::Ordinary,
        };
        match way {
            Welcome::HumanFirst => self.ask(carry),
            Welcome::ShortGate => Node { place: Place::Gate { listening: false }, carry },
            Welcome::Ordinary => self.enter(&self.line.start.clone(), carry),
        }
    }

    /// Whether who goes straight to a person is given more time as well, as a caller of 70 is where 60 is enough for that.
    fn direct_is_gentle(&self) -> bool {
        let human = &self.line.human;
        let (age, flag) = one_of(&human.direct);
        human.gentle.iter().any(|rule| match rule {
            DirectRule::AgeAtLeast(enough) => age.is_some_and(|age| age >= *enough),
            DirectRule::Flag(known) => flag.as_ref() == Some(known),
        })
    }

    /// `Call::human`: the promise is opened, the line's queue is asked.
    fn ask(&mut self, carry: Carry) -> Node {
        self.join(&self.line.human.to.clone(), Carry { asked: true, done: false, tried: 0, ..carry })
    }

    /// `Call::enter_queue`
    fn join(&mut self, name: &QueueName, carry: Carry) -> Node {
        let carry = Carry { asked: true, done: false, ..carry };
        let Some(queue) = self.queue(name) else { return Node { place: Place::Kept, carry } };
        match self.tried[carry.tried as usize].contains(&queue) {
            true => Node { place: Place::Kept, carry },
            false => Node { place: Place::Joining { queue }, carry },
        }
    }

    /// `Call::overflow`
    fn overflow(&mut self, queue: u32, carry: Carry) -> Node {
        let mut tried = self.tried[carry.tried as usize].clone();
        tried.insert(queue);
        let carry = Carry { tried: self.tried_number(tried), ..carry };
        let Step::Queue(settings) = self.step(queue) else { return Node { place: Place::Kept, carry } };
        let kept = Node { place: Place::Kept, carry };
        let led = Carry { overflowed: true, ..carry };
        match &settings.otherwise {
            Some(Target::Step(at)) if at.kind == StepKind::Queue => self.join(&QueueName::new(at.name.as_str()), carry),
            Some(Target::Human) => self.join(&self.line.human.to.clone(), carry),
            Some(Target::Step(at)) if at.kind == StepKind::Menu && carry.flagged => kept,
            Some(Target::Step(at)) if !carry.overflowed => self.enter(at, led),
            Some(Target::Start) if !carry.overflowed && !carry.flagged => self.enter(&self.line.start.clone(), led),
            _ => kept,
        }
    }

    fn tried_number(&mut self, tried: BTreeSet<u32>) -> u32 {
        if let Some(known) = self.tried.iter().position(|known| *known == tried) {
            return known as u32;
        }
        self.tried.push(tried);
        self.tried.len() as u32 - 1
    }

    /// `Call::enter`
    fn enter(&mut self, at: &StepRef, carry: Carry) -> Node {
        self.enter_with(at, StepState::new(carry.gentle), carry)
    }

    fn enter_with(&mut self, at: &StepRef, state: StepState, carry: Carry) -> Node {
        let Some(number) = self.number(at) else { return self.ask(carry) };
        let asks = self.step(number).asks();
        if carry.flagged && asks {
            return Node { place: Place::Kept, carry };
        }
        Node { place: Place::Entering { at: number, state }, carry: Carry { done: carry.done && !asks, ..carry } }
    }

    /// Everything that can happen at a node, and what it leads to.
    pub fn moves(&mut self, node: Node, out: &mut Moves) {
        let carry = node.carry;
        match node.place {
            Place::Person | Place::Kept | Place::Ended => {}
            Place::Gate { listening } => {
                let goes_on =
                    if listening { self.ask(carry) } else { Node { place: Place::Gate { listening: true }, carry } };
                out.push((Move::GateGoesOn, Ok(goes_on)));
                out.push((Move::GateKey(Key::HASH), Ok(self.enter(&self.line.start.clone(), carry))));
                out.push((Move::Human, Ok(self.ask(carry))));
            }
            Place::Joining { queue } => {
                if self.hours[queue as usize].contains(&true) {
                    out.push((Move::Served, Ok(Node { place: Place::Person, carry })));
                }
                out.push((Move::CannotServe, Ok(self.overflow(queue, carry))));
            }
            Place::Entering { at, state } => {
                // A queue's own hours are the queue's affair: it is joined, and then cannot serve.
                let is_hours = matches!(self.step(at), Step::Hours(_));
                let open: &[bool] = if is_hours { self.hours[at as usize] } else { &[true] };
                for open in open {
                    self.step_moves(at, state, carry, Event::Entered { open: *open }, out);
                }
            }
            Place::In { at, state, doing } => self.moves_in(at, state, doing, carry, out),
        }
    }

    fn moves_in(&mut self, at: u32, state: StepState, doing: Doing, carry: Carry, out: &mut Moves) {
        let step = self.step(at);
        for event in self.events(step, &state, doing, carry) {
            self.step_moves(at, state, carry, event, out);
        }
        match doing {
            Doing::Speaking(_) | Doing::Listening(_) => self.key_moves(at, state, carry, out),
            // `Call::human_while_recording`: a person if one is there, else the recording goes on.
            Doing::Recording => {
                out.push((Move::Human, Ok(Node { place: Place::Person, carry })));
                out.push((Move::CannotWrite, Ok(self.ask(carry))));
            }
            Doing::Keeping { .. } => {
                out.push((Move::Human, Ok(self.ask(carry))));
                out.push((Move::CannotWrite, Ok(self.ask(carry))));
            }
            Doing::Connected => out.push((Move::HeldZero, Ok(self.ask(carry)))),
            Doing::Checking => {}
            Doing::LookingUp | Doing::Ringing | Doing::Nothing => {
                out.push((Move::Human, Ok(self.ask(carry))));
            }
        }
    }

    /// What can be told to a step without the caller.
    fn events(&self, step: &Step, state: &StepState, doing: Doing, carry: Carry) -> Vec<Event> {
        match doing {
            Doing::Speaking(said) => {
                let words = &self.said[said as usize];
                let may_fail = |word: &Word| match word {
                    Word::Prompt(_) => false,
                    Word::Value { of, .. } => !matches!(of, Variable::QueuePosition | Variable::QueueWait),
                };
                let is_read_back = matches!(step, Step::Collect(_));
                let fails = words.iter().any(may_fail) && !is_read_back;
                if fails { vec![Event::Spoken, Event::Unspeakable] } else { vec![Event::Spoken] }
            }
            Doing::Listening(_) => vec![Event::Silence],
            Doing::Recording => vec![Event::Recorded],
            Doing::Keeping { callback: false } => vec![Event::Recorded],
            Doing::Keeping { callback: true } if carry.reachable => vec![Event::Promised],
            Doing::Keeping { callback: true } => vec![Event::NoNumber],
            Doing::Checking => match step {
                Step::Collect(collect) => {
                    let can_be = |good: &bool| collect.check.example(state.digits, state.zero_first, *good).is_some();
                    [true, false].into_iter().filter(can_be).map(|good| Event::Checked { good }).collect()
                }
                _ => Vec::new(),
            },
            // The filler in between changes nothing but its own phase; the deadline ends it.
            Doing::LookingUp => {
                let Step::Lookup(lookup) = step else { return Vec::new() };
                let found = (0..lookup.cases.len() as u8).map(|case| Event::Found { case: Some(case) });
                let failed = LookupFailure::ALL.into_iter().map(Event::LookUpFailed);
                [Event::Found { case: None }].into_iter().chain(found).chain(failed).collect()
            }
            Doing::Ringing => vec![Event::Connected, Event::NotConnected],
            Doing::Connected => vec![Event::PartyLeft],
            Doing::Nothing => Vec::new(),
        }
    }

    fn key_moves(&mut self, at: u32, state: StepState, carry: Carry, out: &mut Moves) {
        let step = self.step(at);
        let takes_zero = step.takes_zero(&state);
        for key in step.distinct_keys() {
            if takes_zero || key != Key::HUMAN {
                self.step_moves(at, state, carry, Event::Key(key), out);
            }
        }
        if !takes_zero {
            return out.push((Move::Human, Ok(self.ask(carry))));
        }
        out.push((Move::HeldZero, Ok(self.ask(carry))));
        if state.digits == 0 {
            let mut alone = state;
            step.next(&mut alone, Event::Key(Key::HUMAN));
            if step.next(&mut alone, Event::Silence) != Edge::Human {
                out.push((Move::Human, Err(Wrong::OneKey)));
            }
        }
    }

    fn step_moves(&mut self, at: u32, mut state: StepState, carry: Carry, event: Event, out: &mut Moves) {
        let step = self.step(at);
        let before = state;
        let edge = step.next(&mut state, event);
        let carry = match event {
            // A message or a call-back is in the ledger.
            Event::Recorded | Event::Promised => Carry { asked: false, done: true, ..carry },
            // Something else was chosen, or entered: silence and errors lead to a person. The promise stays open all the same
            // (`Call::finish` makes it due), but the call may end as that other thing ends.
            _ if step.asks() && matches!(edge, Edge::Go(_)) => Carry { asked: false, ..carry },
            // The person was offered, and nobody wanted one.
            Event::Silence if step.has_offered(&before) => Carry { done: true, ..carry },
            _ => carry,
        };
        let here = |doing| Node { place: Place::In { at, state, doing }, carry };
        let next = match edge {
            Edge::Stay if matches!(event, Event::Key(_)) => return,
            Edge::Stay if matches!(event, Event::Connected) => Ok(here(Doing::Connected)),
            Edge::Stay => Ok(here(Doing::Nothing)),
            Edge::Speak { words, .. } => Ok(here(Doing::Speaking(self.said_number(words)))),
            Edge::Listen { within } | Edge::Take { within } => match carry.flagged && step.asks() {
                true => Err(Wrong::FlaggedAsked),
                false => Ok(here(Doing::Listening(millis(within)))),
            },
            Edge::LookUp { .. } => Ok(here(Doing::LookingUp)),
            Edge::Check => Ok(here(Doing::Checking)),
            Edge::Record { .. } => Ok(here(Doing::Recording)),
            Edge::Promise => Ok(here(Doing::Keeping { callback: true })),
            Edge::Dial { .. } => Ok(here(Doing::Ringing)),
            Edge::Human => Ok(self.ask(carry)),
            Edge::Join(queue) => Ok(self.join(&queue, carry)),
            Edge::Go(target) => Ok(self.go(&target, at, state, carry)),
            Edge::Set { language, then, .. } => {
                let known = language.and_then(|wanted| self.languages.iter().position(|known| *known == wanted));
                let language = known.map_or(carry.language, |known| known as u8);
                Ok(self.go(&then, at, state, Carry { language, ..carry }))
            }
            Edge::HangUp if carry.asked => Err(Wrong::AskedAndHungUp),
            Edge::HangUp if !carry.done => Err(Wrong::HungUp),
            Edge::HangUp => Ok(Node { place: Place::Ended, carry }),
        };
        out.push((Move::Step(event), next));
    }

    fn go(&mut self, target: &Target, at: u32, state: StepState, carry: Carry) -> Node {
        match target {
            Target::Step(to) => self.enter(to, carry),
            Target::Start => self.enter(&self.line.start.clone(), carry),
            Target::Repeat => {
                let again = StepState { errors: state.errors, ..StepState::new(carry.gentle) };
                self.enter_with(&self.steps[at as usize].0.clone(), again, carry)
            }
            Target::Human => self.ask(carry),
        }
    }

    fn said_number(&mut self, words: Vec<Word>) -> u32 {
        if let Some(number) = self.said_numbers.get(&words) {
            return *number;
        }
        let number = self.said.len() as u32;
        self.said.push(words.clone());
        self.said_numbers.insert(words, number);
        number
    }
}

/// An age or a flag that fits the rules.
pub(super) fn one_of(rules: &[DirectRule]) -> (Option<u8>, Option<String>) {
    let age = rules.iter().find_map(|rule| match rule {
        DirectRule::AgeAtLeast(age) => Some(*age),
        DirectRule::Flag(_) => None,
    });
    let flag = rules.iter().find_map(|rule| match rule {
        DirectRule::Flag(flag) => Some(flag.clone()),
        DirectRule::AgeAtLeast(_) => None,
    });
    (age, flag.filter(|_| age.is_none()))
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
