//! RFC 4475 §3.2 to §3.4: messages whose grammar is right and whose meaning is not, or not ours; and one of RFC 2543.
//!
//! Written after the RFC's descriptions, with names, numbers and addresses of our own.

use crate::case::{Answer, Case, Read, offer, read_as, wire};

pub fn cases() -> Vec<Case> {
    let mut cases = vec![badbranch(), insuf()];
    cases.extend(schemes());
    cases.extend(extensions());
    cases.extend([multi01(), mcl01(), bcast(), zeromf()]);
    cases.extend(registrations());
    cases.extend([sdp01(), inv2543()]);
    cases
}

/// An INVITE that nothing is wrong with.
pub fn plain_invite(id: &str) -> Vec<u8> {
    wire(&format!(
        "INVITE sip:5550100@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.21;branch=z9hG4bK{id}\nMax-Forwards: 70\n\
         From: <sip:+12025550123@example.com>;tag={id}\nTo: <sip:5550100@example.com>\nCall-ID: {id}@192.0.2.21\n\
         CSeq: 1 INVITE\nContact: <sip:+12025550123@192.0.2.21>\nContent-Type: application/sdp\n\
         Content-Length: {{length}}\n\n{}",
        offer("IP4 192.0.2.21")
    ))
}

/// `OPTIONS` and `REGISTER` of this section, which differ in little: start, From, To, more header lines.
fn bodiless(name: &str, start: &str, from: &str, to: &str, lines: &str) -> Vec<u8> {
    let method = start.split(' ').next().unwrap_or_default();
    wire(&format!(
        "{start} SIP/2.0\nTo: {to}\nFrom: {from};tag=ap1\nMax-Forwards: 70\nCall-ID: {name}.6c1d@host9\n\
         CSeq: 29 {method}\nVia: SIP/2.0/TCP host9.example.com;branch=z9hG4bK{name}\n{lines}Content-Length: 0\n\n"
    ))
}

fn told(name: &str, start: &str, from: &str, to: &str, more: &[&str]) -> Read {
    let method = start.split(' ').next().unwrap_or_default();
    let mut lines = vec![
        start.to_owned(),
        format!("Via TCP host9.example.com z9hG4bK{name}"),
        format!("From {from} ;tag=ap1"),
        format!("To {to}"),
        format!("Call-ID {name}.6c1d@host9"),
        format!("CSeq 29 {method}"),
    ];
    lines.extend(more.iter().map(|line| (*line).to_owned()));
    read_as(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn badbranch() -> Case {
    let text = "OPTIONS sip:5550100@example.com SIP/2.0\nTo: sip:5550100@example.com\nFrom: sip:+12025550123@example.org;tag=bb1\n\
        Max-Forwards: 3\nVia: SIP/2.0/UDP 192.0.2.21;branch=z9hG4bK\nAccept: application/sdp\nCall-ID: badbranch.0b1\n\
        CSeq: 8 OPTIONS\nl: 0\n\n";
    Case {
        name: "badbranch",
        section: "3.2.1",
        peculiar: "a branch of nothing but the cookie: it tells no transactions apart",
        bytes: wire(text),
        read: read_as(&[
            "OPTIONS sip:5550100@example.com",
            "Via UDP 192.0.2.21 z9hG4bK",
            "From sip:+12025550123@example.org ;tag=bb1",
            "To sip:5550100@example.com",
            "Call-ID badbranch.0b1",
            "CSeq 8 OPTIONS",
        ]),
        answer: Answer::Final(200, &[]),
    }
}

fn insuf() -> Case {
    let text = "INVITE sip:5550100@example.com SIP/2.0\nCSeq: 23 INVITE\nVia: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKis1\n\
        Content-Type: application/sdp\nl: {length}\n\n";
    Case {
        name: "insuf",
        section: "3.3.1",
        peculiar: "no Call-ID, From, To or Max-Forwards",
        bytes: wire(&format!("{text}{}", offer("IP4 192.0.2.95"))),
        read: Read::Refused(400, "no Call-ID"),
        answer: Answer::Final(400, &[("CSeq", "23 INVITE"), ("Via", "branch=z9hG4bKis1")]),
    }
}

fn schemes() -> Vec<Case> {
    let (from, to) = ("<sip:+12025550123@example.com>", "<sip:5550100@example.com>");
    let (from_told, to_told) = ("sip:+12025550123@example.com", "sip:5550100@example.com");
    let unkscm = "OPTIONS nobodyKnowsThisOne:whollyopaque";
    let novelsc = "OPTIONS soap.beep://192.0.2.103:3002";
    let (isbn, http) = ("isbn:9780000000002", "<http://www.example.com>");
    vec![
        Case {
            name: "unkscm",
            section: "3.3.2",
            peculiar: "a Request-URI of a scheme that nobody knows",
            bytes: bodiless("unkscm", unkscm, from, to, ""),
            read: told("unkscm", unkscm, from_told, to_told, &[]),
            answer: Answer::Final(416, &[]),
        },
        Case {
            name: "novelsc",
            section: "3.3.3",
            peculiar: "a Request-URI of a known scheme that calls no telephone",
            bytes: bodiless("novelsc", novelsc, from, to, ""),
            read: told("novelsc", novelsc, from_told, to_told, &[]),
            answer: Answer::Final(416, &[]),
        },
        Case {
            name: "unksm2",
            section: "3.3.4",
            peculiar: "other schemes in To, From and Contact: no address of record",
            bytes: bodiless("unksm2", "REGISTER sip:example.com", http, isbn, "Contact: <name:ann_caller>\n"),
            read: told(
                "unksm2",
                "REGISTER sip:example.com",
                "http://www.example.com",
                isbn,
                &["Contact name:ann_caller"],
            ),
            answer: Answer::Final(400, &[]),
        },
    ]
}

fn extensions() -> Vec<Case> {
    let (from, to) = ("<sip:+12025550123@example.com>", "<sip:5550100@example.com>");
    let (from_told, to_told) = ("sip:+12025550123@example.com", "sip:5550100@example.com");
    let require = "Require: x-levitation, x-telepathy\n\
        Proxy-Require: x-alchemy, x-divination\n";
    let invut = "INVITE sip:5550100@example.com SIP/2.0\nContact: <sip:+12025550123@host5.example.net>\nTo: sip:5550100@example.com\n\
        From: sip:+12025550123@example.net;tag=iv1\nMax-Forwards: 70\nCall-ID: invut.4c2\nCSeq: 41 INVITE\n\
        Via: SIP/2.0/UDP somehost.example.com;branch=z9hG4bKq7w1\nContent-Type: application/x-nobodys-format\n\
        Content-Length: {length}\n\n<audio>\n <pcmu port=\"443\"/>\n</audio>\n";
    let address = "sip:1001@example.com";
    vec![
        Case {
            name: "bext01",
            section: "3.3.5",
            peculiar: "Require and Proxy-Require of what nobody supports; the second is not ours to answer",
            bytes: bodiless("bext01", "OPTIONS sip:5550100@example.com", from, to, require),
            read: told("bext01", "OPTIONS sip:5550100@example.com", from_told, to_told, &[]),
            answer: Answer::Final(420, &[("Unsupported", "x-levitation, x-telepathy")]),
        },
        Case {
            name: "invut",
            section: "3.3.6",
            peculiar: "a body of a type that nobody knows",
            bytes: wire(invut),
            read: read_as(&[
                "INVITE sip:5550100@example.com",
                "Via UDP somehost.example.com z9hG4bKq7w1",
                "From sip:+12025550123@example.net ;tag=iv1",
                "To sip:5550100@example.com",
                "Call-ID invut.4c2",
                "CSeq 41 INVITE",
                "Contact sip:+12025550123@host5.example.net",
                "40 bytes of body",
            ]),
            answer: Answer::Final(415, &[("Accept", "application/sdp")]),
        },
        Case {
            name: "regaut01",
            section: "3.3.7",
            peculiar: "Authorization by a scheme that nobody knows: as none at all",
            bytes: bodiless(
                "regaut01",
                "REGISTER sip:example.com",
                address,
                address,
                "Contact: <sip:desk@host5.example.net>\nAuthorization: NoOneKnowsThisOne opaque-words=here\n",
            ),
            read: told(
                "regaut01",
                "REGISTER sip:example.com",
                address,
                address,
                &["Contact sip:desk@host5.example.net"],
            ),
            answer: Answer::Final(401, &[("WWW-Authenticate", "Digest ")]),
        },
    ]
}

fn multi01() -> Case {
    let text = "INVITE sip:5550100@company.example SIP/2.0\nContact: <sip:+12025550123@host25.example.com>\n\
        Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKq7w1\nMax-Forwards: 70\nCSeq: 5 INVITE\nCall-ID: multi01.2d8@192.0.2.1\n\
        CSeq: 59 INVITE\nCall-ID: multi01.2d8@192.0.2.2\nFrom: sip:+12025550123@example.com;tag=mu1\n\
        To: sip:5550100@example.com\nTo: sip:other@example.net\nFrom: sip:+12025550124@example.net;tag=mu2\n\
        Content-Type: application/sdp\nl: {length}\nContact: <sip:+12025550124@host36.example.net>\nMax-Forwards: 5\n\n";
    Case {
        name: "multi01",
        section: "3.3.8",
        peculiar: "two each of From, To, Call-ID, CSeq, Max-Forwards",
        bytes: wire(&format!("{text}{}", offer("IP4 192.0.2.25"))),
        read: Read::Refused(400, "more than one CSeq"),
        answer: Answer::Final(400, &[]),
    }
}

fn mcl01() -> Case {
    let text = "OPTIONS sip:5550100@example.com SIP/2.0\nVia: SIP/2.0/UDP host5.example.net;branch=z9hG4bKmc1\n\
        To: sip:5550100@example.com\nFrom: sip:other@example.net;tag=mc1\nCall-ID: mcl01.9e0\n\
        CSeq: 77 OPTIONS\nContent-Length: 13\nMax-Forwards: 60\nContent-Length: 5\nContent-Type: text/plain\n\n\
        Where does this message end, and who is to say so?\n";
    Case {
        name: "mcl01",
        section: "3.3.9",
        peculiar: "two Content-Lengths that differ",
        bytes: wire(text),
        read: Read::Refused(400, "two different Content-Lengths"),
        answer: Answer::Final(400, &[]),
    }
}

fn bcast() -> Case {
    let text = "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bKbr1\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKbr2\n\
        Call-ID: bcast.5a6\nCSeq: 35 INVITE\nFrom: sip:+12025550123@example.com;tag=br1\n\
        To: sip:5550100@example.edu;tag=br2\nContent-Length: {length}\nContent-Type: application/sdp\n\
        Contact: <sip:5550100@host198.example.com>\n\n";
    Case {
        name: "bcast",
        section: "3.3.10",
        peculiar: "a response whose second Via names the broadcast address",
        bytes: wire(&format!("{text}{}", offer("IP4 192.0.2.198"))),
        read: read_as(&[
            "200 OK",
            "Via UDP 192.0.2.198 z9hG4bKbr1, 2 in all",
            "From sip:+12025550123@example.com ;tag=br1",
            "To sip:5550100@example.edu ;tag=br2",
            "Call-ID bcast.5a6",
            "CSeq 35 INVITE",
            "Contact sip:5550100@host198.example.com",
            "135 bytes of body",
        ]),
        answer: Answer::Nothing,
    }
}

fn zeromf() -> Case {
    let (from, to) = ("sip:+12025550123@example.net", "sip:5550100@example.com");
    let bytes = bodiless("zeromf", "OPTIONS sip:5550100@example.com", from, to, "");
    let text = String::from_utf8(bytes).expect("text").replace("Max-Forwards: 70", "Max-Forwards: 0");
    Case {
        name: "zeromf",
        section: "3.3.11",
        // 483 is for who would forward it (RFC 3261 §16.3). Here it has arrived: §8.2 asks nothing of Max-Forwards.
        peculiar: "Max-Forwards 0: no hop is left, and none is needed",
        bytes: text.into_bytes(),
        read: told("zeromf", "OPTIONS sip:5550100@example.com", from, to, &[])
            .and(|message| assert_eq!(message.header("Max-Forwards"), Some("0"))),
        answer: Answer::Final(200, &[]),
    }
}

fn registrations() -> Vec<Case> {
    let address = "sip:1001@example.com";
    let case = |name, section, peculiar, contact: &'static str, told_contact: &'static str| Case {
        name,
        section,
        peculiar,
        bytes: bodiless(name, "REGISTER sip:example.com", address, address, &format!("Contact: {contact}\n")),
        read: told(name, "REGISTER sip:example.com", address, address, &[told_contact]),
        // What becomes of the contact once the password is proven: see `registered`.
        answer: Answer::Final(401, &[("WWW-Authenticate", "Digest ")]),
    };
    vec![
        case(
            "cparam01",
            "3.3.12",
            "an unknown parameter of a Contact: the header's, without brackets",
            "sip:+12025550199@gw1.example.net;own-param",
            "Contact sip:+12025550199@gw1.example.net ;own-param",
        ),
        case(
            "cparam02",
            "3.3.13",
            "an unknown parameter of the URI in a Contact",
            "<sip:+12025550199@gw1.example.net;own-param>",
            "Contact sip:+12025550199@gw1.example.net;own-param",
        ),
        case(
            "regescrt",
            "3.3.14",
            "a Route escaped into the URI of a Contact",
            "<sip:desk@example.com?Route=%3Csip:sip.example.com%3E>",
            "Contact sip:desk@example.com?Route=%3Csip:sip.example.com%3E",
        ),
    ]
}

fn sdp01() -> Case {
    let text = "INVITE sip:5550100@example.com SIP/2.0\nTo: sip:5550100@example.com\nContact: <sip:+12025550123@host5.example.net>\n\
        From: sip:+12025550123@example.net;tag=iv1\nMax-Forwards: 5\nCall-ID: sdp01.0f3\nAccept: text/x-unheard-of\n\
        CSeq: 8 INVITE\nVia: SIP/2.0/UDP 192.0.2.21;branch=z9hG4bKq7w1\nContent-Length: {length}\nContent-Type: application/sdp\n\n";
    Case {
        name: "sdp01",
        section: "3.3.15",
        peculiar: "an offer whose sender accepts no SDP in the answer",
        bytes: wire(&format!("{text}{}", offer("IP4 192.0.2.21"))),
        read: read_as(&[
            "INVITE sip:5550100@example.com",
            "Via UDP 192.0.2.21 z9hG4bKq7w1",
            "From sip:+12025550123@example.net ;tag=iv1",
            "To sip:5550100@example.com",
            "Call-ID sdp01.0f3",
            "CSeq 8 INVITE",
            "Contact sip:+12025550123@host5.example.net",
            "133 bytes of body",
        ]),
        answer: Answer::Final(406, &[]),
    }
}

fn inv2543() -> Case {
    let text = "INVITE sip:5550100@example.com SIP/2.0\nVia: SIP/2.0/UDP oldgw.example.com\n\
        From: <sip:+12025550123@phone.example.net;user=phone>\nRecord-Route: <sip:5550100@example.com;maddr=ss1.example.com>\n\
        To: sip:+12025550100@ss1.example.net;user=phone\nCall-ID: inv2543.3c4@phone.example.com\nCSeq: 56 INVITE\n\
        Content-Type: application/sdp\n\n";
    Case {
        name: "inv2543",
        section: "3.4.1",
        peculiar: "an INVITE of RFC 2543: no branch, no From tag, no Max-Forwards, no Contact, no Content-Length",
        bytes: wire(&format!("{text}{}", offer("IP4 192.0.2.5"))),
        read: read_as(&[
            "INVITE sip:5550100@example.com",
            "Via UDP oldgw.example.com (no branch)",
            "From sip:+12025550123@phone.example.net;user=phone",
            "To sip:+12025550100@ss1.example.net ;user=phone",
            "Call-ID inv2543.3c4@phone.example.com",
            "CSeq 56 INVITE",
            "131 bytes of body",
        ]),
        answer: Answer::Call { remote: "192.0.2.5:30000" },
    }
}
