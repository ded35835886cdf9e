//! `onekey check`, `onekey explain` and `onekey test`: what an administrator asks before callers meet a dialplan.

use super::{CommandError, Done, PROBLEMS};
use crate::dialplan::report::{Form, check, explain, list};
use crate::dialplan::{Facts, prompt_trouble};
use crate::server::config::Config;
use crate::server::files::{load_prompts, read_dialplans};
use crate::server::rehearse::{Verdict, call_files, run_file, stage};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Checks a folder as a starting or reloading server would; 1 where it would be refused.
///
/// # Errors
/// The folder cannot be read.
pub fn folder(config: &Config, folder: Option<PathBuf>, json: bool) -> Done {
    let folder = folder.unwrap_or_else(|| config.dialplans.clone());
    let files = read_dialplans(&folder).map_err(CommandError::Said)?;
    let (prompts, problems) = load_prompts(&config.prompts, &mut |_| {});
    let before = problems
        .iter()
        .map(|problem| prompt_trouble(problem.severity, &problem.file, &problem.message))
        .collect();
    let facts = Facts {
        prompts: &prompts,
        registry_thresholds: config.registry.thresholds.clone(),
        agents: super::serve::known_agents(config),
    };
    let form = match (json, std::io::stdout().is_terminal()) {
        (true, _) => Form::Json,
        (false, true) => Form::Colours,
        (false, false) => Form::Plain,
    };
    let report = check(&files, &facts, before, form);
    print!("{}", report.text);
    Ok(if report.good { ExitCode::SUCCESS } else { PROBLEMS })
}

/// Explains one code, or lists them all.
///
/// # Errors
/// There is no such code.
pub fn explain_code(code: Option<&str>) -> Done {
    let Some(code) = code else {
        print!("{}", list());
        return Ok(ExitCode::SUCCESS);
    };
    let text = explain(code).ok_or_else(|| {
        CommandError::Said(format!("there is no code {code}: `onekey explain` lists those there are"))
    })?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

/// Runs the `.call` files of a folder on the dialplan of the same folder; 1 where one goes otherwise than written.
///
/// # Errors
/// The folder cannot be read, or its dialplan has errors.
pub fn rehearse(config: &Config, folder: Option<PathBuf>, bless: bool, json: bool) -> Done {
    let folder = folder.unwrap_or_else(|| config.dialplans.clone());
    let stage = stage(&folder, &config.prompts, &config.registry.thresholds).map_err(CommandError::Said)?;
    let cannot_read = |error| CommandError::Said(format!("{}: {error}", folder.display()));
    let verdicts: Vec<Verdict> =
        call_files(&folder).map_err(cannot_read)?.iter().map(|file| run_file(&stage, file, bless)).collect();
    let failed = verdicts.iter().filter(|verdict| !verdict.differences.is_empty()).count();
    if json {
        println!("{}", verdicts_json(&verdicts));
    } else {
        verdicts.iter().for_each(tell);
        println!("{} calls, {failed} not as written", verdicts.len());
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { PROBLEMS })
}

fn tell(verdict: &Verdict) {
    let name = verdict.file.file_name().unwrap_or_default().to_string_lossy();
    if verdict.differences.is_empty() {
        println!("  well   {name}");
        return;
    }
    println!("  WRONG  {name}");
    for difference in &verdict.differences {
        for line in difference.lines() {
            println!("         {line}");
        }
    }
}

fn verdicts_json(verdicts: &[Verdict]) -> serde_json::Value {
    let one = |verdict: &Verdict| {
        serde_json::json!({
            "file": display(&verdict.file),
            "as_written": verdict.differences.is_empty(),
            "differences": verdict.differences,
        })
    };
    verdicts.iter().map(one).collect()
}

fn display(path: &Path) -> String {
    path.display().to_string()
}
