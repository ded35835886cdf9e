//! Composing what we send (RFC 3261 §7, §8.1.1, §8.2.6), by the crate `rsip`: this file alone names it
//! (and the differential test, `tests/torture/differential.rs`).
//!
//! rsip writes header lines, CSeq, versions and digest challenges. We go around it where it is not right: request lines
//! (its URIs know no IPv6 and no `tel:`), methods it does not know, Via (IPv6 without brackets), reason phrases (its
//! names have no spaces), the algorithm's name (`SHA256`), and bytes that are not UTF-8. Reading is [`super::reader`]'s.

use super::headers::{NameAddr, find_outside, is_token, trim};
use super::message::{Message, Method};
use super::reader::{Respondable, trimmed};
pub use super::reason::reason_phrase;
use rsip::headers::untyped::{
    CallId, Contact, ContentLength, ContentType, From, MaxForwards, RecordRoute, Route, Timestamp, To, UntypedHeader,
    Via,
};
use rsip::{Header, Version, headers::auth, typed};
use std::net::IpAddr;

/// What stands in a request of ours.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a> {
    pub method: &'a Method,
    /// Request URI: the remote target, as the peer wrote it.
    pub uri: &'a str,
    /// Transport (`UDP`), sent-by (`192.0.2.1:5060`, IPv6 in brackets) and branch.
    pub via: (&'a str, &'a str, &'a str),
    /// With the tag.
    pub from: &'a str,
    pub to: &'a str,
    pub call_id: &'a str,
    pub cseq: u32,
    pub max_forwards: u8,
    /// Values of Route, topmost first.
    pub routes: &'a [String],
    pub contact: Option<&'a str>,
    /// More headers: name and value.
    pub extra: &'a [(String, String)],
    /// Content-Type and content.
    pub body: Option<(&'a str, &'a [u8])>,
}

/// A request's bytes. Asks for rport (RFC 3581 §3). No value can add a line: line ends in it become spaces.
pub fn request(parts: &RequestParts<'_>) -> Vec<u8> {
    let (transport, sent_by, branch) = parts.via;
    let mut lines = Lines::new(&format!("{} {} {}", parts.method, one_word(parts.uri), Version::V2));
    lines.put(Header::Via(Via::new(one_line(&format!("SIP/2.0/{transport} {sent_by};branch={branch};rport")))));
    lines.put(Header::MaxForwards(MaxForwards::from(u32::from(parts.max_forwards))));
    for route in parts.routes {
        lines.put(Header::Route(Route::new(one_line(route))));
    }
    lines.put(Header::From(From::new(one_line(parts.from))));
    lines.put(Header::To(To::new(one_line(parts.to))));
    lines.put(Header::CallId(CallId::new(one_line(parts.call_id))));
    lines.put(cseq(parts.cseq, parts.method));
    lines.end(parts.contact, parts.extra, parts.body)
}

/// A response's bytes (RFC 3261 §8.2.6): Via, Record-Route, From, To, Call-ID and CSeq are copied, byte for byte.
///
/// `reason`: `None` takes [`reason_phrase`]. `to_tag` is added only where To has none. `received` is the source of the
/// request; the top Via gets `received` and `rport` by it (RFC 3261 §18.2.1, RFC 3581 §4). A 100 gets Timestamp too.
#[expect(clippy::too_many_arguments, reason = "each is one line of the answer; a struct would name them twice")]
pub fn response(
    request: &Message,
    status: u16,
    reason: Option<&str>,
    to_tag: Option<&str>,
    received: Option<(IpAddr, u16)>,
    contact: Option<&str>,
    extra: &[(String, String)],
    body: Option<(&str, &[u8])>,
) -> Vec<u8> {
    let mut lines = Lines::status(status, reason);
    for (nth, via) in request.raw_headers("Via").enumerate() {
        match received {
            Some(source) if nth == 0 => lines.copy(&received_via(request, via, source), |v| Header::Via(Via::new(v))),
            _ => lines.copy(via, |value| Header::Via(Via::new(value))),
        }
    }
    for route in request.raw_headers("Record-Route") {
        lines.copy(route, |value| Header::RecordRoute(RecordRoute::new(value)));
    }
    for from in request.raw_headers("From") {
        lines.copy(from, |value| Header::From(From::new(value)));
    }
    for to in request.raw_headers("To") {
        let tag = to_tag.filter(|_| request.to_tag().is_none());
        // A tag without a value is none, and must not stand before ours.
        let empty = tag.is_some() && request.to().param("tag").is_some();
        let text = request.header("To").unwrap_or_default();
        let to = if empty { without(text, to, &["tag"]) } else { to.to_vec() };
        lines.copy(&with_tag(&to, tag), |value| Header::To(To::new(value)));
    }
    for call_id in request.raw_headers("Call-ID") {
        lines.copy(call_id, |value| Header::CallId(CallId::new(value)));
    }
    lines.put(cseq(request.cseq(), request.method()));
    // RFC 3261 §8.2.6.1.
    for timestamp in request.raw_headers("Timestamp").filter(|_| status == 100) {
        lines.copy(timestamp, |value| Header::Timestamp(Timestamp::new(value)));
    }
    lines.end(contact, extra, body)
}

/// The answer to a request that could not be read, with as much of it as there is. Its To gets our tag (RFC 3261 §8.2.6.2)
/// where it can be seen to have none.
pub fn response_to_unreadable(respondable: &Respondable, status: u16, reason: Option<&str>, to_tag: &str) -> Vec<u8> {
    let mut lines = Lines::status(status, reason);
    for via in &respondable.vias {
        lines.put(Header::Via(Via::new(one_line(via))));
    }
    if let Some(from) = &respondable.from {
        lines.put(Header::From(From::new(one_line(from))));
    }
    if let Some(to) = &respondable.to {
        let untagged = NameAddr::parse(to).is_ok_and(|address| address.param("tag").is_none());
        lines.copy(&with_tag(to.as_bytes(), Some(to_tag).filter(|_| untagged)), |value| Header::To(To::new(value)));
    }
    if let Some(call_id) = &respondable.call_id {
        lines.put(Header::CallId(CallId::new(one_line(call_id))));
    }
    if let Some(cseq) = &respondable.cseq {
        lines.put(Header::CSeq(rsip::headers::untyped::CSeq::new(one_line(cseq))));
    }
    lines.end(None, &[], None)
}

/// One value of WWW-Authenticate for qop `auth` (RFC 7616 §3.3). `algorithm` as on the wire: `MD5`, `SHA-256`.
pub fn challenge(realm: &str, nonce: &str, algorithm: &str, stale: bool) -> String {
    let value = typed::WwwAuthenticate {
        scheme: auth::Scheme::Digest,
        realm: one_line(realm).replace('\\', "\\\\").replace('"', "\\\""),
        nonce: nonce.to_owned(),
        stale: stale.then(|| "true".to_owned()),
        qop: Some(auth::Qop::Auth),
        ..Default::default()
    };
    format!("{value}, algorithm={algorithm}")
}

/// A message in the making.
struct Lines(Vec<u8>);

impl Lines {
    fn new(start: &str) -> Lines {
        let mut lines = Lines(Vec::with_capacity(1024));
        lines.line(start.as_bytes());
        lines
    }

    fn status(status: u16, reason: Option<&str>) -> Lines {
        let reason = one_line(reason.unwrap_or(reason_phrase(status)));
        Lines::new(&format!("{} {}", Version::V2, rsip::StatusCode::Other(status, reason)))
    }

    fn put(&mut self, header: Header) {
        self.line(header.to_string().as_bytes());
    }

    /// A received value: through rsip if it is text, else the bytes under the same name.
    fn copy(&mut self, value: &[u8], header: impl Fn(String) -> Header) {
        let value = without_line_ends(value);
        match String::from_utf8(value) {
            Ok(text) => self.put(header(text)),
            Err(error) => {
                self.0.extend_from_slice(header(String::new()).to_string().as_bytes());
                self.line(error.as_bytes());
            }
        }
    }

    fn end(mut self, contact: Option<&str>, extra: &[(String, String)], body: Option<(&str, &[u8])>) -> Vec<u8> {
        if let Some(contact) = contact {
            self.put(Header::Contact(Contact::new(one_line(contact))));
        }
        for (name, value) in extra.iter().filter(|(name, _)| is_token(name)) {
            self.put(Header::Other(name.clone(), one_line(value)));
        }
        let (content_type, content) = body.unwrap_or_default();
        if !content_type.is_empty() {
            self.put(Header::ContentType(ContentType::new(one_line(content_type))));
        }
        self.put(Header::ContentLength(ContentLength::from(content.len() as u32)));
        self.line(b"");
        self.0.extend_from_slice(content);
        self.0
    }

    fn line(&mut self, line: &[u8]) {
        self.0.extend_from_slice(line);
        self.0.extend_from_slice(b"\r\n");
    }
}

fn cseq(sequence: u32, method: &Method) -> Header {
    let value = match rsip_method(method) {
        Some(method) => typed::CSeq { seq: sequence, method }.to_string(),
        None => format!("{sequence} {method}"),
    };
    Header::CSeq(rsip::headers::untyped::CSeq::new(one_line(&value)))
}

fn rsip_method(method: &Method) -> Option<rsip::Method> {
    Some(match method {
        Method::Invite => rsip::Method::Invite,
        Method::Ack => rsip::Method::Ack,
        Method::Bye => rsip::Method::Bye,
        Method::Cancel => rsip::Method::Cancel,
        Method::Options => rsip::Method::Options,
        Method::Register => rsip::Method::Register,
        Method::Info => rsip::Method::Info,
        Method::Update => rsip::Method::Update,
        Method::Prack => rsip::Method::PRack,
        Method::Refer => rsip::Method::Refer,
        Method::Notify => rsip::Method::Notify,
        Method::Subscribe => rsip::Method::Subscribe,
        Method::Message => rsip::Method::Message,
        Method::Publish => rsip::Method::Publish,
        Method::Other(_) => return None,
    })
}

/// The first Via line with `received` and `rport` of its first element set by us; what the peer wrote there is dropped.
fn received_via(request: &Message, line: &[u8], (address, port): (IpAddr, u16)) -> Vec<u8> {
    let text = request.header("Via").unwrap_or_default();
    let element = &text[..find_outside(text, b',').unwrap_or(text.len())];
    let host = request.via().host.trim_matches(['[', ']']);
    // A socket of both families tells IPv4 sources as ::ffff:a.b.c.d.
    let address = address.to_canonical();
    let asked = request.via().rport.is_some();
    // RFC 3261 §18.2.1: only where the source differs; RFC 3581 §4: always with rport.
    let name_source = asked || host.parse() != Ok(address);
    let mut via = without(element, line, &["received", "rport"]);
    if name_source {
        via.extend_from_slice(format!(";received={address}").as_bytes());
    }
    if asked {
        via.extend_from_slice(format!(";rport={port}").as_bytes());
    }
    via.extend_from_slice(&line[element.len()..]);
    via
}

/// The value without its parameters of these names, byte for byte but for white space between parameters. `text` is what
/// the reader made of `line`, or its beginning.
fn without(text: &str, line: &[u8], names: &[&str]) -> Vec<u8> {
    let mut value = Vec::with_capacity(line.len() + 64);
    let mut at = 0;
    while at <= text.len() {
        let end = find_outside(&text[at..], b';').map_or(text.len(), |offset| at + offset);
        let name = trim(text[at..end].split('=').next().unwrap_or_default());
        if at == 0 || !names.iter().any(|gone| name.eq_ignore_ascii_case(gone)) {
            value.extend_from_slice(if at == 0 { b"" } else { b";" });
            value.extend_from_slice(&line[trimmed(line, at..end)]);
        }
        at = end + 1;
    }
    value
}

fn with_tag(to: &[u8], tag: Option<&str>) -> Vec<u8> {
    let Some(tag) = tag else { return to.to_vec() };
    // The reader forgives one semicolon too many; two would not be forgiven by others.
    let mut to = to.strip_suffix(b";").unwrap_or(to).to_vec();
    to.extend_from_slice(format!(";tag={tag}").as_bytes());
    to
}

fn without_line_ends(value: &[u8]) -> Vec<u8> {
    value.iter().map(|&byte| if b"\r\n".contains(&byte) { b' ' } else { byte }).collect()
}

/// No line end and no NUL: nothing can be smuggled into our headers.
fn one_line(text: &str) -> String {
    text.replace(['\r', '\n', '\0'], " ")
}

/// A URI that cannot end the request line's field early.
fn one_word(uri: &str) -> String {
    let mut word = String::with_capacity(uri.len());
    for character in uri.chars() {
        match character {
            '\0'..=' ' | '\x7f' => word.push_str(&format!("%{:02X}", u32::from(character))),
            other => word.push(other),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::super::message::StartLine;
    use super::super::reader::read;
    use super::*;

    fn parts<'a>(method: &'a Method, routes: &'a [String], extra: &'a [(String, String)]) -> RequestParts<'a> {
        RequestParts {
            method,
            uri: "sip:1001@[2001:db8::5]:5070;ob",
            via: ("UDP", "[2001:db8::1]:5060", "z9hG4bKa"),
            from: "\"Ann\" <sip:+12025550100@[2001:db8::1]>;tag=f",
            to: "<sip:1001@example.com>",
            call_id: "c@example.com",
            cseq: 3,
            max_forwards: 70,
            routes,
            contact: Some("<sip:[2001:db8::1]:5060>"),
            extra,
            body: Some(("application/sdp", b"v=0\xff\r\n")),
        }
    }

    #[test]
    fn a_request_reads_back_whole() {
        let routes = ["<sip:a;lr>".to_owned(), "<sip:b;lr>".to_owned()];
        let extra = [("X-Onekey-Queue".to_owned(), "care".to_owned())];
        let method = Method::Other("NEWMETHOD".into());
        let message = read(request(&parts(&method, &routes, &extra))).unwrap();
        assert_eq!(message.start(), StartLine::Request { method: &method, uri: "sip:1001@[2001:db8::5]:5070;ob" });
        assert_eq!((message.via().host.as_str(), message.via().port), ("[2001:db8::1]", Some(5060)));
        assert_eq!((message.via().branch.as_deref(), message.via().rport), (Some("z9hG4bKa"), Some(None)));
        assert_eq!((message.cseq(), message.from_tag(), message.call_id()), (3, Some("f"), "c@example.com"));
        assert_eq!(
            (message.list("Route"), message.header("x-onekey-queue")),
            (vec!["<sip:a;lr>", "<sip:b;lr>"], Some("care"))
        );
        assert_eq!((message.header("Max-Forwards"), message.contacts().len()), (Some("70"), 1));
        assert_eq!((message.body(), message.content_type()), (&b"v=0\xff\r\n"[..], Some("application/sdp")));
        assert_eq!(message.header("Content-Length"), Some("6"));
    }

    #[test]
    fn no_value_can_add_a_line() {
        let evil = "x\r\nEvil: 1\nEvil: 2\r\n\r\n".to_owned();
        let (routes, line) = ([evil.clone()], evil.as_str());
        let extra = [("X".to_owned(), evil.clone()), ("Evil: 1\r\nY".to_owned(), "z".to_owned())];
        let mut all = parts(&Method::Invite, &routes, &extra);
        (all.uri, all.via, all.contact) = (line, ("UDP", line, line), Some(line));
        (all.from, all.to, all.call_id, all.body) = (line, line, line, Some((line, &b""[..])));
        let text = String::from_utf8(request(&all)).unwrap();
        assert!(!text.contains("\nEvil") && text.starts_with("INVITE x%0D%0AEvil:%201"), "{text}");
        let invite = read(request(&parts(&Method::Invite, &[], &[]))).unwrap();
        let answer = response(&invite, 486, Some(&evil), Some(&evil), None, Some(&evil), &extra, Some((&evil, b"")));
        assert!(!String::from_utf8(answer).unwrap().contains("\nEvil"));
    }

    const ODD: &[u8] = b"INVITE sip:1@example.com SIP/2.0\r\n\
        v: SIP/2.0/UDP 192.0.2.9:5070 ; rport;branch=z9hG4bK1;received=192.0.2.77, SIP/2.0/TCP a.example.com\r\n\
        Via: SIP/2.0/UDP b.example.com\r\nRecord-Route: <sip:p1;lr>,\r\n <sip:p2;lr>\r\n\
        f: caf\xe9 <sip:a@example.com>;tag=1\r\nt: <sip:b@example.com>;\r\ni: \xe9\r\nCSeq: 1 INVITE\r\n\
        Timestamp: 54\r\n\r\n";

    #[test]
    fn a_response_copies_byte_for_byte_and_names_the_source() {
        let invite = read(ODD.to_vec()).unwrap();
        let source = Some(("198.51.100.7".parse().unwrap(), 40000));
        let bytes = response(&invite, 180, None, Some("t"), source, None, &[], None);
        let head = b"SIP/2.0 180 Ringing\r\n\
            Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK1;received=198.51.100.7;rport=40000, SIP/2.0/TCP a.example.com\r\n\
            Via: SIP/2.0/UDP b.example.com\r\nRecord-Route: <sip:p1;lr>,   <sip:p2;lr>\r\n\
            From: caf\xe9 <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=t\r\nCall-ID: \xe9\r\nCSeq: 1 INVITE\r\n\
            Content-Length: 0\r\n\r\n";
        assert_eq!(bytes, head, "{}", String::from_utf8_lossy(&bytes));
        let trying = read(response(&invite, 100, None, None, source, None, &[], None)).unwrap();
        assert_eq!((trying.to_tag(), trying.header("Timestamp")), (None, Some("54")));
        assert_eq!(trying.via().received.as_deref(), Some("198.51.100.7"));
    }

    #[test]
    fn a_branch_that_ends_in_a_form_feed_is_copied_whole() {
        let text = "BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a ; branch=z9hG4bK\x0c ;rport\r\nFrom: <sip:a>;tag=1\r\n\
            To: <sip:b>;tag=2\r\nCall-ID: 1\r\nCSeq: 2 BYE\r\n\r\n";
        let bye = read(text.into()).unwrap();
        let source = Some(("192.0.2.7".parse().unwrap(), 9));
        let answer = read(response(&bye, 200, None, None, source, None, &[], None)).unwrap();
        assert_eq!((&answer.via().branch, bye.via().branch.as_deref()), (&bye.via().branch, Some("z9hG4bK\x0c")));
    }

    #[test]
    fn an_empty_tag_makes_way_for_ours() {
        for to in ["tel:+12025550100;tag", "\"b;tag\" <sip:b;tag=x> ; TAG=;y=1"] {
            let text = format!(
                "INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a>;tag=1\r\nTo: {to}\r\nCall-ID: 1\r\n\
                 CSeq: 2 INVITE\r\n\r\n"
            );
            let invite = read(text.into()).unwrap();
            let answer = read(response(&invite, 180, None, Some("ours"), None, None, &[], None)).unwrap();
            assert_eq!((invite.to_tag(), answer.to_tag()), (None, Some("ours")), "{to}");
            assert_eq!((&answer.to().uri, &answer.to().display), (&invite.to().uri, &invite.to().display));
            assert_eq!(answer.to().param("y"), invite.to().param("y"));
        }
    }

    #[test]
    fn received_stands_only_where_it_is_needed() {
        let text = "BYE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP [2001:db8::1];branch=1\r\nFrom: <sip:a>;tag=1\r\n\
            To: <sip:b>;tag=2\r\nCall-ID: 1\r\nCSeq: 2 BYE\r\n\r\n";
        let bye = read(text.into()).unwrap();
        let via = |source: &str| {
            let source = Some((source.parse().unwrap(), 9));
            let answer = read(response(&bye, 200, None, Some("other"), source, None, &[], None)).unwrap();
            assert_eq!(answer.header("To"), Some("<sip:b>;tag=2"), "a tag that is there stays alone");
            answer.header("Via").unwrap().to_owned()
        };
        assert_eq!(via("2001:db8::1"), "SIP/2.0/UDP [2001:db8::1];branch=1");
        assert!(via("::ffff:192.0.2.7").ends_with(";received=192.0.2.7"));
        assert_eq!(via("2001:db8::2"), "SIP/2.0/UDP [2001:db8::1];branch=1;received=2001:db8::2");
    }

    #[test]
    fn an_unreadable_request_is_answered_with_what_it_has() {
        let error = read(b"OPTIONS sip:a SIP/7.0\r\nv: SIP/2.0/UDP a\r\nt: <sip:b>\r\n\r\n".to_vec()).unwrap_err();
        let mut respondable = error.respondable.unwrap();
        let answer = |to: &Respondable| String::from_utf8(response_to_unreadable(to, error.status, None, "t")).unwrap();
        let expected = "SIP/2.0 505 Version Not Supported\r\nVia: SIP/2.0/UDP a\r\nTo: <sip:b>;tag=t\r\n\
            Content-Length: 0\r\n\r\n";
        assert_eq!(answer(&respondable), expected);
        for untouched in ["<sip:b>;tag=own", "\"b <sip:b>"] {
            respondable.to = Some(untouched.to_owned());
            assert!(answer(&respondable).contains(&format!("To: {untouched}\r\n")));
        }
    }

    #[test]
    fn a_challenge_reads_back() {
        let text = challenge("care \"x\"", "n1", "SHA-256", true);
        let expected = r#"Digest realm="care \"x\"", nonce="n1", stale=true, qop="auth", algorithm=SHA-256"#;
        assert_eq!(text, expected);
        assert!(!challenge("r", "n", "MD5", false).contains("stale"));
    }
}
