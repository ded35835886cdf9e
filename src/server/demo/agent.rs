//! The agent's phone: registers by digest, rings for a second, answers by itself and speaks until the caller hangs up.
//!
//! One call at a time; what it hears of each is written to a file. Told to log out, it takes its registration back.

use super::Happening;
use super::stream::Stream;
use super::voice;
use super::wire::Wire;
use crate::rehearsal::sip_text::{Request, authorization, description, response};
use crate::sip::message::{Message, Method};
use crate::sip::sdp;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long it rings before it is answered.
pub const RINGS: Duration = Duration::from_secs(1);
/// The registration lasts so long, and is renewed after half of it.
const EXPIRES_SECONDS: u32 = 600;

/// Whose phone it is.
#[derive(Clone, Debug)]
pub struct Account {
    pub name: String,
    pub password: String,
    /// Recordings go here, as `agent-heard-1.wav` and so on.
    pub folder: PathBuf,
}

/// What the phone tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AgentSays {
    LoggedIn,
    LoggedOut,
    /// The registration was refused with this status.
    Refused(u16),
    /// A call is over, and what was heard of it is in this file.
    Heard {
        file: PathBuf,
        is_audible: bool,
    },
    /// A sentence.
    Trouble(String),
}

/// What the phone is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    LogIn,
    LogOut,
    /// Logs out and ends its thread.
    End,
}

struct Phone {
    account: Account,
    wire: Wire,
    tell: mpsc::Sender<Happening>,
    call: Option<Conversation>,
    calls: u32,
    registers: u32,
    expires: u32,
    /// The REGISTER under way has credentials: challenged again, they are wrong.
    challenged: bool,
    renew: Option<Instant>,
    ending: bool,
}

struct Conversation {
    invite: Message,
    stream: Stream,
    answer_at: Option<Instant>,
    tag: String,
}

/// Starts the phone on a thread of its own, logged out. It ends with the order to, or when nobody can order any more.
///
/// # Errors
/// No socket or thread can be had.
pub fn start(account: Account, server: SocketAddr, tell: mpsc::Sender<Happening>) -> io::Result<mpsc::Sender<Order>> {
    let wire = Wire::open(server)?;
    let (orders, inbox) = mpsc::channel();
    let mut phone = Phone {
        account,
        wire,
        tell,
        call: None,
        calls: 0,
        registers: 0,
        expires: 0,
        challenged: false,
        renew: None,
        ending: false,
    };
    std::thread::Builder::new().name("demo-agent".into()).spawn(move || phone.run(&inbox))?;
    Ok(orders)
}

impl Phone {
    fn run(&mut self, orders: &mpsc::Receiver<Order>) {
        while !self.ending || self.wire.is_waiting("REGISTER") {
            match orders.try_recv() {
                Ok(Order::LogIn) => self.register(EXPIRES_SECONDS, ""),
                Ok(Order::LogOut) => self.register(0, ""),
                Ok(Order::End) | Err(mpsc::TryRecvError::Disconnected) if !self.ending => {
                    self.ending = true;
                    self.hang_up();
                    self.register(0, "");
                }
                _ => {}
            }
            if self.renew.is_some_and(|at| Instant::now() >= at) {
                self.register(EXPIRES_SECONDS, "");
            }
            if let Some(message) = self.wire.receive() {
                self.take(message);
            }
            self.turn();
        }
    }

    fn take(&mut self, message: Message) {
        let is_ours = self.call.as_ref().is_some_and(|call| call.invite.call_id() == message.call_id());
        match (message.status(), message.method().clone()) {
            (Some(status), Method::Register) => self.registered(status, &message),
            (Some(_), _) => {}
            (None, Method::Invite) if is_ours => self.asked_again(&message),
            (None, Method::Invite) => self.ring(message),
            (None, Method::Ack) if is_ours => self.wire.answered("200"),
            (None, Method::Ack) => {}
            (None, Method::Cancel) if is_ours => self.cancelled(&message),
            (None, Method::Bye) if is_ours => {
                self.wire.respond(&message, 200, "OK", "");
                self.hang_up();
            }
            (None, Method::Cancel | Method::Bye) => {
                self.wire.respond(&message, 481, "Call/Transaction Does Not Exist", "none");
            }
            (None, _) => self.wire.respond(&message, 200, "OK", "agent"),
        }
    }

    fn ring(&mut self, invite: Message) {
        if self.call.is_some() {
            return self.wire.respond(&invite, 486, "Busy Here", "busy");
        }
        match Stream::open(self.wire.local.ip(), voice::AGENT, &voice::CALLERS) {
            Ok(stream) => {
                self.calls += 1;
                let tag = format!("agent-{}-{}", self.calls, std::process::id());
                self.wire.respond(&invite, 180, "Ringing", &tag);
                let answer_at = Some(Instant::now() + RINGS);
                self.call = Some(Conversation { invite, stream, answer_at, tag });
            }
            Err(error) => {
                self.wire.respond(&invite, 480, "Temporarily Unavailable", "none");
                self.says(AgentSays::Trouble(format!("the agent's phone has no socket for a call: {error}")));
            }
        }
    }

    fn turn(&mut self) {
        let Some(call) = &mut self.call else { return };
        call.stream.turn();
        if call.answer_at.is_some_and(|at| Instant::now() >= at) {
            call.answer_at = None;
            let invite = call.invite.clone();
            self.answer(&invite);
        }
    }

    /// An INVITE of the present call: a repeat while it rings, else a change of its terms.
    fn asked_again(&mut self, invite: &Message) {
        match &self.call {
            Some(call) if call.answer_at.is_some() => self.wire.respond(invite, 180, "Ringing", &call.tag),
            _ => self.answer(invite),
        }
    }

    /// The 200 is repeated until its ACK (RFC 3261 §13.3.1.4).
    fn answer(&mut self, invite: &Message) {
        let Some(call) = &mut self.call else { return };
        if let Some(remote) = sdp::remote_address(invite.body()) {
            call.stream.start(remote);
            call.stream.speak();
        }
        match call.stream.address() {
            Ok(media) => {
                let text = response(self.wire.local, invite, 200, "OK", &description(media), &call.tag);
                self.wire.send_until_answered("200", text);
            }
            Err(_) => self.wire.respond(invite, 480, "Temporarily Unavailable", &call.tag),
        }
    }

    fn cancelled(&mut self, cancel: &Message) {
        self.wire.respond(cancel, 200, "OK", "");
        if self.call.as_ref().is_some_and(|call| call.answer_at.is_some())
            && let Some(call) = self.call.take()
        {
            self.wire.respond(&call.invite, 487, "Request Terminated", &call.tag);
        }
    }

    /// The call is over: what was heard is kept.
    fn hang_up(&mut self) {
        self.wire.answered("200");
        let Some(call) = self.call.take().filter(|call| call.answer_at.is_none()) else { return };
        let file = self.account.folder.join(format!("agent-heard-{}.wav", self.calls));
        self.says(match call.stream.save(&file) {
            Ok(()) => AgentSays::Heard { file, is_audible: call.stream.is_audible() },
            Err(error) => AgentSays::Trouble(format!("{} cannot be written: {error}", file.display())),
        });
    }

    fn register(&mut self, expires: u32, credentials: &str) {
        self.registers += 1;
        self.expires = expires;
        self.challenged = !credentials.is_empty();
        self.renew = None;
        let (name, local, server) = (&self.account.name, self.wire.local, self.wire.server);
        let whole = format!("<sip:{name}@{server}>");
        let call_id = format!("demo-agent-{}-{}", std::process::id(), local.port());
        let request = Request {
            method: "REGISTER",
            uri: &format!("sip:{server}"),
            local,
            branch: &format!("{call_id}-{}", self.registers),
            from: &format!("{whole};tag={call_id}"),
            to: &whole,
            call_id: &call_id,
            cseq: self.registers,
            more: &format!("Contact: <sip:{name}@{local}>\r\nExpires: {expires}\r\n{credentials}"),
            body: "",
        };
        let text = request.text();
        self.wire.send_until_answered("REGISTER", text);
    }

    fn registered(&mut self, status: u16, message: &Message) {
        if message.cseq() != self.registers || status < 200 || !self.wire.is_waiting("REGISTER") {
            return;
        }
        self.wire.answered("REGISTER");
        match status {
            401 if !self.challenged => {
                let Account { name, password, .. } = &self.account;
                let uri = format!("sip:{}", self.wire.server);
                let line = authorization(message, name, password, "REGISTER", &uri);
                self.register(self.expires, &line);
            }
            200 if self.expires == 0 => self.says(AgentSays::LoggedOut),
            200 => {
                self.renew = Some(Instant::now() + Duration::from_secs(u64::from(EXPIRES_SECONDS) / 2));
                self.says(AgentSays::LoggedIn);
            }
            _ => self.says(AgentSays::Refused(status)),
        }
    }

    fn says(&self, what: AgentSays) {
        // Nobody listens any more: the demo is ending.
        let _ = self.tell.send(Happening::Agent(what));
    }
}
