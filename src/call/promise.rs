//! The call's entry in the promise ledger, from the wish for a person to its end; and how a call ends.

use super::event::{Effect, LineDirection};
use super::record::ReleasedBy;
use super::{Call, Place};
use crate::promise::{AskedBy, Closing, Due};
use std::time::Duration;

/// The call's entry in the promise ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PromiseState {
    None,
    /// Asked to be written; `written` once it is on disk.
    Open {
        written: bool,
    },
    Due {
        written: bool,
    },
    Closed,
}

impl Call {
    /// One entry a call: a second wish for a person, or a message, belongs to the one that is open.
    pub(super) fn open_promise(&mut self, asked_by: AskedBy) {
        match self.promise {
            PromiseState::None | PromiseState::Closed => {
                self.promise = PromiseState::Open { written: false };
                let queue = self.line_plan().human.to.clone();
                self.effects.push(Effect::OpenPromise { asked_by, queue });
            }
            PromiseState::Due { written } => self.promise = PromiseState::Open { written },
            PromiseState::Open { .. } => {}
        }
    }

    /// The caller has gone: by their own wish the promise is closed, by the network's it stays and is due.
    pub(super) fn caller_left(&mut self, network: bool) {
        if self.place == Place::Over {
            return;
        }
        self.trace(LineDirection::World, if network { "lost".into() } else { "hang-up".into() });
        if let PromiseState::Open { .. } = self.promise {
            if network {
                let due = self.due_when_cut();
                self.make_due(due);
            } else if let Some(due) = self.kept_at_hang_up() {
                self.make_due(due);
            } else {
                self.close_promise(Closing::CallerHungUp);
            }
        }
        let (by, cause) = if network { (ReleasedBy::Network, 38) } else { (ReleasedBy::Caller, 16) };
        self.over(by, cause);
    }

    /// We end the call.
    pub(super) fn finish(&mut self, by: ReleasedBy, cause: u8) {
        if self.place == Place::Over {
            return;
        }
        if let PromiseState::Open { .. } = self.promise {
            let due = self.due_when_cut();
            self.make_due(due);
        }
        self.trace(LineDirection::Engine, "hang-up".into());
        self.over(by, cause);
    }

    /// A message that was left before the line broke is not forgotten for it.
    pub(super) fn due_when_cut(&self) -> Due {
        self.message.clone().map_or(Due::Cut, Due::Message)
    }

    pub(super) fn over(&mut self, by: ReleasedBy, cause: u8) {
        let had_ticket = matches!(self.place, Place::Waiting(_) | Place::Talking(_) | Place::Joining { .. });
        if self.is_recording() {
            self.effects.push(Effect::StopRecord { cut_tail: Duration::ZERO });
        }
        if matches!(self.place, Place::Talking(_)) {
            self.effects.push(Effect::DropAgent { back_to_queue: false });
        } else if had_ticket {
            self.effects.push(Effect::Leave { abandoned: true });
        }
        self.leave_step();
        self.marks.ended = self.marks.ended.or(Some(self.now.time));
        self.released = self.released.or(Some((by, cause)));
        self.place = Place::Over;
        self.effects.push(Effect::HangUp { cause });
    }

    pub(super) fn make_due(&mut self, why: Due) {
        if why == Due::CallBackPromised {
            self.marks.callback_promised = self.marks.callback_promised.or(Some(self.now.time));
        }
        self.promise = PromiseState::Due { written: false };
        let word = match &why {
            Due::CallBackPromised => "call-back",
            Due::Cut => "cut",
            Due::Message(_) => "message",
        };
        self.trace(LineDirection::Engine, format!("promise due {word}"));
        self.effects.push(Effect::PromiseDue(why));
    }

    pub(super) fn close_promise(&mut self, how: Closing) {
        if let PromiseState::Open { .. } = self.promise {
            self.promise = PromiseState::Closed;
            let word = match how {
                Closing::Conversation => "conversation",
                Closing::CallerHungUp => "caller hung up",
                Closing::CallBackDone => "call-back done",
                Closing::MessageTaken => "message taken",
                Closing::ByHand => "by hand",
            };
            self.trace(LineDirection::Engine, format!("promise closed {word}"));
            self.effects.push(Effect::ClosePromise(how));
        }
    }

    pub(super) fn promise_written(&mut self) {
        if let PromiseState::Open { written } = &mut self.promise {
            *written = true;
        }
        if matches!(self.place, Place::Waiting(_)) {
            self.announce_once_written();
        }
    }

    pub(super) fn due_written(&mut self) {
        // What is due is open in the ledger too, for a caller who has asked for a person again since.
        if let PromiseState::Due { written } | PromiseState::Open { written } = &mut self.promise {
            *written = true;
        }
        match self.place {
            Place::Kept(_) => self.kept_written(),
            Place::Step(_) => self.step_kept(),
            Place::Waiting(_) => self.announce_once_written(),
            _ => {}
        }
    }
}
