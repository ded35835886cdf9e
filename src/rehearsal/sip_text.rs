//! SIP as small phones of ours write it (RFC 3261 §7, §8.1, §8.2.6; RFC 2617 §3.2.2; RFC 8866), by hand and from nothing
//! that the engine composes with, so that the two test each other.
//!
//! Used by the phones of a rehearsal and of `onekey demo`. Who says what when is theirs; reading is `sip::reader`'s.

use crate::sip::digest;
use crate::sip::message::Message;
use std::fmt::Write;
use std::net::SocketAddr;

/// A request to be written.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    pub uri: &'a str,
    /// The phone's own address.
    pub local: SocketAddr,
    /// What makes the transaction's branch unique (RFC 3261 §8.1.1.7).
    pub branch: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    pub call_id: &'a str,
    pub cseq: u32,
    /// Further header lines, each with its line end. A Contact among them takes the place of the usual one.
    pub more: &'a str,
    /// A session description, or nothing.
    pub body: &'a str,
}

impl Request<'_> {
    pub fn text(&self) -> String {
        let Request { method, uri, local, branch, from, to, call_id, cseq, more, body } = self;
        let contact =
            if more.contains("Contact:") { String::new() } else { format!("Contact: <sip:phone@{local}>\r\n") };
        let kind = content_type(body);
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK-{branch};rport\r\nMax-Forwards: 70\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n{contact}{more}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

/// An answer to `request` (RFC 3261 §8.2.6). `tag` is put on To where there is none yet; empty: none is.
pub fn response(local: SocketAddr, request: &Message, status: u16, reason: &str, body: &str, tag: &str) -> String {
    let mut text = format!("SIP/2.0 {status} {reason}\r\n");
    for via in request.headers("Via") {
        let _ = write!(text, "Via: {via}\r\n");
    }
    let tag = if tag.is_empty() || request.to_tag().is_some() { String::new() } else { format!(";tag={tag}") };
    let _ = write!(
        text,
        "From: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {} {}\r\nContact: <sip:phone@{local}>\r\n{}\
         Content-Length: {}\r\n\r\n{body}",
        request.header("From").unwrap_or_default(),
        request.header("To").unwrap_or_default(),
        request.call_id(),
        request.cseq(),
        request.method().as_str(),
        content_type(body),
        body.len()
    );
    text
}

/// Both G.711 laws and keys by RFC 4733, at `media`.
pub fn description(media: SocketAddr) -> String {
    let (host, port) = (media.ip(), media.port());
    let family = if media.is_ipv4() { "IP4" } else { "IP6" };
    format!(
        "v=0\r\no=- 1 1 IN {family} {host}\r\ns=-\r\nc=IN {family} {host}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    )
}

/// The Authorization line that answers the first challenge: without qop, MD5(HA1:nonce:HA2) (RFC 2617 §3.2.2.1).
pub fn authorization(challenge: &Message, user: &str, password: &str, method: &str, uri: &str) -> String {
    let quoted = |name: &str| -> String {
        let header = challenge.header("WWW-Authenticate").unwrap_or_default();
        let from = header.find(&format!("{name}=\"")).map_or(header.len(), |at| at + name.len() + 2);
        header.get(from..).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    };
    let (realm, nonce) = (quoted("realm"), quoted("nonce"));
    // Each is an MD5 over words with colons between.
    let ha1 = digest::ha1_md5(user, &realm, password);
    let (scheme, rest) = uri.split_once(':').unwrap_or((uri, ""));
    let ha2 = digest::ha1_md5(method, scheme, rest);
    let response = digest::ha1_md5(&ha1, &nonce, &ha2);
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\"\r\n"
    )
}

fn content_type(body: &str) -> &'static str {
    if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" }
}
