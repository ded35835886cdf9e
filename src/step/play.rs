//! `[play.NAME]`: prompts are spoken, then the call goes on; or, `finished = true`, a service is done.
//!
//! After a finished service the human option is spoken and awaited for 5 s; only then may the call end, with a goodbye
//! (or go to `then`, where one is written). While it is offered, `9` and `star` say the whole play again.
//! Phases: 0 speaking; 100 to 102 the ending.

use super::{Edge, Event, StepState, ending, words};
use crate::ids::{PromptId, StepName};
use crate::target::Target;

const SPEAKING: u8 = 0;

/// What an administrator wrote of one play, with defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Play {
    pub name: StepName,
    /// Never empty.
    pub say: Vec<PromptId>,
    /// Where the call goes afterwards. There unless `finished`.
    pub then: Option<Target>,
    /// The service is done: offer a person, then (with no `then`) say goodbye and hang up.
    pub finished: bool,
    /// Whether a key (any) skips what is left of `say`, default true.
    pub barge_in: bool,
}

impl Play {
    pub fn next(&self, state: &mut StepState, event: Event) -> Edge {
        match (event, state.phase) {
            (Event::Entered { .. }, _) => {
                state.phase = SPEAKING;
                Edge::Speak { words: words(&self.say), barge_in: self.barge_in }
            }
            (Event::Spoken | Event::Key(_), SPEAKING) => ending::begin(state, self.then.as_ref(), self.finished),
            _ => ending::next(state, event, self.then.as_ref(), true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::step::engine_words;
    use crate::target::{StepKind, StepRef};
    use std::time::Duration;

    fn play(finished: bool, then: Option<Target>) -> Play {
        Play {
            name: StepName::new("balance"),
            say: vec![PromptId::new("data-balance")],
            then,
            finished,
            barge_in: true,
        }
    }

    fn check(play: &Play, table: &[(u8, Event, Edge, u8)]) {
        for (phase, event, edge, after) in table {
            let mut state = StepState { phase: *phase, ..StepState::default() };
            assert_eq!(play.next(&mut state, *event), *edge, "phase {phase}, {event:?}");
            assert_eq!(state.phase, *after, "phase {phase}, {event:?}");
        }
    }

    fn speak(id: &str) -> Edge {
        Edge::Speak { words: engine_words(&[id]), barge_in: true }
    }

    fn key(letter: char) -> Event {
        Event::Key(Key::from_char(letter).unwrap())
    }

    #[test]
    fn a_finished_service_offers_a_person_waits_and_says_goodbye() {
        let again = Edge::Go(Target::Repeat);
        let table = [
            (0, Event::Entered { open: true }, speak("data-balance"), 0),
            (101, Event::Entered { open: true }, speak("data-balance"), 0),
            (0, Event::Spoken, speak("offer-human"), 100),
            (0, key('5'), speak("offer-human"), 100),
            (100, Event::Spoken, Edge::Listen { within: Duration::from_secs(5) }, 101),
            (100, key('9'), again.clone(), 100),
            (101, key('*'), again, 101),
            (100, key('5'), Edge::Stay, 100),
            (101, key('#'), Edge::Stay, 101),
            (101, Event::Silence, speak("goodbye"), 102),
            (102, key('9'), Edge::Stay, 102),
            (102, Event::Spoken, Edge::HangUp, 102),
            (0, Event::Silence, Edge::Stay, 0),
            (100, Event::Silence, Edge::Stay, 100),
            (101, Event::Spoken, Edge::Stay, 101),
            (102, Event::Silence, Edge::Stay, 102),
            (0, Event::Recorded, Edge::Stay, 0),
        ];
        check(&play(true, None), &table);
    }

    #[test]
    fn a_play_that_is_not_finished_goes_on_and_a_key_skips_it() {
        let there = Target::Step(StepRef { kind: StepKind::Menu, name: StepName::new("main") });
        let table = [
            (0, Event::Entered { open: true }, speak("data-balance"), 0),
            (0, Event::Spoken, Edge::Go(there.clone()), 0),
            (0, key('5'), Edge::Go(there.clone()), 0),
            (0, Event::Silence, Edge::Stay, 0),
        ];
        check(&play(false, Some(there.clone())), &table);
        let after_offer =
            [(0, Event::Spoken, speak("offer-human"), 100), (101, Event::Silence, Edge::Go(there.clone()), 101)];
        check(&play(true, Some(there)), &after_offer);
    }
}
