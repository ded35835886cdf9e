//! One section of a file, read key by key: each wrong value is told where it stands, and a default stands in for it.
//!
//! Knows the forms of values (texts, durations, numbers, targets), not what any section means.

use super::near::near;
use super::syntax::Source;
use crate::diagnostic::{Diagnostic, Span};
use crate::ids::StepName;
use crate::target::{StepKind, StepRef};
use serde_spanned::Spanned;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// A text value with its place.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub value: String,
    /// The value without its quotes.
    pub span: Span,
    /// Whether the file holds the value letter by letter, so that a part of it can be pointed at.
    literal: bool,
}

impl Text {
    /// A default, which stands nowhere; `span` is where it could be written.
    pub fn standing_for(value: &str, span: &Span) -> Text {
        Text { value: value.to_owned(), span: span.clone(), literal: false }
    }

    /// The place of some bytes of the value.
    pub fn part(&self, range: Range<usize>) -> Span {
        if !self.literal {
            return self.span.clone();
        }
        Span { start: self.span.start + range.start, end: self.span.start + range.end, ..self.span.clone() }
    }

    /// The place of a word that is a slice of `self.value`.
    pub fn word(&self, word: &str) -> Span {
        let at = (word.as_ptr() as usize).wrapping_sub(self.value.as_ptr() as usize);
        let inside = at.checked_add(word.len()).is_some_and(|end| end <= self.value.len());
        if inside { self.part(at..at + word.len()) } else { self.span.clone() }
    }
}

/// A target as it is written: `back` is not resolved yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Written {
    Step(StepRef),
    Repeat,
    Back,
    Start,
    Human,
}

/// A target with its place.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    pub written: Written,
    /// The whole target.
    pub span: Span,
    /// The name in it.
    pub name: Span,
    /// `back` is what is written, also where `written` has become the menu that it leads to.
    pub is_back: bool,
}

/// One `[kind.name]`.
pub(super) struct Section<'t> {
    pub source: &'t Source,
    pub name: String,
    /// The name in the header.
    pub name_span: Span,
    /// `menu main`, for messages.
    pub said: String,
    /// A part of it could not be read: nothing is to be called missing.
    pub damaged: bool,
    left: Vec<(&'t Spanned<toml::de::DeString<'t>>, &'t Spanned<DeValue<'t>>)>,
    known: Vec<&'static str>,
}

impl<'t> Section<'t> {
    pub fn new(source: &'t Source, said: String, name: &str, name_at: Range<usize>, table: &'t DeTable<'t>) -> Self {
        let mut left: Vec<_> = table.iter().collect();
        left.sort_by_key(|(key, _)| key.span().start);
        Section {
            source,
            name: name.to_owned(),
            damaged: source.is_damaged(name_at.start),
            name_span: source.span(name_at),
            said,
            left,
            known: Vec::new(),
        }
    }

    /// A key's value; the key counts as known from here on.
    pub fn take(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.push(key);
        let at = self.left.iter().position(|(written, _)| written.get_ref() == key)?;
        Some(self.left.remove(at).1)
    }

    /// Words that may stand here besides those that are taken by name; for the message of a word that may not.
    pub fn may_hold(&mut self, words: &[&'static str]) {
        self.known.extend(words);
    }

    pub fn has(&self, key: &str) -> bool {
        self.left.iter().any(|(written, _)| written.get_ref() == key)
    }

    /// All keys that are not taken yet and that `wanted` takes, with their places.
    pub fn take_all<K>(&mut self, wanted: impl Fn(&str) -> Option<K>) -> Vec<(K, Span, &'t Spanned<DeValue<'t>>)> {
        let mut taken = Vec::new();
        let source = self.source;
        self.left.retain(|(key, value)| match wanted(key.get_ref()) {
            Some(kind) => {
                taken.push((kind, source.span(key.span()), *value));
                false
            }
            None => true,
        });
        taken
    }

    pub fn text(&mut self, key: &'static str, told: &mut Vec<Diagnostic>) -> Option<Text> {
        let value = self.take(key)?;
        self.as_text(key, value, told)
    }

    pub fn as_text(&self, key: &str, value: &Spanned<DeValue<'_>>, told: &mut Vec<Diagnostic>) -> Option<Text> {
        let DeValue::String(text) = value.get_ref() else {
            told.push(self.wrong_type(key, value, "a text in quotes"));
            return None;
        };
        let span = value.span();
        let inner = span.start + 1..span.end.saturating_sub(1).max(span.start + 1);
        let literal = self.source.text.get(inner.clone()) == Some(text.as_ref());
        let span = self.source.span(if literal { inner } else { span });
        Some(Text { value: text.to_string(), span, literal })
    }

    /// A list of texts; one text alone is taken as a list of one.
    pub fn texts(&mut self, key: &'static str, told: &mut Vec<Diagnostic>) -> Option<Vec<Text>> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::String(_) => Some(self.as_text(key, value, told).into_iter().collect()),
            DeValue::Array(parts) => Some(parts.iter().filter_map(|part| self.as_text(key, part, told)).collect()),
            _ => {
                told.push(self.wrong_type(key, value, "a list of texts, such as [\"one\", \"two\"]"));
                Some(Vec::new())
            }
        }
    }

    pub fn flag(&mut self, key: &'static str, default: bool, told: &mut Vec<Diagnostic>) -> bool {
        let Some(value) = self.take(key) else { return default };
        match value.get_ref() {
            DeValue::Boolean(flag) => *flag,
            _ => {
                told.push(self.wrong_type(key, value, "true or false, without quotes"));
                default
            }
        }
    }

    pub fn count(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
        told: &mut Vec<Diagnostic>,
    ) -> u32 {
        let Some(value) = self.take(key) else { return default };
        let DeValue::Integer(written) = value.get_ref() else {
            told.push(self.wrong_type(key, value, "a whole number, without quotes"));
            return default;
        };
        match u32::from_str_radix(written.as_str(), written.radix()) {
            Ok(count) if range.contains(&count) => count,
            _ => {
                let limits = format!("{} to {}", range.start(), range.end());
                told.push(out_of_range(key, &self.source.span(value.span()), &limits, &default.to_string()));
                default
            }
        }
    }

    /// A length of time. `range` and `default` in seconds.
    pub fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
        told: &mut Vec<Diagnostic>,
    ) -> Duration {
        let default = Duration::from_secs(default);
        let Some(value) = self.take(key) else { return default };
        let span = self.source.span(value.span());
        let DeValue::String(text) = value.get_ref() else {
            let help = match value.get_ref() {
                DeValue::Integer(number) => format!("type `{key} = \"{}s\"` for seconds", number.as_str()),
                _ => format!("type a length of time in quotes, such as `{key} = \"5s\"`"),
            };
            told.push(bad_duration(key, &span, help));
            return default;
        };
        let Some(length) = read_duration(text) else {
            told.push(bad_duration(key, &span, near_duration(key, text)));
            return default;
        };
        let (least, most) = (Duration::from_secs(*range.start()), Duration::from_secs(*range.end()));
        if length < least || length > most {
            let limits = format!("{} to {}", say_duration(least), say_duration(most));
            told.push(out_of_range(key, &span, &limits, &format!("\"{}\"", say_duration(default))));
            return default;
        }
        length
    }

    /// A table inside the section: each name with its place and value, in the order written.
    pub fn table(
        &mut self,
        key: &'static str,
        told: &mut Vec<Diagnostic>,
    ) -> Vec<(String, Span, &'t Spanned<DeValue<'t>>)> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            told.push(self.wrong_type(key, value, "names with values, such as { name = \"value\" }"));
            return Vec::new();
        };
        let mut rows: Vec<_> = table.iter().collect();
        rows.sort_by_key(|(name, _)| name.span().start);
        rows.into_iter()
            .map(|(name, value)| (name.get_ref().to_string(), self.source.span(name.span()), value))
            .collect()
    }

    pub fn target(&mut self, key: &'static str, told: &mut Vec<Diagnostic>) -> Option<Aim> {
        let value = self.take(key)?;
        self.as_target(key, value, told)
    }

    pub fn as_target(&self, key: &str, value: &Spanned<DeValue<'_>>, told: &mut Vec<Diagnostic>) -> Option<Aim> {
        let text = self.as_text(key, value, told)?;
        match read_target(&text) {
            Ok(aim) => Some(aim),
            Err(diagnostic) => {
                told.push(*diagnostic);
                None
            }
        }
    }

    /// Tells every key that nothing has asked for.
    pub fn finish(self, told: &mut Vec<Diagnostic>) {
        for (key, _) in &self.left {
            let word = key.get_ref();
            let message = format!("{} has no setting `{word}`", self.said);
            let diagnostic =
                Diagnostic::error("D004", message).at(&self.source.span(key.span()), "nothing would be done with it");
            told.push(match near(word, self.known.iter().copied()) {
                Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
                None => diagnostic.help(format!("what can stand here: {}", self.known.join(", "))),
            });
        }
    }

    pub fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) -> Diagnostic {
        let found = match value.get_ref() {
            DeValue::String(_) => "a text in quotes",
            DeValue::Integer(_) | DeValue::Float(_) => "a number without quotes",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date without quotes",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a section of its own",
        };
        let written = self.source.text.get(value.span()).unwrap_or("");
        let diagnostic = Diagnostic::error("D005", format!("`{key}` of {} must be {wanted}", self.said))
            .at(&self.source.span(value.span()), format!("this is {found}"));
        let bare = |text: &str| matches!(text, "true" | "false") || text.parse::<u32>().is_ok();
        match value.get_ref() {
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) if wanted.contains("text") => {
                diagnostic.help(format!("put it in quotes: \"{written}\""))
            }
            DeValue::String(text) if bare(text) && wanted.contains("without quotes") => {
                diagnostic.help(format!("leave out the quotes: `{key} = {text}`"))
            }
            _ => diagnostic.help(format!("write {wanted}")),
        }
    }
}

/// `20 seconds` is `20s`.
fn near_duration(key: &str, text: &str) -> String {
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit.trim().to_lowercase() {
        unit if unit.is_empty() || unit.starts_with("se") => "s",
        unit if unit.starts_with("mi") && unit.contains("sec") => "ms",
        unit if unit.starts_with("mi") => "m",
        unit if unit.starts_with("ho") => "h",
        _ => return format!("type a number and a unit (ms, s, m or h) in quotes, such as `{key} = \"5s\"`"),
    };
    match number {
        "" => format!("type a number and a unit (ms, s, m or h) in quotes, such as `{key} = \"5s\"`"),
        _ => format!("type `{key} = \"{number}{unit}\"`"),
    }
}

fn bad_duration(key: &str, span: &Span, help: String) -> Diagnostic {
    Diagnostic::error("D006", format!("`{key}` is a length of time"))
        .at(span, "nobody can say how long this is")
        .help(help)
}

fn out_of_range(key: &str, span: &Span, limits: &str, default: &str) -> Diagnostic {
    Diagnostic::error("D007", format!("`{key}` must be from {limits}"))
        .at(span, "callers could not be served well with this")
        .help(format!("the default is good: leave the line out, or type `{key} = {default}`"))
}

/// `5s`, `500ms`, `2m`, `1h`, `2.5s`.
pub(super) fn read_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit_at = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at(unit_at);
    let millis: u64 = match unit.trim() {
        "ms" => 1,
        "s" | "sec" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if part.len() > 3 || (number.contains('.') && part.is_empty()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = if part.is_empty() { 0 } else { format!("{part:0<3}").parse().ok()? };
    let total = whole.checked_mul(millis)?.checked_add(part * millis / 1000)?;
    Some(Duration::from_millis(total))
}

/// As an administrator would write it.
pub(super) fn say_duration(length: Duration) -> String {
    let millis = length.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1000) => format!("{}s", millis / 1000),
        _ => format!("{:.1}s", length.as_secs_f64()),
    }
}

/// `menu bills`, or one word. Boxed: a diagnostic is large and rare.
pub(super) fn read_target(text: &Text) -> Result<Aim, Box<Diagnostic>> {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    let word = |written| {
        let is_back = written == Written::Back;
        Ok(Aim { written, span: text.span.clone(), name: text.span.clone(), is_back })
    };
    match words[..] {
        ["repeat"] => word(Written::Repeat),
        ["back"] => word(Written::Back),
        ["start"] => word(Written::Start),
        ["human"] => word(Written::Human),
        [kind, name] => match StepKind::from_word(kind) {
            Some(kind) => {
                let written = Written::Step(StepRef { kind, name: StepName::new(name) });
                Ok(Aim { written, span: text.span.clone(), name: text.word(name), is_back: false })
            }
            None => Err(Box::new(not_a_target(text, &words))),
        },
        _ => Err(Box::new(not_a_target(text, &words))),
    }
}

fn not_a_target(text: &Text, words: &[&str]) -> Diagnostic {
    const KINDS: [&str; 12] = StepKind::WORDS;
    const ALONE: [&str; 4] = ["repeat", "back", "start", "human"];
    let diagnostic = Diagnostic::error("D009", format!("`{}` is not a place that a call can go to", text.value))
        .at(&text.span, "callers would be sent to a person instead");
    let meant = match words {
        [word] => match word.split_once(['.', ':', '/', '=']) {
            Some((kind, name)) if KINDS.contains(&kind) && !name.is_empty() => Some(format!("{kind} {name}")),
            _ => near(word, ALONE).map(str::to_owned),
        },
        [kind, name] => near(kind, KINDS).map(|kind| format!("{kind} {name}")),
        _ => None,
    };
    match (meant, words) {
        (Some(meant), _) => diagnostic.help(format!("did you mean \"{meant}\"?")),
        (None, [name]) => diagnostic.help(format!(
            "write the kind before the name, such as \"menu {name}\" or \"play {name}\", or one of: {}",
            ALONE.join(", ")
        )),
        (None, _) => diagnostic.help(format!(
            "write a kind and a name, such as \"menu main\" (kinds: {}), or one of: {}",
            KINDS.join(", "),
            ALONE.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        let good = [("5s", 5000), ("500ms", 500), ("2m", 120_000), ("1h", 3_600_000), ("2.5s", 2500), ("0s", 0)];
        for (text, millis) in good {
            assert_eq!(read_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["5", "s", "", "5 parsecs", "-5s", "5.s", "1.2345s", "99999999999999999999s", "18446744073709551615h", "."]
        {
            assert_eq!(read_duration(text), None, "{text}");
        }
        for millis in [500, 5000, 90_000, 120_000, 3_600_000] {
            let length = Duration::from_millis(millis);
            assert_eq!(read_duration(&say_duration(length)), Some(length));
        }
    }
}
