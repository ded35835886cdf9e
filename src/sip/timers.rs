//! The timers of RFC 3261 §17 (with RFC 6026) and those of dialogs and bindings, one sentence each.
//!
//! A timer has no clock here: a machine asks for it by name, the stack turns owner and name into one [`SipTimer`], the
//! engine keeps the deadline and gives the timer back when it is due.

use super::stack::SipTimer;
use std::time::Duration;

/// Estimate of a round trip (RFC 3261 §17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);
/// Longest pause between two sendings of a request other than INVITE, or of a response to INVITE.
pub const T2: Duration = Duration::from_secs(4);
/// Longest that a message stays in the network.
pub const T4: Duration = Duration::from_secs(5);
/// Longest that anybody waits for an answer to what it sends again and again.
pub const T1_TIMES_64: Duration = Duration::from_secs(32);

/// The next pause of a sending that is repeated: twice the last, at most [`T2`].
pub fn next_interval(last: Duration) -> Duration {
    (last * 2).min(T2)
}

/// What a timer is for. A to M belong to transactions, `Answer…` and `CancelLost` to legs, `Bindings` to agents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TimerName {
    /// Sends our INVITE again while nothing at all has answered it: after T1, then each time after twice as long; not on TCP.
    A,
    /// Gives our INVITE up when nothing has answered it for 64*T1.
    B,
    /// Keeps our refused INVITE for 32 s so that repeats of the refusal are acknowledged again; 0 on TCP.
    D,
    /// Sends our other requests again until their final answer: after T1, doubling up to T2; not on TCP.
    E,
    /// Gives our other requests up after 64*T1.
    F,
    /// Sends our refusal of an INVITE again until its ACK: after T1, doubling up to T2; not on TCP.
    G,
    /// Stops waiting for the ACK of our refusal after 64*T1.
    H,
    /// Absorbs repeated ACKs of our refusal for T4; 0 on TCP.
    I,
    /// Keeps our answer to another request for 64*T1 for its repeats; 0 on TCP.
    J,
    /// Absorbs repeated answers to our other requests for T4; 0 on TCP.
    K,
    /// Absorbs repeats of an INVITE that we answered with 2xx for 64*T1 (RFC 6026 §7.1).
    L,
    /// Takes further 2xx to our INVITE, repeated or forked, for 64*T1 after the first (RFC 6026 §7.2).
    M,
    /// Sends our 200 to an INVITE again until its ACK, on any transport: after T1, doubling up to T2 (RFC 3261 §13.3.1.4).
    AnswerAgain,
    /// Ends the dialog when its 200 has not been acknowledged for 64*T1 (RFC 3261 §13.3.1.4).
    AnswerLost,
    /// Gives our cancelled INVITE up when no final answer has come for 64*T1 after the CANCEL (RFC 3261 §9.1).
    CancelLost,
    /// Takes an agent's bindings out when their time is over (RFC 3261 §10.3).
    Bindings,
}

const NAMES: [TimerName; 16] = [
    TimerName::A,
    TimerName::B,
    TimerName::D,
    TimerName::E,
    TimerName::F,
    TimerName::G,
    TimerName::H,
    TimerName::I,
    TimerName::J,
    TimerName::K,
    TimerName::L,
    TimerName::M,
    TimerName::AnswerAgain,
    TimerName::AnswerLost,
    TimerName::CancelLost,
    TimerName::Bindings,
];

impl TimerName {
    /// The timer of this name that belongs to owner number `owner` (a transaction, a leg or an agent, as the name tells).
    pub fn of(self, owner: u64) -> SipTimer {
        SipTimer(owner << 4 | self as u64)
    }

    /// Name and owner number of a timer.
    pub fn read(timer: SipTimer) -> (TimerName, u64) {
        (NAMES[(timer.0 & 15) as usize], timer.0 >> 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_timer_is_read_back_as_it_was_made() {
        for name in NAMES {
            for owner in [0, 1, 77, u64::MAX >> 4] {
                assert_eq!(TimerName::read(name.of(owner)), (name, owner));
            }
        }
    }

    #[test]
    fn repeats_double_up_to_t2() {
        let mut pauses = vec![T1];
        for _ in 0..4 {
            pauses.push(next_interval(*pauses.last().unwrap()));
        }
        assert_eq!(pauses.iter().map(Duration::as_millis).collect::<Vec<_>>(), [500, 1000, 2000, 4000, 4000]);
    }
}
