//! From a file's text to sections: every syntax error is told, and what can still be read is read.
//!
//! The TOML parser recovers from some errors and gives up after others, so an erroneous line is blanked (with spaces:
//! all positions stay) and the text is parsed again until nothing is wrong. What a blanked line took away is not
//! reported as missing afterwards: its section is marked as damaged.

use crate::diagnostic::{Diagnostic, Span, boundary};
use crate::ids::StepName;
use crate::target::{StepKind, StepRef};
use std::ops::Range;
use toml::de::DeTable;

/// Syntax errors told of one file; what is wrong after that many is a consequence, or another kind of file.
const TOLD_MAX: usize = 50;
/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: usize = 1 << 20;

/// A file whose text the parser takes.
pub(super) struct Source {
    pub path: String,
    /// As long as the file, erroneous lines blanked.
    pub text: String,
    /// Sections (from header to header) of which a part could not be read.
    damaged: Vec<Range<usize>>,
    /// Names in the headers of sections that could not be read at all.
    pub hinted: Vec<StepRef>,
}

impl Source {
    /// Reads one file, telling all that is wrong with its syntax.
    pub fn new(path: &str, text: &str, told: &mut Vec<Diagnostic>) -> Source {
        let mut source = Source { path: path.to_owned(), text: text.to_owned(), damaged: vec![], hinted: vec![] };
        if text.len() > FILE_BYTES_MAX {
            told.push(
                Diagnostic::error("D001", format!("`{path}` is larger than 1 MiB"))
                    .help("a dialplan is a folder of files: move some sections to another file of the same folder"),
            );
            source.damage(0..text.len());
            source.blank(0..text.len());
            return source;
        }
        source.find_bare_hash(told);
        source.find_unclosed_lists(told);
        for _ in 0..TOLD_MAX {
            let (_, errors) = DeTable::parse_recoverable(&source.text);
            let first = errors.iter().min_by_key(|error| error.span().map_or(0, |span| span.start));
            let Some(error) = first else { return source };
            let at = error.span().unwrap_or_default();
            let message = error.message().to_owned();
            source.tell(at, &message, told);
        }
        let rest = 0..source.text.len();
        if !DeTable::parse_recoverable(&source.text).1.is_empty() {
            source.damage(rest.clone());
            source.blank(rest);
        }
        source
    }

    pub fn is_damaged(&self, at: usize) -> bool {
        self.damaged.iter().any(|range| range.contains(&at))
    }

    pub fn any_damage(&self) -> bool {
        !self.damaged.is_empty()
    }

    pub fn span(&self, range: Range<usize>) -> Span {
        Span { file: self.path.clone(), start: range.start, end: range.end }
    }

    /// `# = "..."` in a menu: to TOML a comment, to its author the hash key.
    fn find_bare_hash(&self, told: &mut Vec<Diagnostic>) {
        let mut in_menu = false;
        let mut at = 0;
        for line in self.text.split_inclusive('\n') {
            let words = line.trim();
            if words.starts_with('[') {
                in_menu = words.starts_with("[menu.");
            } else if in_menu && let Some(rest) = words.strip_prefix('#') {
                let value = rest.trim_start().strip_prefix('=').map(str::trim_start);
                if value.is_some_and(|value| value.starts_with(['"', '\''])) {
                    let hash = at + line.len() - line.trim_start().len();
                    told.push(bare_key(&self.span(hash..hash + 1), '#'));
                }
            }
            at += line.len();
        }
    }

    /// Lists without `]`: the parser would read all that follows as parts of them. A line that begins as a section or a
    /// setting does is none of a list's (dialplans have no lists in lists).
    fn find_unclosed_lists(&mut self, told: &mut Vec<Diagnostic>) {
        let mut unclosed: Vec<(usize, Range<usize>)> = Vec::new();
        let mut open: Option<(usize, usize)> = None;
        let mut at = 0;
        for line in self.text.split_inclusive('\n') {
            if let Some((bracket, start)) = open.filter(|_| begins_anew(line)) {
                unclosed.push((bracket, start..at));
                open = None;
            }
            let marks = brackets(line);
            let value = line.find('=').map_or(line.len(), |equals| equals + 1);
            let opens = line[value..].trim_start().starts_with('[') && begins_anew(line);
            if open.is_none() && opens {
                let bracket = at + value + line[value..].find('[').unwrap_or(0);
                open = Some((bracket, at));
            }
            if marks.contains(&']') {
                open = None;
            }
            at += line.len();
        }
        unclosed.extend(open.map(|(bracket, start)| (bracket, start..at)));
        for (bracket, range) in unclosed {
            told.push(
                Diagnostic::error("D001", "this list is not closed")
                    .at(&self.span(bracket..bracket + 1), "the list that begins here has no `]`")
                    .help("close the list, as in `say = [\"welcome\", \"main-menu\"]`"),
            );
            self.take_out(range);
        }
    }

    /// Tells one error of the parser and takes what is wrong out of the text.
    fn tell(&mut self, at: Range<usize>, message: &str, told: &mut Vec<Diagnostic>) {
        let line = self.line_at(at.start);
        let words = self.text[line.clone()].trim();
        let is_header = words.starts_with('[');
        if words.starts_with('*') && words[1..].trim_start().starts_with('=') {
            let star = line.start + self.text[line.clone()].find('*').unwrap_or(0);
            told.push(bare_key(&self.span(star..star + 1), '*'));
            return self.take_out(line);
        }
        if message == "duplicate key" {
            told.push(self.twice(at, &line, is_header));
            return self.take_out(if is_header { self.section_at(line.start) } else { line });
        }
        let (said, label, help) = in_our_words(message, self.text[at.clone()].trim());
        // An empty place lies behind the word that is wrong: show the word.
        let place = match at.is_empty() {
            true if message.ends_with("expected `\"`") || message.ends_with("expected `'`") => {
                let quote = self.text[line.start..at.start.min(line.end)].rfind(['"', '\'']).unwrap_or(0);
                line.start + quote..line.end
            }
            true => self.word_before(at.start, &line),
            false => at,
        };
        told.push(Diagnostic::error("D001", said).at(&self.span(place), label).help(help));
        self.take_out(if is_header { self.section_at(line.start) } else { line });
    }

    /// The same key, or the same section, a second time in this file.
    fn twice(&self, at: Range<usize>, line: &Range<usize>, is_header: bool) -> Diagnostic {
        let key = self.text[at.clone()].to_owned();
        let words = self.text[line.clone()].trim();
        let from = if is_header { 0 } else { self.section_at(line.start).start };
        let mut first = None;
        let mut offset = from;
        for earlier in self.text[from..line.start].split_inclusive('\n') {
            let same = if is_header {
                earlier.split('#').next().unwrap_or("").trim() == words.split('#').next().unwrap_or("").trim()
            } else {
                earlier.split('=').next().unwrap_or("").trim() == key
            };
            if same && earlier.contains(if is_header { '[' } else { '=' }) {
                let start = offset + earlier.find(&key).unwrap_or(0);
                first = Some(start..start + key.len());
            }
            offset += earlier.len();
        }
        let (message, help) = match is_header {
            true => {
                (format!("the section `{words}` is written twice"), "give one of the two another name, or join them")
            }
            false => (format!("`{key}` is written twice in one section"), "keep one of the two lines"),
        };
        let told = Diagnostic::error("D012", message)
            .at(&self.span(at), "nobody can say which of the two callers are to meet")
            .help(help);
        match first {
            Some(first) => told.also(&self.span(first), "first written here"),
            None => told,
        }
    }

    /// The line that holds this byte, without its end.
    fn line_at(&self, at: usize) -> Range<usize> {
        let at = boundary(&self.text, at);
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |length| at + length);
        start..end
    }

    /// From the last header at or before this byte to the next.
    fn section_at(&self, at: usize) -> Range<usize> {
        let line = self.line_at(at);
        let is_header = |text: &str| text.trim_start().starts_with('[');
        let mut start = 0;
        let mut offset = 0;
        for text in self.text[..line.end].split_inclusive('\n') {
            if is_header(text) {
                start = offset;
            }
            offset += text.len();
        }
        let mut end = line.end;
        for text in self.text[line.end..].split_inclusive('\n') {
            if is_header(text) {
                break;
            }
            end += text.len();
        }
        start..end
    }

    fn word_before(&self, at: usize, line: &Range<usize>) -> Range<usize> {
        let before = self.text[..at.clamp(line.start, line.end)].trim_end();
        let word = before.split_whitespace().next_back().unwrap_or("");
        let start = before.len() - word.len();
        if start < before.len() { start..before.len() } else { line.clone() }
    }

    fn take_out(&mut self, range: Range<usize>) {
        let section = self.section_at(range.start);
        let covered = section.start..section.end.max(range.end);
        let hints: Vec<StepRef> = self.text[covered.clone()].lines().filter_map(header_name).collect();
        self.hinted.extend(hints);
        self.damage(covered);
        self.blank(range);
    }

    fn damage(&mut self, range: Range<usize>) {
        self.damaged.push(range.start..range.end + 1);
    }

    /// Spaces instead of all but line ends; every position stays.
    fn blank(&mut self, range: Range<usize>) {
        let mut blanked = String::with_capacity(self.text.len());
        blanked.push_str(&self.text[..range.start]);
        blanked.extend(self.text[range.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        blanked.push_str(&self.text[range.end..]);
        self.text = blanked;
    }
}

/// Whether a line begins a section or a setting.
fn begins_anew(line: &str) -> bool {
    let words = line.trim_start();
    let key = words.split_once('=').map_or("", |(key, _)| key.trim());
    let is_key = |letter: char| letter.is_alphanumeric() || "-_.*#".contains(letter);
    words.starts_with('[') || (!key.is_empty() && key.trim_matches('"').chars().all(is_key))
}

/// The brackets of a line that stand in no quotes and no remark.
fn brackets(line: &str) -> Vec<char> {
    let mut quote = None;
    let mut found = Vec::new();
    for letter in line.chars() {
        match (quote, letter) {
            (None, '#') => break,
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, '[' | ']') => found.push(letter),
            _ => {}
        }
    }
    found
}

/// The step of a header line, whether or not it is closed.
fn header_name(line: &str) -> Option<StepRef> {
    let inner = line.trim().strip_prefix('[')?;
    let inner = inner.split([']', '#']).next()?.trim();
    let (kind, name) = inner.split_once('.')?;
    Some(StepRef { kind: StepKind::from_word(kind.trim())?, name: StepName::new(name.trim().trim_matches('"')) })
}

/// `#` or `*` written as a menu's key.
pub(super) fn bare_key(span: &Span, key: char) -> Diagnostic {
    let (word, why) = match key {
        '#' => {
            ("hash", "a bare `#` begins a remark in these files, so callers who press # would hear \"not understood\"")
        }
        _ => ("star", "a bare `*` cannot be read here, so callers who press * would hear \"not understood\""),
    };
    Diagnostic::error("D002", format!("the key {key} of a menu is written `{word}`"))
        .at(span, why)
        .help(format!("type `{word} = ...` instead of `{key} = ...`"))
}

/// The parser's words as an administrator's: message, label, help.
fn in_our_words(message: &str, found: &str) -> (String, String, String) {
    let (said, label, help) = match message {
        _ if message.starts_with("string values must be quoted") => (
            "the value after `=` must stand in quotes".to_owned(),
            "this cannot be read without quotes",
            if found.is_empty() {
                "write a value after `=`, such as \"menu bills\"".to_owned()
            } else {
                format!("type \"{}\" with straight quotes", found.trim_matches(['“', '”', '„', '‘', '’', '\'', '"']))
            },
        ),
        _ if message.starts_with("invalid basic string") || message.starts_with("invalid literal string") => (
            "a quote is opened and not closed in this line".to_owned(),
            "the closing quote is missing",
            "close the quotes: each text begins and ends with \"".to_owned(),
        ),
        _ if message.starts_with("key with no value") => (
            "there is no `=` in this line".to_owned(),
            "this line says nothing that can be read",
            "write `key = value`, or begin the line with # to make it a remark".to_owned(),
        ),
        _ if message.starts_with("unclosed table") => (
            "the section's name is not closed".to_owned(),
            "callers would never get to this section",
            "close the brackets, as in `[menu.main]`".to_owned(),
        ),
        _ if message.starts_with("missing comma") => (
            "a comma is missing in this list".to_owned(),
            "a comma must follow this",
            "put a comma between the parts of a list, as in `[\"welcome\", \"main-menu\"]`".to_owned(),
        ),
        _ if message.starts_with("invalid unquoted key") => (
            format!("`{found}` cannot stand here"),
            "left of `=` only letters, digits, `-` and `_` can be read",
            "write `key = value`, or begin the line with # to make it a remark".to_owned(),
        ),
        _ => (
            format!("this cannot be read ({message})"),
            "this line would be left out",
            "write `key = value`, a section such as `[menu.main]`, or begin the line with # to make it a remark"
                .to_owned(),
        ),
    };
    (said, label.to_owned(), help)
}
