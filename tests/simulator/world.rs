//! One world by one seed: virtual time, a network, phones, sound, a store, and the engine in the middle. After every fact
//! everything that must hold is asked. What people do is in `life`; what the engine's wishes mean in `wishes`.

use crate::books::Books;
use crate::doorstep::Doorstep;
use crate::journeys::Journeys;
use crate::phone::{ENGINE, Phone, Transport, address_of, host_at};
use crate::sound::{Gear, Sound};
use crate::store::Store;
use crate::truth::{Fact, Truth};
use crate::weather::{Season, Weather};
use onekey::engine::input::{Answer, Command, Input, Reply};
use onekey::engine::output::{Output, QuestionId};
use onekey::engine::{Engine, EngineConfig};
use onekey::ids::{AgentId, CallId, LegId, PromiseId};
use onekey::rehearsal::{self, Stage};
use onekey::sip::{Datagram, Flow};
use onekey::time::{Now, Time, Wall};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub const WORKERS: u16 = 2;
/// A phone of whom nothing is heard for so long is gone.
pub const RTP_TIMEOUT: Duration = Duration::from_secs(30);
/// A Monday morning, when the office is open, and a night.
const MORNING: i64 = 1_795_399_200;
const NIGHT: i64 = 1_795_444_200;
/// Facts between two looks for what can be forgotten.
const SWEEP_EVERY: u64 = 256;

/// How one run is made.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    pub gear: Gear,
    pub calls: u64,
    /// Keeps a trace, for a report.
    pub traced: bool,
    /// Counts every byte, to compare two runs.
    pub fingerprinted: bool,
}

/// Something that will happen.
#[derive(Debug)]
pub enum Happening {
    Act(crate::life::Act),
    ToEngine {
        host: u16,
        connection: Option<u64>,
        text: String,
    },
    ToPhone {
        host: u16,
        text: String,
        epoch: u32,
    },
    Answer {
        epoch: u32,
        id: QuestionId,
        answer: Answer,
        bindings: Option<(AgentId, Vec<onekey::sip::registrar::Binding>)>,
    },
    EngineStarts,
}

pub struct World {
    pub plan: Plan,
    pub stage: Stage,
    /// The plan, and another one that reloads change it for.
    pub stages: (Stage, Stage),
    pub dice: ChaCha12Rng,
    pub now: Time,
    pub start: Wall,
    pub engine: Option<Engine>,
    /// Counts the processes that there have been.
    pub epoch: u32,
    later: BTreeMap<(Time, u64), Happening>,
    planned: u64,
    pub phones: BTreeMap<u16, Phone>,
    wakes: BTreeSet<(Time, u16)>,
    wake_of: BTreeMap<u16, Time>,
    pub sound: Sound,
    pub season: Season,
    pub weather: Weather,
    pub store: Store,
    pub books: Books,
    pub truth: Truth,
    pub journeys: Journeys,
    pub doorstep: Doorstep,
    pub facts: Vec<Fact>,
    /// INVITEs that the engine has seen, by branch.
    pub seen_invites: BTreeSet<String>,
    /// The call and agent of each INVITE of the engine's, by Call-ID.
    pub rung: BTreeMap<String, (CallId, AgentId)>,
    /// Registry questions and whose they are.
    pub looked_up: BTreeMap<QuestionId, CallId>,
    pub life: crate::life::Life,
    pub calm: bool,
    pub inputs: u64,
    pub conversations: u64,
    pub fingerprint: u64,
    /// The first that was wrong: the run ends with it.
    broken: Vec<String>,
    pub trace: Vec<String>,
}

impl World {
    pub fn new(stages: &(Stage, Stage), plan: Plan) -> World {
        let mut dice = ChaCha12Rng::seed_from_u64(plan.seed);
        let season = Season::of(&mut dice);
        let start = Wall::from_seconds(if dice.next_u32() % 4 == 0 { NIGHT } else { MORNING });
        let mut world = World {
            plan,
            stage: stages.0.clone(),
            stages: stages.clone(),
            dice,
            now: Time::ZERO,
            start,
            engine: None,
            epoch: 0,
            later: BTreeMap::new(),
            planned: 0,
            phones: BTreeMap::new(),
            wakes: BTreeSet::new(),
            wake_of: BTreeMap::new(),
            sound: Sound::new(plan.gear, WORKERS, plan.seed, RTP_TIMEOUT),
            season,
            weather: Weather::calm(),
            store: Store::default(),
            books: Books::default(),
            truth: Truth::default(),
            journeys: Journeys::default(),
            doorstep: Doorstep::default(),
            facts: Vec::new(),
            seen_invites: BTreeSet::new(),
            rung: BTreeMap::new(),
            looked_up: BTreeMap::new(),
            life: crate::life::Life::default(),
            calm: false,
            inputs: 0,
            conversations: 0,
            fingerprint: 0xcbf2_9ce4_8422_2325,
            broken: Vec::new(),
            trace: Vec::new(),
        };
        crate::life::move_in(&mut world);
        world.engine_starts();
        world
    }

    /// Bad weather, then calm: everybody hangs up or is hung up on, and everything must come to rest.
    pub fn live(&mut self) -> Vec<String> {
        self.run(Duration::from_secs(36_000), |world| world.life.calls_left == 0);
        let after = self.roll(120);
        self.run(Duration::from_secs(after), |_| false);
        self.heal();
        if self.roll(2) == 0 {
            self.tell(Input::Command(Command::Drain));
        } else {
            crate::life::everybody_hangs_up(self);
        }
        let patience = self.roll(60);
        self.run(Duration::from_secs(patience), |_| false);
        self.tell(Input::Command(Command::HangUpAll));
        self.run(Duration::from_secs(700), |_| false);
        if !self.broken.is_empty() {
            return std::mem::take(&mut self.broken);
        }
        self.books.balance();
        let mut wrong = self.take_wrong();
        wrong.extend(self.left_over());
        wrong
    }

    fn heal(&mut self) {
        self.calm = true;
        self.set_weather(Weather::calm());
        for phone in self.phones.values_mut() {
            (phone.hears, phone.speaks) = (true, true);
        }
        if self.engine.is_none() {
            self.engine_starts();
        }
    }

    fn left_over(&self) -> Vec<String> {
        let mut left = Vec::new();
        let Some(engine) = &self.engine else { return vec!["there is no engine".into()] };
        if !engine.is_quiet() || engine.calls_open() > 0 || engine.awaits_anything() {
            let calls = engine.snapshot(self.clock()).calls;
            left.push(format!("it does not come to rest: {} calls, {calls:?}", engine.calls_open()));
        }
        left.extend(self.sound.all_open().into_iter().map(|leg| format!("the port of {leg} is still taken")));
        left.extend(self.doorstep.still_up().into_iter().map(|dialog| format!("dialog {dialog} was never ended")));
        // What never reached a phone, or a process that is dead, leaves it in its call.
        let rough = self.season.network || self.season.phones_fail || self.season.kills;
        for phone in self.phones.values().filter(|phone| !rough && !phone.is_idle()) {
            left.push(format!("phone {} is still in a call: {:?}", phone.host, phone.dialogs));
        }
        left
    }

    /// Runs until `done`, or for so long.
    fn run(&mut self, longest: Duration, done: impl Fn(&World) -> bool) {
        let until = self.now + longest;
        while !done(self) && self.broken.is_empty() {
            let planned = self.later.first_key_value().map(|((at, _), _)| *at);
            let timer = self.engine.as_ref().and_then(Engine::next_timeout);
            let (sound, wake) = (self.sound.next(), self.wakes.first().map(|(at, _)| *at));
            let all = [planned, timer, sound, wake];
            let Some(next) = all.into_iter().flatten().min().filter(|at| *at <= until) else { break };
            self.now = self.now.max(next);
            if timer == Some(next) {
                self.tell(Input::Tick);
            } else if planned == Some(next) {
                if let Some((_, happening)) = self.later.pop_first() {
                    self.happen(happening);
                }
            } else if sound == Some(next) {
                for (worker, event) in self.sound.advance(self.now) {
                    self.tell(Input::Media(worker, event));
                }
            } else {
                self.phone_wakes();
            }
        }
        if !done(self) {
            self.now = self.now.max(until);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Act(act) => crate::life::act(self, act),
            Happening::ToEngine { host, connection, text } => self.engine_receives(host, connection, text),
            Happening::ToPhone { host, text, epoch } => {
                self.with_phone(host, |phone, now| phone.receive(now, &text));
                if epoch != self.epoch || self.engine.is_none() {
                    crate::life::nobody_is_there(self, host);
                }
            }
            Happening::Answer { epoch, id, answer, bindings } if epoch == self.epoch && self.engine.is_some() => {
                if let Some((agent, bindings)) = bindings {
                    self.store.keep_bindings(&agent, bindings);
                }
                self.answer(id, answer);
            }
            Happening::Answer { .. } => {}
            Happening::EngineStarts if self.engine.is_none() => self.engine_starts(),
            Happening::EngineStarts => {}
        }
    }

    fn answer(&mut self, id: QuestionId, answer: Answer) {
        match &answer {
            Answer::Written => {
                self.store.written(id, &mut self.books);
            }
            Answer::Failed(_) | Answer::LookedUp(_) => {}
            Answer::Registry(facts) => {
                if let Some(call) = self.looked_up.get(&id).copied() {
                    crate::life::known(self, call, facts.as_ref());
                }
            }
        }
        self.tell(Input::Answered(Reply { id, answer }));
    }

    fn engine_receives(&mut self, host: u16, connection: Option<u64>, text: String) {
        if self.engine.is_none() {
            return;
        }
        self.doorstep.goes_in(self.now, host, &text);
        let seen = crate::wishes::Seen::of(self, host, &text);
        let flow = flow(host, connection);
        self.tell_and(Input::Sip(Datagram { flow, bytes: text.into_bytes() }), seen);
    }

    pub fn tell(&mut self, input: Input) {
        self.tell_and(input, crate::wishes::Seen::Nothing);
    }

    /// One fact goes in; its wishes are carried out; everything that must hold is asked.
    fn tell_and(&mut self, input: Input, seen: crate::wishes::Seen) {
        let now = self.clock();
        let Some(engine) = self.engine.as_mut().filter(|_| self.broken.is_empty()) else { return };
        self.inputs += 1;
        if self.plan.traced && !matches!(input, Input::Reload(..)) {
            self.trace.push(format!("{:.3} > {}", seconds(self.now), shown(&input)));
        }
        let before = crate::wishes::Before::of(&input);
        let mut wishes = Vec::new();
        engine.handle(now, input, &mut wishes);
        crate::wishes::carry_out(self, before, seen, wishes);
        self.check();
    }

    fn check(&mut self) {
        self.doorstep.settle();
        self.truth.moment(self.now, std::mem::take(&mut self.facts));
        self.books.all_are_owed(self.truth.waiting());
        let clock = self.clock();
        if let Some(engine) = &self.engine {
            let seen = engine.snapshot(clock);
            self.truth.compare(self.now, &seen);
            self.books.compare(seen.promises_open, seen.promises_due);
            self.truth.wrong.extend(engine.broken_rules());
        }
        let books = &self.books;
        self.journeys.check(self.now, |call| books.has_asked(call));
        if self.inputs.is_multiple_of(SWEEP_EVERY) {
            self.sweep();
        }
        self.broken = self.take_wrong();
    }

    fn take_wrong(&mut self) -> Vec<String> {
        let mut wrong = std::mem::take(&mut self.truth.wrong);
        wrong.append(&mut self.books.wrong);
        wrong.append(&mut self.journeys.wrong);
        wrong.append(&mut self.doorstep.wrong);
        wrong.append(&mut self.sound.take_wrong());
        for phone in self.phones.values_mut() {
            wrong.append(&mut phone.wrong);
        }
        wrong
    }

    /// Phones of callers whose calls are long over are put away.
    fn sweep(&mut self) {
        let agents = &self.life.agents;
        let put_away = |phone: &Phone| phone.is_idle() && !agents.contains(&phone.host);
        let gone: Vec<u16> = self.phones.values().filter(|phone| put_away(phone)).map(|phone| phone.host).collect();
        for host in gone {
            self.phones.remove(&host);
            if let Some(at) = self.wake_of.remove(&host) {
                self.wakes.remove(&(at, host));
            }
        }
        if let Sound::Words(words) = &mut self.sound {
            words.sweep();
        }
    }

    /// The process starts, for the first time or again, with what ledger and store hold.
    pub fn engine_starts(&mut self) {
        self.epoch += 1;
        let due = self.books.restart();
        let (call, promise) = self.books.highest();
        let mut seed = [self.epoch as u8; 32];
        seed[..8].copy_from_slice(&self.plan.seed.to_le_bytes());
        let config = config(seed, CallId(call + 1), PromiseId(promise + 1));
        let (plan, prompts) = (Arc::clone(&self.stage.dialplan), Arc::clone(&self.stage.prompts));
        self.truth = Truth::default();
        self.truth.learn(plan.queues());
        for agent in self.store.registered(self.clock().wall) {
            self.truth.happens(self.now, Fact::LoggedIn(agent));
        }
        self.engine = Some(Engine::new(self.clock(), config, plan, prompts, self.store.remembered(due)));
        self.tell(Input::Tick);
    }

    /// Killed without a word: what was on its way to the disk may or may not be there.
    pub fn engine_dies(&mut self) {
        if self.engine.take().is_none() {
            return;
        }
        let survivors = self.roll(4) as usize;
        self.store.crash(survivors, self.clock().wall, &mut self.books);
        self.sound.restart();
        self.doorstep.restart();
        self.journeys.restart();
        self.seen_invites.clear();
        self.rung.clear();
        self.looked_up.clear();
        for phone in self.phones.values_mut() {
            phone.connection += 1;
        }
    }

    pub fn set_weather(&mut self, weather: Weather) {
        let worked = self.weather.disk == crate::weather::Disk::Works;
        self.weather = weather;
        self.sound.set_weather(weather.faults, weather.air);
        if !worked && weather.disk == crate::weather::Disk::Works {
            for id in self.store.pending() {
                self.answer_later(Duration::from_millis(3), id, Answer::Written, None);
            }
        }
    }

    pub fn answer_later(
        &mut self,
        after: Duration,
        id: QuestionId,
        answer: Answer,
        bindings: Option<(AgentId, Vec<onekey::sip::registrar::Binding>)>,
    ) {
        let epoch = self.epoch;
        self.plan(after, Happening::Answer { epoch, id, answer, bindings });
    }

    pub fn plan(&mut self, after: Duration, happening: Happening) {
        self.planned += 1;
        self.later.insert((self.now + after, self.planned), happening);
    }

    pub fn act_later(&mut self, after: Duration, act: crate::life::Act) {
        self.plan(after, Happening::Act(act));
    }

    /// 0 to below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.dice.next_u64() % sides.max(1)
    }

    pub fn clock(&self) -> Now {
        Now { time: self.now, wall: self.start + self.now.since(Time::ZERO) }
    }

    /// Somebody uses a phone, or a message reaches it; what it says then goes on its way.
    pub fn with_phone(&mut self, host: u16, does: impl FnOnce(&mut Phone, Time)) {
        let now = self.now;
        let Some(phone) = self.phones.get_mut(&host) else { return };
        does(phone, now);
        let (said, heard) = (std::mem::take(&mut phone.out), std::mem::take(&mut phone.heard));
        let reliable = phone.transport == Transport::Tcp;
        let connection = reliable.then_some(phone.connection);
        let wake = phone.next();
        self.set_wake(host, wake);
        for text in said {
            let ways = self.weather.way(&mut self.dice, host, reliable);
            for after in ways.into_iter().flatten() {
                let text = text.clone();
                self.plan(after, Happening::ToEngine { host, connection, text });
            }
        }
        for (call_id, what) in heard {
            crate::life::heard(self, host, &call_id, what);
        }
    }

    fn set_wake(&mut self, host: u16, at: Option<Time>) {
        if self.wake_of.get(&host).copied() == at {
            return;
        }
        if let Some(old) = self.wake_of.remove(&host) {
            self.wakes.remove(&(old, host));
        }
        if let Some(at) = at {
            self.wakes.insert((at, host));
            self.wake_of.insert(host, at);
        }
    }

    fn phone_wakes(&mut self) {
        let Some((at, host)) = self.wakes.pop_first() else { return };
        self.wake_of.remove(&host);
        debug_assert!(at <= self.now);
        self.with_phone(host, |phone, now| phone.tick(now));
    }

    /// Sends what the engine wishes to send.
    pub fn engine_sends(&mut self, datagram: Datagram) {
        let host = host_at(datagram.flow.remote);
        let reliable = datagram.flow.transport == onekey::sip::Transport::Tcp;
        let Ok(text) = String::from_utf8(datagram.bytes) else {
            return self.doorstep.wrong.push("the engine sent no text".into());
        };
        self.doorstep.comes_out(self.now, host, reliable, &text);
        if self.plan.fingerprinted {
            self.mark(text.as_bytes());
        }
        let ways = self.weather.way(&mut self.dice, host, reliable);
        for after in ways.into_iter().flatten() {
            let text = text.clone();
            self.plan(after, Happening::ToPhone { host, text, epoch: self.epoch });
        }
    }

    /// FNV-1a over everything that the engine wished.
    pub fn mark(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.fingerprint = (self.fingerprint ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub fn leg_is_over(&self, leg: LegId) -> bool {
        self.sound.port_of(leg).is_some_and(|port| self.doorstep.is_over(port))
    }

    /// One fact line or wish line of the trace.
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        if self.plan.traced {
            let text = text();
            self.trace.push(format!("{:.3} {text}", seconds(self.now)));
        }
    }
}

pub fn seconds(at: Time) -> f64 {
    at.as_micros() as f64 / 1e6
}

/// A fact as the trace shows it: messages as text.
fn shown(input: &Input) -> String {
    match input {
        Input::Sip(datagram) => String::from_utf8_lossy(&datagram.bytes).replace("\r\n", "\n        | "),
        other => format!("{other:?}"),
    }
}

pub fn wish_shown(wish: &Output) -> String {
    match wish {
        Output::Sip(datagram) => {
            let to = datagram.flow.remote;
            format!("< to {to} {}", String::from_utf8_lossy(&datagram.bytes).replace("\r\n", "\n        | "))
        }
        Output::Log(line) => format!("{} {:?} {}", line.call, line.direction, line.text),
        other => format!("< {other:?}"),
    }
}

/// The path of a phone.
fn flow(host: u16, connection: Option<u64>) -> Flow {
    let local: SocketAddr = SocketAddr::new(ENGINE.parse().expect("an address"), 5060);
    let transport = if connection.is_some() { onekey::sip::Transport::Tcp } else { onekey::sip::Transport::Udp };
    Flow { transport, local, remote: address_of(host, 5060), connection }
}

fn config(seed: [u8; 32], first_call: CallId, first_promise: PromiseId) -> EngineConfig {
    let media_workers = WORKERS;
    EngineConfig { media_workers, seed, calls_max: 24, first_call, first_promise, ..rehearsal::config() }
}
