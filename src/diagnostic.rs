//! What is wrong with what an administrator wrote: where, what callers would meet, what to type.
//!
//! One type for the checker, the start, the reload and the console (DESIGN §7); drawn for a terminal, with carets on the
//! characters, or given as JSON. The only file that names `annotate_snippets`.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

/// A place in one file: byte offsets into its text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span {
    pub file: String,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The dialplan is refused.
    Error,
    /// The dialplan is taken, and this is said.
    Warning,
}

/// One message. `code` is stable (`D012`) and explained by `onekey explain`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    pub span: Option<Span>,
    /// Beside the caret: what callers would meet.
    pub label: String,
    /// Other places that matter, each with a remark.
    pub related: Vec<(Span, String)>,
    /// What to type.
    pub help: Option<String>,
    /// The shortest call that shows it, as a `.call` file.
    pub call: Option<String>,
}

impl Diagnostic {
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        let message = message.into();
        Diagnostic {
            code,
            severity: Severity::Error,
            message,
            span: None,
            label: String::new(),
            related: Vec::new(),
            help: None,
            call: None,
        }
    }

    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message) }
    }

    /// Where it is, and what callers would meet.
    pub fn at(mut self, span: &Span, label: impl Into<String>) -> Diagnostic {
        self.span = Some(span.clone());
        self.label = label.into();
        self
    }

    /// Another place that matters.
    pub fn also(mut self, span: &Span, remark: impl Into<String>) -> Diagnostic {
        self.related.push((span.clone(), remark.into()));
        self
    }

    /// The shortest call that shows it.
    pub fn shown_by(mut self, call: String) -> Diagnostic {
        self.call = Some(call);
        self
    }

    /// What to type.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }
}

/// Draws the messages for a terminal, one after another, an empty line after each. `files` are path and text, as given
/// to the loader; a place in a file that is not among them is named without its text.
pub fn draw(diagnostics: &[Diagnostic], files: &[(String, String)], colours: bool) -> String {
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    // Wide enough that no line of a dialplan is cut; the terminal folds it.
    let renderer = renderer.term_width(400);
    let mut drawing = String::new();
    for diagnostic in diagnostics {
        drawing.push_str(&renderer.render(&[group(diagnostic, files)]));
        drawing.push_str("\n\n");
    }
    drawing
}

fn group<'a>(diagnostic: &'a Diagnostic, files: &'a [(String, String)]) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message).id(diagnostic.code));
    let mut places: Vec<(AnnotationKind, &Span, &str)> = Vec::new();
    if let Some(span) = &diagnostic.span {
        places.push((AnnotationKind::Primary, span, &diagnostic.label));
    }
    places.extend(diagnostic.related.iter().map(|(span, remark)| (AnnotationKind::Context, span, remark.as_str())));
    let mut drawn: Vec<&str> = Vec::new();
    for (_, place, _) in &places {
        let Some((path, text)) = files.iter().find(|(path, _)| *path == place.file) else { continue };
        if drawn.contains(&path.as_str()) {
            continue;
        }
        drawn.push(path);
        let here = places.iter().filter(|(_, span, _)| span.file == *path);
        let marks = here.map(|(kind, span, label)| {
            let mark = kind.span(within(text, span));
            if label.is_empty() { mark } else { mark.label(*label) }
        });
        group = group.element(Snippet::source(text).path(path).annotations(marks));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    match &diagnostic.call {
        Some(call) => {
            group.element(Level::NOTE.message(format!("the shortest call that shows it\n\n{}", call.trim_end())))
        }
        None => group,
    }
}

/// The span's bytes, moved to character boundaries that the text has.
fn within(text: &str, span: &Span) -> std::ops::Range<usize> {
    let start = boundary(text, span.start);
    let end = boundary(text, span.end).max(start);
    start..end
}

/// The last character boundary at or before this byte.
pub(crate) fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The messages as a JSON array, for tools and the console's editor. Lines and columns count from 1, columns in
/// characters; `end` is the first character that is not part of the place.
pub fn to_json(diagnostics: &[Diagnostic], files: &[(String, String)]) -> String {
    let shown: Vec<Shown<'_>> = diagnostics.iter().map(|diagnostic| shown(diagnostic, files)).collect();
    serde_json::to_string_pretty(&shown).expect("plain text and numbers are always JSON")
}

#[derive(Serialize)]
struct Shown<'a> {
    code: &'a str,
    severity: Severity,
    message: &'a str,
    place: Option<Place<'a>>,
    label: &'a str,
    related: Vec<Related<'a>>,
    help: Option<&'a str>,
    call: Option<&'a str>,
}

#[derive(Serialize)]
struct Related<'a> {
    place: Place<'a>,
    remark: &'a str,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    byte: usize,
    line: usize,
    column: usize,
}

fn shown<'a>(diagnostic: &'a Diagnostic, files: &'a [(String, String)]) -> Shown<'a> {
    let related = diagnostic.related.iter().map(|(span, remark)| Related { place: place(span, files), remark });
    Shown {
        code: diagnostic.code,
        severity: diagnostic.severity,
        message: &diagnostic.message,
        place: diagnostic.span.as_ref().map(|span| place(span, files)),
        label: &diagnostic.label,
        related: related.collect(),
        help: diagnostic.help.as_deref(),
        call: diagnostic.call.as_deref(),
    }
}

fn place<'a>(span: &'a Span, files: &[(String, String)]) -> Place<'a> {
    let text = files.iter().find(|(path, _)| *path == span.file).map_or("", |(_, text)| text);
    let range = within(text, span);
    let position = |byte: usize| {
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position { byte, line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    };
    Place { file: &span.file, start: position(range.start), end: position(range.end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<(String, String)> {
        vec![("a.toml".to_owned(), "[menu.é]\n2 = \"menu suport\"\n".to_owned())]
    }

    fn span(start: usize, end: usize) -> Span {
        Span { file: "a.toml".to_owned(), start, end }
    }

    #[test]
    fn json_counts_lines_and_columns_from_one_and_columns_in_characters() {
        let diagnostic =
            Diagnostic::error("D010", "no such menu").at(&span(20, 26), "callers").also(&span(6, 8), "here");
        let json: serde_json::Value = serde_json::from_str(&to_json(&[diagnostic], &files())).unwrap();
        assert_eq!(json[0]["severity"], "error");
        assert_eq!(json[0]["place"]["start"], serde_json::json!({ "byte": 20, "line": 2, "column": 11 }));
        assert_eq!(json[0]["related"][0]["place"]["end"]["column"], 8);
        assert_eq!(json[0]["help"], serde_json::Value::Null);
    }

    #[test]
    fn a_place_beyond_the_text_or_inside_a_character_is_drawn_and_does_not_panic() {
        let wild = [span(7, 7), span(500, 900), span(20, 3), Span { file: "gone.toml".to_owned(), start: 1, end: 2 }];
        for span in wild {
            let diagnostic = Diagnostic::warning("D036", "message").at(&span, "label");
            assert!(draw(std::slice::from_ref(&diagnostic), &files(), false).starts_with("warning[D036]: message"));
            to_json(&[diagnostic], &files());
        }
    }

    #[test]
    fn colours_only_when_asked_for() {
        let diagnostic = [Diagnostic::error("D010", "message")];
        assert!(draw(&diagnostic, &files(), true).contains('\u{1b}'));
        assert!(!draw(&diagnostic, &files(), false).contains('\u{1b}'));
    }
}
