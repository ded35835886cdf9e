//! Answers the engine's questions from the ledger's file, the store and the look-ups, which work on threads of their own.
//!
//! Nothing here waits: questions and records are handed on, replies go straight into the control loop's inbox.

use super::control::Answers;
use super::inbox::AnswerTo;
use super::ledger_file::LedgerFile;
use super::lookup::Lookups;
use super::store::{SqliteStore, Store};
use crate::call::record::CallRecord;
use crate::engine::input::Answer;
use crate::engine::output::{Ask, Question};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Dropping it writes what waits: the ledger first, then the database.
#[derive(Debug)]
pub struct StoredAnswers {
    ledger: LedgerFile,
    store: Arc<SqliteStore>,
    lookups: Lookups,
    ledger_health: Health,
    store_health: Health,
}

impl StoredAnswers {
    pub fn new(ledger: LedgerFile, store: Arc<SqliteStore>, lookups: Lookups) -> StoredAnswers {
        StoredAnswers { ledger, store, lookups, ledger_health: Health::default(), store_health: Health::default() }
    }
}

impl Answers for StoredAnswers {
    fn ask(&mut self, ask: Ask, answer: AnswerTo) {
        match ask.question {
            Question::Registry(number) => self.store.lookup(
                number,
                Box::new(move |found| answer.give(found.map_or_else(Answer::Failed, Answer::Registry))),
            ),
            Question::Promise(entry) => self.ledger.append(entry, Box::new(move |done| answer.give(written(done)))),
            Question::LookUp(query) => self.lookups.ask(*query, answer),
            Question::Bindings(agent, bindings) => {
                self.store.save_bindings(agent, bindings, Box::new(move |done| answer.give(written(done))));
            }
        }
    }

    fn ended(&mut self, record: Box<CallRecord>) {
        self.store.save_call(*record);
    }

    fn trouble(&mut self) -> Option<String> {
        let (ledger, store) = (self.ledger.counts(), self.store.counts());
        let ledger = self.ledger_health.fails(&ledger.written, &ledger.failed);
        let store = self.store_health.fails(&store.writes, &store.writes_failed);
        match (ledger, store) {
            (true, _) => Some("the promise ledger cannot be written: is the disk full?".into()),
            (_, true) => Some("the database cannot be written; calls go on, records wait".into()),
            _ => None,
        }
    }
}

fn written(done: Result<(), String>) -> Answer {
    done.map_or_else(Answer::Failed, |()| Answer::Written)
}

/// Whether the last attempt at writing that was made failed, as far as two counters tell.
#[derive(Debug, Default)]
struct Health {
    written: u64,
    failed: u64,
    fails: bool,
}

impl Health {
    fn fails(&mut self, written: &AtomicU64, failed: &AtomicU64) -> bool {
        let (written, failed) = (written.load(Ordering::Relaxed), failed.load(Ordering::Relaxed));
        if written > self.written {
            self.fails = false;
        } else if failed > self.failed {
            self.fails = true;
        }
        (self.written, self.failed) = (written, failed);
        self.fails
    }
}

#[cfg(test)]
mod tests {
    use super::Health;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn trouble_lasts_until_something_is_written_again() {
        let mut health = Health::default();
        let mut fails = |written: u64, failed: u64| health.fails(&AtomicU64::new(written), &AtomicU64::new(failed));
        assert!(!fails(0, 0));
        assert!(fails(0, 1));
        assert!(fails(0, 1), "no news is not good news");
        assert!(!fails(1, 1));
        assert!(!fails(1, 1));
        assert!(fails(1, 2));
    }
}
