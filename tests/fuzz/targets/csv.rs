//! A file of people for the caller registry: any bytes, by rows that know nothing of each other.
//!
//! Each row comes out as it would alone under the same header, so that a bad one costs no other; what is kept can be put
//! into the store's form and back; a reason is short, and acts on no terminal.

use onekey::callers::{CallerRegistry, Stored, earliest_date};
use onekey::server::registry_import::{Import, ImportError, Person};
use onekey::time::Wall;
use std::sync::OnceLock;

/// Longest reason: words of ours and a few of the file's.
const REASON_BYTES_MAX: usize = 300;
/// Rows that are tried alone.
const ALONE_MAX: usize = 40;
/// 2026-11-25.
const TODAY: i64 = 1_795_600_000;

type Row = (u64, Result<Person, String>);

pub fn run(bytes: &[u8]) {
    let Ok((rows, end)) = read(bytes) else { return };
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    assert!(end.1 == bytes.len() as u64 && end.0 as usize <= lines.len(), "it ends at {end:?}");
    assert!(rows.is_sorted_by(|(one, _), (next, _)| one < next));
    let header = lines[0];
    for (line, row) in rows.iter().take(ALONE_MAX) {
        let alone = [header, lines[*line as usize - 1]].join(&b'\n');
        let (rows, _) = read(&alone).unwrap_or_else(|error| panic!("the header was well before: {error}"));
        assert_eq!(rows, [(2, row.clone())], "line {line}");
    }
    for (_, row) in rows {
        match row {
            Ok((_, stored)) => assert_eq!(Stored::from_parts(&stored.kind(), &stored.months()), Some(stored)),
            Err(reason) => {
                assert!(!reason.contains(char::is_control), "{reason:?}");
                assert!((1..=REASON_BYTES_MAX).contains(&reason.len()), "{reason}");
            }
        }
    }
}

fn read(bytes: &[u8]) -> Result<(Vec<Row>, (u64, u64)), ImportError> {
    static REGISTRY: OnceLock<CallerRegistry> = OnceLock::new();
    let registry = REGISTRY.get_or_init(|| CallerRegistry::new([1; 32], "US"));
    let import = Import { registry, thresholds: &[60, 65], today: earliest_date(Wall::from_seconds(TODAY)) };
    let mut rows = Vec::new();
    let end = import.read(bytes, &mut |at, row| {
        rows.push((at.line, row));
        Ok(())
    })?;
    Ok((rows, (end.line, end.bytes)))
}
