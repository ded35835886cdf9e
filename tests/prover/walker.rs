//! The slow, plain judge: it runs the call machine itself (`Call::handle`), tries everything that a caller and the world can
//! do in every state, and looks only at what comes out. It knows nothing of the proof's graph.
//!
//! Two calls are in the same state when the machine says the same of itself (its `Debug` text, without its counters).

use crate::Kind;
use onekey::call::Call;
use onekey::call::event::{CallTimer, Effect, Event, Standing};
use onekey::caller::{CallerFacts, NumberHash};
use onekey::dialplan::Dialplan;
use onekey::ids::{CallId, LegId, PlayId};
use onekey::key::Key;
use onekey::promise::Due;
use onekey::step::Step;
use onekey::time::{Now, Time, Wall};
use onekey::variable::{LookupFailure, Variable, Word};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub struct Walked {
    /// What is broken, each with the events of a call that shows it.
    pub broken: BTreeMap<Kind, Vec<String>>,
    pub states: usize,
}

/// Most states of one plan; a plan of the tests comes nowhere near.
const STATES_MAX: usize = 400_000;

/// A call in progress, and what the world owes it.
#[derive(Clone)]
struct World {
    call: Call,
    speaking: Option<PlayId>,
    timers: BTreeSet<CallTimer>,
    joining: bool,
    asks_served: bool,
    recording: Option<String>,
    due_unwritten: bool,
    lookup: Option<u64>,
    ringing: bool,
    connected: bool,
    over: bool,
    /// The machine gave up a round of steps in which nothing is said.
    gave_up: bool,
    /// A person has been asked for and nothing has come of it.
    asked: bool,
    /// A finished service in which a person was offered, or something kept, since a key was last asked for.
    done: bool,
    offering: bool,
}

/// Calls to one number of the plan.
pub fn walk(plan: &Dialplan, dialled: &str) -> Walked {
    let plan = Arc::new(clone_of(plan));
    let mut walker = Walker {
        walls: walls(&plan),
        cases: cases(&plan),
        names: names(&plan),
        values: values(&plan),
        said: said(&plan),
        plan: Arc::clone(&plan),
        dialled: dialled.to_owned(),
        numbers: BTreeMap::new(),
        silent: Vec::new(),
        paths: Vec::new(),
        broken: BTreeMap::new(),
    };
    walker.walk();
    walker.rounds();
    Walked { broken: walker.broken, states: walker.numbers.len() }
}

/// The plan is the test's; the walk needs one that it can share.
fn clone_of(plan: &Dialplan) -> Dialplan {
    Dialplan {
        lines: plan.lines.clone(),
        numbers: plan.numbers.clone(),
        steps: plan.steps.clone(),
        bounds: plan.bounds.clone(),
        judged: plan.judged.clone(),
    }
}

/// Moments at which every combination of hours is met; one where there are none.
fn walls(plan: &Dialplan) -> Vec<Wall> {
    let hours: Vec<_> = plan
        .steps
        .values()
        .filter_map(|step| match step {
            Step::Hours(hours) => Some(hours),
            _ => None,
        })
        .collect();
    let mut seen = BTreeSet::new();
    // Half-hours of a week that begins on a Monday.
    let moments = (0..7 * 48).map(|half| Wall::from_seconds(1_795_392_000 + half * 1800));
    moments.filter(|moment| seen.insert(hours.iter().map(|hours| hours.open_at(*moment)).collect::<Vec<_>>())).collect()
}

/// Names of everything that is looked up.
fn names(plan: &Dialplan) -> Vec<String> {
    let of = plan.steps.values().filter_map(|step| match step {
        Step::Lookup(lookup) => Some(lookup.values.keys().cloned()),
        _ => None,
    });
    of.flatten().collect()
}

/// Everything that is looked up or typed in.
fn values(plan: &Dialplan) -> Vec<Variable> {
    let typed = plan.steps.values().filter_map(|step| match step {
        Step::Collect(collect) => Some(Variable::Collect(collect.name.clone())),
        _ => None,
    });
    let known: BTreeSet<Variable> = names(plan).into_iter().map(Variable::Lookup).chain(typed).collect();
    known.into_iter().collect()
}

fn said(plan: &Dialplan) -> BTreeSet<Variable> {
    let says = plan.steps.values().filter_map(|step| match step {
        Step::Say(say) => Some(say.say.clone()),
        _ => None,
    });
    let of = says.flatten().filter_map(|word| match word {
        Word::Value { of, .. } => Some(of),
        _ => None,
    });
    of.collect()
}

/// What look-ups may answer: for each, the values of its cases and one that fits none, as a number and as none.
fn cases(plan: &Dialplan) -> Vec<String> {
    let of = plan.steps.values().flat_map(|step| match step {
        Step::Lookup(lookup) => lookup.cases.iter().map(|case| case.value.clone()).collect(),
        _ => Vec::new(),
    });
    of.chain(["3".to_owned(), "no number".to_owned()]).collect()
}

struct Walker {
    plan: Arc<Dialplan>,
    dialled: String,
    walls: Vec<Wall>,
    cases: Vec<String>,
    names: Vec<String>,
    /// Of look-ups and entries.
    values: Vec<Variable>,
    /// Those that are said.
    said: BTreeSet<Variable>,
    numbers: BTreeMap<String, usize>,
    /// For each state where silence leads.
    silent: Vec<BTreeSet<usize>>,
    paths: Vec<(Option<usize>, String)>,
    broken: BTreeMap<Kind, Vec<String>>,
}

impl Walker {
    fn walk(&mut self) {
        let mut open: Vec<(usize, World)> = Vec::new();
        for (name, world, wrong) in self.beginnings() {
            if let Some(kind) = wrong {
                self.broken.entry(kind).or_insert(vec![name.clone()]);
            }
            let (number, is_new) = self.number(&world, None, &name);
            if is_new {
                open.push((number, world));
            }
        }
        while let Some((number, world)) = open.pop() {
            assert!(self.numbers.len() < STATES_MAX, "more states than a small plan can have");
            if world.over || world.gave_up || is_helped(&world) {
                continue;
            }
            let mut silent = false;
            for (event, is_silent) in self.choices(&world) {
                for (wall, values) in self.circumstances() {
                    let mut next = world.clone();
                    self.know(&mut next.call, &values);
                    let effects = next.tell(at(wall), event.clone());
                    let name = format!("{event:?}");
                    if let Some(kind) = next.judge(&effects) {
                        let mut path = self.path(number);
                        path.push(name.clone());
                        self.broken.entry(kind).or_insert(path);
                    }
                    let (to, is_new) = self.number(&next, Some(number), &name);
                    if is_silent {
                        silent = true;
                        self.silent[number].insert(to);
                    }
                    if is_new {
                        open.push((to, next));
                    }
                }
            }
            if !silent {
                let path = self.path(number);
                self.broken.entry(Kind::Stuck).or_insert(path);
            }
        }
    }

    fn know(&self, call: &mut Call, values: &[&str]) {
        self.values.iter().zip(values).for_each(|(name, value)| call.know(name.clone(), (*value).to_owned()));
    }

    /// Every combination of hours, and of values that can be said or not: the proof takes each for possible at any time,
    /// whatever was looked up or typed before.
    fn circumstances(&self) -> Vec<(Wall, Vec<&'static str>)> {
        let mut values: Vec<Vec<&str>> = vec![Vec::new()];
        for name in &self.values {
            let ways: &[&str] = if self.said.contains(name) { &["3", "no number"] } else { &["3"] };
            values =
                ways.iter().flat_map(|way| values.iter().map(|known| [known.as_slice(), &[way]].concat())).collect();
        }
        self.walls.iter().flat_map(|wall| values.iter().map(|values| (*wall, values.clone()))).collect()
    }

    fn number(&mut self, world: &World, from: Option<usize>, event: &str) -> (usize, bool) {
        let mark = world.mark();
        if let Some(number) = self.numbers.get(&mark) {
            return (*number, false);
        }
        let number = self.numbers.len();
        self.numbers.insert(mark, number);
        self.silent.push(BTreeSet::new());
        self.paths.push((from, event.to_owned()));
        (number, true)
    }

    fn path(&self, mut at: usize) -> Vec<String> {
        let mut path = Vec::new();
        loop {
            let (from, event) = &self.paths[at];
            path.push(event.clone());
            match from {
                Some(from) => at = *from,
                None => break,
            }
        }
        path.reverse();
        path
    }

    /// A way of silence that comes back to where it was.
    fn rounds(&mut self) {
        // What cannot be in a round is taken away, again and again: states without a silent way on, or from which it ends.
        let mut into: Vec<Vec<usize>> = vec![Vec::new(); self.silent.len()];
        let mut ways: Vec<usize> = self.silent.iter().map(BTreeSet::len).collect();
        for (from, to) in self.silent.iter().enumerate().flat_map(|(from, to)| to.iter().map(move |to| (from, *to))) {
            into[to].push(from);
        }
        let mut open: Vec<usize> = (0..ways.len()).filter(|state| ways[*state] == 0).collect();
        let mut left = ways.len();
        while let Some(state) = open.pop() {
            left -= 1;
            for from in &into[state] {
                ways[*from] -= 1;
                if ways[*from] == 0 {
                    open.push(*from);
                }
            }
        }
        if left > 0 {
            let first = (0..ways.len()).find(|state| ways[*state] > 0).unwrap_or(0);
            let path = self.path(first);
            self.broken.entry(Kind::Round).or_insert(path);
        }
    }

    /// Every kind of caller, up to the first words.
    fn beginnings(&self) -> Vec<(String, World, Option<Kind>)> {
        let listed = |ages: &[u8]| {
            Event::Registry(Some(CallerFacts {
                ages_reached: ages.iter().copied().collect(),
                ..CallerFacts::default()
            }))
        };
        let kinds = [
            ("ordinary", true, listed(&[])),
            ("62 years old", true, listed(&[60])),
            ("70 years old", true, listed(&[60, 65])),
            ("not listed", true, Event::Registry(None)),
            ("registry fails", true, Event::RegistryUnknown),
            ("withheld", false, Event::RegistryUnknown),
        ];
        let mut all = Vec::new();
        for (name, reachable, event) in kinds {
            for (wall, values) in self.circumstances() {
                let line = self.plan.line_for(&self.dialled).expect("the line").clone();
                let hash = reachable.then_some(NumberHash([1; 16]));
                let mut call = Call::new(at(wall), CallId(1), Arc::clone(&self.plan), &line, hash, reachable);
                call.know(Variable::CallerNumber, "+12025550123".into());
                self.know(&mut call, &values);
                let (mut world, mut wrong) = (World::new(call), None);
                for event in [event.clone(), Event::Ready, Event::Answered, Event::Hears] {
                    let effects = world.tell(at(wall), event);
                    wrong = wrong.or(world.judge(&effects));
                }
                all.push((name.to_owned(), world, wrong));
            }
        }
        all
    }

    /// Everything that can happen now, and whether the caller does nothing in it.
    fn choices(&self, world: &World) -> Vec<(Event, bool)> {
        // A queue that is being asked answers at once, before anything else can happen.
        if world.joining {
            return vec![(Event::NotServed, true), (Event::Joined(Standing { place: 1, minutes: None }), true)];
        }
        let mut all = Vec::new();
        let mut quiet = |event| all.push((event, true));
        if let Some(play) = world.speaking {
            quiet(Event::Spoken(play));
        }
        if world.timers.contains(&CallTimer::Listen) && world.recording.is_none() && world.lookup.is_none() {
            quiet(Event::Timer(CallTimer::Listen));
        }
        if let Some(file) = &world.recording {
            quiet(Event::Recorded { file: file.clone(), length: Duration::from_secs(3) });
        }
        if world.due_unwritten {
            quiet(Event::DueWritten);
        }
        if let Some(number) = world.lookup {
            for value in &self.cases {
                let found = self.names.iter().map(|name| (name.clone(), value.clone())).collect();
                quiet(Event::LookedUp { number, found: Ok(found) });
            }
            LookupFailure::ALL.into_iter().for_each(|how| quiet(Event::LookedUp { number, found: Err(how) }));
        }
        if world.ringing {
            quiet(Event::PartyAnswers { leg: LegId(9) });
            quiet(Event::PartyRefuses);
            quiet(Event::Timer(CallTimer::Ring));
        }
        if world.connected {
            quiet(Event::AgentLeft { lost: false });
        }
        if world.asks_served {
            all.push((Event::Served, false));
        }
        if world.recording.is_some() {
            all.push((Event::RecordFailed, false));
        }
        if world.due_unwritten && world.timers.contains(&CallTimer::Ledger) {
            all.push((Event::Timer(CallTimer::Ledger), false));
        }
        all.extend("0123456789*#A".chars().filter_map(Key::from_char).map(|key| (Event::Key(key), false)));
        all.push((Event::KeyHeld(Key::HUMAN), false));
        all
    }
}

/// A person will be had, or a promise is being written down: the end of what is to be judged.
fn is_helped(world: &World) -> bool {
    let place = world.call.place();
    place == "kept" || (place.starts_with("queue ") && !world.joining)
}

fn at(wall: Wall) -> Now {
    Now { time: Time::ZERO, wall }
}

impl World {
    fn new(call: Call) -> World {
        World {
            call,
            speaking: None,
            timers: BTreeSet::new(),
            joining: false,
            asks_served: false,
            recording: None,
            due_unwritten: false,
            lookup: None,
            ringing: false,
            connected: false,
            over: false,
            gave_up: false,
            asked: false,
            done: false,
            offering: false,
        }
    }

    /// What makes two states the same.
    fn mark(&self) -> String {
        let mut text = without_counters(&format!("{:?}", self.call));
        // Numbers of plays and look-ups do not matter, only whether there is one.
        text.push_str(&format!(
            "{} {:?} {} {} {} {} {} {} {} {} {} {}",
            self.speaking.is_some(),
            self.timers,
            self.joining,
            self.asks_served,
            self.recording.is_some(),
            self.due_unwritten,
            self.lookup.is_some(),
            self.ringing,
            self.connected,
            self.asked,
            self.done,
            self.offering,
        ));
        text
    }

    fn tell(&mut self, now: Now, event: Event) -> Vec<Effect> {
        let before = self.call.place();
        self.happens(&event);
        let mut all = self.handle(now, event.clone());
        let mut effects = all.clone();
        // What is answered within the same moment.
        while !effects.is_empty() {
            let mut next = Vec::new();
            for effect in std::mem::take(&mut effects) {
                if let Some(event) = self.effect(effect) {
                    next.extend(self.handle(now, event));
                }
            }
            all.extend(next.clone());
            effects = next;
        }
        let after = self.call.place();
        // From what asks only keys lead on elsewhere, be it one that was pressed before the words were over.
        if asks(&before) && before != after && !self.joining && !after.starts_with("queue ") {
            (self.asked, self.done) = (false, false);
        }
        if asks(&after) && before != after {
            self.done = false;
        }
        all
    }

    fn handle(&mut self, now: Now, event: Event) -> Vec<Effect> {
        let effects = self.call.handle(now, event);
        let place = self.call.place();
        if place == "kept" || place.starts_with("queue ") {
            self.gave_up |= hops(&format!("{:?}", self.call)) > HOPS_ENOUGH;
        }
        effects
    }

    fn happens(&mut self, event: &Event) {
        self.asks_served = false;
        match event {
            Event::Spoken(_) => self.speaking = None,
            Event::Timer(timer) => {
                self.timers.remove(timer);
                self.done |= *timer == CallTimer::Listen && self.offering;
            }
            Event::NotServed | Event::Joined(_) => self.joining = false,
            Event::Recorded { .. } | Event::RecordFailed => self.recording = None,
            Event::DueWritten => self.due_unwritten = false,
            Event::LookedUp { .. } => self.lookup = None,
            Event::PartyAnswers { .. } => (self.ringing, self.connected) = (false, true),
            Event::PartyRefuses => self.ringing = false,
            Event::AgentLeft { .. } => self.connected = false,
            _ => {}
        }
    }

    /// What the world makes of a wish; `Some`: it answers at once.
    fn effect(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Speak { play, said, repeat: false } => {
                self.speaking = Some(play);
                self.offering = format!("{said:?}").contains("offer-human");
            }
            Effect::Speak { .. } | Effect::Quiet => self.speaking = None,
            Effect::Set(timer, _) => drop(self.timers.insert(timer)),
            Effect::Clear(timer) => drop(self.timers.remove(&timer)),
            Effect::Join { .. } => (self.joining, self.asked, self.done) = (true, true, false),
            Effect::AskServed { .. } => self.asks_served = true,
            Effect::PromiseDue(Due::CallBackPromised | Due::Message(_)) => {
                (self.due_unwritten, self.asked, self.done) = (true, false, true);
            }
            Effect::RecordMessage { file, .. } => self.recording = Some(file),
            Effect::StopRecord { .. } => {
                let file = self.recording.take()?;
                return Some(Event::Recorded { file, length: Duration::from_secs(3) });
            }
            Effect::LookUp(query) => self.lookup = Some(query.number),
            Effect::ForgetLookUp => self.lookup = None,
            Effect::Dial(_) => self.ringing = true,
            Effect::DropParty => (self.ringing, self.connected) = (false, false),
            Effect::HangUp { .. } => self.over = true,
            _ => {}
        }
        None
    }

    /// A hang-up of ours with nothing done, or after a wish for a person that led nowhere.
    fn judge(&self, effects: &[Effect]) -> Option<Kind> {
        let hangs_up = effects.iter().any(|effect| matches!(effect, Effect::HangUp { .. }));
        match hangs_up {
            _ if self.gave_up => Some(Kind::Round),
            true if self.asked => Some(Kind::AskedAndHungUp),
            true if !self.done => Some(Kind::HungUp),
            _ => None,
        }
    }
}

/// More steps in one moment than a small plan has.
const HOPS_ENOUGH: u32 = 40;

/// How many steps were begun in the last moment.
fn hops(text: &str) -> u32 {
    let after = text.find("hops: ").map_or("", |at| &text[at + "hops: ".len()..]);
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("the machine counts its steps")
}

/// A place that asks for keys.
fn asks(place: &str) -> bool {
    place.starts_with("menu ") || place.starts_with("collect ")
}

/// The machine's text without what only counts.
fn without_counters(text: &str) -> String {
    let mut kept = text.to_owned();
    for counter in ["keys: ", "prompts: ", "plays: ", "hops: ", "lookups: ", "messages: ", "play: PlayId(", "now: "] {
        kept = without(&kept, counter);
    }
    for counted in ["recordings: [", "marks: Marks {", "message: Some(", "known: {", "asked_by: "] {
        kept = cut(&kept, counted);
    }
    kept
}

/// Without the number behind each `name`.
fn without(text: &str, name: &str) -> String {
    let mut parts = text.split(name);
    let mut kept = parts.next().unwrap_or("").to_owned();
    for part in parts {
        kept.push_str(part.trim_start_matches(|letter: char| letter.is_ascii_digit()));
    }
    kept
}

/// Without what stands behind `name` up to the bracket that ends it: what was recorded or is known makes no way on.
fn cut(text: &str, name: &str) -> String {
    let Some(begin) = text.find(name) else { return text.to_owned() };
    let rest = &text[begin + name.len()..];
    let close = match name.chars().last() {
        Some('[') => ']',
        Some('{') => '}',
        Some('(') => ')',
        _ => ',',
    };
    let end = rest.find(close).map_or(rest.len(), |end| end + 1);
    format!("{}{}", &text[..begin], &rest[end..])
}
