//! `onekey prompts build`: the texts of `prompts/` spoken into WAV files by an installed speech program.

use super::{CommandError, Done};
use crate::server::config::Config;
use crate::server::prompts_build::{self, Wish};
use std::process::ExitCode;

/// Builds what has changed, or all with `force`.
///
/// # Errors
/// No speech program, a text that cannot be spoken, a file that cannot be written.
pub fn build(config: &Config, language: Option<String>, force: bool) -> Done {
    let built = prompts_build::build(&config.prompts, &Wish { language, force })
        .map_err(|error| CommandError::Said(error.to_string()))?;
    println!("{} made, {} unchanged", built.made, built.unchanged);
    for recording in &built.recordings {
        println!("left alone, because it was recorded and not built: {recording}");
    }
    Ok(ExitCode::SUCCESS)
}
