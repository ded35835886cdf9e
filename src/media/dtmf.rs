//! Keys as RTP events (RFC 4733 §2.3 to §2.5): each press is told once, on its first packet that arrives.
//!
//! An event is known by its timestamp: repeats, reordering and lost end packets change nothing. Longer ones than 0xFFFF
//! come in segments (§2.5.1.3) and are one press. What a key means is not decided here.

use crate::ids::LegId;
use crate::key::{HELD, Key};
use crate::media::MediaOutput;
use crate::media::command::MediaEvent;
use crate::media::stream::{Received, length_of};
use crate::time::Time;
use std::time::Duration;

/// [`HELD`], in timestamp units.
pub const HELD_UNITS: u32 = HELD.as_millis() as u32 * 8;
/// An event without a packet for so long is over: three packets lost at the slowest usual rate of one in 40 ms.
pub const LAPSE: Duration = Duration::from_millis(120);
/// Events in one packet (§2.5.1.5); more are ignored.
const BLOCKS_MAX: usize = 5;
/// Presses remembered, so that their late packets are known.
const REMEMBERED: usize = 16;
/// A packet whose number is lower by more is not late: the numbers began anew (as RFC 3550 A.1 has it).
const REORDERED_MAX: u16 = 100;
/// A segment ends at 0xFFFF or, rounded down to whole packets, a little before.
const SEGMENT_UNITS: std::ops::RangeInclusive<u32> = 0xf000..=0xffff;
/// A segment's last packets may be lost for so long: half a second.
const SEGMENT_LOST_UNITS: u32 = 4000;

/// The four bytes of an event (RFC 4733 §2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventBlock {
    pub code: u8,
    pub end: bool,
    /// Timestamp units since the packet's timestamp.
    pub duration: u16,
}

/// The events of a payload, each with its own timestamp: one that follows begins where the former ends (§2.5.1.5).
pub fn blocks(timestamp: u32, payload: &[u8]) -> impl Iterator<Item = (u32, EventBlock)> + '_ {
    payload.chunks_exact(4).take(BLOCKS_MAX).scan(timestamp, |start, bytes| {
        let block = EventBlock {
            code: bytes[0],
            end: bytes[1] & 0x80 != 0,
            duration: u16::from_be_bytes([bytes[2], bytes[3]]),
        };
        let began = *start;
        *start = start.wrapping_add(u32::from(block.duration));
        Some((began, block))
    })
}

/// Hears the keys of one leg.
#[derive(Debug)]
pub struct KeyListener {
    leg: LegId,
    current: Option<Press>,
    /// Ended for want of packets; goes on if they come after all.
    lapsed: Option<Press>,
    /// Timestamps and keys of all segments heard lately, the oldest overwritten first.
    recent: [Option<Segment>; REMEMBERED],
    recent_next: usize,
    /// Of the newest event packet.
    newest: Option<u16>,
}

/// One segment of a press, as it is remembered.
#[derive(Clone, Copy, Debug)]
struct Segment {
    timestamp: u32,
    key: Key,
    /// Pressed before the leg was bridged: it was meant for us, and the partner does not get the rest of it.
    private: bool,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    key: Key,
    /// Of the present segment.
    timestamp: u32,
    /// Length of earlier segments.
    joined: u32,
    /// Of the present segment, as last reported.
    duration: u32,
    heard: Time,
    held_told: bool,
    /// Its end was told already (it lapsed); told again only after a hold.
    end_told: bool,
    private: bool,
}

impl Press {
    fn units(&self) -> u32 {
        self.joined.saturating_add(self.duration)
    }

    /// Does a segment at `timestamp` directly continue this press?
    fn continues_at(&self, timestamp: u32) -> bool {
        let length = timestamp.wrapping_sub(self.timestamp);
        SEGMENT_UNITS.contains(&length) && length.saturating_sub(self.duration) <= SEGMENT_LOST_UNITS
    }
}

impl KeyListener {
    pub fn new(leg: LegId) -> KeyListener {
        let recent = [None; REMEMBERED];
        KeyListener { leg, current: None, lapsed: None, recent, recent_next: 0, newest: None }
    }

    /// Hears an event packet of the source that the leg listens to.
    pub fn packet(&mut self, now: Time, packet: &Received<'_>, out: &mut Vec<MediaOutput>) {
        let reordered = self.newest.is_some_and(|newest| is_shortly_before(packet.sequence, newest));
        if !reordered {
            self.newest = Some(packet.sequence);
        }
        for (timestamp, block) in blocks(packet.timestamp, packet.payload) {
            if let Some(key) = Key::from_event(block.code) {
                self.block(now, reordered, timestamp, key, block, out);
            }
        }
    }

    /// The leg is bridged from now on. What has been pressed before stays between it and us, to its last packet.
    pub fn keep_private(&mut self) {
        self.recent.iter_mut().flatten().for_each(|segment| segment.private = true);
        self.current.iter_mut().chain(&mut self.lapsed).for_each(|press| press.private = true);
    }

    /// Does the event at this timestamp belong to a press from before the bridge?
    pub fn is_private(&self, timestamp: u32) -> bool {
        self.recent.iter().flatten().any(|segment| segment.timestamp == timestamp && segment.private)
    }

    /// When a press without packets lapses.
    pub fn deadline(&self) -> Option<Time> {
        self.current.as_ref().map(|press| press.heard + LAPSE)
    }

    /// Ends a press that has lapsed.
    pub fn tick(&mut self, now: Time, out: &mut Vec<MediaOutput>) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.lapsed = self.end_current(out);
        }
    }

    /// The source is another one: its timestamps have nothing to do with the former's.
    pub fn reset(&mut self, out: &mut Vec<MediaOutput>) {
        self.end_current(out);
        *self = KeyListener::new(self.leg);
    }

    fn block(
        &mut self,
        now: Time,
        reordered: bool,
        timestamp: u32,
        key: Key,
        block: EventBlock,
        out: &mut Vec<MediaOutput>,
    ) {
        if self.current.is_none() && self.lapsed.is_some_and(|press| is_part(&press, timestamp, key)) {
            self.current = self.lapsed.take().map(|press| Press { end_told: true, ..press });
        }
        let mut recent = self.recent.iter().flatten();
        let known = recent.any(|segment| (segment.timestamp, segment.key) == (timestamp, key));
        match &mut self.current {
            Some(press) if is_part(press, timestamp, key) => {
                if press.timestamp != timestamp {
                    press.joined = press.joined.saturating_add(timestamp.wrapping_sub(press.timestamp));
                    press.timestamp = timestamp;
                    press.duration = 0;
                }
                press.heard = now;
                press.duration = press.duration.max(u32::from(block.duration));
            }
            _ if known => return,
            _ => {
                let press = Press {
                    key,
                    timestamp,
                    joined: 0,
                    duration: u32::from(block.duration),
                    heard: now,
                    held_told: false,
                    end_told: false,
                    private: false,
                };
                if reordered && self.current.is_some() {
                    // All its other packets were lost, and a newer key is already down: told, and over.
                    self.remember(timestamp, key, false);
                    self.tell_whole(press, out);
                    return;
                }
                self.end_current(out);
                self.lapsed = None;
                self.current = Some(press);
                self.tell(MediaEvent::Key { leg: self.leg, key }, out);
            }
        }
        if !known {
            self.remember(timestamp, key, self.current.is_some_and(|press| press.private));
        }
        self.tell_held(out);
        if block.end {
            self.end_current(out);
        }
    }

    fn tell_whole(&self, press: Press, out: &mut Vec<MediaOutput>) {
        let (leg, key) = (self.leg, press.key);
        self.tell(MediaEvent::Key { leg, key }, out);
        if press.units() >= HELD_UNITS {
            self.tell(MediaEvent::KeyHeld { leg, key }, out);
        }
        self.tell(MediaEvent::KeyEnded { leg, key, held: length_of(u64::from(press.units())) }, out);
    }

    fn tell_held(&mut self, out: &mut Vec<MediaOutput>) {
        let leg = self.leg;
        if let Some(press) = &mut self.current
            && press.units() >= HELD_UNITS
            && !press.held_told
        {
            press.held_told = true;
            // A hold that went on after a gap needs its own end.
            press.end_told = false;
            out.push(MediaOutput::Event(MediaEvent::KeyHeld { leg, key: press.key }));
        }
    }

    fn end_current(&mut self, out: &mut Vec<MediaOutput>) -> Option<Press> {
        let press = self.current.take()?;
        if !press.end_told {
            let held = length_of(u64::from(press.units()));
            self.tell(MediaEvent::KeyEnded { leg: self.leg, key: press.key, held }, out);
        }
        Some(press)
    }

    fn tell(&self, event: MediaEvent, out: &mut Vec<MediaOutput>) {
        out.push(MediaOutput::Event(event));
    }

    fn remember(&mut self, timestamp: u32, key: Key, private: bool) {
        self.recent[self.recent_next] = Some(Segment { timestamp, key, private });
        self.recent_next = (self.recent_next + 1) % REMEMBERED;
    }
}

/// Reordered, not a new beginning of the numbers.
fn is_shortly_before(sequence: u16, newest: u16) -> bool {
    (1..=REORDERED_MAX).contains(&newest.wrapping_sub(sequence))
}

fn is_part(press: &Press, timestamp: u32, key: Key) -> bool {
    press.key == key && (press.timestamp == timestamp || press.continues_at(timestamp))
}
