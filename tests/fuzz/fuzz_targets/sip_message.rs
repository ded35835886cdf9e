//! What is done with the bytes: `targets/sip_message.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::sip_message::run(bytes));
