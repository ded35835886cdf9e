//! Orders to the ledger from another process: `onekey promises take|close` while a server owns the file.
//!
//! An order is one ledger line (number 0) in a file of its own in `promises.orders/`, put there whole by a rename.
//! The owner writes the entry, flushes it, then removes the file; repeated after a crash, the entry changes nothing.

use super::disk::{Disk, FileDisk};
use super::{LedgerFileError, file_path, lock, wall_now};
use crate::promise::Entry;
use crate::queue::ledger::{Ledger, decode, encode, promise_of};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Orders picked up at once.
const ORDERS_MAX: usize = 1000;
/// Longest order, in bytes.
const ORDER_BYTES_MAX: u64 = 16 << 10;

/// What became of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ordered {
    /// It is in the ledger.
    Written,
    /// The server has not taken it up yet; it will, now or at its next start.
    Waiting,
}

/// Writes `entry` if no server runs, else orders the server to and waits for `patience`.
///
/// # Errors
/// Neither the ledger nor the orders' directory can be written.
pub fn order(directory: &Path, entry: &Entry, patience: Duration) -> Result<Ordered, LedgerFileError> {
    match lock(directory) {
        Ok(_lock) => write_here(directory, entry),
        Err(LedgerFileError::InUse { .. }) => ask_owner(directory, entry, patience),
        Err(error) => Err(error),
    }
}

fn write_here(directory: &Path, entry: &Entry) -> Result<Ordered, LedgerFileError> {
    let path = file_path(directory);
    let write = || {
        let mut disk = FileDisk::open(&path)?;
        let (mut ledger, _) = super::recover(&mut disk, &mut ())?;
        if ledger.apply(entry) == crate::queue::ledger::Applied::Changed {
            disk.append((encode(entry, ledger.sequence() + 1) + "\n").as_bytes())?;
        }
        Ok(Ordered::Written)
    };
    write().map_err(|error| LedgerFileError::Disk { path: path.clone(), error })
}

fn ask_owner(directory: &Path, entry: &Entry, patience: Duration) -> Result<Ordered, LedgerFileError> {
    let spool = spool_path(directory);
    // Named by time, then process: the owner takes them up in the order of giving.
    let name = format!("{:020}-{}", wall_now().as_micros(), std::process::id());
    let (draft, file) = (spool.join(format!("{name}.draft")), spool.join(format!("{name}.order")));
    std::fs::create_dir_all(&spool)
        .and_then(|()| std::fs::write(&draft, encode(entry, 0)))
        .and_then(|()| std::fs::rename(&draft, &file))
        .map_err(|error| LedgerFileError::Disk { path: spool.clone(), error })?;
    let end = Instant::now() + patience;
    while file.exists() {
        if Instant::now() >= end {
            return Ok(Ordered::Waiting);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(Ordered::Written)
}

fn spool_path(directory: &Path) -> PathBuf {
    directory.join("promises.orders")
}

/// The owner's side.
pub(super) struct Spool {
    path: PathBuf,
    /// Picked up, and perhaps still waiting for the disk.
    picked: BTreeSet<PathBuf>,
}

impl Spool {
    pub(super) fn new(directory: &Path) -> Spool {
        Spool { path: spool_path(directory), picked: BTreeSet::new() }
    }

    /// New orders about promises that are open. Others have nothing to change and are removed.
    pub(super) fn pick_up(&mut self, ledger: &Ledger) -> Vec<(Entry, PathBuf)> {
        let Ok(listing) = std::fs::read_dir(&self.path) else { return Vec::new() };
        let is_order = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "order");
        let mut files: Vec<PathBuf> = listing.flatten().map(|found| found.path()).filter(is_order).collect();
        files.sort();
        self.picked.retain(|file| files.contains(file));
        files.retain(|file| !self.picked.contains(file));
        files.truncate(ORDERS_MAX);
        let mut orders = Vec::new();
        for file in files {
            match read_order(&file) {
                Ok(entry) if ledger.open().contains_key(&promise_of(&entry)) => {
                    self.picked.insert(file.clone());
                    orders.push((entry, file));
                }
                Ok(_) => remove(&file),
                Err(reason) => {
                    tracing::warn!("{}: {reason}; the order is dropped", file.display());
                    remove(&file);
                }
            }
        }
        orders
    }
}

fn read_order(file: &Path) -> Result<Entry, String> {
    let size = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > ORDER_BYTES_MAX {
        return Err(format!("{size} bytes are too many for an order"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    match decode(text.trim_end()).map_err(|error| error.to_string())? {
        (_, Entry::Opened(_)) => Err("a promise cannot be opened by an order".to_owned()),
        (_, entry) => Ok(entry),
    }
}

fn remove(file: &Path) {
    if let Err(error) = std::fs::remove_file(file) {
        tracing::warn!("{}: {error}", file.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CallId, LineName, PromiseId, QueueName};
    use crate::promise::{AskedBy, Closing, Opened};

    #[test]
    fn an_order_is_picked_up_once_while_its_entry_waits_for_the_disk() {
        let directory = std::env::temp_dir().join(format!("onekey-orders-{}", std::process::id()));
        let (promise, at) = (PromiseId(1), wall_now());
        let mut ledger = Ledger::default();
        let (line, queue) = (LineName::new("care"), QueueName::new("care"));
        let (call, asked_by) = (CallId(1), AskedBy::Key);
        let opened = Opened { promise, call, line, queue, at, asked_by, number: None, flagged: false };
        ledger.apply(&Entry::Opened(opened));
        let closed = Entry::Closed { promise, at, how: Closing::ByHand };
        assert_eq!(ask_owner(&directory, &closed, Duration::ZERO).unwrap(), Ordered::Waiting);
        let mut spool = Spool::new(&directory);
        let picked = spool.pick_up(&ledger);
        assert_eq!(picked.iter().map(|(entry, _)| entry.clone()).collect::<Vec<_>>(), [closed]);
        assert!(spool.pick_up(&ledger).is_empty());
        assert!(picked[0].1.exists(), "it stays until the entry is on disk");
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
