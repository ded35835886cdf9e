//! The prompts of this repository: every language whole, every sound there and fit for the telephone, made from the words
//! that stand beside it, and the human key named where DESIGN §5 wants it.

use onekey::prompt::spoken;
use onekey::saying::{self, Currency, Form};
use onekey::server::prompt_files::load_prompts;
use onekey::server::prompt_texts;
use onekey::server::prompts_build::{Wish, build};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const LANGUAGES: [&str; 2] = ["en", "zh"];
/// Said by the sample dialplans.
const CONTENT: [&str; 9] = [
    "welcome",
    "main-menu",
    "bills-menu",
    "bill-amount",
    "bill-how-to-pay",
    "data-balance",
    "night-menu",
    "closed-now",
    "voicemail-greeting",
];
/// A caller is offered a person here before anything else is said.
const OFFER_FIRST: [&str; 7] =
    ["welcome", "main-menu", "bills-menu", "night-menu", "short-gate", "offer-human", "not-understood"];

fn folder(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts").join(language)
}

fn texts(language: &str) -> toml::Table {
    let texts = prompt_texts::read(&folder(language));
    assert_eq!(texts.troubles, Vec::new());
    texts
        .prompts
        .into_iter()
        .map(|(id, entry)| {
            let value = entry.read(&id).expect("a table");
            (id, value)
        })
        .collect()
}

/// The sound's samples; fails unless it is 8 kHz, one channel, 16 bits, under the plain 44-byte header.
fn samples(language: &str, id: &str) -> Vec<i16> {
    let path = folder(language).join(format!("{id}.wav"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(&bytes[8..16], b"WAVEfmt ", "{}", path.display());
    let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let format = (short(20), short(22), short(24), short(34));
    assert_eq!(format, (1, 1, 8000, 16), "{}: PCM, channels, rate, bits", path.display());
    assert_eq!(&bytes[36..40], b"data", "{}", path.display());
    bytes[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

fn seconds(language: &str, id: &str) -> f64 {
    samples(language, id).len() as f64 / 8000.0
}

fn offer_ends(language: &str, id: &str) -> Option<f64> {
    let texts = texts(language);
    let prompt = texts.get(id)?;
    assert_eq!(prompt.get("offers_human")?.as_bool(), Some(true), "{language}/{id}");
    Some(prompt["offer_ends"].as_str()?.strip_suffix('s')?.parse().expect("a number of seconds"))
}

#[test]
fn every_language_has_every_prompt() {
    let shared: BTreeSet<String> = texts("shared").keys().cloned().collect();
    for language in LANGUAGES {
        let mut there: BTreeSet<String> = texts(language).keys().cloned().collect();
        for id in &there {
            samples(language, id);
        }
        there.extend(shared.iter().cloned());
        let numbers = (0..=100).map(spoken::number);
        let wanted = spoken::REQUIRED.iter().chain(&CONTENT).map(|id| id.to_string()).chain(numbers);
        let absent: Vec<String> = wanted.filter(|id| !there.contains(id)).collect();
        assert!(absent.is_empty(), "prompts/{language} lacks {absent:?}");
    }
}

#[test]
fn every_value_can_be_said() {
    for language in LANGUAGES {
        let there = texts(language);
        let forms = Form::ALL.into_iter().flat_map(|form| Currency::ALL.map(|currency| (form, currency)));
        let absent: BTreeSet<String> = forms
            .flat_map(|(form, currency)| saying::every_piece(language, form, currency))
            .filter(|id| !there.contains_key(id))
            .collect();
        assert_eq!(absent, BTreeSet::new(), "prompts/{language}");
    }
}

#[test]
fn the_server_loads_them_all_without_a_word() {
    let (library, problems) = load_prompts(&folder(""), &mut |_| {});
    assert_eq!(problems, Vec::new());
    for language in LANGUAGES {
        assert!(library.get(language, spoken::HOLD_MUSIC).is_some(), "{language} has the shared music");
        let gate = library.get(language, spoken::SHORT_GATE).expect("the gate");
        assert!(gate.facts.offer_ends.is_some_and(|ends| ends < gate.facts.length), "{language}");
    }
}

#[test]
fn no_sound_is_too_loud_too_quiet_or_empty() {
    for language in LANGUAGES.into_iter().chain(["shared"]) {
        for id in texts(language).keys() {
            let sound = samples(language, id);
            let peak = sound.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
            assert!((3000..32_000).contains(&peak), "{language}/{id}: peak {peak}");
            let mean = sound.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>() / sound.len() as f64;
            let level = 10.0 * (mean / 32768.0_f64.powi(2)).log10();
            // Pauses and edges count here, so whole files lie a little under the -16 dBFS of their active speech; a single
            // word that ends in quiet consonants ("sixth") lies further under it.
            let least = if sound.len() < 8000 { -24.0 } else { -21.0 };
            assert!((least..-15.0).contains(&level), "{language}/{id}: {level:.1} dBFS");
        }
    }
}

#[test]
fn a_person_is_offered_first_and_soon() {
    for language in LANGUAGES {
        for id in OFFER_FIRST {
            let text = texts(language)[id]["text"].as_str().expect("a text").to_string();
            let first = text.split_inclusive(['.', '。']).next().unwrap_or_default();
            assert!(first.contains('0'), "{language}/{id}: the first sentence is {first:?}");
            let ends = offer_ends(language, id).unwrap_or_else(|| panic!("{language}/{id} has no offer_ends"));
            assert!(ends > 0.5 && ends <= seconds(language, id), "{language}/{id}: offer_ends {ends}");
            assert!(ends < 7.0, "{language}/{id}: the offer takes {ends} s");
        }
        assert!(seconds(language, "short-gate") <= 8.0, "{language}: {} s", seconds(language, "short-gate"));
    }
    assert!(seconds("shared", "hold-music") >= 30.0);
}

#[test]
fn the_sounds_are_made_from_the_words_beside_them() {
    let copy = std::env::temp_dir().join(format!("onekey-prompts-whole-{}", std::process::id()));
    let mut files = 0;
    for language in LANGUAGES.into_iter().chain(["shared"]) {
        std::fs::create_dir_all(copy.join(language)).expect("a folder to work in");
        for entry in std::fs::read_dir(folder(language)).expect("prompts can be listed") {
            let path = entry.expect("an entry").path();
            std::fs::copy(&path, copy.join(language).join(path.file_name().expect("a name"))).expect("a copy");
            files += usize::from(path.extension().is_some_and(|end| end == "wav"));
        }
    }
    // Nothing to do, so no speech program is asked for: whoever changes words must build and commit the sound.
    let built = build(&copy, &Wish::default());
    std::fs::remove_dir_all(&copy).expect("the copy can be removed");
    let built = built.expect("all prompts are current");
    assert_eq!((built.made, built.recordings), (0, Vec::new()));
    assert_eq!(built.unchanged, files);
}
