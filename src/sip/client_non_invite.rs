//! The client transaction of every request but INVITE and ACK (RFC 3261 §17.1.2): here BYE and CANCEL.
//!
//! Which request it is, and what its answer means, is not its affair.

use super::timers::{T1, T1_TIMES_64, T2, T4, TimerName, next_interval};
use super::transaction::Effect;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Sent; nothing has come back.
    Trying,
    /// A provisional answer has come; repeats go on at T2.
    Proceeding,
    /// Answered; repeats of the answer are absorbed until K.
    Completed,
    Terminated,
}

#[derive(Debug)]
pub struct ClientNonInvite {
    state: State,
    reliable: bool,
    request: Vec<u8>,
    interval: Duration,
}

impl ClientNonInvite {
    pub fn start(request: Vec<u8>, reliable: bool, effects: &mut Vec<Effect>) -> ClientNonInvite {
        effects.push(Effect::Send(request.clone()));
        if !reliable {
            effects.push(Effect::Set(TimerName::E, T1));
        }
        effects.push(Effect::Set(TimerName::F, T1_TIMES_64));
        ClientNonInvite { state: State::Trying, reliable, request, interval: T1 }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// A response. `true`: the user must hear of it.
    pub fn response(&mut self, status: u16, effects: &mut Vec<Effect>) -> bool {
        if !matches!(self.state, State::Trying | State::Proceeding) {
            return false;
        }
        if status < 200 {
            self.state = State::Proceeding;
            return true;
        }
        effects.extend([Effect::Clear(TimerName::E), Effect::Clear(TimerName::F)]);
        if self.reliable {
            self.terminate(effects);
        } else {
            self.state = State::Completed;
            effects.push(Effect::Set(TimerName::K, T4));
        }
        true
    }

    pub fn timeout(&mut self, timer: TimerName, effects: &mut Vec<Effect>) {
        match (timer, self.state) {
            (TimerName::E, State::Trying | State::Proceeding) => {
                effects.push(Effect::Send(self.request.clone()));
                self.interval = if self.state == State::Trying { next_interval(self.interval) } else { T2 };
                effects.push(Effect::Set(TimerName::E, self.interval));
            }
            (TimerName::F, State::Trying | State::Proceeding) => {
                effects.extend([Effect::Clear(TimerName::E), Effect::TimedOut]);
                self.terminate(effects);
            }
            (TimerName::K, State::Completed) => self.terminate(effects),
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
    use Effect::{Clear, Send, Set, Terminated, TimedOut};
    use TimerName::{E, F, K};

    #[test]
    fn it_is_sent_again_up_to_every_t2_until_f() {
        let mut effects = Vec::new();
        let mut machine = ClientNonInvite::start(b"BYE".to_vec(), false, &mut effects);
        assert_eq!(effects, [Send(b"BYE".to_vec()), Set(E, T1), Set(F, T1_TIMES_64)]);
        for times in [2, 4, 8, 8] {
            assert_eq!(did(|e| machine.timeout(E, e)), [Send(b"BYE".to_vec()), Set(E, times * T1)]);
        }
        assert_eq!(did(|e| machine.timeout(F, e)), [Clear(E), TimedOut, Terminated]);
    }

    #[test]
    fn a_provisional_slows_the_repeats_to_t2() {
        let mut machine = ClientNonInvite::start(b"BYE".to_vec(), false, &mut Vec::new());
        assert_eq!(did(|e| assert!(machine.response(100, e))), []);
        assert_eq!(did(|e| machine.timeout(E, e)), [Send(b"BYE".to_vec()), Set(E, T2)]);
    }

    #[test]
    fn the_answer_is_told_once_and_its_repeats_absorbed_until_k() {
        let mut machine = ClientNonInvite::start(b"BYE".to_vec(), false, &mut Vec::new());
        assert_eq!(did(|e| assert!(machine.response(200, e))), [Clear(E), Clear(F), Set(K, T4)]);
        assert_eq!(did(|e| assert!(!machine.response(200, e))), []);
        assert_eq!(did(|e| machine.timeout(E, e)), []);
        assert_eq!(did(|e| machine.timeout(K, e)), [Terminated]);
    }

    #[test]
    fn on_tcp_it_ends_with_its_answer() {
        let mut effects = Vec::new();
        let mut machine = ClientNonInvite::start(b"BYE".to_vec(), true, &mut effects);
        assert_eq!(effects, [Send(b"BYE".to_vec()), Set(F, T1_TIMES_64)]);
        assert_eq!(did(|e| assert!(machine.response(200, e))), [Clear(E), Clear(F), Terminated]);
    }
}
