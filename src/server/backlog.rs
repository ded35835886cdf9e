//! Whether SIP messages wait so long for the control loop that new calls must be refused.
//!
//! More calls than a machine can take are the worse for all: answers come after callers have asked again, and each repeat
//! takes the time of another answer until nobody gets one (RFC 5390 §3, "congestion collapse"). Whoever is refused at once
//! (503) is tried elsewhere by a carrier; those who are here are served.

use std::time::Duration;

/// Half of what a peer waits before it sends an INVITE again (RFC 3261 §17.1.1.1, T1).
const TOO_LONG: Duration = Duration::from_millis(250);
const SHORT: Duration = Duration::from_millis(20);
/// Fewer that wait are worked off in a moment, however long the machine stood still before.
const MANY: usize = 500;

#[derive(Debug, Default)]
pub struct Backlog {
    is_behind: bool,
}

impl Backlog {
    /// The next message had to wait for so long, and behind it there are so many. What is to be told, if that has changed:
    /// whether the loop is behind with its work.
    pub fn next(&mut self, waited: Duration, waiting: usize) -> Option<bool> {
        let is_behind = match self.is_behind {
            true => waited > SHORT,
            false => waited > TOO_LONG && waiting > MANY,
        };
        (std::mem::replace(&mut self.is_behind, is_behind) != is_behind).then_some(is_behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn behind_from_a_long_wait_of_many_until_the_wait_is_short() {
        let mut backlog = Backlog::default();
        assert_eq!(backlog.next(ms(5), 100), None);
        assert_eq!(backlog.next(ms(200), 5000), None, "many at once, and soon done");
        assert_eq!(backlog.next(ms(900), 50), None, "the machine stood still");
        assert_eq!(backlog.next(ms(251), 501), Some(true));
        assert_eq!(backlog.next(ms(251), 501), None, "told once");
        assert_eq!(backlog.next(ms(100), 10), None, "not yet over");
        assert_eq!(backlog.next(ms(20), 10), Some(false));
        assert_eq!(backlog.next(ms(21), 10), None);
    }
}
