//! A SIP message as it was received (RFC 3261 §7): its bytes, and where in them each header stands.
//!
//! [`super::reader::read`] makes it and has checked all that is parsed here: start line, From, To, Call-ID, CSeq and
//! the top Via. Other headers are text until someone asks. What we send ourselves is made by [`super::compose`].

use super::headers::{NameAddr, Via, same_name, split};
use super::reader::ReadError;
use std::fmt;
use std::ops::Range;

/// A request's method. Names are case-sensitive (RFC 3261 §7.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Method {
    Invite,
    Ack,
    Bye,
    Cancel,
    Options,
    Register,
    Info,
    Update,
    Prack,
    Refer,
    Notify,
    Subscribe,
    Message,
    Publish,
    /// What nobody knows: answered with 501, or passed over in a response.
    Other(Box<str>),
}

impl Method {
    pub fn new(name: &str) -> Method {
        match name {
            "INVITE" => Method::Invite,
            "ACK" => Method::Ack,
            "BYE" => Method::Bye,
            "CANCEL" => Method::Cancel,
            "OPTIONS" => Method::Options,
            "REGISTER" => Method::Register,
            "INFO" => Method::Info,
            "UPDATE" => Method::Update,
            "PRACK" => Method::Prack,
            "REFER" => Method::Refer,
            "NOTIFY" => Method::Notify,
            "SUBSCRIBE" => Method::Subscribe,
            "MESSAGE" => Method::Message,
            "PUBLISH" => Method::Publish,
            other => Method::Other(other.into()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Options => "OPTIONS",
            Method::Register => "REGISTER",
            Method::Info => "INFO",
            Method::Update => "UPDATE",
            Method::Prack => "PRACK",
            Method::Refer => "REFER",
            Method::Notify => "NOTIFY",
            Method::Subscribe => "SUBSCRIBE",
            Method::Message => "MESSAGE",
            Method::Publish => "PUBLISH",
            Method::Other(name) => name,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first line of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartLine<'a> {
    Request { method: &'a Method, uri: &'a str },
    Response { status: u16, reason: &'a str },
}

/// A request or response that could be read. Header texts are seen unfolded, with `?` for each byte that is not UTF-8;
/// [`Message::raw_headers`] has the bytes as they came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub(super) bytes: Vec<u8>,
    /// The start line and headers as text of the same length as their bytes, so that spans serve both.
    pub(super) head: String,
    pub(super) lines: Vec<HeaderLine>,
    pub(super) start: Start,
    /// Of the request line; in a response, of CSeq.
    pub(super) method: Method,
    pub(super) call_id: Range<usize>,
    pub(super) cseq: u32,
    pub(super) from: NameAddr,
    pub(super) to: NameAddr,
    pub(super) via: Via,
    pub(super) body: Range<usize>,
}

/// Where a header line stands in the head: name and value without white space around them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct HeaderLine {
    pub name: Range<usize>,
    pub value: Range<usize>,
}

/// The start line by its spans.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Start {
    Request { uri: Range<usize> },
    Response { status: u16, reason: Range<usize> },
}

impl Message {
    pub fn start(&self) -> StartLine<'_> {
        match &self.start {
            Start::Request { uri } => StartLine::Request { method: &self.method, uri: &self.head[uri.clone()] },
            Start::Response { status, reason } => {
                StartLine::Response { status: *status, reason: &self.head[reason.clone()] }
            }
        }
    }

    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// 100 to 699 in a response, `None` in a request.
    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Response { status, .. } => Some(status),
            Start::Request { .. } => None,
        }
    }

    /// Of the request line; in a response, of CSeq.
    pub fn method(&self) -> &Method {
        &self.method
    }

    pub fn request_uri(&self) -> Option<&str> {
        match self.start() {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Response { .. } => None,
        }
    }

    pub fn call_id(&self) -> &str {
        &self.head[self.call_id.clone()]
    }

    /// Below 2^31 (RFC 3261 §8.1.1.5).
    pub fn cseq(&self) -> u32 {
        self.cseq
    }

    pub fn from(&self) -> &NameAddr {
        &self.from
    }

    pub fn to(&self) -> &NameAddr {
        &self.to
    }

    pub fn from_tag(&self) -> Option<&str> {
        self.from.tag()
    }

    pub fn to_tag(&self) -> Option<&str> {
        self.to.tag()
    }

    /// The top Via.
    pub fn via(&self) -> &Via {
        &self.via
    }

    /// Each via-parm in order, also those that share a line.
    pub fn vias(&self) -> Vec<&str> {
        self.list("Via")
    }

    /// The first line's value; names are case-insensitive and may be compact on either side.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// Each line's value in order.
    pub fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.spans(name).map(|line| &self.head[line.value.clone()])
    }

    /// Each line's value as it came, folds and bytes that are not UTF-8 included.
    pub fn raw_headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.spans(name).map(|line| &self.bytes[line.value.clone()])
    }

    /// The comma-separated elements of all lines in order, without empty ones.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.headers(name).flat_map(|value| split(value, b',')).filter(|element| !element.is_empty()).collect()
    }

    /// The elements of Contact. A `*` (RFC 3261 §10.2.2) is an error here: ask [`Message::contact_is_star`] first.
    pub fn contacts(&self) -> Vec<Result<NameAddr, ReadError>> {
        self.list("Contact").into_iter().map(NameAddr::parse).collect()
    }

    /// Is `*` the only contact?
    pub fn contact_is_star(&self) -> bool {
        self.list("Contact") == ["*"]
    }

    /// As long as Content-Length says.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body.clone()]
    }

    /// With its parameters.
    pub fn content_type(&self) -> Option<&str> {
        self.header("Content-Type")
    }

    /// All that was received, including what stood before the start line and behind the body.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn spans<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a HeaderLine> {
        self.lines.iter().filter(move |line| same_name(&self.head[line.name.clone()], name))
    }
}
