//! RTCP on its own port and on the RTP port, whole, cut and invented, between RTP that keeps the stream alive.
//!
//! What it says is used for reports of ours only: the laws are those of `plane` (reports go nowhere new, and are whole).

use super::plane::{Plane, format, peer, rtp};
use super::take::Take;
use onekey::codec::{Codec, Direction};
use onekey::ids::LegId;
use onekey::media::command::MediaCommand;
use std::net::SocketAddr;
use std::time::Duration;

const STEPS_MAX: usize = 200;
const LEG: LegId = LegId(1);

pub fn run(bytes: &[u8]) {
    let mut take = Take::new(bytes);
    let mut plane = Plane::started(2);
    let mut sequence = 0u16;
    plane.hear(LEG, peer(LEG), &rtp(0, sequence, 0, 7, &[1; 160]));
    for _ in 0..STEPS_MAX {
        if take.is_empty() {
            break;
        }
        let what = take.byte();
        let port = if what & 8 == 0 { 4001 } else { 4000 };
        let from = match what >> 4 & 3 {
            0..=2 => SocketAddr::new(peer(LEG).ip(), port),
            _ => SocketAddr::from(([203, 0, 113, 66], port)),
        };
        match what & 7 {
            0 | 1 => plane.hear_control(LEG, from, take.chunk()),
            2 => plane.hear(LEG, from, take.chunk()),
            3 | 4 => {
                let report = compound(&mut take);
                match what & 7 {
                    3 => plane.hear_control(LEG, from, &report),
                    _ => plane.hear(LEG, from, &report),
                }
            }
            5 => {
                sequence = sequence.wrapping_add(take.word() % 5000);
                let timestamp = u32::from(sequence).wrapping_mul(160);
                plane.hear(LEG, peer(LEG), &rtp(0, sequence, timestamp, 7 + u32::from(what >> 7), &[1; 160]));
            }
            6 => plane.wait(take.pause()),
            _ => {
                let mut agreed = format(LEG, Codec::Pcmu, Direction::SendReceive);
                agreed.rtcp_mux = what & 8 != 0;
                plane.order(MediaCommand::Start { leg: LEG, format: agreed });
            }
        }
    }
    plane.wait(Duration::from_secs(16));
    plane.finish();
}

/// Packets with sound headers, of the kinds 200 to 207, and any contents.
fn compound(take: &mut Take<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..1 + take.below(4) {
        let (kind, count, words) = (200 + take.below(8) as u8, take.byte() & 31, take.below(20));
        bytes.extend([0x80 | count, kind, 0, words as u8]);
        let contents = take.bytes(words * 4);
        bytes.extend(contents);
        bytes.resize(bytes.len() + words * 4 - contents.len(), 0);
    }
    bytes
}
