//! What is told of a run that failed: seed, gear, commit, what was wrong, the end of its trace, and the one call as a
//! `.call` file (DESIGN §6).

use crate::world::World;
use onekey::ids::{AgentId, CallId};
use onekey::script::{self, Act, What};
use std::fmt::Write;

/// Lines of the trace that are shown.
const SHOWN: usize = 4000;

/// What an agent did, from the words of a trace.
pub fn agent_act(words: &str) -> Option<Act> {
    let script = script::read(&format!("line x\n0.0 > {words}\n")).ok()?;
    match script.lines.into_iter().next()?.what {
        What::Does(act @ Act::Agent(..)) => Some(act),
        _ => None,
    }
}

pub fn of(world: &World, wrong: &str) -> String {
    let plan = world.plan;
    let mut text = String::new();
    let gear = format!("{:?}", plan.gear).to_lowercase();
    let _ = writeln!(text, "\nseed {} in {gear}, commit {}, after {} facts:", plan.seed, commit(), world.inputs);
    let _ = writeln!(text, "{wrong}\n");
    let from = world.trace.len().saturating_sub(SHOWN);
    let _ = writeln!(text, "the end of its trace:\n{}\n", world.trace[from..].join("\n"));
    if let Some(call) = call_in(wrong).or_else(|| world.journeys.of.keys().next_back().copied()) {
        let agents: Vec<AgentId> = world.store.accounts.keys().cloned().collect();
        let remark = format!("Seed {} in {gear}: {}", plan.seed, wrong.lines().next().unwrap_or_default());
        let at = at_of(world);
        if let Some(script) = world.journeys.script(call, &at, agents, vec![remark]) {
            let _ = writeln!(text, "{call} as a .call file:\n\n{}", script::write(&script));
        }
    }
    let _ =
        write!(text, "again: ONEKEY_SEED={} ONEKEY_GEAR={gear} cargo test --test simulator -- --nocapture", plan.seed);
    text
}

/// The first call that is named.
fn call_in(text: &str) -> Option<CallId> {
    let number = text.split("call-").nth(1)?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(CallId)
}

fn at_of(world: &World) -> String {
    let start = jiff::Timestamp::from_second(world.start.as_seconds()).unwrap_or_default();
    start.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Of the checkout, if it is one.
fn commit() -> String {
    let asked = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let told = asked.ok().filter(|output| output.status.success());
    told.map_or("unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
