//! A stream of facts into one engine under virtual time: messages by UDP and TCP, nearly right or not at all, media events,
//! answers of the world, orders, and time (DESIGN §3).
//!
//! After every fact no rule of the engine is broken, its wishes are few, and what it sends can be read. At the end
//! everybody answers and hangs up: then nothing may be left, and whoever was promised a person has had one or is still
//! owed one.

use super::phones::{self, AGENT_HOST, AGENTS, CONNECTION, HOSTS, Invite};
use super::take::Take;
use super::world::World;
use onekey::engine::input::{Answer, Command, Input};
use onekey::ids::{AgentId, PromiseId};
use onekey::key::Key;
use onekey::media::command::MediaEvent;
use onekey::sip::message::Method;
use std::time::Duration;

/// Facts that the fuzzer chooses: enough for a call with everything.
const STEPS_MAX: usize = 150;
const LINES: [&str; 7] = ["5550100", "5550102", "5550103", "5550104", "*40", "*41", "911"];
const CALLERS: [&str; 6] = [
    "\"Ann\" <sip:+12025550123@caller.example>",
    "<sip:+12025550124@caller.example>",
    "<sip:anonymous@anonymous.invalid>",
    "<tel:+12025550125>",
    "<sip:1001@onekey>",
    "\"a \\\" b, <c>\" <sip:%00%ff@[2001:db8::1]>",
];
const MORE: [&str; 6] = [
    "",
    "Record-Route: <sip:198.51.100.77;lr>, <sip:[2001:db8::7];lr>\r\n",
    "Require: 100rel\r\n",
    "Reason: Q.850;cause=38\r\n",
    "Content-Type: application/dtmf-relay\r\n",
    "Privacy: id\r\nP-Asserted-Identity: <sip:+12025550126@trunk.example>\r\n",
];
const METHODS: [&str; 10] =
    ["BYE", "INVITE", "INFO", "UPDATE", "ACK", "OPTIONS", "REFER", "PRACK", "MESSAGE", "CANCEL"];
const STATUSES: [u16; 12] = [200, 180, 486, 183, 100, 302, 401, 480, 487, 503, 603, 699];
const DIRECTIONS: [&str; 4] = ["sendrecv", "sendonly", "recvonly", "inactive"];

pub fn run(bytes: &[u8]) {
    let mut take = Take::new(bytes);
    let mut stream = Stream { world: World::new(take.byte()), invites: Vec::new(), numbers: 0, bent: None };
    for _ in 0..STEPS_MAX {
        if take.is_empty() {
            break;
        }
        stream.step(&mut take);
    }
    stream.world.heal();
}

/// The world, and what the fuzzer's phones have said so far.
struct Stream<'a> {
    world: World,
    invites: Vec<Invite>,
    numbers: u16,
    /// The next message is changed so: from where, how many bytes go, what comes instead.
    bent: Option<(usize, usize, &'a [u8])>,
}

impl<'a> Stream<'a> {
    fn step(&mut self, take: &mut Take<'a>) {
        match take.byte() % 24 {
            0..=2 => self.new_call(take),
            3 | 4 => self.respond(take),
            5 | 6 => self.within_a_dialog(take),
            7 => self.cancel(take),
            8 => self.register(take),
            9 | 10 => self.world.wait(take.pause()),
            11..=13 => self.media(take),
            14 => self.world.media_replies(take.byte()),
            15 => self.answer(take),
            16 => self.command(take),
            17 => self.world.reload(),
            18 => self.world.datagram(take.byte() % HOSTS as u8, take.chunk().to_vec()),
            19 => self.world.segment(take.chunk()),
            20 => self.again(take),
            21 => self.world.tell(Input::ConnectionClosed(CONNECTION)),
            22 => self.bent = Some((usize::from(take.word()), usize::from(take.byte()), take.chunk())),
            _ => self.world.automatic = take.byte(),
        }
    }

    /// Sends text, by UDP or by TCP, changed if it is to be.
    fn say(&mut self, host: u8, text: String, by: u8) {
        let mut bytes = text.into_bytes();
        if let Some((at, gone, instead)) = self.bent.take() {
            let at = at.min(bytes.len());
            let end = (at + gone).min(bytes.len());
            bytes.splice(at..end, instead.iter().copied());
        }
        match by & 0x80 {
            0 => self.world.datagram(host, bytes),
            _ => self.world.segment(&bytes),
        }
    }

    fn new_call(&mut self, take: &mut Take<'_>) {
        let (shape, by) = (take.byte(), take.byte());
        let host = shape & 3;
        let body = match by & 7 {
            0 => String::new(),
            kind => phones::description(host, DIRECTIONS[usize::from(kind) % 4]),
        };
        self.numbers += 1;
        let invite = Invite {
            host,
            number: self.numbers,
            dialled: LINES[usize::from(shape >> 2 & 7) % LINES.len()],
            from: CALLERS[usize::from(shape >> 5) % CALLERS.len()],
            more: MORE[usize::from(by >> 3 & 7) % MORE.len()],
            body,
        };
        self.invites.push(invite.clone());
        self.say(host, invite.text(), by);
    }

    fn cancel(&mut self, take: &mut Take<'_>) {
        let by = take.byte();
        if let Some(invite) = self.invites.iter().rev().nth(usize::from(by & 7)).cloned() {
            self.say(invite.host, invite.cancel(), by);
        }
    }

    /// An answer to one of the last requests of the engine.
    fn respond(&mut self, take: &mut Take<'_>) {
        let (which, how) = (take.byte(), take.byte());
        let status = STATUSES[usize::from(how & 15) % STATUSES.len()];
        let Some((host, request)) = self.world.heard(usize::from(which & 15), |message| message.is_request()) else {
            return;
        };
        let body = match how >> 4 & 7 {
            0 => String::new(),
            kind => phones::description(host, DIRECTIONS[usize::from(kind) % 4]),
        };
        self.say(host, phones::response(&request, host, status, &body), which);
    }

    /// A request in one of the last dialogs.
    fn within_a_dialog(&mut self, take: &mut Take<'_>) {
        let (which, how, what) = (take.byte(), take.byte(), take.byte());
        let begins = |message: &onekey::sip::message::Message| {
            *message.method() == Method::Invite && message.status().is_none_or(|status| (101..300).contains(&status))
        };
        let Some((host, known)) = self.world.heard(usize::from(which & 15), begins) else { return };
        let method = METHODS[usize::from(how & 15) % METHODS.len()];
        let more = MORE[usize::from(how >> 4) % MORE.len()];
        let body = match (method, what >> 6) {
            ("INFO", _) => format!("Signal={}\r\nDuration={}\r\n", char::from(what & 0x7f), u16::from(what) * 10),
            (_, 0) => String::new(),
            (_, kind) => phones::description(host, DIRECTIONS[usize::from(kind)]),
        };
        self.numbers += 1;
        let cseq = match method {
            "ACK" | "CANCEL" => known.cseq(),
            _ => u32::from(what & 0x3f) + u32::from(self.numbers),
        };
        let text = phones::within(&known, host, method, cseq, u32::from(self.numbers), more, &body);
        self.say(host, text, which);
    }

    fn register(&mut self, take: &mut Take<'_>) {
        let (who, expires) = (take.byte(), take.byte());
        let host = AGENT_HOST + (who & 1);
        self.numbers += 1;
        let challenge = self.world.challenge.take().filter(|_| who & 2 == 0);
        let expires = u32::from(expires) * 30;
        let text =
            phones::register(AGENTS[usize::from(who & 1)], host, self.numbers.into(), expires, challenge.as_deref());
        self.say(host, text, who);
    }

    /// What the media plane may tell of a leg that is open.
    fn media(&mut self, take: &mut Take<'_>) {
        let (which, what) = (take.byte(), take.byte());
        let Some(leg) = self.world.open_leg(usize::from(which)) else { return };
        let key = Key::from_event([0, 0, 0, 1, 2, 3, 7, 9, 10, 11][usize::from(what >> 4) % 10]).unwrap_or(Key::HUMAN);
        let held = Duration::from_millis(u64::from(what) * 10);
        self.world.media_event(match what & 7 {
            0..=2 => MediaEvent::Key { leg, key },
            3 => MediaEvent::KeyHeld { leg, key },
            4 => MediaEvent::KeyEnded { leg, key, held },
            5 => MediaEvent::FirstPacket { leg },
            6 => MediaEvent::Silent { leg, quiet: Duration::from_secs(30) },
            _ => MediaEvent::RecordFailed { leg, reason: "disk full".into() },
        });
    }

    fn answer(&mut self, take: &mut Take<'_>) {
        let what = take.byte();
        let answer = match what >> 4 {
            0..=7 => None,
            8..=11 => Some(Answer::Failed("gone".into())),
            12 => Some(Answer::Registry(Some(World::facts(70)))),
            13 => Some(Answer::Registry(Some(World::facts(20)))),
            14 => Some(Answer::Registry(None)),
            _ => Some(Answer::Written),
        };
        self.world.answer(usize::from(what & 15), answer);
    }

    fn command(&mut self, take: &mut Take<'_>) {
        let what = take.byte();
        let agent = AgentId::new(AGENTS[usize::from(what >> 7)]);
        self.world.tell(Input::Command(match what & 7 {
            0 | 1 => Command::HangUpAll,
            2 => Command::Drain,
            3 => Command::AgentRemoved(agent),
            4 => Command::PromiseClosed(PromiseId(1 + u64::from(what >> 4 & 7))),
            _ => Command::AgentSet(World::account(agent.as_str())),
        }));
    }

    /// Something that was sent before, as it was or changed.
    fn again(&mut self, take: &mut Take<'_>) {
        let which = take.byte();
        if let Some((host, bytes)) = self.world.sent(usize::from(which & 0x7f)) {
            self.say(host, String::from_utf8_lossy(&bytes).into_owned(), which);
        }
    }
}
