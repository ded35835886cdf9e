//! What strangers are kept from, what trunks are spared, and who is reported (DESIGN §10).
//!
//! Nothing that is refused may leave anything behind in the stack.

use super::peer::{Peer, inside, request};
use super::{ANSWER, config};
use crate::ids::LegId;
use crate::sip::SipEvent;
use crate::sip::admission::StrangerLimits;
use crate::sip::offenders::Offence;
use crate::sip::stack::EndReason;

const TRUNK: &str = "198.51.100.7:5060";

fn peer() -> Peer {
    let mut peer = Peer::new();
    peer.stack.publish(["5550100".to_owned()].into());
    peer
}

/// A new INVITE, unlike every other.
fn invite(number: u32) -> String {
    request("INVITE", number, "").replace("call@example.com", &format!("call{number}@example.com"))
}

fn incoming(peer: &Peer) -> Vec<LegId> {
    let legs = peer.events.iter().filter_map(|event| match event {
        SipEvent::Incoming(invitation) => Some(invitation.leg),
        _ => None,
    });
    legs.collect()
}

fn offences(peer: &Peer) -> Vec<Offence> {
    let told = peer.events.iter().filter_map(|event| match event {
        SipEvent::Offence { offence, .. } => Some(*offence),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_number_that_nobody_published_is_refused_without_a_trace() {
    let mut peer = peer();
    for number in 1..=40 {
        let answered = peer.receive(&invite(number).replace("sip:5550100@", "sip:1001@"));
        assert_eq!(answered.iter().map(|one| one.status()).collect::<Vec<_>>(), [Some(404)]);
    }
    assert!(peer.stack.is_quiet() && peer.timers.is_empty());
    assert_eq!((incoming(&peer).len(), offences(&peer)), (0, vec![Offence::Numbers]));
    assert_eq!(peer.stack.strangers_refused()["unknown_number"], 40);
}

#[test]
fn a_flood_is_met_with_silence_beyond_the_addresss_share() {
    let mut peer = peer();
    let answered = (0..5000).filter(|number| !peer.receive(&invite(*number)).is_empty()).count();
    assert_eq!((answered, incoming(&peer).len()), (100, 100));
    assert_eq!(offences(&peer), [Offence::Requests]);
    assert_eq!(peer.stack.strangers_refused()["calls_a_second"], 4900);
    let mut neighbour = peer.from("203.0.113.10:5060");
    assert_eq!(neighbour.receive(&invite(9000)).len(), 1, "her neighbour is served");
}

#[test]
fn a_trunk_brings_as_many_calls_as_it_likes_and_may_call_itself_what_it_likes() {
    let mut peer = Peer::with(crate::sip::SipConfig { transactions_max: 9000, ..config() }).from(TRUNK);
    peer.stack.publish(["5550100".to_owned()].into());
    for number in 0..2000 {
        assert!(!peer.receive(&invite(number)).is_empty());
    }
    peer.receive(&invite(5000).replace("Max-Forwards: 70", "User-Agent: friendly-scanner"));
    assert_eq!((incoming(&peer).len(), offences(&peer)), (2001, vec![]));
}

#[test]
fn scanners_that_say_so_meet_silence() {
    for line in ["User-Agent: friendly-scanner", "User-Agent: SIPVicious 0.3", "User-agent: sipcli/v1.8"] {
        for method in ["INVITE", "OPTIONS", "REGISTER"] {
            let mut peer = peer();
            assert!(peer.receive(&request(method, 1, &format!("{line}\n"))).is_empty(), "{line} {method}");
            assert_eq!(offences(&peer), [Offence::Scanner]);
        }
    }
    let mut peer = peer();
    assert!(peer.receive(&request("OPTIONS", 1, "").replace("\"Ann\"", "\"sipvicious\"")).is_empty());
    assert!(!peer.receive(&request("OPTIONS", 1, "User-Agent: Linphone/5.1\n")).is_empty());
}

#[test]
fn an_address_holds_so_many_calls_and_may_begin_another_when_one_has_ended() {
    let strangers = StrangerLimits { calls_max: 3, ..StrangerLimits::default() };
    let mut peer = Peer::with(crate::sip::SipConfig { strangers, ..config() });
    for number in 0..3 {
        peer.receive(&invite(number));
    }
    let answered = peer.receive(&invite(4));
    assert_eq!((answered[0].status(), answered[0].header("Retry-After")), (Some(503), Some("10")));
    assert_eq!((incoming(&peer).len(), offences(&peer)), (3, vec![Offence::Calls]));
    let first = incoming(&peer)[0];
    peer.order(|stack, now, out| stack.end(now, first, EndReason::Normal, out));
    peer.receive(&invite(5));
    assert_eq!(incoming(&peer).len(), 4);
    for leg in incoming(&peer) {
        peer.order(|stack, now, out| stack.end(now, leg, EndReason::Normal, out));
    }
    peer.wait(70);
    assert!(peer.stack.is_quiet() && peer.stack.calls_of.is_empty());
}

#[test]
fn only_who_sent_the_invite_takes_it_back() {
    let mut peer = peer();
    peer.receive(&request("INVITE", 1, ""));
    let own = peer.flow;
    let cancel = request("CANCEL", 1, "").replace("z9hG4bKCANCEL1", "z9hG4bKINVITE1");
    peer.flow.remote = "203.0.113.66:5060".parse().unwrap();
    assert_eq!(peer.status(&cancel), 481, "the branch was guessed");
    assert!(!peer.events.iter().any(|event| matches!(event, SipEvent::Cancelled { .. })));
    peer.flow = own;
    peer.receive(&cancel);
    assert!(peer.events.iter().any(|event| matches!(event, SipEvent::Cancelled { .. })));
}

#[test]
fn guessed_dialogs_are_refused_and_reported() {
    let mut peer = peer();
    peer.receive(&request("INVITE", 1, ""));
    let leg = incoming(&peer)[0];
    peer.order(|stack, now, out| stack.answer(now, leg, ANSWER.to_vec(), out));
    for number in 2..200 {
        assert_eq!(peer.status(&inside("BYE", number, &format!("{number:016x}"), "")), 481);
    }
    assert_eq!(offences(&peer), [Offence::Dialogs]);
    assert!(!peer.events.iter().any(|event| matches!(event, SipEvent::Ended { .. })));
}

#[test]
fn only_an_ack_with_our_tag_proves_that_the_caller_hears_us() {
    let mut peer = peer();
    peer.receive(&request("INVITE", 1, ""));
    let leg = incoming(&peer)[0];
    peer.order(|stack, now, out| stack.answer(now, leg, ANSWER.to_vec(), out));
    let tag = peer.last().to_tag().unwrap().to_owned();
    // Whoever sent the INVITE under a false address knows its branch, but has not seen our answer.
    peer.receive(&request("ACK", 1, "").replace("z9hG4bKACK1", "z9hG4bKINVITE1"));
    assert!(!peer.stack.is_proven(leg));
    peer.receive(&inside("ACK", 1, &tag, ""));
    assert!(peer.stack.is_proven(leg));
}

#[test]
fn without_room_strangers_are_refused_by_the_engine_until_they_are_a_crowd_and_a_trunk_even_then() {
    let mut peer = peer();
    peer.stack.close_to_strangers(Some("overload"));
    // 1000 transactions may be there: from the 63rd on it is a flood, of which nothing is kept.
    let crowd = 1000 / 16;
    for number in 0..crowd {
        assert_eq!(peer.status(&invite(number)), 100, "a transaction knows its repeats");
    }
    for number in crowd..90 {
        assert_eq!(peer.status(&invite(number)), 503);
    }
    assert_eq!(incoming(&peer).len(), crowd as usize);
    let mut trunk = peer.from(TRUNK);
    trunk.receive(&invite(2000));
    assert_eq!(incoming(&trunk).len(), crowd as usize + 1);
}
