//! The state of a dialog (RFC 3261 §12): who, by which path, with which sequence numbers.
//!
//! What a request inside a dialog means to a call is the leg's affair.

use super::Flow;
use super::headers::NameAddr;
use super::message::{Message, Method};
use super::uri::Uri;
use super::wire::{Addressing, SentInvite};
use std::net::SocketAddr;

/// What came in the sequence numbers' order (RFC 3261 §12.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Next,
    /// Lower than one seen before: answered with 500.
    Late,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialog {
    pub call_id: String,
    pub local_tag: String,
    /// Empty with RFC 2543 peers, who need not have one.
    pub remote_tag: String,
    /// URI of our side, for From.
    pub local: String,
    /// URI of the peer's side, for To.
    pub remote: String,
    /// Where requests of ours are meant for: the peer's last Contact.
    pub target: String,
    /// Route headers of our requests, first hop first.
    pub routes: Vec<String>,
    pub local_cseq: u32,
    /// `None` until the peer has sent a request.
    pub remote_cseq: Option<u32>,
    pub flow: Flow,
}

impl Dialog {
    /// At the server (§12.1.1).
    pub fn of_request(request: &Message, local_tag: String, flow: Flow) -> Dialog {
        let routes = request.list("Record-Route").into_iter().map(str::to_owned).collect::<Vec<_>>();
        let target = contact_of(request).unwrap_or_else(|| request.from().uri.clone());
        let flow = path(request, &routes, &target, flow);
        Dialog {
            call_id: request.call_id().to_owned(),
            local_tag,
            remote_tag: request.from_tag().unwrap_or("").to_owned(),
            local: request.to().uri.clone(),
            remote: request.from().uri.clone(),
            target,
            routes,
            local_cseq: 0,
            remote_cseq: Some(request.cseq()),
            flow,
        }
    }

    /// At the client, of an answer to our INVITE (§12.1.2). It stays on the INVITE's flow: that is where the phone is.
    pub fn of_response(invite: &SentInvite, response: &Message, flow: Flow) -> Dialog {
        let mut routes = response.list("Record-Route").into_iter().map(str::to_owned).collect::<Vec<_>>();
        routes.reverse();
        Dialog {
            call_id: invite.call_id.clone(),
            local_tag: invite.from_tag.clone(),
            remote_tag: response.to_tag().unwrap_or("").to_owned(),
            local: invite.from_uri.clone(),
            remote: invite.to_uri.clone(),
            target: contact_of(response).unwrap_or_else(|| invite.uri.clone()),
            routes,
            local_cseq: invite.cseq,
            remote_cseq: None,
            flow,
        }
    }

    /// Are these the tags and Call-ID of a message of this dialog? `local` and `remote` as seen from us.
    pub fn is_named(&self, call_id: &str, local: &str, remote: &str) -> bool {
        self.call_id == call_id && self.local_tag == local && (self.remote_tag.is_empty() || self.remote_tag == remote)
    }

    /// Takes note of a request's sequence number (§12.2.2). Not for ACK and CANCEL, which have their INVITE's.
    pub fn order(&mut self, cseq: u32) -> Order {
        if self.remote_cseq.is_some_and(|last| cseq <= last) {
            return Order::Late;
        }
        self.remote_cseq = Some(cseq);
        Order::Next
    }

    /// A target refresh (§12.2.2; RFC 3311 §5.1): re-INVITE or UPDATE, `flow` being where it came from.
    pub fn refresh(&mut self, request: &Message, flow: Flow) {
        if let Some(target) = contact_of(request) {
            self.target = target;
        }
        self.flow = path(request, &self.routes, &self.target, flow);
    }

    /// Request URI and Route headers of a request of ours (§12.2.1.1). A first hop without `lr` is a strict router of
    /// RFC 2543: it gets its own address as request URI and the target as the last route.
    pub fn addressing(&self) -> Addressing {
        let first = self.routes.first().and_then(|route| NameAddr::parse(route).ok());
        match first {
            Some(first) if Uri::parse(&first.uri).is_ok_and(|uri| uri.param("lr").is_none()) => Addressing {
                uri: first.uri,
                routes: self.routes[1..].iter().cloned().chain([format!("<{}>", self.target)]).collect(),
            },
            _ => Addressing { uri: self.target.clone(), routes: self.routes.clone() },
        }
    }

    /// The sequence number of the next request of ours. ACK takes its INVITE's instead.
    pub fn next_cseq(&mut self) -> u32 {
        self.local_cseq += 1;
        self.local_cseq
    }
}

/// The first usable Contact's URI.
fn contact_of(message: &Message) -> Option<String> {
    if message.contact_is_star() {
        return None;
    }
    message.contacts().into_iter().next()?.ok().map(|contact| contact.uri)
}

/// Where requests of ours towards the sender of `request` are to go. We look up no names, so it is the path that the request
/// came by (which also passes NATs), unless a proxy that does not stay in the path brought it and the next hop is
/// written as another plain address.
fn path(request: &Message, routes: &[String], target: &str, flow: Flow) -> Flow {
    if *request.method() != Method::Invite && *request.method() != Method::Update || request.vias().len() < 2 {
        return flow;
    }
    let next = match routes.first().map(|route| NameAddr::parse(route)) {
        Some(Ok(route)) => route.uri,
        Some(Err(_)) => return flow,
        None => target.to_owned(),
    };
    match Uri::parse(&next) {
        Ok(uri) if uri.host != request.via().host => match uri.address() {
            Some(ip) if ip != flow.remote.ip() => {
                Flow { remote: SocketAddr::new(ip, uri.port_or_default()), connection: None, ..flow }
            }
            _ => flow,
        },
        _ => flow,
    }
}
