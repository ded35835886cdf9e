//! The far ends: phones with their streams and keys, and strangers who would like to be heard.
//!
//! A phone sends a marked frame every 20 ms, or, while a key is down, the key's events (RFC 4733 §2.5); it takes up a new
//! SSRC with every new stream. A stranger knows port, law and payload types, and now and then even the right SSRC.

use super::air::{Flight, Sort};
use super::wire::{self, DATAGRAM_MAX, FRAME, Rtp};
use onekey::codec::Codec;
use onekey::key::Key;
use onekey::time::Time;
use rand_chacha::ChaCha12Rng;
use rand_core::Rng;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

pub const TICK: Duration = Duration::from_millis(20);
/// Speakers from here on are strangers.
pub const STRANGERS: u16 = 2048;
/// A segment of a long event: 0xFFFF, rounded down to whole packets.
const SEGMENT: u32 = 65_440;
/// Presses longer than this are followed by a long pause, lest the next one look like their next segment.
const LONG: u32 = 55_000;

#[derive(Debug)]
pub struct Phone {
    pub from: SocketAddr,
    pub to_port: u16,
    pub codec: Codec,
    pub events: Option<u8>,
    pub talking: bool,
    /// Rises whenever what was planned for it is void.
    pub turn: u32,
    /// When the last packet of its stream arrives.
    pub newest: Time,
    speaker: u16,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    frames: u32,
    next: Time,
    marker: bool,
    press: Option<Press>,
    waiting: VecDeque<(Key, u32)>,
    /// So many frames of sound before the next key.
    rest: u32,
    report_in: u32,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    id: u32,
    key: Key,
    timestamp: u32,
    /// So far, whole, and where the present segment began, in timestamp units.
    units: u32,
    whole: u32,
    segment: u32,
    ends: u8,
    /// The three end packets go out at once.
    ends_together: bool,
}

impl Phone {
    pub fn new(from: SocketAddr) -> Phone {
        Phone {
            from,
            to_port: 0,
            codec: Codec::Pcmu,
            events: None,
            talking: false,
            turn: 0,
            newest: Time::ZERO,
            speaker: 0,
            ssrc: 0,
            sequence: 0,
            timestamp: 0,
            frames: 0,
            next: Time::ZERO,
            marker: true,
            press: None,
            waiting: VecDeque::new(),
            rest: 0,
            report_in: 0,
        }
    }

    /// A stream of its own, with new numbers.
    pub fn begin_stream(&mut self, speaker: u16, dice: &mut ChaCha12Rng) {
        (self.speaker, self.ssrc) = (speaker, dice.next_u32());
        (self.sequence, self.timestamp) = (dice.next_u32() as u16, dice.next_u32());
        (self.frames, self.marker, self.press) = (0, true, None);
        self.report_in = 50 + dice.next_u32() % 200;
    }

    /// Goes on with the stream that was interrupted.
    pub fn resume(&mut self, now: Time) {
        let frames = (now.since(self.next).as_micros() / TICK.as_micros()) as u32 + 1;
        self.frames += frames;
        self.timestamp = self.timestamp.wrapping_add(frames * FRAME as u32);
        self.marker = true;
    }

    pub fn hush(&mut self) {
        self.talking = false;
        self.turn += 1;
        self.press = None;
        self.waiting.clear();
    }

    pub fn press(&mut self, key: Key, length: Duration) {
        let frames = (length.as_millis() as u32).div_ceil(20).max(2);
        self.waiting.push_back((key, frames * FRAME as u32));
    }

    /// Its next 20 ms. `presses` counts all presses of all phones.
    pub fn tick(&mut self, now: Time, presses: &mut u32, dice: &mut ChaCha12Rng, mut send: impl FnMut(Flight)) {
        if self.press.is_none() && self.rest == 0 && self.events.is_some() {
            self.press = self.waiting.pop_front().map(|(key, whole)| {
                *presses += 1;
                let ends_together = dice.next_u32().is_multiple_of(2);
                let timestamp = self.timestamp;
                Press { id: *presses, key, timestamp, units: 0, whole, segment: 0, ends: 0, ends_together }
            });
            self.marker |= self.press.is_some();
        }
        match (self.press.take(), self.events) {
            (Some(press), Some(payload_type)) => self.tick_press(press, payload_type, &mut send),
            _ => self.tick_sound(&mut send),
        }
        self.frames += 1;
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        self.next = now + TICK;
        self.report_in -= 1;
        if self.report_in == 0 {
            self.report_in = 150 + dice.next_u32() % 200;
            send(self.rtcp(&wire::receiver_report(self.ssrc)));
        }
    }

    fn tick_sound(&mut self, send: &mut impl FnMut(Flight)) {
        self.rest = self.rest.saturating_sub(1);
        let (speaker, number) = (self.speaker, self.frames);
        let payload = wire::frame(self.codec, speaker, number);
        send(self.packet(self.codec.payload_type(), self.timestamp, &payload, Sort::Sound { speaker, number }));
    }

    fn tick_press(&mut self, mut press: Press, payload_type: u8, send: &mut impl FnMut(Flight)) {
        press.units = (press.units + FRAME as u32).min(press.whole);
        if press.units - press.segment > SEGMENT {
            press.segment += SEGMENT;
        }
        let end = press.units == press.whole;
        let [high, low] = ((press.units - press.segment) as u16).to_be_bytes();
        let payload = [press.key.event_code(), if end { 0x8a } else { 0x0a }, high, low];
        let Press { id, key, segment, units, .. } = press;
        let sort = Sort::Event { press: id, key, from: segment, units, end };
        for _ in 0..if end && press.ends_together { 3 } else { 1 } {
            let timestamp = press.timestamp.wrapping_add(segment);
            send(self.packet(payload_type, timestamp, &payload, sort));
            press.ends += u8::from(end);
        }
        if press.ends < 3 {
            self.press = Some(press);
        } else {
            self.rest = if press.whole > LONG { 80 } else { 3 };
        }
    }

    fn packet(&mut self, payload_type: u8, timestamp: u32, payload: &[u8], sort: Sort) -> Flight {
        let marker = std::mem::take(&mut self.marker);
        let rtp = Rtp { payload_type, marker, sequence: self.sequence, timestamp, ssrc: self.ssrc, payload };
        self.sequence = self.sequence.wrapping_add(1);
        rtp_flight(self.from, self.to_port, &rtp, sort, false)
    }

    fn rtcp(&self, bytes: &[u8]) -> Flight {
        let from = SocketAddr::new(self.from.ip(), self.from.port() + 1);
        plain_flight(from, self.to_port + 1, bytes, Sort::Rtcp, false)
    }
}

/// Somebody who is nobody's peer, for a few seconds.
#[derive(Debug)]
pub struct Stranger {
    pub from: SocketAddr,
    pub port: u16,
    pub codec: Codec,
    pub events: u8,
    pub speaker: u16,
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    /// Packets that are still to be sent.
    pub left: u32,
    pub newest: Time,
}

impl Stranger {
    /// Mostly sound; a key of his own in every eighth second, reports and junk between.
    pub fn tick(&mut self, dice: &mut ChaCha12Rng, mut send: impl FnMut(Flight)) {
        self.left -= 1;
        let (speaker, number) = (self.speaker, self.left);
        let Stranger { from, port, sequence, timestamp, ssrc, .. } = *self;
        let marker = number.is_multiple_of(50);
        let mut say = |payload_type, timestamp, payload: &[u8], sort| {
            let rtp = Rtp { payload_type, marker, sequence, timestamp, ssrc, payload };
            send(rtp_flight(from, port, &rtp, sort, true));
        };
        if number % 50 < 6 {
            let units = ((50 - number % 50) * FRAME as u32) as u16;
            let [high, low] = units.to_be_bytes();
            say(self.events, timestamp.wrapping_sub(u32::from(units)), &[0, 0x0a, high, low], Sort::Junk);
        } else {
            let payload = wire::frame(self.codec, speaker, number);
            say(self.codec.payload_type(), timestamp, &payload, Sort::Sound { speaker, number });
        }
        self.sequence = sequence.wrapping_add(1);
        self.timestamp = timestamp.wrapping_add(FRAME as u32);
        if number.is_multiple_of(30) {
            let report = SocketAddr::new(from.ip(), from.port() ^ 1);
            send(plain_flight(report, port + 1, &wire::receiver_report(ssrc), Sort::Rtcp, true));
        }
        if number.is_multiple_of(25) {
            let (bytes, length) = junk(dice);
            send(plain_flight(from, port + u16::from(number.is_multiple_of(2)), &bytes[..length], Sort::Junk, true));
        }
    }
}

/// Bytes that are neither RTP of an agreed payload type nor RTCP.
pub fn junk(dice: &mut ChaCha12Rng) -> ([u8; 64], usize) {
    let mut bytes = [0; 64];
    dice.fill_bytes(&mut bytes);
    let length = (dice.next_u32() % 65) as usize;
    match dice.next_u32() % 3 {
        0 => bytes[0] &= 0x7f,
        1 => return (bytes, length.min(7)),
        // GSM, which nobody agrees to here.
        _ => (bytes[0], bytes[1]) = (0x80, 3),
    }
    (bytes, length)
}

fn rtp_flight(from: SocketAddr, port: u16, rtp: &Rtp<'_>, sort: Sort, stranger: bool) -> Flight {
    let mut bytes = [0; DATAGRAM_MAX];
    let length = wire::build(rtp, &mut bytes);
    Flight { from, port, sort, stranger, length, bytes }
}

pub fn plain_flight(from: SocketAddr, port: u16, payload: &[u8], sort: Sort, stranger: bool) -> Flight {
    let mut bytes = [0; DATAGRAM_MAX];
    bytes[..payload.len()].copy_from_slice(payload);
    Flight { from, port, sort, stranger, length: payload.len() as u16, bytes }
}
