//! The promise ledger (DESIGN §1): the text of its lines, and the state that comes from reading them again.
//!
//! A line is `SEQUENCE WHAT key=value … CHECK`, words apart by one space, values percent-escaped, CHECK 16 hex digits
//! of blake3 over all before it. The file, its flushing and its lock are `server::ledger_file`'s affair.

mod text;

pub use text::{LedgerError, asked_by_word, closing_word, decode, encode, without_number};

use crate::ids::PromiseId;
use crate::promise::{Due, Entry, Opened, SealedNumber};
use crate::time::Wall;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::collections::{BTreeMap, BTreeSet};

/// Closed promises that are remembered, so that a repeated `Opened` cannot open one again.
const CLOSED_KEPT: usize = 10_000;
const NONCE_BYTES: usize = 24;

/// A promise that nobody has kept yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenPromise {
    pub opened: Opened,
    /// Since when, and why, it is owed as a call-back (or a message to be taken up).
    pub due: Option<(Wall, Due)>,
    /// Who works on it by hand, and since when.
    pub taken_by: Option<(String, Wall)>,
}

/// What [`Ledger::apply`] did with an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    Changed,
    /// It was known already, or concerns a promise that is not open.
    Nothing,
}

/// The state after all entries so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    open: BTreeMap<PromiseId, OpenPromise>,
    closed: BTreeSet<PromiseId>,
    sequence: u64,
}

/// What [`Ledger::read`] found beside good lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// From 1.
    pub line: usize,
    pub error: LedgerError,
    /// The file ends inside this line: a write was cut off, and the entry was never promised to be on disk.
    pub is_torn_end: bool,
}

impl Ledger {
    /// Replays a whole file; `each` is told every good line. Broken lines are told and skipped, never a stop.
    /// Returns the troubles and the length in bytes of the file without a torn end.
    pub fn read(&mut self, file: &[u8], mut each: impl FnMut(u64, &Entry, &str)) -> (Vec<Trouble>, usize) {
        let (mut troubles, mut good_bytes) = (Vec::new(), 0);
        for (index, line) in file.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let whole = line.last() == Some(&b'\n');
            let text = std::str::from_utf8(line.trim_ascii_end()).map_err(|_| LedgerError::NotText);
            match text
                .and_then(|text| if text.is_empty() { Ok(None) } else { decode(text).map(|read| Some((read, text))) })
            {
                Ok(Some(((sequence, entry), text))) if whole => {
                    self.replay(sequence, &entry);
                    each(sequence, &entry, text);
                }
                Ok(None) if whole => {}
                // Without its line end a last line may lack more than that: it was never answered as written.
                Ok(_) => troubles.push(Trouble { line: index + 1, error: LedgerError::Torn, is_torn_end: true }),
                Err(error) => troubles.push(Trouble { line: index + 1, error, is_torn_end: !whole }),
            }
            if whole {
                good_bytes += line.len();
            }
        }
        (troubles, good_bytes)
    }

    /// One numbered entry of the file. A number that was seen before is a repeat and changes nothing.
    pub fn replay(&mut self, sequence: u64, entry: &Entry) -> Applied {
        if sequence <= self.sequence {
            return Applied::Nothing;
        }
        self.sequence = sequence;
        self.apply(entry)
    }

    /// Takes an entry into account. Doing it twice is the same as doing it once.
    pub fn apply(&mut self, entry: &Entry) -> Applied {
        match entry {
            Entry::Opened(opened) => {
                if self.closed.contains(&opened.promise) || self.open.contains_key(&opened.promise) {
                    return Applied::Nothing;
                }
                let promise = OpenPromise { opened: opened.clone(), due: None, taken_by: None };
                self.open.insert(opened.promise, promise);
                Applied::Changed
            }
            Entry::Due { promise, at, why } => {
                self.change(*promise, |open| open.due.replace((*at, why.clone())) != open.due)
            }
            Entry::Taken { promise, at, by } => {
                self.change(*promise, |open| open.taken_by.replace((by.clone(), *at)) != open.taken_by)
            }
            Entry::Closed { promise, .. } => {
                self.closed.insert(*promise);
                if self.closed.len() > CLOSED_KEPT {
                    self.closed.pop_first();
                }
                if self.open.remove(promise).is_some() { Applied::Changed } else { Applied::Nothing }
            }
        }
    }

    fn change(&mut self, promise: PromiseId, change: impl FnOnce(&mut OpenPromise) -> bool) -> Applied {
        match self.open.get_mut(&promise).map(change) {
            Some(true) => Applied::Changed,
            Some(false) | None => Applied::Nothing,
        }
    }

    pub fn open(&self) -> &BTreeMap<PromiseId, OpenPromise> {
        &self.open
    }

    /// Promises that are owed as a call-back or a message.
    pub fn due_count(&self) -> usize {
        self.open.values().filter(|open| open.due.is_some()).count()
    }

    /// The highest number of any entry so far; 0 before the first.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Numbers go on after this one, even where the file has fewer (its closed entries compacted away).
    pub fn skip_to(&mut self, sequence: u64) {
        self.sequence = self.sequence.max(sequence);
    }
}

/// Which promise an entry is about.
pub fn promise_of(entry: &Entry) -> PromiseId {
    match entry {
        Entry::Opened(opened) => opened.promise,
        Entry::Due { promise, .. } | Entry::Closed { promise, .. } | Entry::Taken { promise, .. } => *promise,
    }
}

/// Encrypts a number under the ledger's key. `nonce` must never be used twice with one key: 24 random bytes.
pub fn seal_number(key: &[u8; 32], nonce: [u8; NONCE_BYTES], e164: &str) -> SealedNumber {
    let cipher = XChaCha20Poly1305::new(key.into());
    // Fails only for texts of 256 GiB and more.
    let sealed = cipher.encrypt(&XNonce::from(nonce), e164.as_bytes()).unwrap_or_default();
    SealedNumber([nonce.as_slice(), &sealed].concat())
}

/// The number again; `None` under another key or when the bytes are damaged.
pub fn open_number(key: &[u8; 32], sealed: &SealedNumber) -> Option<String> {
    let (nonce, text) = sealed.0.split_first_chunk::<NONCE_BYTES>()?;
    let opened = XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), text).ok()?;
    String::from_utf8(opened).ok()
}

#[cfg(test)]
mod tests;
