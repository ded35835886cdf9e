//! Arbitrary bytes from the network: no panic, no growth, and a call that goes on.
//!
//! Both raw bytes and packets with a sound header and wild contents.

use crate::ids::LegId;
use crate::media::MediaInput;
use crate::media::command::{MediaCommand, RecordChannels};
use crate::media::rig::{Rig, peer, prompt, rtp};
use proptest::prelude::*;
use std::path::PathBuf;

/// Two bridged legs, one recorded in two channels.
fn busy() -> Rig {
    let mut rig = Rig::started(2);
    rig.order(MediaCommand::Bridge { a: LegId(1), b: LegId(2) });
    let (file, channels) = (PathBuf::from("a.wav"), RecordChannels::Two);
    rig.order(MediaCommand::Record { leg: LegId(1), file, channels, silence: None });
    rig
}

fn still_works(rig: &mut Rig) {
    rig.take_sent();
    rig.play(1, 1, vec![prompt(1, 2, None)], false);
    rig.wait(3000);
    assert!(rig.sent.iter().filter(|sent| sent.leg == LegId(1)).count() >= 2);
    rig.order(MediaCommand::Close { leg: LegId(1) });
    rig.order(MediaCommand::Close { leg: LegId(2) });
    assert_eq!(rig.plane.next_timeout(), None);
}

fn packet() -> impl Strategy<Value = Vec<u8>> {
    let payload_type = prop_oneof![Just(0u8), Just(101), Just(13), 0u8..128];
    let near = prop_oneof![4 => 0u32..20, 1 => any::<u32>()];
    let payload = prop::collection::vec(any::<u8>(), 0..400);
    (any::<u8>(), payload_type, near.clone(), near, 6u32..8, payload).prop_map(
        |(first, payload_type, sequence, step, ssrc, payload)| {
            let mut bytes = rtp(payload_type, false, sequence as u16, step.wrapping_mul(160), ssrc, &payload);
            if first < 32 {
                // Sometimes with padding, extension and contributing sources that may not be there.
                bytes[0] = 0x80 | first;
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn raw_bytes_never_panic(
        datagrams in prop::collection::vec((1u64..3, any::<bool>(), prop::collection::vec(any::<u8>(), 0..300)), 1..40),
    ) {
        let mut rig = busy();
        for (leg, control, bytes) in &datagrams {
            if *control {
                rig.give(MediaInput::Rtcp { leg: LegId(*leg), from: peer(*leg), bytes });
            } else {
                rig.hear(*leg, bytes);
            }
            rig.wait(5);
        }
        still_works(&mut rig);
    }

    #[test]
    fn wild_packets_never_panic(
        packets in prop::collection::vec((1u64..3, packet(), 0u64..1500), 1..60),
    ) {
        let mut rig = busy();
        for (leg, bytes, wait) in &packets {
            rig.hear(*leg, bytes);
            if *wait < 600 {
                rig.wait(*wait);
            } else {
                rig.stall(*wait * 5);
            }
        }
        still_works(&mut rig);
    }
}
