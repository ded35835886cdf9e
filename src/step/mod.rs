//! What a dialplan can ask for, one file each: what is written, what can be wrong with it, what the caller hears.
//!
//! Every step has one transition function, [`Step::next`]: a call runs it, and the proof walks it, so they cannot drift
//! apart. A step knows nothing of SIP, RTP, calls or queues: it takes an [`Event`] and returns an [`Edge`]. The human
//! key never reaches a step: the call takes it first, so no step can swallow it.

pub mod hangup;
pub mod hours;
pub mod menu;
pub mod play;
pub mod queue;
pub mod voicemail;

use crate::ids::{PromptId, QueueName, StepName};
use crate::key::Key;
use crate::target::{StepKind, StepRef, Target};
use std::time::Duration;

/// What happened to a caller who is in a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The step begins. `open` is what the hours of this step say now; steps without hours ignore it.
    Entered { open: bool },
    /// All prompts of the last [`Edge::Speak`] have been heard to their end.
    Spoken,
    /// A key other than the human key.
    Key(Key),
    /// The time of the last [`Edge::Listen`] has passed without a key.
    Silence,
    /// The recording of the last [`Edge::Record`] has ended (its longest time, or silence, or a key).
    Recorded,
}

/// What a step wants of the call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edge {
    /// Speak these, then tell [`Event::Spoken`]. With `barge_in` a key that the step takes stops them;
    /// without it keys are kept until they have been heard (never the human key, which is not the step's).
    Speak { prompts: Vec<PromptId>, barge_in: bool },
    /// Wait for a key this long, then tell [`Event::Silence`].
    Listen { within: Duration },
    /// Record the caller, at most this long, ended early by silence of this length; then tell [`Event::Recorded`].
    Record { longest: Duration, silence: Duration },
    /// Go to another step, or to a person.
    Go(Target),
    /// Join this queue.
    Join(QueueName),
    /// The service is done: hang up.
    HangUp,
    /// Nothing changes (a key that means nothing here).
    Stay,
}

/// Where a caller stands in a step. Small and closed, so that the proof can enumerate it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct StepState {
    /// Wrong keys and silences so far in this step.
    pub errors: u8,
    /// Which of the step's own phases it is in; each step documents its numbers.
    pub phase: u8,
}

/// Any step. A closed enum: adding a kind makes the compiler show every place that must know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    Menu(menu::Menu),
    Play(play::Play),
    Hours(hours::Hours),
    Queue(queue::Queue),
    Voicemail(voicemail::Voicemail),
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
            Step::Hours(hours) => hours.next(state, event),
            Step::Queue(queue) => queue.next(state, event),
            Step::Voicemail(voicemail) => voicemail.next(state, event),
            Step::HangUp(hangup) => hangup.next(state, event),
        }
    }

    /// The hours whose answer goes into [`Event::Entered`], if this step asks for any.
    pub fn hours(&self) -> Option<&StepName> {
        match self {
            Step::Hours(hours) => Some(&hours.name),
            Step::Queue(queue) => queue.hours.as_ref(),
            Step::Menu(_) | Step::Play(_) | Step::Voicemail(_) | Step::HangUp(_) => None,
        }
    }

    /// How a target names this step.
    pub fn at(&self) -> StepRef {
        let (kind, name) = match self {
            Step::Menu(menu) => (StepKind::Menu, menu.name.as_str()),
            Step::Play(play) => (StepKind::Play, play.name.as_str()),
            Step::Hours(hours) => (StepKind::Hours, hours.name.as_str()),
            Step::Queue(queue) => (StepKind::Queue, queue.name.as_str()),
            Step::Voicemail(voicemail) => (StepKind::Voicemail, voicemail.name.as_str()),
            Step::HangUp(hangup) => (StepKind::Hangup, hangup.name.as_str()),
        };
        StepRef { kind, name: StepName::new(name) }
    }

    /// Every place that this step's own words can send a call to, in the order written. The queue that a step falls
    /// back to (errors, silence in a menu) is the line's and stands as [`Target::Human`].
    pub fn targets(&self) -> Vec<Target> {
        match self {
            Step::Menu(menu) => menu.keys.values().cloned().chain([Target::Human]).collect(),
            Step::Play(play) => play.then.iter().cloned().collect(),
            Step::Hours(hours) => vec![hours.then.clone(), hours.otherwise.clone()],
            Step::Queue(queue) => queue.otherwise.iter().cloned().collect(),
            Step::Voicemail(voicemail) => voicemail.then.iter().cloned().collect(),
            Step::HangUp(_) => Vec::new(),
        }
    }
}

/// The prompts `ids` of [`spoken`](crate::prompt::spoken), as an edge wants them.
fn engine_prompts(ids: &[&str]) -> Vec<PromptId> {
    ids.iter().map(PromptId::new).collect()
}
