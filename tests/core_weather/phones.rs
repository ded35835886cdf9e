//! The phones of the weather: one UDP address each, as little SIP as people need to call, ring, answer, hold and hang up.
//!
//! Written by hand, so that the engine's composing is not tested by itself; only the reader is shared.

use onekey::sip::digest::ha1_md5;
use onekey::sip::message::{Message, Method};
use onekey::sip::{Datagram, Flow, Transport};
use std::collections::BTreeMap;
use std::net::SocketAddr;

pub const REALM: &str = "onekey";
pub const PASSWORD: &str = "rehearsal";

/// The path of phone `host`.
pub fn flow(host: u16) -> Flow {
    let [high, low] = host.to_be_bytes();
    let remote = SocketAddr::from(([198, 18, high, low], 5060));
    Flow { transport: Transport::Udp, local: SocketAddr::from(([192, 0, 2, 1], 5060)), remote, connection: None }
}

/// Who is at the other end of this address.
pub fn host_of(remote: SocketAddr) -> u16 {
    match remote.ip() {
        std::net::IpAddr::V4(address) => u16::from_be_bytes([address.octets()[2], address.octets()[3]]),
        std::net::IpAddr::V6(_) => 0,
    }
}

/// One dialog of a phone.
#[derive(Clone, Debug)]
struct Dialog {
    call_id: String,
    uri: String,
    us: String,
    them: String,
    cseq: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallerState {
    Calling,
    Cancelling,
    Talking,
    Over,
}

/// A caller's phone for one call.
#[derive(Debug)]
pub struct CallerPhone {
    pub host: u16,
    pub state: CallerState,
    pub on_hold: bool,
    /// The line is cut: nothing is sent, nothing is heard.
    pub cut: bool,
    dialog: Dialog,
    invite_branch: u32,
    branches: u32,
}

impl CallerPhone {
    pub fn new(host: u16, dialled: &str, number: Option<&str>) -> CallerPhone {
        let us = match number {
            Some(number) => format!("<sip:{number}@caller.example>;tag=c{host}"),
            None => format!("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=c{host}"),
        };
        let (call_id, uri) = (format!("call-{host}"), format!("sip:{dialled}@192.0.2.1"));
        CallerPhone {
            host,
            state: CallerState::Calling,
            on_hold: false,
            cut: false,
            dialog: Dialog { call_id, us, them: format!("<{uri}>"), uri, cseq: 0 },
            invite_branch: 0,
            branches: 0,
        }
    }

    /// An agent's call to a feature code.
    pub fn is_feature(&self, number: u16) -> bool {
        self.dialog.call_id == format!("feature-{number}")
    }

    pub fn call(&mut self) -> Datagram {
        self.invite("sendrecv")
    }

    /// Before the answer a CANCEL, afterwards a BYE with a cause.
    pub fn hang_up(&mut self, reason: &str) -> Option<Datagram> {
        match self.state {
            CallerState::Calling => {
                self.state = CallerState::Cancelling;
                let branch = self.invite_branch;
                Some(self.send("CANCEL", self.dialog.cseq, branch, "", ""))
            }
            CallerState::Talking => {
                self.state = CallerState::Over;
                Some(self.next("BYE", reason, ""))
            }
            CallerState::Cancelling | CallerState::Over => None,
        }
    }

    /// A re-INVITE that holds, or takes back.
    pub fn hold(&mut self, hold: bool) -> Option<Datagram> {
        (self.state == CallerState::Talking && self.on_hold != hold).then(|| {
            self.on_hold = hold;
            self.invite(if hold { "sendonly" } else { "sendrecv" })
        })
    }

    pub fn key_by_info(&mut self, key: char) -> Option<Datagram> {
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        (self.state == CallerState::Talking)
            .then(|| self.next("INFO", "Content-Type: application/dtmf-relay\r\n", &body))
    }

    pub fn receive(&mut self, message: &Message) -> Vec<Datagram> {
        if self.cut {
            return Vec::new();
        }
        match (message.status(), message.method()) {
            (Some(200..=299), Method::Invite) => {
                self.dialog.them = message.header("To").unwrap_or_default().to_owned();
                let mut said = vec![self.new_branch("ACK", message.cseq(), "")];
                if self.state == CallerState::Cancelling {
                    // It crossed our CANCEL.
                    self.state = CallerState::Talking;
                    said.extend(self.hang_up(""));
                }
                if self.state == CallerState::Calling {
                    self.state = CallerState::Talking;
                }
                said
            }
            (Some(300..), Method::Invite) => {
                if matches!(self.state, CallerState::Calling | CallerState::Cancelling) {
                    self.state = CallerState::Over;
                }
                let to = std::mem::replace(&mut self.dialog.them, message.header("To").unwrap_or_default().to_owned());
                let branch = self.invite_branch;
                let ack = self.send("ACK", message.cseq(), branch, "", "");
                self.dialog.them = to;
                vec![ack]
            }
            (None, Method::Bye) => {
                self.state = CallerState::Over;
                vec![respond(self.host, message, 200, "", "")]
            }
            _ => Vec::new(),
        }
    }

    fn invite(&mut self, direction: &str) -> Datagram {
        let body = description(self.host, direction);
        self.branches += 1;
        self.invite_branch = self.branches;
        self.dialog.cseq += 1;
        self.send("INVITE", self.dialog.cseq, self.branches, "Content-Type: application/sdp\r\n", &body)
    }

    fn next(&mut self, method: &str, more: &str, body: &str) -> Datagram {
        self.dialog.cseq += 1;
        self.branches += 1;
        self.send(method, self.dialog.cseq, self.branches, more, body)
    }

    fn new_branch(&mut self, method: &str, cseq: u32, more: &str) -> Datagram {
        self.branches += 1;
        self.send(method, cseq, self.branches, more, "")
    }

    fn send(&self, method: &str, cseq: u32, branch: u32, more: &str, body: &str) -> Datagram {
        request(self.host, &self.dialog, method, cseq, branch, more, body)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ring {
    Ringing,
    Answered,
}

/// An agent's phone: it may be in several dialogs at a time.
#[derive(Debug)]
pub struct AgentPhone {
    pub name: String,
    pub host: u16,
    pub cut: bool,
    calls: BTreeMap<String, (Message, Ring)>,
    registers: u32,
    expires: u32,
    branches: u32,
}

impl AgentPhone {
    pub fn new(name: &str, host: u16) -> AgentPhone {
        let calls = BTreeMap::new();
        AgentPhone { name: name.into(), host, cut: false, calls, registers: 0, expires: 0, branches: 0 }
    }

    pub fn contact(&self) -> String {
        format!("sip:{}@{}", self.name, flow(self.host).remote)
    }

    /// Answers what rings, or refuses it.
    pub fn answer(&mut self, status: u16) -> Option<Datagram> {
        let tag = self.tag();
        let id = self.calls.iter().find(|(_, (_, ring))| *ring == Ring::Ringing)?.0.clone();
        let (invite, ring) = self.calls.get_mut(&id)?;
        *ring = Ring::Answered;
        let body = if status == 200 { description(self.host, "sendrecv") } else { String::new() };
        let said = respond(self.host, invite, status, &tag, &body);
        if status != 200 {
            self.calls.remove(&id);
        }
        Some(said)
    }

    pub fn hang_up(&mut self) -> Option<Datagram> {
        let id = self.calls.iter().find(|(_, (_, ring))| *ring == Ring::Answered)?.0.clone();
        let (invite, _) = self.calls.remove(&id)?;
        let dialog = self.dialog_of(&invite);
        self.branches += 1;
        Some(request(self.host, &dialog, "BYE", 100 + self.branches, self.branches, "", ""))
    }

    /// A re-INVITE that holds the caller, or takes them back.
    pub fn hold(&mut self, hold: bool) -> Option<Datagram> {
        let (invite, _) = self.calls.values().find(|(_, ring)| *ring == Ring::Answered)?;
        let dialog = self.dialog_of(invite);
        self.branches += 1;
        let body = description(self.host, if hold { "sendonly" } else { "sendrecv" });
        let (cseq, kind) = (100 + self.branches, "Content-Type: application/sdp\r\n");
        Some(request(self.host, &dialog, "INVITE", cseq, self.branches, kind, &body))
    }

    fn acknowledge(&mut self, answer: &Message) -> Option<Datagram> {
        let (invite, _) = self.calls.get(answer.call_id())?;
        let dialog = self.dialog_of(invite);
        self.branches += 1;
        Some(request(self.host, &dialog, "ACK", answer.cseq(), self.branches, "", ""))
    }

    fn dialog_of(&self, invite: &Message) -> Dialog {
        Dialog {
            call_id: invite.call_id().to_owned(),
            uri: invite.header("Contact").unwrap_or_default().trim_matches(['<', '>']).to_owned(),
            us: format!("{};tag={}", invite.header("To").unwrap_or_default(), self.tag()),
            them: invite.header("From").unwrap_or_default().to_owned(),
            cseq: 0,
        }
    }

    pub fn receive(&mut self, message: Message) -> Vec<Datagram> {
        if self.cut {
            return Vec::new();
        }
        let id = message.call_id().to_owned();
        match (message.status(), message.method().clone()) {
            (None, Method::Invite) if self.calls.contains_key(&id) => Vec::new(),
            (None, Method::Invite) => {
                let said = vec![respond(self.host, &message, 180, &self.tag(), "")];
                self.calls.insert(id, (message, Ring::Ringing));
                said
            }
            (None, Method::Cancel) => {
                let mut said = vec![respond(self.host, &message, 200, "", "")];
                if let Some((_, Ring::Ringing)) = self.calls.get(&id) {
                    let invite = self.calls.remove(&id).map(|(invite, _)| invite);
                    said.extend(invite.map(|invite| respond(self.host, &invite, 487, &self.tag(), "")));
                }
                said
            }
            (None, Method::Bye) => {
                self.calls.remove(&id);
                vec![respond(self.host, &message, 200, "", "")]
            }
            (Some(200..=299), Method::Invite) => self.acknowledge(&message).into_iter().collect(),
            (Some(401), Method::Register) if self.registers < 1000 => self.authorise(&message),
            _ => Vec::new(),
        }
    }

    pub fn register(&mut self, expires: u32) -> Datagram {
        self.expires = expires;
        self.send_register("")
    }

    /// *40 or *41 dialled on her own phone.
    pub fn feature(&mut self, host: u16, code: &str) -> CallerPhone {
        let mut phone = CallerPhone::new(self.host, code, None);
        phone.dialog.call_id = format!("feature-{host}");
        phone.dialog.us = format!("<sip:{}@{REALM}>;tag=f{host}", self.name);
        phone
    }

    fn send_register(&mut self, more: &str) -> Datagram {
        self.registers += 1;
        let aor = format!("<sip:{}@{REALM}>", self.name);
        let (us, uri) = (format!("{aor};tag=phone"), "sip:onekey".to_owned());
        let dialog = Dialog { call_id: format!("register-{}", self.host), uri, us, them: aor, cseq: 0 };
        let more = format!("Contact: <{}>\r\nExpires: {}\r\n{more}", self.contact(), self.expires);
        request(self.host, &dialog, "REGISTER", self.registers, 10_000 + self.registers, &more, "")
    }

    /// RFC 2617 without qop: MD5(HA1:nonce:HA2).
    fn authorise(&mut self, challenge: &Message) -> Vec<Datagram> {
        let header = challenge.header("WWW-Authenticate").unwrap_or_default();
        let nonce = header.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let (ha1, ha2) = (ha1_md5(&self.name, REALM, PASSWORD), ha1_md5("REGISTER", "sip", "onekey"));
        let response = ha1_md5(&ha1, nonce, &ha2);
        let name = self.name.clone();
        let proof = format!(
            "Authorization: Digest username=\"{name}\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"sip:onekey\", \
             response=\"{response}\"\r\n"
        );
        vec![self.send_register(&proof)]
    }

    fn tag(&self) -> String {
        format!("a{}", self.host)
    }
}

fn request(host: u16, dialog: &Dialog, method: &str, cseq: u32, branch: u32, more: &str, body: &str) -> Datagram {
    let flow = flow(host);
    let Dialog { call_id, uri, us, them, .. } = dialog;
    let contact = if more.contains("Contact:") { "" } else { &format!("Contact: <sip:phone@{}>\r\n", flow.remote) };
    let text = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK-{call_id}-{branch};rport\r\nMax-Forwards: 70\r\n\
         From: {us}\r\nTo: {them}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n{contact}{more}\
         Content-Length: {}\r\n\r\n{body}",
        flow.remote,
        body.len()
    );
    Datagram { flow, bytes: text.into_bytes() }
}

fn respond(host: u16, request: &Message, status: u16, tag: &str, body: &str) -> Datagram {
    let flow = flow(host);
    let vias: String = request.headers("Via").map(|via| format!("Via: {via}\r\n")).collect();
    let tag = if tag.is_empty() || request.to_tag().is_some() { String::new() } else { format!(";tag={tag}") };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let text = format!(
        "SIP/2.0 {status} Whatever\r\n{vias}From: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {} {}\r\n\
         Contact: <sip:phone@{}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        request.header("From").unwrap_or_default(),
        request.header("To").unwrap_or_default(),
        request.call_id(),
        request.cseq(),
        request.method().as_str(),
        flow.remote,
        body.len()
    );
    Datagram { flow, bytes: text.into_bytes() }
}

fn description(host: u16, direction: &str) -> String {
    let address = flow(host).remote.ip();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0 8 101\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na={direction}\r\n"
    )
}
