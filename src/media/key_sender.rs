//! Keys that we press ourselves on a leg (RFC 4733 §2.5): those that the other side of a bridge told by SIP INFO.
//!
//! One at a time, a packet every 20 ms, the end three times (§2.5.1.4). While a key is being sent its leg carries nothing
//! else, as a phone whose key is down sends no sound.

use crate::codec::FRAME_SAMPLES;
use crate::key::Key;
use crate::media::Packet;
use crate::media::leg::FRAME;
use crate::media::stream::{Outgoing, samples_in};
use crate::time::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// Keys that wait for the one before them; more are dropped.
const WAITING_MAX: usize = 16;
/// A key is at least so long, or receivers may not take it for one, and at most so long.
const SHORTEST: Duration = Duration::from_millis(80);
const LONGEST: Duration = Duration::from_secs(8);
/// Between two keys, so that the same one twice is two.
const PAUSE: Duration = Duration::from_millis(60);
/// -10 dBm0, as phones send it.
const VOLUME: u8 = 10;
const END_BIT: u8 = 0x80;
const ENDS: u8 = 3;

/// The keys of one leg's way out.
#[derive(Debug, Default)]
pub struct KeySender {
    waiting: VecDeque<(Key, u16)>,
    current: Option<Pressed>,
    /// When the next packet, or the next key, is due.
    due: Time,
}

#[derive(Clone, Copy, Debug)]
struct Pressed {
    key: Key,
    /// Where it began; every packet of it says so.
    timestamp: u32,
    /// In timestamp units: so far, and whole.
    duration: u16,
    whole: u16,
    ends_sent: u8,
}

impl KeySender {
    pub fn press(&mut self, now: Time, key: Key, length: Duration) {
        if self.is_idle() {
            self.due = self.due.max(now);
        }
        if self.waiting.len() < WAITING_MAX {
            let length = length.clamp(SHORTEST, LONGEST);
            self.waiting.push_back((key, samples_in(length).min(u64::from(u16::MAX)) as u16));
        }
    }

    /// Nothing is being sent, and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.current.is_none() && self.waiting.is_empty()
    }

    /// A key is down now.
    pub fn is_pressing(&self) -> bool {
        self.current.is_some()
    }

    /// The leg has another partner, or none: what it was to be told does not concern that one.
    pub fn forget(&mut self) {
        self.waiting.clear();
        self.current = None;
    }

    pub fn deadline(&self) -> Option<Time> {
        (!self.is_idle()).then_some(self.due)
    }

    /// Sends what is due under `payload_type`. `true`: something was sent.
    pub fn send(&mut self, now: Time, payload_type: u8, outgoing: &mut Outgoing, mut send: impl FnMut(Packet)) -> bool {
        let mut sent = false;
        while !self.is_idle() && self.due <= now {
            let first = self.current.is_none();
            let timestamp = outgoing.begin_spurt(now);
            let Some(mut pressed) = self.current.or_else(|| begin(self.waiting.pop_front(), timestamp)) else { break };
            pressed.duration = pressed.duration.saturating_add(FRAME_SAMPLES as u16).min(pressed.whole);
            let ends = pressed.duration == pressed.whole;
            let [high, low] = pressed.duration.to_be_bytes();
            let flags = VOLUME | if ends { END_BIT } else { 0 };
            let payload = [pressed.key.event_code(), flags, high, low];
            let (sequence, length) = (outgoing.next_sequence(), u32::from(pressed.duration));
            send(outgoing.packet(payload_type, first, sequence, pressed.timestamp, length, &payload));
            pressed.ends_sent += u8::from(ends);
            let over = pressed.ends_sent == ENDS;
            sent = true;
            self.current = (!over).then_some(pressed);
            self.due = now + if over { PAUSE } else { FRAME };
        }
        sent
    }
}

fn begin(next: Option<(Key, u16)>, timestamp: u32) -> Option<Pressed> {
    next.map(|(key, whole)| Pressed { key, timestamp, duration: 0, whole, ends_sent: 0 })
}
