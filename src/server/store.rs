//! What outlives the process (DESIGN §12): agents and their phones, call records, the registry, a copy of the ledger.
//!
//! [`Store`] is all that the running server asks for; [`SqliteStore`] answers it from threads of its own, so that a
//! locked, missing or broken database delays nothing. The command line works on a [`Database`] directly.

mod agents;
mod calls;
mod database;
mod promises;
mod registry;
mod sqlite;
mod writer;

pub use agents::{AgentRow, Hashes, NewAgent, digest_word};
pub use calls::CallRow;
pub use database::Database;
pub use registry::PersonRow;
pub use sqlite::{SqliteStore, StoreOptions};

use crate::call::record::CallRecord;
use crate::caller::{CallerFacts, NumberHash};
use crate::ids::AgentId;
use crate::promise::Entry;
use crate::sip::registrar::{AgentAccount, Binding};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path}: {error}")]
    Open { path: PathBuf, error: rusqlite::Error },
    #[error("{path}: the tables could not be brought up to date: {error}")]
    Migrate { path: PathBuf, error: rusqlite_migration::Error },
    #[error("{path}: {error}")]
    Directory { path: PathBuf, error: std::io::Error },
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the database did not answer in time")]
    Late,
    #[error("the registry was imported under another key than data/secrets/registry.key")]
    OtherKey,
}

/// The number's facts, `None` if it is not listed, or why nobody can say.
pub type LookupReply = Box<dyn FnOnce(Result<Option<CallerFacts>, String>) + Send>;
/// Called once: stored, or why not (yet: it is tried again).
pub type WriteReply = Box<dyn FnOnce(Result<(), String>) + Send>;

/// A change of the agents' accounts, made by the command line while the server runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AgentChange {
    Set(AgentAccount),
    Removed(AgentId),
}

/// Counted since the start, for metrics.
#[derive(Debug, Default)]
pub struct StoreCounts {
    pub lookups: AtomicU64,
    pub lookups_failed: AtomicU64,
    pub writes: AtomicU64,
    /// Attempts at writing that failed; what they held is tried again.
    pub writes_failed: AtomicU64,
    /// Records that were given up: too many waited, or the database would not take them at all.
    pub writes_lost: AtomicU64,
}

/// What a running server needs. No method blocks but [`agents`](Store::agents); replies come from another thread.
pub trait Store: Send + Sync {
    fn lookup(&self, number: NumberHash, reply: LookupReply);
    fn save_call(&self, record: CallRecord);
    fn save_bindings(&self, agent: AgentId, bindings: Vec<Binding>, reply: WriteReply);
    /// A ledger entry that is on disk. Repeats and old ones change nothing.
    fn save_promise(&self, sequence: u64, entry: &Entry);
    /// Ledger entries up to this number are stored.
    fn promises_kept_up_to(&self) -> u64;
    /// For the start: waits for a moment.
    ///
    /// # Errors
    /// The database is gone, broken or locked for long. The server starts without agents then, and
    /// [`watch_agents`](Store::watch_agents) brings them when they can be read.
    fn agents(&self) -> Result<Vec<(AgentAccount, Vec<Binding>)>, StoreError>;
    /// Tells every change from `known` on, looked for each second, until `on_change` returns `false`.
    fn watch_agents(&self, known: Vec<AgentAccount>, on_change: Box<dyn FnMut(AgentChange) -> bool + Send>);
    fn counts(&self) -> &StoreCounts;
}
