//! RTP into a busy media plane: packets that are nearly right, from peers and strangers, and raw bytes, while orders come.
//!
//! The laws are the plane's own (`plane`); that it goes on working afterwards is tried with a prompt.

use super::plane::{Plane, format, peer, rtp};
use super::take::Take;
use onekey::codec::{Codec, Direction};
use onekey::ids::{LegId, PlayId};
use onekey::key::Key;
use onekey::media::command::{MediaCommand, MediaEvent, RecordChannels};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

const LEGS: u64 = 3;
/// Longest stream of the far side, so that one input cannot take seconds.
const STEPS_MAX: usize = 400;

/// Where the numbers of a leg's peer stand.
#[derive(Clone, Copy, Debug, Default)]
struct Far {
    sequence: u16,
    timestamp: u32,
}

pub fn run(bytes: &[u8]) {
    let mut take = Take::new(bytes);
    let mut plane = Plane::started(LEGS);
    let mut far = [Far::default(); LEGS as usize];
    plane.order(MediaCommand::Bridge { a: LegId(1), b: LegId(2) });
    for _ in 0..STEPS_MAX {
        if take.is_empty() {
            break;
        }
        step(&mut take, &mut plane, &mut far);
    }
    still_works(plane);
}

fn step(take: &mut Take<'_>, plane: &mut Plane, far: &mut [Far]) {
    let what = take.byte();
    let leg = LegId(1 + u64::from(what >> 4) % LEGS);
    match what & 15 {
        0..=6 => {
            let numbers = &mut far[leg.0 as usize - 1];
            let from = source(take, leg);
            let bytes = packet(take, numbers);
            plane.hear(leg, from, &bytes);
        }
        7 => {
            let from = source(take, leg);
            plane.hear(leg, from, take.chunk());
        }
        8 => plane.wait(Duration::from_millis(20)),
        9 => plane.wait(take.pause() / 8),
        10 => plane.stall(take.pause()),
        _ => order(take, plane, leg),
    }
}

/// The peer, the peer's other port, or a stranger.
fn source(take: &mut Take<'_>, leg: LegId) -> SocketAddr {
    match take.byte() & 15 {
        0..=11 => peer(leg),
        12 => SocketAddr::new(peer(leg).ip(), 4444),
        13 => peer(LegId(leg.0 % LEGS + 1)),
        _ => SocketAddr::from(([203, 0, 113, 66], 6666)),
    }
}

/// A packet that continues the peer's numbers, or does not.
fn packet(take: &mut Take<'_>, numbers: &mut Far) -> Vec<u8> {
    let shape = take.byte();
    match shape >> 4 & 3 {
        0 | 1 => {
            numbers.sequence = numbers.sequence.wrapping_add(1);
            numbers.timestamp = numbers.timestamp.wrapping_add(160);
        }
        2 => numbers.sequence = numbers.sequence.wrapping_add_signed(i16::from(take.byte() as i8)),
        _ => (numbers.sequence, numbers.timestamp) = (take.word(), take.long()),
    }
    let payload_type = [0, 0, 0, 101, 101, 8, 13, take.byte()][usize::from(shape & 7)];
    let ssrc = 7 + u32::from(shape >> 6);
    let payload = match shape & 8 {
        0 if payload_type & 0x7f == 101 => take.bytes(4 * (1 + usize::from(shape >> 6))).to_vec(),
        0 => vec![take.byte(); 160],
        _ => take.chunk().to_vec(),
    };
    let mut bytes = rtp(payload_type, numbers.sequence, numbers.timestamp, ssrc, &payload);
    if shape == 0x3f {
        // Padding, extension and contributing sources that may not be there.
        bytes[0] = take.byte();
    }
    bytes
}

fn order(take: &mut Take<'_>, plane: &mut Plane, leg: LegId) {
    let choice = take.byte();
    let other = LegId(1 + u64::from(choice >> 4) % LEGS);
    let long = choice >> 4 & 1 == 1;
    plane.order(match choice & 15 {
        0 | 1 => MediaCommand::Play { leg, play: PlayId(1), prompts: prompts(), repeat: long },
        2 => MediaCommand::Stop { leg },
        3 | 4 => MediaCommand::Bridge { a: leg, b: other },
        5 => MediaCommand::Unbridge { a: leg, b: other },
        6 => {
            let channels = if long { RecordChannels::Two } else { RecordChannels::One };
            let silence = long.then(|| Duration::from_secs(4));
            MediaCommand::Record { leg, file: PathBuf::from("a.wav"), channels, silence }
        }
        7 => MediaCommand::StopRecord { leg, cut_tail: take.pause() },
        8 | 9 => {
            let key = Key::from_event(choice >> 4).unwrap_or(Key::HUMAN);
            MediaCommand::SendKey { leg, key, length: take.pause() / 16 }
        }
        10 => MediaCommand::Close { leg },
        11 => MediaCommand::Open { leg },
        _ => {
            let directions = [Direction::SendReceive, Direction::SendOnly, Direction::ReceiveOnly, Direction::Inactive];
            let codec = if long { Codec::Pcma } else { Codec::Pcmu };
            let mut format = format(leg, codec, take.one_of(&directions));
            format.rtcp_mux = take.is_set(0);
            if take.is_set(1) {
                format.remote = Some(SocketAddr::from(([192, 0, 2, 99], 9000)));
            }
            format.telephone_event = take.is_set(2).then_some(96).or(format.telephone_event);
            MediaCommand::Start { leg, format }
        }
    });
}

fn prompts() -> Vec<std::sync::Arc<onekey::prompt::Prompt>> {
    let id = onekey::prompt::spoken::TONE;
    super::stage().prompts.get("en", id).into_iter().map(std::sync::Arc::clone).collect()
}

fn still_works(mut plane: Plane) {
    let leg = LegId(1);
    plane.order(MediaCommand::Open { leg });
    plane.order(MediaCommand::Start { leg, format: format(leg, Codec::Pcmu, Direction::SendReceive) });
    plane.events.clear();
    plane.order(MediaCommand::Play { leg, play: PlayId(9), prompts: prompts(), repeat: false });
    plane.wait(Duration::from_secs(2));
    assert!(plane.events.contains(&MediaEvent::PlayDone { leg, play: PlayId(9) }), "{:?}", plane.events);
    plane.finish();
}
