//! The expected wait: measured service times over the people who serve, rounded up to minutes (DESIGN §8).

use std::time::Duration;

/// Taken until a queue has served anyone.
const FIRST_GUESS: Duration = Duration::from_secs(180);
/// Least weight of the newest service time.
const NEWEST: f64 = 0.2;

/// A queue's mean time from an agent's answer to her being free again.
#[derive(Clone, PartialEq, Debug)]
pub struct Estimate {
    mean_seconds: f64,
    measured: u32,
}

impl Default for Estimate {
    fn default() -> Estimate {
        Estimate { mean_seconds: FIRST_GUESS.as_secs_f64(), measured: 0 }
    }
}

impl Estimate {
    /// A conversation with its wrap-up took so long.
    pub fn served(&mut self, length: Duration) {
        self.measured = self.measured.saturating_add(1);
        // The first ones are a plain mean, which replaces the guess; later ones count for the newest more.
        let weight = NEWEST.max(1.0 / f64::from(self.measured));
        self.mean_seconds += weight * (length.as_secs_f64() - self.mean_seconds);
    }

    /// The wait of the caller at `place` (1 is next) with so many people serving.
    pub fn wait(&self, place: u32, staffed: usize) -> Duration {
        Duration::from_secs_f64(self.mean_seconds * f64::from(place) / staffed.max(1) as f64)
    }

    /// The same in whole minutes, never told shorter than it is.
    pub fn minutes(&self, place: u32, staffed: usize) -> u32 {
        (self.wait(place, staffed).as_secs_f64() / 60.0).ceil().max(1.0) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_and_shared_by_the_agents_who_serve() {
        let estimate = Estimate::default();
        assert_eq!(estimate.minutes(1, 1), 3);
        assert_eq!(estimate.minutes(3, 2), 5);
        assert_eq!(estimate.minutes(1, 0), 3, "nobody serving counts as one");
    }

    #[test]
    fn the_first_measured_time_replaces_the_guess() {
        let mut estimate = Estimate::default();
        estimate.served(Duration::from_secs(12));
        assert_eq!(estimate.wait(1, 1), Duration::from_secs(12));
        estimate.served(Duration::from_secs(24));
        assert_eq!(estimate.wait(1, 1), Duration::from_secs(18));
    }

    #[test]
    fn measured_times_move_the_mean_towards_them() {
        let mut estimate = Estimate::default();
        for _ in 0..50 {
            estimate.served(Duration::from_secs(30));
        }
        assert_eq!(estimate.minutes(1, 1), 1);
        assert!(estimate.wait(1, 1) < Duration::from_secs(31));
    }
}
