//! The data plane (DESIGN §11): packets, 50 a second a leg, and no decisions.

mod bridge;
pub mod command;
mod dtmf;
pub mod g711;
mod jitter;
mod latch;
mod leg;
mod plane;
mod player;
mod ports;
mod recorder;
#[cfg(test)]
mod rig;
mod rtcp;
mod stream;
mod wheel;

pub use plane::MediaPlane;

use crate::ids::LegId;
use command::{MediaCommand, MediaEvent, RecordChannels};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Fixed facts of one media plane.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// RTP ports of this worker: even ones from `first` on, RTCP on the odd one above, up to `last`.
    pub first_port: u16,
    pub last_port: u16,
    /// No packet for this long on a leg that has ever sent any and is not on hold: `MediaEvent::Silent`.
    pub rtp_timeout: std::time::Duration,
    /// Feeds SSRCs, first sequence numbers and timestamps.
    pub seed: [u8; 32],
}

/// Facts for the data plane.
#[derive(Debug)]
pub enum MediaInput<'a> {
    Command(MediaCommand),
    /// A datagram on a leg's RTP port.
    Rtp {
        leg: LegId,
        from: SocketAddr,
        bytes: &'a [u8],
    },
    /// A datagram on a leg's RTCP port.
    Rtcp {
        leg: LegId,
        from: SocketAddr,
        bytes: &'a [u8],
    },
    /// The port pair asked for by `MediaOutput::Bind` is ours, or (`false`) is not to be had.
    Bound {
        leg: LegId,
        port: u16,
        ok: bool,
    },
    /// A recording's file could not be opened or written.
    RecordFailed {
        leg: LegId,
        reason: String,
    },
    /// A recording's file is closed and whole.
    RecordClosed {
        leg: LegId,
    },
    /// Nothing but the passing of time.
    Tick,
}

/// Longest RTP packet that we send: 12 bytes of header and one G.711 frame.
pub const PACKET_BYTES_MAX: usize = 12 + crate::codec::FRAME_SAMPLES;

/// One RTP packet on its way out, in place: sending allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    pub bytes: [u8; PACKET_BYTES_MAX],
    pub length: u16,
}

/// Wishes of the data plane.
#[derive(Debug)]
pub enum MediaOutput {
    /// Bind RTP `port` and RTCP `port + 1` for this leg, then tell `MediaInput::Bound`.
    Bind {
        leg: LegId,
        port: u16,
    },
    Unbind {
        leg: LegId,
        port: u16,
    },
    Send {
        leg: LegId,
        to: SocketAddr,
        packet: Packet,
    },
    SendRtcp {
        leg: LegId,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    Event(MediaEvent),
    RecordOpen {
        leg: LegId,
        file: PathBuf,
        channels: RecordChannels,
    },
    /// Interleaved 16-bit samples, about a second of them.
    RecordSamples {
        leg: LegId,
        samples: Vec<i16>,
    },
    RecordClose {
        leg: LegId,
    },
}
