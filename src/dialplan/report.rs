//! What `onekey check` and `onekey explain` print: text from facts, for whoever holds the terminal.
//!
//! Prints nothing itself and reads no file: the command line gives the files and takes the text.

use super::codes;
use super::{Dialplan, Facts, Line, load};
use crate::diagnostic::{Diagnostic, Severity, draw, to_json};
use crate::target::StepKind;
use std::fmt::Write;
use std::time::Duration;

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

/// Checks dialplans, each the files of one folder (path, text). `before` is what was found while their surroundings were
/// loaded (prompts, by [`prompt_trouble`](super::prompt_trouble)). The exit status is 0 where the report is good, else 1.
pub fn check(plans: &[Vec<(String, String)>], facts: &Facts<'_>, before: Vec<Diagnostic>, form: Form) -> Report {
    let mut told = before;
    let mut loaded = Vec::new();
    for files in plans {
        let (dialplan, of_files) = load(files, facts);
        told.extend(of_files);
        loaded.extend(dialplan);
    }
    let files = plans.concat();
    let good = told.iter().all(|diagnostic| diagnostic.severity != Severity::Error);
    if form == Form::Json {
        return Report { text: to_json(&told, &files) + "\n", good };
    }
    let mut text = draw(&told, &files, form == Form::Colours);
    text.push_str(&sum(&told, plans.len()));
    loaded.iter().for_each(|dialplan| text.push_str(&describe(dialplan)));
    Report { text, good }
}

/// One line that says how many errors and warnings there are.
fn sum(told: &[Diagnostic], plans: usize) -> String {
    let errors = told.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let warnings = told.len() - errors;
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let who = if plans == 1 { "The dialplan is".to_owned() } else { format!("The {plans} dialplans are") };
    match (errors, warnings) {
        (0, 0) => format!("{who} well.\n"),
        (0, _) => format!("{who} well, with {}.\n", count(warnings, "warning")),
        _ => {
            let first = told.iter().find(|diagnostic| diagnostic.severity == Severity::Error);
            let code = first.map_or("D001", |diagnostic| diagnostic.code);
            let counts = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
            let who = if plans == 1 { "The dialplan is refused" } else { "There are problems" };
            format!("{who}: {counts}. More on a code: onekey explain {code}\n")
        }
    }
}

/// What the lines and steps are, and how soon a caller who does nothing is told of a person and reaches one.
fn describe(dialplan: &Dialplan) -> String {
    let mut text = String::new();
    let counted = StepKind::ALL.iter().filter_map(|kind| {
        let count = dialplan.steps.keys().filter(|at| at.kind == *kind).count();
        (count > 0).then(|| format!("{kind} {count}"))
    });
    let counted: Vec<String> = counted.collect();
    let _ = writeln!(text, "Sections: line {}, {}.", dialplan.lines.len(), counted.join(", "));
    for line in dialplan.lines.values() {
        text.push_str(&describe_line(dialplan, line));
    }
    text
}

fn describe_line(dialplan: &Dialplan, line: &Line) -> String {
    let seconds = |length: Duration| format!("{:.1} s", length.as_secs_f64());
    let mut text = format!(
        "line {} ({}, {}): starts at {}; 0 reaches queue {}\n",
        line.name,
        line.numbers.join(" "),
        line.language,
        line.start,
        line.human.to,
    );
    let Some(bounds) = dialplan.bounds.get(&line.name) else { return text };
    let keys = match bounds.keys_without_hold_max {
        1 => "1".to_owned(),
        most => format!("{} (held), {most} where a phone cannot tell a held key", bounds.keys_to_person_max),
    };
    let options = bounds.most_options.as_ref().map_or("none".to_owned(), |(menu, count)| format!("{count} ({menu})"));
    let rows = [
        ("states, moves proved", format!("{}, {}", bounds.states, bounds.moves)),
        ("most keys to a person", keys),
        (
            "a person is offered within",
            format!("{} (at most {})", seconds(bounds.told_after), seconds(line.announce_within)),
        ),
        (
            "who does nothing is helped within",
            format!("{} (at most {})", seconds(bounds.silent_longest), seconds(line.help_within)),
        ),
        ("deepest menu", bounds.deepest_menu().to_string()),
        ("most options", options),
    ];
    for (what, figure) in rows {
        let _ = writeln!(text, "  {what:<34} {figure}");
    }
    for judged in dialplan.judged.get(&line.name).into_iter().flatten() {
        let _ = writeln!(text, "  {judged}");
    }
    text
}

/// What `onekey explain CODE` prints; `None` where there is no such code. `d12`, `12` and `D012` are the same.
pub fn explain(code: &str) -> Option<String> {
    let digits = code.trim().trim_start_matches(['d', 'D']);
    let number: u16 = digits.parse().ok()?;
    let code = codes::all().into_iter().find(|known| known.code == format!("D{number:03}"))?;
    let example = code.shown();
    let mut text = format!("{}: {}\n\n{}\n", code.code, code.title, code.means);
    let _ = write!(text, "\nWhat callers would meet: {}\n", code.callers);
    let _ = write!(text, "\nFor example, a file and what the checker says of it:\n\n");
    text.push_str(&indented(&format!("{}{}\n{}", example.input, codes::DASHES, example.drawing)));
    let _ = write!(text, "\nWhat to do: {}\n", code.repair);
    let _ = write!(text, "\nThe same, repaired (lines with - go, lines with + come):\n\n{}", indented(&code.changes()));
    Some(text)
}

fn indented(text: &str) -> String {
    let line = |line: &str| format!("{}\n", format!("    {line}").trim_end());
    text.trim_end().lines().map(line).collect()
}

/// The page of all codes, in Markdown: `docs/diagnostics.md`.
pub fn page() -> String {
    let mut text = "# What the checker says\n\n\
        Every message of `onekey check` has a code that never changes its meaning. `onekey explain D010` prints what stands here.\n\
        An example may leave out what is the same in all of them: where it begins with `# beside:`, line `care` (5550100) starts\n\
        at `menu main`, and its key 0 leads to `queue care`. This page is made from the same table; do not edit it.\n\n"
        .to_owned();
    for code in codes::all() {
        let _ = writeln!(text, "* [{}](#{}) {}", code.code, code.code.to_lowercase(), code.title);
    }
    for code in codes::all() {
        let example = code.shown();
        let _ = write!(text, "\n## {}\n\n**{}.** {}\n\n", code.code, code.title, code.means);
        let _ = write!(text, "What callers would meet: {}\n\n", code.callers);
        let _ = write!(text, "```toml\n{}\n```\n\n", example.input.trim_end());
        let _ = write!(text, "```text\n{}\n```\n\n", without_ends(example.drawing));
        let _ = write!(text, "What to do: {}\n\n```diff\n{}```\n", code.repair, code.changes());
    }
    text
}

/// Without spaces at the ends of lines.
fn without_ends(text: &str) -> String {
    text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// All codes with their titles, for `onekey explain` without a code.
pub fn list() -> String {
    codes::all().iter().fold(String::new(), |text, code| text + code.code + "  " + code.title + "\n")
}
