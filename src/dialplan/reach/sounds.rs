//! How long words last, and when in them a person has been offered: from the prompts' sounds, found as a call finds them
//! ([`PromptLibrary::heard`]).

use crate::prompt::PromptLibrary;
use crate::saying::{self, Currency, Form};
use crate::variable::Word;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is heard of some words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Heard {
    pub length: Duration,
    /// From the beginning to the end of the first offer of a person.
    pub offer: Option<Duration>,
}

/// The longest that values of each form last: trying them all takes long, so it is done once for a line.
pub(super) type Longest = BTreeMap<(String, Form, Currency, bool), Duration>;

pub(super) fn heard(
    words: &[Word],
    (language, of_line, gentle): (&str, &str, bool),
    prompts: &PromptLibrary,
    known: &mut Longest,
) -> Heard {
    let mut heard = Heard::default();
    for word in words {
        match word {
            Word::Prompt(id) => {
                let Some(prompt) = prompts.heard(id.as_str(), language, of_line, gentle) else { continue };
                if let (None, Some(ends)) = (heard.offer, prompt.facts.offer_ends) {
                    heard.offer = Some(heard.length + ends);
                }
                heard.length += prompt.facts.length;
            }
            Word::Value { form, currency, .. } => {
                let language = if saying::knows(language) { language } else { of_line };
                let length_of = |id: &str| {
                    let found = prompts.heard(id, language, of_line, gentle);
                    found.map_or(Duration::ZERO, |prompt| prompt.facts.length)
                };
                let key = (language.to_owned(), *form, *currency, gentle);
                let longest =
                    known.entry(key).or_insert_with(|| saying::longest(language, *form, *currency, &length_of));
                heard.length += *longest;
            }
        }
    }
    heard
}
