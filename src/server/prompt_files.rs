//! Loads `prompts/<language>/prompts.toml` and the WAV files beside it into one [`PromptLibrary`] (DESIGN §11).
//!
//! Each prompt is brought to 8 kHz and encoded in both laws once, here. `prompts/shared/` holds what is the same in every
//! language (hold music, tone) and is copied into each that has no prompt of its own by that name.

use super::files::{entries, read_wav};
use super::prompt_texts;
use super::resample::to_telephone_rate;
use crate::codec::{Codec, SAMPLE_RATE_HZ};
use crate::diagnostic::Severity;
use crate::ids::{Language, PromptId};
use crate::media::g711;
use crate::prompt::{Prompt, PromptFacts, PromptLibrary};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

const SHARED: &str = "shared";

/// What is wrong with one prompt or one `prompts.toml`. An error means that the prompt is not in the library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    pub severity: Severity,
    /// The file that has to be mended.
    pub file: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{word}: {}: {}", self.file, self.message)
    }
}

/// Reads every language under `folder`. Nothing stops at the first problem: what can be loaded is, and all problems are told.
/// `progress` is called with each prompt's file as it begins.
pub fn load_prompts(folder: &Path, progress: &mut dyn FnMut(&Path)) -> (PromptLibrary, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut languages: BTreeMap<String, Vec<Loaded>> = BTreeMap::new();
    match entries(folder) {
        Err(message) => problems.push(error(folder, message)),
        Ok(paths) => {
            for path in paths.iter().filter(|path| path.is_dir()) {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                languages.insert(name, load_folder(path, progress, &mut problems));
            }
        }
    }
    let shared = languages.remove(SHARED).unwrap_or_default();
    if languages.is_empty() && problems.is_empty() {
        problems
            .push(error(folder, "there is no language in it: expected a folder such as en with a prompts.toml".into()));
    }
    let mut library = PromptLibrary::default();
    for (name, own) in languages {
        let language = Language::new(&name);
        // Shared ones first, so that a language's own prompt of the same name takes its place.
        for loaded in shared.iter().cloned().chain(own) {
            library.insert(Prompt::new(loaded.id, language.clone(), loaded.facts, loaded.pcmu, loaded.pcma));
        }
    }
    (library, problems)
}

/// One table of a `prompts.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    text: String,
    #[serde(default)]
    offers_human: bool,
    offer_ends: Option<String>,
    #[serde(default)]
    advert: bool,
    file: Option<String>,
    /// How the words are given to a speech program: for `prompts build` alone.
    #[serde(rename = "speak")]
    _speak: Option<String>,
}

#[derive(Clone)]
struct Loaded {
    id: PromptId,
    facts: PromptFacts,
    pcmu: Vec<u8>,
    pcma: Vec<u8>,
}

fn load_folder(folder: &Path, progress: &mut dyn FnMut(&Path), problems: &mut Vec<Problem>) -> Vec<Loaded> {
    let texts = prompt_texts::read(folder);
    problems.extend(texts.troubles.into_iter().map(|(list, message)| error(&list, message)));
    let mut loaded = Vec::new();
    for (id, entry) in texts.prompts {
        let list = entry.list.clone();
        match entry.read::<Written>(&id) {
            Err(message) => problems.push(error(&list, message)),
            Ok(written) => loaded.extend(load_one(folder, &list, &id, written, progress, problems)),
        }
    }
    loaded
}

fn load_one(
    folder: &Path,
    list: &Path,
    id: &str,
    written: Written,
    progress: &mut dyn FnMut(&Path),
    problems: &mut Vec<Problem>,
) -> Option<Loaded> {
    let path = folder.join(written.file.unwrap_or_else(|| format!("{id}.wav")));
    progress(&path);
    let sound = read_wav(&path).and_then(|wav| {
        for message in wav.warnings {
            problems.push(warning(&path, message));
        }
        if wav.rate_hz < SAMPLE_RATE_HZ {
            let message = format!(
                "its {} samples per second are fewer than the telephone's 8000: it will sound dull",
                wav.rate_hz
            );
            problems.push(warning(&path, message));
        }
        to_telephone_rate(wav.samples, wav.rate_hz)
    });
    let sound = match sound {
        Ok(sound) => sound,
        Err(message) => {
            problems.push(error(&path, message));
            return None;
        }
    };
    let length = Duration::from_micros(sound.len() as u64 * 1_000_000 / u64::from(SAMPLE_RATE_HZ));
    let offer_ends = match written.offer_ends.as_deref().map(parse_seconds) {
        None => written.offers_human.then_some(length),
        Some(Some(end)) if end <= length => Some(end),
        Some(Some(_)) => {
            let message = format!(
                "prompt `{id}`: offer_ends lies after the end of the sound, which is {:.1} s long; its end is taken",
                length.as_secs_f64()
            );
            problems.push(warning(list, message));
            Some(length)
        }
        Some(None) => {
            problems.push(error(
                list,
                format!("prompt `{id}`: offer_ends is not a time; write for example offer_ends = \"2.4s\""),
            ));
            return None;
        }
    };
    let samples: Vec<i16> =
        sound.iter().map(|&sample| (sample * 32768.0).round().clamp(-32768.0, 32767.0) as i16).collect();
    Some(Loaded {
        id: PromptId::new(id),
        facts: PromptFacts { text: written.text, length, offer_ends, advert: written.advert },
        pcmu: samples.iter().map(|&sample| g711::encode(Codec::Pcmu, sample)).collect(),
        pcma: samples.iter().map(|&sample| g711::encode(Codec::Pcma, sample)).collect(),
    })
}

/// `2.4s` or `2400ms`.
fn parse_seconds(text: &str) -> Option<Duration> {
    let (number, scale) = match text.trim().strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.trim().strip_suffix('s')?, 1.0),
    };
    Duration::try_from_secs_f64(number.trim().parse::<f64>().ok()? * scale).ok()
}

fn error(file: &Path, message: String) -> Problem {
    Problem { severity: Severity::Error, file: file.display().to_string(), message }
}

fn warning(file: &Path, message: String) -> Problem {
    Problem { severity: Severity::Warning, file: file.display().to_string(), message }
}
