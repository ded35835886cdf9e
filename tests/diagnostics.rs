//! Golden tests of the checker: each file of `tests/diagnostics/` is an input, a line of dashes, the drawing that is expected
//! of it, and for the example of a code another such line and the input repaired. `BLESS=1 cargo test --test diagnostics`
//! writes the drawings and docs/diagnostics.md anew; read them before committing.

#[path = "diagnostics/checked.rs"]
mod checked;
#[path = "diagnostics/golden.rs"]
mod golden;

use checked::{PROMPTS, checked, told_of};
use golden::{Golden, files_of, golden, sample};
use onekey::diagnostic::{Diagnostic, Severity, draw};
use onekey::dialplan::codes::{self, DASHES};
use onekey::dialplan::{Facts, prompt_trouble, report};
use std::collections::BTreeSet;
use std::path::Path;

/// Told of prompts, not of dialplans.
const OF_SOUNDS: &str = "D044";

#[test]
fn every_golden_file_is_drawn_as_it_says() {
    let mut wrong = Vec::new();
    for golden in golden() {
        let files = files_of(&golden.input);
        let (dialplan, told) = told_of(&golden.input);
        let drawing = if told.is_empty() { "well\n".to_owned() } else { draw(&told, &files, false) };
        let is_error = |told: &Diagnostic| told.severity == Severity::Error && told.code != OF_SOUNDS;
        let name = golden.name();
        assert_eq!(
            dialplan.is_none(),
            told.iter().any(is_error),
            "{name}: refused if and only if something is an error"
        );
        if drawing == golden.drawing {
            continue;
        }
        if std::env::var_os("BLESS").is_some() {
            let repaired = golden.repaired.as_ref().map_or(String::new(), |text| format!("{DASHES}\n{text}"));
            std::fs::write(&golden.path, format!("{}{DASHES}\n{drawing}{repaired}", golden.input)).unwrap();
        } else {
            wrong.push(format!("{name}:\n{drawing}\nexpected:\n{}", golden.drawing));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_repaired_is_well() {
    let mut wrong = Vec::new();
    for golden in golden() {
        let Some(repaired) = &golden.repaired else { continue };
        let (dialplan, told) = told_of(repaired);
        if dialplan.is_none() || !told.is_empty() {
            wrong.push(format!("{}:\n{}", golden.name(), draw(&told, &files_of(repaired), false)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The codes that the sources give, read from the sources.
fn codes_of_sources(folder: &Path, codes: &mut BTreeSet<String>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            codes_of_sources(&path, codes);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("src/diagnostic.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for given in ["Diagnostic::error(", "Diagnostic::warning("] {
                for (at, _) in text.match_indices(given) {
                    let code = text[at + given.len()..].trim_start().get(1..5).unwrap();
                    assert!(code.starts_with('D') && code[1..].parse::<u16>().is_ok(), "{path:?}: {code:?} is no code");
                    codes.insert(code.to_owned());
                }
            }
        }
    }
}

#[test]
fn a_code_is_given_explained_and_shown_or_it_is_none_of_these() {
    let mut given = BTreeSet::new();
    codes_of_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut given);
    let explained: BTreeSet<String> = codes::all().iter().map(|code| code.code.to_owned()).collect();
    let shown: BTreeSet<String> =
        golden().iter().flat_map(|golden| told_of(&golden.input).1).map(|told| told.code.to_owned()).collect();
    let names = |codes: &BTreeSet<String>, others: &BTreeSet<String>| -> Vec<String> {
        codes.difference(others).cloned().collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(names(&given, &explained), none, "given and not explained in src/dialplan/codes");
    assert_eq!(names(&explained, &given), none, "explained and given nowhere");
    assert_eq!(names(&explained, &shown), none, "shown by no golden file");
}

#[test]
fn the_example_of_a_code_shows_it_and_is_repaired() {
    for code in codes::all() {
        let example = code.shown();
        assert!(
            example.drawing.contains(&format!("[{}]", code.code)),
            "the example of {} shows something else",
            code.code
        );
        let repaired = example.repaired.unwrap_or_else(|| panic!("the example of {} is not repaired", code.code));
        assert!(!code.changes().is_empty() && repaired != example.input, "{}", code.code);
        let text = report::explain(code.code).unwrap();
        for part in [code.title, code.means, code.callers, code.repair] {
            assert!(text.contains(part), "{}", code.code);
        }
        assert!(text.contains("The same, repaired"), "{}", code.code);
    }
    for golden in golden() {
        let own = golden.name().split_once('-').filter(|_| golden.name().starts_with("d0")).map(|(code, _)| code);
        let is_of_code = |code: &str| golden.drawing.contains(&format!("[{}]", code.to_uppercase()));
        assert!(own.is_none_or(is_of_code), "{} does not show the code of its name", golden.name());
        for told in told_of(&golden.input).1 {
            assert!(told.help.is_some(), "{}: {} does not say what to type", golden.name(), told.code);
        }
    }
    assert_eq!(report::explain("d10"), report::explain("D010"));
    assert_eq!(report::explain("D999"), None);
    assert_eq!(report::explain("what"), None);
}

#[test]
fn the_page_of_all_codes_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnostics.md");
    let page = report::page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/diagnostics.md is old: BLESS=1 cargo test --test diagnostics");
}

/// The sample with English prompts for both its lines: what prompts/zh holds is not this test's matter.
fn english_sample() -> Vec<(String, String)> {
    sample().into_iter().map(|(path, text)| (path, text.replace("language = \"zh\"", "language = \"en\""))).collect()
}

#[test]
fn the_sample_is_well_and_serves_a_caller_at_any_hour() {
    let (dialplan, told) = checked(&english_sample());
    assert!(told.is_empty(), "{}", draw(&told, &english_sample(), false));
    let dialplan = dialplan.unwrap();
    for number in ["5550100", "care", "5550101", "care-zh"] {
        let line = dialplan.line_for(number).unwrap();
        let queue = dialplan.queue(&line.human.to).unwrap();
        assert_eq!(queue.hours, None, "a newcomer who dials at night reaches the agent");
        assert_eq!(line.human.direct.len(), 2, "callers of 65 and over and those who are marked");
    }
    assert_eq!(dialplan.line_for("5550199"), None);
    let facts = Facts::of(&PROMPTS);
    let report = report::check(&[english_sample()], &facts, Vec::new(), report::Form::Plain);
    assert!(
        report.good && report.text.contains("line care (5550100 care, en): starts at menu main"),
        "{}",
        report.text
    );
}

#[test]
fn back_is_the_menu_that_leads_here_also_through_hours() {
    use onekey::step::Step;
    use onekey::target::{StepKind, StepRef, Target};
    let dialplan = checked(&english_sample()).0.unwrap();
    let menu = |name: &str| StepRef { kind: StepKind::Menu, name: onekey::ids::StepName::new(name) };
    let Some(Step::Menu(bills)) = dialplan.step(&menu("bills")) else { panic!("no menu bills") };
    let nine = onekey::key::Key::from_char('9').unwrap();
    assert_eq!(bills.keys[&nine], Target::Step(menu("main")));
}

#[test]
fn a_file_cut_off_anywhere_or_with_any_line_missing_is_told_of_and_never_a_panic() {
    let mut inputs: Vec<String> = golden().into_iter().map(|golden| golden.input).collect();
    inputs.extend(sample().into_iter().map(|(_, text)| text));
    for input in &inputs {
        // How long a spoken number lasts at most takes half a second to find out in a debug build: fewer of those.
        let rarer = if input.contains("} as ") { 13 } else { 1 };
        let ends = (0..input.len()).filter(|end| input.is_char_boundary(*end)).step_by(7 * rarer);
        for end in ends {
            let files = files_of(&input[..end]);
            let (dialplan, told) = checked(&files);
            assert!(dialplan.is_some() || !told.is_empty(), "{}", &input[..end]);
            draw(&told, &files, false);
        }
        let lines: Vec<&str> = input.split_inclusive('\n').collect();
        for left_out in (0..lines.len()).step_by(rarer) {
            let rest = lines.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, line)| *line);
            let files = files_of(&rest.collect::<String>());
            draw(&checked(&files).1, &files, false);
        }
    }
}

#[test]
fn a_way_of_hundreds_of_plays_is_refused() {
    let mut input = "# beside:\n[menu.main]\nsay = [\"welcome\"]\n1 = \"play p0\"\n".to_owned();
    for number in 0..2000 {
        let next = if number == 1999 { "menu main".to_owned() } else { format!("play p{}", number + 1) };
        input += &format!("[play.p{number}]\nsay = [\"data-balance\"]\nthen = \"{next}\"\n");
    }
    let told = checked(&files_of(&input)).1;
    let codes: Vec<&str> = told.iter().map(|told| told.code).collect();
    assert_eq!(codes, ["D070"]);
}

#[test]
fn json_holds_what_the_drawing_holds() {
    let facts = Facts::of(&PROMPTS);
    let files = files_of("# beside:\n[menu.main]\nsay = [\"welcome\"]\n2 = \"menu suport\"\n");
    let report = report::check(std::slice::from_ref(&files), &facts, Vec::new(), report::Form::Json);
    let json: serde_json::Value = serde_json::from_str(&report.text).unwrap();
    assert!(!report.good);
    assert_eq!(json[0]["code"], "D010");
    assert_eq!(json[0]["place"]["start"], serde_json::json!({ "byte": 50, "line": 4, "column": 11 }));
}

#[test]
fn a_prompt_without_sound_makes_the_report_bad() {
    let facts = Facts::of(&PROMPTS);
    let trouble = |severity| vec![prompt_trouble(severity, "prompts/en/welcome.wav", "is not there")];
    let bad = report::check(&[english_sample()], &facts, trouble(Severity::Error), report::Form::Plain);
    assert!(!bad.good && bad.text.contains("error[D044]: prompts/en/welcome.wav: is not there"), "{}", bad.text);
    let fair = report::check(&[english_sample()], &facts, trouble(Severity::Warning), report::Form::Plain);
    assert!(fair.good && fair.text.contains("well, with 1 warning"), "{}", fair.text);
}

#[test]
fn a_file_with_windows_line_ends_is_told_the_same() {
    for Golden { path, input, .. } in golden() {
        let codes = |input: &str| checked(&files_of(input)).1.iter().map(|told| told.code).collect::<Vec<_>>();
        let windows = input.replace('\n', "\r\n");
        assert_eq!(codes(&input), codes(&windows), "{path:?}");
        draw(&checked(&files_of(&windows)).1, &files_of(&windows), false);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Whatever stands in a file, it is taken or told of: any golden input or the sample, with some characters changed.
    #[test]
    fn no_file_makes_the_checker_panic(
        which in 0usize..1000,
        changes in proptest::collection::vec((0usize..2000, "[\\[\\]\"'=#.*\n\r,a-z0-9 {}“é\\\\]{0,3}"), 1..8),
    ) {
        let mut inputs: Vec<String> = golden().into_iter().map(|golden| golden.input).collect();
        inputs.extend(sample().into_iter().map(|(_, text)| text));
        let mut letters: Vec<char> = inputs[which % inputs.len()].chars().collect();
        for (at, text) in changes {
            let at = at % letters.len();
            letters.splice(at..(at + 1).min(letters.len()), text.chars());
            if letters.is_empty() {
                letters.push(' ');
            }
        }
        let files = files_of(&letters.into_iter().collect::<String>());
        let (dialplan, told) = checked(&files);
        proptest::prop_assert!(dialplan.is_some() || !told.is_empty());
        draw(&told, &files, false);
        onekey::diagnostic::to_json(&told, &files);
    }
}
