//! Letters at random on plans with everything in them: what was walked and kept goes again exactly as it went. It is what
//! holds the walked engine and the rehearsed one together.

use super::root;
use onekey::dialplan::Dialplan;
use onekey::ids::AgentId;
use onekey::rehearsal::choices::{Meaning, meaning};
use onekey::rehearsal::live::Live;
use onekey::rehearsal::{self, Stage};
use onekey::script::{self, Script};
use onekey::server::rehearse::stage;
use std::time::Duration;

const LETTERS: &[u8] = b"0123456789*#hla rexio1234      ";
const WALKS: u64 = 150;
const ACTS: usize = 25;

/// A small generator: the same walks every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

fn walk(stage: &Stage, line: &str, seed: u64) -> Script {
    let mut dice = Dice(seed);
    let agents = ["1001", "1002"].map(AgentId::new);
    let header = Script {
        line: line.to_owned(),
        caller: (dice.roll(5) > 0).then(|| "+12025550123".to_owned()),
        agents: agents[..dice.roll(3)].to_vec(),
        ..Script::default()
    };
    let mut live = Live::begin(stage, header, &agents).unwrap();
    for _ in 0..ACTS {
        if live.is_over() {
            break;
        }
        match meaning(char::from(LETTERS[dice.roll(LETTERS.len())]), &live, &stage.dialplan) {
            // Not every act can be done at every moment; then nothing comes of it.
            Meaning::Do(act) => drop(live.act(act)),
            Meaning::On => live.run_on(),
            _ => live.run(live.now() + Duration::from_millis(dice.roll(4000) as u64)),
        }
        live.news();
    }
    live.finish()
}

fn lines(plan: &Dialplan) -> Vec<String> {
    plan.lines.keys().map(|name| name.to_string()).collect()
}

#[test]
fn what_was_walked_goes_again_as_it_went() {
    let mut acts = 0;
    for folder in ["tests/calls", "tests/calls/services", "dialplans"] {
        let stage = stage(&root().join(folder), &root().join("prompts"), &[60, 65]).unwrap();
        let lines = lines(&stage.dialplan);
        for seed in 0..WALKS {
            let line = &lines[seed as usize % lines.len()];
            let text = script::write(&walk(&stage, line, seed));
            let script = script::read(&text).unwrap();
            acts += text.matches("  > ").count();
            let outcome = rehearsal::run(&stage, &script).unwrap();
            assert!(
                outcome.differences.is_empty(),
                "{folder}, seed {seed}:\n{text}\n{}",
                outcome.differences.join("\n")
            );
        }
    }
    assert!(acts > 2000, "{acts} acts are too few to show anything");
}
