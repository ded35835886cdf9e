//! Recordings: who is heard on which side, what is cut off, and how they end.
//!
//! A file is the shell's; here it is the samples that are wished to be written.

use crate::codec::{Codec, FRAME_SAMPLES};
use crate::ids::LegId;
use crate::media::command::{MediaCommand, MediaEvent, RecordChannels};
use crate::media::rig::{Rig, format, peer, rtp};
use crate::media::{MediaInput, MediaOutput};
use std::path::PathBuf;
use std::time::Duration;

/// mu-law for 32124 and for 8.
const LOUD: u8 = 0x80;
const FAINT: u8 = 0xfe;

fn record(rig: &mut Rig, channels: RecordChannels, silence: Option<Duration>) {
    let file = PathBuf::from("m.wav");
    rig.order(MediaCommand::Record { leg: LegId(1), file, channels, silence });
}

fn stop(rig: &mut Rig, cut_ms: u64) {
    rig.order(MediaCommand::StopRecord { leg: LegId(1), cut_tail: Duration::from_millis(cut_ms) });
}

fn audio(index: u32, fill: u8) -> Vec<u8> {
    rtp(0, false, index as u16, index * 160, 7, &[fill; 160])
}

/// Speaks for so many frames from `index` on.
fn speak(rig: &mut Rig, leg: u64, index: u32, frames: u32, fill: u8) {
    for frame in index..index + frames {
        rig.hear(leg, &audio(frame, fill));
        rig.wait(20);
    }
}

/// All samples written.
fn samples(rig: &Rig) -> Vec<i16> {
    let blocks = rig.other.iter().filter_map(|wish| match wish {
        MediaOutput::RecordSamples { samples, .. } => Some(samples.clone()),
        _ => None,
    });
    blocks.flatten().collect()
}

/// Which 20 ms frames of one channel have sound.
fn frames(samples: &[i16]) -> String {
    let mark = |frame: &[i16]| if frame.iter().any(|sample| sample.abs() > 100) { '#' } else { '.' };
    samples.chunks(FRAME_SAMPLES).map(mark).collect()
}

fn channel(samples: &[i16], which: usize) -> Vec<i16> {
    samples.iter().skip(which).step_by(2).copied().collect()
}

#[test]
fn what_came_before_the_recording_and_before_the_format_is_not_in_it() {
    let mut rig = Rig::new();
    rig.order(MediaCommand::Open { leg: LegId(1) });
    speak(&mut rig, 1, 0, 15, LOUD);
    record(&mut rig, RecordChannels::One, None);
    speak(&mut rig, 1, 15, 2, LOUD);
    rig.start(1, format(Codec::Pcmu, peer(1)));
    rig.wait(60);
    stop(&mut rig, 0);
    assert_eq!(frames(&samples(&rig)), "##...");
}

#[test]
fn one_channel_holds_what_the_leg_said_with_what_was_lost_as_silence() {
    let mut rig = Rig::started(1);
    record(&mut rig, RecordChannels::One, None);
    for index in [0, 2, 1, 1, 5] {
        rig.hear(1, &audio(index, LOUD));
    }
    rig.wait(160);
    stop(&mut rig, 0);
    let written = samples(&rig);
    assert_eq!(frames(&written), "###..#..");
    assert_eq!(written[0], 32_124);
    rig.give(MediaInput::RecordClosed { leg: LegId(1) });
    let (file, length) = (PathBuf::from("m.wav"), Duration::from_millis(160));
    assert_eq!(rig.events.pop(), Some(MediaEvent::Recorded { leg: LegId(1), file, length }));
    rig.give(MediaInput::RecordClosed { leg: LegId(1) });
    assert_eq!(rig.events.len(), 1, "told once (and the first packet)");
}

#[test]
fn two_channels_hold_the_leg_left_and_its_bridge_partner_right() {
    let mut rig = Rig::started(3);
    record(&mut rig, RecordChannels::Two, None);
    speak(&mut rig, 1, 0, 2, LOUD);
    speak(&mut rig, 2, 0, 2, LOUD);
    rig.order(MediaCommand::Bridge { a: LegId(1), b: LegId(2) });
    speak(&mut rig, 2, 2, 2, LOUD);
    speak(&mut rig, 3, 0, 1, LOUD);
    speak(&mut rig, 1, 7, 1, LOUD);
    stop(&mut rig, 0);
    let written = samples(&rig);
    assert_eq!(frames(&channel(&written, 0)), "##.....#");
    assert_eq!(frames(&channel(&written, 1)), "....##..");
}

#[test]
fn blocks_come_out_about_every_second_and_the_tail_is_cut_over_their_border() {
    let mut rig = Rig::started(1);
    record(&mut rig, RecordChannels::One, None);
    speak(&mut rig, 1, 0, 110, LOUD);
    assert_eq!(samples(&rig).len(), 8000, "one second written, 1.2 s held back");
    stop(&mut rig, 500);
    assert_eq!(samples(&rig).len(), 85 * FRAME_SAMPLES);
    assert_eq!(frames(&samples(&rig)), "#".repeat(85));
}

#[test]
fn blocks_come_out_without_any_packet() {
    let mut rig = Rig::started(1);
    record(&mut rig, RecordChannels::Two, None);
    rig.wait(10_000);
    assert_eq!(samples(&rig).len(), 2 * 9 * 8000);
    rig.stall(60_000);
    assert_eq!(samples(&rig).len(), 2 * 69 * 8000);
}

#[test]
fn a_tail_longer_than_the_recording_leaves_nothing_and_no_panic() {
    let mut rig = Rig::started(1);
    record(&mut rig, RecordChannels::One, None);
    rig.wait(100);
    stop(&mut rig, 5000);
    assert!(samples(&rig).is_empty());
    assert!(matches!(rig.other.last(), Some(MediaOutput::RecordClose { .. })));
}

#[test]
fn the_sound_of_a_key_is_not_kept() {
    let mut rig = Rig::started(1);
    record(&mut rig, RecordChannels::One, None);
    speak(&mut rig, 1, 0, 3, LOUD);
    // The phone goes on sending audio, with the tone in it, beside the key.
    for step in 0..200u16 {
        let [high, low] = ((step + 1) * 160).to_be_bytes();
        rig.hear(1, &audio(3 + u32::from(step), LOUD));
        rig.hear(1, &rtp(101, step == 0, 3 + step, 480, 7, &[0, 10, high, low]));
        rig.wait(20);
    }
    speak(&mut rig, 1, 203, 2, LOUD);
    stop(&mut rig, 0);
    assert_eq!(frames(&samples(&rig)), format!("###{}##", ".".repeat(200)));
}

#[test]
fn silence_ends_it_and_faint_noise_is_silence() {
    let mut rig = Rig::started(1);
    record(&mut rig, RecordChannels::One, Some(Duration::from_secs(3)));
    speak(&mut rig, 1, 0, 100, LOUD);
    speak(&mut rig, 1, 100, 148, FAINT);
    assert!(!rig.other.iter().any(|wish| matches!(wish, MediaOutput::RecordClose { .. })));
    speak(&mut rig, 1, 248, 2, FAINT);
    assert!(matches!(rig.other.last(), Some(MediaOutput::RecordClose { .. })));
    assert!((2000..=5000).contains(&(samples(&rig).len() / 8)));
}

#[test]
fn nobody_speaking_at_all_ends_it_too() {
    let mut rig = Rig::started(1);
    record(&mut rig, RecordChannels::One, Some(Duration::from_secs(3)));
    rig.wait(2999);
    assert!(!rig.other.iter().any(|wish| matches!(wish, MediaOutput::RecordClose { .. })));
    rig.wait(1);
    assert!(matches!(rig.other.last(), Some(MediaOutput::RecordClose { .. })));
    assert_eq!(samples(&rig).len(), 24_000);
}

#[test]
fn a_failed_file_ends_the_recording_and_nothing_else() {
    let mut rig = Rig::started(1);
    record(&mut rig, RecordChannels::One, None);
    let (leg, reason) = (LegId(1), "no space left".to_string());
    rig.give(MediaInput::RecordFailed { leg, reason: reason.clone() });
    assert_eq!(rig.take_events(), [MediaEvent::RecordFailed { leg, reason }]);
    rig.wait(5000);
    stop(&mut rig, 0);
    assert!(samples(&rig).is_empty());
    rig.hear(1, &audio(1, LOUD));
    assert_eq!(rig.take_events(), [MediaEvent::FirstPacket { leg }]);
}

#[test]
fn closing_the_leg_keeps_what_was_recorded_and_tells_it_afterwards() {
    let mut rig = Rig::started(1);
    record(&mut rig, RecordChannels::One, None);
    speak(&mut rig, 1, 0, 5, LOUD);
    rig.order(MediaCommand::Close { leg: LegId(1) });
    assert_eq!(frames(&samples(&rig)), "#####");
    rig.take_events();
    rig.give(MediaInput::RecordClosed { leg: LegId(1) });
    assert!(matches!(rig.events[..], [MediaEvent::Recorded { leg: LegId(1), .. }]));
}

#[test]
fn a_second_recording_follows_the_first() {
    let mut rig = Rig::started(1);
    record(&mut rig, RecordChannels::One, None);
    rig.wait(100);
    record(&mut rig, RecordChannels::One, None);
    rig.wait(40);
    stop(&mut rig, 0);
    rig.give(MediaInput::RecordClosed { leg: LegId(1) });
    rig.give(MediaInput::RecordClosed { leg: LegId(1) });
    let lengths: Vec<u128> = rig
        .events
        .iter()
        .map(|event| match event {
            MediaEvent::Recorded { length, .. } => length.as_millis(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lengths, [100, 40]);
}
