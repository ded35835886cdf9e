//! A media plane that only keeps time: ports are always there, prompts take as long as they are, keys always arrive.

use crate::codec::StreamCounts;
use crate::ids::LegId;
use crate::media::command::{MediaCommand, MediaEvent};
use crate::prompt::Prompt;
use crate::script::MESSAGE_SPOKEN;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// All streams of a rehearsal.
#[derive(Debug, Default)]
pub struct Sound {
    streams: BTreeMap<LegId, Stream>,
    /// Agents' legs from which no sound comes.
    pub mute: Vec<LegId>,
    next_port: u16,
}

#[derive(Debug, Default)]
struct Stream {
    /// Orders so far: what an older one had promised does not happen any more.
    orders: u64,
    recordings: u64,
    recording: Option<(PathBuf, u64)>,
    heard: bool,
}

/// Something that will happen on a stream unless another order comes first.
#[derive(Clone, PartialEq, Debug)]
pub struct Later {
    pub leg: LegId,
    pub event: MediaEvent,
    only_if: OnlyIf,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum OnlyIf {
    Order(u64),
    Recording(u64),
    Always,
}

impl Sound {
    /// Carries out an order; returns what will come of it, and after how long.
    pub fn order(&mut self, command: MediaCommand) -> Vec<(Duration, Later)> {
        match command {
            MediaCommand::Open { leg } => {
                self.streams.insert(leg, Stream::default());
                self.next_port = self.next_port.wrapping_add(2);
                let event = MediaEvent::Opened { leg, port: 20_000 + self.next_port % 10_000 };
                vec![now(leg, event)]
            }
            MediaCommand::Start { leg, .. } => self.start(leg),
            MediaCommand::Play { leg, play, prompts, repeat: false } => {
                let order = OnlyIf::Order(self.new_order(leg));
                let mut coming = Vec::new();
                let mut at = Duration::ZERO;
                for prompt in &prompts {
                    if let Some(ends) = prompt.facts.offer_ends {
                        coming.push((
                            at + ends,
                            Later { leg, event: MediaEvent::OfferHeard { leg, play }, only_if: order },
                        ));
                    }
                    at += length(prompt);
                }
                coming.push((at, Later { leg, event: MediaEvent::PlayDone { leg, play }, only_if: order }));
                coming
            }
            MediaCommand::Play { leg, .. } | MediaCommand::Stop { leg } => {
                self.new_order(leg);
                Vec::new()
            }
            MediaCommand::Bridge { a, b } => {
                self.new_order(a);
                self.new_order(b);
                Vec::new()
            }
            MediaCommand::Unbridge { .. } | MediaCommand::SendKey { .. } | MediaCommand::Confine { .. } => Vec::new(),
            MediaCommand::Record { leg, file, silence, .. } => self.record(leg, file, silence),
            MediaCommand::StopRecord { leg, .. } => self.recorded(leg),
            MediaCommand::Close { leg } => {
                let mut coming = self.recorded(leg);
                coming.push(now(leg, MediaEvent::Closed { leg, counts: StreamCounts::default() }));
                coming
            }
        }
    }

    /// Does it still hold? Asked when its time has come.
    pub fn happens(&self, later: &Later) -> bool {
        let stream = self.streams.get(&later.leg);
        match later.only_if {
            OnlyIf::Order(order) => stream.is_some_and(|stream| stream.orders == order),
            OnlyIf::Recording(number) => {
                stream.is_some_and(|stream| stream.recording.as_ref().is_some_and(|(_, of)| *of == number))
            }
            OnlyIf::Always => true,
        }
    }

    /// Must be told of what happens, so that a recording is not ended twice.
    pub fn happened(&mut self, later: &Later) {
        if let (MediaEvent::Recorded { .. }, Some(stream)) = (&later.event, self.streams.get_mut(&later.leg)) {
            stream.recording = None;
        }
    }

    fn start(&mut self, leg: LegId) -> Vec<(Duration, Later)> {
        let mute = self.mute.contains(&leg);
        match self.streams.get_mut(&leg) {
            Some(stream) if !stream.heard && !mute => {
                stream.heard = true;
                vec![now(leg, MediaEvent::FirstPacket { leg })]
            }
            _ => Vec::new(),
        }
    }

    fn record(&mut self, leg: LegId, file: PathBuf, silence: Option<Duration>) -> Vec<(Duration, Later)> {
        let Some(stream) = self.streams.get_mut(&leg) else { return Vec::new() };
        stream.recordings += 1;
        stream.recording = Some((file.clone(), stream.recordings));
        let only_if = OnlyIf::Recording(stream.recordings);
        let event = MediaEvent::Recorded { leg, file, length: MESSAGE_SPOKEN };
        silence.map(|silence| (MESSAGE_SPOKEN + silence, Later { leg, event, only_if })).into_iter().collect()
    }

    fn recorded(&mut self, leg: LegId) -> Vec<(Duration, Later)> {
        let Some((file, _)) = self.streams.get_mut(&leg).and_then(|stream| stream.recording.take()) else {
            return Vec::new();
        };
        vec![now(leg, MediaEvent::Recorded { leg, file, length: MESSAGE_SPOKEN })]
    }

    fn new_order(&mut self, leg: LegId) -> u64 {
        let stream = self.streams.entry(leg).or_default();
        stream.orders += 1;
        stream.orders
    }
}

fn now(leg: LegId, event: MediaEvent) -> (Duration, Later) {
    (Duration::ZERO, Later { leg, event, only_if: OnlyIf::Always })
}

fn length(prompt: &Arc<Prompt>) -> Duration {
    prompt.facts.length
}
