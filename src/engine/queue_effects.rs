//! The queue's wishes, carried out: phones rung and quietened, callers told.

use super::Engine;
use super::legs::{Leg, Role};
use super::timers::Timer;
use crate::call::event::{self, Event};
use crate::engine::output::{Notice, Output};
use crate::ids::{AgentId, CallId, LegId, QueueName};
use crate::queue::{Effect, Miss};
use crate::sip::stack::{Callee, EndReason, OutgoingInvite};
use crate::step::queue::Queue;

impl Engine {
    pub(super) fn queue_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Ring { call, agent } => self.ring(call, &agent),
            Effect::StopRinging { call, agent, elsewhere } => {
                let reason = if elsewhere { EndReason::AnsweredElsewhere } else { EndReason::Normal };
                self.stop_phones(call, &agent, None, reason);
            }
            Effect::Missed { call, agent, rejected } => self.tell(call, Event::AgentMissed { agent, rejected }),
            Effect::Deserted { call } => self.tell(call, Event::Deserted),
            Effect::Away(agent) => self.out.push(Output::Notice(Notice::Away(agent))),
            Effect::Set(timer, at) => self.timers.set(Timer::Queue(timer), at),
            Effect::Clear(timer) => self.timers.clear(&Timer::Queue(timer)),
        }
    }

    /// The queue's settings: the newest, as all callers of a queue share them; of the call's own plan where a reload took
    /// the queue away.
    pub(super) fn queue_settings(&self, call: CallId, queue: &QueueName) -> Option<Queue> {
        let plan = self.calls.get(&call).map(|entry| entry.call.plan())?;
        self.dialplan.queue(queue).or_else(|| plan.queue(queue)).cloned()
    }

    pub(super) fn join(&mut self, call: CallId, queue: &QueueName, flagged: bool) {
        let settings = self.queue_settings(call, queue);
        let Some(entry) = self.calls.get(&call) else { return };
        let (caller, leg) = (entry.call.caller, entry.leg);
        let now = self.now.time;
        let joined = settings.is_some_and(|settings| self.queues.join(now, call, &settings, caller, flagged).is_ok());
        if !joined {
            return self.tell(call, Event::NotServed);
        }
        // One who held already, in a menu or from the INVITE on, is passed over from the beginning.
        let held = self.legs.get(&leg).is_some_and(Leg::is_held);
        self.with_queues(|queues, now, out| queues.hold(now, call, held, out));
        self.tell_standing(call);
        self.with_queues(|queues, now, out| queues.dispatch(now, out));
    }

    pub(super) fn tell_standing(&mut self, call: CallId) {
        if let Some(standing) = self.queues.standing(call) {
            self.tell(call, Event::Joined(event::Standing { place: standing.place, minutes: standing.minutes }));
        }
    }

    /// Rings every phone of the agent: each needs a port first, so that its offer can name it.
    fn ring(&mut self, call: CallId, agent: &AgentId) {
        let Some(worker) = self.calls.get(&call).map(|entry| entry.worker) else { return };
        let bindings = self.sip.bindings(agent).to_vec();
        if bindings.is_empty() {
            return self.with_queues(|queues, now, out| queues.missed(now, call, agent, Miss::Unreachable, out));
        }
        for binding in bindings {
            let id = self.sip.new_leg();
            let address = self.media_address(binding.flow.local.ip());
            let signals_from = self.signals_from(&binding.flow);
            let to = Some(Box::new(binding));
            if let Some(entry) = self.calls.get_mut(&call) {
                entry.legs_open += 1;
            }
            let role = Role::Agent { call, agent: agent.clone(), to, answered: false };
            self.open_leg(id, Leg::new(role, worker, address, signals_from));
        }
    }

    /// The port is there: the INVITE goes out (mark t6 is the first of them).
    pub(super) fn invite_agent(&mut self, call: CallId, agent: AgentId, id: LegId) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.closing {
            return;
        }
        let offer = leg.offer().unwrap_or_default();
        let Role::Agent { to, .. } = &mut leg.role else { return };
        let Some(binding) = to.take() else { return };
        let Some(entry) = self.calls.get(&call) else { return };
        let identity = &entry.invitation.caller;
        let queue = entry.call.queue.as_ref().map_or_else(String::new, ToString::to_string);
        let invite = OutgoingInvite {
            uri: binding.contact,
            flow: binding.flow,
            to: Callee::Agent(agent.clone()),
            from_number: identity.number.clone(),
            from_name: identity.display_name.clone(),
            offer,
            headers: vec![
                ("X-Onekey-Call".into(), call.to_string()),
                ("X-Onekey-Queue".into(), queue),
                ("X-Onekey-Line".into(), entry.call.line.to_string()),
            ],
        };
        self.with_sip(|sip, out| sip.invite(now, id, invite, out));
        self.tell(call, Event::AgentRings(agent));
    }

    /// Phones of this agent that are being rung for this call.
    pub(super) fn phones_ringing(&self, call: CallId, agent: &AgentId) -> Vec<LegId> {
        let rung = self.legs.iter().filter(|(_, leg)| {
            !leg.closing
                && matches!(&leg.role, Role::Agent { call: of, agent: who, answered: false, .. } if *of == call && who == agent)
        });
        rung.map(|(id, _)| *id).collect()
    }

    pub(super) fn stop_phones(&mut self, call: CallId, agent: &AgentId, but: Option<LegId>, reason: EndReason) {
        for id in self.phones_ringing(call, agent) {
            if Some(id) != but {
                self.end_leg(id, reason.clone());
            }
        }
    }
}
