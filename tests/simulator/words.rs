//! Sound in words: a media plane that only keeps time. Prompts last as long as they last, keys come or do not, ports and
//! recordings fail now and then; and the engine's orders must make sense (one `Open`, one `Close`, nothing after it, nobody
//! in two bridges).

use onekey::codec::StreamCounts;
use onekey::ids::{LegId, WorkerId};
use onekey::key::Key;
use onekey::media::command::{MediaCommand, MediaEvent};
use onekey::time::Time;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a plane takes for what it does at once.
const SOON: Duration = Duration::from_millis(2);
/// Every message is thought to be so long.
const MESSAGE: Duration = Duration::from_secs(5);

/// What goes wrong with media now, in a hundred.
#[derive(Clone, Copy, Default, Debug)]
pub struct Faults {
    pub no_port: u32,
    pub no_recording: u32,
}

/// Something that will be told, if it still holds then.
#[derive(Debug)]
struct Later {
    leg: LegId,
    event: MediaEvent,
    holds: Holds,
}

/// What must still be so.
#[derive(Debug)]
enum Holds {
    Always,
    Play(u64),
    Recording(u64),
    /// Nothing has been heard since.
    Quiet(u64),
}

#[derive(Debug, Default)]
struct Stream {
    worker: WorkerNumber,
    port: u16,
    refused: bool,
    closed: bool,
    started: bool,
    /// Sound is expected: the phone does not hold.
    watched: bool,
    heard: bool,
    orders: u64,
    recordings: u64,
    recording: Option<PathBuf>,
    peer: Option<LegId>,
    /// Counts how often the phone began or stopped to talk.
    talks: u64,
    phone: Option<SocketAddr>,
}

type WorkerNumber = u16;

#[derive(Debug)]
pub struct Words {
    streams: BTreeMap<LegId, Stream>,
    by_port: BTreeMap<u16, LegId>,
    talking_to: BTreeMap<SocketAddr, u16>,
    later: BTreeMap<(Time, u64), Later>,
    planned: u64,
    next_port: u16,
    faults: Faults,
    rtp_timeout: Duration,
    dice: ChaCha12Rng,
    pub wrong: Vec<String>,
}

impl Words {
    pub fn new(seed: u64, rtp_timeout: Duration) -> Words {
        Words {
            streams: BTreeMap::new(),
            by_port: BTreeMap::new(),
            talking_to: BTreeMap::new(),
            later: BTreeMap::new(),
            planned: 0,
            next_port: 20_000,
            faults: Faults::default(),
            rtp_timeout,
            dice: ChaCha12Rng::seed_from_u64(seed),
            wrong: Vec::new(),
        }
    }

    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// The process was killed: its streams are gone, the phones talk on.
    pub fn restart(&mut self) {
        self.streams.clear();
        self.by_port.clear();
        self.later.clear();
    }

    pub fn next(&self) -> Option<Time> {
        self.later.first_key_value().map(|((at, _), _)| *at)
    }

    /// What is told by now.
    pub fn advance(&mut self, now: Time) -> Vec<(WorkerId, MediaEvent)> {
        let mut told = Vec::new();
        while let Some(entry) = self.later.first_entry()
            && entry.key().0 <= now
        {
            let later = entry.remove();
            if self.still_holds(&later) {
                let worker = self.streams.get(&later.leg).map_or(0, |stream| stream.worker);
                told.push((WorkerId(worker), later.event));
            }
        }
        told
    }

    fn still_holds(&mut self, later: &Later) -> bool {
        let Some(stream) = self.streams.get_mut(&later.leg) else { return false };
        match later.holds {
            Holds::Always => true,
            Holds::Play(order) => stream.orders == order && !stream.closed,
            Holds::Quiet(talks) => {
                stream.talks == talks && !stream.closed && stream.phone.is_none() && stream.watched && stream.heard
            }
            Holds::Recording(number) => {
                let holds = stream.recordings == number && stream.recording.is_some();
                if holds {
                    stream.recording = None;
                }
                holds
            }
        }
    }

    fn plan(&mut self, at: Time, leg: LegId, event: MediaEvent, holds: Holds) {
        self.planned += 1;
        self.later.insert((at, self.planned), Later { leg, event, holds });
    }

    fn dice(&mut self) -> u32 {
        self.dice.next_u32() % 100
    }

    pub fn order(&mut self, now: Time, worker: WorkerId, command: &MediaCommand) {
        match command {
            MediaCommand::Open { leg } => self.open(now, worker, *leg),
            MediaCommand::Bridge { a, b } => self.bridge(*a, *b),
            MediaCommand::Unbridge { a, b } => {
                for leg in [a, b] {
                    if let Some(stream) = self.alive(*leg, command) {
                        stream.peer = None;
                    }
                }
            }
            MediaCommand::Start { leg, format } => {
                let Some(stream) = self.alive(*leg, command) else { return };
                stream.started = true;
                stream.watched = format.direction.receives() && format.direction.sends();
                self.hears(now, *leg);
                self.may_fall_silent(now, *leg);
            }
            MediaCommand::Play { .. } => self.play(now, command),
            MediaCommand::Confine { leg, .. } => {
                let _ = self.alive(*leg, command);
            }
            MediaCommand::SendKey { leg, .. } => {
                if self.alive(*leg, command).is_some_and(|stream| stream.peer.is_none()) {
                    self.wrong.push(format!("a key is pressed on {leg}, which is in no bridge"));
                }
            }
            MediaCommand::Stop { leg } => {
                if let Some(stream) = self.alive(*leg, command) {
                    stream.orders += 1;
                }
            }
            MediaCommand::Record { leg, file, silence, .. } => self.record(now, *leg, file, *silence, command),
            MediaCommand::StopRecord { leg, .. } => {
                let _ = self.alive(*leg, command);
                self.recorded(now, *leg);
            }
            MediaCommand::Close { leg } => self.close(now, *leg, command),
        }
    }

    fn open(&mut self, now: Time, worker: WorkerId, leg: LegId) {
        let refused = self.dice() < self.faults.no_port;
        self.next_port = if self.next_port >= 59_998 { 20_000 } else { self.next_port + 2 };
        let port = self.next_port;
        let stream = Stream { worker: worker.0, port, refused, watched: true, ..Stream::default() };
        if self.streams.insert(leg, stream).is_some() {
            self.wrong.push(format!("{leg} is opened twice"));
        }
        let event = if refused {
            MediaEvent::Refused { leg, reason: "no port".into() }
        } else {
            self.by_port.insert(port, leg);
            MediaEvent::Opened { leg, port }
        };
        self.plan(now + SOON, leg, event, Holds::Always);
    }

    fn play(&mut self, now: Time, command: &MediaCommand) {
        let MediaCommand::Play { leg, play, prompts, repeat } = command else { return };
        let Some(stream) = self.alive(*leg, command) else { return };
        stream.orders += 1;
        let (order, leg, play, mut at) = (stream.orders, *leg, *play, now);
        if *repeat {
            return;
        }
        for prompt in prompts {
            if let Some(ends) = prompt.facts.offer_ends {
                self.plan(at + ends, leg, MediaEvent::OfferHeard { leg, play }, Holds::Play(order));
            }
            at += prompt.facts.length;
        }
        self.plan(at, leg, MediaEvent::PlayDone { leg, play }, Holds::Play(order));
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        for (leg, peer) in [(a, b), (b, a)] {
            let Some(stream) = self.alive(leg, &MediaCommand::Bridge { a, b }) else { continue };
            stream.orders += 1;
            if let Some(old) = stream.peer.replace(peer).filter(|old| *old != peer) {
                self.wrong.push(format!("{leg} is bridged to {peer} while it is with {old}"));
            }
        }
    }

    fn record(&mut self, now: Time, leg: LegId, file: &Path, silence: Option<Duration>, command: &MediaCommand) {
        self.recorded(now, leg);
        let fails = self.dice() < self.faults.no_recording;
        let Some(stream) = self.alive(leg, command) else { return };
        if fails {
            let event = MediaEvent::RecordFailed { leg, reason: "disk full".into() };
            return self.plan(now + SOON, leg, event, Holds::Always);
        }
        stream.recordings += 1;
        stream.recording = Some(file.to_owned());
        if let Some(silence) = silence {
            let holds = Holds::Recording(stream.recordings);
            self.plan(now + MESSAGE + silence, leg, recorded(leg, file), holds);
        }
    }

    fn recorded(&mut self, now: Time, leg: LegId) {
        let file = self.streams.get_mut(&leg).and_then(|stream| stream.recording.take());
        if let Some(file) = file {
            self.plan(now + SOON * 20, leg, recorded(leg, &file), Holds::Always);
        }
    }

    fn close(&mut self, now: Time, leg: LegId, command: &MediaCommand) {
        self.recorded(now, leg);
        let Some(stream) = self.alive(leg, command) else { return };
        stream.closed = true;
        let (refused, peer, port) = (stream.refused, stream.peer.take(), stream.port);
        if let Some(peer) = peer.and_then(|peer| self.streams.get_mut(&peer)) {
            peer.peer = None;
        }
        // One that was refused is not known to the media plane.
        if !refused {
            self.by_port.remove(&port);
            self.plan(now + SOON, leg, MediaEvent::Closed { leg, counts: StreamCounts::default() }, Holds::Always);
        }
    }

    fn alive(&mut self, leg: LegId, command: &MediaCommand) -> Option<&mut Stream> {
        match self.streams.get_mut(&leg) {
            Some(stream) if !stream.closed => Some(stream),
            Some(_) => {
                self.wrong.push(format!("after its Close {leg} is ordered {command:?}"));
                None
            }
            None => {
                self.wrong.push(format!("{leg} was never opened: {command:?}"));
                None
            }
        }
    }

    /// The first packet is told once, when the stream is started and somebody talks.
    fn hears(&mut self, now: Time, leg: LegId) {
        let Some(stream) = self.streams.get_mut(&leg) else { return };
        if stream.started && !stream.closed && stream.phone.is_some() && !std::mem::replace(&mut stream.heard, true) {
            self.plan(now + SOON, leg, MediaEvent::FirstPacket { leg }, Holds::Always);
        }
    }

    fn may_fall_silent(&mut self, now: Time, leg: LegId) {
        let Some(stream) = self.streams.get(&leg).filter(|stream| stream.phone.is_none() && stream.heard) else {
            return;
        };
        let (quiet, holds) = (self.rtp_timeout, Holds::Quiet(stream.talks));
        self.plan(now + quiet, leg, MediaEvent::Silent { leg, quiet }, holds);
    }

    pub fn phone_talks(&mut self, now: Time, from: SocketAddr, to_port: u16) {
        if self.talking_to.get(&from) == Some(&to_port) {
            return;
        }
        self.phone_is_quiet(now, from);
        self.talking_to.insert(from, to_port);
        let Some(leg) = self.by_port.get(&to_port).copied() else { return };
        if let Some(stream) = self.streams.get_mut(&leg) {
            stream.phone = Some(from);
            stream.talks += 1;
        }
        self.hears(now, leg);
    }

    pub fn phone_is_quiet(&mut self, now: Time, from: SocketAddr) {
        let Some(leg) = self.talking_to.remove(&from).and_then(|port| self.by_port.get(&port).copied()) else { return };
        if let Some(stream) = self.streams.get_mut(&leg).filter(|stream| stream.phone == Some(from)) {
            stream.phone = None;
            stream.talks += 1;
        }
        self.may_fall_silent(now, leg);
    }

    pub fn phone_presses(&mut self, now: Time, from: SocketAddr, key: Key, held: Duration) {
        let Some(leg) = self.talking_to.get(&from).and_then(|port| self.by_port.get(port).copied()) else { return };
        if self.streams.get(&leg).is_some_and(|stream| stream.started && !stream.closed) {
            self.plan(now + SOON, leg, MediaEvent::Key { leg, key }, Holds::Always);
            self.plan(now + SOON + held, leg, MediaEvent::KeyEnded { leg, key, held }, Holds::Always);
        }
    }

    pub fn port_of(&self, leg: LegId) -> Option<u16> {
        self.streams.get(&leg).filter(|stream| !stream.refused).map(|stream| stream.port)
    }

    /// Legs whose ports are still taken.
    pub fn all_open(&self) -> Vec<LegId> {
        let open = self.streams.iter().filter(|(_, stream)| !stream.closed && !stream.refused);
        open.map(|(leg, _)| *leg).collect()
    }

    /// Forgets streams that are over, so that a long run does not grow.
    pub fn sweep(&mut self) {
        let awaited: std::collections::BTreeSet<LegId> = self.later.values().map(|later| later.leg).collect();
        self.streams.retain(|leg, stream| !(stream.closed || stream.refused) || awaited.contains(leg));
    }
}

fn recorded(leg: LegId, file: &Path) -> MediaEvent {
    MediaEvent::Recorded { leg, file: file.to_owned(), length: MESSAGE }
}
