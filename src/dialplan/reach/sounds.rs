//! How long words last, and when in them a person has been offered: from the prompts' sounds, found as a call finds them
//! (`Engine::find_prompt`): the caller's language, then the line's; slower ones for who needs them.

use crate::ids::PromptId;
use crate::prompt::{Prompt, PromptLibrary};
use crate::saying::{self, Currency, Form};
use crate::variable::Word;
use std::collections::BTreeMap;
use std::sync::Arc;
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
                let Some(prompt) = find(id, language, of_line, gentle, prompts) else { continue };
                if let (None, Some(ends)) = (heard.offer, prompt.facts.offer_ends) {
                    heard.offer = Some(heard.length + ends);
                }
                heard.length += prompt.facts.length;
            }
            Word::Value { form, currency, .. } => {
                let language = if saying::knows(language) { language } else { of_line };
                let length_of = |id: &str| {
                    let found = find(&PromptId::new(id), language, of_line, gentle, prompts);
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

fn find<'a>(
    id: &PromptId,
    language: &str,
    of_line: &str,
    gentle: bool,
    prompts: &'a PromptLibrary,
) -> Option<&'a Arc<Prompt>> {
    let of = |language: &str| {
        let slow = if gentle { prompts.slow(language, id.as_str()) } else { None };
        slow.or_else(|| prompts.get(language, id.as_str()))
    };
    of(language).or_else(|| of(of_line))
}
