//! What is done with the bytes: `targets/keys.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::keys::run(bytes));
