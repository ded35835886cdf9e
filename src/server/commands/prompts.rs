//! `onekey prompts build`: the WAV files of `prompts/` from their texts.

use super::{CommandError, Done};
use crate::server::config::Config;
use crate::server::prompts_build::{self, Wish};
use std::process::ExitCode;

/// # Errors
/// A text cannot be read, the speech program is missing or fails, or a file cannot be written.
pub fn build(config: &Config, wish: &Wish) -> Done {
    let built = prompts_build::build(&config.prompts, wish).map_err(|error| CommandError::Said(error.to_string()))?;
    println!("{} prompts made, {} unchanged", built.made, built.unchanged);
    for recording in &built.recordings {
        println!("left alone, it is a recording: {recording}");
    }
    Ok(ExitCode::SUCCESS)
}
