//! An agent: a person with a phone, and whether a call may be put to her.

use crate::ids::CallId;
use crate::time::Time;

/// What an agent is doing (DESIGN §8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AgentState {
    /// No phone is registered.
    Offline,
    Available,
    Ringing(CallId),
    OnCall(CallId),
    /// Resting after a call, until then.
    WrapUp(Time),
    /// By her own wish (feature code), or because calls went unanswered.
    Away,
}

impl AgentState {
    pub const fn as_str(self) -> &'static str {
        match self {
            AgentState::Offline => "offline",
            AgentState::Available => "available",
            AgentState::Ringing(_) => "ringing",
            AgentState::OnCall(_) => "on_call",
            AgentState::WrapUp(_) => "wrap_up",
            AgentState::Away => "away",
        }
    }

    /// The call that rings, or that she is in.
    pub const fn call(self) -> Option<CallId> {
        match self {
            AgentState::Ringing(call) | AgentState::OnCall(call) => Some(call),
            AgentState::Offline | AgentState::Available | AgentState::WrapUp(_) | AgentState::Away => None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agent {
    pub state: AgentState,
    pub since: Time,
    /// A phone of hers is registered; kept apart from `state` so that a call in progress outlives a lost registration.
    pub registered: bool,
    /// She has asked to be away while ringing or on a call: it takes effect afterwards.
    pub away_next: bool,
    /// Since when she has had no call: the order of `longest_idle`.
    pub idle_since: Time,
    /// Calls missed in a row.
    pub missed: u8,
    pub answered_total: u64,
    pub missed_total: u64,
}

impl Agent {
    pub fn new(now: Time) -> Agent {
        Agent {
            state: AgentState::Offline,
            since: now,
            registered: false,
            away_next: false,
            idle_since: now,
            missed: 0,
            answered_total: 0,
            missed_total: 0,
        }
    }

    pub fn becomes(&mut self, now: Time, state: AgentState) {
        if self.state != state {
            self.state = state;
            self.since = now;
        }
    }

    /// Someone who may be expected to take calls: logged in and not away.
    pub fn is_staffed(&self) -> bool {
        self.registered && !self.away_next && !matches!(self.state, AgentState::Away | AgentState::Offline)
    }
}
