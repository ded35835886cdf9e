//! The reader against rsip's (DESIGN §10): what rsip makes of a message, ours makes of it too, wherever rsip is right.
//!
//! Over the torture messages, what phones send, what the engine itself sends, and messages made at random. Where rsip is
//! wrong stands in [`RSIP_IS_WRONG`], each with the reason; an entry that is not needed any more fails.

use crate::as_sent;
use crate::cases;
use crate::stand::Stand;
use onekey::sip::compose::{self, RequestParts};
use onekey::sip::headers::NameAddr;
use onekey::sip::message::{Message, Method, StartLine};
use onekey::sip::reader::read;
use proptest::prelude::*;
use rsip::headers::{ToTypedHeader, UntypedHeader};
use rsip::message::{HasHeaders, HeadersExt};
use std::collections::{BTreeMap, BTreeSet};

/// Message, field, why rsip's reading is not the right one. Field `all`: rsip reads a message that must not be read.
const RSIP_IS_WRONG: &[(&str, &str, &str)] = &[
    ("dblreq", "body", "never applies Content-Length: the next request becomes the body"),
    ("badinv01", "all", "reads a Via only when asked, and passes over its empty parameters"),
    ("clerr", "all", "never looks at Content-Length"),
    ("ncl", "all", "never looks at Content-Length"),
    ("mcl01", "all", "never looks at Content-Length"),
    ("scalar02", "all", "reads CSeq only when asked"),
    ("scalarlg", "all", "reads CSeq only when asked"),
    ("mismatch01", "all", "never compares CSeq with the request line"),
    ("quotbal", "all", "takes a quoted string without end for a display name"),
    ("ltgtruri", "all", "takes `<sip` for a scheme"),
    ("insuf", "all", "misses Call-ID, From and To only when asked"),
    ("multi01", "all", "takes the first of several Call-IDs and CSeqs"),
    ("badaspec", "to-uri", "keeps the spaces within the brackets"),
    ("a NUL in a name", "from-name", "resolves no escapes in quoted strings"),
    ("a scheme in capitals", "uri", "writes schemes in small letters: another text, the same URI"),
    ("NUL bytes behind the message", "body", "never applies Content-Length"),
    ("a keep-alive in the same datagram", "body", "never applies Content-Length"),
    ("Content-Length two bytes short", "body", "never applies Content-Length"),
    ("answer to wsinv", "to-tag", "misses a parameter with spaces about its `=`"),
    ("answer to folds everywhere", "via-branch", "misses a parameter with spaces about its `=`"),
    ("answer to a NUL in a name", "from-name", "resolves no escapes in quoted strings"),
    ("answer to intmeth", "to-uri", "ends the URI at the colon of its password"),
    ("answer to badaspec", "to-uri", "keeps the spaces within the brackets"),
];

type Fields = BTreeMap<&'static str, String>;

/// What rsip tells of a message; a field that it cannot read is left out. `None`: it does not read the message.
fn theirs(bytes: &[u8]) -> Option<Fields> {
    let message = rsip::SipMessage::try_from(bytes.to_vec()).ok()?;
    let mut fields = Fields::new();
    let body = match &message {
        rsip::SipMessage::Request(request) => {
            fields.insert("method", request.method.to_string());
            fields.insert("uri", request.uri.to_string());
            &request.body
        }
        rsip::SipMessage::Response(response) => {
            fields.insert("status", response.status_code.code().to_string());
            &response.body
        }
    };
    fields.insert("body", body.escape_ascii().to_string());
    fields.insert("headers", message.headers().iter().count().to_string());
    if let Ok(call_id) = message.call_id_header() {
        fields.insert("call-id", call_id.value().to_owned());
    }
    if let Ok(cseq) = message.cseq_header().and_then(|cseq| cseq.typed()) {
        fields.insert("cseq", format!("{} {}", cseq.seq, cseq.method));
    }
    if let Ok(via) = message.via_header().and_then(|via| via.typed()) {
        fields.insert("via-transport", via.transport.to_string());
        fields.insert("via-host", via.uri.host().to_string());
        fields.insert("via-port", via.uri.port().map(|port| port.value().to_string()).unwrap_or_default());
        fields.insert("via-branch", via.branch().map(|branch| branch.value().to_owned()).unwrap_or_default());
    }
    if let Ok(from) = message.from_header().and_then(|from| from.typed()) {
        fields.insert("from-uri", from.uri.to_string());
        fields.insert("from-tag", from.tag().map(|tag| tag.value().to_owned()).unwrap_or_default());
        // rsip keeps the quotes.
        fields.insert("from-name", from.display_name.unwrap_or_default().trim_matches('"').to_owned());
    }
    if let Ok(to) = message.to_header().and_then(|to| to.typed()) {
        fields.insert("to-uri", to.uri.to_string());
        fields.insert("to-tag", to.tag().map(|tag| tag.value().to_owned()).unwrap_or_default());
    }
    if let Ok(contact) = message.contact_header().and_then(|contact| contact.typed()) {
        fields.insert("contact", contact.uri.to_string());
    }
    Some(fields)
}

/// rsip writes the values of `transport` in capitals, which is the same URI; ours keeps what was written.
fn with_small_transport(uri: &str) -> String {
    let words = ["UDP", "TCP", "TLS", "SCTP", "WS"].map(|word| format!(";transport={word}"));
    words.iter().fold(uri.to_owned(), |uri, word| uri.replace(word, &word.to_ascii_lowercase()))
}

fn ours(message: &Message) -> Fields {
    let mut fields = Fields::new();
    match message.start() {
        StartLine::Request { method, uri } => {
            fields.insert("method", method.to_string());
            fields.insert("uri", uri.to_owned());
        }
        StartLine::Response { status, .. } => {
            fields.insert("status", status.to_string());
        }
    }
    fields.insert("body", message.body().escape_ascii().to_string());
    fields.insert("headers", header_lines(message).to_string());
    fields.insert("call-id", message.call_id().to_owned());
    fields.insert("cseq", format!("{} {}", message.cseq(), message.method()));
    let via = message.via();
    fields.insert("via-transport", via.transport.clone());
    fields.insert("via-host", via.host.clone());
    fields.insert("via-port", via.port.map(|port| port.to_string()).unwrap_or_default());
    fields.insert("via-branch", via.branch.clone().unwrap_or_default());
    let tag = |address: &NameAddr| address.tag().unwrap_or_default().to_owned();
    fields.insert("from-uri", message.from().uri.clone());
    fields.insert("from-tag", tag(message.from()));
    fields.insert("from-name", message.from().display.clone().unwrap_or_default());
    fields.insert("to-uri", message.to().uri.clone());
    fields.insert("to-tag", tag(message.to()));
    if let Some(Ok(contact)) = message.contacts().into_iter().next() {
        fields.insert("contact", contact.uri);
    }
    fields
}

/// How many header lines there are, folds counted with what they continue.
fn header_lines(message: &Message) -> usize {
    let bytes = message.bytes();
    let start = bytes.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(0);
    let lines = bytes[start..].split(|&byte| byte == b'\n').skip(1);
    lines.take_while(|line| !line.trim_ascii().is_empty()).filter(|line| !b" \t".contains(&line[0])).count()
}

/// The fields in which the two differ; `all` where only rsip reads the message.
pub fn differences(bytes: &[u8]) -> Vec<(&'static str, String)> {
    let Some(theirs) = theirs(bytes) else { return Vec::new() };
    let ours = match read(bytes.to_vec()) {
        Ok(message) => ours(&message),
        Err(error) => return vec![("all", error.reason)],
    };
    let is_same = |name: &str, value: &str| match ours.get(name) {
        Some(own) if name.contains("uri") || name == "contact" => {
            with_small_transport(own) == with_small_transport(value)
        }
        own => own.is_some_and(|own| own == value),
    };
    let differing = theirs.into_iter().filter(|(name, value)| !is_same(name, value));
    differing.map(|(name, value)| (name, format!("rsip {value:?}, ours {:?}", ours.get(name)))).collect()
}

/// Compares all of them; every difference must be a known mistake of rsip's, and every known mistake must be met.
/// How many of the messages rsip reads.
fn compare(messages: impl IntoIterator<Item = (String, Vec<u8>)>, known: impl Fn(&str) -> bool) -> usize {
    let (mut used, mut wrong, mut read_by_rsip) = (BTreeSet::new(), Vec::new(), 0);
    for (name, bytes) in messages {
        read_by_rsip += usize::from(theirs(&bytes).is_some());
        for (field, how) in differences(&bytes) {
            match RSIP_IS_WRONG.iter().find(|known| (known.0, known.1) == (name.as_str(), field)) {
                Some(known) => drop(used.insert(*known)),
                None => wrong.push(format!("{name}, {field}: {how}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unused: Vec<_> = RSIP_IS_WRONG.iter().filter(|entry| known(entry.0) && !used.contains(*entry)).collect();
    assert!(unused.is_empty(), "rsip is not wrong there: {unused:?}");
    read_by_rsip
}

const ANSWER: &str = "answer to ";

#[test]
fn torture_and_phones_are_read_as_rsip_reads_them_where_it_is_right() {
    let torture = cases().into_iter().map(|case| (case.name.to_owned(), case.bytes));
    let phones = as_sent::calls().into_iter().map(|(name, bytes)| (name.to_owned(), bytes));
    let read_by_rsip = compare(torture.chain(phones), |name| !name.starts_with(ANSWER));
    assert!(read_by_rsip > 50, "rsip reads only {read_by_rsip}: that compares little");
}

#[test]
fn what_the_engine_answers_is_read_alike() {
    let torture = cases().into_iter().map(|case| (case.name, case.bytes));
    let answers = torture.chain(as_sent::calls()).flat_map(|(name, bytes)| {
        let mut stand = Stand::new();
        stand.receive(&bytes);
        stand.rest();
        stand.sent.into_iter().map(move |sent| (format!("{ANSWER}{name}"), sent))
    });
    // What copies an unreadable request need not be readable.
    let readable = answers.filter(|(name, sent)| {
        let readable = read(sent.bytes.clone()).is_ok();
        assert!(readable || matches!(sent.status(), Some(400 | 505)), "{name}: {}", sent.bytes.escape_ascii());
        readable
    });
    let read_by_rsip = compare(readable.map(|(name, sent)| (name, sent.bytes)), |name| name.starts_with(ANSWER));
    assert!(read_by_rsip > 200, "rsip reads only {read_by_rsip}: that compares little");
}

/// A URI that rsip reads: its hosts are names or IPv4 addresses.
fn uri() -> impl Strategy<Value = String> {
    let host = prop_oneof!["[a-z]{1,8}\\.example", Just("192.0.2.7".to_owned())];
    let params = prop::sample::select(vec!["", ";transport=tcp", ";lr", ";user=phone", ";ob;x=y"]);
    let user = prop_oneof!["[a-z0-9]{1,8}", "\\+1202555010[0-9]"];
    (user, host, proptest::option::of(1u16..), params).prop_map(|(user, host, port, params)| match port {
        Some(port) => format!("sip:{user}@{host}:{port}{params}"),
        None => format!("sip:{user}@{host}{params}"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_we_compose_is_read_alike(
        uri in uri(), from in uri(), to in uri(), contact in proptest::option::of(uri()), sent_by in "[a-z]{1,8}\\.example(:[1-9][0-9]{0,3})?",
        tag in "[a-z0-9]{1,8}", to_tag in proptest::option::of("[a-z0-9]{1,8}"), name in "[A-Za-z]{1,8}", cseq in 0u32..1 << 31,
        call_id in "[a-z0-9.@-]{1,20}", subject in "[ -~]{0,30}", body in "[ -~\r\n]{0,40}", method in 0usize..14, status in 100u16..700,
    ) {
        let method = Method::new(&rsip::Method::all()[method].to_string());
        let extra = [("Subject".to_owned(), subject)];
        let (from, to) = (format!("\"{name}\" <{from}>;tag={tag}"), format!("<{to}>"));
        let contact = contact.map(|contact| format!("<{contact}>"));
        let parts = RequestParts {
            method: &method, uri: &uri, via: ("UDP", &sent_by, "z9hG4bKx"), from: &from, to: &to, call_id: &call_id, cseq,
            max_forwards: 70, routes: &[], contact: contact.as_deref(), extra: &extra, body: Some(("text/plain", body.as_bytes())),
        };
        let bytes = compose::request(&parts);
        prop_assert!(theirs(&bytes).is_some_and(|fields| fields.len() >= 15), "rsip reads all of it");
        prop_assert_eq!(differences(&bytes), []);
        let request = read(bytes).unwrap();
        let source = Some(("192.0.2.9".parse().unwrap(), 5070));
        let answer = compose::response(&request, status, None, to_tag.as_deref(), source, contact.as_deref(), &extra, None);
        prop_assert!(theirs(&answer).is_some_and(|fields| fields.len() >= 14), "rsip reads all of it");
        prop_assert_eq!(differences(&answer), []);
    }

    /// Header lines in any order, several Vias, unknown headers between them.
    #[test]
    fn header_lines_in_any_order_are_read_alike(
        order in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle(), uri in uri(), tag in "[a-z0-9]{1,8}", unknown in "X-[A-Za-z]{1,9}",
        value in "[!-~]([ -~]{0,20}[!-~])?", branch in "[a-zA-Z0-9.-]{1,12}",
    ) {
        let length = "Content-Length: 4".to_owned();
        let lines = [
            format!("Via: SIP/2.0/TCP a.example:5070;branch=z9hG4bK{branch}"), "Via: SIP/2.0/UDP b.example;branch=z9hG4bK2;received=192.0.2.8".to_owned(),
            format!("From: <{uri}>;tag={tag}"), format!("To: {uri}"), format!("Call-ID: {tag}@c.example"), "CSeq: 7 INVITE".to_owned(),
            format!("Contact: <{uri}>;q=0.5"), format!("{unknown}: {value}"), length,
        ];
        // The topmost Via is that of the first line.
        let mut order = order;
        let vias: Vec<usize> = (0..9).filter(|at| order[*at] < 2).collect();
        (order[vias[0]], order[vias[1]]) = (0, 1);
        let head: String = order.iter().map(|line| format!("{}\r\n", lines[*line])).collect();
        let bytes = format!("INVITE {uri} SIP/2.0\r\n{head}\r\nv=0\n").into_bytes();
        prop_assert!(theirs(&bytes).is_some(), "rsip reads it");
        prop_assert_eq!(differences(&bytes), []);
    }
}
