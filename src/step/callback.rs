//! `[callback.NAME]`: a call-back is promised to the number that the caller calls from, and written down before the call
//! ends. A caller whose number is withheld leaves a message instead: nobody is left with a promise that cannot be kept.
//!
//! Phases: 0 speaking, 1 writing, 2 "you will be called back", 3 inviting a message, 4 recording it.

use super::{Edge, Event, StepState, engine_words, words};
use crate::ids::{PromptId, StepName};
use crate::prompt::spoken;
use crate::target::Target;
use std::time::Duration;

const SPEAKING: u8 = 0;
const WRITING: u8 = 1;
const DONE: u8 = 2;
const INVITING: u8 = 3;
const RECORDING: u8 = 4;

/// What an administrator wrote of one call-back, with defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Callback {
    pub name: StepName,
    /// Never empty: what is about to be promised, so that who wants something else can press 0.
    pub say: Vec<PromptId>,
    /// Of the message of a caller without a number: longest, and the silence that ends it.
    pub longest: Duration,
    pub silence: Duration,
    /// After the promise; without it the call ends.
    pub then: Option<Target>,
}

impl Callback {
    pub fn next(&self, state: &mut StepState, event: Event) -> Edge {
        let before = state.phase;
        let mut speak = |phase, words| {
            state.phase = phase;
            Edge::Speak { words, barge_in: true }
        };
        match (event, before) {
            (Event::Entered { .. }, _) => speak(SPEAKING, words(&self.say)),
            (Event::Spoken, SPEAKING) => {
                state.phase = WRITING;
                Edge::Promise
            }
            (Event::Promised, WRITING) => speak(DONE, engine_words(&[spoken::KEPT_DONE])),
            (Event::NoNumber, WRITING) => speak(INVITING, engine_words(&[spoken::KEPT_MESSAGE, spoken::TONE])),
            (Event::Spoken, INVITING) => {
                state.phase = RECORDING;
                Edge::Record { longest: self.longest, silence: self.silence }
            }
            (Event::Recorded, RECORDING) => speak(DONE, engine_words(&[spoken::MESSAGE_DONE])),
            (Event::Spoken, DONE) => self.then.clone().map_or(Edge::HangUp, Edge::Go),
            _ => Edge::Stay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    #[test]
    fn a_number_is_promised_a_call_and_no_number_a_message() {
        let callback = Callback {
            name: StepName::new("later"),
            say: vec![PromptId::new("call-you-back")],
            longest: Duration::from_secs(60),
            silence: Duration::from_secs(4),
            then: None,
        };
        let speak = |ids: &[&str]| Edge::Speak { words: engine_words(ids), barge_in: true };
        let record = Edge::Record { longest: Duration::from_secs(60), silence: Duration::from_secs(4) };
        let table = [
            (3, Event::Entered { open: true }, speak(&["call-you-back"]), 0),
            (0, Event::Key(Key::HASH), Edge::Stay, 0),
            (0, Event::Spoken, Edge::Promise, 1),
            (1, Event::Spoken, Edge::Stay, 1),
            (1, Event::Promised, speak(&["kept-done"]), 2),
            (1, Event::NoNumber, speak(&["kept-message", "tone"]), 3),
            (3, Event::Spoken, record, 4),
            (4, Event::Recorded, speak(&["message-done"]), 2),
            (2, Event::Spoken, Edge::HangUp, 2),
            (2, Event::Promised, Edge::Stay, 2),
        ];
        for (phase, event, edge, after) in table {
            let mut state = StepState { phase, ..StepState::default() };
            assert_eq!(callback.next(&mut state, event), edge, "phase {phase}, {event:?}");
            assert_eq!(state.phase, after, "phase {phase}, {event:?}");
        }
    }
}
