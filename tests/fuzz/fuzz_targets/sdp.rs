//! What is done with the bytes: `targets/sdp.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::sdp::run(bytes));
