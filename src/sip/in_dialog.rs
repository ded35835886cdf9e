//! Requests inside a dialog (RFC 3261 §12.2.2, §14.2; UPDATE RFC 3311; INFO RFC 6086): what they ask, who answers, and in which order.
//!
//! BYE is in `ending`, the sending and repeating of answers in `incoming`; whether SDP is acceptable is the engine's affair.

use super::body;
use super::core_requests::{accept, capabilities};
use super::dialog::Order;
use super::key_body::{self, KeyBody};
use super::leg::{Asked, AskedKind, LegState};
use super::message::{Message, Method};
use super::stack::{SipOutput, SipStack};
use super::wire::Answer;
use super::{Flow, SipEvent};
use crate::ids::LegId;
use crate::key::Key;
use crate::time::Now;

impl SipStack {
    /// A re-INVITE or UPDATE of the peer is accepted with this SDP: an answer, or our offer where it had none.
    pub fn accept_change(&mut self, now: Now, leg: LegId, sdp: Vec<u8>, out: &mut Vec<SipOutput>) {
        if self.is_changing(leg) {
            self.answer_asked(now, leg, &sdp, out);
        }
    }

    /// It is refused; the dialog goes on as it was (RFC 3261 §14.2).
    pub fn refuse_change(&mut self, now: Now, leg: LegId, status: u16, out: &mut Vec<SipOutput>) {
        if self.is_changing(leg) {
            self.refuse_asked(now, leg, status.clamp(300, 699), Vec::new(), out);
        }
    }

    fn is_changing(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|leg| matches!(leg.state, LegState::Up) && leg.asked.is_some())
    }

    /// A request whose To has a tag.
    pub(super) fn in_dialog(&mut self, now: Now, request: Message, flow: Flow, out: &mut Vec<SipOutput>) {
        let Some(id) = self.leg_of(&request) else { return self.no_such_dialog(now, &request, flow, out) };
        self.prove(id, &request);
        if *request.method() == Method::Bye {
            return self.peer_ended(now, id, &request, flow, out);
        }
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if matches!(leg.state, LegState::Closing(_) | LegState::Gone) {
            return self.reply(&request, flow, 481, Vec::new(), out);
        }
        if leg.dialog.as_mut().is_some_and(|dialog| dialog.order(request.cseq()) == Order::Late) {
            self.reply_once(now, &request, flow, 500, Vec::new(), out);
            return late_human_key(id, &request, out);
        }
        match request.method() {
            Method::Invite => self.asked(now, id, AskedKind::Again, request, flow, out),
            Method::Update => self.asked(now, id, AskedKind::Update, request, flow, out),
            Method::Info => self.informed(now, id, &request, flow, out),
            _ => self.reply_once(now, &request, flow, 200, capabilities(), out),
        }
    }

    /// A re-INVITE or UPDATE: the engine's to answer unless an earlier one is not done with.
    fn asked(&mut self, now: Now, id: LegId, kind: AskedKind, request: Message, flow: Flow, out: &mut Vec<SipOutput>) {
        self.implied_ack(now, id, kind, out);
        let offer = body::description(&request).map(<[u8]>::to_vec);
        let has_offer = kind == AskedKind::Again || offer.as_ref().is_none_or(|offer| !offer.is_empty());
        if let Some((status, extra)) = self.in_the_way(id).filter(|_| has_offer) {
            return self.reply_once(now, &request, flow, status, extra, out);
        }
        let Some(offer) = offer else {
            return self.reply_once(now, &request, flow, 415, vec![accept()], out);
        };
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if let Some(dialog) = &mut leg.dialog {
            dialog.refresh(&request, flow);
        }
        let tag = leg.local_tag.clone();
        let server = self.transactions.serve(&request, flow, Some(id));
        if kind == AskedKind::Update && offer.is_empty() {
            // Only a refresh of the target or of a session timer.
            let answer = Answer { status: 200, to_tag: Some(&tag), in_dialog: true, ..Answer::default() };
            self.respond(now, server, &request, &answer, out);
            return;
        }
        if kind == AskedKind::Again {
            self.respond(now, server, &request, &Answer { status: 100, ..Answer::default() }, out);
        }
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.asked = Some(Asked { kind, server, request: Box::new(request), flow });
            out.push(SipOutput::Event(SipEvent::Changed { leg: id, offer }));
        }
    }

    /// A re-INVITE says that our 200 has arrived: nobody may send it before that (§14.1). Its ACK is late or lost, and unless it
    /// was to bring an answer there is nothing to wait for.
    fn implied_ack(&mut self, now: Now, id: LegId, kind: AskedKind, out: &mut Vec<SipOutput>) {
        let unacked = self.legs.get(&id).and_then(|leg| leg.unacked.as_ref());
        if let Some(unacked) = unacked.filter(|unacked| kind == AskedKind::Again && !unacked.our_offer) {
            let cseq = unacked.cseq;
            self.answer_acknowledged(now, id, cseq, b"", out);
        }
    }

    /// Status and headers with which a change is put off: 491 while an offer of ours is open, 500 with a Retry-After while
    /// one of the peer's is (RFC 3261 §14.2, RFC 3311 §5.2).
    fn in_the_way(&mut self, id: LegId) -> Option<(u16, Vec<(String, String)>)> {
        let leg = self.legs.get(&id)?;
        let our_offer = leg.unacked.as_ref().is_some_and(|unacked| unacked.our_offer);
        if our_offer || matches!(leg.state, LegState::Calling(_)) {
            return Some((491, Vec::new()));
        }
        let theirs = leg.asked.is_some() || leg.unacked.is_some();
        theirs.then(|| (500, vec![("Retry-After".to_owned(), self.random.retry_seconds().to_string())]))
    }

    fn informed(&mut self, now: Now, leg: LegId, info: &Message, flow: Flow, out: &mut Vec<SipOutput>) {
        match key_body::read(info.content_type(), info.body()) {
            KeyBody::Key(key, duration_ms) => {
                self.reply_once(now, info, flow, 200, Vec::new(), out);
                out.push(SipOutput::Event(SipEvent::InfoKey { leg, key, duration_ms }));
            }
            KeyBody::Empty => self.reply_once(now, info, flow, 200, Vec::new(), out),
            KeyBody::Unreadable => self.reply_once(now, info, flow, 400, Vec::new(), out),
            KeyBody::Unknown => self.reply_once(now, info, flow, 415, vec![accept()], out),
        }
    }
}

/// A request that others have overtaken is refused (§12.2.2), but the human key in it has been pressed all the same: whoever
/// wants a person is not to lose that wish to a network that loses one packet and carries the next.
fn late_human_key(leg: LegId, request: &Message, out: &mut Vec<SipOutput>) {
    if *request.method() != Method::Info {
        return;
    }
    if let KeyBody::Key(Key::HUMAN, duration_ms) = key_body::read(request.content_type(), request.body()) {
        out.push(SipOutput::Event(SipEvent::InfoKey { leg, key: Key::HUMAN, duration_ms }));
    }
}
