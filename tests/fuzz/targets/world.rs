//! The world around the engine of `engine_stream`: time, phones that answer what must be answered, a media plane that only
//! says yes, a ledger that is checked. What it does by itself, `automatic` says; what it does not, the fuzzer may.

use super::phones::{self, AGENT_HOST, AGENTS, PASSWORD, REALM};
use onekey::caller::CallerFacts;
use onekey::codec::StreamCounts;
use onekey::engine::input::{Answer, Command, Input, Reply};
use onekey::engine::output::{Output, Question, QuestionId};
use onekey::engine::{Engine, EngineConfig, Remembered};
use onekey::ids::{AgentId, CallId, LegId, PlayId, PromiseId, WorkerId};
use onekey::media::command::{MediaCommand, MediaEvent};
use onekey::promise::Entry;
use onekey::queue::ledger::{Ledger, promise_of};
use onekey::rehearsal;
use onekey::sip::framing::{Frame, Framer};
use onekey::sip::message::{Message, Method};
use onekey::sip::registrar::{AgentAccount, Binding, DigestChoice};
use onekey::sip::{Datagram, Flow, SipConfig, Transport, digest, reader};
use onekey::step::lookup::LookupFailure;
use onekey::time::{Now, Time, Wall};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Most wishes of one fact.
const WISHES_MAX: usize = 500;
/// Most facts that follow from one: the phones here answer, and never begin.
const FOLLOWING_MAX: usize = 2000;
/// Messages that are remembered.
const HEARD_MAX: usize = 64;
/// A Monday morning, when the office is open.
const MORNING: i64 = 1_795_399_200;

const MEDIA: u8 = 1;
const ANSWERS: u8 = 2;
const PHONES: u8 = 4;

pub struct World {
    engine: Engine,
    now: Time,
    /// Which of media, answers and phones act by themselves (where the bit is not set).
    pub automatic: u8,
    framer: Framer,
    following: VecDeque<Input>,
    heard: VecDeque<(u8, Message)>,
    said: Vec<(u8, Vec<u8>)>,
    pub challenge: Option<String>,
    questions: Vec<(QuestionId, Question)>,
    legs: BTreeMap<LegId, Leg>,
    replies: VecDeque<MediaEvent>,
    ledger: Ledger,
    closed: BTreeSet<PromiseId>,
    ended: BTreeSet<CallId>,
}

#[derive(Debug, Default)]
struct Leg {
    play: Option<PlayId>,
    recording: Option<PathBuf>,
    heard: bool,
}

impl World {
    pub fn new(shape: u8) -> World {
        let stage = super::stage();
        let start = Now { time: Time::ZERO, wall: Wall::from_seconds(MORNING) };
        let agents = AGENTS.iter().zip(AGENT_HOST..).enumerate();
        let agents = agents.map(|(index, (name, host))| {
            let there = shape >> (6 + index) & 1 == 0;
            (World::account(name), there.then(|| binding(host)).into_iter().collect())
        });
        let remembered = Remembered { agents: agents.collect(), ..Remembered::default() };
        let (plan, prompts) = (Arc::clone(&stage.dialplan), Arc::clone(&stage.prompts));
        World {
            engine: Engine::new(start, config(), plan, prompts, remembered),
            now: Time::ZERO,
            automatic: shape,
            framer: Framer::new(),
            following: VecDeque::new(),
            heard: VecDeque::new(),
            said: Vec::new(),
            challenge: None,
            questions: Vec::new(),
            legs: BTreeMap::new(),
            replies: VecDeque::new(),
            ledger: Ledger::default(),
            closed: BTreeSet::new(),
            ended: BTreeSet::new(),
        }
    }

    pub fn account(name: &str) -> AgentAccount {
        AgentAccount {
            agent: AgentId::new(name),
            ha1_md5: digest::ha1_md5(name, REALM, PASSWORD),
            ha1_sha256: digest::ha1_sha256(name, REALM, PASSWORD),
            digest: DigestChoice::Md5,
        }
    }

    pub fn facts(age: u8) -> CallerFacts {
        CallerFacts { ages_reached: (1..=age).collect(), ..CallerFacts::default() }
    }

    pub fn datagram(&mut self, host: u8, bytes: Vec<u8>) {
        self.said.push((host, bytes.clone()));
        self.tell(Input::Sip(Datagram { flow: phones::flow(host, Transport::Udp), bytes }));
    }

    /// A piece of the one TCP connection. One that cannot be framed is closed, as the shell does it.
    pub fn segment(&mut self, bytes: &[u8]) {
        self.framer.push(bytes);
        while let Some(frame) = self.framer.next() {
            match frame {
                Ok(Frame::Message(bytes)) => {
                    self.said.push((0, bytes.clone()));
                    self.tell(Input::Sip(Datagram { flow: phones::flow(0, Transport::Tcp), bytes }));
                }
                Ok(Frame::Ping | Frame::Pong) => {}
                Err(_) => {
                    self.framer = Framer::new();
                    self.tell(Input::ConnectionClosed(phones::CONNECTION));
                }
            }
        }
    }

    /// One of the last messages of the engine that fit, the newest first, and to whom it went.
    pub fn heard(&self, nth: usize, fits: impl Fn(&Message) -> bool) -> Option<(u8, Message)> {
        self.heard.iter().rev().filter(|(_, message)| fits(message)).nth(nth).cloned()
    }

    pub fn sent(&self, nth: usize) -> Option<(u8, Vec<u8>)> {
        self.said.iter().rev().nth(nth).cloned()
    }

    pub fn open_leg(&self, nth: usize) -> Option<LegId> {
        self.legs.keys().rev().nth(nth % self.legs.len().max(1)).copied()
    }

    pub fn media_event(&mut self, event: MediaEvent) {
        self.tell(Input::Media(WorkerId(0), event));
    }

    /// The oldest answer of the media plane is given; a port that was asked for is refused if `how` says so.
    pub fn media_replies(&mut self, how: u8) {
        let Some(event) = self.replies.pop_front() else { return };
        match event {
            MediaEvent::Opened { leg, .. } if how & 1 == 1 => {
                self.legs.remove(&leg);
                self.media_event(MediaEvent::Refused { leg, reason: "no port".into() });
            }
            event => self.media_event(event),
        }
    }

    /// Answers a question; `None`: as the world does when all is well.
    pub fn answer(&mut self, nth: usize, answer: Option<Answer>) {
        if self.questions.is_empty() {
            return;
        }
        let (id, question) = self.questions.remove(nth % self.questions.len());
        let answer = answer.unwrap_or(match &question {
            Question::Registry(_) => Answer::Registry(None),
            Question::LookUp(_) => Answer::LookedUp(Err(LookupFailure::Unreachable)),
            Question::Promise(_) | Question::Bindings(..) => Answer::Written,
        });
        if let (Question::Promise(entry), Answer::Written) = (&question, &answer) {
            self.written(entry);
        }
        self.tell(Input::Answered(Reply { id, answer }));
    }

    /// A promise is opened first, and closed once.
    fn written(&mut self, entry: &Entry) {
        let promise = promise_of(entry);
        let is_open = self.ledger.open().contains_key(&promise);
        assert!(!self.closed.contains(&promise), "after its closing {promise} gets {entry:?}");
        assert_eq!(is_open, !matches!(entry, Entry::Opened(_)), "{entry:?}");
        if matches!(entry, Entry::Closed { .. }) {
            self.closed.insert(promise);
        }
        self.ledger.apply(entry);
    }

    pub fn reload(&mut self) {
        let stage = super::stage();
        self.tell(Input::Reload(Arc::clone(&stage.dialplan), Arc::clone(&stage.prompts)));
    }

    /// Time passes; what plays ends.
    pub fn wait(&mut self, length: Duration) {
        let until = self.now + length;
        while let Some(next) = self.engine.next_timeout().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.tell(Input::Tick);
            let next = self.engine.next_timeout();
            assert!(next.is_none_or(|next| next > self.now), "woken at {:?}, it wants to be at {next:?}", self.now);
        }
        self.now = until;
        if self.acts(MEDIA) && length >= Duration::from_secs(1) {
            let playing: Vec<(LegId, PlayId)> =
                self.legs.iter_mut().filter_map(|(leg, state)| Some((*leg, state.play.take()?))).collect();
            for (leg, play) in playing {
                self.media_event(MediaEvent::OfferHeard { leg, play });
                self.media_event(MediaEvent::PlayDone { leg, play });
            }
        }
    }

    /// Everybody answers, and hangs up; then nothing may be left, and nobody forgotten.
    pub fn heal(&mut self) {
        self.automatic = 0;
        while !self.replies.is_empty() {
            self.media_replies(0);
        }
        while !self.questions.is_empty() {
            self.answer(0, None);
        }
        self.tell(Input::Command(Command::HangUpAll));
        self.wait(Duration::from_secs(700));
        let left = self.engine.snapshot(self.clock());
        assert!(self.engine.is_quiet() && self.engine.calls_open() == 0, "it does not come to rest: {left:?}");
        assert!(!self.engine.awaits_anything(), "something is awaited still");
        assert!(self.legs.is_empty(), "ports of {:?} are still taken", self.legs);
        for (promise, open) in self.ledger.open() {
            assert!(open.due.is_some(), "{promise} of {} is neither kept nor due", open.opened.call);
        }
    }

    fn acts(&self, part: u8) -> bool {
        self.automatic & part == 0
    }

    fn clock(&self) -> Now {
        Now { time: self.now, wall: Wall::from_seconds(MORNING) + self.now.since(Time::ZERO) }
    }

    pub fn tell(&mut self, input: Input) {
        self.following.push_back(input);
        let mut told = 0;
        while let Some(input) = self.following.pop_front() {
            told += 1;
            assert!(told <= FOLLOWING_MAX, "one fact leads to {told}");
            let mut wishes = Vec::new();
            self.engine.handle(self.clock(), input, &mut wishes);
            assert!(wishes.len() <= WISHES_MAX, "{} wishes at once", wishes.len());
            let broken = self.engine.broken_rules();
            assert!(broken.is_empty(), "{}", broken.join("\n"));
            for wish in wishes {
                self.wished(wish);
            }
        }
    }

    fn wished(&mut self, wish: Output) {
        match wish {
            Output::Sip(datagram) => self.phone_hears(datagram),
            Output::Media(_, command) => self.ordered(command),
            Output::Ask(ask) => {
                self.questions.push((ask.id, ask.question));
                if self.acts(ANSWERS) {
                    self.answer_newest();
                }
            }
            Output::Ended(record) => assert!(self.ended.insert(record.call), "{} has two records", record.call),
            Output::Log(_) | Output::Notice(_) | Output::Walked(..) => {}
        }
    }

    /// The world answers at once, all being well; the engine hears of it after what it is doing.
    fn answer_newest(&mut self) {
        let Some((id, question)) = self.questions.pop() else { return };
        let answer = match &question {
            Question::Registry(_) => Answer::Registry(None),
            Question::LookUp(_) => Answer::LookedUp(Err(LookupFailure::Unreachable)),
            Question::Promise(entry) => {
                self.written(entry);
                Answer::Written
            }
            Question::Bindings(..) => Answer::Written,
        };
        self.following.push_back(Input::Answered(Reply { id, answer }));
    }

    /// What the engine sends can be read, unless it answers what could not be read. The phones answer what they must.
    fn phone_hears(&mut self, datagram: Datagram) {
        let Datagram { flow, bytes } = datagram;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let message = match reader::read(bytes) {
            Ok(message) => message,
            Err(_) if text.starts_with("SIP/2.0 400 ") || text.starts_with("SIP/2.0 505 ") => return,
            Err(error) => panic!("the engine sends what cannot be read: {error:?} in {text:?}"),
        };
        let host = host_of(&flow);
        if message.status() == Some(401) {
            self.challenge = message.header("WWW-Authenticate").map(str::to_owned);
        }
        if self.acts(PHONES) {
            self.phone_answers(host, &message);
        }
        if self.heard.len() >= HEARD_MAX {
            self.heard.pop_front();
        }
        self.heard.push_back((host, message));
    }

    fn phone_answers(&mut self, host: u8, message: &Message) {
        let mut says = |text: String| {
            let flow = phones::flow(host, Transport::Udp);
            self.following.push_back(Input::Sip(Datagram { flow, bytes: text.into_bytes() }));
        };
        match (message.status(), message.method()) {
            (None, Method::Invite) => says(phones::response(message, host, 180, "")),
            (None, Method::Cancel) => {
                says(phones::response(message, host, 200, ""));
                let invite = self.heard.iter().rev().find(|(_, invite)| {
                    invite.is_request() && *invite.method() == Method::Invite && invite.call_id() == message.call_id()
                });
                if let Some((_, invite)) = invite {
                    says(phones::response(invite, host, 487, ""));
                }
            }
            (None, Method::Ack) => {}
            (None, _) => says(phones::response(message, host, 200, "")),
            (Some(200..=299), Method::Invite) => {
                says(phones::within(message, host, "ACK", message.cseq(), 1_000_000 + message.cseq(), "", ""));
            }
            _ => {}
        }
    }

    fn ordered(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Open { leg } => {
                assert!(self.legs.insert(leg, Leg::default()).is_none(), "{leg} is opened twice");
                self.reply(MediaEvent::Opened { leg, port: 20_000 + 2 * leg.0 as u16 });
            }
            MediaCommand::Close { leg } => {
                self.recorded(leg);
                if self.legs.remove(&leg).is_some() {
                    self.reply(MediaEvent::Closed { leg, counts: StreamCounts::default() });
                }
            }
            MediaCommand::Start { leg, .. } => {
                let first = self.legs.get_mut(&leg).is_some_and(|state| !std::mem::replace(&mut state.heard, true));
                if first {
                    self.reply(MediaEvent::FirstPacket { leg });
                }
            }
            MediaCommand::Play { leg, play, repeat, .. } => {
                if let Some(state) = self.legs.get_mut(&leg) {
                    state.play = (!repeat).then_some(play);
                }
            }
            MediaCommand::Stop { leg } => {
                if let Some(state) = self.legs.get_mut(&leg) {
                    state.play = None;
                }
            }
            MediaCommand::Record { leg, file, .. } => {
                self.recorded(leg);
                if let Some(state) = self.legs.get_mut(&leg) {
                    state.recording = Some(file);
                }
            }
            MediaCommand::StopRecord { leg, .. } => self.recorded(leg),
            MediaCommand::Bridge { a, b } => {
                for leg in [a, b] {
                    assert!(self.legs.contains_key(&leg), "{leg} is bridged and not open");
                }
            }
            MediaCommand::Unbridge { .. } | MediaCommand::SendKey { .. } | MediaCommand::Confine { .. } => {}
        }
    }

    fn recorded(&mut self, leg: LegId) {
        if let Some(file) = self.legs.get_mut(&leg).and_then(|state| state.recording.take()) {
            self.reply(MediaEvent::Recorded { leg, file, length: Duration::from_secs(5) });
        }
    }

    /// The media plane says something: now, or when the fuzzer lets it, always in order.
    fn reply(&mut self, event: MediaEvent) {
        if self.acts(MEDIA) && self.replies.is_empty() {
            self.following.push_back(Input::Media(WorkerId(0), event));
        } else {
            self.replies.push_back(event);
        }
    }
}

fn host_of(flow: &Flow) -> u8 {
    match flow.remote.ip() {
        std::net::IpAddr::V4(address) => address.octets()[3].saturating_sub(10) % phones::HOSTS as u8,
        std::net::IpAddr::V6(_) => 0,
    }
}

fn binding(host: u8) -> Binding {
    Binding {
        contact: phones::contact(host),
        flow: phones::flow(host, Transport::Udp),
        expires: Wall::from_seconds(MORNING + 200_000),
        call_id: format!("r{host}"),
        cseq: 0,
    }
}

fn config() -> EngineConfig {
    let usual = rehearsal::config();
    let trunk = onekey::sip::Trunk {
        name: "trunk".into(),
        addresses: vec![(phones::flow(3, Transport::Udp).remote.ip(), 32)],
        asserts_identity: true,
        dial: None,
    };
    let sip = SipConfig { trunks: vec![trunk], transactions_max: 60, ..usual.sip };
    EngineConfig { sip, seed: [5; 32], calls_max: 6, ..usual }
}
