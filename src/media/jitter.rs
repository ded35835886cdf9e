//! A jitter buffer by timestamp: packets are laid where they belong in time; what never comes is silence.
//!
//! It holds a few seconds on a line that starts at 0 with the recording. Nothing is played from it: a recording takes
//! its start once that is old enough. The sound of keys is blanked here, whichever of the two comes first.

use crate::codec::Codec;
use crate::media::g711;
use crate::media::stream::Received;

/// Samples held: 4 s.
const WINDOW: usize = 32_000;
/// A packet laid further ahead of time than this (200 ms) is anchored anew: the source's clock has jumped.
const AHEAD_MAX: i64 = 1600;
/// A packet laid further behind time than this (400 ms) is anchored anew.
pub const BEHIND_MAX: i64 = 3200;
/// Key events remembered for blanking.
const KEYS_MAX: usize = 8;

/// The sound of one side.
#[derive(Debug)]
pub struct JitterBuffer {
    ring: Box<[i16]>,
    /// Position of the oldest sample held.
    start: u64,
    ssrc: Option<u32>,
    /// A timestamp and its position.
    anchor: Option<(u32, i64)>,
    /// Beginning (as a timestamp) and length of the last key events.
    keys: [(u32, u32); KEYS_MAX],
    keys_next: usize,
}

impl Default for JitterBuffer {
    fn default() -> JitterBuffer {
        JitterBuffer {
            ring: vec![0; WINDOW].into(),
            start: 0,
            ssrc: None,
            anchor: None,
            keys: [(0, 0); KEYS_MAX],
            keys_next: 0,
        }
    }
}

impl JitterBuffer {
    /// Lays a packet that came when the line stood at `now`. Repeats fall upon themselves.
    pub fn place(&mut self, now: u64, packet: &Received<'_>, codec: Codec) {
        let (timestamp, payload) = (packet.timestamp, packet.payload);
        self.listen_to(packet.ssrc);
        let at = self.position(now, timestamp);
        if self.keys.iter().any(|key| overlaps(*key, timestamp, payload.len() as u32)) {
            return self.blank(at, payload.len());
        }
        for (offset, byte) in payload.iter().enumerate() {
            if let Some(sample) = self.sample(at + offset as i64) {
                *sample = g711::decode(codec, *byte);
            }
        }
    }

    /// A key event began at `timestamp` and has lasted `length` so far: whatever sounds then is not kept.
    pub fn mute(&mut self, ssrc: u32, timestamp: u32, length: u32) {
        let length = length.max(1);
        self.listen_to(ssrc);
        match self.keys.iter_mut().find(|key| key.0 == timestamp && key.1 > 0) {
            Some(key) => key.1 = key.1.max(length),
            None => {
                self.keys[self.keys_next] = (timestamp, length);
                self.keys_next = (self.keys_next + 1) % KEYS_MAX;
            }
        }
        // Events keep their first timestamp however long they last: they never move the anchor.
        if let Some(at) = self.anchored(timestamp) {
            self.blank(at, length as usize);
        }
    }

    /// Takes the sample at the start of the line and steps on.
    pub fn take(&mut self) -> i16 {
        let sample = std::mem::take(&mut self.ring[self.start as usize % WINDOW]);
        self.start += 1;
        sample
    }

    /// Another source's timestamps have nothing to do with the former's.
    fn listen_to(&mut self, ssrc: u32) {
        if self.ssrc != Some(ssrc) {
            self.ssrc = Some(ssrc);
            self.anchor = None;
            self.keys = [(0, 0); KEYS_MAX];
        }
    }

    fn anchored(&self, timestamp: u32) -> Option<i64> {
        self.anchor.map(|(zero, at)| at + i64::from(timestamp.wrapping_sub(zero) as i32))
    }

    fn position(&mut self, now: u64, timestamp: u32) -> i64 {
        let now = now as i64;
        let at = self.anchored(timestamp).filter(|at| (now - BEHIND_MAX..=now + AHEAD_MAX).contains(at)).unwrap_or(now);
        // Moved along, so that the difference of timestamps never wraps.
        self.anchor = Some((timestamp, at));
        at
    }

    fn blank(&mut self, at: i64, length: usize) {
        for offset in 0..length.min(WINDOW) as i64 {
            if let Some(sample) = self.sample(at + offset) {
                *sample = 0;
            }
        }
    }

    /// `None` for what was taken already, or lies further ahead than the buffer reaches.
    fn sample(&mut self, at: i64) -> Option<&mut i16> {
        let at = u64::try_from(at).ok()?;
        (self.start..self.start + WINDOW as u64).contains(&at).then(|| &mut self.ring[at as usize % WINDOW])
    }
}

fn overlaps(key: (u32, u32), timestamp: u32, length: u32) -> bool {
    let after_start = timestamp.wrapping_sub(key.0) as i32;
    key.1 > 0 && after_start + (length as i32) > 0 && i64::from(after_start) < i64::from(key.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loud(timestamp: u32) -> Received<'static> {
        Received { payload_type: 0, marker: false, sequence: 0, timestamp, ssrc: 1, payload: &[0x10; 160] }
    }

    fn taken(buffer: &mut JitterBuffer, frames: usize) -> Vec<bool> {
        (0..frames)
            .map(|_| {
                let frame: Vec<i16> = (0..160).map(|_| buffer.take()).collect();
                assert!(frame.iter().all(|sample| (*sample == 0) == (frame[0] == 0)), "whole frames");
                frame[0] != 0
            })
            .collect()
    }

    #[test]
    fn packets_lie_where_their_timestamps_say_and_lost_ones_are_silence() {
        let mut buffer = JitterBuffer::default();
        // 0, 2, 1 (reordered), 1 (again), 4; 3 is lost. Arrivals shake by up to 30 ms.
        for (frame, now) in [(0, 0), (2, 400), (1, 500), (1, 510), (4, 640)] {
            buffer.place(now, &loud((u32::MAX - 200).wrapping_add(frame * 160)), Codec::Pcmu);
        }
        assert_eq!(taken(&mut buffer, 6), [true, true, true, false, true, false]);
    }

    #[test]
    fn a_jump_of_the_timestamps_is_laid_where_time_is() {
        let mut buffer = JitterBuffer::default();
        buffer.place(0, &loud(5), Codec::Pcmu);
        buffer.place(320, &loud(3_000_000_000), Codec::Pcmu);
        buffer.place(480, &loud(3_000_000_160), Codec::Pcmu);
        assert_eq!(taken(&mut buffer, 5), [true, false, true, true, false]);
    }

    #[test]
    fn the_sound_of_a_key_is_blanked_before_and_after_its_event_came() {
        let mut buffer = JitterBuffer::default();
        for frame in 0..4u32 {
            buffer.place(u64::from(frame) * 160, &loud(frame * 160), Codec::Pcmu);
        }
        buffer.mute(1, 320, 160);
        buffer.mute(1, 320, 480);
        buffer.place(800, &loud(640), Codec::Pcmu);
        buffer.place(960, &loud(800), Codec::Pcmu);
        assert_eq!(taken(&mut buffer, 6), [true, true, false, false, false, true]);
    }
}
