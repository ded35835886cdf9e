//! The codes of diagnostics: stable for ever, each with what it means, what callers would meet, and what to do.
//!
//! The examples are the golden files of `tests/diagnostics/`, so they always show what the checker says today. The texts stand
//! in one file for each area.

mod changes;
mod language;
mod profile;
mod promise;
mod prompts;
mod reading;
mod sections;

/// One code and its explanation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// Such as `D010`.
    pub code: &'static str,
    pub title: &'static str,
    pub means: &'static str,
    pub callers: &'static str,
    pub repair: &'static str,
    /// A golden file: an input, its drawing, and the input repaired, with a line of dashes between.
    example: &'static str,
}

/// The parts of an example.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Example {
    pub input: &'static str,
    pub drawing: &'static str,
    pub repaired: Option<&'static str>,
}

/// Between the parts of a golden file.
pub const DASHES: &str = "----------------------------------------";

impl Code {
    pub fn shown(&self) -> Example {
        let mut parts = self.example.split(DASHES).map(|part| part.strip_prefix('\n').unwrap_or(part));
        let mut part = || parts.next();
        Example { input: part().unwrap_or_default(), drawing: part().unwrap_or_default(), repaired: part() }
    }

    /// How the example is repaired: lines that go and lines that come.
    pub fn changes(&self) -> String {
        let example = self.shown();
        changes::between(example.input, example.repaired.unwrap_or_default())
    }
}

macro_rules! example {
    ($file:literal) => {
        include_str!(concat!("../../../tests/diagnostics/", $file, ".txt"))
    };
}
use example;

/// All codes in the order of their numbers. A number that is not here was never given, or is not given any more.
pub fn all() -> Vec<&'static Code> {
    let areas: [&'static [Code]; 6] =
        [&reading::CODES, &sections::CODES, &language::CODES, &promise::CODES, &prompts::CODES, &profile::CODES];
    let mut all: Vec<&Code> = areas.into_iter().flatten().collect();
    all.sort_by_key(|code| code.code);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::reach::Broken;
    use std::time::Duration;

    #[test]
    fn no_code_is_given_twice() {
        assert!(all().windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(all().iter().all(|code| code.code.len() == 4 && code.code.starts_with('D')));
    }

    #[test]
    fn whatever_can_be_broken_has_a_code_that_is_explained() {
        let broken = [
            Broken::OneKey,
            Broken::AskedAndHungUp,
            Broken::Round { from: 0 },
            Broken::HelpTooLate(Duration::ZERO),
            Broken::HungUp,
            Broken::Stuck,
            Broken::FlaggedAsked,
            Broken::ToldTooLate(Duration::ZERO),
        ];
        for what in broken {
            assert!(all().iter().any(|code| code.code == what.code()), "{what:?} is told as {}", what.code());
        }
    }
}
