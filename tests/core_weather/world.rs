//! The world in bad weather: virtual time, many phones, a media plane, a ledger and a registry, all moved by one seed.

use crate::books::Books;
use crate::phones::{AgentPhone, CallerPhone, CallerState, PASSWORD, REALM, flow, host_of};
use crate::streams::{Faults, Later, Streams};
use onekey::caller::CallerFacts;
use onekey::engine::input::{Answer, Command, Input, Reply};
use onekey::engine::output::{Ask, Output, Question, QuestionId};
use onekey::engine::{Engine, EngineConfig, Remembered};
use onekey::ids::{AgentId, CallId, Language, LegId, PromiseId, WorkerId};
use onekey::key::Key;
use onekey::media::command::{MediaCommand, MediaEvent};
use onekey::promise::Entry;
use onekey::rehearsal::Stage;
use onekey::sip::registrar::{AgentAccount, Binding, DigestChoice};
use onekey::sip::{Datagram, SipConfig, digest, reader};
use onekey::time::{Now, Time, Wall};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

const LINES: [&str; 4] = ["5550100", "5550102", "5550103", "5550104"];
const NUMBERS: [Option<&str>; 5] =
    [Some("+12025550123"), Some("+12025550124"), Some("+12025550125"), Some("+12025550126"), None];
const FIRST_AGENT_HOST: u16 = 1000;
/// A Monday morning, when the office is open, and a night.
const MORNING: i64 = 1_795_399_200;
const NIGHT: i64 = 1_795_444_200;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Registry {
    Quick,
    Late,
    Fails,
    Silent,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Disk {
    Works,
    Fails,
    /// Writes when it works again, in order.
    Stuck,
}

#[derive(Debug)]
enum Happening {
    /// Something random.
    Act,
    Sip(Datagram),
    ToPhone(Datagram),
    Media(Later),
    Answer(QuestionId, Answer, Option<Entry>),
    AgentDoes(usize),
}

pub struct World {
    engine: Engine,
    stage: Stage,
    dice: ChaCha12Rng,
    now: Time,
    start: Wall,
    later: BTreeMap<(Time, u64), Happening>,
    planned: u64,
    callers: Vec<CallerPhone>,
    agents: Vec<AgentPhone>,
    streams: Streams,
    faults: Faults,
    registry: Registry,
    disk: Disk,
    stuck: VecDeque<(QuestionId, Entry)>,
    pub books: Books,
    legs: BTreeMap<LegId, CallId>,
    newest: Option<CallId>,
    acts_left: u32,
    callers_max: usize,
    calm: bool,
    traced: bool,
    trace: Vec<String>,
}

impl World {
    pub fn new(stage: &Stage, seed: u64, traced: bool) -> World {
        let mut dice = ChaCha12Rng::seed_from_u64(seed);
        let mut agents: Vec<AgentPhone> = (0..dice.next_u32() % 5)
            .map(|index| AgentPhone::new(&format!("{}", 1001 + index), FIRST_AGENT_HOST + index as u16))
            .collect();
        let start = Wall::from_seconds(if dice.next_u32() % 4 == 0 { NIGHT } else { MORNING });
        let remembered = Remembered {
            agents: agents
                .iter()
                .map(|phone| {
                    let there = dice.next_u32() % 3 > 0;
                    (account(phone), there.then(|| binding(phone, start)).into_iter().collect())
                })
                .collect(),
            ..Remembered::default()
        };
        // Some have a second phone, which registers later.
        let second = agents.iter().filter(|phone| phone.host % 2 == 0);
        let second: Vec<AgentPhone> = second.map(|phone| AgentPhone::new(&phone.name, phone.host + 10)).collect();
        agents.extend(second);
        let now = Now { time: Time::ZERO, wall: start };
        let plan = Arc::clone(&stage.dialplan);
        let engine = Engine::new(now, config(seed), plan, Arc::clone(&stage.prompts), remembered);
        let bad = |dice: &mut ChaCha12Rng, worst: u32| if dice.next_u32().is_multiple_of(2) { 0 } else { worst };
        let faults =
            Faults { no_port: bad(&mut dice, 10), no_sound: bad(&mut dice, 15), no_recording: bad(&mut dice, 20) };
        let acts_left = 20 + dice.next_u32() % 80;
        let callers_max = 1 + dice.next_u32() as usize % 12;
        let mut world = World {
            engine,
            stage: stage.clone(),
            dice,
            now: Time::ZERO,
            start,
            later: BTreeMap::new(),
            planned: 0,
            callers: Vec::new(),
            agents,
            streams: Streams::default(),
            faults,
            registry: Registry::Quick,
            disk: Disk::Works,
            stuck: VecDeque::new(),
            books: Books::default(),
            legs: BTreeMap::new(),
            newest: None,
            acts_left,
            callers_max,
            calm: false,
            traced,
            trace: Vec::new(),
        };
        world.plan(Duration::ZERO, Happening::Act);
        world
    }

    /// Bad weather, then calm: everybody hangs up or is hung up on, and everything must come to rest.
    pub fn live(&mut self) -> Vec<String> {
        self.run(Duration::from_secs(36_000), |world| world.acts_left == 0);
        self.calm = true;
        self.set_disk(Disk::Works);
        if self.roll(2) == 0 {
            self.tell(Input::Command(Command::Drain));
        } else {
            for caller in 0..self.callers.len() {
                let said = self.callers[caller].hang_up("");
                self.send(said);
            }
        }
        let patience = self.roll(60);
        self.run(Duration::from_secs(patience), |_| false);
        self.tell(Input::Command(Command::HangUpAll));
        self.run(Duration::from_secs(600), |_| false);
        self.books.balance();
        let mut wrong = self.wrong();
        if !self.engine.is_quiet() || self.engine.calls_open() > 0 || self.engine.awaits_anything() {
            let left = self.engine.snapshot(self.clock()).calls;
            wrong.push(format!("it does not come to rest: {} calls, {left:?}", self.engine.calls_open()));
        }
        wrong.extend(self.streams.all_open().into_iter().map(|leg| format!("the port of {leg} is still taken")));
        wrong
    }

    /// Conversations, promises due, keys of an INFO that reached the other side.
    pub fn totals(&self) -> [u64; 3] {
        let (spoke, due) = self.books.totals();
        [spoke, due, self.streams.keys_sent]
    }

    fn wrong(&mut self) -> Vec<String> {
        let mut wrong = self.engine.broken_rules();
        wrong.append(&mut self.streams.wrong);
        wrong.append(&mut self.books.wrong);
        wrong
    }

    fn run(&mut self, longest: Duration, done: impl Fn(&World) -> bool) {
        let until = self.now + longest;
        while !done(self) {
            let planned = self.later.first_key_value().map(|((at, _), _)| *at);
            let timer = self.engine.next_timeout();
            let Some(next) = planned.into_iter().chain(timer).min().filter(|at| *at <= until) else { break };
            self.now = self.now.max(next);
            if planned.is_some_and(|at| timer.is_none_or(|timer| at <= timer)) {
                if let Some((_, happening)) = self.later.pop_first() {
                    self.happen(happening);
                }
            } else {
                self.tell(Input::Tick);
            }
        }
        if !done(self) {
            self.now = self.now.max(until.min(self.now + Duration::from_secs(700)));
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Act if self.calm => {}
            Happening::Act => {
                self.acts_left -= 1;
                crate::acts::act(self);
                let pause = [5, 200, 1500, 6000, 25_000][self.roll(5) as usize];
                let pause = 1 + self.roll(pause);
                self.plan(Duration::from_millis(pause), Happening::Act);
            }
            Happening::Sip(datagram) => self.tell(Input::Sip(datagram)),
            Happening::ToPhone(datagram) => self.phone_hears(datagram),
            Happening::Media(later) if self.streams.happens(&later) => {
                self.tell(Input::Media(WorkerId(0), later.event));
            }
            Happening::Media(_) => {}
            Happening::Answer(id, answer, entry) => {
                if let Some(entry) = entry {
                    self.books.entry_written(&entry);
                }
                self.tell(Input::Answered(Reply { id, answer }));
            }
            Happening::AgentDoes(agent) => crate::acts::agent_reacts(self, agent),
        }
    }

    fn phone_hears(&mut self, datagram: Datagram) {
        let host = host_of(datagram.flow.remote);
        let Ok(message) = reader::read(datagram.bytes) else {
            return self.books.wrong.push("the engine sent something unreadable".into());
        };
        let said = match self.agents.iter().position(|agent| agent.host == host) {
            Some(_) if message.call_id().starts_with("feature") => self.feature_hears(&message),
            Some(agent) => {
                let rings = message.status().is_none() && message.method().as_str() == "INVITE";
                let said = self.agents[agent].receive(message);
                if rings {
                    let after = self.roll(25_000);
                    self.plan(Duration::from_millis(after), Happening::AgentDoes(agent));
                }
                said
            }
            None => {
                let caller = self.callers.iter_mut().find(|caller| caller.host == host);
                caller.map(|caller| caller.receive(&message)).unwrap_or_default()
            }
        };
        self.send(said);
    }

    fn feature_hears(&mut self, message: &onekey::sip::message::Message) -> Vec<Datagram> {
        let number = message.call_id().trim_start_matches("feature-").parse().unwrap_or(0);
        let caller = self.callers.iter_mut().find(|caller| caller.is_feature(number));
        caller.map(|caller| caller.receive(message)).unwrap_or_default()
    }

    pub fn tell(&mut self, input: Input) {
        if self.traced && !matches!(input, Input::Reload(..)) {
            self.trace.push(format!("{:.3} > {input:?}", self.now.as_micros() as f64 / 1e6));
        }
        let mut wishes = Vec::new();
        self.engine.handle(self.clock(), input, &mut wishes);
        for wish in wishes {
            self.wish(wish);
        }
        let wrong = self.wrong();
        assert!(wrong.is_empty(), "{}\n{}", self.last_trace(), wrong.join("\n"));
    }

    /// The end of what happened, for the report of a failure.
    pub fn last_trace(&self) -> String {
        let from = self.trace.len().saturating_sub(200);
        self.trace[from..].join("\n")
    }

    fn wish(&mut self, wish: Output) {
        match wish {
            Output::Sip(datagram) => {
                let delay = self.way(host_of(datagram.flow.remote));
                self.plan(delay, Happening::ToPhone(datagram));
            }
            Output::Media(_, command) => self.order(&command),
            Output::Ask(ask) => self.asked(ask),
            Output::Log(line) => {
                if self.traced {
                    self.trace.push(format!("{:.3} {} {}", self.now.as_micros() as f64 / 1e6, line.call, line.text));
                }
                if line.text == "call" {
                    self.newest = Some(line.call);
                    self.books.begun.insert(line.call);
                }
            }
            Output::Ended(record) => self.books.call_ended(*record),
            Output::Notice(_) => {}
        }
    }

    fn order(&mut self, command: &MediaCommand) {
        match command {
            MediaCommand::Open { leg } => {
                if let Some(call) = self.newest.take() {
                    self.legs.insert(*leg, call);
                }
            }
            MediaCommand::Play { leg, prompts, .. } if prompts.iter().any(|prompt| prompt.id.as_str() == "queued") => {
                if let Some(call) = self.legs.get(leg) {
                    self.books.hears_queued(*call);
                }
            }
            _ => {}
        }
        let dice = self.roll(100) as u32;
        for (after, later) in self.streams.order(command, self.faults, dice) {
            self.plan(after, Happening::Media(later));
        }
    }

    fn asked(&mut self, ask: Ask) {
        let (quick, late) = (Duration::from_millis(1 + self.roll(30)), Duration::from_millis(400));
        match ask.question {
            Question::Registry(_) => {
                let answer = self.facts();
                match self.registry {
                    Registry::Quick => self.plan(quick, Happening::Answer(ask.id, answer, None)),
                    Registry::Late => self.plan(late, Happening::Answer(ask.id, answer, None)),
                    Registry::Fails => {
                        self.plan(quick, Happening::Answer(ask.id, Answer::Failed("gone".into()), None));
                    }
                    Registry::Silent => {}
                }
            }
            Question::Promise(entry) => match self.disk {
                Disk::Works => {
                    self.plan(Duration::from_millis(3), Happening::Answer(ask.id, Answer::Written, Some(entry)))
                }
                Disk::Fails => self.plan(quick, Happening::Answer(ask.id, Answer::Failed("full".into()), None)),
                Disk::Stuck => self.stuck.push_back((ask.id, entry)),
            },
            Question::Bindings(..) => self.plan(quick, Happening::Answer(ask.id, Answer::Written, None)),
        }
    }

    fn facts(&mut self) -> Answer {
        let mut facts = CallerFacts::default();
        match self.roll(6) {
            0 => return Answer::Registry(None),
            1 => facts.ages_reached = (1..=70).collect(),
            2 => facts.language = Some(Language::new("zh")),
            3 => facts.language = Some(Language::new("xx")),
            _ => {}
        }
        Answer::Registry(Some(facts))
    }

    fn set_disk(&mut self, disk: Disk) {
        self.disk = disk;
        if disk == Disk::Works {
            for (id, entry) in std::mem::take(&mut self.stuck) {
                self.plan(Duration::from_millis(3), Happening::Answer(id, Answer::Written, Some(entry)));
            }
        }
    }

    fn plan(&mut self, after: Duration, happening: Happening) {
        self.planned += 1;
        self.later.insert((self.now + after, self.planned), happening);
    }

    /// The network's delay to a phone: always the same for one, so that nothing overtakes.
    fn way(&self, host: u16) -> Duration {
        Duration::from_millis(3 + u64::from(host) * 7 % 40)
    }

    fn clock(&self) -> Now {
        Now { time: self.now, wall: self.start + self.now.since(Time::ZERO) }
    }
}

/// What `acts` does with the world.
impl World {
    /// 0 to below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.dice.next_u64() % sides.max(1)
    }

    pub fn send(&mut self, said: impl IntoIterator<Item = Datagram>) {
        for datagram in said {
            let delay = self.way(host_of(datagram.flow.remote));
            self.plan(delay, Happening::Sip(datagram));
        }
    }

    pub fn new_caller(&mut self) {
        if self.callers.iter().filter(|caller| caller.state != CallerState::Over).count() >= self.callers_max {
            return;
        }
        let host = 1 + self.callers.len() as u16;
        let (line, number) = (LINES[self.roll(4) as usize], NUMBERS[self.roll(5) as usize]);
        let mut phone = CallerPhone::new(host, line, number);
        let said = phone.call();
        self.callers.push(phone);
        self.send([said]);
    }

    pub fn feature_call(&mut self, agent: usize) {
        let host = 1 + self.callers.len() as u16;
        let code = ["*40", "*41"][self.roll(2) as usize];
        let mut phone = self.agents[agent].feature(host, code);
        let said = phone.call();
        self.callers.push(phone);
        self.send([said]);
    }

    /// One of the callers who are in a call.
    pub fn some_caller(&mut self) -> Option<usize> {
        let there = |caller: &&CallerPhone| caller.state != CallerState::Over && !caller.cut;
        let all: Vec<u16> = self.callers.iter().filter(there).map(|caller| caller.host).collect();
        let host = *all.get(self.roll(all.len() as u64) as usize)?;
        self.callers.iter().position(|caller| caller.host == host)
    }

    pub fn caller(&mut self, caller: usize) -> &mut CallerPhone {
        &mut self.callers[caller]
    }

    pub fn agents(&self) -> usize {
        self.agents.len()
    }

    pub fn agent(&mut self, agent: usize) -> &mut AgentPhone {
        &mut self.agents[agent]
    }

    /// A media event on a random leg that is open.
    pub fn on_some_leg(&mut self, callers_only: bool, event: impl Fn(LegId) -> MediaEvent) {
        let legs: Vec<LegId> = self.streams.all_open();
        let legs: Vec<LegId> = legs.into_iter().filter(|leg| !callers_only || self.legs.contains_key(leg)).collect();
        if let Some(leg) = legs.get(self.roll(legs.len() as u64) as usize) {
            self.tell(Input::Media(WorkerId(0), event(*leg)));
        }
    }

    pub fn key(&mut self) -> Key {
        let letters: Vec<char> = "0000112339*#7".chars().collect();
        let letter = letters[self.roll(letters.len() as u64) as usize];
        Key::from_char(letter).unwrap_or(Key::HUMAN)
    }

    pub fn weather_changes(&mut self) {
        self.registry = [Registry::Quick, Registry::Quick, Registry::Late, Registry::Fails, Registry::Silent]
            [self.roll(5) as usize];
        let disk = [Disk::Works, Disk::Works, Disk::Fails, Disk::Stuck][self.roll(4) as usize];
        self.set_disk(disk);
    }

    pub fn reload(&mut self) {
        self.tell(Input::Reload(Arc::clone(&self.stage.dialplan), Arc::clone(&self.stage.prompts)));
    }
}

fn account(phone: &AgentPhone) -> AgentAccount {
    AgentAccount {
        agent: AgentId::new(&phone.name),
        ha1_md5: digest::ha1_md5(&phone.name, REALM, PASSWORD),
        ha1_sha256: digest::ha1_sha256(&phone.name, REALM, PASSWORD),
        digest: DigestChoice::Md5,
    }
}

fn binding(phone: &AgentPhone, start: Wall) -> Binding {
    Binding {
        contact: phone.contact(),
        flow: flow(phone.host),
        expires: start + Duration::from_secs(200_000),
        call_id: format!("register-{}", phone.host),
        cseq: 0,
    }
}

fn config(seed: u64) -> EngineConfig {
    EngineConfig {
        sip: SipConfig {
            realm: REALM.into(),
            advertised: None,
            trunks: Vec::new(),
            product: "Onekey".into(),
            registration_seconds_max: 3600,
            registration_seconds_min: 30,
            transactions_max: 1000,
            contacts_max: 4,
        },
        media_advertised: None,
        media_workers: 2,
        seed: [seed as u8; 32],
        registry_key: [2; 32],
        ledger_key: [3; 32],
        default_country: "US".into(),
        calls_max: 10,
        registry_deadline: Duration::from_millis(300),
        recordings: "recordings".into(),
        first_call: CallId(1),
        first_promise: PromiseId(1),
    }
}
