//! `onekey check|explain|schema`: what administrators ask of a dialplan's folder before callers meet it.

use super::{CommandError, Done, PROBLEMS};
use crate::dialplan::report::{self, Form};
use crate::dialplan::schema as dialplan_schema;
use crate::dialplan::{Facts, profiles, prompt_trouble};
use crate::server::config::{self, Config};
use crate::server::files::{folder_of, read_dialplans, why};
use crate::server::prompt_files::load_prompts;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// Checks the dialplans of these folders (the configured one where none is named), and tells all their problems together.
/// A file stands for the folder that it is in: a dialplan is checked as a whole. Every line is judged by
/// `judge_by` besides its own profiles. Status 1 when any would be refused.
///
/// # Errors
/// One of them is not there, is no dialplan, or cannot be read; or there is no such profile.
pub fn check(config: &Config, paths: &[PathBuf], judge_by: Vec<String>, is_json: bool) -> Done {
    if let Some(unknown) = judge_by.iter().find(|name| !profiles::is_known(name)) {
        return Err(no_profile(unknown));
    }
    let folders = if paths.is_empty() { vec![config.dialplans.clone()] } else { folders(paths)? };
    let (prompts, problems) = load_prompts(&config.prompts, &mut |_| {});
    let told =
        problems.iter().map(|problem| prompt_trouble(problem.severity, &problem.file, &problem.message)).collect();
    let plans: Vec<_> =
        folders.iter().map(|folder| read_dialplans(folder)).collect::<Result<_, _>>().map_err(CommandError::Said)?;
    let form = match (is_json, std::io::stdout().is_terminal()) {
        (true, _) => Form::Json,
        (false, true) => Form::Colours,
        (false, false) => Form::Plain,
    };
    let agents = super::serve::known_agents(config);
    let facts = Facts { profiles: judge_by, ..config.facts(&prompts, agents) };
    let report = report::check(&plans, &facts, told, form);
    print!("{}", report.text);
    Ok(if report.good { ExitCode::SUCCESS } else { PROBLEMS })
}

/// The folders that are named, each once, in their order.
fn folders(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let (mut folders, mut known) = (Vec::new(), BTreeSet::new());
    for path in paths {
        let wrong = |what: &str| CommandError::WrongUse(format!("{}: {what}", path.display()));
        let folder = match path.metadata() {
            Err(error) => return Err(wrong(&why(&error))),
            Ok(facts) if facts.is_dir() => path.clone(),
            Ok(_) if path.extension().is_some_and(|end| end == "toml") => folder_of(path).to_owned(),
            Ok(_) => return Err(wrong("neither a folder nor a .toml file of a dialplan")),
        };
        let place = folder.canonicalize().map_err(|error| wrong(&why(&error)))?;
        if known.insert(place) {
            folders.push(folder);
        }
    }
    Ok(folders)
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

/// Prints the JSON Schema of a dialplan's file.
///
/// # Errors
/// None.
pub fn schema() -> Done {
    print!("{}", dialplan_schema::text());
    Ok(ExitCode::SUCCESS)
}

/// Lists the profiles, or the rules of one.
///
/// # Errors
/// There is no such profile.
pub fn profiles(name: Option<&str>) -> Done {
    let text = match name {
        None => profiles::list(),
        Some(name) => profiles::one(name).ok_or_else(|| no_profile(name))?,
    };
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

fn no_profile(name: &str) -> CommandError {
    CommandError::Said(format!("there is no profile `{name}`; {}", profiles::meant(name)))
}
