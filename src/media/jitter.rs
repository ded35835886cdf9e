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
/// A packet that belongs further behind time than this (a frame less than recordings hold back) has no place any more.
pub const BEHIND_MAX: i64 = 7840;
/// A source so much behind (30 s) was held up on the way, and what it says now may yet catch up; one still further behind
/// counts anew.
const HELD_UP_MAX: i64 = 240_000;
/// One that stays behind for so long (40 ms) does not come in a burst: its clock stood still, and it is anchored anew.
const STANDS_STILL: u64 = 320;
/// A packet whose number is lower by no more than this is late, whatever its timestamp (as RFC 3550 A.1 has it).
const REORDERED_MAX: u16 = 100;
/// Key events remembered for blanking.
const KEYS_MAX: usize = 8;

/// The sound of one side.
#[derive(Debug)]
pub struct JitterBuffer {
    ring: Box<[i16]>,
    /// Position of the oldest sample held.
    start: u64,
    ssrc: Option<u32>,
    anchor: Option<Anchor>,
    /// Since when all that comes has been too far behind.
    behind_since: Option<u64>,
    /// Beginning (as a timestamp) and length of the last key events.
    keys: [(u32, u32); KEYS_MAX],
    keys_next: usize,
}

/// The newest packet that was laid: where all others are laid from.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    sequence: u16,
    timestamp: u32,
    at: i64,
}

impl Default for JitterBuffer {
    fn default() -> JitterBuffer {
        JitterBuffer {
            ring: vec![0; WINDOW].into(),
            start: 0,
            ssrc: None,
            anchor: None,
            behind_since: None,
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
        let Some(at) = self.position(now, packet) else { return };
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
            self.behind_since = None;
            self.keys = [(0, 0); KEYS_MAX];
        }
    }

    fn anchored(&self, timestamp: u32) -> Option<i64> {
        self.anchor.map(|anchor| anchor.at + i64::from(timestamp.wrapping_sub(anchor.timestamp) as i32))
    }

    /// Where a packet belongs. `None`: it was held up for so long that there is no place for it any more.
    fn position(&mut self, now: u64, packet: &Received<'_>) -> Option<i64> {
        let time = now as i64;
        if let (Some(anchor), Some(at)) = (self.anchor, self.anchored(packet.timestamp)) {
            let is_late = (1..=REORDERED_MAX).contains(&anchor.sequence.wrapping_sub(packet.sequence));
            if is_late && (time - HELD_UP_MAX..anchor.at).contains(&at) {
                // One that came by another way tells nothing of where the others are.
                return Some(at);
            }
            if (time - HELD_UP_MAX..time - BEHIND_MAX).contains(&at) {
                let since = *self.behind_since.get_or_insert(now);
                if now.saturating_sub(since) < STANDS_STILL {
                    return None;
                }
            } else if (time - BEHIND_MAX..=time + AHEAD_MAX).contains(&at) {
                self.lay(packet, at);
                return Some(at);
            }
        }
        self.lay(packet, time);
        Some(time)
    }

    /// Moved along with each packet, so that the difference of timestamps never wraps.
    fn lay(&mut self, packet: &Received<'_>, at: i64) {
        self.anchor = Some(Anchor { sequence: packet.sequence, timestamp: packet.timestamp, at });
        self.behind_since = None;
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
        let sequence = (timestamp / 160) as u16;
        Received { payload_type: 0, marker: false, sequence, timestamp, ssrc: 1, payload: &[0x10; 160] }
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

    /// Frame `number` with a sound of its own.
    fn place(buffer: &mut JitterBuffer, now: u64, number: u32) {
        let payload = [number as u8; 160];
        let sequence = 65_530u16.wrapping_add(number as u16);
        let packet =
            Received { payload_type: 0, marker: false, sequence, timestamp: number * 160, ssrc: 1, payload: &payload };
        buffer.place(now, &packet, Codec::Pcmu);
    }

    /// The numbers of the frames taken; `None` where there is silence.
    fn numbers(buffer: &mut JitterBuffer, frames: usize) -> Vec<Option<u32>> {
        (0..frames)
            .map(|_| {
                let frame: Vec<i16> = (0..160).map(|_| buffer.take()).collect();
                let number = (0..=126).find(|number| g711::decode(Codec::Pcmu, *number as u8) == frame[0]);
                assert!(frame.iter().all(|sample| *sample == frame[0]), "whole frames");
                number.filter(|_| frame[0] != 0)
            })
            .collect()
    }

    #[test]
    fn a_packet_late_by_a_second_disturbs_no_other() {
        for late in [600, 6400, 7800, 20_000] {
            let mut buffer = JitterBuffer::default();
            for number in 0..100u32 {
                let now = u64::from(number) * 160 + 800;
                // Frame 10 is on its way for longer.
                if now >= 1600 + 800 + late && now < 1600 + 960 + late {
                    place(&mut buffer, now, 10);
                }
                if number != 10 {
                    place(&mut buffer, now, number);
                }
            }
            let mut expected: Vec<Option<u32>> = vec![None; 5];
            expected.extend((0..95).map(Some));
            if late == 20_000 {
                expected[15] = None;
            }
            assert_eq!(numbers(&mut buffer, 100), expected, "late by {late} samples");
        }
    }

    #[test]
    fn what_was_held_up_and_comes_in_a_burst_is_laid_where_it_belongs() {
        // Held up for 600 ms, and for 2 s: of the latter the first second is lost, and nothing is in a wrong place.
        for (held_up, lost) in [(30u32, 0), (100, 51)] {
            let mut buffer = JitterBuffer::default();
            let burst = 10..10 + held_up;
            let mut taken = Vec::new();
            for number in 0..120u32 {
                let now = u64::from(number) * 160;
                if number >= burst.end {
                    if number == burst.end {
                        burst.clone().for_each(|frame| place(&mut buffer, now, frame));
                    }
                    place(&mut buffer, now, number);
                } else if !burst.contains(&number) {
                    place(&mut buffer, now, number);
                }
                // A recording takes what is a second old.
                if number >= 50 {
                    taken.extend(numbers(&mut buffer, 1));
                }
            }
            let is_lost = |number: &u32| (burst.start..burst.start + lost).contains(number);
            let expected: Vec<Option<u32>> = (0..70).map(|number| Some(number).filter(|n| !is_lost(n))).collect();
            assert_eq!(taken, expected, "{held_up} frames held up");
        }
    }

    #[test]
    fn a_clock_that_stood_still_is_followed() {
        let mut buffer = JitterBuffer::default();
        (0..5).for_each(|number| place(&mut buffer, u64::from(number) * 160, number));
        // Two seconds of nothing, over which the phone did not count.
        (5..20).for_each(|number| place(&mut buffer, 16_000 + u64::from(number) * 160, number));
        let frames = numbers(&mut buffer, 120);
        assert_eq!(frames[..5], [Some(0), Some(1), Some(2), Some(3), Some(4)]);
        assert!(frames[5..107].iter().all(Option::is_none));
        assert_eq!(frames[107..], (7..20).map(Some).collect::<Vec<_>>());
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
