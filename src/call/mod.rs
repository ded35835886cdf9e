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
pub mod record;
mod steps;
mod talking;
mod waiting;
mod welcome;

use crate::caller::{CallerFacts, NumberHash};
use crate::dialplan::{Dialplan, DirectRule, Line};
use crate::ids::{AgentId, CallId, Language, LineName, PlayId, PromptId, QueueName};
use crate::key::Key;
use crate::promise::{AskedBy, Closing, Due};
use crate::prompt::spoken;
use crate::target::StepRef;
use crate::time::Now;
use event::{CallTimer, Effect, Event, LineDirection};
use marks::Marks;
use record::ReleasedBy;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Most steps that a call may pass through without a prompt or a key; more is a loop, which ends at a person.
const HOPS_MAX: u32 = 64;

/// One call. The engine owns it; all that it knows of the world it was told.
#[derive(Debug)]
pub struct Call {
    pub id: CallId,
    pub line: LineName,
    pub language: Language,
    /// `None`: withheld, anonymous or no telephone number.
    pub caller: Option<NumberHash>,
    /// There is a number that can be called back.
    pub reachable: bool,
    pub flagged: bool,
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

/// The call's entry in the promise ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PromiseState {
    None,
    /// Asked to be written; `written` once it is on disk.
    Open {
        written: bool,
    },
    Due {
        written: bool,
    },
    Closed,
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
            now,
            effects: Vec::new(),
        }
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

    /// Talking to a person, so that a drain waits for the end of the conversation.
    pub fn is_talking(&self) -> bool {
        matches!(self.place, Place::Talking(_))
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
        self.trace(LineDirection::World, format!("press {}", key.as_char()));
        #[cfg(test)]
        assert_ne!(key.as_char(), 'D', "a mistake of ours: the rehearsal's tests break a call with it");
        match (&self.place, key) {
            // Before the answer there is nobody to press one.
            (Place::Over | Place::Talking(_) | Place::Arriving { .. }, _) => {}
            (Place::Waiting(_), _) => self.waiting_key(key),
            (_, Key::HUMAN) if self.is_recording() => self.human_while_recording(),
            (Place::Kept(_), _) => self.kept_key(key),
            (_, Key::HUMAN) => self.human(AskedBy::Key),
            (Place::Gate, _) => self.gate_key(),
            (Place::Step(_), _) => self.step_key(key),
            (Place::Joining { .. }, _) => {}
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
        self.marks.human_asked = self.marks.human_asked.or(Some(self.now.time));
        self.asked_by = self.asked_by.or(Some(asked_by));
        self.open_promise(asked_by);
        self.enter_queue(queue);
    }

    /// One entry a call: a second wish for a person, or a message, belongs to the one that is open.
    fn open_promise(&mut self, asked_by: AskedBy) {
        match self.promise {
            PromiseState::None | PromiseState::Closed => {
                self.promise = PromiseState::Open { written: false };
                let queue = self.line_plan().human.to.clone();
                self.effects.push(Effect::OpenPromise { asked_by, queue });
            }
            PromiseState::Due { written } => self.promise = PromiseState::Open { written },
            PromiseState::Open { .. } => {}
        }
    }

    /// The caller has gone: by their own wish the promise is closed, by the network's it stays and is due.
    fn caller_left(&mut self, network: bool) {
        if self.place == Place::Over {
            return;
        }
        self.trace(LineDirection::World, if network { "lost".into() } else { "hang-up".into() });
        if let PromiseState::Open { .. } = self.promise {
            if network {
                let due = self.due_when_cut();
                self.make_due(due);
            } else if let Some(due) = self.kept_at_hang_up() {
                self.make_due(due);
            } else {
                self.close_promise(Closing::CallerHungUp);
            }
        }
        let (by, cause) = if network { (ReleasedBy::Network, 38) } else { (ReleasedBy::Caller, 16) };
        self.over(by, cause);
    }

    /// We end the call.
    fn finish(&mut self, by: ReleasedBy, cause: u8) {
        if self.place == Place::Over {
            return;
        }
        if let PromiseState::Open { .. } = self.promise {
            let due = self.due_when_cut();
            self.make_due(due);
        }
        self.trace(LineDirection::Engine, "hang-up".into());
        self.over(by, cause);
    }

    /// A message that was left before the line broke is not forgotten for it.
    fn due_when_cut(&self) -> Due {
        self.message.clone().map_or(Due::Cut, Due::Message)
    }

    fn over(&mut self, by: ReleasedBy, cause: u8) {
        let had_ticket = matches!(self.place, Place::Waiting(_) | Place::Talking(_) | Place::Joining { .. });
        if self.is_recording() {
            self.effects.push(Effect::StopRecord { cut_tail: Duration::ZERO });
        }
        if matches!(self.place, Place::Talking(_)) {
            self.effects.push(Effect::DropAgent { back_to_queue: false });
        } else if had_ticket {
            self.effects.push(Effect::Leave { abandoned: true });
        }
        self.marks.ended = self.marks.ended.or(Some(self.now.time));
        self.released = self.released.or(Some((by, cause)));
        self.place = Place::Over;
        self.effects.push(Effect::HangUp { cause });
    }

    fn make_due(&mut self, why: Due) {
        if why == Due::CallBackPromised {
            self.marks.callback_promised = self.marks.callback_promised.or(Some(self.now.time));
        }
        self.promise = PromiseState::Due { written: false };
        let word = match &why {
            Due::CallBackPromised => "call-back",
            Due::Cut => "cut",
            Due::Message(_) => "message",
        };
        self.trace(LineDirection::Engine, format!("promise due {word}"));
        self.effects.push(Effect::PromiseDue(why));
    }

    fn close_promise(&mut self, how: Closing) {
        if let PromiseState::Open { .. } = self.promise {
            self.promise = PromiseState::Closed;
            let word = match how {
                Closing::Conversation => "conversation",
                Closing::CallerHungUp => "caller hung up",
                Closing::CallBackDone => "call-back done",
                Closing::MessageTaken => "message taken",
                Closing::ByHand => "by hand",
            };
            self.trace(LineDirection::Engine, format!("promise closed {word}"));
            self.effects.push(Effect::ClosePromise(how));
        }
    }

    fn promise_written(&mut self) {
        if let PromiseState::Open { written } = &mut self.promise {
            *written = true;
        }
        if matches!(self.place, Place::Waiting(_)) {
            self.announce_once_written();
        }
    }

    fn due_written(&mut self) {
        // What is due is open in the ledger too, for a caller who has asked for a person again since.
        if let PromiseState::Due { written } | PromiseState::Open { written } = &mut self.promise {
            *written = true;
        }
        match self.place {
            Place::Kept(_) => self.kept_written(),
            Place::Step(_) => self.step_kept(),
            Place::Waiting(_) => self.announce_once_written(),
            _ => {}
        }
    }

    /// Speaks prompts by id; returns the play, so that its end can be told from an older one's.
    fn speak(&mut self, prompts: Vec<PromptId>) -> PlayId {
        if self.marks.human_asked.is_none() {
            self.prompts += prompts.len() as u32;
        }
        let names: Vec<&str> = prompts.iter().map(PromptId::as_str).collect();
        self.trace(LineDirection::Engine, format!("play {}", names.join(" ")));
        self.plays += 1;
        let play = PlayId(self.plays);
        self.play(Effect::Speak { play, prompts, repeat: false });
        play
    }

    /// Queue and phones do not wait for the caller's ACK, but words do: their beginning would be lost.
    fn play(&mut self, effect: Effect) {
        if !self.hears {
            self.unheard = Some(effect);
            return;
        }
        if let Effect::Speak { repeat: false, .. } = effect {
            self.marks.first_prompt = self.marks.first_prompt.or(Some(self.now.time));
        }
        self.effects.push(effect);
    }

    fn hears_now(&mut self) {
        if !std::mem::replace(&mut self.hears, true) {
            self.effects.push(Effect::Clear(CallTimer::Start));
            if let Some(effect) = self.unheard.take() {
                self.play(effect);
            }
        }
    }

    fn quiet(&mut self) {
        self.unheard = None;
        self.effects.push(Effect::Quiet);
    }

    fn music(&mut self, prompt: PromptId) {
        self.plays += 1;
        self.play(Effect::Speak { play: PlayId(self.plays), prompts: vec![prompt], repeat: true });
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
        self.line_plan().human.direct.iter().any(|rule| match rule {
            DirectRule::AgeAtLeast(age) => facts.ages_reached.contains(age),
            DirectRule::Flag(flag) => facts.flags.contains(flag),
        })
    }
}

fn prompt(id: &str) -> PromptId {
    PromptId::new(id)
}

/// The pieces that say where a caller stands: "your place in the queue is … three; the wait is about … two minutes".
fn standing_prompts(standing: event::Standing) -> Vec<PromptId> {
    let mut said = vec![prompt(spoken::PLACE_IS)];
    said.extend(number_prompts(standing.place, spoken::number));
    said.push(prompt(spoken::PLACE_UNIT));
    if let Some(minutes) = standing.minutes {
        said.push(prompt(spoken::WAIT_IS));
        said.extend(number_prompts(minutes, spoken::count));
        said.push(prompt(if minutes == 1 { spoken::WAIT_UNIT_ONE } else { spoken::WAIT_UNIT }));
    }
    said
}

fn number_prompts(value: u32, form: fn(u32) -> String) -> Vec<PromptId> {
    let number = PromptId::new(form(value));
    if value > 100 { vec![prompt(spoken::MORE_THAN), number] } else { vec![number] }
}

#[cfg(test)]
mod tests;
