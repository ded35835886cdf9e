//! The INVITE server transaction (RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1).
//!
//! Repeats of the INVITE end here. A 200 is sent again by the leg, not here, until its ACK: that is the dialog's affair.

use super::timers::{T1, T1_TIMES_64, T4, TimerName, next_interval};
use super::transaction::Effect;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// The user (a leg) has not given a final answer.
    Proceeding,
    /// Refused; the ACK is awaited.
    Completed,
    /// Refused and acknowledged; repeated ACKs are absorbed.
    Confirmed,
    /// Answered with 2xx; repeats of the INVITE are absorbed.
    Accepted,
    Terminated,
}

/// The machine:
///
/// ```text
///             1xx             2xx               L
/// Proceeding -----> itself   -----> Accepted  -----> Terminated
///     |  300-699              ACK               I
///     +--------> Completed   -----> Confirmed -----> Terminated     (G repeats, H gives up)
/// ```
#[derive(Debug)]
pub struct ServerInvite {
    state: State,
    /// On TCP nothing is sent again.
    reliable: bool,
    /// What a repeated INVITE is answered with.
    last: Option<Vec<u8>>,
    interval: Duration,
}

impl ServerInvite {
    pub fn new(reliable: bool) -> ServerInvite {
        ServerInvite { state: State::Proceeding, reliable, last: None, interval: T1 }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// The same INVITE has come again.
    pub fn repeated(&mut self, effects: &mut Vec<Effect>) {
        if let (State::Proceeding | State::Completed, Some(last)) = (self.state, &self.last) {
            effects.push(Effect::Send(last.clone()));
        }
    }

    /// The user answers. A second final answer is not sent.
    pub fn respond(&mut self, status: u16, bytes: Vec<u8>, effects: &mut Vec<Effect>) {
        if self.state != State::Proceeding {
            return;
        }
        effects.push(Effect::Send(bytes.clone()));
        match status {
            0..200 => self.last = Some(bytes),
            200..300 => {
                self.state = State::Accepted;
                self.last = None;
                effects.push(Effect::Set(TimerName::L, T1_TIMES_64));
            }
            _ => {
                self.state = State::Completed;
                self.last = Some(bytes);
                if !self.reliable {
                    effects.push(Effect::Set(TimerName::G, self.interval));
                }
                effects.push(Effect::Set(TimerName::H, T1_TIMES_64));
            }
        }
    }

    /// An ACK with this transaction's branch. `true`: it acknowledges a 2xx and belongs to the user (RFC 2543 peers keep the branch).
    pub fn acknowledged(&mut self, effects: &mut Vec<Effect>) -> bool {
        if self.state == State::Completed {
            effects.extend([Effect::Clear(TimerName::G), Effect::Clear(TimerName::H)]);
            if self.reliable {
                self.terminate(effects);
            } else {
                self.state = State::Confirmed;
                self.last = None;
                effects.push(Effect::Set(TimerName::I, T4));
            }
        }
        self.state == State::Accepted
    }

    pub fn timeout(&mut self, timer: TimerName, effects: &mut Vec<Effect>) {
        match (timer, self.state) {
            (TimerName::G, State::Completed) => {
                effects.extend(self.last.clone().map(Effect::Send));
                self.interval = next_interval(self.interval);
                effects.push(Effect::Set(TimerName::G, self.interval));
            }
            (TimerName::H, State::Completed) => {
                effects.push(Effect::Clear(TimerName::G));
                self.terminate(effects);
            }
            (TimerName::I, State::Confirmed) | (TimerName::L, State::Accepted) => self.terminate(effects),
            _ => {}
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
    use Effect::{Clear, Send, Set, Terminated};
    use TimerName::{G, H, I, L};

    #[test]
    fn a_repeated_invite_is_answered_with_the_last_response() {
        let mut machine = ServerInvite::new(false);
        assert_eq!(did(|e| machine.respond(100, b"100".to_vec(), e)), [Send(b"100".to_vec())]);
        assert_eq!(did(|e| machine.repeated(e)), [Send(b"100".to_vec())]);
        did(|e| machine.respond(180, b"180".to_vec(), e));
        assert_eq!(did(|e| machine.repeated(e)), [Send(b"180".to_vec())]);
    }

    #[test]
    fn a_refusal_is_sent_again_until_its_ack_and_the_ack_is_absorbed_for_t4() {
        let mut machine = ServerInvite::new(false);
        let refused = did(|e| machine.respond(486, b"486".to_vec(), e));
        assert_eq!(refused, [Send(b"486".to_vec()), Set(G, T1), Set(H, T1_TIMES_64)]);
        assert_eq!(did(|e| machine.timeout(G, e)), [Send(b"486".to_vec()), Set(G, 2 * T1)]);
        assert_eq!(did(|e| machine.timeout(G, e)), [Send(b"486".to_vec()), Set(G, 4 * T1)]);
        assert_eq!(did(|e| machine.repeated(e)), [Send(b"486".to_vec())]);
        assert_eq!(did(|e| assert!(!machine.acknowledged(e))), [Clear(G), Clear(H), Set(I, T4)]);
        assert_eq!(did(|e| machine.repeated(e)), []);
        assert_eq!(did(|e| assert!(!machine.acknowledged(e))), []);
        assert_eq!(did(|e| machine.timeout(I, e)), [Terminated]);
    }

    #[test]
    fn a_refusal_without_ack_is_given_up_by_h() {
        let mut machine = ServerInvite::new(false);
        did(|e| machine.respond(487, b"487".to_vec(), e));
        assert_eq!(did(|e| machine.timeout(H, e)), [Clear(G), Terminated]);
        assert_eq!(did(|e| machine.timeout(G, e)), []);
    }

    #[test]
    fn after_a_200_repeats_are_absorbed_until_l_and_nothing_more_is_answered() {
        let mut machine = ServerInvite::new(false);
        assert_eq!(did(|e| machine.respond(200, b"200".to_vec(), e)), [Send(b"200".to_vec()), Set(L, T1_TIMES_64)]);
        assert_eq!(did(|e| machine.repeated(e)), []);
        assert_eq!(did(|e| machine.respond(487, b"487".to_vec(), e)), []);
        assert_eq!(did(|e| assert!(machine.acknowledged(e))), []);
        assert_eq!(did(|e| machine.timeout(L, e)), [Terminated]);
    }

    #[test]
    fn on_tcp_a_refusal_is_sent_once_and_ends_with_its_ack() {
        let mut machine = ServerInvite::new(true);
        assert_eq!(did(|e| machine.respond(486, b"486".to_vec(), e)), [Send(b"486".to_vec()), Set(H, T1_TIMES_64)]);
        assert_eq!(did(|e| assert!(!machine.acknowledged(e))), [Clear(G), Clear(H), Terminated]);
    }
}
