//! What is checked of every request that begins something (RFC 3261 §8.2), and what is answered without the engine:
//! OPTIONS (§11), unknown methods, extensions and schemes, and refusals for want of room.

use super::Flow;
use super::in_dialog::is_sdp;
use super::message::{Message, Method};
use super::stack::{SipOutput, SipStack};
use super::uri::Uri;
use super::wire::{ACCEPT, ALLOW, Answer};
use crate::time::Now;

/// Extensions of ours for Supported and Require: none yet (`100rel`, `timer`, `path` and so on are to stand here).
const EXTENSIONS: [&str; 0] = [];
const SCHEMES: [&str; 3] = ["sip", "sips", "tel"];
/// Seconds after which a refused caller may try again.
const RETRY_SECONDS: &str = "5";

impl SipStack {
    /// A request that repeats none.
    pub(super) fn new_request(&mut self, now: Now, request: Message, flow: Flow, out: &mut Vec<SipOutput>) {
        if self.is_full(&request) {
            let extra = vec![("Retry-After".to_owned(), RETRY_SECONDS.to_owned())];
            let tag = self.random.tag();
            let answer = Answer { status: 503, to_tag: Some(&tag), extra, ..Answer::default() };
            let bytes = self.wire.response(&request, &flow, &answer);
            return self.send(flow, bytes, out);
        }
        let allow = || vec![("Allow".to_owned(), ALLOW.to_owned())];
        match request.method() {
            Method::Other(_) => return self.reply(now, &request, flow, 501, allow(), out),
            Method::Invite | Method::Bye | Method::Options | Method::Register | Method::Info | Method::Update => {}
            _ => return self.reply(now, &request, flow, 405, allow(), out),
        }
        let uri = match Uri::parse(request.request_uri().unwrap_or("")) {
            Ok(uri) if SCHEMES.contains(&uri.scheme.as_str()) => uri,
            Ok(_) => return self.reply(now, &request, flow, 416, Vec::new(), out),
            Err(error) => return self.reply(now, &request, flow, error.status, Vec::new(), out),
        };
        let unknown = request.list("Require").into_iter().filter(|tag| !EXTENSIONS.contains(tag)).collect::<Vec<_>>();
        if !unknown.is_empty() {
            let extra = vec![("Unsupported".to_owned(), unknown.join(", "))];
            return self.reply(now, &request, flow, 420, extra, out);
        }
        if request.to_tag().is_some() && *request.method() != Method::Register {
            return self.in_dialog(now, request, flow, out);
        }
        match request.method() {
            Method::Invite if self.transactions.is_merged(&request) => {
                self.reply(now, &request, flow, 482, Vec::new(), out)
            }
            Method::Invite if !is_sdp(&request) => self.unsupported_body(now, &request, flow, out),
            Method::Invite => self.invited(now, request, &uri, flow, out),
            Method::Options => self.capabilities(now, &request, flow, out),
            Method::Register => self.register(now, &request, flow, out),
            _ => self.reply(now, &request, flow, 481, Vec::new(), out),
        }
    }

    /// Is there no room for it? What ends or changes a call that is there has twice the room of what would begin one.
    fn is_full(&self, request: &Message) -> bool {
        let most = self.config.transactions_max;
        let most = if request.to_tag().is_some() { most.saturating_mul(2) } else { most };
        self.transactions.servers() >= most
    }

    /// OPTIONS: the same for everybody and every number (§11.2), so that it tells nothing of who is here.
    pub(super) fn capabilities(&mut self, now: Now, request: &Message, flow: Flow, out: &mut Vec<SipOutput>) {
        let extra = [("Allow", ALLOW), ("Accept", ACCEPT), ("Supported", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        self.reply(now, request, flow, 200, extra, out);
    }

    pub(super) fn unsupported_body(&mut self, now: Now, request: &Message, flow: Flow, out: &mut Vec<SipOutput>) {
        self.reply(now, request, flow, 415, vec![("Accept".to_owned(), ACCEPT.to_owned())], out);
    }

    fn register(&mut self, now: Now, request: &Message, flow: Flow, out: &mut Vec<SipOutput>) {
        let (status, extra) = self.registrar.register(now, request, &flow, out);
        self.reply(now, request, flow, status, extra, out);
    }

    /// One final answer, in a transaction of its own.
    pub(super) fn reply(
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
