//! What crosses and what is lost (RFC 3261 §9, §13, §14, §15): CANCEL and 200, ACK, BYE, two changes at once.
//!
//! Each case alone and in full view; `lossy` has them in all mixtures.

use super::calls::{answered, message};
use super::{A, ANSWER, B, Faults, Net, incoming};
use crate::sip::stack::EndReason;
use crate::sip::timers::TimerName;
use crate::sip::{EndCause, SipEvent};
use std::time::Duration;

#[test]
fn a_cancel_waits_for_a_provisional_and_gets_487() {
    let mut net = Net::new(1, Faults::default());
    let leg = net.call();
    net.order(A, |stack, now, out| stack.end(now, leg, EndReason::AnsweredElsewhere, out));
    assert_eq!(net.lines(A), ["INVITE"]);
    net.wait(60);
    assert_eq!(net.lines(A), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(net.lines(B), ["100 INVITE", "200 CANCEL", "487 INVITE"]);
    assert_eq!(message(&net, A, "CANCEL").via().branch, message(&net, A, "INVITE").via().branch);
    assert!(message(&net, A, "CANCEL").header("Reason").unwrap().contains("cause=200"));
    let callee = incoming(&net.sides[B].events);
    assert_eq!(net.sides[B].events[1..], [SipEvent::Cancelled { leg: callee, network: false }]);
    let rejected = SipEvent::Rejected { leg, status: 487, reason: "Request Terminated".into() };
    assert_eq!(net.sides[A].events, [rejected]);
    assert!(net.is_quiet());
}

#[test]
fn a_200_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
    let mut net = Net::new(2, Faults { delay_ms_max: 1, ..Faults::default() });
    let leg = net.call();
    net.run_for(Duration::from_millis(5), &mut |_, _, _| {});
    let callee = incoming(&net.sides[B].events);
    net.order(B, |stack, now, out| stack.answer(now, callee, ANSWER.to_vec(), out));
    net.order(A, |stack, now, out| stack.end(now, leg, EndReason::Normal, out));
    net.wait(1);
    let names = net.sides[A].timers.keys().map(|timer| TimerName::read(*timer).0).collect::<Vec<_>>();
    assert!(!names.contains(&TimerName::CancelLost), "{names:?}");
    net.wait(60);
    assert_eq!(net.lines(A), ["INVITE", "CANCEL", "ACK", "BYE"]);
    assert_eq!(net.lines(B), ["100 INVITE", "200 INVITE", "200 CANCEL", "200 BYE"]);
    assert_eq!(net.sides[A].events, [SipEvent::Ended { leg, cause: EndCause::ByUs }]);
    assert_eq!(net.sides[B].events.last(), Some(&SipEvent::Ended { leg: callee, cause: EndCause::Hangup }));
    assert!(net.is_quiet());
}

#[test]
fn a_cancel_that_nobody_hears_is_given_up_after_64_t1() {
    let mut net = Net::new(3, Faults::default());
    let leg = net.call();
    net.wait(1);
    net.lose = |_, _| true;
    net.order(A, |stack, now, out| stack.end(now, leg, EndReason::Normal, out));
    net.wait(31);
    assert_eq!(net.sides[A].events, []);
    let cancels = |net: &Net| net.lines(A).iter().filter(|line| *line == "CANCEL").count();
    let before = cancels(&net);
    net.order(A, |stack, now, out| stack.end(now, leg, EndReason::Normal, out));
    assert_eq!(cancels(&net), before, "one CANCEL, however often it is wished");
    net.wait(2);
    assert!(matches!(&net.sides[A].events[..], [SipEvent::Rejected { status: 408, .. }]));
    assert!(net.sides[A].stack.is_quiet());
}

#[test]
fn every_repeated_200_is_acknowledged_again_until_the_ack_arrives() {
    let mut net = Net::new(4, Faults::default());
    net.lose = |_, message| message.method().as_str() == "ACK";
    let (caller, callee) = answered(&mut net);
    net.wait(10);
    assert!(net.lines(A).iter().filter(|line| *line == "ACK").count() >= 4);
    assert_eq!(net.sides[A].events, [SipEvent::Answered { leg: caller, answer: ANSWER.to_vec() }]);
    net.lose = |_, _| false;
    net.wait(5);
    assert_eq!(net.sides[B].events.last(), Some(&SipEvent::Acked { leg: callee, answer: Vec::new() }));
    let before = net.sent.len();
    net.wait(30);
    assert_eq!(net.sent.len(), before, "nothing more is said");
}

#[test]
fn a_200_that_is_never_acknowledged_ends_the_call_after_64_t1_with_bye() {
    let mut net = Net::new(5, Faults::default());
    net.lose = |_, message| message.method().as_str() == "ACK";
    let (caller, callee) = answered(&mut net);
    net.wait(31);
    assert_eq!(net.sides[B].events.len(), 1);
    net.wait(60);
    assert_eq!(net.sides[B].events[1..], [SipEvent::Ended { leg: callee, cause: EndCause::Lost(408) }]);
    assert!(matches!(net.sides[A].events.last(), Some(SipEvent::Ended { leg, .. }) if *leg == caller));
    assert!(net.lines(B).contains(&"BYE".to_owned()));
    assert!(net.is_quiet());
}

#[test]
fn a_bye_before_the_ack_waits_for_it() {
    let mut net = Net::new(6, Faults::default());
    net.lose = |_, message| message.method().as_str() == "ACK";
    let (_, callee) = answered(&mut net);
    net.wait(1);
    net.order(B, |stack, now, out| stack.end(now, callee, EndReason::Normal, out));
    net.wait(2);
    assert!(!net.lines(B).contains(&"BYE".to_owned()));
    assert_eq!(net.sides[B].events.last(), Some(&SipEvent::Ended { leg: callee, cause: EndCause::ByUs }));
    net.lose = |_, _| false;
    net.wait(60);
    assert!(net.lines(B).contains(&"BYE".to_owned()));
    assert_eq!(net.sides[B].events.len(), 2);
    assert!(net.is_quiet());
}

#[test]
fn two_byes_that_cross_are_both_answered_with_200() {
    let mut net = Net::new(7, Faults { delay_ms_max: 1, ..Faults::default() });
    let (caller, callee) = answered(&mut net);
    net.wait(1);
    net.order(A, |stack, now, out| stack.end(now, caller, EndReason::Normal, out));
    net.order(B, |stack, now, out| stack.end(now, callee, EndReason::Normal, out));
    net.wait(60);
    for side in [A, B] {
        assert_eq!(net.lines(side)[net.lines(side).len() - 2..], ["BYE", "200 BYE"]);
    }
    assert_eq!(net.sides[A].events.last(), Some(&SipEvent::Ended { leg: caller, cause: EndCause::ByUs }));
    assert!(net.is_quiet());
}

#[test]
fn a_bye_that_nobody_answers_is_given_up_and_leaves_nothing() {
    let mut net = Net::new(8, Faults::default());
    let (caller, _) = answered(&mut net);
    net.wait(1);
    net.lose = |_, message| message.method().as_str() == "BYE";
    net.order(A, |stack, now, out| stack.end(now, caller, EndReason::Normal, out));
    net.wait(40);
    assert_eq!(net.sides[A].events.last(), Some(&SipEvent::Ended { leg: caller, cause: EndCause::ByUs }));
    assert!(net.sides[A].stack.is_quiet());
}
