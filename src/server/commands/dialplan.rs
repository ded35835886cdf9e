//! `onekey check|test|explain`: what administrators ask of a dialplan's folder before callers meet it.

use super::{CommandError, Done, PROBLEMS};
use crate::dialplan::report::{self, Form};
use crate::dialplan::{Facts, prompt_trouble};
use crate::server::config::{self, Config};
use crate::server::files::read_dialplans;
use crate::server::prompt_files::load_prompts;
use crate::server::rehearse::{Verdict, call_files, run_file, stage};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

/// Checks a folder (the configured one where none is named); status 1 when it would be refused.
///
/// # Errors
/// The folder cannot be read.
pub fn check(config: &Config, folder: Option<&Path>, is_json: bool) -> Done {
    let folder = folder.unwrap_or(&config.dialplans);
    let (prompts, problems) = load_prompts(&config.prompts, &mut |_| {});
    let told =
        problems.iter().map(|problem| prompt_trouble(problem.severity, &problem.file, &problem.message)).collect();
    let files = read_dialplans(folder).map_err(CommandError::Said)?;
    let form = match (is_json, std::io::stdout().is_terminal()) {
        (true, _) => Form::Json,
        (false, true) => Form::Colours,
        (false, false) => Form::Plain,
    };
    let agents = super::serve::known_agents(config);
    let facts = Facts { prompts: &prompts, registry_thresholds: config.registry.thresholds.clone(), agents };
    let report = report::check(&files, &facts, told, form);
    print!("{}", report.text);
    Ok(if report.good { ExitCode::SUCCESS } else { PROBLEMS })
}

/// Runs a folder's `.call` files, or one of them, on the folder's dialplan; status 1 when any goes otherwise than written.
/// With `bless` their `<` lines are rewritten instead.
///
/// # Errors
/// The folder cannot be read, or its dialplan is refused.
pub fn test(config: &Config, folder: Option<&Path>, bless: bool, is_json: bool) -> Done {
    let folder = folder.unwrap_or(&config.dialplans);
    let is_one = folder.is_file();
    let home = if is_one { folder.parent().unwrap_or(folder) } else { folder };
    let home = if home.as_os_str().is_empty() { Path::new(".") } else { home };
    let stage = stage(home, &config.prompts, &config.registry.thresholds).map_err(CommandError::Said)?;
    let files = if is_one {
        vec![folder.to_owned()]
    } else {
        call_files(folder).map_err(|error| CommandError::Said(format!("{}: {error}", folder.display())))?
    };
    let verdicts: Vec<Verdict> = files.iter().map(|file| run_file(&stage, file, bless)).collect();
    let failed = verdicts.iter().filter(|verdict| !verdict.is_well()).count();
    if is_json {
        println!("{}", verdicts.iter().map(verdict_json).collect::<serde_json::Value>());
    } else {
        verdicts.iter().for_each(tell);
        println!("{} calls, {failed} of them otherwise than written", verdicts.len());
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { PROBLEMS })
}

fn tell(verdict: &Verdict) {
    println!("{}  {}", if verdict.is_well() { "ok    " } else { "FAILED" }, verdict.file.display());
    for line in verdict.differences.iter().flat_map(|difference| difference.lines()) {
        println!("        {line}");
    }
}

fn verdict_json(verdict: &Verdict) -> serde_json::Value {
    serde_json::json!({
        "file": verdict.file.display().to_string(),
        "as_written": verdict.is_well(),
        "differences": verdict.differences,
    })
}

/// Explains a code of the checker (`D012`) or of the settings (`C003`), or lists all of them.
///
/// # Errors
/// There is no such code.
pub fn explain(code: Option<&str>) -> Done {
    let settings = |wanted: &str| config::CODES.iter().find(|(code, _)| code.eq_ignore_ascii_case(wanted.trim()));
    match code {
        None => {
            print!("{}", report::list());
            config::CODES.iter().for_each(|(code, means)| println!("{code}  {means}"));
        }
        Some(wanted) => match (settings(wanted), report::explain(wanted)) {
            (Some((code, means)), _) => println!("{code}: {means}"),
            (None, Some(text)) => print!("{text}"),
            (None, None) => {
                return Err(CommandError::Said(format!("there is no code {wanted}; `onekey explain` lists them")));
            }
        },
    }
    Ok(ExitCode::SUCCESS)
}
