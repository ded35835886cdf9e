//! The one place that stores deadlines. Machines wish `Set` and `Clear`; what is due comes out in order of time.

use crate::call::event::CallTimer;
use crate::engine::output::QuestionId;
use crate::ids::CallId;
use crate::queue::QueueTimer;
use crate::sip::stack::SipTimer;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Every timer there is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Timer {
    Sip(SipTimer),
    Call(CallId, CallTimer),
    Queue(QueueTimer),
    /// The world has not answered in time.
    Ask(QuestionId),
    /// A write that failed is tried again.
    Retry(QuestionId),
}

#[derive(Debug, Default)]
pub struct Timers {
    due: BTreeSet<(Time, Timer)>,
    at: BTreeMap<Timer, Time>,
}

impl Timers {
    /// Replaces an earlier deadline of the same timer.
    pub fn set(&mut self, timer: Timer, at: Time) {
        self.clear(&timer);
        self.due.insert((at, timer.clone()));
        self.at.insert(timer, at);
    }

    pub fn clear(&mut self, timer: &Timer) {
        if let Some(at) = self.at.remove(timer) {
            self.due.remove(&(at, timer.clone()));
        }
    }

    /// Takes the earliest timer whose time has come.
    pub fn take_due(&mut self, now: Time) -> Option<Timer> {
        let (at, _) = self.due.first()?;
        if *at > now {
            return None;
        }
        let (_, timer) = self.due.pop_first()?;
        self.at.remove(&timer);
        Some(timer)
    }

    pub fn next(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    pub fn all(&self) -> impl Iterator<Item = &Timer> {
        self.at.keys()
    }

    /// Clears all timers of one call.
    pub fn forget_call(&mut self, call: CallId) {
        let first = Timer::Call(call, CallTimer::Start);
        let of_call: Vec<Timer> = self
            .at
            .range(first..)
            .map(|(timer, _)| timer)
            .take_while(|timer| matches!(timer, Timer::Call(of, _) if *of == call))
            .cloned()
            .collect();
        for timer in of_call {
            self.clear(&timer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_set_again_fires_once_at_its_new_time() {
        let mut timers = Timers::default();
        let listen = Timer::Call(CallId(1), CallTimer::Listen);
        timers.set(listen.clone(), Time::from_millis(10));
        timers.set(listen.clone(), Time::from_millis(20));
        assert_eq!(timers.take_due(Time::from_millis(15)), None);
        assert_eq!(timers.take_due(Time::from_millis(20)), Some(listen));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn forgetting_a_call_leaves_the_timers_of_its_neighbours() {
        let mut timers = Timers::default();
        for call in 1..=3 {
            timers.set(Timer::Call(CallId(call), CallTimer::Start), Time::from_millis(call));
            timers.set(Timer::Call(CallId(call), CallTimer::AgentMedia), Time::from_millis(call));
        }
        timers.forget_call(CallId(2));
        let mut left = Vec::new();
        while let Some(Timer::Call(call, _)) = timers.take_due(Time::from_millis(9)) {
            left.push(call.0);
        }
        assert_eq!(left, [1, 1, 3, 3]);
    }
}
