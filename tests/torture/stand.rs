//! The real engine on a test stand: messages go in as bytes, answers come out as bytes, time passes by itself.
//!
//! Around it the least that a world must do: a port for each leg, an empty registry, a ledger that writes. After all is
//! over nothing may be left in it.

use onekey::engine::input::{Answer, Input, Reply};
use onekey::engine::output::{Output, Question};
use onekey::engine::{Engine, EngineConfig, Remembered};
use onekey::ids::{AgentId, LegId, PlayId, WorkerId};
use onekey::key::Key;
use onekey::media::command::{MediaCommand, MediaEvent};
use onekey::rehearsal::{self, Stage};
use onekey::server::rehearse::stage;
use onekey::sip::registrar::{AgentAccount, Binding, DigestChoice};
use onekey::sip::{Datagram, Flow, Transport, digest};
use onekey::time::{Now, Time, Wall};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

pub const REALM: &str = "onekey";
pub const AGENT: &str = "1001";
pub const PASSWORD: &str = "stand-only";

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    stage(&root.join("tests/calls"), &root.join("prompts"), &[60, 65]).expect("the plan of the scenarios")
});

/// Where messages come from unless a test says otherwise; our side is `192.0.2.1` or `2001:db8::10`.
pub fn flow(transport: Transport, v6: bool) -> Flow {
    let (local, remote) =
        if v6 { ("[2001:db8::10]:5060", "[2001:db8::9:1]:5060") } else { ("192.0.2.1:5060", "192.0.2.21:5060") };
    let parse = |text: &str| text.parse().expect("an address");
    Flow { transport, local: parse(local), remote: parse(remote), connection: None }
}

/// One message of the engine's, as its receiver sees it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub flow: Flow,
    pub bytes: Vec<u8>,
}

impl Sent {
    /// Of the status line; `None`: a request.
    pub fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.bytes.strip_prefix(b"SIP/2.0 ")?.get(..3)?).ok()?.parse().ok()
    }

    /// The values of a header that we write under its full name.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).collect()
    }
}

/// The engine and all that it wished.
pub struct Stand {
    engine: Engine,
    now: Time,
    inputs: VecDeque<Input>,
    pub flow: Flow,
    pub sent: Vec<Sent>,
    pub media: Vec<MediaCommand>,
    /// The bindings of each agent as the store would keep them, last first.
    pub bindings: Vec<Binding>,
}

impl Stand {
    pub fn new() -> Stand {
        let account = AgentAccount {
            agent: AgentId::new(AGENT),
            ha1_md5: digest::ha1_md5(AGENT, REALM, PASSWORD),
            ha1_sha256: digest::ha1_sha256(AGENT, REALM, PASSWORD),
            digest: DigestChoice::Md5,
        };
        let remembered = Remembered { agents: vec![(account, Vec::new())], ..Remembered::default() };
        let (plan, prompts) = (Arc::clone(&STAGE.dialplan), Arc::clone(&STAGE.prompts));
        Stand {
            engine: Engine::new(clock(Time::ZERO), config(), plan, prompts, remembered),
            now: Time::ZERO,
            inputs: VecDeque::new(),
            flow: flow(Transport::Udp, false),
            sent: Vec::new(),
            media: Vec::new(),
            bindings: Vec::new(),
        }
    }

    pub fn by(flow: Flow) -> Stand {
        Stand { flow, ..Stand::new() }
    }

    /// This has arrived; what is sent because of it before any time passes.
    pub fn receive(&mut self, bytes: &[u8]) -> Vec<Sent> {
        let before = self.sent.len();
        self.tell(Input::Sip(Datagram { flow: self.flow, bytes: bytes.to_vec() }));
        self.sent[before..].to_vec()
    }

    /// The final status, if one was sent at once.
    pub fn status(&mut self, bytes: &[u8]) -> Option<u16> {
        self.receive(bytes).iter().filter_map(Sent::status).rfind(|status| *status >= 200)
    }

    pub fn tell(&mut self, input: Input) {
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            let mut wishes = Vec::new();
            self.engine.handle(clock(self.now), input, &mut wishes);
            for wish in wishes {
                self.wish(wish);
            }
            let broken = self.engine.broken_rules();
            assert!(broken.is_empty(), "{broken:?}");
        }
    }

    pub fn calls(&self) -> u64 {
        self.engine.snapshot(clock(self.now)).calls_total
    }

    pub fn calls_open(&self) -> usize {
        self.engine.calls_open()
    }

    /// Whoever is on this leg presses a key.
    pub fn press(&mut self, leg: LegId, key: Key) {
        self.tell(Input::Media(WorkerId(0), MediaEvent::Key { leg, key }));
    }

    /// A prompt has been said to its end.
    pub fn play_done(&mut self, leg: LegId, play: PlayId) {
        self.tell(Input::Media(WorkerId(0), MediaEvent::PlayDone { leg, play }));
    }

    /// Time passes until nothing is due any more, but for what a registration leaves; all must be gone then.
    pub fn rest(&mut self) {
        self.wait(Duration::from_secs(200));
        let left = self.engine.snapshot(clock(self.now)).calls;
        assert!(self.engine.is_quiet(), "something is left: {left:?}");
        assert!(!self.engine.awaits_anything(), "a timer is left");
    }

    pub fn wait(&mut self, longest: Duration) {
        let until = self.now + longest;
        while let Some(at) = self.engine.next_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.tell(Input::Tick);
        }
        self.now = until;
    }

    fn wish(&mut self, wish: Output) {
        match wish {
            Output::Sip(Datagram { flow, bytes }) => self.sent.push(Sent { flow, bytes }),
            Output::Media(worker, command) => {
                let event = match &command {
                    MediaCommand::Open { leg } => {
                        Some(MediaEvent::Opened { leg: *leg, port: 10_000 + leg.0 as u16 * 2 })
                    }
                    MediaCommand::Close { leg } => {
                        Some(MediaEvent::Closed { leg: *leg, counts: onekey::codec::StreamCounts::default() })
                    }
                    MediaCommand::Record { leg, .. } => {
                        Some(MediaEvent::RecordFailed { leg: *leg, reason: "no disk on the stand".into() })
                    }
                    _ => None,
                };
                self.inputs.extend(event.map(|event| Input::Media(worker, event)));
                self.media.push(command);
            }
            Output::Ask(ask) => {
                let answer = match ask.question {
                    Question::Registry(_) => Answer::Registry(None),
                    Question::Bindings(_, bindings) => {
                        self.bindings = bindings;
                        Answer::Written
                    }
                    Question::Promise(_) => Answer::Written,
                    Question::LookUp(_) => Answer::Failed("nobody is asked here".into()),
                };
                self.inputs.push_back(Input::Answered(Reply { id: ask.id, answer }));
            }
            Output::Ended(_) | Output::Log(_) | Output::Notice(_) | Output::Walked(..) => {}
        }
    }
}

fn clock(time: Time) -> Now {
    // A Monday morning, when the office of the plan is open.
    Now { time, wall: Wall::from_seconds(1_795_399_200) + time.since(Time::ZERO) }
}

fn config() -> EngineConfig {
    EngineConfig { seed: [7; 32], ..rehearsal::config() }
}
