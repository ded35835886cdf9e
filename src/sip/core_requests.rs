//! What is checked of every request that begins something (RFC 3261 §8.2), and what is answered without the engine:
//! OPTIONS (§11), unknown methods, extensions and schemes, and refusals for want of room.

use super::body;
use super::message::{Message, Method};
use super::stack::{SipOutput, SipStack};
use super::uri::Uri;
use super::wire::{ACCEPT, ALLOW, Answer};
use super::{Flow, SipEvent};
use crate::time::Now;

/// Extensions of ours for Supported and Require: none yet (`100rel`, `timer`, `path` and so on are to stand here).
const EXTENSIONS: [&str; 0] = [];
const SCHEMES: [&str; 3] = ["sip", "sips", "tel"];
/// Seconds after which a refused caller may try again.
const RETRY_SECONDS: &str = "5";

impl SipStack {
    /// A request that repeats none.
    pub(super) fn new_request(&mut self, now: Now, request: Message, flow: Flow, out: &mut Vec<SipOutput>) {
        if self.is_full(&request, &flow) {
            let extra = vec![("Retry-After".to_owned(), RETRY_SECONDS.to_owned())];
            return self.reply(&request, flow, 503, extra, out);
        }
        match request.method() {
            Method::Other(_) => return self.reply(&request, flow, 501, vec![allow()], out),
            Method::Invite | Method::Bye | Method::Options | Method::Register | Method::Info | Method::Update => {}
            _ => return self.reply(&request, flow, 405, vec![allow()], out),
        }
        let uri = match Uri::parse(request.request_uri().unwrap_or("")) {
            Ok(uri) if SCHEMES.contains(&uri.scheme.as_str()) => uri,
            Ok(_) => return self.reply(&request, flow, 416, Vec::new(), out),
            Err(error) => return self.reply(&request, flow, error.status, Vec::new(), out),
        };
        let unknown = request.list("Require").into_iter().filter(|tag| !EXTENSIONS.contains(tag)).collect::<Vec<_>>();
        if !unknown.is_empty() {
            let extra = vec![("Unsupported".to_owned(), unknown.join(", "))];
            return self.reply(&request, flow, 420, extra, out);
        }
        if request.to_tag().is_some() && *request.method() != Method::Register {
            return self.in_dialog(now, request, flow, out);
        }
        match request.method() {
            Method::Invite if self.transactions.is_merged(&request) => self.reply(&request, flow, 482, Vec::new(), out),
            Method::Invite if body::description(&request).is_none() => {
                self.reply(&request, flow, 415, vec![accept()], out)
            }
            // Our answer could only be SDP (§21.4.7).
            Method::Invite if !body::accepts_description(&request) => self.reply(&request, flow, 406, Vec::new(), out),
            Method::Invite => self.invited(now, request, &uri, flow, out),
            Method::Options => self.reply(&request, flow, 200, capabilities(), out),
            Method::Register => self.register(now, &request, flow, out),
            _ => self.no_such_dialog(now, &request, flow, out),
        }
    }

    /// Is there no room for it? What ends or changes a call that is there, or comes from a trunk, has twice the room of what
    /// strangers would begin.
    fn is_full(&self, request: &Message, flow: &Flow) -> bool {
        let most = self.config.transactions_max;
        let is_preferred = request.to_tag().is_some() || !self.config.trunks.is_empty() && !self.is_stranger(flow);
        let most = if is_preferred { most.saturating_mul(2) } else { most };
        self.transactions.servers() >= most
    }

    /// One that brings credentials is answered in a transaction: its repeats must not use the nonce twice.
    fn register(&mut self, now: Now, request: &Message, flow: Flow, out: &mut Vec<SipOutput>) {
        let mut told = Vec::new();
        let (status, extra) = self.registrar.register(now, request, &flow, &mut told);
        // A trunk is never reported: who reads the report might shut it out.
        let is_report = |output: &SipOutput| matches!(output, SipOutput::Event(SipEvent::GuessesRefused { .. }));
        told.retain(|output| self.is_stranger(&flow) || !is_report(output));
        out.append(&mut told);
        if status != 403 && request.header("Authorization").is_some() {
            self.reply_once(now, request, flow, status, extra, out);
        } else {
            self.reply(request, flow, status, extra, out);
        }
    }

    /// One final answer and no memory of it (§8.2.7): a repeat is answered anew, the ACK of a refused INVITE means nothing.
    /// So strangers take no room by what is refused or asks nothing but what we can.
    pub(super) fn reply(
        &mut self,
        request: &Message,
        flow: Flow,
        status: u16,
        extra: Vec<(String, String)>,
        out: &mut Vec<SipOutput>,
    ) {
        let answer = Answer { status, to_tag: Some(&self.stateless_tag), extra, ..Answer::default() };
        let bytes = self.wire.response(request, &flow, &answer);
        self.send(flow, bytes, out);
    }

    /// One final answer in a transaction of its own, which gives it to repeats too.
    pub(super) fn reply_once(
        &mut self,
        now: Now,
        request: &Message,
        flow: Flow,
        status: u16,
        extra: Vec<(String, String)>,
        out: &mut Vec<SipOutput>,
    ) {
        let server = self.transactions.serve(request, flow, None);
        let tag = self.random.tag();
        self.respond(now, server, request, &Answer { status, to_tag: Some(&tag), extra, ..Answer::default() }, out);
    }
}

/// What OPTIONS is answered with: the same for everybody and every number (§11.2), so that it tells nothing of who is here.
pub(super) fn capabilities() -> Vec<(String, String)> {
    vec![allow(), accept(), ("Supported".to_owned(), EXTENSIONS.join(", "))]
}

/// Which bodies we read (§8.2.3).
pub(super) fn accept() -> (String, String) {
    ("Accept".to_owned(), ACCEPT.to_owned())
}

fn allow() -> (String, String) {
    ("Allow".to_owned(), ALLOW.to_owned())
}
