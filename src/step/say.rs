//! `[say.NAME]`: prompts with values between them: "your balance is" `{lookup.balance}`.
//!
//! A value that is not there, or is none of its form, leads to `else` (a person, where nothing is written): never to a
//! sentence with a hole in it. Otherwise as `play`. Phases: 0 speaking; 100 to 102 the ending.

use super::{Edge, Event, StepState, ending};
use crate::ids::StepName;
use crate::target::Target;
use crate::variable::Word;

const SPEAKING: u8 = 0;

/// What an administrator wrote of one say, with defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Say {
    pub name: StepName,
    /// Never empty.
    pub say: Vec<Word>,
    /// Where the call goes afterwards. There unless `finished`.
    pub then: Option<Target>,
    /// Where it goes when a value cannot be said, default a person.
    pub otherwise: Target,
    /// The service is done: offer a person, then (with no `then`) say goodbye and hang up.
    pub finished: bool,
    /// Whether a key (any) skips what is left, default true.
    pub barge_in: bool,
}

impl Say {
    pub fn next(&self, state: &mut StepState, event: Event) -> Edge {
        match (event, state.phase) {
            (Event::Entered { .. }, _) => {
                state.phase = SPEAKING;
                Edge::Speak { words: self.say.clone(), barge_in: self.barge_in }
            }
            (Event::Unspeakable, SPEAKING) => Edge::Go(self.otherwise.clone()),
            (Event::Spoken | Event::Key(_), SPEAKING) => ending::begin(state, self.then.as_ref(), self.finished),
            _ => ending::next(state, event, self.then.as_ref(), true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PromptId;
    use crate::saying::{Currency, Form};
    use crate::variable::Variable;

    #[test]
    fn a_value_that_cannot_be_said_leads_elsewhere_and_one_that_can_ends_as_a_play_does() {
        let value = Word::Value { of: Variable::QueueWait, form: Form::Number, currency: Currency::Usd };
        let say = Say {
            name: StepName::new("wait"),
            say: vec![Word::Prompt(PromptId::new("wait-is")), value],
            then: Some(Target::Start),
            otherwise: Target::Human,
            finished: false,
            barge_in: false,
        };
        let mut state = StepState::default();
        let edge = say.next(&mut state, Event::Entered { open: true });
        assert_eq!(edge, Edge::Speak { words: say.say.clone(), barge_in: false });
        assert_eq!(say.next(&mut state.clone(), Event::Unspeakable), Edge::Go(Target::Human));
        assert_eq!(say.next(&mut state.clone(), Event::Spoken), Edge::Go(Target::Start));
        let finished = Say { finished: true, then: None, ..say };
        assert!(matches!(finished.next(&mut state, Event::Spoken), Edge::Speak { .. }));
        assert_eq!(finished.next(&mut state, Event::Unspeakable), Edge::Stay, "that was the offer of a person");
    }
}
