//! A call's questions over HTTP: asked of the world with a deadline, answered or given up.

use super::Engine;
use crate::call::event::{Event, Query};
use crate::engine::output::Question;
use crate::ids::CallId;
use crate::step::lookup::LookupFailure;

impl Engine {
    pub(super) fn look_up(&mut self, call: CallId, query: Query) {
        let (number, deadline) = (query.number, query.deadline);
        if self.has_too_many_questions() {
            return self.tell(call, Event::LookedUp { number, found: Err(LookupFailure::Unreachable) });
        }
        let id = self.ask(Some(call), Question::LookUp(Box::new(query)), deadline);
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.lookup_question = Some(id);
        }
    }

    /// The caller has gone on.
    pub(super) fn forget_look_up(&mut self, call: CallId) {
        if let Some(id) = self.calls.get_mut(&call).and_then(|entry| entry.lookup_question.take()) {
            self.forget_question(id);
        }
    }
}
