//! `[voicemail.NAME]`: a greeting and a tone, then the caller's message is recorded and kept for a person.
//!
//! Any key other than the human key ends the recording: the call stops the recorder and tells [`Event::Recorded`].
//! Keys before the tone mean nothing. Phases: 0 greeting, 1 recording, 2 "your message is kept".

use super::{Edge, Event, StepState, engine_words, words};
use crate::ids::{PromptId, StepName};
use crate::prompt::spoken;
use crate::target::Target;
use std::time::Duration;

const GREETING: u8 = 0;
const RECORDING: u8 = 1;
const DONE: u8 = 2;

/// What an administrator wrote of one voicemail, with defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Voicemail {
    pub name: StepName,
    /// Never empty; the tone is added by the step.
    pub say: Vec<PromptId>,
    /// Longest message, default 120 s.
    pub longest: Duration,
    /// Silence of this length ends the message, default 4 s.
    pub silence: Duration,
    /// Where the call goes once the message is kept; `None`: it ends.
    pub then: Option<Target>,
}

impl Voicemail {
    pub fn next(&self, state: &mut StepState, event: Event) -> Edge {
        match (event, state.phase) {
            (Event::Entered { .. }, _) => {
                state.phase = GREETING;
                let mut said = words(&self.say);
                said.extend(engine_words(&[spoken::TONE]));
                // barge_in, so that a key is dropped here instead of kept and then ending the recording at once.
                Edge::Speak { words: said, barge_in: true }
            }
            (Event::Spoken, GREETING) => {
                state.phase = RECORDING;
                Edge::Record { longest: self.longest, silence: self.silence }
            }
            (Event::Recorded, RECORDING) => {
                state.phase = DONE;
                Edge::Speak { words: engine_words(&[spoken::MESSAGE_DONE]), barge_in: true }
            }
            (Event::Spoken, DONE) => self.then.clone().map_or(Edge::HangUp, Edge::Go),
            _ => Edge::Stay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    fn voicemail(then: Option<Target>) -> Voicemail {
        Voicemail {
            name: StepName::new("night"),
            say: vec![PromptId::new("voicemail-greeting")],
            longest: Duration::from_secs(120),
            silence: Duration::from_secs(4),
            then,
        }
    }

    #[test]
    fn every_phase_answers_every_event() {
        let speak = |ids: &[&str]| Edge::Speak { words: engine_words(ids), barge_in: true };
        let record = Edge::Record { longest: Duration::from_secs(120), silence: Duration::from_secs(4) };
        let table = [
            (0, Event::Entered { open: true }, speak(&["voicemail-greeting", "tone"]), 0),
            (2, Event::Entered { open: true }, speak(&["voicemail-greeting", "tone"]), 0),
            (0, Event::Key(Key::HASH), Edge::Stay, 0),
            (0, Event::Spoken, record, 1),
            (0, Event::Recorded, Edge::Stay, 0),
            (1, Event::Recorded, speak(&["message-done"]), 2),
            (1, Event::Spoken, Edge::Stay, 1),
            (1, Event::Silence, Edge::Stay, 1),
            (2, Event::Key(Key::STAR), Edge::Stay, 2),
            (2, Event::Spoken, Edge::HangUp, 2),
        ];
        for (phase, event, edge, after) in table {
            let mut state = StepState { phase, ..StepState::default() };
            assert_eq!(voicemail(None).next(&mut state, event), edge, "phase {phase}, {event:?}");
            assert_eq!(state.phase, after, "phase {phase}, {event:?}");
        }
    }

    #[test]
    fn once_the_message_is_kept_the_call_goes_where_it_was_told() {
        let mut state = StepState { phase: DONE, ..StepState::default() };
        assert_eq!(voicemail(Some(Target::Start)).next(&mut state, Event::Spoken), Edge::Go(Target::Start));
    }
}
