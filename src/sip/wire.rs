//! What our own messages say of us: Via, Contact, tags, Allow and so on, given to `compose` (RFC 3261 §8.1.1, §8.2.6).
//!
//! A transport that is to come (TLS, WebSocket) gets its Via word and Contact parameter here.

use super::compose::{self, RequestParts};
use super::message::{Message, Method};
use super::uri::without_headers;
use super::{Flow, SipConfig, Transport};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// What we serve; the place of PRACK (100rel, RFC 3262) is here too.
pub const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, INFO, UPDATE";
pub const ACCEPT: &str = "application/sdp, multipart/mixed, application/dtmf-relay, application/dtmf";
/// The user part of our Contact.
const CONTACT_USER: &str = "onekey";

/// Request URI and Route headers of a request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Addressing {
    pub uri: String,
    pub routes: Vec<String>,
}

/// An INVITE of ours, as far as its ACK, its CANCEL and its dialogs repeat it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SentInvite {
    pub uri: String,
    pub branch: String,
    pub from_uri: String,
    /// The whole From but for its tag.
    pub from: String,
    pub from_tag: String,
    pub to_uri: String,
    pub call_id: String,
    pub cseq: u32,
    /// The ACK of each 2xx by its To tag, sent again with each repeat (RFC 3261 §13.2.2.4).
    pub acks: BTreeMap<String, Ack>,
}

/// The ACK of a 2xx and the path by which it goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ack {
    pub flow: Flow,
    pub bytes: Vec<u8>,
}

/// A request of ours.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub addressing: Addressing,
    pub branch: &'a str,
    pub flow: Flow,
    /// With tag.
    pub from: String,
    /// With tag, if there is one.
    pub to: String,
    pub call_id: &'a str,
    pub cseq: u32,
    pub extra: Vec<(String, String)>,
    /// SDP, or nothing.
    pub body: &'a [u8],
}

/// A response of ours.
#[derive(Clone, Debug, Default)]
pub struct Answer<'a> {
    pub status: u16,
    pub to_tag: Option<&'a str>,
    /// Does it make or refresh a dialog? Then it has Contact and Allow.
    pub in_dialog: bool,
    pub extra: Vec<(String, String)>,
    /// SDP, or nothing.
    pub body: &'a [u8],
}

/// `onekey` as others see it.
#[derive(Debug)]
pub struct Wire {
    product: String,
    advertised: Option<IpAddr>,
}

impl Wire {
    pub fn new(config: &SipConfig) -> Wire {
        Wire { product: config.product.clone(), advertised: config.advertised }
    }

    /// Host and port that others reach us by on this flow.
    pub fn address(&self, flow: &Flow) -> SocketAddr {
        SocketAddr::new(self.advertised.unwrap_or(flow.local.ip()), flow.local.port())
    }

    pub fn contact(&self, flow: &Flow) -> String {
        let parameter = if flow.transport == Transport::Tcp { ";transport=tcp" } else { "" };
        format!("<sip:{CONTACT_USER}@{}{parameter}>", self.address(flow))
    }

    pub fn request(&self, request: &Request<'_>) -> Vec<u8> {
        let mut extra = vec![("User-Agent".to_owned(), self.product.clone())];
        let contact = (request.method == Method::Invite).then(|| self.contact(&request.flow));
        if contact.is_some() {
            extra.push(("Allow".to_owned(), ALLOW.to_owned()));
        }
        extra.extend(request.extra.iter().cloned());
        let sent_by = self.address(&request.flow).to_string();
        compose::request(&RequestParts {
            method: &request.method,
            uri: without_headers(&request.addressing.uri),
            via: (transport_word(request.flow.transport), &sent_by, request.branch),
            from: &request.from,
            to: &request.to,
            call_id: request.call_id,
            cseq: request.cseq,
            max_forwards: 70,
            routes: &request.addressing.routes,
            contact: contact.as_deref(),
            extra: &extra,
            body: sdp_body(request.body),
        })
    }

    pub fn response(&self, request: &Message, flow: &Flow, answer: &Answer<'_>) -> Vec<u8> {
        let mut extra = vec![("Server".to_owned(), self.product.clone())];
        let contact = answer.in_dialog.then(|| self.contact(flow));
        if contact.is_some() {
            extra.push(("Allow".to_owned(), ALLOW.to_owned()));
        }
        extra.extend(answer.extra.iter().cloned());
        let source = Some((flow.remote.ip(), flow.remote.port()));
        let body = sdp_body(answer.body);
        compose::response(request, answer.status, None, answer.to_tag, source, contact.as_deref(), &extra, body)
    }

    /// ACK of a refusal: hop by hop, on the INVITE's branch (RFC 3261 §17.1.1.3).
    pub fn ack_of_refusal(&self, invite: &SentInvite, flow: Flow, response: &Message) -> Vec<u8> {
        let to = tagged(&format!("<{}>", invite.to_uri), response.to_tag().unwrap_or(""));
        self.request(&self.like_invite(invite, Method::Ack, flow, to))
    }

    /// CANCEL: on the INVITE's branch, To without a tag (RFC 3261 §9.1).
    pub fn cancel(&self, invite: &SentInvite, flow: Flow, reason: String) -> Vec<u8> {
        let mut request = self.like_invite(invite, Method::Cancel, flow, format!("<{}>", invite.to_uri));
        request.extra.push(("Reason".to_owned(), reason));
        self.request(&request)
    }

    fn like_invite<'a>(&self, invite: &'a SentInvite, method: Method, flow: Flow, to: String) -> Request<'a> {
        Request {
            method,
            addressing: Addressing { uri: invite.uri.clone(), routes: Vec::new() },
            branch: &invite.branch,
            flow,
            from: tagged(&invite.from, &invite.from_tag),
            to,
            call_id: &invite.call_id,
            cseq: invite.cseq,
            extra: Vec::new(),
            body: b"",
        }
    }
}

fn transport_word(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
    }
}

fn sdp_body(body: &[u8]) -> Option<(&'static str, &[u8])> {
    (!body.is_empty()).then_some(("application/sdp", body))
}

/// An address with its tag, unless that is empty.
pub fn tagged(address: &str, tag: &str) -> String {
    if tag.is_empty() { address.to_owned() } else { format!("{address};tag={tag}") }
}
