//! Keys (RFC 4733) over a bad network: presses of which packets are lost, repeated, late; and event packets of any numbers.
//!
//! In the first form the law is exact: a press of which any packet arrives is told once. In the second nothing is known
//! of what was pressed, and the count must be sane: no more keys than events, none held or ended that was not pressed.

use super::plane::{Plane, peer, rtp};
use super::take::Take;
use onekey::ids::LegId;
use onekey::key::Key;
use onekey::media::command::MediaEvent;
use std::time::Duration;

const LEG: LegId = LegId(1);
const PRESSES_MAX: usize = 8;
const PACKETS_MAX: usize = 200;
const END_PACKETS: u16 = 3;

pub fn run(bytes: &[u8]) {
    let mut take = Take::new(bytes);
    let mut plane = Plane::started(1);
    if take.is_set(0) {
        invented(&mut take, &mut plane)
    } else {
        pressed(&mut take, &mut plane)
    }
    plane.finish();
}

/// One packet of a press, when it arrives.
#[derive(Debug)]
struct Arrival {
    at_ms: u64,
    press: usize,
    bytes: Vec<u8>,
}

/// What a phone sends: a packet each 20 ms with a growing length, three at the end, a pause.
fn pressed(take: &mut Take<'_>, plane: &mut Plane) {
    let (first, start) = (take.word(), take.long());
    let (mut sequence, mut step) = (first, 0u32);
    let (mut arrivals, mut keys) = (Vec::new(), Vec::new());
    for press in 0..1 + take.below(PRESSES_MAX) {
        let (key, packets, pause) = (take.byte() & 15, 1 + u16::from(take.byte() & 63), take.byte() & 15);
        let timestamp = start.wrapping_add(step * 160);
        keys.push(key);
        for packet in 0..packets + END_PACKETS {
            let duration = (packet.min(packets - 1) + 1) * 160;
            let [high, low] = duration.to_be_bytes();
            let end = if packet >= packets { 0x80 } else { 0 };
            let bytes = rtp(101, sequence, timestamp, 7, &[key, end, high, low]);
            // Lost, once, or twice; up to 75 ms late.
            let fate = take.byte();
            for copy in 0..[1u64, 1, 0, 2][usize::from(fate & 3)] {
                let at_ms = u64::from(step) * 20 + u64::from(fate >> 4) * 5 * (copy + 1);
                arrivals.push(Arrival { at_ms, press, bytes: bytes.clone() });
            }
            sequence = sequence.wrapping_add(1);
            step += 1;
        }
        step += u32::from(pause);
    }
    arrivals.sort_by_key(|arrival| arrival.at_ms);
    plane.hear(LEG, peer(LEG), &rtp(0, first.wrapping_sub(1), start.wrapping_sub(160), 7, &[1; 160]));
    let began = plane.now;
    for arrival in &arrivals {
        let due = began + Duration::from_millis(arrival.at_ms);
        plane.wait(due.since(plane.now));
        plane.hear(LEG, peer(LEG), &arrival.bytes);
    }
    plane.wait(Duration::from_secs(1));
    let arrived = |press: &usize| arrivals.iter().any(|arrival| arrival.press == *press);
    let mut expected: Vec<u8> = (0..keys.len()).filter(arrived).map(|press| keys[press]).collect();
    expected.sort_unstable();
    let mut told: Vec<u8> = told(plane).iter().map(|key| key.event_code()).collect();
    told.sort_unstable();
    assert_eq!(told, expected);
}

/// Events of any code, time and length, in any order.
fn invented(take: &mut Take<'_>, plane: &mut Plane) {
    let mut blocks = 0;
    for _ in 0..PACKETS_MAX {
        if take.is_empty() {
            break;
        }
        let what = take.byte();
        let (sequence, timestamp) = match what & 3 {
            0 => (take.word(), take.long()),
            // A few numbers that meet again.
            _ => (u16::from(take.byte()), u32::from(take.byte()) * 160),
        };
        let payload = take.bytes(4 * (1 + usize::from(what >> 2 & 7)));
        blocks += payload.len() / 4;
        plane.hear(LEG, peer(LEG), &rtp(101, sequence, timestamp, 7 + u32::from(what >> 7), payload));
        plane.wait(Duration::from_millis(u64::from(take.byte()) / 4));
    }
    plane.wait(Duration::from_secs(1));
    let keys = told(plane).len();
    assert!(keys <= blocks, "{keys} keys of {blocks} events");
}

/// The keys that were told. Each is ended once, and once more if it turned out to be held after all.
fn told(plane: &Plane) -> Vec<Key> {
    let (mut keys, mut held, mut ended) = (Vec::new(), 0, 0);
    for event in &plane.events {
        match event {
            MediaEvent::Key { key, .. } => keys.push(*key),
            MediaEvent::KeyHeld { .. } => held += 1,
            MediaEvent::KeyEnded { .. } => ended += 1,
            _ => {}
        }
        assert!(held <= keys.len() && ended <= keys.len() + held, "{:?}", plane.events);
    }
    assert!(ended >= keys.len(), "a key never ends: {:?}", plane.events);
    keys
}
