//! How values are spoken: digits, numbers, money, dates, times, durations and ordinals, put together of recorded pieces by
//! the grammar of each language that has one here.
//!
//! ```text
//! "12.05" as money CNY   value     text -> what it says, or why it cannot be said
//!                        english   \ what it says -> ids of pieces: number-12 piece-yuan number-0 ...
//!                        mandarin  /
//! ```
//! The pieces' words stand in `prompts/LANGUAGE/pieces.toml`; the numbers from 0 to 100 are those that queues use too.

mod english;
mod longest;
mod mandarin;
#[cfg(test)]
mod tests;
mod value;

use crate::ids::PromptId;
use crate::prompt::spoken;
use std::collections::BTreeSet;
use std::time::Duration;
use value::Value;

/// How a value is to be read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Form {
    /// One by one, at most 40, `+`, `*` and `#` among them.
    Digits,
    /// From -999 999 999 to 999 999 999, with at most two decimals.
    Number,
    /// The same, of a currency.
    Money,
    /// `2026-11-26`, or a time stamp that begins so.
    Date,
    /// `14:05`, or a time stamp that holds it.
    Time,
    /// Seconds (`125`), or ISO 8601 (`PT1H5M`).
    Duration,
    /// 1 to 999.
    Ordinal,
}

impl Form {
    pub const ALL: [Form; 7] =
        [Form::Digits, Form::Number, Form::Money, Form::Date, Form::Time, Form::Duration, Form::Ordinal];

    pub const fn as_str(self) -> &'static str {
        match self {
            Form::Digits => "digits",
            Form::Number => "number",
            Form::Money => "money",
            Form::Date => "date",
            Form::Time => "time",
            Form::Duration => "duration",
            Form::Ordinal => "ordinal",
        }
    }

    pub fn from_word(word: &str) -> Option<Form> {
        Form::ALL.into_iter().find(|form| form.as_str() == word)
    }
}

/// A currency, by its ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Currency {
    Usd,
    Eur,
    Gbp,
    Cny,
}

impl Currency {
    pub const ALL: [Currency; 4] = [Currency::Usd, Currency::Eur, Currency::Gbp, Currency::Cny];

    pub const fn as_str(self) -> &'static str {
        match self {
            Currency::Usd => "USD",
            Currency::Eur => "EUR",
            Currency::Gbp => "GBP",
            Currency::Cny => "CNY",
        }
    }

    pub fn from_word(word: &str) -> Option<Currency> {
        Currency::ALL.into_iter().find(|currency| currency.as_str() == word)
    }
}

/// Why a value cannot be said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unspeakable(pub String);

/// A language with a grammar here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Grammar {
    English,
    Mandarin,
}

impl Grammar {
    /// `en`, and `en-anything`.
    fn of(language: &str) -> Option<Grammar> {
        match language.split(['-', '_']).next()? {
            "en" => Some(Grammar::English),
            "zh" => Some(Grammar::Mandarin),
            _ => None,
        }
    }

    fn say(self, value: &Value, currency: Currency) -> Vec<String> {
        match self {
            Grammar::English => english::say(value, currency),
            Grammar::Mandarin => mandarin::say(value, currency),
        }
    }
}

/// Whether there is a grammar for this language.
pub fn knows(language: &str) -> bool {
    Grammar::of(language).is_some()
}

/// The recorded pieces that say a value.
///
/// # Errors
/// The value is none of its form, or the language has no grammar.
pub fn pieces(language: &str, form: Form, currency: Currency, value: &str) -> Result<Vec<PromptId>, Unspeakable> {
    let no_grammar = || Unspeakable(format!("nobody has taught this server how `{language}` says a {}", form.as_str()));
    let grammar = Grammar::of(language).ok_or_else(no_grammar)?;
    let value = Value::read(form, value)?;
    Ok(grammar.say(&value, currency).iter().map(PromptId::new).collect())
}

/// Every prompt id that [`pieces`] can ever return; empty for a language without a grammar.
pub fn every_piece(language: &str, form: Form, currency: Currency) -> BTreeSet<String> {
    let Some(grammar) = Grammar::of(language) else { return BTreeSet::new() };
    value::covering(form).iter().flat_map(|value| grammar.say(value, currency)).collect()
}

/// How long any value of the form lasts at most, by the lengths of its pieces.
pub fn longest(language: &str, form: Form, currency: Currency, length_of: &dyn Fn(&str) -> Duration) -> Duration {
    Grammar::of(language).map_or(Duration::ZERO, |grammar| longest::of(grammar, form, currency, length_of))
}

/// One by one, alike in every grammar.
fn digits(signs: &[char]) -> Vec<String> {
    let digit = |sign: &char| match sign {
        '+' => piece("plus"),
        '*' => piece("star"),
        '#' => piece("hash"),
        digit => number(u64::from(digit.to_digit(10).unwrap_or(0))),
    };
    signs.iter().map(digit).collect()
}

fn minus(negative: bool) -> Vec<String> {
    if negative { vec![piece("minus")] } else { Vec::new() }
}

/// A number whose whole part a grammar has said.
fn decimal(negative: bool, whole: Vec<String>, decimals: &[u64]) -> Vec<String> {
    let mut said = minus(negative);
    said.extend(whole);
    if !decimals.is_empty() {
        said.push(piece("point"));
        said.extend(decimals.iter().map(|digit| number(*digit)));
    }
    said
}

/// One of the recorded numbers.
fn number(value: u64) -> String {
    spoken::number(value as u32)
}

fn piece(name: &str) -> String {
    format!("piece-{name}")
}
