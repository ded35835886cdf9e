//! A recording: one or two sides on one line of time, given out in blocks of a second.
//!
//! The last second is held back, for packets under way and so that `cut_tail` can take it off. Files and their headers
//! are the shell's; which leg is heard on the right is the plane's.

use crate::codec::Codec;
use crate::ids::LegId;
use crate::media::MediaOutput;
use crate::media::command::RecordChannels;
use crate::media::dtmf::blocks;
use crate::media::g711;
use crate::media::jitter::JitterBuffer;
use crate::media::stream::{Received, length_of, samples_in};
use crate::time::Time;
use std::path::PathBuf;
use std::time::Duration;

/// Samples given out at a time.
const BLOCK: u64 = 8000;
/// Samples held back; also the longest `cut_tail`.
pub const HELD_BACK: u64 = 8000;
/// Mean square of -45 dBFS: quieter is silence.
const QUIET_POWER: i64 = 184 * 184;

/// Left is what the leg itself says, right what its bridge partner says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Left,
    Right,
}

#[derive(Debug)]
pub struct Recorder {
    leg: LegId,
    pub file: PathBuf,
    began: Time,
    left: JitterBuffer,
    /// Only with two channels.
    right: Option<JitterBuffer>,
    /// Samples given out, of each channel.
    written: u64,
    silence: Option<Duration>,
    /// When the leg was last louder than silence.
    loud: Time,
}

impl Recorder {
    pub fn new(now: Time, leg: LegId, file: PathBuf, channels: RecordChannels, silence: Option<Duration>) -> Recorder {
        let right = (channels == RecordChannels::Two).then(JitterBuffer::default);
        Recorder { leg, file, began: now, left: JitterBuffer::default(), right, written: 0, silence, loud: now }
    }

    /// Hears audio of one side. What came before the recording began (and was kept until the format was known) is no part
    /// of it.
    pub fn audio(&mut self, now: Time, side: Side, packet: &Received<'_>, codec: Codec, out: &mut Vec<MediaOutput>) {
        if now < self.began {
            return;
        }
        self.give_out(now, out);
        let position = self.position(now);
        if side == Side::Left && is_loud(codec, packet.payload) {
            self.loud = now;
        }
        if let Some(buffer) = self.buffer(side) {
            buffer.place(position, packet, codec);
        }
    }

    /// Hears a key: its time is left silent.
    pub fn key(&mut self, side: Side, packet: &Received<'_>) {
        if let Some(buffer) = self.buffer(side) {
            for (timestamp, block) in blocks(packet.timestamp, packet.payload) {
                buffer.mute(packet.ssrc, timestamp, u32::from(block.duration));
            }
        }
    }

    /// When the next block is due or the silence is long enough.
    pub fn deadline(&self) -> Time {
        let block = self.began + length_of(self.written + BLOCK + HELD_BACK);
        self.silence.map_or(block, |silence| block.min(self.loud + silence))
    }

    /// Has the leg been silent for as long as the order says?
    pub fn fell_silent(&self, now: Time) -> bool {
        self.silence.is_some_and(|silence| now.since(self.loud) >= silence)
    }

    /// Gives out what is old enough.
    pub fn give_out(&mut self, now: Time, out: &mut Vec<MediaOutput>) {
        while self.position(now) >= self.written + BLOCK + HELD_BACK {
            self.write(BLOCK, out);
        }
    }

    /// Ends it, `cut_tail` (a second at most) before now. Returns how long the recording is.
    pub fn finish(mut self, now: Time, cut_tail: Duration, out: &mut Vec<MediaOutput>) -> Duration {
        self.give_out(now, out);
        let end = self.position(now).saturating_sub(samples_in(cut_tail).min(HELD_BACK));
        self.write(end.saturating_sub(self.written), out);
        out.push(MediaOutput::RecordClose { leg: self.leg });
        length_of(self.written)
    }

    fn write(&mut self, count: u64, out: &mut Vec<MediaOutput>) {
        if count == 0 {
            return;
        }
        let channels = if self.right.is_some() { 2 } else { 1 };
        let mut samples = Vec::with_capacity(count as usize * channels);
        for _ in 0..count {
            samples.push(self.left.take());
            if let Some(right) = &mut self.right {
                samples.push(right.take());
            }
        }
        self.written += count;
        out.push(MediaOutput::RecordSamples { leg: self.leg, samples });
    }

    fn position(&self, now: Time) -> u64 {
        samples_in(now.since(self.began))
    }

    fn buffer(&mut self, side: Side) -> Option<&mut JitterBuffer> {
        match side {
            Side::Left => Some(&mut self.left),
            Side::Right => self.right.as_mut(),
        }
    }
}

fn is_loud(codec: Codec, payload: &[u8]) -> bool {
    let power: i64 = payload.iter().map(|byte| i64::from(g711::decode(codec, *byte)).pow(2)).sum();
    power >= QUIET_POWER * payload.len().max(1) as i64
}
