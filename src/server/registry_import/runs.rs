//! People of an import, sorted by the hash of their number before they are stored: hashes fall all over the tree, and rows
//! in its order write each of its pages once, and full.
//!
//! So many are kept in memory. When there are more they are sorted and written to a file without a name beside the
//! database, a run; at the end all runs are merged. Of several rows of one number the last one is stored last.

use super::{ImportError, Progress};
use crate::caller::NumberHash;
use crate::callers::Stored;
use crate::server::store::{Database, PersonRow};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Rows kept in memory: some 80 MB.
const ROWS_IN_MEMORY: usize = if cfg!(test) { 10 } else { 1 << 20 };
/// Rows of one transaction: a running server waits no longer.
const ROWS_AT_ONCE: usize = 20_000;
const READ_AHEAD_BYTES: usize = 256 << 10;

pub(super) struct Runs {
    folder: PathBuf,
    kinds: Vec<String>,
    kind_numbers: BTreeMap<String, u32>,
    rows: Vec<PersonRow>,
    files: Vec<File>,
    written: u64,
}

impl Runs {
    pub fn new(folder: &Path) -> Runs {
        Runs {
            folder: folder.to_owned(),
            kinds: Vec::new(),
            kind_numbers: BTreeMap::new(),
            rows: Vec::new(),
            files: Vec::new(),
            written: 0,
        }
    }

    /// `true`: a run has become full.
    ///
    /// # Errors
    /// It cannot be written to the disk.
    pub fn push(&mut self, number: NumberHash, stored: &Stored) -> io::Result<bool> {
        let kind = stored.kind();
        let kind = match self.kind_numbers.get(&kind) {
            Some(known) => *known,
            None => {
                let next = self.kinds.len() as u32;
                self.kinds.push(kind.clone());
                self.kind_numbers.insert(kind, next);
                next
            }
        };
        self.rows.push(PersonRow { number, kind, months: stored.months() });
        let is_full = self.rows.len() >= ROWS_IN_MEMORY;
        if is_full {
            self.write_run()?;
        }
        Ok(is_full)
    }

    /// Stores all of them.
    pub fn store(mut self, database: &mut Database, on_progress: &mut dyn FnMut(Progress)) -> Result<(), ImportError> {
        self.sort();
        let of = self.written + self.rows.len() as u64;
        let mut stored = 0;
        let mut put = |rows: &[PersonRow]| {
            database.put_people(&self.kinds, rows).map_err(|error| ImportError::Store { stored, error })?;
            stored += rows.len() as u64;
            on_progress(Progress::Stored { rows: stored, of });
            Ok(stored)
        };
        if self.files.is_empty() {
            return self.rows.chunks(ROWS_AT_ONCE).try_for_each(|rows| put(rows).map(drop));
        }
        let failed = |stored| move |error| ImportError::Merge { stored, error };
        let files = std::mem::take(&mut self.files);
        let mut merge = Merge::new(files, std::mem::take(&mut self.rows)).map_err(failed(0))?;
        let (mut rows, mut stored) = (Vec::with_capacity(ROWS_AT_ONCE), 0);
        while let Some(row) = merge.next().map_err(failed(stored))? {
            rows.push(row);
            if rows.len() == ROWS_AT_ONCE {
                stored = put(&rows)?;
                rows.clear();
            }
        }
        if rows.is_empty() { Ok(()) } else { put(&rows).map(drop) }
    }

    /// Keeps the order of rows of one number.
    fn sort(&mut self) {
        self.rows.sort_by_key(|row| row.number);
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.sort();
        let path = self.folder.join(format!("import-{}-{}.sorted", std::process::id(), self.files.len()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        // Without a name it is gone when we are, however we end.
        std::fs::remove_file(&path)?;
        let mut writer = BufWriter::with_capacity(READ_AHEAD_BYTES, file);
        for row in &self.rows {
            writer.write_all(&row.number.0)?;
            writer.write_all(&row.kind.to_le_bytes())?;
            writer.write_all(&(row.months.len() as u16).to_le_bytes())?;
            writer.write_all(&row.months)?;
        }
        let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.files.push(file);
        self.written += self.rows.len() as u64;
        self.rows.clear();
        Ok(())
    }
}

/// Several sorted sequences as one. The last of them is in memory.
struct Merge {
    files: Vec<BufReader<File>>,
    rest: std::vec::IntoIter<PersonRow>,
    /// The first row of each that is left; `None` where it has ended.
    heads: Vec<Option<PersonRow>>,
    /// By number, then by sequence: of two rows of one number the later comes later.
    order: BinaryHeap<Reverse<(NumberHash, usize)>>,
}

impl Merge {
    fn new(files: Vec<File>, rest: Vec<PersonRow>) -> io::Result<Merge> {
        let files: Vec<_> = files.into_iter().map(|file| BufReader::with_capacity(READ_AHEAD_BYTES, file)).collect();
        let (heads, order) = (vec![None; files.len() + 1], BinaryHeap::new());
        let mut merge = Merge { files, rest: rest.into_iter(), heads, order };
        (0..merge.heads.len()).try_for_each(|sequence| merge.advance(sequence))?;
        Ok(merge)
    }

    fn next(&mut self) -> io::Result<Option<PersonRow>> {
        let Some(Reverse((_, sequence))) = self.order.pop() else { return Ok(None) };
        let row = self.heads[sequence].take();
        self.advance(sequence)?;
        Ok(row)
    }

    fn advance(&mut self, sequence: usize) -> io::Result<()> {
        let row = match self.files.get_mut(sequence) {
            Some(file) => read_row(file)?,
            None => self.rest.next(),
        };
        if let Some(row) = row {
            self.order.push(Reverse((row.number, sequence)));
            self.heads[sequence] = Some(row);
        }
        Ok(())
    }
}

fn read_row(file: &mut BufReader<File>) -> io::Result<Option<PersonRow>> {
    if file.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut fixed = [0; 22];
    file.read_exact(&mut fixed)?;
    let [kind, months] = [&fixed[16..20], &fixed[20..22]]
        .map(|bytes| bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)));
    let mut number = [0; 16];
    number.copy_from_slice(&fixed[..16]);
    let mut months = vec![0; months as usize];
    file.read_exact(&mut months)?;
    Ok(Some(PersonRow { number: NumberHash(number), kind, months }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::Reached;
    use std::time::Duration;

    #[test]
    fn rows_of_many_runs_are_all_stored_and_of_one_number_the_last_counts() {
        let folder = std::env::temp_dir().join(format!("onekey-runs-{}", std::process::id()));
        let mut database = Database::open(&folder.join("onekey.sqlite"), Duration::from_secs(5)).unwrap();
        let mut runs = Runs::new(database.folder());
        let number = |nth: u32| NumberHash(u128::from(nth % 25).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let person = |nth: u32| Stored { ages: vec![(65, Reached::Month(nth as u16))], ..Stored::default() };
        let mut full = 0;
        for nth in 1..=73 {
            full += u32::from(runs.push(number(nth), &person(nth)).unwrap());
        }
        assert_eq!(full, 7);
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name.to_string_lossy().starts_with("onekey.sqlite")), "{left:?}");
        let mut told = Vec::new();
        runs.store(&mut database, &mut |progress| told.push(progress)).unwrap();
        assert_eq!(told, [Progress::Stored { rows: 73, of: 73 }]);
        assert_eq!(database.people_count().unwrap(), 25);
        for nth in 49..=73 {
            assert_eq!(database.person(number(nth)).unwrap(), Some(person(nth)));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
