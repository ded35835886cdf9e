//! The data plane (DESIGN §11): packets, 50 a second a leg, and no decisions.
//!
//! [`MediaPlane`] is a pure machine: commands, datagrams and time go in ([`MediaInput`]), packets and events come out
//! ([`MediaOutput`]). Sockets, files and clocks are the shell's; what a key or an ended prompt means is the engine's.
//!
//! # On the wire
//!
//! An RTP packet (RFC 3550 §5.1) with 20 ms of G.711, or with a key (RFC 4733 §2.3):
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---+-+-+-------+-+-------------+-------------------------------+
//! |V=2|P|X|   CC  |M|payload type |        sequence number        |  M: a talk spurt or a key begins
//! +---+-+-+-------+-+-------------+-------------------------------+
//! |                           timestamp                           |  8000 a second; of a key: when it began
//! +---------------------------------------------------------------+
//! |                             SSRC                              |  ours: one for the leg's whole life
//! +---------------------------------------------------------------+
//! |              160 bytes of A-law or mu-law, or:                |
//! +---------------+-+-+-----------+-------------------------------+
//! |  event 0..15  |E|R|  volume   |           duration            |  E: the key is up; sent three times
//! +---------------+-+-+-----------+-------------------------------+
//! ```
//!
//! # One leg, file by file
//!
//! ```text
//!  datagram                                                             MediaEvent::Key, KeyHeld, KeyEnded
//!     | stream    header read, loss and jitter counted                      ^
//!     | latch     from the peer, or a stranger?                             |
//!     |------------------------------------------------------------------ dtmf
//!     |---------- bridge ----> the other leg's numbers, law (g711) and payload types --> packet
//!     `---------- recorder --> jitter --> blocks of samples
//!
//!  wheel (20 phases of 1 ms) --> player: the next frame of a shared prompt --> stream: header built --> packet
//!  rtcp: a report about every 5 s          ports: which port pair a leg has
//! ```
//!
//! # What to expect
//!
//! * A leg that neither plays nor is bridged sends no RTP at all, only RTCP: there is no keep-alive and no comfort noise.
//!   A caller behind a NAT is reached because the first packets are his (or our prompt).
//! * The first frame of a play leaves with the `Play` itself, the second up to 5 ms early (so that legs spread over the
//!   phases), all others every 20 ms. After a stall of more than two frames the receiver hears a gap, never a burst, and
//!   the prompt goes on where it was.
//! * A bridge forwards on arrival. While a leg of a bridge plays something, it does not hear its partner.
//! * RTP is a sign of life, comfort noise (payload type 13) too; RTCP is not.
//! * A key is told even from a peer that is on hold.
//! * To an address that nothing has come from, and that its peer has not proved to be its own, 150 packets leave and no
//!   more (`allowance`). What plays goes on in silence, so that a call takes its course.
//! * `SendKey` presses a key of ours (`key_sender`); meanwhile the partner's sound is not carried on that leg.
//! * `packets_refused` counts junk, strangers and payload types that were not agreed, on the RTP and the RTCP port.

mod allowance;
mod bridge;
pub mod command;
mod dtmf;
pub mod g711;
mod jitter;
mod key_sender;
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
#[cfg(test)]
mod tests;
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
    /// From the leg's RTP port.
    Send {
        leg: LegId,
        port: u16,
        to: SocketAddr,
        packet: Packet,
    },
    /// Of the leg with this RTP port.
    SendRtcp {
        leg: LegId,
        port: u16,
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
