//! `onekey bench`: what this machine can carry, and what Onekey makes of it.
//!
//! `limit` is the machine alone: bare loops that send and forward the same packets. All others measure the real server in a
//! process of its own under a load generator of ours, and tell what it costs also as a ratio to the limit, taken in the same
//! run: machines differ, and one machine differs from hour to hour; the ratio hardly does.
//!
//! ```text
//! subject   the server, in a process and a folder of its own       crowd    callers and agents, on few sockets
//! limit     the bare loops                                          talking  those of them who send
//! cost      processor, memory and switches of a process             hearing  what they hear, and how late
//! measures  one function for each bench with a server               wire     many datagrams in one system call
//! checking  a dialplan read and proved                              people   the registry of callers
//! figures   what was found: a table, or JSON                        words    SIP as text        spread  quantiles
//! scratch   a folder for what is measured                           plot     figures at several sizes, drawn
//! ```

mod checking;
mod cost;
mod crowd;
mod figures;
mod hearing;
mod limit;
mod measures;
mod people;
mod plot;
mod scratch;
mod spread;
mod subject;
mod talking;
mod wire;
mod words;

pub use measures::What;

use crate::server::commands::{CommandError, Done};
use crate::server::config::Config;
use figures::Figures;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How it is measured and told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    pub seconds: u64,
    pub is_json: bool,
    /// Measure at several sizes and draw the figures into this file.
    pub plot: Option<PathBuf>,
}

/// Measures, and prints the figures.
///
/// # Errors
/// What could not be measured, and why.
pub fn run(config: &Config, what: What, wish: &Wish) -> Done {
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
    bar.enable_steady_tick(Duration::from_millis(250));
    let sizes = if wish.plot.is_some() { plot::EIGHTHS.as_slice() } else { &[8] };
    let mut found: Vec<Figures> = Vec::new();
    for size in sizes {
        let what = what.of_size(*size, 8);
        let time = Duration::from_secs(wish.seconds);
        let figures = measures::measure(config, what, time, &mut |doing| bar.set_message(doing.to_owned()));
        let figures = figures.map_err(|error| CommandError::Said(error.to_string()))?;
        // Each at once: a long series that breaks off has not been for nothing.
        bar.suspend(|| if wish.is_json { println!("{}", figures.to_json()) } else { print!("{}", figures.to_table()) });
        found.push(figures);
    }
    bar.finish_and_clear();
    if let Some(path) = &wish.plot {
        let drawn = plot::svg(&found).map_err(|error| CommandError::Said(error.to_string()))?;
        std::fs::write(path, drawn).map_err(|error| CommandError::Said(format!("{}: {error}", path.display())))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A measurement that could not be made: the words for the terminal.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BenchError(pub String);

impl From<std::io::Error> for BenchError {
    fn from(error: std::io::Error) -> BenchError {
        BenchError(error.to_string())
    }
}

impl From<nix::errno::Errno> for BenchError {
    fn from(error: nix::errno::Errno) -> BenchError {
        BenchError(error.to_string())
    }
}
