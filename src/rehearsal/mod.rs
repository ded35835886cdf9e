//! Runs a `.call` script against the real engine in virtual time: the whole control plane and SIP, with small phones
//! (`phones`) and a media plane that only keeps time (`sound`). Pure: the same script gives the same trace.
//!
//! Used by `onekey test`, by the scenario tests of the core, and wherever a call is to be replayed.

mod phones;
pub mod sip_text;
mod sound;
#[cfg(test)]
mod tests;
mod world;

pub use world::config;

use crate::dialplan::Dialplan;
use crate::prompt::PromptLibrary;
use crate::script::{Line, Script, What, line_text};
use jiff::civil;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// After the last line of a script nothing more may happen for so long.
const AFTERWARDS: Duration = Duration::from_millis(900);
/// How long a script is run on when its `<` lines are to be written anew.
const BLESSED: Duration = Duration::from_secs(45);
/// A line may come this much earlier or later than written: times are written to a tenth of a second.
const TOLERANCE: Duration = Duration::from_millis(110);
/// Lines whose first word is one of these are compared only in scripts that use the word.
const OPTIONAL_WORDS: [&str; 1] = ["promise"];

/// What is rehearsed on.
#[derive(Clone, Debug)]
pub struct Stage {
    pub dialplan: Arc<Dialplan>,
    pub prompts: Arc<PromptLibrary>,
}

/// How a script went.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// All that the engine wished, with its times, in order.
    pub wished: Vec<Line>,
    /// Where it differs from the script, one sentence each; empty: as written.
    pub differences: Vec<String>,
}

/// Why a script cannot be run at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CannotRun(pub String);

/// Runs the script and compares.
pub fn run(stage: &Stage, script: &Script) -> Result<Outcome, CannotRun> {
    let last = script.lines.iter().map(|line| line.at).max().unwrap_or_default();
    let (wished, mut differences) = perform(stage, script, last + AFTERWARDS)?;
    differences.extend(compare(script, &wished));
    Ok(Outcome { wished, differences })
}

/// The script with its `<` lines as they really are.
pub fn bless(stage: &Stage, script: &Script) -> Result<Script, CannotRun> {
    let does = || script.lines.iter().filter(|line| matches!(line.what, What::Does(_)));
    let last = does().map(|line| line.at).max().unwrap_or_default();
    let (wished, _) = perform(stage, script, last + BLESSED)?;
    let mut lines: Vec<Line> = does().cloned().chain(wished).collect();
    // What people do stands before what it led to.
    lines.sort_by_key(|line| (line.at, matches!(line.what, What::Expects(_))));
    Ok(Script { lines, ..script.clone() })
}

fn perform(stage: &Stage, script: &Script, until: Duration) -> Result<(Vec<Line>, Vec<String>), CannotRun> {
    let line = stage.dialplan.lines.get(script.line.as_str());
    let line = line.ok_or_else(|| CannotRun(format!("line `{}` is not in the dialplan", script.line)))?;
    let dialled = line.numbers.first().cloned().unwrap_or_default();
    let wall = wall_of(script.at.as_deref())?;
    let mut world = world::World::new(stage, script, &dialled, wall);
    world.run(until);
    Ok((world.wished, world.complaints))
}

/// The calendar time of `2026-11-23 10:00 Asia/Shanghai`; without a zone UTC, without anything a plain Monday morning.
fn wall_of(at: Option<&str>) -> Result<crate::time::Wall, CannotRun> {
    let text = at.unwrap_or("2026-11-23 10:00");
    let wrong = |what: String| CannotRun(format!("at {text}: {what}; write `at 2026-11-23 10:00 Asia/Shanghai`"));
    let words: Vec<&str> = text.split_whitespace().collect();
    let (date, time, zone) = match words.as_slice() {
        [date, time] => (date, time, "UTC"),
        [date, time, zone] => (date, time, *zone),
        _ => return Err(wrong("a date, a time and a zone".into())),
    };
    let local: civil::DateTime =
        format!("{date}T{time}").parse().map_err(|error: jiff::Error| wrong(error.to_string()))?;
    let zoned = local.in_tz(zone).map_err(|error| wrong(error.to_string()))?;
    Ok(crate::time::Wall::from_micros(zoned.timestamp().as_microsecond()))
}

/// Expected and real lines side by side; the first difference is told, since all later ones follow from it.
fn compare(script: &Script, wished: &[Line]) -> Vec<String> {
    let expected: Vec<&Line> = script.lines.iter().filter(|line| matches!(line.what, What::Expects(_))).collect();
    let real: Vec<&Line> =
        wished.iter().filter(|line| optional_word(line).is_none_or(|word| mentions(script, word))).collect();
    for index in 0..expected.len().max(real.len()) {
        let (want, got) = (expected.get(index), real.get(index));
        let same = match (want, got) {
            (Some(want), Some(got)) => want.what == got.what && want.at.abs_diff(got.at) <= TOLERANCE,
            _ => false,
        };
        if !same {
            return vec![difference(want.copied(), got.copied(), &real[index.saturating_sub(2)..index])];
        }
    }
    Vec::new()
}

fn difference(want: Option<&Line>, got: Option<&Line>, before: &[&Line]) -> String {
    let mut text = String::new();
    match want {
        Some(want) => {
            let _ = writeln!(text, "line {}:", want.number);
        }
        None => text.push_str("after the last expected line:\n"),
    }
    for line in before {
        let _ = writeln!(text, "      {}", line_text(line));
    }
    let nothing = || "     (nothing more)".to_owned();
    let _ = writeln!(text, "  want{}", want.map_or_else(nothing, |line| format!("  {}", line_text(line))));
    let _ = write!(text, "  got {}", got.map_or_else(nothing, |line| format!("  {}", line_text(line))));
    text
}

fn optional_word(line: &Line) -> Option<&'static str> {
    let What::Expects(words) = &line.what else { return None };
    OPTIONAL_WORDS.into_iter().find(|word| words.split(' ').next() == Some(*word))
}

fn mentions(script: &Script, word: &str) -> bool {
    script.lines.iter().any(|line| optional_word(line) == Some(word))
}
