//! `[hangup.NAME]`: a few words, then the end of the call.
//!
//! The checker lets a call come here only after a person, a kept promise or a finished service (D031 to D033): a hang-up is
//! never the answer to a caller who could not find the way. `0` during the words still reaches a person: the call
//! takes it before this step sees anything.

use super::{Edge, Event, StepState, words};
use crate::ids::{PromptId, StepName};

/// What an administrator wrote, with `say` filled in (`goodbye`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HangUp {
    pub name: StepName,
    pub say: Vec<PromptId>,
}

impl HangUp {
    /// Keys mean nothing here.
    pub fn next(&self, _state: &mut StepState, event: Event) -> Edge {
        match event {
            Event::Entered { .. } => Edge::Speak { words: words(&self.say), barge_in: true },
            Event::Spoken => Edge::HangUp,
            _ => Edge::Stay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    #[test]
    fn it_speaks_then_hangs_up_and_no_key_shortens_the_words() {
        let step = HangUp { name: StepName::new("bye"), say: vec![PromptId::new("goodbye")] };
        let mut state = StepState::default();
        let words = Edge::Speak { words: crate::step::engine_words(&["goodbye"]), barge_in: true };
        assert_eq!(step.next(&mut state, Event::Entered { open: true }), words);
        assert_eq!(step.next(&mut state, Event::Key(Key::HASH)), Edge::Stay);
        assert_eq!(step.next(&mut state, Event::Silence), Edge::Stay);
        assert_eq!(step.next(&mut state, Event::Recorded), Edge::Stay);
        assert_eq!(step.next(&mut state, Event::Spoken), Edge::HangUp);
    }
}
