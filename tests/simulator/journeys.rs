//! The promise as each caller lives it (DESIGN §1): who pressed 0, was silent, erred or was flagged has asked for a person
//! from that moment on, whatever the dialplan, the registry and the disk do.

use onekey::ids::CallId;
use onekey::script::{Act, Line, Registry as Listed, Script, What};
use onekey::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest silent way to a person in any plan that is used here: prompts, two waits, a message of two minutes.
const SILENCE_MAX: Duration = Duration::from_secs(240);
/// So often in a row a caller may be told that a key was not understood; then there is a person (`max_errors`).
const ERRORS_MAX: u32 = 1;
/// An agent who has answered and is not heard is let go after this.
const AGENT_MUTE_MAX: Duration = Duration::from_millis(5_500);

/// One caller's call as the caller knows it.
#[derive(Debug, Default)]
pub struct Journey {
    pub sip_call_id: String,
    pub host: u16,
    pub number: Option<String>,
    pub line: String,
    pub held: bool,
    pub late_offer: bool,
    pub flagged: bool,
    pub listed: Listed,
    pub began: Time,
    pub answered: Option<Time>,
    /// The last thing that the caller did.
    pub last_sign: Time,
    /// "Not understood" in a row.
    pub errors: u32,
    pub over: bool,
    pub talking: Option<Time>,
    pub heard_agent: bool,
    /// The dialog of the agent who answered.
    pub agent_dialog: Option<String>,
    pub lines: Vec<Line>,
}

#[derive(Debug, Default)]
pub struct Journeys {
    pub of: BTreeMap<CallId, Journey>,
    by_sip: BTreeMap<String, CallId>,
    pub wrong: Vec<String>,
}

impl Journeys {
    pub fn begins(&mut self, now: Time, call: CallId, journey: Journey) {
        self.by_sip.insert(journey.sip_call_id.clone(), call);
        self.of.insert(call, Journey { began: now, last_sign: now, ..journey });
    }

    pub fn call_of(&self, sip_call_id: &str) -> Option<CallId> {
        self.by_sip.get(sip_call_id).copied()
    }

    pub fn ends(&mut self, call: CallId) {
        if let Some(journey) = self.of.remove(&call) {
            self.by_sip.remove(&journey.sip_call_id);
        }
    }

    pub fn restart(&mut self) {
        self.of.clear();
        self.by_sip.clear();
    }

    /// A key of this caller has reached the engine. `asked`: a person has been asked for by now.
    pub fn pressed(&mut self, now: Time, call: CallId, key: char, asked: bool) {
        let Some(journey) = self.of.get_mut(&call) else { return };
        journey.last_sign = now;
        if journey.answered.is_none() || journey.over || journey.talking.is_some() {
            return;
        }
        if key == '0' && !asked {
            self.wrong.push(format!("{call} pressed 0 and no person was asked for"));
        }
    }

    /// Something is said to this caller.
    pub fn told(&mut self, call: CallId, first: &str) {
        let Some(journey) = self.of.get_mut(&call) else { return };
        journey.errors = if first == "not-understood" { journey.errors + 1 } else { 0 };
        if journey.errors > ERRORS_MAX {
            self.wrong.push(format!("{call} erred {} times and no person was asked for", journey.errors));
        }
    }

    /// The engine's 200 has gone out. Who was known to be flagged has no menu, no key and no second to wait.
    pub fn answered(&mut self, now: Time, call: CallId) {
        if let Some(journey) = self.of.get_mut(&call) {
            journey.answered = Some(now);
            journey.last_sign = now;
        }
    }

    pub fn bridged(&mut self, now: Time, call: CallId, dialog: Option<String>) {
        if let Some(journey) = self.of.get_mut(&call) {
            (journey.talking, journey.heard_agent, journey.agent_dialog) = (Some(now), false, dialog);
        }
    }

    pub fn parted(&mut self, now: Time, call: CallId) {
        if let Some(journey) = self.of.get_mut(&call) {
            (journey.talking, journey.agent_dialog, journey.last_sign) = (None, None, now);
        }
    }

    pub fn agent_heard(&mut self, call: CallId) {
        if let Some(journey) = self.of.get_mut(&call) {
            journey.heard_agent = true;
        }
    }

    /// A line of its trace, for the report.
    pub fn line(&mut self, now: Time, call: CallId, what: What) {
        if let Some(journey) = self.of.get_mut(&call) {
            journey.lines.push(Line { at: now.since(journey.began), what, number: 0 });
        }
    }

    pub fn act(&mut self, now: Time, call: CallId, act: Act) {
        self.line(now, call, What::Does(act));
    }

    /// What must hold of everybody now. `asked`: has a person been asked for in this call?
    pub fn check(&mut self, now: Time, asked: impl Fn(CallId) -> bool) {
        for (call, journey) in self.of.iter().filter(|(_, journey)| !journey.over) {
            let Some(answered) = journey.answered else { continue };
            if journey.flagged && answered == now && !asked(*call) {
                self.wrong.push(format!("{call} is flagged and meets something else than a person"));
            }
            let silent = now.since(journey.last_sign);
            if silent > SILENCE_MAX && !asked(*call) {
                self.wrong.push(format!("{call} has been silent for {silent:?} and no person was asked for"));
            }
            if let Some(since) = journey.talking.filter(|_| !journey.heard_agent)
                && now.since(since) > AGENT_MUTE_MAX
            {
                self.wrong.push(format!("{call} is left with an agent of whom nothing is heard"));
            }
        }
    }

    /// The one call as a `.call` file.
    pub fn script(
        &self,
        call: CallId,
        at: &str,
        agents: Vec<onekey::ids::AgentId>,
        remarks: Vec<String>,
    ) -> Option<Script> {
        let journey = self.of.get(&call)?;
        Some(Script {
            remarks,
            line: journey.line.clone(),
            caller: journey.number.clone(),
            registry: journey.listed.clone(),
            agents,
            at: Some(at.to_owned()),
            lookups: BTreeMap::new(),
            lines: journey.lines.clone(),
        })
    }
}
