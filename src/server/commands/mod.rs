//! What the command line does beside serving: each file one command, as functions with typed arguments.
//!
//! They work on the data directory of the configuration, whether or not a server runs on it.

pub mod agent;
pub mod calls;
pub mod demo;
pub mod dialplan;
pub mod graph;
pub mod promises;
pub mod prompts;
pub mod registry;
pub mod serve;
pub mod testing;
pub mod trying;

use super::config::Config;
use super::store::{Database, StoreError};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// A command that could not be done: the words for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secrets(#[from] super::secrets::SecretsError),
    #[error(transparent)]
    Ledger(#[from] super::ledger_file::LedgerFileError),
    #[error(transparent)]
    Import(#[from] super::registry_import::ImportError),
    #[error("{0}")]
    Said(String),
    /// What was asked for is not there: status 2.
    #[error("{0}")]
    WrongUse(String),
}

/// 0 well, 1 problems found.
pub type Done = Result<ExitCode, CommandError>;

/// 1: the command ran and found problems.
const PROBLEMS: ExitCode = ExitCode::FAILURE;

impl CommandError {
    /// 1 for what could not be done, 2 for what cannot be asked.
    pub fn status(&self) -> ExitCode {
        ExitCode::from(if matches!(self, CommandError::WrongUse(_)) { 2 } else { 1 })
    }
}

/// A running server may be writing: it is waited for.
fn open_database(config: &Config) -> Result<Database, CommandError> {
    Ok(Database::open(&config.database.path, Duration::from_secs(10))?)
}

/// For commands that only look: they never make a database, least of all in a wrong directory.
fn open_existing(config: &Config) -> Result<Database, CommandError> {
    expect_there(&config.database.path, "database")?;
    open_database(config)
}

/// A missing file is told apart from one that this user may not see.
fn expect_there(path: &Path, what: &str) -> Result<(), CommandError> {
    let shown = path.display();
    let said = match path.try_exists() {
        Ok(true) => return Ok(()),
        Ok(false) => {
            format!("there is no {what} {shown}: nothing was stored yet, or this is not the server's working directory")
        }
        Err(error) => format!("{shown}: {error}; the user who runs the server may read it"),
    };
    Err(CommandError::Said(said))
}

fn wall_now() -> crate::time::Wall {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    crate::time::Wall::from_micros(since.as_micros() as i64)
}

/// `2026-11-21 09:30:05 UTC`
fn readable_time(at: crate::time::Wall) -> String {
    let time = jiff::Timestamp::from_second(at.as_seconds()).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
