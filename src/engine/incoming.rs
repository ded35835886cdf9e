//! An INVITE becomes a call: which line, who calls, is there room; then the registry and a media port are asked for at once.

use super::entry::CallEntry;
use super::legs::{Leg, Role};
use super::{Engine, Work};
use crate::call::Call;
use crate::call::event::{Event, LineDirection};
use crate::engine::output::{CallLine, Output};
use crate::ids::{CallId, LegId, WorkerId};
use crate::sip::identity::trunk_of;
use crate::sip::stack::EndReason;
use crate::sip::{Flow, Invitation};
use crate::variable::Variable;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Callers who are refused for want of room are asked to try again after this.
const RETRY_AFTER_SECONDS: u32 = 10;

impl Engine {
    pub(super) fn incoming(&mut self, invitation: Invitation) {
        let is_strangers = invitation.trunk.is_none();
        let room = if is_strangers { self.room_for_strangers() } else { self.config.calls_max };
        if let Some(why) = self.has_no_room(room) {
            return self.refuse(invitation.leg, 503, why);
        }
        if let Some(feature) = self.feature_code(&invitation) {
            return self.begin_feature(invitation, feature);
        }
        let Some(line) = self.dialplan.line_for(&invitation.dialled).cloned() else {
            return self.refuse(invitation.leg, 404, "unknown_number");
        };
        let number = invitation.caller.number.as_deref().and_then(|number| self.registry.normalise(number));
        let hash = number.as_deref().map(|number| self.registry.hash(number));
        let id = CallId(self.next_call);
        self.next_call += 1;
        self.counters.calls += 1;
        let mut call = Call::new(self.now, id, Arc::clone(&self.dialplan), &line, hash, number.is_some());
        call.know(Variable::CallerNumber, number.clone().unwrap_or_default());
        call.know(Variable::CallerName, invitation.caller.display_name.clone().unwrap_or_default());
        let worker = self.quietest_worker();
        let leg = invitation.leg;
        let address = self.media_address(invitation.flow.local.ip());
        let signals_from = self.signals_from(&invitation.flow);
        self.calls.insert(id, CallEntry::new(call, leg, worker, invitation, number, self.now));
        self.log(id, LineDirection::World, "call".into());
        self.open_leg(leg, Leg::new(Role::Caller(id), worker, address, signals_from));
        match hash {
            Some(hash) => self.ask_registry(id, hash),
            None => self.work.push_back(Work::Call(id, Event::RegistryUnknown)),
        }
    }

    /// How many calls there may be for a stranger's to be taken: where there are trunks, a quarter is theirs.
    pub(super) fn room_for_strangers(&self) -> usize {
        let most = self.config.calls_max;
        if self.config.sip.trunks.is_empty() { most } else { most - most / 4 }
    }

    /// Why no call is taken now, where there may be so many.
    pub(super) fn has_no_room(&self, most: usize) -> Option<&'static str> {
        if self.draining {
            return Some("draining");
        }
        (self.is_overloaded || self.calls.len() >= most).then_some("overload")
    }

    /// What stands in SDP for a peer that reaches us at `local`.
    pub(super) fn media_address(&self, local: IpAddr) -> IpAddr {
        self.config.media_advertised.or(self.config.sip.advertised).unwrap_or(local)
    }

    /// The address that a peer's media address is held against; a trunk's word needs no proof.
    pub(super) fn signals_from(&self, flow: &Flow) -> Option<IpAddr> {
        let address = flow.remote.ip();
        trunk_of(&self.config.sip.trunks, address).is_none().then_some(address)
    }

    pub(super) fn quietest_worker(&self) -> WorkerId {
        let quietest = self.loads.iter().enumerate().min_by_key(|(_, count)| **count).map_or(0, |(worker, _)| worker);
        WorkerId(quietest as u16)
    }

    pub(super) fn refuse(&mut self, leg: LegId, status: u16, why: &'static str) {
        self.counters.refused(why);
        let now = self.now;
        self.with_sip(|sip, out| sip.end(now, leg, refusal(status), out));
    }

    /// A line of the call's trace.
    pub(super) fn log(&mut self, call: CallId, direction: LineDirection, text: String) {
        let began = self.calls.get(&call).map_or(self.now.time, |entry| entry.began.time);
        let since_start: Duration = self.now.time.since(began);
        self.out.push(Output::Log(CallLine { call, at: self.now, since_start, direction, text }));
    }
}

/// How an unanswered leg is refused with this status; for want of room, with the time after which to try again.
pub(super) fn refusal(status: u16) -> EndReason {
    EndReason::Refuse { status, retry_after_seconds: (status == 503).then_some(RETRY_AFTER_SECONDS) }
}
