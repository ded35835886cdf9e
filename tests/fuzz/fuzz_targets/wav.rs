//! What is done with the bytes: `targets/wav.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::wav::run(bytes));
