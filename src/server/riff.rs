//! Finds the sound in a WAV file whatever its writer did to the header (RIFF/WAVE; Microsoft's `mmreg.h` format tags).
//!
//! Takes a file that was cut short, a length of 0xFFFFFFFF left by a program that wrote to a pipe, an odd length,
//! WAVEFORMATEXTENSIBLE, and unknown chunks in any order. Leaves the samples themselves to `files.rs`.

/// What kind of numbers the sound is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Whole numbers; 8-bit ones are unsigned.
    Pcm,
    Float,
    ALaw,
    MuLaw,
}

/// The `fmt ` chunk, reduced to what matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Format {
    pub encoding: Encoding,
    pub channels: u16,
    /// Samples per second and channel.
    pub rate_hz: u32,
    /// Of one sample as it stands in the file: 1 to 4.
    pub sample_bytes: u16,
}

/// A WAV file's format and the bytes of its sound: whole frames only.
#[derive(Debug)]
pub struct Sound<'a> {
    pub format: Format,
    pub bytes: &'a [u8],
    /// How many bytes the header promises that are not there. 0 where the writer did not know the length.
    pub missing: usize,
}

/// Reads the chunks of a whole file. The error says what is wrong with it, without the file's name.
pub fn find_sound(file: &[u8]) -> Result<Sound<'_>, String> {
    if file.is_empty() {
        return Err("the file is empty".into());
    }
    if file.len() < 12 || &file[..4] != b"RIFF" || &file[8..12] != b"WAVE" {
        return Err("this is not a WAV file (it does not begin with RIFF and WAVE)".into());
    }
    let mut format = None;
    let mut at = 12;
    while let Some(head) = file.get(at..at + 8) {
        let promised = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let body = &file[at + 8..];
        let there = promised.min(body.len());
        match &head[..4] {
            b"fmt " => format = Some(read_format(&body[..there])?),
            b"data" => {
                let format = format.ok_or("the header (fmt chunk) is missing before the sound")?;
                return Ok(cut_to_frames(format, body, promised));
            }
            _ => {}
        }
        at += 8 + there + (there & 1); // chunks begin at even places
    }
    match format {
        Some(_) => Err("the file ends before its sound begins (no data chunk)".into()),
        None => Err("the file ends inside its header".into()),
    }
}

/// The sound that is there, of what was promised, in whole frames.
fn cut_to_frames(format: Format, body: &[u8], promised: usize) -> Sound<'_> {
    // Programs that write to a pipe cannot go back to fill in the length and leave all ones, or nearly.
    let unknown = promised >= 0x7fff_0000 || (promised == 0 && !body.is_empty());
    let there = if unknown { body.len() } else { promised.min(body.len()) };
    let frame_bytes = usize::from(format.channels) * usize::from(format.sample_bytes);
    let whole = there - there % frame_bytes;
    Sound { format, bytes: &body[..whole], missing: if unknown { 0 } else { promised - there } }
}

fn read_format(chunk: &[u8]) -> Result<Format, String> {
    let word = |at: usize| chunk.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    let (Some(tag), Some(channels), Some(rate_low), Some(rate_high), Some(block)) =
        (word(0), word(2), word(4), word(6), word(12))
    else {
        return Err("the header (fmt chunk) is cut short".into());
    };
    let rate_hz = u32::from(rate_high) << 16 | u32::from(rate_low);
    // WAVEFORMATEXTENSIBLE: the real tag is the first word of its SubFormat.
    let tag = if tag == 0xfffe { word(24).ok_or("the extensible header is cut short")? } else { tag };
    let encoding = match tag {
        1 => Encoding::Pcm,
        3 => Encoding::Float,
        6 => Encoding::ALaw,
        7 => Encoding::MuLaw,
        other => return Err(format!("its coding (format tag {other}) is not one of PCM, float, A-law, mu-law")),
    };
    if !(1..=8).contains(&channels) {
        return Err(format!("it has {channels} channels; one or two are expected"));
    }
    if !(2000..=384_000).contains(&rate_hz) {
        return Err(format!("its rate of {rate_hz} samples per second is not that of speech or music"));
    }
    let sample_bytes = block / channels;
    let fits = match encoding {
        Encoding::Pcm => (1..=4).contains(&sample_bytes),
        Encoding::Float => sample_bytes == 4,
        Encoding::ALaw | Encoding::MuLaw => sample_bytes == 1,
    };
    if !fits || block % channels != 0 {
        return Err(format!(
            "its samples have {} bits, which is not supported for this coding; save it as 16-bit PCM",
            u32::from(sample_bytes) * 8
        ));
    }
    Ok(Format { encoding, channels, rate_hz, sample_bytes })
}
