//! What is done with the bytes: `targets/rtcp.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::rtcp::run(bytes));
