//! The ledger's thread: gathers what waits, writes and flushes it at once, answers, and erases closed numbers.

use super::disk::Disk;
use super::orders::Spool;
use super::{Follower, LedgerCounts, LedgerOptions, LedgerReply};
use crate::promise::Entry;
use crate::queue::ledger::{Ledger, encode, promise_of, without_number};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Entries of one flush.
const GROUP_MAX: usize = 4096;
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(2);
/// At the end, a disk that fails is tried for this long.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);

/// An entry on its way to the disk.
pub(super) struct Pending {
    pub(super) entry: Entry,
    reply: Option<LedgerReply>,
    /// The file of an operator's order, removed once the entry is on disk.
    order: Option<PathBuf>,
}

impl Pending {
    pub(super) fn asked(entry: Entry, reply: LedgerReply) -> Pending {
        Pending { entry, reply: Some(reply), order: None }
    }

    pub(super) fn from_start(entry: Entry) -> Pending {
        Pending { entry, reply: None, order: None }
    }

    pub(super) fn ordered(entry: Entry, file: PathBuf) -> Pending {
        Pending { entry, reply: None, order: Some(file) }
    }

    pub(super) fn answer(mut self, answer: Result<(), String>) {
        if let Some(reply) = self.reply.take() {
            reply(answer);
        }
    }
}

pub(super) struct Writer {
    disk: Box<dyn Disk>,
    ledger: Ledger,
    follower: Box<dyn Follower>,
    options: LedgerOptions,
    counts: Arc<LedgerCounts>,
    pending: Vec<(u64, Pending)>,
    /// The lines of `pending`.
    lines: Vec<u8>,
    next_sequence: u64,
    retry: Option<(Instant, Duration)>,
    compacted_at: Instant,
    compacted_bytes: u64,
    closed_since: u64,
}

impl Writer {
    pub(super) fn new(
        disk: Box<dyn Disk>,
        ledger: Ledger,
        follower: Box<dyn Follower>,
        options: LedgerOptions,
        counts: Arc<LedgerCounts>,
    ) -> Writer {
        let next_sequence = ledger.sequence() + 1;
        Writer {
            disk,
            ledger,
            follower,
            options,
            counts,
            pending: Vec::new(),
            lines: Vec::new(),
            next_sequence,
            retry: None,
            compacted_at: Instant::now(),
            compacted_bytes: 0,
            closed_since: 0,
        }
    }

    /// Until every sender is gone and nothing waits.
    pub(super) fn run(&mut self, receiver: &Receiver<Pending>, mut spool: Spool) {
        let mut closing: Option<Instant> = None;
        let mut looked = None::<Instant>;
        loop {
            let is_open = self.gather(receiver, closing.is_some());
            if !is_open && closing.is_none() {
                closing = Some(Instant::now() + CLOSE_PATIENCE);
            }
            if looked.is_none_or(|at| at.elapsed() >= self.options.orders_every) {
                looked = Some(Instant::now());
                for (entry, file) in spool.pick_up(&self.ledger) {
                    self.counts.waiting.fetch_add(1, Ordering::Relaxed);
                    self.accept(Pending::ordered(entry, file));
                }
            }
            self.flush_if_due();
            if self.pending.is_empty() && self.is_worth_compacting() {
                self.compact();
            }
            if let Some(end) = closing {
                if self.pending.is_empty() {
                    break;
                }
                if Instant::now() > end {
                    tracing::error!("{} ledger entries could not be written before the end", self.pending.len());
                    break;
                }
            }
        }
    }

    /// Waits for an entry (or for something else to do) and takes all that are there. `false`: there will be no more.
    fn gather(&mut self, receiver: &Receiver<Pending>, is_closing: bool) -> bool {
        let wait = match self.retry {
            Some((at, _)) => at.saturating_duration_since(Instant::now()).min(self.options.orders_every),
            None => self.options.orders_every,
        };
        if is_closing {
            std::thread::sleep(wait.min(RETRY_FIRST));
        }
        match receiver.recv_timeout(wait) {
            Ok(first) => {
                self.accept(first);
                for more in receiver.try_iter().take(GROUP_MAX - 1) {
                    self.accept(more);
                }
                true
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    /// From here on the entry is not lost while the process lives.
    pub(super) fn accept(&mut self, mut pending: Pending) {
        if self.retry.is_some()
            && let Some(reply) = pending.reply.take()
        {
            reply(Err("the ledger's disk fails; the entry waits".to_owned()));
        }
        if self.pending.len() >= super::PENDING_MAX {
            tracing::error!("a ledger entry was refused: too many wait for the disk");
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.lines.extend_from_slice(encode(&pending.entry, sequence).as_bytes());
        self.lines.push(b'\n');
        self.pending.push((sequence, pending));
    }

    fn flush_if_due(&mut self) {
        if self.retry.is_none_or(|(at, _)| at <= Instant::now()) {
            self.flush();
        }
    }

    /// One write and one flush for all that waits.
    pub(super) fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        match self.disk.append(&self.lines) {
            Ok(()) => self.flushed(),
            Err(error) => self.failed(&error.to_string()),
        }
        self.counts.open.store(self.ledger.open().len() as u64, Ordering::Relaxed);
        self.counts.due.store(self.ledger.due_count() as u64, Ordering::Relaxed);
        self.counts.waiting.store(self.pending.len() as u64, Ordering::Relaxed);
    }

    fn flushed(&mut self) {
        if self.retry.take().is_some() {
            tracing::warn!("the ledger's disk works again: {} entries written", self.pending.len());
        }
        self.lines.clear();
        self.counts.written.fetch_add(self.pending.len() as u64, Ordering::Relaxed);
        for (sequence, mut pending) in std::mem::take(&mut self.pending) {
            if let Some(reply) = pending.reply.take() {
                reply(Ok(()));
            }
            self.ledger.replay(sequence, &pending.entry);
            self.follower.written(sequence, &pending.entry);
            self.closed_since += u64::from(matches!(pending.entry, Entry::Closed { .. }));
            if let Some(file) = pending.order {
                self.follower.ordered(&pending.entry);
                let _ = std::fs::remove_file(file);
            }
        }
    }

    fn failed(&mut self, error: &str) {
        let delay = self.retry.map_or(RETRY_FIRST, |(_, delay)| (delay * 2).min(RETRY_MAX));
        if self.retry.is_none() {
            tracing::error!("promises.ledger: {error}; {} entries wait and are tried again", self.pending.len());
        }
        self.retry = Some((Instant::now() + delay, delay));
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
        for (_, pending) in &mut self.pending {
            if let Some(reply) = pending.reply.take() {
                reply(Err(error.to_owned()));
            }
        }
    }

    fn is_worth_compacting(&self) -> bool {
        let length = self.disk.length();
        let is_large = length >= self.options.compact_bytes && length >= 2 * self.compacted_bytes;
        self.closed_since > 0 && (is_large || self.compacted_at.elapsed() >= self.options.erase_after)
    }

    /// Rewrites the file: open promises as they are, closed ones without their number, and not at all once they are
    /// kept elsewhere. The last line always stays, so that numbers never start again.
    pub(super) fn compact(&mut self) {
        self.compacted_at = Instant::now();
        self.closed_since = 0;
        let rewritten = self.disk.read().and_then(|old| {
            let (new, damaged) = self.rewritten(&old);
            if !damaged.is_empty() {
                self.disk.set_aside(&damaged)?;
            }
            if new != old { self.disk.replace(&new) } else { Ok(()) }
        });
        if let Err(error) = rewritten {
            tracing::error!("promises.ledger could not be rewritten without closed numbers: {error}");
            self.closed_since = 1;
        }
        self.compacted_bytes = self.disk.length();
        self.counts.open.store(self.ledger.open().len() as u64, Ordering::Relaxed);
        self.counts.due.store(self.ledger.due_count() as u64, Ordering::Relaxed);
    }

    fn rewritten(&self, old: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut new, kept, open) = (Vec::new(), self.follower.kept_up_to(), self.ledger.open());
        let last = self.ledger.sequence();
        let (troubles, _) = Ledger::default().read(old, |sequence, entry, line| {
            if open.contains_key(&promise_of(entry)) {
                new.extend_from_slice(line.as_bytes());
            } else if sequence > kept || sequence == last {
                new.extend_from_slice(encode(&without_number(entry), sequence).as_bytes());
            } else {
                return;
            }
            new.push(b'\n');
        });
        let lines: Vec<&[u8]> =
            if troubles.is_empty() { Vec::new() } else { old.split(|byte| *byte == b'\n').collect() };
        let damaged = troubles.iter().filter_map(|trouble| lines.get(trouble.line - 1));
        (new, damaged.flat_map(|line| [*line, b"\n"].concat()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CallId, LineName, PromiseId, QueueName};
    use crate::promise::{AskedBy, Closing, Opened};
    use crate::queue::ledger::seal_number;
    use crate::time::Wall;
    use std::io;
    use std::sync::Mutex;

    /// A disk in memory that refuses while it is full.
    #[derive(Clone, Default)]
    struct FakeDisk(Arc<Mutex<(Vec<u8>, bool)>>);

    impl FakeDisk {
        fn set_full(&self, is_full: bool) {
            self.0.lock().unwrap().1 = is_full;
        }
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
        }
    }

    impl Disk for FakeDisk {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            let mut disk = self.0.lock().unwrap();
            if disk.1 {
                return Err(io::Error::other("no space left"));
            }
            disk.0.extend_from_slice(bytes);
            Ok(())
        }
        fn read(&mut self) -> io::Result<Vec<u8>> {
            Ok(self.0.lock().unwrap().0.clone())
        }
        fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().0 = bytes.to_vec();
            Ok(())
        }
        fn set_aside(&mut self, _bytes: &[u8]) -> io::Result<()> {
            Ok(())
        }
        fn length(&self) -> u64 {
            self.0.lock().unwrap().0.len() as u64
        }
    }

    struct KeptUpTo(u64);
    impl Follower for KeptUpTo {
        fn written(&mut self, _sequence: u64, _entry: &Entry) {}
        fn kept_up_to(&self) -> u64 {
            self.0
        }
        fn ordered(&mut self, _entry: &Entry) {}
    }

    fn writer(disk: &FakeDisk, kept: u64) -> Writer {
        let follower = Box::new(KeptUpTo(kept));
        Writer::new(Box::new(disk.clone()), Ledger::default(), follower, LedgerOptions::default(), Arc::default())
    }

    fn opened(promise: u64) -> Entry {
        Entry::Opened(Opened {
            promise: PromiseId(promise),
            call: CallId(1),
            line: LineName::new("care"),
            queue: QueueName::new("care"),
            at: Wall::from_seconds(1),
            asked_by: AskedBy::Key,
            number: Some(seal_number(&[1; 32], [promise as u8; 24], "+12025550123")),
            flagged: false,
        })
    }

    fn closed(promise: u64) -> Entry {
        Entry::Closed { promise: PromiseId(promise), at: Wall::from_seconds(2), how: Closing::Conversation }
    }

    fn ask(writer: &mut Writer, entry: Entry) -> Arc<Mutex<Vec<Result<(), String>>>> {
        let answers = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&answers);
        writer.accept(Pending::asked(entry, Box::new(move |answer| told.lock().unwrap().push(answer))));
        answers
    }

    #[test]
    fn a_full_disk_is_told_once_and_nothing_accepted_is_lost() {
        let disk = FakeDisk::default();
        let mut writer = writer(&disk, 0);
        disk.set_full(true);
        let first = ask(&mut writer, opened(1));
        assert!(first.lock().unwrap().is_empty());
        writer.flush();
        assert_eq!(*first.lock().unwrap(), [Err("no space left".to_owned())]);
        let second = ask(&mut writer, opened(2));
        assert!(second.lock().unwrap()[0].is_err(), "told at once while the disk fails");
        disk.set_full(false);
        writer.flush();
        let third = ask(&mut writer, closed(1));
        writer.flush();
        assert_eq!(*third.lock().unwrap(), [Ok(())]);
        assert_eq!(first.lock().unwrap().len() + second.lock().unwrap().len(), 2, "each is answered once");
        let mut ledger = Ledger::default();
        ledger.read(disk.text().as_bytes(), |_, _, _| {});
        assert_eq!(ledger.open().keys().map(|promise| promise.0).collect::<Vec<_>>(), [2]);
        assert_eq!(ledger.sequence(), 3);
    }

    #[test]
    fn retries_come_ever_more_slowly_up_to_a_bound() {
        let disk = FakeDisk::default();
        let mut writer = writer(&disk, 0);
        disk.set_full(true);
        ask(&mut writer, opened(1));
        let mut delays = Vec::new();
        for _ in 0..8 {
            writer.flush();
            delays.push(writer.retry.unwrap().1);
        }
        assert_eq!(delays[..3], [50, 100, 200].map(Duration::from_millis));
        assert_eq!(delays[7], RETRY_MAX);
    }

    #[test]
    fn compaction_erases_closed_numbers_and_drops_what_is_kept_elsewhere() {
        for (kept, lines_left) in [(0, 4), (2, 2), (99, 2)] {
            let disk = FakeDisk::default();
            let mut writer = writer(&disk, kept);
            for entry in [opened(1), closed(1), opened(2), closed(3)] {
                ask(&mut writer, entry);
            }
            writer.flush();
            assert_eq!(disk.text().matches("number=").count(), 2);
            writer.compact();
            let text = disk.text();
            assert_eq!(text.lines().count(), lines_left, "kept up to {kept}:\n{text}");
            assert_eq!(text.matches("number=").count(), 1, "the open promise's alone");
            let mut ledger = Ledger::default();
            assert!(ledger.read(text.as_bytes(), |_, _, _| {}).0.is_empty());
            assert!(ledger.open().contains_key(&PromiseId(2)));
            assert_eq!(ledger.sequence(), 4, "numbers go on");
        }
    }
}
