//! A thousand calls over a bad wire: whatever is lost, doubled or late, each side hears of the end once, and nothing is left.
//!
//! Which way a call goes is drawn from the seed; a failure names its seed and plan.

use super::{A, ANSWER, B, Faults, Net, terminal};
use crate::ids::LegId;
use crate::sip::SipEvent;
use crate::sip::stack::EndReason;
use crate::time::Time;
use rand_core::Rng;
use std::collections::BTreeMap;
use std::time::Duration;

const SEEDS: u64 = 1000;

/// What an engine would do, by the seed.
#[derive(Clone, Copy, Debug)]
struct Plan {
    rings: bool,
    /// Milliseconds after the INVITE.
    answers_at: Option<u64>,
    refuses_at: Option<u64>,
    caller_ends_at: u64,
    callee_ends_at: u64,
}

impl Plan {
    fn new(net: &mut Net) -> Plan {
        let mut up_to = |most: u32| u64::from(net.random.next_u32() % most);
        Plan {
            rings: up_to(2) == 0,
            answers_at: (up_to(4) > 0).then(|| up_to(3000)),
            refuses_at: (up_to(4) == 0).then(|| up_to(3000)),
            caller_ends_at: up_to(9000),
            callee_ends_at: up_to(9000),
        }
    }
}

fn one_call(seed: u64) -> (Net, Plan) {
    let percent = (seed % 4) as u32 * 12;
    let faults = Faults { lost_percent: percent, doubled_percent: percent, delay_ms_max: 1 + percent * 20 };
    let mut net = Net::new(seed, faults);
    let plan = Plan::new(&mut net);
    let caller = net.call();
    let mut callee: Option<LegId> = None;
    for step in 0..1000 {
        let at = step * 10;
        net.run(Time::from_millis(at), &mut |net, side, event| match event {
            SipEvent::Incoming(invitation) if side == B => {
                assert_eq!(callee.replace(invitation.leg), None, "a second leg for one INVITE");
                if plan.rings {
                    net.order(B, |stack, now, out| stack.ring(now, invitation.leg, out));
                }
            }
            _ => {}
        });
        let is_due = |wanted: u64| wanted / 10 == step;
        if is_due(plan.caller_ends_at) {
            net.order(A, |stack, now, out| stack.end(now, caller, EndReason::Normal, out));
        }
        let Some(leg) = callee else { continue };
        if plan.answers_at.is_some_and(is_due) {
            net.order(B, |stack, now, out| stack.answer(now, leg, ANSWER.to_vec(), out));
        }
        if plan.refuses_at.is_some_and(is_due) {
            let refusal = EndReason::Refuse { status: 486, retry_after_seconds: None };
            net.order(B, |stack, now, out| stack.end(now, leg, refusal, out));
        }
        if is_due(plan.callee_ends_at) {
            net.order(B, |stack, now, out| stack.end(now, leg, EndReason::Normal, out));
        }
    }
    // The engines lose patience with whatever is left.
    net.run_for(Duration::from_secs(10), &mut |_, _, _| {});
    net.order(A, |stack, now, out| stack.end(now, caller, EndReason::Normal, out));
    for event in net.sides[B].events.clone() {
        if let SipEvent::Incoming(invitation) = event {
            net.order(B, |stack, now, out| stack.end(now, invitation.leg, EndReason::Normal, out));
        }
    }
    net.run_for(Duration::from_secs(150), &mut |_, _, _| {});
    (net, plan)
}

fn check(seed: u64) -> Vec<&'static str> {
    let (net, plan) = one_call(seed);
    let mut seen = Vec::new();
    for side in [A, B] {
        let mut ends: BTreeMap<LegId, u32> = BTreeMap::new();
        if side == A {
            ends.insert(LegId(1), 0);
        }
        for event in &net.sides[side].events {
            if let SipEvent::Incoming(invitation) = event {
                ends.insert(invitation.leg, 0);
            }
            if let Some(leg) = terminal(event) {
                *ends.get_mut(&leg).expect("an end without a beginning") += 1;
            }
            seen.push(match event {
                SipEvent::Cancelled { .. } => "cancelled",
                SipEvent::Rejected { .. } => "rejected",
                SipEvent::Answered { .. } => "answered",
                SipEvent::Acked { .. } => "acked",
                SipEvent::Ringing { .. } => "ringing",
                SipEvent::Ended { .. } => "ended",
                _ => "other",
            });
        }
        let events = &net.sides[side].events;
        assert!(ends.values().all(|count| *count == 1), "seed {seed} side {side} {plan:?}: {ends:?} {events:#?}");
    }
    assert!(net.is_quiet(), "seed {seed} {plan:?}: not quiet, {:?} {:?}", net.sides[A].stack, net.sides[B].stack);
    seen
}

#[test]
fn every_call_ends_once_on_each_side_and_leaves_nothing() {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..SEEDS {
        for word in check(seed) {
            *seen.entry(word).or_default() += 1;
        }
    }
    for word in ["cancelled", "rejected", "answered", "acked", "ringing", "ended"] {
        assert!(seen.get(word).copied().unwrap_or(0) > 50, "too few of {word} to say anything: {seen:?}");
    }
}
