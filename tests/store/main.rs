//! What is on disk, against real files: the ledger's file, the database with its threads, the import, the commands.
//!
//! The pure parts (lines of the ledger, ages, values of the settings) are tested beside their code.

mod commands;
mod database;
mod ledger_file;
mod place;
mod registry;
mod start;
