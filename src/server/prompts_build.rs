//! `onekey prompts build`: makes the WAV files of `prompts/` from the words in each `prompts.toml`.
//!
//! Only prompts whose words (or voice) have changed are made again; `.built` beside them remembers what was made from
//! what. A sound that the build did not make is somebody's recording and is left alone. Sentences are spoken one by
//! one, so that the moment at which the offer of a person is over is known exactly and written back as `offer_ends`.

use super::files::{read_wav, write_wav};
use super::level::{EDGE_MS, RATE_HZ, level, ms, to_pcm16, trim};
use super::prompt_texts;
use super::resample::to_telephone_rate;
use super::speech::{SpeechError, Voice};
use super::{hold_music, level::SPEECH_DBFS};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What `onekey prompts build` was asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wish {
    /// One folder of `prompts/`; `None`: all of them.
    pub language: Option<String>,
    /// Make every prompt again, those too that somebody has recorded.
    pub force: bool,
}

/// What was done, for the closing line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Built {
    pub made: usize,
    pub unchanged: usize,
    /// `LANGUAGE/ID` of recordings that were left alone.
    pub recordings: Vec<String>,
}

#[derive(Debug, Error)]
pub enum BuildError {
    #[error("{path}: {cause}")]
    File { path: String, cause: std::io::Error },
    #[error("{path}: {message}")]
    Texts { path: String, message: String },
    #[error("there is no {path}: a language is a folder with a prompts.toml")]
    NoLanguage { path: String },
    #[error("{language}/{id}: {message}")]
    Prompt { language: String, id: String, message: String },
    #[error(transparent)]
    Speech(#[from] SpeechError),
}

/// One table of `prompts.toml`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    text: String,
    speak: Option<String>,
    #[serde(default)]
    offers_human: bool,
    offer_ends: Option<String>,
    file: Option<String>,
    /// For the checker alone.
    #[serde(default, rename = "advert")]
    _advert: bool,
}

/// What a sound was made from, and what came out: hashes of both.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Origin {
    words: String,
    sound: String,
}

/// Sentences given to the speech program at a time: the progress bar moves this often.
const BATCH: usize = 16;
/// Silence between two sentences.
const PAUSE_MS: usize = 350;
/// Part of every words' hash: a change of what is done to the sound makes all prompts again.
const RECIPE: &str = "1";
/// The folder whose sounds are made by [`hold_music`], for all languages.
const SHARED: &str = "shared";

/// Makes what is out of date in the folder `prompts`. Sounds made before an error are kept and not made again.
///
/// # Errors
/// A text that cannot be read, a speech program that is missing or fails, a file that cannot be written.
pub fn build(prompts: &Path, wish: &Wish) -> Result<Built, BuildError> {
    let mut built = Built::default();
    for language in languages(prompts, wish)? {
        Folder::open(prompts, &language)?.build(wish.force, &mut built)?;
    }
    Ok(built)
}

fn languages(prompts: &Path, wish: &Wish) -> Result<Vec<String>, BuildError> {
    let holds_texts = |name: &str| prompts.join(name).join("prompts.toml").is_file();
    let found = match &wish.language {
        Some(language) => vec![language.clone()],
        None => {
            let mut names = Vec::new();
            for entry in fs::read_dir(prompts).map_err(|cause| file_error(prompts, cause))? {
                let name =
                    entry.map_err(|cause| file_error(prompts, cause))?.file_name().to_string_lossy().into_owned();
                if holds_texts(&name) {
                    names.push(name);
                }
            }
            names.sort();
            names
        }
    };
    match found.iter().find(|name| !is_plain(name) || !holds_texts(name)) {
        Some(name) => Err(BuildError::NoLanguage { path: prompts.join(name).display().to_string() }),
        None => Ok(found),
    }
}

/// One language's folder: its texts and what is known of its sounds.
struct Folder {
    path: PathBuf,
    language: String,
    voice: Voice,
    words: BTreeMap<String, Words>,
    /// The list that holds each prompt.
    lists: BTreeMap<String, PathBuf>,
    origins: BTreeMap<String, Origin>,
}

impl Folder {
    fn open(prompts: &Path, language: &str) -> Result<Folder, BuildError> {
        let path = prompts.join(language);
        let texts = prompt_texts::read(&path);
        let error = |list: &Path, message| BuildError::Texts { path: list.display().to_string(), message };
        if let Some((list, message)) = texts.troubles.into_iter().next() {
            return Err(error(&list, message));
        }
        let (mut words, mut lists) = (BTreeMap::new(), BTreeMap::new());
        for (id, entry) in texts.prompts {
            let list = entry.list.clone();
            if !is_plain(&id) {
                let message = format!("the id `{id}` may only have small letters, digits and hyphens");
                return Err(error(&list, message));
            }
            let read: Words = entry.read(&id).map_err(|message| error(&list, message))?;
            words.insert(id.clone(), read);
            lists.insert(id, list);
        }
        let origins = read_origins(&fs::read_to_string(path.join(".built")).unwrap_or_default());
        Ok(Folder { path, language: language.to_string(), voice: Voice::of_language(language), words, lists, origins })
    }

    fn build(&mut self, force: bool, built: &mut Built) -> Result<(), BuildError> {
        let mut due = Vec::new();
        for (id, words) in &self.words {
            match self.state(id, words) {
                State::Recording if !force || words.file.is_some() => {
                    built.recordings.push(format!("{}/{id}", self.language));
                }
                State::Current if !force => built.unchanged += 1,
                _ => due.push(id.clone()),
            }
        }
        let bar = progress(&self.language, due.len());
        for batch in due.chunks(BATCH) {
            if self.language == SHARED {
                self.make_sounds(batch)?;
            } else {
                self.speak(batch)?;
            }
            built.made += batch.len();
            bar.inc(batch.len() as u64);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn state(&self, id: &str, words: &Words) -> State {
        if words.file.is_some() {
            return State::Recording;
        }
        let Ok(sound) = fs::read(self.sound_path(id)) else { return State::Missing };
        match self.origins.get(id) {
            Some(origin) if origin.sound != hash(&sound) => State::Recording,
            Some(origin) if origin.words == self.words_hash(words) => State::Current,
            Some(_) => State::Old,
            None => State::Recording,
        }
    }

    fn speak(&mut self, ids: &[String]) -> Result<(), BuildError> {
        let spoken: Vec<(String, Vec<String>)> = ids
            .iter()
            .map(|id| (id.clone(), sentences(self.words[id].speak.as_ref().unwrap_or(&self.words[id].text))))
            .collect();
        let all: Vec<String> = spoken.iter().flat_map(|(_, sentences)| sentences.clone()).collect();
        let folder = Scratch::new()?;
        let mut files = self.voice.speak(&all, &folder.path)?.into_iter();
        for (id, sentences) in spoken {
            let mut pieces = Vec::new();
            for file in files.by_ref().take(sentences.len()) {
                let spoken = read_wav(&file).and_then(|wav| to_telephone_rate(wav.samples, wav.rate_hz));
                let samples = trim(&spoken.map_err(|message| self.prompt_error(&id, &message))?);
                if samples.is_empty() {
                    return Err(self.prompt_error(&id, "the speech program made no sound of these words"));
                }
                pieces.push(samples);
            }
            let (sound, ends) = joined(&pieces);
            if sound.is_empty() {
                return Err(
                    self.prompt_error(&id, "there are no words to speak: use `file` for a recording of your own")
                );
            }
            self.keep(&id, &level(&sound))?;
            if self.words[&id].offers_human {
                let offer = offering_sentence(&sentences).map_or(ends[ends.len() - 1], |index| ends[index]);
                self.write_offer_ends(&id, offer)?;
            }
        }
        self.write_origins()
    }

    fn make_sounds(&mut self, ids: &[String]) -> Result<(), BuildError> {
        for id in ids {
            let sound = match id.as_str() {
                "tone" => hold_music::tone(),
                "hold-music" => hold_music::hold_music(),
                _ => return Err(self.prompt_error(id, "only `tone` and `hold-music` can be made here: use `file`")),
            };
            self.keep(id, &sound)?;
        }
        self.write_origins()
    }

    fn keep(&mut self, id: &str, sound: &[f32]) -> Result<(), BuildError> {
        let path = self.sound_path(id);
        write_wav(&path, &to_pcm16(sound)).map_err(|cause| file_error(&path, cause))?;
        let written = fs::read(&path).map_err(|cause| file_error(&path, cause))?;
        let origin = Origin { words: self.words_hash(&self.words[id]), sound: hash(&written) };
        self.origins.insert(id.to_string(), origin);
        Ok(())
    }

    fn write_offer_ends(&self, id: &str, samples: usize) -> Result<(), BuildError> {
        let texts = self.lists[id].clone();
        let source = fs::read_to_string(&texts).map_err(|cause| file_error(&texts, cause))?;
        // Rounded up: the words must be over by then.
        let hundredths = (samples * 100).div_ceil(RATE_HZ);
        let wanted = format!("{}.{:02}s", hundredths / 100, hundredths % 100);
        let changed = with_offer_ends(&source, id, &wanted);
        let reads_back = toml::from_str::<toml::Table>(&changed).is_ok_and(|table| {
            table.get(id).and_then(|words| words.get("offer_ends")).and_then(toml::Value::as_str)
                == Some(wanted.as_str())
        });
        if !reads_back {
            let message = format!("write `offer_ends = \"{wanted}\"` into [{id}] yourself: its place was not found");
            return Err(self.prompt_error(id, &message));
        }
        fs::write(&texts, changed).map_err(|cause| file_error(&texts, cause))
    }

    fn write_origins(&self) -> Result<(), BuildError> {
        let path = self.path.join(".built");
        let lines: String =
            self.origins.iter().map(|(id, origin)| format!("{id} {} {}\n", origin.words, origin.sound)).collect();
        fs::write(&path, lines).map_err(|cause| file_error(&path, cause))
    }

    fn sound_path(&self, id: &str) -> PathBuf {
        self.path.join(format!("{id}.wav"))
    }

    fn words_hash(&self, words: &Words) -> String {
        let voice = if self.language == SHARED { "ours".to_string() } else { self.voice.name() };
        let spoken = words.speak.as_ref().unwrap_or(&words.text);
        hash(format!("{RECIPE}\n{voice}\n{SPEECH_DBFS}\n{}\n{spoken}", words.offers_human).as_bytes())
    }

    fn prompt_error(&self, id: &str, message: &str) -> BuildError {
        BuildError::Prompt { language: self.language.clone(), id: id.to_string(), message: message.to_string() }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Missing,
    Current,
    /// Made by us from other words.
    Old,
    /// Not made by us.
    Recording,
}

/// A folder for the speech program's files, gone when this is dropped.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> Result<Scratch, BuildError> {
        let path = std::env::temp_dir().join(format!("onekey-prompts-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).map_err(|cause| file_error(&path, cause))?;
        Ok(Scratch { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The sentences of a text. A full stop ends one only before a space or the end, so `2.5` stays whole.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut sentence = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        sentence.push(letter);
        let over = match letter {
            '。' | '！' | '？' => true,
            '.' | '!' | '?' => letters.peek().is_none_or(|next| next.is_whitespace()),
            _ => false,
        };
        if over {
            sentences.push(std::mem::take(&mut sentence));
        }
    }
    sentences.push(sentence);
    sentences.into_iter().map(|sentence| sentence.trim().to_string()).filter(|sentence| !sentence.is_empty()).collect()
}

/// The first sentence that names the key 0 by its digit, not as a part of another number.
fn offering_sentence(sentences: &[String]) -> Option<usize> {
    sentences
        .iter()
        .position(|sentence| sentence.split(|letter: char| !letter.is_ascii_digit()).any(|digits| digits == "0"))
}

/// The trimmed sentences with pauses between, and for each the sample at which its words are over.
fn joined(pieces: &[Vec<f32>]) -> (Vec<f32>, Vec<usize>) {
    let mut sound = Vec::new();
    let mut ends = Vec::new();
    for piece in pieces {
        if !sound.is_empty() {
            sound.resize(sound.len() + ms(PAUSE_MS - 2 * EDGE_MS), 0.0);
        }
        sound.extend_from_slice(piece);
        ends.push(sound.len() - ms(EDGE_MS));
    }
    (sound, ends)
}

/// The texts with `offer_ends` of one prompt replaced, or added at the end of its table; all else stays as it is.
fn with_offer_ends(source: &str, id: &str, wanted: &str) -> String {
    let line = format!("offer_ends = \"{wanted}\"");
    let mut lines: Vec<String> = source.lines().map(str::to_string).collect();
    let Some(header) = lines.iter().position(|line| line.trim() == format!("[{id}]")) else {
        return source.to_string();
    };
    let rest = &lines[header + 1..];
    let end = header + 1 + rest.iter().position(|line| line.trim_start().starts_with('[')).unwrap_or(rest.len());
    let place = (header + 1..end).find(|&at| lines[at].split('=').next().is_some_and(|key| key.trim() == "offer_ends"));
    match place {
        Some(at) => lines[at] = line,
        None => {
            let last = (header..end).rev().find(|&at| lines[at].contains('=')).unwrap_or(header);
            lines.insert(last + 1, line);
        }
    }
    lines.join("\n") + "\n"
}

fn read_origins(text: &str) -> BTreeMap<String, Origin> {
    let origin = |line: &str| {
        let mut parts = line.split(' ');
        let id = parts.next()?.to_string();
        Some((id, Origin { words: parts.next()?.to_string(), sound: parts.next()?.to_string() }))
    };
    text.lines().filter_map(origin).collect()
}

/// Names become file names, so they may hold nothing that leads elsewhere.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_string()
}

fn progress(language: &str, length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>8} [{bar:40}] {pos}/{len} prompts").expect("a fixed template");
    ProgressBar::new(length as u64).with_style(style).with_prefix(language.to_string())
}

fn file_error(path: &Path, cause: std::io::Error) -> BuildError {
    BuildError::File { path: path.display().to_string(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(sentences: &[&str]) -> Vec<String> {
        sentences.iter().map(|sentence| sentence.to_string()).collect()
    }

    #[test]
    fn sentences_end_at_stops_but_not_inside_numbers() {
        assert_eq!(sentences("Pay 2.5 now. Press 0!  Thank you"), owned(&["Pay 2.5 now.", "Press 0!", "Thank you"]));
        assert_eq!(sentences("您好。请按0。"), owned(&["您好。", "请按0。"]));
        assert!(sentences(" \n").is_empty());
    }

    #[test]
    fn the_offer_is_the_sentence_that_names_the_key_zero() {
        assert_eq!(offering_sentence(&owned(&["Dial 100.", "Press 0.", "Press 0 again."])), Some(1));
        assert_eq!(offering_sentence(&owned(&["现在请按10。", "转人工客服请按0。"])), Some(1));
        assert_eq!(offering_sentence(&owned(&["Dial 100."])), None);
    }

    #[test]
    fn the_end_of_each_sentence_is_known_to_the_sample() {
        let pieces = [vec![0.1; 8000], vec![0.2; 4000]];
        let (sound, ends) = joined(&pieces);
        assert_eq!(sound.len(), 8000 + ms(PAUSE_MS - 2 * EDGE_MS) + 4000);
        assert_eq!(ends, [8000 - ms(EDGE_MS), sound.len() - ms(EDGE_MS)]);
    }

    #[test]
    fn offer_ends_is_written_without_touching_anything_else() {
        let source = "# top\n[a]\ntext = \"A\" # words\noffers_human = true\n\n# about b\n[b]\ntext = \"B\"\noffer_ends = \"9s\"\n";
        let added = with_offer_ends(source, "a", "1.25s");
        assert_eq!(added, source.replace("offers_human = true\n", "offers_human = true\noffer_ends = \"1.25s\"\n"));
        assert_eq!(with_offer_ends(source, "b", "1.25s"), source.replace("\"9s\"", "\"1.25s\""));
        assert_eq!(with_offer_ends(source, "c", "1.25s"), source);
    }

    /// A folder of its own for one test, gone afterwards.
    fn folder(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("onekey-prompts-build-test-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("shared")).unwrap();
        fs::write(path.join("shared/prompts.toml"), "[tone]\ntext = \"(a short tone)\"\n").unwrap();
        Scratch { path }
    }

    #[test]
    fn only_what_has_changed_is_made_again_and_recordings_are_kept() {
        let prompts = folder("changes");
        let tone = prompts.path.join("shared/tone.wav");
        let run = |force| build(&prompts.path, &Wish { language: None, force }).unwrap();
        assert_eq!(run(false), Built { made: 1, ..Built::default() });
        let first = fs::read(&tone).unwrap();
        assert_eq!(run(false), Built { unchanged: 1, ..Built::default() });
        fs::write(prompts.path.join("shared/prompts.toml"), "[tone]\ntext = \"(another)\"\n").unwrap();
        assert_eq!(run(false).made, 1, "other words, another sound");
        fs::write(&tone, "somebody's own").unwrap();
        assert_eq!(run(false).recordings, ["shared/tone"]);
        assert_eq!(fs::read(&tone).unwrap(), b"somebody's own");
        assert_eq!(run(true).made, 1);
        assert_eq!(fs::read(&tone).unwrap(), first);
    }

    #[test]
    fn mistakes_in_the_texts_are_said_with_file_and_place() {
        let prompts = folder("mistakes");
        let texts = prompts.path.join("shared/prompts.toml");
        let fails = || build(&prompts.path, &Wish::default()).unwrap_err().to_string();
        fs::write(&texts, "[tone]\ntxt = \"x\"\n").unwrap();
        assert!(fails().contains("prompts.toml: line 1: prompt `tone`: unknown field `txt`"), "{}", fails());
        fs::write(&texts, "[\"../up\"]\ntext = \"x\"\n").unwrap();
        assert!(fails().contains("may only have small letters"), "{}", fails());
        let wish = Wish { language: Some("xx".to_string()), force: false };
        assert!(build(&prompts.path, &wish).unwrap_err().to_string().contains("a language is a folder"));
    }
}
