//! `[queue.NAME]`: people who take calls, and how a caller waits for them.
//!
//! Tickets, agents and times are the queue's own (`crate::queue`); this is only what was written.

use super::{Edge, Event, StepState};
use crate::ids::{AgentId, PromptId, QueueName, StepName};
use crate::prompt::spoken;
use crate::target::Target;
use std::time::Duration;

/// What an administrator wrote of one queue, with defaults filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    pub name: QueueName,
    /// `hours = "office"`; `None`: always open.
    pub hours: Option<StepName>,
    /// `else = "queue night"`: where callers go when it is closed, full or has nobody logged in. `None`: a kept promise.
    pub otherwise: Option<Target>,
    pub strategy: Strategy,
    /// How long an agent's phone rings, default 20 s.
    pub ring_timeout: Duration,
    /// Calls missed in a row that set an agent Away, default 2.
    pub missed_max: u8,
    /// Rest of an agent after each call, default 5 s.
    pub wrap_up: Duration,
    /// Most callers waiting, default 500.
    pub length_max: usize,
    /// Place and expected wait are spoken this often, default 30 s.
    pub announce_every: Duration,
    /// Who drops and dials again within this time has the old ticket, default 5 min.
    pub keep_place: Duration,
    /// An ordinary caller's priority rises by one each time this has passed, default 60 s.
    pub ages_every: Duration,
    /// Priority steps by which flagged callers are ahead, default 5.
    pub flagged_priority: u8,
    /// With nobody logged in for this long, callers who wait are offered what a closed queue offers, default 60 s.
    pub unstaffed_after: Duration,
    /// Who serves it, each with a level (1 first). Empty: every agent, level 1.
    pub agents: Vec<(AgentId, u8)>,
    /// Record conversations, with the notice spoken while the agent's phone rings; a conversation that begins before
    /// the notice has been heard whole is not recorded. Default false.
    pub record: bool,
    pub hold_music: PromptId,
}

/// Which agent is rung first, under the names of the field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Strategy {
    /// The one who has been free for longest.
    #[default]
    LongestIdle,
    /// All who are free at once; the first to answer has the call.
    RingAll,
}

impl Queue {
    /// A queue of this name of which nothing else was written: every default.
    pub fn named(name: QueueName) -> Queue {
        Queue {
            name,
            hours: None,
            otherwise: None,
            strategy: Strategy::default(),
            ring_timeout: Duration::from_secs(20),
            missed_max: 2,
            wrap_up: Duration::from_secs(5),
            length_max: 500,
            announce_every: Duration::from_secs(30),
            keep_place: Duration::from_secs(300),
            ages_every: Duration::from_secs(60),
            flagged_priority: 5,
            unstaffed_after: Duration::from_secs(60),
            agents: Vec::new(),
            record: false,
            hold_music: PromptId::new(spoken::HOLD_MUSIC),
        }
    }

    /// Joins, whatever its hours say: the queue itself knows what it offers when nobody can serve (DESIGN §8).
    pub fn next(&self, _state: &mut StepState, event: Event) -> Edge {
        match event {
            Event::Entered { .. } => Edge::Join(self.name.clone()),
            _ => Edge::Stay,
        }
    }
}
