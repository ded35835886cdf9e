//! From received bytes to a [`Message`] (RFC 3261 §7, §18.3): tolerant where phones differ, strict where two readings
//! are possible.
//!
//! Forgiven: compact names, folded lines, white space before the colon, bare LF, leading empty lines, bytes that are not
//! UTF-8, unknown methods, schemes and transports. Refused: what leaves open who sent what to whom, or where the
//! message ends. Taking messages out of a TCP stream is left to [`super::framing`].

use super::headers::{NameAddr, Via, is_token, is_uri, number, same_name, split, trim};
use super::message::{HeaderLine, Message, Method, Start};
use std::ops::Range;

/// Why a message cannot be used, and how to say so to its sender.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// What to answer: 400, or 505 for another SIP version.
    pub status: u16,
    pub reason: String,
    /// Byte offset in what was received.
    pub at: usize,
    /// What an answer needs. `None`: drop (a response, an ACK, or nothing to answer by).
    pub respondable: Option<Box<Respondable>>,
}

impl ReadError {
    pub(super) fn new(status: u16, reason: &str) -> ReadError {
        ReadError { status, reason: reason.to_owned(), at: 0, respondable: None }
    }

    fn at(self, at: usize) -> ReadError {
        ReadError { at, ..self }
    }
}

/// As much of an unreadable request as its answer copies (RFC 3261 §8.2.6.2), each as it was written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Respondable {
    /// Each Via line, never empty.
    pub vias: Vec<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub call_id: Option<String>,
    pub cseq: Option<String>,
}

/// Reads one whole message, as a UDP datagram or a TCP frame holds it.
///
/// Content-Length larger than what is there is an error; a shorter one cuts the body (RFC 3261 §18.3).
pub fn read(bytes: Vec<u8>) -> Result<Message, ReadError> {
    let outline = Outline::new(&bytes);
    match outline.message(&bytes) {
        Ok(parts) => Ok(Message {
            bytes,
            head: outline.head,
            lines: outline.lines,
            start: parts.start,
            method: parts.method,
            call_id: parts.call_id,
            cseq: parts.cseq,
            from: parts.from,
            to: parts.to,
            via: parts.via,
            body: parts.body,
        }),
        Err(error) => Err(ReadError { respondable: outline.respondable(), ..error }),
    }
}

/// Where the lines stand, before anything is understood.
struct Outline {
    head: String,
    start: Range<usize>,
    lines: Vec<HeaderLine>,
    body_start: usize,
    /// The first line that is none; the others are still listed, for the answer.
    error: Option<ReadError>,
}

/// What a message must have.
struct Parts {
    start: Start,
    method: Method,
    call_id: Range<usize>,
    cseq: u32,
    from: NameAddr,
    to: NameAddr,
    via: Via,
    body: Range<usize>,
}

impl Outline {
    fn new(bytes: &[u8]) -> Outline {
        let begin = bytes.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(bytes.len());
        let mut outline = Outline {
            head: String::new(),
            start: begin..begin,
            lines: Vec::new(),
            body_start: bytes.len(),
            error: None,
        };
        let mut folds = Vec::new();
        let mut at = begin;
        let ended = loop {
            let Some(length) = bytes[at..].iter().position(|&byte| byte == b'\n') else { break false };
            let end = at + length - usize::from(length > 0 && bytes[at + length - 1] == b'\r');
            let next = at + length + 1;
            if let Some(offset) = bytes[at..end].iter().position(|&byte| byte == b'\r') {
                // Some take it for a line end, and would see other headers than we do.
                outline.fail("a carriage return inside a line", at + offset);
            }
            if at == begin {
                outline.start = at..end;
            } else if at == end {
                outline.body_start = next;
                break true;
            } else if b" \t".contains(&bytes[at]) {
                folds.push(at);
                outline.fold(at, end);
            } else {
                outline.line(bytes, at, end);
            }
            at = next;
        };
        if !ended {
            outline.fail("no empty line after the headers", bytes.len());
        }
        for line in &mut outline.lines {
            line.value = trimmed(bytes, line.value.clone());
        }
        outline.head = text(bytes, outline.body_start, &folds);
        outline
    }

    fn line(&mut self, bytes: &[u8], at: usize, end: usize) {
        let colon = bytes[at..end].iter().position(|&byte| byte == b':').map(|offset| at + offset);
        let Some(colon) = colon else { return self.fail("a header line without a colon", at) };
        let name = trimmed(bytes, at..colon);
        if name.is_empty() || bytes[name.clone()].iter().any(|byte| b" \t".contains(byte)) {
            return self.fail("a header line without a name", at);
        }
        self.lines.push(HeaderLine { name, value: colon + 1..end });
    }

    /// A continuation (RFC 3261 §7.3.1) lengthens the value before it.
    fn fold(&mut self, at: usize, end: usize) {
        match self.lines.last_mut() {
            Some(line) => line.value.end = end,
            None => self.fail("white space before the first header", at),
        }
    }

    fn fail(&mut self, reason: &str, at: usize) {
        self.error.get_or_insert_with(|| ReadError::new(400, reason).at(at));
    }

    fn message(&self, bytes: &[u8]) -> Result<Parts, ReadError> {
        let (start, request_method) = self.start_line()?;
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let (cseq, method) = self.cseq()?;
        if request_method.is_some_and(|named| named != method) {
            return Err(self.error_at("CSeq", "CSeq names another method"));
        }
        let call_id = self.single("Call-ID")?;
        if call_id.is_empty() || self.head[call_id.clone()].contains([' ', '\t', '\r']) {
            return Err(self.error_at("Call-ID", "unreadable Call-ID"));
        }
        Ok(Parts {
            start,
            method,
            call_id,
            cseq,
            from: self.address("From")?,
            to: self.address("To")?,
            via: self.top_via()?,
            body: self.body(bytes)?,
        })
    }

    /// `Request-Line` and `Status-Line` (RFC 3261 §7.1, §7.2): single spaces, so that no two readers see different URIs.
    fn start_line(&self) -> Result<(Start, Option<Method>), ReadError> {
        let line = &self.head[self.start.clone()];
        let bad = |reason: &str| ReadError::new(400, reason).at(self.start.start);
        let (first, rest) = line.split_once(' ').ok_or_else(|| bad("unreadable start line"))?;
        let rest_at = self.start.start + first.len() + 1;
        if first.len() >= 4 && first.as_bytes()[..4].eq_ignore_ascii_case(b"SIP/") {
            check_version(first).map_err(|error| error.at(self.start.start))?;
            // The space before an empty reason phrase is often left out.
            let (digits, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let status = number(digits).filter(|status| digits.len() == 3 && (100..700).contains(status));
            let status = status.ok_or_else(|| bad("unreadable status code"))?;
            let reason = self.start.end - reason.len()..self.start.end;
            return Ok((Start::Response { status, reason }, None));
        }
        let (uri, version) = rest.split_once(' ').ok_or_else(|| bad("unreadable request line"))?;
        if !is_token(first) || !is_uri(uri) {
            return Err(bad("unreadable request line"));
        }
        check_version(version).map_err(|error| error.at(self.start.start))?;
        Ok((Start::Request { uri: rest_at..rest_at + uri.len() }, Some(Method::new(first))))
    }

    /// RFC 3261 §20.16.
    fn cseq(&self) -> Result<(u32, Method), ReadError> {
        let value = trim(&self.head[self.single("CSeq")?]);
        let error = || self.error_at("CSeq", "unreadable CSeq");
        let (digits, method) = value.split_once([' ', '\t', '\r', '\n']).ok_or_else(error)?;
        // Below 2^31: RFC 3261 §8.1.1.5.
        let sequence = number(digits).filter(|sequence| *sequence < 1 << 31).ok_or_else(error)?;
        let method = trim(method);
        if !is_token(method) {
            return Err(error());
        }
        Ok((sequence, Method::new(method)))
    }

    fn address(&self, name: &str) -> Result<NameAddr, ReadError> {
        NameAddr::parse(&self.head[self.single(name)?]).map_err(|_| self.error_at(name, &format!("unreadable {name}")))
    }

    fn top_via(&self) -> Result<Via, ReadError> {
        let line = self.named("Via").next().ok_or_else(|| ReadError::new(400, "no Via"))?;
        let element = split(&self.head[line.value.clone()], b',').next().unwrap_or_default();
        Via::parse(element).map_err(|error| error.at(line.value.start))
    }

    fn body(&self, bytes: &[u8]) -> Result<Range<usize>, ReadError> {
        let mut announced = None;
        for line in self.named("Content-Length") {
            let length: usize = number(&self.head[line.value.clone()])
                .ok_or_else(|| ReadError::new(400, "unreadable Content-Length").at(line.value.start))?;
            if *announced.get_or_insert(length) != length {
                return Err(ReadError::new(400, "two different Content-Lengths").at(line.value.start));
            }
        }
        let there = bytes.len() - self.body_start;
        let length = announced.unwrap_or(there);
        if length > there {
            return Err(self.error_at("Content-Length", "the body is shorter than Content-Length"));
        }
        Ok(self.body_start..self.body_start + length)
    }

    /// The value of a header that must be there once (RFC 3261 §7.3.1).
    fn single(&self, name: &str) -> Result<Range<usize>, ReadError> {
        let mut lines = self.named(name);
        match (lines.next(), lines.next()) {
            (Some(line), None) => Ok(line.value.clone()),
            (None, _) => Err(ReadError::new(400, &format!("no {name}"))),
            (_, Some(second)) => Err(ReadError::new(400, &format!("more than one {name}")).at(second.name.start)),
        }
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &HeaderLine> {
        self.lines.iter().filter(move |line| same_name(&self.head[line.name.clone()], name))
    }

    fn error_at(&self, name: &str, reason: &str) -> ReadError {
        let at = self.named(name).next().map_or(0, |line| line.value.start);
        ReadError::new(400, reason).at(at)
    }

    fn respondable(&self) -> Option<Box<Respondable>> {
        let start = &self.head[self.start.clone()];
        let method = start.split(' ').next().unwrap_or_default();
        // Responses and ACKs are never answered (RFC 3261 §17.1.1.3).
        if method.is_empty() || method == "ACK" || method.starts_with("SIP/") {
            return None;
        }
        let texts = |name| self.named(name).map(|line| self.head[line.value.clone()].to_owned());
        let vias: Vec<String> = texts("Via").collect();
        let first = |name| texts(name).next();
        if vias.is_empty() {
            return None;
        }
        let (from, to, call_id, cseq) = (first("From"), first("To"), first("Call-ID"), first("CSeq"));
        Some(Box::new(Respondable { vias, from, to, call_id, cseq }))
    }
}

/// 505 for another version of SIP, 400 for what is none.
fn check_version(text: &str) -> Result<(), ReadError> {
    if text.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let is_version = text.len() > 4
        && text.as_bytes()[..4].eq_ignore_ascii_case(b"SIP/")
        && text[4..].bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match is_version {
        true => Err(ReadError::new(505, "only SIP/2.0 is spoken here")),
        false => Err(ReadError::new(400, "unreadable start line")),
    }
}

/// The span without white space at both ends: the same as for [`super::headers::trim`], and no other.
pub(super) fn trimmed(bytes: &[u8], span: Range<usize>) -> Range<usize> {
    let is_space = |byte: &u8| b" \t\r\n".contains(byte);
    let inside = &bytes[span.clone()];
    let Some(first) = inside.iter().position(|byte| !is_space(byte)) else { return span.start..span.start };
    let last = inside.iter().rposition(|byte| !is_space(byte)).unwrap_or(first);
    span.start + first..span.start + last + 1
}

/// The head as text of the same length: line ends before a fold become spaces, bytes that are not UTF-8 become `?`.
fn text(bytes: &[u8], end: usize, folds: &[usize]) -> String {
    let mut head = bytes[..end].to_vec();
    for &fold in folds {
        for byte in head[..fold].iter_mut().rev().take_while(|byte| b"\r\n".contains(byte)) {
            *byte = b' ';
        }
    }
    let mut text = String::with_capacity(head.len());
    for chunk in head.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
