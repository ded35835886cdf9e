//! The network between the far ends and the engine's ports: loses, doubles, delays and overtakes, by dice.
//!
//! What is under way waits here in order of its arrival, together with everything else that happens by itself.

use super::wire::DATAGRAM_MAX;
use onekey::ids::LegId;
use onekey::key::Key;
use onekey::time::Time;
use rand_chacha::ChaCha12Rng;
use rand_core::Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::Duration;

/// What the network does to RTP in this run, all in one thousand / milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Air {
    pub lost: u32,
    pub doubled: u32,
    /// Reordered.
    pub late: u32,
    pub delay_ms: u32,
    pub jitter_ms: u32,
}

/// What a datagram is, as only its sender knows.
#[derive(Clone, Copy, Debug)]
pub enum Sort {
    /// Frame `number` of `speaker`.
    Sound {
        speaker: u16,
        number: u32,
    },
    /// A packet of a press, `units` after its beginning; `from` units its segment begins.
    Event {
        press: u32,
        key: Key,
        from: u32,
        units: u32,
        end: bool,
    },
    Rtcp,
    Junk,
}

/// A datagram under way.
#[derive(Clone, Copy, Debug)]
pub struct Flight {
    pub from: SocketAddr,
    pub port: u16,
    pub sort: Sort,
    pub stranger: bool,
    pub length: u16,
    pub bytes: [u8; DATAGRAM_MAX],
}

impl Flight {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Something that happens by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Happening {
    /// A datagram arrives, by its place.
    Arrives(u32),
    /// A far end's next 20 ms; stale unless it is still at this turn.
    PhoneSends {
        phone: u32,
        turn: u32,
    },
    StrangerSends(u32),
    /// The disk answers for the oldest of this leg's files that waits.
    DiskAnswers(LegId, u16),
}

/// Everything that is still to come.
#[derive(Debug, Default)]
pub struct Coming {
    queue: BinaryHeap<Reverse<(Time, u64, Happening)>>,
    flights: Vec<Flight>,
    free: Vec<u32>,
    count: u64,
}

impl Coming {
    pub fn plan(&mut self, at: Time, happening: Happening) {
        self.count += 1;
        self.queue.push(Reverse((at, self.count, happening)));
    }

    pub fn next(&self) -> Option<Time> {
        self.queue.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next that is due by `now`.
    pub fn take(&mut self, now: Time) -> Option<(Time, Happening)> {
        self.next().filter(|at| *at <= now)?;
        self.queue.pop().map(|Reverse((at, _, happening))| (at, happening))
    }

    /// The datagram that has arrived.
    pub fn land(&mut self, place: u32) -> Flight {
        self.free.push(place);
        self.flights[place as usize]
    }

    /// Sends a datagram through the air. `newest` is when the last of its stream arrives: only what is late overtakes.
    pub fn throw(&mut self, now: Time, air: &Air, dice: &mut ChaCha12Rng, newest: &mut Time, flight: &Flight) {
        let chance = dice.next_u32();
        if chance % 1000 < air.lost {
            return;
        }
        let fate = dice.next_u32();
        let jitter = (u64::from(fate) * u64::from(air.jitter_ms) * 1000) >> 32;
        let arrives = now + Duration::from_micros(u64::from(air.delay_ms) * 1000 + jitter);
        let late = (chance >> 10) % 1000 < air.late;
        let arrives = if late {
            arrives + Duration::from_millis(15 + u64::from(fate % 70))
        } else {
            *newest = arrives.max(*newest);
            *newest
        };
        self.launch(arrives, flight);
        if (chance >> 20) % 1000 < air.doubled {
            self.launch(arrives + Duration::from_micros(u64::from(fate % 45_000)), flight);
        }
    }

    fn launch(&mut self, arrives: Time, flight: &Flight) {
        let place = match self.free.pop() {
            Some(place) => {
                self.flights[place as usize] = *flight;
                place
            }
            None => {
                self.flights.push(*flight);
                self.flights.len() as u32 - 1
            }
        };
        self.plan(arrives, Happening::Arrives(place));
    }
}
