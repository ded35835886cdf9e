//! What the control plane orders of the data plane, and what the data plane tells it.
//!
//! A leg begins with [`MediaCommand::Open`], which is answered by [`MediaEvent::Opened`] with the local port (so that it
//! can stand in an offer or answer) or by [`MediaEvent::Refused`]. Until [`MediaCommand::Start`] gives the agreed format
//! nothing is sent; what arrives before is taken as the first packets of the stream once the format is known.

use crate::codec::{StreamCounts, StreamFormat};
use crate::ids::{LegId, PlayId};
use crate::key::Key;
use crate::prompt::Prompt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, PartialEq, Debug)]
pub enum MediaCommand {
    /// Take a local RTP port for this leg.
    Open { leg: LegId },
    /// Offer and answer are settled (again): send and expect this. A changed remote address opens the latch anew.
    Start { leg: LegId, format: StreamFormat },
    /// From now on the address that the peer's SDP names has (not) proved to want its media: towards one that has not, only
    /// so many packets leave until RTP comes from it (`allowance`).
    Confine { leg: LegId, confined: bool },
    /// Play these one after the other, in place of whatever plays. With `repeat` begin again after the last (hold music).
    Play { leg: LegId, play: PlayId, prompts: Vec<Arc<Prompt>>, repeat: bool },
    /// Stop what plays; no `PlayDone` follows.
    Stop { leg: LegId },
    /// Join two legs: what one says the other hears. Stops what plays on both.
    Bridge { a: LegId, b: LegId },
    /// Part them; both stay open.
    Unbridge { a: LegId, b: LegId },
    /// Press a key towards this leg's peer, as RFC 4733 events of our own stream: one that its bridge partner told in
    /// another way. Nothing happens where the peer takes no events.
    SendKey { leg: LegId, key: Key, length: Duration },
    /// Record what this leg says (left channel) and, while bridged, what it hears from the other (right) into this WAV.
    /// `silence` ends it after so much quiet (voicemail).
    Record { leg: LegId, file: PathBuf, channels: RecordChannels, silence: Option<Duration> },
    /// End the recording. `cut_tail` is taken off its end (the sound of the key that ended it).
    StopRecord { leg: LegId, cut_tail: Duration },
    /// Free the port; [`MediaEvent::Closed`] follows with the counts.
    Close { leg: LegId },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordChannels {
    /// Only what the leg says, one channel.
    One,
    /// Caller left, agent right.
    Two,
}

#[derive(Clone, PartialEq, Debug)]
pub enum MediaEvent {
    /// The leg has a local RTP port.
    Opened { leg: LegId, port: u16 },
    /// No port is to be had.
    Refused { leg: LegId, reason: String },
    /// The first valid RTP packet has come.
    FirstPacket { leg: LegId },
    /// A key, on the first packet of its event that arrived.
    Key { leg: LegId, key: Key },
    /// The same event has now lasted 800 ms ("held zero").
    KeyHeld { leg: LegId, key: Key },
    /// The key's event is over (its end packet, or 3 lost packets' time without any).
    KeyEnded { leg: LegId, key: Key, held: Duration },
    /// Prompt number `index` of the play has been sent up to the end of its offer of a person (mark t3).
    OfferHeard { leg: LegId, play: PlayId },
    /// The last prompt of a play has been sent whole. Never for repeated plays.
    PlayDone { leg: LegId, play: PlayId },
    /// Nothing came for this long although the leg had sent before and is not on hold.
    Silent { leg: LegId, quiet: Duration },
    /// A recording has ended and its file is whole.
    Recorded { leg: LegId, file: PathBuf, length: Duration },
    /// Recording failed (full disk); the call goes on without it.
    RecordFailed { leg: LegId, reason: String },
    /// The leg is closed; its port may be used again.
    Closed { leg: LegId, counts: StreamCounts },
}
