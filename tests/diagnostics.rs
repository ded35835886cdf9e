//! Golden tests of the checker: each file of `tests/diagnostics/` is an input, a line of dashes, and the drawing that is
//! expected of it. `BLESS=1 cargo test --test diagnostics` writes the drawings anew; read them before committing.
//!
//! An input is the file dialplans/care.toml; `=== path` begins another file. Where it begins with `# beside:`, the line and
//! the queue of [`BESIDE`] are loaded with it.

use onekey::codec::{Codec, FRAME_SAMPLES};
use onekey::diagnostic::draw;
use onekey::dialplan::{Dialplan, Facts, codes, load, missing_prompt_file, report};
use onekey::ids::{AgentId, Language, PromptId};
use onekey::prompt::{Prompt, PromptFacts, PromptLibrary, spoken};
use std::collections::BTreeSet;
use std::time::Duration;

const BESIDE: &str = r#"[line.care]
numbers = ["5550100"]
start = "menu main"

[line.care.human]
to = "queue care"

[queue.care]
"#;

const DASHES: &str = "----------------------------------------";

/// Prompt, seconds of sound, and the second at which it has offered a person.
const CONTENT: [(&str, u64, Option<u64>); 11] = [
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
];

fn prompts() -> PromptLibrary {
    let mut library = PromptLibrary::default();
    let mut add = |language: &str, id: &str, seconds: u64, offer: Option<u64>| {
        let sound = vec![Codec::Pcmu.silence(); FRAME_SAMPLES * 50 * seconds as usize];
        let facts =
            PromptFacts { text: id.to_owned(), length: Duration::ZERO, offer_ends: offer.map(Duration::from_secs) };
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
        let content = CONTENT.iter().filter(|(id, ..)| language == "en" || *id != "bills-menu");
        content.for_each(|(id, seconds, offer)| add(language, id, *seconds, *offer));
    }
    library
}

fn files_of(input: &str) -> Vec<(String, String)> {
    let mut files = vec![("dialplans/care.toml".to_owned(), String::new())];
    for line in input.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(path) => files.push((path.trim().to_owned(), String::new())),
            None => files.last_mut().unwrap().1.push_str(line),
        }
    }
    if input.contains("# beside:") {
        files.push(("dialplans/line.toml".to_owned(), BESIDE.to_owned()));
    }
    files
}

fn checked(files: &[(String, String)]) -> (Option<Dialplan>, Vec<onekey::diagnostic::Diagnostic>) {
    let prompts = prompts();
    let agents = Some(BTreeSet::from([AgentId::new("1001"), AgentId::new("1002")]));
    load(files, &Facts { prompts: &prompts, registry_thresholds: vec![60, 65], agents })
}

/// Name, input and expected drawing of each golden file.
fn golden() -> Vec<(std::path::PathBuf, String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut golden = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let dashes = format!("{DASHES}\n");
        let (input, drawing) = text.split_once(&dashes).unwrap_or_else(|| panic!("{path:?} has no line of dashes"));
        golden.push((path, input.to_owned(), drawing.to_owned()));
    }
    golden.sort();
    golden
}

#[test]
fn every_golden_file_is_drawn_as_it_says() {
    let mut wrong = Vec::new();
    for (path, input, expected) in golden() {
        let files = files_of(&input);
        let (dialplan, told) = checked(&files);
        let drawing = if told.is_empty() { "well\n".to_owned() } else { draw(&told, &files, false) };
        let errors = told.iter().any(|told| told.severity == onekey::diagnostic::Severity::Error);
        assert_eq!(dialplan.is_none(), errors, "{path:?}: refused if and only if something is an error");
        if drawing == expected {
            continue;
        }
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, format!("{input}{DASHES}\n{drawing}")).unwrap();
        } else {
            wrong.push(format!("{}:\n{drawing}\nexpected:\n{expected}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_is_explained_and_shown_by_a_golden_file_of_its_name() {
    let golden = golden();
    for code in &codes::CODES {
        let text = report::explain(code.code).unwrap();
        assert!(text.contains(code.title) && text.contains(code.repair), "{}", code.code);
        if code.code == missing_prompt_file("en", "welcome", "prompts/en/welcome.wav", "not there").code {
            continue;
        }
        let prefix = code.code.to_lowercase();
        let of_code =
            golden.iter().filter(|(path, ..)| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix));
        let shown = of_code.filter(|(_, _, drawing)| drawing.contains(&format!("[{}]", code.code)));
        assert!(shown.count() >= 1, "no golden file shows {}", code.code);
    }
    for (path, input, _) in golden {
        for told in checked(&files_of(&input)).1 {
            assert!(report::explain(told.code).is_some(), "{path:?}: {} is not explained", told.code);
            assert!(told.help.is_some(), "{path:?}: {} does not say what to type", told.code);
        }
    }
    assert_eq!(report::explain("d10"), report::explain("D010"));
    assert_eq!(report::explain("D999"), None);
    assert_eq!(report::explain("what"), None);
}
