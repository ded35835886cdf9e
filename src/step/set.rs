//! `[set.NAME]`: another language, or values of the call's own, from here on; then the call goes on. Nothing is heard.

use super::{Edge, Event, StepState};
use crate::ids::{Language, StepName};
use crate::target::Target;
use crate::variable::Template;

/// What an administrator wrote of one set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Set {
    pub name: StepName,
    /// A folder under `prompts/`.
    pub language: Option<Language>,
    /// Each name with what `{set.NAME}` is from here on.
    pub values: Vec<(String, Template)>,
    pub then: Target,
}

impl Set {
    pub fn next(&self, _state: &mut StepState, event: Event) -> Edge {
        match event {
            Event::Entered { .. } => {
                Edge::Set { language: self.language.clone(), values: self.values.clone(), then: self.then.clone() }
            }
            _ => Edge::Stay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sets_at_once_and_goes_on() {
        let set = Set {
            name: StepName::new("mandarin"),
            language: Some(Language::new("zh")),
            values: Vec::new(),
            then: Target::Start,
        };
        let wanted = Edge::Set { language: Some(Language::new("zh")), values: Vec::new(), then: Target::Start };
        assert_eq!(set.next(&mut StepState::default(), Event::Entered { open: false }), wanted);
        assert_eq!(set.next(&mut StepState::default(), Event::Spoken), Edge::Stay);
    }
}
