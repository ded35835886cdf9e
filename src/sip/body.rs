//! The session description in a message's body: alone, or one part of a multipart body (RFC 2046 §5.1, RFC 5621), and
//! whether the sender would take one in the answer (RFC 3261 §20.1).
//!
//! Other parts (a location, ISUP of a gateway, a picture) are passed over, whatever their `handling` says: a caller is
//! worth more than what came along. What the description says is left to [`super::sdp`].

use super::headers::{Params, find_outside, same_name, trim};
use super::message::Message;

/// Multipart bodies within each other, and parts of one, that are looked into.
const DEPTH_MAX: usize = 3;
const PARTS_MAX: usize = 32;
const SDP: &str = "application/sdp";

/// Empty: the message has no body, or one that may be passed over (`handling=optional`, RFC 3261 §20.11). `None`: it has
/// one, without a description in it. A body without a type is taken for SDP.
pub fn description(message: &Message) -> Option<&[u8]> {
    let body = message.body();
    if body.is_empty() {
        return Some(body);
    }
    let encoding = message.header("Content-Encoding").unwrap_or("identity");
    let plain = trim(encoding).eq_ignore_ascii_case("identity");
    let found = plain.then(|| described(message.content_type().unwrap_or(SDP), body, 0)).flatten();
    let disposition = message.header("Content-Disposition").unwrap_or_default();
    let handling = parameter(disposition, "handling").unwrap_or_default();
    found.or_else(|| handling.eq_ignore_ascii_case("optional").then_some(&body[..0]))
}

/// Does Accept allow our answer to be SDP? One that is empty is taken for a slip of the phone, not for a wish.
pub fn accepts_description(message: &Message) -> bool {
    let accepted = message.list("Accept");
    let fits = |range: &&str| [SDP, "application/*", "*/*"].iter().any(|fitting| is_type(range, fitting));
    accepted.is_empty() || accepted.iter().any(fits)
}

fn described<'a>(kind: &str, body: &'a [u8], depth: usize) -> Option<&'a [u8]> {
    if is_type(kind, SDP) {
        return Some(body);
    }
    let multipart = kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    if !multipart || depth >= DEPTH_MAX {
        return None;
    }
    let boundary = parameter(kind, "boundary")?;
    parts(body, &boundary).into_iter().find_map(|part| {
        let (head, content) = head_and_content(part);
        let header = |name| header(&head, name);
        let plain = |encoding: &str| ["binary", "7bit", "8bit", "identity"].contains(&&*encoding.to_ascii_lowercase());
        let is_plain =
            ["Content-Transfer-Encoding", "Content-Encoding"].iter().all(|name| header(name).is_none_or(plain));
        // Such as `early-session` (RFC 3959), which is not the call's.
        let is_session = header("Content-Disposition").is_none_or(|disposition| is_type(disposition, "session"));
        let kind = header("Content-Type").filter(|_| is_plain)?;
        described(kind, content, depth + 1).filter(|_| is_session || !is_type(kind, SDP))
    })
}

fn parameter(value: &str, name: &str) -> Option<String> {
    Params::parse(&value[find_outside(value, b';')?..])?.get(name)?.map(str::to_owned)
}

/// Is it this type, whatever its parameters?
fn is_type(text: &str, kind: &str) -> bool {
    trim(text.split(';').next().unwrap_or_default()).eq_ignore_ascii_case(kind)
}

/// What stands between the delimiters, without the line end before each. One that is not closed reaches to the end.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let (mut parts, mut begun, mut at) = (Vec::new(), None, 0);
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let delimiter = line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary.as_bytes()));
        if let Some(rest @ (b"" | b"--")) = delimiter.map(<[u8]>::trim_ascii_end) {
            parts.extend(begun.map(|begun: usize| without_line_end(&body[begun..at])));
            begun = rest.is_empty().then_some(at + line.len());
            if begun.is_none() || parts.len() >= PARTS_MAX {
                return parts;
            }
        }
        at += line.len();
    }
    parts.extend(begun.map(|begun| &body[begun..]));
    parts
}

fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

/// A part's header lines, unfolded, and what follows the empty line behind them.
fn head_and_content(part: &[u8]) -> (Vec<String>, &[u8]) {
    let (mut head, mut at): (Vec<String>, usize) = (Vec::new(), 0);
    for line in part.split_inclusive(|&byte| byte == b'\n') {
        at += line.len();
        let text = String::from_utf8_lossy(line.trim_ascii_end());
        match head.last_mut() {
            _ if text.is_empty() => return (head, &part[at..]),
            Some(last) if text.starts_with([' ', '\t']) => last.push_str(&text),
            _ => head.push(text.into_owned()),
        }
    }
    (head, b"")
}

fn header<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    let lines = head.iter().filter_map(|line| line.split_once(':'));
    lines.filter(|(own, _)| same_name(trim(own), name)).map(|(_, value)| trim(value)).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::reader::read;

    fn message(kind: &str, body: &str) -> Message {
        let head = "INVITE sip:a@b.example SIP/2.0\r\nv: SIP/2.0/UDP c.example;branch=z9hG4bK1\r\nf: <sip:d@e>;tag=1\r\n\
            t: <sip:a@b.example>\r\ni: 1\r\nCSeq: 1 INVITE\r\n";
        read(format!("{head}{kind}\r\n\r\n{body}").into_bytes()).unwrap()
    }

    fn found(kind: &str, body: &str) -> Option<String> {
        description(&message(kind, body)).map(|sdp| String::from_utf8_lossy(sdp).into_owned())
    }

    const MIXED: &str = "c: multipart/mixed;boundary=\"a b\"";

    #[test]
    fn a_description_alone_or_without_a_type() {
        assert_eq!(found("c: Application/SDP ; x=y", "v=0\r\n").as_deref(), Some("v=0\r\n"));
        assert_eq!(found("X: y", "v=0\r\n").as_deref(), Some("v=0\r\n"));
        assert_eq!(found("c: text/plain", "").as_deref(), Some(""), "no body is no strange body");
        assert_eq!(found("c: text/plain", "v=0"), None);
        let optional = "c: text/plain\r\nContent-Disposition: render; handling=Optional";
        assert_eq!(found(optional, "v=0").as_deref(), Some(""), "to be passed over");
        assert_eq!(found(&optional.replace("Optional", "required"), "v=0"), None);
        assert_eq!(found("c: application/sdp\r\nContent-Encoding: gzip", "v=0"), None);
    }

    #[test]
    fn a_description_among_other_parts() {
        let isup = "--a b\r\nContent-Type: application/isup\r\nContent-Disposition: signal;handling=required\r\n\r\n\0\u{1}\r\n";
        let sdp = "--a b  \r\ncontent-type :\r\n application/sdp\r\nContent-Transfer-Encoding: Binary\r\n\r\nv=0\r\ns=-\r\n\r\n";
        for body in [
            format!("a preamble\r\n{isup}{sdp}--a b--\r\nan epilogue"),
            format!("{sdp}{isup}--a b--"),
            format!("{isup}{sdp}--a b--\r\n").replace("\r\n", "\n"),
        ] {
            let sdp = found(MIXED, &body).map(|sdp| sdp.replace("\r\n", "\n"));
            assert_eq!(sdp.as_deref(), Some("v=0\ns=-\n"), "{body:?}");
        }
        let unclosed = format!("{isup}{sdp}");
        assert_eq!(found(MIXED, &unclosed).as_deref(), Some("v=0\r\ns=-\r\n\r\n"));
    }

    #[test]
    fn a_description_in_a_multipart_within_one() {
        let inner = "--in\r\n\r\ntext\r\n--in\r\nc: application/sdp\r\n\r\nv=0\r\n--in--\r\n";
        let outer = format!("--a b\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n{inner}\r\n--a b--\r\n");
        assert_eq!(found(MIXED, &outer).as_deref(), Some("v=0"));
        let nested = |depth: usize| {
            (1..depth).fold("--0\r\nc: application/sdp\r\n\r\nv=0\r\n--0--".to_owned(), |inner, level| {
                let kind = format!("c: multipart/mixed;boundary={}", level - 1);
                format!("--{level}\r\n{kind}\r\n\r\n{inner}\r\n--{level}--")
            })
        };
        assert_eq!(found("c: multipart/mixed;boundary=2", &nested(3)).as_deref(), Some("v=0"));
        assert_eq!(found("c: multipart/mixed;boundary=3", &nested(4)), None, "nobody sends that");
        let many = |parts| "--x\r\n\r\ntext\r\n".repeat(parts) + "--x\r\nc: application/sdp\r\n\r\nv=0";
        assert_eq!(found("c: multipart/mixed;boundary=x", &many(31)).as_deref(), Some("v=0"));
        assert_eq!(found("c: multipart/mixed;boundary=x", &many(10_000)), None, "nor that");
    }

    #[test]
    fn what_is_no_description_of_this_call() {
        let part = |lines: &str| format!("--a b\r\n{lines}\r\n\r\nv=0\r\n--a b--\r\n");
        for lines in [
            "Content-Type: text/plain",
            "X: application/sdp",
            "Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64",
            "Content-Type: application/sdp\r\nContent-Disposition: early-session",
        ] {
            assert_eq!(found(MIXED, &part(lines)), None, "{lines}");
        }
        for (kind, body) in [
            ("c: multipart/mixed", part("Content-Type: application/sdp")),
            ("c: multipart/mixed;boundary=other", part("Content-Type: application/sdp")),
            (MIXED, String::from("--a b--\r\n--a b\r\nc: application/sdp\r\n\r\nv=0")),
            (MIXED, String::from("--a bc\r\nc: application/sdp\r\n\r\nv=0")),
        ] {
            assert_eq!(found(kind, &body), None, "{kind} {body}");
        }
    }

    #[test]
    fn accept_names_what_an_answer_may_hold() {
        let accepts = |lines: &str| accepts_description(&message(lines, ""));
        assert!(
            accepts("X: y") && accepts("Accept:") && accepts("Accept: text/plain\r\nAccept: APPLICATION/sdp;level=1")
        );
        assert!(accepts("Accept: text/plain, application/*;q=0.1") && accepts("Accept: */*"));
        assert!(!accepts("Accept: text/x-unheard-of") && !accepts("Accept: application/sdpx"));
    }
}
