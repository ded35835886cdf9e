//! The server transaction of every request but INVITE and ACK (RFC 3261 §17.2.2): repeats get the same answer again.
//!
//! What is answered is decided elsewhere; until then repeats are absorbed.

use super::timers::{T1_TIMES_64, TimerName};
use super::transaction::Effect;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing has been answered.
    Trying,
    /// A provisional answer has been sent.
    Proceeding,
    /// Answered; repeats get the same again until J.
    Completed,
    Terminated,
}

#[derive(Debug)]
pub struct ServerNonInvite {
    state: State,
    reliable: bool,
    last: Option<Vec<u8>>,
}

impl ServerNonInvite {
    pub fn new(reliable: bool) -> ServerNonInvite {
        ServerNonInvite { state: State::Trying, reliable, last: None }
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// The same request has come again.
    pub fn repeated(&self, effects: &mut Vec<Effect>) {
        effects.extend(self.last.clone().map(Effect::Send));
    }

    /// The user answers. A second final answer is not sent.
    pub fn respond(&mut self, status: u16, bytes: Vec<u8>, effects: &mut Vec<Effect>) {
        if !matches!(self.state, State::Trying | State::Proceeding) {
            return;
        }
        effects.push(Effect::Send(bytes.clone()));
        self.last = Some(bytes);
        if status < 200 {
            self.state = State::Proceeding;
        } else if self.reliable {
            self.state = State::Terminated;
            effects.push(Effect::Terminated);
        } else {
            self.state = State::Completed;
            effects.push(Effect::Set(TimerName::J, T1_TIMES_64));
        }
    }

    pub fn timeout(&mut self, timer: TimerName, effects: &mut Vec<Effect>) {
        if (timer, self.state) == (TimerName::J, State::Completed) {
            self.state = State::Terminated;
            effects.push(Effect::Terminated);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::transaction::did;
    use Effect::{Send, Set, Terminated};

    #[test]
    fn a_repeat_gets_the_same_answer_until_j() {
        let mut machine = ServerNonInvite::new(false);
        assert_eq!(did(|e| machine.repeated(e)), []);
        let answered = did(|e| machine.respond(200, b"200".to_vec(), e));
        assert_eq!(answered, [Send(b"200".to_vec()), Set(TimerName::J, T1_TIMES_64)]);
        assert_eq!(did(|e| machine.repeated(e)), [Send(b"200".to_vec())]);
        assert_eq!(did(|e| machine.respond(500, b"500".to_vec(), e)), []);
        assert_eq!(did(|e| machine.timeout(TimerName::J, e)), [Terminated]);
    }

    #[test]
    fn on_tcp_it_ends_with_its_answer() {
        let mut machine = ServerNonInvite::new(true);
        assert_eq!(did(|e| machine.respond(404, b"404".to_vec(), e)), [Send(b"404".to_vec()), Terminated]);
    }
}
