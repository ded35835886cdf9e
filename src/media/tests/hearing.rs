//! Receiving: what counts as heard, whom the leg listens to, and when it calls a peer silent.
//!
//! The latch's own rules are tested in `latch`; here it is seen what they do to a leg.

use crate::codec::{Codec, Direction};
use crate::ids::LegId;
use crate::key::Key;
use crate::media::command::{MediaCommand, MediaEvent};
use crate::media::rig::{Rig, format, peer, prompt, rtp};
use std::time::Duration;

fn audio(sequence: u16) -> Vec<u8> {
    rtp(0, false, sequence, u32::from(sequence) * 160, 7, &[1; 160])
}

fn refused(rig: &mut Rig) -> u64 {
    rig.order(MediaCommand::Close { leg: LegId(1) });
    match rig.events.pop() {
        Some(MediaEvent::Closed { counts, .. }) => counts.packets_refused,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_packet_is_told_once_and_sent_back_to() {
    let mut rig = Rig::started(1);
    rig.hear_from(1, peer(77), &audio(1));
    rig.hear_from(1, peer(77), &audio(2));
    assert_eq!(rig.take_events(), [MediaEvent::FirstPacket { leg: LegId(1) }]);
    rig.play(1, 1, vec![prompt(1, 1, None)], false);
    assert_eq!(rig.sent[0].to, peer(77));
}

#[test]
fn a_stranger_hears_nothing_and_presses_nothing() {
    let mut rig = Rig::started(2);
    rig.order(MediaCommand::Bridge { a: LegId(1), b: LegId(2) });
    rig.hear(1, &audio(1));
    rig.take_events();
    rig.take_sent();
    for sequence in 2..100 {
        rig.hear(1, &audio(sequence));
        rig.hear_from(1, peer(66), &rtp(101, true, sequence, 5, 9, &[0, 10, 0, 160]));
        rig.hear_from(1, peer(66), &audio(sequence));
        rig.wait(20);
    }
    assert!(rig.take_events().is_empty());
    assert_eq!(rig.sent.len(), 98);
    assert_eq!(refused(&mut rig), 196);
}

#[test]
fn junk_and_payload_types_that_were_not_agreed_are_counted_and_not_heard() {
    let mut rig = Rig::started(1);
    rig.hear(1, &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    rig.hear(1, &[22, 254, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    rig.hear(1, b"hello");
    rig.hear(1, &rtp(8, false, 1, 0, 7, &[1; 160]));
    rig.hear(1, &rtp(0, false, 1, 0, 7, &[]));
    rig.hear(1, &rtp(101, false, 1, 0, 7, &[0, 0, 0]));
    rig.hear(1, &rtp(13, false, 1, 0, 7, &[0]));
    assert!(rig.events.is_empty());
    assert_eq!(refused(&mut rig), 7);
}

#[test]
fn keys_and_packets_before_the_format_count_when_it_is_known() {
    let mut rig = Rig::new();
    rig.order(MediaCommand::Open { leg: LegId(1) });
    for sequence in 1..=300 {
        rig.hear(1, &rtp(0, false, sequence, u32::from(sequence) * 80, 7, &[1; 80]));
    }
    rig.hear(1, &rtp(101, true, 301, 48_160, 7, &[0, 10, 0, 160]));
    rig.take_events();
    rig.start(1, format(Codec::Pcmu, peer(1)));
    let key = MediaEvent::Key { leg: LegId(1), key: Key::HUMAN };
    assert_eq!(
        rig.take_events(),
        [MediaEvent::FirstPacket { leg: LegId(1) }, key],
        "though a second of audio came first"
    );
    rig.order(MediaCommand::Close { leg: LegId(1) });
    let Some(MediaEvent::Closed { counts, .. }) = rig.events.pop() else { panic!() };
    assert!((40..=51).contains(&(counts.packets_received)), "bounded: {}", counts.packets_received);
}

#[test]
fn silence_is_told_once_and_again_after_the_peer_spoke_and_stopped_again() {
    let mut rig = Rig::started(1);
    rig.wait(60_000);
    assert!(rig.events.is_empty(), "it never spoke");
    let silences = |rig: &mut Rig| {
        let now = rig.now;
        rig.wait(60_000);
        let silent = MediaEvent::Silent { leg: LegId(1), quiet: Duration::from_secs(10) };
        (rig.take_events() == [silent], now)
    };
    rig.hear(1, &audio(1));
    rig.wait(9_000);
    rig.hear(1, &audio(2));
    rig.wait(9_999);
    assert_eq!(rig.take_events(), [MediaEvent::FirstPacket { leg: LegId(1) }]);
    rig.hear(1, &audio(3));
    assert!(silences(&mut rig).0);
    rig.hear(1, &audio(4));
    assert!(silences(&mut rig).0);
}

#[test]
fn comfort_noise_is_a_sign_of_life_without_sound() {
    let mut rig = Rig::started(2);
    rig.order(MediaCommand::Bridge { a: LegId(1), b: LegId(2) });
    rig.hear(1, &audio(1));
    rig.take_sent();
    for sequence in 2..10 {
        rig.wait(9_000);
        rig.hear(1, &rtp(13, false, sequence, 0, 7, &[40]));
    }
    assert_eq!(rig.events, [MediaEvent::FirstPacket { leg: LegId(1) }]);
    assert!(rig.sent.is_empty());
    assert_eq!(refused(&mut rig), 0);
}

#[test]
fn a_peer_on_hold_is_not_silent_and_its_time_counts_from_the_end_of_the_hold() {
    // The last is the old form: its null address says where nothing may be sent, and not that nothing comes.
    for (held, remote) in [
        (Direction::SendOnly, Some(peer(1))),
        (Direction::Inactive, Some(peer(1))),
        (Direction::ReceiveOnly, None),
        (Direction::ReceiveOnly, Some(peer(1))),
        (Direction::SendReceive, None),
    ] {
        let mut rig = Rig::started(1);
        rig.hear(1, &audio(1));
        let mut on_hold = format(Codec::Pcmu, peer(1));
        (on_hold.direction, on_hold.remote) = (held, remote);
        rig.start(1, on_hold);
        rig.take_events();
        rig.wait(60_000);
        assert!(rig.events.is_empty(), "{held:?}");
        rig.start(1, format(Codec::Pcmu, peer(1)));
        rig.wait(9_999);
        assert!(rig.events.is_empty());
        rig.wait(1);
        assert!(matches!(rig.events[..], [MediaEvent::Silent { .. }]));
    }
}

#[test]
fn a_key_counts_even_from_a_peer_that_said_it_would_send_nothing() {
    let mut rig = Rig::started(1);
    let mut on_hold = format(Codec::Pcmu, peer(1));
    on_hold.direction = Direction::SendOnly;
    rig.start(1, on_hold);
    rig.hear(1, &rtp(101, true, 1, 0, 7, &[0, 10, 0, 160]));
    assert_eq!(rig.events.pop(), Some(MediaEvent::Key { leg: LegId(1), key: Key::HUMAN }));
}
