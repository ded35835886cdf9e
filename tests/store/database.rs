//! The store's threads against a database that is there, locked, missing, broken or replaced.

use super::ledger_file::opened;
use super::place::{Place, answer, reply, until};
use onekey::call::marks::Marks;
use onekey::call::record::{CallRecord, ReleasedBy};
use onekey::caller::{CallerFacts, NumberHash};
use onekey::callers::Stored;
use onekey::codec::StreamCounts;
use onekey::ids::{AgentId, CallId, Language, LineName, PromiseId};
use onekey::promise::{AskedBy, Closing, Entry};
use onekey::server::ledger_file::{LedgerFile, LedgerOptions, StoreFollower};
use onekey::server::store::{AgentChange, Database, Hashes, NewAgent, PersonRow, SqliteStore, Store, StoreOptions};
use onekey::sip::registrar::{Binding, DigestChoice};
use onekey::sip::{Flow, Transport};
use onekey::time::{Time, Wall};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

fn quick() -> StoreOptions {
    StoreOptions {
        lookup_patience: Duration::from_millis(20),
        write_patience: Duration::from_millis(20),
        watch_every: Duration::from_millis(5),
    }
}

fn new_agent(name: &str, password: &str) -> NewAgent {
    let (agent, realm) = (AgentId::new(name), "onekey".to_owned());
    NewAgent { hashes: Hashes::of(&agent, &realm, password), agent, realm, digest: DigestChoice::Both }
}

fn binding(contact: &str, transport: Transport, connection: Option<u64>) -> Binding {
    Binding {
        contact: contact.to_owned(),
        flow: Flow {
            transport,
            local: "[::1]:5060".parse().unwrap(),
            remote: "192.0.2.7:40000".parse().unwrap(),
            connection,
        },
        expires: Wall::from_seconds(4_000_000_000),
        call_id: "a@b".to_owned(),
        cseq: u32::MAX,
    }
}

fn record(call: u64) -> CallRecord {
    let t0 = Time::from_millis(1000);
    let marks = Marks { human_asked: Some(Time::from_millis(1250)), ..Marks::default() };
    CallRecord {
        call: CallId(call),
        sip_call_id: "x@192.0.2.1".to_owned(),
        line: LineName::new("care"),
        language: Language::new("en"),
        caller: Some(NumberHash([3; 16])),
        flagged: true,
        began: Wall::from_seconds(1_800_000_000 + call as i64),
        t0,
        marks,
        asked_by: Some(AskedBy::Key),
        queue: None,
        agent: Some(AgentId::new("1001")),
        promise: Some(PromiseId(5)),
        released_by: ReleasedBy::Caller,
        cause: 16,
        status: None,
        keys: 1,
        prompts: 2,
        missed: 0,
        caller_media: StreamCounts::default(),
        agent_media: StreamCounts::default(),
        recordings: vec!["a.wav".to_owned()],
    }
}

fn put_person(path: &Path, number: NumberHash) {
    let stored = Stored { flags: BTreeSet::from(["assist".to_owned()]), ..Stored::default() };
    let row = PersonRow { number, kind: 0, months: stored.months() };
    Database::open(path, PATIENCE).unwrap().put_people(&[stored.kind()], &[row]).unwrap();
}

fn look_up(store: &SqliteStore, number: NumberHash) -> Result<Option<CallerFacts>, String> {
    let (reply, answers) = reply();
    store.lookup(number, reply);
    answer(&answers)
}

#[test]
fn agents_and_their_phones_come_back_after_a_restart() {
    let place = Place::new();
    let path = place.join("new/onekey.sqlite");
    let store = SqliteStore::open(&path, quick()).unwrap();
    assert!(store.agents().unwrap().is_empty());
    let database = Database::open(&path, PATIENCE).unwrap();
    assert!(database.add_agent(&new_agent("1001", "first")).unwrap());
    assert!(!database.add_agent(&new_agent("1001", "second")).unwrap(), "a name is taken once");
    let (both, gone) = (reply(), reply());
    let phones = vec![binding("sip:a@x", Transport::Udp, None), binding("sip:b@x", Transport::Tcp, Some(7))];
    store.save_bindings(AgentId::new("1001"), phones.clone(), both.0);
    store.save_bindings(AgentId::new("no such"), phones.clone(), gone.0);
    assert_eq!((answer(&both.1), answer(&gone.1)), (Ok(()), Ok(())));
    drop(store);
    let store = SqliteStore::open(&path, quick()).unwrap();
    let agents = store.agents().unwrap();
    assert_eq!(agents.len(), 1);
    assert_eq!(agents[0].0.ha1_md5, Hashes::of(&AgentId::new("1001"), "onekey", "first").md5);
    assert_eq!(agents[0].0.digest, DigestChoice::Both);
    assert_eq!(agents[0].1[0], phones[0]);
    assert_eq!(agents[0].1[1].flow.connection, None, "a TCP connection does not outlive the process");
    let none = reply();
    store.save_bindings(AgentId::new("1001"), Vec::new(), none.0);
    assert_eq!(answer(&none.1), Ok(()));
    assert!(store.agents().unwrap()[0].1.is_empty());
    assert!(database.remove_agent(&AgentId::new("1001")).unwrap());
    assert!(store.agents().unwrap().is_empty());
}

#[test]
fn a_running_server_hears_of_changed_accounts() {
    let place = Place::new();
    let path = place.join("onekey.sqlite");
    let store = SqliteStore::open(&path, quick()).unwrap();
    let database = Database::open(&path, PATIENCE).unwrap();
    database.add_agent(&new_agent("1001", "first")).unwrap();
    let known = store.agents().unwrap().into_iter().map(|(account, _)| account).collect();
    let (sender, changes) = channel();
    store.watch_agents(known, Box::new(move |change| sender.send(change).is_ok()));
    database.add_agent(&new_agent("1002", "other")).unwrap();
    let told = changes.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(&told, AgentChange::Set(account) if account.agent.as_str() == "1002"), "{told:?}");
    database.change_agent(&new_agent("1001", "new")).unwrap();
    let told = changes.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(&told, AgentChange::Set(account) if account.agent.as_str() == "1001"), "{told:?}");
    database.remove_agent(&AgentId::new("1002")).unwrap();
    assert_eq!(changes.recv_timeout(PATIENCE).unwrap(), AgentChange::Removed(AgentId::new("1002")));
}

#[test]
fn call_records_are_stored_with_their_marks() {
    let place = Place::new();
    let path = place.join("onekey.sqlite");
    let store = SqliteStore::open(&path, quick()).unwrap();
    for call in 1..=2500 {
        store.save_call(record(call));
    }
    drop(store);
    let rows = Database::open(&path, PATIENCE).unwrap().calls(3000).unwrap();
    assert_eq!(rows.len(), 2500, "what waits at the end is written");
    assert_eq!((rows[0].call, rows[0].human_asked_ms, rows[0].speaking_ms), (2500, Some(250), None));
    assert_eq!((rows[0].asked_by.as_deref(), rows[0].agent.as_deref()), (Some("key"), Some("1001")));
    assert_eq!((rows[0].released_by.as_str(), rows[0].cause, rows[0].flagged), ("caller", 16, true));
}

#[test]
fn while_another_process_holds_the_database_look_ups_go_on_and_writes_wait() {
    let place = Place::new();
    let path = place.join("onekey.sqlite");
    put_person(&path, NumberHash([1; 16]));
    let store = SqliteStore::open(&path, quick()).unwrap();
    Database::open(&path, PATIENCE).unwrap().add_agent(&new_agent("1001", "x")).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let saved = reply();
    store.save_bindings(AgentId::new("1001"), vec![binding("sip:a@x", Transport::Udp, None)], saved.0);
    store.save_call(record(1));
    assert!(answer(&saved.1).unwrap_err().contains("locked"), "told, so that the engine need not wait");
    assert!(look_up(&store, NumberHash([1; 16])).unwrap().unwrap().flags.contains("assist"));
    assert_eq!(look_up(&store, NumberHash([2; 16])), Ok(None));
    other.execute_batch("COMMIT").unwrap();
    until("what waited is stored", || store.counts().writes.load(Ordering::Relaxed) == 2);
    assert_eq!(store.agents().unwrap()[0].1.len(), 1);
    assert_eq!(store.counts().writes_lost.load(Ordering::Relaxed), 0);
}

#[test]
fn rows_of_another_key_fail_look_ups_instead_of_finding_nobody() {
    let place = Place::new();
    let path = place.join("onekey.sqlite");
    put_person(&path, NumberHash([1; 16]));
    Database::open(&path, PATIENCE).unwrap().set_registry_key("the old key").unwrap();
    for (mark, is_ours) in [("the old key", true), ("a new key", false)] {
        let store = SqliteStore::open(&path, quick()).unwrap();
        store.expect_registry_key(mark.to_owned());
        assert_eq!(look_up(&store, NumberHash([2; 16])).is_ok(), is_ours, "{mark}");
    }
}

#[test]
fn a_database_that_nobody_may_read_fails_look_ups_fast() {
    let place = Place::new();
    let path = place.join("onekey.sqlite");
    put_person(&path, NumberHash([1; 16]));
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let store = SqliteStore::open(&path, quick()).unwrap();
    let began = std::time::Instant::now();
    assert!(look_up(&store, NumberHash([1; 16])).is_err());
    assert!(began.elapsed() < Duration::from_millis(250), "{:?}", began.elapsed());
    assert!(store.agents().is_err());
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    until("look-ups work again", || look_up(&store, NumberHash([1; 16])).is_ok());
}

#[test]
fn a_missing_or_broken_database_stops_nothing_and_is_taken_up_when_it_is_back() {
    let place = Place::new();
    let path = place.join("data/onekey.sqlite");
    std::fs::write(place.join("data"), "in the way of the directory").unwrap();
    let store = SqliteStore::open(&path, quick()).unwrap();
    assert!(look_up(&store, NumberHash([1; 16])).is_err());
    assert!(store.agents().is_err());
    store.save_call(record(1));
    until("the write has failed", || store.counts().writes_failed.load(Ordering::Relaxed) > 0);
    std::fs::remove_file(place.join("data")).unwrap();
    until("the record is stored", || store.counts().writes.load(Ordering::Relaxed) == 1);
    until("look-ups work", || look_up(&store, NumberHash([1; 16])) == Ok(None));
    // Another file in its place, and then one that is no database at all.
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    put_person(&path, NumberHash([1; 16]));
    until("the new file is read", || matches!(look_up(&store, NumberHash([1; 16])), Ok(Some(_))));
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "this is no database, whatever its name says ".repeat(200)).unwrap();
    assert!(look_up(&store, NumberHash([1; 16])).is_err());
    assert!(store.agents().is_err());
}

#[test]
fn the_ledger_fills_the_database_and_forgets_closed_entries_only_then() {
    let place = Place::new();
    let path = place.join("onekey.sqlite");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, quick()).unwrap());
    let start = || {
        let follower = StoreFollower { store: Arc::clone(&store), on_order: Box::new(|_| {}) };
        LedgerFile::open(place.path(), LedgerOptions::default(), Box::new(follower)).unwrap().0
    };
    let file = start();
    let at = Wall::from_seconds(1_800_000_002);
    let closed = Entry::Closed { promise: PromiseId(1), at, how: Closing::CallBackDone };
    for entry in [opened(1), closed, opened(2), opened(2)] {
        let (reply, answers) = reply();
        file.append(entry, reply);
        answer(&answers).unwrap();
    }
    drop(file);
    until("all is copied", || store.promises_kept_up_to() == 4);
    assert_eq!(Database::open(&path, PATIENCE).unwrap().promise_counts().unwrap(), (1, 1));
    drop(start());
    let text = std::fs::read_to_string(place.join("promises.ledger")).unwrap();
    assert!(!text.contains("promise=1 "), "{text}");
    until("the cut call is copied too", || store.promises_kept_up_to() == 5);
    drop(store);
    let store = SqliteStore::open(&path, quick()).unwrap();
    assert_eq!(store.promises_kept_up_to(), 5);
}

#[test]
fn no_number_reaches_the_database() {
    let place = Place::new();
    let path = place.join("onekey.sqlite");
    let store = SqliteStore::open(&path, quick()).unwrap();
    store.save_promise(1, &opened(1));
    drop(store);
    let database = rusqlite::Connection::open(&path).unwrap();
    let columns: i64 = database
        .query_row("SELECT count(*) FROM pragma_table_info('promises') WHERE name LIKE '%number%'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(columns, 0);
    assert_eq!(Database::open(&path, PATIENCE).unwrap().promise_counts().unwrap(), (1, 0));
}
