//! The media plane of the weather: it only keeps time, loses ports and recordings now and then, and sees that the engine's
//! orders make sense (one `Open`, one `Close`, nothing after it, nobody in two bridges).

use onekey::codec::StreamCounts;
use onekey::ids::LegId;
use onekey::media::command::{MediaCommand, MediaEvent};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What goes wrong with media in this run.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// In a hundred.
    pub no_port: u32,
    pub no_sound: u32,
    pub no_recording: u32,
}

/// Something that will be told, if it still holds then.
#[derive(Clone, Debug)]
pub struct Later {
    pub leg: LegId,
    pub event: MediaEvent,
    play_order: Option<u64>,
    recording: Option<u64>,
}

#[derive(Debug, Default)]
struct Stream {
    refused: bool,
    closed: bool,
    orders: u64,
    heard: bool,
    mute: bool,
    recordings: u64,
    recording: Option<PathBuf>,
    peer: Option<LegId>,
}

#[derive(Debug, Default)]
pub struct Streams {
    streams: BTreeMap<LegId, Stream>,
    next_port: u16,
    /// Keys of an INFO that were pressed for the other side.
    pub keys_sent: u64,
    /// What the engine should not have ordered.
    pub wrong: Vec<String>,
}

impl Streams {
    /// `dice`: an even number from 0 to 99 for what may go wrong with this order.
    pub fn order(&mut self, command: &MediaCommand, faults: Faults, dice: u32) -> Vec<(Duration, Later)> {
        match command {
            MediaCommand::Open { leg } => self.open(*leg, faults, dice),
            MediaCommand::Bridge { a, b } => {
                self.bridge(*a, *b);
                Vec::new()
            }
            MediaCommand::Unbridge { a, b } => {
                for leg in [a, b] {
                    if let Some(stream) = self.alive(*leg, command) {
                        stream.peer = None;
                    }
                }
                Vec::new()
            }
            MediaCommand::Start { leg, .. } => match self.alive(*leg, command) {
                Some(stream) if !stream.heard && !stream.mute => {
                    stream.heard = true;
                    vec![soon(*leg, MediaEvent::FirstPacket { leg: *leg })]
                }
                _ => Vec::new(),
            },
            MediaCommand::Play { leg, play, prompts, repeat } => {
                let Some(stream) = self.alive(*leg, command) else { return Vec::new() };
                stream.orders += 1;
                let play_order = Some(stream.orders);
                let (leg, play) = (*leg, *play);
                let later = |event| Later { leg, event, play_order, recording: None };
                let (mut at, mut coming) = (Duration::ZERO, Vec::new());
                for prompt in prompts.iter().filter(|_| !repeat) {
                    let offer = prompt.facts.offer_ends.map(|ends| (at + ends, MediaEvent::OfferHeard { leg, play }));
                    coming.extend(offer.map(|(at, event)| (at, later(event))));
                    at += prompt.facts.length;
                }
                if !repeat {
                    coming.push((at, later(MediaEvent::PlayDone { leg, play })));
                }
                coming
            }
            MediaCommand::SendKey { leg, .. } => {
                self.keys_sent += 1;
                if self.alive(*leg, command).is_some_and(|stream| stream.peer.is_none()) {
                    self.wrong.push(format!("a key is pressed on {leg}, which is in no bridge"));
                }
                Vec::new()
            }
            MediaCommand::Stop { leg } => {
                if let Some(stream) = self.alive(*leg, command) {
                    stream.orders += 1;
                }
                Vec::new()
            }
            MediaCommand::Record { leg, file, silence, .. } => self.record(*leg, file, *silence, faults, dice, command),
            MediaCommand::StopRecord { leg, .. } => {
                let _ = self.alive(*leg, command);
                self.recorded(*leg).into_iter().collect()
            }
            MediaCommand::Close { leg } => self.close(*leg, command),
        }
    }

    fn open(&mut self, leg: LegId, faults: Faults, dice: u32) -> Vec<(Duration, Later)> {
        let refused = dice < faults.no_port;
        let mute = (dice + 37) % 100 < faults.no_sound;
        if self.streams.insert(leg, Stream { refused, mute, ..Stream::default() }).is_some() {
            self.wrong.push(format!("{leg} is opened twice"));
        }
        self.next_port = (self.next_port + 2) % 20_000;
        let port = 20_000 + self.next_port;
        let event = if refused {
            MediaEvent::Refused { leg, reason: "no port".into() }
        } else {
            MediaEvent::Opened { leg, port }
        };
        vec![soon(leg, event)]
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        for (leg, peer) in [(a, b), (b, a)] {
            let Some(stream) = self.alive(leg, &MediaCommand::Bridge { a, b }) else { continue };
            stream.orders += 1;
            if let Some(old) = stream.peer.replace(peer).filter(|old| *old != peer) {
                self.wrong.push(format!("{leg} is bridged to {peer} while it is with {old}"));
            }
        }
    }

    fn record(
        &mut self,
        leg: LegId,
        file: &std::path::Path,
        silence: Option<Duration>,
        faults: Faults,
        dice: u32,
        command: &MediaCommand,
    ) -> Vec<(Duration, Later)> {
        let mut coming: Vec<(Duration, Later)> = self.recorded(leg).into_iter().collect();
        let Some(stream) = self.alive(leg, command) else { return coming };
        if dice < faults.no_recording {
            coming.push(soon(leg, MediaEvent::RecordFailed { leg, reason: "disk full".into() }));
            return coming;
        }
        stream.recordings += 1;
        stream.recording = Some(file.to_owned());
        if let Some(silence) = silence {
            let (event, recording) = (recorded(leg, file), Some(stream.recordings));
            let later = Later { leg, event, play_order: None, recording };
            coming.push((Duration::from_secs(5) + silence, later));
        }
        coming
    }

    fn recorded(&mut self, leg: LegId) -> Option<(Duration, Later)> {
        let file = self.streams.get_mut(&leg)?.recording.take()?;
        let (at, later) = soon(leg, recorded(leg, &file));
        Some((at * 20, later))
    }

    fn close(&mut self, leg: LegId, command: &MediaCommand) -> Vec<(Duration, Later)> {
        let mut coming: Vec<(Duration, Later)> = self.recorded(leg).into_iter().collect();
        let Some(stream) = self.alive(leg, command) else { return coming };
        stream.closed = true;
        let (refused, peer) = (stream.refused, stream.peer.take());
        if let Some(peer) = peer.and_then(|peer| self.streams.get_mut(&peer)) {
            peer.peer = None;
        }
        // One that was refused is not known to the media plane.
        if !refused {
            coming.push(soon(leg, MediaEvent::Closed { leg, counts: StreamCounts::default() }));
        }
        coming
    }

    fn alive(&mut self, leg: LegId, command: &MediaCommand) -> Option<&mut Stream> {
        match self.streams.get_mut(&leg) {
            Some(stream) if !stream.closed => Some(stream),
            Some(_) => {
                self.wrong.push(format!("after its Close {leg} is ordered {command:?}"));
                None
            }
            None => {
                self.wrong.push(format!("{leg} was never opened: {command:?}"));
                None
            }
        }
    }

    /// Does it still hold? What it says has happened then.
    pub fn happens(&mut self, later: &Later) -> bool {
        let Some(stream) = self.streams.get_mut(&later.leg) else { return false };
        if let Some(recording) = later.recording {
            let holds = stream.recordings == recording && stream.recording.is_some();
            if holds {
                stream.recording = None;
            }
            return holds;
        }
        later.play_order.is_none_or(|order| stream.orders == order && !stream.closed)
    }

    pub fn is_open(&self, leg: LegId) -> bool {
        self.streams.get(&leg).is_some_and(|stream| !stream.closed && !stream.refused)
    }

    /// Legs whose ports are still taken.
    pub fn all_open(&self) -> Vec<LegId> {
        self.streams.keys().copied().filter(|leg| self.is_open(*leg)).collect()
    }
}

fn recorded(leg: LegId, file: &std::path::Path) -> MediaEvent {
    MediaEvent::Recorded { leg, file: file.to_owned(), length: Duration::from_secs(5) }
}

fn soon(leg: LegId, event: MediaEvent) -> (Duration, Later) {
    (Duration::from_millis(2), Later { leg, event, play_order: None, recording: None })
}
