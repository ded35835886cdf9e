//! Dialplan text, as one file or several (a form feed parts them): read, checked, explained, and dialled.
//!
//! Every place that a message points at lies in its text. What is taken is taken again, in any order of files, with the
//! same remarks; and the promise holds in it: on each of its lines, a caller who presses 0 at once is in a queue at once.

use onekey::diagnostic::{Diagnostic, Severity, Span, draw, to_json};
use onekey::dialplan::{Dialplan, Facts, load};
use onekey::ids::AgentId;
use onekey::key::Key;
use onekey::rehearsal::{self, Stage};
use onekey::script::{Act, Line, Registry, Script, What};
use std::sync::Arc;
use std::time::Duration;

const FILES_MAX: usize = 4;
/// Lines that are dialled of one plan.
const DIALLED_MAX: usize = 3;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let parts = text.splitn(FILES_MAX, '\u{c}').enumerate();
    let files: Vec<(String, String)> = parts.map(|(index, text)| (format!("{index}.toml"), text.to_owned())).collect();
    let prompts = &super::stage().prompts;
    let agents = [None, Some([AgentId::new("1001")].into())][bytes.len() % 2].clone();
    let facts = Facts { agents, ..Facts::of(prompts) };
    let (plan, told) = load(&files, &facts);
    for diagnostic in &told {
        explained(diagnostic, &files);
    }
    let _ = (draw(&told, &files, false), to_json(&told, &files));
    assert_eq!(plan.is_none(), told.iter().any(|diagnostic| diagnostic.severity == Severity::Error));
    let (again, told_again) = load(&files, &facts);
    assert_eq!(told, told_again);
    let reversed: Vec<(String, String)> = files.iter().rev().cloned().collect();
    let (backwards, _) = load(&reversed, &facts);
    assert_eq!(plan.is_some(), backwards.is_some(), "the order of the files matters: {told:?}");
    if let (Some(plan), Some(again), Some(backwards)) = (plan, again, backwards) {
        assert_eq!((&plan.lines, &plan.steps), (&again.lines, &again.steps));
        assert_eq!((&plan.lines, &plan.steps), (&backwards.lines, &backwards.steps));
        leads_somewhere(&plan);
        keeps_the_promise(plan);
    }
}

fn explained(diagnostic: &Diagnostic, files: &[(String, String)]) {
    let places = diagnostic.span.iter().chain(diagnostic.related.iter().map(|(span, _)| span));
    for Span { file, start, end } in places {
        let (_, text) = files.iter().find(|(path, _)| path == file).expect("a place in one of the files");
        assert!(text.get(*start..*end).is_some(), "{start}..{end} is no place in {file}: {diagnostic:?}");
    }
    assert!(onekey::dialplan::report::explain(diagnostic.code).is_some(), "{} is not explained", diagnostic.code);
    assert!(!diagnostic.message.is_empty());
}

/// Every name in it leads to what it names.
fn leads_somewhere(plan: &Dialplan) {
    for (name, line) in &plan.lines {
        assert_eq!(name, &line.name);
        assert!(plan.step(&line.start).is_some(), "{name} starts nowhere");
        assert!(plan.queue(&line.human.to).is_some(), "{name} leads to nobody");
        for number in &line.numbers {
            assert_eq!(plan.line_for(number).map(|line| &line.name), Some(name), "{number}");
        }
    }
}

fn keeps_the_promise(plan: Dialplan) {
    let stage = Stage { dialplan: Arc::new(plan), prompts: Arc::clone(&super::stage().prompts) };
    for name in stage.dialplan.lines.keys().take(DIALLED_MAX) {
        let does = |seconds, act| Line { at: Duration::from_secs(seconds), what: What::Does(act), number: 0 };
        let script = Script {
            line: name.to_string(),
            caller: Some("+12025550123".into()),
            registry: Registry::Ordinary,
            agents: vec![AgentId::new("1001")],
            lines: vec![does(0, Act::Call), does(1, Act::Press(Key::HUMAN))],
            ..Script::default()
        };
        let outcome = rehearsal::run(&stage, &script).expect("a line of the plan can be dialled");
        let queued =
            outcome.wished.iter().any(|line| matches!(&line.what, What::Expects(text) if text.starts_with("queue ")));
        assert!(queued, "0 leads nowhere on {name}: {:?}", outcome.wished);
    }
}
