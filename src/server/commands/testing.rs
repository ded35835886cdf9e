//! `onekey test`: the administrators' own calls, run on their dialplan in virtual time, and what none of them walks.

use super::{CommandError, Done, PROBLEMS};
use crate::rehearsal::coverage::{Coverage, LineCoverage, StepCoverage, WayCoverage};
use crate::server::config::Config;
use crate::server::files::{folder_of, why};
use crate::server::rehearse::{Verdict, call_files, run_file, stage};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// What is asked for on the command line.
#[derive(Clone, Copy, Default, Debug)]
pub struct Wish {
    /// The `<` lines are rewritten as they really are.
    pub bless: bool,
    pub coverage: bool,
    pub json: bool,
}

/// Runs a folder's `.call` files, or one of them, on the folder's dialplan; status 1 when any goes otherwise than written.
///
/// # Errors
/// The folder cannot be read, or its dialplan is refused.
pub fn run(config: &Config, folder: Option<&Path>, wish: &Wish) -> Done {
    let folder = folder.unwrap_or(&config.dialplans);
    if let Err(error) = folder.metadata() {
        return Err(CommandError::WrongUse(format!("{}: {}", folder.display(), why(&error))));
    }
    let is_one = folder.is_file();
    let home = if is_one { folder_of(folder) } else { folder };
    let stage = stage(home, &config.prompts, &config.registry.thresholds).map_err(CommandError::Said)?;
    let files = if is_one {
        vec![folder.to_owned()]
    } else {
        call_files(folder).map_err(|error| CommandError::Said(format!("{}: {error}", folder.display())))?
    };
    let verdicts: Vec<Verdict> = files.iter().map(|file| run_file(&stage, file, wish.bless)).collect();
    let failed = verdicts.iter().filter(|verdict| !verdict.is_well()).count();
    let coverage = wish.coverage.then(|| {
        let mut coverage = Coverage::of(&stage.dialplan);
        verdicts.iter().for_each(|verdict| coverage.add(&stage.dialplan, &verdict.line, &verdict.walked));
        coverage
    });
    if wish.json {
        println!("{}", in_json(&verdicts, coverage.as_ref()));
    } else {
        verdicts.iter().for_each(|verdict| print!("{}", verdict.text()));
        println!("{} calls, {failed} of them otherwise than written", verdicts.len());
        print!("{}", coverage.map(|coverage| coverage.text()).unwrap_or_default());
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { PROBLEMS })
}

/// A list of the calls; with coverage both, by name.
fn in_json(verdicts: &[Verdict], coverage: Option<&Coverage>) -> Value {
    let calls: Value = verdicts.iter().map(verdict_json).collect();
    let Some(coverage) = coverage else { return calls };
    let lines: serde_json::Map<String, Value> =
        coverage.lines.iter().map(|(name, line)| (name.to_string(), line_json(line))).collect();
    json!({ "calls": calls, "coverage": lines })
}

fn verdict_json(verdict: &Verdict) -> Value {
    json!({
        "file": verdict.file.display().to_string(),
        "as_written": verdict.is_well(),
        "differences": verdict.differences,
    })
}

fn line_json(line: &LineCoverage) -> Value {
    let ((met, steps), (walked, ways)) = (line.steps_met(), line.ways_walked());
    json!({
        "calls": line.calls,
        "steps": steps,
        "steps_met": met,
        "ways": ways,
        "ways_walked": walked,
        "by_step": line.steps.iter().map(step_json).collect::<Value>(),
    })
}

fn step_json(step: &StepCoverage) -> Value {
    let way = |way: &WayCoverage| json!({ "way": way.way.to_string(), "walked": way.walked });
    json!({ "step": step.at.to_string(), "met": step.met, "ways": step.ways.iter().map(way).collect::<Value>() })
}
