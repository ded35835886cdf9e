//! The voices of the demo's people: two pure tones at once, in syllables, and an ear that tells them from prompts and music.
//!
//! Each tone is a multiple of 50 Hz, the width of a Goertzel bin over one 20 ms frame, so that a frame holds whole periods
//! and an ear can be strict: nothing else puts half of its power into each of just these two bins.

use crate::codec::{FRAME_SAMPLES, SAMPLE_RATE_HZ};
use std::f64::consts::TAU;

/// A syllable and the pause after it, in samples.
const SYLLABLE: usize = 2400;
const PAUSE: usize = 800;
/// Of each tone; together they reach a third of full scale.
const AMPLITUDE: f64 = 5000.0;
/// Least share of a frame's power in each of the two tones; half of it would be all.
const SHARE_MIN: f64 = 0.3;
/// So many frames in a row (0.1 s) are no accident.
const RUN: u32 = 5;

/// The two tones, in hertz.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Voice(pub u32, pub u32);

/// The agent, and the three callers.
pub const AGENT: Voice = Voice(650, 1550);
pub const CALLERS: [Voice; 3] = [Voice(450, 1150), Voice(550, 1250), Voice(750, 1350)];

impl Voice {
    /// The sample at this place of an endless speech.
    pub fn sample(self, at: usize) -> i16 {
        if at % (SYLLABLE + PAUSE) >= SYLLABLE {
            return 0;
        }
        let tone = |hertz: u32| (TAU * f64::from(hertz) * at as f64 / f64::from(SAMPLE_RATE_HZ)).sin();
        (AMPLITUDE * (tone(self.0) + tone(self.1))) as i16
    }

    fn is_in(self, frame: &[i16]) -> bool {
        let power: f64 = frame.iter().map(|&sample| f64::from(sample).powi(2)).sum();
        let loud = power / frame.len().max(1) as f64 > super::AUDIBLE_RMS.powi(2);
        loud && [self.0, self.1].iter().all(|&hertz| share(frame, hertz, power) >= SHARE_MIN)
    }
}

/// Waits for one of some voices.
#[derive(Debug)]
pub struct Ear {
    voices: &'static [Voice],
    run: u32,
}

impl Ear {
    pub fn new(voices: &'static [Voice]) -> Ear {
        Ear { voices, run: 0 }
    }

    /// Takes the next 20 ms; true from the moment at which one of the voices is certain.
    pub fn hears(&mut self, frame: &[i16]) -> bool {
        if self.run < RUN {
            let is_known = frame.len() == FRAME_SAMPLES && self.voices.iter().any(|voice| voice.is_in(frame));
            self.run = if is_known { self.run + 1 } else { 0 };
        }
        self.run >= RUN
    }
}

/// How much of the power lies at this frequency: Goertzel's sum over one frame.
fn share(frame: &[i16], hertz: u32, power: f64) -> f64 {
    let turn = 2.0 * (TAU * f64::from(hertz) / f64::from(SAMPLE_RATE_HZ)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for &sample in frame {
        (last, before) = (f64::from(sample) + turn * last - before, last);
    }
    2.0 * (last * last + before * before - turn * last * before) / (frame.len() as f64 * power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::hold_music::hold_music;
    use crate::server::level::to_pcm16;

    fn is_heard(sound: &[i16]) -> bool {
        let mut ear = Ear::new(&[AGENT]);
        sound.chunks(FRAME_SAMPLES).any(|frame| ear.hears(frame))
    }

    #[test]
    fn a_voice_is_known_wherever_frames_begin_and_others_are_not() {
        for shift in [0, 1, 77, 159] {
            let speech = |voice: Voice| (0..8000).map(|at| voice.sample(at + shift)).collect::<Vec<_>>();
            assert!(is_heard(&speech(AGENT)), "{shift}");
            assert!(CALLERS.iter().all(|&caller| !is_heard(&speech(caller))), "{shift}");
        }
    }

    #[test]
    fn music_and_silence_are_nobody() {
        assert!(!is_heard(&to_pcm16(&hold_music())));
        assert!(!is_heard(&[0; 8000]));
    }
}
