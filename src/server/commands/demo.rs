//! `onekey demo`: a server, an agent and three callers in one terminal, all over real sockets on this machine; afterwards
//! the server goes on for whoever has a softphone. All that happens is `server::demo`'s; here the server is started.

use super::serve::{known_agents, load, prepare};
use super::{CommandError, Done, PROBLEMS};
use crate::server::config::Config;
use crate::server::demo::play::Play;
use crate::server::demo::screen::Screen;
use crate::server::demo::stage::Stage;
use crate::server::pages::Pages;
use crate::server::start;
use std::process::ExitCode;

/// The number of the sample dialplan; another dialplan's first number is called where there is none such.
const SAMPLE_NUMBER: &str = "5550100";

/// Plays the three calls and then serves until a signal; with `is_once` it ends after the calls. Status 1 when any of the
/// three did not reach a person.
///
/// # Errors
/// The server or the phones cannot be started, or the server fails.
pub fn run(real: &Config, pages: Pages, is_once: bool) -> Done {
    let screen = Screen::on_output();
    let stage = Stage::set(real)?;
    let loaded = load(&stage.config, known_agents(&stage.config)).map_err(CommandError::Said)?;
    let numbers = &loaded.dialplan.numbers;
    let number = numbers.get_key_value(SAMPLE_NUMBER).or_else(|| numbers.first_key_value());
    let (dialled, line) = number.map(|(number, line)| (number.clone(), line.clone())).ok_or_else(|| {
        CommandError::Said("the dialplan has no line with a number: there is nothing to call".to_owned())
    })?;
    screen.opening(&dialled, line.as_str());
    let (config, parts) = prepare(&stage.config, loaded, pages)?;
    let running = start(config, parts).map_err(|error| CommandError::Said(error.to_string()))?;
    let is_well = Play::prepare(screen, stage, running, dialled)?.run(is_once)?;
    Ok(if is_well { ExitCode::SUCCESS } else { PROBLEMS })
}
