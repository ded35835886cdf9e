//! Recordings: reads 16-bit WAV and G.711, measures loudness, and says how much of a reference sound is heard in a
//! recording, whatever the delay, the volume and the G.711 in between.

use std::path::Path;

/// Samples of a 16-bit PCM WAV file of one channel or more (the first is taken), with its rate.
pub fn read(path: &Path) -> Result<(Vec<i16>, u32), String> {
    read_channel(path, 0)
}

/// The same, of another channel than the first (counted from 0).
pub fn read_channel(path: &Path, channel: usize) -> Result<(Vec<i16>, u32), String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut at = 12;
    let (mut channels, mut rate, mut bits) = (1usize, 8000u32, 16u16);
    while at + 8 <= bytes.len() {
        let kind = &bytes[at..at + 4];
        let length = u32::from_le_bytes([bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]]) as usize;
        // A recorder that was killed leaves a length of 0 or too much: what is there counts.
        let end = if kind == b"data" && length == 0 { bytes.len() } else { (at + 8 + length).min(bytes.len()) };
        let body = &bytes[at + 8..end];
        if kind == b"fmt " && body.len() >= 16 {
            channels = usize::from(u16::from_le_bytes([body[2], body[3]])).max(1);
            rate = u32::from_le_bytes([body[4], body[5], body[6], body[7]]);
            bits = u16::from_le_bytes([body[14], body[15]]);
        } else if kind == b"data" {
            if bits != 16 {
                return Err(format!("{}: {bits} bits, 16 wanted", path.display()));
            }
            let frames = body.chunks_exact(2 * channels);
            let at = 2 * channel.min(channels - 1);
            return Ok((frames.map(|frame| i16::from_le_bytes([frame[at], frame[at + 1]])).collect(), rate));
        }
        at = end + (length & 1);
    }
    Err(format!("{}: no data in it", path.display()))
}

/// Writes mono 16-bit PCM at 8 kHz.
pub fn write(path: &Path, samples: &[i16]) {
    write_with(path, samples, 1, 16, 8000);
}

/// Writes a PCM WAV whose head claims any channels, bits and rate; samples go out with `bits` each.
pub fn write_with(path: &Path, samples: &[i16], channels: u16, bits: u16, rate: u32) {
    let width = bits / 8;
    let data: Vec<u8> = samples
        .iter()
        .flat_map(|sample| {
            let wide = (i32::from(*sample) << 16).to_le_bytes();
            wide[4 - usize::from(width)..].to_vec()
        })
        .collect();
    let mut out = Vec::with_capacity(44 + data.len());
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + data.len() as u32).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16u32.to_le_bytes());
    out.extend_from_slice(&1u16.to_le_bytes());
    out.extend_from_slice(&channels.to_le_bytes());
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&(rate * u32::from(channels * width)).to_le_bytes());
    out.extend_from_slice(&(channels * width).to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&(data.len() as u32).to_le_bytes());
    out.extend_from_slice(&data);
    std::fs::write(path, out).expect("a WAV file written");
}

/// A sound that resembles nothing else: a voice-like hum whose pitch and loudness wander by `seed`.
pub fn voice(seed: u32, seconds: f64) -> Vec<i16> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f64::from(state) / f64::from(u32::MAX)
    };
    let (mut phase, mut pitch, mut loud) = (0.0f64, 300.0, 0.5);
    (0..(seconds * 8000.0) as usize)
        .map(|at| {
            if at % 800 == 0 {
                pitch = 150.0 + 650.0 * random();
                loud = 0.3 + 0.7 * random();
            }
            phase += pitch / 8000.0 * std::f64::consts::TAU;
            (loud * 9000.0 * (phase.sin() + 0.4 * (2.0 * phase).sin())) as i16
        })
        .collect()
}

/// ITU-T G.711 mu-law to 14-bit linear, scaled to 16.
pub fn from_mulaw(byte: u8) -> i16 {
    let bits = !byte;
    let magnitude = ((i32::from(bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4);
    let value = magnitude - 0x84;
    (if bits & 0x80 != 0 { -value } else { value }) as i16
}

/// Linear to ITU-T G.711 mu-law.
pub fn to_mulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80u8 } else { 0 };
    let magnitude = (i32::from(sample).abs() + 0x84).min(0x7fff);
    let exponent = (24 - magnitude.leading_zeros() as i32).clamp(0, 7);
    let mantissa = ((magnitude >> (exponent + 3)) & 0x0f) as u8;
    !(sign | (exponent as u8) << 4 | mantissa)
}

/// Root mean square, 0 for nothing.
pub fn rms(samples: &[i16]) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    (samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
}

/// How much of `reference` is heard in `recording`: the share (0 to 1) of its loud half-seconds that are found in it
/// with a normalised cross-correlation of 0.7 or more. Both at 8 kHz.
pub fn heard(recording: &[i16], reference: &[i16]) -> f64 {
    let recording = quarter_rate(recording);
    let loud = rms(reference) / 2.0;
    let pieces: Vec<&[i16]> = reference.chunks_exact(4000).filter(|piece| rms(piece) >= loud).collect();
    if pieces.is_empty() {
        return 0.0;
    }
    let found = pieces.iter().filter(|piece| correlation(&recording, &quarter_rate(piece)) >= 0.7).count();
    found as f64 / pieces.len() as f64
}

/// The best normalised cross-correlation of `piece` at any place of `recording`.
fn correlation(recording: &[f32], piece: &[f32]) -> f32 {
    let length = piece.len();
    if recording.len() < length {
        return 0.0;
    }
    let own: f32 = piece.iter().map(|x| x * x).sum();
    let mut energy: f64 = recording[..length].iter().map(|x| f64::from(x * x)).sum();
    let mut best = 0.0f32;
    for at in 0..=recording.len() - length {
        let product: f32 = recording[at..at + length].iter().zip(piece).map(|(a, b)| a * b).sum();
        let scale = (own * energy.max(0.0) as f32).sqrt();
        if scale > 1.0 {
            best = best.max(product / scale);
        }
        if at + length < recording.len() {
            energy += f64::from(recording[at + length].powi(2)) - f64::from(recording[at].powi(2));
        }
    }
    best
}

/// Every four samples as their mean: speech below 1 kHz, a sixteenth of the work.
fn quarter_rate(samples: &[i16]) -> Vec<f32> {
    samples.chunks_exact(4).map(|four| four.iter().map(|s| f32::from(*s)).sum::<f32>() / 4.0).collect()
}

#[test]
fn a_sound_is_found_through_delay_and_g711_and_another_is_not() {
    let voice_a = voice(1, 3.0);
    let mut recording = vec![0i16; 3_333];
    recording.extend(voice_a.iter().map(|s| from_mulaw(to_mulaw(s / 2))));
    assert!(heard(&recording, &voice_a) > 0.9, "{}", heard(&recording, &voice_a));
    assert!(heard(&recording, &voice(2, 3.0)) < 0.2, "{}", heard(&recording, &voice(2, 3.0)));
    assert!(rms(&voice_a) > 3000.0);
}

#[test]
fn mulaw_comes_back_within_its_steps() {
    for sample in (-32000..32000).step_by(97) {
        let back = from_mulaw(to_mulaw(sample as i16));
        assert!((i32::from(back) - sample).abs() <= 40 + sample.abs() / 16, "{sample} came back as {back}");
    }
}
