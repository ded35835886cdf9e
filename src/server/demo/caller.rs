//! A caller's phone: INVITE, ACK, one key perhaps, and BYE once a person has been heard for a while (RFC 3261 §13, §15).
//!
//! It decides by its ear alone whether a person has been reached, as somebody outside would.

use super::stream::Stream;
use super::voice::{self, Voice};
use super::wire::Wire;
use super::{Happening, TALK};
use crate::key::Key;
use crate::rehearsal::sip_text::{Request, description};
use crate::sip::message::{Message, Method};
use crate::sip::sdp;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Whoever has reached nobody by then hangs up.
const PATIENCE: Duration = Duration::from_secs(150);
/// A BYE whose answer does not come is not waited for longer.
const FAREWELL: Duration = Duration::from_secs(2);

/// Who calls, and how.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Which of the demo's callers, from 0.
    pub number: usize,
    /// As on the terminal, such as `presses 0`.
    pub name: &'static str,
    /// E.164.
    pub telephone: &'static str,
    pub dialled: String,
    /// Presses 0 so long after the answer.
    pub presses_after: Option<Duration>,
    /// Where all that is heard goes.
    pub recording: PathBuf,
}

/// How a call ended.
#[derive(Debug)]
pub struct Outcome {
    /// From INVITE to the agent's voice in the ear; `None`: nobody was heard.
    pub person_after: Option<Duration>,
    /// Words for what went wrong.
    pub trouble: Option<String>,
}

struct Phone {
    caller: Caller,
    wire: Wire,
    stream: Stream,
    call_id: String,
    began: Instant,
    /// To and Contact of the 200, once there was one.
    dialog: Option<(String, String)>,
    press_at: Option<Instant>,
    hung_up: Option<Instant>,
    over: bool,
    trouble: Option<String>,
}

/// Makes the call on a thread of its own; its end is told as [`Happening::CallOver`].
///
/// # Errors
/// No socket or thread can be had.
pub fn call(caller: Caller, server: SocketAddr, tell: mpsc::Sender<Happening>) -> io::Result<()> {
    let wire = Wire::open(server)?;
    let voice: Voice = voice::CALLERS[caller.number % voice::CALLERS.len()];
    let stream = Stream::open(wire.local.ip(), voice, &[voice::AGENT])?;
    let call_id = format!("demo-{}-{}-{}", caller.number, std::process::id(), wire.local.port());
    let (name, began) = (format!("demo-caller-{}", caller.number), Instant::now());
    let mut phone = Phone {
        caller,
        wire,
        stream,
        call_id,
        began,
        dialog: None,
        press_at: None,
        hung_up: None,
        over: false,
        trouble: None,
    };
    std::thread::Builder::new().name(name).spawn(move || {
        let outcome = phone.run();
        let _ = tell.send(Happening::CallOver(phone.caller.number, outcome));
    })?;
    Ok(())
}

impl Phone {
    fn run(&mut self) -> Outcome {
        match self.stream.address() {
            Ok(media) => {
                let invite = self.request("INVITE", 1, "", &description(media));
                self.wire.send_until_answered("INVITE", invite);
            }
            Err(error) => self.end(format!("no address for its sound: {error}")),
        }
        while !self.over {
            if let Some(message) = self.wire.receive() {
                self.take(&message);
            }
            self.stream.turn();
            self.decide(Instant::now());
        }
        if let Err(error) = self.stream.save(&self.caller.recording) {
            self.end(format!("{} cannot be written: {error}", self.caller.recording.display()));
        }
        let person_after = self.stream.person_heard.map(|at| at.saturating_duration_since(self.began));
        Outcome { person_after, trouble: self.trouble.take() }
    }

    fn take(&mut self, message: &Message) {
        if message.call_id() != self.call_id {
            return;
        }
        match (message.status(), message.method()) {
            (Some(status), Method::Invite) => self.invite_answered(status, message),
            (Some(200..), Method::Bye) => self.over = true,
            (None, Method::Bye) => {
                self.wire.respond(message, 200, "OK", "");
                self.over = true;
            }
            (None, Method::Ack) | (Some(_), _) => {}
            (None, _) => self.wire.respond(message, 200, "OK", ""),
        }
    }

    fn invite_answered(&mut self, status: u16, message: &Message) {
        self.wire.answered("INVITE");
        match status {
            0..=199 => {}
            200..=299 => {
                let to = message.header("To").unwrap_or_default().to_owned();
                let contact = message.contacts().into_iter().find_map(Result::ok).map(|contact| contact.uri);
                if self.dialog.is_none() {
                    self.press_at = self.caller.presses_after.map(|after| Instant::now() + after);
                }
                self.dialog = Some((to, contact.unwrap_or_else(|| self.dialled())));
                // Each repeat of the 200 gets its ACK (RFC 3261 §13.2.2.4).
                self.wire.send(&self.request("ACK", 1, "ack", ""));
                match sdp::remote_address(message.body()) {
                    Some(remote) => self.stream.start(remote),
                    None => self.end("the server's answer names no place for sound".to_owned()),
                }
            }
            300.. => {
                let to = message.header("To").unwrap_or_default().to_owned();
                self.dialog = Some((to, self.dialled()));
                self.wire.send(&self.request("ACK", 1, "", ""));
                self.dialog = None;
                self.end(format!("the server refused the call with {status}"));
            }
        }
    }

    fn decide(&mut self, now: Instant) {
        if self.press_at.is_some_and(|at| now >= at) {
            self.press_at = None;
            self.stream.press(Key::HUMAN);
        }
        let person = self.stream.person_heard;
        if person.is_some() {
            self.stream.speak();
        }
        let is_done = person.is_some_and(|at| now >= at + TALK) || now >= self.began + PATIENCE;
        match self.hung_up {
            None if is_done && self.dialog.is_some() => {
                let bye = self.request("BYE", 2, "bye", "");
                self.wire.send_until_answered("BYE", bye);
                self.hung_up = Some(now);
            }
            None if is_done => self.end("the server never answered".to_owned()),
            Some(at) if now >= at + FAREWELL => self.over = true,
            _ => {}
        }
        let is_unanswered = self.dialog.is_none() && now >= self.began + Duration::from_secs(32);
        if is_unanswered && !self.over {
            self.end("the server never answered".to_owned());
        }
    }

    fn end(&mut self, trouble: String) {
        self.trouble.get_or_insert(trouble);
        self.over = true;
    }

    fn dialled(&self) -> String {
        format!("sip:{}@{}", self.caller.dialled, self.wire.server)
    }

    /// An ACK to a refusal belongs to the INVITE's own transaction, and so does its branch: `branch` is empty for both.
    fn request(&self, method: &str, cseq: u32, branch: &str, body: &str) -> String {
        let dialled = self.dialled();
        let whole_dialled = format!("<{dialled}>");
        let (to, uri) = self.dialog.as_ref().map_or((&whole_dialled, &dialled), |(to, contact)| (to, contact));
        let request = Request {
            method,
            uri,
            local: self.wire.local,
            branch: &format!("{}{branch}", self.call_id),
            from: &format!("<sip:{}@{}>;tag={}", self.caller.telephone, self.wire.local, self.call_id),
            to,
            call_id: &self.call_id,
            cseq,
            more: "",
            body,
        };
        request.text()
    }
}
