//! `[menu.NAME]`: prompts are spoken, a key is awaited, the key leads on.
//!
//! A wrong key or silence counts as an error; `max_errors` of them lead to a person, never to a hang-up. Before that the
//! caller hears what was wrong and the last prompt of `say` again (a greeting that comes before it is not repeated).
//! Phases: 0 speaking, 1 listening.

use super::{Edge, Event, StepState, engine_words, words};
use crate::ids::{PromptId, StepName};
use crate::key::Key;
use crate::prompt::spoken;
use crate::target::Target;
use crate::variable::Word;
use std::collections::BTreeMap;
use std::time::Duration;

const SPEAKING: u8 = 0;
const LISTENING: u8 = 1;

/// What an administrator wrote of one menu, with defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Menu {
    pub name: StepName,
    /// Never empty. The last one holds the options and is spoken again after an error.
    pub say: Vec<PromptId>,
    /// Never holds [`Key::HUMAN`]. `back` is resolved: no target here depends on where the caller came from.
    pub keys: BTreeMap<Key, Target>,
    /// How long a key is awaited after the prompts, default 5 s.
    pub first_digit_timeout: Duration,
    /// Errors (wrong keys and silences together) that lead to a person, default 2.
    pub max_errors: u8,
    /// Whether a key acts while the prompts are spoken, default true. It never concerns the human key.
    pub barge_in: bool,
}

impl Menu {
    pub fn next(&self, state: &mut StepState, event: Event) -> Edge {
        match event {
            Event::Entered { .. } => self.speak(state, words(&self.say)),
            Event::Spoken => {
                state.phase = LISTENING;
                Edge::Listen { within: state.patience(self.first_digit_timeout) }
            }
            Event::Key(key) => match self.keys.get(&key) {
                Some(target) => Edge::Go(target.clone()),
                None => self.error(state, spoken::NOT_UNDERSTOOD),
            },
            Event::Silence if state.phase == LISTENING => self.error(state, spoken::NO_INPUT),
            _ => Edge::Stay,
        }
    }

    fn error(&self, state: &mut StepState, what: &str) -> Edge {
        state.errors = state.errors.saturating_add(1);
        if state.errors >= state.errors_max(self.max_errors) {
            return Edge::Go(Target::Human);
        }
        let mut said = engine_words(&[what]);
        said.extend(self.say.last().cloned().map(Word::Prompt));
        self.speak(state, said)
    }

    fn speak(&self, state: &mut StepState, words: Vec<Word>) -> Edge {
        state.phase = SPEAKING;
        Edge::Speak { words, barge_in: self.barge_in }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{StepKind, StepRef};

    fn menu() -> Menu {
        let bills = Target::Step(StepRef { kind: StepKind::Menu, name: StepName::new("bills") });
        let key = |letter| Key::from_char(letter).unwrap();
        Menu {
            name: StepName::new("main"),
            say: vec![PromptId::new("welcome"), PromptId::new("main-menu")],
            keys: BTreeMap::from([(key('1'), bills), (key('9'), Target::Repeat)]),
            first_digit_timeout: Duration::from_secs(5),
            max_errors: 2,
            barge_in: true,
        }
    }

    fn key(letter: char) -> Event {
        Event::Key(Key::from_char(letter).unwrap())
    }

    fn speak(prompts: &[&str]) -> Edge {
        Edge::Speak { words: engine_words(prompts), barge_in: true }
    }

    #[test]
    fn every_state_answers_every_event() {
        let bills = Edge::Go(Target::Step(StepRef { kind: StepKind::Menu, name: StepName::new("bills") }));
        let listen = Edge::Listen { within: Duration::from_secs(5) };
        let human = Edge::Go(Target::Human);
        let entered = Event::Entered { open: false };
        // errors and phase before, event, edge, errors and phase after
        let table = [
            ((0, 0), entered, speak(&["welcome", "main-menu"]), (0, 0)),
            ((1, 1), entered, speak(&["welcome", "main-menu"]), (1, 0)),
            ((0, 0), Event::Spoken, listen.clone(), (0, 1)),
            ((1, 0), Event::Spoken, listen, (1, 1)),
            ((0, 0), key('1'), bills.clone(), (0, 0)),
            ((1, 1), key('1'), bills, (1, 1)),
            ((0, 1), key('9'), Edge::Go(Target::Repeat), (0, 1)),
            ((0, 0), key('7'), speak(&["not-understood", "main-menu"]), (1, 0)),
            ((0, 1), key('*'), speak(&["not-understood", "main-menu"]), (1, 0)),
            ((1, 0), key('7'), human.clone(), (2, 0)),
            ((1, 1), key('#'), human.clone(), (2, 1)),
            ((0, 1), Event::Silence, speak(&["no-input", "main-menu"]), (1, 0)),
            ((1, 1), Event::Silence, human.clone(), (2, 1)),
            ((255, 1), Event::Silence, human, (255, 1)),
            ((0, 0), Event::Silence, Edge::Stay, (0, 0)),
            ((0, 1), Event::Recorded, Edge::Stay, (0, 1)),
        ];
        for ((errors, phase), event, edge, after) in table {
            let mut state = StepState { errors, phase, ..StepState::default() };
            assert_eq!(menu().next(&mut state, event), edge, "{errors} errors, phase {phase}, {event:?}");
            assert_eq!((state.errors, state.phase), after, "{errors} errors, phase {phase}, {event:?}");
        }
    }

    #[test]
    fn a_caller_who_does_nothing_reaches_a_person() {
        let menu = Menu { max_errors: 3, barge_in: false, ..menu() };
        let mut state = StepState::default();
        let mut edge = menu.next(&mut state, Event::Entered { open: true });
        let mut listens = 0;
        while edge != Edge::Go(Target::Human) {
            edge = match edge {
                Edge::Speak { barge_in: false, .. } => menu.next(&mut state, Event::Spoken),
                Edge::Listen { .. } => {
                    listens += 1;
                    menu.next(&mut state, Event::Silence)
                }
                other => panic!("{other:?}"),
            };
        }
        assert_eq!(listens, 3);
    }

    #[test]
    fn who_needs_more_time_has_twice_as_much_and_one_error_more() {
        let gentle = StepState { gentle: true, ..StepState::default() };
        let listen = menu().next(&mut gentle.clone(), Event::Spoken);
        assert_eq!(listen, Edge::Listen { within: Duration::from_secs(10) });
        let mut state = StepState { errors: 1, ..gentle };
        assert!(matches!(menu().next(&mut state, key('7')), Edge::Speak { .. }));
        assert_eq!(menu().next(&mut state, key('7')), Edge::Go(Target::Human));
    }
}
