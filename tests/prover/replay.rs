//! Every counter-example, run through the whole engine: control plane, SIP, timers, the phones of a rehearsal. It must go
//! as it is written, to the tenth of a second: then it is what an administrator would see on a telephone.

use crate::{SEEDS, plan, plans, proof, setting};
use onekey::dialplan::reach::Broken;
use onekey::rehearsal::{self, Stage};
use onekey::script;
use std::collections::BTreeMap;
use std::sync::Arc;

#[test]
fn every_counter_example_goes_as_it_is_written() {
    let prompts = Arc::new(plans::prompts());
    let (first, seeds) = (setting("ONEKEY_SEED", 0), setting("ONEKEY_SEEDS", SEEDS));
    let mut run: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in first..first + seeds {
        let text = plans::random(seed);
        let plan = Arc::new(plan(&text, &prompts));
        let stage = Stage { dialplan: Arc::clone(&plan), prompts: Arc::clone(&prompts) };
        for breach in proof(&plan, &prompts).breaches {
            // Hours that change in the middle of a call cannot be had in one moment.
            if breach.call.remarks.iter().any(|remark| remark.contains("while the call goes on")) {
                *run.entry("hours change").or_default() += 1;
                continue;
            }
            // How long a value lasts is known only when it is known; the proof takes the longest.
            if script::write(&breach.call).contains('{') {
                *run.entry("with values").or_default() += 1;
                continue;
            }
            // What was written, read back: as an administrator would keep it.
            let call = script::read(&script::write(&breach.call)).expect("a counter-example can be read");
            let outcome = rehearsal::run_to_its_end(&stage, &call).expect("and run");
            assert!(
                outcome.differences.is_empty(),
                "seed {seed}, {:?}:\n{}\n{}\n{text}",
                breach.what,
                outcome.differences.join("\n"),
                script::write(&breach.call)
            );
            *run.entry(name(breach.what)).or_default() += 1;
        }
    }
    println!("counter-examples run: {run:?}");
    assert!(seeds < SEEDS || run.values().sum::<usize>() > seeds as usize / 3, "{run:?}");
}

fn name(what: Broken) -> &'static str {
    match what {
        Broken::OneKey => "one key",
        Broken::AskedAndHungUp => "asked and hung up",
        Broken::Round { .. } => "round",
        Broken::HelpTooLate(_) => "help too late",
        Broken::HungUp => "hung up",
        Broken::Stuck => "stuck",
        Broken::FlaggedAsked => "flagged asked",
        Broken::ToldTooLate(_) => "told too late",
    }
}
