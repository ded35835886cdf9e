//! `onekey check|test|explain`: what administrators ask of a dialplan's folder before callers meet it.

use super::{CommandError, Done, PROBLEMS};
use crate::dialplan::Facts;
use crate::dialplan::report::{self, Form};
use crate::server::config::{self, Config};
use crate::server::files::read_dialplans;
use crate::server::prompt_files::load_prompts;
use crate::server::rehearse::{call_files, run_file, stage};
use crate::server::store::Database;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Checks a folder (the configured one where none is named); status 1 when it would be refused.
///
/// # Errors
/// The folder cannot be read.
pub fn check(config: &Config, folder: Option<&Path>, is_json: bool) -> Done {
    let folder = folder.unwrap_or(&config.dialplans);
    let (prompts, problems) = load_prompts(&config.prompts, &mut |_| {});
    for problem in &problems {
        eprintln!("{problem}");
    }
    let files = read_dialplans(folder).map_err(CommandError::Said)?;
    let form = match (is_json, std::io::stdout().is_terminal()) {
        (true, _) => Form::Json,
        (false, true) => Form::Colours,
        (false, false) => Form::Plain,
    };
    // Agents are known where a server has made a database; elsewhere nothing is said of them.
    let database = Database::open_reader(&config.database.path, Duration::from_millis(500));
    let agents = database.and_then(|database| database.agents()).ok();
    let agents = agents.map(|agents| agents.into_iter().map(|(account, _)| account.agent).collect());
    let facts = Facts { prompts: &prompts, registry_thresholds: config.registry.thresholds.clone(), agents };
    let report = report::check(&files, &facts, form);
    print!("{}", report.text);
    Ok(if report.good { ExitCode::SUCCESS } else { PROBLEMS })
}

/// Runs a folder's `.call` files on its dialplan; status 1 when any goes otherwise than written. `BLESS=1` rewrites
/// their `<` lines instead.
///
/// # Errors
/// The folder cannot be read, or its dialplan is refused.
pub fn test(config: &Config, folder: Option<&Path>) -> Done {
    let folder = folder.unwrap_or(&config.dialplans);
    let stage = stage(folder, &config.prompts).map_err(CommandError::Said)?;
    let files = call_files(folder).map_err(|error| CommandError::Said(format!("{}: {error}", folder.display())))?;
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let mut failed = 0;
    for file in &files {
        let verdict = run_file(&stage, file, bless);
        let is_well = verdict.differences.is_empty();
        failed += usize::from(!is_well);
        println!("{}  {}", if is_well { "ok    " } else { "FAILED" }, verdict.file.display());
        for difference in &verdict.differences {
            println!("        {difference}");
        }
    }
    println!("{} calls, {failed} of them otherwise than written", files.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { PROBLEMS })
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
