//! The world of a rehearsal: virtual time, the script's acts, the phones, and the answers that the engine asks for.

use super::Stage;
use super::phones::{self, AgentPhone, CallerPhone, PhoneSays};
use super::sound::{Later, Sound};
use crate::caller::CallerFacts;
use crate::engine::input::{Answer, Input, Reply};
use crate::engine::output::{Ask, LineDirection, Output, Question};
use crate::engine::{Engine, EngineConfig, Remembered};
use crate::ids::{AgentId, CallId, Language, LegId, PromiseId, WorkerId};
use crate::media::command::{MediaCommand, MediaEvent};
use crate::script::{Act, AgentAct, Line, Registry, Script, What};
use crate::sip::digest;
use crate::sip::registrar::{AgentAccount, Binding, DigestChoice};
use crate::sip::{Datagram, SipConfig};
use crate::time::{Now, Time, Wall};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Thresholds that a script's `age` may have reached.
const AGES: std::ops::RangeInclusive<u8> = 1..=120;
/// Host number of the first agent's phone; the caller's is 1.
const FIRST_AGENT_HOST: u8 = 10;

pub(super) struct World {
    engine: Engine,
    script: Vec<Line>,
    registry: Registry,
    start: Wall,
    now: Time,
    caller: CallerPhone,
    caller_leg: Option<LegId>,
    agents: BTreeMap<AgentId, AgentPhone>,
    agent_legs: Vec<LegId>,
    sound: Sound,
    ledger_works: bool,
    /// What happens later, in order of time and then of being planned.
    later: BTreeMap<(Time, u64), Happening>,
    planned: u64,
    pub wished: Vec<Line>,
    pub complaints: Vec<String>,
}

#[derive(Debug)]
enum Happening {
    Act(usize),
    Media(Later),
    Tell(Input),
}

impl World {
    pub fn new(stage: &Stage, script: &Script, dialled: &str, start: Wall) -> World {
        let agents: BTreeMap<AgentId, AgentPhone> = all_agents(script)
            .into_iter()
            .enumerate()
            .map(|(index, agent)| (agent.clone(), AgentPhone::new(agent, FIRST_AGENT_HOST + index as u8)))
            .collect();
        let remembered = Remembered {
            agents: agents
                .iter()
                .map(|(id, phone)| {
                    let bindings =
                        if script.agents.contains(id) { vec![binding(phone, id, &agents, start)] } else { vec![] };
                    (account(id), bindings)
                })
                .collect(),
            ..Remembered::default()
        };
        let now = Now { time: Time::ZERO, wall: start };
        let engine = Engine::new(now, config(), Arc::clone(&stage.dialplan), Arc::clone(&stage.prompts), remembered);
        let mut world = World {
            engine,
            script: script.lines.clone(),
            registry: script.registry.clone(),
            start,
            now: Time::ZERO,
            caller: CallerPhone::new(dialled, script.caller.as_deref()),
            caller_leg: None,
            agents,
            agent_legs: Vec::new(),
            sound: Sound::default(),
            ledger_works: true,
            later: BTreeMap::new(),
            planned: 0,
            wished: Vec::new(),
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
        loop {
            let planned = self.later.first_key_value().map(|((at, _), _)| *at);
            let timer = self.engine.next_timeout();
            let Some(next) = planned.into_iter().chain(timer).min().filter(|at| *at <= until) else { return };
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

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Act(index) => {
                if let What::Does(act) = self.script[index].what.clone() {
                    self.act(act);
                }
            }
            Happening::Media(later) if self.sound.happens(&later) => {
                self.sound.happened(&later);
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
                self.caller_hears(|leg| MediaEvent::KeyEnded { leg, key, held: length });
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
        }
    }

    fn agent_acts(&mut self, agent: &AgentId, act: AgentAct) {
        let Some(phone) = self.agents.get_mut(agent) else { return };
        let said = phone.act(act);
        if phone.is_silent() {
            self.sound.mute = self.agent_legs.clone();
        }
        self.say(said);
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
                    let at = self.now.since(Time::ZERO).as_secs_f64();
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
            Output::Log(line) if line.direction == LineDirection::Engine => {
                let at = self.now.since(Time::ZERO);
                self.wished.push(Line { at, what: What::Expects(line.text), number: 0 });
            }
            Output::Log(_) | Output::Ended(_) | Output::Notice(_) => {}
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
            phone.map(|phone| phone.receive(message)).unwrap_or_default()
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
        for (after, later) in self.sound.order(command) {
            self.plan(self.now + after, Happening::Media(later));
        }
    }

    fn answer(&mut self, ask: Ask) {
        let answer = match ask.question {
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
}

/// Agents who are there from the start, and those who come later.
fn all_agents(script: &Script) -> Vec<AgentId> {
    let mut all = script.agents.clone();
    for line in &script.lines {
        if let What::Does(Act::Agent(agent, _)) = &line.what {
            all.push(agent.clone());
        }
    }
    all.sort();
    all.dedup();
    all
}

fn account(agent: &AgentId) -> AgentAccount {
    AgentAccount {
        agent: agent.clone(),
        ha1_md5: digest::ha1_md5(agent.as_str(), phones::REALM, phones::PASSWORD),
        ha1_sha256: digest::ha1_sha256(agent.as_str(), phones::REALM, phones::PASSWORD),
        digest: DigestChoice::Md5,
    }
}

fn binding(phone: &AgentPhone, agent: &AgentId, agents: &BTreeMap<AgentId, AgentPhone>, start: Wall) -> Binding {
    let host = FIRST_AGENT_HOST + agents.keys().position(|id| id == agent).unwrap_or(0) as u8;
    Binding {
        contact: phone.contact(),
        flow: phones::flow(host),
        expires: start + Duration::from_secs(86_400),
        call_id: format!("register-{agent}"),
        cseq: 0,
    }
}

/// The engine as it is rehearsed: small bounds, known keys, one media worker.
pub fn config() -> EngineConfig {
    EngineConfig {
        sip: SipConfig {
            realm: phones::REALM.into(),
            advertised: None,
            trunks: Vec::new(),
            product: "Onekey".into(),
            registration_seconds_max: 3600,
            registration_seconds_min: 30,
            transactions_max: 1000,
            contacts_max: 4,
            strangers: Default::default(),
        },
        media_advertised: None,
        media_workers: 1,
        seed: [1; 32],
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
