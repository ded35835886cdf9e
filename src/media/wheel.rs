//! Twenty phases of one millisecond: every leg that plays is served in one of them, every 20 ms.
//!
//! So the packets of thousands of legs leave spread over the 20 ms instead of all at once, without a timer for each.
//! When a leg's frame is due, and what it sends, the leg knows itself.

use crate::codec::FRAME_MS;
use crate::time::Time;

const PHASES: u64 = FRAME_MS as u64;
/// A leg may begin so many phases before its own, where fewer legs are: its second packet leaves up to 4 ms early.
const NEARBY: u64 = 4;

/// Which legs (by their place in the plane) are served when.
#[derive(Debug, Default)]
pub struct Wheel {
    phases: [Vec<u32>; PHASES as usize],
    /// The last millisecond that was served.
    served: u64,
    legs: usize,
}

impl Wheel {
    /// A phase for a leg that wants to be served about `due`: that phase or one shortly before, the emptiest.
    /// Returns the phase and the exact time.
    pub fn join_near(&mut self, now: Time, slot: u32, due: Time) -> (u8, Time) {
        let due_ms = due.as_micros() / 1000;
        let earliest = due_ms.saturating_sub(NEARBY).max(now.as_micros() / 1000 + 1).min(due_ms);
        let load = |ms: &u64| self.phases[(ms % PHASES) as usize].len();
        let chosen = (earliest..=due_ms).rev().min_by_key(load).unwrap_or(due_ms);
        if self.legs == 0 {
            self.served = now.as_micros() / 1000;
        }
        self.legs += 1;
        self.phases[(chosen % PHASES) as usize].push(slot);
        ((chosen % PHASES) as u8, Time::from_millis(chosen))
    }

    pub fn leave(&mut self, slot: u32, phase: u8) {
        let legs = &mut self.phases[usize::from(phase)];
        if let Some(at) = legs.iter().position(|other| *other == slot) {
            legs.swap_remove(at);
            self.legs -= 1;
        }
    }

    /// When the next phase with a leg in it comes.
    pub fn next(&self) -> Option<Time> {
        if self.legs == 0 {
            return None;
        }
        let coming = self.served + 1..=self.served + PHASES;
        coming.into_iter().find(|ms| !self.phases[(ms % PHASES) as usize].is_empty()).map(Time::from_millis)
    }

    /// The next phase that is due by `now` with its legs, which must be given back by [`Wheel::put_back`].
    /// After a stall each phase comes once, the oldest first.
    pub fn take_due(&mut self, now: Time) -> Option<(u8, Vec<u32>)> {
        let now_ms = now.as_micros() / 1000;
        self.served = self.served.max(now_ms.saturating_sub(PHASES));
        while self.served < now_ms {
            self.served += 1;
            let phase = (self.served % PHASES) as usize;
            if !self.phases[phase].is_empty() {
                return Some((phase as u8, std::mem::take(&mut self.phases[phase])));
            }
        }
        None
    }

    /// Gives back the legs of a phase, without those that `removed` names the number of.
    pub fn put_back(&mut self, phase: u8, mut legs: Vec<u32>, removed: usize) {
        self.legs -= removed;
        // Empty unless a leg joined meanwhile.
        legs.append(&mut self.phases[usize::from(phase)]);
        self.phases[usize::from(phase)] = legs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_are_spread_over_nearby_phases_and_none_is_served_late() {
        let mut wheel = Wheel::default();
        let due = Time::from_millis(1020);
        let mut seen = [0; 20];
        for slot in 0..50 {
            let (phase, at) = wheel.join_near(Time::from_millis(1000), slot, due);
            assert!(at <= due && due.since(at).as_millis() <= 4);
            seen[usize::from(phase)] += 1;
        }
        assert_eq!(&seen[16..], &[10, 10, 10, 10]);
        assert_eq!(seen[0], 10);
        assert_eq!(wheel.next(), Some(Time::from_millis(1016)));
    }

    #[test]
    fn a_stall_serves_each_phase_once() {
        let mut wheel = Wheel::default();
        wheel.join_near(Time::ZERO, 1, Time::from_millis(20));
        wheel.join_near(Time::ZERO, 2, Time::from_millis(5));
        let mut served = Vec::new();
        while let Some((phase, legs)) = wheel.take_due(Time::from_millis(500)) {
            served.extend(legs.iter().copied());
            wheel.put_back(phase, legs, 0);
        }
        served.sort_unstable();
        assert_eq!(served, [1, 2]);
        assert!(wheel.next().unwrap() > Time::from_millis(500));
    }

    #[test]
    fn a_wheel_without_legs_wants_nothing() {
        let mut wheel = Wheel::default();
        let (phase, _) = wheel.join_near(Time::ZERO, 1, Time::from_millis(20));
        wheel.leave(1, phase);
        wheel.leave(1, phase);
        assert_eq!(wheel.next(), None);
        assert!(wheel.take_due(Time::from_millis(100)).is_none());
    }
}
