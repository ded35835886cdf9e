//! What a dialplan points at: `menu bills`, `queue care`, or one of the words `repeat`, `start`, `human`.
//!
//! `back` is not among them: the loader resolves it to the one menu that leads to where it is written.

use crate::ids::{QueueName, StepName};
use std::fmt;

/// The kinds of section that a target can name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StepKind {
    Menu,
    Play,
    Collect,
    Say,
    Hours,
    Lookup,
    Set,
    Queue,
    Voicemail,
    Callback,
    Dial,
    Hangup,
}

impl StepKind {
    pub const ALL: [StepKind; 12] = [
        StepKind::Menu,
        StepKind::Play,
        StepKind::Collect,
        StepKind::Say,
        StepKind::Hours,
        StepKind::Lookup,
        StepKind::Set,
        StepKind::Queue,
        StepKind::Voicemail,
        StepKind::Callback,
        StepKind::Dial,
        StepKind::Hangup,
    ];

    /// As they are written, in the same order.
    pub const WORDS: [&'static str; 12] = {
        let mut words = [""; 12];
        let mut at = 0;
        while at < words.len() {
            words[at] = StepKind::ALL[at].as_str();
            at += 1;
        }
        words
    };

    pub const fn as_str(self) -> &'static str {
        match self {
            StepKind::Menu => "menu",
            StepKind::Play => "play",
            StepKind::Collect => "collect",
            StepKind::Say => "say",
            StepKind::Hours => "hours",
            StepKind::Lookup => "lookup",
            StepKind::Set => "set",
            StepKind::Queue => "queue",
            StepKind::Voicemail => "voicemail",
            StepKind::Callback => "callback",
            StepKind::Dial => "dial",
            StepKind::Hangup => "hangup",
        }
    }

    pub fn from_word(word: &str) -> Option<StepKind> {
        StepKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One section of the dialplan, by kind and name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StepRef {
    pub kind: StepKind,
    pub name: StepName,
}

impl StepRef {
    pub fn new(kind: StepKind, name: &str) -> StepRef {
        StepRef { kind, name: StepName::new(name) }
    }

    pub fn queue(name: &QueueName) -> StepRef {
        StepRef::new(StepKind::Queue, name.as_str())
    }
}

impl fmt::Display for StepRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// Where a call goes next.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Target {
    Step(StepRef),
    /// The same step again, from its first prompt, with its counts kept.
    Repeat,
    /// The line's first step.
    Start,
    /// The line's `human.to`.
    Human,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Step(step) => step.fmt(f),
            Target::Repeat => f.write_str("repeat"),
            Target::Start => f.write_str("start"),
            Target::Human => f.write_str("human"),
        }
    }
}
