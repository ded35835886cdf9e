//! The world of a rehearsal: virtual time, the script's acts, the phones, and the answers that the engine asks for.

use super::Stage;
use super::cast;
use super::phones::{self, AgentPhone, CallerPhone, PhoneSays};
use super::seen::Seen;
use super::sound::{Later, Sound};
use crate::caller::CallerFacts;
use crate::engine::Engine;
use crate::engine::input::{Answer, Input, Reply};
use crate::engine::output::{Ask, LineDirection, Output, Question, QuestionId};
use crate::ids::{AgentId, Language, LegId, WorkerId};
use crate::key::HELD;
use crate::media::command::{MediaCommand, MediaEvent};
use crate::script::{Act, AgentAct, Line, LookupSays, Registry, Script, What};
use crate::sip::Datagram;
use crate::step::link::Walk;
use crate::time::{Now, Time, Wall};
use crate::variable::LookupFailure;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Thresholds that a script's `age` may have reached.
const AGES: std::ops::RangeInclusive<u8> = 1..=120;
/// A call in which more than this happens in one moment goes round: a refused plan can.
const AT_ONCE_MAX: u32 = 20_000;
pub(super) const GOES_ROUND: &str = "the call goes round without any time passing";

pub(super) struct World {
    engine: Engine,
    script: Vec<Line>,
    registry: Registry,
    /// What is left to be answered, the next first; the last answer is given again and again.
    lookups: BTreeMap<String, VecDeque<LookupSays>>,
    /// Look-ups that wait for their line in the script.
    pub(super) looked_up: BTreeMap<String, QuestionId>,
    start: Wall,
    now: Time,
    pub(super) caller: CallerPhone,
    caller_leg: Option<LegId>,
    pub(super) agents: BTreeMap<AgentId, AgentPhone>,
    /// Whoever a dialplan dials.
    pub(super) party: AgentPhone,
    agent_legs: Vec<LegId>,
    sound: Sound,
    ledger_works: bool,
    /// What happens later, in order of time and then of being planned.
    later: BTreeMap<(Time, u64), Happening>,
    planned: u64,
    pub wished: Vec<Line>,
    pub walked: Vec<Walk>,
    /// What a person who follows the call would see and hear; only where one does.
    pub seen: Option<Vec<(Duration, Seen)>>,
    pub complaints: Vec<String>,
}

#[derive(Debug)]
enum Happening {
    Act(usize),
    Media(Later),
    Tell(Input),
}

impl World {
    pub fn new(stage: &Stage, script: &Script, more: &[AgentId], dialled: &str, start: Wall) -> World {
        let agents = cast::phones(script, more);
        let remembered = cast::remembered(script, &agents, start);
        let now = Now { time: Time::ZERO, wall: start };
        let engine =
            Engine::new(now, cast::config(), Arc::clone(&stage.dialplan), Arc::clone(&stage.prompts), remembered);
        let mut world = World {
            engine,
            script: script.lines.clone(),
            registry: script.registry.clone(),
            lookups: script.lookups.iter().map(|(name, all)| (name.clone(), all.iter().cloned().collect())).collect(),
            looked_up: BTreeMap::new(),
            start,
            now: Time::ZERO,
            caller: CallerPhone::new(dialled, script.caller.as_deref()),
            caller_leg: None,
            agents,
            party: cast::party(),
            agent_legs: Vec::new(),
            sound: Sound::default(),
            ledger_works: true,
            later: BTreeMap::new(),
            planned: 0,
            wished: Vec::new(),
            walked: Vec::new(),
            seen: None,
            complaints: Vec::new(),
        };
        for (index, line) in script.lines.iter().enumerate() {
            if matches!(line.what, What::Does(_)) {
                world.plan(Time::ZERO + line.at, Happening::Act(index));
            }
        }
        world
    }

    /// Lets everything happen that happens until then.
    pub fn run(&mut self, until: Duration) {
        let until = Time::ZERO + until;
        let mut at_once = 0;
        loop {
            let (planned, timer) = (self.planned(), self.engine.next_timeout());
            let Some(next) = planned.into_iter().chain(timer).min().filter(|at| *at <= until) else { return };
            if self.is_followed() && !self.looked_up.is_empty() {
                return;
            }
            at_once = if next > self.now { 0 } else { at_once + 1 };
            if at_once > AT_ONCE_MAX {
                let seconds = self.at().as_secs_f64();
                self.complaints.push(format!("at {seconds:.1} {GOES_ROUND}"));
                return;
            }
            self.now = self.now.max(next);
            if planned.is_some_and(|at| timer.is_none_or(|timer| at <= timer)) {
                if let Some((_, happening)) = self.later.pop_first() {
                    self.happen(happening);
                }
            } else {
                self.tell(Input::Tick);
            }
        }
    }

    fn planned(&self) -> Option<Time> {
        self.later.first_key_value().map(|((at, _), _)| *at)
    }

    /// When something happens next, by itself.
    pub fn next_happening(&self) -> Option<Duration> {
        self.planned().into_iter().chain(self.engine.next_timeout()).min().map(|at| at.since(Time::ZERO))
    }

    /// Something that no script foresaw is done at that time, which must not be before anything that has happened.
    pub fn act_at(&mut self, at: Duration, act: Act) {
        self.now = self.now.max(Time::ZERO + at);
        self.see(Seen::Did(act.clone()));
        self.act(act);
    }

    /// Where the caller is, while there is a call.
    pub fn place(&self) -> Option<String> {
        let now = Now { time: self.now, wall: self.start + self.at() };
        self.engine.snapshot(now).calls.first().map(|call| call.place.clone())
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Act(index) => {
                if let What::Does(act) = self.script[index].what.clone() {
                    self.act(act);
                }
            }
            Happening::Media(later) if self.sound.happens(&later) => {
                self.sound.happened(&later);
                if matches!(later.event, MediaEvent::PlayDone { leg, .. } if Some(leg) == self.caller_leg) {
                    self.see(Seen::Heard);
                }
                self.tell(Input::Media(WorkerId(0), later.event));
            }
            Happening::Media(_) => {}
            Happening::Tell(input) => self.tell(input),
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Call => {
                let said = self.caller.call();
                self.say(said);
            }
            Act::Press(key) => self.caller_hears(|leg| MediaEvent::Key { leg, key }),
            Act::Hold(key, length) => {
                self.caller_hears(|leg| MediaEvent::Key { leg, key });
                let Some(leg) = self.caller_leg else { return };
                let event = |event| Happening::Tell(Input::Media(WorkerId(0), event));
                if length >= HELD {
                    self.plan(self.now + HELD, event(MediaEvent::KeyHeld { leg, key }));
                }
                self.plan(self.now + length, event(MediaEvent::KeyEnded { leg, key, held: length }));
            }
            Act::Silence => {}
            Act::HangUp => {
                let said = self.caller.hang_up();
                self.say(said);
            }
            Act::Lost => self.caller_hears(|leg| MediaEvent::Silent { leg, quiet: Duration::from_secs(30) }),
            Act::LedgerFails => self.ledger_works = false,
            Act::LedgerWorks => self.ledger_works = true,
            Act::Agent(agent, act) => self.agent_acts(&agent, act),
            Act::Party(act) => {
                let said = self.party.act(act);
                self.say(said);
                self.last_leg_is_lost(act);
            }
            Act::Lookup(name, says) => match self.looked_up.remove(&name) {
                Some(id) => self.look_up_says(id, &says),
                None => self.complaints.push(format!("lookup {name} has not been asked")),
            },
        }
    }

    fn agent_acts(&mut self, agent: &AgentId, act: AgentAct) {
        let Some(phone) = self.agents.get_mut(agent) else { return };
        let said = phone.act(act);
        if phone.is_silent() {
            self.sound.mute = self.agent_legs.clone();
        }
        self.say(said);
        self.last_leg_is_lost(act);
    }

    fn last_leg_is_lost(&mut self, act: AgentAct) {
        if let (AgentAct::IsLost, Some(leg)) = (act, self.agent_legs.last().copied()) {
            let quiet = Duration::from_secs(30);
            self.tell(Input::Media(WorkerId(0), MediaEvent::Silent { leg, quiet }));
        }
    }

    fn caller_hears(&mut self, event: impl Fn(LegId) -> MediaEvent) {
        match self.caller_leg.filter(|_| !self.caller.is_over()) {
            Some(leg) => self.tell(Input::Media(WorkerId(0), event(leg))),
            None => self.complaints.push("the caller does something without being in a call".into()),
        }
    }

    fn say(&mut self, said: Vec<PhoneSays>) {
        for word in said {
            match word {
                PhoneSays::Send(datagram) => self.plan(self.now, Happening::Tell(Input::Sip(datagram))),
                PhoneSays::Complaint(complaint) => {
                    let at = self.at().as_secs_f64();
                    self.complaints.push(format!("{at:.1}: {complaint}"));
                }
            }
        }
    }

    /// Tells the engine one fact and carries out what it wishes.
    fn tell(&mut self, input: Input) {
        let now = Now { time: self.now, wall: self.start + self.now.since(Time::ZERO) };
        let mut wishes = Vec::new();
        self.engine.handle(now, input, &mut wishes);
        for wish in VecDeque::from(wishes) {
            self.wish(wish);
        }
    }

    fn wish(&mut self, wish: Output) {
        match wish {
            Output::Sip(datagram) => self.deliver(datagram),
            Output::Media(_, command) => self.order(command),
            Output::Ask(ask) => self.answer(ask),
            Output::Log(line) => {
                self.see(Seen::Traced(line.direction, line.text.clone()));
                if line.direction == LineDirection::Engine {
                    self.wished.push(Line { at: self.at(), what: What::Expects(line.text), number: 0 });
                }
            }
            Output::Walked(_, walk) => {
                self.see(Seen::Walked(walk.clone()));
                self.walked.push(walk);
            }
            Output::Ended(_) => self.see(Seen::Ended),
            Output::Notice(_) => {}
        }
    }

    fn deliver(&mut self, datagram: Datagram) {
        let remote = datagram.flow.remote;
        let message = match phones::read(datagram.bytes) {
            Ok(message) => message,
            Err(complaint) => return self.complaints.push(complaint),
        };
        let said = if remote == phones::flow(1).remote {
            self.caller.receive(&message)
        } else {
            let phone = self.agents.values_mut().find(|phone| phone.contact().ends_with(&remote.to_string()));
            phone.unwrap_or(&mut self.party).receive(message)
        };
        self.say(said);
    }

    fn order(&mut self, command: MediaCommand) {
        if let MediaCommand::Open { leg } = command {
            match self.caller_leg {
                None => self.caller_leg = Some(leg),
                Some(_) => self.agent_legs.push(leg),
            }
        }
        match &command {
            MediaCommand::Play { leg, prompts, repeat, .. } if Some(*leg) == self.caller_leg => {
                self.see(Seen::Played { prompts: prompts.clone(), is_music: *repeat });
            }
            MediaCommand::Stop { leg } | MediaCommand::Bridge { a: leg, .. } if Some(*leg) == self.caller_leg => {
                self.see(Seen::Stopped);
            }
            _ => {}
        }
        for (after, later) in self.sound.order(command) {
            self.plan(self.now + after, Happening::Media(later));
        }
    }

    /// The answer that the script has for a look-up; one that it does not name is not to be reached, unless a line follows.
    fn look_up(&mut self, id: QuestionId, name: &str) {
        let now = self.at();
        let comes = |line: &Line| line.at >= now && matches!(&line.what, What::Does(Act::Lookup(of, _)) if of == name);
        let answers = self.lookups.get_mut(name);
        let next = answers.and_then(|left| if left.len() > 1 { left.pop_front() } else { left.front().cloned() });
        match next {
            Some(says) => self.look_up_says(id, &says),
            None if self.is_followed() || self.script.iter().any(comes) => {
                self.looked_up.insert(name.to_owned(), id);
                self.see(Seen::LooksUp(name.to_owned()));
            }
            None => self.look_up_says(id, &LookupSays::Fails(LookupFailure::Unreachable)),
        }
    }

    pub fn look_up_says(&mut self, id: QuestionId, says: &LookupSays) {
        let found = match says {
            // The engine's own deadline tells that.
            LookupSays::Fails(LookupFailure::Late) => return,
            LookupSays::Fails(how) => Err(*how),
            LookupSays::Answers(values) => Ok(values.clone()),
        };
        self.plan(self.now, Happening::Tell(Input::Answered(Reply { id, answer: Answer::LookedUp(found) })));
    }

    fn answer(&mut self, ask: Ask) {
        let answer = match ask.question {
            Question::LookUp(query) => return self.look_up(ask.id, query.lookup.as_str()),
            Question::Registry(_) => match &self.registry {
                Registry::Silent => return,
                Registry::Fails => Answer::Failed("the registry is gone".into()),
                Registry::Unlisted => Answer::Registry(None),
                Registry::Ordinary => Answer::Registry(Some(CallerFacts::default())),
                Registry::Listed { age, flags, language } => Answer::Registry(Some(CallerFacts {
                    ages_reached: AGES.filter(|reached| age.is_some_and(|age| *reached <= age)).collect(),
                    flags: flags.clone(),
                    language: language.as_ref().map(Language::new),
                })),
            },
            Question::Promise(_) if !self.ledger_works => Answer::Failed("the disk is full".into()),
            Question::Promise(_) | Question::Bindings(..) => Answer::Written,
        };
        self.plan(self.now, Happening::Tell(Input::Answered(Reply { id: ask.id, answer })));
    }

    fn plan(&mut self, at: Time, happening: Happening) {
        self.planned += 1;
        self.later.insert((at, self.planned), happening);
    }

    /// Since the beginning.
    pub fn at(&self) -> Duration {
        self.now.since(Time::ZERO)
    }

    fn is_followed(&self) -> bool {
        self.seen.is_some()
    }

    pub fn see(&mut self, seen: Seen) {
        let at = self.at();
        if let Some(all) = &mut self.seen {
            all.push((at, seen));
        }
    }
}
