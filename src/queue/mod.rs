//! The queue: who waits with which ticket, which agent is free, whose phone rings. No SIP and no RTP.
//!
//! Order is by **ticket**: the time of joining, less a head start for flagged callers. Everyone's priority rises alike
//! while waiting, so the order of two tickets never changes: a flagged caller is `flagged_priority * ages_every` ahead,
//! nobody starves, and a rejected call keeps its place because its ticket does not change. (DESIGN §8 lets only ordinary
//! callers age; then one of them would pass a flagged caller who has waited longer.)
//!
//! Facts in, [`Effect`]s out; timers leave as `Set`/`Clear` and come back by [`Queues::timeout`].

pub mod agent;
mod dispatch;
pub mod estimate;
pub mod ledger;
mod rules;
pub mod strategy;

use crate::caller::NumberHash;
use crate::ids::{AgentId, CallId, QueueName, TicketId};
use crate::step::queue::Queue;
use crate::time::Time;
use agent::{Agent, AgentState};
use estimate::Estimate;
use std::collections::{BTreeMap, BTreeSet};

/// Most callers who are remembered for `keep_place`.
const REMEMBERED_MAX: usize = 10_000;

/// What the queue wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    Ring {
        call: CallId,
        agent: AgentId,
    },
    /// She is not to be rung for this call any more. `elsewhere`: another agent has answered.
    StopRinging {
        call: CallId,
        agent: AgentId,
        elsewhere: bool,
    },
    /// This call was rung in vain.
    Missed {
        call: CallId,
        agent: AgentId,
        rejected: bool,
    },
    /// Nobody has served for too long: the ticket has been taken out.
    Deserted {
        call: CallId,
    },
    /// She takes no calls from now on: by her own wish, or because calls went unanswered.
    Away(AgentId),
    Set(QueueTimer, Time),
    Clear(QueueTimer),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum QueueTimer {
    /// An agent's phone has rung for long enough.
    Ring(AgentId),
    /// Her rest is over.
    WrapUp(AgentId),
    /// The queue has had nobody for `unstaffed_after`.
    Unstaffed(QueueName),
}

/// Why a queue cannot take a caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    Full,
    NobodyThere,
}

/// How ringing an agent ended without an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Miss {
    Rejected,
    NoAnswer,
    /// The phone could not be reached, or answered and sent no sound.
    Unreachable,
    /// We had no port for the call: no fault of hers.
    NoPort,
}

/// Where a caller stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// 1 is next.
    pub place: u32,
    /// Expected wait, rounded up; `None` where a phone rings already or someone is free.
    pub minutes: Option<u32>,
}

/// A caller's place. Smaller is sooner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Order {
    /// Microseconds; joining time less the head start (which may lie before the engine's start).
    virtual_arrival: i64,
    ticket: TicketId,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Ticket {
    queue: QueueName,
    order: Order,
    joined: Time,
    caller: Option<NumberHash>,
    /// Passed over while the caller holds; the place is kept.
    held: bool,
    ringing: BTreeSet<AgentId>,
    /// With this agent; not waiting.
    served_by: Option<AgentId>,
    answered: Option<Time>,
}

/// One queue at work. Its settings are those of the newest plan that has it; a queue that a new plan lacks serves on until empty.
#[derive(Debug)]
struct Line {
    settings: Queue,
    waiting: BTreeMap<Order, CallId>,
    estimate: Estimate,
    unstaffed_since: Option<Time>,
    offered_total: u64,
    answered_total: u64,
    abandoned_total: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Remembered {
    order: Order,
    left: Time,
}

/// All queues and all agents.
#[derive(Debug, Default)]
pub struct Queues {
    lines: BTreeMap<QueueName, Line>,
    agents: BTreeMap<AgentId, Agent>,
    tickets: BTreeMap<CallId, Ticket>,
    remembered: BTreeMap<(QueueName, NumberHash), Remembered>,
    next_ticket: u64,
}

/// What the console shows of one queue.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueFigures {
    pub waiting: u64,
    /// In the order of their tickets.
    pub calls: Vec<CallId>,
    pub longest_wait: std::time::Duration,
    pub expected_wait: std::time::Duration,
    pub offered_total: u64,
    pub answered_total: u64,
    pub abandoned_total: u64,
}

impl Queues {
    /// Can this queue take a caller now?
    pub fn can_serve(&self, settings: &Queue) -> Result<(), Refusal> {
        let waiting = self.lines.get(&settings.name).map_or(0, |line| line.waiting.len());
        if waiting >= settings.length_max {
            return Err(Refusal::Full);
        }
        if strategy::staffed(settings, &self.agents) == 0 {
            return Err(Refusal::NobodyThere);
        }
        Ok(())
    }

    /// Takes a ticket, or the old one of a caller who dropped and dialled again in time. Who has one here keeps it.
    pub fn join(
        &mut self,
        now: Time,
        call: CallId,
        settings: &Queue,
        caller: Option<NumberHash>,
        flagged: bool,
    ) -> Result<(), Refusal> {
        if self.tickets.get(&call).is_some_and(|ticket| ticket.queue == settings.name && ticket.served_by.is_none()) {
            return Ok(());
        }
        self.can_serve(settings)?;
        let kept = caller.and_then(|caller| self.remembered.remove(&(settings.name.clone(), caller)));
        let order = match kept {
            Some(old) if now.since(old.left) <= settings.keep_place => old.order,
            _ => self.new_order(now, settings, flagged),
        };
        self.tickets.insert(
            call,
            Ticket {
                queue: settings.name.clone(),
                order,
                joined: now,
                caller,
                held: false,
                ringing: BTreeSet::new(),
                served_by: None,
                answered: None,
            },
        );
        let line = self.line_of(settings);
        line.offered_total += 1;
        line.waiting.insert(order, call);
        Ok(())
    }

    fn new_order(&mut self, now: Time, settings: &Queue, flagged: bool) -> Order {
        let head_start =
            if flagged { settings.ages_every * u32::from(settings.flagged_priority) } else { Default::default() };
        self.next_ticket += 1;
        Order {
            virtual_arrival: now.as_micros() as i64 - head_start.as_micros() as i64,
            ticket: TicketId(self.next_ticket),
        }
    }

    fn line_of(&mut self, settings: &Queue) -> &mut Line {
        let line = self.lines.entry(settings.name.clone()).or_insert_with(|| Line {
            settings: settings.clone(),
            waiting: BTreeMap::new(),
            estimate: Estimate::default(),
            unstaffed_since: None,
            offered_total: 0,
            answered_total: 0,
            abandoned_total: 0,
        });
        if line.settings != *settings {
            line.settings = settings.clone();
        }
        line
    }

    /// The caller has left the queue by hanging up (`abandoned`) or otherwise. Agents ringing for the call stop.
    pub fn leave(&mut self, now: Time, call: CallId, abandoned: bool, out: &mut Vec<Effect>) {
        let Some(ticket) = self.tickets.remove(&call) else { return };
        if let Some(line) = self.lines.get_mut(&ticket.queue)
            && line.waiting.remove(&ticket.order).is_some()
            && abandoned
        {
            line.abandoned_total += 1;
        }
        // Who chose a call-back keeps the place too.
        if let (Some(caller), None) = (ticket.caller, &ticket.served_by)
            && !self.take_over(&ticket, caller)
        {
            self.remember(now, &ticket, caller);
        }
        for agent in &ticket.ringing {
            self.stop_ringing(now, call, agent, false, out);
        }
        if let Some(agent) = &ticket.served_by {
            self.after_call(now, &ticket, agent, out);
        }
        self.dispatch(now, out);
    }

    /// Who dials again before we know that the old line is dead has a second ticket by now: it gets the older place.
    fn take_over(&mut self, old: &Ticket, caller: NumberHash) -> bool {
        let Some(line) = self.lines.get_mut(&old.queue) else { return false };
        let tickets = &self.tickets;
        let own = |call: &CallId| tickets.get(call).is_some_and(|ticket| ticket.caller == Some(caller));
        let later = line.waiting.range(old.order..).find(|(_, call)| own(call));
        let Some((order, call)) = later.map(|(order, call)| (*order, *call)) else { return false };
        line.waiting.remove(&order);
        line.waiting.insert(old.order, call);
        if let Some(ticket) = self.tickets.get_mut(&call) {
            ticket.order = old.order;
        }
        true
    }

    fn remember(&mut self, now: Time, ticket: &Ticket, caller: NumberHash) {
        if self.remembered.len() >= REMEMBERED_MAX {
            let oldest = self.remembered.iter().min_by_key(|(_, kept)| kept.left).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.remembered.remove(&key));
        }
        self.remembered.insert((ticket.queue.clone(), caller), Remembered { order: ticket.order, left: now });
    }

    /// The caller holds (passed over, not lost) or is back.
    pub fn hold(&mut self, now: Time, call: CallId, held: bool, out: &mut Vec<Effect>) {
        let Some(ticket) = self.tickets.get_mut(&call) else { return };
        ticket.held = held;
        // Nobody is to answer a line that hears nothing.
        let ringing = if held { std::mem::take(&mut ticket.ringing) } else { BTreeSet::new() };
        for agent in &ringing {
            self.stop_ringing(now, call, agent, false, out);
        }
        self.dispatch(now, out);
    }

    /// Where the caller stands now.
    pub fn standing(&self, call: CallId) -> Option<Standing> {
        let ticket = self.tickets.get(&call)?;
        let line = self.lines.get(&ticket.queue)?;
        let place = line.waiting.range(..=ticket.order).count().max(1) as u32;
        let soon = !ticket.ringing.is_empty() || !strategy::pick(&line.settings, &self.agents).is_empty();
        let staffed = strategy::staffed(&line.settings, &self.agents);
        Some(Standing { place, minutes: (!soon).then(|| line.estimate.minutes(place, staffed)) })
    }

    /// Where one would stand who joined now.
    pub fn standing_of_next(&self, queue: &QueueName) -> Standing {
        let Some(line) = self.lines.get(queue) else { return Standing { place: 1, minutes: None } };
        let place = line.waiting.len() as u32 + 1;
        let soon = !strategy::pick(&line.settings, &self.agents).is_empty();
        let staffed = strategy::staffed(&line.settings, &self.agents);
        Standing { place, minutes: (!soon).then(|| line.estimate.minutes(place, staffed)) }
    }

    /// The caller is in this queue or with one of its agents.
    pub fn has(&self, call: CallId) -> bool {
        self.tickets.contains_key(&call)
    }

    /// New settings after a reload, for queues that are at work.
    pub fn reload<'a>(&mut self, now: Time, queues: impl Iterator<Item = &'a Queue>, out: &mut Vec<Effect>) {
        for settings in queues {
            if let Some(line) = self.lines.get_mut(&settings.name) {
                line.settings = settings.clone();
            }
        }
        // Other people may serve now.
        self.dispatch(now, out);
    }

    pub fn agents(&self) -> impl Iterator<Item = (&AgentId, &Agent)> {
        self.agents.iter()
    }

    /// A phone of hers is registered.
    pub fn is_registered(&self, agent: &AgentId) -> bool {
        self.agents.get(agent).is_some_and(|agent| agent.registered)
    }

    pub fn agent_state(&self, agent: &AgentId) -> Option<AgentState> {
        self.agents.get(agent).map(|agent| agent.state)
    }

    pub fn figures(&self, now: Time) -> impl Iterator<Item = (&QueueName, QueueFigures)> {
        self.lines.iter().map(move |(name, line)| {
            let joined =
                line.waiting.values().filter_map(|call| self.tickets.get(call)).map(|ticket| ticket.joined).min();
            let staffed = strategy::staffed(&line.settings, &self.agents);
            let figures = QueueFigures {
                waiting: line.waiting.len() as u64,
                calls: line.waiting.values().copied().collect(),
                longest_wait: joined.map_or_else(Default::default, |joined| now.since(joined)),
                expected_wait: line.estimate.wait(line.waiting.len() as u32 + 1, staffed),
                offered_total: line.offered_total,
                answered_total: line.answered_total,
                abandoned_total: line.abandoned_total,
            };
            (name, figures)
        })
    }
}

#[cfg(test)]
mod tests;
