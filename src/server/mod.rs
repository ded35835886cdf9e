//! The shell around the core (DESIGN §2): sockets, files, clock, database, configuration.

// commands

pub mod ledger_file;

pub mod secrets;
pub mod store;
