//! What no honest peer sends: broken, mixed and repeated messages in any order must neither stop a stack nor leave anything.
//!
//! The messages are those of real exchanges with bytes and lines changed by a seed.

use super::peer::{Peer, inside, request, with_body};
use crate::ids::LegId;
use crate::sip::SipEvent;
use crate::sip::stack::EndReason;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

const SEEDS: u64 = 150;
const MESSAGES: usize = 60;
const METHODS: [&str; 9] = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "INFO", "UPDATE", "REFER"];

/// One message: most are right, some have a byte or a line changed.
fn message(random: &mut ChaCha8Rng, tag: &str) -> String {
    let mut up_to = |most: u32| random.next_u32() % most;
    let method = METHODS[up_to(METHODS.len() as u32) as usize];
    let number = 1 + up_to(4);
    let body = match up_to(3) {
        0 => String::new(),
        1 => with_body("application/sdp", "v=0"),
        _ => with_body("application/dtmf-relay", "Signal=0"),
    };
    let text = if up_to(2) == 0 { request(method, number, &body) } else { inside(method, number, tag, &body) };
    let text = if up_to(3) == 0 { text.replace(&format!("z9hG4bK{method}"), "z9hG4bKINVITE") } else { text };
    let mut bytes = text.into_bytes();
    if up_to(3) == 0 {
        let at = up_to(bytes.len() as u32) as usize;
        bytes[at] = b"\x00\n:;<>\"@,=%z0"[up_to(13) as usize];
    }
    if up_to(8) == 0 {
        bytes.truncate(up_to(bytes.len() as u32) as usize);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What the engine orders at random, of legs that there are and that there are not.
fn order(peer: &mut Peer, random: &mut ChaCha8Rng) {
    let leg = LegId(u64::from(1 + random.next_u32() % 4));
    let what = random.next_u32() % 6;
    peer.order(|stack, now, out| match what {
        0 => stack.ring(now, leg, out),
        1 => stack.answer(now, leg, b"v=0\r\n".to_vec(), out),
        2 => stack.accept_change(now, leg, b"v=0\r\n".to_vec(), out),
        3 => stack.refuse_change(now, leg, 488, out),
        4 => stack.end(now, leg, EndReason::Normal, out),
        _ => stack.connection_closed(now, 1, out),
    });
}

#[test]
fn nothing_that_arrives_stops_a_stack_or_stays_in_it() {
    let mut calls = 0;
    for seed in 0..SEEDS {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut peer = Peer::new();
        for _ in 0..MESSAGES {
            let tag = peer.sent.iter().rev().find_map(|(_, one)| one.to_tag()).unwrap_or("none").to_owned();
            let text = message(&mut random, &tag);
            peer.receive(&text);
            order(&mut peer, &mut random);
            peer.wait(u64::from(random.next_u32() % 3));
        }
        let legs = peer.events.iter().filter_map(|event| match event {
            SipEvent::Incoming(invitation) => Some(invitation.leg),
            _ => None,
        });
        let legs = legs.collect::<Vec<_>>();
        for leg in &legs {
            peer.order(|stack, now, out| stack.end(now, *leg, EndReason::Normal, out));
            let ends = peer.events.iter().filter(|event| super::terminal(event) == Some(*leg)).count();
            assert_eq!(ends, 1, "seed {seed}, {leg}");
        }
        calls += legs.len();
        peer.wait(150);
        assert!(peer.stack.is_quiet() && peer.timers.is_empty(), "seed {seed}: {:?}", peer.stack);
    }
    assert!(calls > 150, "{calls} calls are too few to say anything");
}
