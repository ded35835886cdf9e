//! The load generator: callers and agents' phones, all on one SIP socket and few RTP sockets, in one thread that wakes
//! every millisecond. Cheap enough not to be the bottleneck: [`Crowd::effort`] tells.

use super::BenchError;
use super::cost::{thread_time, wall};
use super::hearing::Hearing;
use super::talking::Talkers;
use super::wire::{self, Reader};
use super::words::{self, Request};
use crate::server::rest::sleep_exactly;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

/// Few, so that many datagrams are read at once; several, so that one burst does not fill a socket's buffer.
const MEDIA_SOCKETS: usize = 8;
const TURN: Duration = Duration::from_millis(1);
/// An INVITE without any answer is sent again after this (RFC 3261 timer A).
const REPEAT: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Dialling,
    Up,
    /// We have sent BYE.
    Leaving,
    Ended,
    Refused,
}

/// One caller.
#[derive(Debug)]
pub struct Caller {
    pub state: State,
    tag: Option<String>,
    /// The server's RTP address, once it has answered.
    pub media: Option<SocketAddrV4>,
    dialled: Instant,
    /// From INVITE to its answer.
    pub answered_after: Duration,
    provisional: bool,
}

/// A call that an agent's phone has taken.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// When its INVITE was here, by the wall clock.
    pub invited: Duration,
    pub media: SocketAddrV4,
}

/// All callers and all agents.
pub struct Crowd {
    sip: UdpSocket,
    own: SocketAddrV4,
    server: SocketAddrV4,
    media: Vec<UdpSocket>,
    media_addresses: Vec<SocketAddrV4>,
    reader: Reader,
    pub hearing: Hearing,
    pub talkers: Talkers,
    pub callers: Vec<Caller>,
    /// By the server's Call-ID.
    taken: BTreeMap<String, Taken>,
    pub taken_now: Vec<Taken>,
    /// Whether agents answer, or only ring.
    pub agents_answer: bool,
    began: (Instant, Duration),
    next_turn: Instant,
}

impl Crowd {
    /// # Errors
    /// The system has no sockets.
    pub fn new() -> Result<Crowd, BenchError> {
        let host = Ipv4Addr::LOCALHOST;
        let sip = wire::open(host)?;
        let media = (0..MEDIA_SOCKETS).map(|_| wire::open(host)).collect::<Result<Vec<_>, _>>()?;
        let media_addresses = media.iter().map(wire::address).collect::<Result<Vec<_>, _>>()?;
        sleep_exactly();
        let now = Instant::now();
        Ok(Crowd {
            own: wire::address(&sip)?,
            sip,
            server: SocketAddrV4::new(host, 0),
            media,
            media_addresses,
            reader: Reader::default(),
            hearing: Hearing::default(),
            talkers: Talkers::default(),
            callers: Vec::new(),
            taken: BTreeMap::new(),
            taken_now: Vec::new(),
            agents_answer: true,
            began: (now, thread_time()),
            next_turn: now,
        })
    }

    /// Where agents' phones are.
    pub fn address(&self) -> SocketAddrV4 {
        self.own
    }

    pub fn call_at(&mut self, server: SocketAddrV4) {
        self.server = server;
    }

    /// Another caller dials; the number of the caller.
    pub fn dial(&mut self) -> usize {
        let number = self.callers.len();
        self.callers.push(Caller {
            state: State::Dialling,
            tag: None,
            media: None,
            dialled: Instant::now(),
            answered_after: Duration::ZERO,
            provisional: false,
        });
        self.invite(number);
        number
    }

    fn invite(&self, number: usize) {
        let body = words::sdp(self.media_addresses[number % MEDIA_SOCKETS]);
        let asked = Request { method: "INVITE", number: number as u64, cseq: 1, tag: None, body: &body };
        self.say(&words::request(&asked, self.own, self.server));
    }

    /// Ends a call that is up.
    pub fn hang_up(&mut self, number: usize) {
        if self.callers[number].state == State::Up {
            self.callers[number].state = State::Leaving;
            self.ask(number, "BYE", 2);
        }
    }

    fn ask(&self, number: usize, method: &str, cseq: u32) {
        let tag = self.callers[number].tag.as_deref();
        let asked = Request { method, number: number as u64, cseq, tag, body: "" };
        self.say(&words::request(&asked, self.own, self.server));
    }

    fn say(&self, text: &str) {
        // What the system does not take is as lost as on a network: SIP says it again.
        let _ = self.sip.send_to(text.as_bytes(), self.server);
    }

    /// The caller begins to send, 50 packets a second.
    pub fn talk(&mut self, number: usize) {
        if let Some(to) = self.callers[number].media {
            self.talkers.join(number % MEDIA_SOCKETS, to, number as u32);
        }
    }

    /// The agent who took this call begins to send.
    pub fn talk_back(&mut self, taken: &Taken, number: usize) {
        self.talkers.join(number % MEDIA_SOCKETS, taken.media, 0x8000_0000 | number as u32);
    }

    /// Presses a key (RFC 4733), and returns when its first packet left.
    pub fn press(&mut self, number: usize, key: u8) -> Duration {
        let Some(to) = self.callers[number].media else { return wall() };
        self.talkers.press(&self.media[number % MEDIA_SOCKETS], to, number as u32, key)
    }

    /// Lives on until `until` says so or `limit` is over; whether it did.
    ///
    /// # Errors
    /// A socket cannot be read.
    pub fn live(&mut self, limit: Duration, mut until: impl FnMut(&mut Crowd) -> bool) -> Result<bool, BenchError> {
        let end = Instant::now() + limit;
        loop {
            if until(self) {
                return Ok(true);
            }
            if Instant::now() >= end {
                return Ok(false);
            }
            self.turn()?;
        }
    }

    /// One millisecond: what is due is sent, what has come is read.
    fn turn(&mut self) -> Result<(), BenchError> {
        self.next_turn = (self.next_turn + TURN).max(Instant::now() - TURN * 20);
        std::thread::sleep(self.next_turn.saturating_duration_since(Instant::now()));
        self.talkers.send_due(&self.media, wall());
        let mut reader = std::mem::take(&mut self.reader);
        for socket in &self.media {
            reader.drain(socket, |arrival| self.hearing.take(arrival))?;
        }
        let mut messages = Vec::new();
        reader.drain(&self.sip, |arrival| {
            messages.push((String::from_utf8_lossy(arrival.bytes).into_owned(), arrival.at))
        })?;
        self.reader = reader;
        for (message, at) in messages {
            match words::status(&message) {
                Some(code) => self.answered(&message, code),
                None => self.asked(&message, at),
            }
        }
        Ok(())
    }

    /// INVITEs of which nothing has been heard for so long that a phone would have sent them again.
    pub fn unanswered(&self) -> usize {
        let is_silent = |caller: &&Caller| {
            caller.state == State::Dialling && !caller.provisional && caller.dialled.elapsed() > REPEAT
        };
        self.callers.iter().filter(is_silent).count()
    }

    fn answered(&mut self, message: &str, code: u16) {
        let number = words::header(message, "Call-ID").and_then(|id| id.strip_suffix("@bench")?.parse::<usize>().ok());
        let Some(number) = number.filter(|number| *number < self.callers.len()) else { return };
        let is_invite = words::header(message, "CSeq").is_some_and(|value| value.ends_with("INVITE"));
        let caller = &mut self.callers[number];
        match (is_invite, code) {
            (true, 100..=199) => caller.provisional = true,
            (true, 200) => {
                if caller.state == State::Dialling {
                    caller.state = State::Up;
                    caller.answered_after = caller.dialled.elapsed();
                    let to = words::header(message, "To").and_then(|to| to.split_once(";tag="));
                    caller.tag = to.map(|(_, tag)| tag.to_owned());
                    caller.media = words::audio_port(message).map(|port| SocketAddrV4::new(*self.server.ip(), port));
                    caller.media.iter().for_each(|media| self.hearing.forget(media.port()));
                }
                self.ask(number, "ACK", 1);
            }
            (true, _) => {
                caller.state = State::Refused;
                self.ask(number, "ACK", 1);
            }
            (false, _) => caller.state = State::Ended,
        }
    }

    /// The server rings an agent, or ends a call.
    fn asked(&mut self, message: &str, at: Duration) {
        let id = words::header(message, "Call-ID").unwrap_or_default().to_owned();
        let method = message.split(' ').next().unwrap_or_default();
        match method {
            "ACK" => {}
            "INVITE" => {
                let Some(port) = words::audio_port(message) else { return };
                let media = SocketAddrV4::new(*self.server.ip(), port);
                if !self.taken.contains_key(&id) {
                    let taken = Taken { invited: at, media };
                    self.hearing.forget(port);
                    self.taken.insert(id, taken);
                    self.taken_now.push(taken);
                }
                let body = words::sdp(self.media_addresses[usize::from(port / 2) % MEDIA_SOCKETS]);
                let (code, body) = if self.agents_answer { (200, body.as_str()) } else { (180, "") };
                self.say(&words::response(message, code, self.own, body));
            }
            "CANCEL" => {
                self.say(&words::response(message, 200, self.own, ""));
                self.say(&words::response(
                    &message.replacen("CANCEL", "INVITE", 1).replace(" CANCEL\r", " INVITE\r"),
                    487,
                    self.own,
                    "",
                ));
            }
            _ => {
                if let Some(number) = id.strip_suffix("@bench").and_then(|number| number.parse::<usize>().ok())
                    && let Some(caller) = self.callers.get_mut(number)
                    && method == "BYE"
                {
                    caller.state = State::Ended;
                }
                self.say(&words::response(message, 200, self.own, ""));
            }
        }
    }

    pub fn count(&self, state: State) -> usize {
        self.callers.iter().filter(|caller| caller.state == state).count()
    }

    /// Since the start or the last [`Crowd::begin`]: the share of one processor that this thread has used. Above 0.8 it
    /// is the load generator that is measured.
    pub fn effort(&self) -> f64 {
        let (at, used) = self.began;
        (thread_time().saturating_sub(used)).as_secs_f64() / at.elapsed().as_secs_f64().max(1e-9)
    }

    /// Counts from now on.
    pub fn begin(&mut self) {
        self.hearing.begin();
        self.talkers.begin();
        self.began = (Instant::now(), thread_time());
    }
}
