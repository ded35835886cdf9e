//! What a dialplan can ask for, one file each: what is written, what can be wrong with it, what the caller hears.
//!
//! Every step has one transition function, [`Step::next`]: a call runs it, and the proof walks it, so they cannot drift
//! apart. A step knows nothing of SIP, RTP, calls or queues: it takes an [`Event`] and returns an [`Edge`]. The human
//! key never reaches a step: the call takes it first, so no step can swallow it. The one exception is written in
//! [`Step::takes_zero`]: where digits are entered `0` is a digit, and a person is the lone zero or the held zero.

pub mod callback;
pub mod collect;
pub mod dial;
mod ending;
pub mod hangup;
pub mod hours;
pub mod link;
pub mod lookup;
pub mod menu;
pub mod play;
pub mod queue;
pub mod say;
pub mod set;
pub mod voicemail;

use crate::ids::{Language, PromptId, QueueName, StepName};
use crate::key::Key;
use crate::target::{StepKind, StepRef, Target};
use crate::variable::{Template, Word};
use lookup::LookupFailure;
use std::time::Duration;

/// What happened to a caller who is in a step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    /// The step begins. `open` is what the hours of this step say now; steps without hours ignore it.
    Entered {
        open: bool,
    },
    /// All words of the last [`Edge::Speak`] have been heard to their end.
    Spoken,
    /// A value among the words of the last [`Edge::Speak`] is not there, or is none of its form. Nothing was heard.
    Unspeakable,
    /// A key other than the human key; in a step that takes `0` as a digit, that one too.
    Key(Key),
    /// The time of the last [`Edge::Listen`], [`Edge::Take`] or [`Edge::LookUp`] has passed without a key or an answer.
    Silence,
    /// The recording of the last [`Edge::Record`] has ended (its longest time, or silence, or a key).
    Recorded,
    /// The digits of the entry that [`Edge::Check`] ended are (not) what was asked for.
    Checked {
        good: bool,
    },
    /// The look-up has an answer with every value in it; `case` is the place of the branch that its value names.
    Found {
        case: Option<u8>,
    },
    LookUpFailed(LookupFailure),
    /// The call-back is in the ledger, on disk.
    Promised,
    /// There is no number to call back.
    NoNumber,
    /// The other party has answered: the two talk.
    Connected,
    /// Busy, refused, no answer, no such number.
    NotConnected,
    /// They have talked, and the other party has gone.
    PartyLeft,
}

/// What a step wants of the call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edge {
    /// Speak these, then tell [`Event::Spoken`]. With `barge_in` a key that the step takes stops them;
    /// without it keys are kept until they have been heard (never the human key, which is not the step's).
    Speak { words: Vec<Word>, barge_in: bool },
    /// Wait for a key this long, then tell [`Event::Silence`].
    Listen { within: Duration },
    /// The key is the next digit of the entry: [`StepState::digits`] of them are there now. Wait this long for another.
    Take { within: Duration },
    /// The entry is whole: tell [`Event::Checked`].
    Check,
    /// Record the caller, at most this long, ended early by silence of this length; then tell [`Event::Recorded`].
    Record { longest: Duration, silence: Duration },
    /// Ask what the step's [`lookup::Lookup`] says; tell [`Event::Silence`] if there is no answer after this time.
    LookUp { filler_after: Duration },
    /// Speak another language from here on, keep these values, and go on.
    Set { language: Option<Language>, values: Vec<(String, Template)>, then: Target },
    /// Promise a call-back to the caller's number: tell [`Event::Promised`] or [`Event::NoNumber`].
    Promise,
    /// Ring this party at most so long: tell [`Event::Connected`] or [`Event::NotConnected`].
    Dial { to: dial::Party, ring_timeout: Duration },
    /// Go to another step, or to a person.
    Go(Target),
    /// The caller has asked for a person by a lone zero.
    Human,
    /// Join this queue.
    Join(QueueName),
    /// The service is done: hang up.
    HangUp,
    /// Nothing changes (a key that means nothing here).
    Stay,
}

/// Where a caller stands in a step. Small and closed, so that the proof can enumerate it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct StepState {
    /// Wrong keys and silences so far in this step.
    pub errors: u8,
    /// Which of the step's own phases it is in; each step documents its numbers.
    pub phase: u8,
    /// Digits of the present entry.
    pub digits: u8,
    /// The first digit of the present entry is a `0`.
    pub zero_first: bool,
    /// The caller is one whom the line gives more time (`gentle`).
    pub gentle: bool,
}

impl StepState {
    /// Where a caller stands who comes to a step.
    pub fn new(gentle: bool) -> StepState {
        StepState { gentle, ..StepState::default() }
    }

    /// How long to wait for such a caller.
    fn patience(&self, time: Duration) -> Duration {
        if self.gentle { time * 2 } else { time }
    }

    /// How many errors such a caller may make.
    fn errors_max(&self, written: u8) -> u8 {
        if self.gentle { written.saturating_add(1) } else { written }
    }
}

/// Any step. A closed enum: adding a kind makes the compiler show every place that must know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    Menu(menu::Menu),
    Play(play::Play),
    Collect(collect::Collect),
    Say(say::Say),
    Hours(hours::Hours),
    Lookup(lookup::Lookup),
    Set(set::Set),
    Queue(queue::Queue),
    Voicemail(voicemail::Voicemail),
    Callback(callback::Callback),
    Dial(dial::Dial),
    HangUp(hangup::HangUp),
}

impl Step {
    /// The one transition function: what this step does with an event, and where it stands afterwards.
    ///
    /// Total: an event that makes no sense where the caller stands is answered with [`Edge::Stay`].
    pub fn next(&self, state: &mut StepState, event: Event) -> Edge {
        match self {
            Step::Menu(menu) => menu.next(state, event),
            Step::Play(play) => play.next(state, event),
            Step::Collect(collect) => collect.next(state, event),
            Step::Say(say) => say.next(state, event),
            Step::Hours(hours) => hours.next(state, event),
            Step::Lookup(lookup) => lookup.next(state, event),
            Step::Set(set) => set.next(state, event),
            Step::Queue(queue) => queue.next(state, event),
            Step::Voicemail(voicemail) => voicemail.next(state, event),
            Step::Callback(callback) => callback.next(state, event),
            Step::Dial(dial) => dial.next(state, event),
            Step::HangUp(hangup) => hangup.next(state, event),
        }
    }

    /// Whether `0` is a digit where the caller stands, so that a person is the lone or the held zero (DESIGN §1).
    pub fn takes_zero(&self, state: &StepState) -> bool {
        match self {
            Step::Collect(collect) => collect.takes_digits(state),
            _ => false,
        }
    }

    /// Whether a person has been offered in words and awaited, so that the service is finished (`ending`).
    pub fn has_offered(&self, state: &StepState) -> bool {
        matches!(self, Step::Play(_) | Step::Say(_) | Step::Dial(_)) && ending::has_offered(state)
    }

    /// It can be the end of a service (`finished = true`), and is not marked as one.
    pub fn is_unfinished(&self) -> bool {
        match self {
            Step::Play(play) => !play.finished,
            Step::Say(say) => !say.finished,
            _ => false,
        }
    }

    /// Keys among which is one for everything that a key can do here: every other key does the same as the last of these.
    pub fn distinct_keys(&self) -> Vec<Key> {
        let key = Key::from_char;
        match self {
            Step::Menu(menu) => {
                let unbound = "1234567890*#ABCD"
                    .chars()
                    .filter_map(key)
                    .find(|key| *key != Key::HUMAN && !menu.keys.contains_key(key));
                menu.keys.keys().copied().chain(unbound).collect()
            }
            // Yes, no, the digits that may be alone and that may not, and both keys that may end an entry.
            Step::Collect(_) => "0125*#A".chars().filter_map(key).collect(),
            Step::Play(_) | Step::Say(_) => "9*5".chars().filter_map(key).collect(),
            _ => "5".chars().filter_map(key).collect(),
        }
    }

    /// Whether it asks something of the caller. Flagged callers never meet such a step.
    pub fn asks(&self) -> bool {
        matches!(self, Step::Menu(_) | Step::Collect(_))
    }

    /// The hours whose answer goes into [`Event::Entered`], if this step asks for any.
    pub fn hours(&self) -> Option<&StepName> {
        match self {
            Step::Hours(hours) => Some(&hours.name),
            Step::Queue(queue) => queue.hours.as_ref(),
            _ => None,
        }
    }

    /// How a target names this step.
    pub fn at(&self) -> StepRef {
        let (kind, name) = match self {
            Step::Menu(menu) => (StepKind::Menu, menu.name.as_str()),
            Step::Play(play) => (StepKind::Play, play.name.as_str()),
            Step::Collect(collect) => (StepKind::Collect, collect.name.as_str()),
            Step::Say(say) => (StepKind::Say, say.name.as_str()),
            Step::Hours(hours) => (StepKind::Hours, hours.name.as_str()),
            Step::Lookup(lookup) => (StepKind::Lookup, lookup.name.as_str()),
            Step::Set(set) => (StepKind::Set, set.name.as_str()),
            Step::Queue(queue) => (StepKind::Queue, queue.name.as_str()),
            Step::Voicemail(voicemail) => (StepKind::Voicemail, voicemail.name.as_str()),
            Step::Callback(callback) => (StepKind::Callback, callback.name.as_str()),
            Step::Dial(dial) => (StepKind::Dial, dial.name.as_str()),
            Step::HangUp(hangup) => (StepKind::Hangup, hangup.name.as_str()),
        };
        StepRef { kind, name: StepName::new(name) }
    }
}

/// Prompts as an edge wants them.
fn words(prompts: &[PromptId]) -> Vec<Word> {
    prompts.iter().cloned().map(Word::Prompt).collect()
}

/// The prompts `ids` of [`spoken`](crate::prompt::spoken), as an edge wants them.
fn engine_words(ids: &[&str]) -> Vec<Word> {
    ids.iter().map(|id| Word::Prompt(PromptId::new(id))).collect()
}
