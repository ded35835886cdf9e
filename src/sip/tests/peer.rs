//! One stack facing messages written by hand, as phones and proxies send them.
//!
//! The texts are as in the RFCs: what the stack must bear, not what it writes itself.

use super::{address, config, now_at};
use crate::sip::message::Message;
use crate::sip::reader::read;
use crate::sip::stack::{SipOutput, SipStack, SipTimer};
use crate::sip::{Datagram, Flow, SipConfig, SipEvent, Transport};
use crate::time::{Now, Time};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A stack, and what came out of it.
pub struct Peer {
    pub stack: SipStack,
    pub flow: Flow,
    pub time: Time,
    pub sent: Vec<(Flow, Message)>,
    pub events: Vec<SipEvent>,
    pub timers: BTreeMap<SipTimer, Time>,
}

impl Peer {
    pub fn new() -> Peer {
        Peer::with(config())
    }

    pub fn with(config: SipConfig) -> Peer {
        Peer {
            stack: SipStack::new(config, [9; 32]),
            flow: Flow {
                transport: Transport::Udp,
                local: address(0),
                remote: "203.0.113.9:5071".parse().unwrap(),
                connection: None,
            },
            time: Time::ZERO,
            sent: Vec::new(),
            events: Vec::new(),
            timers: BTreeMap::new(),
        }
    }

    pub fn from(mut self, remote: &str) -> Peer {
        self.flow.remote = remote.parse::<SocketAddr>().unwrap();
        self
    }

    /// The peer sends this (lines are joined by CRLF); what was answered at once.
    pub fn receive(&mut self, text: &str) -> Vec<Message> {
        let bytes = text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
        let before = self.sent.len();
        let flow = self.flow;
        self.order(|stack, now, out| stack.receive(now, Datagram { flow, bytes }, out));
        self.sent[before..].iter().map(|(_, message)| message.clone()).collect()
    }

    /// The last status that this request was answered with.
    pub fn status(&mut self, text: &str) -> u16 {
        self.receive(text).last().and_then(Message::status).unwrap_or(0)
    }

    pub fn order<T>(&mut self, order: impl FnOnce(&mut SipStack, Now, &mut Vec<SipOutput>) -> T) -> T {
        let mut out = Vec::new();
        let result = order(&mut self.stack, now_at(self.time), &mut out);
        for output in out {
            match output {
                SipOutput::Send(datagram) => match read(datagram.bytes.clone()) {
                    Ok(message) => self.sent.push((datagram.flow, message)),
                    // It copies what could not be read.
                    Err(_) => assert!(datagram.bytes.starts_with(b"SIP/2.0 4"), "we wrote it badly ourselves"),
                },
                SipOutput::Event(event) => self.events.push(event),
                SipOutput::Set(timer, at) => drop(self.timers.insert(timer, at)),
                SipOutput::Clear(timer) => drop(self.timers.remove(&timer)),
            }
        }
        result
    }

    /// Time passes; timers come when they are due.
    pub fn wait(&mut self, seconds: u64) {
        let until = Time::from_millis(self.time.as_micros() / 1000 + seconds * 1000);
        while let Some((at, timer)) = self.timers.iter().map(|(timer, at)| (*at, *timer)).min()
            && at <= until
        {
            self.time = at;
            self.timers.remove(&timer);
            self.order(|stack, now, out| stack.timeout(now, timer, out));
        }
        self.time = until;
    }

    pub fn last(&self) -> &Message {
        &self.sent.last().expect("something was sent").1
    }
}

/// A request with a branch and CSeq of `number`; `lines` are further header lines or, from an empty one on, the body.
pub fn request(method: &str, number: u32, lines: &str) -> String {
    format!(
        "{method} sip:5550100@192.0.2.1 SIP/2.0
Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK{method}{number};rport
Max-Forwards: 70
From: \"Ann\" <sip:+12025550123@example.com>;tag=caller
To: <sip:5550100@192.0.2.1>
Call-ID: call@example.com
CSeq: {number} {method}
Contact: <sip:ann@10.0.0.5:5060>
{lines}
"
    )
}

/// As [`request`], inside the dialog that our answer with this To tag made.
pub fn inside(method: &str, number: u32, tag: &str, lines: &str) -> String {
    request(method, number, lines)
        .replace("To: <sip:5550100@192.0.2.1>", &format!("To: <sip:5550100@192.0.2.1>;tag={tag}"))
}

pub fn with_body(kind: &str, body: &str) -> String {
    format!("Content-Type: {kind}\nContent-Length: {}\n\n{body}", body.replace('\n', "\r\n").len())
}
