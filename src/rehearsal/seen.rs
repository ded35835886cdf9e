//! What a person who follows a call would see and hear of it, as facts: how they are put in words is `shown`'s.

use crate::call::event::LineDirection;
use crate::prompt::Prompt;
use crate::script::Act;
use crate::step::link::Walk;
use std::sync::Arc;

#[derive(Clone, PartialEq, Debug)]
pub enum Seen {
    /// What somebody chose to do.
    Did(Act),
    /// A line of the call's trace.
    Traced(LineDirection, String),
    /// These begin to sound in the caller's ear; music goes on until something else comes.
    Played {
        prompts: Vec<Arc<Prompt>>,
        is_music: bool,
    },
    /// What sounded was heard to its end.
    Heard,
    /// What sounded was cut short.
    Stopped,
    /// A look-up waits for its answer: time stands still until it has one.
    LooksUp(String),
    Walked(Walk),
    /// The call is over, and its record written.
    Ended,
}
