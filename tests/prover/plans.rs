//! Small random plans, with every kind of section, in which anything may lead anywhere; and the prompts that they say.

use onekey::codec::{Codec, FRAME_SAMPLES};
use onekey::ids::{Language, PromptId};
use onekey::prompt::{Prompt, PromptFacts, PromptLibrary, spoken};
use onekey::saying::{self, Currency, Form};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

/// A generator whose numbers are the same on every machine (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995)
    }

    /// 0 to `most - 1`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }

    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// Prompts of a second each; `welcome` offers a person.
pub fn prompts() -> PromptLibrary {
    let mut library = PromptLibrary::default();
    let pieces = Form::ALL.into_iter().flat_map(|form| saying::every_piece("en", form, Currency::Usd));
    let own = ["welcome", "story"].into_iter().map(str::to_owned);
    let ids: BTreeSet<String> = spoken::REQUIRED.iter().map(|id| (*id).to_owned()).chain(own).chain(pieces).collect();
    for id in ids {
        let offer = id == "welcome" || id == spoken::OFFER_HUMAN;
        let sound = vec![Codec::Pcmu.silence(); FRAME_SAMPLES * 50];
        let facts = PromptFacts {
            text: id.clone(),
            length: Duration::ZERO,
            offer_ends: offer.then_some(Duration::from_millis(500)),
            advert: false,
        };
        library.insert(Prompt::new(PromptId::new(&id), Language::new("en"), facts, sound.clone(), sound));
    }
    library
}

/// Names of the steps that there may be.
const STEPS: [&str; 19] = [
    "menu a",
    "menu b",
    "play a",
    "play b",
    "play c",
    "hours a",
    "hours b",
    "queue care",
    "queue night",
    "voicemail a",
    "hangup a",
    "collect a",
    "lookup a",
    "say a",
    "set a",
    "callback a",
    "dial a",
    "play d",
    "menu c",
];

/// Where something may lead: mostly to sections.
fn target(dice: &mut Dice, used: &[&str]) -> String {
    match dice.below(12) {
        0 => "human".to_owned(),
        1 => "start".to_owned(),
        2 => "repeat".to_owned(),
        _ => dice.pick(used).to_owned(),
    }
}

/// A plan of three to nine sections besides its line.
pub fn random(seed: u64) -> String {
    let mut dice = Dice::new(seed);
    let mut used: Vec<&str> = vec!["queue care"];
    for _ in 0..2 + dice.below(7) {
        used.push(dice.pick(&STEPS));
    }
    used.sort_unstable();
    used.dedup();
    let starts: Vec<&str> = used.clone();
    let welcome = dice.pick(&["human_first", "short_gate", "ordinary"]);
    let direct = if dice.once_in(3) { "[]" } else { "[\"age >= 65\"]" };
    let gentle = if dice.once_in(4) { "[\"age >= 60\"]" } else { "[]" };
    let mut text = format!(
        "[line.care]\nnumbers = [\"5550100\"]\nstart = \"{}\"\n\n[line.care.human]\nto = \"queue care\"\nunknown_caller = \"{welcome}\"\ndirect = {direct}\ngentle = {gentle}\n\n",
        dice.pick(&starts)
    );
    for step in used.clone() {
        section(&mut text, &mut dice, step, &used);
    }
    text
}

fn section(text: &mut String, dice: &mut Dice, step: &str, used: &[&str]) {
    let (kind, name) = step.split_once(' ').expect("kind and name");
    let _ = writeln!(text, "[{kind}.{name}]");
    match kind {
        "menu" | "play" | "say" | "hours" | "queue" => talks(text, dice, (kind, name), used),
        _ => works(text, dice, kind, used),
    }
    text.push('\n');
}

fn link(text: &mut String, key: &str, dice: &mut Dice, used: &[&str]) {
    let to = target(dice, used);
    let _ = writeln!(text, "{key} = \"{to}\"");
}

fn talks(text: &mut String, dice: &mut Dice, (kind, name): (&str, &str), used: &[&str]) {
    let mut link = |key: &str, dice: &mut Dice| link(text, key, dice, used);
    match kind {
        "menu" => {
            for key in ["1", "2", "star"].into_iter().take(1 + dice.below(3) as usize) {
                link(key, dice);
            }
            let _ =
                writeln!(text, "say = \"welcome\"\nmax_errors = {}\nbarge_in = {}", 1 + dice.below(2), dice.once_in(2));
        }
        "play" | "say" => {
            let finished = dice.once_in(2);
            if !finished || dice.once_in(3) {
                link("then", dice);
            }
            if kind == "say" && dice.once_in(2) {
                link("else", dice);
            }
            let value = if used.contains(&"lookup a") { "{lookup.x} as number" } else { "{queue.wait} as number" };
            let say = if kind == "say" { format!("[\"story\", \"{value}\"]") } else { "\"story\"".to_owned() };
            let _ = writeln!(text, "say = {say}\nfinished = {finished}");
        }
        // Two hours of which every combination comes in a day.
        "hours" => {
            link("then", dice);
            link("else", dice);
            let open =
                if name == "a" { "[\"daily 12:00-24:00\"]" } else { "[\"daily 06:00-12:00\", \"daily 18:00-24:00\"]" };
            let _ = writeln!(text, "zone = \"UTC\"\nopen = {open}");
        }
        _ => {
            if dice.once_in(2) {
                link("else", dice);
            }
        }
    }
}

fn works(text: &mut String, dice: &mut Dice, kind: &str, used: &[&str]) {
    let mut link = |key: &str, dice: &mut Dice| link(text, key, dice, used);
    match kind {
        "voicemail" | "callback" => {
            if dice.once_in(2) {
                link("then", dice);
            }
            let _ = writeln!(text, "say = \"story\"");
        }
        "collect" => {
            link("then", dice);
            let digits = dice.pick(&["2", "\"2-3\""]);
            let check = dice.pick(&["", "check = \"luhn\"\n", "pattern = \"1x\"\n"]);
            let _ = writeln!(text, "say = \"welcome\"\ndigits = {digits}\n{check}confirm = {}", dice.once_in(2));
        }
        "lookup" => {
            link("then", dice);
            if dice.once_in(2) {
                link("else", dice);
            }
            if dice.once_in(2) {
                link("late", dice);
            }
            let _ = writeln!(text, "url = \"http://192.0.2.9/x\"\nvalues = {{ x = \"/x\" }}");
            if dice.once_in(2) {
                let to = target(dice, used);
                let _ = writeln!(text, "on = \"x\"\ncase = {{ 7 = \"{to}\" }}");
            }
        }
        "set" => {
            link("then", dice);
            let _ = writeln!(text, "values = {{ y = \"1\" }}");
        }
        "dial" => {
            if dice.once_in(2) {
                link("then", dice);
            }
            if dice.once_in(2) {
                link("else", dice);
            }
            let _ = writeln!(text, "to = \"sip:desk@192.0.2.10\"");
        }
        _ => {}
    }
}
