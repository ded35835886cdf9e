//! Keys that a leg presses towards its peer on the engine's order, as RFC 4733 §2.5 wants them sent.
//!
//! In the order in which they were ordered, each with one timestamp, a duration that grows to its end, the end three times.
//! A play or a hold in between may put an end to them; nothing is demanded then.

use super::wire::Rtp;
use onekey::key::Key;
use onekey::time::Time;
use std::collections::VecDeque;
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(80);
const LONGEST: Duration = Duration::from_secs(8);
/// After each key: two more end packets, a pause, and a frame of grace.
const AFTER: Duration = Duration::from_millis(120);
const WAITING_MAX: usize = 16;

#[derive(Debug, Default)]
pub struct OwnKeys {
    waiting: VecDeque<(Key, u16)>,
    down: Option<Down>,
    /// By then all must be sent.
    until: Time,
    /// Something came in between.
    disturbed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Down {
    code: u8,
    timestamp: u32,
    duration: u16,
    whole: u16,
    ends: u8,
}

/// What a packet of a key is.
pub enum Stroke {
    Begins,
    GoesOn,
}

impl OwnKeys {
    pub fn order(&mut self, now: Time, key: Key, length: Duration) {
        let length = length.clamp(SHORTEST, LONGEST);
        let whole = (length.as_micros() / 125).min(0xffff) as u16;
        self.disturbed |= self.waiting.len() >= WAITING_MAX;
        self.waiting.push_back((key, whole));
        self.until = self.until.max(now) + length + AFTER;
    }

    /// The bridge is over: nothing more may be sent.
    pub fn forget(&mut self) {
        *self = OwnKeys::default();
    }

    pub fn disturb(&mut self) {
        self.disturbed = true;
    }

    /// A key is surely down: its leg says nothing else.
    pub fn is_down(&self) -> bool {
        self.down.is_some() && !self.disturbed
    }

    /// A key may be down.
    pub fn may_be_down(&self, now: Time) -> bool {
        now <= self.until
    }

    pub fn packet(&mut self, rtp: &Rtp<'_>) -> Result<Stroke, &'static str> {
        let &[code, flags, high, low] = rtp.payload else { return Err("an event of its own is not four bytes long") };
        let (duration, end) = (u16::from_be_bytes([high, low]), flags & 0x80 != 0);
        let (mut down, stroke) = match self.down {
            Some(down) if down.timestamp == rtp.timestamp => (down, Stroke::GoesOn),
            unfinished => {
                if unfinished.is_some() && !self.disturbed {
                    return Err("a key begins before the last one has ended three times");
                }
                (self.begin(code, rtp)?, Stroke::Begins)
            }
        };
        let grown = (down.duration.saturating_add(160)).min(down.whole);
        if (code, duration, end) != (down.code, grown, grown == down.whole) {
            return Err("a key of its own does not grow as it should");
        }
        down.duration = duration;
        down.ends += u8::from(end);
        self.down = (down.ends < 3).then_some(down);
        if self.down.is_none() && self.waiting.is_empty() {
            self.disturbed = false;
        }
        Ok(stroke)
    }

    fn begin(&mut self, code: u8, rtp: &Rtp<'_>) -> Result<Down, &'static str> {
        if !rtp.marker {
            return Err("a key of its own begins without a marker");
        }
        while let Some((key, whole)) = self.waiting.pop_front() {
            if key.event_code() == code {
                return Ok(Down { code, timestamp: rtp.timestamp, duration: 0, whole, ends: 0 });
            }
            if !self.disturbed {
                break;
            }
        }
        Err("a key is pressed that nobody ordered")
    }

    pub fn audit(&mut self, now: Time) -> Result<(), &'static str> {
        let overdue = now > self.until + AFTER && (self.down.is_some() || !self.waiting.is_empty());
        if !overdue {
            return Ok(());
        }
        let excused = self.disturbed;
        self.forget();
        if excused { Ok(()) } else { Err("a key that was ordered is not pressed to its end") }
    }
}
