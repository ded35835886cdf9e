//! The data plane's door: commands, datagrams and time go in, wishes come out (DESIGN §3).
//!
//! Keeps the table of legs, the wheel that paces them and one alarm for each; what concerns a single leg is in `leg`.
//! Handling a packet costs one look-up by leg and allocates nothing.

use crate::codec::StreamFormat;
use crate::ids::LegId;
use crate::media::command::{MediaCommand, MediaEvent};
use crate::media::leg::{Early, RtpLeg};
use crate::media::player::Play;
use crate::media::ports::Ports;
use crate::media::recorder::{Recorder, Side};
use crate::media::stream::{Outgoing, is_rtcp};
use crate::media::wheel::Wheel;
use crate::media::{MediaConfig, MediaInput, MediaOutput};
use crate::time::Time;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// All legs of one worker.
#[derive(Debug)]
pub struct MediaPlane {
    config: MediaConfig,
    random: ChaCha12Rng,
    ports: Ports,
    /// By place; places of closed legs are used again.
    legs: Vec<Option<Box<RtpLeg>>>,
    free: Vec<u32>,
    index: BTreeMap<LegId, u32>,
    wheel: Wheel,
    /// One alarm for each leg that has anything to wait for.
    alarms: BTreeSet<(Time, u32)>,
    /// Recordings that have ended and whose files are being closed, in the order of ending.
    closing: BTreeMap<LegId, VecDeque<(PathBuf, Duration)>>,
}

impl MediaPlane {
    pub fn new(config: MediaConfig) -> MediaPlane {
        MediaPlane {
            random: ChaCha12Rng::from_seed(config.seed),
            ports: Ports::new(config.first_port, config.last_port),
            legs: Vec::new(),
            free: Vec::new(),
            index: BTreeMap::new(),
            wheel: Wheel::default(),
            alarms: BTreeSet::new(),
            closing: BTreeMap::new(),
            config,
        }
    }

    /// Takes one fact; pushes wishes to `out`. Never blocks, never allocates for a packet. Whatever names an unknown leg
    /// is ignored: orders and packets may cross with `Closed`.
    pub fn handle(&mut self, now: Time, input: MediaInput<'_>, out: &mut Vec<MediaOutput>) {
        match input {
            MediaInput::Command(command) => self.command(now, command, out),
            MediaInput::Rtp { leg, from, bytes } => {
                if let Some(slot) = self.slot(leg) {
                    self.rtp(now, slot, from, bytes, out);
                    self.arm(slot);
                }
            }
            MediaInput::Rtcp { leg, from, bytes } => {
                if let Some(leg) = self.slot(leg).and_then(|slot| self.leg(slot)) {
                    leg.hear_rtcp(now, from, bytes);
                }
            }
            MediaInput::Bound { leg, port, ok } => self.bound(now, leg, port, ok, out),
            MediaInput::RecordFailed { leg, reason } => self.record_failed(leg, reason, out),
            MediaInput::RecordClosed { leg } => self.record_closed(leg, out),
            MediaInput::Tick => self.tick(now, out),
        }
    }

    /// When it next wants a `Tick`; `None` when nothing is going on.
    pub fn next_timeout(&self) -> Option<Time> {
        let alarm = self.alarms.first().map(|(at, _)| *at);
        [self.wheel.next(), alarm].into_iter().flatten().min()
    }

    fn command(&mut self, now: Time, command: MediaCommand, out: &mut Vec<MediaOutput>) {
        let leg = match &command {
            MediaCommand::Open { leg } => return self.open(now, *leg, out),
            MediaCommand::Bridge { a, b } => return self.bridge(*a, *b),
            MediaCommand::Unbridge { a, b } => return self.unbridge(*a, *b),
            MediaCommand::Start { leg, .. }
            | MediaCommand::Confine { leg, .. }
            | MediaCommand::Play { leg, .. }
            | MediaCommand::Stop { leg }
            | MediaCommand::SendKey { leg, .. }
            | MediaCommand::Record { leg, .. }
            | MediaCommand::StopRecord { leg, .. }
            | MediaCommand::Close { leg } => *leg,
        };
        let Some(slot) = self.slot(leg) else { return };
        match command {
            MediaCommand::Start { format, .. } => self.start(now, slot, format, out),
            MediaCommand::Confine { confined, .. } => {
                if let Some(leg) = self.leg(slot) {
                    leg.allowance.confine(confined);
                }
            }
            MediaCommand::Play { play, prompts, repeat, .. } => {
                if let Some(leg) = self.leg(slot) {
                    leg.play = Some(Play::new(play, prompts, repeat));
                }
                self.begin_playing(now, slot, out);
            }
            MediaCommand::Stop { .. } => self.stop(slot),
            MediaCommand::SendKey { key, length, .. } => {
                if let Some(leg) = self.leg(slot) {
                    leg.press(now, key, length, out);
                }
            }
            MediaCommand::Record { file, channels, silence, .. } => {
                self.finish_recording(now, slot, Duration::ZERO, out);
                if let Some(leg) = self.leg(slot) {
                    out.push(MediaOutput::RecordOpen { leg: leg.id, file: file.clone(), channels });
                    leg.recorder = Some(Box::new(Recorder::new(now, leg.id, file, channels, silence)));
                }
            }
            MediaCommand::StopRecord { cut_tail, .. } => self.finish_recording(now, slot, cut_tail, out),
            MediaCommand::Close { .. } => return self.close(now, slot, out),
            MediaCommand::Open { .. } | MediaCommand::Bridge { .. } | MediaCommand::Unbridge { .. } => {}
        }
        self.arm(slot);
    }

    fn open(&mut self, now: Time, leg: LegId, out: &mut Vec<MediaOutput>) {
        if self.index.contains_key(&leg) {
            return;
        }
        let Some(port) = self.ports.take() else {
            let reason = format!("all {} RTP ports of this worker are in use", self.ports.pairs());
            return out.push(MediaOutput::Event(MediaEvent::Refused { leg, reason }));
        };
        let random = &mut self.random;
        let outgoing = Outgoing::new(now, random.next_u32(), random.next_u32() as u16, random.next_u32());
        let cname = format!("{:016x}{:08x}", random.next_u64(), random.next_u32());
        let opened = Box::new(RtpLeg::new(now, leg, port, self.ports.pairs(), outgoing, cname));
        let slot = self.free.pop().unwrap_or_else(|| {
            self.legs.push(None);
            self.legs.len() as u32 - 1
        });
        self.legs[slot as usize] = Some(opened);
        self.index.insert(leg, slot);
        out.push(MediaOutput::Bind { leg, port });
    }

    fn bound(&mut self, now: Time, id: LegId, port: u16, ok: bool, out: &mut Vec<MediaOutput>) {
        let Some(slot) = self.slot(id) else { return };
        let Some(leg) = self.legs[slot as usize].as_deref_mut() else { return };
        if leg.port != port || leg.bound {
            return;
        }
        if ok {
            leg.bound = true;
            out.push(MediaOutput::Event(MediaEvent::Opened { leg: id, port }));
            return self.begin_playing(now, slot, out);
        }
        leg.binds_left -= 1;
        // The next port is taken before the failed one is given back, so that it is another.
        let next = if leg.binds_left > 0 { self.ports.take() } else { None };
        self.ports.give_back(port);
        match next {
            Some(next) => {
                leg.port = next;
                out.push(MediaOutput::Bind { leg: id, port: next });
            }
            None => {
                self.forget(slot);
                let reason = "no RTP port of this worker can be bound".to_string();
                out.push(MediaOutput::Event(MediaEvent::Refused { leg: id, reason }));
            }
        }
    }

    fn start(&mut self, now: Time, slot: u32, format: StreamFormat, out: &mut Vec<MediaOutput>) {
        let random = self.random.next_u32();
        let Some(leg) = self.leg(slot) else { return };
        leg.settle(now, format, random);
        let early: Early = std::mem::take(&mut leg.early);
        for (at, from, bytes) in early.iter() {
            self.rtp(at, slot, from, bytes, out);
        }
        // If the peer holds now instead, the leg leaves the wheel when its next frame is due and may not be sent.
        self.begin_playing(now, slot, out);
    }

    fn rtp(&mut self, now: Time, slot: u32, from: SocketAddr, bytes: &[u8], out: &mut Vec<MediaOutput>) {
        let Some(leg) = self.leg(slot) else { return };
        if leg.format.is_none() {
            return leg.early.keep(now, from, bytes);
        }
        if is_rtcp(bytes) {
            return leg.hear_rtcp(now, from, bytes);
        }
        let Some((packet, sound)) = leg.hear(now, from, bytes, out) else { return };
        if let Some(peer) = leg.peer.and_then(|peer| self.leg(peer)) {
            peer.carry(now, &packet, sound, out);
            peer.record(now, Side::Right, &packet, sound, out);
        }
    }

    fn tick(&mut self, now: Time, out: &mut Vec<MediaOutput>) {
        while let Some((phase, mut slots)) = self.wheel.take_due(now) {
            let before = slots.len();
            slots.retain(|slot| {
                let Some(leg) = self.legs[*slot as usize].as_deref_mut() else { return false };
                let stays = leg.pace(now, out);
                if !stays {
                    leg.phase = None;
                }
                stays
            });
            let removed = before - slots.len();
            self.wheel.put_back(phase, slots, removed);
        }
        while let Some((at, slot)) = self.alarms.first().copied().filter(|(at, _)| *at <= now) {
            self.alarms.remove(&(at, slot));
            let (random, rtp_timeout) = (self.random.next_u32(), self.config.rtp_timeout);
            let Some(leg) = self.leg(slot) else { continue };
            leg.armed = Time::NEVER;
            leg.wake(now, rtp_timeout, random, out);
            if leg.recorder.as_ref().is_some_and(|recorder| recorder.fell_silent(now)) {
                self.finish_recording(now, slot, Duration::ZERO, out);
            }
            self.arm(slot);
        }
    }

    /// Sends the first frame at once if the last one is long enough ago, and takes a place on the wheel for the others.
    fn begin_playing(&mut self, now: Time, slot: u32, out: &mut Vec<MediaOutput>) {
        let Some(leg) = self.legs[slot as usize].as_deref_mut() else { return };
        if leg.phase.is_some() || leg.play.is_none() || leg.way_out().is_none() {
            return;
        }
        leg.relay.reset();
        leg.due = leg.due.max(now);
        leg.outgoing.begin_spurt(leg.due);
        leg.marker = true;
        if leg.pace(now, out) {
            let (phase, due) = self.wheel.join_near(now, slot, leg.due);
            leg.phase = Some(phase);
            leg.due = due;
        }
    }

    fn stop(&mut self, slot: u32) {
        if let Some(leg) = self.leg(slot) {
            leg.play = None;
        }
        self.leave_wheel(slot);
    }

    fn leave_wheel(&mut self, slot: u32) {
        if let Some(phase) = self.leg(slot).and_then(|leg| leg.phase.take()) {
            self.wheel.leave(slot, phase);
        }
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        let (Some(a), Some(b)) = (self.slot(a), self.slot(b)) else { return };
        if a == b {
            return;
        }
        for (slot, peer) in [(a, b), (b, a)] {
            self.part(slot);
            self.stop(slot);
            if let Some(leg) = self.leg(slot) {
                leg.peer = Some(peer);
                leg.relay.reset();
                leg.keys.keep_private();
            }
        }
    }

    fn unbridge(&mut self, a: LegId, b: LegId) {
        let (Some(a), Some(b)) = (self.slot(a), self.slot(b)) else { return };
        if self.leg(a).is_some_and(|leg| leg.peer == Some(b)) {
            self.part(a);
        }
    }

    /// Takes a leg out of its bridge, if it is in one.
    fn part(&mut self, slot: u32) {
        let Some(leg) = self.leg(slot) else { return };
        leg.keys_out.forget();
        if let Some(peer) = leg.peer.take().and_then(|peer| self.leg(peer)) {
            peer.peer = None;
            peer.keys_out.forget();
        }
    }

    fn finish_recording(&mut self, now: Time, slot: u32, cut_tail: Duration, out: &mut Vec<MediaOutput>) {
        let Some(leg) = self.leg(slot) else { return };
        let (id, recorder) = (leg.id, leg.recorder.take());
        if let Some(recorder) = recorder {
            let file = recorder.file.clone();
            let length = recorder.finish(now, cut_tail, out);
            self.closing.entry(id).or_default().push_back((file, length));
        }
    }

    fn record_closed(&mut self, leg: LegId, out: &mut Vec<MediaOutput>) {
        if let Some((file, length)) = self.closed_next(leg) {
            out.push(MediaOutput::Event(MediaEvent::Recorded { leg, file, length }));
        }
    }

    /// The one whose file is being closed failed, or else the one that is going on.
    fn record_failed(&mut self, leg: LegId, reason: String, out: &mut Vec<MediaOutput>) {
        let recorder = self.slot(leg).and_then(|slot| self.leg(slot)).and_then(|leg| leg.recorder.take());
        if self.closed_next(leg).is_some() || recorder.is_some() {
            out.push(MediaOutput::Event(MediaEvent::RecordFailed { leg, reason }));
        }
    }

    fn closed_next(&mut self, leg: LegId) -> Option<(PathBuf, Duration)> {
        let waiting = self.closing.get_mut(&leg)?;
        let first = waiting.pop_front();
        if waiting.is_empty() {
            self.closing.remove(&leg);
        }
        first
    }

    fn close(&mut self, now: Time, slot: u32, out: &mut Vec<MediaOutput>) {
        self.part(slot);
        self.stop(slot);
        self.finish_recording(now, slot, Duration::ZERO, out);
        let Some(leg) = self.leg(slot) else { return };
        leg.say_goodbye(now, out);
        let (id, port, counts) = (leg.id, leg.port, leg.counts());
        self.forget(slot);
        self.ports.give_back(port);
        out.push(MediaOutput::Unbind { leg: id, port });
        out.push(MediaOutput::Event(MediaEvent::Closed { leg: id, counts }));
    }

    fn forget(&mut self, slot: u32) {
        if let Some(leg) = self.legs[slot as usize].take() {
            self.alarms.remove(&(leg.armed, slot));
            self.index.remove(&leg.id);
            self.free.push(slot);
        }
    }

    /// Sets the leg's alarm earlier where it wants to be looked at earlier. A later wish waits for the alarm that is set:
    /// so packets, which only put things off, touch no table.
    fn arm(&mut self, slot: u32) {
        let rtp_timeout = self.config.rtp_timeout;
        let Some(leg) = self.legs[slot as usize].as_deref_mut() else { return };
        let wake = leg.wake_at(rtp_timeout);
        if wake < leg.armed {
            self.alarms.remove(&(leg.armed, slot));
            leg.armed = wake;
            self.alarms.insert((wake, slot));
        }
    }

    fn slot(&self, leg: LegId) -> Option<u32> {
        self.index.get(&leg).copied()
    }

    fn leg(&mut self, slot: u32) -> Option<&mut RtpLeg> {
        self.legs.get_mut(slot as usize)?.as_deref_mut()
    }
}
