//! Keys (RFC 4733): first packet, held, ended, each press once; the awkward orders one by one.
//!
//! The general law under loss, repeats and reordering is in `keys_model`.

use crate::ids::LegId;
use crate::key::Key;
use crate::media::command::MediaEvent;
use crate::media::rig::{Rig, rtp};
use std::time::Duration;

const LEG: LegId = LegId(1);

fn event(sequence: u16, timestamp: u32, code: u8, end: bool, duration: u16) -> Vec<u8> {
    let [high, low] = duration.to_be_bytes();
    rtp(101, false, sequence, timestamp, 7, &[code, if end { 0x8a } else { 10 }, high, low])
}

fn pressed(code: u8) -> MediaEvent {
    MediaEvent::Key { leg: LEG, key: Key::from_event(code).unwrap() }
}

fn held(code: u8) -> MediaEvent {
    MediaEvent::KeyHeld { leg: LEG, key: Key::from_event(code).unwrap() }
}

fn ended(code: u8, millis: u64) -> MediaEvent {
    MediaEvent::KeyEnded { leg: LEG, key: Key::from_event(code).unwrap(), held: Duration::from_millis(millis) }
}

/// A leg whose peer has already been heard.
fn rig() -> Rig {
    let mut rig = Rig::started(1);
    rig.hear(1, &rtp(0, false, 0, 0, 7, &[1; 160]));
    rig.take_events();
    rig
}

#[test]
fn a_key_is_told_on_its_first_packet_and_ends_with_its_first_end_packet() {
    let mut rig = rig();
    rig.hear(1, &event(1, 1000, 5, false, 160));
    assert_eq!(rig.take_events(), [pressed(5)]);
    rig.hear(1, &event(2, 1000, 5, false, 320));
    assert!(rig.events.is_empty());
    for sequence in 3..6 {
        rig.hear(1, &event(sequence, 1000, 5, true, 480));
    }
    rig.wait(1000);
    assert_eq!(rig.take_events(), [ended(5, 60)]);
}

#[test]
fn a_key_of_which_only_an_end_packet_came_is_a_key() {
    let mut rig = rig();
    rig.hear(1, &event(5, 1000, 0, true, 800));
    rig.hear(1, &event(6, 1000, 0, true, 800));
    assert_eq!(rig.take_events(), [pressed(0), ended(0, 100)]);
}

#[test]
fn without_end_packets_a_key_ends_after_its_last_packet() {
    let mut rig = rig();
    rig.hear(1, &event(1, 1000, 5, false, 160));
    rig.wait(119);
    assert_eq!(rig.take_events(), [pressed(5)]);
    rig.wait(1);
    assert_eq!(rig.take_events(), [ended(5, 20)]);
    rig.hear(1, &event(4, 1000, 5, true, 640));
    assert!(rig.take_events().is_empty(), "its end came after all");
}

#[test]
fn a_new_key_ends_one_whose_end_was_lost() {
    let mut rig = rig();
    rig.hear(1, &event(1, 1000, 5, false, 160));
    rig.hear(1, &event(5, 1960, 5, false, 160));
    rig.hear(1, &event(9, 2920, 6, false, 160));
    assert_eq!(rig.take_events(), [pressed(5), ended(5, 20), pressed(5), ended(5, 20), pressed(6)]);
}

#[test]
fn late_packets_of_a_former_key_are_not_a_key() {
    let mut rig = rig();
    rig.hear(1, &event(1, 1000, 5, false, 160));
    rig.hear(1, &event(6, 1960, 6, false, 160));
    rig.hear(1, &event(3, 1000, 5, true, 480));
    rig.hear(1, &event(7, 1960, 6, true, 320));
    rig.hear(1, &event(4, 1000, 5, true, 480));
    assert_eq!(rig.take_events(), [pressed(5), ended(5, 20), pressed(6), ended(6, 40)]);
}

#[test]
fn a_key_that_comes_altogether_late_is_told_and_disturbs_no_other() {
    let mut rig = rig();
    rig.hear(1, &event(6, 1960, 6, false, 160));
    rig.hear(1, &event(3, 1000, 5, true, 480));
    rig.hear(1, &event(7, 1960, 6, true, 320));
    assert_eq!(rig.take_events(), [pressed(6), pressed(5), ended(5, 60), ended(6, 40)]);
}

#[test]
fn a_hold_is_told_at_800_ms_and_once() {
    let mut rig = rig();
    for step in 1..=60u16 {
        rig.hear(1, &event(step, 1000, 0, false, step * 160));
        let expected = match step {
            1 => vec![pressed(0)],
            40 => vec![held(0)],
            _ => vec![],
        };
        assert_eq!(rig.take_events(), expected, "{} ms", step * 20);
        rig.wait(20);
    }
    rig.hear(1, &event(61, 1000, 0, true, 61 * 160));
    assert_eq!(rig.take_events(), [ended(0, 1220)]);
}

#[test]
fn a_hold_over_the_longest_duration_is_one_key() {
    let mut rig = rig();
    let mut sequence = 0;
    for segment in 0..3u32 {
        for step in (1..=409u16).step_by(2) {
            sequence += 1;
            rig.hear(1, &event(sequence, 1000 + segment * 65_535, 0, false, step * 160));
            rig.wait(40);
        }
    }
    rig.hear(1, &event(sequence + 1, 1000 + 3 * 65_535, 0, true, 800));
    let total = (3 * 65_535 + 800) as u64 * 1000 / 8;
    let end = MediaEvent::KeyEnded { leg: LEG, key: Key::HUMAN, held: Duration::from_micros(total) };
    assert_eq!(rig.take_events(), [pressed(0), held(0), end]);
}

#[test]
fn a_hold_joined_over_a_segment_border_counts_the_whole() {
    let mut rig = rig();
    // Short of 800 ms only in its second segment: the first one's packets but the first are lost.
    rig.hear(1, &event(1, 0, 0, false, 62_000));
    rig.hear(1, &event(3, 65_535, 0, false, 160));
    rig.hear(1, &event(2, 0, 0, false, 65_535));
    assert_eq!(rig.take_events(), [pressed(0), held(0)]);
}

#[test]
fn a_hold_with_a_gap_of_lost_packets_is_still_a_hold() {
    let mut rig = rig();
    rig.hear(1, &event(1, 1000, 0, false, 160));
    rig.wait(300);
    assert_eq!(rig.take_events(), [pressed(0), ended(0, 20)]);
    rig.hear(1, &event(16, 1000, 0, false, 2560));
    rig.wait(100);
    rig.hear(1, &event(40, 1000, 0, false, 6400));
    rig.hear(1, &event(41, 1000, 0, true, 6560));
    assert_eq!(rig.take_events(), [held(0), ended(0, 820)]);
}

#[test]
fn two_quick_presses_of_one_key_are_two() {
    let mut rig = rig();
    rig.hear(1, &event(1, 1000, 0, true, 320));
    rig.hear(1, &event(2, 1320, 0, true, 320));
    assert_eq!(rig.take_events(), [pressed(0), ended(0, 40), pressed(0), ended(0, 40)]);
}

#[test]
fn events_that_are_no_keys_are_ignored_and_two_in_one_packet_are_two() {
    let mut rig = rig();
    rig.hear(1, &event(1, 1000, 16, true, 320));
    rig.hear(1, &event(2, 1400, 255, false, 320));
    assert!(rig.take_events().is_empty());
    rig.hear(1, &rtp(101, true, 3, 2000, 7, &[1, 0x80, 1, 0, 2, 0, 0, 160]));
    rig.hear(1, &event(4, 2256, 2, true, 320));
    assert_eq!(rig.take_events(), [pressed(1), ended(1, 32), pressed(2), ended(2, 40)]);
}

#[test]
fn another_source_may_use_the_same_timestamps_again() {
    let mut rig = rig();
    rig.hear(1, &event(1, 1000, 5, false, 160));
    rig.wait(600);
    assert_eq!(rig.take_events(), [pressed(5), ended(5, 20)]);
    rig.hear(1, &rtp(0, false, 9, 840, 8, &[1; 160]));
    rig.hear(1, &rtp(101, true, 10, 1000, 8, &[5, 10, 0, 160]));
    assert_eq!(rig.take_events(), [pressed(5)]);
}

#[test]
fn keys_count_when_the_numbers_begin_anew() {
    let mut rig = rig();
    rig.hear(1, &event(9000, 1000, 5, false, 160));
    rig.hear(1, &event(3, 90_000, 0, false, 160));
    rig.hear(1, &event(4, 90_000, 0, false, 6400));
    assert_eq!(rig.take_events(), [pressed(5), ended(5, 20), pressed(0), held(0)]);
}
