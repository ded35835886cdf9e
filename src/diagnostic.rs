//! What is wrong with what an administrator wrote: where, what callers would meet, what to type.

/// A place in one file: byte offsets into its text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span {
    pub file: String,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
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
}
