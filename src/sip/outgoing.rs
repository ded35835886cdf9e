//! INVITEs of ours (RFC 3261 §8.1, §13.2): ringing, the ACK of every 2xx, CANCEL and the answers that cross it (§9.1).
//!
//! How long a phone may ring is the engine's affair. The place of 100rel (RFC 3262) is `provisional`.

use super::body;
use super::cause;
use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::dialog::Dialog;
use super::leg::{Calling, FORKS_MAX, Leg, LegState};
use super::message::{Message, Method, StartLine};
use super::stack::{Callee, EndReason, OutgoingInvite, SipOutput, SipStack};
use super::timers::{T1_TIMES_64, TimerName};
use super::transaction::{ClientMachine, TransactionId};
use super::uri::escape_user;
use super::wire::{Ack, Addressing, Request, SentInvite, tagged};
use super::{EndCause, SipEvent, Transport};
use crate::ids::LegId;
use crate::time::Now;
use std::collections::{BTreeMap, BTreeSet};

impl SipStack {
    /// Calls a phone. Above 1300 bytes over UDP it is sent all the same: the phone registered by UDP and has no other path
    /// (RFC 3261 §18.1.1 would change to TCP).
    pub fn invite(&mut self, now: Now, leg: LegId, invite: OutgoingInvite, out: &mut Vec<SipOutput>) {
        if self.legs.contains_key(&leg) {
            return;
        }
        let sent = self.sent_invite(&invite);
        let mut extra = invite.headers;
        if invite.from_number.is_none() {
            extra.push(("Privacy".to_owned(), "id".to_owned()));
        }
        let bytes = self.wire.request(&Request {
            method: Method::Invite,
            addressing: Addressing { uri: sent.uri.clone(), routes: Vec::new() },
            branch: &sent.branch,
            flow: invite.flow,
            from: tagged(&sent.from, &sent.from_tag),
            to: format!("<{}>", sent.to_uri),
            call_id: &sent.call_id,
            cseq: sent.cseq,
            extra,
            body: &invite.offer,
        });
        let mut effects = Vec::new();
        let machine = ClientInvite::start(bytes, invite.flow.transport != Transport::Udp, &mut effects);
        let (branch, call_id, local_tag) = (sent.branch.clone(), sent.call_id.clone(), sent.from_tag.clone());
        let machine = ClientMachine::Invite(machine, Box::new(sent));
        let client = self.transactions.send(&branch, Method::Invite, invite.flow, Some(leg), machine);
        self.by_local_tag.insert(local_tag.clone(), leg);
        let calling = Calling { client, heard: false, early: BTreeSet::new(), ending: None, told: false };
        let state = LegState::Calling(calling);
        let leg_of_ours = Leg {
            call_id,
            local_tag,
            state,
            dialog: None,
            asked: None,
            unacked: None,
            stranger: None,
            is_proven: true,
        };
        self.legs.insert(leg, leg_of_ours);
        self.apply(now, client, effects, out);
    }

    fn sent_invite(&mut self, invite: &OutgoingInvite) -> SentInvite {
        let realm = &self.config.realm;
        let (from_uri, name) = match &invite.from_number {
            Some(number) => (format!("sip:{}@{realm}", escape_user(number)), invite.from_name.as_deref()),
            None => ("sip:anonymous@anonymous.invalid".to_owned(), Some("Anonymous")),
        };
        let name = name.map(quoted).unwrap_or_default();
        SentInvite {
            uri: invite.uri.clone(),
            branch: self.random.branch(),
            from: format!("{name}<{from_uri}>"),
            from_uri,
            from_tag: self.random.tag(),
            to_uri: match &invite.to {
                Callee::Agent(agent) => format!("sip:{}@{realm}", escape_user(agent.as_str())),
                Callee::Party(uri) => uri.clone(),
            },
            call_id: self.random.call_id(),
            cseq: 1,
            acks: BTreeMap::new(),
        }
    }

    /// A response to our INVITE that its transaction passes on. The leg may be gone: a 2xx is acknowledged even then.
    pub(super) fn invite_answered(
        &mut self,
        now: Now,
        client: TransactionId,
        leg: LegId,
        response: &Message,
        out: &mut Vec<SipOutput>,
    ) {
        match response.status().unwrap_or(0) {
            0..200 => self.provisional(now, leg, response, out),
            200..300 => self.accepted(now, client, leg, response, out),
            _ => self.refused(leg, response, out),
        }
    }

    fn provisional(&mut self, now: Now, id: LegId, response: &Message, out: &mut Vec<SipOutput>) {
        let Some(Leg { state: LegState::Calling(calling), .. }) = self.legs.get_mut(&id) else { return };
        let first = !std::mem::replace(&mut calling.heard, true);
        if let Some(tag) = response.to_tag()
            && calling.early.len() < FORKS_MAX
        {
            calling.early.insert(tag.to_owned());
        }
        match (&calling.ending, response.status()) {
            (Some(reason), _) if first => {
                let (client, reason) = (calling.client, reason.clone());
                self.send_cancel(now, id, client, &reason, out);
            }
            (None, Some(status)) if status > 100 => {
                out.push(SipOutput::Event(SipEvent::Ringing {
                    leg: id,
                    status,
                    answer: body::description(response).unwrap_or_default().to_vec(),
                }));
            }
            _ => {}
        }
    }

    /// 2xx: the first makes the dialog; one with another To tag is another phone's, which is thanked and hung up (§13.2.2.4).
    fn accepted(&mut self, now: Now, client: TransactionId, id: LegId, response: &Message, out: &mut Vec<SipOutput>) {
        let Some(transaction) = self.transactions.client(client) else { return };
        let flow = transaction.flow;
        let ClientMachine::Invite(_, sent) = &mut transaction.machine else { return };
        let tag = response.to_tag().unwrap_or("");
        if let Some(ack) = sent.acks.get(tag) {
            let ack = ack.clone();
            return self.send(ack.flow, ack.bytes, out);
        }
        if sent.acks.len() >= FORKS_MAX {
            return self.drop_message();
        }
        let mut dialog = Dialog::of_response(sent, response, flow);
        let ack = self.wire.request(&Request {
            method: Method::Ack,
            addressing: dialog.addressing(),
            branch: &self.random.branch(),
            flow,
            from: tagged(&format!("<{}>", dialog.local), &dialog.local_tag),
            to: tagged(&format!("<{}>", dialog.remote), &dialog.remote_tag),
            call_id: &dialog.call_id,
            cseq: sent.cseq,
            extra: Vec::new(),
            body: b"",
        });
        sent.acks.insert(tag.to_owned(), Ack { flow, bytes: ack.clone() });
        self.send(flow, ack, out);
        let Some(leg) = self.legs.get_mut(&id) else {
            return self.bye(now, &mut dialog, None, &EndReason::AnsweredElsewhere, out);
        };
        let LegState::Calling(calling) = &leg.state else {
            return self.bye(now, &mut dialog, None, &EndReason::AnsweredElsewhere, out);
        };
        let (ending, told) = (calling.ending.clone(), calling.told);
        leg.dialog = Some(dialog);
        leg.state = LegState::Up;
        let Some(reason) = ending else {
            let answer = body::description(response).unwrap_or_default().to_vec();
            return out.push(SipOutput::Event(SipEvent::Answered { leg: id, answer }));
        };
        // It crossed our CANCEL.
        out.push(SipOutput::Clear(TimerName::CancelLost.of(id.0)));
        self.send_bye(now, id, &reason, out);
        if !told {
            out.push(SipOutput::Event(SipEvent::Ended { leg: id, cause: EndCause::ByUs }));
        }
    }

    fn refused(&mut self, leg: LegId, response: &Message, out: &mut Vec<SipOutput>) {
        let StartLine::Response { status, reason } = response.start() else { return };
        self.reject(leg, status, reason, out);
    }

    /// Timer B: nothing came at all.
    pub(super) fn invite_lost(&mut self, leg: LegId, out: &mut Vec<SipOutput>) {
        self.reject(leg, 408, "no answer", out);
    }

    /// Timer `CancelLost`: the phone rang, but neither it nor our CANCEL was heard of again.
    pub(super) fn cancel_lost(&mut self, now: Now, leg: LegId, out: &mut Vec<SipOutput>) {
        let Some(Leg { state: LegState::Calling(calling), .. }) = self.legs.get(&leg) else { return };
        let client = calling.client;
        self.reject(leg, 408, "no answer to CANCEL", out);
        if let Some(ClientMachine::Invite(machine, _)) = self.transactions.client(client).map(|one| &mut one.machine) {
            let mut effects = Vec::new();
            machine.give_up(&mut effects);
            self.apply(now, client, effects, out);
        }
    }

    fn reject(&mut self, id: LegId, status: u16, reason: &str, out: &mut Vec<SipOutput>) {
        let Some(Leg { state: LegState::Calling(calling), .. }) = self.legs.get(&id) else { return };
        let told = calling.told;
        self.forget_leg(id, out);
        if !told {
            out.push(SipOutput::Event(SipEvent::Rejected { leg: id, status, reason: reason.to_owned() }));
        }
    }

    /// The engine wants our unanswered INVITE ended: at once if a provisional has come, else with the first (§9.1).
    pub(super) fn cancel(&mut self, now: Now, id: LegId, reason: &EndReason, out: &mut Vec<SipOutput>) {
        let Some(Leg { state: LegState::Calling(calling), .. }) = self.legs.get_mut(&id) else { return };
        if calling.ending.is_some() {
            return;
        }
        calling.ending = Some(reason.clone());
        if calling.heard {
            let client = calling.client;
            self.send_cancel(now, id, client, reason, out);
        }
    }

    fn send_cancel(
        &mut self,
        now: Now,
        leg: LegId,
        invite: TransactionId,
        reason: &EndReason,
        out: &mut Vec<SipOutput>,
    ) {
        let Some(transaction) = self.transactions.client(invite) else { return };
        let flow = transaction.flow;
        let ClientMachine::Invite(_, sent) = &transaction.machine else { return };
        let bytes = self.wire.cancel(sent, flow, cause::header(reason));
        let (branch, mut effects) = (sent.branch.clone(), Vec::new());
        let machine = ClientNonInvite::start(bytes, flow.transport != Transport::Udp, &mut effects);
        let id = self.transactions.send(&branch, Method::Cancel, flow, None, ClientMachine::Other(machine));
        self.apply(now, id, effects, out);
        out.push(SipOutput::Set(TimerName::CancelLost.of(leg.0), now.time + T1_TIMES_64));
    }
}

/// A display name as a quoted string and the space behind it (RFC 3261 §25.1).
fn quoted(name: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in name.chars().filter(|letter| !letter.is_control()) {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted + "\" "
}
