//! What the media plane has told, given to the calls that it concerns.

use super::Engine;
use super::incoming::refusal;
use super::keys::KeyWay;
use super::legs::Role;
use crate::call::event::Event;
use crate::codec::{Codec, StreamCounts};
use crate::ids::{CallId, LegId};
use crate::media::command::MediaEvent;
use crate::queue::Miss;
use crate::sip::stack::EndReason;

impl Engine {
    pub(super) fn media_event(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::Opened { leg, port } => self.opened(leg, port),
            MediaEvent::Refused { leg, .. } => self.no_port(leg),
            MediaEvent::FirstPacket { leg } => self.first_packet(leg),
            MediaEvent::Key { leg, key } => {
                self.key(leg, key, KeyWay::Rtp);
            }
            MediaEvent::KeyHeld { leg, key } => self.tell_caller(leg, Event::KeyHeld(key)),
            MediaEvent::KeyEnded { leg, key, .. } => {
                let now = self.now.time;
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.keys.released(now, key);
                }
            }
            MediaEvent::OfferHeard { leg, play } => self.tell_caller(leg, Event::OfferHeard(play)),
            MediaEvent::PlayDone { leg, play } => match self.legs.get(&leg).map(|leg| leg.role.clone()) {
                Some(Role::Feature { .. }) => self.end_leg(leg, EndReason::Normal),
                _ => self.tell_caller(leg, Event::Spoken(play)),
            },
            MediaEvent::Silent { leg, .. } => self.silent(leg),
            MediaEvent::Recorded { leg, file, length } => {
                let file = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                self.recording_over(leg, Event::Recorded { file, length });
            }
            MediaEvent::RecordFailed { leg, .. } => self.recording_over(leg, Event::RecordFailed),
            MediaEvent::Closed { leg, counts } => self.closed(leg, counts),
        }
    }

    fn tell_caller(&mut self, leg: LegId, event: Event) {
        if let Some(call) = self.caller_of(leg) {
            self.tell(call, event);
        }
    }

    fn opened(&mut self, id: LegId, port: u16) {
        let first = self.codec_of_caller(id);
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| !leg.closing) else { return };
        leg.opened(id, port, first);
        match leg.role.clone() {
            Role::Caller(call) => self.tell(call, Event::Ready),
            Role::Agent { call, agent, .. } => self.invite_agent(call, agent, id),
            Role::Party { call, .. } => self.invite_party(call, id),
            Role::Feature { away } => self.answer_feature(id, away),
        }
    }

    /// An agent's phone is offered the caller's codec first, so that nothing need be converted.
    fn codec_of_caller(&self, leg: LegId) -> Codec {
        let call = self.legs.get(&leg).and_then(super::legs::Leg::call);
        let caller = call.and_then(|call| self.calls.get(&call)).and_then(|entry| self.legs.get(&entry.leg));
        caller.and_then(|leg| leg.format).map_or(Codec::Pcmu, |format| format.codec)
    }

    fn no_port(&mut self, id: LegId) {
        self.counters.refused("no_port");
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.media_over = true;
        leg.closing = true;
        let role = leg.role.clone();
        if let Some(entry) = leg.call().and_then(|call| self.calls.get_mut(&call)) {
            entry.legs_open = entry.legs_open.saturating_sub(1);
        }
        match role {
            Role::Caller(call) => {
                if let Some(entry) = self.calls.get_mut(&call) {
                    entry.refusal = Some(503);
                }
                self.tell(call, Event::HangUp);
                // The dialog may be over already: a CANCEL crossed the refusal.
                self.forget_leg(id);
            }
            Role::Agent { call, agent, .. } => {
                self.end_leg(id, EndReason::Normal);
                self.if_no_phone_rings(call, &agent, Miss::NoPort);
                self.settle_call(call);
            }
            Role::Party { call, .. } => {
                self.end_leg(id, EndReason::Normal);
                self.tell(call, Event::PartyRefuses);
                self.settle_call(call);
            }
            Role::Feature { .. } => self.end_leg(id, refusal(503)),
        }
    }

    fn first_packet(&mut self, id: LegId) {
        if let Some(call) = self.caller_of(id) {
            self.tell(call, Event::Hears);
        } else if let Some(call) = self.call_with_agent(id) {
            self.tell(call, Event::AgentHeard);
        }
    }

    /// The call whose agent speaks on this leg now. What is still heard of a leg that was let go concerns nobody.
    pub(super) fn call_with_agent(&self, id: LegId) -> Option<CallId> {
        let call = self.legs.get(&id)?.call()?;
        (self.calls.get(&call)?.agent_leg == Some(id)).then_some(call)
    }

    /// Nothing has come for too long: the peer is gone, by no wish of its own.
    fn silent(&mut self, id: LegId) {
        if let Some(call) = self.caller_of(id) {
            self.tell(call, Event::CallerLeft { network: true });
        } else if let Some(call) = self.call_with_agent(id) {
            self.tell(call, Event::AgentLeft { lost: true });
        }
    }

    fn recording_over(&mut self, leg: LegId, event: Event) {
        let Some(call) = self.call_recording_on(leg) else { return };
        if let Some(entry) = self.calls.get_mut(&call) {
            // A failure is told once for all that this leg records.
            let failed = event == Event::RecordFailed;
            entry.recordings_open = if failed { 0 } else { entry.recordings_open.saturating_sub(1) };
        }
        self.tell(call, event);
        self.work_off();
        self.settle_call(call);
    }

    /// The recorded leg is the caller's; it may be closed already when its file is whole.
    fn call_recording_on(&self, leg: LegId) -> Option<CallId> {
        self.caller_of(leg).or_else(|| {
            self.calls.iter().find(|(_, entry)| entry.leg == leg && entry.recordings_open > 0).map(|(call, _)| *call)
        })
    }

    fn closed(&mut self, id: LegId, counts: StreamCounts) {
        self.counters.stream(&counts);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let first_time = !std::mem::replace(&mut leg.media_over, true);
        let role = leg.role.clone();
        self.forget_leg(id);
        let call = match role {
            Role::Caller(call) | Role::Agent { call, .. } | Role::Party { call, .. } => call,
            Role::Feature { .. } => return,
        };
        if let Some(entry) = self.calls.get_mut(&call) {
            match role {
                Role::Caller(_) => entry.caller_media = counts,
                _ if entry.agent_leg == Some(id) || counts.packets_received > 0 => entry.agent_media = counts,
                _ => {}
            }
            if first_time {
                entry.legs_open = entry.legs_open.saturating_sub(1);
            }
        }
        self.settle_call(call);
    }
}
