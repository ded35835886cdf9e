//! Onekey.
pub mod call;
pub mod caller;
pub mod callers;
pub mod codec;
pub mod diagnostic;
pub mod dialplan;
pub mod engine;
pub mod ids;
pub mod key;
pub mod media;
pub mod promise;
pub mod prompt;
pub mod queue;
pub mod sip;
pub mod step;
pub mod target;
pub mod time;
