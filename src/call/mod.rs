//! A call: one caller's whole journey, thin on purpose. What a step does lives in the step's own file; what a queue
//! decides lives in `queue`; here is only the journey, and the promise that no step can break.
//!
//! Facts come in as [`Event`]s, wishes leave as [`Effect`]s. The **human key is taken here**, before any step sees it
//! (`Call::key`), so nothing that a dialplan says can swallow it.
//!
//! ```text
//! Arriving -> Gate -> Step ... -> Joining -> Waiting -> Talking -> Over
//!    |            \________________________^     |  ^________|         |
//!    |  (flagged, or nobody can tell)            v                     v
//!    '---------------------------------------> Kept ---------------> Over
//! ```

pub mod event;
mod kept;
pub mod marks;
mod party;
mod promise;
pub mod record;
mod steps;
mod talking;
mod values;
mod waiting;
mod welcome;
mod words;

use crate::caller::{CallerFacts, NumberHash};
use crate::dialplan::{Dialplan, DirectRule, Line};
use crate::ids::{AgentId, CallId, Language, LineName, QueueName};
use crate::key::Key;
use crate::promise::AskedBy;
use crate::target::StepRef;
use crate::time::Now;
use crate::variable::Variable;
use event::{CallTimer, Effect, Event, LineDirection};
use marks::Marks;
use promise::PromiseState;
use record::ReleasedBy;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Most steps that a call may pass through without a prompt or a key; more is a loop, which ends at a person.
const HOPS_MAX: u32 = 64;

/// One call. The engine owns it; all that it knows of the world it was told.
#[derive(Clone, Debug)]
pub struct Call {
    pub id: CallId,
    pub line: LineName,
    pub language: Language,
    /// `None`: withheld, anonymous or no telephone number.
    pub caller: Option<NumberHash>,
    /// There is a number that can be called back.
    pub reachable: bool,
    pub flagged: bool,
    /// The line gives this caller more time.
    pub gentle: bool,
    pub marks: Marks,
    pub asked_by: Option<AskedBy>,
    pub queue: Option<QueueName>,
    pub agent: Option<AgentId>,
    /// Keys pressed and prompts begun before a person was asked for.
    pub keys: u32,
    pub prompts: u32,
    pub missed: u32,
    pub recordings: Vec<String>,
    pub released: Option<(ReleasedBy, u8)>,
    place: Place,
    promise: PromiseState,
    /// The plan that was in force when the call began; a reload does not change it.
    plan: Arc<Dialplan>,
    /// A closed queue has led to a step once; the next time a person is asked for the promise is kept instead.
    overflowed: bool,
    /// Queues that could not serve since a person was last asked for.
    tried: BTreeSet<QueueName>,
    hops: u32,
    plays: u64,
    messages: u32,
    /// ACK, RTP or 200 ms after our 200 have shown that words would be heard.
    hears: bool,
    /// What is to be played as soon as the caller hears.
    unheard: Option<Effect>,
    /// "This call is recorded" has been heard whole.
    notice_heard: bool,
    /// The file of the last message that the caller left.
    message: Option<String>,
    /// What the call has learned, for what it says and asks.
    known: BTreeMap<Variable, String>,
    /// The digits of the present entry.
    entry: String,
    lookups: u64,
    now: Now,
    effects: Vec<Effect>,
}

/// Where the caller is.
#[derive(Clone, PartialEq, Debug)]
enum Place {
    /// Not answered yet.
    Arriving {
        facts: Option<Welcomed>,
        ready: bool,
    },
    /// The short prompt for callers whom nobody can tell.
    Gate,
    Step(steps::InStep),
    /// A queue is being asked.
    Joining {
        queue: QueueName,
    },
    Waiting(waiting::Waiting),
    Talking(talking::Talking),
    Kept(kept::Kept),
    Over,
}

/// What the registry's answer means for the welcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Welcomed {
    Direct,
    Unknown,
    Unlisted,
    Ordinary,
}

impl Call {
    /// A caller's INVITE has come for `line`. `caller` and `reachable` say what is known of the number.
    pub fn new(
        now: Now,
        id: CallId,
        plan: Arc<Dialplan>,
        line: &Line,
        caller: Option<NumberHash>,
        reachable: bool,
    ) -> Call {
        Call {
            id,
            line: line.name.clone(),
            language: line.language.clone(),
            caller,
            reachable,
            flagged: false,
            gentle: false,
            marks: Marks { invited: Some(now.time), ..Marks::default() },
            asked_by: None,
            queue: None,
            agent: None,
            keys: 0,
            prompts: 0,
            missed: 0,
            recordings: Vec::new(),
            released: None,
            place: Place::Arriving { facts: None, ready: false },
            promise: PromiseState::None,
            plan,
            overflowed: false,
            tried: BTreeSet::new(),
            hops: 0,
            plays: 0,
            messages: 0,
            hears: false,
            unheard: None,
            notice_heard: false,
            message: None,
            known: BTreeMap::new(),
            entry: String::new(),
            lookups: 0,
            now,
            effects: Vec::new(),
        }
    }

    /// A value that is known from the beginning. The caller's number is never traced or recorded.
    pub fn know(&mut self, variable: Variable, value: String) {
        self.known.insert(variable, value);
    }

    /// Takes one fact; returns the wishes in the order in which they are to be carried out.
    pub fn handle(&mut self, now: Now, event: Event) -> Vec<Effect> {
        self.now = now;
        self.hops = 0;
        self.step_through(event);
        std::mem::take(&mut self.effects)
    }

    /// Our own mistake broke a step: forget where the caller was and get a person. What was wished before it broke still
    /// holds (a promise that is open here must be opened in the ledger too); a place in the queue is kept.
    pub fn recover(&mut self, now: Now) -> Vec<Effect> {
        self.now = now;
        self.hops = 0;
        if self.is_recording() {
            self.effects.push(Effect::StopRecord { cut_tail: Duration::ZERO });
        }
        match std::mem::replace(&mut self.place, Place::Gate) {
            Place::Over => self.end_again(),
            Place::Arriving { ready, .. } => {
                self.place = Place::Arriving { facts: Some(Welcomed::Direct), ready };
                self.answer_when_ready();
            }
            Place::Waiting(waiting) => self.wait_again(waiting.queue),
            Place::Talking(talking) => {
                self.place = Place::Talking(talking);
                self.agent_left(true);
            }
            Place::Gate | Place::Step(_) | Place::Joining { .. } | Place::Kept(_) => {
                self.human(AskedBy::Failure);
            }
        }
        std::mem::take(&mut self.effects)
    }

    /// A second mistake of ours: the call ends, and its promise stays open and is due.
    pub fn abandon(&mut self, now: Now) -> Vec<Effect> {
        self.now = now;
        match self.place {
            Place::Over => self.end_again(),
            _ => self.finish(ReleasedBy::System, 41),
        }
        std::mem::take(&mut self.effects)
    }

    /// The wishes of the end may have been lost; carried out twice they do no more than once.
    fn end_again(&mut self) {
        self.place = Place::Over;
        self.effects.push(Effect::DropAgent { back_to_queue: false });
        let (_, cause) = *self.released.get_or_insert((ReleasedBy::System, 41));
        self.marks.ended = self.marks.ended.or(Some(self.now.time));
        self.effects.push(Effect::HangUp { cause });
    }

    /// The plan that the call began with.
    pub fn plan(&self) -> &Dialplan {
        &self.plan
    }

    pub fn is_over(&self) -> bool {
        self.place == Place::Over
    }

    /// Where the caller is, for the console: `menu main`, `queue care`, `talking 1001`.
    pub fn place(&self) -> String {
        match &self.place {
            Place::Arriving { .. } => "arriving".into(),
            Place::Gate => "gate".into(),
            Place::Step(step) => step.at.to_string(),
            Place::Joining { queue } => format!("queue {queue}"),
            Place::Waiting(waiting) => format!("queue {}", waiting.queue),
            Place::Talking(talking) => format!("talking {}", talking.agent),
            Place::Kept(_) => "kept".into(),
            Place::Over => "over".into(),
        }
    }

    fn step_through(&mut self, event: Event) {
        if matches!(event, Event::Hears | Event::Timer(CallTimer::Start)) && !self.is_over() {
            self.hears_now();
        }
        match event {
            // Only a message that was being recorded is still of interest.
            Event::Recorded { file, length } => self.recorded(file, length),
            _ if self.is_over() => {}
            Event::CallerLeft { network } => self.caller_left(network),
            Event::HangUp => self.finish(ReleasedBy::System, 16),
            Event::Key(key) => self.key(key),
            Event::KeyHeld(key) => self.key_held(key),
            Event::OfferHeard(_) => self.marks.human_offered = self.marks.human_offered.or(Some(self.now.time)),
            Event::PromptMissing => self.prompt_missing(),
            Event::PromiseWritten => self.promise_written(),
            Event::DueWritten => self.due_written(),
            Event::Served if self.is_recording() => self.human(AskedBy::Key),
            Event::Registry(facts) => self.registry(facts),
            Event::RegistryUnknown => self.welcomed(Welcomed::Unknown),
            other => match self.place {
                Place::Arriving { .. } | Place::Gate => self.welcome_event(other),
                Place::Step(_) => self.step_event(other),
                Place::Joining { .. } => self.joining_event(other),
                Place::Waiting(_) => self.waiting_event(other),
                Place::Talking(_) => self.talking_event(other),
                Place::Kept(_) => self.kept_event(other),
                Place::Over => {}
            },
        }
    }

    /// Nothing of what was to be said exists. Who has asked for a person already waits in silence instead of asking again.
    fn prompt_missing(&mut self) {
        match self.place {
            Place::Gate | Place::Step(_) => self.human(AskedBy::Failure),
            Place::Waiting(_) => self.hold_music(),
            Place::Kept(_) => self.kept_unspoken(),
            Place::Arriving { .. } | Place::Joining { .. } | Place::Talking(_) | Place::Over => {}
        }
    }

    /// The one place where keys arrive. `0` is the human key, whatever the dialplan says (DESIGN §1).
    fn key(&mut self, key: Key) {
        if self.marks.human_asked.is_none() {
            self.keys += 1;
        }
        // What is entered may be a card's number or a PIN.
        let sign = if self.takes_zero() && key.as_char().is_ascii_digit() {
            "a digit".into()
        } else {
            key.as_char().to_string()
        };
        self.trace(LineDirection::World, format!("press {sign}"));
        #[cfg(test)]
        assert_ne!(key.as_char(), 'D', "a mistake of ours: the rehearsal's tests break a call with it");
        match (&self.place, key) {
            // Before the answer there is nobody to press one.
            (Place::Over | Place::Talking(_) | Place::Arriving { .. }, _) => {}
            (Place::Step(_), _) if self.takes_zero() => self.step_key(key),
            // With a dialled party every key is theirs; held, `0` comes back (`key_held`).
            (Place::Step(_), _) if self.is_connected() => {}
            (Place::Waiting(_), _) => self.waiting_key(key),
            (_, Key::HUMAN) if self.is_recording() => self.human_while_recording(),
            (Place::Kept(_), _) => self.kept_key(key),
            (_, Key::HUMAN) => self.human(AskedBy::Key),
            (Place::Gate, _) => self.gate_key(),
            (Place::Step(_), _) => self.step_key(key),
            (Place::Joining { .. }, _) => {}
        }
    }

    /// The held zero: a person, where a short `0` is a digit or the other party's.
    fn key_held(&mut self, key: Key) {
        if key == Key::HUMAN && (self.takes_zero() || self.is_connected()) {
            self.trace(LineDirection::World, "hold 0".into());
            self.human(AskedBy::Key);
        }
    }

    /// A person is asked for: mark t4, an entry in the ledger, and to the queue at once.
    fn human(&mut self, asked_by: AskedBy) {
        let to = self.line_plan().human.to.clone();
        self.tried.clear();
        self.ask_for_person(asked_by, to);
    }

    fn ask_for_person(&mut self, asked_by: AskedBy, queue: QueueName) {
        self.effects.push(Effect::Clear(CallTimer::Listen));
        self.effects.push(Effect::Clear(CallTimer::Ledger));
        self.stop_recording_for_person();
        self.leave_step();
        self.marks.human_asked = self.marks.human_asked.or(Some(self.now.time));
        self.asked_by = self.asked_by.or(Some(asked_by));
        self.open_promise(asked_by);
        self.enter_queue(queue);
    }

    fn trace(&mut self, direction: LineDirection, text: String) {
        self.effects.push(Effect::Trace(direction, text));
    }

    fn line_plan(&self) -> &Line {
        &self.plan.lines[&self.line]
    }

    /// The language of callers of whom nothing else is known.
    pub fn line_language(&self) -> &Language {
        &self.line_plan().language
    }

    fn start_of_line(&self) -> StepRef {
        self.line_plan().start.clone()
    }

    /// Is the caller one whom the registry sends straight to a person on this line?
    fn goes_direct(&self, facts: &CallerFacts) -> bool {
        self.line_plan().human.direct.iter().any(|rule| fits(rule, facts))
    }
}

fn fits(rule: &DirectRule, facts: &CallerFacts) -> bool {
    match rule {
        DirectRule::AgeAtLeast(age) => facts.ages_reached.contains(age),
        DirectRule::Flag(flag) => facts.flags.contains(flag),
    }
}

#[cfg(test)]
mod tests;
