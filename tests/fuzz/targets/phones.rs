//! What phones say, as text: whole, sensible messages, which the fuzzer then bends. Nothing of the engine's composing is used.
//!
//! A dialog is known by one message that the engine sent in it: a 2xx to an INVITE, or an INVITE of its own.

use onekey::sip::digest::ha1_md5;
use onekey::sip::message::{Message, Method};
use onekey::sip::{Flow, Transport};
use std::net::SocketAddr;

pub const REALM: &str = "onekey";
pub const PASSWORD: &str = "rehearsal";
pub const AGENTS: [&str; 2] = ["1001", "1002"];
/// Hosts 0 to 3 are callers, the next ones the agents' phones.
pub const AGENT_HOST: u8 = 4;
pub const HOSTS: usize = 6;
pub const CONNECTION: u64 = 7;

pub fn flow(host: u8, transport: Transport) -> Flow {
    let remote = SocketAddr::from(([198, 51, 100, 10 + host], 5060));
    let connection = (transport == Transport::Tcp).then_some(CONNECTION);
    Flow { transport, local: SocketAddr::from(([192, 0, 2, 1], 5060)), remote, connection }
}

pub fn contact(host: u8) -> String {
    format!("sip:phone@{}", flow(host, Transport::Udp).remote)
}

/// A new call.
#[derive(Clone, Debug)]
pub struct Invite {
    pub host: u8,
    /// Names the call: its Call-ID and tag.
    pub number: u16,
    pub dialled: &'static str,
    pub from: &'static str,
    pub more: &'static str,
    pub body: String,
}

impl Invite {
    pub fn text(&self) -> String {
        let Invite { host, more, body, .. } = self;
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let (head, contact) = (self.head("INVITE"), contact(*host));
        format!("{head}Contact: <{contact}>\r\n{more}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
    }

    pub fn cancel(&self) -> String {
        format!("{}Content-Length: 0\r\n\r\n", self.head("CANCEL"))
    }

    fn head(&self, method: &str) -> String {
        let Invite { host, number, dialled, from, .. } = self;
        let remote = flow(*host, Transport::Udp).remote;
        format!(
            "{method} sip:{dialled}@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {remote};branch=z9hG4bK{number};rport\r\n\
             Max-Forwards: 70\r\nFrom: {from};tag=f{number}\r\nTo: <sip:{dialled}@192.0.2.1>\r\nCall-ID: c{number}\r\n\
             CSeq: 1 {method}\r\n"
        )
    }
}

/// A request in the dialog that `known` tells of.
pub fn within(known: &Message, host: u8, method: &str, cseq: u32, branch: u32, more: &str, body: &str) -> String {
    let header = |name: &str| known.header(name).unwrap_or_default().to_owned();
    let target = known.contacts().into_iter().find_map(Result::ok).map(|contact| contact.uri).unwrap_or_default();
    // The engine's own INVITE has no To tag yet: ours is added.
    let (us, them) =
        if known.is_request() { (tagged(&header("To"), host), header("From")) } else { (header("From"), header("To")) };
    let (remote, contact) = (flow(host, Transport::Udp).remote, contact(host));
    format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {remote};branch=z9hG4bKd{branch};rport\r\nMax-Forwards: 70\r\n\
         From: {us}\r\nTo: {them}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContact: <{contact}>\r\n{more}\
         Content-Length: {}\r\n\r\n{body}",
        known.call_id(),
        body.len()
    )
}

/// The answer to a request of the engine.
pub fn response(request: &Message, host: u8, status: u16, body: &str) -> String {
    let vias: String = request.headers("Via").map(|via| format!("Via: {via}\r\n")).collect();
    let to = request.header("To").unwrap_or_default();
    let to =
        if request.to_tag().is_some() || *request.method() == Method::Cancel { to.into() } else { tagged(to, host) };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status} Whatever\r\n{vias}From: {}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {} {}\r\nContact: <{}>\r\n{kind}\
         Content-Length: {}\r\n\r\n{body}",
        request.header("From").unwrap_or_default(),
        request.call_id(),
        request.cseq(),
        request.method(),
        contact(host),
        body.len()
    )
}

fn tagged(address: &str, host: u8) -> String {
    format!("{address};tag=a{host}")
}

/// A REGISTER, with the proof if a challenge has been heard.
pub fn register(agent: &str, host: u8, cseq: u32, expires: u32, challenge: Option<&str>) -> String {
    let (remote, contact) = (flow(host, Transport::Udp).remote, contact(host));
    let proof = challenge.map_or(String::new(), |challenge| {
        let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        // RFC 2617 without qop: MD5(HA1:nonce:HA2).
        let (ha1, ha2) = (ha1_md5(agent, REALM, PASSWORD), ha1_md5("REGISTER", "sip", "onekey"));
        let response = ha1_md5(&ha1, nonce, &ha2);
        format!(
            "Authorization: Digest username=\"{agent}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"sip:onekey\", \
             response=\"{response}\"\r\n"
        )
    });
    format!(
        "REGISTER sip:onekey SIP/2.0\r\nVia: SIP/2.0/UDP {remote};branch=z9hG4bKr{host}-{cseq};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:{agent}@{REALM}>;tag=r{host}\r\nTo: <sip:{agent}@{REALM}>\r\nCall-ID: r{host}\r\n\
         CSeq: {cseq} REGISTER\r\nContact: <{contact}>\r\nExpires: {expires}\r\n{proof}Content-Length: 0\r\n\r\n"
    )
}

pub fn description(host: u8, direction: &str) -> String {
    let address = flow(host, Transport::Udp).remote.ip();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0 8 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    )
}
