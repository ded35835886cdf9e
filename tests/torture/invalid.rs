//! RFC 4475 §3.1.2: nineteen messages that break the grammar. Each is refused, or read in the liberal way that the RFC allows
//! where only one meaning is possible and a caller would be lost otherwise; then its comment says so.
//!
//! Written after the RFC's descriptions, with names, numbers and addresses of our own.

use crate::case::{Answer, Case, Read, offer, read_as, wire};

pub fn cases() -> Vec<Case> {
    let mut cases = headers();
    cases.extend(request_lines());
    cases.extend(addresses());
    cases.extend(disagreements());
    cases.sort_by_key(|case| case.section.rsplit('.').next().and_then(|number| number.parse::<u32>().ok()));
    cases
}

/// A request to us with one line changed or added, and a body.
fn request(name: &str, start: &str, lines: &[&str], body: &str) -> Vec<u8> {
    let method = start.split(' ').find(|word| !word.is_empty()).unwrap_or_default();
    let usual = [
        format!("Via: SIP/2.0/UDP 192.0.2.21;branch=z9hG4bK-{name}"),
        "Max-Forwards: 70".to_owned(),
        "From: <sip:+12025550123@example.net>;tag=inv".to_owned(),
        "To: <sip:5550100@example.com>".to_owned(),
        format!("Call-ID: {name}.torture@192.0.2.21"),
        format!("CSeq: 8 {method}"),
        "Contact: <sip:+12025550123@192.0.2.21>".to_owned(),
    ];
    let name_of = |line: &str| line.split(':').next().unwrap_or_default().trim().to_owned();
    let mut text = format!("{start}\n");
    for line in usual.iter().filter(|line| !lines.iter().any(|other| name_of(other) == name_of(line))) {
        text += &format!("{line}\n");
    }
    for line in lines {
        text += &format!("{line}\n");
    }
    if !lines.iter().any(|line| name_of(line) == "Content-Length") {
        text += "Content-Length: {length}\n";
    }
    if !body.is_empty() {
        text += "Content-Type: application/sdp\n";
    }
    wire(&format!("{text}\n{body}"))
}

const INVITE: &str = "INVITE sip:5550100@example.com SIP/2.0";
const OPTIONS: &str = "OPTIONS sip:5550100@example.com SIP/2.0";
const REGISTER: &str = "REGISTER sip:example.com SIP/2.0";
const BAD: Answer = Answer::Final(400, &[]);

fn refused(
    name: &'static str,
    section: &'static str,
    peculiar: &'static str,
    bytes: Vec<u8>,
    why: &'static str,
) -> Case {
    Case { name, section, peculiar, bytes, read: Read::Refused(400, why), answer: BAD }
}

fn sdp() -> String {
    offer("IP4 192.0.2.21")
}

/// As [`request`] makes them, but for these lines.
fn usual(name: &str, start: &str, others: &[&str]) -> Read {
    let method = start.split(' ').next().unwrap_or_default();
    let mut lines = vec![
        start.to_owned(),
        format!("Via UDP 192.0.2.21 z9hG4bK-{name}"),
        "From sip:+12025550123@example.net ;tag=inv".to_owned(),
        "To sip:5550100@example.com".to_owned(),
        format!("Call-ID {name}.torture@192.0.2.21"),
        format!("CSeq 8 {method}"),
        "Contact sip:+12025550123@192.0.2.21".to_owned(),
    ];
    for other in others {
        let word = other.split(' ').next();
        match lines.iter_mut().find(|line| line.split(' ').next() == word) {
            Some(line) => *line = (*other).to_owned(),
            None => lines.push((*other).to_owned()),
        }
    }
    read_as(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn headers() -> Vec<Case> {
    let sdp = sdp();
    let (via, contact) = ("Via: SIP/2.0/UDP 192.0.2.15;;,;,,", "Contact: \"Cal\" <sip:caller@example.org>;;;;");
    let scalars = [
        "CSeq: 36893488147419103232 REGISTER",
        "Max-Forwards: 300",
        "Expires: 10000000000000000000000000000000000000000000000000000000000000000000000000",
        "Contact: <sip:+12025550123@host129.example.com>;expires=9007199254740993",
    ];
    let scalarlg = "SIP/2.0 503 Service Unavailable\nVia: SIP/2.0/TCP host129.example.com;branch=z9hG4bKsl1;received=192.0.2.129\n\
        To: <sip:5550100@example.com>\nFrom: <sip:other@example.net>;tag=sl1\nCSeq: 9000000000000000000001 OPTIONS\n\
        Call-ID: scalarlg.3f1\nRetry-After: 900000000000000000000000001\n\
        Warning: 1812 relay \"In Progress\"\nContent-Length: 0\n\n";
    let to = "To: \"Mr. B. Callee <sip:5550100@example.com>";
    vec![
        refused(
            "badinv01",
            "3.1.2.1",
            "empty parameters and elements in Via and Contact",
            request("badinv01", INVITE, &[via, contact], &sdp),
            "unreadable Via",
        ),
        refused(
            "clerr",
            "3.1.2.2",
            "Content-Length beyond the end of the datagram",
            request("clerr", INVITE, &["Content-Length: 9999"], &sdp),
            "the body is shorter than Content-Length",
        ),
        refused(
            "ncl",
            "3.1.2.3",
            "a negative Content-Length",
            request("ncl", INVITE, &["Content-Length: -999"], &sdp),
            "unreadable Content-Length",
        ),
        refused(
            "scalar02",
            "3.1.2.4",
            "CSeq, Max-Forwards and Expires beyond their bounds",
            request("scalar02", REGISTER, &scalars, ""),
            "unreadable CSeq",
        ),
        Case {
            name: "scalarlg",
            section: "3.1.2.5",
            peculiar: "a response with CSeq, Retry-After and Warning beyond their bounds",
            bytes: wire(scalarlg),
            read: Read::Refused(400, "unreadable CSeq"),
            answer: Answer::Nothing,
        },
        refused(
            "quotbal",
            "3.1.2.6",
            "a quoted string without end in To",
            request("quotbal", INVITE, &[to], &sdp),
            "unreadable To",
        ),
        Case {
            name: "baddate",
            section: "3.1.2.12",
            // Date is nothing that we use: it is passed over, and the caller gets through.
            peculiar: "a Date with a time zone that is not GMT",
            bytes: request("baddate", INVITE, &["Date: Fri, 01 Jan 2010 16:00:00 EST"], &sdp),
            read: usual("baddate", INVITE.trim_end_matches(" SIP/2.0"), &["133 bytes of body"])
                .and(|message| assert_eq!(message.header("Date"), Some("Fri, 01 Jan 2010 16:00:00 EST"))),
            answer: Answer::Call { remote: "192.0.2.21:30000" },
        },
    ]
}

fn request_lines() -> Vec<Case> {
    let line = "unreadable request line";
    vec![
        refused(
            "ltgtruri",
            "3.1.2.7",
            "angle brackets about the Request-URI",
            request("ltgtruri", "INVITE <sip:5550100@example.com> SIP/2.0", &[], &sdp()),
            line,
        ),
        refused(
            "lwsruri",
            "3.1.2.8",
            "white space within the Request-URI",
            request("lwsruri", "INVITE sip:5550100@example.com; lr SIP/2.0", &[], &sdp()),
            "unreadable start line",
        ),
        refused(
            "lwsstart",
            "3.1.2.9",
            "several spaces in the start line",
            request("lwsstart", "INVITE  sip:5550100@example.com  SIP/2.0", &[], &sdp()),
            line,
        ),
        refused(
            "trws",
            "3.1.2.10",
            "white space at the end of the start line",
            request("trws", "OPTIONS sip:5550100@example.com SIP/2.0  ", &[], ""),
            "unreadable start line",
        ),
        Case {
            name: "escruri",
            section: "3.1.2.11",
            // The header is no header of the message, and nobody acts on it.
            peculiar: "a Route escaped into the Request-URI",
            bytes: request(
                "escruri",
                "INVITE sip:5550100@example.com?Route=%3Csip:example.com%3E SIP/2.0",
                &[],
                &sdp(),
            ),
            read: usual(
                "escruri",
                "INVITE sip:5550100@example.com?Route=%3Csip:example.com%3E",
                &["133 bytes of body"],
            )
            .and(|message| assert_eq!(message.header("Route"), None)),
            answer: Answer::Call { remote: "192.0.2.21:30000" },
        },
        Case {
            name: "badvers",
            section: "3.1.2.16",
            peculiar: "a version of SIP that nobody knows",
            bytes: request("badvers", "OPTIONS sip:5550100@example.org SIP/7.0", &[], ""),
            read: Read::Refused(505, "only SIP/2.0 is spoken here"),
            answer: Answer::Final(505, &[]),
        },
    ]
}

fn addresses() -> Vec<Case> {
    let contact = "Contact: sip:1001@example.com?Route=%3Csip:sip.example.com%3E";
    vec![
        Case {
            name: "regbadct",
            section: "3.1.2.13",
            // The message is read, its contact is not: without brackets nobody knows whose the question mark is.
            peculiar: "a Contact with a header in its URI and without brackets",
            bytes: request("regbadct", REGISTER, &[contact, "To: <sip:1001@example.com>", "l: 0"], ""),
            read: usual("regbadct", "REGISTER sip:example.com", &["To sip:1001@example.com", "Contact unreadable"]),
            answer: BAD,
        },
        Case {
            name: "badaspec",
            section: "3.1.2.14",
            // Read without the spaces.
            peculiar: "spaces within the angle brackets",
            bytes: request("badaspec", OPTIONS, &["To: \"Callee, B.\" < sip:5550100@example.org >"], ""),
            read: usual("badaspec", "OPTIONS sip:5550100@example.com", &["To \"Callee, B.\" sip:5550100@example.org"]),
            answer: Answer::Final(200, &[]),
        },
        Case {
            name: "baddn",
            section: "3.1.2.15",
            // From is no list, so the comma can only be the name's.
            peculiar: "a comma in a display name without quotes",
            bytes: request("baddn", OPTIONS, &["From: Caller, A. <sip:+12025550123@example.com>;tag=43"], ""),
            read: usual(
                "baddn",
                "OPTIONS sip:5550100@example.com",
                &["From \"Caller, A.\" sip:+12025550123@example.com ;tag=43"],
            ),
            answer: Answer::Final(200, &[]),
        },
    ]
}

fn disagreements() -> Vec<Case> {
    let bigcode = "SIP/2.0 4294967301 surely no status\nVia: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bKbc1\n\
        Call-ID: bigcode.77d\nCSeq: 64 INVITE\nFrom: <sip:+12025550123@example.com>;tag=bc1\n\
        To: <sip:5550100@example.edu>;tag=bc2\nContent-Length: 0\nContact: <sip:5550100@host105.example.com>\n\n";
    vec![
        refused(
            "mismatch01",
            "3.1.2.17",
            "CSeq names another known method",
            request("mismatch01", OPTIONS, &["CSeq: 8 INVITE"], ""),
            "CSeq names another method",
        ),
        refused(
            "mismatch02",
            "3.1.2.18",
            "CSeq names another method than the unknown one of the request",
            request("mismatch02", "NEWMETHOD sip:5550100@example.com SIP/2.0", &["CSeq: 8 INVITE"], &sdp()),
            "CSeq names another method",
        ),
        Case {
            name: "bigcode",
            section: "3.1.2.19",
            peculiar: "a status beyond 32 bits",
            bytes: wire(bigcode),
            read: Read::Refused(400, "unreadable status code"),
            answer: Answer::Nothing,
        },
    ]
}
