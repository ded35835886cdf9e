//! Keys that we press on a leg (RFC 4733 §2.5): marker, growing duration, three ends, and the sound around them.

use crate::codec::Codec;
use crate::ids::LegId;
use crate::key::Key;
use crate::media::command::MediaCommand;
use crate::media::rig::{Rig, Sent, format, peer, rtp};
use std::time::Duration;

fn press(rig: &mut Rig, key: char, millis: u64) {
    let key = Key::from_char(key).unwrap();
    rig.order(MediaCommand::SendKey { leg: LegId(2), key, length: Duration::from_millis(millis) });
}

fn bridged() -> Rig {
    let mut rig = Rig::started(2);
    rig.order(MediaCommand::Bridge { a: LegId(1), b: LegId(2) });
    rig
}

/// Event, end bit and duration of each packet.
fn events(sent: &[Sent]) -> Vec<(u8, bool, u16)> {
    let events = sent.iter().filter(|sent| sent.payload_type == 101);
    let read = |sent: &Sent| {
        let [code, flags, high, low] = sent.payload[..] else { panic!("{sent:?}") };
        (code, flags & 0x80 != 0, u16::from_be_bytes([high, low]))
    };
    events.map(read).collect()
}

#[test]
fn a_key_grows_by_160_each_20_ms_and_ends_three_times() {
    let mut rig = bridged();
    let began = rig.now;
    press(&mut rig, '5', 80);
    rig.wait(500);
    let sent = rig.take_sent();
    let expected = [(160, false), (320, false), (480, false), (640, true), (640, true), (640, true)];
    assert_eq!(events(&sent), expected.map(|(duration, end)| (5, end, duration)));
    let times: Vec<u128> = sent.iter().map(|sent| (sent.at - began).as_millis()).collect();
    assert_eq!(times, [0, 20, 40, 60, 80, 100]);
    assert_eq!(sent.iter().map(|sent| sent.marker).collect::<Vec<_>>(), [true, false, false, false, false, false]);
    assert!(sent.iter().all(|sent| (sent.leg, sent.to) == (LegId(2), peer(2))));
    assert!(sent.windows(2).all(|pair| pair[1].timestamp == pair[0].timestamp), "one key, one timestamp");
    assert!(sent.windows(2).all(|pair| pair[1].sequence == pair[0].sequence.wrapping_add(1)));
}

#[test]
fn keys_come_one_after_the_other_and_the_same_one_twice_is_two() {
    let mut rig = bridged();
    press(&mut rig, '7', 80);
    press(&mut rig, '7', 80);
    rig.wait(1000);
    let mut starts: Vec<u32> = rig.take_sent().iter().map(|sent| sent.timestamp).collect();
    starts.dedup();
    assert_eq!(starts.len(), 2);
    assert!(starts[1].wrapping_sub(starts[0]) > 640, "the second begins after the first");
}

#[test]
fn sound_stops_for_the_key_and_goes_on_behind_it_without_a_gap_in_the_numbers() {
    let mut rig = bridged();
    for step in 0..20u16 {
        rig.hear(1, &rtp(0, false, 100 + step, 5000 + u32::from(step) * 160, 7, &[3; 160]));
        if step == 5 {
            press(&mut rig, '0', 80);
        }
        rig.wait(20);
    }
    let sent = rig.take_sent();
    assert!(sent.windows(2).all(|pair| pair[1].sequence == pair[0].sequence.wrapping_add(1)));
    let kinds: String = sent.iter().map(|sent| if sent.payload_type == 101 { 'k' } else { 's' }).collect();
    assert_eq!(kinds.trim_matches('s'), "kkkkkk", "{kinds}");
    assert!(kinds.starts_with("ssssss") && kinds.ends_with("ssssss"), "{kinds}");
    assert!(sent.windows(2).all(|pair| (pair[1].timestamp.wrapping_sub(pair[0].timestamp) as i32) >= 0));
}

#[test]
fn who_takes_no_events_gets_none_and_nobody_gets_the_rest_of_a_parted_one() {
    let mut rig = bridged();
    let mut other = format(Codec::Pcmu, peer(2));
    other.telephone_event = None;
    rig.start(2, other);
    press(&mut rig, '5', 80);
    rig.wait(500);
    assert!(rig.take_sent().is_empty());
    rig.start(2, format(Codec::Pcmu, peer(2)));
    press(&mut rig, '5', 400);
    rig.wait(40);
    rig.order(MediaCommand::Unbridge { a: LegId(1), b: LegId(2) });
    assert!(!rig.take_sent().is_empty());
    rig.wait(500);
    assert!(rig.sent.is_empty());
}

#[test]
fn after_a_key_that_is_broken_off_no_number_comes_again() {
    let mut rig = bridged();
    let sound = |index: u16| rtp(0, false, 100 + index, 5000 + u32::from(index) * 160, 7, &[3; 160]);
    rig.hear(1, &sound(0));
    press(&mut rig, '5', 400);
    rig.wait(50);
    // A re-INVITE in the middle of it: events are not wanted any more.
    let mut other = format(Codec::Pcmu, peer(2));
    other.telephone_event = None;
    rig.start(2, other);
    rig.wait(10);
    rig.hear(1, &sound(1));
    let numbers: Vec<u16> = rig.take_sent().iter().map(|sent| sent.sequence).collect();
    assert_eq!(numbers.len(), 5, "a frame, three packets of the key, a frame");
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "{numbers:?}");
}
