//! A media plane under virtual time that is watched: what RTP, RTCP and key targets share.
//!
//! Packets go only to whom the engine named or who has been heard; a leg keeps one SSRC; reports are whole; the plane never
//! wants to be woken for what it has just been woken for; when all legs are closed nothing is left.

use onekey::codec::{Codec, Direction, StreamFormat};
use onekey::ids::LegId;
use onekey::media::command::{MediaCommand, MediaEvent};
use onekey::media::{MediaConfig, MediaInput, MediaOutput, MediaPlane, PACKET_BYTES_MAX};
use onekey::time::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// Most wishes of one input: a stall of a minute closes blocks of recordings and sends two frames a leg.
const WISHES_MAX: usize = 1000;

#[derive(Debug)]
pub struct Plane {
    plane: MediaPlane,
    pub now: Time,
    pub events: Vec<MediaEvent>,
    named: BTreeSet<SocketAddr>,
    ssrcs: BTreeMap<LegId, [u8; 4]>,
    open: BTreeSet<LegId>,
}

/// The peer of a leg.
pub fn peer(leg: LegId) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, leg.0 as u8], 4000))
}

pub fn format(leg: LegId, codec: Codec, direction: Direction) -> StreamFormat {
    let remote = peer(leg);
    StreamFormat {
        codec,
        payload_type: codec.payload_type(),
        telephone_event: Some(101),
        direction,
        remote: Some(remote),
        remote_rtcp: Some(SocketAddr::new(remote.ip(), remote.port() + 1)),
        rtcp_mux: false,
    }
}

/// Bytes of an RTP packet (RFC 3550 §5.1).
pub fn rtp(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(timestamp.to_be_bytes());
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(payload);
    bytes
}

impl Plane {
    /// With legs 1 to `legs` opened and started as PCMU in both directions.
    pub fn started(legs: u64) -> Plane {
        let config =
            MediaConfig { first_port: 10_000, last_port: 10_019, rtp_timeout: Duration::from_secs(10), seed: [7; 32] };
        let mut plane = Plane {
            plane: MediaPlane::new(config),
            now: Time::from_millis(1000),
            events: Vec::new(),
            named: BTreeSet::new(),
            ssrcs: BTreeMap::new(),
            open: BTreeSet::new(),
        };
        for leg in (1..=legs).map(LegId) {
            plane.order(MediaCommand::Open { leg });
            plane.order(MediaCommand::Start { leg, format: format(leg, Codec::Pcmu, Direction::SendReceive) });
        }
        plane
    }

    pub fn order(&mut self, command: MediaCommand) {
        match &command {
            MediaCommand::Start { format, .. } => {
                self.named.extend(format.remote.into_iter().chain(format.remote_rtcp));
            }
            MediaCommand::Open { leg } => {
                self.open.insert(*leg);
            }
            MediaCommand::Close { leg } => {
                self.ssrcs.remove(leg);
            }
            _ => {}
        }
        self.give(MediaInput::Command(command));
    }

    /// On the RTP port. Who sends RTP may be latched upon; RTCP, and whatever comes by its own port, makes nobody known.
    pub fn hear(&mut self, leg: LegId, from: SocketAddr, bytes: &[u8]) {
        if !bytes.get(1).is_some_and(|kind| (192..=223).contains(kind)) {
            self.named.insert(from);
        }
        self.give(MediaInput::Rtp { leg, from, bytes });
    }

    /// On the RTCP port.
    pub fn hear_control(&mut self, leg: LegId, from: SocketAddr, bytes: &[u8]) {
        self.give(MediaInput::Rtcp { leg, from, bytes });
    }

    pub fn give(&mut self, input: MediaInput<'_>) {
        let is_tick = matches!(input, MediaInput::Tick);
        let mut out = Vec::new();
        self.plane.handle(self.now, input, &mut out);
        assert!(out.len() <= WISHES_MAX, "{} wishes at once", out.len());
        if is_tick {
            let next = self.plane.next_timeout();
            assert!(next.is_none_or(|next| next > self.now), "woken at {:?}, it wants to be at {next:?}", self.now);
        }
        for wish in out {
            self.wished(wish);
        }
    }

    fn wished(&mut self, wish: MediaOutput) {
        match wish {
            MediaOutput::Bind { leg, port } => self.give(MediaInput::Bound { leg, port, ok: true }),
            MediaOutput::Send { leg, to, packet, .. } => {
                let bytes = &packet.bytes[..usize::from(packet.length)];
                self.may_send(leg, to);
                assert!((12..=PACKET_BYTES_MAX).contains(&bytes.len()) && bytes[0] >> 6 == 2);
                if (192..=223).contains(&bytes[1]) {
                    return is_whole_report(bytes);
                }
                let ssrc = [bytes[8], bytes[9], bytes[10], bytes[11]];
                assert_eq!(*self.ssrcs.entry(leg).or_insert(ssrc), ssrc, "{leg} has changed its SSRC");
            }
            MediaOutput::SendRtcp { leg, to, bytes, .. } => {
                self.may_send(leg, to);
                is_whole_report(&bytes);
            }
            MediaOutput::Event(event) => {
                if let MediaEvent::Closed { leg, .. } = &event {
                    self.open.remove(leg);
                }
                self.events.push(event);
            }
            MediaOutput::RecordSamples { samples, .. } => assert!(samples.len() <= 2 * 8000 * 70, "{}", samples.len()),
            MediaOutput::RecordClose { leg } => self.give(MediaInput::RecordClosed { leg }),
            MediaOutput::Unbind { .. } | MediaOutput::RecordOpen { .. } => {}
        }
    }

    fn may_send(&self, leg: LegId, to: SocketAddr) {
        assert!(self.open.contains(&leg), "{leg} sends and is closed");
        // RTCP may come from another port of a known address, and is answered there.
        assert!(self.named.iter().any(|named| named.ip() == to.ip()), "{leg} sends to {to}, which nobody named");
    }

    /// Lets time pass, with a tick whenever the plane wants one.
    pub fn wait(&mut self, length: Duration) {
        let until = self.now + length;
        while let Some(next) = self.plane.next_timeout().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.give(MediaInput::Tick);
        }
        self.now = until;
    }

    /// Lets time pass without a tick, then gives one.
    pub fn stall(&mut self, length: Duration) {
        self.now += length;
        self.give(MediaInput::Tick);
    }

    /// When all legs are closed there is nothing left to wait for.
    pub fn finish(mut self) {
        for leg in self.open.clone() {
            self.order(MediaCommand::Close { leg });
        }
        assert!(self.open.is_empty(), "{:?} are not closed", self.open);
        self.stall(Duration::from_secs(1));
        assert_eq!(self.plane.next_timeout(), None);
    }
}

/// A compound packet whose lengths add up (RFC 3550 §6.1).
fn is_whole_report(bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        assert!(rest.len() >= 4 && rest[0] >> 6 == 2 && (200..=204).contains(&rest[1]), "{bytes:?}");
        let length = 4 * (usize::from(u16::from_be_bytes([rest[2], rest[3]])) + 1);
        assert!(length <= rest.len(), "{bytes:?}");
        rest = &rest[length..];
    }
    assert!(matches!(bytes.get(1), Some(200 | 201)), "it begins with no report");
}
