//! The ledger's copy in the database, for reports. The ledger's file stays the truth, and alone has the numbers.

use super::database::put_setting;
use super::{Database, StoreError};
use crate::promise::{Due, Entry};
use crate::queue::ledger::{asked_by_word, closing_word};
use rusqlite::{Connection, params};

const KEPT_UP_TO: &str = "promises_kept_up_to";

impl Database {
    /// Ledger entries up to this number are stored; 0 for none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn promises_kept_up_to(&self) -> Result<u64, StoreError> {
        Ok(self.setting(KEPT_UP_TO)?.and_then(|value| value.parse().ok()).unwrap_or(0))
    }

    /// How many promises the copy shows open and closed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn promise_counts(&self) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT count(*) FILTER (WHERE closed_us IS NULL), count(closed_us) FROM promises";
        Ok(self
            .connection
            .query_row(sql, [], |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64)))?)
    }
}

pub(super) fn put_kept_up_to(connection: &Connection, sequence: u64) -> rusqlite::Result<()> {
    put_setting(connection, KEPT_UP_TO, &sequence.to_string())
}

/// Doing it twice is the same as doing it once.
pub(super) fn put_promise(connection: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    match entry {
        Entry::Opened(opened) => {
            let sql = "INSERT INTO promises (promise, call, line, queue, opened_us, asked_by, flagged) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
            connection.prepare_cached(sql)?.execute(params![
                opened.promise.0 as i64,
                opened.call.0 as i64,
                opened.line.as_str(),
                opened.queue.as_str(),
                opened.at.as_micros(),
                asked_by_word(opened.asked_by),
                opened.flagged,
            ])?;
        }
        Entry::Due { promise, at, why } => {
            let (why, file) = match why {
                Due::CallBackPromised => ("call_back_promised", None),
                Due::Cut => ("cut", None),
                Due::Message(file) => ("message", Some(file)),
            };
            let sql = "UPDATE promises SET due_us = ?2, due_why = ?3, message_file = ?4 WHERE promise = ?1";
            connection.prepare_cached(sql)?.execute(params![promise.0 as i64, at.as_micros(), why, file])?;
        }
        Entry::Taken { promise, at, by } => {
            let sql = "UPDATE promises SET taken_us = ?2, taken_by = ?3 WHERE promise = ?1";
            connection.prepare_cached(sql)?.execute(params![promise.0 as i64, at.as_micros(), by])?;
        }
        Entry::Closed { promise, at, how } => {
            let sql = "UPDATE promises SET closed_us = ?2, closed_how = ?3 WHERE promise = ?1 AND closed_us IS NULL";
            connection.prepare_cached(sql)?.execute(params![promise.0 as i64, at.as_micros(), closing_word(*how)])?;
        }
    }
    Ok(())
}
