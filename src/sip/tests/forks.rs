//! One INVITE of ours, several phones behind a forking proxy; and what else a far side may do to it (RFC 3261 §13.2).
//!
//! One stack as the caller; the phones' messages are written by hand.

use super::peer::Peer;
use super::{ANSWER, OFFER};
use crate::ids::{AgentId, LegId};
use crate::sip::message::Message;
use crate::sip::stack::{Callee, EndReason, OutgoingInvite};
use crate::sip::{EndCause, SipEvent};

const LEG: LegId = LegId(1);

fn calling() -> (Peer, Message) {
    let mut peer = Peer::new();
    let invite = OutgoingInvite {
        uri: "sip:1001@10.0.0.5:5060".into(),
        flow: peer.flow,
        to: Callee::Agent(AgentId::new("1001")),
        from_number: Some("+12025550123".into()),
        from_name: None,
        offer: OFFER.to_vec(),
        headers: Vec::new(),
    };
    peer.order(|stack, now, out| {
        let leg = stack.new_leg();
        stack.invite(now, leg, invite, out);
    });
    let invite = peer.last().clone();
    (peer, invite)
}

/// A response of the phone with this tag.
fn response(invite: &Message, status: u16, tag: &str, lines: &str) -> String {
    format!(
        "SIP/2.0 {status} X\nVia: {}\nFrom: {}\nTo: {};tag={tag}\nCall-ID: {}\nCSeq: 1 INVITE
Contact: <sip:{tag}@10.0.0.5:5060>\n{lines}\n",
        invite.header("Via").unwrap(),
        invite.header("From").unwrap(),
        invite.header("To").unwrap(),
        invite.call_id()
    )
}

fn bye_of(invite: &Message, tag: &str) -> String {
    format!(
        "BYE sip:onekey@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bKbye{tag}\nFrom: {};tag={tag}
To: {}\nCall-ID: {}\nCSeq: 9 BYE\n\n",
        invite.header("To").unwrap(),
        invite.header("From").unwrap(),
        invite.call_id()
    )
}

fn words(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|one| format!("{} {}", one.method(), one.to_tag().unwrap_or("-"))).collect()
}

#[test]
fn the_second_phone_that_answers_is_thanked_and_hung_up_and_each_repeat_acknowledged() {
    let (mut peer, invite) = calling();
    peer.receive(&response(&invite, 180, "one", ""));
    peer.receive(&response(&invite, 180, "two", ""));
    assert_eq!(words(&peer.receive(&response(&invite, 200, "two", ""))), ["ACK two"]);
    assert_eq!(words(&peer.receive(&response(&invite, 200, "one", ""))), ["ACK one", "BYE one"]);
    assert_eq!(peer.last().request_uri(), Some("sip:one@10.0.0.5:5060"));
    let first = peer.receive(&response(&invite, 200, "two", ""));
    let again = peer.receive(&response(&invite, 200, "two", ""));
    assert_eq!(first[0].bytes(), again[0].bytes());
    assert_eq!(words(&peer.receive(&response(&invite, 200, "one", ""))), ["ACK one"]);
    let answered = peer.events.iter().filter(|event| matches!(event, SipEvent::Answered { .. })).count();
    assert_eq!((peer.events.len(), answered), (3, 1));
    peer.order(|stack, now, out| stack.end(now, LEG, EndReason::Normal, out));
    assert_eq!(words(&[peer.last().clone()]), ["BYE two"]);
    peer.wait(70);
    assert!(peer.stack.is_quiet() && peer.timers.is_empty());
}

#[test]
fn the_leg_being_gone_a_late_200_is_still_acknowledged_and_hung_up() {
    let (mut peer, invite) = calling();
    peer.receive(&response(&invite, 200, "one", ""));
    assert_eq!(peer.status(&bye_of(&invite, "one")), 200);
    assert_eq!(peer.events.last(), Some(&SipEvent::Ended { leg: LEG, cause: EndCause::Hangup }));
    assert_eq!(words(&peer.receive(&response(&invite, 200, "one", ""))), ["ACK one"]);
    assert_eq!(words(&peer.receive(&response(&invite, 200, "two", ""))), ["ACK two", "BYE two"]);
}

#[test]
fn ack_and_bye_take_the_route_of_the_answer_in_our_order() {
    let (mut peer, invite) = calling();
    let lines = "Record-Route: <sip:far.example.com;lr>, <sip:near.example.com;lr>\n";
    let ack = peer.receive(&response(&invite, 200, "one", lines)).remove(0);
    assert_eq!(ack.list("Route"), ["<sip:near.example.com;lr>", "<sip:far.example.com;lr>"]);
    assert_eq!(ack.request_uri(), Some("sip:one@10.0.0.5:5060"));
    assert_ne!(ack.via().branch, invite.via().branch, "the ACK of a 2xx is a transaction of its own");
}

#[test]
fn early_media_and_the_answer_are_told_with_their_sdp() {
    let (mut peer, invite) = calling();
    let body = super::peer::with_body("application/sdp", "v=0");
    peer.receive(&response(&invite, 100, "one", ""));
    peer.receive(&response(&invite, 183, "one", &body));
    peer.receive(&response(&invite, 200, "one", &body));
    let answer = b"v=0".to_vec();
    let told =
        [SipEvent::Ringing { leg: LEG, status: 183, answer: answer.clone() }, SipEvent::Answered { leg: LEG, answer }];
    assert_eq!(peer.events, told);
}

#[test]
fn a_phone_whose_answers_were_all_lost_ends_the_call_by_its_bye() {
    let (mut peer, invite) = calling();
    peer.receive(&response(&invite, 180, "one", ""));
    assert_eq!(peer.status(&bye_of(&invite, "one")), 0, "the last thing sent is the CANCEL of our INVITE");
    assert_eq!(words(&[peer.last().clone()]), ["CANCEL -"]);
    assert_eq!(peer.events.last(), Some(&SipEvent::Ended { leg: LEG, cause: EndCause::Hangup }));
    peer.wait(80);
    assert_eq!(peer.events.len(), 2);
    assert!(peer.stack.is_quiet() && peer.timers.is_empty());
}

#[test]
fn ack_of_a_refusal_and_cancel_are_written_like_their_invite() {
    let alike = |one: &Message, invite: &Message| {
        let parts = |one: &Message| (one.request_uri().unwrap().to_owned(), one.via().branch.clone(), one.cseq());
        assert_eq!(parts(one), parts(invite));
        assert_eq!(one.header("From"), invite.header("From"));
        assert_eq!(one.call_id(), invite.call_id());
    };
    let (mut peer, invite) = calling();
    let ack = peer.receive(&response(&invite, 486, "one", "")).remove(0);
    alike(&ack, &invite);
    assert_eq!(ack.to_tag(), Some("one"));
    let (mut peer, invite) = calling();
    peer.receive(&response(&invite, 180, "one", ""));
    peer.order(|stack, now, out| stack.end(now, LEG, EndReason::AnsweredElsewhere, out));
    alike(peer.last(), &invite);
    assert_eq!(peer.last().to_tag(), None);
}

#[test]
fn a_phone_of_rfc_2543_may_find_its_tag_later() {
    let (mut peer, invite) = calling();
    peer.receive(&response(&invite, 200, "", "").replace(";tag=\n", "\n"));
    assert!(matches!(peer.events.last(), Some(SipEvent::Answered { .. })));
    assert_eq!(peer.status(&bye_of(&invite, "one")), 200);
    assert_eq!(peer.events.last(), Some(&SipEvent::Ended { leg: LEG, cause: EndCause::Hangup }));
}

#[test]
fn a_closed_connection_is_not_named_any_more() {
    let mut peer = Peer::new();
    peer.flow.transport = crate::sip::Transport::Tcp;
    peer.flow.connection = Some(3);
    let text = super::peer::request("INVITE", 1, "").replace("SIP/2.0/UDP", "SIP/2.0/TCP");
    peer.receive(&text);
    assert_eq!(peer.sent.last().unwrap().0.connection, Some(3));
    peer.order(|stack, now, out| stack.connection_closed(now, 3, out));
    peer.order(|stack, now, out| stack.answer(now, LEG, ANSWER.to_vec(), out));
    assert_eq!(peer.sent.last().unwrap().0.connection, None);
}
