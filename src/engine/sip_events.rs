//! What has happened on dialogs, told to the calls that they belong to.

use super::Engine;
use super::keys::KeyWay;
use super::legs::Role;
use super::timers::Timer;
use crate::call::event::Event;
use crate::engine::output::{Notice, Output, Question};
use crate::ids::{CallId, LegId};
use crate::key::{HELD, Key};
use crate::media::command::MediaCommand;
use crate::queue::Miss;
use crate::sip::stack::{EndReason, SipOutput};
use crate::sip::{EndCause, SipEvent};
use std::time::Duration;

/// Of a key whose INFO names no length.
const INFO_KEY_LENGTH: Duration = Duration::from_millis(160);

impl Engine {
    pub(super) fn sip_output(&mut self, output: SipOutput) {
        match output {
            SipOutput::Send(datagram) => self.out.push(Output::Sip(datagram)),
            SipOutput::Set(timer, at) => self.timers.set(Timer::Sip(timer), at),
            SipOutput::Clear(timer) => self.timers.clear(&Timer::Sip(timer)),
            SipOutput::Event(event) => self.sip_event(event),
        }
    }

    fn sip_event(&mut self, event: SipEvent) {
        match event {
            SipEvent::Incoming(invitation) => self.incoming(*invitation),
            SipEvent::Cancelled { leg, network } => {
                if let Some(entry) = self.caller_of(leg).and_then(|call| self.calls.get_mut(&call)) {
                    entry.status = Some(487);
                }
                self.dialog_over(leg);
                match self.caller_of(leg) {
                    Some(call) => self.tell(call, Event::CallerLeft { network }),
                    None => self.end_leg(leg, EndReason::Normal),
                }
            }
            SipEvent::Acked { leg, answer } => self.acked(leg, &answer),
            // Early media of an agent's phone is not heard by the caller: the hold music is.
            SipEvent::Ringing { .. } => {}
            SipEvent::Answered { leg, answer } if self.is_party(leg) => self.party_answers(leg, &answer),
            SipEvent::Answered { leg, answer } => self.agent_answers(leg, &answer),
            SipEvent::Rejected { leg, status, .. } => {
                self.dialog_over(leg);
                if self.is_party(leg) { self.party_refuses(leg) } else { self.agent_refuses(leg, status) }
            }
            SipEvent::Changed { leg, offer } => self.changed(leg, &offer),
            SipEvent::ChangeAcked { leg, answer } => self.settle(leg, &answer),
            SipEvent::InfoKey { leg, key, duration_ms } => self.info_key(leg, key, duration_ms),
            SipEvent::Ended { leg, cause } => self.dialog_ended(leg, &cause),
            SipEvent::GuessesRefused { source } => {
                self.counters.refused("wrong_passwords");
                self.out.push(Output::Notice(Notice::GuessesRefused(source)));
            }
            SipEvent::Offence { source, offence } => {
                self.out.push(Output::Notice(Notice::Offence { source, offence }));
            }
            SipEvent::Bindings { agent, bindings } => {
                let registered = !bindings.is_empty();
                if registered != self.queues.is_registered(&agent) {
                    let notice = if registered { Notice::LoggedIn } else { Notice::LoggedOut };
                    self.out.push(Output::Notice(notice(agent.clone())));
                }
                self.ask(None, Question::Bindings(agent.clone(), bindings), super::asks::STORE_DEADLINE);
                self.with_queues(|queues, now, out| queues.registered(now, &agent, registered, out));
            }
        }
    }

    pub(super) fn caller_of(&self, leg: LegId) -> Option<CallId> {
        match self.legs.get(&leg)?.role {
            Role::Caller(call) => Some(call),
            _ => None,
        }
    }

    fn dialog_over(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.sip_over = true;
        }
        self.forget_leg(id);
    }

    fn acked(&mut self, leg: LegId, answer: &[u8]) {
        self.confine(leg);
        if !answer.is_empty() {
            self.settle(leg, answer);
            let settled = self.legs.get(&leg).filter(|leg| leg.format.is_some() && !leg.closing);
            if let Some(Role::Feature { away }) = settled.map(|leg| leg.role.clone()) {
                self.confirm_feature(leg, away);
            }
        } else if self.legs.get(&leg).is_some_and(|leg| leg.format.is_none()) {
            // Our offer was never answered: there is nothing to send to.
            return self.unusable(leg);
        }
        if let Some(call) = self.caller_of(leg) {
            self.tell(call, Event::Hears);
        }
    }

    /// The answer to an offer of ours has come.
    fn settle(&mut self, id: LegId, answer: &[u8]) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match leg.settle(answer) {
            Ok(Some(format)) => {
                self.start_media(id, format);
                self.hold_follows(id);
            }
            Ok(None) => {}
            Err(_) => self.unusable(id),
        }
    }

    /// An answer that cannot be used ends the leg: there is no media to be had.
    fn unusable(&mut self, leg: LegId) {
        self.counters.refused("not_acceptable");
        match (self.caller_of(leg), self.call_with_agent(leg)) {
            (Some(call), _) => self.tell(call, Event::CallerLeft { network: true }),
            // The caller is not left alone with her silence.
            (None, Some(call)) => self.tell(call, Event::AgentLeft { lost: true }),
            (None, None) => self.end_leg(leg, EndReason::Failure { cause: 88 }),
        }
    }

    /// The caller holds: the ticket is passed over, not lost. The agent holds: the caller hears music.
    fn hold_follows(&mut self, leg: LegId) {
        let held = self.legs.get(&leg).is_some_and(super::legs::Leg::is_held);
        if let Some(call) = self.call_with_agent(leg) {
            self.tell(call, Event::AgentHeld(held));
        }
        if let Some(call) = self.caller_of(leg) {
            self.with_queues(|queues, now, out| queues.hold(now, call, held, out));
            self.tell(call, Event::Held(held));
        }
    }

    /// A re-INVITE or UPDATE: hold, resume, another address.
    fn changed(&mut self, id: LegId, offer: &[u8]) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(&id) else {
            return self.with_sip(|sip, out| sip.refuse_change(now, id, 481, out));
        };
        if offer.is_empty() {
            let ours = leg.offer_again().unwrap_or_default();
            return self.with_sip(|sip, out| sip.accept_change(now, id, ours, out));
        }
        match leg.answer(offer) {
            Ok((answer, format)) => {
                self.with_sip(|sip, out| sip.accept_change(now, id, answer, out));
                self.start_media(id, format);
                self.hold_follows(id);
            }
            Err(refused) => self.with_sip(|sip, out| sip.refuse_change(now, id, refused.status, out)),
        }
    }

    /// INFO goes to us alone: in a conversation the other side hears the key only if we press it.
    fn info_key(&mut self, id: LegId, key: Key, duration_ms: Option<u32>) {
        if !self.key(id, key, KeyWay::Info) {
            return;
        }
        let length = duration_ms.map_or(INFO_KEY_LENGTH, |millis| Duration::from_millis(millis.into()));
        if let Some(call) = self.caller_of(id).filter(|_| length >= HELD) {
            self.tell(call, Event::KeyHeld(key));
        }
        if let Some(leg) = self.other_side(id) {
            self.media(leg, MediaCommand::SendKey { leg, key, length });
        }
    }

    /// The leg that hears what this one says.
    fn other_side(&self, id: LegId) -> Option<LegId> {
        match self.caller_of(id) {
            Some(call) => self.calls.get(&call)?.agent_leg,
            None => self.calls.get(&self.call_with_agent(id)?).map(|entry| entry.leg),
        }
    }

    /// A key of the caller, told once however many ways it came.
    /// `false`: it was known already.
    pub(super) fn key(&mut self, id: LegId, key: Key, way: KeyWay) -> bool {
        let now = self.now.time;
        let Some(leg) = self.legs.get_mut(&id) else { return false };
        if !leg.keys.takes(now, key, way) {
            return false;
        }
        if let Role::Caller(call) = leg.role {
            self.counters.key(key);
            self.tell(call, Event::Key(key));
        }
        true
    }

    fn dialog_ended(&mut self, leg: LegId, cause: &EndCause) {
        let Some(role) = self.legs.get(&leg).map(|leg| leg.role.clone()) else { return };
        let with_agent = self.call_with_agent(leg);
        self.dialog_over(leg);
        let lost = !matches!(cause, EndCause::Hangup | EndCause::ByUs);
        match role {
            Role::Caller(call) if *cause != EndCause::ByUs => self.tell(call, Event::CallerLeft { network: lost }),
            Role::Caller(_) => {}
            Role::Agent { call, agent, .. } if *cause != EndCause::ByUs => match with_agent {
                Some(call) => self.tell(call, Event::AgentLeft { lost }),
                // Her phone gave up before it answered.
                None => {
                    self.end_leg(leg, EndReason::Normal);
                    self.if_no_phone_rings(call, &agent, Miss::Unreachable);
                }
            },
            Role::Agent { .. } => {}
            Role::Party { call, .. } if *cause != EndCause::ByUs => match with_agent {
                Some(call) => self.tell(call, Event::AgentLeft { lost }),
                None => {
                    self.end_leg(leg, EndReason::Normal);
                    self.tell(call, Event::PartyRefuses);
                }
            },
            Role::Party { .. } => {}
            Role::Feature { .. } => self.end_leg(leg, EndReason::Normal),
        }
    }

    /// Her phone has answered; the first of several wins.
    fn agent_answers(&mut self, id: LegId, answer: &[u8]) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Role::Agent { call, agent, answered, .. } = &mut leg.role else { return };
        let (call, agent) = (*call, agent.clone());
        *answered = true;
        let Ok(Some(format)) = leg.settle(answer) else {
            self.end_leg(id, EndReason::Failure { cause: 88 });
            return self.if_no_phone_rings(call, &agent, Miss::Unreachable);
        };
        let mut taken = false;
        self.with_queues(|queues, now, out| taken = queues.answered(now, call, &agent, out));
        if !taken {
            return self.end_leg(id, EndReason::AnsweredElsewhere);
        }
        self.stop_phones(call, &agent, Some(id), EndReason::AnsweredElsewhere);
        self.start_media(id, format);
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.agent_leg = Some(id);
        }
        self.tell(call, Event::AgentAnswers { agent, leg: id });
    }

    fn agent_refuses(&mut self, id: LegId, status: u16) {
        let Some(Role::Agent { call, agent, .. }) = self.legs.get(&id).map(|leg| leg.role.clone()) else { return };
        self.end_leg(id, EndReason::Normal);
        let miss = match status {
            480 | 486 | 600 | 603 => Miss::Rejected,
            _ => Miss::Unreachable,
        };
        self.if_no_phone_rings(call, &agent, miss);
    }

    /// An agent with several phones has missed the call only when the last of them has.
    pub(super) fn if_no_phone_rings(&mut self, call: CallId, agent: &crate::ids::AgentId, miss: Miss) {
        if self.phones_ringing(call, agent).is_empty() {
            self.with_queues(|queues, now, out| queues.missed(now, call, agent, miss, out));
        }
    }
}
