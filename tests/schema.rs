//! The JSON Schema of dialplans against the loader: the same settings, limits, words and defaults, no false alarm in any file
//! that is taken, and an alarm where an editor can know. `BLESS=1 cargo test --test schema` writes the file anew.

#[path = "schema/conform.rs"]
mod conform;
#[path = "diagnostics/golden.rs"]
mod golden;

use golden::{Files, files_of, golden, sample};
use onekey::diagnostic::Diagnostic;
use onekey::dialplan::schema::{Form, HUMAN, KINDS, Kind, LeftOut, text};
use onekey::dialplan::{Dialplan, Facts, codes, load_unproved};
use onekey::prompt::PromptLibrary;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// What a section of each kind cannot do without.
const LEAST: [(&str, &str); 14] = [
    ("line", "numbers = \"5550199\"\nstart = \"menu main\"\nhuman = { to = \"queue care\" }\n"),
    ("human", "to = \"queue care\"\n"),
    ("menu", "say = \"welcome\"\n1 = \"repeat\"\n"),
    ("play", "say = \"welcome\"\nthen = \"menu main\"\n"),
    ("collect", "say = \"welcome\"\nthen = \"menu main\"\ndigits = 16\n"),
    ("say", "say = \"welcome\"\nthen = \"menu main\"\n"),
    ("hours", "zone = \"UTC\"\nopen = \"daily 08:00-20:00\"\n"),
    ("lookup", "url = \"https://billing.example/\"\nthen = \"menu main\"\n"),
    ("set", "language = \"zh\"\nthen = \"menu main\"\n"),
    ("queue", ""),
    ("voicemail", "say = \"welcome\"\n"),
    ("callback", "say = \"welcome\"\n"),
    ("dial", "to = \"+12025550123\"\n"),
    ("hangup", ""),
];

fn schema() -> Value {
    serde_json::from_str(&text()).unwrap()
}

fn kinds() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().chain([&HUMAN])
}

/// A plan with one section of this kind, and what is written in it besides the least.
fn plan(kind: &str, more: &str) -> Files {
    let least = LEAST.iter().find(|(of, _)| *of == kind).unwrap().1;
    let header = match kind {
        "human" => "[line.x]\nnumbers = \"5550199\"\nstart = \"menu main\"\n[line.x.human]\n".to_owned(),
        kind => format!("[{kind}.x]\n"),
    };
    let more_key = more.split(' ').next().unwrap_or("");
    let own: String = least
        .lines()
        .filter(|line| more.is_empty() || line.split(' ').next() != Some(more_key))
        .map(|line| format!("{line}\n"))
        .collect();
    files_of(&format!("# beside:\n[menu.main]\nsay = \"welcome\"\n1 = \"repeat\"\n{header}{own}{more}\n"))
}

fn read(files: &Files) -> Result<Dialplan, Vec<Diagnostic>> {
    load_unproved(files, &Facts::of(&PromptLibrary::default()))
}

/// What is told of a section of this kind with this line in it, of the code.
fn told(kind: &str, line: &str, code: &str) -> Option<Diagnostic> {
    read(&plan(kind, line)).err()?.into_iter().find(|told| told.code == code)
}

fn conforms(files: &Files) -> Vec<String> {
    let schema = schema();
    let wrong = |(path, text): &(String, String)| {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(_) => return vec![format!("{path} is no TOML")],
        };
        let value = serde_json::to_value(table).unwrap();
        conform::wrong(&schema, &value).into_iter().map(|wrong| format!("{path}{wrong}")).collect()
    };
    files.iter().flat_map(wrong).collect()
}

#[test]
fn the_schema_has_the_settings_that_the_loader_knows_and_no_others() {
    for kind in kinds() {
        let told = told(kind.word, "zzzzzzzzzzzzzzzzzzzz = 1", "D004").expect("this is no setting");
        let help = told.help.unwrap();
        let words = help.strip_prefix("what can stand here: ").unwrap_or_else(|| panic!("{help}"));
        let known: BTreeSet<String> = words
            .split(", ")
            .flat_map(|word| match word {
                "a key from 1 to 9" => (1..=9).map(|key| key.to_string()).collect(),
                word => vec![word.to_owned()],
            })
            .collect();
        let written: BTreeSet<String> = kind.settings.iter().map(|setting| setting.key.to_owned()).collect();
        assert_eq!(known, written, "of {}", kind.word);
    }
    let written: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
    let loaded: Vec<&str> = std::iter::once("line").chain(onekey::target::StepKind::WORDS).collect();
    assert_eq!(written, loaded);
}

#[test]
fn limits_and_words_are_those_of_the_loader() {
    let mut compared = 0;
    for (kind, setting) in kinds().flat_map(|kind| kind.settings.iter().map(move |setting| (kind.word, setting))) {
        let key = setting.key;
        match setting.form {
            Form::Time(..) | Form::Count(..) => {
                let wild = if matches!(setting.form, Form::Time(..)) { "\"100000h\"" } else { "4000000000" };
                let said = told(kind, &format!("{key} = {wild}"), "D007").expect("too much").message;
                let limits = said.split(" must be ").nth(1).unwrap();
                let of_kind = &schema()["properties"][kind]["additionalProperties"]["properties"][key]["description"];
                assert!(of_kind.as_str().unwrap().contains(limits), "{kind} {key}: {limits}, {of_kind}");
            }
            Form::Word(words) => {
                let refused = read(&plan(kind, &format!("{key} = \"zzzzzzzzzzzz\""))).unwrap_err();
                let help = refused[0].help.clone().unwrap();
                if let Some(known) = help.strip_prefix("one of: ") {
                    let known: Vec<&str> = known.split(" (").next().unwrap().split(", ").collect();
                    assert_eq!(known, words.iter().map(|(word, _)| *word).collect::<Vec<_>>(), "{kind} {key}");
                }
                for (word, _) in words {
                    assert!(help.contains(word), "{kind} {key}: {word}, {help}");
                    let taken = read(&plan(kind, &format!("{key} = \"{word}\"")));
                    assert!(taken.is_ok(), "{kind} {key}: {word}: {:?}", taken.err());
                }
            }
            Form::Flag => assert!(told(kind, &format!("{key} = \"maybe\""), "D005").is_some(), "{kind} {key}"),
            _ => continue,
        }
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
}

#[test]
fn what_is_left_out_is_the_default_and_what_is_needed_is_missed() {
    for kind in kinds() {
        let plain = format!("{:?}", read(&plan(kind.word, "")).unwrap());
        for setting in kind.settings {
            let said = format!("{} {}", kind.word, setting.key);
            match setting.default {
                LeftOut::Is(default) => {
                    let written = read(&plan(kind.word, &format!("{} = {default}", setting.key)));
                    let written = written.unwrap_or_else(|told| panic!("{said}: {told:?}"));
                    assert_eq!(format!("{written:?}"), plain, "{said} = {default}");
                }
                LeftOut::Needed => {
                    // Only the section itself is without it: the others are the same in every plan.
                    let mut files = plan(kind.word, "");
                    let text = &mut files[0].1;
                    let own = text.rfind(&format!("{}]\n", if kind.word == "human" { "human" } else { ".x" })).unwrap();
                    let at = text[own..].find(&format!("\n{} = ", setting.key)).unwrap();
                    text.insert(own + at + 1, '#');
                    assert!(read(&files).is_err(), "{said} is needed and not missed:\n{}", files[0].1);
                }
                LeftOut::None => {}
            }
        }
    }
}

/// Every file that is taken: the samples, the scenarios' plans, the golden inputs that are well, and the repaired ones.
#[test]
fn what_the_checker_takes_conforms() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut taken = vec![sample()];
    for path in ["tests/calls/plan.toml", "tests/calls/services/plan.toml"] {
        taken.push(vec![(path.to_owned(), std::fs::read_to_string(root.join(path)).unwrap())]);
    }
    for golden in golden() {
        let named = |text: &str| -> Files {
            let of_golden = |(path, text)| (format!("{}: {path}", golden.name()), text);
            files_of(text).into_iter().map(of_golden).collect()
        };
        if !golden.drawing.contains("error[") {
            taken.push(named(&golden.input));
        }
        taken.extend(golden.repaired.as_deref().map(named));
    }
    assert!(taken.len() > 60);
    let wrong: Vec<String> = taken.iter().flat_map(conforms).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_an_editor_can_know_is_told_while_one_types() {
    let seen = [
        "D003", "D004", "D005", "D006", "D009", "D013", "D015", "D016", "D017", "D018", "D019", "D020", "D023", "D024",
        "D026", "D030", "D037", "D040", "D041", "D049", "D051", "D052", "D053", "D055", "D056", "D057", "D058", "D060",
    ];
    for code in codes::all().iter().filter(|code| seen.contains(&code.code)) {
        assert!(!conforms(&files_of(code.shown().input)).is_empty(), "{} is not seen", code.code);
    }
}

#[test]
fn targets_times_digits_and_numbers_are_read_as_the_loader_reads_them() {
    let texts = [
        "menu main",
        "  menu   main ",
        "repeat",
        "back",
        "start",
        "human",
        "menu",
        "menu main now",
        "main",
        "mneu main",
        "",
        "hours büro",
        "5s",
        "500ms",
        "2.5s",
        "5",
        "s",
        "5 s",
        "5.s",
        "1.2345s",
        "-5s",
        "2min",
        "1h",
        "16",
        "4-6",
        "4 - 6",
        "4-",
        "-",
        "a-b",
        "4-6-8",
        "5550100",
        "+12025550123",
        "555 0100",
        "care",
        "*40",
    ];
    let fields = [
        ("play", "then", "D009"),
        ("voicemail", "longest", "D006"),
        ("collect", "digits", "D051"),
        ("line", "numbers", "D024"),
    ];
    for (kind, key, code) in fields {
        for text in texts {
            let line = format!("{key} = \"{text}\"");
            let loader = told(kind, &line, code).is_none();
            let editor = conforms(&plan(kind, &line)).is_empty();
            // The order of least and most is beyond a pattern; no text here has it wrong.
            assert_eq!(loader, editor, "{kind}: {line}");
        }
    }
}

#[test]
fn the_file_is_up_to_date_and_the_samples_name_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans/dialplan.schema.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text(), "dialplans/dialplan.schema.json is old: BLESS=1 cargo test --test schema");
    for (path, text) in sample() {
        assert!(text.starts_with("#:schema ./dialplan.schema.json\n"), "{path} does not name the schema");
    }
}
