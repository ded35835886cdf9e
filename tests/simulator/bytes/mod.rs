//! The bytes gear: real media planes, real RTP from phones and strangers, a lossy network between, all in virtual time.
//!
//! A listener (`listener`, `view` and what they use) keeps its own idea of every leg and complains in `wrong` of whatever a
//! phone, an agent or a lawyer would complain of. What the far ends send is in `far`, what becomes of it in `air`.

mod air;
mod ear;
mod far;
mod keys;
mod listener;
mod mouth;
mod orders;
mod own_keys;
mod packets;
mod plays;
mod run;
mod tapes;
#[cfg(test)]
mod tests;
mod view;
#[cfg(test)]
mod weather;
mod wire;

pub use air::Air;
pub use listener::Counts;

use air::{Coming, Happening};
use far::{Phone, STRANGERS, Stranger};
use listener::Listener;
use onekey::codec::Codec;
use onekey::ids::{LegId, WorkerId};
use onekey::key::Key;
use onekey::media::command::{MediaCommand, MediaEvent};
use onekey::media::{MediaConfig, MediaInput, MediaOutput, MediaPlane};
use onekey::time::Time;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use view::State;

const FIRST_PORT: u16 = 10_000;
const PORTS_EACH: u16 = 2000;

/// Real media planes, one a worker, with a lossy network between them and the far ends; all in virtual time.
pub struct Bytes {
    /// What a listener would complain of, one sentence each, with leg and time.
    pub wrong: Vec<String>,
    workers: Vec<Worker>,
    seed: u64,
    lives: u8,
    dice: ChaCha12Rng,
    timeout: Duration,
    now: Time,
    air: Air,
    coming: Coming,
    phones: Vec<Phone>,
    phone_at: BTreeMap<SocketAddr, u32>,
    strangers: Vec<Stranger>,
    speakers: u16,
    presses: u32,
    listener: Listener,
    audited: Time,
    ports_fail: u32,
    told: Vec<(WorkerId, MediaEvent)>,
    wishes: Vec<MediaOutput>,
}

struct Worker {
    plane: MediaPlane,
    next: Option<Time>,
    /// Whose ports are bound.
    bound: BTreeMap<u16, LegId>,
}

impl Bytes {
    pub fn new(workers: u16, seed: u64, air: Air, rtp_timeout: Duration) -> Bytes {
        let mut bytes = Bytes {
            wrong: Vec::new(),
            workers: Vec::new(),
            seed,
            lives: 0,
            dice: ChaCha12Rng::seed_from_u64(seed),
            timeout: rtp_timeout,
            now: Time::ZERO,
            air,
            coming: Coming::default(),
            phones: Vec::new(),
            phone_at: BTreeMap::new(),
            strangers: Vec::new(),
            speakers: 0,
            presses: 0,
            listener: Listener::new(rtp_timeout),
            audited: Time::ZERO,
            ports_fail: 0,
            told: Vec::new(),
            wishes: Vec::new(),
        };
        bytes.workers = (0..workers).map(|worker| bytes.worker(worker)).collect();
        bytes
    }

    fn worker(&self, worker: u16) -> Worker {
        let first_port = FIRST_PORT + worker * PORTS_EACH;
        let mut seed = [self.lives; 32];
        seed[..8].copy_from_slice(&self.seed.to_be_bytes());
        seed[8] = worker as u8;
        let last_port = first_port + PORTS_EACH - 1;
        let config = MediaConfig { first_port, last_port, rtp_timeout: self.timeout, seed };
        Worker { plane: MediaPlane::new(config), next: None, bound: BTreeMap::new() }
    }

    /// The weather changes.
    pub fn set_air(&mut self, air: Air) {
        self.air = air;
        self.listener.tapes.disturb(self.now);
    }

    /// A disk that cannot record: `RecordOpen` and `RecordSamples` fail.
    pub fn set_recording_fails(&mut self, fails: bool) {
        self.listener.tapes.fails = fails;
    }

    /// `Bind` is answered with `ok: false` so many times in a hundred.
    pub fn set_ports_fail(&mut self, one_in_hundred: u32) {
        self.ports_fail = one_in_hundred;
    }

    /// The process was killed: planes are new, phones send on.
    pub fn restart(&mut self) {
        self.lives += 1;
        self.listener.forget_all();
        self.told.clear();
        self.workers = (0..self.workers.len() as u16).map(|worker| self.worker(worker)).collect();
    }

    pub fn open_port_of(&self, leg: LegId) -> Option<u16> {
        self.listener.views.get(&leg).filter(|view| view.state == State::Open)?.port
    }

    /// Legs whose ports are still taken.
    pub fn all_open(&self) -> Vec<LegId> {
        let open = |(leg, view): (&LegId, &view::View)| (view.state != State::Refused).then_some(*leg);
        self.listener.views.iter().filter_map(open).collect()
    }

    pub fn counts(&self) -> Counts {
        Counts { presses: u64::from(self.presses), ..self.listener.counts }
    }

    /// The next moment at which something happens by itself (a plane's timer, a packet that arrives, a far end that sends).
    pub fn next(&self) -> Option<Time> {
        let told = (!self.told.is_empty()).then_some(self.now);
        told.or_else(|| self.due())
    }

    fn due(&self) -> Option<Time> {
        let planes = self.workers.iter().filter_map(|worker| worker.next).min();
        planes.into_iter().chain(self.coming.next()).min()
    }

    /// An order of the engine. Events come out of `advance`.
    pub fn order(&mut self, now: Time, worker: WorkerId, command: MediaCommand) {
        self.run(now);
        if usize::from(worker.0) >= self.workers.len() {
            return self.wrong.push(format!("there is no worker {}: {command:?}", worker.0));
        }
        if self.listener.order(now, worker.0, &command) {
            self.give(now, worker.0, MediaInput::Command(command.clone()), run::Cause::Order(&command));
            self.listener.ordered(now, &command);
        }
        self.wrong.append(&mut self.listener.wrong);
    }

    /// Lets everything due until `now` happen, in order of time; returns what the planes tell the engine.
    pub fn advance(&mut self, now: Time) -> Vec<(WorkerId, MediaEvent)> {
        self.run(now);
        std::mem::take(&mut self.told)
    }
}

/// What far ends do.
impl Bytes {
    /// A phone at `from` sends to the engine's port `to_port` from now on (20 ms frames of its law), or anew to another port.
    pub fn phone_talks(&mut self, now: Time, from: SocketAddr, to_port: u16, codec: Codec, events: Option<u8>) {
        self.run(now);
        let count = self.phones.len() as u32;
        let index = *self.phone_at.entry(from).or_insert(count);
        if index == count {
            self.phones.push(Phone::new(from));
        }
        // One that was rebooted goes on with other numbers.
        let rebooted = self.dice.next_u32().is_multiple_of(4);
        let phone = &mut self.phones[index as usize];
        (phone.codec, phone.events) = (codec, events);
        let anew = phone.to_port != to_port || !phone.talking && rebooted;
        if anew {
            phone.to_port = to_port;
            self.speakers = (self.speakers + 1) % STRANGERS;
            phone.begin_stream(self.speakers, &mut self.dice);
        }
        if !phone.talking {
            if !anew {
                phone.resume(now);
            }
            phone.talking = true;
            self.coming.plan(now, Happening::PhoneSends { phone: index, turn: phone.turn });
        }
    }

    /// Stops sending (on hold, hung up, crashed, mute).
    pub fn phone_is_quiet(&mut self, from: SocketAddr) {
        if let Some(index) = self.phone_at.get(&from) {
            self.phones[*index as usize].hush();
        }
    }

    /// Presses a key for so long: RFC 4733 event packets in its stream (begin marked, updates each 20 ms, end three times),
    /// through the same air. A phone that does not talk, or has no events, has nothing to press it in.
    pub fn phone_presses(&mut self, now: Time, from: SocketAddr, key: Key, length: Duration) {
        self.run(now);
        if let Some(index) = self.phone_at.get(&from) {
            let phone = &mut self.phones[*index as usize];
            if phone.talking && phone.events.is_some() {
                phone.press(key, length);
            }
        }
    }

    /// Somebody else sends RTP (another address and SSRC; or the right address with another SSRC while the first is alive)
    /// at this port, with sound and keys that nobody may ever hear. He stops by himself.
    pub fn stranger_sends(&mut self, now: Time, at_port: u16, spoofs: Option<SocketAddr>) {
        self.run(now);
        let index = self.strangers.len() as u32;
        let dice = &mut self.dice;
        let worker = self.workers.get(usize::from(at_port.wrapping_sub(FIRST_PORT) / PORTS_EACH));
        let leg = worker.and_then(|worker| worker.bound.get(&at_port));
        let ear = leg.and_then(|leg| self.listener.views.get(leg)).map(|view| &view.ear);
        let format = ear.and_then(|ear| ear.format);
        let own = SocketAddr::from(([203, 0, 113, (index % 250) as u8], 7000 + 2 * (index % 1000) as u16));
        // Half of those who come from elsewhere have overheard the right SSRC, or are at the right numbers by chance.
        let overheard = ear.and_then(|ear| ear.source()).filter(|_| spoofs.is_none() && index.is_multiple_of(2));
        let random = dice.next_u32();
        self.strangers.push(Stranger {
            from: spoofs.unwrap_or(own),
            port: at_port,
            codec: format.map_or(Codec::Pcmu, |format| format.codec),
            events: format.and_then(|format| format.telephone_event).unwrap_or(101),
            speaker: STRANGERS + (index % u32::from(STRANGERS)) as u16,
            ssrc: overheard.map_or(random, |(_, ssrc)| ssrc),
            sequence: dice.next_u32() as u16,
            timestamp: dice.next_u32(),
            left: 50 + dice.next_u32() % 300,
            newest: now,
        });
        self.coming.plan(now, Happening::StrangerSends(index));
    }
}
