//! RFC 5118 §4: IPv6 in request lines, Via, Contact and SDP, right, wrong and doubtful.
//!
//! Written after the RFC's descriptions, with names and documentation addresses of our own.

use crate::case::{Answer, Case, Read, offer, read_as, wire};
use onekey::sip::headers::Via;
use onekey::sip::uri::Uri;
use std::net::IpAddr;

pub fn cases() -> Vec<Case> {
    let mut cases = references();
    cases.extend(vias());
    cases.extend(descriptions());
    cases.extend(colons());
    cases.sort_by_key(|case| case.section.rsplit('.').next().and_then(|number| number.parse::<u32>().ok()));
    cases
}

fn message(name: &str, start: &str, via: &str, lines: &str, body: &str) -> Vec<u8> {
    let method = start.split(' ').next().unwrap_or_default();
    let via = via.replace("NAME", name);
    wire(&format!(
        "{start} SIP/2.0\nTo: sip:1001@example.com\nFrom: sip:1001@example.com;tag=six\nVia: {via}\n\
         Call-ID: {name}@caller.example\nMax-Forwards: 70\nCSeq: 59 {method}\n{lines}Content-Length: {{length}}\n\n{body}"
    ))
}

/// As [`message`] makes it.
fn told(name: &str, start: &str, via: &str, more: &[&str]) -> Read {
    let method = start.split(' ').next().unwrap_or_default();
    let mut lines = vec![
        start.to_owned(),
        format!("Via {}", via.replace("NAME", name)),
        "From sip:1001@example.com ;tag=six".to_owned(),
        "To sip:1001@example.com".to_owned(),
        format!("Call-ID {name}@caller.example"),
        format!("CSeq 59 {method}"),
    ];
    lines.extend(more.iter().map(|line| (*line).to_owned()));
    read_as(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

const VIA: &str = "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKNAME";
const VIA_TOLD: &str = "UDP [2001:db8::9:1] z9hG4bKNAME";
const CONTACT: &str = "Contact: \"Ann\" <sip:ann@[2001:db8::1]>\n";
const CONTACT_TOLD: &str = "Contact \"Ann\" sip:ann@[2001:db8::1]";

fn host_and_port(uri: Option<&str>) -> (Option<IpAddr>, Option<u16>) {
    let uri = Uri::parse(uri.expect("a request")).expect("a URI");
    (uri.address(), uri.port)
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().expect("an address"))
}

fn references() -> Vec<Case> {
    let register = |name, section, peculiar, uri: &str, answer, also| {
        let start = format!("REGISTER {uri}");
        Case {
            name,
            section,
            peculiar,
            bytes: message(name, &start, VIA, CONTACT, ""),
            read: told(name, &start, VIA_TOLD, &[CONTACT_TOLD]).and(also),
            answer,
        }
    };
    let challenged = || Answer::Final(401, &[]);
    vec![
        register(
            "ipv6-good",
            "5118 4.1",
            "an IPv6 reference in the Request-URI",
            "sip:[2001:db8::10]",
            challenged(),
            |message| {
                assert_eq!(host_and_port(message.request_uri()), (address("2001:db8::10"), None));
                assert_eq!(message.via().host, "[2001:db8::9:1]");
            },
        ),
        // The message is read; whose the colons are in its Request-URI nobody can say.
        register(
            "ipv6-bad",
            "5118 4.2",
            "an IPv6 address without brackets in the Request-URI",
            "sip:2001:db8::10",
            Answer::Final(400, &[]),
            |message| assert!(Uri::parse(message.request_uri().unwrap()).is_err()),
        ),
        register(
            "port-ambiguous",
            "5118 4.3",
            "what may have been meant for a port stands within the brackets: it is part of the address",
            "sip:[2001:db8::10:5070]",
            challenged(),
            |message| assert_eq!(host_and_port(message.request_uri()), (address("2001:db8::10:5070"), None)),
        ),
        register(
            "port-unambiguous",
            "5118 4.4",
            "a port behind the brackets",
            "sip:[2001:db8::10]:5070",
            challenged(),
            |message| assert_eq!(host_and_port(message.request_uri()), (address("2001:db8::10"), Some(5070))),
        ),
    ]
}

fn vias() -> Vec<Case> {
    let bye = |name, peculiar, received: &str| Case {
        name,
        section: "5118 4.5",
        peculiar,
        bytes: message(
            name,
            "BYE sip:[2001:db8::10]",
            &format!("SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKNAME"),
            "",
            "",
        ),
        read: told(name, "BYE sip:[2001:db8::10]", VIA_TOLD, &[])
            .and(|message| assert_eq!(message.via().received.as_deref(), Some("2001:db8::9:255"))),
        answer: Answer::Final(481, &[]),
    };
    let two = "SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKNAME\n\
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKsix-2\n\
        Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bKsix-3;received=192.0.2.200";
    vec![
        bye("via-received-param-with-delim", "received in brackets", "[2001:db8::9:255]"),
        bye("via-received-param-no-delim", "received without brackets, as the grammar has it", "2001:db8::9:255"),
        Case {
            name: "mult-ip-in-header",
            section: "5118 4.7",
            peculiar: "Vias of both families, one received over the other",
            bytes: message("mult-ip-in-header", "BYE sip:user@host.example.net", two, "", ""),
            read: told(
                "mult-ip-in-header",
                "BYE sip:user@host.example.net",
                "UDP [2001:db8::9:1]:6050 z9hG4bKNAME, 3 in all",
                &[],
            )
            .and(|message| {
                let last = Via::parse(message.vias()[2]).unwrap();
                assert_eq!((last.host.as_str(), last.received.as_deref()), ("[2001:db8::9:255]", Some("192.0.2.200")));
            }),
            answer: Answer::Final(481, &[]),
        },
    ]
}

fn descriptions() -> Vec<Case> {
    let start = "INVITE sip:5550100@[2001:db8::10]";
    let invite = |name, section, peculiar, via: (&str, &str), body: &str, remote| {
        let lines = format!("{CONTACT}Content-Type: application/sdp\n");
        let bytes = message(name, start, via.0, &lines, body);
        let length = format!("{} bytes of body", body.replace('\n', "\r\n").len());
        Case {
            name,
            section,
            peculiar,
            bytes,
            read: told(name, start, via.1, &[CONTACT_TOLD, &length]),
            answer: Answer::Call { remote },
        }
    };
    let both = "v=0\no=- 61 1 IN IP4 host.example.com\ns=\nt=0 0\nm=audio 22334 RTP/AVP 0\nc=IN IP4 192.0.2.1\n\
        m=video 6024 RTP/AVP 107\nc=IN IP6 2001:db8::1\na=rtpmap:107 H263-1998/90000\n";
    let mapped = (
        "SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKsix-4\nVia: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKNAME",
        "UDP [::ffff:192.0.2.10]:19823 z9hG4bKsix-4, 2 in all",
    );
    vec![
        invite(
            "ipv6-in-sdp",
            "5118 4.6",
            "IPv6 addresses in SDP, without brackets",
            (VIA, VIA_TOLD),
            &offer("IP6 2001:db8::20"),
            "[2001:db8::20]:30000",
        ),
        invite(
            "mult-ip-in-sdp",
            "5118 4.8",
            "sound over IPv4 and video over IPv6",
            (VIA, VIA_TOLD),
            both,
            "192.0.2.1:22334",
        ),
        invite(
            "ipv4-mapped-ipv6",
            "5118 4.9",
            "IPv4 addresses in IPv6 form in Via and SDP",
            mapped,
            &offer("IP6 ::ffff:192.0.2.2"),
            "192.0.2.2:30000",
        ),
    ]
}

fn colons() -> Vec<Case> {
    let options = |name, peculiar, uri: &str| {
        let start = format!("OPTIONS {uri}");
        Case {
            name,
            section: "5118 4.10",
            peculiar,
            bytes: message(name, &start, VIA, "", ""),
            read: told(name, &start, VIA_TOLD, &[]).and(|message| {
                assert_eq!(host_and_port(message.request_uri()), (address("2001:db8::192.0.2.1"), None));
            }),
            answer: Answer::Final(200, &[]),
        }
    };
    vec![
        options(
            "ipv6-bug-abnf-3-colons",
            "three colons before an IPv4 part, as the grammar of RFC 3261 makes them",
            "sip:5550100@[2001:db8:::192.0.2.1]",
        ),
        options("ipv6-correct-abnf-2-colons", "two colons before an IPv4 part", "sip:5550100@[2001:db8::192.0.2.1]"),
    ]
}
