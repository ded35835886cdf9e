//! What a stranger's request must pass before anything is made for it: no known scanner, room in its address's share
//! (`admission`), a number that somebody has published, a dialog or INVITE of its own.
//!
//! Refused is without state: dropped in silence, or one answer that is forgotten (RFC 3261 §8.2.7) and is no longer than
//! the request. Trunks are no strangers. Who is refused too often is told to the operator (`offenders`).

use super::admission::Kind;
use super::limiter::network;
use super::message::{Message, Method};
use super::offenders::Offence;
use super::stack::{SipOutput, SipStack};
use super::uri::Uri;
use super::{Flow, SipEvent, identity};
use crate::ids::LegId;
use crate::time::Now;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Words in User-Agent, or in the name of From, by which scanners give themselves away. In small letters.
const SCANNERS: [&str; 11] = [
    "friendly-scanner",
    "friendly-request",
    "sipvicious",
    "sundayddr",
    "sip-scan",
    "sipscan",
    "sipcli",
    "sivus",
    "pplsip",
    "iwar",
    "smap",
];

/// This part of the transactions that there may be is a crowd.
const CROWD: usize = 16;
/// Seconds after which one for whom there is no room may try again.
const RETRY_SECONDS: &str = "10";

impl SipStack {
    /// From now on a stranger's INVITE for another number than these is refused before anything is made for it. Until this
    /// is called every number goes to the engine.
    pub fn publish(&mut self, numbers: BTreeSet<String>) {
        self.numbers = Some(numbers);
    }

    /// There is no room for strangers' new calls, for this reason. The engine refuses them, with a transaction that knows a
    /// late repeat for one; in a flood they are refused before anything is made for them.
    pub fn close_to_strangers(&mut self, reason: Option<&'static str>) {
        self.closed = reason;
    }

    /// What strangers sent and was refused, by reason.
    pub fn strangers_refused(&self) -> &BTreeMap<&'static str, u64> {
        &self.strangers_refused
    }

    pub(super) fn is_stranger(&self, flow: &Flow) -> bool {
        identity::trunk_of(&self.config.trunks, flow.remote.ip()).is_none()
    }

    /// May this request, which repeats none, go on? Silence is the answer to those that may not.
    pub(super) fn is_welcome(&mut self, now: Now, request: &Message, flow: &Flow, out: &mut Vec<SipOutput>) -> bool {
        if !self.is_stranger(flow) {
            return true;
        }
        if is_scanner(request) {
            self.note_refusal(now, flow, Offence::Scanner, "scanner", out);
            return false;
        }
        let (kind, reason) = match request.method() {
            Method::Invite if request.to_tag().is_none() => (Kind::Call, "calls_a_second"),
            Method::Register => (Kind::Register, "registers_a_second"),
            Method::Cancel => (Kind::InCall, "in_call_a_second"),
            _ if self.leg_of(request).is_some() => (Kind::InCall, "in_call_a_second"),
            _ => (Kind::Other, "others_a_second"),
        };
        self.is_admitted(now, flow, kind, reason, out)
    }

    /// May an answer be given to what cannot be read?
    pub(super) fn may_complain(&mut self, now: Now, flow: &Flow, out: &mut Vec<SipOutput>) -> bool {
        !self.is_stranger(flow) || self.is_admitted(now, flow, Kind::Other, "others_a_second", out)
    }

    fn is_admitted(
        &mut self,
        now: Now,
        flow: &Flow,
        kind: Kind,
        reason: &'static str,
        out: &mut Vec<SipOutput>,
    ) -> bool {
        let is_admitted = self.admission.admit(now.time, flow.remote.ip(), kind);
        if !is_admitted {
            self.note_refusal(now, flow, Offence::Requests, reason, out);
        }
        is_admitted
    }

    /// May a stranger begin this call? If not it has been answered. An agent on her own phone may dial what she likes.
    pub(super) fn may_call(
        &mut self,
        now: Now,
        request: &Message,
        uri: &Uri,
        flow: Flow,
        out: &mut Vec<SipOutput>,
    ) -> bool {
        if !self.is_stranger(&flow) {
            return true;
        }
        let dialled = identity::dialled(uri);
        let is_published = self.numbers.as_ref().is_none_or(|numbers| numbers.contains(&dialled));
        // An agent's feature code is the engine's to refuse: she may have registered by the time its repeat comes.
        let may_be_code = dialled.starts_with('*') && !self.is_crowded();
        if !is_published && !may_be_code && self.registrar.sender(now, request, &flow).is_none() {
            self.note_refusal(now, &flow, Offence::Numbers, "unknown_number", out);
            self.reply(request, flow, 404, Vec::new(), out);
            return false;
        }
        if let Some(reason) = self.closed.filter(|_| self.is_crowded()) {
            *self.strangers_refused.entry(reason).or_default() += 1;
            self.put_off(request, flow, out);
            return false;
        }
        if self.calls_of.get(&network(flow.remote.ip())).is_some_and(|calls| *calls >= self.config.strangers.calls_max)
        {
            self.note_refusal(now, &flow, Offence::Calls, "calls_at_once", out);
            self.put_off(request, flow, out);
            return false;
        }
        true
    }

    /// Are there more transactions than honest callers who are refused would leave behind?
    fn is_crowded(&self) -> bool {
        self.transactions.servers() >= self.config.transactions_max / CROWD
    }

    fn put_off(&mut self, request: &Message, flow: Flow, out: &mut Vec<SipOutput>) {
        let extra = vec![("Retry-After".to_owned(), RETRY_SECONDS.to_owned())];
        self.reply(request, flow, 503, extra, out);
    }

    /// A request named a dialog or an INVITE that there is not, or that is not its sender's.
    pub(super) fn no_such_dialog(&mut self, now: Now, request: &Message, flow: Flow, out: &mut Vec<SipOutput>) {
        if self.is_stranger(&flow) {
            self.note_refusal(now, &flow, Offence::Dialogs, "unknown_dialog", out);
        }
        self.reply(request, flow, 481, Vec::new(), out);
    }

    /// A stranger's call takes one of its address's places, until [`calls_less`](Self::calls_less).
    pub(super) fn calls_more(&mut self, flow: &Flow) -> Option<IpAddr> {
        let address = self.is_stranger(flow).then(|| network(flow.remote.ip()))?;
        *self.calls_of.entry(address).or_default() += 1;
        Some(address)
    }

    pub(super) fn calls_less(&mut self, address: IpAddr) {
        if let Some(calls) = self.calls_of.get_mut(&address) {
            *calls -= 1;
            if *calls == 0 {
                self.calls_of.remove(&address);
            }
        }
    }

    /// Does our peer provably hear us at the address from which its leg signals? By TCP, by an ACK with our tag, which was
    /// sent nowhere else, or by being a trunk or a phone that answered our INVITE.
    pub fn is_proven(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|leg| leg.is_proven)
    }

    fn note_refusal(
        &mut self,
        now: Now,
        flow: &Flow,
        offence: Offence,
        reason: &'static str,
        out: &mut Vec<SipOutput>,
    ) {
        *self.strangers_refused.entry(reason).or_default() += 1;
        let source = flow.remote.ip().to_canonical();
        if self.offenders.note(now.time, source, offence) {
            out.push(SipOutput::Event(SipEvent::Offence { source, offence }));
        }
    }
}

fn is_scanner(request: &Message) -> bool {
    let names = request.header("User-Agent").into_iter().chain(request.from().display.as_deref());
    names.map(str::to_ascii_lowercase).any(|name| SCANNERS.iter().any(|scanner| name.contains(scanner)))
}
