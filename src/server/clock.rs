//! The only place that reads clocks. The core is told what time it is; see `time.rs`.

use crate::time::{Now, Time, Wall};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Both clocks, counted from one start that every thread of the program shares.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose [`Time::ZERO`] is now.
    pub fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    /// The monotonic clock alone: all that the media threads need.
    pub fn time(&self) -> Time {
        Time::from_micros(self.start.elapsed().as_micros() as u64)
    }

    /// Both clocks. A calendar clock set before 1970 reads as 1970.
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { time: self.time(), wall: Wall::from_micros(wall.as_micros() as i64) }
    }
}
