//! The store's writing thread: many writes in one transaction, kept and tried again while the database fails.

use super::agents::put_bindings;
use super::calls::put_call;
use super::promises::{put_kept_up_to, put_promise};
use super::sqlite::Keeper;
use super::{Database, StoreCounts, StoreError, WriteReply};
use crate::call::record::CallRecord;
use crate::ids::AgentId;
use crate::promise::Entry;
use crate::server::rest::Rest;
use crate::sip::registrar::Binding;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Writes of one transaction.
const BATCH_MAX: usize = 1000;
/// Writes kept while the database fails; the newest are given up beyond it.
const KEPT_MAX: usize = 50_000;
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(60);
/// From one transaction to the next while there is much to write: each costs a visit to the disk.
const REST: Duration = Duration::from_millis(10);

/// Something to be stored.
pub(super) enum Write {
    Call(Box<CallRecord>),
    Bindings { agent: AgentId, bindings: Vec<Binding>, reply: Option<WriteReply> },
    Promise { sequence: u64, entry: Entry },
}

impl Write {
    pub(super) fn refuse(mut self, why: &str) {
        self.answer(|| Err(why.to_owned()));
    }

    fn answer(&mut self, answer: impl FnOnce() -> Result<(), String>) {
        if let Write::Bindings { reply, .. } = self
            && let Some(reply) = reply.take()
        {
            reply(answer());
        }
    }

    fn put(&self, connection: &Connection) -> rusqlite::Result<()> {
        match self {
            Write::Call(record) => put_call(connection, record),
            Write::Bindings { agent, bindings, .. } => put_bindings(connection, agent, bindings),
            Write::Promise { entry, .. } => put_promise(connection, entry),
        }
    }
}

/// How much of the ledger is copied.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) up_to: AtomicU64,
    /// An entry was given up, so `up_to` stays where it is: the next start reads the ledger again from there.
    pub(super) has_gap: AtomicBool,
}

impl Kept {
    pub(super) fn note_lost(&self, write: &Write) {
        if matches!(write, Write::Promise { .. }) {
            self.has_gap.store(true, Ordering::Release);
        }
    }
}

pub(super) struct Writer {
    keeper: Keeper,
    counts: Arc<StoreCounts>,
    kept: Arc<Kept>,
    waiting: VecDeque<Write>,
    retry: Option<(Instant, Duration)>,
}

impl Writer {
    pub(super) fn new(keeper: Keeper, counts: Arc<StoreCounts>, kept: Arc<Kept>) -> Writer {
        Writer { keeper, counts, kept, waiting: VecDeque::new(), retry: None }
    }

    /// Until every sender is gone; then tries once more what is left.
    pub(super) fn run(&mut self, receiver: &Receiver<Write>) {
        let mut rest = Rest::between(REST, REST * 4);
        loop {
            rest.before_waiting(None);
            let wait = self.retry.map_or(IDLE, |(at, _)| at.saturating_duration_since(Instant::now()));
            match receiver.recv_timeout(wait) {
                Ok(first) => {
                    rest.woke(true);
                    self.take_in(first);
                    for more in receiver.try_iter().take(BATCH_MAX - 1) {
                        self.take_in(more);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.retry.is_none_or(|(at, _)| at <= Instant::now()) {
                self.write_all();
            }
        }
        self.write_all();
        if !self.waiting.is_empty() {
            tracing::error!("{} records could not be written to the database before the end", self.waiting.len());
        }
    }

    fn take_in(&mut self, mut write: Write) {
        if self.retry.is_some() {
            write.answer(|| Err("the database fails; this waits".to_owned()));
        }
        if self.waiting.len() >= KEPT_MAX {
            self.counts.writes_lost.fetch_add(1, Ordering::Relaxed);
            self.kept.note_lost(&write);
            tracing::error!("a record was given up: {KEPT_MAX} wait for the database");
            return;
        }
        self.waiting.push_back(write);
    }

    fn write_all(&mut self) {
        while !self.waiting.is_empty() {
            let count = self.waiting.len().min(BATCH_MAX);
            let batch: Vec<&Write> = self.waiting.iter().take(count).collect();
            let has_gap = self.kept.has_gap.load(Ordering::Acquire);
            match self.keeper.with(|database| write_batch(database, &batch, has_gap, &self.counts)) {
                Ok(kept) => self.written(count, kept),
                Err(error) => return self.failed(&error.to_string()),
            }
        }
    }

    fn written(&mut self, count: usize, kept: Option<u64>) {
        if self.retry.take().is_some() {
            tracing::warn!("the database works again: {} records waited", self.waiting.len());
        }
        if let Some(sequence) = kept {
            self.kept.up_to.fetch_max(sequence, Ordering::AcqRel);
        }
        self.counts.writes.fetch_add(count as u64, Ordering::Relaxed);
        for mut write in self.waiting.drain(..count) {
            write.answer(|| Ok(()));
        }
    }

    fn failed(&mut self, error: &str) {
        let delay = self.retry.map_or(RETRY_FIRST, |(_, delay)| (delay * 2).min(RETRY_MAX));
        if self.retry.is_none() {
            tracing::error!("{error}; {} records wait and are tried again", self.waiting.len());
        }
        self.retry = Some((Instant::now() + delay, delay));
        self.counts.writes_failed.fetch_add(1, Ordering::Relaxed);
        for write in &mut self.waiting {
            write.answer(|| Err(error.to_owned()));
        }
    }
}

/// Returns the number of the last promise entry that is now safe here.
fn write_batch(
    database: &mut Database,
    batch: &[&Write],
    has_gap: bool,
    counts: &StoreCounts,
) -> Result<Option<u64>, StoreError> {
    let transaction = database.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut last = None;
    for write in batch {
        match write.put(&transaction) {
            Ok(()) => {}
            // One bad row must not hold up all that come after it.
            Err(error) if is_rows_own(&error) => {
                tracing::error!("a record is given up, the database will not take it: {error}");
                counts.writes_lost.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => return Err(error.into()),
        }
        if let Write::Promise { sequence, .. } = write {
            last = Some(*sequence);
        }
    }
    let kept = last.filter(|_| !has_gap);
    if let Some(sequence) = kept {
        put_kept_up_to(&transaction, sequence)?;
    }
    transaction.commit()?;
    Ok(kept)
}

fn is_rows_own(error: &rusqlite::Error) -> bool {
    use ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TooBig | TypeMismatch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PromiseId;
    use crate::promise::Closing;
    use crate::time::Wall;

    #[test]
    fn after_a_lost_entry_the_ledger_is_never_told_that_later_ones_are_safe() {
        let path = std::env::temp_dir().join(format!("onekey-writer-{}.sqlite", std::process::id()));
        let mut database = Database::open(&path, Duration::from_secs(5)).unwrap();
        let at = Wall::from_seconds(1);
        let entry = Entry::Closed { promise: PromiseId(1), at, how: Closing::ByHand };
        let (first, lost) =
            (Write::Promise { sequence: 7, entry: entry.clone() }, Write::Promise { sequence: 8, entry });
        let counts = StoreCounts::default();
        let kept = Kept::default();
        let has_gap = || kept.has_gap.load(Ordering::Acquire);
        assert_eq!(write_batch(&mut database, &[&first], has_gap(), &counts).unwrap(), Some(7));
        kept.note_lost(&lost);
        let Write::Promise { entry, .. } = lost else { unreachable!() };
        let later = Write::Promise { sequence: 9, entry };
        assert_eq!(write_batch(&mut database, &[&later], has_gap(), &counts).unwrap(), None);
        assert_eq!(database.promises_kept_up_to().unwrap(), 7);
        drop(database);
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
    }
}
