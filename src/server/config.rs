//! `onekey.toml`: the settings of one machine (DESIGN §12). Every key has a default and stands in `deploy/onekey.toml`.
//!
//! Reading never stops at the first mistake: all are told, each with its place. `reader` knows TOML, `value` the types.

mod parts;
mod reader;
mod value;

pub use parts::{
    Config, DatabasePart, HttpPart, LimitsPart, LogPart, MediaPart, Priority, RegistryPart, RtpPart, SipPart,
};

use crate::diagnostic::{Diagnostic, draw};
use reader::{Problems, Section};
use std::fmt;
use std::path::Path;
use toml::de::DeTable;

/// Read when there is no `--config`, if it exists.
pub const DEFAULT_FILE: &str = "onekey.toml";

/// What `onekey explain` says of this file's codes.
pub const CODES: [(&str, &str); 7] = [
    ("C001", "The file cannot be read, or is not TOML: a bracket, a quotation mark or an equals sign is missing."),
    ("C002", "There is no such section. The message names the nearest one; all stand in deploy/onekey.toml."),
    (
        "C003",
        "There is no such key in this section. The message names the nearest one; all stand in deploy/onekey.toml.",
    ),
    ("C004", "The value is of the wrong kind: text needs quotation marks, numbers have none, lists have brackets."),
    ("C005", "The value is of the right kind, but it is no address, duration, country or path, or out of range."),
    ("C006", "A key that this section cannot do without is missing."),
    ("C007", "Two settings contradict each other, such as a first port above the last."),
];

/// A configuration with mistakes. Displayed as one `file:line:column: …` line each.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Refused {
    pub file: String,
    pub text: String,
    pub diagnostics: Vec<Diagnostic>,
}

impl Refused {
    /// For a terminal, with the lines themselves and carets.
    pub fn drawn(&self, colours: bool) -> String {
        draw(&self.diagnostics, &[(self.file.clone(), self.text.clone())], colours)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            let end = if index + 1 < self.diagnostics.len() { "\n" } else { "" };
            write!(f, "{}{end}", one_line(diagnostic, &self.text))?;
        }
        Ok(())
    }
}

/// Reads `path`, or [`DEFAULT_FILE`] if it exists, or takes the defaults.
///
/// # Errors
/// All that is wrong with the file.
pub fn load(path: Option<&Path>) -> Result<Config, Refused> {
    let file = path.unwrap_or(Path::new(DEFAULT_FILE));
    if path.is_none() && !file.exists() {
        return Ok(Config::default());
    }
    let name = file.display().to_string();
    match std::fs::read_to_string(file) {
        Ok(text) => {
            // A byte order mark would move every place by three bytes.
            let text = text.trim_start_matches('\u{feff}').to_owned();
            parse(&name, &text).map_err(|diagnostics| Refused { file: name, text, diagnostics })
        }
        Err(error) => {
            let mut problems = Problems::new(&name);
            problems.tell("C001", None, format!("{name} cannot be read: {error}"), "");
            Err(Refused { file: name, text: String::new(), diagnostics: problems.list })
        }
    }
}

/// Reads the text of a file of this name.
///
/// # Errors
/// All that is wrong with it.
pub fn parse(file: &str, text: &str) -> Result<Config, Vec<Diagnostic>> {
    let (config, problems) = read(file, text);
    if problems.list.is_empty() { Ok(config) } else { Err(problems.list) }
}

fn read(file: &str, text: &str) -> (Config, Problems) {
    let mut problems = Problems::new(file);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        problems.tell("C001", error.span(), error.message().to_owned(), "from here on it is not TOML");
    }
    let mut config = Config::default();
    let mut root = Section::root(table.get_ref());
    parts::read_config(&mut root, &mut config, &mut problems);
    root.finish(&mut problems);
    problems.list.sort_by(|one, other| one.span.cmp(&other.span));
    (config, problems)
}

/// `file:line:column: error[C003]: message (help)`; lines and columns from 1, columns in characters.
pub fn one_line(diagnostic: &Diagnostic, text: &str) -> String {
    let place = diagnostic.span.as_ref().map_or(String::new(), |span| {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}: ", span.file)
    });
    let help = diagnostic.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
    format!("{place}error[{}]: {}{help}", diagnostic.code, diagnostic.message)
}

#[cfg(test)]
mod tests;
