//! The fuzz targets without a fuzzer: every saved input once, then seeded changes of them, blind to coverage.
//!
//! Runs with the other tests, and in place of the fuzzer where that cannot be built: `ONEKEY_MUTATE_SECONDS=5` then says for how
//! long each target is tried. A failure writes the input and names the file; put it into `tests/fuzz/corpus/<target>/` and mend.

#[path = "fuzz/targets/lib.rs"]
mod targets;

use nix::sys::resource::{Resource, setrlimit};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Once;
use std::time::{Duration, Instant};
use targets::{TARGETS, Target};

/// Changed inputs for each target where no time is given: with checks on and little optimised, a few seconds.
const MUTATIONS: usize = 500;
/// And no longer than this: sounds of odd rates take long without optimisation.
const LONGEST: Duration = Duration::from_secs(1);
/// What a target may take of memory, in bytes: one that grows without end must not take the machine's.
const MEMORY_MAX: u64 = 4 << 30;
/// Longest input, as for the fuzzer.
const BYTES_MAX: usize = 4096;

/// The name and bytes of each saved input of a target, in order of name.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = targets::root().join("tests/fuzz/corpus").join(target);
    let listing = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = listing.map(|entry| entry.expect("a folder can be listed").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).expect("an input can be read"))).collect()
}

thread_local! {
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// Why it fails, if it does. The engine catches panics of single calls: the hook counts those as well.
fn failure(target: Target, bytes: &[u8]) -> bool {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let bounded = setrlimit(Resource::RLIMIT_AS, MEMORY_MAX, MEMORY_MAX);
        bounded.expect("a process may bound itself");
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.set(PANICS.get() + 1);
            told(panic);
        }));
    });
    PANICS.set(0);
    let ended = catch_unwind(AssertUnwindSafe(|| target(bytes)));
    ended.is_err() || PANICS.get() > 0
}

#[test]
fn every_saved_input_is_taken() {
    let mut failed = Vec::new();
    for (name, target) in TARGETS {
        let inputs = corpus(name);
        assert!(inputs.len() >= 5, "{name} has {} saved inputs", inputs.len());
        failed.extend(inputs.into_iter().filter(|(_, bytes)| failure(target, bytes)).map(|(path, _)| path));
    }
    assert!(failed.is_empty(), "these fail: {failed:#?}");
}

#[test]
fn changed_inputs_are_taken() {
    let seconds = std::env::var("ONEKEY_MUTATE_SECONDS").ok().and_then(|text| text.parse().ok());
    let mut failed = Vec::new();
    targets::stage();
    for (name, target) in TARGETS {
        let inputs: Vec<Vec<u8>> = corpus(name).into_iter().map(|(_, bytes)| bytes).collect();
        let mut dice = ChaCha12Rng::seed_from_u64(4475);
        let began = Instant::now();
        let mut tried = 0;
        while match seconds {
            Some(seconds) => began.elapsed() < Duration::from_secs(seconds),
            None => tried < MUTATIONS && began.elapsed() < LONGEST,
        } {
            let bytes = changed(&inputs, &mut dice);
            if failure(target, &bytes) {
                let path = std::env::temp_dir().join(format!("onekey-{name}-{tried}"));
                std::fs::write(&path, &bytes).expect("the input can be written");
                failed.push(path);
                break;
            }
            tried += 1;
        }
        println!("{name}: {tried} changed inputs in {:.1} s", began.elapsed().as_secs_f32());
    }
    assert!(failed.is_empty(), "these fail: {failed:#?}");
}

/// One input with a few bytes changed, taken out, doubled, or put in from another.
fn changed(inputs: &[Vec<u8>], dice: &mut ChaCha12Rng) -> Vec<u8> {
    let mut bytes = inputs[below(dice, inputs.len())].clone();
    for _ in 0..1 + below(dice, 4) {
        let at = below(dice, bytes.len() + 1);
        let end = (at + below(dice, 1 + (bytes.len() - at).min(40))).min(bytes.len());
        match below(dice, 5) {
            0 => bytes.splice(at..end, []).for_each(drop),
            1 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again).for_each(drop);
            }
            2 => {
                let other = &inputs[below(dice, inputs.len())];
                let from = below(dice, other.len() + 1);
                let to = (from + below(dice, 60)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied()).for_each(drop);
            }
            3 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'\r', b'\n', b'"'][below(dice, 8)],
            _ if at < bytes.len() => bytes[at] ^= 1 << below(dice, 8),
            _ => bytes.push(dice.next_u32() as u8),
        }
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn below(dice: &mut ChaCha12Rng, sides: usize) -> usize {
    dice.next_u32() as usize % sides.max(1)
}

#[test]
fn a_target_that_panics_is_seen_even_where_the_panic_is_caught() {
    fn panics(bytes: &[u8]) {
        let _ = catch_unwind(|| assert!(bytes.is_empty(), "on purpose"));
    }
    assert!(failure(panics, b"x") && !failure(panics, b""));
}
