//! The SQLite store of a running server: a thread for look-ups, one for writes (`writer`), one that watches accounts.

use super::writer::{Kept, Write, Writer};
use super::{AgentChange, Database, LookupReply, Store, StoreCounts, StoreError, WriteReply};
use crate::call::record::CallRecord;
use crate::caller::{CallerFacts, NumberHash};
use crate::callers::{earliest_date, facts_on};
use crate::ids::AgentId;
use crate::promise::Entry;
use crate::queue::ledger::without_number;
use crate::server::rest::{Rest, sleep_exactly};
use crate::sip::registrar::{AgentAccount, Binding};
use crate::time::Wall;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// Look-ups that wait for the thread; one more fails at once.
const LOOKUPS_MAX: usize = 4096;
/// Writes on their way to the thread, which keeps more of them while the database fails.
const WRITES_MAX: usize = 10_000;
/// After a failure the file is tried again this much later; look-ups in between fail at once.
const REOPEN_AFTER: Duration = Duration::from_millis(500);

/// From one wake to the next while there are many look-ups: what a call may wait longer then.
const LOOKUP_REST: Duration = Duration::from_millis(1);

/// How patient the store is with a locked database.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Below `registry.deadline_ms`, so that "locked" is told before the engine gives up.
    pub lookup_patience: Duration,
    pub write_patience: Duration,
    pub watch_every: Duration,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions {
            lookup_patience: Duration::from_millis(100),
            write_patience: Duration::from_millis(500),
            watch_every: Duration::from_secs(1),
        }
    }
}

/// Dropping it writes what waits and ends the threads.
pub struct SqliteStore {
    path: PathBuf,
    options: StoreOptions,
    lookups: Option<SyncSender<(NumberHash, LookupReply)>>,
    writes: Option<SyncSender<Write>>,
    counts: Arc<StoreCounts>,
    kept: Arc<Kept>,
    is_closing: Arc<AtomicBool>,
    key_mark: Arc<OnceLock<String>>,
    threads: Vec<JoinHandle<()>>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens or makes the database. Where that fails the store runs all the same, says so loudly, and goes on trying.
    ///
    /// # Errors
    /// The machine has no room for another thread.
    pub fn open(path: &Path, options: StoreOptions) -> std::io::Result<SqliteStore> {
        let database = Database::open(path, options.write_patience);
        let kept = database.as_ref().ok().and_then(|database| database.promises_kept_up_to().ok()).unwrap_or(0);
        if let Err(error) = &database {
            tracing::error!("{error}; going on without the database, and trying it again");
        }
        let (lookups, lookups_receiver) = sync_channel(LOOKUPS_MAX);
        let (writes, writes_receiver) = sync_channel(WRITES_MAX);
        let counts = Arc::new(StoreCounts::default());
        let kept = Arc::new(Kept { up_to: kept.into(), ..Kept::default() });
        let keeper = Keeper::new(path, options.write_patience, Database::open, database.ok());
        let mut writer = Writer::new(keeper, Arc::clone(&counts), Arc::clone(&kept));
        let key_mark = Arc::new(OnceLock::new());
        let mut reader = Reader {
            key_mark: Arc::clone(&key_mark),
            keeper: Keeper::new(path, options.lookup_patience, Database::open_reader, None),
            counts: Arc::clone(&counts),
        };
        let threads = vec![
            spawn("store-write", move || writer.run(&writes_receiver))?,
            spawn("store-read", move || reader.run(&lookups_receiver))?,
        ];
        Ok(SqliteStore {
            path: path.to_owned(),
            options,
            lookups: Some(lookups),
            writes: Some(writes),
            counts,
            kept,
            is_closing: Arc::default(),
            key_mark,
            threads,
        })
    }

    /// From now on look-ups fail, rather than find nobody, where the registry was imported under another key than the
    /// one of this [mark](crate::callers::CallerRegistry::key_mark): its flagged callers would meet a menu.
    pub fn expect_registry_key(&self, mark: String) {
        let _ = self.key_mark.set(mark);
    }

    fn write(&self, write: Write) {
        let refused = match self.writes.as_ref().map(|writes| writes.try_send(write)) {
            Some(Ok(())) => return,
            Some(Err(TrySendError::Full(write) | TrySendError::Disconnected(write))) => Some(write),
            None => None,
        };
        self.counts.writes_lost.fetch_add(1, Ordering::Relaxed);
        if let Some(write) = refused {
            self.kept.note_lost(&write);
            write.refuse("too many writes wait for the database");
        }
    }
}

impl Store for SqliteStore {
    fn lookup(&self, number: NumberHash, reply: LookupReply) {
        self.counts.lookups.fetch_add(1, Ordering::Relaxed);
        let refused = match self.lookups.as_ref().map(|lookups| lookups.try_send((number, reply))) {
            Some(Err(TrySendError::Full(refused) | TrySendError::Disconnected(refused))) => refused,
            Some(Ok(())) | None => return,
        };
        self.counts.lookups_failed.fetch_add(1, Ordering::Relaxed);
        (refused.1)(Err("too many look-ups wait for the database".to_owned()));
    }

    fn save_call(&self, record: CallRecord) {
        self.write(Write::Call(Box::new(record)));
    }

    fn save_bindings(&self, agent: AgentId, bindings: Vec<Binding>, reply: WriteReply) {
        self.write(Write::Bindings { agent, bindings, reply: Some(reply) });
    }

    fn save_promise(&self, sequence: u64, entry: &Entry) {
        if sequence > self.promises_kept_up_to() {
            self.write(Write::Promise { sequence, entry: without_number(entry) });
        }
    }

    fn promises_kept_up_to(&self) -> u64 {
        self.kept.up_to.load(Ordering::Acquire)
    }

    fn agents(&self) -> Result<Vec<(AgentAccount, Vec<Binding>)>, StoreError> {
        Database::open_reader(&self.path, self.options.write_patience)?.agents()
    }

    fn watch_agents(&self, known: Vec<AgentAccount>, on_change: Box<dyn FnMut(AgentChange) -> bool + Send>) {
        let keeper = Keeper::new(&self.path, self.options.lookup_patience, Database::open_reader, None);
        let (closing, every) = (Arc::clone(&self.is_closing), self.options.watch_every);
        // Not joined: it ends by itself soon after the store.
        if let Err(error) = spawn("store-watch", move || watch(keeper, known, on_change, &closing, every)) {
            tracing::error!("agents' accounts are not watched for changes: {error}");
        }
    }

    fn counts(&self) -> &StoreCounts {
        &self.counts
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.is_closing.store(true, Ordering::Release);
        self.lookups = None;
        self.writes = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// A connection that is opened again when it fails, or when another file lies in its place.
pub(super) struct Keeper {
    path: PathBuf,
    patience: Duration,
    open: fn(&Path, Duration) -> Result<Database, StoreError>,
    database: Option<Database>,
    failed_at: Option<Instant>,
}

impl Keeper {
    fn new(
        path: &Path,
        patience: Duration,
        open: fn(&Path, Duration) -> Result<Database, StoreError>,
        database: Option<Database>,
    ) -> Keeper {
        Keeper { path: path.to_owned(), patience, open, database, failed_at: None }
    }

    pub(super) fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.database.as_ref().is_some_and(|database| !database.is_current()) {
            tracing::error!("{}: the database is gone or replaced; opening it anew", self.path.display());
            self.database = None;
        }
        let database = match &mut self.database {
            Some(database) => database,
            None => {
                if self.failed_at.is_some_and(|at| at.elapsed() < REOPEN_AFTER) {
                    return Err(StoreError::Late);
                }
                self.failed_at = Some(Instant::now());
                let database = (self.open)(&self.path, self.patience)?;
                self.failed_at = None;
                self.database.insert(database)
            }
        };
        let worked = work(database);
        if worked.as_ref().is_err_and(|error| !is_busy(error)) {
            self.database = None;
        }
        worked
    }
}

fn is_busy(error: &StoreError) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error, StoreError::Sqlite(error) if matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked)))
}

struct Reader {
    keeper: Keeper,
    key_mark: Arc<OnceLock<String>>,
    counts: Arc<StoreCounts>,
}

impl Reader {
    fn run(&mut self, receiver: &Receiver<(NumberHash, LookupReply)>) {
        let mut rest = Rest::new(LOOKUP_REST);
        sleep_exactly();
        while let Ok((number, reply)) = receiver.recv() {
            rest.woke(true);
            self.answer(number, reply);
            for (number, reply) in receiver.try_iter() {
                self.answer(number, reply);
            }
            rest.before_waiting(None);
        }
    }

    fn answer(&mut self, number: NumberHash, reply: LookupReply) {
        let facts = self.keeper.with(|database| facts_of(database, self.key_mark.get(), number));
        if facts.is_err() {
            self.counts.lookups_failed.fetch_add(1, Ordering::Relaxed);
        }
        reply(facts.map_err(|error| error.to_string()));
    }
}

fn facts_of(
    database: &Database,
    key_mark: Option<&String>,
    number: NumberHash,
) -> Result<Option<CallerFacts>, StoreError> {
    if key_mark.is_some_and(|mark| database.is_registry_key(mark).is_ok_and(|is_ours| !is_ours)) {
        return Err(StoreError::OtherKey);
    }
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let today = earliest_date(Wall::from_seconds(seconds as i64));
    Ok(database.person(number)?.map(|stored| facts_on(&stored, today)))
}

fn watch(
    mut keeper: Keeper,
    known: Vec<AgentAccount>,
    mut on_change: Box<dyn FnMut(AgentChange) -> bool + Send>,
    closing: &AtomicBool,
    every: Duration,
) {
    let mut known: BTreeMap<AgentId, AgentAccount> =
        known.into_iter().map(|account| (account.agent.clone(), account)).collect();
    let mut version = -1;
    while !closing.load(Ordering::Acquire) {
        if let Ok(Some((present, accounts))) = keeper.with(|database| database.agents_changed_since(version)) {
            version = present;
            for change in differences(&mut known, accounts) {
                if !on_change(change) {
                    return;
                }
            }
        }
        std::thread::sleep(every);
    }
}

fn differences(known: &mut BTreeMap<AgentId, AgentAccount>, present: Vec<AgentAccount>) -> Vec<AgentChange> {
    let present: BTreeMap<AgentId, AgentAccount> =
        present.into_iter().map(|account| (account.agent.clone(), account)).collect();
    let removed = known.keys().filter(|agent| !present.contains_key(*agent)).cloned().map(AgentChange::Removed);
    let set = present.values().filter(|account| known.get(&account.agent) != Some(account)).cloned();
    let changes = removed.chain(set.map(AgentChange::Set)).collect();
    *known = present;
    changes
}
