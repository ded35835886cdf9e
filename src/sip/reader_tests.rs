//! Tests of the reader: what phones do every day, and what nobody should get away with. The torture messages of the RFCs
//! are in `tests/torture/`.
//!
//! The last tests throw arbitrary and mutated bytes at reader and framer: no panic, and the same message read twice alike.

use super::super::compose;
use super::super::framing::{Frame, Framer};
use super::super::message::StartLine;
use super::*;
use proptest::prelude::*;

const INVITE: &str = "\r\n\r\nINVITE sip:5550100@example.com SIP/2.0\r\n\
    v: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport, SIP/2.0/TCP [2001:db8::1]\r\n\
    Via : SIP/2.0/UDP 192.0.2.3\r\n\
    f: \"Ann, B\" <sip:ann@example.com>;tag=a\r\n\
    t: <tel:5550100>\r\n\
    i: 1@example.com\r\n\
    CSeq: 7 INVITE\r\n\
    m: <sip:a@192.0.2.1>,\r\n  <sip:b@192.0.2.1>\r\n\
    Subject: caf\u{e9}\r\n\
    l: 4\r\n\r\nv=0\nmore";

#[test]
fn an_invite_with_much_that_phones_do() {
    let message = read(INVITE.into()).unwrap();
    assert_eq!(message.request_uri(), Some("sip:5550100@example.com"));
    assert_eq!((message.method(), message.cseq(), message.call_id()), (&Method::Invite, 7, "1@example.com"));
    assert_eq!((message.from_tag(), message.to_tag()), (Some("a"), None));
    assert_eq!((message.from().display.as_deref(), message.to().uri.as_str()), (Some("Ann, B"), "tel:5550100"));
    assert_eq!(message.vias()[1..], ["SIP/2.0/TCP [2001:db8::1]", "SIP/2.0/UDP 192.0.2.3"]);
    assert_eq!((message.via().port, message.via().rport), (Some(5070), Some(None)));
    let contacts: Vec<String> = message.contacts().into_iter().map(|contact| contact.unwrap().uri).collect();
    assert_eq!(contacts, ["sip:a@192.0.2.1", "sip:b@192.0.2.1"]);
    assert_eq!((message.header("SUBJECT"), message.header("s")), (Some("caf\u{e9}"), Some("caf\u{e9}")));
    assert_eq!((message.body(), message.bytes()), (&b"v=0\n"[..], INVITE.as_bytes()));
}

#[test]
fn bare_line_feeds_end_lines_too() {
    let message = read(INVITE.replace("\r\n", "\n").into_bytes()).unwrap();
    assert_eq!((message.contacts().len(), message.vias().len(), message.body()), (2, 3, &b"v=0\n"[..]));
}

#[test]
fn bytes_that_are_not_text_lose_nothing_else() {
    let mut bytes = INVITE.as_bytes().to_vec();
    let at = bytes.windows(2).position(|pair| pair == [0xc3, 0xa9]).unwrap();
    bytes[at] = b'e';
    let message = read(bytes).unwrap();
    assert_eq!(message.header("Subject"), Some("cafe?"));
    assert_eq!(message.raw_headers("Subject").next(), Some(&b"cafe\xa9"[..]));
    assert_eq!((message.header("Content-Length"), message.body()), (Some("4"), &b"v=0\n"[..]));
}

#[test]
fn a_star_contact() {
    let message =
        |contact: &str| read(INVITE.replace("m: <sip:a@192.0.2.1>,\r\n  <sip:b@192.0.2.1>", contact).into()).unwrap();
    assert!(message("m: * ").contact_is_star());
    assert!(!message("m: *, <sip:a@b>").contact_is_star() && !message("X: *").contact_is_star());
    assert!(message("m: *").contacts()[0].is_err());
}

#[test]
fn methods_differ_by_case() {
    let message = read(INVITE.replace("INVITE", "Invite").into()).unwrap();
    assert_eq!(message.method(), &Method::Other("Invite".into()));
    for name in
        "INVITE ACK BYE CANCEL OPTIONS REGISTER INFO UPDATE PRACK REFER NOTIFY SUBSCRIBE MESSAGE PUBLISH".split(' ')
    {
        let method = Method::new(name);
        assert!(method.as_str() == name && !matches!(method, Method::Other(_)), "{name}");
    }
}

#[test]
fn what_is_missing_or_doubtful_is_named() {
    for (from, to, reason) in [
        ("CSeq: 7 INVITE\r\n", "", "no CSeq"),
        ("CSeq: 7 INVITE", "CSeq: 2147483648 INVITE", "unreadable CSeq"),
        ("CSeq: 7 INVITE", "CSeq: 7", "unreadable CSeq"),
        ("CSeq: 7 INVITE", "CSeq: -7 INVITE", "unreadable CSeq"),
        ("CSeq: 7 INVITE", "CSeq: 7 BYE", "CSeq names another method"),
        ("CSeq: 7 INVITE", "CSeq: 7 INVITE\r\ncseq: 8 INVITE", "more than one CSeq"),
        ("f: ", "X: ", "no From"),
        ("t: ", "X: ", "no To"),
        ("i: ", "X: ", "no Call-ID"),
        ("i: 1@example.com", "i: 1 2", "unreadable Call-ID"),
        ("i: 1@example.com", "i:", "unreadable Call-ID"),
        ("<tel:5550100>", "<tel:>", "unreadable To"),
        ("Subject: ", "Subject ", "a header line without a colon"),
        ("Subject: ", "Sub\rject: ", "a carriage return inside a line"),
        ("Subject: ", ": ", "a header line without a name"),
        ("Subject: ", "Sub ject: ", "a header line without a name"),
        ("l: 4", "l: 40", "the body is shorter than Content-Length"),
        ("l: 4", "l: 4\r\nl: 5", "two different Content-Lengths"),
        ("l: 4", "l: four", "unreadable Content-Length"),
        ("\r\n\r\nv=0\nmore", "\r\n", "no empty line after the headers"),
        ("SIP/2.0\r\n", "SIP/2.0\r\n X: y\r\n", "white space before the first header"),
        ("INVITE sip", "INV(TE sip", "unreadable request line"),
        ("sip:5550100@example.com SIP", "5550100 SIP", "unreadable request line"),
        ("example.com SIP/2.0", "example.com HTTP/1.1", "unreadable start line"),
    ] {
        let text = INVITE.replacen(from, to, 1);
        let error = read(text.into_bytes()).unwrap_err();
        let found = error.reason == reason;
        assert!(found && error.status == 400 && error.respondable.is_some(), "{from:?} -> {to:?}: {error:?}");
    }
    let error = read(INVITE.replace("CSeq: 7", "CSeq: x").into_bytes()).unwrap_err();
    assert_eq!(&INVITE[error.at..error.at + 8], "7 INVITE");
}

#[test]
fn status_lines_with_little_and_with_too_much() {
    let response = |start: &str| {
        let text = INVITE.trim_start().replacen("INVITE sip:5550100@example.com SIP/2.0", start, 1);
        read(text.into_bytes())
    };
    for start in ["SIP/2.0 183 ", "SIP/2.0 183", "sip/2.0 183"] {
        let message = response(start).unwrap();
        assert_eq!(message.start(), StartLine::Response { status: 183, reason: "" });
        assert_eq!(message.method(), &Method::Invite);
    }
    for start in ["SIP/2.0 99 x", "SIP/2.0 700 x", "SIP/2.0 +20 x", "SIP/2.0 0200 x", "SIP/3.0 200 OK", "SIP/2.0"] {
        assert!(response(start).unwrap_err().respondable.is_none(), "{start}: a response is dropped");
    }
}

#[test]
fn what_cannot_or_must_not_be_answered_is_dropped() {
    let dropped = |text: &str| read(text.as_bytes().to_vec()).unwrap_err().respondable.is_none();
    assert!(dropped("") && dropped("\r\n\r\n") && dropped("GET / HTTP/1.1\r\n\r\n") && dropped("\0\0\0\0"));
    let broken = INVITE.replace("CSeq: 7", "CSeq: x");
    assert!(!dropped(&broken));
    assert!(dropped(&broken.replace("INVITE", "ACK")), "an ACK");
    assert!(dropped(&broken.replace("INVITE sip:5550100@example.com SIP/2.0", "SIP/2.0 200 OK")), "a response");
    assert!(dropped(&broken.replace("v: ", "X: ").replace("Via : ", "X: ")), "nowhere to answer to");
    let error = read(broken.replace("t: ", "X: ").into_bytes()).unwrap_err();
    let respondable = error.respondable.unwrap();
    assert_eq!(
        (respondable.to, respondable.call_id.as_deref(), respondable.vias.len()),
        (None, Some("1@example.com"), 2)
    );
}

#[test]
fn long_rubbish_is_read_in_linear_time() {
    for part in [&b"\xff"[..], b"\r\n ", b"a:\r\n", b"\"", b"<", b"\\", b";", b",", b"=", b"\r", b"v:,"] {
        let mut bytes = b"OPTIONS sip:a SIP/2.0\r\nX: ".to_vec();
        bytes.extend(part.repeat(60_000 / part.len()));
        assert!(read(bytes).is_err());
    }
}

/// A sequence of pieces that look like SIP, so that mutations reach deep.
fn nearly_sip() -> impl Strategy<Value = Vec<u8>> {
    let splices =
        proptest::collection::vec((0..INVITE.len(), 0usize..6, proptest::collection::vec(piece(), 0..3)), 0..4);
    splices.prop_map(|splices| {
        let mut bytes = INVITE.as_bytes().to_vec();
        for (at, length, pieces) in splices {
            let at = at.min(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, pieces.concat());
        }
        bytes
    })
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let special = prop::sample::select(vec![
        "\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        ":",
        ";",
        ",",
        "\"",
        "<",
        ">",
        "\\",
        "=",
        "%",
        "[",
        "]",
        "/",
        "@",
        "?",
        "*",
        "\0",
        "\r\n ",
        "\r\n\r\n",
        "l: 0",
        "tag=",
        "rport",
        "SIP/2.0/UDP ",
        "\u{e9}",
    ]);
    prop_oneof![special.prop_map(|text| text.as_bytes().to_vec()), any::<u8>().prop_map(|byte| vec![byte])]
}

/// Reads, and asks the message for everything.
fn exercise(bytes: &[u8]) -> Result<(), TestCaseError> {
    let message = match read(bytes.to_vec()) {
        Ok(message) => message,
        Err(error) => {
            prop_assert!(error.at <= bytes.len());
            if let Some(respondable) = &error.respondable {
                compose::response_to_unreadable(respondable, error.status, None, "t");
            }
            return Ok(());
        }
    };
    prop_assert_eq!(message.bytes(), bytes);
    let _ = (message.start(), message.contacts(), message.contact_is_star(), message.content_type());
    let _ = super::super::uri::Uri::parse(message.request_uri().unwrap_or_default());
    let source = Some(("192.0.2.200".parse().unwrap(), 9));
    let answer = compose::response(&message, 200, None, Some("t"), source, None, &[], None);
    // What we copied is what we read: dialogs and transactions are matched by it.
    let again = read(answer).map_err(|error| TestCaseError::fail(format!("our answer is unreadable: {error:?}")))?;
    prop_assert_eq!(again.call_id(), message.call_id());
    prop_assert_eq!((again.cseq(), again.method()), (message.cseq(), message.method()));
    prop_assert_eq!((again.from_tag(), &again.via().branch), (message.from_tag(), &message.via().branch));
    prop_assert_eq!(again.to_tag(), message.to_tag().or(Some("t")));
    prop_assert_eq!(again.vias().len(), message.vias().len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_messages_never_break_the_reader(bytes in nearly_sip()) {
        exercise(&bytes)?;
    }

    #[test]
    fn arbitrary_bytes_never_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        exercise(&bytes)?;
    }

    #[test]
    fn a_stream_is_cut_alike_in_any_pieces(bytes in nearly_sip(), size in 1usize..80) {
        let cut = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let (mut framer, mut frames) = (Framer::new(), Vec::new());
            for piece in pieces {
                framer.push(piece);
                while let Some(frame) = framer.next() {
                    let failed = frame.is_err();
                    if !matches!(frame, Ok(Frame::Ping | Frame::Pong)) {
                        frames.push(frame);
                    }
                    if failed {
                        return frames;
                    }
                }
            }
            frames
        };
        prop_assert_eq!(cut(&mut bytes.chunks(size)), cut(&mut std::iter::once(&bytes[..])));
    }
}
