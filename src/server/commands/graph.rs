//! `onekey graph`: a line of a dialplan's folder as a picture.

use super::{CommandError, Done, PROBLEMS};
use crate::diagnostic::{Diagnostic, Severity, draw};
use crate::dialplan::{Dialplan, Facts, Line, load, load_unproved};
use crate::picture::{Form, Picture};
use crate::server::config::Config;
use crate::server::files::read_dialplans;
use crate::server::prompt_files::load_prompts;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is to be drawn, and how.
#[derive(Clone, Debug)]
pub struct Wish {
    /// A folder, or the name of a line of the configured one.
    pub of: Option<PathBuf>,
    /// The line; needed where the folder has several.
    pub line: Option<String>,
    pub form: Form,
    /// The standard output where there is none.
    pub output: Option<PathBuf>,
}

/// Draws a line. A dialplan that is refused is drawn all the same, with the broken places marked, and the status is 1; one that
/// cannot be read is told as by `onekey check`.
///
/// # Errors
/// The folder cannot be read, there is no such line, or the picture cannot be written.
pub fn graph(config: &Config, wish: &Wish) -> Done {
    let (folder, line) = place(&config.dialplans, wish);
    let (prompts, _) = load_prompts(&config.prompts, &mut |_| {});
    let files = read_dialplans(&folder).map_err(|error| unreadable(&folder, wish, error))?;
    let facts = config.facts(&prompts, super::serve::known_agents(config));
    let (plan, told) = match whole(&files, &facts) {
        Ok(read) => read,
        Err(told) => {
            eprint!("{}", draw(&told, &files, std::io::stderr().is_terminal()));
            return Ok(PROBLEMS);
        }
    };
    let line = the_line(&plan, line.as_deref(), &folder)?;
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for error in told.iter().filter(|told| told.severity == Severity::Error) {
        *refused.entry(error.code.to_owned()).or_default() += 1;
    }
    let picture = Picture::of(&plan, line, &prompts, refused);
    put(&picture.write(wish.form), wish.output.as_deref())?;
    if picture.refused.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("The dialplan is refused; the picture shows where. `onekey check {}` says more.", folder.display());
    Ok(PROBLEMS)
}

/// `onekey graph care` names a line, `onekey graph dialplans` a folder: what is there as a folder is one.
fn place(configured: &Path, wish: &Wish) -> (PathBuf, Option<String>) {
    match &wish.of {
        None => (configured.to_owned(), wish.line.clone()),
        Some(of) if of.is_dir() || wish.line.is_some() => (of.clone(), wish.line.clone()),
        Some(of) => match of.to_str().filter(|name| !name.contains(std::path::is_separator)) {
            Some(name) => (configured.to_owned(), Some(name.to_owned())),
            None => (of.clone(), None),
        },
    }
}

fn unreadable(folder: &Path, wish: &Wish, error: String) -> CommandError {
    let is_asked = wish.of.as_deref() == Some(folder);
    let more = if is_asked { "" } else { " (the configured folder; name another: `onekey graph FOLDER --line NAME`)" };
    CommandError::Said(format!("{error}{more}"))
}

/// The plan with what was told of it; also one that is refused, if every name in it leads somewhere.
fn whole(files: &[(String, String)], facts: &Facts<'_>) -> Result<(Dialplan, Vec<Diagnostic>), Vec<Diagnostic>> {
    match load(files, facts) {
        (Some(plan), told) => Ok((plan, told)),
        (None, told) => match load_unproved(files, facts) {
            Ok(plan) => Ok((plan, told)),
            Err(_) => Err(told),
        },
    }
}

fn the_line<'p>(plan: &'p Dialplan, name: Option<&str>, folder: &Path) -> Result<&'p Line, CommandError> {
    let names = plan.lines.keys().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let found = match name {
        Some(name) => plan.lines.values().find(|line| line.name.as_str() == name),
        None if plan.lines.len() == 1 => plan.lines.values().next(),
        None => None,
    };
    found.ok_or_else(|| {
        CommandError::Said(match name {
            Some(name) => {
                format!("there is no folder and no line `{name}`; the lines of {} are: {names}", folder.display())
            }
            None => format!(
                "{} has several lines: {names}. Name one: `onekey graph NAME` or `--line NAME`",
                folder.display()
            ),
        })
    })
}

fn put(text: &str, output: Option<&Path>) -> Result<(), CommandError> {
    let (done, place) = match output {
        Some(path) => (std::fs::write(path, text), path.display().to_string()),
        None => (std::io::stdout().lock().write_all(text.as_bytes()), "the standard output".to_owned()),
    };
    done.map_err(|error| CommandError::Said(format!("{place}: {error}")))
}
