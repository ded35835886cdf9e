//! Bad weather for the core: random callers, agents, disks and networks on the real engine under virtual time (DESIGN §15).
//!
//! After every input the engine's own rules, the media plane's orders and the ledger's books must be right; at the end
//! everything must come to rest. A failure names its seed: `ONEKEY_SEED=n cargo test --test core_weather` runs that one
//! with its trace, `ONEKEY_SEEDS=n` runs so many.

mod acts;
mod books;
mod phones;
mod streams;
mod world;

use onekey::server::rehearse::stage;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

const SEEDS: u64 = 300;

#[test]
fn in_any_weather_the_promise_is_kept_and_nothing_is_left_over() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stage = stage(&root.join("tests/calls"), &root.join("prompts"), &[60, 65]).expect("the plan of the scenarios");
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let one = number("ONEKEY_SEED");
    let seeds = match one {
        Some(seed) => seed..seed + 1,
        None => 0..number("ONEKEY_SEEDS").unwrap_or(SEEDS),
    };
    let (mut failed, mut totals) = (Vec::new(), [0; 3]);
    for seed in seeds {
        let lived = catch_unwind(AssertUnwindSafe(|| {
            let mut world = world::World::new(&stage, seed, one.is_some());
            let wrong = world.live();
            assert!(wrong.is_empty(), "{}\n{}", world.last_trace(), wrong.join("\n"));
            world.totals()
        }));
        match lived {
            Ok(told) => totals.iter_mut().zip(told).for_each(|(total, told)| *total += told),
            Err(_) => failed.push(seed),
        }
    }
    assert!(failed.is_empty(), "these seeds failed: {failed:?}");
    assert!(one.is_some() || totals.iter().all(|total| *total > 10), "too little happened: {totals:?}");
}
