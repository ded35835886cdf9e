//! Pictures of lines: every way of the plan is in them exactly once, what is broken is marked by the checker's own codes, and
//! what is written stays the same. `BLESS=1 cargo test --test picture` writes tests/pictures and docs/care.svg anew: look
//! at them before committing.

#[path = "prover/plans.rs"]
mod plans;

use onekey::diagnostic::Severity;
use onekey::dialplan::reach::{Broken, prove};
use onekey::dialplan::{Dialplan, Facts, load, load_unproved};
use onekey::picture::{Form, Help, Leads, Picture};
use onekey::prompt::PromptLibrary;
use onekey::step::link::Link;
use onekey::target::Target;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Codes that say where a plan breaks the promise: each has its place in the picture.
const PLACED: [&str; 9] = ["D031", "D032", "D033", "D034", "D035", "D048", "D070", "D071", "D072"];

fn files(text: &str) -> Vec<(String, String)> {
    vec![("plan.toml".to_owned(), text.to_owned())]
}

fn plan(text: &str, prompts: &PromptLibrary) -> Dialplan {
    load_unproved(&files(text), &Facts::of(prompts)).unwrap_or_else(|told| panic!("{told:#?}\n{text}"))
}

fn picture(plan: &Dialplan, prompts: &PromptLibrary) -> Picture {
    Picture::of(plan, plan.line_for("5550100").expect("the line of the test"), prompts, BTreeMap::new())
}

#[test]
fn every_way_of_a_plan_is_in_its_picture_exactly_once() {
    let prompts = plans::prompts();
    for seed in 0..80 {
        let text = plans::random(seed);
        let plan = plan(&text, &prompts);
        let picture = picture(&plan, &prompts);
        let line = plan.line_for("5550100").unwrap();
        assert_eq!(picture.cards.len(), plan.steps.len() + 1, "seed {seed}");
        let (mut arrows, mut people) = (2, 0);
        for card in &picture.cards[1..] {
            let at = card.at.as_ref().unwrap();
            let drawn: Vec<Link> = card
                .rows
                .iter()
                .filter_map(|row| {
                    let target = match &row.leads {
                        Leads::Card(to) => Target::Step(picture.cards[*to].at.clone().unwrap()),
                        Leads::Again => Target::Repeat,
                        Leads::Person => Target::Human,
                        Leads::Says(_) => return None,
                    };
                    Some(Link { role: row.role.clone()?, target })
                })
                .collect();
            let mut written = plan.step(at).unwrap().links();
            for link in written.iter_mut().filter(|link| link.target == Target::Start) {
                link.target = Target::Step(line.start.clone());
            }
            assert_eq!(drawn, written, "seed {seed}: {at}\n{text}");
            people += written.iter().filter(|link| link.target == Target::Human).count();
            arrows += written.iter().filter(|link| link.target != Target::Human).count();
        }
        // What is written has them all: as a line, as the sign of a card elsewhere, or as a person.
        let count = |text: &str, what: &str| text.matches(what).count();
        assert_eq!(count(&picture.write(Form::Dot), " -> c"), arrows, "seed {seed}");
        let mermaid = picture.write(Form::Mermaid);
        assert_eq!(count(&mermaid, "| c"), arrows, "seed {seed}");
        let svg = picture.write(Form::Svg);
        let drawing = svg.split("</defs>").nth(1).unwrap();
        let (drawing, legend) = drawing.split_at(drawing.rfind("stroke='#b4bdc6' stroke-width='1'/>").unwrap());
        assert!(legend.contains("0 reaches a person"), "the legend is the last");
        let signs = ["#back", "#on", "#again"].iter().map(|sign| count(drawing, &format!("'{sign}'"))).sum::<usize>();
        assert_eq!(count(drawing, "marker-end") + signs, arrows, "seed {seed}\n{text}");
        let queues = plan.queues().count();
        let of_line = picture.cards[0].rows.iter().filter(|row| row.leads == Leads::Person).count();
        let badges = picture.cards.iter().filter(|card| matches!(card.help, Help::After(_) | Help::Never)).count();
        assert_eq!(count(drawing, "'#person'"), people + of_line + badges + 2 * queues, "seed {seed}\n{text}");
    }
}

#[test]
fn what_the_checker_refuses_is_marked_by_the_same_codes() {
    let prompts = plans::prompts();
    let mut seen = BTreeSet::new();
    for seed in 0..160 {
        let text = plans::random(seed).replace("start =", "help_within = \"25s\"\nannounce_within = \"2s\"\nstart =");
        let (_, told) = load(&files(&text), &Facts::of(&prompts));
        let errors = told.iter().filter(|told| told.severity == Severity::Error).map(|told| told.code);
        let expected: BTreeSet<&str> = errors.filter(|code| PLACED.contains(code)).collect();
        let picture = picture(&plan(&text, &prompts), &prompts);
        let cards = picture.cards.iter().flat_map(|card| card.codes.iter().copied());
        let rows = picture.cards.iter().flat_map(|card| card.rows.iter().flat_map(|row| row.codes.iter().copied()));
        let marked: BTreeSet<&str> = cards.chain(rows).collect();
        assert_eq!(marked, expected, "seed {seed}\n{text}");
        seen.extend(expected);
    }
    for code in ["D031", "D032", "D033", "D034", "D035", "D048", "D070"] {
        assert!(seen.contains(code), "the plans of this test never show {code}: {seen:?}");
    }
}

#[test]
fn the_time_to_help_is_that_of_the_proof_and_never_where_silence_goes_round() {
    let prompts = plans::prompts();
    let (mut rounds, mut equal) = (0, 0);
    for seed in 0..160 {
        let text = plans::random(seed);
        let plan = plan(&text, &prompts);
        let proof = prove(&plan, plan.line_for("5550100").unwrap(), &prompts);
        let goes_round = proof.breaches.iter().any(|breach| matches!(breach.what, Broken::Round { .. }));
        assert_eq!(proof.help.values().any(Option::is_none), goes_round, "seed {seed}\n{text}");
        if goes_round {
            rounds += 1;
            continue;
        }
        let longest = proof.help.values().flatten().max().copied().unwrap_or_default();
        assert!(longest <= proof.bounds.silent_longest, "seed {seed}\n{text}");
        equal += usize::from(longest == proof.bounds.silent_longest);
        assert_eq!(proof.help.keys().collect::<BTreeSet<_>>().len(), proof.help.len());
        assert!(proof.help.keys().all(|at| proof.steps().any(|met| met == at)), "seed {seed}\n{text}");
    }
    assert!(rounds > 10 && equal > 20, "{rounds} rounds, {equal} equal");
}

/// A menu of every kind of row, a name in Chinese with signs that XML and Mermaid keep for themselves around it, a loop.
const SMALL: &str = r#"[line.care]
numbers = ["5550100"]
start = "menu main"

[line.care.human]
to = "queue care"

[menu.main]
say = "welcome"
1 = "hours office"
2 = "play 余额"
3 = "queue care"
9 = "repeat"
star = "lookup account"

[hours.office]
zone = "Asia/Shanghai"
open = ["mon-fri 08:00-20:00", "sat,sun 09:00-17:00"]
then = "play 余额"
else = "play loop"

[play.余额]
say = "story"
finished = true

[play.loop]
say = "story"
then = "play loop-too"

[play.loop-too]
say = "story"
then = "play loop"

[lookup.account]
url = "http://192.0.2.9/x"
values = { x = "/x" }
on = "x"
case = { "<a> & \"b\"" = "play 余额" }
then = "menu main"

[queue.care]

[menu.forgotten]
say = "welcome"
1 = "play 余额"
"#;

fn quoted(text: &str) -> String {
    text.replace("[play.余额]", "[play.\"余额\"]")
}

#[test]
fn a_small_plan_is_written_as_it_was() {
    let prompts = plans::prompts();
    let text = quoted(SMALL);
    let (_, told) = load(&files(&text), &Facts::of(&prompts));
    let mut refused = BTreeMap::new();
    for error in told.iter().filter(|told| told.severity == Severity::Error) {
        *refused.entry(error.code.to_owned()).or_default() += 1;
    }
    let plan = plan(&text, &prompts);
    let picture = Picture::of(&plan, plan.line_for("5550100").unwrap(), &prompts, refused);
    for (form, ending) in [(Form::Svg, "svg"), (Form::Dot, "dot"), (Form::Mermaid, "mmd")] {
        let file = root().join("tests/pictures").join(format!("small.{ending}"));
        is_as_it_was(&file, &picture.write(form));
    }
}

#[test]
fn the_picture_of_the_sample_line_in_docs_is_up_to_date() {
    let done = onekey(&["graph", "care"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let svg = String::from_utf8(done.stdout).unwrap();
    assert!(svg.len() < 60_000, "too large for the repository: {}", svg.len());
    is_as_it_was(&root().join("docs/care.svg"), &svg);
}

fn is_as_it_was(file: &Path, written: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, written).unwrap();
        return;
    }
    let before = std::fs::read_to_string(file).unwrap_or_default();
    let differs = before.lines().zip(written.lines()).position(|(was, is)| was != is);
    assert!(
        before == written,
        "{} is out of date, first at line {:?}: look at it and write it anew by BLESS=1 cargo test --test picture",
        file.display(),
        differs.map(|nth| nth + 1)
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn onekey(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onekey")).current_dir(root()).args(arguments).output().unwrap()
}

fn error_of(arguments: &[&str]) -> String {
    let done = onekey(arguments);
    assert_eq!((done.status.code(), done.stdout.is_empty()), (Some(1), true), "{arguments:?}");
    String::from_utf8(done.stderr).unwrap()
}

#[test]
fn who_names_no_line_or_a_wrong_one_is_told_the_lines() {
    assert!(error_of(&["graph"]).contains("dialplans has several lines: care, care-mandarin. Name one"));
    assert!(error_of(&["graph", "dialplans"]).contains("several lines: care, care-mandarin"));
    let unknown = error_of(&["graph", "cares"]);
    assert!(
        unknown.contains("no folder and no line `cares`; the lines of dialplans are: care, care-mandarin"),
        "{unknown}"
    );
    assert!(error_of(&["graph", "no/such/folder", "--line", "care"]).contains("no/such/folder"));
    assert_eq!(onekey(&["graph", "care", "--format", "png"]).status.code(), Some(2));
    let mandarin = onekey(&["graph", "dialplans", "--line", "care-mandarin", "--format", "mermaid"]);
    assert!(String::from_utf8(mandarin.stdout).unwrap().starts_with("flowchart LR\n"));
}

#[test]
fn a_refused_plan_is_drawn_with_status_1_and_an_unreadable_one_is_told() {
    let folder = std::env::temp_dir().join(format!("onekey-picture-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let at = folder.to_str().unwrap();
    let unreadable = quoted(SMALL).replace("play loop-too", "play nowhere");
    std::fs::write(folder.join("plan.toml"), unreadable).unwrap();
    let told = error_of(&["graph", at]);
    assert!(told.contains("error[D010]") && told.contains("play nowhere"), "{told}");

    let broken = "[line.care]\nnumbers=[\"5550100\"]\nstart=\"menu main\"\n[line.care.human]\nto=\"queue care\"\n[queue.care]\n\
                  [menu.main]\nsay=[\"welcome\",\"main-menu\"]\n1=\"hangup bye\"\n[hangup.bye]\n";
    std::fs::write(folder.join("plan.toml"), broken).unwrap();
    let output = folder.join("plan.svg");
    let done = onekey(&["graph", at, "--output", output.to_str().unwrap()]);
    let told = String::from_utf8(done.stderr).unwrap();
    assert_eq!((done.status.code(), done.stdout.is_empty()), (Some(1), true), "{told}");
    assert!(told.contains("The dialplan is refused; the picture shows where."), "{told}");
    let svg = std::fs::read_to_string(&output).unwrap();
    assert!(svg.contains("Refused, 1 error: D032 (1)") && svg.matches(">D032<").count() == 1, "{svg}");
    std::fs::remove_dir_all(&folder).unwrap();
}
