//! A thread that is woken for each of many things spends more on waking than on them: to a virtual machine a wake costs as
//! much as forwarding a packet. Where work comes wake after wake, a thread rests a moment in between and finds several
//! things at once. Who wakes once in a while is never held up.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Rest {
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
        let rest = self.left(Instant::now(), due);
        if rest > Duration::ZERO {
            std::thread::sleep(rest);
        }
    }

    /// The wait is over, and something has come or not.
    pub fn woke(&mut self, has_work: bool) {
        self.woke_at(Instant::now(), has_work);
    }

    fn left(&self, now: Instant, due: Option<Duration>) -> Duration {
        if !self.is_busy {
            return Duration::ZERO;
        }
        let rest = self.every.saturating_sub(now.saturating_duration_since(self.woke));
        due.map_or(rest, |due| due.min(rest))
    }

    fn woke_at(&mut self, now: Instant, has_work: bool) {
        self.is_busy = has_work && now.saturating_duration_since(self.woke) < self.near;
        self.woke = now;
    }
}

/// Sleeps of the calling thread end when they should, instead of up to 50 us later. Where that is refused they do not.
pub fn sleep_exactly() {
    let _ = nix::sys::prctl::set_timerslack(1_000);
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn us(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn who_wakes_often_rests_and_who_wakes_once_in_a_while_does_not() {
        let (mut rest, start) = (Rest::new(us(300)), Instant::now() + us(10_000));
        rest.woke_at(start, true);
        assert_eq!(rest.left(start, None), Duration::ZERO, "the first for a long time");
        rest.woke_at(start + us(100), true);
        assert_eq!(rest.left(start + us(150), None), us(250), "from the wake on");
        assert_eq!(rest.left(start + us(150), Some(us(40))), us(40), "but something is due");
        rest.woke_at(start + us(420), true);
        assert_eq!(rest.left(start + us(420), None), us(300), "work at once after the rest");
        rest.woke_at(start + us(900), true);
        assert_eq!(rest.left(start + us(900), None), Duration::ZERO, "the rest was in vain");
        rest.woke_at(start + us(950), false);
        assert_eq!(rest.left(start + us(950), None), Duration::ZERO, "nothing has come");
    }

    #[test]
    fn bursts_are_gathered_though_there_is_a_pause_between_them() {
        let (mut rest, start) = (Rest::between(us(500), us(2000)), Instant::now() + us(10_000));
        rest.woke_at(start, true);
        rest.woke_at(start + us(1000), true);
        assert_eq!(rest.left(start + us(1000), None), us(500));
    }
}
