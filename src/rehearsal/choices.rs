//! What a key of the keyboard means to whoever walks through a plan, and what a look-up can be answered.

use super::live::Live;
use crate::dialplan::Dialplan;
use crate::ids::AgentId;
use crate::key::Key;
use crate::script::{Act, AgentAct, LookupSays};
use crate::step::Step;
use crate::step::lookup::{Lookup, LookupFailure};
use std::time::Duration;

/// `h` holds 0 so long.
const HOLD: Duration = Duration::from_secs(1);

pub const HELP: &str = "\
  0-9 * #   the caller presses that key             h   holds 0
  q         the caller hangs up                     l   the caller's line breaks
  a   r     the phone that rings is answered, or rejects
  e   x     the other side hangs up, or is lost
  i   o     an agent logs in, or out
  Enter     on to the next thing that happens
  :         then a whole line, as after `>` in a .call file: `agent 1002 rejects`, `hold 5 2.0`, `ledger fails`,
            `lookup NAME answers NAME=VALUE`; or `wait SECONDS`
";

/// What a key of the keyboard asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Meaning {
    Do(Act),
    /// On to the next thing that happens.
    On,
    Help,
    /// A whole line follows.
    Line,
    /// Nothing; why.
    Nothing(String),
}

/// Whether a key of the keyboard can mean anything at all.
pub fn is_letter(letter: char) -> bool {
    "0123456789*#hqlarexio? ".contains(letter)
}

pub fn meaning(letter: char, live: &Live, plan: &Dialplan) -> Meaning {
    match letter {
        '?' => return Meaning::Help,
        ':' => return Meaning::Line,
        ' ' | '\n' | '\r' => return Meaning::On,
        _ => {}
    }
    if let Some(name) = live.waits_for_lookup() {
        return answer(letter, name, &answers(plan, name));
    }
    match letter {
        'h' => Meaning::Do(Act::Hold(Key::HUMAN, HOLD)),
        'q' => Meaning::Do(Act::HangUp),
        'l' => Meaning::Do(Act::Lost),
        'a' => ringing(live, AgentAct::Answers),
        'r' => ringing(live, AgentAct::Rejects),
        'e' => talking(live, AgentAct::HangsUp),
        'x' => talking(live, AgentAct::IsLost),
        'i' => agent(live, AgentAct::LogsIn),
        'o' => agent(live, AgentAct::LogsOut),
        '0'..='9' | '*' | '#' => {
            Key::from_char(letter).map_or_else(|| unknown(letter), |key| Meaning::Do(Act::Press(key)))
        }
        _ => unknown(letter),
    }
}

fn unknown(letter: char) -> Meaning {
    Meaning::Nothing(format!("`{letter}` means nothing here; ? shows what does"))
}

fn answer(letter: char, name: &str, answers: &[(String, LookupSays)]) -> Meaning {
    let number = letter.to_digit(10).and_then(|number| number.checked_sub(1));
    match number.and_then(|number| answers.get(number as usize)) {
        Some((_, says)) => Meaning::Do(Act::Lookup(name.to_owned(), says.clone())),
        None => Meaning::Nothing(format!("look-up {name} waits for its answer: 1 to {}", answers.len())),
    }
}

fn ringing(live: &Live, does: AgentAct) -> Meaning {
    if live.party_rings() {
        return Meaning::Do(Act::Party(does));
    }
    let first: Option<AgentId> = live.ringing().first().map(|agent| (*agent).clone());
    first.map_or_else(|| Meaning::Nothing("no phone rings".into()), |agent| Meaning::Do(Act::Agent(agent, does)))
}

fn talking(live: &Live, does: AgentAct) -> Meaning {
    if live.party_talks() {
        return Meaning::Do(Act::Party(does));
    }
    let talks = live.talking().cloned();
    talks.map_or_else(|| Meaning::Nothing("nobody talks".into()), |agent| Meaning::Do(Act::Agent(agent, does)))
}

/// The first who can.
fn agent(live: &Live, does: AgentAct) -> Meaning {
    let wanted = does == AgentAct::LogsOut;
    let found = live.agents().find(|(_, is_there)| *is_there == wanted).map(|(agent, _)| agent.clone());
    let none = if wanted { "no agent is logged in" } else { "all agents are logged in" };
    found.map_or_else(|| Meaning::Nothing(none.into()), |agent| Meaning::Do(Act::Agent(agent, does)))
}

/// What the look-up can be answered: each branch of its `on`, another value, and each way of failing.
pub fn answers(plan: &Dialplan, name: &str) -> Vec<(String, LookupSays)> {
    let lookup = plan.steps.values().find_map(|step| match step {
        Step::Lookup(lookup) if lookup.name.as_str() == name => Some(lookup),
        _ => None,
    });
    let mut all = lookup.map(found).unwrap_or_default();
    all.extend(LookupFailure::ALL.map(|how| (how.as_str().to_owned(), LookupSays::Fails(how))));
    all
}

fn found(lookup: &Lookup) -> Vec<(String, LookupSays)> {
    let branches = lookup.cases.iter().map(|case| Some(case.value.as_str())).chain([None]);
    let all = branches.map(|branch| {
        let values = lookup.answer_for(branch);
        let words: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (format!("answers {}", words.join(" ")), LookupSays::Answers(values))
    });
    all.collect()
}
