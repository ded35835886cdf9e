//! Messages as real phones, gateways and middle boxes send them: right or nearly right, and always a caller who wants to be
//! heard. Each must reach the line; what is truly broken gets its refusal.

use crate::application::plain_invite;
use crate::case::{offer, wire};
use crate::stand::{Sent, Stand};
use onekey::media::command::MediaCommand;

/// The plain INVITE with some of its text changed; the body's length is counted again.
fn changed(id: &str, changes: &[(&str, &str)]) -> Vec<u8> {
    let text = String::from_utf8(plain_invite(id)).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a body");
    let mut head = head.to_owned();
    for (old, new) in changes {
        assert!(head.contains(old), "{id}: no {old:?}");
        head = head.replacen(old, &new.replace('\n', "\r\n"), 1);
    }
    format!("{head}\r\n\r\n{body}").into_bytes()
}

/// The plain INVITE with another body.
fn with_body(id: &str, kind: &str, body: &str) -> Vec<u8> {
    let text = String::from_utf8(plain_invite(id)).expect("text").replace("\r\n", "\n");
    let head = text.split("Content-Type").next().unwrap_or_default();
    wire(&format!("{head}{kind}Content-Length: {{length}}\n\n{body}"))
}

fn bytes_changed(id: &str, old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut bytes = plain_invite(id);
    let at = bytes.windows(old.len()).position(|window| window == old).expect("it is there");
    bytes.splice(at..at + old.len(), new.iter().copied());
    bytes
}

/// Its headers end in line feeds, its body is as it was.
fn bare_line_feeds(id: &str) -> Vec<u8> {
    let text = String::from_utf8(plain_invite(id)).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a body");
    format!("{}\n\n{body}", head.replace("\r\n", "\n")).into_bytes()
}

const VIA: &str = "Via: SIP/2.0/UDP 192.0.2.21;branch=";
const TO: &str = "To: <sip:5550100@example.com>";
const CONTACT: &str = "Contact: <sip:+12025550123@192.0.2.21>";
const FORWARDS: &str = "Max-Forwards: 70";
const MULTIPART: &str = "Content-Type: multipart/mixed; boundary=\"next part\"\nMIME-Version: 1.0\n";

/// Each begins a call.
pub fn calls() -> Vec<(&'static str, Vec<u8>)> {
    let mut calls = spellings();
    calls.extend(quantities());
    calls.extend(addresses());
    calls.extend(bodies());
    calls
}

fn spellings() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("plain", plain_invite("plain")),
        (
            "compact names",
            changed(
                "compact",
                &[
                    ("Via", "v"),
                    ("From", "f"),
                    ("To:", "t:"),
                    ("Call-ID", "i"),
                    ("Contact", "m"),
                    ("Content-Type", "c"),
                    ("Content-Length", "l"),
                ],
            ),
        ),
        (
            "names in capitals and in small letters",
            changed(
                "letters",
                &[
                    ("Via", "VIA"),
                    ("From", "from"),
                    ("Call-ID", "CALL-ID"),
                    ("CSeq", "cseq"),
                    ("Content-Length", "content-length"),
                ],
            ),
        ),
        (
            "spaces before the colon, tabs behind",
            changed(
                "spaces",
                &[("From:", "From\t :\t"), ("CSeq:", "CSeq  :"), ("Content-Length:", "Content-Length :")],
            ),
        ),
        ("no space behind the colon", changed("tight", &[("From: ", "From:"), ("Via: ", "Via:"), ("CSeq: ", "CSeq:")])),
        (
            "folds everywhere",
            changed(
                "folds",
                &[
                    ("From: ", "From:\n\t"),
                    (";tag=", "\n ;\n tag=\n "),
                    ("CSeq: 1 ", "CSeq:\n 1\n "),
                    (";branch=", "\n\t;branch\n =\n "),
                    ("Content-Type: ", "Content-Type:\n "),
                ],
            ),
        ),
        (
            "no Contact, no Max-Forwards, no Content-Length",
            changed(
                "bare",
                &[(&format!("{CONTACT}\r\n"), ""), (&format!("{FORWARDS}\r\n"), ""), ("\r\nContent-Length: 133", "")],
            ),
        ),
        ("bare line feeds", bare_line_feeds("feeds")),
        ("empty lines before the start line", [&b"\r\n\r\n\n\r\n"[..], &plain_invite("before")].concat()),
        ("an empty header", changed("empty", &[(FORWARDS, "Max-Forwards: 70\nSubject:\nSupported:\nOrganization: ")])),
        ("a trailing semicolon", changed("semicolon", &[(TO, &format!("{TO};")), (CONTACT, &format!("{CONTACT};"))])),
        ("a small word in the version", changed("version", &[("SIP/2.0\r\nVia", "sip/2.0\nVia")])),
        ("Require of nothing", changed("require", &[(FORWARDS, "Max-Forwards: 70\nRequire:")])),
    ]
}

fn quantities() -> Vec<(&'static str, Vec<u8>)> {
    let sixty: String =
        (0..59).map(|hop| format!("\nVia: SIP/2.0/TCP hop{hop}.example.com;branch=z9hG4bKhop{hop}")).collect();
    let sixty = format!("{FORWARDS}{sixty}");
    let joined: Vec<String> = (0..20).map(|hop| format!("SIP/2.0/UDP 198.51.100.{hop};branch=z9hG4bKj{hop}")).collect();
    let (joined, enormous) =
        (format!("{FORWARDS}\nVia: {}", joined.join(",")), format!("{FORWARDS}\nX-Trace: {}", "x".repeat(40_000)));
    let many: String = (0..500).map(|nth| format!("\nX-Hop-{nth}: value {nth}")).collect();
    let record_routes =
        "Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\nRecord-Route: <sip:p3.example;lr;ftag=x>\n";
    vec![
        ("60 Vias", changed("vias60", &[(FORWARDS, &sixty)])),
        ("20 Vias on a line", changed("joined", &[(FORWARDS, &joined)])),
        ("a header of 40 000 bytes", changed("enormous", &[(FORWARDS, &enormous)])),
        ("500 headers that nobody knows", changed("many", &[(FORWARDS, &format!("{FORWARDS}{many}"))])),
        (
            "an Accept of many types",
            changed("accept", &[(FORWARDS, "Max-Forwards: 70\nAccept: text/plain, application/sdp;level=1")]),
        ),
        ("Record-Route joined and split", changed("routes", &[(FORWARDS, &format!("{record_routes}{FORWARDS}"))])),
        (
            "several Contacts on a line",
            changed("contacts", &[(CONTACT, &format!("{CONTACT}, <sip:other@192.0.2.22>;q=0.2"))]),
        ),
    ]
}

fn addresses() -> Vec<(&'static str, Vec<u8>)> {
    let (line, from) = ("INVITE sip:5550100@192.0.2.1 SIP/2.0", "From: <sip:+12025550123@example.com>");
    let utf8 = "From: \"\u{738b}\u{5c0f}\u{660e} \u{1f4de} caf\u{e9}\" <sip:+12025550123@example.com>";
    let quoted = r#"From: "a \"b\", <c>; d=\\e: tag=no" <sip:+12025550123@example.com>"#;
    vec![
        ("a name in UTF-8", changed("utf8", &[(from, utf8)])),
        ("a name in UTF-8 without quotes", changed("utf8bare", &[(from, &utf8.replace('"', ""))])),
        ("a name in Latin-1", bytes_changed("latin1", b"From: <", b"From: \"caf\xe9\" <")),
        ("a quoted name with all that ends an address", changed("quoted", &[(from, quoted)])),
        ("an empty quoted name", changed("emptyname", &[(from, "From: \"\" <sip:+12025550123@example.com>")])),
        ("a NUL in a name", bytes_changed("nulname", b"From: <", b"From: \"a\\\0b\" <")),
        ("an address without brackets", changed("nobrackets", &[(from, "From: sip:+12025550123@example.com")])),
        ("a tel: caller", changed("telcaller", &[(from, "From: <tel:+1-202-555-0123;phone-context=example.com>")])),
        (
            "a tel: number dialled",
            changed("teldialled", &[(line, "INVITE tel:5550100;phone-context=example.com SIP/2.0")]),
        ),
        ("a sips: number dialled", changed("sips", &[(line, "INVITE sips:5550100@192.0.2.1 SIP/2.0")])),
        ("a scheme in capitals", changed("scheme", &[(line, "INVITE SIP:5550100@192.0.2.1 SIP/2.0")])),
        ("an escaped number dialled", changed("escaped", &[(line, "INVITE sip:%35550%31%300@192.0.2.1 SIP/2.0")])),
        (
            "a number with parameters in the user part",
            changed(
                "userparams",
                &[(line, "INVITE sip:5550100;phone-context=example.com@192.0.2.1;user=phone SIP/2.0")],
            ),
        ),
        ("a password in the URI", changed("password", &[(line, "INVITE sip:5550100:secret@192.0.2.1 SIP/2.0")])),
        (
            "IPv6 references",
            changed(
                "v6",
                &[
                    (line, "INVITE sip:5550100@[2001:db8::10]:5060 SIP/2.0"),
                    ("UDP 192.0.2.21;", "UDP [2001:db8::21]:5062;received=[2001:db8::22];"),
                    (CONTACT, "Contact: <sip:+12025550123@[2001:db8::21]:5062>"),
                ],
            ),
        ),
        ("underscores in a host", changed("underscore", &[(VIA, "Via: SIP/2.0/UDP my_phone.example;branch=")])),
        (
            "rport and odd parameters of Via",
            changed("rport", &[(VIA, "Via: SIP/2.0/UDP 192.0.2.21:5062;rport;alias;keep;branch=")]),
        ),
        (
            "an asserted identity and a privacy of nothing",
            changed(
                "asserted",
                &[(
                    FORWARDS,
                    "Max-Forwards: 70\nP-Asserted-Identity: \"A\" <sip:+12025550199@example.com>, <tel:+12025550199>\nPrivacy: none",
                )],
            ),
        ),
        (
            "an anonymous caller",
            changed("anonymous", &[(from, "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>")]),
        ),
    ]
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let sdp = offer("IP4 192.0.2.21");
    let part = |kind: &str, body: &str| format!("--next part\nContent-Type: {kind}\n\n{body}\n");
    let isup = part("application/isup;version=x", "\u{1}\0\u{2}");
    let place = part("application/pidf+xml", "<presence/>");
    let both = format!("before\n{isup}{}{place}--next part--\nbehind", part("application/sdp", &sdp));
    let padded = [plain_invite("padded"), vec![0; 64]].concat();
    let noise = [plain_invite("noise"), b"\r\n\r\n".to_vec()].concat();
    let cut = changed("cutline", &[("Content-Length: 133", "Content-Length: 131")]);
    vec![
        ("SDP between other parts", with_body("multipart", MULTIPART, &both)),
        ("SDP in a multipart of bare line feeds", {
            let text = String::from_utf8(with_body("multifeeds", MULTIPART, &both)).expect("text");
            let (head, body) = text.split_once("\r\n\r\n").expect("a body");
            let body = body.replace("\r\n", "\n");
            let head = head.split("Content-Length").next().unwrap_or_default();
            format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
        }),
        ("SDP of no named type", with_body("untyped", "", &sdp)),
        (
            "a type with parameters and capitals",
            with_body("typed", "Content-Type: Application/SDP ; charset=utf-8\n", &sdp),
        ),
        ("NUL bytes behind the message", padded),
        ("a keep-alive in the same datagram", noise),
        // RFC 3261 §18.3: what is beyond Content-Length is not the message's.
        ("Content-Length two bytes short", cut),
        ("Content-Length with zeros before", changed("zeros", &[("Content-Length: 133", "Content-Length: 0000133")])),
        ("Content-Length twice the same", changed("twice", &[("Content-Length: 133", "Content-Length: 133\nl: 133")])),
    ]
}

#[test]
fn each_message_as_phones_send_it_begins_a_call() {
    for (name, bytes) in calls() {
        let mut stand = Stand::new();
        let sent = stand.receive(&bytes);
        assert_eq!(sent.iter().filter_map(Sent::status).collect::<Vec<_>>(), [100, 200], "{name}");
        assert!(stand.media.iter().any(|command| matches!(command, MediaCommand::Start { .. })), "{name}");
        assert_eq!(stand.calls(), 1, "{name}");
        stand.rest();
    }
}

#[test]
fn a_body_that_need_not_be_understood_is_passed_over() {
    let kind = "Content-Type: application/isup;version=x\nContent-Disposition: signal; handling=optional\n";
    let mut stand = Stand::new();
    let sent = stand.receive(&with_body("optional", kind, "\u{1}\u{2}"));
    assert_eq!(sent.iter().filter_map(Sent::status).collect::<Vec<_>>(), [100, 200]);
    let text = String::from_utf8_lossy(&sent[1].bytes).into_owned();
    assert!(text.contains("m=audio") && text.contains("PCMA"), "our own offer, which has both: {text}");
    stand.rest();
}

/// Whose caller cannot be helped: which refusal it gets.
#[test]
fn what_is_truly_broken_is_refused_and_noise_is_not_answered() {
    let long = format!("Max-Forwards: 70\nX: {}", "x".repeat(64 * 1024));
    let mut endless = plain_invite("endless");
    endless.truncate(200);
    for (name, bytes, status) in [
        (
            "Content-Length beyond the datagram",
            changed("beyond", &[("Content-Length: 133", "Content-Length: 134")]),
            Some(400),
        ),
        ("Content-Length of words", changed("words", &[("Content-Length: 133", "Content-Length: many")]), Some(400)),
        (
            "Content-Lengths that differ",
            changed("differ", &[("Content-Length: 133", "Content-Length: 133\nl: 132")]),
            Some(400),
        ),
        ("cut in the headers", endless, Some(400)),
        ("a NUL for a space", bytes_changed("nulspace", b"INVITE sip", b"INVITE\0sip"), Some(400)),
        ("a lone carriage return", bytes_changed("lonecr", b"Max-Forwards: 70", b"X: y\rEvil: z"), Some(400)),
        ("SDP that is none", with_body("rubbish", "Content-Type: application/sdp\n", "hello=world\n"), Some(400)),
        (
            "a codec that nobody has",
            with_body("codec", "Content-Type: application/sdp\n", "v=0\nc=IN IP4 192.0.2.21\nm=audio 9000 RTP/AVP 3\n"),
            Some(488),
        ),
        (
            "a multipart without SDP",
            with_body("nosdp", MULTIPART, "--next part\nContent-Type: text/plain\n\nv=0\n--next part--\n"),
            Some(415),
        ),
        (
            "a multipart without a boundary",
            with_body("nobound", "Content-Type: multipart/mixed\n", "--x\n\nv=0\n--x--\n"),
            Some(415),
        ),
        ("a header of 64 KiB over UDP", changed("longest", &[(FORWARDS, &long)]), Some(200)),
        ("64 KiB of nothing", vec![b' '; 65_000], None),
        ("64 KiB of NULs", vec![0; 65_000], None),
        ("64 KiB of line ends", b"\r\n".repeat(32_000), None),
        ("64 KiB of 0xff", vec![0xff; 65_000], None),
        ("nothing", Vec::new(), None),
        ("a STUN keep-alive", vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], None),
        ("a letter of the web", b"GET / HTTP/1.1\r\nHost: onekey.example\r\n\r\n".to_vec(), None),
        ("a request with nowhere to answer to", b"OPTIONS sip:5550100@192.0.2.1 SIP/2.0\r\n\r\n".to_vec(), None),
    ] {
        let mut stand = Stand::new();
        assert_eq!(stand.status(&bytes), status, "{name}");
        assert_eq!(stand.calls_open(), usize::from(status == Some(200)), "{name}");
        stand.rest();
    }
}
