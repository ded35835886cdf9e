//! The shell around the core (DESIGN §2): sockets, files, clock, database, configuration.

pub mod hold_music;
pub mod ledger_file;
pub mod level;
pub mod prompts_build;
pub mod secrets;
pub mod speech;
pub mod store;
