//! WAV files: any bytes, as the prompts' reader takes them, up to the telephone's rate and law.
//!
//! What is read is sound: as many samples as the file has room for, each a number between -1 and 1, and as long as before
//! once it was brought to 8 kHz.

use onekey::codec::{Codec, SAMPLE_RATE_HZ};
use onekey::media::g711;
use onekey::server::files::wav_of;
use onekey::server::resample::to_telephone_rate;
use onekey::server::riff::find_sound;

/// Longest sound that is brought to another rate here: that takes time, and more of it shows no more.
const RESAMPLED_MAX: usize = 4000;

pub fn run(bytes: &[u8]) {
    let found = find_sound(bytes);
    let wav = match wav_of(bytes) {
        Ok(wav) => wav,
        Err(reason) => return assert!(!reason.is_empty() && !reason.contains(char::is_control), "{reason:?}"),
    };
    let sound = found.expect("its sound was found before");
    let frame = usize::from(sound.format.channels) * usize::from(sound.format.sample_bytes);
    assert_eq!(wav.samples.len() * frame, sound.bytes.len());
    assert!(sound.bytes.len() <= bytes.len() && !wav.samples.is_empty());
    are_sound(&wav.samples);
    if wav.samples.len() > RESAMPLED_MAX {
        return;
    }
    let (length, rate) = (wav.samples.len() as u64, u64::from(wav.rate_hz));
    let resampled = to_telephone_rate(wav.samples, wav.rate_hz).expect("a rate that was let in can be resampled");
    let expected = (length * u64::from(SAMPLE_RATE_HZ)).div_ceil(rate);
    assert_eq!(resampled.len() as u64, expected, "{length} samples at {rate}");
    for sample in resampled {
        assert!(sample.is_finite());
        let whole = (sample * 32768.0).round().clamp(-32768.0, 32767.0) as i16;
        for codec in [Codec::Pcmu, Codec::Pcma] {
            let _ = g711::decode(codec, g711::encode(codec, whole));
        }
    }
}

fn are_sound(samples: &[f32]) {
    for sample in samples {
        assert!((-1.0..=1.0).contains(sample), "{sample}");
    }
}
