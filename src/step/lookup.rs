//! `[lookup.NAME]`: a question over HTTP. The answer is JSON; values are picked out of it by JSON pointers (RFC 6901).
//!
//! Every way of failing has an edge, and every edge that is not written leads to a person. After 2 s without an answer the
//! caller hears a filler, so that nobody listens to nothing. Phases: 0 asking, 1 filler speaking, 2 filler over.

use super::{Edge, Event, StepState, words};
use crate::ids::{PromptId, StepName};
use crate::target::Target;
pub use crate::variable::LookupFailure;
use crate::variable::Template;
use std::collections::BTreeMap;
use std::time::Duration;

const ASKING: u8 = 0;
const FILLING: u8 = 1;
const FILLED: u8 = 2;

/// The filler is spoken when the answer has not come after this.
pub const FILLER_AFTER: Duration = Duration::from_secs(2);
/// Between the end of a filler and its next beginning.
pub const FILLER_PAUSE: Duration = Duration::from_secs(6);

/// What an administrator wrote of one look-up, with defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lookup {
    pub name: StepName,
    /// Of the settings' allow-list; variables stand in it percent-encoded.
    pub url: Template,
    pub method: Method,
    /// What a POST sends, as a JSON object of texts.
    pub body: Vec<(String, Template)>,
    /// The answer must be whole by then, default 5 s.
    pub deadline: Duration,
    pub filler: PromptId,
    /// Each name with the JSON pointer to what `{lookup.NAME}` is from here on. All must be there.
    pub values: BTreeMap<String, String>,
    /// The value whose text chooses among `cases`.
    pub on: Option<String>,
    /// In the order written; none occurs twice.
    pub cases: Vec<Case>,
    /// An answer with every value, and no case that fits.
    pub then: Target,
    /// Failures that have no target of their own in `failed`; default a person.
    pub otherwise: Target,
    pub failed: BTreeMap<LookupFailure, Target>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Method {
    #[default]
    Get,
    Post,
}

/// One branch: the call goes to `target` when the value of `on` is `value`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    pub value: String,
    pub target: Target,
}

impl Lookup {
    pub fn next(&self, state: &mut StepState, event: Event) -> Edge {
        match (event, state.phase) {
            (Event::Entered { .. }, _) => {
                state.phase = ASKING;
                Edge::LookUp { filler_after: FILLER_AFTER }
            }
            (Event::Silence, ASKING | FILLED) => {
                state.phase = FILLING;
                Edge::Speak { words: words(std::slice::from_ref(&self.filler)), barge_in: false }
            }
            (Event::Spoken, FILLING) => {
                state.phase = FILLED;
                Edge::Listen { within: FILLER_PAUSE }
            }
            (Event::Found { case }, _) => {
                let case = case.and_then(|case| self.cases.get(usize::from(case)));
                Edge::Go(case.map_or(&self.then, |case| &case.target).clone())
            }
            (Event::LookUpFailed(how), _) => Edge::Go(self.failed.get(&how).unwrap_or(&self.otherwise).clone()),
            _ => Edge::Stay,
        }
    }

    /// An answer that leads to this branch; without one to `then`.
    pub fn answer_for(&self, branch: Option<&str>) -> BTreeMap<String, String> {
        let value = |name: &String| branch.filter(|_| self.on.as_ref() == Some(name)).unwrap_or("1").to_owned();
        self.values.keys().map(|name| (name.clone(), value(name))).collect()
    }

    /// Which case the value of `on` names.
    pub fn case_of(&self, value: &str) -> Option<u8> {
        let at = self.cases.iter().position(|case| case.value == value)?;
        u8::try_from(at).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    fn lookup() -> Lookup {
        let case = |value: &str, target| Case { value: value.into(), target };
        Lookup {
            name: StepName::new("account"),
            url: Template::read("https://billing.example/{caller.number}").unwrap(),
            method: Method::Get,
            body: Vec::new(),
            deadline: Duration::from_secs(5),
            filler: PromptId::new("one-moment"),
            values: BTreeMap::from([("status".into(), "/status".into())]),
            on: Some("status".into()),
            cases: vec![case("open", Target::Start), case("blocked", Target::Repeat)],
            then: Target::Start,
            otherwise: Target::Human,
            failed: BTreeMap::from([(LookupFailure::Late, Target::Start)]),
        }
    }

    #[test]
    fn every_answer_and_every_failure_has_its_way() {
        let go = |event| lookup().next(&mut StepState::default(), event);
        assert_eq!(go(Event::Found { case: lookup().case_of("blocked") }), Edge::Go(Target::Repeat));
        assert_eq!(go(Event::Found { case: lookup().case_of("else") }), Edge::Go(Target::Start));
        assert_eq!(go(Event::LookUpFailed(LookupFailure::Late)), Edge::Go(Target::Start));
        for how in &LookupFailure::ALL[1..] {
            assert_eq!(go(Event::LookUpFailed(*how)), Edge::Go(Target::Human), "{}", how.as_str());
        }
        assert_eq!(go(Event::Key(Key::HASH)), Edge::Stay);
    }

    #[test]
    fn who_waits_hears_the_filler_again_and_again() {
        let mut state = StepState::default();
        let lookup = lookup();
        assert!(matches!(lookup.next(&mut state, Event::Entered { open: true }), Edge::LookUp { .. }));
        for _ in 0..2 {
            assert!(matches!(lookup.next(&mut state, Event::Silence), Edge::Speak { .. }));
            assert_eq!(lookup.next(&mut state, Event::Silence), Edge::Stay);
            assert!(matches!(lookup.next(&mut state, Event::Spoken), Edge::Listen { .. }));
        }
    }
}
