//! The weather: the whole core (engine and sound) in one thread under virtual time, by seed (DESIGN §2, §3).
//!
//! Callers and agents are small phones of their own (`phone`), the network loses, delays, doubles and reorders, the world
//! answers late, wrongly or never (`weather`, `store`), people err, hang up and vanish (`life`), and the process itself is
//! killed and started again (`world`). After every fact the engine is compared with a plain model of queue and agents
//! (`truth`), with the ledger's books (`books`), with what each caller was promised (`journeys`) and with what RFC 3261
//! allows on the wire (`doorstep`). At the end everything is healed, and must come to rest.
//!
//!     cargo test --test simulator                       a handful of seeds, and every seed that has ever failed
//!     ONEKEY_SEED=7 [ONEKEY_GEAR=bytes] cargo test …    that one, with its whole trace if it fails
//!     ONEKEY_SEEDS=5000 cargo test …                    so many
//!     ONEKEY_FIRST=1 …                                  stop at the first that fails (`planted/find` does)
//!     ONEKEY_HOURS=1000 cargo test --release …          so many hours of virtual time, with figures (-- --nocapture)

mod books;
mod bytes;
mod doorstep;
mod errors;
mod journeys;
mod life;
mod phone;
mod report;
mod sound;
mod store;
mod truth;
mod weather;
mod wishes;
mod words;
mod world;

use onekey::dialplan::{Facts, load};
use onekey::rehearsal::Stage;
use onekey::server::files::read_dialplans;
use onekey::server::rehearse::stage;
use onekey::time::Time;
use sound::Gear;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use world::{Plan, World};

/// Seeds of a usual run, and calls in each.
const SEEDS_IN_WORDS: u64 = 250;
const SEEDS_IN_BYTES: u64 = 12;
const CALLS_IN_WORDS: u64 = 40;
const CALLS_IN_BYTES: u64 = 6;

/// What a run came to.
#[derive(Clone, Copy, Default, Debug)]
struct Totals {
    runs: u64,
    calls: u64,
    conversations: u64,
    inputs: u64,
    time: Duration,
    fingerprint: u64,
}

/// The plan of the scenarios, and the same with a queue renamed and other times: what reloads change it for.
fn stages() -> (Stage, Stage) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("tests/calls");
    let first = stage(&folder, &root.join("prompts"), &[60, 65]).expect("the plan of the scenarios");
    let mut files = read_dialplans(&folder).expect("the plan's files");
    for (_, text) in &mut files {
        *text = text.replace("queue recorded", "queue taped").replace("queue.recorded", "queue.taped");
        *text = text.replace("ring_timeout = \"20s\"", "ring_timeout = \"8s\"\nlength_max = 3\nages_every = \"2s\"");
    }
    let facts = Facts::of(&first.prompts);
    let (plan, told) = load(&files, &facts);
    let plan = plan.unwrap_or_else(|| panic!("{}", onekey::diagnostic::draw(&told, &files, false)));
    let second = Stage { dialplan: Arc::new(plan), prompts: Arc::clone(&first.prompts) };
    (first, second)
}

fn plan(gear: Gear, seed: u64) -> Plan {
    let calls = if gear == Gear::Words { CALLS_IN_WORDS } else { CALLS_IN_BYTES };
    Plan { seed, gear, calls, traced: false, fingerprinted: false }
}

/// `Err`: what was wrong.
fn run(stages: &(Stage, Stage), plan: Plan) -> Result<Totals, String> {
    let mut world = World::new(stages, plan);
    let lived = catch_unwind(AssertUnwindSafe(|| world.live()));
    let wrong = match lived {
        Ok(wrong) => wrong.join("\n"),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        }
    };
    if wrong.is_empty() {
        let (calls, conversations, inputs) = (world.books.calls(), world.conversations, world.inputs);
        let time = world.now.since(Time::ZERO);
        return Ok(Totals { runs: 1, calls, conversations, inputs, time, fingerprint: world.fingerprint });
    }
    if !plan.traced {
        // The same again, with its trace.
        return run(stages, Plan { traced: true, ..plan }).and_then(|_| Err(format!("not again:\n{wrong}")));
    }
    Err(report::of(&world, &wrong))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Runs these; the first failures are told whole, all by their seed.
fn run_all(gear: Gear, seeds: impl Iterator<Item = u64>, until: Duration) -> Totals {
    let stages = stages();
    println!("{gear:?}: seeds");
    let began = Instant::now();
    let (mut totals, mut failed, mut told) = (Totals::default(), Vec::new(), 0);
    for seed in seeds {
        match run(&stages, plan(gear, seed)) {
            Ok(run) => totals.add(run),
            Err(report) => {
                if told < 2 {
                    println!("{report}");
                } else {
                    println!("{}", report.lines().take(3).collect::<Vec<_>>().join(" "));
                }
                told += 1;
                failed.push(seed);
            }
        }
        let found = !failed.is_empty() && std::env::var_os("ONEKEY_FIRST").is_some();
        if found {
            println!("found by seed {seed}, after {} others", totals.runs);
        }
        if found || totals.time >= until {
            break;
        }
    }
    totals.tell(gear, began.elapsed());
    assert!(failed.is_empty(), "these seeds failed in {gear:?}: {failed:?}");
    errors::none();
    totals
}

impl Totals {
    fn add(&mut self, run: Totals) {
        self.runs += 1;
        self.calls += run.calls;
        self.conversations += run.conversations;
        self.inputs += run.inputs;
        self.time += run.time;
    }

    fn tell(&self, gear: Gear, took: Duration) {
        let seconds = took.as_secs_f64().max(0.001);
        println!(
            "{gear:?}: {} calls, {} conversations, {} facts, {:.1} hours of virtual time in {seconds:.1} s: {:.0} calls a minute",
            self.calls,
            self.conversations,
            self.inputs,
            self.time.as_secs_f64() / 3600.0,
            self.calls as f64 / seconds * 60.0
        );
    }
}

/// One seed that was asked for, so many, or as many as fit into so many hours; else the usual handful.
fn chosen(gear: Gear, usual: u64) -> Totals {
    errors::listen();
    let asked = std::env::var("ONEKEY_GEAR").ok();
    let mine = asked.as_deref().is_none_or(|asked| asked == if gear == Gear::Words { "words" } else { "bytes" });
    if !mine {
        return Totals::default();
    }
    if let Some(seed) = number("ONEKEY_SEED") {
        return run_all(gear, seed..seed + 1, Duration::MAX);
    }
    if let Some(hours) = number("ONEKEY_HOURS") {
        return run_all(gear, 1_000_000.., Duration::from_secs(hours * 3600));
    }
    if let Some(seeds) = number("ONEKEY_SEEDS") {
        return run_all(gear, 0..seeds, Duration::MAX);
    }
    let totals = run_all(gear, 0..usual, Duration::MAX);
    assert!(totals.calls > usual * 3 && totals.conversations > usual / 3, "too little happened: {totals:?}");
    totals
}

#[test]
fn in_any_weather_the_promise_is_kept_and_nothing_is_left_over() {
    chosen(Gear::Words, SEEDS_IN_WORDS);
}

#[test]
fn with_real_frames_too() {
    chosen(Gear::Bytes, SEEDS_IN_BYTES);
}

#[test]
fn what_has_ever_failed_does_not_fail_again() {
    errors::listen();
    let seeds = include_str!("seeds.txt");
    let stages = stages();
    for line in seeds.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let gear = if words.next() == Some("bytes") { Gear::Bytes } else { Gear::Words };
        let seed = words.next().and_then(|seed| seed.parse().ok()).expect("a seed after the gear");
        if let Err(report) = run(&stages, plan(gear, seed)) {
            panic!("{report}");
        }
    }
    errors::none();
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let stages = stages();
    for gear in [Gear::Words, Gear::Bytes] {
        let once = |seed| run(&stages, Plan { fingerprinted: true, ..plan(gear, seed) }).map(|run| run.fingerprint);
        assert_eq!(once(3), once(3), "{gear:?}");
        assert_ne!(once(3), once(4), "{gear:?}: another seed must be another run");
    }
}
