//! SIP messages: reading, composing and framing agree with each other on any bytes.
//!
//! A message that could be read is read alike after it was composed anew; a request that could be read has an answer that
//! can be read and belongs to it; what a TCP stream is cut into depends on no segment, and ends where its reader ends.

use onekey::sip::compose::{self, RequestParts};
use onekey::sip::digest::Credentials;
use onekey::sip::framing::{Frame, Framer, FramingError};
use onekey::sip::key_body;
use onekey::sip::message::{Message, Method};
use onekey::sip::reader::{ReadError, read};
use onekey::sip::uri::{Uri, escape_user, unescape};

const SOURCE: (std::net::IpAddr, u16) = (std::net::IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7)), 40_000);
/// All that an answer to an unreadable request may say.
const ANSWERED: [&str; 6] = ["Via", "From", "To", "Call-ID", "CSeq", "Content-Length"];

pub fn run(bytes: &[u8]) {
    framed(bytes);
    match read(bytes.to_vec()) {
        Ok(message) => {
            looked_at(&message);
            if message.is_request() {
                answered(&message);
                composed_anew(&message);
            }
        }
        Err(error) => refused(&error, bytes.len()),
    }
}

/// Whatever can be asked of a message.
fn looked_at(message: &Message) {
    let _ = (message.start(), message.contacts(), message.contact_is_star(), message.raw_headers("Route").count());
    let _ = key_body::read(message.content_type(), message.body());
    for value in message.headers("Authorization") {
        let _ = Credentials::parse(value);
    }
    for text in [message.request_uri().unwrap_or_default(), &message.from().uri, &message.to().uri] {
        if let Ok(uri) = Uri::parse(text) {
            let user = uri.user.unwrap_or_default();
            assert_eq!(unescape(&escape_user(&user)), user);
        }
    }
    assert!(message.cseq() < 1 << 31 && !message.call_id().is_empty());
}

/// Our answer to a request copies what names it, and adds nothing to it but the tag and where it came from.
fn answered(request: &Message) {
    let contact = Some("<sip:onekey@192.0.2.1>");
    let bytes = compose::response(request, 486, None, Some("ours"), Some(SOURCE), contact, &[], None);
    let answer = must_read(bytes);
    assert_eq!((answer.status(), answer.method()), (Some(486), request.method()));
    assert_eq!((answer.call_id(), answer.cseq()), (request.call_id(), request.cseq()));
    assert_eq!(answer.from(), request.from());
    assert_eq!((&answer.to().uri, &answer.to().display), (&request.to().uri, &request.to().display));
    if request.to_tag().is_none() {
        assert_eq!(answer.to_tag(), Some("ours"));
    } else {
        assert_eq!(answer.to(), request.to());
    }
    let (theirs, ours) = (request.vias(), answer.vias());
    assert_eq!(theirs.len(), ours.len());
    assert_eq!(theirs[1..], ours[1..]);
    let (theirs, ours) = (request.via(), answer.via());
    assert_eq!((&theirs.host, theirs.port, &theirs.branch), (&ours.host, ours.port, &ours.branch));
    assert_eq!(request.list("Record-Route"), answer.list("Record-Route"));
    if theirs.rport.is_some() {
        assert_eq!((ours.rport, ours.received.as_deref()), (Some(Some(SOURCE.1)), Some("198.51.100.7")));
    }
}

/// Read, composed, read: the same. What the composer must change (control characters in values) is left out.
fn composed_anew(message: &Message) {
    let plain = |name: &str| message.header(name).unwrap_or_default();
    let (uri, from, to) = (message.request_uri().unwrap_or_default(), plain("From"), plain("To"));
    let routes: Vec<String> = message.list("Route").into_iter().map(str::to_owned).collect();
    let subject: Vec<(String, String)> =
        message.headers("Subject").map(|text| ("Subject".into(), text.into())).collect();
    let values = [uri, from, to, message.call_id(), message.method().as_str()];
    let all = values.into_iter().chain(routes.iter().chain(subject.iter().map(|(_, text)| text)).map(String::as_str));
    if all.flat_map(str::chars).any(|letter| letter.is_control()) {
        return;
    }
    let via = message.via();
    let sent_by = via.port.map_or(via.host.clone(), |port| format!("{}:{port}", via.host));
    let branch = via.branch.as_deref().filter(|branch| onekey::sip::headers::is_token(branch)).unwrap_or("z9hG4bKx");
    let parts = RequestParts {
        method: message.method(),
        uri,
        via: (&via.transport, &sent_by, branch),
        from,
        to,
        call_id: message.call_id(),
        cseq: message.cseq(),
        max_forwards: 70,
        routes: &routes,
        contact: Some("<sip:onekey@192.0.2.1>"),
        extra: &subject,
        body: Some(("application/sdp", message.body())),
    };
    let bytes = compose::request(&parts);
    assert_eq!(frames(&bytes, bytes.len()), [Ok(Frame::Message(bytes.clone()))], "a message of ours is one frame");
    let again = must_read(bytes.clone());
    assert_eq!((again.method(), again.request_uri()), (message.method(), Some(uri)));
    assert_eq!((again.call_id(), again.cseq()), (message.call_id(), message.cseq()));
    assert_eq!((again.from(), again.to()), (message.from(), message.to()));
    let read_via = again.via();
    assert_eq!((&read_via.transport, &read_via.host, read_via.port), (&via.transport, &via.host, via.port));
    assert_eq!(read_via.branch.as_deref(), Some(branch));
    assert_eq!(again.list("Route"), routes);
    assert_eq!(again.headers("Subject").collect::<Vec<_>>(), message.headers("Subject").collect::<Vec<_>>());
    assert_eq!(again.body(), message.body());
}

fn refused(error: &ReadError, length: usize) {
    assert!([400, 505].contains(&error.status), "{error:?}");
    assert!(error.at <= length, "{error:?} lies beyond {length} bytes");
    let Some(respondable) = &error.respondable else { return };
    let bytes = compose::response_to_unreadable(respondable, error.status, Some(&error.reason), "ours");
    let text = String::from_utf8(bytes).expect("made of text");
    let (head, body) = text.split_once("\r\n\r\n").expect("an end of the headers");
    assert_eq!(body, "");
    let mut lines = head.split("\r\n");
    assert!(lines.next().is_some_and(|status| status.starts_with("SIP/2.0 ")));
    for line in lines {
        let name = line.split(':').next().unwrap_or_default();
        assert!(ANSWERED.contains(&name) && !line.contains(['\r', '\n']), "{line:?}");
    }
}

/// A stream is cut alike however it comes, and each message ends where its reader says.
fn framed(bytes: &[u8]) {
    let whole = frames(bytes, bytes.len().max(1));
    for size in [1, 7] {
        // A lone CRLF is told at once, so a ping may be told as two pongs: the messages are what must be the same.
        assert_eq!(messages(&frames(bytes, size)), messages(&whole), "pieces of {size}");
    }
    for message in messages(&whole).0 {
        let length = message.len();
        if let Ok(message) = read(message.to_vec()) {
            assert!(message.bytes().ends_with(message.body()));
            let end = message.body().as_ptr_range().end;
            assert_eq!(end, message.bytes().as_ptr_range().end, "the reader leaves a rest of {length} bytes");
        }
    }
}

fn frames(bytes: &[u8], size: usize) -> Vec<Result<Frame, FramingError>> {
    let (mut framer, mut frames) = (Framer::new(), Vec::new());
    for piece in bytes.chunks(size) {
        framer.push(piece);
        while let Some(frame) = framer.next() {
            let failed = frame.is_err();
            frames.push(frame);
            if failed {
                return frames;
            }
        }
    }
    frames
}

/// The messages, and how the stream ended.
fn messages(frames: &[Result<Frame, FramingError>]) -> (Vec<&[u8]>, Option<FramingError>) {
    let messages = frames.iter().filter_map(|frame| match frame {
        Ok(Frame::Message(bytes)) => Some(bytes.as_slice()),
        _ => None,
    });
    (messages.collect(), frames.last().and_then(|last| last.as_ref().err().copied()))
}

fn must_read(bytes: Vec<u8>) -> Message {
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match read(bytes) {
        Ok(message) => {
            assert!(message.is_request() || *message.method() != Method::Ack, "an ACK is answered: {text:?}");
            message
        }
        Err(error) => panic!("what we compose cannot be read: {error:?} in {text:?}"),
    }
}
