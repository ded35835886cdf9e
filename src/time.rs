//! Time as an input. The core cannot ask what time it is; the shell tells it with every input.
//!
//! [`Time`] is monotonic and drives every timer; [`Wall`] is the calendar's time and is used only for opening hours,
//! call records and the promise ledger. Both count microseconds.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// Microseconds since the engine's start, never going back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(u64);

impl Time {
    /// The engine's start.
    pub const ZERO: Time = Time(0);
    /// Later than any deadline; never reached.
    pub const NEVER: Time = Time(u64::MAX);

    pub const fn from_micros(micros: u64) -> Time {
        Time(micros)
    }

    pub const fn from_millis(millis: u64) -> Time {
        Time(millis * 1000)
    }

    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, length: Duration) -> Time {
        Time(self.0.saturating_add(length.as_micros() as u64))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, length: Duration) {
        *self = *self + length;
    }
}

impl Sub<Time> for Time {
    type Output = Duration;
    fn sub(self, earlier: Time) -> Duration {
        self.since(earlier)
    }
}

/// Microseconds since 1970-01-01 00:00 UTC, as the machine's calendar clock tells it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Wall(i64);

impl Wall {
    pub const fn from_micros(micros: i64) -> Wall {
        Wall(micros)
    }

    pub const fn from_seconds(seconds: i64) -> Wall {
        Wall(seconds * 1_000_000)
    }

    pub const fn as_micros(self) -> i64 {
        self.0
    }

    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

impl Add<Duration> for Wall {
    type Output = Wall;
    fn add(self, length: Duration) -> Wall {
        Wall(self.0.saturating_add(length.as_micros() as i64))
    }
}

/// Both clocks, read once by the shell for one input.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    pub time: Time,
    pub wall: Wall,
}
