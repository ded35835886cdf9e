//! One connection to the SQLite file, with the tables brought up to date (`schema.sql` and what follows it).

use super::StoreError;
use crate::server::files::folder_of;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use rusqlite_migration::{M, Migrations};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// In order of writing; never changed, only added to.
const STEPS: &[M<'static>] = &[M::up(include_str!("schema.sql"))];
const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

/// An open database.
#[derive(Debug)]
pub struct Database {
    pub(super) connection: Connection,
    path: PathBuf,
    /// Device and number of the file: when another lies at `path`, this connection writes into nowhere.
    file: Option<(u64, u64)>,
}

impl Database {
    /// Opens the file, makes it (and its directory) if missing, and brings its tables up to date.
    /// A locked database is waited for as long as `patience`.
    ///
    /// # Errors
    /// Not readable or writable, no database, locked, or made by a newer version of the program.
    pub fn open(path: &Path, patience: Duration) -> Result<Database, StoreError> {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)
                .map_err(|error| StoreError::Directory { path: directory.to_owned(), error })?;
        }
        // Digest hashes are as good as passwords: for the owner alone. SQLite gives its other files the same mode.
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| StoreError::Directory { path: path.to_owned(), error })?;
        let opened = |error| StoreError::Open { path: path.to_owned(), error };
        let mut connection = Connection::open(path).map_err(opened)?;
        connection.busy_timeout(patience).map_err(opened)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(opened)?;
        // Each commit is flushed: the ledger forgets closed promises once they are here.
        connection.pragma_update(None, "synchronous", "FULL").map_err(opened)?;
        let migrated = MIGRATIONS.to_latest(&mut connection);
        migrated.map_err(|error| StoreError::Migrate { path: path.to_owned(), error })?;
        Ok(Database { connection, path: path.to_owned(), file: file_id(path) })
    }

    /// A second connection, for reading: never makes or changes a table.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the file is missing.
    pub fn open_reader(path: &Path, patience: Duration) -> Result<Database, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = |error| StoreError::Open { path: path.to_owned(), error };
        let connection = Connection::open_with_flags(path, flags).map_err(opened)?;
        connection.busy_timeout(patience).map_err(opened)?;
        connection.pragma_update(None, "query_only", true).map_err(opened)?;
        Ok(Database { connection, path: path.to_owned(), file: file_id(path) })
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// Is the file at the path still the one that is open?
    pub(super) fn is_current(&self) -> bool {
        self.file.is_some() && self.file == file_id(&self.path)
    }

    /// A value of the `settings` table.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT value FROM settings WHERE name = ?1")?;
        Ok(query.query_row([name], |row| row.get(0)).optional()?)
    }

    /// # Errors
    /// The database cannot be written.
    pub fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        put_setting(&self.connection, name, value)?;
        Ok(())
    }
}

pub(super) fn put_setting(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO settings VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute([name, value]).map(drop)
}

fn file_id(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_database_is_its_owners_alone() {
        let path = std::env::temp_dir().join(format!("onekey-mode-{}.sqlite", std::process::id()));
        let database = Database::open(&path, Duration::from_secs(5)).unwrap();
        let modes: Vec<u32> = ["", "-wal"]
            .iter()
            .map(|end| std::fs::metadata(format!("{}{end}", path.display())).unwrap().mode())
            .collect();
        drop(database);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(modes.iter().map(|mode| mode & 0o777).collect::<Vec<_>>(), [0o600, 0o600]);
    }

    #[test]
    fn the_migrations_are_valid() {
        MIGRATIONS.validate().unwrap();
    }
}
