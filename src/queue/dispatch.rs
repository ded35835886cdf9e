//! Agents and callers brought together: who is rung for whom, and what becomes of an agent afterwards.

use super::agent::{Agent, AgentState};
use super::{Effect, Miss, QueueTimer, Queues, Ticket, strategy};
use crate::ids::{AgentId, CallId, QueueName};
use crate::time::Time;

impl Queues {
    /// A phone of hers has registered, or the last one is gone.
    pub fn registered(&mut self, now: Time, id: &AgentId, registered: bool, out: &mut Vec<Effect>) {
        if !registered && !self.agents.contains_key(id) {
            return;
        }
        let agent = self.agents.entry(id.clone()).or_insert_with(|| Agent::new(now));
        let was = agent.registered;
        agent.registered = registered;
        match (was, registered, agent.state) {
            (false, true, AgentState::Offline) => {
                // Logging in is a fresh start: earlier missed calls and a wish to be away are forgotten.
                agent.missed = 0;
                agent.away_next = false;
                agent.idle_since = now;
                agent.becomes(now, AgentState::Available);
            }
            (true, false, AgentState::Available | AgentState::WrapUp(_) | AgentState::Away) => {
                agent.becomes(now, AgentState::Offline);
                out.push(Effect::Clear(QueueTimer::WrapUp(id.clone())));
            }
            // Ringing or on a call: settled when that is over.
            _ => {}
        }
        self.dispatch(now, out);
    }

    pub fn remove_agent(&mut self, now: Time, id: &AgentId, out: &mut Vec<Effect>) {
        self.registered(now, id, false, out);
        if self.agents.get(id).is_some_and(|agent| agent.state == AgentState::Offline) {
            self.agents.remove(id);
        }
    }

    /// By feature code or by an operator: away, or back.
    pub fn set_away(&mut self, now: Time, id: &AgentId, away: bool, out: &mut Vec<Effect>) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        match (agent.state, away) {
            (AgentState::Ringing(_) | AgentState::OnCall(_), _) => agent.away_next = away,
            (AgentState::Offline, _) => {}
            (_, true) => {
                out.push(Effect::Clear(QueueTimer::WrapUp(id.clone())));
                agent.becomes(now, AgentState::Away);
                out.push(Effect::Away(id.clone()));
            }
            (AgentState::Away, false) => {
                agent.missed = 0;
                agent.idle_since = now;
                agent.becomes(now, AgentState::Available);
            }
            (_, false) => agent.away_next = false,
        }
        self.dispatch(now, out);
    }

    /// Her phone did not lead to a conversation: the ticket is unchanged, she rests, or is away after too many.
    pub fn missed(&mut self, now: Time, call: CallId, id: &AgentId, miss: Miss, out: &mut Vec<Effect>) {
        let Some(ticket) = self.tickets.get_mut(&call) else { return };
        if !ticket.ringing.remove(id) {
            return;
        }
        let settings = self.lines.get(&ticket.queue).map(|line| line.settings.clone());
        out.push(Effect::Clear(QueueTimer::Ring(id.clone())));
        out.push(Effect::Missed { call, agent: id.clone(), rejected: miss == Miss::Rejected });
        let (missed_max, rest) = settings.map_or((2, Default::default()), |s| (s.missed_max, s.wrap_up));
        if let Some(agent) = self.agents.get_mut(id).filter(|_| miss != Miss::NoPort) {
            agent.missed = agent.missed.saturating_add(1);
            agent.missed_total += 1;
            agent.away_next |= agent.missed >= missed_max;
        }
        self.rest(now, id, rest, out);
        self.dispatch(now, out);
    }

    /// She has answered: the ticket is hers, everyone else stops ringing. `false`: the call is not waiting any more.
    pub fn answered(&mut self, now: Time, call: CallId, id: &AgentId, out: &mut Vec<Effect>) -> bool {
        let Some(ticket) = self.tickets.get_mut(&call) else { return false };
        if !ticket.ringing.remove(id) {
            return false;
        }
        ticket.served_by = Some(id.clone());
        ticket.answered = Some(now);
        let others = std::mem::take(&mut ticket.ringing);
        if let Some(line) = self.lines.get_mut(&ticket.queue) {
            line.waiting.remove(&ticket.order);
        }
        out.push(Effect::Clear(QueueTimer::Ring(id.clone())));
        for other in &others {
            self.stop_ringing(now, call, other, true, out);
        }
        if let Some(agent) = self.agents.get_mut(id) {
            agent.becomes(now, AgentState::OnCall(call));
        }
        // Those who rang with her are free for the next caller.
        self.dispatch(now, out);
        true
    }

    /// Her RTP has come: a conversation. Counts as answered, and clears her missed calls.
    pub fn speaking(&mut self, call: CallId) {
        let Some(ticket) = self.tickets.get(&call) else { return };
        if let Some(line) = self.lines.get_mut(&ticket.queue) {
            line.answered_total += 1;
        }
        if let Some(agent) = ticket.served_by.as_ref().and_then(|id| self.agents.get_mut(id)) {
            agent.missed = 0;
            agent.answered_total += 1;
        }
    }

    /// The agent is gone without (or in the middle of) a conversation: the caller is back at the same ticket.
    pub fn give_back(&mut self, now: Time, call: CallId, out: &mut Vec<Effect>) {
        let Some(ticket) = self.tickets.get_mut(&call) else { return };
        let Some(id) = ticket.served_by.take() else { return };
        ticket.answered = None;
        let (order, queue) = (ticket.order, ticket.queue.clone());
        let mut rest = Default::default();
        let mut missed_max = u8::MAX;
        if let Some(line) = self.lines.get_mut(&queue) {
            line.waiting.insert(order, call);
            rest = line.settings.wrap_up;
            missed_max = line.settings.missed_max;
        }
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.missed = agent.missed.saturating_add(1);
            agent.missed_total += 1;
            agent.away_next |= agent.missed >= missed_max;
        }
        self.rest(now, &id, rest, out);
        self.dispatch(now, out);
    }

    /// After a conversation: wrap-up, and its length counts for the expected wait.
    pub(super) fn after_call(&mut self, now: Time, ticket: &Ticket, id: &AgentId, out: &mut Vec<Effect>) {
        let mut rest = Default::default();
        if let Some(line) = self.lines.get_mut(&ticket.queue) {
            rest = line.settings.wrap_up;
            if let Some(answered) = ticket.answered {
                line.estimate.served(now.since(answered) + rest);
            }
        }
        self.rest(now, id, rest, out);
    }

    pub(super) fn stop_ringing(
        &mut self,
        now: Time,
        call: CallId,
        id: &AgentId,
        elsewhere: bool,
        out: &mut Vec<Effect>,
    ) {
        out.push(Effect::Clear(QueueTimer::Ring(id.clone())));
        out.push(Effect::StopRinging { call, agent: id.clone(), elsewhere });
        // Nothing was her fault: she is free at once and keeps her place among the idle.
        self.settle(now, id, AgentState::Available, out);
    }

    /// A rest before the next call, then free; Away or Offline where that is due.
    fn rest(&mut self, now: Time, id: &AgentId, rest: std::time::Duration, out: &mut Vec<Effect>) {
        if rest.is_zero() {
            self.settle(now, id, AgentState::Available, out);
        } else {
            self.settle(now, id, AgentState::WrapUp(now + rest), out);
        }
        if let Some(agent) = self.agents.get_mut(id) {
            agent.idle_since = now;
            if let AgentState::WrapUp(until) = agent.state {
                out.push(Effect::Set(QueueTimer::WrapUp(id.clone()), until));
            }
        }
    }

    fn settle(&mut self, now: Time, id: &AgentId, next: AgentState, out: &mut Vec<Effect>) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        let next = match (agent.registered, agent.away_next) {
            (false, _) => AgentState::Offline,
            (true, true) => AgentState::Away,
            (true, false) => next,
        };
        agent.away_next = false;
        if next == AgentState::Away {
            out.push(Effect::Away(id.clone()));
        }
        agent.becomes(now, next);
    }

    pub fn timeout(&mut self, now: Time, timer: QueueTimer, out: &mut Vec<Effect>) {
        match timer {
            QueueTimer::Ring(id) => {
                let Some(AgentState::Ringing(call)) = self.agent_state(&id) else { return };
                out.push(Effect::StopRinging { call, agent: id.clone(), elsewhere: false });
                self.missed(now, call, &id, Miss::NoAnswer, out);
            }
            QueueTimer::WrapUp(id) => {
                if let Some(AgentState::WrapUp(_)) = self.agent_state(&id) {
                    self.settle(now, &id, AgentState::Available, out);
                }
                self.dispatch(now, out);
            }
            QueueTimer::Unstaffed(queue) => self.desert(now, &queue, out),
        }
    }

    /// Rings free agents for waiting callers, soonest ticket first over all queues that an agent serves.
    pub fn dispatch(&mut self, now: Time, out: &mut Vec<Effect>) {
        self.watch_staffing(now, out);
        while self.agents.values().any(|agent| agent.state == AgentState::Available) {
            let Some((call, agents, ring_timeout)) = self.next_match() else { return };
            for id in agents {
                if let Some(agent) = self.agents.get_mut(&id) {
                    agent.becomes(now, AgentState::Ringing(call));
                }
                if let Some(ticket) = self.tickets.get_mut(&call) {
                    ticket.ringing.insert(id.clone());
                }
                out.push(Effect::Set(QueueTimer::Ring(id.clone()), now + ring_timeout));
                out.push(Effect::Ring { call, agent: id });
            }
        }
    }

    /// The caller with the soonest ticket for whom a free agent can be rung.
    fn next_match(&self) -> Option<(CallId, Vec<AgentId>, std::time::Duration)> {
        self.lines
            .values()
            .filter_map(|line| {
                let agents = strategy::pick(&line.settings, &self.agents);
                let (order, call) = line.waiting.iter().find(|(_, call)| {
                    self.tickets.get(call).is_some_and(|ticket| ticket.ringing.is_empty() && !ticket.held)
                })?;
                (!agents.is_empty()).then_some((*order, *call, agents, line.settings.ring_timeout))
            })
            .min_by_key(|(order, ..)| *order)
            .map(|(_, call, agents, ring_timeout)| (call, agents, ring_timeout))
    }

    /// Callers must not wait for people who are not there: after `unstaffed_after` they are told what else can be done.
    fn watch_staffing(&mut self, now: Time, out: &mut Vec<Effect>) {
        for (name, line) in &mut self.lines {
            let empty = line.waiting.is_empty() || strategy::staffed(&line.settings, &self.agents) > 0;
            match (empty, line.unstaffed_since) {
                (false, None) => {
                    line.unstaffed_since = Some(now);
                    out.push(Effect::Set(QueueTimer::Unstaffed(name.clone()), now + line.settings.unstaffed_after));
                }
                (true, Some(_)) => {
                    line.unstaffed_since = None;
                    out.push(Effect::Clear(QueueTimer::Unstaffed(name.clone())));
                }
                _ => {}
            }
        }
    }

    fn desert(&mut self, now: Time, name: &QueueName, out: &mut Vec<Effect>) {
        let Some(line) = self.lines.get_mut(name) else { return };
        line.unstaffed_since = None;
        let calls: Vec<CallId> = std::mem::take(&mut line.waiting).into_values().collect();
        for call in calls {
            let Some(ticket) = self.tickets.remove(&call) else { continue };
            for agent in &ticket.ringing {
                self.stop_ringing(now, call, agent, false, out);
            }
            out.push(Effect::Deserted { call });
        }
        self.dispatch(now, out);
    }
}
