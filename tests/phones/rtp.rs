//! The sound side of our test phones: RTP (RFC 3550) and keys (RFC 4733) written from the RFCs' text alone. One thread
//! sends for every stream of the process, 50 packets a second each in four phases; one receives and measures.

use crate::wav;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

/// What a phone says.
#[derive(Clone, Debug)]
pub enum Sound {
    /// No packets at all, as a phone that vanished.
    Nothing,
    Silence,
    /// Packets whose every byte pair is this number: who hears it knows whom he hears. PCMU bytes, never decoded.
    Pattern(u16),
    /// Mu-law, over and over.
    Voice(Arc<Vec<u8>>),
}

/// One press of a key.
#[derive(Clone, Copy, Debug)]
pub struct Press {
    pub key: char,
    pub held: Duration,
    /// Packets with the end bit: 3 by the RFC, 0 where they are lost.
    pub ends: u8,
}

impl Press {
    pub fn new(key: char) -> Press {
        Press { key, held: Duration::from_millis(100), ends: 3 }
    }
}

/// What a phone has heard.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub packets: u64,
    pub first: Option<Instant>,
    pub last: Option<Instant>,
    /// Times with more than 40 ms from one packet to the next.
    pub gaps: u64,
    /// Sequence numbers that never came.
    pub lost: u64,
    /// Packets of each [`Sound::Pattern`].
    pub patterns: BTreeMap<u16, u64>,
    /// Mu-law payloads in order of arrival, where they are kept.
    pub audio: Vec<u8>,
    /// Keys by RFC 4733, each new event once.
    pub keys: String,
    /// Packets that are no RTP.
    pub junk: u64,
    /// Packets from another address than the peer's SDP names: a phone behind a firewall would not hear them.
    pub astray: u64,
    last_sequence: Option<u16>,
    last_event: Option<u32>,
}

impl Heard {
    pub fn samples(&self) -> Vec<i16> {
        self.audio.iter().map(|byte| wav::from_mulaw(*byte)).collect()
    }
}

/// One phone's RTP socket. Clones are the same stream; with the last one gone the socket closes.
#[derive(Clone, Debug)]
pub struct Stream(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    socket: UdpSocket,
    remote: Option<SocketAddr>,
    sound: Sound,
    at: usize,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    event_type: u8,
    keys: VecDeque<Press>,
    /// Packets of the present key that have left.
    key_sent: u32,
    key_began: Option<Instant>,
    sent: u64,
    phase: u64,
    keep: bool,
    heard: Heard,
}

static STREAMS: LazyLock<Streams> = LazyLock::new(Streams::start);

struct Streams {
    all: Mutex<BTreeMap<u64, Weak<Mutex<State>>>>,
    epoll: Epoll,
}

impl Stream {
    /// A socket on `host` with a port of the kernel's choice that says nothing yet.
    pub fn open(host: Ipv4Addr) -> Stream {
        let socket = UdpSocket::bind((host, 0)).expect("an RTP socket");
        socket.set_nonblocking(true).expect("a socket that does not block");
        let mut all = STREAMS.all.lock().expect("streams");
        let number = all.last_key_value().map_or(1, |(last, _)| last + 1);
        let event = EpollEvent::new(EpollFlags::EPOLLIN, number);
        STREAMS.epoll.add(&socket, event).expect("a socket watched");
        let stream = Stream(Arc::new(Mutex::new(State {
            socket,
            remote: None,
            sound: Sound::Silence,
            at: 0,
            ssrc: 0x5150_0000 + number as u32,
            sequence: (number as u16).wrapping_mul(977),
            timestamp: (number as u32).wrapping_mul(7919),
            event_type: 101,
            keys: VecDeque::new(),
            key_sent: 0,
            key_began: None,
            sent: 0,
            phase: number % 4,
            keep: true,
            heard: Heard::default(),
        })));
        all.insert(number, Arc::downgrade(&stream.0));
        stream
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("a stream")
    }

    pub fn port(&self) -> u16 {
        self.state().socket.local_addr().expect("its address").port()
    }

    /// Packets sent so far.
    #[allow(dead_code)] // tests/phones_abuse uses it
    pub fn sent(&self) -> u64 {
        self.state().sent
    }

    /// Sends these very bytes from the phone's own socket to where its packets go.
    #[allow(dead_code)] // tests/phones_abuse uses it
    pub fn inject(&self, packet: &[u8]) {
        let state = self.state();
        if let Some(remote) = state.remote {
            let _ = state.socket.send_to(packet, remote);
        }
    }

    /// From now on packets go to `remote`; `event_type` is the payload type agreed for keys.
    pub fn connect(&self, remote: SocketAddr, event_type: u8) {
        let mut state = self.state();
        state.remote = Some(remote);
        state.event_type = event_type;
    }

    pub fn remote(&self) -> Option<SocketAddr> {
        self.state().remote
    }

    pub fn say(&self, sound: Sound) {
        let mut state = self.state();
        state.at = 0;
        state.sound = sound;
    }

    /// Forget payloads on arrival: many calls for a long time.
    pub fn count_only(&self) {
        self.state().keep = false;
    }

    /// Sends the key's first packet now, the rest as time goes on; behind a key that is under way, after it.
    pub fn press(&self, press: Press) -> Instant {
        let mut state = self.state();
        state.keys.push_back(press);
        if state.keys.len() == 1 {
            state.send_key();
        }
        Instant::now()
    }

    pub fn heard(&self) -> Heard {
        self.state().heard.clone()
    }

    /// What was heard until now is forgotten.
    pub fn forget(&self) {
        let mut state = self.state();
        let (sequence, event) = (state.heard.last_sequence, state.heard.last_event);
        state.heard = Heard { last_sequence: sequence, last_event: event, ..Heard::default() };
    }

    /// Packets heard of one pattern.
    pub fn heard_pattern(&self, pattern: u16) -> u64 {
        self.state().heard.patterns.get(&pattern).copied().unwrap_or(0)
    }
}

impl State {
    fn send_packet(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) {
        let Some(remote) = self.remote else { return };
        let mut packet = Vec::with_capacity(172);
        packet.extend_from_slice(&[0x80, payload_type | if marker { 0x80 } else { 0 }]);
        packet.extend_from_slice(&self.sequence.to_be_bytes());
        packet.extend_from_slice(&timestamp.to_be_bytes());
        packet.extend_from_slice(&self.ssrc.to_be_bytes());
        packet.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.sent += 1;
        // The peer may be gone: that is what some tests are about.
        let _ = self.socket.send_to(&packet, remote);
    }

    /// 20 ms have passed.
    fn step(&mut self) {
        if !self.keys.is_empty() {
            self.send_key();
            return;
        }
        let payload = match &self.sound {
            Sound::Nothing => {
                self.timestamp = self.timestamp.wrapping_add(160);
                return;
            }
            Sound::Silence => vec![0xff; 160],
            Sound::Pattern(number) => number.to_be_bytes().repeat(80),
            Sound::Voice(bytes) => {
                let at = self.at;
                self.at = (self.at + 160) % bytes.len();
                (0..160).map(|offset| bytes[(at + offset) % bytes.len()]).collect()
            }
        };
        self.send_packet(0, self.sent == 0, self.timestamp, &payload);
        self.timestamp = self.timestamp.wrapping_add(160);
    }

    /// One packet of the key under way, or its end packets. Durations beyond 0xffff stay there (RFC 4733 §2.5.1.3 would
    /// begin a new segment after 8 s; no test holds a key so long).
    fn send_key(&mut self) {
        let Some(press) = self.keys.front().copied() else { return };
        let event = "0123456789*#ABCD".find(press.key).expect("a key of a telephone") as u8;
        let began = *self.key_began.get_or_insert_with(Instant::now);
        self.key_sent += 1;
        let duration = (self.key_sent * 160).min(0xffff) as u16;
        let [high, low] = duration.to_be_bytes();
        let over = self.key_sent > 1 && began.elapsed() >= press.held;
        if over {
            for _ in 0..press.ends {
                self.send_packet(self.event_type, false, self.timestamp, &[event, 0x80 | 10, high, low]);
            }
            self.timestamp = self.timestamp.wrapping_add(self.key_sent * 160);
            self.keys.pop_front();
            self.key_sent = 0;
            self.key_began = None;
        } else {
            self.send_packet(self.event_type, self.key_sent == 1, self.timestamp, &[event, 10, high, low]);
        }
    }

    fn receive(&mut self) {
        let mut bytes = [0u8; 2048];
        while let Ok((length, from)) = self.socket.recv_from(&mut bytes) {
            self.heard.astray += u64::from(self.remote.is_some_and(|remote| remote != from));
            self.measure(&bytes[..length]);
        }
    }

    fn measure(&mut self, packet: &[u8]) {
        let now = Instant::now();
        if packet.len() < 12 || packet[0] >> 6 != 2 || (72..=76).contains(&(packet[1] & 0x7f)) {
            self.heard.junk += 1;
            return;
        }
        let heard = &mut self.heard;
        heard.packets += 1;
        heard.first.get_or_insert(now);
        if heard.last.is_some_and(|last| now - last > Duration::from_millis(40)) {
            heard.gaps += 1;
        }
        heard.last = Some(now);
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        let timestamp = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        let ahead = heard.last_sequence.map_or(1, |last| sequence.wrapping_sub(last));
        // A jump beyond 100 is a new stream, not a loss.
        heard.lost += u64::from(if (2..100).contains(&ahead) { ahead - 1 } else { 0 });
        heard.last_sequence = Some(sequence);
        let payload = &packet[12..];
        if packet[1] & 0x7f == self.event_type && payload.len() == 4 {
            if heard.last_event != Some(timestamp) {
                heard.last_event = Some(timestamp);
                heard.keys.extend("0123456789*#ABCD".chars().nth(usize::from(payload[0])));
            }
        } else if payload.len() >= 4 {
            if payload[0] != 0xff && payload.chunks(2).all(|pair| *pair == payload[..2]) {
                *heard.patterns.entry(u16::from_be_bytes([payload[0], payload[1]])).or_default() += 1;
            }
            if self.keep {
                heard.audio.extend_from_slice(payload);
            }
        }
    }
}

impl Streams {
    fn start() -> Streams {
        std::thread::spawn(send_for_ever);
        std::thread::spawn(receive_for_ever);
        Streams { all: Mutex::default(), epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("epoll") }
    }
}

fn send_for_ever() {
    let mut due = Instant::now();
    for tick in 0u64.. {
        due += Duration::from_millis(5);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let streams: Vec<_> = {
            let mut all = STREAMS.all.lock().expect("streams");
            all.retain(|_, stream| stream.strong_count() > 0);
            all.values().filter_map(Weak::upgrade).collect()
        };
        for stream in streams {
            let mut state = stream.lock().expect("a stream");
            if state.phase == tick % 4 {
                state.step();
            }
        }
    }
}

fn receive_for_ever() {
    let mut events = [EpollEvent::empty(); 64];
    loop {
        let count = STREAMS.epoll.wait(&mut events, EpollTimeout::NONE).unwrap_or(0);
        for event in &events[..count] {
            let stream = STREAMS.all.lock().expect("streams").get(&event.data()).and_then(Weak::upgrade);
            if let Some(stream) = stream {
                stream.lock().expect("a stream").receive();
            }
        }
    }
}
