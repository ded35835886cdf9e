//! Sound in one of two gears: `Words` (a model that keeps time, for years of calls) or `Bytes` (the real media planes with
//! real RTP frames). The world drives both alike.

use crate::bytes::{Air, Bytes};
use crate::words::{Faults, Words};
use onekey::codec::Codec;
use onekey::ids::{LegId, WorkerId};
use onekey::key::Key;
use onekey::media::command::{MediaCommand, MediaEvent};
use onekey::time::Time;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gear {
    Words,
    Bytes,
}

/// Payload type of keys in every phone's description.
const EVENTS: u8 = 101;

pub enum Sound {
    Words(Box<Words>),
    Bytes(Box<Bytes>),
}

impl Sound {
    pub fn new(gear: Gear, workers: u16, seed: u64, rtp_timeout: Duration) -> Sound {
        match gear {
            Gear::Words => Sound::Words(Box::new(Words::new(seed, rtp_timeout))),
            Gear::Bytes => Sound::Bytes(Box::new(Bytes::new(workers, seed, Air::default(), rtp_timeout))),
        }
    }

    pub fn set_weather(&mut self, faults: Faults, air: Air) {
        match self {
            Sound::Words(words) => words.set_faults(faults),
            Sound::Bytes(bytes) => {
                bytes.set_air(air);
                bytes.set_ports_fail(faults.no_port);
                bytes.set_recording_fails(faults.no_recording > 0);
            }
        }
    }

    pub fn restart(&mut self) {
        match self {
            Sound::Words(words) => words.restart(),
            Sound::Bytes(bytes) => bytes.restart(),
        }
    }

    pub fn next(&self) -> Option<Time> {
        match self {
            Sound::Words(words) => words.next(),
            Sound::Bytes(bytes) => bytes.next(),
        }
    }

    pub fn advance(&mut self, now: Time) -> Vec<(WorkerId, MediaEvent)> {
        match self {
            Sound::Words(words) => words.advance(now),
            Sound::Bytes(bytes) => bytes.advance(now),
        }
    }

    pub fn order(&mut self, now: Time, worker: WorkerId, command: MediaCommand) {
        match self {
            Sound::Words(words) => words.order(now, worker, &command),
            Sound::Bytes(bytes) => bytes.order(now, worker, command),
        }
    }

    pub fn phone_talks(&mut self, now: Time, from: SocketAddr, to_port: u16, codec: Codec) {
        match self {
            Sound::Words(words) => words.phone_talks(now, from, to_port),
            Sound::Bytes(bytes) => bytes.phone_talks(now, from, to_port, codec, Some(EVENTS)),
        }
    }

    pub fn phone_is_quiet(&mut self, now: Time, from: SocketAddr) {
        match self {
            Sound::Words(words) => words.phone_is_quiet(now, from),
            Sound::Bytes(bytes) => bytes.phone_is_quiet(from),
        }
    }

    pub fn phone_presses(&mut self, now: Time, from: SocketAddr, key: Key, held: Duration) {
        match self {
            Sound::Words(words) => words.phone_presses(now, from, key, held),
            Sound::Bytes(bytes) => bytes.phone_presses(now, from, key, held),
        }
    }

    /// Only bytes can be forged.
    pub fn stranger_sends(&mut self, now: Time, at_port: u16, spoofs: Option<SocketAddr>) {
        if let Sound::Bytes(bytes) = self {
            bytes.stranger_sends(now, at_port, spoofs);
        }
    }

    pub fn port_of(&self, leg: LegId) -> Option<u16> {
        match self {
            Sound::Words(words) => words.port_of(leg),
            Sound::Bytes(bytes) => bytes.open_port_of(leg),
        }
    }

    pub fn all_open(&self) -> Vec<LegId> {
        match self {
            Sound::Words(words) => words.all_open(),
            Sound::Bytes(bytes) => bytes.all_open(),
        }
    }

    pub fn take_wrong(&mut self) -> Vec<String> {
        match self {
            Sound::Words(words) => std::mem::take(&mut words.wrong),
            Sound::Bytes(bytes) => std::mem::take(&mut bytes.wrong),
        }
    }
}
