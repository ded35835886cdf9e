//! How a service ends: the call goes on (`then`), or the service is `finished`: a person is offered and awaited, and only
//! then the call may end, with a goodbye.
//!
//! Shared by the steps that do something for the caller (`play`, `say`, `dial`), which begin at [`AFTER`] themselves.

use super::{Edge, Event, StepState, engine_words};
use crate::key::Key;
use crate::prompt::spoken;
use crate::target::Target;
use std::time::Duration;

/// The phases from here on are the ending's: 100 offering a person, 101 awaiting a key, 102 goodbye.
pub(super) const AFTER: u8 = 100;
const OFFERING: u8 = AFTER;
const AWAITING: u8 = AFTER + 1;
const GOODBYE: u8 = AFTER + 2;

/// How long a key is awaited after the human option was offered.
const OFFER_WAIT: Duration = Duration::from_secs(5);

/// The service has been done, or skipped by a key.
pub(super) fn begin(state: &mut StepState, then: Option<&Target>, finished: bool) -> Edge {
    match then {
        Some(target) if !finished => Edge::Go(target.clone()),
        // A step with neither cannot be loaded; should one come here, a person is offered before the end.
        _ => {
            state.phase = OFFERING;
            Edge::Speak { words: engine_words(&[spoken::OFFER_HUMAN]), barge_in: true }
        }
    }
}

/// What happens in the phases of the ending. `again`: `9` and `star` lead to the whole step once more.
pub(super) fn next(state: &mut StepState, event: Event, then: Option<&Target>, again: bool) -> Edge {
    match (event, state.phase) {
        (Event::Key(key), OFFERING | AWAITING) if again && means_again(key) => Edge::Go(Target::Repeat),
        (Event::Spoken, OFFERING) => {
            state.phase = AWAITING;
            Edge::Listen { within: state.patience(OFFER_WAIT) }
        }
        (Event::Silence, AWAITING) => match then {
            Some(target) => Edge::Go(target.clone()),
            None => {
                state.phase = GOODBYE;
                Edge::Speak { words: engine_words(&[spoken::GOODBYE]), barge_in: true }
            }
        },
        (Event::Spoken, GOODBYE) => Edge::HangUp,
        _ => Edge::Stay,
    }
}

/// A person was offered and is being awaited.
pub(super) fn has_offered(state: &StepState) -> bool {
    state.phase == AWAITING
}

/// `9` is what the sample menus use for "again"; `star` is the usual one in Korea.
fn means_again(key: Key) -> bool {
    key == Key::STAR || Some(key) == Key::from_char('9')
}
