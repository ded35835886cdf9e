//! The INVITE client transaction (RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2).
//!
//! The ACK of a refusal is sent here, on the same branch; the ACK of a 2xx is the dialog's and comes from the leg.

use super::timers::{T1, T1_TIMES_64, TimerName};
use super::transaction::Effect;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Sent; nothing has come back.
    Calling,
    /// A provisional answer has come.
    Proceeding,
    /// Refused and acknowledged; repeats of the refusal are acknowledged again.
    Completed,
    /// Answered with 2xx; further ones are passed to the user.
    Accepted,
    Terminated,
}

/// The machine:
///
/// ```text
///          1xx              2xx            M
/// Calling ----> Proceeding ----> Accepted  ----> Terminated     (A repeats, B gives up)
///    |              |  300-699            D
///    +--------------+---------> Completed ----> Terminated
/// ```
#[derive(Debug)]
pub struct ClientInvite {
    state: State,
    reliable: bool,
    /// The INVITE while it may be sent again, then the ACK of its refusal.
    bytes: Vec<u8>,
    interval: Duration,
}

impl ClientInvite {
    pub fn start(request: Vec<u8>, reliable: bool, effects: &mut Vec<Effect>) -> ClientInvite {
        effects.push(Effect::Send(request.clone()));
        if !reliable {
            effects.push(Effect::Set(TimerName::A, T1));
        }
        effects.push(Effect::Set(TimerName::B, T1_TIMES_64));
        ClientInvite { state: State::Calling, reliable, bytes: request, interval: T1 }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// A response. `ack` makes the ACK of a refusal. `true`: the user must hear of it.
    pub fn response(&mut self, status: u16, ack: impl FnOnce() -> Vec<u8>, effects: &mut Vec<Effect>) -> bool {
        match self.state {
            State::Calling | State::Proceeding => {
                if self.state == State::Calling {
                    effects.extend([Effect::Clear(TimerName::A), Effect::Clear(TimerName::B)]);
                }
                match status {
                    0..200 => self.state = State::Proceeding,
                    200..300 => {
                        self.state = State::Accepted;
                        self.bytes = Vec::new();
                        effects.push(Effect::Set(TimerName::M, T1_TIMES_64));
                    }
                    _ => self.refused(ack(), effects),
                }
                true
            }
            State::Accepted => (200..300).contains(&status),
            State::Completed if status >= 300 => {
                effects.push(Effect::Send(self.bytes.clone()));
                false
            }
            State::Completed | State::Terminated => false,
        }
    }

    pub fn timeout(&mut self, timer: TimerName, effects: &mut Vec<Effect>) {
        match (timer, self.state) {
            (TimerName::A, State::Calling) => {
                effects.push(Effect::Send(self.bytes.clone()));
                self.interval *= 2;
                effects.push(Effect::Set(TimerName::A, self.interval));
            }
            (TimerName::B, State::Calling) => {
                effects.extend([Effect::Clear(TimerName::A), Effect::TimedOut]);
                self.terminate(effects);
            }
            (TimerName::D, State::Completed) | (TimerName::M, State::Accepted) => self.terminate(effects),
            _ => {}
        }
    }

    /// The user waits no longer for a final answer (RFC 3261 §9.1: 64*T1 after the CANCEL).
    pub fn give_up(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.state, State::Calling | State::Proceeding) {
            effects.extend([Effect::Clear(TimerName::A), Effect::Clear(TimerName::B)]);
            self.terminate(effects);
        }
    }

    fn refused(&mut self, ack: Vec<u8>, effects: &mut Vec<Effect>) {
        effects.push(Effect::Send(ack.clone()));
        self.bytes = ack;
        if self.reliable {
            self.terminate(effects);
        } else {
            self.state = State::Completed;
            effects.push(Effect::Set(TimerName::D, T1_TIMES_64));
        }
    }

    fn terminate(&mut self, effects: &mut Vec<Effect>) {
        self.state = State::Terminated;
        effects.push(Effect::Terminated);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::transaction::did;
    use Effect::{Clear, Send, Set, Terminated, TimedOut};
    use TimerName::{A, B, D, M};

    fn started(reliable: bool) -> ClientInvite {
        ClientInvite::start(b"INVITE".to_vec(), reliable, &mut Vec::new())
    }

    fn ack() -> Vec<u8> {
        b"ACK".to_vec()
    }

    #[test]
    fn it_is_sent_again_after_t1_and_ever_longer_until_b() {
        let mut effects = Vec::new();
        let mut machine = ClientInvite::start(b"INVITE".to_vec(), false, &mut effects);
        assert_eq!(effects, [Send(b"INVITE".to_vec()), Set(A, T1), Set(B, T1_TIMES_64)]);
        for times in [2, 4, 8, 16, 32] {
            assert_eq!(did(|e| machine.timeout(A, e)), [Send(b"INVITE".to_vec()), Set(A, times * T1)]);
        }
        assert_eq!(did(|e| machine.timeout(B, e)), [Clear(A), TimedOut, Terminated]);
    }

    #[test]
    fn a_provisional_stops_the_repeats() {
        let mut machine = started(false);
        assert_eq!(did(|e| assert!(machine.response(180, ack, e))), [Clear(A), Clear(B)]);
        assert_eq!(did(|e| machine.timeout(A, e)), []);
        assert_eq!(did(|e| machine.timeout(B, e)), []);
    }

    #[test]
    fn a_refusal_is_told_once_and_acknowledged_each_time_until_d() {
        let mut machine = started(false);
        did(|e| assert!(machine.response(100, ack, e)));
        assert_eq!(did(|e| assert!(machine.response(486, ack, e))), [Send(ack()), Set(D, T1_TIMES_64)]);
        assert_eq!(did(|e| assert!(!machine.response(486, ack, e))), [Send(ack())]);
        assert_eq!(did(|e| assert!(!machine.response(180, ack, e))), []);
        assert_eq!(did(|e| machine.timeout(D, e)), [Terminated]);
    }

    #[test]
    fn every_2xx_is_passed_on_until_m_and_nothing_else() {
        let mut machine = started(false);
        assert_eq!(did(|e| assert!(machine.response(200, ack, e))), [Clear(A), Clear(B), Set(M, T1_TIMES_64)]);
        assert_eq!(did(|e| assert!(machine.response(200, ack, e))), []);
        assert_eq!(did(|e| assert!(!machine.response(180, ack, e))), []);
        assert_eq!(did(|e| assert!(!machine.response(486, ack, e))), []);
        assert_eq!(did(|e| machine.timeout(M, e)), [Terminated]);
    }

    #[test]
    fn on_tcp_nothing_is_sent_again_and_a_refusal_ends_it() {
        let mut effects = Vec::new();
        let mut machine = ClientInvite::start(b"INVITE".to_vec(), true, &mut effects);
        assert_eq!(effects, [Send(b"INVITE".to_vec()), Set(B, T1_TIMES_64)]);
        assert_eq!(did(|e| assert!(machine.response(603, ack, e))), [Clear(A), Clear(B), Send(ack()), Terminated]);
    }

    #[test]
    fn giving_up_ends_it_only_before_a_final_answer() {
        let mut machine = started(false);
        did(|e| assert!(machine.response(180, ack, e)));
        assert_eq!(did(|e| machine.give_up(e)), [Clear(A), Clear(B), Terminated]);
        let mut machine = started(false);
        did(|e| assert!(machine.response(200, ack, e)));
        assert_eq!(did(|e| machine.give_up(e)), []);
    }
}
