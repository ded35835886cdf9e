//! The phones of a rehearsal: as little SIP as a caller and some agents need, written by hand so that the engine's own
//! composing is not tested by itself. They share only the reader.

use super::sip_text::{self, Request};
use crate::ids::AgentId;
use crate::script::AgentAct;
use crate::sip::message::{Message, Method};
use crate::sip::reader;
use crate::sip::{Datagram, Flow, Transport};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Realm and password of every agent of a rehearsal.
pub const REALM: &str = "onekey";
pub const PASSWORD: &str = "rehearsal";

const OUR_SIP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);

/// What a phone sends, or has to complain of.
#[derive(Debug)]
pub enum PhoneSays {
    Send(Datagram),
    Complaint(String),
}

/// The path of a phone: documentation addresses (RFC 5737), one host each.
pub fn flow(host: u8) -> Flow {
    let remote = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, host)), 5060);
    Flow { transport: Transport::Udp, local: OUR_SIP, remote, connection: None }
}

/// The caller's phone.
#[derive(Debug)]
pub struct CallerPhone {
    dialled: String,
    from: String,
    invited: bool,
    to: Option<String>,
    answered: bool,
    over: bool,
}

impl CallerPhone {
    pub fn new(dialled: &str, caller: Option<&str>) -> CallerPhone {
        let from = match caller {
            Some(number) => format!("<sip:{number}@caller.example>;tag=caller"),
            None => "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=caller".into(),
        };
        CallerPhone { dialled: dialled.into(), from, invited: false, to: None, answered: false, over: false }
    }

    pub fn is_over(&self) -> bool {
        self.over
    }

    pub fn call(&mut self) -> Vec<PhoneSays> {
        self.invited = true;
        vec![self.send("INVITE", 1, "invite", None, &description(1, 30_000))]
    }

    /// Before the answer a CANCEL, afterwards a BYE.
    pub fn hang_up(&mut self) -> Vec<PhoneSays> {
        if self.over || !self.invited {
            return vec![PhoneSays::Complaint("the caller hangs up without being in a call".into())];
        }
        self.over = true;
        if self.answered {
            vec![self.send("BYE", 2, "bye", self.to.as_deref(), "")]
        } else {
            vec![self.send("CANCEL", 1, "invite", None, "")]
        }
    }

    pub fn receive(&mut self, message: &Message) -> Vec<PhoneSays> {
        match (message.status(), message.method()) {
            (Some(200..=299), Method::Invite) => {
                self.answered = true;
                self.to = message.header("To").map(str::to_owned);
                vec![self.send("ACK", 1, "ack", self.to.as_deref(), "")]
            }
            (Some(300..), Method::Invite) => {
                self.over = true;
                vec![self.send("ACK", 1, "invite", message.header("To"), "")]
            }
            (None, Method::Bye) => {
                self.over = true;
                vec![PhoneSays::Send(respond(flow(1), message, 200, "OK", ""))]
            }
            (None, Method::Ack) | (Some(_), _) => Vec::new(),
            (None, method) => {
                vec![PhoneSays::Complaint(format!("the caller's phone got an unexpected {}", method.as_str()))]
            }
        }
    }

    fn send(&self, method: &str, cseq: u32, branch: &str, to: Option<&str>, body: &str) -> PhoneSays {
        let dialled = format!("<sip:{}@192.0.2.1>", self.dialled);
        let flow = flow(1);
        let request = Request {
            method,
            uri: &format!("sip:{}@192.0.2.1", self.dialled),
            local: flow.remote,
            branch,
            from: &self.from,
            to: to.unwrap_or(&dialled),
            call_id: "rehearsal",
            cseq,
            more: "",
            body,
        };
        send(flow, &request)
    }
}

/// One agent's phone.
#[derive(Debug)]
pub struct AgentPhone {
    agent: AgentId,
    host: u8,
    /// INVITEs that ring or are answered, by Call-ID.
    calls: BTreeMap<String, AgentCall>,
    registers: u32,
    /// What the REGISTER that is being challenged asks for, in seconds.
    expires: u32,
    silent: bool,
    /// The phone has vanished and answers nothing.
    lost: bool,
    /// It has registered, or is about to.
    pub is_registered: bool,
}

#[derive(Debug)]
struct AgentCall {
    invite: Message,
    answered: bool,
}

impl AgentPhone {
    pub fn new(agent: AgentId, host: u8) -> AgentPhone {
        AgentPhone {
            agent,
            host,
            calls: BTreeMap::new(),
            registers: 0,
            expires: 0,
            silent: false,
            lost: false,
            is_registered: false,
        }
    }

    /// The next answer is without a sound.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    pub fn act(&mut self, act: AgentAct) -> Vec<PhoneSays> {
        match act {
            AgentAct::Answers | AgentAct::AnswersSilently => {
                self.silent = act == AgentAct::AnswersSilently;
                self.on_ringing(|call, flow, tag| {
                    call.answered = true;
                    respond_tagged(flow, &call.invite, 200, "OK", &description(2, 40_000), tag)
                })
            }
            AgentAct::Rejects => {
                let said =
                    self.on_ringing(|call, flow, tag| respond_tagged(flow, &call.invite, 486, "Busy Here", "", tag));
                self.calls.retain(|_, call| call.answered);
                said
            }
            AgentAct::DoesNotAnswer => Vec::new(),
            AgentAct::HangsUp => self.bye(),
            AgentAct::IsLost => {
                self.calls.clear();
                self.lost = true;
                Vec::new()
            }
            AgentAct::LogsIn => vec![self.register(3600, "")],
            AgentAct::LogsOut => vec![self.register(0, "")],
        }
    }

    pub fn receive(&mut self, message: Message) -> Vec<PhoneSays> {
        if self.lost {
            return Vec::new();
        }
        let flow = flow(self.host);
        let call_id = message.call_id().to_owned();
        match (message.status(), message.method().clone()) {
            (None, Method::Invite) => {
                if self.calls.contains_key(&call_id) {
                    return Vec::new();
                }
                let ringing = respond_tagged(flow, &message, 180, "Ringing", "", &self.tag());
                self.calls.insert(call_id, AgentCall { invite: message, answered: false });
                vec![PhoneSays::Send(ringing)]
            }
            (None, Method::Cancel) => self.cancelled(&message, &call_id),
            (None, Method::Bye) => {
                let mut said = vec![PhoneSays::Send(respond(flow, &message, 200, "OK", ""))];
                if self.calls.remove(&call_id).is_none() {
                    said.push(PhoneSays::Complaint(format!("agent {} got a BYE for no call", self.agent)));
                }
                said
            }
            (Some(401), Method::Register) => self.authorise(&message),
            (Some(200..=299), _) | (None, Method::Ack) => Vec::new(),
            (status, method) => {
                let what = status.map_or(method.as_str().to_owned(), |status| status.to_string());
                vec![PhoneSays::Complaint(format!("agent {} got an unexpected {what}", self.agent))]
            }
        }
    }

    fn cancelled(&mut self, message: &Message, call_id: &str) -> Vec<PhoneSays> {
        let flow = flow(self.host);
        let ok = PhoneSays::Send(respond(flow, message, 200, "OK", ""));
        match self.calls.remove(call_id) {
            Some(call) if !call.answered => {
                let gone = respond_tagged(flow, &call.invite, 487, "Request Terminated", "", &self.tag());
                vec![ok, PhoneSays::Send(gone)]
            }
            _ => vec![ok, PhoneSays::Complaint(format!("agent {} got a CANCEL when nothing rang", self.agent))],
        }
    }

    fn on_ringing(&mut self, answer: impl Fn(&mut AgentCall, Flow, &str) -> Datagram) -> Vec<PhoneSays> {
        let (flow, tag, agent) = (flow(self.host), self.tag(), self.agent.clone());
        match self.calls.values_mut().find(|call| !call.answered) {
            Some(call) => vec![PhoneSays::Send(answer(call, flow, &tag))],
            None => vec![PhoneSays::Complaint(format!("agent {agent} was not being rung"))],
        }
    }

    fn bye(&mut self) -> Vec<PhoneSays> {
        let Some((_, call)) = self.calls.pop_last() else {
            return vec![PhoneSays::Complaint(format!("agent {} is in no call", self.agent))];
        };
        let invite = &call.invite;
        let us = format!("{};tag={}", invite.header("To").unwrap_or_default(), self.tag());
        let contact = invite.header("Contact").unwrap_or_default().trim_matches(['<', '>']);
        let flow = flow(self.host);
        let request = Request {
            method: "BYE",
            uri: contact,
            local: flow.remote,
            branch: "agent-bye",
            from: &us,
            to: invite.header("From").unwrap_or_default(),
            call_id: invite.call_id(),
            cseq: 1,
            more: "",
            body: "",
        };
        vec![send(flow, &request)]
    }

    fn register(&mut self, expires: u32, authorization: &str) -> PhoneSays {
        self.registers += 1;
        self.is_registered = expires > 0;
        self.expires = expires;
        let aor = format!("<sip:{}@{REALM}>", self.agent);
        let flow = flow(self.host);
        let request = Request {
            method: "REGISTER",
            uri: "sip:onekey",
            local: flow.remote,
            branch: &format!("register{}", self.registers),
            from: &format!("{aor};tag=phone"),
            to: &aor,
            call_id: &format!("register-{}", self.agent),
            cseq: self.registers,
            more: &format!("Contact: <{}>\r\nExpires: {expires}\r\n{authorization}", self.contact()),
            body: "",
        };
        send(flow, &request)
    }

    pub fn contact(&self) -> String {
        format!("sip:{}@{}", self.agent, flow(self.host).remote)
    }

    pub fn flow(&self) -> Flow {
        flow(self.host)
    }

    /// It rings now.
    pub fn rings(&self) -> bool {
        self.calls.values().any(|call| !call.answered)
    }

    /// It has answered and talks.
    pub fn talks(&self) -> bool {
        self.calls.values().any(|call| call.answered)
    }

    /// Answers a challenge as RFC 2617 without qop has it: MD5(HA1:nonce:HA2).
    fn authorise(&mut self, challenge: &Message) -> Vec<PhoneSays> {
        if self.registers > 8 {
            return vec![PhoneSays::Complaint(format!("agent {} cannot register", self.agent))];
        }
        let line = sip_text::authorization(challenge, self.agent.as_str(), PASSWORD, "REGISTER", "sip:onekey");
        vec![self.register(self.expires, &line)]
    }

    fn tag(&self) -> String {
        format!("agent-{}", self.agent)
    }
}

/// Reads what the engine sent; what cannot be read is the engine's mistake.
pub fn read(bytes: Vec<u8>) -> Result<Message, String> {
    reader::read(bytes).map_err(|error| format!("the engine sent something unreadable: {error:?}"))
}

fn respond(flow: Flow, request: &Message, status: u16, reason: &str, body: &str) -> Datagram {
    respond_tagged(flow, request, status, reason, body, "")
}

fn respond_tagged(flow: Flow, request: &Message, status: u16, reason: &str, body: &str, tag: &str) -> Datagram {
    let bytes = sip_text::response(flow.remote, request, status, reason, body, tag).into_bytes();
    Datagram { flow, bytes }
}

fn send(flow: Flow, request: &Request<'_>) -> PhoneSays {
    PhoneSays::Send(Datagram { flow, bytes: request.text().into_bytes() })
}

fn description(host: u8, port: u16) -> String {
    sip_text::description(SocketAddr::new(flow(host).remote.ip(), port))
}
