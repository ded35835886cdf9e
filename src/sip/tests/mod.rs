//! Two stacks on a wire under virtual time, for the stack's tests; and one stack facing hand-written messages.
//!
//! The wire loses, doubles and reorders by a seed. Beside each stack stands the least that an engine does.

mod calls;
mod changes;
mod crossing;
mod forks;
mod hostile;
mod lossy;
mod peer;
mod register;
mod requests;
mod strangers;

use super::message::Message;
use super::reader::read;
use super::stack::{Callee, OutgoingInvite, SipOutput, SipStack, SipTimer};
use super::{Datagram, Flow, SipConfig, SipEvent, Transport, Trunk};
use crate::ids::{AgentId, LegId};
use crate::time::{Now, Time, Wall};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub const A: usize = 0;
pub const B: usize = 1;
pub const OFFER: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n";
pub const ANSWER: &[u8] = b"v=0\r\no=- 2 1 IN IP4 192.0.2.2\r\ns=-\r\n";

pub fn config() -> SipConfig {
    SipConfig {
        realm: "onekey.example".into(),
        advertised: None,
        trunks: vec![Trunk {
            name: "carrier".into(),
            addresses: vec![("198.51.100.0".parse().unwrap(), 24)],
            asserts_identity: true,
            dial: None,
        }],
        product: "Onekey".into(),
        registration_seconds_max: 3600,
        registration_seconds_min: 60,
        transactions_max: 1000,
        contacts_max: 3,
        strangers: Default::default(),
    }
}

pub fn address(side: usize) -> SocketAddr {
    ["192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap()][side]
}

pub fn now_at(time: Time) -> Now {
    Now { time, wall: Wall::from_seconds(1_790_000_000) + (time - Time::ZERO) }
}

/// What the wire does to messages, by its seed.
#[derive(Clone, Copy, Default)]
pub struct Faults {
    pub lost_percent: u32,
    pub doubled_percent: u32,
    /// Most milliseconds that a message takes; the least is 1.
    pub delay_ms_max: u32,
}

pub struct Side {
    pub stack: SipStack,
    pub events: Vec<SipEvent>,
    pub timers: BTreeMap<SipTimer, Time>,
}

pub struct Net {
    pub time: Time,
    pub sides: [Side; 2],
    pub faults: Faults,
    pub random: ChaCha8Rng,
    pub transport: Transport,
    /// Says of a message that it is to be lost: from which side, and what.
    pub lose: fn(usize, &Message) -> bool,
    /// All that was sent, lost or not.
    pub sent: Vec<(usize, Vec<u8>)>,
    on_the_way: BTreeMap<(Time, u64), (usize, Vec<u8>)>,
    count: u64,
}

impl Net {
    pub fn new(seed: u64, faults: Faults) -> Net {
        let side = |number: u8| {
            let mut key = [number; 32];
            key[..8].copy_from_slice(&seed.to_be_bytes());
            Side { stack: SipStack::new(config(), key), events: Vec::new(), timers: BTreeMap::new() }
        };
        Net {
            time: Time::ZERO,
            sides: [side(1), side(2)],
            faults,
            random: ChaCha8Rng::seed_from_u64(seed),
            transport: Transport::Udp,
            lose: |_, _| false,
            sent: Vec::new(),
            on_the_way: BTreeMap::new(),
            count: 0,
        }
    }

    pub fn now(&self) -> Now {
        now_at(self.time)
    }

    pub fn percent(&mut self, percent: u32) -> bool {
        self.random.next_u32() % 100 < percent
    }

    /// Lets the engine of a side order something.
    pub fn order<T>(&mut self, side: usize, order: impl FnOnce(&mut SipStack, Now, &mut Vec<SipOutput>) -> T) -> T {
        let mut out = Vec::new();
        let now = self.now();
        let result = order(&mut self.sides[side].stack, now, &mut out);
        self.carry_out(side, out);
        result
    }

    pub fn flow(&self, side: usize) -> Flow {
        Flow {
            transport: self.transport,
            local: address(side),
            remote: address(1 - side),
            connection: (self.transport == Transport::Tcp).then_some(7),
        }
    }

    /// Side A calls side B.
    pub fn call(&mut self) -> LegId {
        let invite = OutgoingInvite {
            uri: "sip:5550100@192.0.2.2".into(),
            flow: self.flow(A),
            to: Callee::Agent(AgentId::new("5550100")),
            from_number: Some("+12025550123".into()),
            from_name: Some("Ann \"A\"".into()),
            offer: OFFER.to_vec(),
            headers: vec![("X-Onekey-Queue".into(), "care".into())],
        };
        self.order(A, |stack, now, out| {
            let leg = stack.new_leg();
            stack.invite(now, leg, invite, out);
            leg
        })
    }

    /// Carries messages and timers up to `until`; `react` is asked after each event of either side.
    pub fn run(&mut self, until: Time, react: &mut dyn FnMut(&mut Net, usize, &SipEvent)) {
        let mut told = [self.sides[A].events.len(), self.sides[B].events.len()];
        loop {
            for side in [A, B] {
                while let Some(event) = self.sides[side].events.get(told[side]).cloned() {
                    told[side] += 1;
                    react(self, side, &event);
                }
            }
            if (0..2).any(|side| told[side] < self.sides[side].events.len()) {
                continue;
            }
            let timer = (0..2)
                .flat_map(|side| self.sides[side].timers.iter().map(move |(timer, at)| (*at, side, *timer)))
                .min();
            let message = self.on_the_way.keys().next().copied();
            let next = [timer.map(|timer| timer.0), message.map(|message| message.0)].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            self.time = self.time.max(next);
            match (message, timer) {
                (Some(message), _) if message.0 == next => self.deliver(message),
                (_, Some((_, side, timer))) => {
                    self.sides[side].timers.remove(&timer);
                    self.order(side, |stack, now, out| stack.timeout(now, timer, out));
                }
                _ => {}
            }
        }
        self.time = until;
    }

    pub fn run_for(&mut self, length: Duration, react: &mut dyn FnMut(&mut Net, usize, &SipEvent)) {
        self.run(self.time + length, react);
    }

    /// Runs without anybody deciding anything.
    pub fn wait(&mut self, seconds: u64) {
        self.run_for(Duration::from_secs(seconds), &mut |_, _, _| {});
    }

    pub fn is_quiet(&self) -> bool {
        self.sides.iter().all(|side| side.stack.is_quiet() && side.timers.is_empty()) && self.on_the_way.is_empty()
    }

    /// First lines of what a side sent.
    pub fn lines(&self, side: usize) -> Vec<String> {
        let sent = self.sent.iter().filter(|(from, _)| *from == side);
        sent.map(|(_, bytes)| first_word(bytes)).collect()
    }

    fn deliver(&mut self, key: (Time, u64)) {
        let Some((to, bytes)) = self.on_the_way.remove(&key) else { return };
        let flow = self.flow(to);
        self.order(to, |stack, now, out| stack.receive(now, Datagram { flow, bytes }, out));
    }

    fn carry_out(&mut self, side: usize, out: Vec<SipOutput>) {
        for output in out {
            match output {
                SipOutput::Event(event) => self.sides[side].events.push(event),
                SipOutput::Set(timer, at) => drop(self.sides[side].timers.insert(timer, at)),
                SipOutput::Clear(timer) => drop(self.sides[side].timers.remove(&timer)),
                SipOutput::Send(datagram) => self.put_on_the_way(side, datagram.bytes),
            }
        }
    }

    fn put_on_the_way(&mut self, from: usize, bytes: Vec<u8>) {
        let message = read(bytes.clone()).expect("what we send can be read");
        self.sent.push((from, bytes.clone()));
        if (self.lose)(from, &message) || self.percent(self.faults.lost_percent) {
            return;
        }
        let copies = if self.percent(self.faults.doubled_percent) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = 1 + self.random.next_u32() % self.faults.delay_ms_max.max(1);
            self.count += 1;
            let at = self.time + Duration::from_millis(u64::from(delay));
            self.on_the_way.insert((at, self.count), (1 - from, bytes.clone()));
        }
    }
}

/// `INVITE` or `486 INVITE`.
pub fn first_word(bytes: &[u8]) -> String {
    let message = read(bytes.to_vec()).unwrap();
    match message.status() {
        Some(status) => format!("{status} {}", message.method()),
        None => message.method().to_string(),
    }
}

/// The leg of an event that ends one.
pub fn terminal(event: &SipEvent) -> Option<LegId> {
    match event {
        SipEvent::Cancelled { leg, .. } | SipEvent::Rejected { leg, .. } | SipEvent::Ended { leg, .. } => Some(*leg),
        _ => None,
    }
}

/// The leg that side B was offered last.
pub fn incoming(events: &[SipEvent]) -> LegId {
    let mut legs = events.iter().filter_map(|event| match event {
        SipEvent::Incoming(invitation) => Some(invitation.leg),
        _ => None,
    });
    legs.next_back().expect("no INVITE has come")
}
