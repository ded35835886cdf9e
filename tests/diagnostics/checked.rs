//! Dialplans checked against a library of prompts that is made here.

use crate::golden::split;
use onekey::codec::{Codec, FRAME_SAMPLES};
use onekey::diagnostic::Diagnostic;
use onekey::dialplan::{Dialplan, Facts, load, prompt_trouble};
use onekey::ids::{AgentId, Language, PromptId};
use onekey::prompt::{Prompt, PromptFacts, PromptLibrary, spoken};
use onekey::saying::{self, Currency, Form};
use onekey::server::prompt_files::load_prompts;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Prompt, seconds of sound, and the second at which it has offered a person.
const CONTENT: [(&str, u64, Option<u64>); 12] = [
    ("welcome", 4, Some(3)),
    ("main-menu", 10, Some(2)),
    ("bills-menu", 8, Some(2)),
    ("night-menu", 8, Some(2)),
    ("list-of-keys", 8, None),
    ("bill-amount", 5, None),
    ("bill-how-to-pay", 5, None),
    ("data-balance", 5, None),
    ("closed-now", 3, None),
    ("voicemail-greeting", 8, Some(8)),
    ("long-story", 40, None),
    ("this-week-only", 3, None),
];

pub static PROMPTS: LazyLock<PromptLibrary> = LazyLock::new(prompts);

fn prompts() -> PromptLibrary {
    let mut library = PromptLibrary::default();
    let mut add = |language: &str, id: &str, seconds: u64, offer: Option<u64>| {
        let sound = vec![Codec::Pcmu.silence(); FRAME_SAMPLES * 50 * seconds as usize];
        let facts = PromptFacts {
            text: id.to_owned(),
            length: Duration::ZERO,
            offer_ends: offer.map(Duration::from_secs),
            advert: id == "this-week-only",
        };
        let (law_u, law_a) = (sound.clone(), sound);
        library.insert(Prompt::new(PromptId::new(id), Language::new(language), facts, law_u, law_a));
    };
    for language in ["en", "zh", "fr", "de"] {
        for id in spoken::REQUIRED {
            let seconds = if language == "fr" && id == spoken::SHORT_GATE { 9 } else { 6 };
            let offer =
                [spoken::NOT_UNDERSTOOD, spoken::NO_INPUT, spoken::SHORT_GATE, spoken::OFFER_HUMAN].contains(&id);
            if language != "de" || ![spoken::GOODBYE, spoken::KEPT_DONE].contains(&id) {
                add(language, id, seconds, offer.then_some(3));
            }
        }
        (0..=100).for_each(|number| add(language, &spoken::number(number), 1, None));
        let forms = Form::ALL.into_iter().flat_map(|form| saying::every_piece(language, form, Currency::Usd));
        let pieces: BTreeSet<String> = forms.filter(|id| !is_number(id)).collect();
        pieces.iter().for_each(|id| add(language, id, 1, None));
        let content = CONTENT.iter().filter(|(id, ..)| language == "en" || *id != "bills-menu");
        content.for_each(|(id, seconds, offer)| add(language, id, *seconds, *offer));
    }
    library
}

/// One of the numbers that every language has.
fn is_number(id: &str) -> bool {
    id.strip_prefix("number-").is_some_and(|number| number.parse::<u32>().is_ok())
}

pub fn checked(files: &[(String, String)]) -> (Option<Dialplan>, Vec<Diagnostic>) {
    let agents = Some(BTreeSet::from([AgentId::new("1001"), AgentId::new("1002")]));
    let has_no_trunk = files.iter().any(|(_, text)| text.contains("# no trunk"));
    let trunks = if has_no_trunk { BTreeSet::new() } else { BTreeSet::from(["carrier".to_owned()]) };
    let lookup_urls = Some(vec!["https://billing.example/".to_owned()]);
    load(files, &Facts { agents, lookup_urls, trunks: Some(trunks), ..Facts::of(&PROMPTS) })
}

/// What `onekey check` says of an input: of its sounds, where it has prompts of its own, and then of its dialplan.
pub fn told_of(input: &str) -> (Option<Dialplan>, Vec<Diagnostic>) {
    let (files, sounds) = split(input);
    let mut told = if sounds.is_empty() { Vec::new() } else { told_of_sounds(&sounds) };
    let (dialplan, of_plan) = checked(&files);
    told.extend(of_plan);
    (dialplan, told)
}

/// Loads prompts from files that are made for it; a WAV file is one second of silence.
fn told_of_sounds(files: &[(String, String)]) -> Vec<Diagnostic> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let root = std::env::temp_dir().join(format!("onekey-golden-{}-{number}", std::process::id()));
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match path.extension().is_some_and(|end| end == "wav") {
            true => silence(&path),
            false => std::fs::write(&path, text).unwrap(),
        }
    }
    let (_, problems) = load_prompts(&root.join("prompts"), &mut |_| {});
    std::fs::remove_dir_all(&root).unwrap();
    let above = format!("{}/", root.display());
    let told = problems.iter().map(|problem| {
        let clean = |text: &str| text.replace(&above, "");
        prompt_trouble(problem.severity, &clean(&problem.file), &clean(&problem.message))
    });
    told.collect()
}

fn silence(path: &Path) {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    (0..8000).for_each(|_| file.write_sample(0i16).unwrap());
    file.finalize().unwrap();
}
