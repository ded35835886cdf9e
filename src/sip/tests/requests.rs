//! What is answered to requests that are no call: OPTIONS, unknown methods, extensions, schemes, bad text, want of room.
//!
//! None of it may reach the engine or leave a transaction behind that a stranger can multiply.

use super::config;
use super::peer::{Peer, inside, request, with_body};
use crate::sip::SipEvent;
use crate::sip::stack::EndReason;

#[test]
fn options_says_what_we_can_and_nothing_of_who_is_here() {
    let mut peer = Peer::new();
    let answered = peer.receive(&request("OPTIONS", 1, ""));
    assert_eq!(answered[0].status(), Some(200));
    for name in ["Allow", "Accept", "Supported"] {
        assert!(answered[0].header(name).is_some(), "{name}");
    }
    let headers = |text: &str| peer_headers(&mut Peer::new(), text);
    assert_eq!(
        headers(&request("OPTIONS", 1, "")),
        headers(&request("OPTIONS", 1, "").replace("sip:5550100@", "sip:1001@"))
    );
    assert_eq!(peer.status(&inside("OPTIONS", 2, "nobody", "")), 481);
}

fn peer_headers(peer: &mut Peer, text: &str) -> Vec<String> {
    let answered = peer.receive(text);
    let names = ["Allow", "Accept", "Supported", "Server", "Content-Length"];
    names
        .iter()
        .map(|name| format!("{:?}", answered[0].header(name)))
        .chain([format!("{:?}", answered[0].status())])
        .collect()
}

#[test]
fn methods_that_nobody_knows_get_501_and_known_ones_that_we_do_not_serve_405() {
    let mut peer = Peer::new();
    assert_eq!(peer.status(&request("TELEPORT", 1, "")), 501);
    for method in ["MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY", "PRACK", "PUBLISH"] {
        let answered = peer.receive(&request(method, 2, ""));
        assert_eq!(answered[0].status(), Some(405), "{method}");
        assert!(answered[0].header("Allow").unwrap().contains("INVITE"));
    }
    assert!(peer.events.is_empty());
}

#[test]
fn a_repeated_request_gets_the_same_answer() {
    let mut peer = Peer::new();
    let first = peer.receive(&request("OPTIONS", 1, ""));
    let second = peer.receive(&request("OPTIONS", 1, ""));
    assert_eq!(first[0].bytes(), second[0].bytes());
    peer.wait(33);
    assert!(peer.stack.is_quiet() && peer.timers.is_empty());
}

#[test]
fn extensions_and_schemes_that_we_lack_are_refused() {
    let mut peer = Peer::new();
    let answered = peer.receive(&request("INVITE", 1, "Require: 100rel, x-teleport\n"));
    assert_eq!((answered[0].status(), answered[0].header("Unsupported")), (Some(420), Some("100rel, x-teleport")));
    assert_eq!(
        peer.status(&request("INVITE", 2, "").replace("INVITE sip:5550100@192.0.2.1 ", "INVITE im:x@example.com ")),
        416
    );
    assert_eq!(peer.status(&request("OPTIONS", 3, "").replace("OPTIONS sip:", "OPTIONS xmpp:")), 416);
    let text = request("INVITE", 4, &with_body("application/xml", "<a/>"));
    assert_eq!(peer.receive(&text)[0].status(), Some(415));
    assert_eq!(peer.status(&request("BYE", 5, "")), 481);
    assert_eq!(peer.status(&request("CANCEL", 6, "")), 481);
    assert!(peer.events.is_empty());
}

#[test]
fn what_cannot_be_read_is_answered_where_that_is_possible_and_always_counted() {
    let mut peer = Peer::new();
    assert_eq!(peer.status(&request("INVITE", 1, "Content-Length: 9999\n")), 400);
    assert_eq!(peer.stack.dropped(), 1);
    assert!(peer.receive("nonsense\n\n").is_empty());
    assert!(peer.receive("\n\n").is_empty(), "a keep-alive");
    assert_eq!(peer.stack.dropped(), 2);
    assert!(peer.receive(&inside("ACK", 1, "nobody", "")).is_empty());
    let stray = "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnone\nFrom: <sip:a@b>;tag=x
To: <sip:c@d>;tag=y\nCall-ID: z\nCSeq: 1 INVITE\n\n";
    assert!(peer.receive(stray).is_empty());
    assert_eq!(peer.stack.dropped(), 4);
    assert!(peer.stack.is_quiet());
}

#[test]
fn above_the_bound_a_new_invite_gets_503_with_retry_after_and_a_bye_is_served() {
    let mut few = config();
    few.transactions_max = 1;
    let mut peer = Peer::with(few);
    assert_eq!(peer.status(&request("INVITE", 1, "")), 100);
    peer.order(|stack, now, out| stack.answer(now, crate::ids::LegId(1), b"v=0\r\n".to_vec(), out));
    let tag = peer.last().to_tag().unwrap().to_owned();
    peer.receive(&inside("ACK", 1, &tag, ""));
    peer.status(&request("OPTIONS", 2, ""));
    let answered = peer.receive(&request("INVITE", 3, ""));
    assert_eq!((answered[0].status(), answered[0].header("Retry-After")), (Some(503), Some("5")));
    assert_eq!(peer.status(&inside("BYE", 4, &tag, "")), 200);
    peer.wait(40);
    assert!(peer.stack.is_quiet());
}

#[test]
fn responses_go_back_where_the_request_came_from_and_say_so_in_via() {
    let mut peer = Peer::new();
    let answered = peer.receive(&request("OPTIONS", 1, ""));
    let via = answered[0].via();
    assert_eq!((via.received.as_deref(), via.rport), (Some("203.0.113.9"), Some(Some(5071))));
    assert_eq!(peer.sent[0].0, peer.flow);
    assert!(answered[0].to_tag().is_some());
}

#[test]
fn an_invite_that_came_by_two_ways_is_taken_once() {
    let mut peer = Peer::new();
    let text = request("INVITE", 1, "");
    assert_eq!(peer.status(&text), 100);
    assert_eq!(peer.status(&text.replace("z9hG4bKINVITE1", "z9hG4bKother")), 482);
    assert_eq!(peer.events.iter().filter(|event| matches!(event, SipEvent::Incoming(_))).count(), 1);
}

#[test]
fn refusals_carry_retry_after() {
    let mut peer = Peer::new();
    peer.receive(&request("INVITE", 1, ""));
    let reason = EndReason::Refuse { status: 503, retry_after_seconds: Some(30) };
    peer.order(|stack, now, out| stack.end(now, crate::ids::LegId(1), reason, out));
    assert_eq!((peer.last().status(), peer.last().header("Retry-After")), (Some(503), Some("30")));
    peer.receive(&request("ACK", 1, "").replace("z9hG4bKACK1", "z9hG4bKINVITE1"));
    peer.wait(6);
    assert!(peer.stack.is_quiet());
}
