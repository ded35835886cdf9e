//! WAV files in and out, and the texts of a dialplan's folder. The only file that names `hound`.
//!
//! hound reads the PCM and float samples and writes recordings; `riff.rs` finds the sound first, because hound refuses
//! headers that operators' files do have, and A-law and mu-law altogether.

pub use super::prompt_files::{Problem, load_prompts};
use super::riff::{self, Encoding, Format};
use crate::codec::{Codec, SAMPLE_RATE_HZ};
use crate::media::g711;
use std::fs::File;
use std::io::{self, BufWriter, Cursor};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Longest WAV file that is read, in bytes: about an hour of 16-bit sound at 8 kHz.
pub const WAV_BYTES_MAX: u64 = 64 << 20;
/// Longest dialplan file, in bytes.
const DIALPLAN_BYTES_MAX: u64 = 4 << 20;

/// The sound of a WAV file, mixed to one channel, between -1 and 1.
#[derive(Clone, PartialEq, Debug)]
pub struct Wav {
    pub samples: Vec<f32>,
    /// Samples per second.
    pub rate_hz: u32,
    /// What was wrong but could be mended, such as a file that was cut short.
    pub warnings: Vec<String>,
}

/// Reads a WAV file of 8 to 32 bits, float, A-law or mu-law. The error says why in words for an administrator.
pub fn read_wav(path: &Path) -> Result<Wav, String> {
    let length = std::fs::metadata(path).map_err(|error| why(&error))?.len();
    if length > WAV_BYTES_MAX {
        return Err(format!("it is {} MiB long; at most {} are read", length >> 20, WAV_BYTES_MAX >> 20));
    }
    wav_of(&std::fs::read(path).map_err(|error| why(&error))?)
}

/// The same of a file's bytes.
pub fn wav_of(file: &[u8]) -> Result<Wav, String> {
    let sound = riff::find_sound(file)?;
    let mut warnings = Vec::new();
    let format = sound.format;
    let frame_bytes = usize::from(format.channels) * usize::from(format.sample_bytes);
    let frames = sound.bytes.len() / frame_bytes;
    if frames == 0 {
        return Err("it holds no sound".into());
    }
    if sound.missing > 0 {
        let seconds = |bytes: usize| bytes as f64 / frame_bytes as f64 / f64::from(format.rate_hz);
        warnings.push(format!(
            "the file is cut short: {:.1} s of {:.1} s are there and are used; copy it again",
            seconds(sound.bytes.len()),
            seconds(sound.bytes.len() + sound.missing)
        ));
    }
    let samples = match format.encoding {
        Encoding::ALaw => sound.bytes.iter().map(|&byte| unit(g711::decode(Codec::Pcma, byte))).collect(),
        Encoding::MuLaw => sound.bytes.iter().map(|&byte| unit(g711::decode(Codec::Pcmu, byte))).collect(),
        Encoding::Pcm | Encoding::Float => decode_pcm(format, sound.bytes)?,
    };
    Ok(Wav { samples: mix(&samples, usize::from(format.channels)), rate_hz: format.rate_hz, warnings })
}

/// Writes one channel of 16-bit samples at 8 kHz as a whole file: for `prompts build`.
pub fn write_wav(path: &Path, samples: &[i16]) -> io::Result<()> {
    let mut out = WavOut::create(path, 1)?;
    out.write(samples)?;
    out.finish()
}

/// A WAV file that grows: 16 bits, 8 kHz. What is written before [`WavOut::flush`] survives a crash as a readable file.
pub struct WavOut {
    writer: hound::WavWriter<BufWriter<File>>,
}

impl WavOut {
    /// Makes the file and the folders above it. `channels` interleaved.
    pub fn create(path: &Path, channels: u16) -> io::Result<WavOut> {
        if let Some(folder) = path.parent() {
            // What callers say is for those who run the server alone.
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let format = hound::WavSpec {
            channels,
            sample_rate: SAMPLE_RATE_HZ,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        Ok(WavOut { writer: hound::WavWriter::create(path, format).map_err(io_error)? })
    }

    /// Appends interleaved samples.
    pub fn write(&mut self, samples: &[i16]) -> io::Result<()> {
        samples.iter().try_for_each(|&sample| self.writer.write_sample(sample)).map_err(io_error)
    }

    /// Writes what waits in memory and the length in the header.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush().map_err(io_error)
    }

    pub fn finish(self) -> io::Result<()> {
        self.writer.finalize().map_err(io_error)
    }
}

/// The texts of a dialplan's folder: every `*.toml` in it, as (path as it is to stand in messages, text), sorted by name.
pub fn read_dialplans(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.extension().is_some_and(|end| end == "toml") && path.is_file() {
            let shown = path.display().to_string();
            let length = std::fs::metadata(&path).map_err(|error| format!("{shown}: {}", why(&error)))?.len();
            if length > DIALPLAN_BYTES_MAX {
                return Err(format!("{shown}: longer than {} MiB", DIALPLAN_BYTES_MAX >> 20));
            }
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{shown}: {}", why(&error)))?;
            files.push((shown, text));
        }
    }
    Ok(files)
}

/// The folder that a file is in.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What is in a folder, sorted by name, without hidden files.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let listing = std::fs::read_dir(folder).map_err(|error| format!("{}: {}", folder.display(), why(&error)))?;
    let mut paths: Vec<PathBuf> = listing
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')))
        .collect();
    paths.sort();
    Ok(paths)
}

fn decode_pcm(format: Format, bytes: &[u8]) -> Result<Vec<f32>, String> {
    let file = with_plain_header(format, bytes);
    let mut reader = hound::WavReader::new(Cursor::new(file)).map_err(|error| error.to_string())?;
    let samples: Result<Vec<f32>, hound::Error> = if format.encoding == Encoding::Float {
        reader.samples::<f32>().map(|sample| sample.map(finite)).collect()
    } else {
        let full = (1i64 << (format.sample_bytes * 8 - 1)) as f32;
        reader.samples::<i32>().map(|sample| sample.map(|value| value as f32 / full)).collect()
    };
    samples.map_err(|error| error.to_string())
}

/// The same sound under the plainest header that says it: hound is strict with headers and right with samples.
fn with_plain_header(format: Format, bytes: &[u8]) -> Vec<u8> {
    let block = format.channels * format.sample_bytes;
    let tag: u16 = if format.encoding == Encoding::Float { 3 } else { 1 };
    let mut file = Vec::with_capacity(bytes.len() + 44);
    file.extend(b"RIFF");
    file.extend((36 + bytes.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    file.extend(tag.to_le_bytes());
    file.extend(format.channels.to_le_bytes());
    file.extend(format.rate_hz.to_le_bytes());
    file.extend((format.rate_hz * u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend((format.sample_bytes * 8).to_le_bytes());
    file.extend(b"data");
    file.extend((bytes.len() as u32).to_le_bytes());
    file.extend(bytes);
    file
}

fn mix(samples: &[f32], channels: usize) -> Vec<f32> {
    samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect()
}

fn unit(sample: i16) -> f32 {
    f32::from(sample) / 32768.0
}

/// A float file may hold anything; what is no number is silence.
fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }
}

/// Why a file cannot be had, in an administrator's words.
pub(super) fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "it may not be read by this user".into(),
        io::ErrorKind::InvalidData => "it is not UTF-8 text".into(),
        _ => error.to_string(),
    }
}

fn io_error(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}
