//! INVITEs of others (RFC 3261 §8.2, §13.3): from the first message to the ACK of our answer, and CANCEL (§9.2).
//!
//! Whether and how to answer is the engine's decision; it comes by `ring`, `answer` and `end`.

use super::body;
use super::cause;
use super::dialog::Dialog;
use super::identity;
use super::leg::{Asked, AskedKind, Leg, LegState, Unacked};
use super::message::{Message, Method};
use super::stack::{EndReason, SipOutput, SipStack};
use super::timers::{T1, T1_TIMES_64, TimerName, next_interval};
use super::uri::Uri;
use super::wire::{ACCEPT, Answer};
use super::{EndCause, Flow, Invitation, SipEvent, Transport};
use crate::ids::LegId;
use crate::time::Now;

impl SipStack {
    /// 180 to an unanswered INVITE of a caller.
    pub fn ring(&mut self, now: Now, leg: LegId, out: &mut Vec<SipOutput>) {
        let Some(Leg { state: LegState::Invited, asked: Some(asked), local_tag, .. }) = self.legs.get(&leg) else {
            return;
        };
        let (server, request, tag) = (asked.server, asked.request.clone(), local_tag.clone());
        let answer = Answer { status: 180, to_tag: Some(&tag), in_dialog: true, ..Answer::default() };
        self.respond(now, server, &request, &answer, out);
    }

    /// 200 with this SDP (answer, or our offer where the INVITE had none). Retransmitted until the ACK.
    pub fn answer(&mut self, now: Now, leg: LegId, sdp: Vec<u8>, out: &mut Vec<SipOutput>) {
        if let Some(state @ Leg { state: LegState::Invited, .. }) = self.legs.get_mut(&leg) {
            state.state = LegState::Up;
            self.answer_asked(now, leg, &sdp, out);
        }
    }

    /// A new INVITE outside any dialog, checked as a request already.
    pub(super) fn invited(&mut self, now: Now, request: Message, uri: &Uri, flow: Flow, out: &mut Vec<SipOutput>) {
        if !self.may_call(now, &request, uri, flow, out) {
            return;
        }
        let id = self.new_leg();
        let server = self.transactions.serve(&request, flow, Some(id));
        self.respond(now, server, &request, &Answer { status: 100, ..Answer::default() }, out);
        let trunk = identity::trunk_of(&self.config.trunks, flow.remote.ip());
        let caller = identity::caller(&request, trunk);
        let trunk = trunk.map(|trunk| trunk.name.clone());
        let from_agent = self.registrar.sender(now, &request, &flow);
        let invitation = Invitation {
            leg: id,
            dialled: identity::dialled(uri),
            caller,
            from_agent,
            trunk,
            offer: body::description(&request).unwrap_or_default().to_vec(),
            sip_call_id: request.call_id().to_owned(),
            flow,
        };
        let local_tag = self.random.tag();
        let stranger = self.calls_more(&flow);
        let leg = Leg {
            call_id: request.call_id().to_owned(),
            local_tag: local_tag.clone(),
            state: LegState::Invited,
            dialog: Some(Dialog::of_request(&request, local_tag.clone(), flow)),
            asked: Some(Asked { kind: AskedKind::First, server, request: Box::new(request), flow }),
            unacked: None,
            is_proven: stranger.is_none() || flow.transport != Transport::Udp,
            stranger,
        };
        self.by_local_tag.insert(local_tag, id);
        self.legs.insert(id, leg);
        out.push(SipOutput::Event(SipEvent::Incoming(Box::new(invitation))));
    }

    /// The CANCEL gets its own answer; the INVITE gets 487 if it has had no final one (§9.2).
    pub(super) fn cancelled(&mut self, now: Now, cancel: &Message, flow: Flow, out: &mut Vec<SipOutput>) {
        let Some(invite) = self.transactions.server_of(cancel, Method::Invite) else {
            return self.no_such_dialog(now, cancel, flow, out);
        };
        // Some phones' branches can be guessed: only who sent the INVITE (the same hop, §9.1) or a trunk takes it back.
        let sender = self.transactions.server(invite).map(|server| server.flow.remote.ip());
        if sender != Some(flow.remote.ip()) && self.is_stranger(&flow) {
            return self.no_such_dialog(now, cancel, flow, out);
        }
        let leg = self.transactions.server(invite).and_then(|server| server.leg);
        let tag = leg.and_then(|leg| Some(self.legs.get(&leg)?.local_tag.clone())).unwrap_or_else(|| self.random.tag());
        let server = self.transactions.serve(cancel, flow, None);
        self.respond(now, server, cancel, &Answer { status: 200, to_tag: Some(&tag), ..Answer::default() }, out);
        let Some(leg) = leg else { return };
        let Some(state) = self.legs.get(&leg) else { return };
        if state.asked.as_ref().is_none_or(|asked| asked.server != invite) {
            return;
        }
        let is_first = matches!(state.state, LegState::Invited);
        self.refuse_asked(now, leg, 487, Vec::new(), out);
        if is_first {
            self.forget_leg(leg, out);
            let network = cause::network_failure(cancel).is_some();
            out.push(SipOutput::Event(SipEvent::Cancelled { leg, network }));
        }
    }

    /// An INVITE that nobody answered yet is refused as the engine wishes.
    pub(super) fn refuse_first(&mut self, now: Now, leg: LegId, reason: &EndReason, out: &mut Vec<SipOutput>) {
        let (status, retry) = cause::refusal(reason);
        let mut extra = Vec::new();
        extra.extend(retry.map(|seconds| ("Retry-After".to_owned(), seconds.to_string())));
        if matches!(reason, EndReason::Failure { .. }) {
            extra.push(("Reason".to_owned(), cause::header(reason)));
        }
        self.refuse_asked(now, leg, status, extra, out);
        self.forget_leg(leg, out);
        out.push(SipOutput::Event(SipEvent::Ended { leg, cause: EndCause::ByUs }));
    }

    /// 2xx to what the peer asked. That of an INVITE is kept until its ACK.
    pub(super) fn answer_asked(&mut self, now: Now, leg: LegId, sdp: &[u8], out: &mut Vec<SipOutput>) {
        let Some((asked, tag)) = self.take_asked(leg) else { return };
        let extra = vec![("Accept".to_owned(), ACCEPT.to_owned())];
        let answer = Answer { status: 200, to_tag: Some(&tag), in_dialog: true, extra, body: sdp };
        let bytes = self.respond(now, asked.server, &asked.request, &answer, out);
        if asked.kind == AskedKind::Update {
            return;
        }
        if let Some(state) = self.legs.get_mut(&leg) {
            state.unacked = Some(Unacked {
                cseq: asked.request.cseq(),
                flow: asked.flow,
                bytes,
                interval: T1,
                first: asked.kind == AskedKind::First,
                our_offer: body::description(&asked.request).is_none_or(<[u8]>::is_empty),
            });
            out.push(SipOutput::Set(TimerName::AnswerAgain.of(leg.0), now.time + T1));
            out.push(SipOutput::Set(TimerName::AnswerLost.of(leg.0), now.time + T1_TIMES_64));
        }
    }

    /// A refusal of what the peer asked.
    pub(super) fn refuse_asked(
        &mut self,
        now: Now,
        leg: LegId,
        status: u16,
        extra: Vec<(String, String)>,
        out: &mut Vec<SipOutput>,
    ) {
        if let Some((asked, tag)) = self.take_asked(leg) {
            let answer = Answer { status, to_tag: Some(&tag), extra, ..Answer::default() };
            self.respond(now, asked.server, &asked.request, &answer, out);
        }
    }

    fn take_asked(&mut self, leg: LegId) -> Option<(Asked, String)> {
        let leg = self.legs.get_mut(&leg)?;
        Some((leg.asked.take()?, leg.local_tag.clone()))
    }

    /// The ACK of our 200; a repeated one says nothing.
    pub(super) fn answer_acknowledged(
        &mut self,
        now: Now,
        id: LegId,
        cseq: u32,
        body: &[u8],
        out: &mut Vec<SipOutput>,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(unacked) = leg.unacked.take_if(|unacked| unacked.cseq == cseq) else { return };
        out.extend([TimerName::AnswerAgain, TimerName::AnswerLost].map(|name| SipOutput::Clear(name.of(id.0))));
        if let LegState::Closing(reason) = &leg.state {
            let reason = reason.clone();
            return self.send_bye(now, id, &reason, out);
        }
        let answer = if unacked.our_offer { body.to_vec() } else { Vec::new() };
        if unacked.first {
            out.push(SipOutput::Event(SipEvent::Acked { leg: id, answer }));
        } else if unacked.our_offer {
            out.push(SipOutput::Event(SipEvent::ChangeAcked { leg: id, answer }));
        }
    }

    /// Timer `AnswerAgain`.
    pub(super) fn answer_again(&mut self, now: Now, id: LegId, out: &mut Vec<SipOutput>) {
        let Some(unacked) = self.legs.get_mut(&id).and_then(|leg| leg.unacked.as_mut()) else { return };
        unacked.interval = next_interval(unacked.interval);
        let (flow, bytes, pause) = (unacked.flow, unacked.bytes.clone(), unacked.interval);
        out.push(SipOutput::Set(TimerName::AnswerAgain.of(id.0), now.time + pause));
        self.send(flow, bytes, out);
    }

    /// Timer `AnswerLost`: the dialog is there for the peer too, as far as we know, so it ends with a BYE (§13.3.1.4).
    pub(super) fn answer_lost(&mut self, now: Now, id: LegId, out: &mut Vec<SipOutput>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.unacked.take().is_none() {
            return;
        }
        out.push(SipOutput::Clear(TimerName::AnswerAgain.of(id.0)));
        let (reason, told) = match &leg.state {
            LegState::Closing(reason) => (reason.clone(), true),
            _ => (EndReason::Failure { cause: 102 }, false),
        };
        self.send_bye(now, id, &reason, out);
        if !told {
            out.push(SipOutput::Event(SipEvent::Ended { leg: id, cause: EndCause::Lost(408) }));
        }
    }
}
