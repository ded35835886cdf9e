//! What must hold of queues and agents after every input, whatever happened: asked by simulations, never in a running server.

use super::agent::AgentState;
use super::{Queues, Ticket, strategy};
use crate::ids::CallId;

impl Queues {
    /// Every rule that is broken now, one sentence each.
    pub fn broken_rules(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for (call, ticket) in &self.tickets {
            broken.extend(self.broken_ticket(*call, ticket));
        }
        for (name, line) in &self.lines {
            for (order, call) in &line.waiting {
                if !self.tickets.get(call).is_some_and(|ticket| ticket.order == *order && ticket.queue == *name) {
                    broken.push(format!("queue {name} has a place for {call}, which has no such ticket"));
                }
            }
            let passed_over = line.waiting.values().filter_map(|call| self.tickets.get(call));
            let waits = passed_over.filter(|ticket| ticket.ringing.is_empty() && !ticket.held).count();
            let free = strategy::pick(&line.settings, &self.agents);
            if waits > 0 && !free.is_empty() {
                broken.push(format!("{waits} wait in queue {name} while {free:?} is idle"));
            }
        }
        for (id, agent) in &self.agents {
            let ticket = |call| self.tickets.get(&call);
            let well = match agent.state {
                AgentState::Ringing(call) => ticket(call).is_some_and(|ticket| ticket.ringing.contains(id)),
                AgentState::OnCall(call) => ticket(call).is_some_and(|ticket| ticket.served_by.as_ref() == Some(id)),
                AgentState::Offline => !agent.registered,
                AgentState::Available | AgentState::WrapUp(_) | AgentState::Away => agent.registered,
            };
            if !well {
                broken.push(format!("agent {id} cannot be {:?}", agent.state));
            }
        }
        broken
    }

    fn broken_ticket(&self, call: CallId, ticket: &Ticket) -> Vec<String> {
        let mut broken = Vec::new();
        let state = |id| self.agents.get(id).map(|agent| agent.state);
        if ticket.ringing.iter().any(|id| state(id) != Some(AgentState::Ringing(call))) {
            broken.push(format!("{call} is ringing {:?}, who are not being rung for it", ticket.ringing));
        }
        let place = self.lines.get(&ticket.queue).and_then(|line| line.waiting.get(&ticket.order));
        match &ticket.served_by {
            Some(id) if state(id) != Some(AgentState::OnCall(call)) => {
                broken.push(format!("{call} is with {id}, who is not with it"));
            }
            Some(_) if place.is_some() || !ticket.ringing.is_empty() => {
                broken.push(format!("{call} waits although it is with an agent"));
            }
            None if place != Some(&call) => broken.push(format!("{call} has a ticket but no place")),
            _ => {}
        }
        broken
    }
}
