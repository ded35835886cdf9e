//! RTCP as it leaves a leg: where to, how often, and what it says at the end.
//!
//! How a report is made is tested in `rtcp`.

use crate::codec::Codec;
use crate::ids::LegId;
use crate::media::command::{MediaCommand, MediaEvent};
use crate::media::rig::{Rig, format, peer, prompt, rtp};
use crate::media::{MediaInput, MediaOutput};
use rtcp_types::{Compound, Packet};
use std::net::SocketAddr;

/// Where reports went, and their packets' names.
fn reports(rig: &mut Rig) -> Vec<(SocketAddr, String)> {
    let wishes = std::mem::take(&mut rig.other);
    let report = |wish: &MediaOutput| match wish {
        MediaOutput::SendRtcp { to, bytes, .. } => {
            let name = |packet: Packet<'_>| format!("{packet:?}").split('(').next().unwrap_or_default().to_string();
            let names: Vec<String> = Compound::parse(bytes).unwrap().map(|packet| name(packet.unwrap())).collect();
            Some((*to, names.join(" ")))
        }
        _ => None,
    };
    wishes.iter().filter_map(report).collect()
}

fn control(leg: u64) -> SocketAddr {
    SocketAddr::new(peer(leg).ip(), peer(leg).port() + 1)
}

/// An empty receiver report.
const RECEIVER_REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 7];

#[test]
fn a_leg_reports_about_every_five_seconds_and_says_goodbye() {
    let mut rig = Rig::started(1);
    rig.play(1, 1, vec![prompt(1, 200, None)], true);
    rig.wait(60_000);
    let told = reports(&mut rig);
    assert!((8..=24).contains(&told.len()), "{} in a minute", told.len());
    assert!(told.iter().all(|(to, names)| *to == control(1) && names == "Sr Sdes"), "{told:?}");
    rig.order(MediaCommand::Close { leg: LegId(1) });
    assert_eq!(reports(&mut rig), [(control(1), "Sr Sdes Bye".to_string())]);
}

#[test]
fn legs_do_not_report_in_step() {
    let mut rig = Rig::started(8);
    let mut times = std::collections::BTreeSet::new();
    while times.len() < 8 && rig.now < crate::time::Time::from_millis(6000) {
        rig.wait(1);
        if !reports(&mut rig).is_empty() {
            times.insert(rig.now);
        }
    }
    assert!(times.len() >= 6, "{times:?}");
}

#[test]
fn with_one_port_for_both_it_leaves_as_a_packet_of_the_rtp_port() {
    let mut rig = Rig::started(1);
    let mut shared = format(Codec::Pcmu, peer(1));
    shared.rtcp_mux = true;
    rig.start(1, shared);
    rig.hear_from(1, peer(50), &rtp(0, false, 1, 0, 7, &[1; 160]));
    rig.other.clear();
    rig.wait(8000);
    assert_eq!(reports(&mut rig)[0], (peer(50), "Rr Sdes".to_string()));
}

#[test]
fn rtcp_on_the_rtp_port_is_no_media_and_no_junk() {
    let mut rig = Rig::started(1);
    rig.hear(1, &rtp(0, false, 1, 0, 7, &[1; 160]));
    rig.take_events();
    rig.hear(1, &RECEIVER_REPORT);
    rig.order(MediaCommand::Close { leg: LegId(1) });
    let Some(MediaEvent::Closed { counts, .. }) = rig.events.pop() else { panic!() };
    assert_eq!((counts.packets_received, counts.packets_refused), (1, 0));
}

#[test]
fn reports_go_back_to_where_the_latched_peers_come_from_but_to_no_stranger() {
    let mut rig = Rig::started(1);
    let leg = LegId(1);
    let mapped = SocketAddr::new(peer(50).ip(), 31_000);
    rig.hear_from(1, peer(50), &rtp(0, false, 1, 0, 7, &[1; 160]));
    rig.give(MediaInput::Rtcp { leg, from: mapped, bytes: &RECEIVER_REPORT });
    rig.give(MediaInput::Rtcp { leg, from: control(66), bytes: &RECEIVER_REPORT });
    rig.wait(8000);
    assert!(reports(&mut rig).iter().all(|(to, _)| *to == mapped));
    rig.order(MediaCommand::Close { leg });
    let Some(MediaEvent::Closed { counts, .. }) = rig.events.pop() else { panic!() };
    assert_eq!(counts.packets_refused, 1);
}

#[test]
fn reports_leave_the_former_peer_when_another_is_listened_to() {
    let mut rig = Rig::started(1);
    let leg = LegId(1);
    rig.hear(1, &rtp(0, false, 1, 0, 7, &[1; 160]));
    rig.start(1, format(Codec::Pcmu, peer(2)));
    // Still under way when the new address was agreed.
    rig.give(MediaInput::Rtcp { leg, from: control(1), bytes: &RECEIVER_REPORT });
    for sequence in [50, 51] {
        rig.hear_from(1, peer(2), &rtp(0, false, sequence, 0, 8, &[1; 160]));
    }
    rig.wait(8000);
    let told = reports(&mut rig);
    assert!(!told.is_empty() && told.iter().all(|(to, _)| *to == control(2)), "{told:?}");
}

#[test]
fn the_peers_reports_are_no_sign_of_life() {
    let mut rig = Rig::started(1);
    rig.hear(1, &rtp(0, false, 1, 0, 7, &[1; 160]));
    for _ in 0..4 {
        rig.wait(3000);
        rig.give(MediaInput::Rtcp { leg: LegId(1), from: control(1), bytes: &RECEIVER_REPORT });
    }
    assert!(rig.events.iter().any(|event| matches!(event, MediaEvent::Silent { .. })));
}
