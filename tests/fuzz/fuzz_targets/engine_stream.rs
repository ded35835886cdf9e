//! What is done with the bytes: `targets/engine_stream.rs`. The prompts are loaded before any input's time is taken.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        targets::stage();
    },
    |bytes: &[u8]| targets::engine_stream::run(bytes)
);
