//! The promise ledger on disk (DESIGN §1): `promises.ledger` in the data directory, appended to by a thread of its own.
//!
//! One process owns the file, by an exclusive lock on `promises.ledger.lock`. Others order changes by a file in
//! `promises.orders/` that the owner picks up (see `orders`). The text of the lines is `queue::ledger`'s affair.

mod disk;
mod follower;
mod orders;
mod writer;

pub use follower::{Follower, StoreFollower};
pub use orders::{Ordered, order};

use crate::promise::{Due, Entry};
use crate::queue::ledger::{Ledger, Trouble};
use crate::time::Wall;
use disk::{Disk, FileDisk};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use writer::{Pending, Writer};

/// Entries that wait for the disk; one more is refused at once.
const PENDING_MAX: usize = 100_000;

#[derive(Debug, thiserror::Error)]
pub enum LedgerFileError {
    #[error(
        "{path} is held: another onekey serves from this folder; stop it first, or give this one a `data` of its own"
    )]
    InUse { path: PathBuf },
    #[error("{path}: {error}")]
    Disk { path: PathBuf, error: std::io::Error },
}

/// Called once: the entry is on disk, or why it is not (yet: what was accepted is tried again until it is).
pub type LedgerReply = Box<dyn FnOnce(Result<(), String>) + Send>;

/// Settings of the file. The defaults are good.
#[derive(Clone, Copy, Debug)]
pub struct LedgerOptions {
    /// The file is rewritten without closed entries when it is larger than this and twice what the last rewriting left.
    pub compact_bytes: u64,
    /// Numbers of closed promises stay in the file at most this long.
    pub erase_after: Duration,
    /// How often `promises.orders/` is looked at.
    pub orders_every: Duration,
}

impl Default for LedgerOptions {
    fn default() -> LedgerOptions {
        LedgerOptions {
            compact_bytes: 8 << 20,
            erase_after: Duration::from_secs(3600),
            orders_every: Duration::from_millis(250),
        }
    }
}

/// Counted since the start, for metrics.
#[derive(Debug, Default)]
pub struct LedgerCounts {
    pub open: AtomicU64,
    pub due: AtomicU64,
    pub written: AtomicU64,
    /// Attempts at writing that failed.
    pub failed: AtomicU64,
    /// Accepted and not on disk.
    pub waiting: AtomicU64,
}

/// What an earlier run left.
#[derive(Debug)]
pub struct Found {
    /// All promises that are open, each of them due by now.
    pub ledger: Ledger,
    pub troubles: Vec<Trouble>,
}

/// The running ledger. Dropping it writes what waits and ends the thread.
#[derive(Debug)]
pub struct LedgerFile {
    sender: Option<SyncSender<Pending>>,
    counts: Arc<LedgerCounts>,
    thread: Option<JoinHandle<()>>,
}

impl LedgerFile {
    /// Locks and reads the ledger in `directory` (made if missing), cuts a torn end off, makes every open promise of
    /// an earlier run due (its call cannot be alive), rewrites the file without closed entries and starts the thread.
    ///
    /// # Errors
    /// Another process owns the ledger, or the directory cannot be read or written.
    pub fn open(
        directory: &Path,
        options: LedgerOptions,
        mut follower: Box<dyn Follower>,
    ) -> Result<(LedgerFile, Found), LedgerFileError> {
        let lock = lock(directory)?;
        let path = file_path(directory);
        let failed = |error| LedgerFileError::Disk { path: path.clone(), error };
        let mut disk = FileDisk::open(&path).map_err(failed)?;
        let (mut ledger, troubles) = recover(&mut disk, follower.as_mut()).map_err(failed)?;
        ledger.skip_to(follower.kept_up_to());
        let cut = entries_of_cut_calls(&ledger);
        for entry in &cut {
            ledger.apply(entry);
        }
        let found = Found { ledger: ledger.clone(), troubles };
        let (sender, receiver) = sync_channel(PENDING_MAX);
        let counts = Arc::new(LedgerCounts::default());
        let mut writer = Writer::new(Box::new(disk), ledger, follower, options, Arc::clone(&counts));
        counts.waiting.store(cut.len() as u64, Ordering::Relaxed);
        for entry in cut {
            writer.accept(Pending::from_start(entry));
        }
        writer.flush();
        writer.compact();
        let orders = orders::Spool::new(directory);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || {
                // The lock lives as long as the thread that writes.
                let _lock: File = lock;
                writer.run(&receiver, orders);
            })
            .map_err(failed)?;
        Ok((LedgerFile { sender: Some(sender), counts, thread: Some(thread) }, found))
    }

    /// Appends in the order of asking; never blocks. `reply` is called from the ledger's thread, or at once when too
    /// many entries wait.
    pub fn append(&self, entry: Entry, reply: LedgerReply) {
        let Some(sender) = &self.sender else { return reply(Err("the ledger is closed".to_owned())) };
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        let (pending, why) = match sender.try_send(Pending::asked(entry, reply)) {
            Ok(()) => return,
            Err(TrySendError::Full(pending)) => (pending, "too many ledger entries wait for the disk"),
            Err(TrySendError::Disconnected(pending)) => (pending, "the ledger's thread is gone"),
        };
        self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
        pending.answer(Err(why.to_owned()));
    }

    pub fn counts(&self) -> &Arc<LedgerCounts> {
        &self.counts
    }
}

impl Drop for LedgerFile {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Reads the ledger without owning it: for the command line. Whether a server owns it comes with it.
///
/// # Errors
/// The file is there and cannot be read.
pub fn read(directory: &Path) -> Result<(Ledger, Vec<Trouble>, bool), LedgerFileError> {
    let path = file_path(directory);
    let bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(|error| LedgerFileError::Disk { path: path.clone(), error })?,
    };
    let mut ledger = Ledger::default();
    let (troubles, _) = ledger.read(&bytes, |_, _, _| {});
    let is_owned = matches!(lock_if_there(directory), Err(LedgerFileError::InUse { .. }));
    Ok((ledger, troubles, is_owned))
}

fn recover(disk: &mut FileDisk, follower: &mut dyn Follower) -> std::io::Result<(Ledger, Vec<Trouble>)> {
    let bytes = disk.read()?;
    let kept = follower.kept_up_to();
    let mut ledger = Ledger::default();
    let (troubles, good_bytes) = ledger.read(&bytes, |sequence, entry, _| {
        if sequence > kept {
            follower.written(sequence, entry);
        }
    });
    for trouble in &troubles {
        tracing::warn!("promises.ledger:{}: {}", trouble.line, trouble.error);
    }
    if good_bytes < bytes.len() {
        disk.cut_to(good_bytes as u64)?;
    }
    Ok((ledger, troubles))
}

fn entries_of_cut_calls(ledger: &Ledger) -> Vec<Entry> {
    let at = wall_now();
    let undue = ledger.open().iter().filter(|(_, open)| open.due.is_none());
    undue.map(|(promise, _)| Entry::Due { promise: *promise, at, why: Due::Cut }).collect()
}

fn wall_now() -> Wall {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Wall::from_micros(since.as_micros() as i64)
}

pub(super) fn file_path(directory: &Path) -> PathBuf {
    directory.join("promises.ledger")
}

fn lock(directory: &Path) -> Result<File, LedgerFileError> {
    std::fs::create_dir_all(directory).map_err(|error| LedgerFileError::Disk { path: directory.to_owned(), error })?;
    lock_with(directory, File::options().create(true).append(true))
}

fn lock_if_there(directory: &Path) -> Result<File, LedgerFileError> {
    lock_with(directory, File::options().append(true))
}

fn lock_with(directory: &Path, how: &std::fs::OpenOptions) -> Result<File, LedgerFileError> {
    let path = directory.join("promises.ledger.lock");
    let file = how.open(&path).map_err(|error| LedgerFileError::Disk { path: path.clone(), error })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(LedgerFileError::InUse { path }),
        Err(std::fs::TryLockError::Error(error)) => Err(LedgerFileError::Disk { path, error }),
    }
}
