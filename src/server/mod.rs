//! The shell around the core: sockets, files, clock, database, HTTP. Only here may the world be asked anything.

pub mod hold_music;
pub mod level;
pub mod prompts_build;
pub mod speech;
