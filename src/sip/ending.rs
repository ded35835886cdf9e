//! How a leg ends (RFC 3261 §15): our wish whatever its state, our BYE, and the peer's.
//!
//! Events are told once; what is still under way afterwards goes on without the engine.

use super::cause;
use super::client_non_invite::ClientNonInvite;
use super::dialog::Dialog;
use super::leg::LegState;
use super::message::{Message, Method};
use super::stack::{EndReason, SipOutput, SipStack};
use super::transaction::ClientMachine;
use super::wire::{Answer, Request, tagged};
use super::{EndCause, Flow, SipEvent, Transport};
use crate::ids::LegId;
use crate::time::Now;

impl SipStack {
    /// Ends a leg whatever its state: refuses, cancels (and ACK + BYE if a 200 crosses) or sends BYE. Exactly one terminal event
    /// follows: at once, but for our own INVITE that is not answered yet (then with its last answer, or after 64*T1).
    pub fn end(&mut self, now: Now, leg: LegId, reason: EndReason, out: &mut Vec<SipOutput>) {
        let Some(state) = self.legs.get_mut(&leg) else { return };
        match &state.state {
            LegState::Invited => self.refuse_first(now, leg, &reason, out),
            LegState::Calling(_) => self.cancel(now, leg, &reason, out),
            LegState::Up => {
                if state.unacked.is_some() {
                    state.state = LegState::Closing(reason);
                } else {
                    self.send_bye(now, leg, &reason, out);
                }
                self.refuse_asked(now, leg, 487, Vec::new(), out);
                out.push(SipOutput::Event(SipEvent::Ended { leg, cause: EndCause::ByUs }));
            }
            LegState::Closing(_) | LegState::Gone => {}
        }
    }

    /// BYE within a leg's dialog; the leg is there until its answer, for a BYE that crosses it.
    pub(super) fn send_bye(&mut self, now: Now, id: LegId, reason: &EndReason, out: &mut Vec<SipOutput>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.state = LegState::Gone;
        let Some(mut dialog) = leg.dialog.clone() else { return };
        self.bye(now, &mut dialog, Some(id), reason, out);
    }

    /// BYE within any dialog.
    pub(super) fn bye(
        &mut self,
        now: Now,
        dialog: &mut Dialog,
        leg: Option<LegId>,
        reason: &EndReason,
        out: &mut Vec<SipOutput>,
    ) {
        let (branch, cseq) = (self.random.branch(), dialog.next_cseq());
        let bytes = self.wire.request(&Request {
            method: Method::Bye,
            addressing: dialog.addressing(),
            branch: &branch,
            flow: dialog.flow,
            from: tagged(&format!("<{}>", dialog.local), &dialog.local_tag),
            to: tagged(&format!("<{}>", dialog.remote), &dialog.remote_tag),
            call_id: &dialog.call_id,
            cseq,
            extra: vec![("Reason".to_owned(), cause::header(reason))],
            body: b"",
        });
        let mut effects = Vec::new();
        let machine = ClientNonInvite::start(bytes, dialog.flow.transport != Transport::Udp, &mut effects);
        let id = self.transactions.send(&branch, Method::Bye, dialog.flow, leg, ClientMachine::Other(machine));
        self.apply(now, id, effects, out);
    }

    /// The peer's BYE. Its sequence number is not looked at: nothing comes after it, so it cannot be too late.
    pub(super) fn peer_ended(&mut self, now: Now, id: LegId, bye: &Message, flow: Flow, out: &mut Vec<SipOutput>) {
        let server = self.transactions.serve(bye, flow, None);
        self.respond(now, server, bye, &Answer { status: 200, ..Answer::default() }, out);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let told = match &mut leg.state {
            LegState::Gone => return,
            LegState::Calling(calling) => {
                // One of several phones that ring gave up by itself; the others ring on.
                calling.early.remove(bye.from_tag().unwrap_or(""));
                if calling.told || calling.ending.is_some() || !calling.early.is_empty() {
                    return;
                }
                // Its answers were all lost. Our INVITE is ended behind the engine's back.
                calling.told = true;
                self.cancel(now, id, &EndReason::Normal, out);
                return out.push(SipOutput::Event(SipEvent::Ended { leg: id, cause: cause::of_bye(bye) }));
            }
            LegState::Closing(_) => true,
            LegState::Invited | LegState::Up => false,
        };
        // §15.1.2: what still awaits an answer gets 487.
        self.refuse_asked(now, id, 487, Vec::new(), out);
        self.forget_leg(id, out);
        if !told {
            out.push(SipOutput::Event(SipEvent::Ended { leg: id, cause: cause::of_bye(bye) }));
        }
    }
}
