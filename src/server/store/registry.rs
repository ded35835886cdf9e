//! The caller registry's rows: 16 bytes of hash and a few of facts each, for 50 million numbers on one machine.

use super::{Database, StoreError};
use crate::caller::NumberHash;
use crate::callers::Stored;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};

/// Which key the rows were hashed under (its mark, not the key).
const KEY_MARK: &str = "registry_key_mark";

/// A row on its way into the registry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonRow {
    pub number: NumberHash,
    /// Its place in the list of kinds that comes with it ([`Stored::kind`]).
    pub kind: u32,
    /// [`Stored::months`].
    pub months: Vec<u8>,
}

impl Database {
    /// Writes rows in one transaction; of several rows of one number, and of old and new, the last one counts. Rows in the
    /// order of their numbers share pages of the tree: they are written several times as fast, and the pages are full.
    ///
    /// # Errors
    /// The database cannot be written; it is then as it was.
    pub fn put_people(&mut self, kinds: &[String], rows: &[PersonRow]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let ids: Vec<u64> = kinds.iter().map(|kind| kind_id(&transaction, kind)).collect::<Result<_, _>>()?;
        {
            let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO registry VALUES (?1, ?2)")?;
            let mut facts = Vec::with_capacity(16);
            for row in rows {
                facts.clear();
                push_leb128(&mut facts, ids.get(row.kind as usize).copied().unwrap_or_default());
                facts.extend_from_slice(&row.months);
                insert.execute((row.number.0.as_slice(), facts.as_slice()))?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// What is stored of a number; `None` when it is not listed.
    ///
    /// # Errors
    /// The database cannot be read, or the row is damaged.
    pub fn person(&self, number: NumberHash) -> Result<Option<Stored>, StoreError> {
        let mut query = self.connection.prepare_cached("SELECT facts FROM registry WHERE number = ?1")?;
        let facts: Option<Vec<u8>> = query.query_row([number.0.as_slice()], |row| row.get(0)).optional()?;
        let Some(facts) = facts else { return Ok(None) };
        let damaged = || rusqlite::Error::InvalidColumnType(0, "facts".to_owned(), rusqlite::types::Type::Blob);
        let (id, months) = split_leb128(&facts).ok_or_else(damaged)?;
        let mut query = self.connection.prepare_cached("SELECT kind FROM registry_kinds WHERE id = ?1")?;
        let kind: Option<String> = query.query_row([id as i64], |row| row.get(0)).optional()?;
        let stored = kind.and_then(|kind| Stored::from_parts(&kind, months)).ok_or_else(damaged)?;
        Ok(Some(stored))
    }

    /// How many numbers are listed. Reads the whole table: seconds for tens of millions.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn people_count(&self) -> Result<u64, StoreError> {
        Ok(self.connection.query_row("SELECT count(*) FROM registry", [], |row| row.get::<_, i64>(0))? as u64)
    }

    /// Were the rows hashed under the key of this mark? Also when there is no mark yet.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn is_registry_key(&self, mark: &str) -> Result<bool, StoreError> {
        Ok(self.setting(KEY_MARK)?.is_none_or(|known| known == mark))
    }

    /// # Errors
    /// The database cannot be written.
    pub fn set_registry_key(&self, mark: &str) -> Result<(), StoreError> {
        self.set_setting(KEY_MARK, mark)
    }
}

fn kind_id(transaction: &Transaction<'_>, kind: &str) -> rusqlite::Result<u64> {
    transaction
        .prepare_cached("INSERT INTO registry_kinds (kind) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([kind])?;
    let mut query = transaction.prepare_cached("SELECT id FROM registry_kinds WHERE kind = ?1")?;
    query.query_row([kind], |row| row.get::<_, i64>(0)).map(|id| id as u64)
}

/// Seven bits a byte, the lowest first: the most common kinds take one byte.
fn push_leb128(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn split_leb128(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().take(9).position(|byte| byte & 0x80 == 0)?;
    let number = bytes[..=end].iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f));
    Some((number, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_kinds_come_back() {
        for number in [0, 1, 127, 128, 16_383, 16_384, 1 << 40] {
            let mut bytes = Vec::new();
            push_leb128(&mut bytes, number);
            bytes.extend([9, 9]);
            assert_eq!(split_leb128(&bytes), Some((number, [9, 9].as_slice())));
        }
        assert_eq!(split_leb128(&[]), None);
        assert_eq!(split_leb128(&[0x80; 12]), None);
    }
}
