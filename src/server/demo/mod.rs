//! What `onekey demo` brings along: phones of its own that speak SIP and RTP over real sockets ([`caller`], [`agent`]),
//! a server's settings that touch nothing real ([`stage`]), and the words on the terminal ([`screen`]).
//!
//! The phones know nothing of the engine: what they report they have heard. The order of play is `commands::demo`'s.

pub mod agent;
pub mod caller;
pub mod screen;
pub mod stage;
mod stream;
mod voice;
mod wire;

use crate::engine::output::CallLine;
use std::time::Duration;

/// What the demo's main loop waits for.
#[derive(Debug)]
pub enum Happening {
    /// A line of any call's trace.
    Line(CallLine),
    /// The call of the caller with this number is over.
    CallOver(usize, caller::Outcome),
    Agent(agent::AgentSays),
}

/// A sound is loud enough to be heard from this root mean square on, of 16-bit samples: about -50 dBFS.
const AUDIBLE_RMS: f64 = 100.0;
/// Longest recording of what a phone hears, in samples: five minutes.
const HEARD_SAMPLES_MAX: usize = 5 * 60 * crate::codec::SAMPLE_RATE_HZ as usize;
/// How long people in the demo talk before the caller hangs up.
pub const TALK: Duration = Duration::from_secs(3);
