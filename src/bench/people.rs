//! The registry of callers: how fast people are imported, what a row takes on the disk, how fast one is found.

use super::BenchError;
use super::cost::thread_time;
use super::figures::Figures;
use super::scratch::Scratch;
use super::spread::Spread;
use crate::callers::CallerRegistry;
use crate::server::registry_import::{Import, Progress};
use crate::server::store::Database;
use jiff::civil::date;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use std::fmt::Write as _;
use std::io::{BufReader, Read};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);
/// Numbers of this many digits behind `+1`, in an order that no tree likes.
const NUMBERS: u64 = 10_000_000_000;
/// Has no common divisor with [`NUMBERS`], so none comes twice.
const STRIDE: u64 = 2_654_435_761;

/// Imports `rows` people into a new registry, and then looks for one after the other for `time`.
///
/// # Errors
/// The registry cannot be written or read: there may be no room for it.
pub fn registry(rows: u64, time: Duration, tell: &mut dyn FnMut(&str)) -> Result<Figures, BenchError> {
    let scratch = Scratch::new()?;
    let path = scratch.path().join("onekey.sqlite");
    let registry = CallerRegistry::new([1; 32], "US");
    let mut figures = Figures::new("registry", &[("rows", rows)]);
    let mut database = Database::open(&path, PATIENCE).map_err(said)?;
    let import = Import { registry: &registry, thresholds: &[60, 65], today: date(2026, 11, 21) };
    let (began, worked, mut read) = (Instant::now(), thread_time(), None);
    let summary = import
        .run(BufReader::with_capacity(1 << 18, People::new(rows)), &mut database, &mut |_| {}, &mut |progress| {
            match progress {
                Progress::Read { bytes } => tell(&format!("{} MB read", bytes / 1_000_000)),
                Progress::Stored { rows, of } => {
                    read.get_or_insert_with(|| began.elapsed());
                    tell(&format!("{rows} of {of} numbers stored"));
                }
            }
        })
        .map_err(|error| BenchError(error.to_string()))?;
    let (took, worked) = (began.elapsed(), thread_time().saturating_sub(worked));
    if summary.imported != rows || summary.bad > 0 {
        return Err(BenchError(format!("{} of {rows} rows are imported", summary.imported)));
    }
    drop(database); // with it the write-ahead log goes into the file
    figures.add("rows imported per second", rows as f64 / took.as_secs_f64(), "");
    figures.add_time("read and sorted after", read.unwrap_or_default());
    figures.add_time("stored after", took);
    figures.add("processor per row", worked.as_secs_f64() * 1e6 / rows as f64, "us");
    figures.add("on the disk per row", std::fs::metadata(&path)?.len() as f64 / rows as f64, "bytes");
    tell("looking up");
    let found = look_up(&path, &registry, rows, time)?;
    figures.add("look-ups", found.count() as f64, "");
    for (name, share) in [("p50 to find a number", 0.5), ("p99 to find a number", 0.99)] {
        figures.add(name, found.quantile(share).as_secs_f64() * 1e6, "us");
    }
    figures
        .warnings
        .push("the file has just been written: the system has it in memory, as far as there is room".into());
    Ok(figures)
}

/// Every fourth number is not listed.
fn look_up(path: &std::path::Path, registry: &CallerRegistry, rows: u64, time: Duration) -> Result<Spread, BenchError> {
    let database = Database::open_reader(path, PATIENCE).map_err(said)?;
    let (mut random, mut spread) = (ChaCha12Rng::seed_from_u64(1), Spread::default());
    let end = Instant::now() + time;
    loop {
        let is_listed = spread.count() % 4 != 3;
        let nth = random.next_u64() % rows + if is_listed { 0 } else { rows };
        let number = registry.hash(&number(nth));
        let began = Instant::now();
        let found = database.person(number).map_err(said)?;
        spread.add(began.elapsed());
        if found.is_some() != is_listed {
            return Err(BenchError("a number is not found as it was stored".to_owned()));
        }
        if Instant::now() > end {
            return Ok(spread);
        }
    }
}

fn number(nth: u64) -> String {
    format!("+1{:010}", u128::from(nth) * u128::from(STRIDE) % u128::from(NUMBERS))
}

fn said(error: crate::server::store::StoreError) -> BenchError {
    BenchError(error.to_string())
}

/// The file of people, made while it is read.
struct People {
    nth: u64,
    rows: u64,
    text: String,
    at: usize,
}

impl People {
    fn new(rows: u64) -> People {
        People { nth: 0, rows, text: "number,birth_date,flags,language\n".to_owned(), at: 0 }
    }
}

impl Read for People {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.text.len() {
            (self.at, self.nth) = (0, self.nth + 1);
            self.text.clear();
            if self.nth <= self.rows {
                let (year, flag) = (1930 + self.nth % 80, if self.nth.is_multiple_of(50) { "assist" } else { "" });
                let line = (number(self.nth - 1), year, 1 + self.nth % 12, 1 + self.nth % 28, flag);
                let _ = writeln!(self.text, "{},{}-{:02}-{:02},{},en", line.0, line.1, line.2, line.3, line.4);
            }
        }
        let length = buffer.len().min(self.text.len() - self.at);
        buffer[..length].copy_from_slice(&self.text.as_bytes()[self.at..][..length]);
        self.at += length;
        Ok(length)
    }
}
