//! The shell around the core (DESIGN §2): sockets, files, clock, database, configuration.

pub mod commands;
pub mod config;
pub mod ledger_file;
pub mod registry_import;
pub mod secrets;
pub mod store;
