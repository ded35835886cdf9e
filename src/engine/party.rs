//! Parties that a dialplan dials: rung at the address that stands there, or through a trunk; joined, let go.
//!
//! No more is dialled than the dialplan names (DESIGN §5). Early media is not played: the caller hears music.

use super::Engine;
use super::legs::{Destination, Leg, Role};
use crate::call::event::Event;
use crate::ids::{CallId, LegId};
use crate::media::command::MediaCommand;
use crate::sip::stack::{Callee, EndReason, OutgoingInvite};
use crate::sip::{Flow, Transport};
use crate::step::dial::{Party, address_of};
use std::net::SocketAddr;

impl Engine {
    /// A port first, so that the offer can name it.
    pub(super) fn dial(&mut self, call: CallId, party: &Party) {
        let Some(entry) = self.calls.get(&call) else { return };
        let (worker, from) = (entry.worker, entry.invitation.flow);
        let Some((uri, remote)) = self.destination(party) else {
            self.counters.refused("no_trunk");
            return self.tell(call, Event::PartyRefuses);
        };
        let flow = Flow { transport: Transport::Udp, local: from.local, remote, connection: None };
        let id = self.sip.new_leg();
        let address = self.media_address(flow.local.ip());
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.legs_open += 1;
        }
        let role = Role::Party { call, to: Some(Box::new(Destination { uri, flow })) };
        // The dialplan names the party: where it wants its media is its own affair.
        self.open_leg(id, Leg::new(role, worker, address, None));
    }

    fn destination(&self, party: &Party) -> Option<(String, SocketAddr)> {
        match party {
            Party::Sip(uri) => Some((uri.clone(), address_of(uri)?)),
            Party::Number { number, trunk } => {
                let trunks = &self.config.sip.trunks;
                let wanted = |name: &str| trunk.as_deref().is_none_or(|wanted| wanted == name);
                let remote = trunks.iter().filter(|trunk| wanted(&trunk.name)).find_map(|trunk| trunk.dial)?;
                Some((format!("sip:{number}@{remote}"), remote))
            }
        }
    }

    pub(super) fn invite_party(&mut self, call: CallId, id: LegId) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| !leg.closing) else { return };
        let offer = leg.offer().unwrap_or_default();
        let Role::Party { to, .. } = &mut leg.role else { return };
        let Some(to) = to.take() else { return };
        let Some(entry) = self.calls.get(&call) else { return };
        let identity = &entry.invitation.caller;
        let invite = OutgoingInvite {
            to: Callee::Party(to.uri.clone()),
            uri: to.uri,
            flow: to.flow,
            from_number: identity.number.clone(),
            from_name: identity.display_name.clone(),
            offer,
            headers: vec![("X-Onekey-Call".into(), call.to_string())],
        };
        self.with_sip(|sip, out| sip.invite(now, id, invite, out));
    }

    pub(super) fn is_party(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|leg| matches!(leg.role, Role::Party { .. }))
    }

    pub(super) fn party_answers(&mut self, id: LegId, answer: &[u8]) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(call) = leg.call() else { return };
        let Ok(Some(format)) = leg.settle(answer) else {
            self.end_leg(id, EndReason::Failure { cause: 88 });
            return self.tell(call, Event::PartyRefuses);
        };
        self.start_media(id, format);
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.agent_leg = Some(id);
        }
        self.tell(call, Event::PartyAnswers { leg: id });
    }

    pub(super) fn party_refuses(&mut self, id: LegId) {
        let call = self.legs.get(&id).and_then(Leg::call);
        self.end_leg(id, EndReason::Normal);
        if let Some(call) = call {
            self.tell(call, Event::PartyRefuses);
        }
    }

    /// The party's leg ends, whether it rings or talks.
    pub(super) fn drop_party(&mut self, call: CallId, caller: LegId) {
        let of_call = |leg: &Leg| matches!(leg.role, Role::Party { call: of, .. } if of == call) && !leg.closing;
        let parties: Vec<LegId> = self.legs.iter().filter(|(_, leg)| of_call(leg)).map(|(id, _)| *id).collect();
        for id in parties {
            let talks =
                self.calls.get_mut(&call).is_some_and(|entry| entry.agent_leg.take_if(|leg| *leg == id).is_some());
            if talks {
                self.media(caller, MediaCommand::Unbridge { a: caller, b: id });
            }
            self.end_leg(id, EndReason::Normal);
        }
    }
}
