//! Playing: the first frame at once, then one every 20 ms; stalls, holds, pauses and changes of codec.
//!
//! What the receiver hears is judged by sequence, timestamp and marker (RFC 3550 §5.1, RFC 3551 §4.1).

use crate::codec::{Codec, Direction};
use crate::ids::{LegId, PlayId};
use crate::media::command::{MediaCommand, MediaEvent};
use crate::media::rig::{Rig, Sent, format, peer, prompt};
use crate::time::Time;
use std::time::Duration;

fn firsts(sent: &[Sent]) -> Vec<u8> {
    sent.iter().map(|packet| packet.payload[0]).collect()
}

fn ms(rig: &Rig, sent: &Sent) -> i64 {
    sent.at.as_micros() as i64 / 1000 - rig.now.as_micros() as i64 / 1000
}

fn counts(rig: &mut Rig) -> crate::codec::StreamCounts {
    rig.order(MediaCommand::Close { leg: LegId(1) });
    match rig.events.pop() {
        Some(MediaEvent::Closed { counts, .. }) => counts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_frame_leaves_at_once_and_the_others_every_twenty_ms() {
    let mut rig = Rig::started(1);
    rig.now = Time::from_micros(5_003_700);
    rig.play(1, 7, vec![prompt(10, 3, None)], false);
    assert_eq!(firsts(&rig.sent), [10]);
    rig.wait(59);
    assert!(rig.events.is_empty(), "the last frame has not been heard yet");
    rig.wait(1);
    assert_eq!(rig.take_events(), [MediaEvent::PlayDone { leg: LegId(1), play: PlayId(7) }]);
    let sent = rig.take_sent();
    assert_eq!(firsts(&sent), [10, 11, 12]);
    let at: Vec<u64> = sent.iter().map(|packet| packet.at.as_micros()).collect();
    assert_eq!(at, [5_003_700, 5_023_000, 5_043_000]);
    assert_eq!(sent.iter().map(|packet| packet.marker).collect::<Vec<_>>(), [true, false, false]);
    for pair in sent.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160));
        assert_eq!(pair[1].ssrc, pair[0].ssrc);
    }
    assert!(sent.iter().all(|packet| packet.to == peer(1) && packet.payload_type == 0 && packet.payload.len() == 160));
    rig.wait(1000);
    assert!(rig.sent.is_empty(), "an idle leg sends nothing");
}

#[test]
fn many_legs_that_begin_together_are_spread_over_the_phases() {
    let mut rig = Rig::started(10);
    for leg in 1..=10 {
        rig.play(leg, leg, vec![prompt(10, 4, None)], false);
    }
    rig.take_sent();
    rig.wait(100);
    let mut per_ms = std::collections::BTreeMap::new();
    for packet in &rig.sent {
        *per_ms.entry(packet.at).or_insert(0) += 1;
    }
    assert!(per_ms.values().all(|count| *count == 2), "{per_ms:?}");
}

#[test]
fn a_stall_is_heard_as_a_gap_without_a_burst_and_without_losing_a_word() {
    let mut rig = Rig::started(1);
    rig.play(1, 7, vec![prompt(10, 20, None)], false);
    rig.wait(40);
    let before = rig.take_sent().pop().unwrap();
    rig.stall(200);
    let after = rig.take_sent();
    assert_eq!(firsts(&after), [13, 14], "at most two at once, and the prompt goes on where it was");
    assert_eq!(after[1].timestamp.wrapping_sub(before.timestamp), 200 * 8, "time went on for the receiver");
    assert_eq!(after[0].sequence, before.sequence.wrapping_add(1));
    assert!(after[0].marker && !after[1].marker);
    rig.wait(20);
    assert_eq!(firsts(&rig.take_sent()), [15]);
    rig.wait(2000);
    assert_eq!(rig.take_sent().pop().unwrap().payload[0], 29);
    assert_eq!(rig.take_events(), [MediaEvent::PlayDone { leg: LegId(1), play: PlayId(7) }]);
    assert_eq!(counts(&mut rig).packets_late, 2);
}

#[test]
fn a_short_delay_catches_up_and_only_more_than_five_ms_is_late() {
    let mut rig = Rig::started(1);
    rig.play(1, 7, vec![prompt(10, 20, None)], false);
    rig.stall(25);
    rig.stall(21);
    assert_eq!(rig.sent.len(), 3);
    assert!(!rig.sent[2].marker);
    assert_eq!(rig.sent[2].timestamp.wrapping_sub(rig.sent[0].timestamp), 320);
    rig.stall(34);
    assert_eq!(rig.sent.len(), 5);
    assert_eq!(counts(&mut rig).packets_late, 2, "46 for 40 and 80 for 60 ms");
}

#[test]
fn a_play_replaces_the_one_before_without_its_end_being_told_and_in_rhythm() {
    let mut rig = Rig::started(1);
    rig.play(1, 7, vec![prompt(10, 9, None)], false);
    rig.wait(50);
    rig.play(1, 8, vec![prompt(50, 1, None)], false);
    rig.wait(100);
    assert_eq!(firsts(&rig.sent), [10, 11, 12, 50]);
    assert_eq!(rig.events, [MediaEvent::PlayDone { leg: LegId(1), play: PlayId(8) }]);
    assert_eq!(rig.sent[3].at - rig.sent[2].at, Duration::from_millis(20));
}

#[test]
fn after_a_stop_there_is_no_end_told_and_the_next_play_begins_after_the_silence() {
    let mut rig = Rig::started(1);
    rig.play(1, 7, vec![prompt(10, 9, None)], false);
    rig.wait(20);
    rig.order(MediaCommand::Stop { leg: LegId(1) });
    rig.wait(480);
    assert!(rig.events.is_empty() && rig.sent.len() == 2);
    rig.play(1, 8, vec![prompt(50, 1, None)], false);
    let (last, next) = (&rig.sent[1], &rig.sent[2]);
    assert_eq!(ms(&rig, next), 0);
    assert!(next.marker);
    assert_eq!(next.timestamp.wrapping_sub(last.timestamp), 480 * 8);
    assert_eq!(next.sequence, last.sequence.wrapping_add(1));
}

#[test]
fn the_offer_is_told_when_its_frame_has_been_sent() {
    let mut rig = Rig::started(1);
    let offer = prompt(10, 5, Some(Duration::from_millis(60)));
    rig.play(1, 7, vec![prompt(1, 2, None), offer], false);
    rig.wait(79);
    assert!(rig.events.is_empty());
    rig.wait(1);
    assert_eq!(rig.events, [MediaEvent::OfferHeard { leg: LegId(1), play: PlayId(7) }]);
    assert_eq!(rig.sent.last().unwrap().payload[0], 12);
}

#[test]
fn hold_music_goes_round_and_ends_with_nothing() {
    let mut rig = Rig::started(1);
    rig.play(1, 7, vec![prompt(10, 2, None)], true);
    rig.wait(99);
    assert_eq!(firsts(&rig.sent), [10, 11, 10, 11, 10]);
    assert!(rig.sent[1..].iter().all(|packet| !packet.marker) && rig.events.is_empty());
    rig.play(1, 8, vec![], true);
    rig.wait(20);
    rig.play(1, 9, vec![], false);
    rig.wait(20);
    assert_eq!(rig.events, [MediaEvent::PlayDone { leg: LegId(1), play: PlayId(9) }]);
}

#[test]
fn a_hold_pauses_the_prompt_in_place() {
    for held in [Direction::ReceiveOnly, Direction::Inactive] {
        let mut rig = Rig::started(1);
        rig.play(1, 7, vec![prompt(10, 9, None)], false);
        rig.wait(20);
        let mut on_hold = format(Codec::Pcmu, peer(1));
        on_hold.direction = held;
        rig.start(1, on_hold);
        rig.wait(980);
        assert_eq!(firsts(&rig.take_sent()), [10, 11]);
        rig.start(1, format(Codec::Pcma, peer(1)));
        rig.wait(20);
        let sent = rig.take_sent();
        assert_eq!(firsts(&sent), [112, 113], "resumed in place, in the other law now");
        assert!(sent[0].marker && sent[0].payload_type == 8);
    }
}

#[test]
fn the_old_hold_form_pauses_too() {
    let mut rig = Rig::started(1);
    rig.play(1, 7, vec![prompt(10, 9, None)], false);
    let mut on_hold = format(Codec::Pcmu, peer(1));
    on_hold.remote = None;
    rig.start(1, on_hold);
    rig.wait(500);
    assert_eq!(rig.take_sent().len(), 1);
    rig.start(1, format(Codec::Pcmu, peer(1)));
    assert_eq!(firsts(&rig.sent), [11]);
}

#[test]
fn a_changed_codec_keeps_ssrc_and_numbers_in_the_middle_of_a_prompt() {
    let mut rig = Rig::started(1);
    rig.play(1, 7, vec![prompt(10, 4, None)], false);
    rig.wait(20);
    rig.start(1, format(Codec::Pcma, peer(5)));
    rig.wait(40);
    assert_eq!(firsts(&rig.sent), [10, 11, 112, 113]);
    assert_eq!(rig.sent[2].sequence, rig.sent[1].sequence.wrapping_add(1));
    assert_eq!(rig.sent[2].timestamp, rig.sent[1].timestamp.wrapping_add(160));
    assert_eq!((rig.sent[2].ssrc, rig.sent[2].to), (rig.sent[1].ssrc, peer(5)));
}

#[test]
fn what_is_ordered_before_the_format_is_known_plays_from_the_start_on() {
    let mut rig = Rig::new();
    rig.order(MediaCommand::Open { leg: LegId(1) });
    rig.play(1, 7, vec![prompt(10, 2, None)], false);
    rig.wait(100);
    assert!(rig.sent.is_empty());
    rig.start(1, format(Codec::Pcmu, peer(1)));
    assert_eq!(firsts(&rig.sent), [10]);
}
