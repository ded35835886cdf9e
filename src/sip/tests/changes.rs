//! Inside a call: re-INVITE and UPDATE, sequence numbers, keys by INFO, target and path (RFC 3261 §12.2, §14, RFC 3311).
//!
//! One stack as the callee; the peer's messages are written by hand.

use super::peer::{Peer, inside, request, with_body};
use crate::ids::LegId;
use crate::key::Key;
use crate::sip::stack::EndReason;
use crate::sip::{EndCause, SipEvent};

const LEG: LegId = LegId(1);
const SDP: &[u8] = b"v=0\r\n";

/// A peer whose INVITE (with these lines) has been answered and acknowledged, and our tag.
fn up(mut peer: Peer, lines: &str) -> (Peer, String) {
    assert_eq!(peer.status(&request("INVITE", 1, lines)), 100);
    peer.order(|stack, now, out| stack.answer(now, LEG, SDP.to_vec(), out));
    assert_eq!(peer.last().status(), Some(200));
    let tag = peer.last().to_tag().unwrap().to_owned();
    peer.receive(&inside("ACK", 1, &tag, &with_body("application/sdp", "v=0\nANSWER")));
    (peer, tag)
}

fn offer() -> String {
    with_body("application/sdp", "v=0")
}

fn changed(peer: &Peer) -> usize {
    peer.events.iter().filter(|event| matches!(event, SipEvent::Changed { .. })).count()
}

#[test]
fn a_reinvite_is_the_engines_to_answer_and_its_200_is_sent_until_the_ack() {
    let (mut peer, tag) = up(Peer::new(), &offer());
    assert_eq!(peer.status(&inside("INVITE", 2, &tag, &offer())), 100);
    assert_eq!(peer.events.last(), Some(&SipEvent::Changed { leg: LEG, offer: b"v=0".to_vec() }));
    peer.order(|stack, now, out| stack.accept_change(now, LEG, SDP.to_vec(), out));
    let before = peer.sent.len();
    peer.wait(2);
    assert_eq!(peer.sent[before..].iter().map(|(_, message)| message.status()).collect::<Vec<_>>(), [Some(200); 2]);
    peer.receive(&inside("ACK", 2, &tag, ""));
    let before = peer.sent.len();
    peer.wait(60);
    assert_eq!(peer.sent.len(), before);
    assert!(matches!(peer.events.last(), Some(SipEvent::Changed { .. })), "an ACK without an answer is no news");
    assert_eq!(peer.status(&inside("BYE", 3, &tag, "")), 200);
    assert_eq!(peer.events.last(), Some(&SipEvent::Ended { leg: LEG, cause: EndCause::Hangup }));
}

#[test]
fn a_reinvite_without_offer_gets_ours_and_the_ack_brings_the_answer() {
    let (mut peer, tag) = up(Peer::new(), "");
    assert_eq!(peer.events.last(), Some(&SipEvent::Acked { leg: LEG, answer: b"v=0\r\nANSWER".to_vec() }));
    peer.receive(&inside("INVITE", 2, &tag, ""));
    peer.order(|stack, now, out| stack.accept_change(now, LEG, SDP.to_vec(), out));
    // Glare: our offer is open.
    assert_eq!(peer.status(&inside("INVITE", 3, &tag, &offer())), 491);
    assert_eq!(peer.status(&inside("UPDATE", 4, &tag, &offer())), 491);
    peer.receive(&inside("ACK", 2, &tag, &with_body("application/sdp", "v=1")));
    assert_eq!(peer.events.last(), Some(&SipEvent::ChangeAcked { leg: LEG, answer: b"v=1".to_vec() }));
}

#[test]
fn a_change_on_top_of_an_unfinished_one_is_put_off() {
    let (mut peer, tag) = up(Peer::new(), &offer());
    peer.receive(&inside("INVITE", 2, &tag, &offer()));
    let answered = peer.receive(&inside("INVITE", 3, &tag, &offer()));
    assert_eq!(answered[0].status(), Some(500));
    assert!(answered[0].header("Retry-After").unwrap().parse::<u32>().unwrap() <= 10);
    assert_eq!(changed(&peer), 1);
    peer.order(|stack, now, out| stack.refuse_change(now, LEG, 488, out));
    assert_eq!(peer.last().status(), Some(488));
    peer.order(|stack, now, out| stack.accept_change(now, LEG, SDP.to_vec(), out));
    assert_eq!(peer.last().status(), Some(488), "there is nothing left to answer");
}

#[test]
fn a_refused_change_is_not_refused_again_after_its_ack() {
    let (mut peer, tag) = up(Peer::new(), &offer());
    peer.receive(&inside("INVITE", 2, &tag, &offer()));
    let refused = peer.receive(&inside("INVITE", 3, &tag, &offer()));
    assert_eq!(refused[0].status(), Some(500));
    let ack = inside("INVITE", 3, &tag, "").replace("3 INVITE", "3 ACK").replace("INVITE sip", "ACK sip");
    peer.receive(&ack);
    let before = peer.sent.len();
    peer.wait(10);
    assert_eq!(peer.sent.len(), before);
}

#[test]
fn the_human_key_counts_even_when_later_requests_have_overtaken_it() {
    let (mut peer, tag) = up(Peer::new(), &offer());
    let press = |key: char| with_body("application/dtmf-relay", &format!("Signal={key}\nDuration=100"));
    assert_eq!(peer.status(&inside("INFO", 9, &tag, &press('1'))), 200);
    let keys = |peer: &Peer| peer.events.iter().filter(|event| matches!(event, SipEvent::InfoKey { .. })).count();
    assert_eq!(keys(&peer), 1);
    assert_eq!(peer.status(&inside("INFO", 7, &tag, &press('2'))), 500);
    assert_eq!(keys(&peer), 1, "digits out of order would be other digits");
    assert_eq!(peer.status(&inside("INFO", 8, &tag, &press('0'))), 500);
    assert_eq!(peer.events.last(), Some(&SipEvent::InfoKey { leg: LEG, key: Key::HUMAN, duration_ms: Some(100) }));
    assert_eq!(peer.status(&inside("INFO", 8, &tag, &press('0'))), 500, "the same press again");
    assert_eq!(keys(&peer), 2);
}

#[test]
fn a_lower_sequence_number_gets_500_and_a_repeat_the_same_answer() {
    let (mut peer, tag) = up(Peer::new(), &offer());
    assert_eq!(peer.status(&inside("OPTIONS", 5, &tag, "")), 200);
    assert_eq!(peer.status(&inside("OPTIONS", 5, &tag, "")), 200);
    assert_eq!(peer.status(&inside("INVITE", 4, &tag, &offer())), 500);
    assert_eq!(changed(&peer), 0);
}

#[test]
fn an_update_changes_with_an_offer_and_only_refreshes_without() {
    let (mut peer, tag) = up(Peer::new(), &offer());
    let moved =
        inside("UPDATE", 2, &tag, "").replace("Contact: <sip:ann@10.0.0.5:5060>", "Contact: <sip:ann@10.0.0.6:5066>");
    assert_eq!(peer.status(&moved), 200);
    assert_eq!(changed(&peer), 0);
    assert!(peer.receive(&inside("UPDATE", 3, &tag, &offer()).replace("10.0.0.5:5060>", "10.0.0.6:5066>")).is_empty());
    assert_eq!(changed(&peer), 1);
    peer.order(|stack, now, out| stack.accept_change(now, LEG, SDP.to_vec(), out));
    assert_eq!((peer.last().status(), peer.last().body()), (Some(200), SDP));
    peer.order(|stack, now, out| stack.end(now, LEG, EndReason::Normal, out));
    assert_eq!(peer.last().request_uri(), Some("sip:ann@10.0.0.6:5066"));
}

#[test]
fn a_reinvite_whose_ack_was_overtaken_is_served_and_an_update_without_offer_stands_in_nobodys_way() {
    let mut peer = Peer::new();
    peer.receive(&request("INVITE", 1, &offer()));
    peer.order(|stack, now, out| stack.answer(now, LEG, SDP.to_vec(), out));
    let tag = peer.last().to_tag().unwrap().to_owned();
    assert_eq!(peer.status(&inside("UPDATE", 2, &tag, "")), 200);
    assert_eq!(peer.status(&inside("UPDATE", 3, &tag, &offer())), 500);
    assert_eq!(peer.status(&inside("INVITE", 4, &tag, &offer())), 100);
    let told =
        [SipEvent::Acked { leg: LEG, answer: Vec::new() }, SipEvent::Changed { leg: LEG, offer: b"v=0".to_vec() }];
    assert_eq!(peer.events[1..], told);
    assert!(peer.receive(&inside("ACK", 1, &tag, "")).is_empty());
    assert_eq!(peer.events.len(), 3);
}

#[test]
fn a_bye_while_a_change_is_open_refuses_it_with_487() {
    let (mut peer, tag) = up(Peer::new(), &offer());
    peer.receive(&inside("INVITE", 2, &tag, &offer()));
    let statuses = peer.receive(&inside("BYE", 3, &tag, "")).iter().map(|one| one.status()).collect::<Vec<_>>();
    assert_eq!(statuses, [Some(200), Some(487)]);
    assert_eq!(peer.status(&inside("BYE", 4, &tag, "")), 481);
}

#[test]
fn keys_by_info_are_told_and_answered_and_other_bodies_refused() {
    let (mut peer, tag) = up(Peer::new(), &offer());
    let text = inside("INFO", 2, &tag, &with_body("application/dtmf-relay", "Signal=0\nDuration=160"));
    assert_eq!(peer.status(&text), 200);
    assert_eq!(peer.status(&text), 200);
    let key = SipEvent::InfoKey { leg: LEG, key: Key::HUMAN, duration_ms: Some(160) };
    assert_eq!(peer.events.iter().filter(|event| **event == key).count(), 1);
    assert_eq!(peer.status(&inside("INFO", 3, &tag, &with_body("application/dtmf", "#"))), 200);
    assert_eq!(peer.events.last(), Some(&SipEvent::InfoKey { leg: LEG, key: Key::HASH, duration_ms: None }));
    assert_eq!(peer.status(&inside("INFO", 4, &tag, "")), 200);
    let refused = peer.receive(&inside("INFO", 5, &tag, &with_body("application/xml", "<a/>")));
    assert_eq!(refused[0].status(), Some(415));
    assert!(refused[0].header("Accept").unwrap().contains("application/dtmf-relay"));
}

#[test]
fn our_bye_takes_the_recorded_route_even_through_a_strict_router() {
    let routes = "Record-Route: <sip:p2.example.com;lr>\nRecord-Route: <sip:p1.example.com;lr>\n";
    let (mut peer, _) = up(Peer::new(), &format!("{routes}{}", offer()));
    peer.order(|stack, now, out| stack.end(now, LEG, EndReason::Normal, out));
    let bye = peer.last();
    assert_eq!(bye.request_uri(), Some("sip:ann@10.0.0.5:5060"));
    assert_eq!(bye.list("Route"), ["<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>"]);

    let routes = "Record-Route: <sip:p2.example.com>\nRecord-Route: <sip:p1.example.com;lr>\n";
    let (mut peer, _) = up(Peer::new(), &format!("{routes}{}", offer()));
    peer.order(|stack, now, out| stack.end(now, LEG, EndReason::Normal, out));
    let bye = peer.last();
    assert_eq!(bye.request_uri(), Some("sip:p2.example.com"));
    assert_eq!(bye.list("Route"), ["<sip:p1.example.com;lr>", "<sip:ann@10.0.0.5:5060>"]);
    assert_eq!(peer.sent.last().unwrap().0, peer.flow);
}

#[test]
fn our_bye_goes_to_the_phone_where_its_proxy_does_not_stay_in_the_path() {
    let second_via = "Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKphone\n";
    let (mut peer, _) = up(Peer::new(), &format!("{second_via}{}", offer()));
    peer.order(|stack, now, out| stack.end(now, LEG, EndReason::Normal, out));
    assert_eq!(peer.sent.last().unwrap().0, peer.flow, "the Contact is the address of the last hop: a NAT");
    let lines = format!("{second_via}{}", offer());
    let mut peer = Peer::new();
    peer.receive(
        &request("INVITE", 1, &lines)
            .replace("Contact: <sip:ann@10.0.0.5:5060>", "Contact: <sip:ann@198.51.100.7:5077>"),
    );
    peer.order(|stack, now, out| stack.answer(now, LEG, SDP.to_vec(), out));
    let tag = peer.last().to_tag().unwrap().to_owned();
    peer.receive(&inside("ACK", 1, &tag, ""));
    peer.order(|stack, now, out| stack.end(now, LEG, EndReason::Normal, out));
    assert_eq!(peer.sent.last().unwrap().0.remote, "198.51.100.7:5077".parse().unwrap());
}

#[test]
fn peers_of_rfc_2543_have_neither_tags_nor_branches_of_ours() {
    let old = |text: String| text.replace(";tag=caller", "").replace("z9hG4bK", "");
    let mut peer = Peer::new();
    assert_eq!(peer.status(&old(request("INVITE", 1, &offer()))), 100);
    assert_eq!(peer.status(&old(request("INVITE", 1, &offer()))), 100);
    peer.order(|stack, now, out| stack.answer(now, LEG, SDP.to_vec(), out));
    let tag = peer.last().to_tag().unwrap().to_owned();
    peer.receive(&old(inside("ACK", 1, &tag, "")));
    assert!(matches!(peer.events.last(), Some(SipEvent::Acked { .. })));
    assert_eq!(peer.status(&old(inside("BYE", 2, &tag, ""))), 200);
    peer.wait(40);
    assert!(peer.stack.is_quiet());
}

#[test]
fn an_ack_of_rfc_2543_is_known_by_its_invites_branch_alone() {
    let old = |text: String| text.replace("z9hG4bK", "");
    let mut peer = Peer::new();
    peer.receive(&old(request("INVITE", 1, "")));
    peer.order(|stack, now, out| stack.answer(now, LEG, SDP.to_vec(), out));
    peer.receive(&old(request("ACK", 1, &offer())).replace("branch=ACK1", "branch=INVITE1"));
    assert_eq!(peer.events.last(), Some(&SipEvent::Acked { leg: LEG, answer: b"v=0".to_vec() }));
}

#[test]
fn an_ack_of_an_earlier_200_does_not_acknowledge_the_last() {
    let (mut peer, tag) = up(Peer::new(), &offer());
    peer.receive(&inside("INVITE", 2, &tag, &offer()));
    peer.order(|stack, now, out| stack.accept_change(now, LEG, SDP.to_vec(), out));
    peer.receive(&inside("ACK", 1, &tag, ""));
    let before = peer.sent.len();
    peer.wait(2);
    assert_eq!(peer.sent.len(), before + 2, "still sent again");
}

#[test]
fn a_callers_bye_before_our_answer_ends_both() {
    let mut peer = Peer::new();
    peer.receive(&request("INVITE", 1, &offer()));
    peer.order(|stack, now, out| stack.ring(now, LEG, out));
    let tag = peer.last().to_tag().unwrap().to_owned();
    let statuses = peer.receive(&inside("BYE", 2, &tag, "")).iter().map(|one| one.status()).collect::<Vec<_>>();
    assert_eq!(statuses, [Some(200), Some(487)]);
    assert_eq!(peer.events.last(), Some(&SipEvent::Ended { leg: LEG, cause: EndCause::Hangup }));
}

#[test]
fn a_cancel_says_whether_the_network_failed() {
    for (reason, network) in [("Reason: SIP;cause=487\n", false), ("Reason: Q.850;cause=38\n", true), ("", false)] {
        let mut peer = Peer::new();
        peer.receive(&request("INVITE", 1, &offer()));
        let cancel = request("CANCEL", 1, reason).replace("z9hG4bKCANCEL1", "z9hG4bKINVITE1");
        let statuses = peer.receive(&cancel).iter().map(|one| one.status()).collect::<Vec<_>>();
        assert_eq!(statuses, [Some(200), Some(487)]);
        assert_eq!(peer.events.last(), Some(&SipEvent::Cancelled { leg: LEG, network }));
    }
}

#[test]
fn a_cancel_after_our_200_changes_nothing() {
    let (mut peer, tag) = up(Peer::new(), &offer());
    let cancel = request("CANCEL", 1, "").replace("z9hG4bKCANCEL1", "z9hG4bKINVITE1");
    let before = peer.events.len();
    assert_eq!(peer.status(&cancel), 200);
    assert_eq!(peer.events.len(), before);
    assert_eq!(peer.status(&inside("BYE", 2, &tag, "")), 200);
}
