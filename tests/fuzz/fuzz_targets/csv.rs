//! What is done with the bytes: `targets/csv.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::csv::run(bytes));
