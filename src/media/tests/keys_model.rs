//! The law of keys: a press of which any packet arrives is told exactly once, whatever the network does to the rest.
//!
//! proptest makes presses and a network that loses, repeats and reorders; the seed is fixed, so each run is the same.

use crate::media::command::MediaEvent;
use crate::media::rig::{Rig, rtp};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Key, packets before the end, pause after it in 20 ms steps.
type Press = (u8, u16, u16);
/// For each packet: copies that arrive, and by how many 5 ms steps each is late.
type Fate = (u8, u8);

const END_PACKETS: u16 = 3;

#[derive(Debug)]
struct Arrival {
    at_ms: u64,
    press: usize,
    bytes: Vec<u8>,
}

/// All that arrives, in the order of arrival.
fn arrivals(presses: &[Press], fates: &[Fate]) -> Vec<Arrival> {
    let (mut all, mut sequence, mut step) = (Vec::new(), u16::MAX - 20, 0u32);
    let mut fates = fates.iter().cycle();
    for (press, (key, packets, pause)) in presses.iter().enumerate() {
        // Near the end of the timestamps' circle.
        let timestamp = (u32::MAX - 3000).wrapping_add(step * 160);
        for packet in 0..packets + END_PACKETS {
            let end = packet >= *packets;
            let duration = (packet.min(*packets - 1) + 1) * 160;
            let [high, low] = duration.to_be_bytes();
            let payload = [*key, if end { 0x80 } else { 0 }, high, low];
            let bytes = rtp(101, packet == 0, sequence, timestamp, 7, &payload);
            let (copies, late) = fates.next().copied().unwrap_or((1, 0));
            for copy in 0..copies {
                let at_ms = u64::from(step) * 20 + u64::from(late) * 5 * u64::from(copy + 1);
                all.push(Arrival { at_ms, press, bytes: bytes.clone() });
            }
            sequence = sequence.wrapping_add(1);
            step += 1;
        }
        step += u32::from(*pause);
    }
    all.sort_by_key(|arrival| arrival.at_ms);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: RngSeed::Fixed(4733), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_press_of_which_a_packet_arrives_is_told_once(
        presses in prop::collection::vec((0u8..16, 1u16..8, 0u16..10), 1..8),
        fates in prop::collection::vec((prop_oneof![4 => Just(0u8), 5 => Just(1u8), 1 => Just(2u8)], 0u8..16), 97),
    ) {
        let mut rig = Rig::started(1);
        rig.hear(1, &rtp(0, false, u16::MAX - 21, u32::MAX - 3160, 7, &[1; 160]));
        let start = rig.now;
        let all = arrivals(&presses, &fates);
        for arrival in &all {
            let due = start + std::time::Duration::from_millis(arrival.at_ms);
            let wait = due.since(rig.now).as_millis() as u64;
            rig.wait(wait);
            rig.hear(1, &arrival.bytes);
        }
        rig.wait(1000);
        let mut expected: Vec<u8> = Vec::new();
        for (index, (key, _, _)) in presses.iter().enumerate() {
            if all.iter().any(|arrival| arrival.press == index) {
                expected.push(*key);
            }
        }
        let told = |wanted: fn(&MediaEvent) -> Option<u8>| {
            let mut keys: Vec<u8> = rig.events.iter().filter_map(wanted).collect();
            keys.sort_unstable();
            keys
        };
        let pressed = told(|event| match event {
            MediaEvent::Key { key, .. } => Some(key.event_code()),
            _ => None,
        });
        let ended = told(|event| match event {
            MediaEvent::KeyEnded { key, .. } => Some(key.event_code()),
            _ => None,
        });
        expected.sort_unstable();
        prop_assert_eq!(&pressed, &expected);
        prop_assert_eq!(&ended, &expected);
    }
}
