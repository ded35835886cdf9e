//! Who is told what the ledger's file holds: the database's copy, and the engine of operators' orders.

use crate::promise::Entry;
use crate::server::store::Store;
use std::fmt;
use std::sync::Arc;

/// Who else is told of the ledger's entries, on the ledger's thread.
pub trait Follower: Send {
    /// This entry is on disk. At start told of all old ones above [`kept_up_to`](Self::kept_up_to).
    fn written(&mut self, sequence: u64, entry: &Entry);
    /// Entries up to this number are safe elsewhere; those of closed promises may leave the file.
    fn kept_up_to(&self) -> u64;
    /// An operator's order from another process is on disk.
    fn ordered(&mut self, entry: &Entry);
}

/// Nobody follows.
impl Follower for () {
    fn written(&mut self, _sequence: u64, _entry: &Entry) {}
    fn kept_up_to(&self) -> u64 {
        0
    }
    fn ordered(&mut self, _entry: &Entry) {}
}

/// Copies the ledger into the store and passes orders on.
pub struct StoreFollower {
    pub store: Arc<dyn Store>,
    /// For the engine: `Command::PromiseClosed`.
    pub on_order: Box<dyn FnMut(&Entry) + Send>,
}

impl fmt::Debug for StoreFollower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreFollower(..)")
    }
}

impl Follower for StoreFollower {
    fn written(&mut self, sequence: u64, entry: &Entry) {
        self.store.save_promise(sequence, entry);
    }

    fn kept_up_to(&self) -> u64 {
        self.store.promises_kept_up_to()
    }

    fn ordered(&mut self, entry: &Entry) {
        (self.on_order)(entry);
    }
}
