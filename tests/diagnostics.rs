//! Golden tests of the checker: each file of `tests/diagnostics/` is an input, a line of dashes, and the drawing that is
//! expected of it. `BLESS=1 cargo test --test diagnostics` writes the drawings anew; read them before committing.
//!
//! An input is the file dialplans/care.toml; `=== path` begins another file. Where it begins with `# beside:`, the line and
//! the queue of [`BESIDE`] are loaded with it.

use onekey::codec::{Codec, FRAME_SAMPLES};
use onekey::diagnostic::draw;
use onekey::dialplan::{Dialplan, Facts, codes, load, prompt_trouble, report};
use onekey::ids::{AgentId, Language, PromptId};
use onekey::prompt::{Prompt, PromptFacts, PromptLibrary, spoken};
use std::collections::BTreeSet;
use std::sync::LazyLock;
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

static PROMPTS: LazyLock<PromptLibrary> = LazyLock::new(prompts);

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
    let agents = Some(BTreeSet::from([AgentId::new("1001"), AgentId::new("1002")]));
    load(files, &Facts { prompts: &PROMPTS, registry_thresholds: vec![60, 65], agents })
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
        if code.code == "D044" {
            continue; // of sounds, not of dialplans: see `a_prompt_without_sound_makes_the_report_bad`
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

fn sample() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_name().unwrap().to_str().unwrap();
            files.push((format!("dialplans/{name}"), std::fs::read_to_string(&path).unwrap()));
        }
    }
    files.sort();
    files
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
    let facts = Facts { prompts: &PROMPTS, registry_thresholds: vec![60, 65], agents: None };
    let report = report::check(&english_sample(), &facts, Vec::new(), report::Form::Plain);
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
    let mut inputs: Vec<String> = golden().into_iter().map(|(_, input, _)| input).collect();
    inputs.extend(sample().into_iter().map(|(_, text)| text));
    for input in &inputs {
        let ends = (0..input.len()).filter(|end| input.is_char_boundary(*end)).step_by(7);
        for end in ends {
            let files = files_of(&input[..end]);
            let (dialplan, told) = checked(&files);
            assert!(dialplan.is_some() || !told.is_empty(), "{}", &input[..end]);
            draw(&told, &files, false);
        }
        let lines: Vec<&str> = input.split_inclusive('\n').collect();
        for left_out in 0..lines.len() {
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
    assert_eq!(codes, ["D034"]);
}

#[test]
fn json_holds_what_the_drawing_holds() {
    let facts = Facts { prompts: &PROMPTS, registry_thresholds: vec![60, 65], agents: None };
    let files = files_of("# beside:\n[menu.main]\nsay = [\"welcome\"]\n2 = \"menu suport\"\n");
    let report = report::check(&files, &facts, Vec::new(), report::Form::Json);
    let json: serde_json::Value = serde_json::from_str(&report.text).unwrap();
    assert!(!report.good);
    assert_eq!(json[0]["code"], "D010");
    assert_eq!(json[0]["place"]["start"], serde_json::json!({ "byte": 50, "line": 4, "column": 11 }));
}

#[test]
fn a_prompt_without_sound_makes_the_report_bad() {
    use onekey::diagnostic::Severity;
    let facts = Facts { prompts: &PROMPTS, registry_thresholds: vec![60, 65], agents: None };
    let trouble = |severity| vec![prompt_trouble(severity, "prompts/en/welcome.wav", "is not there")];
    let bad = report::check(&english_sample(), &facts, trouble(Severity::Error), report::Form::Plain);
    assert!(!bad.good && bad.text.contains("error[D044]: prompts/en/welcome.wav: is not there"), "{}", bad.text);
    let fair = report::check(&english_sample(), &facts, trouble(Severity::Warning), report::Form::Plain);
    assert!(fair.good && fair.text.contains("well, with 1 warning"), "{}", fair.text);
}

#[test]
fn a_file_with_windows_line_ends_is_told_the_same() {
    for (path, input, _) in golden() {
        let codes = |input: &str| checked(&files_of(input)).1.iter().map(|told| told.code).collect::<Vec<_>>();
        let windows = input.replace('\n', "\r\n");
        assert_eq!(codes(&input), codes(&windows), "{path:?}");
        draw(&checked(&files_of(&windows)).1, &files_of(&windows), false);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Any small plan, made of random sections with random targets, that the checker takes keeps the promise to the silent.
    #[test]
    fn a_random_plan_that_is_taken_keeps_the_promise(picks in proptest::collection::vec(0usize..1000, 40)) {
        let files = vec![("dialplans/care.toml".to_owned(), random_plan(&picks))];
        if let Some(dialplan) = checked(&files).0 {
            let line = dialplan.line_for("5550100").unwrap();
            for at in reachable(&dialplan, line) {
                [true, false].iter().for_each(|open| go_silent(&dialplan, line, &at, *open));
            }
        }
    }

    /// Whatever stands in a file, it is taken or told of: any golden input or the sample, with some characters changed.
    #[test]
    fn no_file_makes_the_checker_panic(
        which in 0usize..60,
        changes in proptest::collection::vec((0usize..2000, "[\\[\\]\"'=#.*\n\r,a-z0-9 {}“é\\\\]{0,3}"), 1..8),
    ) {
        let mut inputs: Vec<String> = golden().into_iter().map(|(_, input, _)| input).collect();
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

/// The promise as far as this issue checks it, walked by `Step::next`: in every plan that is taken, a caller who goes silent
/// in any step is soon with a queue or at an end, and an end comes only after a person was offered or a message kept.
#[test]
fn in_every_plan_that_is_taken_silence_leads_to_a_person_or_a_finished_service() {
    let mut plans = vec![english_sample()];
    plans.extend(golden().into_iter().map(|(_, input, _)| files_of(&input)));
    let mut walked = 0;
    for files in plans {
        let Some(dialplan) = checked(&files).0 else { continue };
        for line in dialplan.lines.values() {
            for step in dialplan.steps.values() {
                let queue_is_open = [true, false];
                queue_is_open.iter().for_each(|open| go_silent(&dialplan, line, &step.at(), *open));
                walked += 1;
            }
        }
    }
    assert!(walked > 20, "only {walked} steps were walked");
}

fn reachable(dialplan: &Dialplan, line: &onekey::dialplan::Line) -> BTreeSet<onekey::target::StepRef> {
    let human = dialplan.queue(&line.human.to).map(|queue| onekey::step::Step::Queue(queue.clone()).at());
    let mut open: Vec<_> = human.into_iter().chain([line.start.clone()]).collect();
    let mut seen = BTreeSet::new();
    while let Some(at) = open.pop() {
        if seen.insert(at.clone()) {
            open.extend(dialplan.step(&at).unwrap().targets().into_iter().filter_map(|target| match target {
                onekey::target::Target::Step(step) => Some(step),
                _ => None,
            }));
        }
    }
    seen
}

/// Two of each kind; each number picks a target or whether there is one.
fn random_plan(picks: &[usize]) -> String {
    const TARGETS: [&str; 16] = [
        "menu a",
        "menu b",
        "play a",
        "play b",
        "hours a",
        "hours b",
        "queue a",
        "queue b",
        "voicemail a",
        "queue c",
        "hangup a",
        "queue c",
        "start",
        "human",
        "back",
        "repeat",
    ];
    let mut picks = picks.iter().copied();
    let mut pick = |most: usize| picks.next().map_or(0, |pick| pick % most);
    let mut plan = BESIDE.replace("menu main", "menu a").replace("queue care", "queue a").replace("[queue.care]", "");
    for name in ["a", "b"] {
        plan += &format!(
            "[menu.{name}]\nsay = \"welcome\"\n1 = \"{}\"\n2 = \"{}\"\n",
            TARGETS[pick(16)],
            TARGETS[pick(16)]
        );
        plan += &format!("[play.{name}]\nsay = \"data-balance\"\nfinished = {}\n", pick(2) == 0);
        if pick(2) == 0 {
            plan += &format!("then = \"{}\"\n", TARGETS[pick(16)]);
        }
        plan += &format!("[hours.{name}]\nzone = \"UTC\"\nopen = \"daily 08:00-20:00\"\n");
        plan += &format!("then = \"{}\"\nelse = \"{}\"\n", TARGETS[pick(16)], TARGETS[pick(16)]);
        plan += &format!("[queue.{name}]\n");
        if pick(2) == 0 {
            plan += &format!("else = \"{}\"\n", TARGETS[pick(16)]);
        }
    }
    plan += "[queue.c]\n[hangup.a]\n[voicemail.a]\nsay = \"voicemail-greeting\"\n";
    if pick(2) == 0 { plan + &format!("then = \"{}\"\n", TARGETS[pick(16)]) } else { plan }
}

fn go_silent(dialplan: &Dialplan, line: &onekey::dialplan::Line, from: &onekey::target::StepRef, open: bool) {
    use onekey::step::{Edge, Event, StepState};
    use onekey::target::Target;
    let (mut at, mut state, mut event) = (from.clone(), StepState::default(), Event::Entered { open });
    let mut may_end = at.kind == onekey::target::StepKind::Hangup;
    for _ in 0..100 {
        let step = dialplan.step(&at).unwrap();
        event = match step.next(&mut state, event) {
            Edge::Speak { prompts, .. } => {
                may_end |= prompts.iter().any(|id| [spoken::OFFER_HUMAN, spoken::MESSAGE_DONE].contains(&id.as_str()));
                Event::Spoken
            }
            Edge::Listen { .. } => Event::Silence,
            Edge::Record { .. } => Event::Recorded,
            Edge::HangUp => return assert!(may_end, "{from} of {} ends with nothing done", line.name),
            Edge::Go(Target::Step(to)) => {
                (at, state) = (to, StepState::default());
                Event::Entered { open }
            }
            Edge::Go(Target::Start) => {
                (at, state) = (line.start.clone(), StepState::default());
                Event::Entered { open }
            }
            Edge::Go(Target::Repeat) => Event::Entered { open },
            // A person, where the queue can serve; else the queue's own way on, whose end is a kept promise.
            Edge::Go(Target::Human) | Edge::Join(_) if open => return,
            edge => {
                let name = if let Edge::Join(name) = edge { name } else { line.human.to.clone() };
                let Some(Target::Step(to)) = dialplan.queue(&name).and_then(|queue| queue.otherwise.clone()) else {
                    return;
                };
                may_end = false;
                (at, state) = (to, StepState::default());
                Event::Entered { open: false }
            }
        };
    }
    panic!("{from} of line {}: a silent caller goes round", line.name);
}
