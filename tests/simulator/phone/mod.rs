//! A phone of the simulator: a small user agent with its own view of the wire (RFC 3261), for callers and agents alike.
//!
//! Here: what it is, what it sends, and its clock (it repeats what is not answered, as real ones do); `hearing` is what it
//! makes of messages, `text` how they are written. Why it does things, and when, is `life`'s affair. Nothing of
//! `onekey::sip` is used, so what both sides believe is only what stood in the messages.

mod digest;
mod hearing;
pub mod text;

use onekey::key::Key;
use onekey::time::Time;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use text::{Heads, Text, description, request, response};

pub const REALM: &str = "onekey";
pub const PASSWORD: &str = "rehearsal";
/// Where the engine listens.
pub const ENGINE: &str = "192.0.2.1";

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// 64*T1: nobody repeats anything for longer.
const PATIENCE: Duration = Duration::from_secs(32);
/// In the last seconds of its patience it says nothing more, so that no copy comes after the other side's memory.
const SILENT_END: Duration = Duration::from_millis(2500);
/// Longest that it rings.
const RINGS_MAX: Duration = Duration::from_secs(180);
/// What is over is remembered for so long, so that late messages are known.
const MEMORY: Duration = Duration::from_secs(40);

/// How a phone is connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    Udp,
    Tcp,
}

/// What a phone has noticed, for whoever uses it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// Our INVITE has its 200.
    Answered,
    Refused(u16),
    /// The other side has hung up, or knows nothing of the dialog.
    Ended,
    Rings,
    /// It rings no more.
    Cancelled,
    /// Our 200 has its ACK.
    Acked,
    Changed,
    Registered(u16),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Calling,
    Cancelling,
    Ringing,
    Up,
    Over,
}

#[derive(Clone, Debug)]
pub struct Dialog {
    pub state: State,
    /// We called.
    pub ours: bool,
    us: String,
    them: String,
    target: String,
    cseq: u32,
    their_cseq: u32,
    their_tag: String,
    /// Of the INVITE that made it, ours or theirs.
    branch: String,
    invite_cseq: u32,
    /// Theirs, to be answered.
    invite: String,
    /// What we sent as our last ACK, for a repeated 200.
    ack: String,
    pub on_hold: bool,
    version: u32,
    /// Our sound comes from this port.
    pub our_port: u16,
    /// Where they want to hear us.
    pub their_port: Option<u16>,
    /// Our INVITE was without a description; the ACK brings it.
    late_offer: bool,
    rings_until: Option<Time>,
    forget_at: Option<Time>,
}

/// A request of ours without its final answer.
#[derive(Clone, Debug)]
struct Asking {
    call_id: String,
    method: &'static str,
    branch: String,
    text: String,
    again_at: Time,
    interval: Duration,
    until: Time,
    /// Nothing is repeated after a provisional answer to an INVITE.
    progressing: bool,
}

/// A request of theirs and our last answer to it.
#[derive(Clone, Debug)]
struct Replied {
    call_id: String,
    method: String,
    branch: String,
    text: String,
    /// A final answer to an INVITE is repeated until its ACK.
    again: Option<(Time, Duration)>,
    until: Time,
}

#[derive(Debug)]
pub struct Phone {
    pub host: u16,
    pub transport: Transport,
    /// Which TCP connection it has now.
    pub connection: u64,
    /// The name that it registers and is called by; a caller's number.
    pub name: String,
    pub hears: bool,
    pub speaks: bool,
    pub forgets_acks: bool,
    /// 100 or 180 before anything else, as nearly all do.
    pub says_it_rings: bool,
    pub alaw: bool,
    pub dialogs: BTreeMap<String, Dialog>,
    asking: Vec<Asking>,
    replied: Vec<Replied>,
    boots: u32,
    branches: u32,
    registers: u32,
    expires: u32,
    proofs: u32,
    pub out: Vec<String>,
    pub heard: Vec<(String, Heard)>,
    /// What no phone should have to hear, one sentence each.
    pub wrong: Vec<String>,
}

/// The address of phone `host`.
pub fn address_of(host: u16, port: u16) -> SocketAddr {
    let [high, low] = host.to_be_bytes();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 18, high, low)), port)
}

/// Who is at this address.
pub fn host_at(address: SocketAddr) -> u16 {
    match address.ip() {
        IpAddr::V4(ip) => u16::from_be_bytes([ip.octets()[2], ip.octets()[3]]),
        IpAddr::V6(_) => 0,
    }
}

impl Phone {
    pub fn new(host: u16, name: &str, transport: Transport) -> Phone {
        Phone {
            host,
            transport,
            connection: u64::from(host) << 32,
            name: name.to_owned(),
            hears: true,
            speaks: true,
            forgets_acks: false,
            says_it_rings: true,
            alaw: host.is_multiple_of(3),
            dialogs: BTreeMap::new(),
            asking: Vec::new(),
            replied: Vec::new(),
            boots: 0,
            branches: 0,
            registers: 0,
            expires: 0,
            proofs: 0,
            out: Vec::new(),
            heard: Vec::new(),
            wrong: Vec::new(),
        }
    }

    pub fn address(&self) -> String {
        address_of(self.host, 5060).to_string()
    }

    pub fn contact(&self) -> String {
        let transport = if self.transport == Transport::Tcp { ";transport=tcp" } else { "" };
        format!("sip:{}@{}{transport}", self.name, self.address())
    }

    /// Where its sound of this dialog comes from.
    pub fn sound_of(&self, call_id: &str) -> Option<(SocketAddr, &Dialog)> {
        let dialog = self.dialogs.get(call_id)?;
        Some((address_of(self.host, dialog.our_port), dialog))
    }

    /// Everything is forgotten, as by a loss of power.
    pub fn reboot(&mut self) {
        self.dialogs.clear();
        self.asking.clear();
        self.replied.clear();
        self.boots += 1;
        self.connection += 1;
    }

    /// Calls `number`. `from`: the whole From without its tag.
    pub fn call(&mut self, now: Time, call_id: &str, number: &str, from: &str, late_offer: bool, on_hold: bool) {
        let uri = format!("sip:{number}@{ENGINE}");
        let our_port = 30_000 + 2 * (self.dialogs.len() as u16 % 500);
        let mut dialog = self.dialog(format!("{from};tag=c{}", self.host), format!("<{uri}>"), our_port);
        dialog.target = uri;
        dialog.late_offer = late_offer;
        dialog.on_hold = on_hold;
        self.dialogs.insert(call_id.to_owned(), dialog);
        let body = if late_offer { String::new() } else { self.describe(call_id) };
        self.invite(now, call_id, &body);
    }

    fn dialog(&self, us: String, them: String, our_port: u16) -> Dialog {
        Dialog {
            state: State::Calling,
            ours: true,
            us,
            them,
            target: String::new(),
            cseq: 0,
            their_cseq: 0,
            their_tag: String::new(),
            branch: String::new(),
            invite_cseq: 0,
            invite: String::new(),
            ack: String::new(),
            on_hold: false,
            version: 1,
            our_port,
            their_port: None,
            late_offer: false,
            rings_until: None,
            forget_at: None,
        }
    }

    fn invite(&mut self, now: Time, call_id: &str, body: &str) {
        let branch = self.ask(now, call_id, "INVITE", "", body);
        if let Some(dialog) = self.dialogs.get_mut(call_id) {
            (dialog.branch, dialog.invite_cseq) = (branch, dialog.cseq);
        }
    }

    fn describe(&self, call_id: &str) -> String {
        let Some(dialog) = self.dialogs.get(call_id) else { return String::new() };
        let direction = if dialog.on_hold { "sendonly" } else { "sendrecv" };
        description(&address_of(self.host, 0).ip().to_string(), dialog.our_port, dialog.version, self.alaw, direction)
    }

    /// Hold, resume, or (`moves`) the same from another port.
    pub fn change(&mut self, now: Time, call_id: &str, on_hold: bool, moves: bool) {
        let Some(dialog) = self.dialogs.get_mut(call_id) else { return };
        if dialog.state != State::Up {
            return;
        }
        dialog.on_hold = on_hold;
        dialog.version += 1;
        dialog.our_port = if moves { 30_000 + (dialog.our_port + 1000) % 30_000 } else { dialog.our_port };
        let body = self.describe(call_id);
        self.invite(now, call_id, &body);
    }

    /// Before the answer a CANCEL, afterwards a BYE. `more`: whole header lines, such as a Reason.
    pub fn hang_up(&mut self, now: Time, call_id: &str, more: &str) {
        let Some(dialog) = self.dialogs.get_mut(call_id) else { return };
        match dialog.state {
            State::Ringing => self.answer(now, call_id, 480),
            State::Calling => {
                dialog.state = State::Cancelling;
                self.cancel(now, call_id);
            }
            State::Up => {
                self.over(now, call_id);
                self.ask(now, call_id, "BYE", more, "");
            }
            State::Cancelling | State::Over => {}
        }
    }

    /// Also long after the answer, as some phones do.
    pub fn cancel(&mut self, now: Time, call_id: &str) {
        let Some(dialog) = self.dialogs.get(call_id).filter(|dialog| dialog.ours) else { return };
        let (branch, cseq) = (dialog.branch.clone(), dialog.invite_cseq);
        // RFC 3261 §9.1: the INVITE's own To, without a tag.
        let to = dialog.them.split(";tag=").next().unwrap_or_default().to_owned();
        let text = self.write(call_id, "CANCEL", &branch, cseq, Some(&to), "", "");
        self.start(now, call_id, "CANCEL", branch, text);
    }

    pub fn info(&mut self, now: Time, call_id: &str, key: Key) {
        let body = format!("Signal={}\r\nDuration=160\r\n", key.as_char());
        self.ask(now, call_id, "INFO", "Content-Type: application/dtmf-relay\r\n", &body);
    }

    /// Answers what rings, well or not.
    pub fn answer(&mut self, now: Time, call_id: &str, status: u16) {
        let Some(dialog) = self.dialogs.get_mut(call_id).filter(|dialog| dialog.state == State::Ringing) else {
            return;
        };
        let invite = dialog.invite.clone();
        if status == 200 {
            dialog.state = State::Up;
        }
        let body = if status == 200 { self.describe(call_id) } else { String::new() };
        self.reply(now, &invite, status, "", &body);
        if status != 200 {
            self.over(now, call_id);
        }
    }

    pub fn register(&mut self, now: Time, expires: u32) {
        (self.expires, self.proofs) = (expires, 0);
        self.send_register(now, "");
    }

    fn send_register(&mut self, now: Time, proof: &str) {
        self.registers += 1;
        let (aor, call_id) = (format!("<sip:{}@{REALM}>", self.name), self.register_id());
        let branch = self.new_branch();
        let more = format!("Expires: {}\r\n{proof}", self.expires);
        let heads = Heads {
            from: &format!("{aor};tag=phone"),
            to: &aor,
            call_id: &call_id,
            cseq: self.registers,
            method: "REGISTER",
            contact: &self.contact(),
            more: &more,
        };
        let text = request(&self.address(), self.transport_word(), "sip:onekey", &branch, &heads, "");
        self.start(now, &call_id, "REGISTER", branch, text);
    }

    /// Phones keep one Call-ID for all their registrations of one boot.
    fn register_id(&self) -> String {
        format!("register-{}-{}", self.host, self.boots)
    }

    /// A new request within a dialog; returns its branch.
    fn ask(&mut self, now: Time, call_id: &str, method: &'static str, more: &str, body: &str) -> String {
        let branch = self.new_branch();
        let Some(dialog) = self.dialogs.get_mut(call_id) else { return branch };
        dialog.cseq += 1;
        let cseq = dialog.cseq;
        let text = self.write(call_id, method, &branch, cseq, None, more, body);
        self.start(now, call_id, method, branch.clone(), text);
        branch
    }

    #[allow(clippy::too_many_arguments)]
    fn write(
        &self,
        call_id: &str,
        method: &str,
        branch: &str,
        cseq: u32,
        to: Option<&str>,
        more: &str,
        body: &str,
    ) -> String {
        let Some(dialog) = self.dialogs.get(call_id) else { return String::new() };
        let contact = self.contact();
        let heads =
            Heads { from: &dialog.us, to: to.unwrap_or(&dialog.them), call_id, cseq, method, contact: &contact, more };
        request(&self.address(), self.transport_word(), &dialog.target, branch, &heads, body)
    }

    fn transport_word(&self) -> &'static str {
        if self.transport == Transport::Tcp { "TCP" } else { "UDP" }
    }

    fn new_branch(&mut self) -> String {
        self.branches += 1;
        format!("z9hG4bK-{}-{}-{}", self.host, self.boots, self.branches)
    }

    fn start(&mut self, now: Time, call_id: &str, method: &'static str, branch: String, text: String) {
        self.say(text.clone());
        let (call_id, again_at, until) = (call_id.to_owned(), now + T1, now + PATIENCE);
        self.asking.push(Asking { call_id, method, branch, text, again_at, interval: T1, until, progressing: false });
    }

    fn reply(&mut self, now: Time, to: &str, status: u16, more: &str, body: &str) {
        let Ok(asked) = Text::read(to) else { return };
        let tag = if status == 100 { String::new() } else { format!("p{}-{}", self.host, self.boots) };
        let text = response(&asked, status, &tag, &self.contact(), more, body);
        self.say(text.clone());
        let again = (status >= 200 && asked.method() == "INVITE").then_some((now + T1, T1));
        let (branch, method) = (asked.branch().to_owned(), asked.method().to_owned());
        self.replied.retain(|known| (&known.branch, &known.method) != (&branch, &method));
        let (call_id, until) = (asked.call_id().to_owned(), now + PATIENCE);
        self.replied.push(Replied { call_id, method, branch, text, again, until });
    }

    fn say(&mut self, text: String) {
        if self.speaks && !(self.forgets_acks && text.starts_with("ACK")) {
            self.out.push(text);
        }
    }

    fn over(&mut self, now: Time, call_id: &str) {
        if let Some(dialog) = self.dialogs.get_mut(call_id) {
            dialog.state = State::Over;
            dialog.forget_at = Some(now + MEMORY);
        }
    }

    /// Repeats what is due, gives up what has lasted too long.
    pub fn tick(&mut self, now: Time) {
        let mut asking = std::mem::take(&mut self.asking);
        let mut gave_up = Vec::new();
        asking.retain_mut(|one| {
            if one.until <= now {
                gave_up.push((one.call_id.clone(), one.method));
                return false;
            }
            if one.again_at <= now && now + SILENT_END >= one.until {
                one.again_at = one.until;
            } else if one.again_at <= now && !one.progressing {
                one.interval = if one.method == "INVITE" { one.interval * 2 } else { (one.interval * 2).min(T2) };
                one.again_at = now + one.interval;
                if self.transport == Transport::Udp {
                    self.say(one.text.clone());
                }
            }
            true
        });
        asking.append(&mut self.asking);
        self.asking = asking;
        for (call_id, method) in gave_up {
            self.unanswered(now, &call_id, method);
        }
        self.repeat_answers(now);
        let rings = |dialog: &Dialog| dialog.state == State::Ringing && dialog.rings_until.is_some_and(|at| at <= now);
        let unanswered: Vec<String> =
            self.dialogs.iter().filter(|(_, dialog)| rings(dialog)).map(|(call_id, _)| call_id.clone()).collect();
        for call_id in unanswered {
            self.answer(now, &call_id, 480);
        }
        self.dialogs.retain(|_, dialog| dialog.forget_at.is_none_or(|at| at > now));
    }

    fn repeat_answers(&mut self, now: Time) {
        let mut replied = std::mem::take(&mut self.replied);
        let given_up = |one: &&Replied| one.until <= now && one.again.is_some() && one.text.starts_with("SIP/2.0 2");
        let given_up: Vec<String> = replied.iter().filter(given_up).map(|one| one.call_id.clone()).collect();
        replied.retain_mut(|one| {
            if let Some((at, interval)) = &mut one.again
                && *at <= now
            {
                *interval = (*interval * 2).min(T2);
                *at = now + *interval;
                // A 200 is repeated on every transport (RFC 3261 §13.3.1.4).
                if self.transport == Transport::Udp || one.text.starts_with("SIP/2.0 2") {
                    self.say(one.text.clone());
                }
            }
            one.until > now
        });
        replied.append(&mut self.replied);
        self.replied = replied;
        // RFC 3261 §13.3.1.4: a 200 whose ACK never comes ends with a BYE.
        for call_id in given_up {
            self.hang_up(now, &call_id, "");
            self.heard.push((call_id, Heard::Ended));
        }
    }

    /// When it wants its next `tick`.
    pub fn next(&self) -> Option<Time> {
        let asking =
            self.asking.iter().map(|one| if one.progressing { one.until } else { one.again_at.min(one.until) });
        let replied = self.replied.iter().map(|one| one.again.map_or(one.until, |(at, _)| at.min(one.until)));
        let dialogs = self.dialogs.values().filter_map(|dialog| match dialog.state {
            State::Ringing => dialog.rings_until,
            _ => dialog.forget_at,
        });
        asking.chain(replied).chain(dialogs).min()
    }

    /// Nothing is left of any call.
    pub fn is_idle(&self) -> bool {
        self.dialogs.is_empty() && self.asking.is_empty()
    }
}
