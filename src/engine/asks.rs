//! Questions to the world, and its answers: early, late or never.

use super::Engine;
use super::timers::Timer;
use crate::call::event::Event;
use crate::caller::NumberHash;
use crate::engine::input::{Answer, Reply};
use crate::engine::output::{Ask, Output, Question, QuestionId};
use crate::ids::{CallId, PromiseId};
use crate::promise::Entry;
use crate::queue::ledger::promise_of;
use crate::step::lookup::LookupFailure;
use std::collections::VecDeque;
use std::time::Duration;

/// The ledger and the store are waited for this long before it counts as trouble; nothing in a call waits for it.
pub(super) const STORE_DEADLINE: Duration = Duration::from_secs(2);
/// A write that failed is tried again after this.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Most questions without an answer; above it nothing new is asked of the store (the registry fails open at once).
const ASKED_MAX: usize = 100_000;

/// A question without an answer yet.
#[derive(Debug)]
pub(super) enum Asked {
    Registry(CallId),
    /// Look-up `number` of the call.
    LookUp {
        call: CallId,
        number: u64,
    },
    /// Kept whole, so that it can be tried again until it is written.
    Promise {
        call: Option<CallId>,
        entry: Entry,
    },
    Bindings,
}

impl Engine {
    pub(super) fn ask_registry(&mut self, call: CallId, hash: NumberHash) {
        if self.has_too_many_questions() {
            return self.tell(call, Event::RegistryUnknown);
        }
        let deadline = self.config.registry_deadline;
        let id = self.ask(Some(call), Question::Registry(hash), deadline);
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.registry_question = Some(id);
        }
    }

    /// Entries of one promise are written one after the other: one that fails and is tried again must not be overtaken,
    /// or a promise would be due (or closed) in the file before it is opened, and be lost by a restart.
    pub(super) fn ask_ledger(&mut self, call: Option<CallId>, entry: Entry) {
        if let Some(behind) = self.behind.get_mut(&promise_of(&entry)) {
            // A newer reason replaces one that nobody has read, so that a long wait is no long line.
            if let (Some((_, Entry::Due { .. })), Entry::Due { .. }) = (behind.back(), &entry) {
                behind.pop_back();
            }
            return behind.push_back((call, entry));
        }
        self.behind.insert(promise_of(&entry), VecDeque::new());
        self.ask(call, Question::Promise(entry), STORE_DEADLINE);
    }

    /// What waited for `written` to be on disk goes out.
    fn ask_next(&mut self, written: PromiseId) {
        let Some(behind) = self.behind.get_mut(&written) else { return };
        match behind.pop_front() {
            Some((call, entry)) => {
                self.ask(call, Question::Promise(entry), STORE_DEADLINE);
            }
            None => {
                self.behind.remove(&written);
            }
        }
    }

    pub(super) fn has_too_many_questions(&self) -> bool {
        self.asked.len() >= ASKED_MAX
    }

    /// Nobody waits for the answer any more.
    pub(super) fn forget_question(&mut self, id: QuestionId) {
        self.asked.remove(&id);
        self.timers.clear(&Timer::Ask(id));
    }

    pub(super) fn ask(&mut self, call: Option<CallId>, question: Question, within: Duration) -> QuestionId {
        self.next_question += 1;
        let id = QuestionId(self.next_question);
        let asked = match (&question, call) {
            (Question::Registry(_), Some(call)) => Asked::Registry(call),
            (Question::LookUp(query), Some(call)) => Asked::LookUp { call, number: query.number },
            (Question::Promise(entry), call) => Asked::Promise { call, entry: entry.clone() },
            _ => Asked::Bindings,
        };
        self.asked.insert(id, asked);
        let deadline = self.now.time + within;
        self.timers.set(Timer::Ask(id), deadline);
        self.out.push(Output::Ask(Ask { id, deadline, question }));
        id
    }

    pub(super) fn answered(&mut self, reply: Reply) {
        self.timers.clear(&Timer::Ask(reply.id));
        let Some(asked) = self.asked.remove(&reply.id) else { return };
        match (asked, reply.answer) {
            (Asked::Registry(call), Answer::Registry(facts)) => self.tell(call, Event::Registry(facts)),
            (Asked::Registry(call), _) => {
                self.counters.registry_troubles += 1;
                self.tell(call, Event::RegistryUnknown);
            }
            (Asked::LookUp { call, number }, Answer::LookedUp(found)) => {
                self.tell(call, Event::LookedUp { number, found })
            }
            (Asked::LookUp { call, number }, _) => {
                self.tell(call, Event::LookedUp { number, found: Err(LookupFailure::Unreachable) });
            }
            (Asked::Promise { call, entry }, Answer::Written) => {
                self.ask_next(promise_of(&entry));
                let event = match entry {
                    Entry::Opened(_) => Event::PromiseWritten,
                    Entry::Due { .. } => Event::DueWritten,
                    Entry::Closed { .. } | Entry::Taken { .. } => return,
                };
                if let Some(call) = call {
                    self.tell(call, event);
                }
            }
            (Asked::Promise { call, entry }, _) => {
                self.counters.ledger_troubles += 1;
                self.asked.insert(reply.id, Asked::Promise { call, entry });
                self.timers.set(Timer::Retry(reply.id), self.now.time + RETRY_AFTER);
            }
            (Asked::Bindings, Answer::Failed(_)) => self.counters.store_troubles += 1,
            (Asked::Bindings, _) => {}
        }
    }

    /// The deadline has passed. A caller is not held back; an answer that still comes is still heard.
    pub(super) fn ask_is_late(&mut self, id: QuestionId) {
        match self.asked.get(&id) {
            Some(Asked::Registry(call)) => {
                let call = *call;
                self.counters.registry_troubles += 1;
                self.tell(call, Event::RegistryUnknown);
            }
            Some(Asked::LookUp { call, number }) => {
                let (call, number) = (*call, *number);
                self.asked.remove(&id);
                self.tell(call, Event::LookedUp { number, found: Err(LookupFailure::Late) });
            }
            Some(Asked::Promise { .. }) => self.counters.ledger_troubles += 1,
            Some(Asked::Bindings) => {
                self.counters.store_troubles += 1;
                self.asked.remove(&id);
            }
            None => {}
        }
    }

    pub(super) fn ask_again(&mut self, id: QuestionId) {
        if let Some(Asked::Promise { call, entry }) = self.asked.remove(&id) {
            self.ask(call, Question::Promise(entry), STORE_DEADLINE);
        }
    }
}
