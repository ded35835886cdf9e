//! A thread that is woken for each of many things spends more on waking than on them: to a virtual machine a wake costs as
//! much as forwarding a packet. Where work comes wake after wake, a thread rests a moment in between and finds several
//! things at once. Who wakes once in a while is never held up.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Rest {
    /// From one wake to the next, at least, while there is much to do.
    every: Duration,
    /// Wakes that follow each other within this are close together.
    near: Duration,
    woke: Instant,
    is_busy: bool,
}

impl Rest {
    /// Rests as long as each rest is followed by work at once, or nearly so.
    pub fn new(every: Duration) -> Rest {
        Rest::between(every, every * 3 / 2)
    }

    /// For work that comes in bursts: rests while wakes follow each other within `near`.
    pub fn between(every: Duration, near: Duration) -> Rest {
        Rest { every, near, woke: Instant::now(), is_busy: false }
    }

    /// Before a wait for more: rests if wakes come close together, but never as long as until something is `due`.
    pub fn before_waiting(&self, due: Option<Duration>) {
        if !self.is_busy {
            return;
        }
        let rest = self.every.saturating_sub(self.woke.elapsed());
        let rest = due.map_or(rest, |due| due.min(rest));
        if rest > Duration::ZERO {
            std::thread::sleep(rest);
        }
    }

    /// The wait is over, and something has come or not.
    pub fn woke(&mut self, has_work: bool) {
        let now = Instant::now();
        self.is_busy = has_work && now.saturating_duration_since(self.woke) < self.near;
        self.woke = now;
    }
}

/// Sleeps of the calling thread end when they should, instead of up to 50 us later. Where that is refused they do not.
pub(super) fn sleep_exactly() {
    let _ = nix::sys::prctl::set_timerslack(1_000);
}
