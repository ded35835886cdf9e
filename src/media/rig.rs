//! What the tests of this folder share: a plane under virtual time, a far side that sends RTP, and plain prompts.

use crate::codec::{Codec, Direction, FRAME_SAMPLES, StreamFormat};
use crate::ids::{Language, LegId, PlayId, PromptId};
use crate::media::command::{MediaCommand, MediaEvent};
use crate::media::stream::{Received, read};
use crate::media::{MediaConfig, MediaInput, MediaOutput, MediaPlane};
use crate::prompt::{Prompt, PromptFacts};
use crate::time::Time;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A prompt whose frame `n` is filled with `first + n` in mu-law and `first + n + 100` in A-law.
pub fn prompt(first: u8, frames: usize, offer_ends: Option<Duration>) -> Arc<Prompt> {
    let sound = |base: u8| (0..frames).flat_map(|frame| [base.wrapping_add(frame as u8); FRAME_SAMPLES]).collect();
    let facts = PromptFacts { text: String::new(), length: Duration::ZERO, offer_ends, advert: false };
    let (id, language) = (PromptId::new("p"), Language::new("en"));
    Arc::new(Prompt::new(id, language, facts, sound(first), sound(first.wrapping_add(100))))
}

pub fn format(codec: Codec, remote: SocketAddr) -> StreamFormat {
    StreamFormat {
        codec,
        payload_type: codec.payload_type(),
        telephone_event: Some(101),
        direction: Direction::SendReceive,
        remote: Some(remote),
        remote_rtcp: Some(SocketAddr::new(remote.ip(), remote.port() + 1)),
        rtcp_mux: false,
    }
}

/// The peer of leg `n`: 192.0.2.n, port 4000.
pub fn peer(leg: u64) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, leg as u8], 4000))
}

/// Bytes of an RTP packet.
pub fn rtp(payload_type: u8, marker: bool, sequence: u16, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, payload_type | u8::from(marker) << 7];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(timestamp.to_be_bytes());
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A packet that the plane sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    pub at: Time,
    pub leg: LegId,
    pub to: SocketAddr,
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
}

#[derive(Debug)]
pub struct Rig {
    pub plane: MediaPlane,
    pub now: Time,
    pub sent: Vec<Sent>,
    pub events: Vec<MediaEvent>,
    /// Everything else that was wished, drained by the tests.
    pub other: Vec<MediaOutput>,
    /// Whether the "shell" binds what is asked for.
    pub bind: fn(u16) -> Option<bool>,
}

impl Rig {
    pub fn new() -> Rig {
        let config =
            MediaConfig { first_port: 10_000, last_port: 10_019, rtp_timeout: Duration::from_secs(10), seed: [7; 32] };
        Rig {
            plane: MediaPlane::new(config),
            now: Time::from_millis(1000),
            sent: Vec::new(),
            events: Vec::new(),
            other: Vec::new(),
            bind: |_| Some(true),
        }
    }

    /// With legs 1 to `legs` opened and started as PCMU.
    pub fn started(legs: u64) -> Rig {
        let mut rig = Rig::new();
        for leg in 1..=legs {
            rig.order(MediaCommand::Open { leg: LegId(leg) });
            rig.start(leg, format(Codec::Pcmu, peer(leg)));
        }
        rig.events.clear();
        rig
    }

    pub fn start(&mut self, leg: u64, format: StreamFormat) {
        self.order(MediaCommand::Start { leg: LegId(leg), format });
    }

    pub fn play(&mut self, leg: u64, play: u64, prompts: Vec<Arc<Prompt>>, repeat: bool) {
        self.order(MediaCommand::Play { leg: LegId(leg), play: PlayId(play), prompts, repeat });
    }

    pub fn order(&mut self, command: MediaCommand) {
        self.give(MediaInput::Command(command));
    }

    pub fn hear(&mut self, leg: u64, bytes: &[u8]) {
        self.hear_from(leg, peer(leg), bytes);
    }

    pub fn hear_from(&mut self, leg: u64, from: SocketAddr, bytes: &[u8]) {
        self.give(MediaInput::Rtp { leg: LegId(leg), from, bytes });
    }

    pub fn give(&mut self, input: MediaInput<'_>) {
        let mut out = Vec::new();
        self.plane.handle(self.now, input, &mut out);
        for wish in out {
            match wish {
                MediaOutput::Send { leg, port, to, packet } => {
                    let bytes = &packet.bytes[..usize::from(packet.length)];
                    if crate::media::stream::is_rtcp(bytes) {
                        self.other.push(MediaOutput::SendRtcp { leg, port, to, bytes: bytes.to_vec() });
                        continue;
                    }
                    let Received { payload_type, marker, sequence, timestamp, ssrc, payload } = read(bytes).unwrap();
                    let (at, payload) = (self.now, payload.to_vec());
                    self.sent.push(Sent { at, leg, to, payload_type, marker, sequence, timestamp, ssrc, payload });
                }
                MediaOutput::Event(event) => self.events.push(event),
                MediaOutput::Bind { leg, port } => {
                    let ok = (self.bind)(port);
                    self.other.push(MediaOutput::Bind { leg, port });
                    if let Some(ok) = ok {
                        self.give(MediaInput::Bound { leg, port, ok });
                    }
                }
                other => self.other.push(other),
            }
        }
    }

    /// Lets time pass, with a tick whenever the plane wants one.
    pub fn wait(&mut self, millis: u64) {
        let until = self.now + Duration::from_millis(millis);
        while let Some(next) = self.plane.next_timeout().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.give(MediaInput::Tick);
        }
        self.now = until;
    }

    /// Lets time pass without a tick, then gives one.
    pub fn stall(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.give(MediaInput::Tick);
    }

    pub fn take_events(&mut self) -> Vec<MediaEvent> {
        std::mem::take(&mut self.events)
    }

    pub fn take_sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }
}
