//! Makes raw speech fit for the telephone: 8 kHz, silence trimmed, one loudness for all prompts, never clipped.
//!
//! Samples are `f32` with full scale 1.0. Levels are dBFS of active speech: the frames within 25 dB of the loudest, so
//! that pauses do not make a slow sentence louder than a quick one. Reading and writing files is the caller's.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Every prompt's rate, in samples a second.
pub const RATE_HZ: usize = 8000;
/// Loudness of active speech.
pub const SPEECH_DBFS: f32 = -16.0;
/// No sample is louder than this.
pub const PEAK_DBFS: f32 = -1.0;
/// Silence kept before and after the words, in milliseconds.
pub const EDGE_MS: usize = 60;

/// To 8 kHz. `None` when the rate is one that no conversion exists for (zero).
pub fn resample(samples: &[f32], rate_hz: usize) -> Option<Vec<f32>> {
    if rate_hz == RATE_HZ {
        return Some(samples.to_vec());
    }
    if samples.is_empty() {
        return Some(Vec::new());
    }
    let mut resampler = Fft::<f32>::new(rate_hz, RATE_HZ, 1024, 1, FixedSync::Both).ok()?;
    let input = InterleavedSlice::new(samples, 1, samples.len()).ok()?;
    let output = resampler.process_all(&input, samples.len(), None).ok()?;
    Some(output.take_data())
}

/// Cuts silence off both ends down to [`EDGE_MS`], adding silence where there was less, and softens the cut.
pub fn trim(samples: &[f32]) -> Vec<f32> {
    let frame = RATE_HZ / 100;
    let loudness: Vec<f32> = samples.chunks(frame).map(rms).collect();
    let loudest = loudness.iter().copied().fold(0.0, f32::max);
    let threshold = (loudest * from_db(-40.0)).max(from_db(-66.0));
    let Some(first) = loudness.iter().position(|&frame| frame > threshold) else { return Vec::new() };
    let last = loudness.iter().rposition(|&frame| frame > threshold).unwrap_or(first);
    let edge = ms(EDGE_MS);
    let (begin, end) = (first * frame, ((last + 1) * frame).min(samples.len()));
    let (from, to) = (begin.saturating_sub(edge), (end + edge).min(samples.len()));
    let mut kept = vec![0.0; edge - (begin - from)];
    kept.extend(faded(&samples[from..to]));
    kept.resize(kept.len() + edge - (to - end), 0.0);
    kept
}

/// Brings active speech to [`SPEECH_DBFS`] with no sample above [`PEAK_DBFS`]. Silence stays silence.
pub fn level(samples: &[f32]) -> Vec<f32> {
    let mut levelled = samples.to_vec();
    // Limiting takes loudness away; three rounds give it back to within a tenth of a decibel for speech.
    for _ in 0..3 {
        let active = active_rms(&levelled);
        if active <= 0.0 {
            break;
        }
        let gain = from_db(SPEECH_DBFS) / active;
        levelled.iter_mut().for_each(|sample| *sample *= gain);
        limit(&mut levelled, from_db(PEAK_DBFS));
    }
    levelled
}

/// Root mean square of the 20 ms frames within 25 dB of the loudest one.
pub fn active_rms(samples: &[f32]) -> f32 {
    let frames: Vec<f32> = samples.chunks(RATE_HZ / 50).map(rms).collect();
    let threshold = frames.iter().copied().fold(0.0, f32::max) * from_db(-25.0);
    let active: Vec<f32> = frames.into_iter().filter(|&frame| frame > 0.0 && frame >= threshold).collect();
    if active.is_empty() {
        return 0.0;
    }
    (active.iter().map(|frame| frame * frame).sum::<f32>() / active.len() as f32).sqrt()
}

/// Root mean square of all samples; zero for none.
pub fn rms(samples: &[f32]) -> f32 {
    if samples.is_empty() {
        return 0.0;
    }
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len() as f32).sqrt()
}

pub fn from_db(db: f32) -> f32 {
    10.0_f32.powf(db / 20.0)
}

/// Samples in so many milliseconds.
pub fn ms(milliseconds: usize) -> usize {
    RATE_HZ * milliseconds / 1000
}

pub fn to_pcm16(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|sample| (sample.clamp(-1.0, 1.0) * 32767.0).round() as i16).collect()
}

/// A limiter that sees 5 ms ahead: the gain falls before a peak and rises after it, so that waves keep their shape.
fn limit(samples: &mut [f32], ceiling: f32) {
    let reach = ms(5);
    let wanted: Vec<f32> = samples.iter().map(|sample| (ceiling / sample.abs().max(ceiling)).min(1.0)).collect();
    let least: Vec<f32> = (0..wanted.len())
        .map(|at| {
            wanted[at.saturating_sub(reach)..(at + reach + 1).min(wanted.len())].iter().copied().fold(1.0, f32::min)
        })
        .collect();
    // Every value averaged here lies within reach of `at`, so none is above what `at` itself needs.
    for (at, sample) in samples.iter_mut().enumerate() {
        let near = &least[at.saturating_sub(reach)..(at + reach + 1).min(least.len())];
        *sample *= near.iter().sum::<f32>() / near.len() as f32;
    }
}

/// 4 ms of fade at both ends, against clicks.
fn faded(samples: &[f32]) -> Vec<f32> {
    let fade = ms(4).min(samples.len() / 2);
    let mut faded = samples.to_vec();
    let length = faded.len();
    for index in 0..fade {
        let gain = index as f32 / fade as f32;
        faded[index] *= gain;
        faded[length - 1 - index] *= gain;
    }
    faded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f32, rate_hz: usize, milliseconds: usize, peak: f32) -> Vec<f32> {
        let samples = rate_hz * milliseconds / 1000;
        (0..samples).map(|n| peak * (std::f32::consts::TAU * hz * n as f32 / rate_hz as f32).sin()).collect()
    }

    fn db(value: f32) -> f32 {
        20.0 * value.log10()
    }

    #[test]
    fn resampling_keeps_length_and_loudness_and_removes_what_8_khz_cannot_carry() {
        for rate in [16_000, 22_050, 32_000, 44_100] {
            let kept = resample(&sine(1000.0, rate, 1000, 0.5), rate).unwrap();
            assert!(kept.len().abs_diff(8000) <= 1, "{rate} Hz: {} samples", kept.len());
            assert!((db(rms(&kept)) - db(0.5 / 2.0_f32.sqrt())).abs() < 0.3, "{rate} Hz: {}", db(rms(&kept)));
            let gone = resample(&sine(6000.0, rate, 1000, 0.5), rate).unwrap();
            assert!(db(rms(&gone[800..7200])) < -50.0, "{rate} Hz: an alias is left at {}", db(rms(&gone)));
        }
        assert!(resample(&[0.1, 0.2], 0).is_none());
    }

    #[test]
    fn trimming_leaves_60_ms_at_each_end_whatever_was_there() {
        for (before, after) in [(0, 0), (30, 500), (700, 10)] {
            let mut sound = vec![0.0; ms(before)];
            sound.extend(sine(500.0, RATE_HZ, 400, 0.3));
            sound.resize(sound.len() + ms(after), 0.0);
            let kept = trim(&sound);
            let words = ms(400) as isize;
            let extra = kept.len() as isize - words - 2 * ms(EDGE_MS) as isize;
            assert!(extra.unsigned_abs() <= ms(10), "{before} ms before, {after} after: {extra} samples off");
            assert!(rms(&kept[..ms(40)]) < 0.001 && rms(&kept[kept.len() - ms(40)..]) < 0.001);
        }
        assert!(trim(&vec![0.0; 4000]).is_empty());
    }

    #[test]
    fn speech_of_any_loudness_and_sharpness_comes_out_at_one_level_without_clipping() {
        for peak in [0.01, 0.2, 1.0] {
            // Short bursts over a quiet ground: a high crest factor, as speech has.
            let mut sound = sine(300.0, RATE_HZ, 2000, peak * 0.15);
            for burst in 0..80 {
                let at = burst * 200;
                sine(900.0, RATE_HZ, 4, peak).iter().enumerate().for_each(|(n, sample)| sound[at + n] += sample);
            }
            let levelled = level(&sound);
            assert!((db(active_rms(&levelled)) - SPEECH_DBFS).abs() < 0.5, "{}", db(active_rms(&levelled)));
            let loudest = levelled.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
            assert!(db(loudest) <= PEAK_DBFS + 0.01, "{}", db(loudest));
        }
        assert_eq!(level(&[0.0; 400]), vec![0.0; 400]);
    }

    #[test]
    fn pauses_do_not_change_the_level() {
        let words = sine(400.0, RATE_HZ, 500, 0.2);
        let mut slow = words.clone();
        slow.resize(slow.len() + 8000, 0.0);
        slow.extend(&words);
        assert!((db(active_rms(&level(&slow))) - db(active_rms(&level(&words)))).abs() < 0.1);
    }
}
