//! Variables: what a call has learned and may say, send or branch on. `{lookup.balance}` in a text stands for one.
//!
//! A variable's value is data, never a place: no target can be made of one, so the ways of a call stay finite and can be
//! proved. Whose values they are lives in `call`; how one is spoken, in the grammar of its language.

use crate::ids::{PromptId, StepName};
use crate::saying::{Currency, Form};
use std::fmt;

/// Longest value that is kept, in bytes; what a look-up gives beyond it is a failed look-up.
pub const VALUE_BYTES_MAX: usize = 256;

/// One thing that a call may know.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Variable {
    /// The caller's number in E.164, such as `+12025550123`; empty where it is withheld.
    CallerNumber,
    /// The name that the caller's phone sends with the call; a text, which recorded pieces cannot say.
    CallerName,
    /// The language that the call speaks now, such as `en`.
    CallerLanguage,
    /// The place that the caller has, or would have, in the line's queue.
    QueuePosition,
    /// The expected wait there, in whole minutes.
    QueueWait,
    /// What a look-up has taken from its answer under this name.
    Lookup(String),
    /// The digits that a `collect` has taken.
    Collect(StepName),
    /// What a `set` has set.
    Set(String),
}

/// The fixed ones, with what stands between the braces.
const FIXED: [(&str, Variable); 5] = [
    ("caller.number", Variable::CallerNumber),
    ("caller.name", Variable::CallerName),
    ("caller.language", Variable::CallerLanguage),
    ("queue.position", Variable::QueuePosition),
    ("queue.wait", Variable::QueueWait),
];

impl Variable {
    /// What stands between the braces: `lookup.balance`.
    pub fn from_word(word: &str) -> Option<Variable> {
        if let Some((_, variable)) = FIXED.iter().find(|(known, _)| *known == word) {
            return Some(variable.clone());
        }
        let (kind, name) = word.split_once('.')?;
        let letter = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
        if name.is_empty() || !name.chars().all(letter) {
            return None;
        }
        match kind {
            "lookup" => Some(Variable::Lookup(name.to_owned())),
            "collect" => Some(Variable::Collect(StepName::new(name))),
            "set" => Some(Variable::Set(name.to_owned())),
            _ => None,
        }
    }

    /// For a message that lists what there is.
    pub fn known() -> String {
        let fixed = FIXED.iter().map(|(word, _)| format!("{{{word}}}"));
        let named = ["{lookup.NAME}", "{collect.NAME}", "{set.NAME}"].map(str::to_owned);
        fixed.chain(named).collect::<Vec<_>>().join(", ")
    }

    /// The words of the fixed ones, for near names.
    pub fn fixed_words() -> impl Iterator<Item = &'static str> {
        FIXED.iter().map(|(word, _)| *word)
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Variable::Lookup(name) => write!(f, "{{lookup.{name}}}"),
            Variable::Collect(name) => write!(f, "{{collect.{name}}}"),
            Variable::Set(name) => write!(f, "{{set.{name}}}"),
            fixed => {
                let word = FIXED.iter().find(|(_, variable)| variable == fixed).map_or("", |(word, _)| *word);
                write!(f, "{{{word}}}")
            }
        }
    }
}

/// A text with variables in it: `https://billing.example/{caller.number}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Template {
    pub parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    Text(String),
    Of(Variable),
}

/// What is wrong with a template, with the bytes that it concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadTemplate {
    pub range: std::ops::Range<usize>,
    /// The word between the braces, or nothing where a brace has no partner.
    pub word: Option<String>,
}

impl Template {
    /// Reads `text`; `{{` and `}}` stand for braces.
    ///
    /// # Errors
    /// A brace without its partner, or a variable that nobody knows.
    pub fn read(text: &str) -> Result<Template, BadTemplate> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(found) = text[at..].find(['{', '}']) {
            let brace = at + found;
            plain.push_str(&text[at..brace]);
            let sign = &text[brace..=brace];
            if text[brace + 1..].starts_with(sign) {
                plain.push_str(sign);
                at = brace + 2;
                continue;
            }
            let end = text[brace..].find('}').filter(|_| sign == "{").map(|end| brace + end);
            let Some(end) = end else { return Err(BadTemplate { range: brace..brace + 1, word: None }) };
            let word = text[brace + 1..end].trim();
            let Some(variable) = Variable::from_word(word) else {
                return Err(BadTemplate { range: brace..end + 1, word: Some(word.to_owned()) });
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Of(variable));
            at = end + 1;
        }
        plain.push_str(&text[at..]);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template { parts })
    }

    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Of(variable) => Some(variable),
            Part::Text(_) => None,
        })
    }

    /// The text with its variables put in; `None` where the call does not know one of them.
    pub fn fill(&self, value: impl Fn(&Variable) -> Option<String>) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(text.clone()),
                Part::Of(variable) => value(variable),
            })
            .collect()
    }
}

/// How a look-up can fail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LookupFailure {
    /// No answer by the deadline.
    Late,
    /// Nobody answers at the address, or it is not on the allow-list, or a variable of the question is not known.
    Unreachable,
    /// A status that is not 200 to 299.
    Refused,
    /// No JSON, or more than is taken (64 KiB).
    Unreadable,
    /// JSON, but one of the values is not in it.
    Missing,
}

impl LookupFailure {
    pub const ALL: [LookupFailure; 5] = [
        LookupFailure::Late,
        LookupFailure::Unreachable,
        LookupFailure::Refused,
        LookupFailure::Unreadable,
        LookupFailure::Missing,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            LookupFailure::Late => "late",
            LookupFailure::Unreachable => "unreachable",
            LookupFailure::Refused => "refused",
            LookupFailure::Unreadable => "unreadable",
            LookupFailure::Missing => "missing",
        }
    }

    pub fn from_word(word: &str) -> Option<LookupFailure> {
        LookupFailure::ALL.into_iter().find(|failure| failure.as_str() == word)
    }
}

/// One piece of what a step says: a recorded prompt, or a value that is put together of pieces.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Word {
    Prompt(PromptId),
    Value { of: Variable, form: Form, currency: Currency },
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Prompt(id) => id.fmt(f),
            Word::Value { of, .. } => of.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_reads_back_as_it_is_written() {
        for word in ["caller.number", "caller.name", "queue.wait", "lookup.balance", "collect.card-number", "set.topic"]
        {
            let variable = Variable::from_word(word).unwrap();
            assert_eq!(variable.to_string(), format!("{{{word}}}"));
        }
        for word in ["", "caller", "caller.age", "lookup.", "lookup.a b", "lookup.a/b"] {
            assert_eq!(Variable::from_word(word), None, "{word}");
        }
    }

    #[test]
    fn a_template_knows_its_parts_and_where_it_is_wrong() {
        let template = Template::read("a{{b}}/{caller.number}?x={ lookup.id }").unwrap();
        let known = |variable: &Variable| match variable {
            Variable::CallerNumber => Some("+1202".to_owned()),
            Variable::Lookup(_) => Some("7".to_owned()),
            _ => None,
        };
        assert_eq!(template.fill(known).as_deref(), Some("a{b}/+1202?x=7"));
        assert_eq!(template.fill(|_| None), None);
        assert_eq!(Template::read("a {caler.x} b").unwrap_err().range, 2..11);
        assert_eq!(Template::read("ab}").unwrap_err(), BadTemplate { range: 2..3, word: None });
        assert_eq!(Template::read("ab{").unwrap_err(), BadTemplate { range: 2..3, word: None });
    }
}
