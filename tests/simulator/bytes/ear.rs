//! Whom a leg must listen to, and where it must send (DESIGN §11, RFC 4961), as a listener works it out for himself.
//!
//! The first valid source is taken; while it lives (500 ms) nobody else is, but whom the SDP names; after a changed address
//! or silence another is taken on two consecutive numbers. From this follow silence, loss and who may be answered.

use super::air::Flight;
use super::wire;
use onekey::codec::StreamFormat;
use onekey::time::Time;
use std::net::SocketAddr;
use std::time::Duration;

const ALIVE: Duration = Duration::from_millis(500);
const COMFORT_NOISE: u8 = 13;
/// What is kept of the time before the format is known: about a second, and so much more if it is small.
const EARLY: (usize, usize) = (50, 8192);
const EARLY_SMALL: (usize, usize) = (100, 8192 + 50 * 40);
const SMALL: usize = 40;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Refused,
    Taken { source_is_new: bool },
}

#[derive(Debug, Default)]
pub struct Ear {
    pub format: Option<StreamFormat>,
    pub early: Vec<(Time, Flight)>,
    /// Something that came early may or may not have been kept.
    pub early_lost: bool,
    pub destination: Option<SocketAddr>,
    pub received: u64,
    pub first_told: bool,
    /// When a packet was last taken, or a hold ended.
    pub heard: Option<Time>,
    pub silent_told: bool,
    signalled: Option<SocketAddr>,
    current: Option<Source>,
    candidate: Option<(SocketAddr, u32, u16)>,
    reopened: Option<Time>,
    lost_before: u64,
}

#[derive(Debug)]
struct Source {
    from: SocketAddr,
    ssrc: u32,
    at: Time,
    base: i64,
    highest: i64,
    received: i64,
}

impl Ear {
    pub fn source(&self) -> Option<(SocketAddr, u32)> {
        self.current.as_ref().map(|source| (source.from, source.ssrc))
    }

    /// Could a packet of somebody else rightly be listened to now?
    pub fn is_open_to(&self, now: Time, from: SocketAddr, ssrc: u32) -> bool {
        let Some(source) = &self.current else { return true };
        let himself = (source.from, source.ssrc) == (from, ssrc);
        let named = self.signalled == Some(from) && source.from != from;
        himself || named || self.reopened.is_some() || now.since(source.at) >= ALIVE
    }

    /// The peer does not want us to hear anything, or said so in the old form.
    pub fn is_on_hold(&self) -> bool {
        self.format
            .is_none_or(|format| !(format.direction.receives() && format.direction.sends()) || format.remote.is_none())
    }

    pub fn may_send(&self) -> bool {
        self.format.is_some_and(|format| format.direction.sends() && format.remote.is_some())
    }

    /// When the peer will have been silent for too long.
    pub fn silent_at(&self, timeout: Duration) -> Option<Time> {
        self.heard.filter(|_| !self.is_on_hold() && !self.silent_told).map(|heard| heard + timeout)
    }

    pub fn start(&mut self, now: Time, format: StreamFormat) {
        let held_before = self.is_on_hold();
        self.format = Some(format);
        if held_before && !self.is_on_hold() && self.heard.is_some() {
            self.heard = Some(now);
            self.silent_told = false;
        }
        if let Some(remote) = format.remote {
            let moved = self.signalled.is_some_and(|before| before != remote);
            if moved {
                self.reopened = self.current.is_some().then_some(now);
            }
            if moved || self.destination.is_none() {
                self.destination = Some(remote);
            }
            self.signalled = Some(remote);
        }
    }

    /// A packet before the format is known: kept, if there is room.
    pub fn keep_early(&mut self, now: Time, flight: &Flight) {
        let length = usize::from(flight.length);
        let (packets, bytes) = if length <= SMALL { EARLY_SMALL } else { EARLY };
        let held: usize = self.early.iter().map(|(_, flight)| usize::from(flight.length)).sum();
        if self.early.len() < packets && held + length <= bytes {
            self.early.push((now, *flight));
        } else {
            self.early_lost = true;
        }
    }

    /// Judges RTP that came on the RTP port.
    pub fn judge(&mut self, now: Time, from: SocketAddr, bytes: &[u8]) -> Verdict {
        let Some((rtp, format)) = wire::parse(bytes).zip(self.format) else { return Verdict::Refused };
        let is_current = self.source() == Some((from, rtp.ssrc));
        let agreed = match rtp.payload_type {
            event if Some(event) == format.telephone_event => rtp.payload.len() >= 4,
            sound if sound == format.payload_type => !rtp.payload.is_empty(),
            other => other == COMFORT_NOISE && is_current,
        };
        if !agreed {
            return Verdict::Refused;
        }
        if is_current {
            self.goes_on(now, rtp.sequence);
            return Verdict::Taken { source_is_new: false };
        }
        if self.current.is_some() {
            if !self.is_open_to(now, from, rtp.ssrc) {
                return Verdict::Refused;
            }
            if self.candidate != Some((from, rtp.ssrc, rtp.sequence)) {
                let named_waits = self.candidate.is_some_and(|(from, ..)| self.signalled == Some(from));
                if !named_waits || self.signalled == Some(from) {
                    self.candidate = Some((from, rtp.ssrc, rtp.sequence.wrapping_add(1)));
                }
                return Verdict::Refused;
            }
        }
        self.lost_before = self.lost();
        let base = i64::from(rtp.sequence);
        self.current = Some(Source { from, ssrc: rtp.ssrc, at: now, base, highest: base, received: 1 });
        (self.candidate, self.reopened, self.destination) = (None, None, Some(from));
        self.taken(now);
        Verdict::Taken { source_is_new: true }
    }

    /// By the numbers of each source; repeats make up for loss.
    pub fn lost(&self) -> u64 {
        let source = self.current.as_ref();
        let lost = source.map_or(0, |source| source.highest - source.base + 1 - source.received);
        self.lost_before + lost.max(0) as u64
    }

    fn goes_on(&mut self, now: Time, sequence: u16) {
        let Some(source) = &mut self.current else { return };
        source.at = now;
        source.received += 1;
        let ahead = sequence.wrapping_sub(source.highest as u16) as i16;
        source.highest = source.highest.max(source.highest + i64::from(ahead));
        if self.reopened.is_some_and(|since| now.since(since) >= ALIVE) {
            // It was told to come from elsewhere and did not: it is sent to where it is.
            self.reopened = None;
            self.destination = Some(source.from);
        }
        self.taken(now);
    }

    fn taken(&mut self, now: Time) {
        self.received += 1;
        self.heard = Some(now);
        self.silent_told = false;
    }
}
