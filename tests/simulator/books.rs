//! What is written down while the weather lasts, and whether it is right: ledger entries, marks, records, and who is owed
//! a person at every moment.

use onekey::call::record::{CallRecord, ReleasedBy};
use onekey::ids::{CallId, PromiseId};
use onekey::promise::{Closing, Entry};
use onekey::queue::ledger::{Ledger, promise_of};
use std::collections::{BTreeMap, BTreeSet};

/// A promise that the running engine must know to be open.
#[derive(Debug)]
struct Owed {
    call: CallId,
    number: Option<String>,
    due: bool,
}

#[derive(Debug, Default)]
pub struct Books {
    begun: BTreeSet<CallId>,
    /// Calls that ended with their process.
    killed: BTreeSet<CallId>,
    /// Calls of which the killed process had not written everything.
    excused: BTreeSet<CallId>,
    ended: BTreeMap<CallId, CallRecord>,
    ledger: Ledger,
    /// Promises whose opening is on disk, and whose.
    written: BTreeMap<PromiseId, CallId>,
    closed: BTreeMap<PromiseId, Closing>,
    owed: BTreeMap<PromiseId, Owed>,
    /// The newest promise of each call.
    newest: BTreeMap<CallId, PromiseId>,
    pub wrong: Vec<String>,
}

impl Books {
    pub fn call_begins(&mut self, call: CallId) {
        if !self.begun.insert(call) {
            self.wrong.push(format!("{call} begins twice"));
        }
    }

    /// The highest numbers so far: a process that starts again goes on after them.
    pub fn highest(&self) -> (u64, u64) {
        let promise = self.written.keys().chain(self.owed.keys()).max();
        (self.begun.last().map_or(0, |call| call.0), promise.map_or(0, |promise| promise.0))
    }

    /// The engine has asked for a promise to be opened; again, where the disk has failed.
    pub fn promised(&mut self, promise: PromiseId, call: CallId, number: Option<String>) {
        let newest = self.newest.get(&call).copied();
        if newest.is_none_or(|newest| newest < promise) {
            self.newest.insert(call, promise);
            self.owed.insert(promise, Owed { call, number, due: false });
        }
    }

    pub fn has_asked(&self, call: CallId) -> bool {
        self.newest.contains_key(&call)
    }

    /// Everybody who waits is owed a person.
    pub fn all_are_owed(&mut self, waiting: impl Iterator<Item = CallId>) {
        for call in waiting {
            if !self.newest.get(&call).is_some_and(|promise| self.owed.contains_key(promise)) {
                self.wrong.push(format!("{call} waits in a queue and is owed nothing"));
            }
        }
    }

    pub fn becomes_due(&mut self, call: CallId) {
        if let Some(owed) = self.newest.get(&call).and_then(|promise| self.owed.get_mut(promise)) {
            owed.due = true;
        }
    }

    /// A conversation keeps what the same person was promised on calls that are over, too.
    pub fn is_kept(&mut self, call: CallId, by_conversation: bool) {
        let Some(owed) = self.newest.get(&call).and_then(|promise| self.owed.remove(promise)) else { return };
        if let (true, Some(number)) = (by_conversation, owed.number) {
            let (begun, ended) = (&self.begun, &self.ended);
            self.owed.retain(|_, other| {
                let over = begun.contains(&other.call) && ended.contains_key(&other.call);
                !(other.due && over && other.number.as_ref() == Some(&number))
            });
        }
    }

    /// Does the engine count the same?
    pub fn compare(&mut self, open: u64, due: u64) {
        let ours = (self.owed.len() as u64, self.owed.values().filter(|owed| owed.due).count() as u64);
        if ours != (open, due) {
            self.wrong.push(format!("open and due promises are {ours:?}, the engine says {:?}", (open, due)));
        }
    }

    /// What a process that starts again must make due.
    pub fn open_and_not_due(&self) -> Vec<PromiseId> {
        let open = self.ledger.open().iter().filter(|(_, open)| open.due.is_none());
        open.map(|(promise, _)| *promise).collect()
    }

    /// Something of these promises was on its way to the disk when the process was killed.
    pub fn excuse(&mut self, promises: BTreeSet<PromiseId>) {
        let owed = promises.iter().filter_map(|promise| self.owed.get(promise)).map(|owed| owed.call);
        let newest = self.newest.iter().filter(|(_, promise)| promises.contains(promise)).map(|(call, _)| *call);
        self.excused.extend(owed.chain(newest));
    }

    /// The process is gone with its calls; the next one knows only what the ledger says. Returns what that is.
    pub fn restart(&mut self) -> Vec<PromiseId> {
        let live = self.begun.iter().filter(|call| !self.ended.contains_key(call));
        self.killed.extend(live.copied());
        self.newest.clear();
        let open: Vec<PromiseId> = self.ledger.open().keys().copied().collect();
        // Of earlier runs the engine knows no number, so no later conversation closes them.
        let owed = |promise: &PromiseId| (*promise, Owed { call: CallId(0), number: None, due: true });
        self.owed = open.iter().map(owed).collect();
        open
    }

    pub fn calls(&self) -> u64 {
        self.begun.len() as u64
    }

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

    /// When all is over: everybody has a record, and nobody who asked for a person is without one and without a promise.
    pub fn balance(&mut self) {
        let records: Vec<CallRecord> = self.ended.values().cloned().collect();
        let told = records.iter().map(|record| record.call).chain(self.killed.iter().copied());
        if told.collect::<BTreeSet<_>>() != self.begun {
            let lost: Vec<_> = self.begun.iter().filter(|call| !self.ended.contains_key(call)).collect();
            self.wrong.push(format!("there are no records of {lost:?}"));
        }
        for record in records.iter().filter(|record| !self.excused.contains(&record.call)) {
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
