//! G.711 by table: mu-law and A-law to and from 16-bit samples, and from one law straight to the other.
//!
//! ITU-T G.711 tables 1 and 2: the quantised value lies in the middle of each interval, and decisions are made at the
//! intervals' edges. All tables are made at compile time; nothing here decides what is sent to whom.

use crate::codec::Codec;

/// The 16-bit sample that a G.711 byte stands for.
pub fn decode(codec: Codec, byte: u8) -> i16 {
    match codec {
        Codec::Pcmu => FROM_PCMU[usize::from(byte)],
        Codec::Pcma => FROM_PCMA[usize::from(byte)],
    }
}

/// The G.711 byte whose interval holds `sample`.
pub const fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcmu => encode_pcmu(sample),
        Codec::Pcma => encode_pcma(sample),
    }
}

/// The table that turns bytes of `from` into bytes of `to`; `None` when they are the same law.
pub fn translation(from: Codec, to: Codec) -> Option<&'static [u8; 256]> {
    match (from, to) {
        (Codec::Pcmu, Codec::Pcma) => Some(&PCMU_TO_PCMA),
        (Codec::Pcma, Codec::Pcmu) => Some(&PCMA_TO_PCMU),
        _ => None,
    }
}

static FROM_PCMU: [i16; 256] = decode_all(Codec::Pcmu);
static FROM_PCMA: [i16; 256] = decode_all(Codec::Pcma);
static PCMU_TO_PCMA: [u8; 256] = translate_all(Codec::Pcmu);
static PCMA_TO_PCMU: [u8; 256] = translate_all(Codec::Pcma);

/// What mu-law adds before it looks for the segment.
const BIAS: i32 = 0x84;
/// The largest magnitude that mu-law can tell from a larger one.
const CLIP: i32 = 32_635;

const fn encode_pcmu(sample: i16) -> u8 {
    let (magnitude, sign) = if sample < 0 { (-(sample as i32), 0x80) } else { (sample as i32, 0) };
    let biased = (if magnitude > CLIP { CLIP } else { magnitude }) + BIAS;
    // 132..=32767: the highest bit set is bit 7 to 14, segment 0 to 7.
    let segment = 24 - biased.leading_zeros() as i32;
    let step = (biased >> (segment + 3)) & 0x0f;
    !(sign | (segment << 4) | step) as u8
}

const fn decode_pcmu(byte: u8) -> i16 {
    let code = !byte as i32;
    let magnitude = ((((code & 0x0f) << 3) + BIAS) << ((code >> 4) & 7)) - BIAS;
    (if code & 0x80 != 0 { -magnitude } else { magnitude }) as i16
}

const fn encode_pcma(sample: i16) -> u8 {
    // Negative samples are mirrored at -1/2, not at 0, so that -8..=-1 is the innermost negative interval (byte 0x55).
    let (magnitude, mask) = if sample < 0 { ((-(sample as i32) - 1) >> 3, 0x55) } else { ((sample as i32) >> 3, 0xd5) };
    // 13 bits: 0..=4095. Segments 0 and 1 have equal steps.
    let code = if magnitude < 32 {
        magnitude >> 1
    } else {
        let segment = 27 - magnitude.leading_zeros() as i32;
        (segment << 4) | ((magnitude >> segment) & 0x0f)
    };
    (code ^ mask) as u8
}

const fn decode_pcma(byte: u8) -> i16 {
    let code = (byte ^ 0x55) as i32;
    let step = (code & 0x0f) << 4;
    let magnitude = match (code >> 4) & 7 {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    (if code & 0x80 != 0 { magnitude } else { -magnitude }) as i16
}

const fn decode_all(codec: Codec) -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match codec {
            Codec::Pcmu => decode_pcmu(byte as u8),
            Codec::Pcma => decode_pcma(byte as u8),
        };
        byte += 1;
    }
    table
}

const fn translate_all(from: Codec) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match from {
            // mu-law has a negative zero, which must stay on its side: -1 lies in A-law's innermost negative interval.
            Codec::Pcmu if byte == 0x7f => encode_pcma(-1),
            Codec::Pcmu => encode_pcma(decode_pcmu(byte as u8)),
            Codec::Pcma => encode_pcmu(decode_pcma(byte as u8)),
        };
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

    #[test]
    fn every_byte_survives_a_round_trip_but_for_the_negative_zero_of_mu_law() {
        for codec in BOTH {
            for byte in 0..=255u8 {
                let back = encode(codec, decode(codec, byte));
                if codec == Codec::Pcmu && byte == 0x7f {
                    assert_eq!(back, 0xff);
                } else {
                    assert_eq!(back, byte, "{codec:?} {byte:#04x}");
                }
            }
        }
    }

    #[test]
    fn the_innermost_negative_interval_of_a_law_keeps_its_sign() {
        assert_eq!(decode(Codec::Pcma, 0x55), -8);
        assert_eq!(encode(Codec::Pcma, -8), 0x55);
        assert_eq!(encode(Codec::Pcma, -1), 0x55);
        assert_eq!(encode(Codec::Pcma, 0), 0xd5);
    }

    #[test]
    fn known_points_of_the_itu_tables() {
        for (codec, byte, sample) in [
            (Codec::Pcmu, 0x80, 32_124),
            (Codec::Pcmu, 0x00, -32_124),
            (Codec::Pcmu, 0xff, 0),
            (Codec::Pcmu, 0xfe, 8),
            (Codec::Pcma, 0xaa, 32_256),
            (Codec::Pcma, 0x2a, -32_256),
            (Codec::Pcma, 0xd5, 8),
            (Codec::Pcma, 0xd4, 24),
        ] {
            assert_eq!(decode(codec, byte), sample, "{codec:?} {byte:#04x}");
        }
        assert_eq!(encode(Codec::Pcmu, i16::MAX), 0x80);
        assert_eq!(encode(Codec::Pcmu, i16::MIN), 0x00);
        assert_eq!(encode(Codec::Pcma, i16::MAX), 0xaa);
        assert_eq!(encode(Codec::Pcma, i16::MIN), 0x2a);
    }

    #[test]
    fn every_sample_falls_within_half_a_step_of_its_value_and_order_is_kept() {
        for codec in BOTH {
            let mut before = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let value = decode(codec, encode(codec, sample));
                assert!(value >= before, "{codec:?} {sample}: order");
                before = value;
                // Steps grow with the magnitude: half of one is at most 1/32 of it, and 8 at the innermost.
                let off = i32::from(sample).abs_diff(i32::from(value));
                let room = (i32::from(sample).unsigned_abs() + 132) / 32 + 5;
                let clipped = sample.unsigned_abs() > 32_124;
                assert!(off <= room || clipped, "{codec:?} {sample} became {value}");
            }
        }
    }

    #[test]
    fn from_law_to_law_is_decoding_and_encoding_and_keeps_the_sign() {
        for (from, to) in [(Codec::Pcmu, Codec::Pcma), (Codec::Pcma, Codec::Pcmu)] {
            let table = translation(from, to).unwrap();
            for byte in 0..=255u8 {
                let there = table[usize::from(byte)];
                assert_eq!(there & 0x80, byte & 0x80, "{from:?} {byte:#04x}: the sign bit is the same in both laws");
                if byte != 0x7f {
                    assert_eq!(there, encode(to, decode(from, byte)));
                }
                // There and back loses at most one step of the coarser law.
                let back = translation(to, from).unwrap()[usize::from(there)];
                let mask = if from == Codec::Pcma { 0x55 } else { 0 };
                let (was, is) = ((byte ^ mask) & 0x7f, (back ^ mask) & 0x7f);
                assert!(was.abs_diff(is) <= 1, "{from:?} {byte:#04x} came back as {back:#04x}");
            }
        }
        assert!(translation(Codec::Pcmu, Codec::Pcmu).is_none());
        assert_eq!(translation(Codec::Pcmu, Codec::Pcma).unwrap()[0x7f], 0x55);
        assert_eq!(translation(Codec::Pcmu, Codec::Pcma).unwrap()[0xff], 0xd5);
    }
}
