//! What `onekey check` and `onekey explain` print: text from facts, for whoever holds the terminal.
//!
//! Prints nothing itself and reads no file: the command line gives the files and takes the text.

use super::codes;
use super::section::say_duration;
use super::spoken::walk;
use super::{Dialplan, Facts, Line, load};
use crate::diagnostic::{Diagnostic, Severity, draw, to_json};
use crate::step::Step;
use crate::target::StepKind;
use std::fmt::Write;

/// A checked folder, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// For the terminal, or JSON where that was asked for.
    pub text: String,
    /// No error; there may be warnings.
    pub good: bool,
}

/// How `onekey check` is to speak.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Plain,
    Colours,
    Json,
}

/// Checks a folder's files (path, text). `before` is what was found while their surroundings were loaded (prompts, by
/// [`prompt_trouble`](super::prompt_trouble)). The exit status is 0 where the report is good, else 1.
pub fn check(files: &[(String, String)], facts: &Facts<'_>, before: Vec<Diagnostic>, form: Form) -> Report {
    let mut told = before;
    let (dialplan, of_files) = load(files, facts);
    told.extend(of_files);
    let good = told.iter().all(|diagnostic| diagnostic.severity != Severity::Error);
    if form == Form::Json {
        return Report { text: to_json(&told, files) + "\n", good };
    }
    let mut text = draw(&told, files, form == Form::Colours);
    text.push_str(&sum(&told));
    if let Some(dialplan) = &dialplan {
        text.push_str(&describe(dialplan, facts));
    }
    Report { text, good }
}

/// One line that says how many errors and warnings there are.
fn sum(told: &[Diagnostic]) -> String {
    let errors = told.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let warnings = told.len() - errors;
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    match (errors, warnings) {
        (0, 0) => "The dialplan is well.\n".to_owned(),
        (0, _) => format!("The dialplan is well, with {}.\n", count(warnings, "warning")),
        _ => {
            let first = told.iter().find(|diagnostic| diagnostic.severity == Severity::Error);
            let code = first.map_or("D001", |diagnostic| diagnostic.code);
            let counts = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
            format!("The dialplan is refused: {counts}. More on one: onekey explain {code}\n")
        }
    }
}

/// What the lines and steps are, and how soon a caller who does nothing is told of a person and reaches one.
fn describe(dialplan: &Dialplan, facts: &Facts<'_>) -> String {
    let mut text = String::new();
    let counted = StepKind::ALL.iter().filter_map(|kind| {
        let count = dialplan.steps.keys().filter(|at| at.kind == *kind).count();
        (count > 0).then(|| format!("{kind} {count}"))
    });
    let counted: Vec<String> = counted.collect();
    let _ = writeln!(text, "Sections: line {}, {}.", dialplan.lines.len(), counted.join(", "));
    for line in dialplan.lines.values() {
        let _ = writeln!(text, "{}", describe_line(dialplan, line, facts));
    }
    text
}

fn describe_line(dialplan: &Dialplan, line: &Line, facts: &Facts<'_>) -> String {
    let step = |at: &_| -> Option<&Step> { dialplan.step(at) };
    let walked = walk(&step, &line.start, line.language.as_str(), facts.prompts);
    let seconds = |length: std::time::Duration| format!("{:.1} s", length.as_secs_f64());
    format!(
        "line {} ({}, {}): starts at {}; 0 reaches queue {}; a person is offered within {}; who does nothing is helped within {}.",
        line.name,
        line.numbers.join(" "),
        line.language,
        line.start,
        line.human.to,
        walked.told_after.map_or_else(|| say_duration(std::time::Duration::ZERO), seconds),
        seconds(walked.silent),
    )
}

/// What `onekey explain CODE` prints; `None` where there is no such code. `d12`, `12` and `D012` are the same.
pub fn explain(code: &str) -> Option<String> {
    let digits = code.trim().trim_start_matches(['d', 'D']);
    let number: u16 = digits.parse().ok()?;
    let code = codes::CODES.iter().find(|known| known.code == format!("D{number:03}"))?;
    let mut text = format!("{}: {}\n\n{}\n", code.code, code.title, code.means);
    let _ = write!(text, "\nWhat callers would meet: {}\n", code.callers);
    if !code.example.is_empty() {
        let _ = write!(text, "\nFor example, a file and what the checker says of it:\n\n");
    }
    for line in code.example.trim_end().lines() {
        let _ = writeln!(text, "{}", format!("    {line}").trim_end());
    }
    let _ = write!(text, "\nWhat to do: {}\n", code.repair);
    Some(text)
}

/// All codes with their titles, for `onekey explain` without a code.
pub fn list() -> String {
    codes::CODES.iter().fold(String::new(), |text, code| text + code.code + "  " + code.title + "\n")
}
