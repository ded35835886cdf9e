//! Calls of two stacks over a good wire: what each says and hears, and what is on the wire.
//!
//! What a bad wire does to them is in `crossing` and `lossy`.

use super::{A, ANSWER, B, Faults, Net, OFFER, first_word, incoming};
use crate::ids::LegId;
use crate::sip::message::Message;
use crate::sip::reader::read;
use crate::sip::stack::EndReason;
use crate::sip::{EndCause, SipEvent, Transport};

/// A call that side B has answered.
pub fn answered(net: &mut Net) -> (LegId, LegId) {
    let caller = net.call();
    net.wait(1);
    let callee = incoming(&net.sides[B].events);
    net.order(B, |stack, now, out| stack.answer(now, callee, ANSWER.to_vec(), out));
    (caller, callee)
}

pub fn message(net: &Net, side: usize, word: &str) -> Message {
    let sent = net.sent.iter().filter(|(from, _)| *from == side);
    read(sent.map(|(_, bytes)| bytes).find(|bytes| first_word(bytes) == word).unwrap().clone()).unwrap()
}

#[test]
fn a_call_is_offered_rung_answered_and_hung_up() {
    let mut net = Net::new(1, Faults::default());
    let caller = net.call();
    net.wait(1);
    let SipEvent::Incoming(invitation) = net.sides[B].events[0].clone() else { panic!("{:?}", net.sides[B].events) };
    assert_eq!((invitation.dialled.as_str(), invitation.caller.number.as_deref()), ("5550100", Some("+12025550123")));
    assert_eq!((invitation.caller.display_name.as_deref(), &*invitation.offer), (Some("Ann \"A\""), OFFER));
    assert_eq!(invitation.flow, net.flow(B));
    net.order(B, |stack, now, out| stack.ring(now, invitation.leg, out));
    net.order(B, |stack, now, out| stack.answer(now, invitation.leg, ANSWER.to_vec(), out));
    net.wait(1);
    net.order(B, |stack, now, out| stack.end(now, invitation.leg, EndReason::Normal, out));
    net.wait(60);
    let said = [
        SipEvent::Ringing { leg: caller, status: 180, answer: Vec::new() },
        SipEvent::Answered { leg: caller, answer: ANSWER.to_vec() },
        SipEvent::Ended { leg: caller, cause: EndCause::Hangup },
    ];
    assert_eq!(net.sides[A].events, said);
    let said = [
        SipEvent::Acked { leg: invitation.leg, answer: Vec::new() },
        SipEvent::Ended { leg: invitation.leg, cause: EndCause::ByUs },
    ];
    assert_eq!(net.sides[B].events[1..], said);
    assert_eq!(net.lines(A), ["INVITE", "ACK", "200 BYE"]);
    assert_eq!(net.lines(B), ["100 INVITE", "180 INVITE", "200 INVITE", "BYE"]);
    assert!(message(&net, B, "100 INVITE").to_tag().is_none());
    assert_eq!(message(&net, B, "180 INVITE").to_tag(), message(&net, B, "200 INVITE").to_tag());
    assert_eq!(message(&net, A, "INVITE").contacts()[0].as_ref().unwrap().uri, "sip:onekey@192.0.2.1:5060");
    assert_eq!(message(&net, A, "INVITE").header("X-Onekey-Queue"), Some("care"));
    assert!(net.is_quiet());
}

#[test]
fn on_tcp_nothing_is_sent_twice_and_the_contact_says_so() {
    let mut net = Net::new(2, Faults::default());
    net.transport = Transport::Tcp;
    let (caller, _) = answered(&mut net);
    net.wait(40);
    net.order(A, |stack, now, out| stack.end(now, caller, EndReason::Normal, out));
    net.wait(40);
    assert_eq!(net.lines(A), ["INVITE", "ACK", "BYE"]);
    assert_eq!(net.lines(B), ["100 INVITE", "200 INVITE", "200 BYE"]);
    let invite = message(&net, A, "INVITE");
    assert_eq!(invite.contacts()[0].as_ref().unwrap().uri, "sip:onekey@192.0.2.1:5060;transport=tcp");
    assert_eq!(invite.via().transport, "TCP");
    assert!(net.is_quiet());
}

#[test]
fn an_invite_that_nobody_answers_ends_with_408_after_64_t1() {
    let mut net = Net::new(3, Faults { lost_percent: 100, ..Faults::default() });
    let leg = net.call();
    net.wait(31);
    assert!(net.sides[A].events.is_empty());
    net.wait(2);
    assert!(matches!(&net.sides[A].events[..], [SipEvent::Rejected { leg: one, status: 408, .. }] if *one == leg));
    assert_eq!(net.lines(A).len(), 7);
    assert!(net.is_quiet());
}

#[test]
fn a_refusal_is_told_with_its_status() {
    let mut net = Net::new(4, Faults::default());
    let leg = net.call();
    net.wait(1);
    let callee = incoming(&net.sides[B].events);
    let refusal = EndReason::Refuse { status: 486, retry_after_seconds: None };
    net.order(B, |stack, now, out| stack.end(now, callee, refusal, out));
    net.wait(40);
    let rejected = SipEvent::Rejected { leg, status: 486, reason: "Busy Here".into() };
    assert_eq!(net.sides[A].events, [rejected]);
    assert_eq!(message(&net, A, "ACK").via().branch, message(&net, A, "INVITE").via().branch);
    assert!(net.is_quiet());
}

#[test]
fn a_failure_that_a_bye_names_is_the_networks() {
    let mut net = Net::new(5, Faults::default());
    let (caller, callee) = answered(&mut net);
    net.wait(1);
    net.order(B, |stack, now, out| stack.end(now, callee, EndReason::Failure { cause: 41 }, out));
    net.wait(40);
    let cause = EndCause::NetworkFailure("Q.850;cause=41".into());
    assert_eq!(net.sides[A].events.last(), Some(&SipEvent::Ended { leg: caller, cause }));
}

#[test]
fn a_withheld_number_is_sent_as_anonymous_and_read_as_none() {
    let mut net = Net::new(6, Faults::default());
    let invite = crate::sip::stack::OutgoingInvite {
        uri: "sip:5550100@192.0.2.2".into(),
        flow: net.flow(A),
        to: crate::sip::stack::Callee::Agent(crate::ids::AgentId::new("1001")),
        from_number: None,
        from_name: Some("Ann".into()),
        offer: OFFER.to_vec(),
        headers: Vec::new(),
    };
    net.order(A, |stack, now, out| {
        let leg = stack.new_leg();
        stack.invite(now, leg, invite, out);
    });
    net.wait(1);
    let SipEvent::Incoming(invitation) = &net.sides[B].events[0] else { panic!() };
    assert_eq!(invitation.caller, crate::sip::CallerIdentity::default());
    assert!(!String::from_utf8_lossy(message(&net, A, "INVITE").bytes()).contains("Ann"));
}
