//! Sections and keys of `onekey.toml`, each asked for once; what was never asked for is an unknown key.

use super::value::Value;
use crate::diagnostic::{Diagnostic, Severity, Span};
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// All that is wrong with one file.
pub(super) struct Problems {
    file: String,
    pub(super) list: Vec<Diagnostic>,
    /// Every `section.key` that was asked for: what there is to be documented.
    pub(super) known: BTreeSet<String>,
}

impl Problems {
    pub(super) fn new(file: &str) -> Problems {
        Problems { file: file.to_owned(), list: Vec::new(), known: BTreeSet::new() }
    }

    /// Adds an error; returns it for a help to be added.
    pub(super) fn tell(
        &mut self,
        code: &'static str,
        span: Option<Range<usize>>,
        message: String,
        label: &str,
    ) -> &mut Diagnostic {
        let span = span.map(|at| Span { file: self.file.clone(), start: at.start, end: at.end });
        let severity = Severity::Error;
        let diagnostic = Diagnostic {
            code,
            severity,
            message,
            span,
            label: label.to_owned(),
            related: Vec::new(),
            help: None,
            call: None,
        };
        self.list.push(diagnostic);
        let last = self.list.len() - 1;
        &mut self.list[last]
    }
}

/// One table of the file, or the defaults where it is missing.
pub(super) struct Section<'a> {
    /// Empty for the file's top.
    name: String,
    table: Option<&'a DeTable<'a>>,
    at: Range<usize>,
    keys: Vec<&'static str>,
    sections: Vec<&'static str>,
}

impl<'a> Section<'a> {
    pub(super) fn root(table: &'a DeTable<'a>) -> Section<'a> {
        Section { name: String::new(), table: Some(table), at: 0..0, keys: Vec::new(), sections: Vec::new() }
    }

    /// Puts the key's value into `slot`, if it is there and right. Returns where its value stands.
    pub(super) fn read<T: Value>(
        &mut self,
        key: &'static str,
        slot: &mut T,
        problems: &mut Problems,
    ) -> Option<Range<usize>> {
        self.keys.push(key);
        problems.known.insert(if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) });
        let value = self.table?.get(key)?;
        match T::read(value) {
            Ok(read) => *slot = read,
            Err(wrong) => {
                let message = format!("`{key}` {}", wrong.message);
                problems.tell(wrong.code, Some(wrong.at), message, "not used");
            }
        }
        Some(value.span())
    }

    /// As [`read`](Self::read); a missing key is an error.
    pub(super) fn need<T: Value>(&mut self, key: &'static str, slot: &mut T, problems: &mut Problems) {
        if self.read(key, slot, problems).is_none() && self.table.is_some() {
            let message = format!("`[[{}]]` needs the key `{key}`", self.name);
            problems.tell("C006", Some(self.at.clone()), message, "here");
        }
    }

    /// `[name]`
    pub(super) fn section(&mut self, name: &'static str, problems: &mut Problems) -> Section<'a> {
        self.sections.push(name);
        let found = self.table.and_then(|table| table.get(name));
        let table = found.and_then(|value| value.get_ref().as_table());
        if let (Some(value), None) = (found, table) {
            problems.tell("C004", Some(value.span()), format!("`{name}` is a section: write `[{name}]`"), "not used");
        }
        let at = found.map_or(0..0, Spanned::span);
        Section { name: name.to_owned(), table, at, keys: Vec::new(), sections: Vec::new() }
    }

    /// Each `[[name]]`
    pub(super) fn sections(&mut self, name: &'static str, problems: &mut Problems) -> Vec<Section<'a>> {
        self.sections.push(name);
        let Some(value) = self.table.and_then(|table| table.get(name)) else { return Vec::new() };
        let each = value.get_ref().as_array().map(|array| array.iter().collect::<Vec<_>>()).unwrap_or_default();
        let mut found = Vec::new();
        for item in &each {
            if let DeValue::Table(table) = item.get_ref() {
                let (keys, sections) = (Vec::new(), Vec::new());
                found.push(Section { name: name.to_owned(), table: Some(table), at: item.span(), keys, sections });
            }
        }
        if found.is_empty() || found.len() < each.len() {
            let message = format!("there may be several of `{name}`: write `[[{name}]]`");
            problems.tell("C004", Some(value.span()), message, "not used");
        }
        found
    }

    /// Where the section stands.
    pub(super) fn place(&self) -> Range<usize> {
        self.at.clone()
    }

    /// Tells something about the section as a whole.
    pub(super) fn tell(&self, code: &'static str, message: String, problems: &mut Problems) {
        problems.tell(code, Some(self.place()), message, "here");
    }

    /// Tells what was written and never asked for.
    pub(super) fn finish(&self, problems: &mut Problems) {
        for (key, value) in self.table.into_iter().flatten() {
            let word: &str = key.get_ref();
            if self.keys.contains(&word) || self.sections.contains(&word) {
                continue;
            }
            let is_section = self.name.is_empty() && (value.get_ref().is_table() || value.get_ref().is_array());
            let (code, known, what) = if is_section {
                ("C002", &self.sections, format!("there is no section `{word}`"))
            } else if self.name.is_empty() {
                ("C003", &self.keys, format!("there is no key `{word}` before the first section"))
            } else {
                ("C003", &self.keys, format!("there is no key `{word}` in [{}]", self.name))
            };
            let help = near(word, known).map(|near| format!("did you mean `{near}`?"));
            problems.tell(code, Some(key.span()), what, "not known").help = help;
        }
    }
}

/// The known word that `word` is probably meant to be.
fn near(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let nearest = known.iter().map(|each| (distance(word, each), *each)).min()?;
    // Two, so that two letters in each other's place are near.
    (nearest.0 <= (word.chars().count() / 3).max(2)).then_some(nearest.1)
}

/// How many letters must be changed, added or taken away (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (at, second) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *second);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
