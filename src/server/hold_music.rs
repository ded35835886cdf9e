//! The two sounds that no voice speaks: the hold music and the tone before a recording. Composed here, sampled nowhere.
//!
//! Only partials inside the telephone's band are written, so nothing needs filtering, and notes ring on past the end
//! into the beginning, so the loop has no seam.

use super::level::{RATE_HZ, from_db, ms, rms};
use std::f32::consts::TAU;

/// Loudness of the music over its whole length.
pub const MUSIC_DBFS: f32 = -20.0;
/// What a telephone carries of a partial, in hertz.
const BAND_HZ: std::ops::RangeInclusive<f32> = 310.0..=3300.0;
const BAR_MS: usize = 4000;
const BEAT_MS: usize = 500;

/// Eight bars: the chord that is held (MIDI notes, middle C is 60), and the order in which single notes of it are plucked.
const BARS: [([u8; 4], [usize; 8]); 8] = [
    ([64, 67, 71, 74], [0, 1, 2, 3, 2, 1, 3, 2]),
    ([65, 69, 72, 76], [0, 2, 1, 3, 2, 3, 1, 2]),
    ([67, 71, 74, 76], [1, 0, 2, 3, 2, 1, 0, 2]),
    ([64, 69, 72, 76], [0, 1, 3, 2, 1, 2, 3, 1]),
    ([65, 69, 72, 74], [0, 1, 2, 3, 2, 1, 2, 3]),
    ([64, 67, 72, 76], [0, 2, 3, 2, 1, 2, 3, 2]),
    ([65, 69, 74, 77], [0, 1, 2, 3, 2, 3, 2, 1]),
    ([65, 67, 71, 74], [1, 2, 3, 2, 1, 3, 2, 0]),
];

/// 32 s at 8 kHz, whole 20 ms frames, to be looped.
pub fn hold_music() -> Vec<f32> {
    let mut sound = vec![0.0; ms(BAR_MS) * BARS.len()];
    for (bar, (chord, plucks)) in BARS.iter().enumerate() {
        for (voice, &note) in chord.iter().enumerate() {
            add_held(&mut sound, ms(BAR_MS) * bar, pitch_hz(note), voice);
        }
        for (beat, &which) in plucks.iter().enumerate() {
            let strength = if beat % 4 == 0 { 0.9 } else { 0.6 };
            let octave = if beat % 2 == 0 { 12 } else { 0 };
            add_plucked(&mut sound, ms(BAR_MS) * bar + ms(BEAT_MS) * beat, pitch_hz(chord[which] + octave), strength);
        }
    }
    let gain = from_db(MUSIC_DBFS) / rms(&sound);
    sound.iter_mut().for_each(|sample| *sample *= gain);
    sound
}

/// 300 ms of 440 Hz with soft edges, as loud as the prompts.
pub fn tone() -> Vec<f32> {
    let (length, fade) = (ms(300), ms(15));
    let peak = from_db(super::level::SPEECH_DBFS) * 2.0_f32.sqrt();
    let edge = |n: usize| (n.min(length - 1 - n) as f32 / fade as f32).min(1.0);
    (0..length).map(|n| peak * edge(n) * (TAU * 440.0 * n as f32 / RATE_HZ as f32).sin()).collect()
}

/// A note of the chord: one second to swell, then it gives way to the next bar's within another.
fn add_held(sound: &mut [f32], start: usize, hz: f32, voice: usize) {
    let (swell, length) = (ms(1000), ms(BAR_MS + 1000));
    for (harmonic, strength) in [(1.0, 1.0), (2.0, 0.35), (3.0, 0.12)] {
        let phase = voice as f32 * 0.7 + harmonic * 1.3;
        add_partial(sound, start, length, hz * harmonic, phase, |n| {
            let ramp = (n.min(length - n) as f32 / swell as f32).min(1.0);
            // A slow breath, three in a bar's two, a little different in each voice.
            let breath = 1.0 - 0.12 * (TAU * (n as f32 / ms(2700) as f32 + voice as f32 * 0.21)).cos();
            0.16 * strength * breath * (0.5 - 0.5 * (std::f32::consts::PI * ramp).cos())
        });
    }
}

/// A soft bell: 8 ms to begin, then dying away within about two seconds, the high partials first.
fn add_plucked(sound: &mut [f32], start: usize, hz: f32, strength: f32) {
    let length = ms(2400);
    for (harmonic, share, fall_ms) in [(1.0, 1.0, 600.0), (2.0, 0.3, 300.0), (3.0, 0.1, 150.0)] {
        add_partial(sound, start, length, hz * harmonic, 0.0, |n| {
            let begin = (n as f32 / ms(8) as f32).min(1.0);
            let end = ((length - n) as f32 / ms(200) as f32).min(1.0);
            let milliseconds = n as f32 * 1000.0 / RATE_HZ as f32;
            0.3 * strength * share * begin * end * (-milliseconds / fall_ms).exp()
        });
    }
}

/// Adds one sine if the telephone carries it; what runs past the end goes on at the beginning.
fn add_partial(sound: &mut [f32], start: usize, length: usize, hz: f32, phase: f32, loudness: impl Fn(usize) -> f32) {
    if !BAND_HZ.contains(&hz) {
        return;
    }
    let whole = sound.len();
    for n in 0..length {
        sound[(start + n) % whole] += loudness(n) * (TAU * hz * n as f32 / RATE_HZ as f32 + phase).sin();
    }
}

fn pitch_hz(note: u8) -> f32 {
    440.0 * 2.0_f32.powf((f32::from(note) - 69.0) / 12.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loudness of one frequency, by the Goertzel recurrence.
    fn power_at(samples: &[f32], hz: f32) -> f32 {
        let turn = 2.0 * (TAU * hz / RATE_HZ as f32).cos();
        let (mut before, mut last) = (0.0_f32, 0.0_f32);
        for &sample in samples {
            (before, last) = (last, sample + turn * last - before);
        }
        (before * before + last * last - turn * before * last) / (samples.len() as f32).powi(2)
    }

    fn peak(samples: &[f32]) -> f32 {
        samples.iter().fold(0.0, |most, sample| sample.abs().max(most))
    }

    #[test]
    fn the_music_is_long_enough_in_whole_frames_and_never_clips() {
        let music = hold_music();
        assert!(music.len() >= 30 * RATE_HZ);
        assert_eq!(music.len() % 160, 0);
        assert!((20.0 * rms(&music).log10() - MUSIC_DBFS).abs() < 0.1);
        assert!(peak(&music) < from_db(-3.0), "peak {}", peak(&music));
    }

    #[test]
    fn the_loop_has_no_seam() {
        let music = hold_music();
        let step = |a: f32, b: f32| (a - b).abs();
        let largest_inside = music.windows(2).map(|pair| step(pair[0], pair[1])).fold(0.0, f32::max);
        assert!(step(music[0], music[music.len() - 1]) <= largest_inside);
        // Notes of the last bar are still heard when the first begins, so it does not start from silence.
        assert!(rms(&music[..160]) > 0.3 * rms(&music));
    }

    #[test]
    fn nothing_lies_outside_the_telephones_band() {
        let music = hold_music();
        let second = &music[RATE_HZ * 9..RATE_HZ * 10];
        let inside: f32 = (31..330).map(|tens| power_at(second, tens as f32 * 10.0)).sum();
        let outside: f32 = (1..25).chain(340..400).map(|tens| power_at(second, tens as f32 * 10.0)).sum();
        assert!(outside < inside * 0.001, "outside {outside}, inside {inside}");
    }

    #[test]
    fn the_tone_is_short_and_starts_and_ends_softly() {
        let tone = tone();
        assert_eq!(tone.len(), ms(300));
        assert!(tone[0].abs() < 0.001 && tone[tone.len() - 1].abs() < 0.001);
        assert!(power_at(&tone, 440.0) > 100.0 * power_at(&tone, 880.0));
    }
}
