//! `onekey registry import`: a CSV file of people into the registry (DESIGN §9), line by line and in bounded memory: first
//! all of it is read and sorted (`runs`), then stored.
//!
//! A bad row is told with its line and reason, and nothing else is lost for it: each line of the file is one row, so
//! that a quotation mark left open cannot swallow the rows after it. What is kept of a person is `callers`' affair.

mod row;
mod runs;

use super::store::{Database, StoreError};
use crate::caller::NumberHash;
use crate::callers::{CallerRegistry, Stored};
use jiff::civil::Date;
use row::{Columns, fields_of, read_row};
use runs::Runs;
use std::io::{self, BufRead};

/// Longest line, in bytes; a longer one is a bad row.
const LINE_BYTES_MAX: usize = 16 << 10;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("line 1: {0}")]
    Header(String),
    #[error("line {line}: the file cannot be read further: {error}; what came before is stored")]
    Read { line: u64, error: io::Error },
    #[error("line {line}: no room to sort the rows: {error}; none is stored: make room on the disk of the database")]
    Sort { line: u64, error: io::Error },
    #[error("the sorted rows cannot be read again: {error}; {stored} numbers are stored")]
    Merge { stored: u64, error: io::Error },
    #[error("{error}; {stored} numbers are stored")]
    Store { stored: u64, error: StoreError },
    #[error(
        "this registry was imported under another key: with the present data/secrets/registry.key no number of it can \
         be found. Put the old key back, or import into a new database"
    )]
    OtherKey,
}

/// A row that was not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    /// From 1, as editors count.
    pub line: u64,
    pub reason: String,
}

/// How far a reading is: lines and bytes that are done with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Position {
    pub line: u64,
    pub bytes: u64,
}

/// How far an import is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Of the file; rows are being sorted.
    Read {
        bytes: u64,
    },
    Stored {
        rows: u64,
        of: u64,
    },
}

/// What is kept of one row.
pub type Person = (NumberHash, Stored);

/// How an import reads people.
#[derive(Debug)]
pub struct Import<'a> {
    pub registry: &'a CallerRegistry,
    pub thresholds: &'a [u8],
    pub today: Date,
}

/// What an import has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Summary {
    /// Numbers stored; one that comes twice counts twice, and its last row is kept.
    pub imported: u64,
    pub bad: u64,
}

impl Import<'_> {
    /// Reads all of `source`. `on_bad` is told each bad row as it comes, `on_progress` how far it is.
    ///
    /// # Errors
    /// The header is missing or not understood, the source cannot be read, there is no room, the database cannot be written,
    /// or holds rows of another key.
    pub fn run(
        &self,
        source: impl BufRead,
        database: &mut Database,
        on_bad: &mut dyn FnMut(BadRow),
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Summary, ImportError> {
        self.claim(database)?;
        let mut summary = Summary::default();
        let mut runs = Runs::new(database.folder());
        let read = self.read(source, &mut |at, row| {
            match row {
                Ok((number, stored)) => {
                    summary.imported += 1;
                    let is_full =
                        runs.push(number, &stored).map_err(|error| ImportError::Sort { line: at.line, error })?;
                    if is_full {
                        on_progress(Progress::Read { bytes: at.bytes });
                    }
                }
                Err(reason) => {
                    summary.bad += 1;
                    on_bad(BadRow { line: at.line, reason });
                }
            }
            Ok(())
        });
        // What was read before the file failed is not lost.
        let broken = match read {
            Ok(end) => {
                on_progress(Progress::Read { bytes: end.bytes });
                None
            }
            Err(error @ ImportError::Read { .. }) => Some(error),
            Err(error) => return Err(error),
        };
        runs.store(database, on_progress)?;
        broken.map_or(Ok(summary), Err)
    }

    /// Reads all of `source` and stores nothing: each row goes to `on_row`, as what is kept of a person or as what is wrong
    /// with it. Returns where the source ends.
    ///
    /// # Errors
    /// The header is missing or not understood, the source cannot be read, or what `on_row` gives.
    pub fn read(
        &self,
        mut source: impl BufRead,
        on_row: &mut dyn FnMut(Position, Result<Person, String>) -> Result<(), ImportError>,
    ) -> Result<Position, ImportError> {
        let mut lines = Lines { source: &mut source, at: Position::default(), text: Vec::new() };
        let columns = read_header(&mut lines)?;
        while let Some(line) = lines.next()? {
            if let Some(row) = line.and_then(|text| self.person(&columns, text)).transpose() {
                on_row(lines.at, row)?;
            }
        }
        Ok(lines.at)
    }

    fn claim(&self, database: &Database) -> Result<(), ImportError> {
        let store = |error| ImportError::Store { stored: 0, error };
        let mark = self.registry.key_mark();
        if !database.is_registry_key(&mark).map_err(store)? {
            return Err(ImportError::OtherKey);
        }
        database.set_registry_key(&mark).map_err(store)
    }

    fn person(&self, columns: &Columns, text: &str) -> Result<Option<Person>, String> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let fields = fields_of(text, columns.delimiter)?;
        let (e164, stored) = read_row(columns, &fields, self)?;
        Ok(Some((self.registry.hash(&e164), stored)))
    }
}

fn read_header<R: BufRead>(lines: &mut Lines<'_, R>) -> Result<Columns, ImportError> {
    let header = match lines.next()? {
        Some(Ok(text)) => text.trim_start_matches('\u{feff}').to_owned(),
        Some(Err(reason)) => return Err(ImportError::Header(reason)),
        None => return Err(ImportError::Header("the file is empty".to_owned())),
    };
    Columns::of(&header).map_err(ImportError::Header)
}

/// Lines of bounded length; the outer result is the source's, the inner one the line's own.
struct Lines<'a, R> {
    source: &'a mut R,
    at: Position,
    text: Vec<u8>,
}

impl<R: BufRead> Lines<'_, R> {
    fn next(&mut self) -> Result<Option<Result<&str, String>>, ImportError> {
        self.text.clear();
        let mut is_too_long = false;
        loop {
            let line = self.at.line + 1;
            let buffer = match self.source.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer.map_err(|error| ImportError::Read { line, error })?,
            };
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(buffer.len());
            is_too_long |= self.text.len() + taken > LINE_BYTES_MAX;
            if !is_too_long {
                self.text.extend_from_slice(&buffer[..taken]);
            }
            let (is_end, consumed) = (buffer.is_empty(), taken + usize::from(end.is_some()));
            self.source.consume(consumed);
            self.at.bytes += consumed as u64;
            if is_end && self.text.is_empty() && !is_too_long {
                return Ok(None);
            }
            if is_end || end.is_some() {
                break;
            }
        }
        self.at.line += 1;
        if is_too_long {
            return Ok(Some(Err(format!("longer than {LINE_BYTES_MAX} bytes"))));
        }
        let text = self.text.strip_suffix(b"\r").unwrap_or(&self.text);
        Ok(Some(std::str::from_utf8(text).map_err(|_| "not UTF-8 text".to_owned())))
    }
}
