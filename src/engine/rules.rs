//! What must hold of the whole engine between two inputs: asked by simulations, never in a running server.

use super::Engine;
use super::asks::Asked;
use super::legs::Role;
use super::timers::Timer;
use crate::ids::CallId;

impl Engine {
    /// Every rule that is broken now, one sentence each.
    pub fn broken_rules(&self) -> Vec<String> {
        let mut broken = self.queues.broken_rules();
        for (id, entry) in &self.calls {
            let legs = self.legs.values().filter(|leg| leg.call() == Some(*id) && !leg.media_over).count();
            if legs != entry.legs_open as usize {
                broken.push(format!("{id} counts {} open legs and has {legs}", entry.legs_open));
            }
            if entry.is_settled() {
                broken.push(format!("{id} is settled and still there"));
            }
            if entry.call.is_over() && self.queues.has(*id) {
                broken.push(format!("{id} is over and has a ticket"));
            }
            if let Some(agent_leg) = entry.agent_leg.filter(|leg| !self.legs.contains_key(leg)) {
                broken.push(format!("{id} is bridged to {agent_leg}, which is gone"));
            }
        }
        for (id, leg) in &self.legs {
            if leg.sip_over && leg.media_over {
                broken.push(format!("{id} is over on both sides and still there"));
            }
            if leg.sip_over && !leg.closing && !matches!(leg.role, Role::Agent { answered: true, .. }) {
                broken.push(format!("{id} has no dialog and keeps its port"));
            }
        }
        for (worker, load) in self.loads.iter().enumerate() {
            let legs = self.legs.values().filter(|leg| usize::from(leg.worker.0) == worker).count();
            if legs != *load {
                broken.push(format!("worker {worker} is thought to have {load} legs and has {legs}"));
            }
        }
        for timer in self.timers.all() {
            if let Timer::Call(call, _) = timer
                && !self.calls.contains_key(call)
            {
                broken.push(format!("{timer:?} is of a call that is gone"));
            }
        }
        broken.extend(self.questions_of_the_dead());
        if let Some(work) = self.work.front() {
            broken.push(format!("{work:?} was left undone"));
        }
        broken
    }

    fn questions_of_the_dead(&self) -> Vec<String> {
        let gone = |call: &CallId| !self.calls.contains_key(call);
        let asked = self.asked.iter().filter(|(_, asked)| matches!(asked, Asked::Registry(call) if gone(call)));
        asked.map(|(id, _)| format!("{id:?} asks the registry for a call that is gone")).collect()
    }

    /// A timer is set that is not of phones' registrations (for the end of a simulation).
    pub fn awaits_anything(&self) -> bool {
        let only_bindings = self.sip.is_quiet();
        self.timers.all().any(|timer| !only_bindings || !matches!(timer, Timer::Sip(_)))
    }
}
