//! What can befall the program's database while it runs: another process holds its lock, or its pages are gone.

use rusqlite::Connection;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The SQLite files in a data folder.
fn files(data: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data).expect("the data folder").flatten().map(|entry| entry.path());
    let found: Vec<PathBuf> = entries.filter(|path| is_database(path)).collect();
    assert!(!found.is_empty(), "no database in {}", data.display());
    found
}

fn is_database(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3"))
}

/// A lock on the databases that keeps every other writer out, until it is dropped.
#[derive(Debug)]
pub struct Locked(Vec<Connection>);

impl Locked {
    pub fn new(data: &Path) -> Locked {
        let lock = |file: &PathBuf| {
            let connection = Connection::open(file).expect("the database opens");
            connection.busy_timeout(std::time::Duration::from_secs(5)).expect("a wait");
            connection.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
            connection
        };
        Locked(files(data).iter().map(lock).collect())
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        for connection in &self.0 {
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

/// Overwrites all of the databases but their first page.
pub fn destroy(data: &Path) {
    for file in files(data) {
        // What is still in the write-ahead log goes to the file first: there it can be hit.
        Connection::open(&file).and_then(|c| c.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")).expect("a checkpoint");
        let length = std::fs::metadata(&file).expect("its size").len();
        let mut handle = std::fs::File::options().write(true).open(&file).expect("the database as a file");
        handle.seek(SeekFrom::Start(4096)).expect("its second page");
        handle.write_all(&vec![0x5a; length.saturating_sub(4096) as usize]).expect("rubbish");
    }
}
