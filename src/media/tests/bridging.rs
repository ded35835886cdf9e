//! The bridge: what one side says the other hears, under our own numbers, in its own law, with its keys.
//!
//! Forwarded on arrival; loss and order stay what they were.

use crate::codec::{Codec, Direction};
use crate::ids::LegId;
use crate::key::Key;
use crate::media::command::{MediaCommand, MediaEvent};
use crate::media::g711::translation;
use crate::media::rig::{Rig, Sent, format, peer, prompt, rtp};

fn audio(sequence: u16, timestamp: u32, fill: u8) -> Vec<u8> {
    rtp(0, false, sequence, timestamp, 7, &[fill; 160])
}

fn bridged() -> Rig {
    let mut rig = Rig::started(3);
    rig.order(MediaCommand::Bridge { a: LegId(1), b: LegId(2) });
    rig
}

/// Steps of sequence and timestamp between packets.
fn steps(sent: &[Sent]) -> Vec<(u16, u32)> {
    let step = |pair: &[Sent]| {
        (pair[1].sequence.wrapping_sub(pair[0].sequence), pair[1].timestamp.wrapping_sub(pair[0].timestamp))
    };
    sent.windows(2).map(step).collect()
}

#[test]
fn both_sides_hear_each_other_at_once_and_unchanged() {
    let mut rig = bridged();
    rig.hear(1, &audio(100, 5000, 3));
    rig.hear(2, &audio(900, 70_000, 4));
    let sent = rig.take_sent();
    assert_eq!((sent[0].leg, sent[0].to, &sent[0].payload), (LegId(2), peer(2), &vec![3; 160]));
    assert_eq!((sent[1].leg, sent[1].to, &sent[1].payload), (LegId(1), peer(1), &vec![4; 160]));
    assert!(sent[0].marker && sent[0].ssrc != 7 && sent[0].ssrc != sent[1].ssrc);
    rig.order(MediaCommand::Unbridge { a: LegId(2), b: LegId(1) });
    rig.hear(1, &audio(101, 5160, 3));
    rig.hear(2, &audio(901, 70_160, 3));
    assert!(rig.sent.is_empty());
}

#[test]
fn loss_order_and_spacing_stay_as_they_were() {
    let mut rig = bridged();
    for (sequence, timestamp) in [(65_534, 0), (65_535, 160), (1, 480), (0, 320), (0, 320), (2, 8640)] {
        rig.hear(1, &audio(sequence, timestamp, 3));
    }
    let back = (u16::MAX, 160u32.wrapping_neg());
    assert_eq!(steps(&rig.sent), [(1, 160), (2, 320), back, (0, 0), (2, 8320)]);
}

#[test]
fn a_long_conversation_keeps_flowing() {
    let mut rig = bridged();
    for step in 0..70_000u32 {
        rig.hear(1, &audio(step as u16, step * 160, 3));
        rig.now += std::time::Duration::from_millis(20);
    }
    assert_eq!(rig.sent.len(), 70_000);
    assert!(steps(&rig.sent).iter().all(|step| *step == (1, 160)));
}

#[test]
fn another_source_is_anchored_where_time_is() {
    let mut rig = bridged();
    rig.hear(1, &audio(100, 5000, 3));
    rig.now += std::time::Duration::from_millis(600);
    rig.hear(1, &rtp(0, false, 40_000, 3_000_000_000, 8, &[3; 160]));
    rig.hear(1, &rtp(0, false, 40_001, 3_000_000_160, 8, &[3; 160]));
    rig.hear(1, &rtp(0, false, 40_002, 3_000_000_320, 8, &[3; 160]));
    // The first of the new source is the latch's price.
    assert_eq!(steps(&rig.sent), [(1, 4800), (1, 160)]);
    assert_eq!(rig.sent.iter().map(|packet| packet.marker).collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn another_source_with_numbers_near_the_formers_is_another_source_all_the_same() {
    let mut rig = bridged();
    rig.hear(1, &audio(100, 5000, 3));
    rig.now += std::time::Duration::from_millis(600);
    for (sequence, timestamp) in [(50, 4000), (51, 4160), (52, 4320)] {
        rig.hear(1, &rtp(0, false, sequence, timestamp, 8, &[3; 160]));
    }
    assert_eq!(steps(&rig.sent), [(1, 4800), (1, 160)]);
}

#[test]
fn a_jump_of_the_same_sources_timestamps_is_anchored_anew_too() {
    let mut rig = bridged();
    rig.hear(1, &audio(100, 5000, 3));
    rig.now += std::time::Duration::from_millis(20);
    rig.hear(1, &audio(101, 2_000_000_000, 3));
    assert_eq!(steps(&rig.sent), [(1, 160)]);
}

#[test]
fn the_laws_are_translated_by_table_both_ways() {
    let mut rig = bridged();
    rig.start(2, format(Codec::Pcma, peer(2)));
    let every: Vec<u8> = (0..160).collect();
    rig.hear(1, &rtp(0, false, 1, 0, 7, &every));
    rig.hear(2, &rtp(8, false, 1, 0, 7, &every));
    let table = |from, to| every.iter().map(|byte| translation(from, to).unwrap()[usize::from(*byte)]).collect();
    let sent = rig.take_sent();
    let (a_law, mu_law): (Vec<u8>, Vec<u8>) = (table(Codec::Pcmu, Codec::Pcma), table(Codec::Pcma, Codec::Pcmu));
    assert_eq!((sent[0].payload_type, &sent[0].payload), (8, &a_law));
    assert_eq!((sent[1].payload_type, &sent[1].payload), (0, &mu_law));
}

#[test]
fn keys_pass_with_the_receivers_payload_type_and_are_told_as_well() {
    let mut rig = bridged();
    let mut other = format(Codec::Pcmu, peer(2));
    other.telephone_event = Some(96);
    rig.start(2, other);
    rig.hear(1, &audio(1, 0, 3));
    let begin = [0, 10, 0, 160];
    let end = [0, 0x8a, 1, 64];
    rig.hear(1, &rtp(101, true, 2, 160, 7, &begin));
    rig.hear(1, &rtp(101, false, 3, 160, 7, &end));
    rig.hear(1, &rtp(101, false, 3, 160, 7, &end));
    rig.hear(1, &audio(4, 480, 3));
    assert!(rig.events.contains(&MediaEvent::Key { leg: LegId(1), key: Key::HUMAN }));
    assert_eq!(steps(&rig.sent), [(1, 160), (1, 0), (0, 0), (1, 320)]);
    let shape: Vec<_> = rig.sent[1..4].iter().map(|sent| (sent.payload_type, sent.marker, &sent.payload[..])).collect();
    assert_eq!(shape, [(96, true, &begin[..]), (96, false, &end[..]), (96, false, &end[..])]);
}

#[test]
fn keys_are_left_out_where_the_receiver_takes_none_and_leave_no_gap() {
    let mut rig = bridged();
    let mut other = format(Codec::Pcmu, peer(2));
    other.telephone_event = None;
    rig.start(2, other);
    rig.hear(1, &audio(1, 0, 3));
    rig.hear(1, &rtp(101, true, 2, 160, 7, &[0, 10, 0, 160]));
    rig.hear(1, &rtp(101, true, 3, 160, 7, &[0, 0x8a, 0, 160]));
    rig.hear(1, &audio(4, 320, 3));
    rig.hear(1, &audio(5, 480, 3));
    assert_eq!(steps(&rig.sent), [(1, 320), (1, 160)]);
    assert!(rig.sent.iter().all(|sent| sent.payload_type == 0));
    assert!(rig.events.contains(&MediaEvent::Key { leg: LegId(1), key: Key::HUMAN }));
}

#[test]
fn the_rest_of_a_key_from_before_the_bridge_is_not_for_the_partner() {
    let mut rig = Rig::started(2);
    rig.hear(1, &audio(1, 0, 3));
    rig.hear(1, &rtp(101, true, 2, 160, 7, &[0, 10, 0, 160]));
    rig.order(MediaCommand::Bridge { a: LegId(1), b: LegId(2) });
    rig.hear(1, &rtp(101, false, 3, 160, 7, &[0, 10, 0xff, 0xff]));
    // The hold goes on in a new segment, and ends there.
    let continued = 160 + 0xffff;
    rig.hear(1, &rtp(101, true, 4, continued, 7, &[0, 10, 0, 160]));
    rig.hear(1, &rtp(101, false, 5, continued, 7, &[0, 0x8a, 1, 64]));
    rig.hear(1, &rtp(101, false, 6, continued, 7, &[0, 0x8a, 1, 64]));
    assert!(rig.sent.is_empty(), "she would hear the key that called her");
    rig.hear(1, &audio(7, continued + 320, 3));
    rig.hear(1, &rtp(101, true, 8, continued + 480, 7, &[1, 10, 0, 160]));
    rig.hear(1, &audio(9, continued + 640, 3));
    let sent: Vec<u8> = rig.sent.iter().map(|sent| sent.payload_type).collect();
    assert_eq!(sent, [0, 101, 0], "a key pressed afterwards passes");
}

#[test]
fn longer_frames_than_ours_go_out_as_several() {
    let mut rig = bridged();
    let frame: Vec<u8> = (0..240).collect();
    rig.hear(1, &rtp(0, false, 1, 0, 7, &frame));
    rig.hear(1, &rtp(0, false, 2, 240, 7, &frame));
    let joined: Vec<u8> = rig.sent[..2].iter().flat_map(|sent| sent.payload.clone()).collect();
    assert_eq!(joined, frame);
    assert_eq!(steps(&rig.sent), [(1, 160), (1, 80), (1, 160)]);
    rig.hear(1, &rtp(0, false, 1, 0, 7, &frame));
    assert_eq!(rig.sent.len(), 4, "a repeat has no room of its own");
}

#[test]
fn a_side_on_hold_hears_nothing_and_its_partner_may_hear_music() {
    let mut rig = bridged();
    let mut on_hold = format(Codec::Pcmu, peer(1));
    on_hold.direction = Direction::ReceiveOnly;
    rig.start(1, on_hold);
    rig.hear(2, &audio(1, 0, 3));
    assert!(rig.sent.is_empty(), "the side that does not take media gets none");
    on_hold.direction = Direction::SendOnly;
    rig.start(1, on_hold);
    rig.hear(1, &audio(1, 0, 3));
    assert!(rig.sent.is_empty(), "a side that said it is silent is not heard");
    on_hold.direction = Direction::Inactive;
    rig.start(1, on_hold);
    rig.play(2, 5, vec![prompt(10, 1, None)], true);
    rig.start(1, format(Codec::Pcmu, peer(1)));
    rig.hear(1, &audio(2, 160, 3));
    rig.wait(20);
    let heard: Vec<u8> = rig.take_sent().iter().map(|sent| sent.payload[0]).collect();
    assert_eq!(heard, [10, 10], "music first, until it is stopped");
    rig.order(MediaCommand::Stop { leg: LegId(2) });
    rig.hear(1, &audio(3, 320, 3));
    assert!(rig.sent[0].marker && rig.sent[0].payload[0] == 3);
}

#[test]
fn music_between_does_not_disturb_the_numbers() {
    let mut rig = bridged();
    rig.hear(1, &audio(1, 0, 3));
    rig.play(2, 5, vec![prompt(10, 50, None)], false);
    rig.wait(99);
    rig.order(MediaCommand::Stop { leg: LegId(2) });
    rig.wait(1);
    rig.hear(1, &audio(6, 800, 3));
    rig.hear(1, &audio(7, 960, 3));
    assert!(steps(&rig.sent).iter().all(|step| *step == (1, 160)), "{:?}", steps(&rig.sent));
}

#[test]
fn a_new_bridge_parts_the_old_one_and_stops_what_plays() {
    let mut rig = bridged();
    rig.play(3, 5, vec![prompt(10, 1, None)], true);
    rig.take_sent();
    rig.order(MediaCommand::Bridge { a: LegId(1), b: LegId(3) });
    rig.wait(100);
    assert!(rig.sent.is_empty(), "the music has stopped");
    rig.hear(1, &audio(1, 0, 3));
    rig.hear(2, &audio(1, 0, 4));
    let heard: Vec<LegId> = rig.take_sent().iter().map(|sent| sent.leg).collect();
    assert_eq!(heard, [LegId(3)]);
    rig.order(MediaCommand::Unbridge { a: LegId(1), b: LegId(2) });
    rig.order(MediaCommand::Close { leg: LegId(3) });
    rig.hear(1, &audio(2, 160, 3));
    assert!(rig.sent.is_empty());
}
