//! The SIP machine: messages, orders and the passing of time in; messages to send and events out.
//!
//! Here: the door, which transaction a message belongs to, and the carrying out of what the machines want. What a request
//! means: `incoming` (INVITE and CANCEL), `in_dialog`, `core_requests`; INVITEs of ours: `outgoing`.

use super::admission::Admission;
use super::body;
use super::leg::{Leg, LegState};
use super::message::{Message, Method};
use super::offenders::Offenders;
use super::random::Random;
use super::reader::{self, ReadError};
use super::registrar::{AgentAccount, Binding, Registrar};
use super::timers::TimerName;
use super::transaction::{ClientMachine, Effect, ServerMachine, TransactionId, Transactions};
use super::wire::{Answer, Wire};
use super::{Datagram, Flow, SipConfig, SipEvent, compose};
use crate::ids::{AgentId, LegId};
use crate::time::{Now, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

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

/// Whom an INVITE of ours is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Callee {
    /// Their address of record: the agent's name in our domain.
    Agent(AgentId),
    /// A SIP URI that stands in a dialplan.
    Party(String),
}

/// An INVITE of ours.
#[derive(Clone, Debug)]
pub struct OutgoingInvite {
    /// Request URI: the binding's contact.
    pub uri: String,
    pub flow: Flow,
    /// Who is written in To.
    pub to: Callee,
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

/// Every dialog, transaction and binding.
#[derive(Debug)]
pub struct SipStack {
    pub(super) config: SipConfig,
    pub(super) wire: Wire,
    pub(super) random: Random,
    pub(super) transactions: Transactions,
    pub(super) legs: BTreeMap<LegId, Leg>,
    /// A leg by the tag that we gave it.
    pub(super) by_local_tag: BTreeMap<String, LegId>,
    pub(super) registrar: Registrar,
    /// Our To tag in answers that are forgotten at once.
    pub(super) stateless_tag: String,
    /// TCP connections that are open: a flow that names another is sent without one.
    connections: BTreeSet<u64>,
    pub(super) admission: Admission,
    pub(super) offenders: Offenders,
    /// Calls that strangers hold, by their network.
    pub(super) calls_of: BTreeMap<IpAddr, usize>,
    /// What strangers may dial; `None`: anything.
    pub(super) numbers: Option<BTreeSet<String>>,
    /// Why strangers' new calls are refused, if they are.
    pub(super) closed: Option<&'static str>,
    pub(super) strangers_refused: BTreeMap<&'static str, u64>,
    next_leg: u64,
    dropped: u64,
}

impl SipStack {
    /// `seed` feeds the generator of tags, branches, Call-IDs and nonces.
    pub fn new(config: SipConfig, seed: [u8; 32]) -> SipStack {
        let mut random = Random::new(seed);
        SipStack {
            wire: Wire::new(&config),
            registrar: Registrar::new(&config, random.seed()),
            stateless_tag: random.tag(),
            admission: Admission::new(config.strangers),
            offenders: Offenders::default(),
            calls_of: BTreeMap::new(),
            numbers: None,
            closed: None,
            strangers_refused: BTreeMap::new(),
            random,
            config,
            transactions: Transactions::default(),
            legs: BTreeMap::new(),
            by_local_tag: BTreeMap::new(),
            connections: BTreeSet::new(),
            next_leg: 0,
            dropped: 0,
        }
    }

    /// A new leg id, for [`SipStack::invite`].
    pub fn new_leg(&mut self) -> LegId {
        self.next_leg += 1;
        LegId(self.next_leg)
    }

    /// Adds an agent's account or changes its password; bindings stay.
    pub fn set_agent(&mut self, account: AgentAccount) {
        self.registrar.set_agent(account);
    }

    /// Takes an account and its bindings away.
    pub fn remove_agent(&mut self, _now: Now, agent: &AgentId, out: &mut Vec<SipOutput>) {
        self.registrar.remove_agent(agent, out);
    }

    /// What the store kept from before a restart. Expired ones are left out; timers are set.
    pub fn restore_bindings(&mut self, now: Now, agent: &AgentId, bindings: Vec<Binding>, out: &mut Vec<SipOutput>) {
        self.registrar.restore(now, agent, bindings, out);
    }

    pub fn bindings(&self, agent: &AgentId) -> &[Binding] {
        self.registrar.bindings(agent)
    }

    /// A message has arrived.
    pub fn receive(&mut self, now: Now, datagram: Datagram, out: &mut Vec<SipOutput>) {
        let flow = datagram.flow;
        self.connections.extend(flow.connection);
        // Keep-alives of phones behind NAT (RFC 5626 §4.4.1, and the NULs of some).
        if datagram.bytes.iter().all(|byte| b"\r\n\0 ".contains(byte)) {
            return;
        }
        match reader::read(datagram.bytes) {
            Err(error) => self.unreadable(now, &error, flow, out),
            Ok(message) if message.is_request() => self.request(now, message, flow, out),
            Ok(message) => self.response(now, &message, out),
        }
    }

    /// What was to go by this connection goes by another, which the shell finds or opens.
    pub fn connection_closed(&mut self, _now: Now, connection: u64, _out: &mut Vec<SipOutput>) {
        self.connections.remove(&connection);
    }

    /// A timer is due. One that means nothing any more is passed over.
    pub fn timeout(&mut self, now: Now, timer: SipTimer, out: &mut Vec<SipOutput>) {
        let (name, owner) = TimerName::read(timer);
        match name {
            TimerName::AnswerAgain => self.answer_again(now, LegId(owner), out),
            TimerName::AnswerLost => self.answer_lost(now, LegId(owner), out),
            TimerName::CancelLost => self.cancel_lost(now, LegId(owner), out),
            TimerName::Bindings => self.registrar.timeout(now, owner, out),
            _ => self.transaction_timeout(now, TransactionId(owner), name, out),
        }
    }

    /// Messages that could not be read or had no place.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Nothing left of any dialog or transaction (for the end of a simulation). Bindings do not count.
    pub fn is_quiet(&self) -> bool {
        self.transactions.is_empty() && self.legs.is_empty() && self.by_local_tag.is_empty()
    }

    fn unreadable(&mut self, now: Now, error: &ReadError, flow: Flow, out: &mut Vec<SipOutput>) {
        self.dropped += 1;
        if let Some(respondable) = &error.respondable
            && self.may_complain(now, &flow, out)
        {
            let reason = Some(error.reason.as_str());
            let bytes = compose::response_to_unreadable(respondable, error.status, reason, &self.stateless_tag);
            self.send(flow, bytes, out);
        }
    }

    /// To the transaction that it repeats, or on to who serves its method.
    fn request(&mut self, now: Now, request: Message, flow: Flow, out: &mut Vec<SipOutput>) {
        if *request.method() == Method::Ack {
            return self.acknowledged(now, &request, out);
        }
        if let Some(id) = self.transactions.server_of(&request, request.method().clone()) {
            let mut effects = Vec::new();
            if let Some(server) = self.transactions.server(id) {
                server.repeated(&mut effects);
            }
            self.apply(now, id, effects, out);
            return;
        }
        if !self.is_welcome(now, &request, &flow, out) {
            return;
        }
        match request.method() {
            Method::Cancel => self.cancelled(now, &request, flow, out),
            _ => self.new_request(now, request, flow, out),
        }
    }

    /// An ACK of a refusal ends at its transaction (§17.2.1), one of a 2xx goes to its leg.
    fn acknowledged(&mut self, now: Now, ack: &Message, out: &mut Vec<SipOutput>) {
        let answer = body::description(ack).unwrap_or_default();
        if let Some(id) = self.transactions.server_of(ack, Method::Invite) {
            let mut effects = Vec::new();
            let leg = match self.transactions.server(id) {
                Some(server) => match &mut server.machine {
                    // RFC 2543: the branch is the INVITE's and To may lack our tag. The machine hears of it even
                    // where no leg is concerned, as with a change that was refused.
                    ServerMachine::Invite(machine) => {
                        let accepted = machine.acknowledged(&mut effects);
                        server.leg.filter(|_| accepted)
                    }
                    ServerMachine::Other(_) => None,
                },
                None => None,
            };
            self.apply(now, id, effects, out);
            if let Some(leg) = leg {
                self.prove(leg, ack);
                self.answer_acknowledged(now, leg, ack.cseq(), answer, out);
            }
            return;
        }
        match self.leg_of(ack) {
            Some(leg) => {
                self.prove(leg, ack);
                self.answer_acknowledged(now, leg, ack.cseq(), answer, out);
            }
            None => self.drop_message(),
        }
    }

    /// Who knows our tag has received what we sent to the address that its request named. An ACK of RFC 2543 may lack it.
    pub(super) fn prove(&mut self, leg: LegId, request: &Message) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.is_proven |= request.to_tag() == Some(&leg.local_tag);
        }
    }

    fn response(&mut self, now: Now, response: &Message, out: &mut Vec<SipOutput>) {
        let status = response.status().unwrap_or(0);
        let Some(id) = self.transactions.client_of(response) else { return self.drop_message() };
        let Some(client) = self.transactions.client(id) else { return self.drop_message() };
        let (flow, leg, mut effects) = (client.flow, client.leg, Vec::new());
        let is_invites = matches!(client.machine, ClientMachine::Invite(..));
        let wire = &self.wire;
        let tell = match &mut client.machine {
            ClientMachine::Invite(machine, sent) => {
                machine.response(status, || wire.ack_of_refusal(sent, flow, response), &mut effects)
            }
            ClientMachine::Other(machine) => machine.response(status, &mut effects),
        };
        // The user hears of it first: a refusal's transaction may end with it (TCP).
        let terminated = effects.last() == Some(&Effect::Terminated);
        effects.retain(|effect| *effect != Effect::Terminated);
        self.apply(now, id, effects, out);
        if let (true, true, Some(leg)) = (tell, is_invites, leg) {
            self.invite_answered(now, id, leg, response, out);
        }
        if terminated {
            self.apply(now, id, vec![Effect::Terminated], out);
        }
    }

    fn transaction_timeout(&mut self, now: Now, id: TransactionId, name: TimerName, out: &mut Vec<SipOutput>) {
        let mut effects = Vec::new();
        if let Some(server) = self.transactions.server(id) {
            match &mut server.machine {
                ServerMachine::Invite(machine) => machine.timeout(name, &mut effects),
                ServerMachine::Other(machine) => machine.timeout(name, &mut effects),
            }
        } else if let Some(client) = self.transactions.client(id) {
            match &mut client.machine {
                ClientMachine::Invite(machine, _) => machine.timeout(name, &mut effects),
                ClientMachine::Other(machine) => machine.timeout(name, &mut effects),
            }
        }
        self.apply(now, id, effects, out);
    }

    /// Carries out what a transaction's machine wants.
    pub(super) fn apply(&mut self, now: Now, id: TransactionId, effects: Vec<Effect>, out: &mut Vec<SipOutput>) {
        for effect in effects {
            match effect {
                Effect::Send(bytes) => {
                    let server = self.transactions.server(id).map(|server| server.flow);
                    let flow = server.or_else(|| self.transactions.client(id).map(|client| client.flow));
                    if let Some(flow) = flow {
                        self.send(flow, bytes, out);
                    }
                }
                Effect::Set(name, pause) => out.push(SipOutput::Set(name.of(id.0), now.time + pause)),
                Effect::Clear(name) => out.push(SipOutput::Clear(name.of(id.0))),
                Effect::TimedOut => self.unanswered(id, out),
                Effect::Terminated => self.terminated(id, out),
            }
        }
    }

    /// Nothing came back for a request of ours.
    fn unanswered(&mut self, id: TransactionId, out: &mut Vec<SipOutput>) {
        let Some(client) = self.transactions.client(id) else { return };
        if let (ClientMachine::Invite(..), Some(leg)) = (&client.machine, client.leg) {
            self.invite_lost(leg, out);
        }
    }

    fn terminated(&mut self, id: TransactionId, out: &mut Vec<SipOutput>) {
        let over = match self.transactions.client(id) {
            Some(client) if matches!(client.machine, ClientMachine::Other(_)) => client.leg,
            _ => None,
        };
        self.transactions.forget(id);
        // Its BYE is done: nothing is left of the leg.
        if let Some(leg) = over
            && self.legs.get(&leg).is_some_and(|leg| matches!(leg.state, LegState::Gone))
        {
            self.forget_leg(leg, out);
        }
    }

    /// Sends by the flow, without its connection if that is closed by now.
    pub(super) fn send(&self, flow: Flow, bytes: Vec<u8>, out: &mut Vec<SipOutput>) {
        let connection = flow.connection.filter(|connection| self.connections.contains(connection));
        out.push(SipOutput::Send(Datagram { flow: Flow { connection, ..flow }, bytes }));
    }

    /// Answers a request through its transaction; what was sent is given back for those that send it again themselves.
    pub(super) fn respond(
        &mut self,
        now: Now,
        id: TransactionId,
        request: &Message,
        answer: &Answer<'_>,
        out: &mut Vec<SipOutput>,
    ) -> Vec<u8> {
        let Some(server) = self.transactions.server(id) else { return Vec::new() };
        let bytes = self.wire.response(request, &server.flow, answer);
        let mut effects = Vec::new();
        server.respond(answer.status, bytes.clone(), &mut effects);
        self.apply(now, id, effects, out);
        bytes
    }

    pub(super) fn drop_message(&mut self) {
        self.dropped += 1;
    }

    /// The leg whose dialog a request (or ACK) of the peer names: by our tag, which nobody else can know.
    pub(super) fn leg_of(&self, request: &Message) -> Option<LegId> {
        let id = *self.by_local_tag.get(request.to_tag()?)?;
        let leg = self.legs.get(&id)?;
        let remote = request.from_tag().unwrap_or("");
        let is_its = match &leg.dialog {
            Some(dialog) => dialog.is_named(request.call_id(), &leg.local_tag, remote),
            None => leg.call_id == request.call_id(),
        };
        is_its.then_some(id)
    }

    pub(super) fn forget_leg(&mut self, id: LegId, out: &mut Vec<SipOutput>) {
        if let Some(leg) = self.legs.remove(&id) {
            self.by_local_tag.remove(&leg.local_tag);
            leg.stranger.into_iter().for_each(|address| self.calls_less(address));
            if leg.unacked.is_some() {
                out.extend([TimerName::AnswerAgain, TimerName::AnswerLost].map(|name| SipOutput::Clear(name.of(id.0))));
            }
            if let LegState::Calling(calling) = &leg.state
                && calling.ending.is_some()
            {
                out.push(SipOutput::Clear(TimerName::CancelLost.of(id.0)));
            }
        }
    }
}
