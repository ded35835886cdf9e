//! What is written down while the weather lasts, and whether it is right: ledger entries, marks, records.

use onekey::call::record::{CallRecord, ReleasedBy};
use onekey::ids::{CallId, PromiseId};
use onekey::promise::{Closing, Entry};
use onekey::queue::ledger::{Ledger, promise_of};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub struct Books {
    pub begun: BTreeSet<CallId>,
    ended: BTreeMap<CallId, CallRecord>,
    ledger: Ledger,
    /// Promises whose opening is on disk, and whose.
    written: BTreeMap<PromiseId, CallId>,
    closed: BTreeMap<PromiseId, Closing>,
    pub wrong: Vec<String>,
}

impl Books {
    pub fn entry_written(&mut self, entry: &Entry) {
        let promise = promise_of(entry);
        match entry {
            Entry::Opened(opened) => {
                if self.written.insert(promise, opened.call).is_some() {
                    self.wrong.push(format!("{promise} is opened twice"));
                }
            }
            _ if !self.written.contains_key(&promise) => {
                self.wrong.push(format!("before its opening is written {promise} gets {entry:?}"));
            }
            Entry::Closed { how, .. } => {
                if self.closed.insert(promise, *how).is_some() {
                    self.wrong.push(format!("{promise} is closed twice"));
                }
            }
            Entry::Due { .. } if self.closed.contains_key(&promise) => {
                self.wrong.push(format!("{promise} is due after its closing"));
            }
            Entry::Due { .. } | Entry::Taken { .. } => {}
        }
        self.ledger.apply(entry);
    }

    /// "You are in the queue" may only be said to a caller whose promise is on disk.
    pub fn hears_queued(&mut self, call: CallId) {
        if !self.written.values().any(|of| *of == call) {
            self.wrong.push(format!("{call} hears that it is in the queue before the ledger has it"));
        }
    }

    pub fn call_ended(&mut self, record: CallRecord) {
        self.wrong.extend(disorder(&record));
        let call = record.call;
        if self.ended.insert(call, record).is_some() {
            self.wrong.push(format!("{call} has two records"));
        }
    }

    /// Conversations and promises that are due, so that a run in which nothing happens is seen.
    pub fn totals(&self) -> (u64, u64) {
        let spoke = self.ended.values().filter(|record| record.marks.speaking.is_some()).count();
        (spoke as u64, self.ledger.due_count() as u64)
    }

    /// When all is over: everybody has a record, and nobody who asked for a person is without one and without a promise.
    pub fn balance(&mut self) {
        let records: Vec<CallRecord> = self.ended.values().cloned().collect();
        if records.iter().map(|record| record.call).collect::<BTreeSet<_>>() != self.begun {
            self.wrong.push(format!("calls {:?} began, records are of {:?}", self.begun, self.ended.keys()));
        }
        for record in &records {
            let call = record.call;
            let promises: Vec<PromiseId> =
                self.written.iter().filter(|(_, of)| **of == call).map(|(promise, _)| *promise).collect();
            if record.marks.human_asked.is_some() && promises.is_empty() {
                self.wrong.push(format!("{call} asked for a person and has no promise"));
            }
            let closed = |how| promises.iter().any(|promise| self.closed.get(promise) == Some(&how));
            let spoke = record.marks.speaking.is_some();
            if spoke && !closed(Closing::Conversation) {
                self.wrong.push(format!("{call} spoke with a person and no promise says so"));
            }
            if closed(Closing::CallerHungUp) && record.released_by != ReleasedBy::Caller {
                self.wrong.push(format!("{call} was ended by {:?}: not the caller's hanging up", record.released_by));
            }
            if spoke && record.released_by == ReleasedBy::Agent && promises.iter().any(|p| !self.closed.contains_key(p))
            {
                self.wrong.push(format!("{call} ended with its person and is still owed one"));
            }
        }
        for (promise, open) in self.ledger.open() {
            if open.due.is_none() {
                self.wrong.push(format!("{promise} of {} is open, not due, and its call is over", open.opened.call));
            }
        }
    }
}

/// Marks in order (DESIGN §1), and an ending that fits.
fn disorder(record: &CallRecord) -> Vec<String> {
    let marks = &record.marks;
    let (call, mut wrong) = (record.call, Vec::new());
    let chains = [
        vec![marks.invited, marks.answered, marks.first_prompt, marks.human_offered],
        vec![marks.invited, marks.answered, marks.human_asked, marks.queued, marks.agent_rings, marks.speaking],
        vec![marks.human_asked, marks.callback_promised],
    ];
    for chain in chains {
        let set: Vec<_> = chain.into_iter().flatten().collect();
        if !set.is_sorted() || set.iter().any(|mark| Some(*mark) > marks.ended) {
            wrong.push(format!("the marks of {call} are out of order: {marks:?}"));
        }
    }
    let missing = [
        (marks.queued, marks.human_asked, "in a queue without asking"),
        (marks.agent_rings, marks.queued, "rung for without a queue"),
        (marks.speaking, marks.agent_rings, "with a person whom nobody rang"),
        (marks.first_prompt, marks.answered, "spoken to without an answer"),
    ];
    for (_, _, what) in missing.iter().filter(|(mark, before, _)| mark.is_some() && before.is_none()) {
        wrong.push(format!("{call} is {what}: {marks:?}"));
    }
    if marks.answered.is_some() == record.status.is_some() || marks.ended.is_none() {
        wrong.push(format!("{call}: answered {:?}, status {:?}", marks.answered, record.status));
    }
    wrong
}
