//! The SIP machine: messages, orders and the passing of time in; messages to send and events out.

use super::registrar::{AgentAccount, Binding};
use super::{Datagram, Flow, SipConfig, SipEvent};
use crate::ids::{AgentId, LegId};
use crate::time::{Now, Time};

/// Names one timer of the stack; the engine stores its deadline and gives it back when it is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SipTimer(pub u64);

/// What the stack wants done.
#[derive(Debug)]
pub enum SipOutput {
    Send(Datagram),
    Event(SipEvent),
    /// Call [`SipStack::timeout`] with it at this time; replaces an earlier deadline of the same timer.
    Set(SipTimer, Time),
    Clear(SipTimer),
}

/// An INVITE of ours.
#[derive(Clone, Debug)]
pub struct OutgoingInvite {
    /// Request URI: the binding's contact.
    pub uri: String,
    pub flow: Flow,
    /// Who is written in To.
    pub to: AgentId,
    /// Caller's number and name for From (so that the agent's phone shows it); `None`: anonymous (RFC 3323).
    pub from_number: Option<String>,
    pub from_name: Option<String>,
    /// SDP offer.
    pub offer: Vec<u8>,
    /// More headers, such as `Alert-Info` or `X-Onekey-Queue`.
    pub headers: Vec<(String, String)>,
}

/// How we end a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Not answered yet: refuse with this status.
    Refuse { status: u16, retry_after_seconds: Option<u32> },
    /// Normal clearing (Q.850 cause 16).
    Normal,
    /// Another phone answered (`Reason: SIP;cause=200;text="Call completed elsewhere"`), RFC 3326.
    AnsweredElsewhere,
    /// Something failed: `Reason: Q.850;cause=…`.
    Failure { cause: u8 },
}

#[derive(Debug)]
pub struct SipStack {}

impl SipStack {
    /// `seed` feeds the generator of tags, branches, Call-IDs and nonces.
    pub fn new(_config: SipConfig, _seed: [u8; 32]) -> SipStack {
        unimplemented!()
    }
    /// A new leg id, for [`SipStack::invite`].
    pub fn new_leg(&mut self) -> LegId {
        unimplemented!()
    }
    pub fn set_agent(&mut self, _account: AgentAccount) {
        unimplemented!()
    }
    pub fn remove_agent(&mut self, _now: Now, _agent: &AgentId, _out: &mut Vec<SipOutput>) {
        unimplemented!()
    }
    /// What the store kept from before a restart. Expired ones are left out; timers are set.
    pub fn restore_bindings(
        &mut self,
        _now: Now,
        _agent: &AgentId,
        _bindings: Vec<Binding>,
        _out: &mut Vec<SipOutput>,
    ) {
        unimplemented!()
    }
    pub fn bindings(&self, _agent: &AgentId) -> &[Binding] {
        unimplemented!()
    }
    pub fn receive(&mut self, _now: Now, _datagram: Datagram, _out: &mut Vec<SipOutput>) {
        unimplemented!()
    }
    pub fn connection_closed(&mut self, _now: Now, _connection: u64, _out: &mut Vec<SipOutput>) {
        unimplemented!()
    }
    pub fn timeout(&mut self, _now: Now, _timer: SipTimer, _out: &mut Vec<SipOutput>) {
        unimplemented!()
    }
    /// 180 to an unanswered INVITE of a caller.
    pub fn ring(&mut self, _now: Now, _leg: LegId, _out: &mut Vec<SipOutput>) {
        unimplemented!()
    }
    /// 200 with this SDP (answer, or our offer where the INVITE had none). Retransmitted until the ACK.
    pub fn answer(&mut self, _now: Now, _leg: LegId, _sdp: Vec<u8>, _out: &mut Vec<SipOutput>) {
        unimplemented!()
    }
    pub fn invite(&mut self, _now: Now, _leg: LegId, _invite: OutgoingInvite, _out: &mut Vec<SipOutput>) {
        unimplemented!()
    }
    /// Ends a leg whatever its state: refuses, cancels (and ACK + BYE if a 200 crosses) or sends BYE. Exactly one terminal event follows.
    pub fn end(&mut self, _now: Now, _leg: LegId, _reason: EndReason, _out: &mut Vec<SipOutput>) {
        unimplemented!()
    }
    pub fn accept_change(&mut self, _now: Now, _leg: LegId, _sdp: Vec<u8>, _out: &mut Vec<SipOutput>) {
        unimplemented!()
    }
    pub fn refuse_change(&mut self, _now: Now, _leg: LegId, _status: u16, _out: &mut Vec<SipOutput>) {
        unimplemented!()
    }
    /// Messages that could not be read or had no place.
    pub fn dropped(&self) -> u64 {
        unimplemented!()
    }
    /// Nothing left of any dialog or transaction (for the end of a simulation).
    pub fn is_quiet(&self) -> bool {
        unimplemented!()
    }
}
