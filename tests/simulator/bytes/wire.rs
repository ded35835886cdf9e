//! RTP as the far ends write and read it (RFC 3550 §5.1, RFC 4733 §2.3), and sound that says whose it is.
//!
//! Every frame of a far end carries its speaker and its number in sixteen loud levels that survive both laws of G.711 and
//! the way from one to the other. Nothing here is shared with the media plane but the bytes themselves.

use onekey::codec::Codec;

/// Samples, and bytes, of a frame.
pub const FRAME: usize = 160;
/// Longest datagram that a far end sends.
pub const DATAGRAM_MAX: usize = 12 + FRAME;
/// Levels in one marked word, which a frame repeats ten times.
const WORD: usize = 16;
const LEVELS: [i32; 8] = [1000, 1500, 2200, 3300, 5000, 7400, 11_000, 16_500];

/// An RTP packet of plain form: no padding, no extension, no contributing sources.
#[derive(Clone, Copy, Debug)]
pub struct Rtp<'a> {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: &'a [u8],
}

/// `None` for anything but the plain form, which is all that a plane has reason to send.
pub fn parse(bytes: &[u8]) -> Option<Rtp<'_>> {
    let (header, payload) = bytes.split_at_checked(12)?;
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    (header[0] == 0x80).then_some(Rtp {
        payload_type: header[1] & 0x7f,
        marker: header[1] & 0x80 != 0,
        sequence: u16::from_be_bytes([header[2], header[3]]),
        timestamp: word(4),
        ssrc: word(8),
        payload,
    })
}

/// Writes a packet; returns its length.
pub fn build(rtp: &Rtp<'_>, bytes: &mut [u8; DATAGRAM_MAX]) -> u16 {
    bytes[0] = 0x80;
    bytes[1] = rtp.payload_type | u8::from(rtp.marker) << 7;
    bytes[2..4].copy_from_slice(&rtp.sequence.to_be_bytes());
    bytes[4..8].copy_from_slice(&rtp.timestamp.to_be_bytes());
    bytes[8..12].copy_from_slice(&rtp.ssrc.to_be_bytes());
    bytes[12..12 + rtp.payload.len()].copy_from_slice(rtp.payload);
    12 + rtp.payload.len() as u16
}

/// RTCP by its packet type (RFC 5761 §4).
pub fn is_rtcp(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes[0] >> 6 == 2 && (192..=223).contains(&bytes[1])
}

/// The SSRC of the sender of an RTCP compound; `None` where its parts do not add up to its length.
pub fn rtcp_sender(bytes: &[u8]) -> Option<u32> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let words = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
        rest = rest.get(4 * (words + 1)..)?;
    }
    Some(u32::from_be_bytes([*bytes.get(4)?, *bytes.get(5)?, *bytes.get(6)?, *bytes.get(7)?]))
}

/// An empty receiver report (RFC 3550 §6.4.2).
pub fn receiver_report(ssrc: u32) -> [u8; 8] {
    let [a, b, c, d] = ssrc.to_be_bytes();
    [0x80, 201, 0, 1, a, b, c, d]
}

/// A frame of `speaker`, in the law asked for.
pub fn frame(codec: Codec, speaker: u16, number: u32) -> [u8; FRAME] {
    repeated(&SAID[law(codec)], speaker, number)
}

/// The same frame after a bridge has turned it from one law into the other.
pub fn converted(to: Codec, speaker: u16, number: u32) -> [u8; FRAME] {
    repeated(&CONVERTED[law(to)], speaker, number)
}

/// Speaker and number of a marked frame in one of the laws.
pub fn read_frame(codec: Codec, payload: &[u8]) -> Option<(u16, u32)> {
    let first: &[u8; WORD] = payload.first_chunk()?;
    let whole = payload.len() == FRAME && payload.chunks_exact(WORD).all(|word| word == first);
    let level = |byte: u8| LEVEL_OF[law(codec)][usize::from(byte)];
    unword(&first.map(level)).filter(|_| whole)
}

/// Speaker and number of a marked frame in a recording; all of its samples must be there.
pub fn read_samples(mut samples: impl Iterator<Item = i16>) -> Option<(u16, u32)> {
    let mut first = [0; WORD];
    for place in &mut first {
        *place = level_of(i32::from(samples.next()?));
    }
    let marked = unword(&first)?;
    (WORD..FRAME).all(|at| samples.next().is_some_and(|s| level_of(i32::from(s)) == first[at % WORD])).then_some(marked)
}

fn repeated(bytes: &[u8; WORD], speaker: u16, number: u32) -> [u8; FRAME] {
    let levels = word(speaker, number);
    let mut frame = [0; FRAME];
    for (at, place) in frame[..WORD].iter_mut().enumerate() {
        *place = bytes[usize::from(levels[at])];
    }
    for copy in 1..FRAME / WORD {
        frame.copy_within(..WORD, copy * WORD);
    }
    frame
}

/// Three levels that say where a word begins, the speaker, the number, two to check them.
fn word(speaker: u16, number: u32) -> [u8; WORD] {
    let mut levels = [15, 0, 15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15];
    let check = check(speaker, number);
    for (at, level) in levels[3..6].iter_mut().enumerate() {
        *level = (speaker >> (4 * at)) as u8 & 15;
    }
    for (at, level) in levels[6..12].iter_mut().enumerate() {
        *level = (number >> (4 * at)) as u8 & 15;
    }
    (levels[12], levels[13]) = (check & 15, check >> 4);
    levels
}

fn unword(levels: &[u8; WORD]) -> Option<(u16, u32)> {
    let join = |part: &[u8]| part.iter().rev().fold(0, |value, level| value << 4 | u32::from(*level));
    let (speaker, number) = (join(&levels[3..6]) as u16, join(&levels[6..12]));
    (*levels == word(speaker, number)).then_some((speaker, number))
}

fn check(speaker: u16, number: u32) -> u8 {
    let [_, a, b, c] = number.to_be_bytes();
    let [d, e] = speaker.to_be_bytes();
    0x5a ^ a ^ b.rotate_left(1) ^ c.rotate_left(2) ^ d.rotate_left(3) ^ e.rotate_left(4)
}

const fn law(codec: Codec) -> usize {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 1,
    }
}

/// The bytes of the sixteen levels in mu-law and A-law.
static SAID: [[u8; WORD]; 2] = [said(0), said(1)];
/// What the other law's bytes become in mu-law and A-law.
static CONVERTED: [[u8; WORD]; 2] = [heard_as(1, 0), heard_as(0, 1)];
static LEVEL_OF: [[u8; 256]; 2] = [levels_of(0), levels_of(1)];
/// No level at all: silence, or somebody else's sound.
const NO_LEVEL: u8 = 0xff;

const fn value_of(level: usize) -> i32 {
    if level < 8 { LEVELS[level] } else { -LEVELS[level - 8] }
}

const fn said(law: usize) -> [u8; WORD] {
    let mut bytes = [0; WORD];
    let mut level = 0;
    while level < WORD {
        bytes[level] = nearest(law, value_of(level));
        level += 1;
    }
    bytes
}

const fn heard_as(from: usize, to: usize) -> [u8; WORD] {
    let mut bytes = said(from);
    let mut level = 0;
    while level < WORD {
        bytes[level] = nearest(to, expand(from, bytes[level]));
        level += 1;
    }
    bytes
}

const fn levels_of(law: usize) -> [u8; 256] {
    let mut levels = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        levels[byte] = level_of(expand(law, byte as u8));
        byte += 1;
    }
    levels
}

/// The level within a sixteenth of which a sample lies.
const fn level_of(sample: i32) -> u8 {
    let mut level = 0;
    while level < 8 {
        let distance = (sample.abs() - LEVELS[level]).abs();
        if distance * 16 <= LEVELS[level] {
            return level as u8 + if sample < 0 { 8 } else { 0 };
        }
        level += 1;
    }
    NO_LEVEL
}

const fn nearest(law: usize, sample: i32) -> u8 {
    let (mut best, mut byte) = (0, 0);
    while byte < 256 {
        if (expand(law, byte as u8) - sample).abs() < (expand(law, best) - sample).abs() {
            best = byte as u8;
        }
        byte += 1;
    }
    best
}

/// G.711: three bits of exponent, four of mantissa, from the middle of the interval.
const fn expand(law: usize, byte: u8) -> i32 {
    let bits = byte as i32 ^ if law == 0 { 0xff } else { 0x55 };
    let (exponent, mantissa) = ((bits >> 4) & 7, bits & 15);
    let positive = (bits & 0x80 == 0) == (law == 0);
    let size = match (law, exponent) {
        (0, _) => ((2 * mantissa + 33) << (exponent + 2)) - 132,
        (_, 0) => (2 * mantissa + 1) << 3,
        _ => (2 * mantissa + 33) << (exponent + 2),
    };
    if positive { size } else { -size }
}
