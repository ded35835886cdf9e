//! The proof of the prover: two judges that share nothing of the proof's own graph must agree with it.
//!
//! * `walker` runs the call machine itself, every choice of caller and world in every state, on thousands of small random
//!   plans (`plans`), and must find broken exactly what the proof finds broken, both ways.
//! * `replay` runs every counter-example through the whole engine, SIP and timers and all: it must go as it is written.
//! * `mutants` breaks the sample dialplans in every place: each mutant is refused, or the walker shows it harmless.
//!
//! `ONEKEY_SEEDS` sets how many plans there are, `ONEKEY_SEED` with which one to begin.

mod mutants;
mod plans;
mod replay;
mod walker;

use onekey::dialplan::reach::{Broken, Proof, prove};
use onekey::dialplan::{Dialplan, Facts, load_unproved};
use onekey::prompt::PromptLibrary;
use std::collections::{BTreeMap, BTreeSet};

/// The kinds that both judges know. What is late is a matter of seconds, which `replay` compares.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    AskedAndHungUp,
    HungUp,
    Round,
    Stuck,
}

fn kind(what: Broken) -> Option<Kind> {
    match what {
        Broken::AskedAndHungUp => Some(Kind::AskedAndHungUp),
        Broken::HungUp => Some(Kind::HungUp),
        Broken::Round { .. } => Some(Kind::Round),
        Broken::Stuck => Some(Kind::Stuck),
        Broken::OneKey | Broken::FlaggedAsked | Broken::HelpTooLate(_) | Broken::ToldTooLate(_) => None,
    }
}

/// The number of the line of every random plan.
const NUMBER: &str = "5550100";

fn plan(text: &str, prompts: &PromptLibrary) -> Dialplan {
    let files = vec![("plan.toml".to_owned(), text.to_owned())];
    load_unproved(&files, &Facts::of(prompts)).unwrap_or_else(|told| {
        panic!("a plan of the test cannot be read:\n{}\n{text}", onekey::diagnostic::draw(&told, &files, false))
    })
}

fn proof(plan: &Dialplan, prompts: &PromptLibrary) -> Proof {
    prove(plan, plan.line_for(NUMBER).expect("every plan of the test has this line"), prompts)
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What came of some plans.
#[derive(Default)]
struct Sum {
    found: BTreeMap<Kind, usize>,
    good: usize,
    states: usize,
}

fn judge_both(seeds: impl Iterator<Item = u64>) -> Sum {
    let prompts = plans::prompts();
    let mut sum = Sum::default();
    for seed in seeds {
        let text = plans::random(seed);
        let plan = plan(&text, &prompts);
        let proved: BTreeSet<Kind> =
            proof(&plan, &prompts).breaches.iter().filter_map(|breach| kind(breach.what)).collect();
        let walked = walker::walk(&plan, NUMBER);
        assert_eq!(
            proved,
            walked.broken.keys().copied().collect(),
            "seed {seed}: the proof (left) and the walker (right: {:#?}) differ on\n{text}",
            walked.broken
        );
        sum.states += walked.states;
        sum.good += usize::from(proved.is_empty());
        proved.into_iter().for_each(|kind| *sum.found.entry(kind).or_default() += 1);
    }
    sum
}

#[test]
fn the_walker_and_the_proof_agree_on_every_random_plan() {
    let (first, seeds) = (setting("ONEKEY_SEED", 0), setting("ONEKEY_SEEDS", SEEDS));
    let (mut found, mut good, mut states) = (BTreeMap::<Kind, usize>::new(), 0, 0);
    let sums = std::thread::scope(|threads| {
        let all = (0..THREADS).map(|nth| (first + nth..first + seeds).step_by(THREADS as usize));
        let running: Vec<_> = all.map(|seeds| threads.spawn(move || judge_both(seeds))).collect();
        running.into_iter().map(|thread| thread.join().expect("the judges agree")).collect::<Vec<_>>()
    });
    for sum in sums {
        (good, states) = (good + sum.good, states + sum.states);
        sum.found.into_iter().for_each(|(kind, count)| *found.entry(kind).or_default() += count);
    }
    println!("{seeds} plans, {states} states walked: {good} keep the promise; broken: {found:?}");
    // A generator that made only good plans, or only bad ones, would prove nothing.
    if first == 0 && seeds >= SEEDS {
        assert!(good > seeds as usize / 20, "{good} good plans");
        for kind in [Kind::AskedAndHungUp, Kind::HungUp, Kind::Round] {
            assert!(found.get(&kind).copied().unwrap_or(0) > seeds as usize / 100, "{kind:?}: {found:?}");
        }
    }
}

/// Plans of a run that is not told how many.
const SEEDS: u64 = 300;

/// Judges at work at once.
const THREADS: u64 = 2;
