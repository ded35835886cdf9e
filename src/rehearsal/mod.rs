//! Runs a `.call` script against the real engine in virtual time: the whole control plane and SIP, with small phones
//! (`phones`) and a media plane that only keeps time (`sound`). Pure: the same script gives the same trace.
//!
//! Used by `onekey test`, by the scenario tests of the core, and wherever a call is to be replayed.

mod cast;
pub mod choices;
pub mod coverage;
mod difference;
pub mod live;
mod phones;
pub mod seen;
pub mod shown;
pub mod sip_text;
mod sound;
#[cfg(test)]
mod tests;
mod world;

pub use cast::config;

use crate::dialplan::Dialplan;
use crate::ids::AgentId;
use crate::prompt::PromptLibrary;
use crate::script::{Line, Script, What};
use crate::step::link::Walk;
use jiff::civil;
use std::sync::Arc;
use std::time::Duration;
use world::World;

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
    /// What the steps of the plan did, in order.
    pub walked: Vec<Walk>,
    /// Where it differs from the script, one text each; empty: as written.
    pub differences: Vec<String>,
}

/// Why a script cannot be run at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CannotRun(pub String);

/// Runs the script and compares.
pub fn run(stage: &Stage, script: &Script) -> Result<Outcome, CannotRun> {
    let last = script.lines.iter().map(|line| line.at).max().unwrap_or_default();
    let world = perform(stage, script, last + AFTERWARDS)?;
    Ok(outcome(script, world.wished, world.walked, world.complaints))
}

/// Runs the script no further than its last line, and compares: for one that shows only the beginning of a call.
pub fn run_to_its_end(stage: &Stage, script: &Script) -> Result<Outcome, CannotRun> {
    let last = script.lines.iter().map(|line| line.at).max().unwrap_or_default();
    let World { mut wished, walked, mut complaints, .. } = perform(stage, script, last + TOLERANCE)?;
    // That it would go on so is no difference: it is what such a script may have to show.
    complaints.retain(|complaint| !complaint.ends_with(world::GOES_ROUND));
    let expected = script.lines.iter().filter(|line| matches!(line.what, What::Expects(_))).count();
    // What comes in the same moment as the last line belongs to what follows.
    let optional = wished.iter().filter(|line| optional_word(line).is_some_and(|word| !mentions(script, word))).count();
    wished.truncate(expected + optional);
    Ok(outcome(script, wished, walked, complaints))
}

fn outcome(script: &Script, wished: Vec<Line>, walked: Vec<Walk>, complaints: Vec<String>) -> Outcome {
    let compared: Vec<&Line> =
        wished.iter().filter(|line| optional_word(line).is_none_or(|word| mentions(script, word))).collect();
    let differences = complaints.into_iter().chain(difference::first(script, &compared)).collect();
    Outcome { wished, walked, differences }
}

/// What the engine wishes until then, whatever the script expects of it.
pub fn watch(stage: &Stage, script: &Script, until: Duration) -> Result<Vec<Line>, CannotRun> {
    Ok(perform(stage, script, until)?.wished)
}

/// The script with its `<` lines as they really are.
pub fn bless(stage: &Stage, script: &Script) -> Result<Script, CannotRun> {
    let does = || script.lines.iter().filter(|line| matches!(line.what, What::Does(_)));
    let last = does().map(|line| line.at).max().unwrap_or_default();
    let wished = perform(stage, script, last + BLESSED)?.wished;
    let mut lines: Vec<Line> = does().cloned().chain(wished).collect();
    // What people do stands before what it led to.
    lines.sort_by_key(|line| (line.at, matches!(line.what, What::Expects(_))));
    Ok(Script { lines, ..script.clone() })
}

fn perform(stage: &Stage, script: &Script, until: Duration) -> Result<World, CannotRun> {
    let mut world = set_up(stage, script, &[])?;
    world.run(until);
    Ok(world)
}

/// Everything as it is before the call; `more` are agents who may come later without being in the script.
fn set_up(stage: &Stage, script: &Script, more: &[AgentId]) -> Result<World, CannotRun> {
    let line = stage.dialplan.lines.get(script.line.as_str());
    let line = line.ok_or_else(|| CannotRun(format!("line `{}` is not in the dialplan", script.line)))?;
    let dialled = line.numbers.first().cloned().unwrap_or_default();
    let wall = wall_of(script.at.as_deref())?;
    Ok(World::new(stage, script, more, &dialled, wall))
}

/// When a call is made of which nothing else is said: a plain Monday morning.
const MOMENT: &str = "2026-11-23 10:00 UTC";

/// The calendar time of `2026-11-23 10:00 Asia/Shanghai`; without a zone UTC, without anything [`MOMENT`].
fn wall_of(at: Option<&str>) -> Result<crate::time::Wall, CannotRun> {
    let text = at.unwrap_or(MOMENT);
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

fn optional_word(line: &Line) -> Option<&'static str> {
    let What::Expects(words) = &line.what else { return None };
    OPTIONAL_WORDS.into_iter().find(|word| words.split(' ').next() == Some(*word))
}

fn mentions(script: &Script, word: &str) -> bool {
    script.lines.iter().any(|line| optional_word(line) == Some(word))
}
