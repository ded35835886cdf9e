//! Codecs, payload types, direction: what two sides agree upon in SDP, in words that both `sip` and `media` know.

use std::net::SocketAddr;

/// Samples per second of all audio in this engine.
pub const SAMPLE_RATE_HZ: u32 = 8000;
/// Length of one RTP packet's audio.
pub const FRAME_MS: u32 = 20;
/// Samples, and for G.711 also bytes, in one frame.
pub const FRAME_SAMPLES: usize = 160;

/// An audio codec (G.711, RFC 3551 §4.5.14). One byte a sample in both laws.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Codec {
    /// mu-law, static payload type 0.
    Pcmu,
    /// A-law, static payload type 8.
    Pcma,
}

impl Codec {
    /// The static payload type of RFC 3551 table 4.
    pub const fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    pub const fn from_payload_type(payload_type: u8) -> Option<Codec> {
        match payload_type {
            0 => Some(Codec::Pcmu),
            8 => Some(Codec::Pcma),
            _ => None,
        }
    }

    /// The name in SDP's `a=rtpmap` (RFC 8866 §6.6), without the clock rate.
    pub const fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// The byte that stands for silence.
    pub const fn silence(self) -> u8 {
        match self {
            Codec::Pcmu => 0xff,
            Codec::Pcma => 0xd5,
        }
    }
}

/// Which way media flows, seen from our side (RFC 3264 §5.1, §8.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Direction {
    #[default]
    SendReceive,
    SendOnly,
    ReceiveOnly,
    Inactive,
}

impl Direction {
    /// May we send media? When not, the peer holds the call.
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendReceive | Direction::SendOnly)
    }

    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendReceive | Direction::ReceiveOnly)
    }

    /// The same stream from the other side.
    pub const fn reversed(self) -> Direction {
        match self {
            Direction::SendOnly => Direction::ReceiveOnly,
            Direction::ReceiveOnly => Direction::SendOnly,
            other => other,
        }
    }
}

/// What offer and answer settled for one audio stream: all that the media plane must know of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamFormat {
    pub codec: Codec,
    /// Payload type of `codec` in this stream.
    pub payload_type: u8,
    /// Payload type of RFC 4733 events, if the peer takes them.
    pub telephone_event: Option<u8>,
    /// Seen from our side.
    pub direction: Direction,
    /// Where the peer wants its media; `None` where it gave a null address (old hold form, RFC 3264 §8.4).
    pub remote: Option<SocketAddr>,
    /// Where the peer wants its RTCP (port + 1, `a=rtcp`, or the same port with rtcp-mux).
    pub remote_rtcp: Option<SocketAddr>,
    /// Both sides agreed to send RTCP on the RTP port (RFC 5761).
    pub rtcp_mux: bool,
}

/// What a stream sent and received, for the call record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StreamCounts {
    pub packets_sent: u64,
    pub packets_received: u64,
    /// By RFC 3550 appendix A.3; repeats make it negative, told as 0.
    pub packets_lost: u64,
    /// Interarrival jitter (RFC 3550 §6.4.1), in microseconds.
    pub jitter_us: u64,
    /// From a foreign address or source while the latch was closed, or no RTP at all.
    pub packets_refused: u64,
    /// Sent more than 5 ms after they were due.
    pub packets_late: u64,
}
