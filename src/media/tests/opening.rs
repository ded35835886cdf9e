//! Ports: asked for, refused, freed; legs that begin and end; orders for legs that are not there.
//!
//! (DESIGN §3: everything bounded; unknown legs are ignored.)

use crate::codec::Codec;
use crate::ids::LegId;
use crate::media::MediaOutput;
use crate::media::command::{MediaCommand, MediaEvent};
use crate::media::rig::{Rig, format, peer, prompt, rtp};
use crate::media::{MediaInput, tests};
use std::time::Duration;

fn open(rig: &mut Rig, leg: u64) -> MediaEvent {
    rig.order(MediaCommand::Open { leg: LegId(leg) });
    rig.events.pop().unwrap()
}

#[test]
fn ports_go_round_and_a_full_range_is_refused() {
    let mut rig = Rig::new();
    for leg in 0..10u64 {
        let port = 10_000 + 2 * leg as u16;
        assert_eq!(open(&mut rig, leg), MediaEvent::Opened { leg: LegId(leg), port });
    }
    assert!(matches!(open(&mut rig, 10), MediaEvent::Refused { leg: LegId(10), .. }));
    rig.order(MediaCommand::Close { leg: LegId(3) });
    assert!(matches!(rig.events.pop().unwrap(), MediaEvent::Closed { leg: LegId(3), .. }));
    assert!(matches!(rig.other.pop().unwrap(), MediaOutput::Unbind { leg: LegId(3), port: 10_006 }));
    assert_eq!(open(&mut rig, 11), MediaEvent::Opened { leg: LegId(11), port: 10_006 });
}

#[test]
fn a_port_that_cannot_be_bound_is_passed_over_and_a_range_of_them_is_refused() {
    let mut rig = Rig::new();
    rig.bind = |port| Some(port >= 10_004);
    assert_eq!(open(&mut rig, 1), MediaEvent::Opened { leg: LegId(1), port: 10_004 });
    rig.bind = |_| Some(false);
    assert!(matches!(open(&mut rig, 2), MediaEvent::Refused { .. }));
    // Nothing is left behind: all other nine ports can still be had.
    rig.bind = |_| Some(true);
    for leg in 3..12 {
        assert!(matches!(open(&mut rig, leg), MediaEvent::Opened { .. }), "leg {leg}");
    }
    assert!(matches!(open(&mut rig, 12), MediaEvent::Refused { .. }));
}

#[test]
fn a_leg_closed_before_its_port_was_bound_leaves_nothing() {
    let mut rig = Rig::new();
    rig.bind = |_| None;
    rig.order(MediaCommand::Open { leg: LegId(1) });
    rig.order(MediaCommand::Close { leg: LegId(1) });
    assert!(matches!(rig.other.last(), Some(MediaOutput::Unbind { port: 10_000, .. })));
    rig.take_events();
    rig.give(MediaInput::Bound { leg: LegId(1), port: 10_000, ok: true });
    rig.give(MediaInput::Bound { leg: LegId(1), port: 10_000, ok: false });
    assert!(rig.events.is_empty());
    assert_eq!(rig.plane.next_timeout(), None);
}

#[test]
fn orders_for_unknown_legs_do_nothing() {
    let mut rig = Rig::started(1);
    let (leg, b) = (LegId(99), LegId(1));
    rig.other.clear();
    for command in [
        MediaCommand::Start { leg, format: format(Codec::Pcmu, peer(9)) },
        MediaCommand::Stop { leg },
        MediaCommand::Bridge { a: leg, b },
        MediaCommand::Bridge { a: b, b: leg },
        MediaCommand::Bridge { a: b, b },
        MediaCommand::Unbridge { a: leg, b },
        MediaCommand::StopRecord { leg, cut_tail: Duration::ZERO },
        MediaCommand::StopRecord { leg: b, cut_tail: Duration::ZERO },
        MediaCommand::Close { leg },
        MediaCommand::Open { leg: b },
    ] {
        rig.order(command);
    }
    rig.play(99, 1, vec![prompt(1, 1, None)], false);
    rig.hear(99, &rtp(0, false, 1, 1, 1, &[1; 160]));
    rig.give(MediaInput::Rtcp { leg, from: peer(1), bytes: &[1, 2] });
    rig.give(MediaInput::RecordClosed { leg });
    rig.give(MediaInput::RecordFailed { leg: b, reason: "full".into() });
    assert!(rig.events.is_empty() && rig.sent.is_empty() && rig.other.is_empty());
}

#[test]
fn closing_tells_what_was_counted_and_the_plane_then_wants_nothing() {
    let mut rig = Rig::started(1);
    for sequence in [1u16, 2, 4, 5] {
        rig.hear(1, &rtp(0, false, sequence, u32::from(sequence) * 160, 1, &[1; 160]));
        rig.wait(20);
    }
    rig.hear_from(1, peer(9), &rtp(0, false, 6, 960, 1, &[1; 160]));
    rig.play(1, 1, vec![prompt(1, 3, None)], false);
    rig.wait(100);
    rig.take_events();
    rig.order(MediaCommand::Close { leg: LegId(1) });
    let Some(MediaEvent::Closed { counts, .. }) = rig.events.pop() else { panic!() };
    assert_eq!((counts.packets_sent, counts.packets_received, counts.packets_lost), (3, 4, 1));
    assert_eq!((counts.packets_refused, counts.packets_late), (1, 0));
    assert_eq!(rig.plane.next_timeout(), None);
    assert_eq!(tests::kinds(&rig.other), ["Bind", "SendRtcp", "Unbind"]);
}
