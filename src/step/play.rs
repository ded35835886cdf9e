//! `[play.NAME]`: prompts are spoken, then the call goes on; or, `finished = true`, a service is done.
//!
//! After a finished service the human option is spoken and awaited for 5 s; only then may the call end, with a goodbye
//! (or go to `then`, where one is written). While it is offered, `9` and `star` say the whole play again.
//! Phases: 0 speaking, 1 offering a person, 2 awaiting a key, 3 goodbye.

use super::{Edge, Event, StepState, engine_prompts};
use crate::ids::{PromptId, StepName};
use crate::key::Key;
use crate::prompt::spoken;
use crate::target::Target;
use std::time::Duration;

const SPEAKING: u8 = 0;
const OFFERING: u8 = 1;
const AWAITING: u8 = 2;
const GOODBYE: u8 = 3;

/// How long a key is awaited after the human option was offered.
const OFFER_WAIT: Duration = Duration::from_secs(5);

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
                Edge::Speak { prompts: self.say.clone(), barge_in: self.barge_in }
            }
            (Event::Spoken | Event::Key(_), SPEAKING) => self.said(state),
            (Event::Key(key), OFFERING | AWAITING) if means_again(key) => Edge::Go(Target::Repeat),
            (Event::Spoken, OFFERING) => {
                state.phase = AWAITING;
                Edge::Listen { within: OFFER_WAIT }
            }
            (Event::Silence, AWAITING) => match &self.then {
                Some(target) => Edge::Go(target.clone()),
                None => {
                    state.phase = GOODBYE;
                    Edge::Speak { prompts: engine_prompts(&[spoken::GOODBYE]), barge_in: true }
                }
            },
            (Event::Spoken, GOODBYE) => Edge::HangUp,
            _ => Edge::Stay,
        }
    }

    /// `say` has been heard, or skipped.
    fn said(&self, state: &mut StepState) -> Edge {
        match &self.then {
            Some(target) if !self.finished => Edge::Go(target.clone()),
            // A play with neither cannot be loaded; should one come here, a person is offered before the end.
            _ => {
                state.phase = OFFERING;
                Edge::Speak { prompts: engine_prompts(&[spoken::OFFER_HUMAN]), barge_in: true }
            }
        }
    }
}

/// `9` is what the sample menus use for "again"; `star` is the usual one in Korea.
fn means_again(key: Key) -> bool {
    key == Key::STAR || Some(key) == Key::from_char('9')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{StepKind, StepRef};

    fn play(finished: bool, then: Option<Target>) -> Play {
        Play { name: StepName::new("balance"), say: engine_prompts(&["data-balance"]), then, finished, barge_in: true }
    }

    fn check(play: &Play, table: &[(u8, Event, Edge, u8)]) {
        for (phase, event, edge, after) in table {
            let mut state = StepState { errors: 0, phase: *phase };
            assert_eq!(play.next(&mut state, *event), *edge, "phase {phase}, {event:?}");
            assert_eq!(state.phase, *after, "phase {phase}, {event:?}");
        }
    }

    fn speak(id: &str) -> Edge {
        Edge::Speak { prompts: engine_prompts(&[id]), barge_in: true }
    }

    fn key(letter: char) -> Event {
        Event::Key(Key::from_char(letter).unwrap())
    }

    #[test]
    fn a_finished_service_offers_a_person_waits_and_says_goodbye() {
        let again = Edge::Go(Target::Repeat);
        let table = [
            (0, Event::Entered { open: true }, speak("data-balance"), 0),
            (2, Event::Entered { open: true }, speak("data-balance"), 0),
            (0, Event::Spoken, speak("offer-human"), 1),
            (0, key('5'), speak("offer-human"), 1),
            (1, Event::Spoken, Edge::Listen { within: Duration::from_secs(5) }, 2),
            (1, key('9'), again.clone(), 1),
            (2, key('*'), again, 2),
            (1, key('5'), Edge::Stay, 1),
            (2, key('#'), Edge::Stay, 2),
            (2, Event::Silence, speak("goodbye"), 3),
            (3, key('9'), Edge::Stay, 3),
            (3, Event::Spoken, Edge::HangUp, 3),
            (0, Event::Silence, Edge::Stay, 0),
            (1, Event::Silence, Edge::Stay, 1),
            (2, Event::Spoken, Edge::Stay, 2),
            (3, Event::Silence, Edge::Stay, 3),
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
            [(0, Event::Spoken, speak("offer-human"), 1), (2, Event::Silence, Edge::Go(there.clone()), 2)];
        check(&play(true, Some(there)), &after_offer);
    }
}
