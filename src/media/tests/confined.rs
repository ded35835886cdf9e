//! What goes to an address that nothing has come from: so much, and no more, until RTP comes.
//!
//! (No amplification: a caller's SDP may name anybody.)

use crate::codec::Codec;
use crate::ids::{LegId, PlayId};
use crate::media::MediaOutput;
use crate::media::allowance::PACKETS_MAX;
use crate::media::command::{MediaCommand, MediaEvent};
use crate::media::rig::{Rig, format, peer, prompt, rtp};
use std::time::Duration;

/// A leg whose peer's address has proved nothing.
fn confined() -> Rig {
    let mut rig = Rig::new();
    rig.order(MediaCommand::Open { leg: LegId(1) });
    rig.order(MediaCommand::Confine { leg: LegId(1), confined: true });
    rig.start(1, format(Codec::Pcmu, peer(1)));
    rig.take_events();
    rig
}

fn speak(rig: &mut Rig, sequence: u16) {
    rig.hear(1, &rtp(0, false, sequence, u32::from(sequence) * 160, 7, &[1; 160]));
}

#[test]
fn a_silent_third_party_gets_three_seconds_and_the_prompt_takes_its_course() {
    let mut rig = confined();
    rig.play(1, 1, vec![prompt(0, 400, Some(Duration::from_secs(7)))], false);
    rig.wait(20_000);
    assert_eq!(rig.take_sent().len() as u32, PACKETS_MAX - reports(&rig));
    let events = rig.take_events();
    assert!(events.contains(&MediaEvent::OfferHeard { leg: LegId(1), play: PlayId(1) }), "{events:?}");
    assert!(events.contains(&MediaEvent::PlayDone { leg: LegId(1), play: PlayId(1) }), "{events:?}");
}

/// RTCP reports that were sent.
fn reports(rig: &Rig) -> u32 {
    rig.other.iter().filter(|wish| matches!(wish, MediaOutput::SendRtcp { .. })).count() as u32
}

#[test]
fn who_speaks_is_heard_to_be_there_and_hears_everything() {
    let mut rig = confined();
    rig.play(1, 1, vec![prompt(0, 400, None)], true);
    rig.wait(10_000);
    rig.take_sent();
    speak(&mut rig, 1);
    rig.wait(10_000);
    let sent = rig.take_sent().len();
    assert!((498..=502).contains(&sent), "{sent} packets in ten seconds");
}

#[test]
fn naming_another_address_again_and_again_brings_no_more() {
    let mut rig = confined();
    rig.play(1, 1, vec![prompt(0, 400, None)], true);
    for number in 2..20 {
        rig.wait(1000);
        rig.start(1, format(Codec::Pcmu, peer(number)));
    }
    let to_strangers = rig.take_sent().len() as u32;
    assert!(to_strangers <= PACKETS_MAX, "{to_strangers}");
    // The same after the peer has been heard and names somebody else.
    speak(&mut rig, 1);
    speak(&mut rig, 2);
    rig.wait(1000);
    rig.take_sent();
    rig.start(1, format(Codec::Pcmu, peer(40)));
    rig.wait(10_000);
    assert_eq!(rig.take_sent().iter().filter(|sent| sent.to == peer(40)).count(), 0);
}

#[test]
fn a_bridge_is_no_way_round() {
    let mut rig = confined();
    rig.order(MediaCommand::Open { leg: LegId(2) });
    rig.start(2, format(Codec::Pcmu, peer(2)));
    rig.order(MediaCommand::Bridge { a: LegId(1), b: LegId(2) });
    for number in 0..500u16 {
        rig.hear(2, &rtp(0, false, number, u32::from(number) * 160, 9, &[1; 160]));
        rig.wait(20);
    }
    let sent = rig.take_sent().iter().filter(|sent| sent.leg == LegId(1)).count() as u32;
    assert!(sent <= PACKETS_MAX && sent > PACKETS_MAX - 10, "{sent}");
}

#[test]
fn who_has_proved_to_hear_us_there_may_keep_silent() {
    let mut rig = confined();
    rig.play(1, 1, vec![prompt(0, 400, None)], true);
    rig.wait(1000);
    rig.order(MediaCommand::Confine { leg: LegId(1), confined: false });
    rig.take_sent();
    rig.wait(10_000);
    let sent = rig.take_sent().len();
    assert!((498..=502).contains(&sent), "{sent} packets in ten seconds");
}
